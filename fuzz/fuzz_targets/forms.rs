#![no_main]

use hookwire_signatures::fuzz_forms;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_forms(data));
