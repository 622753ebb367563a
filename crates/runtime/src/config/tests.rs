//! Each test reads variables of a prefix of its own: tests run side by side in one environment, and setting
//! variables there is unsafe. So variables come from a child process.

use std::fs;
use std::process::Command;

use serde::Deserialize;
use serde_json::json;

use super::*;

#[derive(Debug, PartialEq, Deserialize)]
struct Options {
    data_dir: String,
    #[serde(default = "default_workers")]
    workers: u16,
    #[serde(default)]
    transfer: Option<Transfer>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
struct Transfer {
    #[serde(default)]
    connections: u16,
}

fn default_workers() -> u16 {
    2
}

/// Only the file and the flags; no variable has this prefix.
fn from_file(text: &str, flags: serde_json::Value) -> Result<Options, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("longshore.toml");
    fs::write(&file, text).unwrap();
    load(Some(&file), "NONE_OF_THESE_", flags)
        .map_err(|error| error.to_string().replace(folder.path().to_str().unwrap(), "DIR"))
}

#[test]
fn flags_win_over_the_file_and_the_file_over_defaults() {
    let options = from_file("data_dir = 'a'\nworkers = 3", json!({ "data_dir": "b", "workers": null })).unwrap();
    assert_eq!(options, Options { data_dir: "b".into(), workers: 3, transfer: None });
    assert_eq!(from_file("data_dir = 'a'", json!({})).unwrap().workers, 2);
}

#[test]
fn a_wrong_value_names_key_and_file() {
    let error = from_file("data_dir = 'a'\n[transfer]\nconnections = 'many'", json!({})).unwrap_err();
    assert_eq!(
        error,
        "`transfer.connections` in the file DIR/longshore.toml is wrong: invalid type: found string \"many\", expected u16"
    );
}

#[test]
fn a_wrong_flag_is_named() {
    let error = from_file("data_dir = 'a'", json!({ "workers": "x" })).unwrap_err();
    assert_eq!(error, "`workers` in the flag --workers is wrong: invalid type: found string \"x\", expected u16");
}

#[test]
fn an_unknown_key_of_the_file_is_an_error_at_every_depth() {
    let error = from_file("data_dir = 'a'\nworker = 3", json!({})).unwrap_err();
    assert_eq!(error, "`worker` in the file DIR/longshore.toml is not known; is it misspelled?");
    let error = from_file("data_dir = 'a'\n[transfer]\nconnection = 3", json!({})).unwrap_err();
    assert_eq!(error, "`transfer.connection` in the file DIR/longshore.toml is not known; is it misspelled?");
}

#[test]
fn a_missing_value_names_all_the_ways_to_give_it() {
    assert_eq!(
        from_file("", json!({})).unwrap_err(),
        "`data_dir` is missing; set it in the configuration file, by NONE_OF_THESE_DATA_DIR or by --data-dir"
    );
}

#[derive(Debug, Deserialize)]
struct Nested {
    #[allow(dead_code)]
    section: Strict,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Strict {
    #[allow(dead_code)]
    needed: u8,
}

#[test]
fn a_section_that_refuses_unknown_keys_itself_is_told_the_same_way() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.toml");
    let error = |text: &str| {
        fs::write(&file, text).unwrap();
        load::<Nested>(Some(&file), "NONE_OF_THESE_", json!({})).unwrap_err().to_string()
    };
    assert!(error("[section]\nneeded = 1\nmore = 2").starts_with("`section.more` in the file "));
    assert!(error("[section]").starts_with("`section.needed` is missing; set it in the configuration file, by NONE"));
}

#[test]
fn broken_toml_names_file_and_line() {
    let error = from_file("data_dir = 'a'\nworkers == 3", json!({})).unwrap_err();
    assert!(error.starts_with("the file DIR/longshore.toml can't be read: "), "{error}");
    assert!(error.contains("line 2"), "{error}");
}

#[test]
fn a_missing_file_is_an_error() {
    let error = load::<Options>(Some(Path::new("/nowhere/x.toml")), "NONE_OF_THESE_", json!({})).unwrap_err();
    assert_eq!(error.to_string(), "can't read the configuration file /nowhere/x.toml");
}

/// Not a test by itself: what [`with_variables`] runs in a child process.
#[test]
#[ignore = "run by the tests of variables"]
fn print_what_the_variables_give() {
    match load::<Options>(None, PREFIX, json!({ "data_dir": "flag" })) {
        Ok(options) => println!("<{options:?}>"),
        Err(error) => println!("<{error}>"),
    }
}

fn with_variables(variables: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "config::tests::print_what_the_variables_give"])
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text[text.find('<').unwrap() + 1..text.rfind('>').unwrap()].to_owned()
}

#[test]
fn variables_nest_by_two_underscores_and_flags_win() {
    let options = with_variables(&[("LONGSHORE_TRANSFER__CONNECTIONS", "4"), ("LONGSHORE_DATA_DIR", "variable")]);
    assert_eq!(options, "Options { data_dir: \"flag\", workers: 2, transfer: Some(Transfer { connections: 4 }) }");
}

#[test]
fn a_wrong_variable_is_named() {
    assert_eq!(
        with_variables(&[("LONGSHORE_TRANSFER__CONNECTIONS", "many")]),
        "`transfer.connections` in the variable LONGSHORE_TRANSFER__CONNECTIONS is wrong: \
         invalid type: found string \"many\", expected u16"
    );
    assert_eq!(
        with_variables(&[("LONGSHORE_TRANSFER__CONECTIONS", "4")]),
        "`transfer.conections` in the variable LONGSHORE_TRANSFER__CONECTIONS is not known; is it misspelled?"
    );
}

#[test]
fn variables_that_kubernetes_sets_for_a_service_are_ignored() {
    let options = with_variables(&[("LONGSHORE_PORT", "tcp://10.0.0.1:80"), ("LONGSHORE_SERVICE_HOST", "10.0.0.1")]);
    assert!(options.starts_with("Options"), "{options}");
}
