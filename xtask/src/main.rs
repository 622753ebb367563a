//! `cargo xtask`: what a person or CI does with a checkout. `demo` and `test` do everything, installing what they
//! need; `ci` adds the checks of style and licences.

mod ci;
mod demo;
mod needs;
mod peers;
mod shell;
mod test;

use clap::{Parser, Subcommand};

/// Longshore's own tasks. Set CARGO_TARGET_DIR to share one target directory between checkouts.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Migrate a demo VM from a simulated vCenter, prove its disks, and say how to look further.
    Demo(demo::Args),
    /// Install what the tests need and run all of them.
    Test(test::Args),
    /// rustfmt, clippy with warnings denied, cargo-deny, and all tests.
    Ci(ci::Args),
}

fn main() -> std::process::ExitCode {
    let result = match Cli::parse().task {
        Task::Demo(args) => demo::run(&args),
        Task::Test(args) => test::run(&args),
        Task::Ci(args) => ci::run(&args),
    };
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}
