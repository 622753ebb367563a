//! The one hook that Rhai gives on the tokens of a script, shared by those who need it.

use rhai::Engine;

use super::{closures, words};

/// Installs the hook.
pub(super) fn install(engine: &mut Engine) {
    // Rhai marks the hook deprecated to say that it may change; our tests of words and closures would show it.
    #[expect(deprecated)]
    engine.on_parse_token(|token, _, _| closures::check(words::name(token)));
}

/// To be called before a script is parsed: an earlier one may have ended in the middle.
pub(super) fn begin() {
    words::begin();
    closures::begin();
}
