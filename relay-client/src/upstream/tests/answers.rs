//! Whole answers, early ones, broken ones and none.

use std::io::{Read as _, Write as _};

use hyper::ext::ReasonPhrase;

use super::*;

/// The response to `request` from an app that says `answer` and closes.
async fn answer_to<B>(request: Request<B>, answer: &[u8]) -> Result<Response<UpstreamBody>, UpstreamError>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (app, upstream) = (App::new().await, upstream());
    let sent = upstream.send(&app.target, request, slash(), || {});
    tokio::join!(sent, async { drop(app.serve(answer).await) }).0
}

async fn bad_answer(answer: &[u8]) {
    let error = answer_to(get(), answer).await.unwrap_err();
    assert!(matches!(error, UpstreamError::BadAnswer(_)), "{error:?}");
    assert_eq!(error.code().as_str(), "app-bad-answer");
}

async fn died(answer: &[u8]) {
    let error = match answer_to(get(), answer).await {
        Ok(response) => text(response).await.unwrap_err(),
        Err(error) => error,
    };
    assert!(matches!(error, UpstreamError::Died(_)), "{error:?}");
    assert_eq!(error.code().as_str(), "app-died");
}

#[tokio::test]
async fn answers_without_a_body_end_with_their_head() {
    let head = request("HEAD").body(Empty::<Bytes>::new()).unwrap();
    let length = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n";
    let response = answer_to(head, length).await.unwrap();
    assert_eq!(response.headers()["content-length"], "1000");
    assert!(response.body().is_end_stream());
    for status in [204, 304] {
        let head = format!("HTTP/1.1 {status} None\r\ncontent-length: 9\r\n\r\n");
        let response = answer_to(get(), head.as_bytes()).await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(text(response).await.unwrap(), "");
    }
}

#[tokio::test]
async fn interim_answers_are_passed_over() {
    let answer = [&b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"[..], OK];
    let response = answer_to(post("hello"), &answer.concat()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(text(response).await.unwrap(), "ok");
}

#[tokio::test]
async fn headers_and_reason_phrase_are_the_apps_own() {
    let answer = b"HTTP/1.1 418 Teapot \xe9\r\nset-cookie: b\r\nset-cookie: a\r\nx: \xff\r\ncontent-length: 0\r\n\r\n";
    let response = answer_to(get(), answer).await;
    let response = response.unwrap();
    let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["b", "a"]);
    assert_eq!(response.headers()["x"].as_bytes(), b"\xff");
    let reason = response.extensions().get::<ReasonPhrase>();
    // httparse blanks a phrase with bytes beyond ASCII; it carries no meaning (RFC 9112 §4).
    assert_eq!(reason.map(ReasonPhrase::as_bytes), Some(&b""[..]));

    let response = answer_to(get(), b"HTTP/1.1 200 Fine\r\ncontent-length: 0\r\n\r\n").await;
    let response = response.unwrap();
    let reason = response.extensions().get::<ReasonPhrase>().unwrap();
    assert_eq!(reason.as_bytes(), b"Fine");
}

#[tokio::test]
async fn an_answer_up_to_the_close_is_whole() {
    let response = answer_to(get(), b"HTTP/1.0 200 OK\r\n\r\nuntil the end").await;
    assert_eq!(text(response.unwrap()).await.unwrap(), "until the end");
}

#[tokio::test]
async fn an_app_that_dies_breaks_its_answer() {
    died(b"").await;
    died(b"HTTP/1.1 200 OK\r\ncontent-le").await;
    died(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello").await;
    died(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n").await;
    died(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel").await;
}

#[tokio::test]
async fn an_app_that_resets_breaks_its_answer() {
    let (app, upstream) = (App::new().await, upstream());
    let sent = upstream.send(&app.target, get(), slash(), || {});
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: 1\n\n";
    let (response, (socket, _)) = tokio::join!(sent, app.serve(head));
    socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO)).unwrap();
    drop(socket);
    let error = text(response.unwrap()).await.unwrap_err();
    assert!(matches!(error, UpstreamError::Died(_)), "{error:?}");
}

#[tokio::test]
async fn what_is_no_http_is_a_bad_answer() {
    bad_answer(b"SSH-2.0-OpenSSH_9.9\r\n").await;
    bad_answer(b"HTTP/1.1 2000 OK\r\n\r\n").await;
    bad_answer(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n").await;
    bad_answer(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n").await;
    bad_answer(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n").await;
}

#[tokio::test]
async fn a_head_has_bounds() {
    let many = |count| format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(count));
    assert!(answer_to(get(), many(100).as_bytes()).await.is_ok());
    bad_answer(many(101).as_bytes()).await;
    let large = |size| format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(size));
    assert!(answer_to(get(), large(60 * 1024).as_bytes()).await.is_ok());
    bad_answer(large(64 * 1024).as_bytes()).await;
}

#[tokio::test]
async fn a_request_that_breaks_off_is_the_senders_fault() {
    let (app, upstream) = (App::new().await, upstream());
    let (pipe, body) = piped();
    let sent = upstream.send(&app.target, request("POST").body(body).unwrap(), slash(), || {});
    let served = async {
        let mut socket = app.accept().await;
        pipe.send(Ok(data("a"))).await.unwrap();
        let gone = io::ErrorKind::ConnectionReset.into();
        pipe.send(Err(gone)).await.unwrap();
        closed(&mut socket).await
    };
    let (result, app_saw_it) = tokio::join!(sent, served);
    let error = result.unwrap_err();
    assert!(matches!(error, UpstreamError::RequestBody(_)), "{error:?}");
    assert_eq!(error.code().as_str(), "sender-gone");
    assert!(app_saw_it);
}

/// A body that is always ready with more.
struct Endless;

impl Body for Endless {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::convert::Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'a'; 16 * 1024])))))
    }
}

// hyper gives up on a connection whose write fails, even when the answer is there to be read. The app runs on a thread of its own, so
// that it can close while hyper is writing.
#[tokio::test]
async fn an_answer_counts_though_the_app_did_not_read_the_body() {
    const ROUNDS: usize = 20;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let target: Target = listener.local_addr().unwrap().to_string().parse().unwrap();
    let app = std::thread::spawn(move || {
        for _ in 0..ROUNDS {
            let (mut socket, _) = listener.accept().unwrap();
            let _ = socket.read(&mut [0; 1024]).unwrap();
            socket.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig").unwrap();
        }
    });
    let upstream = upstream();
    for _ in 0..ROUNDS {
        let sent = upstream.send(&target, request("POST").body(Endless).unwrap(), slash(), || {});
        let response = sent.await.unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(text(response).await.unwrap(), "big");
    }
    app.join().unwrap();
}

#[tokio::test]
async fn a_request_flows_on_after_an_early_answer() {
    let (app, upstream) = (App::new().await, upstream());
    let (pipe, body) = piped();
    let sent = upstream.send(&app.target, request("POST").body(body).unwrap(), slash(), || {});
    let early = async {
        let mut socket = app.accept().await;
        let mut request = vec![0; 1024];
        let count = socket.read(&mut request).await.unwrap();
        request.truncate(count);
        socket.write_all(OK).await.unwrap();
        (socket, request)
    };
    let (response, (mut socket, mut request)) = tokio::join!(sent, early);
    assert_eq!(text(response.unwrap()).await.unwrap(), "ok");

    pipe.send(Ok(data("late"))).await.unwrap();
    drop(pipe);
    while !request.ends_with(b"4\r\nlate\r\n0\r\n\r\n") {
        let count = socket.read_buf(&mut request).await.unwrap();
        assert!(count > 0, "{:?}", request.escape_ascii().to_string());
    }
    // Written to the end: now the connection is kept.
    while upstream.shared.pool(app.target.origin()).idle() == 0 {
        tokio::task::yield_now().await;
    }
}
