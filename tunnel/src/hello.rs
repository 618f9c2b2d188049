//! The first message each way, over a WebSocket.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use hookwire_protocol::hello::{Hello, HelloError, Reply};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{error::Elapsed, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{self, Message},
};

/// How long the peer may take for its first message: several round trips around the world.
const HELLO_WITHIN: Duration = Duration::from_secs(5);

/// Why no session came about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The socket broke.
    #[error("connection lost during the handshake: {0}")]
    Socket(#[from] tungstenite::Error),
    /// The peer closed it without a word.
    #[error("peer closed the connection during the handshake")]
    Closed,
    /// The peer took too long.
    #[error("peer did not introduce itself within 5 s")]
    Late(#[from] Elapsed),
    /// The peer speaks something else.
    #[error(transparent)]
    Hello(#[from] HelloError),
}

/// Client: introduces itself.
pub async fn send_hello<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    hello: &Hello,
) -> Result<(), HandshakeError> {
    Ok(socket.send(Message::Binary(hello.message()?)).await?)
}

/// Relay: reads the client's introduction.
pub async fn read_hello<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
) -> Result<Hello, HandshakeError> {
    Ok(Hello::parse(read(socket).await?)?)
}

/// Relay: takes the client, or does not.
pub async fn send_reply<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    reply: &Reply,
) -> Result<(), HandshakeError> {
    Ok(socket.send(Message::Binary(reply.message()?)).await?)
}

/// Client: reads the relay's answer.
pub async fn read_reply<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
) -> Result<Reply, HandshakeError> {
    Ok(Reply::parse(read(socket).await?)?)
}

async fn read<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>) -> Result<Bytes, HandshakeError> {
    timeout(HELLO_WITHIN, async {
        loop {
            match socket.next().await.ok_or(HandshakeError::Closed)?? {
                Message::Binary(message) => return Ok(message),
                Message::Close(_) => return Err(HandshakeError::Closed),
                _ => {}
            }
        }
    })
    .await?
}
