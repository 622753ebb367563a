//! `longshore watch plan NAME`: follows a plan's migration until it ends. On a terminal it redraws one picture,
//! else it writes a line a change. Its exit code is the migration's.

mod collection;
mod feed;
mod lines;
mod progress;
mod rate;
mod screen;
mod summary;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use futures::StreamExt;
use jiff::Timestamp;

use crate::args::{WatchArgs, WatchWhat};
use crate::client::{Client, ClientError};
use crate::discovery::Kinds;
use crate::exit;
use feed::{Source, Told};
use lines::Lines;
use progress::{Outcome, Progress, Report};
use screen::Screen;

/// Runs the command.
pub async fn run(args: &WatchArgs, client: &Client) -> anyhow::Result<ExitCode> {
    let WatchWhat::Plan { name, namespace } = &args.what;
    let kinds = Kinds::fetch(client).await?;
    // An unknown name is told at once, not waited for.
    client.get(&kinds.find("plan")?.object(namespace, name)).await?;
    let mut progress = Progress::new(namespace, name);
    let sources = [
        (Source::Plans, kinds.find("plan")?.collection(namespace)),
        (Source::Migrations, kinds.find("migration")?.everywhere()),
        (Source::Imports, kinds.find("virtualmachineimport")?.everywhere()),
    ];
    let imports = sources[2].1.clone();
    let mut changes = feed::all(client, sources);
    let mut view = View::new();
    while let Some(told) = changes.next().await {
        progress.tell(told?);
        let report = progress.report(Timestamp::now());
        view.show(&report)?;
        if report.plan_deleted {
            return Err(ClientError::NotFound(format!("plan {namespace}/{name} was deleted")).into());
        }
        if let Some(outcome) = report.outcome {
            return end(outcome, &mut progress, &mut view, client.get(&imports).await?);
        }
    }
    anyhow::bail!("the server stopped telling of changes; is `longshore up` running?")
}

/// The three feeds are not in step: the last states of the VMs are read once more before the picture is final.
fn end(
    outcome: Outcome,
    progress: &mut Progress,
    view: &mut View,
    imports: serde_json::Value,
) -> anyhow::Result<ExitCode> {
    progress.tell(Told::listed(Source::Imports, imports));
    let report = progress.report(Timestamp::now());
    view.show(&report)?;
    print!("{}", summary::text(&report));
    Ok(match outcome {
        Outcome::Succeeded => ExitCode::SUCCESS,
        Outcome::Failed | Outcome::Canceled => ExitCode::from(exit::MIGRATION_FAILED),
    })
}

enum View {
    Lines(Lines),
    Screen(Screen),
}

impl View {
    fn new() -> Self {
        if std::io::stdout().is_terminal() { Self::Screen(Screen::default()) } else { Self::Lines(Lines::default()) }
    }

    fn show(&mut self, report: &Report) -> std::io::Result<()> {
        let text = match self {
            Self::Lines(lines) => lines.next(report),
            Self::Screen(screen) => screen.frame(report),
        };
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}
