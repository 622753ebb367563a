//! A small client of vCenter and ESXi (vSphere 6.5 to 8.0): SOAP session, property collector, power, datastore files.
//!
//! It speaks and decodes; it knows nothing of inventory documents, plans or copying. It never repeats a login that
//! the server refused, and what it can't interpret (unknown types, empty enumerations) it keeps as it came.
//!
//! ```no_run
//! # async fn example(password: trust::Secret<String>) -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use vsphere::{Client, Endpoint, ObjectSpec};
//!
//! trust::install_crypto_provider();
//! let tls = trust::TlsPolicy::Fingerprint("1E:60:…".parse()?);
//! let client = Client::login(&Endpoint::new("https://vcenter.example/sdk", "reader", password, tls)?).await?;
//! let mut watch = client.watch(&[ObjectSpec::new("VirtualMachine", &["name", "config.hardware"])]).await?;
//! while let Some(set) = watch.next(Duration::from_secs(5)).await? {
//!     println!("{} objects, more to come: {}", set.updates.len(), set.truncated);
//! }
//! watch.close().await;
//! client.logout().await?;
//! # Ok(())
//! # }
//! ```

mod client;
mod datastore;
pub mod descriptor;
mod endpoint;
mod error;
mod fault;
mod login;
mod moref;
mod object;
mod power;
mod properties;
mod service;
mod session;
mod soap;
mod task;
mod update;
mod value;
mod watch;

pub use client::Client;
pub use datastore::{DatastoreFile, DatastorePath, FileError, InvalidDatastorePath};
pub use endpoint::{Endpoint, InvalidUrl, SdkUrl};
pub use error::Error;
pub use fault::Fault;
pub use login::LoginError;
pub use moref::MoRef;
pub use object::Object;
pub use power::{PowerEffect, PowerState};
pub use service::About;
pub use soap::ParseError;
pub use update::{Change, MissingProperty, ObjectUpdate, PropertyChange, UpdateKind, UpdateSet};
pub use value::{Name, Value};
pub use watch::{ObjectSpec, PropertyWatch};
