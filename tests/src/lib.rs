//! See Cargo.toml.

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod vivado_scripts;
