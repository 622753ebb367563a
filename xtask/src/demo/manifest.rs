//! What the demo applies, as a user would write it.

use std::fs;

use anyhow::Result;

use super::processes::Vcenter;

/// Secret and providers.
pub fn providers(vcenter: &Vcenter) -> Result<String> {
    let certificate: String = fs::read_to_string(&vcenter.ca)?.lines().map(|line| format!("    {line}\n")).collect();
    let Vcenter { url, user, password, .. } = vcenter;
    Ok(format!(
        r#"apiVersion: v1
kind: Secret
metadata:
  name: vcenter
stringData:
  user: {user}
  password: {password}
  cacert: |
{certificate}---
apiVersion: forklift.konveyor.io/v1beta1
kind: Provider
metadata:
  name: vcenter
spec:
  type: vsphere
  url: {url}
  secret:
    name: vcenter
---
# The target: with an empty url it is this machine.
apiVersion: forklift.konveyor.io/v1beta1
kind: Provider
metadata:
  name: host
spec:
  type: openshift
  url: ""
  secret: {{}}
"#
    ))
}

/// Maps and plan.
pub fn plan(vm: &str) -> String {
    format!(
        r#"apiVersion: forklift.konveyor.io/v1beta1
kind: NetworkMap
metadata:
  name: demo
spec:
  provider:
    source: {{ name: vcenter }}
    destination: {{ name: host }}
  map:
    - source: {{ name: VM Network }}
      destination: {{ type: pod }}
    - source: {{ name: Backend }}
      destination: {{ type: multus, namespace: shop, name: backend }}
---
apiVersion: forklift.konveyor.io/v1beta1
kind: StorageMap
metadata:
  name: demo
spec:
  provider:
    source: {{ name: vcenter }}
    destination: {{ name: host }}
  map:
    - source: {{ name: vmfs-1 }}
      destination: {{ storageClass: fast }}
    - source: {{ name: nfs 1 }}
      destination: {{ storageClass: slow }}
---
apiVersion: forklift.konveyor.io/v1beta1
kind: Plan
metadata:
  name: demo
spec:
  targetNamespace: shop
  provider:
    source: {{ name: vcenter }}
    destination: {{ name: host }}
  map:
    network: {{ name: demo }}
    storage: {{ name: demo }}
  skipGuestConversion: true
  vms:
    - name: {vm}
"#
    )
}

/// What starts it.
pub fn migration() -> String {
    r"apiVersion: forklift.konveyor.io/v1beta1
kind: Migration
metadata:
  name: demo
spec:
  plan:
    name: demo
"
    .to_owned()
}
