//! The part of Kubernetes' JSON paths that printer columns use: fields, `[index]` and `[?(@.field=='text')]`.

use serde_json::Value;

/// What `path` (such as `.status.conditions[?(@.type=='Ready')].status`) leads to; the first match of a filter.
pub fn find<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    let mut value = object;
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (step, after) = inner.split_once(']')?;
            value = item(value, step)?;
            rest = after;
        } else {
            let name = rest.strip_prefix('.').unwrap_or(rest);
            let end = name.find(['.', '[']).unwrap_or(name.len());
            value = value.get(&name[..end])?;
            rest = &name[end..];
        }
    }
    Some(value)
}

fn item<'a>(list: &'a Value, step: &str) -> Option<&'a Value> {
    if let Ok(index) = step.parse::<usize>() {
        return list.get(index);
    }
    let (path, text) = step.strip_prefix("?(@")?.strip_suffix(')')?.split_once("==")?;
    let text = text.trim().trim_matches(['\'', '"']);
    list.as_array()?.iter().find(|item| find(item, path.trim()).and_then(Value::as_str) == Some(text))
}

/// A value in a table's cell; of a map only the keys.
pub fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Object(map)) => map.keys().cloned().collect::<Vec<_>>().join(","),
        Some(Value::Array(items)) => items.iter().map(|item| text(Some(item))).collect::<Vec<_>>().join(","),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_paths_of_upstreams_columns_lead_somewhere() {
        let object = json!({
            "spec": { "type": "vsphere" },
            "status": { "conditions": [{ "type": "A", "status": "1" }, { "type": "Ready", "status": "True" }] },
        });
        let found = |path| text(find(&object, path));
        assert_eq!(found(".spec.type"), "vsphere");
        assert_eq!(found(".status.conditions[?(@.type=='Ready')].status"), "True");
        assert_eq!(found(".status.conditions[?(@.type==\"A\")].status"), "1");
        assert_eq!(found(".status.conditions[0].type"), "A");
    }

    #[test]
    fn a_path_that_leads_nowhere_is_empty() {
        let object = json!({ "status": { "conditions": [] } });
        for path in
            [".spec.type", ".status.conditions[?(@.type=='Ready')].status", ".status.conditions[7]", ".a[", "[?(x"]
        {
            assert_eq!(find(&object, path), None, "{path}");
        }
    }

    #[test]
    fn cells_show_keys_of_maps_and_items_of_lists() {
        assert_eq!(text(Some(&json!({ "user": "***", "password": "***" }))), "password,user");
        assert_eq!(text(Some(&json!([1, "two", true]))), "1,two,true");
    }
}
