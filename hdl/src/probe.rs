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

/// High where the last row of a product leaves the array.
pub const PRODUCT_STREAMED: &str = "pipeline.post_pop";
/// High where the selector decides about a token.
pub const DECIDED: &str = "pipeline.selector.score_decided";
/// Its score.
pub const SCORE: &str = "pipeline.selector.score";
/// Whether it is kept.
pub const KEPT: &str = "pipeline.selector.score_kept";
/// High where a word of the package token is written.
pub const PACKAGE_VALID: &str = "pipeline.selector_package_write";
/// The word: R residuals.
pub const PACKAGE: &str = "pipeline.operand_path_word_5";
/// High where the selector sets a count register.
pub const COUNT_VALID: &str = "pipeline.selector_count_write";
/// Which.
pub const COUNT_REGISTER: &str = "pipeline.selector_count_register";
/// Its value.
pub const COUNT: &str = "pipeline.selector_count";
/// High where the selector is through.
pub const SELECT_DONE: &str = "pipeline.selector_done";
