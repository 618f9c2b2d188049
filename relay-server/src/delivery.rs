//! Who answers the sender, and what is never lost.
//!
//! [`Delivery::take`] answers a webhook whose endpoint may hold: with the app's answer, or with 202 once the inbox has synced it. That is
//! the only place where the relay says 2xx for an app. In reading order: `kept` (a body that may still have to be held), `held` (between
//! wire and inbox), `desk` (what is under way for an endpoint), `late` and `follow` (the app's answer after the sender has had its own),
//! `schedule`, `drain` (what goes out next) and `drainer` (which sends it), `upkeep` (the end of retention).

pub(crate) mod desk;
mod drain;
mod drainer;
mod follow;
mod held;
mod kept;
mod late;
mod schedule;
mod upkeep;

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use hookwire_protocol::{
    code::Code,
    head::{RequestHead, ResponseHead},
    session::Reset,
};
use hookwire_tunnel::{Sending, Tunnel};
use http::{Method, Response};
use http_body::Body;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::{
    answer::{AnswerBody, accepted, pass_on, refuse},
    endpoints::Route,
    inbox::{Inbox, InboxError},
    limits,
    policy::{Policy, Who},
};
use desk::{Arriving, Desk};
use kept::{Budget, Extent, Kept};

pub(crate) use drainer::Drainer;
pub(crate) use held::RESERVED;
pub(crate) use upkeep::upkeep;

/// What breaks a request's body.
pub(crate) type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// Answers webhooks whose endpoint may hold them.
pub(crate) struct Delivery {
    inbox: Arc<dyn Inbox>,
    budget: Arc<Budget>,
    /// For bodies of some size that are read back from the inbox.
    large: Semaphore,
    tasks: TaskTracker,
    /// How long an exchange may stand still before its answer begins.
    patience: Duration,
    /// What an error of a body says about its sender.
    blame: fn(&BodyError) -> Code,
    /// The time by which webhooks are due. Tests have one that goes with their paused clock.
    wall: fn() -> SystemTime,
}

/// Whether a request carries an event. The others are somebody's who waits for a page, or asks what can be asked (RFC 9110 §9.2.1).
pub(crate) fn carries_event(method: &Method) -> bool {
    [Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(method)
}

/// One webhook, and what was agreed for it.
struct Case {
    desk: Arc<Desk>,
    policy: Policy,
    head: RequestHead,
    /// When a hybrid relay answers.
    deadline: Instant,
}

/// How a webhook is answered.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are the large one, and it is what must not be boxed for each"
)]
enum Way<B> {
    /// By the app, which is sent it.
    ToApp(Case, Sending<Kept<B>>),
    /// Otherwise.
    Other(Pin<Box<dyn Future<Output = Response<AnswerBody>> + Send>>),
}

/// Why a webhook was not held.
enum NotHeld<B> {
    /// It is not whole, and never will be.
    Broken(Code),
    /// It can only be passed on: here is its body.
    TooLarge(Kept<B>),
    /// The inbox did not take it.
    Refused(Code),
}

impl Delivery {
    pub(crate) fn new(
        inbox: Arc<dyn Inbox>,
        tasks: TaskTracker,
        patience: Duration,
        blame: fn(&BodyError) -> Code,
    ) -> Self {
        Self {
            inbox,
            budget: Arc::new(Budget::new(limits::KEPT_IN_ALL, limits::KEPT_EACH)),
            large: Semaphore::new(limits::LARGE_AT_ONCE),
            tasks,
            patience,
            blame,
            wall: SystemTime::now,
        }
    }

    /// The inbox.
    pub(crate) fn inbox(&self) -> &Arc<dyn Inbox> {
        &self.inbox
    }

    /// Answers a webhook.
    ///
    /// Not an `async fn`, which would hold its arguments twice: this future is moved for every webhook. The usual way to the app is in
    /// it; what few webhooks need is boxed.
    pub(crate) fn take<B>(
        self: &Arc<Self>,
        route: Route,
        head: RequestHead,
        body: B,
    ) -> impl Future<Output = Response<AnswerBody>> + Send + use<B>
    where
        B: Body<Data = Bytes, Error = BodyError> + Send + Unpin + 'static,
    {
        let Route { desk, tunnel, policy } = route;
        let case = Case { desk, policy, head, deadline: Instant::now() + policy.deadline };
        let body = Kept::new(body, Arc::clone(&self.budget));
        let delivery = Arc::clone(self);
        let way = match tunnel {
            None => Way::Other(Box::pin(async move { delivery.without_app(&case, body, Code::NoSession).await })),
            Some(tunnel) if policy.who == Who::Relay || policy.ordered => {
                Way::Other(Box::pin(async move { delivery.take_in_turn(case, tunnel, body).await }))
            }
            Some(tunnel) => delivery.open(case, &tunnel, body),
        };
        Arc::clone(self).deliver(way, None)
    }

    /// A webhook that may have to queue up: behind what is held, or behind another.
    async fn take_in_turn<B>(self: &Arc<Self>, case: Case, tunnel: Tunnel, body: Kept<B>) -> Response<AnswerBody>
    where
        B: Body<Data = Bytes, Error = BodyError> + Send + Unpin + 'static,
    {
        let policy = case.policy;
        if policy.who == Who::Relay || (policy.keeps() && case.desk.has_backlog()) {
            return match self.hold(&case, body).await {
                Err(NotHeld::TooLarge(body)) => self.bring(case, &tunnel, body, None).await,
                held => case.answer(&held),
            };
        }
        match self.turn(&case).await {
            // Who waited before us and had no answer by its deadline is in the inbox by now, and comes first.
            Some(turn) if !(policy.keeps() && case.desk.has_backlog()) => {
                self.bring(case, &tunnel, body, Some(turn)).await
            }
            _ => self.without_app(&case, body, Code::Overloaded).await,
        }
    }

    /// Waits for an ordered endpoint's turn: as long as the sender may wait.
    async fn turn(&self, case: &Case) -> Option<OwnedSemaphorePermit> {
        let until = if case.policy.who == Who::Hybrid { case.deadline } else { Instant::now() + self.patience };
        timeout_at(until, case.desk.turn()).await.ok().flatten()
    }

    /// Brings a webhook to the app.
    async fn bring<B>(
        self: &Arc<Self>,
        case: Case,
        tunnel: &Tunnel,
        body: Kept<B>,
        turn: Option<OwnedSemaphorePermit>,
    ) -> Response<AnswerBody>
    where
        B: Body<Data = Bytes, Error = BodyError> + Send + Unpin + 'static,
    {
        let way = Arc::clone(self).open(case, tunnel, body);
        Arc::clone(self).deliver(way, turn).await
    }

    /// Begins a stream to the app.
    fn open<B>(self: Arc<Self>, case: Case, tunnel: &Tunnel, body: Kept<B>) -> Way<B>
    where
        B: Body<Data = Bytes, Error = BodyError> + Send + Unpin + 'static,
    {
        match tunnel.open(&case.head) {
            Ok(opened) => Way::ToApp(case, opened.with_body(body)),
            Err(Reset(code)) => Way::Other(Box::pin(async move { self.without_app(&case, body, code).await })),
        }
    }

    /// The answer of the app, or what stands in for it.
    #[expect(
        clippy::manual_async_fn,
        reason = "an `async fn` holds its arguments twice, and this future is moved for every webhook"
    )]
    fn deliver<B>(
        self: Arc<Self>,
        mut way: Way<B>,
        turn: Option<OwnedSemaphorePermit>,
    ) -> impl Future<Output = Response<AnswerBody>> + Send + use<B>
    where
        B: Body<Data = Bytes, Error = BodyError> + Send + Unpin + 'static,
    {
        async move {
            let outcome = match &mut way {
                Way::ToApp(case, sending) => self.outcome(case, sending).await,
                Way::Other(answer) => return answer.await,
            };
            // What few webhooks need is made before it is waited for: else this future would have room for all of it twice.
            let rest: Pin<Box<dyn Future<Output = _> + Send>> = match (way, outcome) {
                (Way::ToApp(case, sending), Some(Ok(head))) if !case.is_held_after(&head) => {
                    return self.pass_on(&case, sending, head);
                }
                (Way::ToApp(case, sending), Some(outcome)) => {
                    Box::pin(async move { self.conclude(case, sending, outcome).await })
                }
                (Way::ToApp(case, sending), None) => Box::pin(async move { self.late(case, sending, turn).await }),
                (Way::Other(answer), _) => answer,
            };
            rest.await
        }
    }

    /// What the app says. None: not until its deadline.
    async fn outcome<B>(&self, case: &Case, sending: &mut Sending<Kept<B>>) -> Option<Result<ResponseHead, Reset>>
    where
        B: Body<Data = Bytes, Error = BodyError> + Send + Unpin + 'static,
    {
        if case.policy.who == Who::Hybrid {
            let answered = std::future::poll_fn(|context| sending.poll_head(context, self.blame));
            timeout_at(case.deadline, answered).await.ok()
        } else {
            Some(Box::pin(sending.head(self.patience, self.blame)).await)
        }
    }

    /// The app's answer, or the client's in its place, is the sender's.
    fn pass_on<B>(&self, case: &Case, mut sending: Sending<Kept<B>>, head: ResponseHead) -> Response<AnswerBody>
    where
        B: Body<Data = Bytes, Error = BodyError> + Send + Unpin + 'static,
    {
        if head.error.is_none() {
            case.desk.app_answers();
        }
        sending.body_mut().let_go();
        let exchange = sending.into_exchange(head, self.patience);
        pass_on(&exchange.head, exchange.body)
    }

    /// The head of the app's answer is here, or there will be none.
    async fn conclude<B>(
        self: &Arc<Self>,
        case: Case,
        sending: Sending<Kept<B>>,
        outcome: Result<ResponseHead, Reset>,
    ) -> Response<AnswerBody>
    where
        B: Body<Data = Bytes, Error = BodyError> + Send + Unpin + 'static,
    {
        match outcome {
            Ok(head) if case.is_held_after(&head) => self.refused_by_app(case, sending, head).await,
            Ok(head) => self.pass_on(&case, sending, head),
            Err(Reset(code)) => {
                let body = sending.give_up(code);
                if matches!(code, Code::NoSession | Code::SessionLost | Code::Overloaded) {
                    return self.without_app(&case, body, code).await;
                }
                refuse(code)
            }
        }
    }

    /// The app takes no connection: it gets the webhook later. The client has it all the same, to judge its signature.
    async fn refused_by_app<B>(
        self: &Arc<Self>,
        case: Case,
        mut sending: Sending<Kept<B>>,
        head: ResponseHead,
    ) -> Response<AnswerBody>
    where
        B: Body<Data = Bytes, Error = BodyError> + Send + Unpin + 'static,
    {
        let extent = std::future::poll_fn(|context| sending.body_mut().poll_whole(context)).await;
        let pieces = sending.body_mut().pieces();
        match extent {
            Ok(Extent::Whole) => {
                self.let_run_out(sending, head);
                case.answer(&self.store::<B>(&case, pieces, case.desk.arriving(), ()).await)
            }
            Ok(Extent::TooLarge) => {
                let exchange = sending.into_exchange(head, self.patience);
                pass_on(&exchange.head, exchange.body)
            }
            Err(error) => {
                let code = (self.blame)(&error);
                sending.give_up(code);
                refuse(code)
            }
        }
    }

    /// The webhook can't be brought to the app now: `code` says why.
    async fn without_app<B>(self: &Arc<Self>, case: &Case, body: Kept<B>, code: Code) -> Response<AnswerBody>
    where
        B: Body<Data = Bytes, Error = BodyError> + Send + Unpin + 'static,
    {
        if !case.policy.hold {
            case.desk.refused();
            return refuse(code);
        }
        match self.hold(case, body).await {
            Err(NotHeld::TooLarge(_)) => {
                case.desk.refused();
                refuse(code)
            }
            held => case.answer(&held),
        }
    }

    /// Writes a webhook down.
    async fn hold<B>(self: &Arc<Self>, case: &Case, mut body: Kept<B>) -> Result<(), NotHeld<B>>
    where
        B: Body<Data = Bytes, Error = BodyError> + Send + Unpin + 'static,
    {
        let arriving = case.desk.arriving();
        match std::future::poll_fn(|context| body.poll_whole(context)).await {
            Ok(Extent::Whole) => {}
            Ok(Extent::TooLarge) => return Err(NotHeld::TooLarge(body)),
            Err(error) => return Err(NotHeld::Broken((self.blame)(&error))),
        }
        self.store(case, body.pieces(), arriving, body).await
    }

    /// Hands a whole webhook to the inbox, and waits until it is synced. `memory` is what has to stay counted until then.
    async fn store<B>(
        &self,
        case: &Case,
        pieces: Vec<Bytes>,
        arriving: Arriving,
        memory: impl Send + 'static,
    ) -> Result<(), NotHeld<B>> {
        let append = self.inbox.append(held::webhook(&case.desk, &case.head, pieces));
        // A task of its own: a sender that hangs up now must not keep the drain from hearing of it.
        let stored = self.tasks.spawn(async move {
            let stored = append.await;
            drop((arriving, memory));
            stored
        });
        let stored = stored.await.unwrap_or_else(|died| Err(InboxError::Failing(died.to_string().into())));
        stored.map_err(|error| {
            case.not_stored(&error);
            case.desk.refused();
            NotHeld::Refused(code_of(&error))
        })
    }
}

impl Case {
    fn id(&self) -> Uuid {
        Uuid::from_bytes(self.head.id)
    }

    /// Whether it is held though there is this answer: the app takes no connection.
    fn is_held_after(&self, head: &ResponseHead) -> bool {
        self.policy.hold && held::never_reached(head)
    }

    fn answer<B>(&self, held: &Result<(), NotHeld<B>>) -> Response<AnswerBody> {
        match held {
            Ok(()) => accepted::response(self.id()),
            Err(NotHeld::Broken(code) | NotHeld::Refused(code)) => refuse(*code),
            Err(NotHeld::TooLarge(_)) => refuse(Code::InboxFull),
        }
    }

    fn not_stored(&self, error: &InboxError) {
        tracing::debug!(endpoint = %self.desk.name(), %error, "a webhook was not held");
    }
}

/// What the sender is told when the inbox did not take its webhook.
fn code_of(error: &InboxError) -> Code {
    match error {
        InboxError::Full(_) | InboxError::Busy | InboxError::TooLarge { .. } => Code::InboxFull,
        _ => Code::InboxFailing,
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("inbox", &self.inbox.health()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
