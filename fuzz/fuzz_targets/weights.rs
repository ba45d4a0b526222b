#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| heatvit_fuzz::weights(data));
