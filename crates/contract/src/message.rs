//! What makes a type a message: its name and version, the subject it lives on, and the id by which the bus
//! drops a second copy.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::subject::{Subject, TokenError};

/// A versioned body that travels on the bus.
pub trait Message: Serialize + DeserializeOwned + Send + Sync {
    /// Type and version, such as `vm.changed.v1`.
    const TYPE: &'static str;

    /// Where it is published.
    fn subject(&self) -> Result<Subject, TokenError>;

    /// What tells two different messages apart, *without* the type: the sender puts `TYPE/` before it
    /// (one duplicate window serves a whole stream). `None`: never dropped as a duplicate.
    fn identity(&self) -> Option<String>;
}

/// Something that can be read from a stream that carries one or several types.
pub trait FromMessage: Sized {
    /// `None` for a type this reader doesn't know: it is acknowledged and counted, not an error.
    fn from_message(kind: &str, body: &[u8]) -> Option<Result<Self, serde_json::Error>>;
}

impl<M: Message> FromMessage for M {
    fn from_message(kind: &str, body: &[u8]) -> Option<Result<Self, serde_json::Error>> {
        (kind == M::TYPE).then(|| serde_json::from_slice(body))
    }
}

/// The id that the bus uses for duplicates: `TYPE/identity`.
pub fn message_id<M: Message>(message: &M) -> Option<String> {
    message.identity().map(|identity| format!("{}/{identity}", M::TYPE))
}
