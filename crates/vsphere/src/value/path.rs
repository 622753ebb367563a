//! Property paths: `config.hardware.device[2000].backing`, `triggeredAlarmState["alarm-1.host-2"]`.

/// One step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step<'p> {
    /// Into a field of a data object.
    Field(&'p str),
    /// To the element of an array that has this key.
    Key(&'p str),
}

/// The steps of a path; none for the empty path, `None` for text that is no path.
pub(crate) fn steps(path: &str) -> Option<Vec<Step<'_>>> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let (key, after) = key(inside)?;
            steps.push(Step::Key(key));
            rest = after;
        } else {
            if !steps.is_empty() {
                rest = rest.strip_prefix('.')?;
            }
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (field, after) = rest.split_at(end);
            if field.is_empty() {
                return None;
            }
            steps.push(Step::Field(field));
            rest = after;
        }
    }
    Some(steps)
}

/// The key after an opening bracket, and what follows the closing one. A quoted key may hold dots and brackets.
fn key(inside: &str) -> Option<(&str, &str)> {
    match inside.strip_prefix('"') {
        Some(quoted) => quoted.split_once("\"]"),
        None => inside.split_once(']'),
    }
}

#[cfg(test)]
mod tests {
    use super::Step::{Field, Key};
    use super::*;

    #[test]
    fn fields_and_keys_are_told_apart() {
        assert_eq!(steps("").unwrap(), []);
        assert_eq!(steps("name").unwrap(), [Field("name")]);
        assert_eq!(
            steps("config.device[2000].backing").unwrap(),
            [Field("config"), Field("device"), Key("2000"), Field("backing")]
        );
        assert_eq!(steps("alarm[\"a.b]c\"].key").unwrap(), [Field("alarm"), Key("a.b]c"), Field("key")]);
        assert_eq!(steps("[7]").unwrap(), [Key("7")]);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["a..b", "a.", ".a", "a[1", "a[\"1]", "a[1]b"] {
            assert_eq!(steps(text), None, "{text}");
        }
    }
}
