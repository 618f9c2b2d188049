#![no_main]

use hookwire_protocol::fuzz::fuzz_head;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_head(data));
