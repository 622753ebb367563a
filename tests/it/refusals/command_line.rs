//! Files that `apply` refuses, and names that nobody knows: exit codes and texts.

use forklift_api::Plan;
use serde_json::json;

use crate::harness::World;
use crate::harness::cli::NOT_FOUND;
use crate::harness::manifests::{self, yaml};

const FAILED: i32 = 1;

pub fn check(world: &World) {
    let good = yaml(&[manifests::plan("not-applied", &["plain"], &json!({}))]);
    // What can't be parsed changes nothing, not even by the documents before it.
    let broken = format!("{good}---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: [a\n");
    refused(world, &broken, &["stdin, document 2, line ", "no YAML"]);
    assert!(world.cli.get::<Plan>("not-applied").is_none());

    let misspelt = manifests::plan("misspelt", &["plain"], &json!({ "vmz": [] }));
    refused(world, &yaml(&[misspelt]), &["document 1", "spec.vmz", "vms"]);
    assert!(world.cli.get::<Plan>("misspelt").is_none());

    let unknown = "apiVersion: forklift.konveyor.io/v1beta1\nkind: Plann\nmetadata: {name: p}\n";
    refused(world, unknown, &["document 1", "`Plann`", "did you mean `Plan`"]);
    let elsewhere = "apiVersion: forklift.konveyor.io/v1alpha1\nkind: Plan\nmetadata: {name: p}\n";
    refused(world, elsewhere, &["v1beta1", "v1alpha1"]);

    for (args, words) in [
        (&["get", "plans", "nowhere"][..], &["nowhere"][..]),
        (&["get", "plna"][..], &["plna", "did you mean `plan`"][..]),
        (&["delete", "migration", "nowhere"][..], &["nowhere"][..]),
        (&["watch", "plan", "nowhere"][..], &["nowhere"][..]),
    ] {
        let said = world.cli.run(args, "");
        assert_eq!(said.code, NOT_FOUND, "{args:?}: {}", said.err);
        assert!(words.iter().all(|word| said.err.contains(word)), "{args:?}: {}", said.err);
    }
}

fn refused(world: &World, text: &str, words: &[&str]) {
    let said = world.cli.try_apply(text);
    assert_eq!(said.code, FAILED, "{text}\n{}{}", said.out, said.err);
    for word in words {
        assert!(said.err.contains(word), "`{word}` is not in: {}", said.err);
    }
}
