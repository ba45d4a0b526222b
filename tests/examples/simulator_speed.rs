//! Speed of the simulator on the accelerator's datapath units: `cargo run --release -p heatvit-tests --example simulator_speed`.

use heatvit_hdl::Parameters;
use heatvit_rtl::{Design, Direction};
use heatvit_sim::{Engine, PortId, Simulator};
use std::time::Instant;

fn parameters(size: u32) -> Parameters {
    Parameters {
        rows: size,
        columns: size,
        max_tokens: 128,
        a_words: 512,
        k_words: 512,
        v_words: 512,
        s_words: 1024,
        x_words: 512,
        out_words: 4,
        selector_heads: 0,
    }
}

fn measure(name: &str, cycles: u64, build: impl FnOnce(&mut Design)) {
    let mut design = Design::new();
    build(&mut design);
    let start = Instant::now();
    let mut simulator = Simulator::new(&design).expect("a legal design");
    let built = start.elapsed();
    let top = design.module(design.top().expect("a top"));
    let inputs: Vec<PortId> = top
        .ports()
        .filter(|(_, s)| s.port == Some(Direction::Input))
        .map(|(_, s)| simulator.input(&s.name).expect("a port"))
        .collect();
    let mut random = 1u64;
    let start = Instant::now();
    for cycle in 0..cycles {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(cycle | 1);
        let port = inputs[cycle as usize % inputs.len()];
        simulator.set(port, &[random, !random, random.rotate_left(9), random, random]);
        simulator.step();
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{name:28} built in {:6.1} ms, {:9.0} cycles/s", built.as_secs_f64() * 1e3, cycles as f64 / seconds);
}

fn main() {
    for size in [16, 32, 64] {
        let p = parameters(size);
        let cycles = 400_000 / u64::from(size);
        measure(&format!("systolic_array {size}x{size}"), cycles * 4, |d| {
            heatvit_hdl::array::systolic_array(d, &p);
        });
        measure(&format!("accumulator {size}"), cycles * 4, |d| {
            heatvit_hdl::array::accumulator(d, &p);
        });
        measure(&format!("post_path {size}"), cycles * 4, |d| {
            heatvit_hdl::post::post_path(d, &p);
        });
        measure(&format!("operand_path {size}"), cycles * 4, |d| {
            heatvit_hdl::operand::operand_path(d, &p);
        });
        measure(&format!("row_scale {size}"), cycles * 4, |d| {
            heatvit_hdl::operand::row_scale(d, &p);
        });
        measure(&format!("value_memory {size}"), cycles * 4, |d| {
            heatvit_hdl::memory::value_memory(d, &p);
        });
    }
}
