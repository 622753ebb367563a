//! Providers that can't be used: a wrong password, a wrong fingerprint, nobody at the address. A refused login is
//! tried once and no more; a corrected Secret is tried again.

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use forklift_api::Provider;
use serde_json::json;

use crate::harness::World;
use crate::harness::manifests::{self, yaml};

/// No retry of a refused login may come within this time.
const QUIET: Duration = Duration::from_secs(5);
const WRONG: &str = "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33";

/// What was applied, and when the first refusal was seen.
pub struct Tried {
    refused: Instant,
    nobody: SocketAddr,
}

/// Applies them before all else, so that the time without a retry passes while the rest is checked.
pub fn apply_bad_ones(world: &World) -> Tried {
    let ready = &world.vcenter.ready;
    // A port that was free a moment ago: nobody listens there.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut wrong_password = world.credentials();
    wrong_password["password"] = json!("not it");
    let mut wrong_fingerprint = world.credentials();
    wrong_fingerprint["thumbprint"] = json!(WRONG);
    world.cli.apply(&yaml(&[
        manifests::secret("wrong-password", &wrong_password),
        manifests::vsphere("wrong-password", &ready.url),
        manifests::secret("wrong-fingerprint", &wrong_fingerprint),
        manifests::vsphere("wrong-fingerprint", &ready.url),
        manifests::secret("nobody", &world.credentials()),
        manifests::vsphere("nobody", &format!("https://{nobody}/sdk")),
    ]));
    world.condition::<Provider>("wrong-password", "ConnectionAuthFailed");
    Tried { refused: Instant::now(), nobody }
}

pub fn check(world: &World, tried: &Tried) {
    let ready = &world.vcenter.ready;
    let fingerprint = message(world, "wrong-fingerprint", "ConnectionTestFailed");
    assert!(fingerprint.contains(WRONG) && fingerprint.contains(&ready.fingerprint), "{fingerprint}");
    let unreachable = message(world, "nobody", "ConnectionTestFailed");
    let (host, port) = (tried.nobody.ip().to_string(), tried.nobody.port().to_string());
    assert!(unreachable.contains(&host) && unreachable.contains(&port), "{unreachable}");

    let refused = message(world, "wrong-password", "ConnectionAuthFailed");
    assert!(refused.contains(&ready.user) && !refused.contains("not it"), "{refused}");
    std::thread::sleep(QUIET.saturating_sub(tried.refused.elapsed()));
    assert_eq!(world.vcenter.refused_logins(), 1, "a wrong password must not be tried twice");
    world.cli.apply(&yaml(&[manifests::secret("wrong-password", &world.credentials())]));
    world.ready::<Provider>("wrong-password");
    assert_eq!(world.vcenter.refused_logins(), 1);
}

fn message(world: &World, provider: &str, condition: &str) -> String {
    world.condition::<Provider>(provider, condition).message.unwrap()
}
