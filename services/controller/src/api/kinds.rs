//! Finds the kind that a path means, or says which one was probably meant.

use forklift_api::Kind;
use runtime::http::ApiError;

/// Most letters that may differ between what was asked for and what is proposed.
const NEAR: usize = 3;

/// The kind with this plural in this group and version.
pub fn of(group: &str, version: &str, plural: &str) -> Result<&'static Kind, ApiError> {
    let known = in_version(group, version)?;
    match known.iter().find(|kind| kind.plural == plural) {
        Some(kind) => Ok(kind),
        None => {
            let hint = hint(plural, known.iter().map(|kind| kind.plural.as_str()));
            Err(ApiError::not_found(format!("there is no `{plural}` in {group}/{version}; {hint}")))
        }
    }
}

/// All kinds of a group and version.
pub fn in_version(group: &str, version: &str) -> Result<Vec<&'static Kind>, ApiError> {
    let known: Vec<_> =
        forklift_api::kinds().iter().filter(|kind| kind.group == group && kind.version == version).collect();
    if known.is_empty() {
        let asked = format!("{group}/{version}");
        let versions: Vec<String> = forklift_api::kinds().iter().map(Kind::api_version).collect();
        let hint = hint(&asked, versions.iter().map(String::as_str));
        return Err(ApiError::not_found(format!("there is no API `{asked}`; {hint}")));
    }
    Ok(known)
}

fn hint<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let mut known: Vec<&str> = known.collect();
    known.dedup();
    match known.iter().min_by_key(|name| strsim::damerau_levenshtein(name, word)) {
        Some(name) if strsim::damerau_levenshtein(name, word) <= NEAR => format!("did you mean `{name}`?"),
        _ => format!("known are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_miss_is_answered_with_what_was_meant() {
        let text = |group, version, plural| of(group, version, plural).unwrap_err().message;
        assert_eq!(
            text("forklift.konveyor.io", "v1beta1", "plan"),
            "there is no `plan` in forklift.konveyor.io/v1beta1; did you mean `plans`?"
        );
        assert_eq!(
            text("forklift.konveyor.io", "v1beta2", "plans"),
            "there is no API `forklift.konveyor.io/v1beta2`; did you mean `forklift.konveyor.io/v1beta1`?"
        );
        assert!(text("forklift.konveyor.io", "v1beta1", "elephants").contains("known are providers, "));
        assert!(of("forklift.konveyor.io", "v1beta1", "plans").is_ok());
    }
}
