#![no_main]

use hookwire_protocol::fuzz::fuzz_frames;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_frames(data));
