//! What the server says about itself before a login: `ServiceContent`.

use serde::{Deserialize, Serialize};

use crate::{MoRef, ParseError, Value};

/// The product behind an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Such as `VMware vCenter Server 8.0.3 build-24022515`.
    pub full_name: String,
    /// The product's version, such as `8.0.3`.
    pub version: String,
    /// The build.
    pub build: String,
    /// The API's version, such as `8.0.3.0`.
    pub api_version: String,
    /// `VirtualCenter` or `HostAgent`.
    pub api_type: String,
    /// The vCenter's own id; empty for ESXi.
    pub instance_uuid: String,
}

impl About {
    /// True for a vCenter, false for an ESXi host.
    pub fn is_vcenter(&self) -> bool {
        self.api_type == "VirtualCenter"
    }
}

/// The singletons that calls are made on.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) about: About,
    pub(crate) root_folder: MoRef,
    pub(crate) session_manager: MoRef,
    pub(crate) property_collector: MoRef,
    pub(crate) view_manager: MoRef,
}

impl Service {
    /// The one object known beforehand.
    pub(crate) fn instance() -> MoRef {
        MoRef::new("ServiceInstance", "ServiceInstance")
    }

    pub(crate) fn from_value(content: &Value) -> Result<Self, ParseError> {
        let object = |name: &'static str| content.moref(name).ok_or(ParseError::Lacks(name));
        Ok(Self {
            about: about(content.get("about").ok_or(ParseError::Lacks("about"))?),
            root_folder: object("rootFolder")?,
            session_manager: object("sessionManager")?,
            property_collector: object("propertyCollector")?,
            view_manager: object("viewManager")?,
        })
    }

    /// The SOAPAction by which the server serializes types of its own release instead of the oldest one's.
    pub(crate) fn action(&self) -> String {
        format!("urn:vim25/{}", self.about.api_version)
    }

    /// 6.5 is the oldest release whose API the paths and methods here are known to exist in.
    pub(crate) fn is_supported(&self) -> bool {
        let mut numbers = self.about.api_version.split('.').map(|part| part.parse().unwrap_or(0_u32));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (6, 5)
    }
}

fn about(about: &Value) -> About {
    let text = |name| about.text(name).unwrap_or_default().to_owned();
    About {
        full_name: text("fullName"),
        version: text("version"),
        build: text("build"),
        api_version: text("apiVersion"),
        api_type: text("apiType"),
        instance_uuid: text("instanceUuid"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(api_version: &str) -> Value {
        let xml = format!(
            "<returnval><rootFolder type='Folder'>group-d1</rootFolder><propertyCollector type='PropertyCollector'>pc\
             </propertyCollector><viewManager type='ViewManager'>vm</viewManager><about><fullName>VMware</fullName>\
             <version>8.0.3</version><build>1</build><apiType>VirtualCenter</apiType><apiVersion>{api_version}\
             </apiVersion></about><sessionManager type='SessionManager'>sm</sessionManager></returnval>"
        );
        Value::from_xml(&xml).unwrap()
    }

    #[test]
    fn the_content_is_read() {
        let service = Service::from_value(&content("8.0.3.0")).unwrap();
        assert!(service.about.is_vcenter());
        assert_eq!(service.root_folder, MoRef::new("Folder", "group-d1"));
        assert_eq!(service.action(), "urn:vim25/8.0.3.0");
        assert!(matches!(Service::from_value(&Value::scalar("")), Err(ParseError::Lacks(_))));
    }

    #[test]
    fn releases_before_6_5_are_not_supported() {
        let supported = |version| Service::from_value(&content(version)).unwrap().is_supported();
        assert!(["6.5", "6.7.3", "7.0.0.0", "10.0"].into_iter().all(supported));
        assert!(!["5.5", "6.0", "", "what"].into_iter().any(supported));
    }
}
