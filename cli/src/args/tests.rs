//! What people type, and what comes of it.

use clap::CommandFactory;

use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

fn get(line: &str) -> GetArgs {
    match parse(line).unwrap().command {
        Command::Get(args) => args,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_has_help_and_an_example() {
    fn check(command: &clap::Command, path: &str) {
        let path = format!("{path} {}", command.get_name());
        assert!(command.get_about().is_some(), "{path} has no help");
        let leaf = command.get_subcommands().next().is_none();
        let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(!leaf || after.contains("Example"), "{path} has no example");
        command.get_subcommands().for_each(|sub| check(sub, &path));
    }
    check(&Cli::command(), "");
}

#[test]
fn get_takes_a_kind_and_names() {
    let args = get("longshore get plan a b -n x -o wide").resource;
    assert_eq!(args.kind.as_deref(), Some("plan"));
    assert_eq!(args.names, ["a", "b"]);
    assert_eq!((args.namespace.as_str(), args.output), ("x", Output::Wide));
    assert_eq!(get("longshore get plans").resource.namespace, "default");
}

#[test]
fn get_inventory_is_a_command_of_its_own() {
    let args = get("longshore get inventory vms --provider vc -o json");
    let Some(GetWhat::Inventory(inventory)) = args.what else { panic!("{args:?}") };
    assert_eq!((inventory.kind, inventory.provider.as_str()), (InventoryKind::Vms, "vc"));
    assert_eq!(inventory.output, Output::Json);
    assert!(parse("longshore get inventory vms").is_err());
    assert!(parse("longshore get inventory disks -p vc").is_err());
}

#[test]
fn wrong_usage_is_refused() {
    for line in [
        "longshore",
        "longshore get",
        "longshore get plan a -A",
        "longshore apply",
        "longshore delete plan",
        "longshore watch plan",
        "longshore up --listen nowhere",
        "longshore up --storage-class fast",
        "longshore up --nats-url nats://x --nats-server y",
    ] {
        assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
    }
}

#[test]
fn storage_classes_may_be_repeated() {
    let Command::Up(args) = parse("longshore up --storage-class a=/x --storage-class b=/y=z").unwrap().command else {
        panic!("not up")
    };
    let expected =
        [("a", "/x"), ("b", "/y=z")].map(|(name, folder)| StorageClass { name: name.into(), folder: folder.into() });
    assert_eq!(args.storage_classes, expected);
}
