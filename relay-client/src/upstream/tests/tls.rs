//! Apps behind TLS.

use super::*;
use crate::tls::{
    TlsProblem,
    fixture::{Authority, VALID, Years},
};

/// What comes of a request to an app whose certificate is for `name` in `years` and was issued by `issuer`.
async fn exchange(
    config: UpstreamConfig,
    issuer: &Authority,
    name: &str,
    years: Years,
) -> Result<String, UpstreamError> {
    let app = App::new().await;
    let target = format!("https://localhost:{}", app.target.port());
    let target: Target = target.parse().unwrap();
    let acceptor = issuer.acceptor(name, years);
    let served = async {
        let mut socket = acceptor.accept(app.accept().await).await.ok()?;
        let mut request = Vec::new();
        while find(&request, b"\r\n\r\n").is_none() {
            socket.read_buf(&mut request).await.ok()?;
        }
        socket.write_all(OK).await.ok()?;
        Some(socket)
    };
    let upstream = Upstream::new(config).unwrap();
    let sent = async { text(upstream.send(&target, get(), slash(), || {}).await?).await };
    tokio::join!(sent, served).0
}

fn trusting(authority: &Authority) -> UpstreamConfig {
    UpstreamConfig { ca: Some(vec![authority.certificate()]), ..UpstreamConfig::default() }
}

fn problem(result: Result<String, UpstreamError>) -> TlsProblem {
    let error = result.unwrap_err();
    assert_eq!(error.code().as_str(), "app-tls");
    match error {
        UpstreamError::Tls { problem, .. } => problem,
        other => panic!("not about TLS: {other:?}"),
    }
}

#[tokio::test]
async fn an_app_is_trusted_by_the_given_ca() {
    let ca = Authority::new("ours");
    let result = exchange(trusting(&ca), &ca, "localhost", VALID).await;
    assert_eq!(result.unwrap(), "ok");
}

#[tokio::test]
async fn a_refused_certificate_is_told_with_its_reason() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let wrong = problem(exchange(trusting(&ours), &ours, "app.test", VALID).await);
    let names = TlsProblem::WrongName { expected: "localhost".to_owned(), presented: vec!["app.test".to_owned()] };
    assert_eq!(wrong, names);

    let expired = problem(exchange(trusting(&ours), &ours, "localhost", (2020, 2021)).await);
    assert!(matches!(expired, TlsProblem::Expired { until: Some(_) }));

    let unknown = problem(exchange(trusting(&ours), &theirs, "localhost", VALID).await);
    assert_eq!(unknown, TlsProblem::UnknownIssuer);
}

#[tokio::test]
async fn insecure_takes_every_certificate() {
    let theirs = Authority::new("theirs");
    let insecure = || UpstreamConfig { insecure: true, ..UpstreamConfig::default() };
    for (name, years) in [("app.test", VALID), ("localhost", (2020, 2021))] {
        let result = exchange(insecure(), &theirs, name, years).await;
        assert_eq!(result.unwrap(), "ok", "{name} {years:?}");
    }
}

#[tokio::test]
async fn an_app_without_tls_is_called_that() {
    let app = App::new().await;
    let target = format!("https://localhost:{}", app.target.port());
    let upstream = Upstream::new(trusting(&Authority::new("ours"))).unwrap();
    let target = target.parse().unwrap();
    let sent = upstream.send(&target, get(), slash(), || {});
    let served = async {
        let mut socket = app.accept().await;
        socket.write_all(b"HTTP/1.1 400 Bad\r\n\r\n").await.unwrap();
        socket
    };
    let (result, _socket) = tokio::join!(sent, served);
    let result = result.map(|_| String::new());
    assert_eq!(problem(result), TlsProblem::NotTls);
}
