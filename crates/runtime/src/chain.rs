//! An error as one line, for logs and for people.

use std::error::Error;

/// An error and all its causes, parted by colons. Some libraries repeat their cause in their own text; that is told
/// once.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let more = source.to_string();
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        next = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Layer(&'static str, #[source] Option<Box<Layer>>);

    #[test]
    fn every_cause_is_told_once() {
        let bottom = Layer("connection refused", None);
        let middle = Layer("connect: connection refused", Some(Box::new(bottom)));
        assert_eq!(chain(&Layer("no answer", Some(Box::new(middle)))), "no answer: connect: connection refused");
    }
}
