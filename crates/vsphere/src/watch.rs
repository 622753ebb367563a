//! Following many objects: a container view, a property collector of our own, and `WaitForUpdatesEx`.

use std::time::Duration;

use crate::soap::{CALL, Call, Fields};
use crate::{Client, Error, Fault, MoRef, ParseError, UpdateSet};

const WAIT: &str = "WaitForUpdatesEx";
/// Objects in one answer: a page of VMs with devices stays at some megabytes.
const PAGE: u32 = 500;

/// Which properties of which type to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectSpec {
    /// The managed object type, such as `VirtualMachine`; subtypes are included.
    pub kind: String,
    /// Property paths, such as `config.hardware`.
    pub paths: Vec<String>,
}

impl ObjectSpec {
    /// These paths of this type.
    pub fn new(kind: &str, paths: &[&str]) -> Self {
        Self { kind: kind.to_owned(), paths: paths.iter().map(|path| (*path).to_owned()).collect() }
    }
}

/// A view of all objects of some types and what changes in it. It is bound to the session that made it: after
/// [`Error::SessionLost`] or [`Fault::InvalidCollectorVersion`] make a new one, whose first set is everything.
#[derive(Debug)]
pub struct PropertyWatch {
    client: Client,
    view: MoRef,
    collector: MoRef,
    version: String,
    page: u32,
}

impl Client {
    /// Follows these types everywhere below the root folder; the root folder itself is among them where `Folder` is.
    /// A path that a type doesn't have in this release is the fault [`Fault::InvalidProperty`] (real servers), or stays
    /// absent (the simulator).
    pub async fn watch(&self, specs: &[ObjectSpec]) -> Result<PropertyWatch, Error> {
        self.watch_paged(specs, PAGE).await
    }

    /// [`Client::watch`] with at most `page` objects in one answer.
    pub async fn watch_paged(&self, specs: &[ObjectSpec], page: u32) -> Result<PropertyWatch, Error> {
        let service = self.service();
        let view = self.create(Call::new("CreateContainerView", &service.view_manager).with(|arguments| {
            arguments.reference("container", &service.root_folder);
            for spec in specs {
                arguments.text("type", &spec.kind);
            }
            arguments.boolean("recursive", true);
        }));
        let view = view.await?;
        let collector = self.create(Call::new("CreatePropertyCollector", &service.property_collector)).await?;
        let mut watch = PropertyWatch { client: self.clone(), view, collector, version: String::new(), page };
        if let Err(error) = watch.filter(specs).await {
            watch.release().await;
            return Err(error);
        }
        Ok(watch)
    }

    /// A call that makes an object on the server.
    async fn create(&self, call: Call) -> Result<MoRef, Error> {
        let method = call.method;
        let made = self.required(call).await?;
        made.as_moref().ok_or(Error::Answer { method, source: ParseError::Lacks("a reference") })
    }
}

impl PropertyWatch {
    /// The next changes, or `None` if nothing changed within `max_wait` (whole seconds; at least one). The first sets,
    /// up to and including the first that is not truncated, are all objects.
    pub async fn next(&mut self, max_wait: Duration) -> Result<Option<UpdateSet>, Error> {
        let seconds = u32::try_from(max_wait.as_secs()).unwrap_or(u32::MAX).max(1);
        let call = Call::new(WAIT, &self.collector).with(|arguments| {
            arguments.text("version", &self.version).object("options", |options| {
                options.number("maxWaitSeconds", seconds).number("maxObjectUpdates", self.page);
            });
        });
        let limit = CALL + Duration::from_secs(seconds.into());
        let Some(value) = self.client.once(&call, limit).await? else { return Ok(None) };
        let set = UpdateSet::from_value(value).map_err(|source| Error::Answer { method: WAIT, source })?;
        if set.session_lost() {
            return Err(Error::SessionLost);
        }
        self.version.clone_from(&set.version);
        Ok(Some(set))
    }

    /// The version that the next call continues from; empty before the first set.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Ends the watch on the server. Without it the server keeps collector and view until the session ends.
    pub async fn close(self) {
        self.release().await;
    }

    async fn filter(&mut self, specs: &[ObjectSpec]) -> Result<(), Error> {
        let root = specs.iter().any(|spec| spec.kind == "Folder").then(|| self.client.root_folder().clone());
        let call = Call::new("CreateFilter", &self.collector).with(|arguments| {
            arguments.object("spec", |filter| specification(filter, specs, &self.view, root.as_ref()));
            // With partial updates a server names elements of arrays by their keys in ways that differ by release;
            // without, it sends the property that was asked for as a whole.
            arguments.boolean("partialUpdates", false);
        });
        self.client.once(&call, CALL).await.map(drop)
    }

    /// Removes what was made on the server. A failure only leaves work to the end of the session.
    async fn release(&self) {
        for call in [Call::new("DestroyPropertyCollector", &self.collector), Call::new("DestroyView", &self.view)] {
            match self.client.once(&call, CALL).await {
                Ok(_) | Err(Error::SessionLost | Error::Refused { fault: Fault::ManagedObjectNotFound { .. }, .. }) => {
                }
                Err(error) => tracing::warn!(method = call.method, %error, "vsphere.watch.left_behind"),
            }
        }
    }
}

fn specification(filter: &mut Fields, specs: &[ObjectSpec], view: &MoRef, root: Option<&MoRef>) {
    for spec in specs {
        filter.object("propSet", |set| {
            set.text("type", &spec.kind).boolean("all", false);
            for path in &spec.paths {
                set.text("pathSet", path);
            }
        });
    }
    filter.object("objectSet", |set| {
        set.reference("obj", view).boolean("skip", true).object_of("selectSet", "TraversalSpec", |traversal| {
            traversal.text("name", "view").text("type", &view.kind).text("path", "view").boolean("skip", false);
        });
    });
    if let Some(root) = root {
        filter.object("objectSet", |set| {
            set.reference("obj", root).boolean("skip", false);
        });
    }
}
