//! The object in a request: it must be of the kind, namespace and name that the path says.

use axum::body::Bytes;
use runtime::http::ApiError;
use serde_json::{Value, json};

/// Where the path says the object is.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// `forklift.konveyor.io/v1beta1`.
    pub api_version: &'a str,
    /// `Plan`.
    pub kind: &'a str,
    /// Namespace in the path.
    pub namespace: &'a str,
    /// Name in the path; a new object has none there.
    pub name: Option<&'a str>,
}

/// The object of a body, with the namespace of the path filled in. The error never quotes the body: it may be a
/// Secret.
pub fn object(body: &Bytes, target: Target<'_>) -> Result<Value, ApiError> {
    let mut object: Value = serde_json::from_slice(body).map_err(|error| {
        ApiError::bad_request(format!("the body is no JSON: line {}, column {}", error.line(), error.column()))
    })?;
    same(&object, "apiVersion", target.api_version)?;
    same(&object, "kind", target.kind)?;
    let metadata = object.as_object_mut().map(|fields| fields.entry("metadata").or_insert_with(|| json!({})));
    let Some(metadata) = metadata.and_then(Value::as_object_mut) else {
        return Err(ApiError::bad_request("the object's metadata must be a map"));
    };
    fill(metadata, "namespace", target.namespace)?;
    if let Some(name) = target.name {
        fill(metadata, "name", name)?;
    }
    Ok(object)
}

fn same(object: &Value, field: &str, expected: &str) -> Result<(), ApiError> {
    match object.get(field).and_then(Value::as_str) {
        Some(given) if given == expected => Ok(()),
        Some(given) => {
            Err(ApiError::bad_request(format!("the object's {field} is `{given}`, but the path is of `{expected}`")))
        }
        None => Err(ApiError::bad_request(format!("the object has no {field}; it must be `{expected}`"))),
    }
}

fn fill(metadata: &mut serde_json::Map<String, Value>, field: &str, expected: &str) -> Result<(), ApiError> {
    let given = metadata.entry(field).or_insert_with(|| expected.into());
    match given.as_str() {
        Some(given) if given == expected => Ok(()),
        _ => Err(ApiError::bad_request(format!(
            "the object's metadata.{field} is {given}, but the path says `{expected}`"
        ))),
    }
}

/// The preconditions of a deletion, in Kubernetes' `DeleteOptions`; an empty body has none.
pub fn preconditions(body: &Bytes) -> Result<store::Preconditions, ApiError> {
    if body.is_empty() {
        return Ok(store::Preconditions::default());
    }
    let options: Value =
        serde_json::from_slice(body).map_err(|_| ApiError::bad_request("the body is no JSON; leave it empty"))?;
    let text = |field: &str| options["preconditions"][field].as_str().map(ToOwned::to_owned);
    Ok(store::Preconditions { uid: text("uid"), resource_version: text("resourceVersion") })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Target<'_> = Target { api_version: "a/v1", kind: "Plan", namespace: "east", name: Some("web") };

    fn read(body: &str) -> Result<Value, String> {
        object(&Bytes::copy_from_slice(body.as_bytes()), TARGET).map_err(|error| error.message)
    }

    #[test]
    fn name_and_namespace_come_from_the_path_if_the_object_has_none() {
        let object = read(r#"{"apiVersion":"a/v1","kind":"Plan","spec":1}"#).unwrap();
        assert_eq!(object["metadata"], json!({ "namespace": "east", "name": "web" }));
    }

    #[test]
    fn an_object_of_another_place_or_kind_is_refused() {
        let error = read(r#"{"apiVersion":"a/v1","kind":"Plan","metadata":{"namespace":"west"}}"#).unwrap_err();
        assert_eq!(error, "the object's metadata.namespace is \"west\", but the path says `east`");
        let error = read(r#"{"apiVersion":"a/v1","kind":"Provider"}"#).unwrap_err();
        assert_eq!(error, "the object's kind is `Provider`, but the path is of `Plan`");
        assert_eq!(read("[]").unwrap_err(), "the object has no apiVersion; it must be `a/v1`");
    }

    #[test]
    fn an_error_does_not_quote_the_body() {
        let error = read(r#"{"stringData":{"password":"hunter2"#).unwrap_err();
        assert_eq!(error, "the body is no JSON: line 1, column 34");
    }

    #[test]
    fn preconditions_are_optional() {
        assert_eq!(preconditions(&Bytes::new()).unwrap(), store::Preconditions::default());
        let body = Bytes::from_static(br#"{"kind":"DeleteOptions","preconditions":{"uid":"u"}}"#);
        assert_eq!(preconditions(&body).unwrap(), store::Preconditions::uid("u"));
    }
}
