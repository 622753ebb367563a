//! Readers of single property values. An unset value is the empty one; a value of the wrong kind is a misfit.

use contract::vsphere::Ref;
use vsphere::Value;

use super::Misfit;

/// Puts a value that could be read into its field.
pub(super) fn put<T>(field: &mut T, read: Result<T, Misfit>) -> Result<(), Misfit> {
    *field = read?;
    Ok(())
}

fn present<'v, T: Default>(
    value: Option<&'v Value>,
    expected: &'static str,
    read: impl FnOnce(&'v Value) -> Option<T>,
) -> Result<T, Misfit> {
    value.map_or_else(|| Ok(T::default()), |value| read(value).ok_or(Misfit { expected }))
}

/// Any text.
pub(super) fn text(value: Option<&Value>) -> Result<String, Misfit> {
    present(value, "text", |value| value.as_str().map(str::to_owned))
}

/// A name, in which vCenter escapes what has a meaning in paths.
pub(super) fn name(value: Option<&Value>) -> Result<String, Misfit> {
    text(value).map(|escaped| unescape(&escaped))
}

/// Text in lower case, for UUIDs and MAC addresses.
pub(super) fn lower(value: Option<&Value>) -> Result<String, Misfit> {
    text(value).map(|text| text.to_lowercase())
}

/// A whole number that fits.
pub(super) fn integer<T: Default + TryFrom<i64>>(value: Option<&Value>) -> Result<T, Misfit> {
    present(value, "a whole number in range", |value| T::try_from(value.as_i64()?).ok())
}

/// Yes or no.
pub(super) fn flag(value: Option<&Value>) -> Result<bool, Misfit> {
    present(value, "true or false", Value::as_bool)
}

/// A reference.
pub(super) fn reference(value: Option<&Value>) -> Result<Ref, Misfit> {
    present(value, "a reference", to_ref)
}

/// References in the order of their ids, so that a server's reordering is no change.
pub(super) fn references(value: Option<&Value>) -> Result<Vec<Ref>, Misfit> {
    let items = value.map(|value| value.list("")).unwrap_or_default();
    let mut refs: Vec<_> = items
        .into_iter()
        .map(|item| to_ref(item).ok_or(Misfit { expected: "references" }))
        .collect::<Result<_, _>>()?;
    refs.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(refs)
}

pub(super) fn to_ref(value: &Value) -> Option<Ref> {
    value.as_moref().map(|moref| Ref::new(moref.kind, moref.value))
}

/// Text inside a data object, empty when it isn't there.
pub(super) fn inner(value: &Value, path: &str) -> String {
    value.text(path).unwrap_or_default().to_owned()
}

/// A number inside a data object, 0 when it isn't there or doesn't fit.
pub(super) fn inner_number<T: Default + TryFrom<i64>>(value: &Value, path: &str) -> T {
    value.integer(path).and_then(|number| T::try_from(number).ok()).unwrap_or_default()
}

/// vCenter writes `%`, `/` and `\` in names as `%25`, `%2f` and `%5c`, and nothing else.
fn unescape(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(position) = rest.find('%') {
        let (before, escape) = rest.split_at(position);
        plain.push_str(before);
        let known = match escape.get(1..3).map(str::to_lowercase).as_deref() {
            Some("2f") => Some('/'),
            Some("5c") => Some('\\'),
            Some("25") => Some('%'),
            _ => None,
        };
        plain.push(known.unwrap_or('%'));
        rest = escape.get(if known.is_some() { 3 } else { 1 }..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_vcenters_three_escapes_and_nothing_else() {
        for (escaped, plain) in [
            ("a%2fb", "a/b"),
            ("%5C%25", "\\%"),
            ("100%", "100%"),
            ("%41%2", "%41%2"),
            ("%252f", "%2f"),
            ("é%2F", "é/"),
        ] {
            assert_eq!(unescape(escaped), plain, "{escaped}");
        }
    }

    #[test]
    fn an_unset_value_is_empty_and_a_wrong_one_is_a_misfit() {
        let wrong = Value::from_xml("<val><a>1</a></val>").unwrap();
        assert_eq!(integer::<i32>(None), Ok(0));
        assert!(integer::<i32>(Some(&wrong)).is_err() && text(Some(&wrong)).is_err() && flag(Some(&wrong)).is_err());
        let large = Value::from_xml("<val>70000</val>").unwrap();
        assert_eq!(integer::<i32>(Some(&large)), Ok(70_000));
        assert!(integer::<i16>(Some(&large)).is_err());
    }
}
