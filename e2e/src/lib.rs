//! End-to-end tests: the real binary, real sockets, real apps.
//!
//! There is nothing to call here. The tests are one binary, `tests/it`; what they start and watch is in `tests/it/harness`. They run
//! the binary named by `HOOKWIRE_BIN`, else a debug build made when it is needed, and see it as its users do: by its command
//! line, its output and its sockets. Nothing sleeps: a test waits for what it expects to see, with a deadline.
