//! Writing conditions: only when something changed, so that a watch is not woken for nothing.

use forklift_api::{Condition, Conditions, Time};

use crate::validate::provider::ready_condition;

/// Renews `conditions` by `found` and `Ready`. Returns whether anything changed.
pub fn renew(conditions: &mut Vec<Condition>, mut found: Vec<Condition>, now: &Time) -> bool {
    let ready = !found.blocked();
    found.push(ready_condition(ready, now));
    conditions.renew(found)
}
