//! The app's answer after its sender has had the relay's.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use hookwire_protocol::{head::ResponseHead, session::Reset};
use hookwire_tunnel::{ReceivedBody, Sending};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::sync::OwnedSemaphorePermit;

use super::{BodyError, Delivery, desk::InHand, drain::Finish, held, kept::Kept, schedule};
use crate::{
    fault,
    inbox::{ParkReason, Settled},
};

/// What is read of an answer that goes to nobody, so that the client can show all of it.
const SWALLOWED: u64 = 8 * 1024 * 1024;

/// How long that may take.
const SWALLOW_FOR: Duration = Duration::from_secs(30);

impl Delivery {
    /// Waits for the answer of an app that is late, and settles the webhook by it. Without an answer the webhook is the drain's.
    pub(super) async fn follow<B>(
        self: Arc<Self>,
        mut sending: Sending<Kept<B>>,
        in_hand: InHand,
        turn: Option<OwnedSemaphorePermit>,
    ) where
        B: Body<Data = Bytes, Error = BodyError> + Send + Unpin + 'static,
    {
        let finish = match sending.head(self.patience, self.blame).await {
            Ok(head) => {
                fault::point("after-app-answer");
                let finish = held::finish(&head);
                self.settle(&in_hand, first_try(finish, (self.wall)())).await;
                sending.body_mut().let_go();
                swallow(sending.into_exchange(head, self.patience).body).await;
                finish
            }
            Err(Reset(code)) => {
                sending.give_up(code);
                let finish = held::finish_without(code);
                self.settle(&in_hand, first_try(finish, (self.wall)())).await;
                finish
            }
        };
        if finish == Finish::Took {
            in_hand.desk().app_answers();
        }
        drop((in_hand, turn));
    }

    /// The sender has the app's answer, though the webhook is in the inbox: whatever it is, the sender knows what to do.
    pub(super) fn settle_by_sender(self: &Arc<Self>, in_hand: InHand, head: &ResponseHead) {
        let settled = if held::finish(head) == Finish::Took { Settled::Delivered } else { Settled::Dropped };
        let delivery = Arc::clone(self);
        self.tasks.spawn(async move { delivery.settle(&in_hand, Some(settled)).await });
    }

    async fn settle(&self, in_hand: &InHand, settled: Option<Settled>) {
        let Some(settled) = settled else { return };
        if let Err(error) = self.inbox.settle(in_hand.id(), settled).await {
            // It stays pending, and comes again: the client knows its answer.
            tracing::warn!(id = %in_hand.id(), %error, "the inbox did not hear what became of a webhook");
        }
    }
}

/// What the inbox is told after the first try. Nothing where it is for the drain to try again at once.
fn first_try(finish: Finish, now: SystemTime) -> Option<Settled> {
    match finish {
        Finish::Took => Some(Settled::Delivered),
        Finish::Failed(status) => {
            let (attempt, chance) = (1, chance());
            Some(match schedule::wait(attempt, chance) {
                Some(wait) => Settled::Retry { at: now + wait, attempt, status },
                None => Settled::Parked { reason: ParkReason::Attempts, at: now, attempt, status },
            })
        }
        Finish::Absent | Finish::Lost | Finish::Gone => None,
    }
}

/// Reads an answer that goes to nobody to its end: one that was broken off would look like the app's fault.
pub(super) async fn swallow(mut body: ReceivedBody) {
    let read = async {
        let mut length = 0;
        while length <= SWALLOWED
            && let Some(Ok(frame)) = body.frame().await
        {
            length += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
    };
    let _ = tokio::time::timeout(SWALLOW_FOR, read).await; // what has not come by then is broken off
}

/// Between 0 and 1. A machine without randomness has no jitter.
pub(super) fn chance() -> f64 {
    getrandom::u32().map_or(0.5, |random| f64::from(random) / f64::from(u32::MAX))
}
