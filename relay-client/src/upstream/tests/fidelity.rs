//! What the app reads is what was sent.

use http::HeaderMap;

use super::*;

/// The request line that the app reads for `target`, and what follows the head.
async fn line_and_body(upstream: &Upstream, app: &App, target: Bytes) -> (Vec<u8>, Vec<u8>) {
    let request = request("POST").header("content-length", 5);
    let request = request.header("connection", "close");
    let request = request.body(Full::from("hello")).unwrap();
    let sent = upstream.send(&app.target, request, target, || {});
    let (response, (_socket, request)) = tokio::join!(sent, app.serve(OK));
    assert_eq!(text(response.unwrap()).await.unwrap(), "ok");
    let line_end = find(&request, b"\r\n").unwrap();
    let head_end = find(&request, b"\r\n\r\n").unwrap();
    assert!(find(&request[line_end..head_end], b"\r\nhost: app.test").is_some());
    (request[..line_end].to_vec(), request[head_end + 4..].to_vec())
}

#[tokio::test]
async fn every_byte_of_a_target_arrives() {
    let (app, upstream) = (App::new().await, upstream());
    for byte in (0x21..=0xff_u8).filter(|byte| *byte != 0x7f) {
        let target = [b"/a", &[byte][..], b"b?c=", &[byte], b"&d"].concat();
        let expected = [b"POST ", &target[..], b" HTTP/1.1"].concat();
        let (line, body) = line_and_body(&upstream, &app, target.into()).await;
        assert_eq!(line, expected, "byte {byte:#04x}");
        assert_eq!(body, b"hello", "byte {byte:#04x}");
    }
}

#[tokio::test]
async fn shapes_of_targets_arrive() {
    let (app, upstream) = (App::new().await, upstream());
    let long = format!("/{}", "a".repeat(70_000));
    for target in ["/", "/?", "/??", "//h/", "/a//b/../c/./", "/%2e%2E/%zz", "/http://x/", "/#", &long] {
        let (line, _) = line_and_body(&upstream, &app, target.to_owned().into()).await;
        assert_eq!(line, format!("POST {target} HTTP/1.1").into_bytes());
    }
}

#[tokio::test]
async fn what_would_break_the_request_line_is_refused() {
    let target = "1".parse().unwrap();
    for byte in (0..=0x20_u8).chain([0x7f]) {
        let raw = vec![b'/', byte].into();
        let error = upstream().send(&target, get(), raw, || {}).await.unwrap_err();
        assert!(matches!(error, UpstreamError::BadTarget), "{byte:#04x}: {error:?}");
    }
    for raw in ["", "*", "h:80", "http://h/"] {
        let error = upstream().send(&target, get(), raw.into(), || {}).await.unwrap_err();
        assert!(matches!(error, UpstreamError::BadTarget), "{raw}: {error:?}");
    }
}

#[tokio::test]
async fn headers_arrive_in_order_with_all_their_bytes() {
    let (app, upstream) = (App::new().await, upstream());
    let request = request("POST")
        .header("x-many", "1")
        .header("x-many", "2")
        .header("x-bytes", HeaderValue::from_bytes(b"\xff\x9b\x80").unwrap())
        .header("content-length", "0")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let sent = upstream.send(&app.target, request, slash(), || {});
    let (_, (_socket, request)) = tokio::join!(sent, app.serve(OK));
    let expected = b"POST / HTTP/1.1\r\nhost: app.test\r\nx-many: 1\r\nx-many: 2\r\nx-bytes: \xff\x9b\x80\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(request, expected);
}

#[tokio::test]
async fn a_body_of_unknown_length_is_chunked_whatever_the_method() {
    for method in ["GET", "POST", "DELETE"] {
        let (app, upstream) = (App::new().await, upstream());
        let (pipe, body) = piped();
        let sent = upstream.send(&app.target, request(method).body(body).unwrap(), slash(), || {});
        let fed = async {
            pipe.send(Ok(data("hello"))).await.unwrap();
            drop(pipe);
        };
        let (_, (_socket, request), ()) = tokio::join!(sent, app.serve(OK), fed);
        let framing = find(&request, b"transfer-encoding: chunked\r\n");
        assert!(framing.is_some(), "{method}");
        assert!(request.ends_with(b"5\r\nhello\r\n0\r\n\r\n"), "{method}");
    }
}

#[tokio::test]
async fn trailers_pass_in_both_directions() {
    let (app, upstream) = (App::new().await, upstream());
    let (pipe, body) = piped();
    let request = request("POST").header("trailer", "x-sum");
    let sent = upstream.send(&app.target, request.body(body).unwrap(), slash(), || {});
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", HeaderValue::from_static("7"));
    let fed = async {
        pipe.send(Ok(data("a"))).await.unwrap();
        pipe.send(Ok(Frame::trailers(trailers.clone()))).await.unwrap();
        drop(pipe);
    };
    let answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nb\r\n0\r\nx-sum: 7\r\n\r\n";
    let (response, (_socket, request), ()) = tokio::join!(sent, app.serve(answer), fed);
    assert!(request.ends_with(b"1\r\na\r\n0\r\nx-sum: 7\r\n\r\n"));
    let body = response.unwrap().into_body().collect().await.unwrap();
    assert_eq!(body.trailers(), Some(&trailers));
    assert_eq!(body.to_bytes(), "b");
}
