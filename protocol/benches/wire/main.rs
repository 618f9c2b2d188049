//! What the protocol costs without a socket: heads, frames, whole exchanges, large bodies.
#![expect(clippy::unwrap_used, reason = "a benchmark may end when its input is broken")]

mod codec;
mod session;
mod webhook;

criterion::criterion_group!(benches, codec::heads, codec::frames, session::exchanges, session::bodies);
criterion::criterion_main!(benches);
