//! Imported blocks against rust-hdl's own simulator, and what is refused.

mod forms;
mod machine;
