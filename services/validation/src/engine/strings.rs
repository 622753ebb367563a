//! String methods that Rhai leaves unbounded, and what a value that is no string answers to string methods.

use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString, Position};

/// Longest string in bytes.
pub(super) const LONGEST: usize = 64 * 1024;

/// Registers them; they come before those of Rhai's packages.
pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("replace", |text: &mut ImmutableString, part: ImmutableString, with: ImmutableString| {
        replace(text, &part, &with)
    });
    engine.register_fn("replace", |text: &mut ImmutableString, part: char, with: ImmutableString| {
        replace(text, part.encode_utf8(&mut [0; 4]), &with)
    });
    engine.register_fn("contains", |_text: Dynamic, _part: Dynamic| false);
    engine.register_fn("starts_with", |_text: Dynamic, _part: Dynamic| false);
    engine.register_fn("ends_with", |_text: Dynamic, _part: Dynamic| false);
    for change in ["to_lower", "to_upper"] {
        engine.register_fn(change, |_text: Dynamic| ());
    }
}

/// Rhai's own makes the new string before it looks at its length: two strings of 64 KiB make one of 4 GiB.
fn replace(text: &mut ImmutableString, part: &str, with: &str) -> Result<(), Box<EvalAltResult>> {
    let places = text.matches(part).count();
    let longest = text.len().saturating_add(places.saturating_mul(with.len()));
    if longest.saturating_sub(places * part.len()) > LONGEST {
        return Err(EvalAltResult::ErrorDataTooLarge("Length of string".to_owned(), Position::NONE).into());
    }
    *text = text.replace(part, with).into();
    Ok(())
}
