#![no_main]

use hookwire_protocol::fuzz::fuzz_hello;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_hello(data));
