//! `cargo xtask demo`: a simulated vCenter and `longshore up` side by side, one VM migrated through the command
//! line as a user would, its disks compared with the source byte by byte, and a report. Nothing keeps running.

mod compare;
mod control;
mod manifest;
mod processes;
mod report;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::needs::{self, Need};
use crate::peers;
use crate::shell::{self, cargo};
use control::Control;
use processes::{Longshore, Vcenter};

#[derive(clap::Args)]
pub struct Args {
    /// Install what is missing without asking.
    #[arg(long)]
    yes: bool,
    /// Size of the demo VM's first disk in MiB; the second has half of it.
    #[arg(long, default_value_t = 256)]
    disk_mib: u32,
    /// Leave guest conversion out; it isn't implemented yet, so that this is the only way and changes nothing.
    #[arg(long)]
    skip_conversion: bool,
}

/// The VM that is migrated.
const VM: &str = "demo-vm";
/// Namespace of all demo resources.
const NAMESPACE: &str = "demo";
/// How long the provider or the plan may take to become Ready.
const READY_WITHIN: Duration = Duration::from_secs(60);

pub fn run(args: &Args) -> Result<()> {
    let began = Instant::now();
    needs::satisfy(&[Need::Go, Need::PythonVenv, Need::NatsServer], args.yes)?;
    let vcenter = peers::vcenter()?;
    shell::run(cargo().args(["build", "--package", "longshore"]))?;
    let (demo, _lock) = Demo::prepare()?;
    let vcenter = Vcenter::start(&vcenter, &demo.folder.join("vcenter"), args.disk_mib)?;
    println!("\n# A simulated vCenter at {} (user {}); control port {}", vcenter.url, vcenter.user, vcenter.control);
    let nats_server = needs::nats_server()?;
    let longshore = Longshore::start(&demo.binary, &demo.folder, &nats_server)?;
    let result = demo.migrate(&vcenter, &nats_server);
    if result.is_err() {
        eprintln!("\nThe end of Longshore's log ({}):\n{}", longshore.log.display(), longshore.tail()?);
    }
    longshore.stop()?;
    result?;
    println!("\nThe whole took {:.0} s. Nothing is left running.", began.elapsed().as_secs_f64());
    Ok(())
}

/// One run of the demo.
struct Demo {
    binary: PathBuf,
    folder: PathBuf,
}

impl Demo {
    /// A new folder, locked as long as the file is open; what the last run left is removed.
    fn prepare() -> Result<(Self, fs::File)> {
        let folder = shell::root().join(".longshore/demo");
        fs::create_dir_all(shell::root().join(".longshore"))?;
        let lock = fs::File::create(folder.with_extension("lock"))?;
        lock.try_lock().context("another demo runs in this checkout")?;
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("the last run's {} can't be removed", folder.display()))?;
        }
        fs::create_dir_all(&folder)?;
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(target) => shell::root().join(target),
            None => shell::root().join("target"),
        };
        Ok((Self { binary: target.join("debug/longshore"), folder }, lock))
    }

    fn longshore(&self) -> Command {
        let mut command = shell::command(&self.binary);
        command.env("LONGSHORE_CONTEXT", self.folder.join("context.json"));
        command
    }

    /// Runs a command of the `longshore` program in front of the user.
    fn show(&self, words: &[&str]) -> Result<()> {
        println!("\n$ longshore {}", words.join(" "));
        let status = self.longshore().args(words).status().context("longshore can't be started")?;
        if !status.success() {
            bail!("`longshore {}` ended with {status}", words.join(" "));
        }
        Ok(())
    }

    fn get(&self, words: &[&str]) -> Result<Value> {
        let mut command = self.longshore();
        command.args(words).args(["-o", "json"]).stderr(Stdio::piped());
        Ok(serde_json::from_str(&shell::output(&mut command)?)?)
    }

    fn apply(&self, name: &str, text: &str) -> Result<()> {
        let file = self.folder.join(name);
        fs::write(&file, text)?;
        self.show(&["apply", "-n", NAMESPACE, "-f", &file.display().to_string()])
    }

    fn await_ready(&self, kind: &str, name: &str) -> Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            let object = self.get(&["get", kind, name, "-n", NAMESPACE])?;
            if report::condition(&object, "Ready").is_some_and(|ready| ready["status"] == "True") {
                return Ok(());
            }
            if Instant::now() > deadline {
                let conditions = serde_json::to_string_pretty(&object["status"]["conditions"])?;
                bail!("{kind} {name} did not become Ready within {} s: {conditions}", READY_WITHIN.as_secs());
            }
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    fn migrate(&self, vcenter: &Vcenter, nats_server: &Path) -> Result<()> {
        let control = Control::new(&vcenter.control);
        println!("\n# First a look: inventory and concerns. Nothing on the source changes until a Migration exists.");
        self.apply("providers.yaml", &manifest::providers(vcenter)?)?;
        self.await_ready("provider", "vcenter")?;
        self.show(&["get", "providers", "-n", NAMESPACE])?;
        self.show(&["get", "inventory", "vms", "--provider", "vcenter", "-n", NAMESPACE])?;
        println!("\n# Then a plan: where networks and datastores go, and which VM.");
        self.apply("plan.yaml", &manifest::plan(VM))?;
        self.await_ready("plan", "demo")?;
        self.show(&["get", "plans", "-n", NAMESPACE])?;
        println!("\n# And now the migration: shut down, copy, prove, hand over.");
        self.apply("migration.yaml", &manifest::migration())?;
        self.show(&["watch", "plan", "demo", "-n", NAMESPACE])?;
        let imports = self.get(&["get", "virtualmachineimports", "-n", NAMESPACE])?;
        let inventory = self.get(&["get", "inventory", "vms", "--provider", "vcenter", "-n", NAMESPACE])?;
        report::print(&report::Facts {
            imports: &imports,
            inventory: &inventory,
            source: &control.vm(VM)?,
            folder: &self.folder,
            binary: &self.binary,
            nats_server,
        })
    }
}
