//! Why a rule gave no verdict: where in its file, and what Rhai or we said. Bounded in length, for it ends in a
//! concern's label.

use std::any::Any;
use std::fmt;

use rhai::{EvalAltResult, Position};

/// Longest message, in characters; what is longer is cut and ends in `…`.
const LONGEST: usize = 300;

/// A rule's evaluation that ended without a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Line in the rule's file, from 1, where it is known.
    pub line: Option<usize>,
    /// Column, from 1.
    pub column: Option<usize>,
    /// What went wrong.
    pub message: String,
}

impl Failure {
    /// A failure of no particular line.
    pub fn new(message: impl AsRef<str>) -> Self {
        Self { line: None, column: None, message: clip(message.as_ref(), LONGEST) }
    }

    /// The same at `position`, if it has no place yet.
    pub fn or_at(self, position: Position) -> Self {
        if self.line.is_some() {
            return self;
        }
        Self { line: position.line(), column: position.position(), message: self.message }
    }

    /// A panic of a function that rules may call.
    pub fn panicked(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Self::new(format!("the engine panicked: {text}"))
    }
}

impl From<Box<EvalAltResult>> for Failure {
    /// The innermost error of a chain of function calls, at the innermost position known: a native function that
    /// calls a closure has none.
    fn from(error: Box<EvalAltResult>) -> Self {
        let mut error = *error;
        let mut position = error.position();
        loop {
            error = match error {
                EvalAltResult::ErrorInFunctionCall(_, _, inner, _) | EvalAltResult::ErrorInModule(_, inner, _) => {
                    *inner
                }
                innermost => {
                    error = innermost;
                    break;
                }
            };
            position = Some(error.position()).filter(|inner| !inner.is_none()).unwrap_or(position);
        }
        error.clear_position();
        let message = match &error {
            EvalAltResult::ErrorTerminated(budget, _) => budget.to_string(),
            // Rhai locks the variable that a chain begins with for as long as the chain runs.
            EvalAltResult::ErrorDataRace(..) => {
                "a closure uses the variable that its own chain begins with; in place of \
                 `vm.disks.some(|disk| … vm …)` write `let disks = vm.disks; disks.some(|disk| … vm …)`"
                    .to_owned()
            }
            other => other.to_string(),
        };
        Self::new(message).or_at(position)
    }
}

impl fmt::Display for Failure {
    /// `LINE:COLUMN: message`, to be put behind a file name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line.unwrap_or(1), self.column.unwrap_or(1), self.message)
    }
}

/// `text` as one line of at most `longest` characters.
pub(crate) fn clip(text: &str, longest: usize) -> String {
    let mut chars = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut clipped: String = chars.by_ref().take(longest).collect();
    if chars.next().is_some() {
        clipped.pop();
        clipped.push('…');
    }
    clipped
}
