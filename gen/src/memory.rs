//! Memory of this process, from Linux; elsewhere nothing is known.

use std::fs;

/// High-water mark of the resident memory in bytes, since the start or the last [`forget_peak`].
pub fn peak() -> Option<u64> {
    kilobytes("VmHWM:")?.checked_mul(1024)
}

/// Lets the high-water mark begin at what is resident now.
pub fn forget_peak() {
    // Where it cannot be forgotten it stays too high: an upper bound.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn kilobytes(key: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_touched_is_in_the_peak() {
        let before = peak().unwrap();
        let touched = vec![1u8; 64 << 20];
        assert!(peak().unwrap() >= before.max(64 << 20), "{}", touched.len());
    }
}
