//! The `longshore` binary: reads the command line, runs one command, turns its end into an exit code. What a
//! command does is in the module of its name.

mod apply;
mod args;
mod client;
mod context;
mod delete;
mod discovery;
mod exit;
mod get;
mod inventory;
mod serve;
mod version;
mod watch;

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use args::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            exit::code_of(&error)
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    trust::install_crypto_provider();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("can't start the asynchronous runtime")?;
    let result = runtime.block_on(dispatch(cli));
    // Whatever still runs here was named as hanging, or is a read of stdin that nobody waits for.
    runtime.shutdown_background();
    result
}

async fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    let open = || context::open(cli.context.as_deref());
    match &cli.command {
        Command::Up(args) => serve::up(args, cli.context.as_deref()).await?,
        Command::Inventory(args) => serve::inventory(args).await?,
        Command::Validation(args) => serve::validation(args).await?,
        Command::Controller(args) => serve::controller(args, cli.context.as_deref()).await?,
        Command::Transfer(args) => serve::transfer(args).await?,
        Command::Apply(args) => return apply::run(args, &open()?).await,
        Command::Get(args) => get::run(args, &open()?).await?,
        Command::Delete(args) => delete::run(args, &open()?).await?,
        Command::Watch(args) => return watch::run(args, &open()?).await,
        Command::Version(args) => version::run(args)?,
    }
    Ok(ExitCode::SUCCESS)
}
