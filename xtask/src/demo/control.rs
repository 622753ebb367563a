//! The simulated vCenter's control port: what the source truly holds.

use anyhow::{Context, Result};
use serde_json::Value;

pub struct Control {
    url: String,
}

impl Control {
    pub fn new(url: &str) -> Self {
        Self { url: url.to_owned() }
    }

    /// One VM with its power state and the real files of its disks.
    pub fn vm(&self, name: &str) -> Result<Value> {
        let url = format!("{}/vms/{name}", self.url);
        let text = ureq::get(&url).call().with_context(|| url.clone())?.body_mut().read_to_string()?;
        Ok(serde_json::from_str(&text)?)
    }
}
