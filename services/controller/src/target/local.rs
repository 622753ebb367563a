//! The `local` target: raw disk files in the directories that storage classes name, and for each VM its
//! manifest and the command that runs it. Nothing is started by it. A file `<volume>.owner` beside each volume
//! names the import it belongs to; what has no mark of ours is never written to or removed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::Value;

use super::{HandedOver, Owner, StorageClasses, Target, Volume};
use crate::step::Problem;
use crate::vm::qemu;

/// A directory on this machine as target.
#[derive(Clone, Debug)]
pub struct Local {
    classes: StorageClasses,
    vms: PathBuf,
    /// One operation at a time: reading an owner mark and acting on it must not be parted by another import's.
    alone: Arc<Mutex<()>>,
}

impl Local {
    /// `classes` are absolute directories, made when first used; `vms` is where manifests go.
    pub fn new(classes: StorageClasses, vms: PathBuf) -> Self {
        Self { classes, vms, alone: Arc::default() }
    }

    fn file(&self, volume: &Volume) -> Result<PathBuf, Problem> {
        self.path(volume).ok_or_else(|| {
            let known = self.storage_classes().join(", ");
            Problem::lasting(
                "StorageClassNotFound",
                format!(
                    "storage class `{}` is not configured on this machine (there are: {known})",
                    volume.storage_class
                ),
            )
        })
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let this = self.clone();
        let alone = move || {
            let _alone = this.alone.lock().unwrap_or_else(PoisonError::into_inner);
            work(&this)
        };
        match tokio::task::spawn_blocking(alone).await {
            Ok(result) => result,
            Err(error) => Err(Problem::passing("Internal", format!("a file operation was aborted: {error}"))),
        }
    }

    fn create_volume(&self, volume: &Volume, owner: &Owner) -> Result<(), Problem> {
        let file = self.file(volume)?;
        let trouble = |error| io_problem("VolumeNotCreated", &file, "can't be made", &error);
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent).map_err(trouble)?;
        }
        match (fs::metadata(&file), read_mark(&file).map_err(trouble)?) {
            (Ok(_), Some(mark)) if mark == owner.uid => {}
            (Ok(_), Some(mark)) if owner.heirs_of.contains(&mark) => write_mark(&file, &owner.uid).map_err(trouble)?,
            (Ok(_), mark) => return Err(taken(&file, mark.as_deref())),
            (Err(error), _) if error.kind() == io::ErrorKind::NotFound => {
                write_mark(&file, &owner.uid).map_err(trouble)?;
            }
            (Err(error), _) => return Err(trouble(error)),
        }
        // Neither truncated when it exists nor allocated when it is new: the copy fills and proves it.
        let handle = fs::OpenOptions::new().write(true).create(true).truncate(false).open(&file).map_err(trouble)?;
        handle.set_len(volume.capacity).and_then(|()| handle.sync_all()).map_err(trouble)?;
        sync_parent(&file).map_err(trouble)
    }

    fn remove_volume(&self, volume: &Volume, owner: &Owner) -> Result<(), Problem> {
        let file = self.file(volume)?;
        let trouble = |error| io_problem("VolumeNotRemoved", &file, "can't be removed", &error);
        if read_mark(&file).map_err(trouble)?.as_deref() != Some(owner.uid.as_str()) {
            return Ok(());
        }
        // The mark goes last, so that a crash in between leaves something that is still known as ours.
        for path in [file.clone(), beside(&file, "manifest"), beside(&file, "owner")] {
            remove(&path).map_err(trouble)?;
        }
        sync_parent(&file).map_err(trouble)
    }

    fn vm_dir(&self, namespace: &str, name: &str) -> PathBuf {
        self.vms.join(namespace).join(name)
    }
}

#[async_trait]
impl Target for Local {
    fn storage_classes(&self) -> Vec<String> {
        self.classes.keys().cloned().collect()
    }

    fn path(&self, volume: &Volume) -> Option<PathBuf> {
        let directory = self.classes.get(&volume.storage_class)?;
        Some(directory.join(&volume.namespace).join(format!("{}.img", volume.claim)))
    }

    async fn vm_exists(&self, namespace: &str, name: &str, owner: &Owner) -> Result<bool, Problem> {
        let (dir, owner) = (self.vm_dir(namespace, name), owner.clone());
        self.blocking(move |_| {
            let manifest = dir.join(MANIFEST);
            let mark =
                read_mark(&manifest).map_err(|e| io_problem("TargetUnreadable", &manifest, "can't be read", &e))?;
            let ours = mark.is_some_and(|mark| mark == owner.uid || owner.heirs_of.contains(&mark));
            Ok(manifest.exists() && !ours)
        })
        .await
    }

    async fn check_space(&self, volumes: &[Volume]) -> Result<(), Problem> {
        let volumes = volumes.to_vec();
        self.blocking(move |this| {
            let mut wanted: BTreeMap<u64, (u64, PathBuf)> = BTreeMap::new();
            for volume in &volumes {
                let file = this.file(volume)?;
                let trouble = |error| io_problem("TargetUnreadable", &file, "can't be examined", &error);
                let directory = existing_ancestor(&file);
                let present = fs::metadata(&file).map(|meta| meta.blocks() * 512).unwrap_or(0);
                let entry = wanted.entry(fs::metadata(&directory).map_err(trouble)?.dev()).or_insert((0, directory));
                entry.0 += volume.capacity.saturating_sub(present);
            }
            wanted.into_values().try_for_each(|(bytes, directory)| enough_room(&directory, bytes))
        })
        .await
    }

    async fn create_volumes(&self, volumes: &[Volume], owner: &Owner) -> Result<(), Problem> {
        let (volumes, owner) = (volumes.to_vec(), owner.clone());
        self.blocking(move |this| volumes.iter().try_for_each(|volume| this.create_volume(volume, &owner))).await
    }

    async fn remove_volumes(&self, volumes: &[Volume], owner: &Owner) -> Result<(), Problem> {
        let (volumes, owner) = (volumes.to_vec(), owner.clone());
        self.blocking(move |this| volumes.iter().try_for_each(|volume| this.remove_volume(volume, &owner))).await
    }

    async fn in_use(&self, volumes: &[Volume]) -> Result<bool, Problem> {
        let volumes = volumes.to_vec();
        self.blocking(move |this| {
            for volume in &volumes {
                let file = this.file(volume)?;
                let handle = match fs::OpenOptions::new().write(true).open(&file) {
                    Ok(handle) => handle,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(io_problem("TargetUnreadable", &file, "can't be opened", &error)),
                };
                // Let go of at once: closing the handle ends the lock.
                if rustix::fs::flock(&handle, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_err() {
                    return Ok(true);
                }
            }
            Ok(false)
        })
        .await
    }

    async fn create_vm(&self, manifest: &Value, volumes: &[Volume], owner: &Owner) -> Result<HandedOver, Problem> {
        let (manifest, volumes, owner) = (manifest.clone(), volumes.to_vec(), owner.clone());
        self.blocking(move |this| {
            let text = |field: &str| manifest["metadata"][field].as_str().unwrap_or_default().to_owned();
            let directory = this.vm_dir(&text("namespace"), &text("name"));
            let path = directory.join(MANIFEST);
            let trouble = |error| io_problem("VirtualMachineNotCreated", &path, "can't be written", &error);
            let files = volumes.iter().map(|v| Ok((v.claim.clone(), this.file(v)?))).collect::<Result<_, Problem>>()?;
            let command = qemu::command(&manifest, &files)
                .map_err(|error| Problem::lasting("VirtualMachineNotCreated", error.to_string()))?;
            let command = qemu::shell(&command);
            let yaml = serde_yaml_ng::to_string(&manifest)
                .map_err(|error| Problem::lasting("VirtualMachineNotCreated", error.to_string()))?;
            fs::create_dir_all(&directory).map_err(trouble)?;
            match read_mark(&path).map_err(trouble)? {
                Some(mark) if mark != owner.uid && !owner.heirs_of.contains(&mark) => {
                    return Err(taken(&path, Some(&mark)));
                }
                None if path.exists() => return Err(taken(&path, None)),
                _ => write_mark(&path, &owner.uid).map_err(trouble)?,
            }
            write_atomically(&directory.join(RUN), &format!("#!/bin/sh\nexec {command}\n")).map_err(trouble)?;
            write_atomically(&path, &yaml).map_err(trouble)?;
            Ok(HandedOver { manifest: path, command })
        })
        .await
    }

    async fn remove_vm(&self, namespace: &str, name: &str, owner: &Owner) -> Result<(), Problem> {
        let (directory, owner) = (self.vm_dir(namespace, name), owner.clone());
        self.blocking(move |_| {
            let path = directory.join(MANIFEST);
            let trouble = |error| io_problem("VirtualMachineNotRemoved", &path, "can't be removed", &error);
            if read_mark(&path).map_err(trouble)?.as_deref() != Some(owner.uid.as_str()) {
                return Ok(());
            }
            for file in [path.clone(), directory.join(RUN), beside(&path, "owner")] {
                remove(&file).map_err(trouble)?;
            }
            match fs::remove_dir(&directory) {
                Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty) => {
                    Err(trouble(error))
                }
                _ => Ok(()),
            }
        })
        .await
    }
}

/// File name of a VM's manifest.
const MANIFEST: &str = "virtualmachine.yaml";
/// File name of the script that runs a VM.
const RUN: &str = "run.sh";

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

fn read_mark(file: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(beside(file, "owner")) {
        Ok(mark) => Ok(Some(mark.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn write_mark(file: &Path, uid: &str) -> io::Result<()> {
    write_atomically(&beside(file, "owner"), &format!("{uid}\n"))
}

fn write_atomically(path: &Path, text: &str) -> io::Result<()> {
    let temporary = beside(path, "tmp");
    let mut file = fs::File::create(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    sync_parent(path)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |parent| fs::File::open(parent)?.sync_all())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn existing_ancestor(path: &Path) -> PathBuf {
    path.ancestors().skip(1).find(|ancestor| ancestor.exists()).unwrap_or(Path::new("/")).to_owned()
}

fn enough_room(directory: &Path, bytes: u64) -> Result<(), Problem> {
    let stat = rustix::fs::statvfs(directory)
        .map_err(|error| io_problem("TargetUnreadable", directory, "can't be examined", &error.into()))?;
    let free = stat.f_bavail * stat.f_frsize;
    if free >= bytes {
        return Ok(());
    }
    Err(Problem::lasting(
        "TargetFull",
        format!(
            "the disks may need {bytes} bytes in {} and {free} are free; make room or map the datastore to another storage class",
            directory.display()
        ),
    ))
}

fn taken(file: &Path, mark: Option<&str>) -> Problem {
    let whose = mark.map_or("was not made by Longshore".to_owned(), |mark| format!("belongs to the import {mark}"));
    Problem::lasting(
        "TargetExists",
        format!("{} exists already and {whose}; move it away or choose another target name", file.display()),
    )
}

fn io_problem(reason: &str, path: &Path, what: &str, error: &io::Error) -> Problem {
    Problem::lasting(reason, format!("{} {what}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn local(root: &Path) -> Local {
        Local::new(StorageClasses::from([("local".to_owned(), root.join("disks"))]), root.join("vms"))
    }

    fn volume(capacity: u64) -> Volume {
        Volume { namespace: "shop".into(), claim: "web-disk-0".into(), storage_class: "local".into(), capacity }
    }

    fn owner(uid: &str) -> Owner {
        Owner { uid: uid.into(), ..Owner::default() }
    }

    #[tokio::test]
    async fn a_volume_is_sparse_and_making_it_twice_keeps_its_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let (local, volume) = (local(dir.path()), volume(1 << 30));
        local.create_volumes(std::slice::from_ref(&volume), &owner("a")).await.unwrap();
        let path = local.path(&volume).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), 1 << 30);
        assert_eq!(fs::metadata(&path).unwrap().blocks(), 0);
        fs::OpenOptions::new().write(true).open(&path).unwrap().write_all(b"data").unwrap();
        local.create_volumes(std::slice::from_ref(&volume), &owner("a")).await.unwrap();
        assert_eq!(&fs::read(&path).unwrap()[..4], b"data");
    }

    #[tokio::test]
    async fn a_volume_of_another_import_is_refused_unless_it_is_inherited() {
        let dir = tempfile::tempdir().unwrap();
        let (local, volume) = (local(dir.path()), volume(4096));
        let volumes = std::slice::from_ref(&volume);
        local.create_volumes(volumes, &owner("a")).await.unwrap();
        assert_eq!(local.create_volumes(volumes, &owner("b")).await.unwrap_err().reason, "TargetExists");
        let heir = Owner { uid: "b".into(), heirs_of: ["a".to_owned()].into() };
        local.create_volumes(volumes, &heir).await.unwrap();
        local.remove_volumes(volumes, &owner("a")).await.unwrap();
        assert!(local.path(&volume).unwrap().exists(), "it belongs to the heir now");
        local.remove_volumes(volumes, &heir).await.unwrap();
        assert_eq!(fs::read_dir(dir.path().join("disks/shop")).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_file_that_is_not_ours_is_never_touched() {
        let dir = tempfile::tempdir().unwrap();
        let (local, volume) = (local(dir.path()), volume(4096));
        let path = local.path(&volume).unwrap();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "somebody's").unwrap();
        let error = local.create_volumes(std::slice::from_ref(&volume), &owner("a")).await.unwrap_err();
        assert!(error.message.contains("was not made by Longshore"), "{}", error.message);
        local.remove_volumes(std::slice::from_ref(&volume), &owner("a")).await.unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"somebody's");
    }

    #[tokio::test]
    async fn too_little_room_is_told_before_anything_is_made() {
        let dir = tempfile::tempdir().unwrap();
        let error = local(dir.path()).check_space(&[volume(1 << 60)]).await.unwrap_err();
        assert_eq!(error.reason, "TargetFull");
        assert!(!dir.path().join("disks").exists());
    }

    #[tokio::test]
    async fn a_vm_is_handed_over_with_its_command_and_taken_back() {
        let dir = tempfile::tempdir().unwrap();
        let local = local(dir.path());
        let manifest = json!({ "metadata": { "name": "web", "namespace": "shop" } });
        let handed = local.create_vm(&manifest, &[], &owner("a")).await.unwrap();
        assert!(handed.command.starts_with("qemu-system-x86_64 "));
        assert!(local.vm_exists("shop", "web", &owner("b")).await.unwrap());
        assert_eq!(local.create_vm(&manifest, &[], &owner("b")).await.unwrap_err().reason, "TargetExists");
        local.remove_vm("shop", "web", &owner("b")).await.unwrap();
        assert!(handed.manifest.exists());
        local.remove_vm("shop", "web", &owner("a")).await.unwrap();
        assert!(!dir.path().join("vms/shop/web").exists());
    }
}
