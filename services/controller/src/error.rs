//! Why the controller could not go on.

/// What was attempted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Reading or writing a resource or secret.
    #[error("a resource could not be read or written")]
    Store(#[from] store::Error),
    /// Publishing.
    #[error("a message could not be published")]
    Publish(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Leases of workers and jobs.
    #[error("a lease could not be read or revoked")]
    Lease(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Something about a source, target or job that may be over by itself.
    #[error("{0}")]
    Passing(String),
    /// Following a stream.
    #[error("the bus could not be followed")]
    Follow(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Another controller holds the data directory.
    #[error("the data directory could not be opened")]
    Data(#[source] Box<dyn std::error::Error + Send + Sync>),
}
