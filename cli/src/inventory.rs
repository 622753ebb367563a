//! `longshore get inventory`: what a provider has. The documents are the inventory service's, with Forklift's field
//! names; this only makes tables of them.

mod rows;
pub use rows::bytes;

use std::collections::BTreeMap;

use anyhow::bail;
use serde_json::Value;

use crate::args::{InventoryArgs, InventoryKind, Output};
use crate::client::{Client, ClientError};
use crate::discovery::Kinds;
use crate::get::{document, table};
use rows::Names;

/// Runs the command.
pub async fn run(args: &InventoryArgs, client: &Client) -> anyhow::Result<()> {
    let root = root(args, client).await?;
    if let Some(warning) = incomplete(&client.inventory(&root).await?, &args.provider) {
        eprintln!("{warning}");
    }
    let all = list(client, &format!("{root}/{}", word(args.kind))).await?;
    let objects = match &args.name {
        Some(name) => vec![named(all, name, args)?],
        None => all,
    };
    if objects.is_empty() {
        eprintln!("no {} of provider {} are known", word(args.kind), args.provider);
    }
    print!("{}", render(args, &objects, &host_names(args, client, &root).await?)?);
    Ok(())
}

/// Path of the provider's inventory, which goes by its type and uid.
async fn root(args: &InventoryArgs, client: &Client) -> anyhow::Result<String> {
    let kinds = Kinds::fetch(client).await?;
    let provider = client.get(&kinds.find("provider")?.object(&args.namespace, &args.provider)).await?;
    let (Some(type_), Some(uid)) = (provider["spec"]["type"].as_str(), provider["metadata"]["uid"].as_str()) else {
        bail!("provider {}/{} has no type; set spec.type", args.namespace, args.provider);
    };
    Ok(format!("/providers/{type_}/{uid}"))
}

/// What to know when the provider's inventory isn't its present state: it is still read, or can't be reached.
fn incomplete(provider: &Value, name: &str) -> Option<String> {
    let collection = &provider["collection"];
    let phase = collection["phase"].as_str().unwrap_or("not begun");
    let message = collection["message"].as_str().map(|message| format!(": {message}")).unwrap_or_default();
    (phase != "synced")
        .then(|| format!("warning: what is shown of provider {name} may be old or incomplete ({phase}{message})"))
}

async fn list(client: &Client, path: &str) -> Result<Vec<Value>, ClientError> {
    let answer = client.inventory(&format!("{path}?detail=all")).await?;
    Ok(match answer {
        Value::Array(items) => items,
        other => other["items"].as_array().cloned().unwrap_or_default(),
    })
}

fn word(kind: InventoryKind) -> &'static str {
    match kind {
        InventoryKind::Vms => "vms",
        InventoryKind::Hosts => "hosts",
        InventoryKind::Networks => "networks",
        InventoryKind::Datastores => "datastores",
    }
}

/// The one object with this id, or else this name; a name that several have is not guessed at.
fn named(objects: Vec<Value>, name: &str, args: &InventoryArgs) -> anyhow::Result<Value> {
    let (kind, provider) = (word(args.kind), &args.provider);
    if let Some(object) = objects.iter().find(|object| object["id"] == name) {
        return Ok(object.clone());
    }
    let mut same: Vec<Value> = objects.into_iter().filter(|object| object["name"] == name).collect();
    match same.len() {
        0 => Err(ClientError::NotFound(format!("provider {provider} has no `{name}` among its {kind}")).into()),
        1 => Ok(same.remove(0)),
        _ => {
            let ids: Vec<&str> = same.iter().filter_map(|object| object["id"].as_str()).collect();
            bail!(
                "provider {provider} has {} {kind} named `{name}`; name one by its id: {}",
                same.len(),
                ids.join(", ")
            )
        }
    }
}

/// Names of hosts by id, where the table shows them.
async fn host_names(args: &InventoryArgs, client: &Client, root: &str) -> Result<Names, ClientError> {
    let table = matches!(args.output, Output::Table | Output::Wide);
    if args.kind != InventoryKind::Vms || !table {
        return Ok(BTreeMap::new());
    }
    let hosts = list(client, &format!("{root}/hosts")).await?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(hosts.iter().map(|host| (text(&host["id"]), text(&host["name"]))).collect())
}

fn render(args: &InventoryArgs, objects: &[Value], hosts: &Names) -> anyhow::Result<String> {
    let rows = match args.output {
        Output::Json | Output::Yaml => return document(args.output, objects, args.name.is_some()),
        Output::Name => return Ok(objects.iter().map(|object| format!("{}\n", rows::text(&object["name"]))).collect()),
        _ if objects.is_empty() => return Ok(String::new()),
        output => rows::of(args.kind, objects, hosts, output == Output::Wide),
    };
    let mut text = table::render(&rows);
    if let ([vm], InventoryKind::Vms, Some(_)) = (objects, args.kind, &args.name) {
        text.push_str(&rows::concern_texts(vm));
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
