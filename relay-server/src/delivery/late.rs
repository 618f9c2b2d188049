//! The deadline has passed, and the app has not answered.

use std::{sync::Arc, task::Poll};

use bytes::Bytes;
use hookwire_protocol::{head::ResponseHead, session::Reset};
use hookwire_tunnel::Sending;
use http::Response;
use http_body::Body;
use tokio::sync::OwnedSemaphorePermit;

use super::{
    BodyError, Case, Delivery, follow, held,
    kept::{Extent, Kept},
};
use crate::answer::{AnswerBody, accepted};

impl Delivery {
    /// The answer goes to nobody. The exchange comes to its end by itself.
    pub(super) fn let_run_out<B>(&self, sending: Sending<Kept<B>>, head: ResponseHead)
    where
        B: Body<Data = Bytes, Error = BodyError> + Send + Unpin + 'static,
    {
        self.tasks.spawn(follow::swallow(sending.into_exchange(head, self.patience).body));
    }

    /// The deadline has passed. Once all of the webhook is here it is written down, and answered with what is there then.
    pub(super) async fn late<B>(
        self: &Arc<Self>,
        case: Case,
        mut sending: Sending<Kept<B>>,
        turn: Option<OwnedSemaphorePermit>,
    ) -> Response<AnswerBody>
    where
        B: Body<Data = Bytes, Error = BodyError> + Send + Unpin + 'static,
    {
        // What can't be held has time for the app's own answer.
        if let Some(outcome) = self.whole_or_answered(&mut sending).await {
            return self.conclude(case, sending, outcome).await;
        }
        let in_hand = case.desk.take_in_hand(case.id());
        let arriving = case.desk.arriving();
        let mut append = self.inbox.append(held::webhook(&case.desk, &case.head, sending.body_mut().pieces()));
        let mut answer = None;
        let stored = std::future::poll_fn(|context| {
            if answer.is_none()
                && let Poll::Ready(outcome) = sending.poll_head(context, self.blame)
            {
                answer = Some(outcome);
            }
            append.as_mut().poll(context)
        })
        .await;
        drop(arriving);
        match (stored, answer) {
            (Ok(()), None) => {
                sending.answer_instead(accepted::STATUS.as_u16());
                let following = Arc::clone(self).follow(sending, in_hand, turn);
                self.tasks.spawn(following);
                accepted::response(case.id())
            }
            // The app was just in time after all.
            (Ok(()), Some(Ok(head))) if !held::never_reached(&head) => {
                self.settle_by_sender(in_hand, &head);
                self.conclude(case, sending, Ok(head)).await
            }
            (Ok(()), Some(refused)) => {
                match refused {
                    Ok(head) => self.let_run_out(sending, head),
                    Err(Reset(code)) => drop(sending.give_up(code)),
                }
                accepted::response(case.id()) // the drain has it
            }
            (Err(error), answer) => {
                case.not_stored(&error);
                let outcome = match answer {
                    Some(outcome) => outcome,
                    None => sending.head(self.patience, self.blame).await,
                };
                self.conclude(case, sending, outcome).await
            }
        }
    }

    /// Waits until all of a webhook is here: none. Or until the app has answered, be it that it can't be held.
    async fn whole_or_answered<B>(&self, sending: &mut Sending<Kept<B>>) -> Option<Result<ResponseHead, Reset>>
    where
        B: Body<Data = Bytes, Error = BodyError> + Send + Unpin,
    {
        let extent = std::future::poll_fn(|context| {
            if let Poll::Ready(outcome) = sending.poll_head(context, self.blame) {
                return Poll::Ready(Err(outcome));
            }
            let whole = std::task::ready!(sending.body_mut().poll_whole(context));
            Poll::Ready(whole.map_err(|error| Err(Reset((self.blame)(&error)))))
        })
        .await;
        match extent {
            Ok(Extent::Whole) => None,
            Ok(Extent::TooLarge) => Some(sending.head(self.patience, self.blame).await),
            Err(outcome) => Some(outcome),
        }
    }
}
