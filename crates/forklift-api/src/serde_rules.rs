//! How optional fields are written: what is unset or false is left out, so that a resource read and written again
//! stays what its author wrote.

pub(crate) fn is_false(value: &bool) -> bool {
    !*value
}

pub(crate) fn yes() -> bool {
    true
}
