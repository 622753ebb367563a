//! Compares a stream as it is with the stream as it should be. Pure: says whether nothing is to be done, an
//! update, or nothing can be done, and then why, field by field.

use std::fmt;

use async_nats::jetstream::stream::Config;

/// One field that can't be changed without losing messages or their meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its name at the server.
    pub field: &'static str,
    /// What this version needs.
    pub wanted: String,
    /// What the stream has.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: wanted {}, found {}", self.field, self.wanted, self.found)
    }
}

/// What is to be done about a stream.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    Same,
    /// Safe to change to this.
    Update(Box<Config>),
    Incompatible(Vec<Difference>),
}

pub(super) fn compare(found: &Config, wanted: &Config) -> Verdict {
    let differences = differences(found, wanted);
    if !differences.is_empty() {
        return Verdict::Incompatible(differences);
    }
    let merged = merge(found, wanted);
    if merged == *found { Verdict::Same } else { Verdict::Update(Box::new(merged)) }
}

fn differences(found: &Config, wanted: &Config) -> Vec<Difference> {
    let mut out = Vec::new();
    let mut note = |field, bad: bool, wanted: String, found: String| {
        if bad {
            out.push(Difference { field, wanted, found });
        }
    };
    macro_rules! equal {
        ($($field:ident as $name:literal),*) => {
            $(note($name, found.$field != wanted.$field, show(&wanted.$field), show(&found.$field));)*
        };
    }
    equal!(
        retention as "retention", storage as "storage", discard as "discard",
        discard_new_per_subject as "discard_new_per_subject", sealed as "sealed", no_ack as "no_ack",
        mirror as "mirror", sources as "sources", subject_transform as "subject_transform",
        deny_delete as "deny_delete", deny_purge as "deny_purge"
    );
    let lost = found.subjects.iter().any(|subject| !wanted.subjects.contains(subject));
    note("subjects", lost, show(&wanted.subjects), show(&found.subjects));
    macro_rules! not_lower {
        ($($field:ident as $name:literal),*) => {
            $(note($name, lower(wanted.$field, found.$field), limit(wanted.$field), limit(found.$field));)*
        };
    }
    not_lower!(
        max_messages_per_subject as "max_msgs_per_subject", max_messages as "max_msgs", max_bytes as "max_bytes"
    );
    let (wanted_age, found_age) = (wanted.max_age, found.max_age);
    let younger = !wanted_age.is_zero() && (found_age.is_zero() || wanted_age < found_age);
    note("max_age", younger, format!("{wanted_age:?}"), format!("{found_age:?}"));
    let ttl_lost = found.allow_message_ttl && !wanted.allow_message_ttl;
    note("allow_msg_ttl", ttl_lost, show(&wanted.allow_message_ttl), show(&found.allow_message_ttl));
    out
}

/// Ours where we have an opinion, the operator's elsewhere (placement, compression, more replicas …).
fn merge(found: &Config, wanted: &Config) -> Config {
    Config {
        subjects: if same_set(&found.subjects, &wanted.subjects) { &found.subjects } else { &wanted.subjects }.clone(),
        max_messages_per_subject: higher(wanted.max_messages_per_subject, found.max_messages_per_subject),
        max_messages: higher(wanted.max_messages, found.max_messages),
        max_bytes: higher(wanted.max_bytes, found.max_bytes),
        max_age: wanted.max_age,
        num_replicas: found.num_replicas.max(wanted.num_replicas),
        duplicate_window: wanted.duplicate_window,
        allow_direct: wanted.allow_direct,
        allow_rollup: wanted.allow_rollup,
        allow_message_ttl: wanted.allow_message_ttl,
        ..found.clone()
    }
}

fn same_set(a: &[String], b: &[String]) -> bool {
    a.len() == b.len() && a.iter().all(|subject| b.contains(subject))
}

/// Limits of 0 and -1 both mean "none".
fn unlimited(limit: i64) -> bool {
    limit <= 0
}

fn lower(wanted: i64, found: i64) -> bool {
    !unlimited(wanted) && (unlimited(found) || wanted < found)
}

fn higher(wanted: i64, found: i64) -> i64 {
    if unlimited(wanted) && unlimited(found) { found } else { wanted }
}

fn limit(limit: i64) -> String {
    if unlimited(limit) { "no limit".to_owned() } else { limit.to_string() }
}

fn show(value: &impl fmt::Debug) -> String {
    format!("{value:?}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use async_nats::jetstream::stream::{DiscardPolicy, RetentionPolicy, StorageType};

    use super::*;

    fn wanted() -> Config {
        Config {
            name: "JOBS".into(),
            subjects: vec!["longshore.v1.job.>".into()],
            max_messages_per_subject: 1,
            max_age: Duration::from_secs(60),
            num_replicas: 1,
            ..Config::default()
        }
    }

    fn fields(found: &Config) -> Vec<&'static str> {
        match compare(found, &wanted()) {
            Verdict::Incompatible(differences) => differences.iter().map(|difference| difference.field).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_equal_stream_is_left_alone_with_what_an_operator_added() {
        let found = Config { max_bytes: -1, max_messages: -1, num_replicas: 3, ..wanted() };
        assert_eq!(compare(&found, &wanted()), Verdict::Same);
    }

    #[test]
    fn what_can_be_changed_is_updated() {
        let found = Config { subjects: vec![], max_age: Duration::from_secs(5), ..wanted() };
        let Verdict::Update(config) = compare(&found, &wanted()) else { panic!("no update") };
        assert_eq!((config.subjects.len(), config.max_age), (1, Duration::from_secs(60)));
    }

    #[test]
    fn what_would_lose_messages_or_meaning_is_named() {
        assert_eq!(fields(&Config { retention: RetentionPolicy::WorkQueue, ..wanted() }), ["retention"]);
        assert_eq!(fields(&Config { storage: StorageType::Memory, ..wanted() }), ["storage"]);
        assert_eq!(fields(&Config { discard: DiscardPolicy::New, ..wanted() }), ["discard"]);
        assert_eq!(fields(&Config { max_messages_per_subject: -1, ..wanted() }), ["max_msgs_per_subject"]);
        assert_eq!(fields(&Config { max_age: Duration::ZERO, ..wanted() }), ["max_age"]);
        assert_eq!(fields(&Config { allow_message_ttl: true, ..wanted() }), ["allow_msg_ttl"]);
        let other = vec!["longshore.v1.job.>".into(), "other".into()];
        assert_eq!(fields(&Config { subjects: other, ..wanted() }), ["subjects"]);
    }
}
