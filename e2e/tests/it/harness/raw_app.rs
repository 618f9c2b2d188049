//! An app that a test writes byte by byte.

use std::fmt::{self, Display};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use super::{Head, Journal, Wire};

/// A request as the app saw it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Request {
    /// The request target, as it stood on the wire.
    pub(crate) fn target(&self) -> &[u8] {
        self.head.line.split(|byte| *byte == b' ').nth(1).unwrap_or_default()
    }
}

/// A free port of this machine's own.
const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The app; dropping it closes its port and its connections, as the end of its process would.
#[derive(Debug)]
pub(crate) struct RawApp {
    address: SocketAddr,
    /// Every whole request that [`RawApp::answering`] saw.
    pub(crate) requests: Journal<Request>,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    stopped: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
}

impl RawApp {
    /// An app that reads each request whole and answers with these bytes.
    pub(crate) fn answering(answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::answering_at(ANY_PORT, answer)
    }

    /// The same on a port that is free.
    pub(crate) fn answering_at(
        address: SocketAddr,
        answer: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let requests = Journal::new();
        let seen = requests.clone();
        let mut app = Self::handling_at(address, move |wire, head| {
            let mut body = wire.request_body(&head);
            let Ok(bytes) = body.all() else { return ControlFlow::Break(()) };
            let request = Request { trailers: body.trailers, head, body: bytes };
            let answer = answer(&request);
            seen.push(request);
            wire.try_send(answer).map_or(ControlFlow::Break(()), ControlFlow::Continue)
        });
        app.requests = requests;
        app
    }

    /// An app that does what `handle` does once a head is there. The connection is kept for the next request when it says so.
    pub(crate) fn handling(handle: impl Fn(&mut Wire, Head) -> ControlFlow<()> + Send + Sync + 'static) -> Self {
        Self::handling_at(ANY_PORT, handle)
    }

    fn handling_at(
        address: SocketAddr,
        handle: impl Fn(&mut Wire, Head) -> ControlFlow<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let handle = Arc::new(handle);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let stream = stream.unwrap();
                shared.connections.lock().unwrap().push(stream.try_clone().unwrap());
                let handle = Arc::clone(&handle);
                thread::spawn(move || {
                    let closer = stream.try_clone().unwrap();
                    let mut wire = Wire::of(stream);
                    while let Ok(Some(head)) = wire.head() {
                        if handle(&mut wire, head).is_break() {
                            break;
                        }
                    }
                    // The clone kept for stopping would hold the connection open.
                    let _ = closer.shutdown(Shutdown::Both);
                });
            }
        });
        Self { address, requests: Journal::new(), state }
    }

    /// Blocks until the app saw a request for this target.
    pub(crate) fn request(&self, target: &str) -> Request {
        self.requests.wait_for(&format!("a request for {target}"), 0, |request| {
            (request.target() == target.as_bytes()).then(|| request.clone())
        })
    }
}

impl Drop for RawApp {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        // Wakes the accepting thread, which then gives up the port.
        let _ = TcpStream::connect(self.address);
        for connection in self.state.connections.lock().unwrap().iter() {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

/// The address as `hookwire listen` takes it.
impl Display for RawApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

/// An address where nothing listens, until the test itself does.
pub(crate) fn unused_address() -> SocketAddr {
    TcpListener::bind((own_address(), 0)).unwrap().local_addr().unwrap()
}

/// An IP address of this machine that no other test listens on. On one that all share, a port that is given up for a while may be
/// what another test gets when it asks for any. Linux has a whole network for that (127.0.0.0/8, RFC 1122 §3.2.1.3 g).
pub(crate) fn own_address() -> Ipv4Addr {
    /// 127.1.0.0 is the first one.
    const FIRST: u32 = 0x7f01_0000;
    /// 127.254.0.0 is not used any more.
    const COUNT: u32 = 0x00fd_0000;
    /// More than one run of the tests asks for.
    const PER_PROCESS: u32 = 1024;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    if !cfg!(target_os = "linux") {
        return Ipv4Addr::LOCALHOST;
    }
    let number = std::process::id().wrapping_mul(PER_PROCESS).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
    Ipv4Addr::from(FIRST + number % COUNT)
}
