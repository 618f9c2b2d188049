#![no_main]

use hookwire_protocol::fuzz::fuzz_session;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_session(data));
