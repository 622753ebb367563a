//! Keys of the bucket: `<group>.<plural>.<namespace>.<name>`, each part escaped so that a dot in it can't be taken
//! for a separator. The escape is that of the bus' subject tokens.

use bus::Token;
use forklift_api::Kind;

use super::BUCKET;

/// One part, escaped as in subjects; nothing for the empty one, which can't be part of a key.
fn token(text: &str) -> Option<String> {
    Token::new(text).ok().map(|token| token.as_str().to_owned())
}

/// The key of one object.
pub(super) fn of(kind: &Kind, namespace: &str, name: &str) -> Option<String> {
    Some(format!("{}.{}.{}", prefix(kind)?, token(namespace)?, token(name)?))
}

/// The subject filter of a kind, in one namespace or in all.
pub(super) fn filter(kind: &Kind, namespace: Option<&str>) -> Option<String> {
    let namespace = match namespace {
        Some(namespace) => token(namespace)?,
        None => "*".to_owned(),
    };
    Some(format!("{}{}.{namespace}.*", subject_prefix(), prefix(kind)?))
}

/// The subject filter of everything in the bucket.
pub(super) fn all() -> String {
    format!("{}>", subject_prefix())
}

/// What stands before a key in its subject.
pub(super) fn subject_prefix() -> String {
    format!("$KV.{BUCKET}.")
}

/// The kind whose object a key names.
pub(super) fn kind_of(key: &str) -> Option<&'static Kind> {
    forklift_api::kinds().iter().find(|kind| {
        prefix(kind).is_some_and(|prefix| key.strip_prefix(&prefix).is_some_and(|rest| rest.starts_with('.')))
    })
}

fn prefix(kind: &Kind) -> Option<String> {
    Some(format!("{}.{}", token(&kind.group)?, token(&kind.plural)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_of_group_and_name_are_no_separators() {
        let plan = forklift_api::find("plan").unwrap();
        let key = of(plan, "default", "a.b").unwrap();
        assert_eq!(key, "forklift=2Ekonveyor=2Eio.plans.default.a=2Eb");
        assert_eq!(kind_of(&key).unwrap().kind, "Plan");
        assert_eq!(filter(plan, Some("x")).unwrap(), "$KV.resources.forklift=2Ekonveyor=2Eio.plans.x.*");
        assert_eq!(filter(plan, None).unwrap(), "$KV.resources.forklift=2Ekonveyor=2Eio.plans.*.*");
    }

    #[test]
    fn there_is_no_key_without_a_name() {
        assert_eq!(of(forklift_api::find("plan").unwrap(), "default", ""), None);
    }
}
