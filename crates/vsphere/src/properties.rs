//! Reading properties once: `RetrievePropertiesEx`, page by page.

use crate::soap::{CALL, Call, Fields};
use crate::update::{missing, session_lost};
use crate::{Client, Error, Fault, MoRef, Object, ParseError, Value};

const RETRIEVE: &str = "RetrievePropertiesEx";
const CONTINUE: &str = "ContinueRetrievePropertiesEx";
/// Objects in one answer.
const PAGE: u32 = 500;

impl Client {
    /// These properties of one object. Unset ones are absent; withheld ones are in `missing`.
    pub async fn properties(&self, object: &MoRef, paths: &[&str]) -> Result<Object, Error> {
        let found = self.properties_of(std::slice::from_ref(object), paths).await?;
        found.into_iter().next().ok_or_else(|| Error::Refused {
            method: RETRIEVE,
            object: object.clone(),
            fault: Fault::ManagedObjectNotFound { object: Some(object.clone()) },
        })
    }

    /// These properties of several objects of one type, in the server's order.
    pub async fn properties_of(&self, objects: &[MoRef], paths: &[&str]) -> Result<Vec<Object>, Error> {
        self.properties_paged(objects, paths, PAGE).await
    }

    /// [`Client::properties_of`] with at most `page` objects in one answer.
    pub async fn properties_paged(&self, objects: &[MoRef], paths: &[&str], page: u32) -> Result<Vec<Object>, Error> {
        let Some(first) = objects.first() else { return Ok(Vec::new()) };
        let cookie = self.cookie();
        match self.pages(&first.kind, objects, paths, page).await {
            Err(Error::SessionLost) => {
                self.renewed(&cookie).await?;
                self.pages(&first.kind, objects, paths, page).await
            }
            other => other,
        }
    }

    /// All pages within one session, for its end takes their token with it.
    async fn pages(&self, kind: &str, objects: &[MoRef], paths: &[&str], page: u32) -> Result<Vec<Object>, Error> {
        let collector = &self.service().property_collector;
        let mut method = RETRIEVE;
        let mut call = Call::new(RETRIEVE, collector).with(|arguments| {
            arguments.object("specSet", |filter| specification(filter, kind, objects, paths));
            arguments.object("options", |options| {
                options.number("maxObjects", page);
            });
        });
        let mut found = Vec::with_capacity(objects.len());
        while let Some(result) = self.once(&call, CALL).await? {
            let token = result.text("token").map(ToOwned::to_owned);
            for (name, object) in result.into_fields() {
                if &*name == "objects" {
                    found.push(read(object).map_err(|source| Error::Answer { method, source })?);
                }
            }
            let Some(token) = token else { break };
            method = CONTINUE;
            call = Call::new(CONTINUE, collector).with(|arguments| {
                arguments.text("token", &token);
            });
        }
        // Without a session the values are withheld one by one instead of a fault for the call.
        if found.iter().any(|object| session_lost(&object.missing)) {
            return Err(Error::SessionLost);
        }
        Ok(found)
    }
}

fn specification(filter: &mut Fields, kind: &str, objects: &[MoRef], paths: &[&str]) {
    filter.object("propSet", |set| {
        set.text("type", kind).boolean("all", false);
        for path in paths {
            set.text("pathSet", path);
        }
    });
    for object in objects {
        filter.object("objectSet", |set| {
            set.reference("obj", object).boolean("skip", false);
        });
    }
}

/// From one `objects` element, an ObjectContent.
fn read(content: Value) -> Result<Object, ParseError> {
    let mut object = Object::new(content.moref("obj").ok_or(ParseError::Lacks("obj"))?);
    object.missing = missing(&content);
    for (name, property) in content.into_fields() {
        if &*name != "propSet" {
            continue;
        }
        let path = property.text("name").ok_or(ParseError::Lacks("name"))?.to_owned();
        if let Some((_, value)) = property.into_fields().into_iter().find(|(name, _)| &**name == "val") {
            object.properties.insert(path, value);
        }
    }
    Ok(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_and_what_is_withheld_are_read() {
        let xml = "<objects xmlns:xsi='x'><obj type='VirtualMachine'>vm-1</obj>\
            <propSet><name>name</name><val xsi:type='xsd:string'>one</val></propSet>\
            <propSet><name>runtime.host</name><val type='HostSystem'>host-9</val></propSet>\
            <missingSet><path>config</path><fault><fault xsi:type='NotAuthenticated'/></fault></missingSet></objects>";
        let object = read(Value::from_xml(xml).unwrap()).unwrap();
        assert_eq!(
            (object.text("name"), object.moref("runtime.host")),
            (Some("one"), Some(MoRef::new("HostSystem", "host-9")))
        );
        assert!(session_lost(&object.missing));
        assert!(read(Value::from_xml("<objects/>").unwrap()).is_err());
    }
}
