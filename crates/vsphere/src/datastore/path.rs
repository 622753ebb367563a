//! The name of a file on a datastore, `[datastore] folder/disk.vmdk`, and the URL it is served at.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::SdkUrl;

/// RFC 3986's unreserved characters stay; all others are encoded, in paths and queries alike, since servers differ in
/// how they read the rest (`+` above all).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A file on a datastore.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DatastorePath {
    datastore: String,
    path: String,
}

/// A text that names no file on a datastore.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" names no file on a datastore: expected \"[datastore] folder/file\"")]
pub struct InvalidDatastorePath {
    /// What was given.
    pub text: String,
}

impl DatastorePath {
    /// The file `path` (relative to the datastore's root, separated by `/`) on the datastore of this name.
    pub fn new(datastore: &str, path: &str) -> Result<Self, InvalidDatastorePath> {
        // `.` and `..` would be resolved by URL parsers and end elsewhere.
        let fit = !datastore.is_empty() && path.split('/').all(|segment| !matches!(segment, "" | "." | ".."));
        if fit {
            Ok(Self { datastore: datastore.to_owned(), path: path.to_owned() })
        } else {
            Err(InvalidDatastorePath { text: format!("[{datastore}] {path}") })
        }
    }

    /// The datastore's name.
    pub fn datastore(&self) -> &str {
        &self.datastore
    }

    /// The path below the datastore's root.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A file that this one (a descriptor) names: beside it, or on the same datastore if the name has folders.
    /// An absolute name (`/vmfs/volumes/…`) lies elsewhere and is refused.
    pub fn sibling(&self, name: &str) -> Result<Self, InvalidDatastorePath> {
        match self.path.rsplit_once('/') {
            Some((folder, _)) if !name.contains('/') => Self::new(&self.datastore, &format!("{folder}/{name}")),
            _ => Self::new(&self.datastore, name),
        }
    }

    /// The flat file that usually belongs to this descriptor: `disk.vmdk` → `disk-flat.vmdk`. The descriptor's own
    /// extents say it for certain.
    pub fn flat(&self) -> Result<Self, InvalidDatastorePath> {
        let invalid = || InvalidDatastorePath { text: self.to_string() };
        let stem = self.path.strip_suffix(".vmdk").ok_or_else(invalid)?;
        Self::new(&self.datastore, &format!("{stem}-flat.vmdk"))
    }

    /// The URL by which the server of `sdk` serves it. `datacenter` is the datacenter's path below the root folder,
    /// such as `Europe/DC 1`, with the names as the API gives them; for ESXi it is `ha-datacenter`.
    pub fn url(&self, sdk: &SdkUrl, datacenter: &str) -> Url {
        let path: Vec<String> = self.path.split('/').map(encoded).collect();
        let query = format!("dcPath={}&dsName={}", encoded(datacenter), encoded(&self.datastore));
        sdk.sibling(&format!("/folder/{}", path.join("/")), &query)
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

impl FromStr for DatastorePath {
    type Err = InvalidDatastorePath;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let inside = text.trim().strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (datastore, path) = inside.ok_or_else(|| InvalidDatastorePath { text: text.to_owned() })?;
        Self::new(datastore, path.trim_start()).map_err(|_| InvalidDatastorePath { text: text.to_owned() })
    }
}

impl fmt::Display for DatastorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.datastore, self.path)
    }
}

impl TryFrom<String> for DatastorePath {
    type Error = InvalidDatastorePath;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<DatastorePath> for String {
    fn from(path: DatastorePath) -> Self {
        path.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_taken_apart_and_put_together() {
        let path: DatastorePath = "[nfs 1] web server/web_1.vmdk".parse().unwrap();
        assert_eq!((path.datastore(), path.path()), ("nfs 1", "web server/web_1.vmdk"));
        assert_eq!(path.to_string(), "[nfs 1] web server/web_1.vmdk");
        assert_eq!(path.flat().unwrap().path(), "web server/web_1-flat.vmdk");
        assert_eq!(path.sibling("web_1-flat.vmdk").unwrap().path(), "web server/web_1-flat.vmdk");
        assert_eq!(path.sibling("other/x.vmdk").unwrap().path(), "other/x.vmdk");
        assert_eq!(
            "[ds] top.vmdk".parse::<DatastorePath>().unwrap().sibling("a-flat.vmdk").unwrap().path(),
            "a-flat.vmdk"
        );
    }

    #[test]
    fn what_names_no_file_or_leads_elsewhere_is_refused() {
        for text in ["", "disk.vmdk", "[ds", "[ds]", "[] a.vmdk", "[ds] a/../b.vmdk", "[ds] /a", "[ds] a//b", "[ds] a/"]
        {
            let error = text.parse::<DatastorePath>().unwrap_err();
            assert!(error.to_string().contains(&format!("\"{text}\"")), "{error}");
        }
        let path: DatastorePath = "[ds] a/b.vmdk".parse().unwrap();
        assert!(path.sibling("/vmfs/volumes/other/x.vmdk").is_err());
        assert!(path.sibling("../x.vmdk").is_err());
        assert!("[ds] a.iso".parse::<DatastorePath>().unwrap().flat().is_err());
    }

    #[test]
    fn every_part_of_the_url_is_encoded_by_itself() {
        let path: DatastorePath = "[nfs+1 ä] web&co/50% #1?.vmdk".parse().unwrap();
        let sdk: SdkUrl = "https://vc.example:8443/sdk".parse().unwrap();
        assert_eq!(
            path.url(&sdk, "Europe/DC 1").as_str(),
            "https://vc.example:8443/folder/web%26co/50%25%20%231%3F.vmdk?dcPath=Europe%2FDC%201&dsName=nfs%2B1%20%C3%A4"
        );
    }
}
