//! The reader against a server that misbehaves.

use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::StreamExt;
use tokio_util::sync::CancellationToken;
use trust::{Fingerprint, TlsPolicy};

use super::double::{Double, Trick, cookie};
use super::*;
use crate::copy::{Options, copy};
use crate::target::RawTarget;

const QUICK: RetryPolicy =
    RetryPolicy { attempts: 3, first: Duration::from_millis(1), longest: Duration::from_millis(2) };

fn options(server: &Double) -> HttpOptions {
    trust::install_crypto_provider();
    let policy = server.certificate.as_ref().map_or(TlsPolicy::System, |pem| TlsPolicy::Ca(pem.clone().into_bytes()));
    let tls = policy.client().unwrap().config;
    let options = HttpOptions::new("[ds] vm/disk a-flat.vmdk", server.url.clone(), cookie("session=1"), tls);
    HttpOptions { retry: QUICK, stall: Duration::from_millis(200), ..options }
}

fn file() -> Vec<u8> {
    (0..3_000_000_u32).map(|index| (index / 7).to_le_bytes()[0]).collect()
}

async fn open(server: &Double) -> HttpSource {
    HttpSource::open(options(server)).await.unwrap()
}

/// Reads 1000 bytes while the server plays `tricks`.
async fn read_with(tricks: &[Trick]) -> Result<Bytes, SourceFault> {
    let server = Double::http(file()).await;
    let source = open(&server).await;
    server.play(tricks);
    source.read_at(500, 1000).await.map_err(|error| error.fault)
}

#[tokio::test]
async fn ranges_are_read_over_tls_with_the_given_authority() {
    let server = Double::https(file()).await;
    let source = open(&server).await;
    assert_eq!(source.length(), 3_000_000);
    assert_eq!(source.read_at(2_999_990, 10).await.unwrap(), file()[2_999_990..]);
    assert_eq!(source.extents().await.unwrap(), []);
}

#[tokio::test]
async fn many_reads_are_in_flight_but_never_more_than_allowed() {
    let server = Double::http(file()).await;
    let source =
        HttpSource::open(HttpOptions { limit: Arc::new(Semaphore::new(3)), ..options(&server) }).await.unwrap();
    let reads = futures::stream::iter(0..30_u64).map(|index| source.read_at(index * 100, 100)).buffer_unordered(10);
    let read: Vec<_> = reads.collect().await;
    assert!(read.iter().all(Result::is_ok));
    let counts = server.counts();
    assert!(counts.most_at_once > 1 && counts.most_at_once <= 3, "{counts:?}");
    // Connections are used again: HTTP/1.1 with keep-alive.
    assert!(counts.connections <= 4, "{counts:?}");
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    for trick in
        [Trick::Reset, Trick::ResetInBody, Trick::Stall, Trick::StallInBody, Trick::Status(500), Trick::Status(429)]
    {
        assert_eq!(read_with(&[trick, trick]).await.unwrap(), file()[500..1500], "{trick:?}");
    }
}

#[tokio::test]
async fn tries_are_bounded_and_the_last_reason_is_told() {
    let fault = read_with(&[Trick::Reset; 3]).await.unwrap_err();
    assert!(matches!(fault, SourceFault::Unreachable { attempts: 3, .. }), "{fault}");
    let fault = read_with(&[Trick::Stall; 3]).await.unwrap_err();
    assert!(matches!(&fault, SourceFault::Unreachable { source, .. } if source.is_timeout()), "{fault}");
    let fault = read_with(&[Trick::Status(503); 3]).await.unwrap_err();
    assert!(matches!(fault, SourceFault::Server { status: 503, attempts: 3 }), "{fault}");
}

#[tokio::test]
async fn what_will_not_pass_is_typed_and_not_tried_again() {
    type Check = fn(&SourceFault) -> bool;
    let cases: [(Trick, Check); 10] = [
        (Trick::ShortBody, |fault| matches!(fault, SourceFault::Short { asked: 1000, got: 999 })),
        (Trick::LongBody, |fault| matches!(fault, SourceFault::Long { asked: 1000 })),
        (
            Trick::OtherRange,
            |fault| matches!(fault, SourceFault::WrongRange { got, .. } if got == "bytes 501-1500/3000000"),
        ),
        (Trick::NoRange, |fault| matches!(fault, SourceFault::WrongRange { got, .. } if got.is_empty())),
        (Trick::WholeFile, |fault| matches!(fault, SourceFault::RangesIgnored)),
        (Trick::Grown, |fault| matches!(fault, SourceFault::LengthChanged { was: 3_000_000, is: 3_000_001 })),
        (Trick::Redirect, |fault| matches!(fault, SourceFault::Status { status: 302 })),
        (Trick::Status(403), |fault| matches!(fault, SourceFault::Forbidden)),
        (Trick::Status(404), |fault| matches!(fault, SourceFault::NotFound)),
        (Trick::Status(401), |fault| matches!(fault, SourceFault::Unauthorized)),
    ];
    for (trick, expected) in cases {
        let server = Double::http(file()).await;
        let source = open(&server).await;
        server.play(&[trick]);
        let error = source.read_at(500, 1000).await.unwrap_err();
        assert!(expected(&error.fault), "{trick:?}: {}", error.fault);
        assert_eq!(error.object, "[ds] vm/disk a-flat.vmdk");
        assert_eq!(server.counts().requests, 2, "{trick:?} was tried again");
    }
}

#[derive(Default)]
struct Fresh {
    cookie: &'static str,
    asked: AtomicUsize,
}

#[async_trait]
impl Renew for Fresh {
    async fn renew(&self, refused: &HeaderMap) -> Result<HeaderMap, Box<dyn Error + Send + Sync>> {
        assert_eq!(refused, &super::double::cookie("session=1"));
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.cookie.is_empty() { Err("the password was changed".into()) } else { Ok(cookie(self.cookie)) }
    }
}

async fn with_renewal(server: &Double, cookie: &'static str) -> (HttpSource, Arc<Fresh>) {
    let fresh = Arc::new(Fresh { cookie, asked: AtomicUsize::default() });
    let renew: Arc<dyn Renew> = Arc::clone(&fresh) as _;
    let source = HttpSource::open(HttpOptions { renew: Some(renew), ..options(server) }).await.unwrap();
    (source, fresh)
}

#[tokio::test]
async fn an_ended_session_is_renewed_once_for_all_reads() {
    let server = Double::http(file()).await;
    let (source, fresh) = with_renewal(&server, "session=2").await;
    server.ask_for_cookie("session=2");
    let reads = futures::stream::iter(0..8_u64).map(|index| source.read_at(index, 10)).buffer_unordered(8);
    let read: Vec<_> = reads.collect().await;
    assert!(read.iter().all(Result::is_ok));
    assert_eq!(fresh.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_renewed_session_that_is_refused_too_is_final() {
    let server = Double::http(file()).await;
    let (source, fresh) = with_renewal(&server, "session=2").await;
    server.ask_for_cookie("session=3");
    for _ in 0..3 {
        let fault = source.read_at(0, 10).await.unwrap_err().fault;
        assert!(matches!(fault, SourceFault::Unauthorized), "{fault}");
    }
    assert_eq!(fresh.asked.load(Ordering::SeqCst), 1, "the account could be locked");
}

#[tokio::test]
async fn a_session_that_cannot_be_renewed_says_why() {
    let server = Double::http(file()).await;
    let (source, _) = with_renewal(&server, "").await;
    server.ask_for_cookie("session=2");
    let fault = source.read_at(0, 10).await.unwrap_err().fault;
    assert!(matches!(&fault, SourceFault::Renewal(cause) if cause.to_string().contains("password")), "{fault}");
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_refused_at_once() {
    let server = Double::https(file()).await;
    let pinned = TlsPolicy::Fingerprint(Fingerprint::sha1_of(b"another"));
    for policy in [TlsPolicy::System, pinned] {
        let tls = policy.client().unwrap().config;
        let opened = HttpSource::open(HttpOptions { tls, ..options(&server) }).await;
        let fault = opened.err().unwrap().fault;
        assert!(matches!(fault, SourceFault::Certificate(_)), "{fault:?}");
    }
    assert_eq!(server.counts().connections, 2);
}

#[tokio::test]
async fn nobody_listening_is_tried_a_bounded_number_of_times() {
    let server = Double::http(file()).await;
    let unreachable = HttpOptions { url: "http://127.0.0.1:1/x".parse().unwrap(), ..options(&server) };
    let fault = HttpSource::open(unreachable).await.err().unwrap().fault;
    assert!(matches!(&fault, SourceFault::Unreachable { attempts: 3, source } if source.is_connect()), "{fault}");
}

#[tokio::test]
async fn an_empty_file_has_no_bytes_and_is_no_error() {
    let server = Double::http(Vec::new()).await;
    assert_eq!(open(&server).await.length(), 0);
}

#[tokio::test]
async fn a_disk_is_copied_through_every_trouble_that_may_pass() {
    let mut disk = file();
    disk[1_100_000..2_900_000].fill(0);
    let server = Double::https(disk.clone()).await;
    let source = open(&server).await;
    server.play(&[Trick::Status(503), Trick::Reset, Trick::StallInBody, Trick::ResetInBody]);
    let folder = tempfile::tempdir().unwrap();
    let target = RawTarget::create(&folder.path().join("disk.img"), source.length()).await.unwrap();
    let options = Options { in_flight: 2, request: 1 << 20, ..Options::default() };
    let report = copy(&source, &target, &options, &|_| {}, &CancellationToken::new()).await.unwrap();
    assert!(std::fs::read(target.path()).unwrap() == disk);
    assert_eq!(report.read_bytes, 3_000_000);
    assert!(target.allocated().await.unwrap() < 1_400_000);
}
