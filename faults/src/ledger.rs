//! What was accepted, what arrived, and the difference.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    io::ErrorKind,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

/// The header that carries a webhook's number.
pub(crate) const ID: &str = "x-fault-id";

/// About the size of a Razorpay `payment.captured`.
const BODY: usize = 1_600;

/// Accepted and undelivered webhooks may take this long without one more arriving: the third try comes 30 s (± 20 %) after the second.
const STANDSTILL: Duration = Duration::from_secs(45);

/// The body of a webhook, which the app checks: a number, and bytes that follow from it.
pub(crate) fn body(id: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(id);
    let mut body = format!("{{\"id\":{id},\"pad\":\"").into_bytes();
    body.extend(std::iter::repeat_with(|| random.alphanumeric() as u8).take(BODY));
    body.extend_from_slice(b"\"}");
    body
}

/// The number in a body that was made here.
pub(crate) fn id_of(body: &[u8]) -> Option<u64> {
    let digits = body.strip_prefix(b"{\"id\":")?.split(|byte| *byte == b',').next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// One answer that the sender had.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answered {
    pub(crate) id: u64,
    /// 0 if there was none.
    pub(crate) status: u16,
}

/// What the app wrote down.
#[derive(Debug, Default)]
pub(crate) struct Delivered {
    pub(crate) times: HashMap<u64, u32>,
    /// Ids in the order in which they came, the held ones only.
    pub(crate) held: Vec<u64>,
    pub(crate) broken: u64,
}

impl Delivered {
    pub(crate) fn read(journal: &Path) -> Result<Self> {
        let mut delivered = Self::default();
        let text = match std::fs::read_to_string(journal) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(delivered), // no webhook came yet
            text => text?,
        };
        // A line without an end was cut by a kill: the app had not answered.
        for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            let mut words = line.split_whitespace();
            let Some(id) = words.next().and_then(|id| id.parse().ok()) else { continue };
            *delivered.times.entry(id).or_default() += 1;
            delivered.broken += u64::from(words.next() != Some("whole"));
            if words.next() == Some("held") {
                delivered.held.push(id);
            }
        }
        Ok(delivered)
    }
}

/// The balance of a run.
#[derive(Debug)]
pub(crate) struct Balance {
    pub(crate) sent: usize,
    pub(crate) accepted: usize,
    pub(crate) held: usize,
    pub(crate) delivered: usize,
    pub(crate) duplicates: u64,
    /// Accepted, and not delivered.
    pub(crate) lost: Vec<u64>,
    /// Accepted, failed by the app three times, and held for a try that is minutes away.
    pub(crate) waiting: usize,
    pub(crate) broken: u64,
}

impl Balance {
    pub(crate) fn of(answers: &[Answered], delivered: &Delivered) -> Self {
        let accepted: HashSet<u64> =
            answers.iter().filter(|answer| (200..300).contains(&answer.status)).map(|answer| answer.id).collect();
        let mut lost: Vec<u64> = accepted.iter().copied().filter(|id| !delivered.times.contains_key(id)).collect();
        lost.sort_unstable();
        Self {
            sent: answers.len(),
            accepted: accepted.len(),
            held: answers.iter().filter(|answer| answer.status == 202).count(),
            delivered: delivered.times.len(),
            duplicates: delivered.times.values().map(|times| u64::from(times - 1)).sum(),
            lost,
            waiting: 0,
            broken: delivered.broken,
        }
    }

    /// Waits until all that was accepted arrived, or nothing moves any more.
    pub(crate) async fn settled(answers: &[Answered], journal: &Path) -> Result<Self> {
        let (mut best, mut moved) = (usize::MAX, Instant::now());
        loop {
            let balance = Self::of(answers, &Delivered::read(journal)?);
            if balance.lost.is_empty() || moved.elapsed() > STANDSTILL {
                return Ok(balance);
            }
            if balance.lost.len() < best {
                (best, moved) = (balance.lost.len(), Instant::now());
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    /// Takes note of what is still held, and will be tried again later than anybody waits here.
    pub(crate) fn except(mut self, held: &HashSet<u64>) -> Self {
        let missing = self.lost.len();
        self.lost.retain(|id| !held.contains(id));
        self.waiting = missing - self.lost.len();
        self
    }

    /// That nothing was lost or broken, and that the test tested something.
    pub(crate) fn check(&self) -> Result<()> {
        ensure!(self.broken == 0, "{} bodies arrived broken: {self}", self.broken);
        ensure!(self.accepted > 0, "nothing was accepted, so nothing was proved: {self}");
        let shown: Vec<_> = self.lost.iter().take(5).collect();
        ensure!(self.lost.is_empty(), "{} accepted webhooks were lost, such as {shown:?}: {self}", self.lost.len());
        Ok(())
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "sent {} · accepted {} (held {}) · delivered {} · still held {} · duplicates {} · lost {}",
            self.sent,
            self.accepted,
            self.held,
            self.delivered,
            self.waiting,
            self.duplicates,
            self.lost.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_held_is_excepted() {
        let answers = [1, 2, 3].map(|id| Answered { id, status: 202 });
        let delivered = Delivered { times: HashMap::from([(1, 1)]), ..Delivered::default() };
        let held = [2].map(body).iter().filter_map(|body| id_of(body)).collect();
        let balance = Balance::of(&answers, &delivered).except(&held);
        assert_eq!((balance.lost.as_slice(), balance.waiting), (&[3][..], 1));
        assert!(balance.check().is_err());
        assert_eq!(id_of(b"{\"id\":x,"), None);
    }
}
