//! `cargo xtask test`: everything the tests need, then all of them, ended by the test runner's own summary.

use anyhow::Result;

use crate::needs::{self, Need};
use crate::peers;
use crate::shell::{self, cargo};

#[derive(clap::Args)]
pub struct Args {
    /// Install what is missing without asking.
    #[arg(long)]
    yes: bool,
    /// Passed on to `cargo test`, such as `-p bus` or a part of a test's name.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    cargo_args: Vec<String>,
}

pub fn run(args: &Args) -> Result<()> {
    run_tests(args.yes, &args.cargo_args)
}

/// Also the last part of `cargo xtask ci`.
pub fn run_tests(yes: bool, cargo_args: &[String]) -> Result<()> {
    needs::satisfy(&[Need::Go, Need::PythonVenv, Need::NatsServer, Need::Qemu], yes)?;
    let vcenter = peers::vcenter()?;
    // The services are tested as processes of their own: their program has to be there and new.
    shell::run(cargo().args(["build", "--package", "longshore"]))?;
    let selected = cargo_args.iter().any(|arg| arg == "-p" || arg == "--package");
    shell::run(
        cargo()
            .arg("test")
            .args((!selected).then_some("--workspace"))
            .args(cargo_args)
            .env("LONGSHORE_NATS_SERVER", needs::nats_server()?)
            .env("LONGSHORE_PEER_VCENTER", vcenter),
    )
}
