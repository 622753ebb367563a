use std::io::IoSliceMut;

use rustix::io::ReadWriteFlags;

use super::*;

const MIB: u64 = 1 << 20;

async fn created(length: u64) -> (tempfile::TempDir, RawTarget) {
    let folder = tempfile::tempdir().unwrap();
    let target = RawTarget::create(&folder.path().join("disk.img"), length).await.unwrap();
    (folder, target)
}

#[tokio::test]
async fn a_second_worker_is_kept_out_until_the_first_has_closed() {
    let (_folder, target) = created(MIB).await;
    let path = target.path().to_owned();
    assert!(matches!(RawTarget::open(&path, MIB).await, Err(TargetError::Locked { .. })));
    let clone = target.clone();
    drop(target);
    assert!(matches!(RawTarget::open(&path, MIB).await, Err(TargetError::Locked { .. })));
    drop(clone);
    RawTarget::open(&path, MIB).await.unwrap();
}

#[tokio::test]
async fn zeroing_gives_space_back_and_never_allocates() {
    let (_folder, target) = created(4 * MIB).await;
    target.zero(0, 4 * MIB).await.unwrap();
    assert_eq!(target.allocated().await.unwrap(), 0);
    target.write_at(MIB, Bytes::from(vec![7; 1 << 20])).await.unwrap();
    let full = target.allocated().await.unwrap();
    assert!(full >= MIB, "{full}");
    target.zero(MIB, MIB - 4096).await.unwrap();
    target.flush().await.unwrap();
    let left = target.allocated().await.unwrap();
    assert!((4096..MIB / 2).contains(&left), "{left}");
    assert_eq!(target.read_at(2 * MIB - 4097, 2).await.unwrap().as_ref(), [0, 7]);
}

#[tokio::test]
async fn a_target_that_is_missing_longer_or_no_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk.img");
    assert!(matches!(RawTarget::open(&path, 1).await, Err(TargetError::Open { .. })));
    assert!(matches!(RawTarget::open(folder.path(), 1).await, Err(TargetError::Open { .. })));
    File::create(&path).unwrap().set_len(513).unwrap();
    assert!(matches!(RawTarget::open(&path, 512).await, Err(TargetError::Longer { is: 513, .. })));
    let link = folder.path().join("link.img");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(matches!(RawTarget::open(&link, 1024).await, Err(TargetError::Open { .. })));
    assert_eq!(RawTarget::open(&path, 1024).await.unwrap().length(), 1024);
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 1024);
}

/// Whether the page cache answers for the first bytes; `None` if the file system can't tell.
fn is_cached(file: &File) -> Option<bool> {
    let mut buffer = [0; 512];
    match rustix::io::preadv2(file, &mut [IoSliceMut::new(&mut buffer)], 0, ReadWriteFlags::NOWAIT) {
        Ok(_) => Some(true),
        Err(Errno::AGAIN) => Some(false),
        Err(_) => None,
    }
}

#[tokio::test]
async fn settling_drops_the_page_cache() {
    let (_folder, target) = created(MIB).await;
    target.write_at(0, Bytes::from(vec![7; 1 << 20])).await.unwrap();
    let Some(cached) = is_cached(&target.inner.file) else {
        eprintln!("SKIPPED settling_drops_the_page_cache: this file system can't read without waiting");
        return;
    };
    assert!(cached);
    target.settle().await.unwrap();
    assert_eq!(is_cached(&target.inner.file), Some(false));
    assert_eq!(target.read_at(0, 1).await.unwrap().as_ref(), [7]);
}

#[tokio::test]
async fn a_full_disk_is_named_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_mounted) = crate::target::small::Mounted::tmpfs(folder.path(), MIB) else {
        eprintln!("SKIPPED a_full_disk_is_named_as_such: mounting a tmpfs needs root");
        return;
    };
    let path = folder.path().join("disk.img");
    let target = RawTarget::create(&path, 4 * MIB).await.unwrap();
    let error = target.write_at(0, Bytes::from(vec![7; 2 << 20])).await.unwrap_err();
    assert!(matches!(&error, TargetError::Full { path: full } if *full == path), "{error}");
}
