//! `longshore get`: fetches objects and writes them as a table, JSON, YAML or names.

pub mod age;
mod path;
pub mod table;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::args::{GetArgs, GetWhat, Output, ResourceArgs};
use crate::client::Client;
use crate::discovery::{Kind, Kinds, name_of};
use crate::inventory;

/// Runs the command.
pub async fn run(args: &GetArgs, client: &Client) -> anyhow::Result<()> {
    match &args.what {
        Some(GetWhat::Inventory(args)) => inventory::run(args, client).await,
        None => resources(&args.resource, client).await,
    }
}

async fn resources(args: &ResourceArgs, client: &Client) -> anyhow::Result<()> {
    let kinds = Kinds::fetch(client).await?;
    let kind = kinds.find(args.kind.as_deref().unwrap_or_default())?;
    let objects = fetch(args, kind, client).await?;
    if objects.is_empty() {
        let place =
            if args.all_namespaces { "any namespace".to_owned() } else { format!("namespace {}", args.namespace) };
        eprintln!("no {} in {place}", kind.name);
    }
    let one = args.names.len() == 1;
    print!("{}", render(args.output, kind, args.all_namespaces, &objects, one, Timestamp::now())?);
    Ok(())
}

async fn fetch(args: &ResourceArgs, kind: &Kind, client: &Client) -> anyhow::Result<Vec<Value>> {
    if args.names.is_empty() {
        let path = if args.all_namespaces { kind.everywhere() } else { kind.collection(&args.namespace) };
        let list = client.get(&path).await?;
        return Ok(list["items"].as_array().cloned().unwrap_or_default());
    }
    let mut objects = Vec::new();
    for name in &args.names {
        objects.push(client.get(&kind.object(&args.namespace, name)).await?);
    }
    Ok(objects)
}

fn render(
    output: Output,
    kind: &Kind,
    namespaces: bool,
    objects: &[Value],
    one: bool,
    now: Timestamp,
) -> anyhow::Result<String> {
    Ok(match output {
        Output::Json | Output::Yaml => document(output, objects, one)?,
        Output::Name => objects.iter().map(|object| format!("{}\n", kind.named(name_of(object).0))).collect(),
        Output::Table | Output::Wide if objects.is_empty() => String::new(),
        Output::Table | Output::Wide => {
            let wide = output == Output::Wide;
            let mut rows = vec![heading(kind, namespaces, wide)];
            rows.extend(objects.iter().map(|object| row(object, kind, namespaces, wide, now)));
            table::render(&rows)
        }
    })
}

/// One object as it is, several as a `List`; JSON or YAML.
pub fn document(output: Output, objects: &[Value], one: bool) -> anyhow::Result<String> {
    let whole = match objects {
        [object] if one => object.clone(),
        objects => json!({ "apiVersion": "v1", "kind": "List", "items": objects }),
    };
    Ok(match output {
        Output::Yaml => serde_yaml_ng::to_string(&whole)?,
        _ => format!("{whole:#}\n"),
    })
}

fn heading(kind: &Kind, namespaces: bool, wide: bool) -> Vec<String> {
    let columns = kind.columns.iter().map(|column| column.name.to_uppercase());
    let namespace = namespaces.then(|| "NAMESPACE".to_owned());
    let message = wide.then(|| "MESSAGE".to_owned());
    namespace.into_iter().chain(["NAME".to_owned()]).chain(columns).chain(message).collect()
}

fn row(object: &Value, kind: &Kind, namespaces: bool, wide: bool, now: Timestamp) -> Vec<String> {
    let (name, namespace) = name_of(object);
    let columns = kind.columns.iter().map(|column| {
        let value = path::find(object, &column.json_path);
        if column.type_ == "date" { age::since(value, now) } else { path::text(value) }
    });
    let namespace = namespaces.then(|| namespace.to_owned());
    let message = wide.then(|| blocking(object));
    namespace.into_iter().chain([name.to_owned()]).chain(columns).chain(message).collect()
}

/// What keeps the object from being ready: the messages of its Critical and Error conditions.
fn blocking(object: &Value) -> String {
    let conditions = object["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let blocks = |condition: &&Value| {
        condition["status"] == "True" && matches!(condition["category"].as_str(), Some("Critical" | "Error"))
    };
    let messages: Vec<&str> = conditions.iter().filter(blocks).filter_map(|c| c["message"].as_str()).collect();
    messages.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::tests::kinds;

    fn plans() -> Vec<Value> {
        let plan = |name: &str, ready: &str, at: &str| {
            json!({
                "apiVersion": "forklift.konveyor.io/v1beta1", "kind": "Plan",
                "metadata": { "name": name, "namespace": "east", "creationTimestamp": at },
                "status": { "conditions": [
                    { "type": "Ready", "status": ready },
                    { "type": "VMNotFound", "status": "True", "category": "Critical", "message": "VM `x` is not there." },
                ] },
            })
        };
        vec![plan("web", "True", "2026-01-02T03:04:05Z"), plan("database", "False", "2026-01-01T00:00:00Z")]
    }

    fn rendered(output: Output, namespaces: bool, one: bool) -> String {
        let kinds = kinds();
        let now = "2026-01-02T04:04:05Z".parse().unwrap();
        let objects = if one { plans()[..1].to_vec() } else { plans() };
        render(output, kinds.find("plan").unwrap(), namespaces, &objects, one, now).unwrap()
    }

    #[test]
    fn a_table_has_the_servers_columns() {
        assert_eq!(
            rendered(Output::Table, false, false),
            "NAME       READY   AGE\nweb        True    60m\ndatabase   False   28h\n"
        );
    }

    #[test]
    fn all_namespaces_are_told_apart() {
        assert_eq!(
            rendered(Output::Table, true, true),
            "NAMESPACE   NAME   READY   AGE\neast        web    True    60m\n"
        );
    }

    #[test]
    fn wide_says_what_blocks() {
        assert_eq!(
            rendered(Output::Wide, false, true),
            "NAME   READY   AGE   MESSAGE\nweb    True    60m   VM `x` is not there.\n"
        );
    }

    #[test]
    fn names_can_be_given_back_to_the_command_line() {
        assert_eq!(rendered(Output::Name, false, true), "plan.forklift.konveyor.io/web\n");
    }

    #[test]
    fn one_object_is_written_as_it_is_and_several_as_a_list() {
        let one: Value = serde_json::from_str(&rendered(Output::Json, false, true)).unwrap();
        assert_eq!(one, plans()[0]);
        let list: Value = serde_yaml_ng::from_str(&rendered(Output::Yaml, false, false)).unwrap();
        assert_eq!((&list["kind"], list["items"].as_array().unwrap().len()), (&json!("List"), 2));
    }
}
