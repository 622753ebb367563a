//! What the guest reports through VMware Tools: addresses and file systems. Free space is volatile.

use contract::vsphere::{GuestDisk, GuestNetwork};
use serde_json::{Map, Value as Json};
use vsphere::Value;

use super::read::{inner, inner_number};

/// The field of a VM document that holds volatile free space.
const DISKS: &str = "guestDisks";

/// Addresses from `guest.net`, one entry an address; an interface without details gives its plain addresses.
pub(super) fn networks(value: Option<&Value>) -> Vec<GuestNetwork> {
    let nics = value.map(|value| value.list("")).unwrap_or_default();
    nics.into_iter().enumerate().flat_map(|(index, nic)| addresses(index, nic)).collect()
}

fn addresses(index: usize, nic: &Value) -> Vec<GuestNetwork> {
    let base = GuestNetwork {
        device: index.to_string(),
        device_config_id: inner_number(nic, "deviceConfigId"),
        mac: inner(nic, "macAddress").to_lowercase(),
        dns: texts(nic, "dnsConfig.ipAddress"),
        network: inner(nic, "network"),
        ..GuestNetwork::default()
    };
    let detailed = nic.list("ipConfig.ipAddress");
    if detailed.is_empty() {
        return texts(nic, "ipAddress").into_iter().map(|ip| GuestNetwork { ip, ..base.clone() }).collect();
    }
    let address = |detail: &Value| GuestNetwork {
        ip: inner(detail, "ipAddress"),
        origin: inner(detail, "origin"),
        prefix: inner_number(detail, "prefixLength"),
        ..base.clone()
    };
    detailed.into_iter().map(address).collect()
}

fn texts(value: &Value, path: &str) -> Vec<String> {
    value.list(path).into_iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// File systems from `guest.disk`.
pub(super) fn disks(value: Option<&Value>) -> Vec<GuestDisk> {
    let disk = |disk: &Value| GuestDisk {
        key: disk.list("mappings").first().map(|mapping| inner_number(mapping, "key")).unwrap_or_default(),
        disk_path: inner(disk, "diskPath"),
        capacity: inner_number(disk, "capacity"),
        free_space: inner_number(disk, "freeSpace"),
        filesystem_type: inner(disk, "filesystemType"),
    };
    value.map(|value| value.list("")).unwrap_or_default().into_iter().map(disk).collect()
}

/// Takes the free space out of a VM document and gives back the whole list, to be kept beside it.
pub(super) fn split(document: &mut Map<String, Json>) -> Map<String, Json> {
    let Some(Json::Array(disks)) =
        document.get_mut(DISKS).filter(|disks| disks.as_array().is_some_and(|d| !d.is_empty()))
    else {
        return Map::new();
    };
    let whole = Json::Array(disks.clone());
    for disk in disks.iter_mut().filter_map(Json::as_object_mut) {
        disk.remove("freeSpace");
    }
    Map::from_iter([(DISKS.to_owned(), whole)])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::map::sample;

    #[test]
    fn each_address_is_an_entry_with_the_details_of_its_interface() {
        let value = sample::value(
            r#"<val x:type="ArrayOfGuestNicInfo">
            <GuestNicInfo><network>VM Network</network><ipAddress>10.0.0.7</ipAddress><macAddress>00:0C:29:AA:00:01</macAddress>
              <deviceConfigId>4000</deviceConfigId><dnsConfig><ipAddress>10.0.0.1</ipAddress></dnsConfig>
              <ipConfig><ipAddress><ipAddress>10.0.0.7</ipAddress><prefixLength>24</prefixLength><origin>manual</origin></ipAddress>
                <ipAddress><ipAddress>fe80::1</ipAddress><prefixLength>64</prefixLength></ipAddress></ipConfig></GuestNicInfo>
            <GuestNicInfo><ipAddress>192.168.1.2</ipAddress><macAddress>00:0c:29:aa:00:02</macAddress>
              <deviceConfigId>4001</deviceConfigId></GuestNicInfo></val>"#,
        );
        let networks = networks(Some(&value));
        let shown: Vec<_> = networks.iter().map(|n| (n.device.as_str(), n.ip.as_str(), n.prefix)).collect();
        assert_eq!(shown, [("0", "10.0.0.7", 24), ("0", "fe80::1", 64), ("1", "192.168.1.2", 0)]);
        assert_eq!((networks[0].mac.as_str(), networks[0].origin.as_str()), ("00:0c:29:aa:00:01", "manual"));
        assert_eq!((networks[1].dns.clone(), networks[2].device_config_id), (vec!["10.0.0.1".to_owned()], 4001));
    }

    #[test]
    fn file_systems_keep_a_free_space_of_zero() {
        let value = sample::value(
            r#"<val x:type="ArrayOfGuestDiskInfo"><GuestDiskInfo><diskPath>/</diskPath><capacity>100</capacity>
            <freeSpace>0</freeSpace><filesystemType>ext4</filesystemType><mappings><key>2000</key></mappings></GuestDiskInfo></val>"#,
        );
        let disks = disks(Some(&value));
        assert_eq!((disks[0].key, disks[0].capacity, disks[0].free_space), (2000, 100, 0));
        assert_eq!(serde_json::to_value(&disks).unwrap()[0]["freeSpace"], json!(0));
    }

    #[test]
    fn free_space_is_kept_beside_the_document() {
        let mut document = json!({"guestDisks": [{"diskPath": "/", "freeSpace": 7}]}).as_object().unwrap().clone();
        let volatile = split(&mut document);
        assert_eq!(document["guestDisks"], json!([{"diskPath": "/"}]));
        assert_eq!(volatile["guestDisks"][0]["freeSpace"], json!(7));
        assert!(split(&mut json!({"guestDisks": []}).as_object().unwrap().clone()).is_empty());
    }
}
