//! Ctrl-C and SIGTERM: the first asks for a graceful end, the second ends at once.

use std::{pin::pin, time::Duration};

use tokio::time::sleep;

use tokio_util::sync::CancellationToken;

/// The exit code of a process that SIGINT ended: 128 + 2, as shells have it.
pub(crate) const INTERRUPTED: u8 = 130;

/// An end that takes longer than this says what it waits for: a person would wonder, and less is not seen as waiting.
const WORDLESS: Duration = Duration::from_millis(500);

/// Cancels `stop` on the first signal and returns on the second.
pub(crate) async fn asked_twice(stop: &CancellationToken) {
    asked().await;
    stop.cancel();
    let mut again = pin!(asked());
    tokio::select! {
        () = &mut again => return,
        () = sleep(WORDLESS) => {}
    }
    tracing::warn!("what is in flight may finish; another Ctrl-C ends at once");
    again.await;
}

#[cfg(unix)]
async fn asked() {
    use tokio::signal::unix::{SignalKind, signal};

    let Ok(mut terminate) = signal(SignalKind::terminate()).inspect_err(unheard) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        () = interrupted() => {}
    }
}

#[cfg(not(unix))]
async fn asked() {
    interrupted().await;
}

async fn interrupted() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        unheard(&error);
        std::future::pending::<()>().await;
    }
}

fn unheard(error: &std::io::Error) {
    tracing::warn!("signals can't be listened for, so only a kill ends this process: {error}");
}
