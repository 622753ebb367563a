//! Bytes a second over the last while, from what is reported at uneven times. Pure: time is passed in.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

/// Over how long a rate is taken.
const WINDOW: SignedDuration = SignedDuration::from_secs(10);

/// What was reported in the window.
#[derive(Debug, Default)]
pub struct Rate {
    samples: VecDeque<(Timestamp, i64)>,
}

impl Rate {
    /// Takes a report in. A smaller count than before is a new attempt and begins anew.
    pub fn add(&mut self, at: Timestamp, bytes: i64) {
        if self.samples.back().is_some_and(|(_, last)| bytes < *last) {
            self.samples.clear();
        }
        self.samples.push_back((at, bytes));
        // The one before the window stays: it is where the window's bytes are counted from.
        while self.samples.len() > 2 && at.duration_since(self.samples[1].0) >= WINDOW {
            self.samples.pop_front();
        }
    }

    /// Bytes a second; nothing before two reports, or when nothing came for a whole window.
    pub fn per_second(&self, now: Timestamp) -> Option<i64> {
        let ((begin, first), (end, last)) = (self.samples.front()?, self.samples.back()?);
        let millis = i64::try_from(end.duration_since(*begin).as_millis()).ok()?;
        let fresh = now.duration_since(*end) < WINDOW;
        (fresh && millis > 0 && last > first).then(|| (last - first).saturating_mul(1000) / millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_rate_is_that_of_the_last_ten_seconds() {
        let mut rate = Rate::default();
        rate.add(at(0), 0);
        assert_eq!(rate.per_second(at(0)), None);
        rate.add(at(1), 1000);
        assert_eq!(rate.per_second(at(1)), Some(1000));
        for second in 2..30 {
            rate.add(at(second), 1000 + (second - 1) * 10);
        }
        assert_eq!(rate.per_second(at(29)), Some(10));
        assert_eq!(rate.per_second(at(40)), None);
    }

    #[test]
    fn a_new_attempt_begins_anew() {
        let mut rate = Rate::default();
        rate.add(at(0), 0);
        rate.add(at(1), 9000);
        rate.add(at(2), 0);
        assert_eq!(rate.per_second(at(2)), None);
        rate.add(at(3), 50);
        assert_eq!(rate.per_second(at(3)), Some(50));
    }
}
