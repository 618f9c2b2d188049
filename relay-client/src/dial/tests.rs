//! The dialer against relays, and what are none, on real sockets.

use std::error::Error as _;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    net::TcpListener,
};
use tokio_tungstenite::accept_hdr_async;
use tungstenite::handshake::server;

use super::*;
use crate::tls::fixture::{Authority, VALID, Years};

fn dialer(url: &str, token: Option<&str>, ca: Option<&Authority>) -> Dialer {
    let ca = ca.map(|authority| [authority.certificate()]);
    let token = token.map(|text| Token::new(text).unwrap());
    let ca = ca.as_ref().map(<[_; 1]>::as_slice);
    Dialer::new(url.parse().unwrap(), token, ca).unwrap()
}

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// What the handshake makes of an HTTP answer.
async fn answered(answer: &str) -> DialError {
    let (client, mut relay) = duplex(64 * 1024);
    let relay = async {
        let mut request = vec![0; 4096];
        let count = relay.read(&mut request).await.unwrap();
        assert!(request[..count].ends_with(b"\r\n\r\n"));
        relay.write_all(answer.as_bytes()).await.unwrap();
        drop(relay);
    };
    let dialer = dialer("http://relay.test", None, None);
    let (result, ()) = tokio::join!(dialer.upgrade(client, WebSocketConfig::default()), relay);
    result.unwrap_err()
}

/// A connection to a relay whose certificate is for `name` in `years` and was issued by `issuer`.
async fn over_tls(issuer: &Authority, name: &str, years: Years, trusted: &Authority) -> Result<Socket, DialError> {
    let (listener, port) = listener().await;
    let acceptor = issuer.acceptor(name, years);
    let relay = async { acceptor.accept(listener.accept().await.unwrap().0).await };
    let dialer = dialer(&format!("https://localhost:{port}"), None, Some(trusted));
    tokio::join!(dialer.connect(), relay).0
}

fn problem(result: Result<Socket, DialError>) -> TlsProblem {
    let error = result.unwrap_err();
    assert!(!error.retryable(), "{error:?}");
    match error {
        DialError::Tls { problem, .. } => problem,
        other => panic!("not about TLS: {other:?}"),
    }
}

#[tokio::test]
async fn a_relay_sees_path_token_protocol_and_agent() {
    let (listener, port) = listener().await;
    #[expect(clippy::result_large_err, reason = "tungstenite's signature")]
    let check = |request: &server::Request, mut response: server::Response| {
        let header = |name| request.headers()[name].to_str().unwrap();
        assert_eq!(request.uri(), CONNECT_PATH);
        assert_eq!(header("authorization"), "Bearer hw_1");
        assert_eq!(header("user-agent"), AGENT);
        assert_eq!(header("host"), format!("localhost:{port}"));
        let protocol = request.headers()[SEC_WEBSOCKET_PROTOCOL].clone();
        assert_eq!(protocol, SUBPROTOCOL);
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol);
        Ok(response)
    };
    let relay = async {
        let (socket, _) = listener.accept().await.unwrap();
        accept_hdr_async(socket, check).await.unwrap()
    };
    let dialer = dialer(&format!("localhost:{port}"), Some("hw_1"), None);
    let (socket, _relay) = tokio::join!(dialer.dial(WebSocketConfig::default()), relay);
    let Socket::Plain(stream) = socket.unwrap().into_inner() else {
        panic!("a relay on loopback is plain by default");
    };
    assert!(stream.nodelay().unwrap());
}

#[test]
fn a_token_is_one_visible_word_and_never_shown() {
    let dialer = dialer("localhost", Some("hw_secret"), None);
    assert!(!format!("{dialer:?}").contains("hw_secret"));
    for text in ["", " hw_1", "hw_1\n", "hw 1", "hw_\u{f6}"] {
        assert_eq!(Token::new(text).unwrap_err(), InvalidToken, "{text:?}");
    }
}

#[tokio::test]
async fn a_bad_token_is_told_in_the_relays_words() {
    let body = r#"{"error":"bad-token","message":"revoked","hint":"ask Ada"}"#;
    let error = answered(&format!(
        "HTTP/1.1 401 Unauthorized\r\nhookwire-error: bad-token\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ))
    .await;
    assert!(matches!(error, DialError::Unauthorized(_)), "{error:?}");
    assert_eq!(error.to_string(), "the relay refused the token: revoked");
    assert_eq!(error.hint().as_deref(), Some("ask Ada"));
    assert!(!error.retryable());
}

#[tokio::test]
async fn a_code_without_a_body_speaks_for_itself() {
    let error = answered("HTTP/1.1 503 No\r\nhookwire-error: stopping\r\n\r\n").await;
    assert!(matches!(error, DialError::Unavailable(_)), "{error:?}");
    let expected = "the relay is not available: the relay is stopping";
    assert_eq!(error.to_string(), expected);
    assert!(error.retryable() && error.hint().is_some());
}

#[tokio::test]
async fn answers_are_told_apart() {
    for (answer, retryable, text) in [
        ("404 Not Found\r\n", false, "no relay answers there: it answered with status 404"),
        ("200 OK\r\n", false, "no relay answers there: it answered with status 200"),
        ("500 Oops\r\n", true, "no relay answers there: it answered with status 500"),
        ("502 Bad Gateway\r\n", true, "the relay is not available: it answered with status 502"),
        (
            "429 Slow\r\nhookwire-error: overloaded\r\n",
            true,
            "the relay refused the connection: too many requests are in flight for this endpoint",
        ),
        (
            "400 Bad\r\nhookwire-error: malformed-request\r\n",
            false,
            "the relay refused the connection: the request is not well-formed HTTP",
        ),
    ] {
        let error = answered(&format!("HTTP/1.1 {answer}\r\n")).await;
        assert_eq!(error.to_string(), text);
        assert_eq!(error.retryable(), retryable, "{text}");
    }
}

#[tokio::test]
async fn a_redirect_is_told_and_not_followed() {
    let error = answered("HTTP/1.1 308 Moved\r\nlocation: https://relay.test/\r\n\r\n").await;
    let hint = error.hint().unwrap();
    assert_eq!(hint, "it redirects to `https://relay.test/`");
}

#[tokio::test]
async fn a_relay_that_goes_away_is_tried_again_and_a_stranger_is_not() {
    let gone = answered("").await;
    assert!(matches!(gone, DialError::Handshake(_)), "{gone:?}");
    assert!(gone.retryable());

    let stranger = answered("SSH-2.0-OpenSSH_9.9\r\n").await;
    assert!(matches!(stranger, DialError::Handshake(_)), "{stranger:?}");
    assert!(!stranger.retryable() && stranger.hint().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_silent_relay_is_given_up_after_the_limit() {
    let (client, _relay) = duplex(64 * 1024);
    let begin = tokio::time::Instant::now();
    let dialer = dialer("http://relay.test", None, None);
    let result = dialer.upgrade(client, WebSocketConfig::default()).await;
    assert_eq!(begin.elapsed(), STEP_LIMIT);
    assert!(result.unwrap_err().retryable());
}

#[tokio::test]
async fn a_relay_that_is_down_is_tried_again() {
    let (listener, port) = listener().await;
    drop(listener);
    let error = dialer(&format!("127.0.0.1:{port}"), None, None).connect().await;
    let error = error.unwrap_err();
    assert!(matches!(error, DialError::Connect { .. }), "{error:?}");
    assert!(error.retryable());
}

#[tokio::test]
async fn a_name_without_an_address_is_tried_again() {
    // RFC 6761 §6.4: `invalid` never resolves.
    let error = dialer("http://relay.invalid", None, None).connect().await;
    let error = error.unwrap_err();
    assert!(matches!(error, DialError::Dns { .. }), "{error:?}");
    assert!(error.retryable());
}

#[tokio::test]
async fn a_relay_is_trusted_by_the_given_ca() {
    let ca = Authority::new("ours");
    let socket = over_tls(&ca, "localhost", VALID, &ca).await.unwrap();
    let Socket::Tls(stream) = socket else {
        panic!("a relay behind https speaks TLS");
    };
    assert_eq!(stream.get_ref().1.alpn_protocol(), None);
}

#[tokio::test]
async fn a_wrong_name_is_called_by_both_names() {
    let ca = Authority::new("ours");
    let problem = problem(over_tls(&ca, "relay.example.com", VALID, &ca).await);
    let expected = "the certificate is for `relay.example.com`, not for `localhost`";
    assert_eq!(problem.to_string(), expected);
}

#[tokio::test]
async fn an_expired_certificate_is_told_with_its_date() {
    let ca = Authority::new("ours");
    let expired = problem(over_tls(&ca, "localhost", (2020, 2021), &ca).await);
    let expected = "the certificate has expired (valid until 2021-01-01 00:00 UTC)";
    assert_eq!(expired.to_string(), expected);

    let early = problem(over_tls(&ca, "localhost", (3999, 4000), &ca).await);
    let expected = "the certificate is not valid yet (valid from 3999-01-01 00:00 UTC)";
    assert_eq!(early.to_string(), expected);
}

#[tokio::test]
async fn an_unknown_issuer_hints_at_the_ca_option() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let error = over_tls(&theirs, "localhost", VALID, &ours).await.unwrap_err();
    assert!(error.hint().unwrap().contains("--ca"), "{error:?}");
    let source = error.source().unwrap().to_string();
    assert_eq!(source, "the certificate's issuer is not trusted here");
    assert_eq!(problem(Err(error)), TlsProblem::UnknownIssuer);
}

#[tokio::test]
async fn a_relay_without_tls_is_called_that() {
    let (listener, port) = listener().await;
    let relay = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.write_all(b"HTTP/1.1 400 Bad\r\n\r\n").await.unwrap();
        socket
    };
    let ca = Authority::new("ours");
    let dialer = dialer(&format!("https://localhost:{port}"), None, Some(&ca));
    let (result, _socket) = tokio::join!(dialer.connect(), relay);
    assert_eq!(problem(result), TlsProblem::NotTls);
}
