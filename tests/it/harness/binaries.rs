//! Finds the programs that the tests run. `cargo xtask test` builds or installs all of them; without it the newest
//! that is there is taken, or the test says what to do.

use std::path::PathBuf;

/// `longshore`, beside this test: `…/debug/longshore` for `…/debug/deps/it-…`.
pub fn longshore() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
    let binary = profile.join("longshore");
    assert!(
        binary.is_file(),
        "{} is not there; run `cargo build -p longshore` or `cargo xtask test`",
        binary.display()
    );
    binary
}

/// The simulated vCenter.
pub fn vcenter() -> PathBuf {
    if let Some(named) = variable("LONGSHORE_PEER_VCENTER") {
        return named;
    }
    let built = cache().join("peers");
    let newest = std::fs::read_dir(&built).into_iter().flatten().flatten().filter_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let whole = name.starts_with("vcenter") && !name.ends_with(".partial");
        whole.then(|| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))?
    });
    newest.max().map(|(_, path)| path).unwrap_or_else(|| {
        panic!(
            "no simulated vCenter in {}; run `cargo xtask test`, or name one with LONGSHORE_PEER_VCENTER",
            built.display()
        )
    })
}

/// The nats-server that `cargo xtask` installs; none leaves the choice to the bus, which also looks at
/// LONGSHORE_NATS_SERVER and the PATH.
pub fn nats_server() -> Option<PathBuf> {
    if variable("LONGSHORE_NATS_SERVER").is_some() {
        return None;
    }
    Some(cache().join("venv/bin/nats-server")).filter(|path| path.is_file())
}

/// A program on the PATH.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file())
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Where `cargo xtask` keeps what it builds and installs.
fn cache() -> PathBuf {
    let cache = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
    cache.unwrap_or_else(std::env::temp_dir).join("longshore")
}
