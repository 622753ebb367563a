//! What the services say to each other: documents of the source, concerns, jobs, outcomes, and the subjects
//! they travel on. Pure data: no tokio, no Kubernetes, no NATS client. A breaking change makes a new message
//! version; unknown fields of a known one are ignored.

pub mod assessment;
pub mod concern;
pub mod event;
pub mod id;
pub mod inventory;
pub mod job;
pub mod message;
pub mod revision;
pub mod subject;
pub mod transfer;
pub mod vsphere;
