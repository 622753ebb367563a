//! The engine against an oracle: a plain vector of bytes.

mod layout;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::extent::Extent;
use crate::source::{SourceError, SourceFault};
use crate::target::{RawTarget, TargetError};
use crate::verify::{VerifyError, verify};
use layout::{Layout, layout};

/// A source in memory that counts what is read, and fails at its `fail_at`-th read.
struct Memory {
    data: Vec<u8>,
    extents: Vec<Extent>,
    reads: AtomicUsize,
    bytes: AtomicU64,
    fail_at: usize,
    cancel_at: Option<(usize, CancellationToken)>,
}

impl Memory {
    fn new(layout: &Layout) -> Self {
        let (data, extents) = (layout.bytes(), layout.extents());
        Self {
            data,
            extents,
            reads: AtomicUsize::default(),
            bytes: AtomicU64::default(),
            fail_at: usize::MAX,
            cancel_at: None,
        }
    }
}

#[async_trait]
impl Source for Memory {
    fn length(&self) -> u64 {
        self.data.len() as u64
    }

    async fn extents(&self) -> Result<Vec<Extent>, SourceError> {
        Ok(self.extents.clone())
    }

    async fn read_at(&self, offset: u64, length: usize) -> Result<Bytes, SourceError> {
        let read = self.reads.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        if read == self.fail_at {
            return Err(SourceError { object: "memory".to_owned(), fault: SourceFault::NotFound });
        }
        if let Some((at, cancel)) = &self.cancel_at
            && read == *at
        {
            cancel.cancel();
        }
        self.bytes.fetch_add(length as u64, Ordering::SeqCst);
        Ok(Bytes::copy_from_slice(&self.data[usize::try_from(offset).unwrap()..][..length]))
    }
}

fn quiet(_: &Progress<'_>) {}

async fn target(folder: &tempfile::TempDir, length: u64) -> RawTarget {
    RawTarget::create(&folder.path().join("disk.img"), length).await.unwrap()
}

async fn content(target: &RawTarget) -> Vec<u8> {
    std::fs::read(target.path()).unwrap()
}

fn options(in_flight: usize, request: u64) -> Options {
    Options { in_flight, request: request * CHUNK, state: SourceState::new("off-1"), former: None }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_copy_equals_its_source_and_allocates_no_zeros(layout in layout(), in_flight in 1usize..5, request in 0u64..4) {
        block_on(async {
            let (folder, source, cancel) = (tempfile::tempdir().unwrap(), Memory::new(&layout), CancellationToken::new());
            let target = target(&folder, source.length()).await;
            let report = copy(&source, &target, &options(in_flight, request), &quiet, &cancel).await.unwrap();
            assert!(content(&target).await == source.data);
            assert_eq!(report.read_bytes, source.bytes.load(Ordering::SeqCst));
            assert_eq!(report.written_bytes, layout.data_bytes());
            assert_eq!((report.zero_bytes + report.written_bytes, report.kept_bytes), (source.length(), 0));
            // The file system may round up to its block, and needs some for its map.
            let allocated = target.allocated().await.unwrap();
            assert!(allocated <= layout.data_bytes() + 65536, "{allocated}");
            let root = blake3::hash(&source.data.chunks(1 << 20).flat_map(|chunk| *blake3::hash(chunk).as_bytes()).collect::<Vec<_>>());
            assert_eq!(report.manifest.root(), Some(root));
            verify(&target, &report.manifest, in_flight, &quiet, &cancel).await.unwrap();
        });
    }

    #[test]
    fn a_failed_copy_goes_on_where_it_was_if_the_source_is_proven_the_same(layout in layout(), fail_at in 0usize..6) {
        block_on(async {
            let (folder, mut source, cancel) = (tempfile::tempdir().unwrap(), Memory::new(&layout), CancellationToken::new());
            source.fail_at = fail_at;
            let target = target(&folder, source.length()).await;
            let first = copy(&source, &target, &options(2, 1), &quiet, &cancel).await;
            let Err(stopped) = first else { return };
            assert!(matches!(stopped.cause, CopyError::Source { .. }), "{stopped:?}");
            let kept: u64 = stopped.manifest.known().map(|(at, _)| chunk::span(at, source.length())).map(|span| span.end - span.start).sum();
            source.fail_at = usize::MAX;
            source.bytes.store(0, Ordering::SeqCst);
            let second = Options { former: Some(stopped.manifest), ..options(2, 1) };
            let report = copy(&source, &target, &second, &quiet, &cancel).await.unwrap();
            assert!(content(&target).await == source.data);
            assert_eq!(report.kept_bytes, kept);
            assert!(source.bytes.load(Ordering::SeqCst) <= source.length() - kept);
        });
    }

    #[test]
    fn whatever_the_target_held_before_is_replaced(before in layout(), after in layout(), same_claim in any::<bool>()) {
        block_on(async {
            let (folder, cancel) = (tempfile::tempdir().unwrap(), CancellationToken::new());
            let (old, mut new) = (Memory::new(&before), Memory::new(&after));
            new.data.resize(old.data.len(), 9);
            new.extents.clear();
            let target = target(&folder, old.length()).await;
            let first = copy(&old, &target, &options(2, 2), &quiet, &cancel).await.unwrap();
            // Another state: nothing may be kept without reading it. No former manifest: the same.
            let former = same_claim.then_some(first.manifest);
            let second = Options { former, state: SourceState::new("off-2"), ..options(2, 2) };
            let report = copy(&new, &target, &second, &quiet, &cancel).await.unwrap();
            assert!(content(&target).await == new.data);
            assert_eq!(report.read_bytes, new.length());
            verify(&target, &report.manifest, 2, &quiet, &cancel).await.unwrap();
        });
    }
}

fn three_chunks() -> Layout {
    Layout::of(&[(256, layout::Kind::Data), (256, layout::Kind::Data), (256, layout::Kind::Data)], 0)
}

#[tokio::test]
async fn what_is_damaged_at_the_target_is_read_again() {
    let (folder, source, cancel) =
        (tempfile::tempdir().unwrap(), Memory::new(&three_chunks()), CancellationToken::new());
    let target = target(&folder, source.length()).await;
    let first = copy(&source, &target, &options(1, 1), &quiet, &cancel).await.unwrap();
    target.write_at(CHUNK + 5, Bytes::from_static(b"x")).await.unwrap();
    let second = Options { former: Some(first.manifest), ..options(1, 1) };
    let report = copy(&source, &target, &second, &quiet, &cancel).await.unwrap();
    assert_eq!((report.read_bytes, report.written_bytes, report.kept_bytes), (CHUNK, CHUNK, 2 * CHUNK));
    assert!(content(&target).await == source.data);
}

#[tokio::test]
async fn a_source_in_another_state_is_read_wholly_and_only_differences_are_written() {
    let (folder, mut source, cancel) =
        (tempfile::tempdir().unwrap(), Memory::new(&three_chunks()), CancellationToken::new());
    let target = target(&folder, source.length()).await;
    let first = copy(&source, &target, &options(2, 4), &quiet, &cancel).await.unwrap();
    source.data[2 << 20] ^= 1;
    let second = Options { former: Some(first.manifest), state: SourceState::new("off-2"), ..options(2, 4) };
    let report = copy(&source, &target, &second, &quiet, &cancel).await.unwrap();
    assert_eq!((report.read_bytes, report.written_bytes), (3 * CHUNK, CHUNK));
    assert!(content(&target).await == source.data);
    assert_eq!(report.manifest.state(), SourceState::new("off-2").as_ref());
}

#[tokio::test]
async fn a_cancelled_copy_keeps_what_it_wrote_and_closes_the_target() {
    let (folder, mut source) = (tempfile::tempdir().unwrap(), Memory::new(&three_chunks()));
    let cancel = CancellationToken::new();
    source.cancel_at = Some((1, cancel.clone()));
    let target = target(&folder, source.length()).await;
    let stopped = copy(&source, &target, &options(1, 1), &quiet, &cancel).await.unwrap_err();
    assert!(matches!(stopped.cause, CopyError::Cancelled), "{stopped:?}");
    assert!(stopped.manifest.hash(0).is_some() && stopped.manifest.hash(2).is_none());
    let path = target.path().to_owned();
    drop(target);
    RawTarget::open(&path, source.length()).await.unwrap();
}

#[tokio::test]
async fn a_cancel_ends_a_read_that_never_answers() {
    struct Silent;
    #[async_trait]
    impl Source for Silent {
        fn length(&self) -> u64 {
            CHUNK
        }
        async fn extents(&self) -> Result<Vec<Extent>, SourceError> {
            Ok(Vec::new())
        }
        async fn read_at(&self, _: u64, _: usize) -> Result<Bytes, SourceError> {
            std::future::pending().await
        }
    }
    let (folder, cancel) = (tempfile::tempdir().unwrap(), CancellationToken::new());
    let target = target(&folder, CHUNK).await;
    let later = async {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        cancel.cancel();
    };
    let (default, silent) = (Options::default(), Silent);
    let (stopped, ()) = tokio::join!(copy(&silent, &target, &default, &quiet, &cancel), later);
    assert!(matches!(stopped.unwrap_err().cause, CopyError::Cancelled));
}

#[tokio::test]
async fn a_full_disk_stops_the_copy_with_its_name() {
    let (folder, source, cancel) =
        (tempfile::tempdir().unwrap(), Memory::new(&three_chunks()), CancellationToken::new());
    let Some(_mounted) = crate::target::small::Mounted::tmpfs(folder.path(), 2 << 20) else {
        eprintln!("SKIPPED a_full_disk_stops_the_copy_with_its_name: mounting a tmpfs needs root");
        return;
    };
    let target = target(&folder, source.length()).await;
    let stopped = copy(&source, &target, &options(2, 1), &quiet, &cancel).await.unwrap_err();
    assert!(matches!(&stopped.cause, CopyError::Target(TargetError::Full { .. })), "{stopped:?}");
}

#[tokio::test]
async fn verification_finds_the_first_chunk_that_differs() {
    let (folder, source, cancel) =
        (tempfile::tempdir().unwrap(), Memory::new(&three_chunks()), CancellationToken::new());
    let target = target(&folder, source.length()).await;
    let report = copy(&source, &target, &options(2, 1), &quiet, &cancel).await.unwrap();
    target.zero(CHUNK, 2 * CHUNK).await.unwrap();
    let error = verify(&target, &report.manifest, 2, &quiet, &cancel).await.unwrap_err();
    assert!(matches!(error, VerifyError::Differs { chunks: 2, of: 3, first: CHUNK }), "{error}");
}

#[tokio::test]
async fn progress_ends_at_the_length_and_never_goes_back() {
    let (folder, source, cancel) =
        (tempfile::tempdir().unwrap(), Memory::new(&three_chunks()), CancellationToken::new());
    let target = target(&folder, source.length()).await;
    let last = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&last);
    let progress = move |progress: &Progress<'_>| {
        assert!(seen.swap(progress.done_bytes, Ordering::SeqCst) < progress.done_bytes);
    };
    copy(&source, &target, &options(3, 1), &progress, &cancel).await.unwrap();
    assert_eq!(last.load(Ordering::SeqCst), source.length());
}

#[tokio::test]
async fn an_empty_disk_and_a_wrong_length_are_no_surprise() {
    let (folder, cancel) = (tempfile::tempdir().unwrap(), CancellationToken::new());
    let empty = Memory::new(&Layout::of(&[], 0));
    let target = target(&folder, 0).await;
    let report = copy(&empty, &target, &Options::default(), &quiet, &cancel).await.unwrap();
    assert_eq!(report.manifest.root(), Some(blake3::hash(b"")));
    let longer = Memory::new(&three_chunks());
    let stopped = copy(&longer, &target, &Options::default(), &quiet, &cancel).await.unwrap_err();
    assert!(matches!(stopped.cause, CopyError::Length { target_bytes: 0, .. }));
}
