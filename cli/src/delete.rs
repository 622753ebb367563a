//! `longshore delete KIND NAME…`.

use crate::args::DeleteArgs;
use crate::client::{Client, ClientError};
use crate::discovery::Kinds;

/// Deletes the objects one after another; the first that fails ends it.
pub async fn run(args: &DeleteArgs, client: &Client) -> anyhow::Result<()> {
    let kinds = Kinds::fetch(client).await?;
    let kind = kinds.find(&args.kind)?;
    for name in &args.names {
        match client.delete(&kind.object(&args.namespace, name)).await {
            Ok(()) => println!("{} deleted", kind.named(name)),
            Err(ClientError::NotFound(_)) if args.ignore_not_found => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
