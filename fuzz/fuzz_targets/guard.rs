#![no_main]

use hookwire_relay_server::fuzz_guard;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_guard(data));
