//! Exit codes, for scripts. They are part of the interface: a number keeps its meaning.

use std::process::ExitCode;

use crate::client::ClientError;

/// The command failed; the text on stderr says why.
pub const FAILED: u8 = 1;
/// The named object does not exist.
pub const NOT_FOUND: u8 = 3;
/// The migration ended without success (`watch plan`).
pub const MIGRATION_FAILED: u8 = 4;
/// There is no context file, nothing answers at its address, or the token is refused.
pub const NO_SERVER: u8 = 5;

/// The table for `--help`. 2 is clap's own.
pub const HELP: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 the migration did not succeed \
                        (watch plan), 5 no server answers or it refuses the token.";

/// The code that an error ends the process with.
pub fn code_of(error: &anyhow::Error) -> ExitCode {
    let code = match error.downcast_ref::<ClientError>() {
        Some(ClientError::NotFound(_)) => NOT_FOUND,
        Some(ClientError::NoContext { .. } | ClientError::Unreachable { .. } | ClientError::Unauthorized { .. }) => {
            NO_SERVER
        }
        _ => FAILED,
    };
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn a_missing_object_has_a_code_of_its_own_under_any_context() {
        let missing = Err::<(), _>(ClientError::NotFound("plan `a/b` does not exist".into())).context("watching");
        assert_eq!(code_of(&missing.unwrap_err()), ExitCode::from(NOT_FOUND));
        assert_eq!(code_of(&anyhow::anyhow!("any other")), ExitCode::from(FAILED));
    }
}
