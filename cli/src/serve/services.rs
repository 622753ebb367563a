//! The four services: their names, and how each is opened and started.

use axum::Router;
use controller::Controller;
use inventory::Inventory;
use runtime::Kind;
use transfer::Transfer;
use validation::Validation;

use super::config::Config;
use super::site::{Parts, Site};

/// One service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Reads providers.
    Inventory,
    /// Judges VMs.
    Validation,
    /// Brings resources and the world together.
    Controller,
    /// Copies disks.
    Transfer,
}

impl Service {
    /// All, in the order in which they are started: readers first.
    pub const ALL: [Self; 4] = [Self::Controller, Self::Validation, Self::Inventory, Self::Transfer];

    /// Its name in commands, logs and folders.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inventory => "inventory",
            Self::Validation => "validation",
            Self::Controller => "controller",
            Self::Transfer => "transfer",
        }
    }
}

/// Opens a service and starts it under the supervisor; returns its routes.
pub async fn start(service: Service, config: &Config, parts: &Parts, site: &Site) -> anyhow::Result<Router> {
    let Parts { bus, store, secrets } = parts;
    let (bus, store, secrets, process) = (bus.clone(), store.clone(), secrets.clone(), site.process.clone());
    let tasks = &site.process.tasks;
    Ok(match service {
        Service::Inventory => {
            let service = Inventory::open(config.inventory.clone(), bus, store, secrets, process).await?;
            let router = service.router();
            tasks.spawn("inventory", Kind::Service, service.run());
            router
        }
        Service::Validation => {
            let service = Validation::open(config.validation.clone(), bus, process)?;
            let router = service.router();
            tasks.spawn("validation", Kind::Service, service.run());
            router
        }
        Service::Controller => {
            let service = Controller::open(config.controller.clone(), bus, store, secrets, process).await?;
            let router = service.router();
            tasks.spawn("controller", Kind::Service, service.run());
            router
        }
        Service::Transfer => {
            let service = Transfer::open(config.transfer.clone(), bus, store, secrets, process).await?;
            let router = service.router();
            tasks.spawn("transfer", Kind::Service, service.run());
            router
        }
    })
}
