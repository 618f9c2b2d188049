//! How a client takes its place: token, upgrade, hello, and then a session until one side ends it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use hookwire_protocol::{
    code::Code,
    frame::Goaway,
    hello::{Backlog, DELIVERY, FINISHED, Hello, Reply, Welcome},
    limits::SUBPROTOCOL,
    session::Side,
};
use hookwire_tunnel::{Connection, HandshakeError, ReadAhead, Tunnel, read_hello, send_reply, websocket_config};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::{body::Incoming, upgrade::OnUpgrade};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{handshake::derive_accept_key, protocol::Role},
};

use crate::{
    answer::{AnswerBody, refuse},
    delivery::Drainer,
    endpoints::ANYBODY,
    guard::Guard,
    ingress::{Ingress, Sender},
    limits,
    policy::Policy,
    stream::Stream,
};

/// Numbers the sessions of this process, so that an ending one never takes its successor along.
static SESSIONS: AtomicU64 = AtomicU64::new(1);

/// Answers a client's request for a session. The session itself starts once hyper has let go of the socket.
pub(crate) fn upgrade(ingress: &Arc<Ingress>, request: &mut Request<Incoming>, sender: Sender) -> Response<AnswerBody> {
    let Some(owner) = owner(ingress, request.headers()) else {
        tracing::info!(address = %sender.address, "client refused: no token, or one that is not known");
        return refuse(Code::BadToken);
    };
    let Some(accept) = accept_key(request) else { return refuse(Code::MalformedRequest) };
    if ingress.stop.is_cancelled() {
        return refuse(Code::Stopping);
    }
    let upgraded = hyper::upgrade::on(request);
    let session = serve(Arc::clone(ingress), upgraded, owner);
    let abort = ingress.abort.clone();
    ingress.tasks.spawn(async move {
        tokio::select! {
            () = session => {}
            () = abort.cancelled() => {}
        }
        drop(sender); // the session has kept the connection's place
    });

    let mut response = Response::new(AnswerBody::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    response
}

/// Who asks: the id of the token, or anybody on an open relay.
fn owner(ingress: &Ingress, headers: &HeaderMap) -> Option<String> {
    if ingress.open {
        return Some(ANYBODY.to_owned());
    }
    let token = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
    ingress.tokens.as_ref()?.check(token.trim())
}

/// What RFC 6455 §4.2.1 asks of the client, and the proof that we have read it (§4.2.2).
fn accept_key(request: &Request<Incoming>) -> Option<HeaderValue> {
    let headers = request.headers();
    let says = |name: header::HeaderName, word: &str| {
        let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|item| item.trim().eq_ignore_ascii_case(word))
    };
    let asks = request.method() == Method::GET
        && says(header::UPGRADE, "websocket")
        && says(header::CONNECTION, "upgrade")
        && says(header::SEC_WEBSOCKET_VERSION, "13")
        && says(header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL);
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?.as_bytes();
    if asks { HeaderValue::try_from(derive_accept_key(key)).ok() } else { None }
}

/// One session, from the upgrade to its end.
async fn serve(ingress: Arc<Ingress>, upgraded: OnUpgrade, owner: String) {
    let io = match upgraded.await {
        Ok(upgraded) => upgraded,
        Err(error) => {
            tracing::debug!(%error, "client left during the upgrade");
            return;
        }
    };
    // Past hyper and the guard: the socket itself, and what was read beyond the head.
    let Ok(parts) = io.downcast::<TokioIo<Guard<Stream>>>() else {
        tracing::error!("upgraded connection is not one of ours");
        return;
    };
    let socket = ReadAhead::new(parts.io.into_inner().into_inner());
    let mut socket =
        WebSocketStream::from_partially_read(socket, parts.read_buf.to_vec(), Role::Server, Some(websocket_config()))
            .await;
    match welcome(&ingress, &mut socket, &owner).await {
        Ok(Some((hello, policy))) => {
            let (connection, tunnel) = Connection::new(socket, Side::Relay);
            run(&ingress, connection, tunnel, hello, policy, &owner).await;
        }
        Ok(None) => {
            let _ = tokio::time::timeout(limits::FAREWELL, socket.close(None)).await; // a courtesy
        }
        Err(error) => tracing::info!(%error, "no session"),
    }
}

/// Reads the client's hello and answers it. `None` when it was refused.
async fn welcome<S>(
    ingress: &Ingress,
    socket: &mut WebSocketStream<S>,
    owner: &str,
) -> Result<Option<(Hello, Policy)>, HandshakeError>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let hello = read_hello(socket).await?;
    let taken = hello.agree().and_then(|version| {
        let delivers = hello.features.iter().any(|feature| feature == DELIVERY);
        let policy = ingress.endpoints.claim(&hello.endpoint, owner, hello.wishes.filter(|_| delivers))?;
        Ok((version, policy, delivers))
    });
    match taken {
        Ok((version, policy, delivers)) => {
            let welcome = Welcome {
                version,
                features: delivers.then(|| DELIVERY.to_owned()).into_iter().collect(),
                agent: concat!("hookwire/", env!("CARGO_PKG_VERSION")).into(),
                endpoint: hello.endpoint.clone(),
                public_url: ingress.public_url.as_ref().map(|url| format!("{url}/{}", hello.endpoint)),
                agreed: delivers.then(|| policy.agreed()),
                backlog: if delivers { backlog(ingress, &hello.endpoint).await } else { None },
            };
            send_reply(socket, &Reply::Welcome(welcome)).await?;
            Ok(Some((hello, policy)))
        }
        Err(refusal) => {
            tracing::info!(code = refusal.code, endpoint = ?hello.endpoint, owner, "client refused");
            send_reply(socket, &Reply::Refusal(refusal)).await?;
            Ok(None)
        }
    }
}

/// What a client that comes now should know. Without an inbox there is nothing.
async fn backlog(ingress: &Ingress, endpoint: &str) -> Option<Backlog> {
    let inbox = ingress.delivery.as_ref()?.inbox();
    // A failing inbox has told its operator: the client sees what it can of the rest.
    let counts = inbox.counts(endpoint).await.unwrap_or_default();
    let away = ingress.endpoints.away(endpoint);
    Some(Backlog {
        held: counts.pending,
        parked: counts.parked,
        delivering: counts.pending > 0,
        away_ms: away.map(|away| u64::try_from(away.as_millis()).unwrap_or(u64::MAX)),
        refused: ingress.endpoints.desk(endpoint).map_or(0, |desk| desk.take_refused()),
        ..Backlog::default()
    })
}

async fn run<S>(ingress: &Ingress, connection: Connection<S>, tunnel: Tunnel, hello: Hello, policy: Policy, owner: &str)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let session = SESSIONS.fetch_add(1, Ordering::Relaxed);
    tracing::info!(session, endpoint = hello.endpoint, owner, agent = ?hello.agent, "session begins");
    ingress.endpoints.attach(&hello.endpoint, session, hello.instance, tunnel.clone());
    let mut draining = JoinSet::new(); // ends with the session
    if let (Some(delivery), Some(desk)) = (&ingress.delivery, ingress.endpoints.desk(&hello.endpoint)) {
        let finished = hello.finished.iter().take(FINISHED).filter_map(|id| id.parse().ok()).collect();
        let drainer = Drainer::new(Arc::clone(delivery), desk, tunnel.clone(), policy.ordered, finished);
        draining.spawn(drainer.run());
    }
    let watch = watch(ingress, &tunnel, owner);
    let closed = tokio::select! {
        closed = connection.run() => closed.to_string(),
        () = watch => "cut off".to_owned(),
    };
    ingress.endpoints.detach(&hello.endpoint, session);
    tracing::info!(session, endpoint = hello.endpoint, reason = closed, "session ends");
}

/// Tells the session when it has to go. Returns only when a client whose token is gone has not gone by itself.
async fn watch(ingress: &Ingress, tunnel: &Tunnel, owner: &str) {
    tokio::select! {
        () = ingress.stop.cancelled() => {
            tunnel.go_away(Goaway::Stopping);
            std::future::pending::<()>().await;
        }
        () = revoked(ingress, owner) => {
            tunnel.go_away(Goaway::Revoked);
            tokio::time::sleep(limits::REVOKED_WITHIN).await;
        }
    }
}

/// Waits until the token that a session was opened with is gone. An open relay has none.
async fn revoked(ingress: &Ingress, owner: &str) {
    let Some(tokens) = &ingress.tokens else { return std::future::pending().await };
    let mut check = tokio::time::interval(limits::TOKEN_CHECK);
    while tokens.exists(owner) {
        check.tick().await;
    }
}
