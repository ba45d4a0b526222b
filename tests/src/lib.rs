//! Checks of the whole route, one module per question.

pub mod random_designs;
pub mod tools;

#[cfg(test)]
mod accelerator;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod bench_sim;
#[cfg(test)]
mod compare;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod icarus_runs;
#[cfg(test)]
mod language;
#[cfg(test)]
mod resources;
#[cfg(test)]
mod route;
#[cfg(test)]
mod selectors;
#[cfg(test)]
mod simulator;
#[cfg(test)]
mod units;
#[cfg(test)]
mod verilator_runs;
#[cfg(test)]
mod vivado_scripts;
#[cfg(test)]
mod whole_design;
#[cfg(test)]
mod workload;
