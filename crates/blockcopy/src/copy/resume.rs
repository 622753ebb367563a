//! What a former attempt left at the target is believed only as far as it can be read back.

use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use crate::copy::CopyError;
use crate::manifest::Manifest;
use crate::readback;
use crate::target::Target;

/// For each chunk, whether the target holds what `former` says of it.
pub(super) async fn prove(
    target: &dyn Target,
    former: Option<&Manifest>,
    in_flight: usize,
    cancel: &CancellationToken,
) -> Result<Vec<bool>, CopyError> {
    let Some(former) = former else { return Ok(Vec::new()) };
    let chunks = former.known().map(|(index, _)| index);
    let mut proven = Vec::new();
    let mut hashes = std::pin::pin!(readback::hashes(target, chunks, in_flight, cancel));
    while let Some(read) = hashes.next().await {
        let (index, hash) = read?;
        if former.hash(index) != Some(hash) {
            continue;
        }
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        if proven.len() <= index {
            proven.resize(index + 1, false);
        }
        if let Some(slot) = proven.get_mut(index) {
            *slot = true;
        }
    }
    Ok(proven)
}

/// The part of `former` that was proven; `None` without a former manifest.
pub(super) fn kept(former: Option<&Manifest>, proven: &[bool]) -> Option<Manifest> {
    let former = former?;
    let mut kept = Manifest::new(former.length(), former.state().cloned());
    for (index, hash) in former.known() {
        if usize::try_from(index).ok().and_then(|index| proven.get(index)).copied().unwrap_or(false) {
            kept.set(index, hash);
        }
    }
    Some(kept)
}
