//! The way to the relay: TCP, TLS and the WebSocket handshake, each with a bound in time and an error that says what to change.
//!
//! It makes one attempt. When to try again is decided by who calls it, from [`DialError::retryable`].

use std::{io, sync::Arc, time::Duration};

use hookwire_protocol::limits::{CONNECT_PATH, SUBPROTOCOL};
use http::{
    HeaderValue, Uri,
    header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL, USER_AGENT},
};
use rustls::ClientConfig;
use rustls_pki_types::CertificateDer;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{self, client::IntoClientRequest, handshake::client::Request, protocol::WebSocketConfig},
};

use crate::tls::{self, TlsProblem, TrustError};

pub(crate) mod address;
mod error;
pub(crate) mod socket;
pub(crate) mod tcp;
mod url;

pub use address::AddressError;
pub use error::{Answer, DialError};
pub use socket::Socket;
pub use url::RelayUrl;

use tcp::TcpError;

/// Bound on each of the three steps. A relay on the other side of the earth needs under a second for one; after 10 s a person
/// watching wants to be told, and the next attempt may find a better network.
const STEP_LIMIT: Duration = Duration::from_secs(10);

/// How we call ourselves.
const AGENT: &str = concat!("hookwire/", env!("CARGO_PKG_VERSION"));

/// The secret that a session is opened with. Its `Debug` shows nothing of it.
#[derive(Clone, Debug)]
pub struct Token(HeaderValue);

/// The text can't be a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token is one line of visible ASCII characters")]
pub struct InvalidToken;

impl Token {
    /// Takes the text of a token, without blanks or line ends around it.
    pub fn new(text: &str) -> Result<Self, InvalidToken> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidToken);
        }
        let mut value = HeaderValue::try_from(format!("Bearer {text}")).map_err(|_invalid| InvalidToken)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }
}

/// Makes connections to one relay.
#[derive(Clone, Debug)]
pub struct Dialer {
    url: RelayUrl,
    token: Option<Token>,
    /// Set exactly for a relay behind TLS.
    tls: Option<Arc<ClientConfig>>,
}

impl Dialer {
    /// A dialer for `url` that shows `token`. A relay behind TLS is trusted by `ca` alone when it is given, else by the system's
    /// roots; a relay is never trusted blindly.
    pub fn new(
        url: RelayUrl,
        token: Option<Token>,
        ca: Option<&[CertificateDer<'static>]>,
    ) -> Result<Self, TrustError> {
        let tls = if url.is_tls() { Some(tls::client_config(ca, false, &[tls::HTTP_1_1])?) } else { None };
        Ok(Self { url, token, tls })
    }

    /// The relay.
    pub fn url(&self) -> &RelayUrl {
        &self.url
    }

    /// Both steps: [`connect`](Self::connect), then [`upgrade`](Self::upgrade).
    pub async fn dial(&self, config: WebSocketConfig) -> Result<WebSocketStream<Socket>, DialError> {
        self.upgrade(self.connect().await?, config).await
    }

    /// The first step: a socket to the relay, ready for HTTP/1.1. Each of TCP and TLS gets 10 s.
    pub async fn connect(&self) -> Result<Socket, DialError> {
        let stream = self.connect_tcp().await?;
        let Some(config) = &self.tls else {
            return Ok(Socket::Plain(stream));
        };
        let secured = Socket::secure(stream, self.url.host(), Arc::clone(config));
        let secured = timeout(STEP_LIMIT, secured).await;
        let silent = |_| Err(TlsProblem::Handshake("no answer in time".to_owned()));
        secured.unwrap_or_else(silent).map_err(|problem| DialError::Tls { address: self.url.authority(), problem })
    }

    /// The second step: the WebSocket handshake over whatever wraps the socket. Gets 10 s.
    pub async fn upgrade<S>(&self, io: S, config: WebSocketConfig) -> Result<WebSocketStream<S>, DialError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let request = self.request().map_err(DialError::Handshake)?;
        let handshake = client_async_with_config(request, io, Some(config));
        let silent = |_| Err(tungstenite::Error::Io(io::ErrorKind::TimedOut.into()));
        let answered = timeout(STEP_LIMIT, handshake).await.unwrap_or_else(silent);
        let (socket, _response) = answered.map_err(DialError::of_handshake)?;
        Ok(socket)
    }

    async fn connect_tcp(&self) -> Result<TcpStream, DialError> {
        let (host, port) = (self.url.host(), self.url.port());
        let silent = |_| Err(TcpError::Connect(io::ErrorKind::TimedOut.into()));
        match timeout(STEP_LIMIT, tcp::connect(host, port, None)).await.unwrap_or_else(silent) {
            Ok((stream, _address)) => Ok(stream),
            Err(TcpError::Resolve(source)) => Err(DialError::Dns { host: host.to_owned(), source }),
            Err(TcpError::Connect(source)) => Err(DialError::Connect { address: self.url.authority(), source }),
        }
    }

    /// The opening handshake (RFC 6455 §4.1).
    fn request(&self) -> Result<Request, tungstenite::Error> {
        let uri = Uri::builder()
            .scheme(if self.url.is_tls() { "wss" } else { "ws" })
            .authority(self.url.authority())
            .path_and_query(CONNECT_PATH)
            .build()?;
        let mut request = uri.into_client_request()?;
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
        if let Some(token) = &self.token {
            headers.insert(AUTHORIZATION, token.0.clone());
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests;
