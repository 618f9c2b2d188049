#![no_main]

use hookwire_signatures::fuzz_headers;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_headers(data));
