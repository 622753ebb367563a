//! Keeping the ledger: one entry an effect, its state only ever the newest.

use forklift_api::virtual_machine_import::longshore::{EffectKind, EntryState, LedgerEntry, LongshoreStatus};
use jiff::Timestamp;

use super::time;

/// Writes the state of an effect.
pub(super) fn set_entry(status: &mut LongshoreStatus, effect: EffectKind, state: EntryState, now: Timestamp) {
    match status.ledger.iter_mut().find(|entry| entry.effect == effect) {
        Some(entry) if entry.state == state => {}
        Some(entry) => *entry = LedgerEntry { effect, state, at: time(now) },
        None => status.ledger.push(LedgerEntry { effect, state, at: time(now) }),
    }
}

/// The VM succeeded: nothing of it is Longshore's any more, so nothing will ever be taken back.
pub(super) fn close(status: &mut LongshoreStatus, now: Timestamp) {
    for entry in &mut status.ledger {
        entry.state = EntryState::Closed;
        entry.at = time(now);
    }
}
