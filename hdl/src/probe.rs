//! Signals of the accelerator that a checker watches, as paths below the top.

/// High where a row of C results is written to its memory.
pub const RESULT_VALID: &str = "pipeline.row_written";
/// Its destination, see [`crate::schedule::descriptor::Target`].
pub const RESULT_TARGET: &str = "pipeline.row_target";
/// The results as int8, for memories A, K and V.
pub const RESULT_BYTES: &str = "pipeline.post_path_byte_13";
/// The results as int16, for memories S and X and the logits.
pub const RESULT_WORDS: &str = "pipeline.post_path_word_13";
/// High where a row of R operands enters the array.
pub const OPERAND_VALID: &str = "pipeline.operand_valid";
/// The operands.
pub const OPERAND: &str = "pipeline.operand_path_operand";
/// High where the sum of a row of exponentials is complete.
pub const ROW_SUM_VALID: &str = "pipeline.row_scale.complete";
/// The sum.
pub const ROW_SUM: &str = "pipeline.row_scale.sum";
