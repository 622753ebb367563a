//! An HTTP/1.1 server that misbehaves on purpose: for tests of the reader. It serves one file and takes one
//! [`Trick`] from its queue per request; without one it behaves.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::header::{COOKIE, HeaderMap};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use url::Url;

/// What the server does instead of answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trick {
    /// Answers with this status and no body.
    Status(u16),
    /// Says nothing until the client gives up.
    Stall,
    /// Announces all, sends half, says nothing more.
    StallInBody,
    /// Announces all, sends half, closes.
    ResetInBody,
    /// Closes before the answer.
    Reset,
    /// A complete answer, for fewer bytes than its Content-Range says.
    ShortBody,
    /// A complete answer, for more bytes than its Content-Range says.
    LongBody,
    /// The bytes behind those asked for, honestly named.
    OtherRange,
    /// 206 without Content-Range.
    NoRange,
    /// 200 and the whole file.
    WholeFile,
    /// The right bytes of a file that has grown.
    Grown,
    /// A redirect to somewhere else.
    Redirect,
}

/// A running server; it ends when dropped.
pub(super) struct Double {
    pub(super) url: Url,
    /// Certificate in PEM, if it speaks TLS.
    pub(super) certificate: Option<String>,
    state: Arc<State>,
    _task: JoinSet<()>,
}

struct State {
    file: Vec<u8>,
    tricks: Mutex<VecDeque<Trick>>,
    cookie: Mutex<Option<String>>,
    counts: Mutex<Counts>,
}

/// What the server saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) requests: usize,
    pub(super) connections: usize,
    pub(super) at_once: usize,
    pub(super) most_at_once: usize,
}

impl Double {
    pub(super) async fn http(file: Vec<u8>) -> Self {
        Self::start(file, None).await
    }

    pub(super) async fn https(file: Vec<u8>) -> Self {
        let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let certificate = CertificateDer::from(key.cert.der().to_vec());
        let private = PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
        let config =
            ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], private).unwrap();
        Self::start(file, Some((TlsAcceptor::from(Arc::new(config)), key.cert.pem()))).await
    }

    async fn start(file: Vec<u8>, tls: Option<(TlsAcceptor, String)>) -> Self {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let (scheme, (acceptor, certificate)) =
            if tls.is_some() { ("https", tls.unzip()) } else { ("http", (None, None)) };
        let url = format!("{scheme}://localhost:{}/folder/disk%20a.vmdk?dcPath=DC0", address.port()).parse().unwrap();
        let (tricks, cookie, counts) = (Mutex::default(), Mutex::default(), Mutex::default());
        let state = Arc::new(State { file, tricks, cookie, counts });
        let mut task = JoinSet::new();
        task.spawn(accept(listener, acceptor, Arc::clone(&state)));
        Self { url, certificate, state, _task: task }
    }

    pub(super) fn play(&self, tricks: &[Trick]) {
        self.state.tricks.lock().unwrap().extend(tricks);
    }

    /// From now on, only this cookie is let in.
    pub(super) fn ask_for_cookie(&self, cookie: &str) {
        *self.state.cookie.lock().unwrap() = Some(cookie.to_owned());
    }

    pub(super) fn counts(&self) -> Counts {
        *self.state.counts.lock().unwrap()
    }
}

pub(super) fn cookie(value: &str) -> HeaderMap {
    HeaderMap::from_iter([(COOKIE, value.parse().unwrap())])
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        state.counts.lock().unwrap().connections += 1;
        let (tls, state) = (tls.clone(), Arc::clone(&state));
        connections.spawn(async move {
            match tls {
                None => serve(stream, &state).await,
                Some(tls) => {
                    // A client that refuses the certificate ends the handshake.
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, &state).await;
                    }
                }
            }
        });
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, state: &State) {
    while let Some(request) = head(&mut stream).await {
        let trick = state.tricks.lock().unwrap().pop_front();
        count(state, 1);
        let going_on = answer(&mut stream, state, &request, trick).await;
        count(state, -1);
        if going_on.is_none() {
            return;
        }
    }
}

fn count(state: &State, change: isize) {
    let mut counts = state.counts.lock().unwrap();
    counts.at_once = counts.at_once.saturating_add_signed(change);
    counts.most_at_once = counts.most_at_once.max(counts.at_once);
    counts.requests += usize::from(change > 0);
}

/// Reads a request's head; `None` at the end of the connection.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap().to_ascii_lowercase())
}

/// Answers one request; `None`: the connection is to be closed.
async fn answer(
    stream: &mut (impl AsyncWrite + Unpin),
    state: &State,
    request: &str,
    trick: Option<Trick>,
) -> Option<()> {
    let wanted = state.cookie.lock().unwrap().clone();
    if wanted.is_some_and(|cookie| !request.contains(&format!("\r\ncookie: {cookie}\r\n"))) {
        return send(stream, "401 Unauthorized", "", b"").await;
    }
    let range = request.lines().find_map(|line| line.strip_prefix("range: bytes=")).unwrap();
    let (first, last) = range.split_once('-').unwrap();
    let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
    let total = state.file.len();
    if first >= total {
        return send(stream, "416 Range Not Satisfiable", &format!("content-range: bytes */{total}\r\n"), b"").await;
    }
    let body = &state.file[first..=last.min(total - 1)];
    let range = |first: usize, last: usize, total: usize| format!("content-range: bytes {first}-{last}/{total}\r\n");
    let right = range(first, last.min(total - 1), total);
    match trick {
        None => {
            // Long enough for another request to come in beside it.
            tokio::time::sleep(Duration::from_millis(2)).await;
            send(stream, "206 Partial Content", &right, body).await
        }
        Some(Trick::Status(status)) => send(stream, &format!("{status} Trick"), "", b"").await,
        Some(Trick::Redirect) => send(stream, "302 Found", "location: http://127.0.0.1:1/\r\n", b"").await,
        Some(Trick::WholeFile) => send(stream, "200 OK", "", &state.file).await,
        Some(Trick::NoRange) => send(stream, "206 Partial Content", "", body).await,
        Some(Trick::Grown) => send(stream, "206 Partial Content", &range(first, last, total + 1), body).await,
        Some(Trick::OtherRange) => send(stream, "206 Partial Content", &range(first + 1, last + 1, total), body).await,
        Some(Trick::ShortBody) => send(stream, "206 Partial Content", &right, &body[1..]).await,
        Some(Trick::LongBody) => send(stream, "206 Partial Content", &right, &[body, b"x"].concat()).await,
        Some(Trick::Reset) => None,
        Some(Trick::Stall) => std::future::pending().await,
        Some(cut @ (Trick::StallInBody | Trick::ResetInBody)) => {
            let head = format!("HTTP/1.1 206 Partial Content\r\n{right}content-length: {}\r\n\r\n", body.len());
            stream.write_all(&[head.as_bytes(), &body[..body.len() / 2]].concat()).await.ok()?;
            stream.flush().await.ok()?;
            if cut == Trick::StallInBody { std::future::pending().await } else { None }
        }
    }
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), status: &str, headers: &str, body: &[u8]) -> Option<()> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat()).await.ok()?;
    stream.flush().await.ok()
}
