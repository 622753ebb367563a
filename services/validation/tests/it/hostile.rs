//! Hostile rules and documents: each ends in a concern within a bounded time, and the other rules are not touched.

use std::time::{Duration, Instant};

use contract::concern::Category;
use proptest::prelude::*;
use serde_json::{Value, json};
use validation::{Bundle, Provider, RULE_FAILED, assess};

use super::bundle;

/// Far above what any rule may take, for a debug build on a loaded machine.
const SOON: Duration = Duration::from_secs(10);

/// The thread that evaluates rules has the stack that Rust gives a thread.
const STACK: usize = 2 * 1024 * 1024;

/// Judges `vm` by a rule `bad` with this body, between two good ones; gives the label of its failure.
fn failure(body: &str, vm: &Value) -> String {
    let good = "fn check(vm) { true }";
    let bundle = bundle(&[("a", good), ("bad", body), ("z", good)]).unwrap_or_else(|error| panic!("{body}: {error}"));
    let start = Instant::now();
    let concerns = std::thread::scope(|scope| {
        let judge = || assess(&bundle, Provider::Vsphere, vm);
        std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, judge).unwrap().join().unwrap()
    });
    assert!(start.elapsed() < SOON, "{body}: {:?}", start.elapsed());
    let ids: Vec<_> = concerns.iter().map(|concern| concern.id.as_str()).collect();
    assert_eq!(ids, ["a", RULE_FAILED, "z"], "{body}: {concerns:?}");
    assert_eq!(concerns[1].category, Category::Error);
    assert!(concerns[1].label.chars().count() < 500, "{}", concerns[1].label);
    concerns[1].label.clone()
}

#[test]
fn what_never_ends_is_ended() {
    for body in [
        "fn check(vm) { loop {} }",
        "fn check(vm) { let x = 0; while true { x += 1 } }",
        "fn check(vm) { let x = 0; for i in 0..9000000000000 { x += i } }",
        "fn check(vm) { check(vm) }",
        "fn f(n) { g(n + 1) }\nfn g(n) { f(n + 1) }\nfn check(vm) { f(0) }",
        "fn check(vm) { let a = []; a.pad(9999, 1); a.for_each(|i| { let x = 0; while x < 90 { x += 1 } }) }",
        "fn check(vm) { let a = []; a.pad(9999, 1); let n = 0; a.some(|i| a.len() < 0 || vm.disks.some(|d| { loop {} })) }",
        "fn check(vm) { loop { try { loop {} } catch { } } }",
    ] {
        let label = failure(body, &json!({}));
        let place = label.strip_prefix("bad failed at vsphere/bad.rhai:").unwrap_or_else(|| panic!("{label}"));
        assert!(place.starts_with(['6', '7', '8']), "{label}");
    }
}

#[test]
fn what_grows_is_stopped() {
    for body in [
        "fn check(vm) { let s = \"x\"; loop { s += s; } }",
        "fn check(vm) { let a = [1]; loop { a += a; } }",
        "fn check(vm) { let a = []; loop { a.push(1); } }",
        "fn check(vm) { let a = []; a.pad(1000000000, 0); }",
        "fn check(vm) { let s = \"\"; s.pad(1000000000, 'x'); }",
        "fn check(vm) { let m = #{}; let i = 0; loop { m[`k${i}`] = i; i += 1; } }",
        "fn check(vm) { let a = []; loop { a = [a, a]; } }",
        "fn check(vm) { let a = []; let s = \"x\"; s.pad(60000, 'x'); loop { a.push(s + a.len()); } }",
        "fn check(vm) { let s = \"\"; s.pad(60000, 'x'); let t = s; s.replace(\"x\", t); }",
        "fn check(vm) { let s = \"\"; s.pad(60000, 'x'); let t = s; s.replace('x', t); }",
        "fn check(vm) { let s = \"\"; s.pad(60000, 'x'); let t = s; s.replace(\"\", t); }",
        "fn check(vm) { let s = \"\"; s.pad(60000, 'x'); let a = []; a.pad(9999, 1); a.map(|i| s + i).len(); }",
        "fn check(vm) { let r = []; for i in 0..2000 { r.push(`label ${i}`); } r }",
    ] {
        failure(body, &json!({}));
    }
}

#[test]
fn what_is_nested_deeply_does_not_end_the_process() {
    for body in [
        "fn check(vm) { let a = []; loop { a = [a]; } }",
        "fn check(vm) { let m = #{}; loop { m = #{m: m}; } }",
        "fn check(vm) { let a = []; for i in 0..9000 { a = [a]; } a }",
    ] {
        failure(body, &json!({}));
    }
    let deep = format!("fn check(vm) {{ {}1{} }}", "(".repeat(200), ")".repeat(200));
    let error = bundle(&[("deep", &deep)]).unwrap_err().to_string();
    assert!(error.contains("vsphere/deep.rhai:6:"), "{error}");
    let arrays = format!("fn check(vm) {{ {}{} }}", "[".repeat(30_000), "]".repeat(30_000));
    bundle(&[("arrays", &arrays)]).unwrap_err();
}

#[test]
fn what_is_not_there_is_said_with_line_and_column() {
    for (body, place, part) in [
        ("fn check(vm) {\n    no_such(vm)\n}", "7:5", "no_such"),
        ("fn check(vm) {\n    vm.disks.some(|d| d.capacity.no_such())\n}", "7:", "no_such"),
        ("fn check(vm) { throw \"mine\" }", "6:16", "mine"),
        ("fn check(vm) { 1 / 0 }", "6:", "zero"),
        ("fn check(vm) { 9223372036854775807 + 1 }", "6:", "overflow"),
        ("fn check(vm) { sleep(5.0) }", "6:16", "sleep"),
        ("fn check(vm) { timestamp() }", "6:16", "timestamp"),
        ("fn check(vm) { rand() }", "6:16", "rand"),
        ("fn check(vm) { exit(true) }", "6:16", "exit"),
        ("fn check(vm) { open_file(\"/etc/passwd\") }", "6:16", "open_file"),
        ("fn check(vm) { vm[0] }", "6:", "object"),
        ("fn check(vm) { [1][7] }", "6:", "out of bounds"),
    ] {
        let label = failure(body, &json!({"disks": [{"capacity": 1}]}));
        let start = format!("bad failed at vsphere/bad.rhai:{place}");
        assert!(label.starts_with(&start) && label.contains(part), "{body}: {label}");
    }
}

#[test]
fn a_document_that_is_larger_than_a_rule_may_hold_fails_only_the_rule_that_holds_it() {
    let vm = json!({"notes": "x".repeat(100_000), "disks": vec![json!({"a": 1}); 20_000]});
    failure("fn check(vm) { vm.notes + \"y\" == \"\" }", &vm);
    let bundle = bundle(&[("r", "fn check(vm) { vm.name == () }")]).unwrap();
    assert_eq!(assess(&bundle, Provider::Vsphere, &vm)[0].id, "r");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    let name = prop_oneof![
        Just("disks"),
        Just("devices"),
        Just("host"),
        Just("cluster"),
        Just("capacity"),
        Just("file"),
        Just("kind"),
        Just("controllerKey"),
        Just("changeTrackingEnabled"),
        Just("bus"),
        Just("unitNumber"),
        Just("drsEnabled"),
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_document_gets_the_same_sorted_answer_twice_and_fails_no_built_in_rule(document in any_json()) {
        thread_local! {
            static BUNDLE: Bundle = Bundle::built_in().unwrap();
        }
        let judge = || BUNDLE.with(|bundle| assess(bundle, Provider::Vsphere, &document));
        let concerns = judge();
        prop_assert_eq!(&concerns, &judge());
        prop_assert!(concerns.is_sorted_by(|a, b| (&a.id, &a.label) < (&b.id, &b.label)));
        prop_assert!(concerns.iter().all(|concern| concern.id != RULE_FAILED), "{:?}", concerns);
    }
}
