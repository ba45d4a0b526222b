//! The 64-byte descriptor that heads every operation in the program stream: 32 little-endian fields of 16 bits.

/// Fields of a descriptor, by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Field {
    /// [`Opcode`].
    Opcode = 0,
    /// [`flags`].
    Flags = 1,
    /// [`counts`].
    Counts = 2,
    /// Output tiles, unless they follow from the limit.
    OutputTiles = 3,
    /// Reduction tiles, unless they follow from the limit.
    ReductionTiles = 4,
    /// Operations that must be retired before stationary vectors are read from K or V.
    Wait = 5,
    /// First word of the streamed operand.
    SourceBase = 6,
    /// Words from one row of the streamed operand to the next.
    SourcePitch = 7,
    /// First word of the destination (first channel for V).
    TargetBase = 8,
    /// Words from one row of the destination to the next (0 for V).
    TargetPitch = 9,
    /// First address of the stationary operand in K or V.
    StationaryBase = 10,
    /// Step from one stationary vector to the next.
    ColumnStep = 11,
    /// Multiplier of a product with one scale (low half).
    MultLow = 12,
    /// Multiplier of a product with one scale (top bit).
    MultHigh = 13,
    /// Step of the stationary address from one reduction tile to the next.
    ReductionStep = 14,
    /// Step of the stationary address from one output tile to the next.
    OutputStep = 15,
    /// Exponents: row scale in the low byte, norm in the high byte.
    Exponents = 16,
    /// Mantissa of the norm that reads the residual next (low half).
    NormGainLow = 17,
    /// Mantissa of the row scale (low half).
    RowGainLow = 18,
    /// Top bits of the mantissas: row scale in bit 0, norm in bit 1.
    GainHigh = 19,
    /// GELU knee.
    GeluKnee = 20,
    /// GELU coefficient.
    GeluKappa = 21,
    /// GELU delta1.
    GeluDelta = 22,
    /// GELU: shift in the low byte, code of zero in the high byte.
    GeluResult = 23,
    /// Norm epsilon (low half).
    EpsLow = 24,
    /// Norm epsilon (high half).
    EpsHigh = 25,
    /// 2^24 / D (low half).
    InverseLow = 26,
    /// 2^24 / D (high half).
    InverseHigh = 27,
    /// Channels of all heads, for V.
    ValuePitch = 28,
    /// Channels D of the norm.
    Channels = 29,
    /// Vectors of a fill, or the value of a count register.
    Amount = 30,
    /// Number of the product, modulo 2^16: a descriptor out of order is refused.
    Serial = 31,
}

/// What a descriptor asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Opcode {
    /// Nothing: padding of a region.
    Nop = 0,
    /// Copies vectors of int8 from the stream to memory A.
    FillOperand = 0x4801,
    /// Copies pairs of vectors of int16 from the stream to memory X.
    FillResidual = 0x4802,
    /// Sets a count register.
    SetCount = 0x4803,
    /// A matrix product.
    Product = 0x4804,
    /// The end of the program.
    End = 0x4805,
    /// Scores the tokens, makes the package of those that are dropped, and sets the count registers.
    Select = 0x4806,
}

/// Fields of [`Opcode::Select`] under their own names.
pub mod select {
    use super::Field;
    /// Words of the residual stream a row.
    pub const ROW_WORDS: Field = Field::TargetPitch;
    /// Attention heads.
    pub const HEADS: Field = Field::Amount;
    /// Cycles from one token to the next in scoring, less one.
    pub const LAST_SLOT: Field = Field::ColumnStep;
    /// Tokens with at least this score are kept, in 1/512.
    pub const THRESHOLD: Field = Field::MultLow;
    /// Bit 0 of the flags: dropped tokens leave no package.
    pub const NO_PACKAGE: u32 = 0;
}

/// Places of the parts of [`Field::Flags`].
pub mod flags {
    /// Stationary operand: 0 weights from the stream, 1 K, 2 V.
    pub const STATIONARY: u32 = 0;
    /// Streamed operand: 0 A, 1 normalised X, 2 exp of S, 3 ones (127) for every candidate token.
    pub const SOURCE: u32 = 2;
    /// Destination: see [`super::Target`].
    pub const TARGET: u32 = 4;
    /// Through GELU.
    pub const GELU: u32 = 7;
    /// Hold-off: see [`super::Hold`].
    pub const HOLD: u32 = 8;
    /// Bank of the row tables.
    pub const BANK: u32 = 10;
    /// Results for memory A also go to memory V, from the channel in `StationaryBase` on.
    pub const ALSO_VALUES: u32 = 11;
    /// Shift selector.
    pub const SELECTOR: u32 = 12;
    /// Scaled by row (or by the one multiplier of the descriptor), not by channel; no parameters in the stream.
    pub const BY_ROW: u32 = 14;
    /// With `BY_ROW`: the descriptor's multiplier instead of the row table's.
    pub const ONE_SCALE: u32 = 15;
}

/// Places of the parts of [`Field::Counts`].
pub mod counts {
    /// Count register of the streamed rows.
    pub const ROWS: u32 = 0;
    /// Count register of the limit.
    pub const LIMIT: u32 = 4;
    /// Output tiles = limit / C, rounded up.
    pub const OUTPUTS_FROM_LIMIT: u32 = 8;
    /// Reduction tiles = limit / R, rounded up.
    pub const REDUCTION_FROM_LIMIT: u32 = 9;
    /// Last reduction tiles that are the same for all rows: every row reads row 0's words.
    pub const SHARED_TILES: u32 = 10;
    /// Bits of that number.
    pub const SHARED_BITS: u32 = 4;
    /// The residual of a row is read from where the selector found its token.
    pub const GATHER: u32 = 14;
}

/// Count registers; register 0 always holds 1.
pub const COUNT_REGISTERS: u32 = 4;
/// Register of the rows of the residual stream.
pub const COUNT_TOKENS: u16 = 1;
/// Register of the rows without the package token: class token and candidates.
pub const COUNT_CANDIDATES: u16 = 2;
/// Register that programs with selectors set to zero.
pub const COUNT_NONE: u16 = 3;

/// Destination memories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Target {
    /// Streamed operands, int8.
    Operand = 0,
    /// Keys, int8.
    Keys = 1,
    /// Values, int8, transposed.
    Values = 2,
    /// Scores, int16.
    Scores = 3,
    /// Residual stream, int16: the product is added to it.
    Residual = 4,
    /// Logits, int16.
    Logits = 5,
}

/// Which operation a product's rows depend on: its first tile starts a pipeline length after that operation's
/// last tile, so that each row is there just before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Hold {
    /// On none that is recent.
    None = 0,
    /// On the operation before.
    Previous = 1,
    /// On the operation before the previous one.
    SecondPrevious = 2,
}

/// A descriptor under construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor([u16; 32]);

impl Descriptor {
    /// All fields zero but the opcode.
    pub fn new(opcode: Opcode) -> Self {
        let mut fields = [0; 32];
        fields[Field::Opcode as usize] = opcode as u16;
        Self(fields)
    }

    /// Sets a field.
    pub fn set(&mut self, field: Field, value: u16) -> &mut Self {
        self.0[field as usize] = value;
        self
    }

    /// Sets some bits of a field.
    pub fn or(&mut self, field: Field, value: u16, place: u32) -> &mut Self {
        self.0[field as usize] |= value << place;
        self
    }

    /// The field's value.
    pub fn get(&self, field: Field) -> u16 {
        self.0[field as usize]
    }

    /// The bytes in the stream.
    pub fn to_bytes(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        for (two, field) in bytes.chunks_exact_mut(2).zip(self.0) {
            two.copy_from_slice(&field.to_le_bytes());
        }
        bytes
    }
}
