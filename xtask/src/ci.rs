//! `cargo xtask ci`: what must hold before a change lands.

use anyhow::Result;

use crate::needs::{self, Need};
use crate::shell::{self, cargo, command, output};
use crate::test;

#[derive(clap::Args)]
pub struct Args {
    /// Install what is missing without asking.
    #[arg(long)]
    yes: bool,
}

pub fn run(args: &Args) -> Result<()> {
    let yes = args.yes;
    needs::satisfy(&[Need::Go, Need::PythonVenv, Need::NatsServer, Need::Qemu, Need::CargoDeny], yes)?;
    shell::run(cargo().args(["fmt", "--all", "--check"]))?;
    shell::run(cargo().args(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))?;
    let deny = needs::cargo_deny()?;
    shell::run(command(&deny).args(["--workspace", "--log-level", "error", "check", "licenses", "bans", "sources"]))?;
    // The advisory database is a git repository that not every machine reaches.
    match output(command(&deny).args(["--workspace", "check", "advisories"])) {
        Ok(_) => eprintln!("advisories: ok"),
        Err(error) if unreachable(&error.to_string()) => {
            eprintln!("SKIPPED: cargo-deny's advisory database can't be fetched from this machine");
        }
        Err(error) => return Err(error),
    }
    test::run_tests(yes, &[])
}

fn unreachable(error: &str) -> bool {
    ["failed to fetch", "failed to clone", "failed to open advisory database", "unable to fetch", "resolve host"]
        .iter()
        .any(|text| error.contains(text))
}
