//! What judging a VM costs, roughly: printed, and bounded by far more than it should be, for tests run unoptimised
//! on loaded machines. The true bench is another matter.

use std::time::Instant;

use serde_json::Value;
use validation::{Bundle, Provider, assess};

#[test]
fn judging_a_vm_by_the_built_in_rules_takes_no_noticeable_time() {
    let bundle = Bundle::built_in().unwrap();
    let cases = include_str!("../cases.jsonl").lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let vms: Vec<_> = cases.filter(|case| case["class"] == "typed").map(|case| case["input"].clone()).collect();
    let rounds = 20;
    let start = Instant::now();
    for vm in (0..rounds).flat_map(|_| &vms) {
        assess(&bundle, Provider::Vsphere, vm);
    }
    let each = start.elapsed() / u32::try_from(rounds * vms.len()).unwrap();
    println!("{} rules: {} µs a VM", bundle.rules().len(), each.as_micros());
    assert!(each.as_millis() < 50, "{each:?}");
}
