//! Where images, program and results lie in the board's memory. The simulated board has the same layout at another
//! base, because its memory starts at zero.

/// First address used on the board: the upper quarter of the lower 2 GB.
pub const BOARD_BASE: u64 = 0x6000_0000;
/// First address used in simulation; not zero, so that an address that was never set is noticed.
pub const SIMULATED_BASE: u64 = 0x1000;
/// Regions start on pages, so no burst crosses one.
const PAGE: u64 = 4096;
/// Read ports.
pub const PORTS: u64 = 4;
/// Bytes of a burst: 16 beats of 16 bytes.
pub const BURST_BYTES: u64 = 256;

/// A region that is spread over the ports: port `p` reads from `address + p * stride`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Address of port 0's part.
    pub address: u64,
    /// Distance between the parts of two ports.
    pub stride: u64,
    /// Bursts in each part.
    pub bursts: u64,
}

impl Region {
    fn new(address: u64, bytes_per_port: u64) -> Self {
        Self { address, stride: bytes_per_port.next_multiple_of(PAGE), bursts: bytes_per_port.div_ceil(BURST_BYTES) }
    }

    /// Address of a port's part.
    pub fn port(&self, port: u64) -> u64 {
        self.address + port * self.stride
    }

    fn end(&self) -> u64 {
        self.port(PORTS)
    }
}

/// All regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// One input image.
    pub image: Region,
    /// Program with all weights.
    pub program: Region,
    /// Address of the result.
    pub result: u64,
    /// 16-byte beats of the result.
    pub result_beats: u64,
}

impl Layout {
    /// Places the regions one after the other from `base`, a multiple of the page.
    pub fn new(base: u64, image_bytes_per_port: u64, program_bytes_per_port: u64, result_beats: u64) -> Self {
        let program = Region::new(base, program_bytes_per_port);
        let image = Region::new(program.end(), image_bytes_per_port);
        Self { image, program, result: image.end(), result_beats }
    }

    /// First address of all.
    pub fn base(&self) -> u64 {
        self.program.address
    }

    /// First address after all.
    pub fn end(&self) -> u64 {
        self.result + (16 * self.result_beats).next_multiple_of(PAGE)
    }

    /// Register writes that start a run: byte offset, value, name.
    pub fn registers(&self) -> [(u32, u64, &'static str); 8] {
        [
            (0x10, self.image.address, "IMAGE_ADDR"),
            (0x14, self.image.stride, "IMAGE_STRIDE"),
            (0x18, self.image.bursts, "IMAGE_BURSTS"),
            (0x1c, self.program.address, "PROGRAM_ADDR"),
            (0x20, self.program.stride, "PROGRAM_STRIDE"),
            (0x24, self.program.bursts, "PROGRAM_BURSTS"),
            (0x28, self.result, "RESULT_ADDR"),
            (0x2c, self.result_beats, "RESULT_BEATS"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_on_pages_and_do_not_overlap() {
        let layout = Layout::new(BOARD_BASE, 1000, 70_000, 3);
        assert_eq!(layout.program, Region { address: 0x6000_0000, stride: 73_728, bursts: 274 });
        assert_eq!(layout.image, Region { address: 0x6000_0000 + 4 * 73_728, stride: 4096, bursts: 4 });
        assert_eq!(layout.result, layout.image.port(4));
        assert!([layout.image.address, layout.result, layout.end()].iter().all(|a| a % 4096 == 0));
    }
}
