//! Changes inside a value: set or remove what a path names.
//!
//! Both answer whether the change fitted what is held; if not, the value is as it was and the caller reads it again.

use super::path::Step;
use super::{ARRAY, Content, Name, Value};

/// Sets what the path names: replaces a field or the array element with that key, or adds it where its parent is held.
pub(crate) fn assign(target: &mut Value, steps: &[Step<'_>], new: Value) -> bool {
    match steps {
        [] => *target = new,
        [Step::Field(field), Step::Key(key), rest @ ..] => return assign_element(target, Some(field), key, rest, new),
        [Step::Key(key), rest @ ..] => return assign_element(target, None, key, rest, new),
        [Step::Field(field)] => {
            let Some(fields) = fields_mut(target) else { return false };
            set_field(fields, field, new);
        }
        [Step::Field(field), rest @ ..] => {
            let Some(fields) = fields_mut(target) else { return false };
            let Some((_, child)) = fields.iter_mut().find(|(name, _)| **name == **field) else { return false };
            return assign(child, rest, new);
        }
    }
    true
}

/// Adds an element to the array the path names, in place of one with the same key; a whole array adds each of its own.
pub(crate) fn add(target: &mut Value, steps: &[Step<'_>], new: Value) -> bool {
    let news = if new.is_array() { new.into_fields().into_iter().map(|(_, item)| item).collect() } else { vec![new] };
    news.into_iter().all(|item| {
        let Some(key) = item.as_str().or_else(|| item.text("key")).map(ToOwned::to_owned) else { return false };
        let mut element = steps.to_vec();
        element.push(Step::Key(&key));
        assign(target, &element, item)
    })
}

/// Removes what the path names. What isn't there is already removed.
pub(crate) fn remove(target: &mut Value, steps: &[Step<'_>]) {
    let Some(fields) = fields_mut(target) else { return };
    match steps {
        [] => {}
        [Step::Field(field)] => fields.retain(|(name, _)| **name != **field),
        [Step::Key(key)] => fields.retain(|(_, item)| !item.has_key(key)),
        [Step::Field(field), Step::Key(key)] => match own_array(fields, field) {
            Some(array) => remove(array, &[Step::Key(key)]),
            None => fields.retain(|(name, item)| **name != **field || !item.has_key(key)),
        },
        [Step::Field(field), Step::Key(key), rest @ ..] => {
            if let Some(child) = element_mut(fields, Some(field), key) {
                remove(child, rest);
            }
        }
        [Step::Key(key), rest @ ..] => {
            if let Some(child) = element_mut(fields, None, key) {
                remove(child, rest);
            }
        }
        [Step::Field(field), rest @ ..] => {
            if let Some((_, child)) = fields.iter_mut().find(|(name, _)| **name == **field) {
                remove(child, rest);
            }
        }
    }
}

fn assign_element(target: &mut Value, field: Option<&str>, key: &str, rest: &[Step<'_>], new: Value) -> bool {
    let element_type = target.type_name().and_then(|name| name.strip_prefix(ARRAY)).map(Name::from);
    let Some(fields) = fields_mut(target) else { return false };
    if let Some(child) = element_mut(fields, field, key) {
        return assign(child, rest, new);
    }
    // A part of an element that isn't held can't be put anywhere.
    if !rest.is_empty() {
        return false;
    }
    if let Some(array) = field.and_then(|field| own_array(fields, field)) {
        return assign(array, &[Step::Key(key)], new);
    }
    let name = field.map(Name::from).or_else(|| fields.first().map(|(name, _)| name.clone())).or(element_type);
    let Some(name) = name else { return false };
    let after_its_kind = fields.iter().rposition(|(other, _)| *other == name).map_or(fields.len(), |last| last + 1);
    fields.insert(after_its_kind, (name, new));
    true
}

fn set_field(fields: &mut Vec<(Name, Value)>, field: &str, new: Value) {
    let position = fields.iter().position(|(name, _)| **name == *field).unwrap_or(fields.len());
    fields.retain(|(name, _)| **name != *field);
    let name = Name::from(field);
    let news = if new.is_array() {
        new.into_fields().into_iter().map(|(_, item)| (name.clone(), item)).collect()
    } else {
        vec![(name, new)]
    };
    fields.splice(position..position, news);
}

/// A field that is one array value instead of elements side by side.
fn own_array<'v>(fields: &'v mut [(Name, Value)], field: &str) -> Option<&'v mut Value> {
    fields.iter_mut().find(|(name, value)| **name == *field && value.is_array()).map(|(_, value)| value)
}

fn element_mut<'v>(fields: &'v mut [(Name, Value)], field: Option<&str>, key: &str) -> Option<&'v mut Value> {
    fields.iter_mut().filter(|(name, _)| field.is_none_or(|field| **name == *field)).find_map(|(_, value)| {
        if field.is_some() && value.is_array() {
            return fields_mut(value).and_then(|inner| element_mut(inner, None, key));
        }
        value.has_key(key).then_some(value)
    })
}

fn fields_mut(value: &mut Value) -> Option<&mut Vec<(Name, Value)>> {
    // An object or array without children arrives as an empty element.
    if matches!(&value.content, Content::Text(text) if text.is_empty()) {
        value.content = Content::Fields(Vec::new());
    }
    match &mut value.content {
        Content::Fields(fields) => Some(fields),
        _ => None,
    }
}
