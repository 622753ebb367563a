//! `longshore apply -f FILE`: creates what isn't there and replaces what is. All files are read before the first
//! request, so that a broken one changes nothing.

mod documents;
mod merge;

use std::io::Read;
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::args::ApplyArgs;
use crate::client::{Client, ClientError};
use crate::discovery::{Kind, Kinds, name_of};
use crate::exit;
use documents::Document;

/// How often a replace is tried again when somebody else changed the object in between.
const ATTEMPTS: u32 = 5;

/// Applies every document in order. A document that fails is told, the others are still applied, and the exit
/// code is 1.
pub async fn run(args: &ApplyArgs, client: &Client) -> anyhow::Result<ExitCode> {
    let mut documents = Vec::new();
    for file in &args.files {
        documents.extend(documents::parse(file_name(file), &read(file)?)?);
    }
    if documents.is_empty() {
        bail!("there is no object in {}", args.files.join(", "));
    }
    let kinds = Kinds::fetch(client).await?;
    let mut code = ExitCode::SUCCESS;
    for document in documents {
        let place = document.place.clone();
        match apply(document, &args.namespace, &kinds, client).await {
            Ok(line) => println!("{line}"),
            Err(error) if gone(&error) => return Err(error),
            Err(error) => {
                eprintln!("error: {place}: {error:#}");
                code = ExitCode::from(exit::FAILED);
            }
        }
    }
    Ok(code)
}

/// The other documents would meet the same.
fn gone(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref(),
        Some(ClientError::Unreachable { .. } | ClientError::Unauthorized { .. } | ClientError::Answer { .. })
    )
}

fn file_name(file: &str) -> &str {
    if file == "-" { "stdin" } else { file }
}

fn read(file: &str) -> anyhow::Result<String> {
    let mut text = String::new();
    match file {
        "-" => std::io::stdin().read_to_string(&mut text).map(|_| text),
        file => std::fs::read_to_string(file),
    }
    .with_context(|| format!("can't read {}", file_name(file)))
}

async fn apply(document: Document, namespace: &str, kinds: &Kinds, client: &Client) -> anyhow::Result<String> {
    let mut object = document.object;
    let kind = kinds.of(document.api_version.as_str(), document.kind.as_str())?;
    if name_of(&object).1.is_empty() {
        object["metadata"]["namespace"] = namespace.into();
    }
    let outcome = write(&object, kind, client).await?;
    Ok(format!("{} {outcome}", kind.named(name_of(&object).0)))
}

/// Creates or replaces; says which. Repeating it is harmless: the second time nothing is left to change.
async fn write(object: &Value, kind: &Kind, client: &Client) -> Result<&'static str, ClientError> {
    let (name, namespace) = name_of(object);
    let (collection, path) = (kind.collection(namespace), kind.object(namespace, name));
    let mut left = ATTEMPTS;
    loop {
        left -= 1;
        let result = match client.get(&path).await {
            Ok(before) => {
                let wanted = merge::onto(&before, object);
                client.replace(&path, &wanted).await.map(|after| merge::outcome(&before, &after))
            }
            Err(ClientError::NotFound(_)) => client.create(&collection, object).await.map(|_| "created"),
            Err(error) => Err(error),
        };
        match result {
            Err(ClientError::Conflict(_)) if left > 0 => {}
            other => return other,
        }
    }
}
