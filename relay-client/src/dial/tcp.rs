//! TCP to a host that may have several addresses: the first that answers wins ("happy eyeballs", RFC 8305).

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use tokio::{net::TcpStream, task::JoinSet, time::sleep};

use super::address::is_localhost;

/// How long one address may be silent before the next is tried beside it: the "Connection Attempt Delay" that RFC 8305 §5
/// recommends.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// No connection to a host.
#[derive(Debug)]
pub(crate) enum TcpError {
    /// Its name has no address, or nobody could be asked.
    Resolve(io::Error),
    /// None of its addresses took the connection. `ConnectionRefused` if any of them refused.
    Connect(io::Error),
}

/// Connects to `host`, to `preferred` first if that is still one of its addresses, and says which address it was.
///
/// Sets `TCP_NODELAY`. Has no bound in time: an address may be silent for minutes.
pub(crate) async fn connect(
    host: &str,
    port: u16,
    preferred: Option<SocketAddr>,
) -> Result<(TcpStream, SocketAddr), TcpError> {
    let resolved = resolve(host, port).await.map_err(TcpError::Resolve)?;
    let addresses = in_order(resolved, preferred);
    let attempt = |address| async move { Ok((TcpStream::connect(address).await?, address)) };
    let (stream, address) = race(addresses, attempt).await.map_err(TcpError::Connect)?;
    stream.set_nodelay(true).map_err(TcpError::Connect)?;
    Ok((stream, address))
}

/// The addresses of a host. `localhost` is both loopbacks even where the resolver knows only one (RFC 6761 §6.3).
async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![(ip, port).into()]);
    }
    if is_localhost(host) {
        return Ok(vec![(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()]);
    }
    Ok(tokio::net::lookup_host((host, port)).await?.collect())
}

/// `preferred`, then the rest with the families taking turns (RFC 8305 §4), beginning with the family the resolver put first.
fn in_order(resolved: Vec<SocketAddr>, preferred: Option<SocketAddr>) -> Vec<SocketAddr> {
    let preferred = preferred.filter(|address| resolved.contains(address));
    let first_is_v6 = resolved.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = resolved
        .into_iter()
        .filter(|address| Some(*address) != preferred)
        .partition(|address| address.is_ipv6() == first_is_v6);
    let turns = first.len().max(second.len());
    let by_turns = (0..turns).flat_map(|turn| [first.get(turn), second.get(turn)]);
    preferred.into_iter().chain(by_turns.flatten().copied()).collect()
}

/// Starts one attempt after the other, the next as soon as the last one failed or was silent for [`ATTEMPT_DELAY`].
async fn race<T, A, F>(addresses: Vec<SocketAddr>, attempt: A) -> io::Result<T>
where
    T: Send + 'static,
    A: Fn(SocketAddr) -> F,
    F: Future<Output = io::Result<T>> + Send + 'static,
{
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    // Dropping the set ends the attempts that lost.
    let mut attempts = JoinSet::new();
    let mut waiting = addresses.into_iter().peekable();
    loop {
        if let Some(address) = waiting.next() {
            attempts.spawn(attempt(address));
        }
        tokio::select! {
            ended = attempts.join_next() => match ended {
                Some(Ok(Ok(winner))) => return Ok(winner),
                Some(Ok(Err(error))) => failure = worse(failure, error),
                Some(Err(error)) => failure = worse(failure, io::Error::other(error)),
                None => return Err(failure),
            },
            () = sleep(ATTEMPT_DELAY), if waiting.peek().is_some() => {}
        }
    }
}

/// The error to tell: that somebody refused says more than that a family is not available here.
fn worse(earlier: io::Error, later: io::Error) -> io::Error {
    match earlier.kind() {
        io::ErrorKind::ConnectionRefused => earlier,
        _ => later,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use tokio::time::Instant;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn families_take_turns_after_the_preferred_address() {
        let resolved = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "2.2.2.2:1"]);
        let expected = addresses(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"]);
        assert_eq!(in_order(resolved.clone(), None), expected);

        let preferred = Some("2.2.2.2:1".parse().unwrap());
        let expected = addresses(&["2.2.2.2:1", "[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"]);
        assert_eq!(in_order(resolved.clone(), preferred), expected);

        let moved = Some("9.9.9.9:1".parse().unwrap());
        assert_eq!(in_order(resolved.clone(), moved), in_order(resolved, None));
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_address_delays_the_next_by_the_recommended_time() {
        let begin = Instant::now();
        let winner = race(addresses(&["1.1.1.1:1", "[::1]:1"]), |address| async move {
            if address.is_ipv4() {
                pending::<()>().await;
            }
            Ok(address)
        });
        assert!(winner.await.unwrap().is_ipv6());
        assert_eq!(begin.elapsed(), ATTEMPT_DELAY);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_address_delays_nothing() {
        let begin = Instant::now();
        let winner = race(addresses(&["1.1.1.1:1", "[::1]:1"]), |address| async move {
            if address.is_ipv4() {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            Ok(address)
        });
        assert!(winner.await.unwrap().is_ipv6());
        assert_eq!(begin.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn an_early_address_may_still_win_after_the_next_was_tried() {
        let winner = race(addresses(&["1.1.1.1:1", "[::1]:1"]), |address| async move {
            if address.is_ipv6() {
                pending::<()>().await;
            }
            tokio::time::sleep(2 * ATTEMPT_DELAY).await;
            Ok(address)
        });
        assert!(winner.await.unwrap().is_ipv4());
    }

    #[tokio::test]
    async fn a_refusal_is_told_before_a_missing_family() {
        let result: io::Result<()> = race(addresses(&["1.1.1.1:1", "[::1]:1"]), |address| async move {
            let kinds = [io::ErrorKind::AddrNotAvailable, io::ErrorKind::ConnectionRefused];
            Err(kinds[usize::from(address.is_ipv4())].into())
        })
        .await;
        let kind = result.unwrap_err().kind();
        assert_eq!(kind, io::ErrorKind::ConnectionRefused);
    }

    #[tokio::test]
    async fn a_host_without_addresses_is_not_found() {
        let result: io::Result<()> = race(vec![], |_| pending()).await;
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
