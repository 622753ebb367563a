//! The commands that run services: all four in one process, or one alone, by the same path. This only puts the
//! parts together; what they do is theirs.

mod announce;
mod config;
mod services;
mod site;

use std::path::{Path, PathBuf};

use bus::server::{NatsServer, ServerOptions};
use serde_json::json;
use trust::Secret;

use crate::args::{ControllerArgs, ServiceArgs, UpArgs};
use crate::context;
use config::{ANY_PORT, Config, UP_LISTEN};
use services::Service;
use site::Site;

/// `longshore up`: a bus, the four services, one listener, the context file. Nothing of it is left running.
pub async fn up(args: &UpArgs, context: Option<&Path>) -> anyhow::Result<()> {
    let controller = json!({ "storage_classes": config::folders(&args.storage_classes)? });
    let overrides = json!({ "nats_server": args.nats_server, "controller": controller });
    let config = config::load(&args.common, overrides, UP_LISTEN)?;
    run(&config, &Service::ALL, Some(context::path(context)?)).await
}

/// `longshore controller`: also writes the context file, for it has what the commands talk to.
pub async fn controller(args: &ControllerArgs, context: Option<&Path>) -> anyhow::Result<()> {
    let controller = json!({ "storage_classes": config::folders(&args.storage_classes)? });
    let overrides = json!({ "inventory_url": args.inventory_url, "controller": controller });
    let config = config::load(&args.common, overrides, ANY_PORT)?;
    config.needs_bus("controller")?;
    run(&config, &[Service::Controller], Some(context::path(context)?)).await
}

/// `longshore inventory`.
pub async fn inventory(args: &ServiceArgs) -> anyhow::Result<()> {
    alone(args, Service::Inventory).await
}

/// `longshore validation`.
pub async fn validation(args: &ServiceArgs) -> anyhow::Result<()> {
    alone(args, Service::Validation).await
}

/// `longshore transfer`.
pub async fn transfer(args: &ServiceArgs) -> anyhow::Result<()> {
    alone(args, Service::Transfer).await
}

async fn alone(args: &ServiceArgs, service: Service) -> anyhow::Result<()> {
    let config = config::load(&args.common, json!({}), ANY_PORT)?;
    config.needs_bus(service.name())?;
    run(&config, &[service], None).await
}

/// Runs the services until a signal, or until one of them or the bus ends by itself.
async fn run(config: &Config, services: &[Service], context: Option<PathBuf>) -> anyhow::Result<()> {
    let site = Site::open(config, services).await?;
    let server = match config.nats_url {
        Some(_) => None,
        None => Some(start_bus(config, &site).await?),
    };
    let work = start(config, services, &site, server.as_ref(), context);
    let result = site.run(Box::pin(work), server.as_ref()).await;
    match server {
        // The first error is the one to tell.
        Some(server) => result.and(server.stop().await.map_err(Into::into)),
        None => result,
    }
}

async fn start_bus(config: &Config, site: &Site) -> anyhow::Result<NatsServer> {
    let options = ServerOptions {
        binary: config.nats_server.clone(),
        store_dir: site.data.path("nats"),
        ..ServerOptions::default()
    };
    Ok(NatsServer::start(options).await?)
}

async fn start(
    config: &Config,
    services: &[Service],
    site: &Site,
    server: Option<&NatsServer>,
    context: Option<PathBuf>,
) -> anyhow::Result<()> {
    let url = server.map(NatsServer::url).or(config.nats_url.clone()).unwrap_or(Secret::new(String::new()));
    let parts = site.connect(url, services).await?;
    let mut router = axum::Router::new();
    for service in services {
        router = router.merge(services::start(*service, config, &parts, site).await?);
    }
    let base = site.serve(router)?;
    if let Some(path) = &context {
        let inventory =
            if services.contains(&Service::Inventory) { Some(base.clone()) } else { config.inventory_url.clone() };
        context::write(path, &context::Context { controller: base.clone(), inventory, token: site.token.clone() })?;
    }
    print!("{}", announce::text(services, &base, config, server, &site.data, context.as_deref()));
    Ok(())
}
