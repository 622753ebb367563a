//! `longshore version`.

use serde_json::json;

use crate::args::{PlainOutput, VersionArgs};

/// Writes the version of this binary and of the messages it speaks.
pub fn run(args: &VersionArgs) -> anyhow::Result<()> {
    let (version, messages) = (env!("CARGO_PKG_VERSION"), contract::subject::PREFIX);
    match args.output {
        PlainOutput::Text => println!("longshore {version} (messages {messages})"),
        PlainOutput::Json => println!("{:#}", json!({ "version": version, "messages": messages })),
    }
    Ok(())
}
