//! The suite itself. Nothing here may know which backend it runs on.

use std::collections::BTreeMap;

use forklift_api::{Migration, Plan, PlanStatus, Provider, ProviderStatus};
use futures::future::join_all;
use kube::ResourceExt;
use kube::runtime::reflector;
use serde_json::json;
use store::{Deletion, Error, Event, Preconditions, Store};

use crate::world::{Mirror, gone, migration, next, owned_by, plan, provider, words};

const ANY: &Preconditions = &Preconditions { uid: None, resource_version: None };

pub async fn what_is_created_is_read_back_with_an_identity(store: &Store, ns: &str) {
    let created = store.create(&plan(ns, "a")).await.unwrap();
    assert!(created.uid().is_some() && created.resource_version().is_some());
    assert!(created.creation_timestamp().is_some());
    assert_eq!(created.metadata.generation, Some(1));
    assert_eq!(store.get::<Plan>(ns, "a").await.unwrap(), Some(created));
    assert_eq!(store.get::<Plan>(ns, "b").await.unwrap(), None);
    assert_eq!(store.get::<Migration>(ns, "a").await.unwrap(), None);
}

pub async fn a_name_is_taken_once(store: &Store, ns: &str) {
    let first = store.create(&plan(ns, "a")).await.unwrap();
    let error = store.create(&plan(ns, "a")).await.unwrap_err();
    assert!(matches!(error, Error::AlreadyExists { .. }), "{error}");
    store.create(&migration(ns, "a")).await.unwrap();
    store.delete::<Plan>(ns, "a", ANY).await.unwrap();
    let second = store.create(&plan(ns, "a")).await.unwrap();
    assert_ne!(first.uid(), second.uid());
    assert_ne!(first.resource_version(), second.resource_version());
}

pub async fn of_many_creators_one_wins(store: &Store, ns: &str) {
    let a = plan(ns, "a");
    for _ in ["a new name", "a name that was used before"] {
        let results = join_all((0..8).map(|_| store.create(&a))).await;
        let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1);
        assert!(lost.iter().all(|r| matches!(r, Err(Error::AlreadyExists { .. }))), "{lost:?}");
        assert_eq!(store.get::<Plan>(ns, "a").await.unwrap().as_ref(), won[0].as_ref().ok());
        store.delete::<Plan>(ns, "a", ANY).await.unwrap();
    }
}

pub async fn objects_are_listed_by_kind_namespace_and_name(store: &Store, ns: &str) {
    assert_eq!(store.list::<Plan>(Some(ns)).await.unwrap(), []);
    for name in ["b", "a.c", "a"] {
        store.create(&plan(ns, name)).await.unwrap();
    }
    store.create(&migration(ns, "other")).await.unwrap();
    store.delete::<Plan>(ns, "b", ANY).await.unwrap();
    let names = |plans: Vec<Plan>| plans.iter().map(ResourceExt::name_any).collect::<Vec<_>>();
    assert_eq!(names(store.list(Some(ns)).await.unwrap()), ["a", "a.c"]);
    assert_eq!(names(store.list(Some("elsewhere")).await.unwrap()), Vec::<String>::new());
    let mut everywhere = names(store.list(None).await.unwrap());
    everywhere.retain(|name| ["a", "a.c", "b", "other"].contains(&name.as_str()));
    assert_eq!(everywhere, ["a", "a.c"]);
}

pub async fn a_replace_of_an_old_version_is_a_conflict(store: &Store, ns: &str) {
    let read = store.create(&plan(ns, "a")).await.unwrap();
    let mut mine = read.clone();
    mine.spec.description = Some("mine".into());
    let mut theirs = read.clone();
    theirs.spec.description = Some("theirs".into());
    let stored = store.replace(&theirs).await.unwrap();
    let error = store.replace(&mine).await.unwrap_err();
    assert!(error.is_conflict(), "{error}");
    mine.status = Some(PlanStatus::default());
    let error = store.replace_status(&mine).await.unwrap_err();
    assert!(error.is_conflict(), "{error}");
    assert_eq!(store.get::<Plan>(ns, "a").await.unwrap(), Some(stored));
    mine.metadata.resource_version = None;
    let error = store.replace(&mine).await.unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }), "{error}");
}

pub async fn a_replace_of_what_is_not_there_is_not_found(store: &Store, ns: &str) {
    let read = store.create(&plan(ns, "a")).await.unwrap();
    store.delete::<Plan>(ns, "a", ANY).await.unwrap();
    assert!(store.replace(&read).await.unwrap_err().is_not_found());
    assert!(store.replace_status(&read).await.unwrap_err().is_not_found());
    assert!(store.delete::<Plan>(ns, "a", ANY).await.unwrap_err().is_not_found());
    store.create(&plan(ns, "a")).await.unwrap();
    assert!(store.replace(&read).await.unwrap_err().is_conflict(), "it was made anew");
}

pub async fn no_increment_of_concurrent_writers_is_lost(store: &Store, ns: &str) {
    const WRITERS: usize = 6;
    const EACH: usize = 8;
    store.create(&plan(ns, "a")).await.unwrap();
    let writer = || async {
        let (mut done, mut conflicts) = (0, 0);
        while done < EACH {
            let mut read = store.get::<Plan>(ns, "a").await.unwrap().unwrap();
            let count: usize = read.spec.description.as_deref().unwrap_or("0").parse().unwrap();
            read.spec.description = Some((count + 1).to_string());
            match store.replace(&read).await {
                Ok(_) => done += 1,
                Err(error) if error.is_conflict() => conflicts += 1,
                Err(error) => panic!("{error}"),
            }
        }
        conflicts
    };
    let conflicts: usize = join_all((0..WRITERS).map(|_| writer())).await.into_iter().sum();
    let read = store.get::<Plan>(ns, "a").await.unwrap().unwrap();
    assert_eq!(read.spec.description, Some((WRITERS * EACH).to_string()));
    assert!(conflicts > 0, "the writers never met");
}

pub async fn a_replace_without_a_difference_writes_nothing(store: &Store, ns: &str) {
    let read = store.create(&plan(ns, "a")).await.unwrap();
    assert_eq!(store.replace(&read).await.unwrap(), read);
    assert_eq!(store.replace_status(&read).await.unwrap(), read);
    assert_eq!(store.get::<Plan>(ns, "a").await.unwrap(), Some(read));
}

pub async fn generation_counts_changes_of_the_spec(store: &Store, ns: &str) {
    let mut object = store.create(&plan(ns, "a")).await.unwrap();
    object.labels_mut().insert("a".into(), "b".into());
    object.finalizers_mut().push("longshore.dev/test".into());
    let mut object = store.replace(&object).await.unwrap();
    assert_eq!(object.metadata.generation, Some(1));
    object.status = Some(PlanStatus { observed_generation: Some(1), ..PlanStatus::default() });
    let mut object = store.replace_status(&object).await.unwrap();
    assert_eq!(object.metadata.generation, Some(1));
    object.spec.warm = true;
    let mut object = store.replace(&object).await.unwrap();
    assert_eq!(object.metadata.generation, Some(2));
    object.metadata.generation = Some(77);
    object.spec.warm = false;
    assert_eq!(store.replace(&object).await.unwrap().metadata.generation, Some(3));
}

pub async fn status_and_the_rest_are_written_apart(store: &Store, ns: &str) {
    let mut object = provider(ns, "a");
    object.status = Some(ProviderStatus { phase: Some("Ready".into()), ..ProviderStatus::default() });
    let created = store.create(&object).await.unwrap();
    assert_eq!(created.status, None, "a new object has no status");

    let mut both = created.clone();
    both.status = object.status.clone();
    both.spec.url = Some("https://vc/sdk".into());
    both.labels_mut().insert("a".into(), "b".into());
    let by_status = store.replace_status(&both).await.unwrap();
    assert_eq!(by_status.status, object.status);
    assert_eq!((&by_status.spec, by_status.labels()), (&created.spec, created.labels()));

    let mut both = by_status.clone();
    both.status = None;
    both.spec.url = Some("https://vc/sdk".into());
    let by_replace = store.replace(&both).await.unwrap();
    assert_eq!(by_replace.status, object.status);
    assert_eq!(by_replace.spec, both.spec);
    assert_eq!(store.get::<Provider>(ns, "a").await.unwrap(), Some(by_replace));
}

#[allow(clippy::needless_pass_by_value)]
fn manifest(ns: &str, spec: serde_json::Value) -> serde_json::Value {
    let mut whole = serde_json::to_value(plan(ns, "a")).unwrap();
    let fields = ["targetNamespace", "provider", "map", "vms"];
    let least: serde_json::Map<_, _> = fields.iter().map(|f| ((*f).to_owned(), whole["spec"][f].clone())).collect();
    whole["spec"] = least.into();
    whole["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    whole
}

pub async fn absent_fields_have_the_defaults_of_the_schema(store: &Store, ns: &str) {
    let kind = forklift_api::find("plan").unwrap();
    let sent = manifest(ns, json!({ "migrateSharedDisks": false }));
    assert_eq!(sent["spec"].get("preserveStaticIPs"), None);
    let created = store.untyped().create(kind, sent).await.unwrap();
    assert_eq!(created["spec"]["preserveStaticIPs"], json!(true));
    assert_eq!(created["spec"]["migrateSharedDisks"], json!(false));
    assert_eq!(store.untyped().get(kind, ns, "a").await.unwrap(), Some(created));
}

pub async fn an_unknown_field_is_refused_by_its_path(store: &Store, ns: &str) {
    let kind = forklift_api::find("plan").unwrap();
    let sent = manifest(ns, json!({ "skipGuestConversions": true }));
    let error = store.untyped().create(kind, sent).await.unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }), "{error}");
    assert!(error.to_string().contains("spec.skipGuestConversions"), "{error}");
    assert_eq!(store.untyped().get(kind, ns, "a").await.unwrap(), None);

    let mut created = store.untyped().create(kind, manifest(ns, json!({}))).await.unwrap();
    created["spec"]["vms"] = json!([{ "id": "vm-1", "hook": [] }]);
    let error = store.untyped().replace(kind, created).await.unwrap_err();
    assert!(error.to_string().contains("spec.vms[0].hook"), "{error}");
}

pub async fn wrong_values_and_names_are_refused(store: &Store, ns: &str) {
    let kind = forklift_api::find("plan").unwrap();
    for spec in [json!({ "type": "tepid" }), json!({ "vms": "all" }), json!({ "serviceAccount": "No_Name" })] {
        let error = store.untyped().create(kind, manifest(ns, spec)).await.unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }), "{error}");
    }
    for name in ["Capitals", "a_b", "a/b", "", "-a"] {
        let error = store.create(&plan(ns, name)).await.unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }), "{name}: {error}");
    }
    assert_eq!(store.list::<Plan>(Some(ns)).await.unwrap(), []);
}

pub async fn an_object_with_finalizers_waits_for_them(store: &Store, ns: &str) {
    let mut object = plan(ns, "a");
    object.finalizers_mut().extend(["longshore.dev/one".into(), "longshore.dev/two".into()]);
    store.create(&object).await.unwrap();
    let Deletion::Waiting(mut held) = store.delete::<Plan>(ns, "a", ANY).await.unwrap() else {
        panic!("it is gone already");
    };
    assert!(held.metadata.deletion_timestamp.is_some());
    let again = store.delete::<Plan>(ns, "a", ANY).await.unwrap().into_object();
    assert_eq!(again.metadata.deletion_timestamp, held.metadata.deletion_timestamp);

    let mut more = again.clone();
    more.finalizers_mut().push("longshore.dev/three".into());
    assert!(matches!(store.replace(&more).await, Err(Error::Invalid { .. })));
    held = again;
    held.finalizers_mut().remove(0);
    let mut held = store.replace(&held).await.unwrap();
    assert!(store.get::<Plan>(ns, "a").await.unwrap().is_some());
    held.finalizers_mut().clear();
    store.replace(&held).await.unwrap();
    assert_eq!(store.get::<Plan>(ns, "a").await.unwrap(), None);
}

pub async fn a_deletion_with_another_uid_is_a_conflict(store: &Store, ns: &str) {
    let first = store.create(&plan(ns, "a")).await.unwrap();
    store.delete::<Plan>(ns, "a", &Preconditions::uid(first.uid().unwrap())).await.unwrap();
    let second = store.create(&plan(ns, "a")).await.unwrap();
    let error = store.delete::<Plan>(ns, "a", &Preconditions::uid(first.uid().unwrap())).await.unwrap_err();
    assert!(error.is_conflict(), "{error}");
    let old = Preconditions { uid: None, resource_version: first.resource_version() };
    assert!(store.delete::<Plan>(ns, "a", &old).await.unwrap_err().is_conflict());
    assert_eq!(store.get::<Plan>(ns, "a").await.unwrap(), Some(second));
}

pub async fn an_object_goes_with_its_last_owner(store: &Store, ns: &str) {
    let one = store.create(&plan(ns, "one")).await.unwrap();
    let two = store.create(&plan(ns, "two")).await.unwrap();
    store.create(&owned_by(owned_by(migration(ns, "both"), &one), &two)).await.unwrap();
    store.create(&owned_by(migration(ns, "first"), &one)).await.unwrap();
    store.create(&migration(ns, "nobodys")).await.unwrap();
    store.delete::<Plan>(ns, "one", ANY).await.unwrap();
    gone::<Migration>(store, ns, "first").await;
    assert!(store.get::<Migration>(ns, "both").await.unwrap().is_some());
    store.delete::<Plan>(ns, "two", ANY).await.unwrap();
    gone::<Migration>(store, ns, "both").await;
    assert!(store.get::<Migration>(ns, "nobodys").await.unwrap().is_some());
}

pub async fn dependents_of_dependents_go_too(store: &Store, ns: &str) {
    let top = store.create(&plan(ns, "top")).await.unwrap();
    let mut held = owned_by(migration(ns, "held"), &top);
    held.finalizers_mut().push("longshore.dev/ledger".into());
    let held = store.create(&held).await.unwrap();
    let middle = store.create(&owned_by(migration(ns, "middle"), &top)).await.unwrap();
    store.create(&owned_by(provider(ns, "low"), &middle)).await.unwrap();
    store.create(&owned_by(provider(ns, "under-held"), &held)).await.unwrap();
    store.delete::<Plan>(ns, "top", ANY).await.unwrap();
    gone::<Migration>(store, ns, "middle").await;
    gone::<Provider>(store, ns, "low").await;

    let mut held = store.get::<Migration>(ns, "held").await.unwrap().unwrap();
    assert!(held.metadata.deletion_timestamp.is_some(), "its finalizer holds it");
    assert!(store.get::<Provider>(ns, "under-held").await.unwrap().is_some());
    held.finalizers_mut().clear();
    store.replace(&held).await.unwrap();
    gone::<Provider>(store, ns, "under-held").await;
}

pub async fn a_watch_begins_with_what_is_there_and_tells_every_change(store: &Store, ns: &str) {
    store.create(&plan(ns, "a")).await.unwrap();
    store.create(&migration(ns, "not-a-plan")).await.unwrap();
    let mut events = store.watch::<Plan>(Some(ns)).await.unwrap();
    assert_eq!(words(&mut events, 3).await, ["init", "list a", "done"]);
    let created = store.create(&plan(ns, "b")).await.unwrap();
    let Event::Apply(told) = next(&mut events).await else { panic!("no apply") };
    assert_eq!(told, created);
    let mut changed = told.clone();
    changed.spec.warm = true;
    let changed = store.replace(&changed).await.unwrap();
    let Event::Apply(told) = next(&mut events).await else { panic!("no apply") };
    assert_eq!(told, changed);
    store.delete::<Plan>(ns, "b", ANY).await.unwrap();
    let Event::Delete(told) = next(&mut events).await else { panic!("no delete") };
    assert_eq!((told.uid(), told.spec), (changed.uid(), changed.spec));
    store.create(&plan(ns, "b")).await.unwrap();
    assert_eq!(words(&mut events, 1).await, ["apply b"]);
}

pub async fn a_watch_of_nothing_is_initialised_at_once(store: &Store, ns: &str) {
    let mut events = store.watch::<Plan>(Some(ns)).await.unwrap();
    assert_eq!(words(&mut events, 2).await, ["init", "done"]);
    store.create(&plan(ns, "a")).await.unwrap();
    assert_eq!(words(&mut events, 1).await, ["apply a"]);
    store.delete::<Plan>(ns, "a", ANY).await.unwrap();
    assert_eq!(words(&mut events, 1).await, ["delete a"]);
    let mut later = store.watch::<Plan>(Some(ns)).await.unwrap();
    assert_eq!(words(&mut later, 2).await, ["init", "done"]);
}

pub async fn a_watch_sees_its_namespace_only(store: &Store, ns: &str) {
    let mut events = store.watch::<Plan>(Some("elsewhere")).await.unwrap();
    let mut all = store.watch::<Plan>(None).await.unwrap();
    assert_eq!(words(&mut events, 2).await, ["init", "done"]);
    while !matches!(next(&mut all).await, Event::InitDone) {}
    store.create(&plan(ns, "a")).await.unwrap();
    assert_eq!(words(&mut all, 1).await, ["apply a"]);
    let quiet = tokio::time::timeout(std::time::Duration::from_millis(500), next(&mut events)).await;
    assert!(quiet.is_err(), "it told of another namespace");
}

pub async fn a_watch_under_load_ends_with_what_is_listed(store: &Store, ns: &str) {
    let writer = |number: usize| async move {
        for round in 0..12 {
            let name = format!("p{number}-{}", round % 4);
            match store.get::<Plan>(ns, &name).await.unwrap() {
                None => drop(store.create(&plan(ns, &name)).await.unwrap()),
                Some(_) if round % 3 == 0 => drop(store.delete::<Plan>(ns, &name, ANY).await.unwrap()),
                Some(mut read) => {
                    read.spec.description = Some(round.to_string());
                    store.replace(&read).await.unwrap();
                }
            }
        }
    };
    let mut early = store.watch::<Plan>(Some(ns)).await.unwrap();
    let mut during = None;
    tokio::join!(join_all((0..5).map(writer)), async { during = Some(store.watch::<Plan>(Some(ns)).await.unwrap()) });
    Mirror::default().catch_up(&mut early, store, ns).await;
    Mirror::default().catch_up(&mut during.unwrap(), store, ns).await;
}

pub async fn a_watch_feeds_kubes_reflector(store: &Store, ns: &str) {
    store.create(&plan(ns, "a")).await.unwrap();
    store.create(&plan(ns, "b")).await.unwrap();
    let (reader, mut writer) = reflector::store::<Plan>();
    let mut events = store.watch::<Plan>(Some(ns)).await.unwrap();
    store.delete::<Plan>(ns, "b", ANY).await.unwrap();
    store.create(&plan(ns, "c")).await.unwrap();
    let names = || -> BTreeMap<String, ()> { reader.state().iter().map(|p| (p.name_any(), ())).collect() };
    while names().keys().cloned().collect::<Vec<_>>() != ["a", "c"] {
        writer.apply_watcher_event(&next(&mut events).await);
    }
}
