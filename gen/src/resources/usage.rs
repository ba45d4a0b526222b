//! Counts of device primitives, and what the device has of them.

use serde::{Deserialize, Serialize};
use std::ops::{Add, AddAssign, Mul, Sub};

/// Primitives of a module or a design; a difference of two may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// DSP48E2.
    pub dsp: i64,
    /// Lookup tables, those used as memory and shift registers included.
    pub lut: i64,
    /// Flip-flops.
    pub ff: i64,
    /// RAMB36E2.
    pub bram36: i64,
    /// RAMB18E2, of which two share the place of a RAMB36E2.
    pub bram18: i64,
    /// CARRY8; the synthesizer counts in CARRY4.
    pub carry8: i64,
}

/// The ZU9EG of the ZCU102.
pub const ZU9EG: Usage = Usage { dsp: 2520, lut: 274_080, ff: 548_160, bram36: 912, bram18: 1824, carry8: 274_080 / 8 };

/// Lookup tables that a memory primitive takes; `None` for what is none.
fn memory_luts(cell: &str) -> Option<i64> {
    // The number of bits behind a name's depth and width, by Xilinx' library guide (UG974).
    Some(match cell {
        "SRL16E" | "SRLC16E" | "SRLC32E" | "RAM32X1S" | "RAM64X1S" => 1,
        "RAM32X1D" | "RAM64X1D" | "RAM128X1S" => 2,
        "RAM32M" | "RAM64M" | "RAM128X1D" | "RAM256X1S" => 4,
        "RAM32M16" | "RAM64M8" | "RAM256X1D" | "RAM512X1S" => 8,
        _ => return None,
    })
}

impl Usage {
    /// Of some cells of a kind. Inverters count nothing: lookup tables and flip-flops have them at their pins.
    pub fn of_cells(cell: &str, count: i64) -> Self {
        let none = Self::default();
        match cell {
            "DSP48E2" => Self { dsp: count, ..none },
            "FDRE" | "FDSE" | "FDCE" | "FDPE" => Self { ff: count, ..none },
            "RAMB36E2" => Self { bram36: count, ..none },
            "RAMB18E2" => Self { bram18: count, ..none },
            "CARRY8" => Self { carry8: count, ..none },
            "CARRY4" => Self { carry8: (count + 1) / 2, ..none },
            "LUT1" | "LUT2" | "LUT3" | "LUT4" | "LUT5" | "LUT6" => Self { lut: count, ..none },
            _ => Self { lut: memory_luts(cell).unwrap_or(0) * count, ..none },
        }
    }

    /// Whether [`Self::of_cells`] knows the kind: a cell that it does not know would be left out of the sums silently.
    pub fn knows(cell: &str) -> bool {
        const WITHOUT_COST: [&str; 7] = ["INV", "MUXF7", "MUXF8", "MUXF9", "BUFG", "VCC", "GND"];
        Self::of_cells(cell, 2) != Self::default() || WITHOUT_COST.contains(&cell)
    }

    /// Places of block RAMs, in RAMB36E2.
    pub fn bram(&self) -> f64 {
        self.bram36 as f64 + self.bram18 as f64 / 2.0
    }

    /// DSP, LUT, FF and block RAM in % of another usage; `None` where that has none of the kind.
    pub fn percent_of(&self, whole: &Self) -> Percent {
        let share = |part: f64, of: f64| (of > 0.0).then(|| 100.0 * part / of);
        Percent {
            dsp: share(self.dsp as f64, whole.dsp as f64),
            lut: share(self.lut as f64, whole.lut as f64),
            ff: share(self.ff as f64, whole.ff as f64),
            bram: share(self.bram(), whole.bram()),
        }
    }
}

/// The device's block RAMs are RAMB36E2 or pairs of RAMB18E2: as a whole, only the first count.
pub fn device() -> Usage {
    Usage { bram18: 0, ..ZU9EG }
}

/// A usage in % of another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percent {
    /// DSP48E2.
    pub dsp: Option<f64>,
    /// Lookup tables.
    pub lut: Option<f64>,
    /// Flip-flops.
    pub ff: Option<f64>,
    /// Block RAMs, two RAMB18E2 as one RAMB36E2.
    pub bram: Option<f64>,
}

impl Usage {
    fn zip(self, other: Self, f: impl Fn(i64, i64) -> i64) -> Self {
        Self {
            dsp: f(self.dsp, other.dsp),
            lut: f(self.lut, other.lut),
            ff: f(self.ff, other.ff),
            bram36: f(self.bram36, other.bram36),
            bram18: f(self.bram18, other.bram18),
            carry8: f(self.carry8, other.carry8),
        }
    }
}

impl Add for Usage {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Usage {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
}

impl Mul<i64> for Usage {
    type Output = Self;
    fn mul(self, times: i64) -> Self {
        self.zip(self, |a, _| a * times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_counted_as_what_they_take() {
        assert_eq!(Usage::of_cells("LUT4", 7), Usage { lut: 7, ..Usage::default() });
        assert_eq!(Usage::of_cells("RAM32M16", 3), Usage { lut: 24, ..Usage::default() });
        assert_eq!(Usage::of_cells("CARRY4", 5), Usage { carry8: 3, ..Usage::default() });
        assert_eq!(Usage::of_cells("INV", 9), Usage::default());
        assert!(Usage::knows("INV") && Usage::knows("FDSE") && !Usage::knows("LDCE") && !Usage::knows("$mem_v2"));
    }

    #[test]
    fn shares_join_the_block_rams() {
        let usage = Usage { dsp: 126, bram36: 10, bram18: 3, lut: 2_740_800, ..Usage::default() };
        let percent = usage.percent_of(&device());
        assert_eq!((percent.dsp, percent.lut, percent.ff), (Some(5.0), Some(1000.0), Some(0.0)));
        assert!((percent.bram.unwrap() - 11.5 / 9.12).abs() < 1e-12);
        assert_eq!(usage.percent_of(&Usage::default()).dsp, None);
    }
}
