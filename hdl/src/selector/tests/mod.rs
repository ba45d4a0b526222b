//! The selector's units under the reference interpreter, against the golden model.

mod arithmetic;
mod unit;
