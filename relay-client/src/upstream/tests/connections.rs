//! When connections are made, kept, used again and closed.

use super::*;

#[tokio::test]
async fn a_connection_is_used_again() {
    let (app, upstream) = (App::new().await, upstream());
    let exchanges = async {
        for _ in 0..3 {
            let response = upstream.send(&app.target, post("hello"), slash(), || {}).await;
            assert_eq!(text(response.unwrap()).await.unwrap(), "ok");
        }
    };
    let served = async {
        let (mut socket, _) = app.serve(OK).await;
        for _ in 0..2 {
            read_request(&mut socket).await;
            socket.write_all(OK).await.unwrap();
        }
        socket
    };
    let ((), _socket) = tokio::join!(exchanges, served);
    assert!(app.left_alone());
}

#[tokio::test]
async fn a_connection_waits_for_the_end_of_its_answer() {
    let (app, upstream) = (App::new().await, upstream());
    let first = upstream.send(&app.target, get(), slash(), || {});
    let (first, (_first_socket, _)) = tokio::join!(first, app.serve(OK));
    let second = upstream.send(&app.target, get(), slash(), || {});
    let (second, (_second_socket, _)) = tokio::join!(second, app.serve(OK));
    assert_eq!(text(first.unwrap()).await.unwrap(), "ok");
    assert_eq!(text(second.unwrap()).await.unwrap(), "ok");
}

// A kept connection that the app closed: its end is known to the runtime, and the connection's task has not seen it yet.
#[tokio::test]
async fn a_request_that_never_left_goes_out_again() {
    let (app, upstream) = (App::new().await, upstream());
    let exchange = async { text(upstream.send(&app.target, post("1"), slash(), || {}).await?).await };
    let (first, (socket, _)) = tokio::join!(exchange, app.serve(OK));
    first.unwrap();
    drop(socket);
    tokio::task::yield_now().await;

    let exchange = async { text(upstream.send(&app.target, post("2"), slash(), || {}).await?).await };
    let (second, (_socket, request)) = tokio::join!(exchange, app.serve(OK));
    assert_eq!(second.unwrap(), "ok");
    assert!(request.ends_with(b"\r\n\r\n2"));
    assert!(app.left_alone());
}

#[tokio::test]
async fn a_request_that_the_app_has_read_is_never_sent_again() {
    let (app, upstream) = (App::new().await, upstream());
    let exchange = async { text(upstream.send(&app.target, post("1"), slash(), || {}).await?).await };
    let (first, (mut socket, _)) = tokio::join!(exchange, app.serve(OK));
    first.unwrap();

    let crash = async {
        read_request(&mut socket).await;
        drop(socket);
    };
    let (second, ()) = tokio::join!(upstream.send(&app.target, post("2"), slash(), || {}), crash);
    let error = second.unwrap_err();
    assert!(matches!(error, UpstreamError::Died(_)), "{error:?}");
    assert!(app.left_alone());
}

#[tokio::test]
async fn all_connections_of_a_dead_app_are_passed_over() {
    let (app, upstream) = (App::new().await, upstream());
    let mut sockets = Vec::new();
    let mut responses = Vec::new();
    for _ in 0..3 {
        let sent = upstream.send(&app.target, get(), slash(), || {});
        let (response, (socket, _)) = tokio::join!(sent, app.serve(OK));
        responses.push(response.unwrap());
        sockets.push(socket);
    }
    for response in responses {
        text(response).await.unwrap();
    }
    drop(sockets);
    tokio::task::yield_now().await;
    let sent = upstream.send(&app.target, get(), slash(), || {});
    let (response, (_socket, _)) = tokio::join!(sent, app.serve(OK));
    assert_eq!(response.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_refusal_is_told_at_once() {
    let App { listener, target } = App::on("127.0.0.1", "localhost").await;
    drop(listener);
    let error = upstream().send(&target, get(), slash(), || {}).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Refused { .. }), "{error:?}");
    assert_eq!(error.code().as_str(), "app-refused");
    let expected = format!("nothing listens on `localhost:{}`", target.port());
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_name_without_an_address_is_unreachable() {
    // RFC 6761 §6.4: `invalid` never resolves.
    let target = "app.invalid:3000".parse().unwrap();
    let error = upstream().send(&target, get(), slash(), || {}).await.unwrap_err();
    assert_eq!(error.code().as_str(), "app-unreachable");
}

// The clock of a paused runtime jumps to the limit as soon as nothing else can happen.
#[tokio::test(start_paused = true)]
async fn an_app_that_never_finishes_connecting_is_unreachable() {
    let app = App::new().await;
    let target = format!("https://{}", app.target.authority());
    let error = upstream().send(&target.parse().unwrap(), get(), slash(), || {}).await;
    let error = error.unwrap_err();
    // Without any certificate on this machine it does not come to waiting.
    assert!(matches!(error, UpstreamError::Unreachable { .. } | UpstreamError::Trust(_)), "{error:?}");
}

#[tokio::test]
async fn localhost_reaches_an_app_that_knows_only_ipv6() {
    let app = App::on("::1", "localhost").await;
    let upstream = upstream();
    let sent = upstream.send(&app.target, get(), slash(), || {});
    let (response, (_socket, _)) = tokio::join!(sent, app.serve(OK));
    assert_eq!(text(response.unwrap()).await.unwrap(), "ok");
    let address = upstream.shared.pool(app.target.origin()).address();
    assert!(address.unwrap().is_ipv6(), "the next connection goes there first");
}

#[tokio::test]
async fn a_dropped_request_closes_its_connection() {
    let (app, upstream) = (App::new().await, upstream());
    let mut socket = tokio::select! {
        _ = upstream.send(&app.target, post("1"), slash(), || {}) => panic!("nobody answered"),
        socket = async {
            let mut socket = app.accept().await;
            read_request(&mut socket).await;
            socket
        } => socket,
    };
    assert!(closed(&mut socket).await);
}

#[tokio::test]
async fn a_dropped_answer_closes_its_connection() {
    let (app, upstream) = (App::new().await, upstream());
    let endless = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: 1\n\n";
    let sent = upstream.send(&app.target, get(), slash(), || {});
    let (response, (mut socket, _)) = tokio::join!(sent, app.serve(endless));
    let mut body = response.unwrap().into_body();
    let frame = body.frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "data: 1\n\n");
    drop(body);
    assert!(closed(&mut socket).await);
}

#[tokio::test]
async fn a_dropped_answer_ends_a_request_that_still_flows() {
    let (app, upstream) = (App::new().await, upstream());
    let (_pipe, body) = piped();
    let sent = upstream.send(&app.target, request("POST").body(body).unwrap(), slash(), || {});
    let served = async {
        let mut socket = app.accept().await;
        let _ = socket.read(&mut [0; 1024]).await.unwrap();
        socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        socket
    };
    let (response, mut socket) = tokio::join!(sent, served);
    drop(response.unwrap());
    assert!(closed(&mut socket).await);
}

// Paused: the limit passes as soon as the app waits for the end.
#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_before_the_app_closes_it() {
    let (app, upstream) = (App::new().await, upstream());
    let exchange = async { text(upstream.send(&app.target, get(), slash(), || {}).await?).await };
    let (result, (mut socket, _)) = tokio::join!(exchange, app.serve(OK));
    result.unwrap();
    let begin = tokio::time::Instant::now();
    assert!(closed(&mut socket).await);
    assert!(begin.elapsed() <= pool::IDLE_LIMIT + pool::IDLE_LIMIT / 4);
}

#[tokio::test]
async fn closing_ends_idle_connections_and_keeps_none_any_more() {
    let (app, upstream) = (App::new().await, upstream());
    let sent = upstream.send(&app.target, get(), slash(), || {});
    let (response, (mut busy, _)) = tokio::join!(sent, app.serve(OK));
    let exchange = async { text(upstream.send(&app.target, get(), slash(), || {}).await?).await };
    let (idle, (mut idle_socket, _)) = tokio::join!(exchange, app.serve(OK));
    idle.unwrap();

    upstream.close().await;
    assert!(closed(&mut idle_socket).await);
    // A busy one belongs to its exchange, and ends with it.
    assert_eq!(text(response.unwrap()).await.unwrap(), "ok");
    assert!(closed(&mut busy).await);
}
