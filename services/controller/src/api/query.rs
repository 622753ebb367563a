//! The query of a request. What would narrow or soften a request and isn't offered is refused: ignoring
//! `dryRun` would write, ignoring `labelSelector` would answer with too much.

use std::collections::BTreeMap;

use runtime::http::ApiError;

/// Parameters that Kubernetes knows and that can't be ignored.
const REFUSED: [&str; 4] = ["dryRun", "labelSelector", "fieldSelector", "continue"];

/// All parameters of a request, as they came.
pub type Parameters = BTreeMap<String, String>;

/// Refuses what can't be ignored.
pub fn check(parameters: &Parameters) -> Result<(), ApiError> {
    match REFUSED.iter().find(|name| parameters.get(**name).is_some_and(|value| !value.is_empty())) {
        Some(name) => Err(ApiError::bad_request(format!("`{name}` is not offered here; leave it out"))),
        None => Ok(()),
    }
}

/// Whether the request asks for a stream of changes.
pub fn is_watch(parameters: &Parameters) -> bool {
    parameters.get("watch").is_some_and(|value| matches!(value.as_str(), "true" | "1" | ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(pairs: &[(&str, &str)]) -> Parameters {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_dry_run_is_refused_and_a_limit_is_not() {
        assert!(check(&parameters(&[("dryRun", "All")])).is_err());
        assert!(check(&parameters(&[("labelSelector", "a=b")])).is_err());
        assert!(check(&parameters(&[("limit", "500"), ("labelSelector", "")])).is_ok());
    }

    #[test]
    fn watch_is_asked_for_as_clients_do() {
        assert!(is_watch(&parameters(&[("watch", "true")])));
        assert!(is_watch(&parameters(&[("watch", "1")])));
        assert!(!is_watch(&parameters(&[("watch", "false")])));
        assert!(!is_watch(&parameters(&[])));
    }
}
