//! Resources and secrets behind one front, whatever keeps them. [`Store`] gives typed and untyped access with what
//! an API server would do: schema defaults and validation, optimistic concurrency, generation, the status
//! subresource, finalizers, owner clean-up and a watch that never misses a change. [`Secrets`] keeps credentials.
//! On one machine resources lie in a JetStream key-value bucket and secrets in files; a cluster comes behind the
//! same two traits.

mod backend;
mod error;
mod kv;
mod lifecycle;
mod login;
mod object;
mod owners;
mod schema;
pub mod secrets;
mod typed;

pub use backend::{Deletion, EventStream, Preconditions, Resources};
pub use error::{Error, Problem};
/// What a watch yields: `Init`, `InitApply`…, `InitDone`, then `Apply` and `Delete`.
pub use kube::runtime::watcher::Event;
pub use kv::VALUE_LIMIT;
pub use login::{InvalidLogin, ProviderLogin, login};
pub use object::ObjectId;
pub use secrets::{SecretChange, SecretObject, Secrets};
pub use typed::{Object, Store};
