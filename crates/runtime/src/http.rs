//! The HTTP side every process has: a listener that ends with the process, the bearer token, probes, errors in
//! Kubernetes' form and event streams. The routes themselves belong to the services.

mod bearer;
mod error;
mod listen;
mod probes;
mod stream;

pub use bearer::bearer;
pub use error::ApiError;
pub use listen::{BindError, ServeError, bind, serve};
pub use probes::probes;
pub use stream::events;
