//! Does the whole accelerator leave every error with its code and an interrupt, ready for the next image?
//!
//! Every run that goes wrong is followed, on the same board and without a reset, by a good image: its logits and
//! token counts are the golden model's, and it takes the cycles that it took on the fresh board.

mod bus;
mod program;
mod registers;
mod rig;
mod stream;
