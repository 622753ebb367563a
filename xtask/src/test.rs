//! `cargo xtask test`: everything the tests need, then all of them, ended by the test runner's own summary.

use std::io::{BufRead, BufReader};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

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
    if !selected {
        // The peer is only as good a witness as its own tests make it.
        shell::run(shell::command("go").args(["test", "./..."]).current_dir(peers::vcenter_sources()))?;
    }
    let mut tests = cargo();
    tests.args(["test", "--no-fail-fast"]).args((!selected).then_some("--workspace")).args(cargo_args);
    tests.env("LONGSHORE_NATS_SERVER", needs::nats_server()?).env("LONGSHORE_PEER_VCENTER", vcenter);
    let (status, sum) = counted(&mut tests)?;
    // cargo closes with the summary of its last binary; this is the sum of all.
    println!("\n{} passed, {} failed, {} skipped", sum.passed, sum.failed, sum.skipped);
    if !status.success() {
        bail!("tests failed; the names stand above");
    }
    Ok(())
}

/// Tests by their end.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sum {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Sum {
    /// Adds a binary's `test result: ok. 3 passed; 0 failed; 1 ignored; …`; other lines say nothing.
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) else {
            return;
        };
        for count in counts.split("; ") {
            let mut words = count.split(' ');
            let number = words.next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
            match words.next() {
                Some("passed") => self.passed += number,
                Some("failed") => self.failed += number,
                Some("ignored") => self.skipped += number,
                _ => {}
            }
        }
    }
}

/// Runs the tests, passes on what they print, and counts.
fn counted(command: &mut Command) -> Result<(ExitStatus, Sum)> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("cargo can't be started")?;
    let mut sum = Sum::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            println!("{line}");
            sum.add(&line);
        }
    }
    Ok((child.wait()?, sum))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summaries_of_all_binaries_are_added() {
        let mut sum = Sum::default();
        for line in [
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.21s",
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s",
            "test a ... ok",
        ] {
            sum.add(line);
        }
        assert_eq!(sum, Sum { passed: 5, failed: 1, skipped: 1 });
    }
}
