//! What can go wrong between this command and a service, told to the person who typed it.

use std::path::PathBuf;

use reqwest::StatusCode;
use serde_json::Value;

/// Why a request got no good answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The object or kind does not exist.
    #[error("{0}")]
    NotFound(String),
    /// It exists already, or somebody else changed it.
    #[error("{0}")]
    Conflict(String),
    /// The server understood and refuses.
    #[error("{0}")]
    Refused(String),
    /// The token is not the server's.
    #[error("{address} refuses the token of {}: {message}", .file.display())]
    Unauthorized {
        /// Who refused.
        address: String,
        /// The context file.
        file: PathBuf,
        /// The server's words.
        message: String,
    },
    /// Nothing answers.
    #[error("nothing answers at {address} (from {}); is `longshore up` running?", .file.display())]
    Unreachable {
        /// Who was asked.
        address: String,
        /// The context file.
        file: PathBuf,
        #[source]
        source: reqwest::Error,
    },
    /// No services were started here, or they were told to write another context file.
    #[error("there is no context file {}; `longshore up` writes it, or name one with --context or LONGSHORE_CONTEXT", .file.display())]
    NoContext {
        /// The context file.
        file: PathBuf,
    },
    /// The context knows no inventory service.
    #[error(
        "{} has no address of the inventory service; start `longshore controller` with --inventory-url, or `longshore up`",
        .file.display()
    )]
    NoInventory {
        /// The context file.
        file: PathBuf,
    },
    /// The answer is not JSON, or ended too early.
    #[error("the answer of {address} can't be read")]
    Answer {
        /// Who answered.
        address: String,
        #[source]
        source: reqwest::Error,
    },
    /// An event is not JSON.
    #[error("an event of {address} can't be read")]
    Event {
        /// Who sent it.
        address: String,
        #[source]
        source: serde_json::Error,
    },
}

/// The message in a Kubernetes `Status`, with the causes that the message may leave out; else the text itself.
pub fn message(body: &str, status: StatusCode) -> String {
    let parsed = serde_json::from_str::<Value>(body).unwrap_or_default();
    let Some(message) = parsed["message"].as_str() else {
        return format!("the server answered {status}: {}", body.trim());
    };
    let causes = parsed["details"]["causes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut text = message.to_owned();
    for cause in causes {
        let (field, why) = (cause["field"].as_str().unwrap_or_default(), cause["message"].as_str().unwrap_or_default());
        if !message.contains(why) {
            text.push_str(&format!("\n  {field}: {why}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn causes_that_the_message_leaves_out_are_added() {
        let body = json!({
            "message": "plan `a/b` is invalid",
            "details": { "causes": [{ "field": "spec.vmz", "message": "is no field; did you mean `vms`?" }] },
        });
        let text = message(&body.to_string(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(text, "plan `a/b` is invalid\n  spec.vmz: is no field; did you mean `vms`?");
    }

    #[test]
    fn what_is_no_status_is_shown_as_it_is() {
        let text = message("gateway down\n", StatusCode::BAD_GATEWAY);
        assert_eq!(text, "the server answered 502 Bad Gateway: gateway down");
    }
}
