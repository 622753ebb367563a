//! The login that requests carry. Many requests may meet 401 at once: one of them renews it, the others take the
//! new one. A renewed login that the server has not accepted even once is never renewed again, so that bad
//! credentials can't lock an account.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use reqwest::header::HeaderMap;
use tokio::sync::Mutex;

use super::SourceFault;

/// Makes a fresh login.
#[async_trait]
pub trait Renew: Send + Sync {
    /// Headers that replace `refused`, which the server answered with 401.
    async fn renew(&self, refused: &HeaderMap) -> Result<HeaderMap, Box<dyn Error + Send + Sync>>;
}

/// One login and whether the server ever took it.
#[derive(Clone, Debug)]
pub(super) struct Login {
    pub(super) headers: Arc<HeaderMap>,
    generation: u64,
    accepted: Arc<AtomicBool>,
}

pub(super) struct Session {
    login: Mutex<Login>,
    renew: Option<Arc<dyn Renew>>,
}

impl Login {
    fn new(headers: HeaderMap, generation: u64) -> Self {
        Self { headers: Arc::new(headers), generation, accepted: Arc::default() }
    }

    /// The server took it.
    pub(super) fn accepted(&self) {
        self.accepted.store(true, Ordering::Relaxed);
    }
}

impl Session {
    pub(super) fn new(headers: HeaderMap, renew: Option<Arc<dyn Renew>>) -> Self {
        Self { login: Mutex::new(Login::new(headers, 0)), renew }
    }

    pub(super) async fn current(&self) -> Login {
        self.login.lock().await.clone()
    }

    /// Replaces `refused`, unless another request already did.
    pub(super) async fn renew(&self, refused: &Login) -> Result<(), SourceFault> {
        let renew = self.renew.as_ref().ok_or(SourceFault::Unauthorized)?;
        let mut login = self.login.lock().await;
        if login.generation != refused.generation {
            return Ok(());
        }
        if login.generation > 0 && !login.accepted.load(Ordering::Relaxed) {
            return Err(SourceFault::Unauthorized);
        }
        let headers = renew.renew(&refused.headers).await.map_err(SourceFault::Renewal)?;
        *login = Login::new(headers, refused.generation + 1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[derive(Default)]
    struct Counting(AtomicU32);

    #[async_trait]
    impl Renew for Counting {
        async fn renew(&self, _: &HeaderMap) -> Result<HeaderMap, Box<dyn Error + Send + Sync>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(HeaderMap::new())
        }
    }

    #[tokio::test]
    async fn many_refused_requests_make_one_renewal() {
        let renew = Arc::new(Counting::default());
        let session = Session::new(HeaderMap::new(), Some(Arc::clone(&renew) as Arc<dyn Renew>));
        let login = session.current().await;
        for _ in 0..5 {
            session.renew(&login).await.unwrap();
        }
        assert_eq!(renew.0.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_renewed_login_must_be_accepted_once_before_the_next_renewal() {
        let renew = Arc::new(Counting::default());
        let session = Session::new(HeaderMap::new(), Some(Arc::clone(&renew) as Arc<dyn Renew>));
        session.renew(&session.current().await).await.unwrap();
        let second = session.current().await;
        assert!(matches!(session.renew(&second).await, Err(SourceFault::Unauthorized)));
        second.accepted();
        session.renew(&second).await.unwrap();
        assert_eq!(renew.0.load(Ordering::Relaxed), 2);
    }
}
