//! What a rule may say, and what its author is told when it says something else.

use contract::concern::{Category, Concern};
use serde_json::{Value, json};
use validation::{BundleError, Provider, RULE_FAILED, assess};

use super::{bundle, rule};

/// Labels of the concerns of one rule `r` with this body.
fn labels(body: &str, vm: &Value) -> Vec<String> {
    concerns(body, vm).into_iter().map(|concern| concern.label).collect()
}

fn concerns(body: &str, vm: &Value) -> Vec<Concern> {
    assess(&bundle(&[("r", body)]).unwrap(), Provider::Vsphere, vm)
}

fn fires(expression: &str, vm: &Value) -> bool {
    let labels = labels(&format!("fn check(vm) {{ {expression} }}"), vm);
    assert!(labels.len() <= 1 && labels.iter().all(|label| label == "It is r"), "{expression}: {labels:?}");
    !labels.is_empty()
}

#[test]
fn check_answers_with_a_bool_nothing_a_label_an_object_or_a_list_of_these() {
    for (body, expected) in [
        ("true", vec!["It is r"]),
        ("false", vec![]),
        ("()", vec![]),
        ("if vm.a == 2 { true }", vec![]),
        ("\"own\"", vec!["own"]),
        ("#{x: 1}", vec!["It is r"]),
        ("vm.object", vec!["It is r"]),
        ("[\"b\", \"a\", (), false, true, \"a\"]", vec!["It is r", "a", "b"]),
        ("[]", vec![]),
    ] {
        let vm = json!({"a": 1, "object": {"k": 1}});
        assert_eq!(labels(&format!("fn check(vm) {{ {body} }}"), &vm), expected, "{body}");
    }
}

#[test]
fn another_answer_is_a_failure_that_names_the_type() {
    for (body, kind) in [("1", "i64"), ("[[true]]", "array"), ("0.5", "f64"), ("' '", "char")] {
        let concerns = concerns(&format!("fn check(vm) {{ {body} }}"), &json!({}));
        assert_eq!(concerns[0].id, RULE_FAILED);
        assert_eq!(concerns[0].category, Category::Error);
        assert!(concerns[0].label.contains(&format!("of type {kind};")), "{body}: {}", concerns[0].label);
    }
}

#[test]
fn evidence_fills_label_and_assessment_and_what_it_lacks_is_named() {
    let (file, text) = rule("r", "fn check(vm) { vm.disks }");
    let text = text.replace("It is r", "{file} on {datastore.id}").replace("Test.", "\"{file}?\"");
    let bundle = validation::Bundle::compile([(file, text)].into()).unwrap();
    let vm = json!({"disks": [{"file": "a.vmdk", "datastore": {"id": "ds-1"}}]});
    let concerns = assess(&bundle, Provider::Vsphere, &vm);
    assert_eq!((concerns[0].label.as_str(), concerns[0].assessment.as_str()), ("a.vmdk on ds-1", "a.vmdk?"));
    let concerns = assess(&bundle, Provider::Vsphere, &json!({"disks": [{"file": "a.vmdk"}]}));
    assert!(concerns[0].id == RULE_FAILED && concerns[0].label.contains("`{datastore.id}`"), "{concerns:?}");
}

#[test]
fn a_missing_field_is_nothing_along_the_whole_chain() {
    let vm = json!({"name": "n", "list": [1], "null": null, "host": {"cluster": {"drsEnabled": true}}});
    assert!(fires("vm.host.cluster.drsEnabled", &vm));
    for silent in [
        "vm.no.such.field",
        "vm.null.x.y",
        "vm.no[0].x",
        "vm.no == true",
        "vm.no <= 0",
        "vm.no > 0",
        "vm.no.len() > 0",
        "vm.no.some(|x| true)",
        "vm.no.filter(|x| true).map(|x| x)",
        "!vm.no.all(|x| false)",
        "vm.no.contains(\"x\")",
        "\"x\" in vm.no",
        "vm.no.to_lower().starts_with(\"x\")",
        "!vm.no.is_empty()",
        "let found = false; for x in vm.no { found = true } found",
    ] {
        assert!(!fires(silent, &vm), "{silent}");
    }
}

#[test]
fn a_value_of_another_type_than_expected_is_like_a_missing_one() {
    let vm = json!({"text": "t", "number": 1, "flag": true, "list": [1]});
    for value in ["vm.text", "vm.number", "vm.flag", "vm.list"] {
        assert!(!fires(&format!("{value}.x.y != ()"), &vm), "{value}");
    }
    for value in ["vm.text", "vm.number", "vm.flag"] {
        assert!(!fires(&format!("{value}.some(|x| true)"), &vm), "{value}");
    }
}

#[test]
fn lists_objects_and_strings_have_their_methods() {
    let vm = json!({
        "disks": [{"capacity": 0, "file": "a"}, {"capacity": 5, "file": "b"}],
        "object": {"one": {"capacity": 0}, "two": 2},
        "name": "Web-1", "tags": ["x", "y"],
    });
    for firing in [
        "vm.disks.len() == 2",
        "vm.disks.filter(|d| d.capacity <= 0).len() == 1",
        "vm.disks.map(|d| d.file) == [\"a\", \"b\"]",
        "vm.disks.all(|d| d.capacity >= 0)",
        "vm.disks[1].capacity == 5",
        "vm.disks[-1].file == \"b\"",
        "vm.object.some(|x| x.capacity == 0)",
        "vm.object.len() == 2 && vm.object.keys() == [\"one\", \"two\"]",
        "vm.object.contains(\"one\") && \"two\" in vm.object && !(\"three\" in vm.object)",
        "vm.name.to_lower() == \"web-1\" && vm.name.contains(\"eb\") && vm.name.starts_with(\"W\")",
        "vm.tags.contains(\"x\") && \"y\" in vm.tags",
        "let n = 0; for d in vm.disks { n += d.capacity } n == 5",
        "is_string(vm.name) && is_number(vm.disks[0].capacity) && is_list(vm.tags) && is_object(vm.object)",
        "type_of(vm.object) == \"object\" && vm.name.type_of() == \"string\"",
    ] {
        assert!(fires(firing, &vm), "{firing}");
    }
}

/// Reserved by Rhai, or keywords of it.
const WORDS: &str = "\
    shared sync async await default new private public protected package static thread go spawn var match case
    void null nil is goto module super use with yield exit fn this eval print debug import export as if else for
    in loop while do until let const return break continue switch throw try catch global tag true false is_def_var";

#[test]
fn words_that_rhai_reserves_are_field_names() {
    for word in WORDS.split_whitespace() {
        let vm = json!({ word: 7, "deep": { word: { word: 7 } } });
        assert!(fires(&format!("vm.{word} == 7"), &vm), "{word}");
        assert!(fires(&format!("vm.deep.{word}.{word} == 7"), &vm), "{word}");
        assert!(fires(&format!("[vm].some(|v| v?.{word} == 7)"), &vm), "{word}");
    }
    for word in WORDS.split_whitespace() {
        if ["this", "eval", "print", "debug", "is_def_var"].contains(&word) || rhai_keyword(word) {
            continue;
        }
        let body = format!("let o = #{{{word}: 1, other: 2, {word}s: 3}}; o.{word} == 1");
        assert!(fires(&body, &json!({})), "{word} as a key");
    }
}

/// Words with a meaning of their own in Rhai: as a key they are written in quotes.
fn rhai_keyword(word: &str) -> bool {
    let keywords = [
        "private", "fn", "import", "export", "as", "if", "else", "for", "in", "loop", "while", "do", "until", "let",
        "const", "return", "break", "continue", "switch", "throw", "try", "catch", "global", "true", "false",
    ];
    keywords.contains(&word)
}

#[test]
fn a_rule_sees_the_vm_but_cannot_change_it_for_another() {
    let bundle = bundle(&[
        ("a", "fn check(vm) { vm = 1; false }"),
        ("b", "fn check(vm) { let d = vm.disks; d.clear(); d.push(1); false }"),
        ("c", "fn check(vm) { vm.disks.len() == 1 && vm.name == \"n\" }"),
    ]);
    let concerns = assess(&bundle.unwrap(), Provider::Vsphere, &json!({"name": "n", "disks": [{}]}));
    assert_eq!(concerns.len(), 1, "{concerns:?}");
    assert_eq!(concerns[0].id, "c");
    let written = labels("fn check(vm) { vm.name = \"x\"; }", &json!({"name": "n"}));
    assert!(written[0].starts_with("r failed at vsphere/r.rhai:6:"), "{written:?}");
}

#[test]
fn a_file_that_is_no_rule_is_refused_at_its_place() {
    for (body, place, part) in [
        ("fn check(vm) {\n  vm.\n}", ":8:1: ", "property"),
        ("fn check() { true }", ": ", "fn check(vm)"),
        ("fn check(vm) { true }\nlet x = 1;", ":7:", "outside"),
        ("fn check(vm) { unknown }", ":6:16: ", "unknown"),
        ("fn check(vm) { eval(\"1\") }", ":6:16: ", "eval"),
        ("fn check(vm) { \"1+1\".eval() }", ":6:22: ", "eval"),
        ("fn check(vm) { Fn(\"check\") }", ":6:16: ", "Fn"),
        ("fn f() { } fn check(vm) { f.curry(f) }", ":6:29: ", "property"),
        ("fn f() { } fn check(vm) { curry(f, f) }", ":6:27: ", "curry"),
        ("fn filter(f) { f }\nfn check(vm) { }", ":6:14: ", "method of lists"),
        ("import \"x\" as y; fn check(vm) { }", ":6:1: ", "import"),
        ("fn check(vm) { print(1) }", ":6:16: ", "print"),
        ("", ": ", "fn check(vm)"),
    ] {
        let error = bundle(&[("good", "fn check(vm) { }"), ("r", body)]).unwrap_err();
        let BundleError::Rules { problems } = error else { panic!("{body}: {error}") };
        let problem = problems[0].to_string();
        assert_eq!(problems.len(), 1, "{problem}");
        assert!(problem.starts_with(&format!("vsphere/r.rhai{place}")) && problem.contains(part), "{body}: {problem}");
    }
}

#[test]
fn a_closure_stands_only_in_a_list_method() {
    for misplaced in [
        "let f = |x| x;",
        "let f = || 1;",
        "let f = (|x| x);",
        "let a = [|x| x];",
        "let a = [1, || 1];",
        "let m = #{f: |x| x};",
        "let a = []; a.push(|x| x);",
        "let a = []; a.push(1, |x| x);",
        "f(|x| x);",
        "some(|x| x);",
        "vm.disks.some((|x| x));",
        "vm.disks.some(#{a: |x| x});",
        "vm.disks.some(1, |x| x);",
        "vm.disks.map(|d| |x| x);",
        "vm.disks.map(|d| { |x| x });",
        "vm.disks.map(|d| { 1; || x });",
        "if true { } || 1",
        "if true { |x| x }",
        "return |x| x;",
        "|x| x",
        "let f = (); f = |x| x;",
        "switch 1 { 1 => |x| x }",
        "`${|x| x}`;",
        "!|x| x",
        "vm == |x| x",
    ] {
        let error = bundle(&[("r", &format!("fn f(x) {{ }} fn check(vm) {{ {misplaced} }}"))]).unwrap_err().to_string();
        assert!(error.contains("vsphere/r.rhai:6:") && error.contains("a closure stands only"), "{misplaced}: {error}");
    }
    let vm = json!({"name": "n", "disks": [{"key": 1, "name": "n"}, {"key": 2}], "nics": [{"key": 2}]});
    for placed in [
        "let least = 2; vm.disks.some(|disk| disk.key >= least)",
        "let disks = vm.disks; disks.some(|disk| disk.name == vm.name)",
        "let disks = vm.disks; disks?.some(|disk| vm.nics.some(|nic| nic.key == disk.key))",
        "vm.disks.map(|disk| disk.key).reduce(|sum, key| sum + key, 0) == 3",
        "vm.disks.some(|| this.key == 2)",
        "vm.disks.find(|disk| disk.key == 2) != () && vm.none.find(|disk| true) == ()",
        "(1 | 2) == 3 && (vm.none == 1 || vm.name == \"n\") && ([1][0] | 2) == 3",
        "vm.disks.filter(|disk| disk.key == 1 || disk.key == 2).len() == 2",
        "`${vm.name}|${vm.name}` == \"n|n\" || false",
    ] {
        assert!(fires(placed, &vm), "{placed}");
    }
}

#[test]
fn a_closure_that_uses_the_start_of_its_own_chain_is_told_how_to_do_without() {
    let vm = json!({"name": "n", "disks": [{"name": "n"}]});
    let label = labels("fn check(vm) { vm.disks.some(|disk| disk.name == vm.name) }", &vm).remove(0);
    assert!(label.contains("vsphere/r.rhai:6:") && label.contains("let disks = vm.disks;"), "{label}");
}

#[test]
fn the_file_must_be_named_after_its_id_and_ids_are_unique() {
    let (_, text) = rule("r", "fn check(vm) { }");
    let error = validation::Bundle::compile([("vsphere/other.rhai".to_owned(), text)].into()).unwrap_err();
    assert!(error.to_string().contains("the file's name is vsphere/r.rhai"), "{error}");
    let ovirt = rule("r", "fn check(vm) { }").1.replace("provider: vsphere", "provider: ovirt");
    let twice = [rule("r", "fn check(vm) { }"), ("ovirt/r.rhai".to_owned(), ovirt)];
    let error = validation::Bundle::compile(twice.into()).unwrap_err();
    assert!(error.to_string().contains("same id"), "{error}");
}

#[test]
fn a_folder_of_rules_is_read_whole_and_what_is_misplaced_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    assert!(matches!(validation::Bundle::from_dir(folder.path()), Err(BundleError::Empty)));
    let (file, text) = rule("r", "fn check(vm) { true }");
    write(&file, &text);
    write("vsphere/r.test.yaml", "[]");
    write("vsphere/..data/x.rhai", "skipped");
    write("README.md", "skipped");
    let bundle = validation::Bundle::from_dir(folder.path()).unwrap();
    assert_eq!(bundle.rules().len(), 1);
    write("vpshere/x.rhai", &text);
    write("y.rhai", &text);
    let error = validation::Bundle::from_dir(folder.path()).unwrap_err().to_string();
    assert!(error.contains("vpshere/x.rhai: ") && error.contains("y.rhai: "), "{error}");
    let missing = validation::Bundle::from_dir(&folder.path().join("none")).unwrap_err();
    assert!(matches!(missing, BundleError::Read { .. }), "{missing}");
}
