//! The board's models around a small copy engine: data, latency, stalls, errors, runs without reset.

use heatvit_rtl::{Design, Expr, ModuleBuilder, Ty};
use heatvit_sim::axi::{Board, Job, MemoryConfig, MemoryModel};
use heatvit_sim::{Reference, SimError, Simulator};

const IDLE: u64 = 0;
const READ_ADDRESS: u64 = 1;
const READ: u64 = 2;
const WRITE_ADDRESS: u64 = 3;
const WRITE: u64 = 4;
const RESPONSE: u64 = 5;
const DONE: u64 = 6;

/// Copies one beat from IMAGE_ADDR to RESULT_ADDR; ERROR is 1 after a read error, 2 after a write error.
fn copier() -> Design {
    let mut m = ModuleBuilder::new("heatvit_top", "");
    let bit = |m: &mut ModuleBuilder, name: &str| m.input(name, Ty::bit(), "");
    let (aw_valid, w_valid) = (bit(&mut m, "s_axi_ctrl_awvalid"), bit(&mut m, "s_axi_ctrl_wvalid"));
    let (b_ready, ar_valid, r_ready) =
        (bit(&mut m, "s_axi_ctrl_bready"), bit(&mut m, "s_axi_ctrl_arvalid"), bit(&mut m, "s_axi_ctrl_rready"));
    let aw_addr = m.input("s_axi_ctrl_awaddr", Ty::bits(12), "");
    let w_data = m.input("s_axi_ctrl_wdata", Ty::bits(32), "");
    m.input("s_axi_ctrl_wstrb", Ty::bits(4), "");
    let ar_addr = m.input("s_axi_ctrl_araddr", Ty::bits(12), "");
    let state = m.reg_declare("state", Ty::bits(3));
    let is = |value: u64| state.eq_lit(value);
    // Register port: address and data are taken together.
    let b_valid = m.output_reg("s_axi_ctrl_bvalid", Ty::bit(), "");
    let write = m.wire("register_write", &(&aw_valid & &w_valid & !&b_valid));
    m.output_as("s_axi_ctrl_awready", &write, "");
    m.output_as("s_axi_ctrl_wready", &write, "");
    m.drive(&b_valid, &(&write | (&b_valid & !b_ready)), None, Some(0));
    let setting = |m: &mut ModuleBuilder, name: &str, offset: u64| {
        let enable = &write & aw_addr.eq_lit(offset);
        m.reg_en(name, &enable, &w_data)
    };
    let (image, result) = (setting(&mut m, "image", 0x10), setting(&mut m, "result", 0x28));
    let r_valid = m.output_reg("s_axi_ctrl_rvalid", Ty::bit(), "");
    let take = m.wire("register_read", &(&ar_valid & !&r_valid));
    m.output_as("s_axi_ctrl_arready", &take, "");
    m.drive(&r_valid, &(&take | (&r_valid & !r_ready)), None, Some(0));
    let error = m.reg_declare("error", Ty::bits(2));
    let status = Expr::concat(&[is(DONE), Expr::lit(0, 1)]);
    let shown = ar_addr.eq_lit(4).mux(&status, &error).extend(32);
    let r_data = m.output_reg("s_axi_ctrl_rdata", Ty::bits(32), "");
    m.drive(&r_data, &shown, Some(&take), None);
    m.output_as("irq", &is(DONE), "");
    // Memory ports; ports 1 to 3 are silent.
    let mut port_0 = Vec::new();
    for p in 0..4 {
        let name = |s: &str| format!("m_axi_p{p}_{s}");
        let inputs = [("arready", 1), ("rvalid", 1), ("rdata", 128), ("rresp", 2), ("rlast", 1)]
            .map(|(s, w)| m.input(&name(s), Ty::bits(w), ""));
        let active = Expr::lit(u64::from(p == 0), 1);
        m.output_as(&name("araddr"), &image, "");
        m.output_as(&name("arlen"), &Expr::lit(0, 8), "");
        m.output_as(&name("arvalid"), &(is(READ_ADDRESS) & &active), "");
        m.output_as(&name("rready"), &(is(READ) & active), "");
        if p == 0 {
            port_0 = inputs.to_vec();
        }
    }
    let [ar_ready, beat_valid, beat, resp, _] = port_0.try_into().expect("five inputs");
    let inputs = [("awready", 1), ("wready", 1), ("bvalid", 1), ("bresp", 2)]
        .map(|(s, w)| m.input(&format!("m_axi_p0_{s}"), Ty::bits(w), ""));
    let [aw_ready, w_ready, done, b_resp] = inputs;
    let got = m.wire("got", &(is(READ) & &beat_valid));
    let held = m.reg_en("held", &got, &beat);
    for (name, value) in [
        ("awaddr", result),
        ("awlen", Expr::lit(0, 8)),
        ("awvalid", is(WRITE_ADDRESS)),
        ("wdata", held),
        ("wstrb", Expr::lit(0x00FF, 16)),
        ("wlast", Expr::lit(1, 1)),
        ("wvalid", is(WRITE)),
        ("bready", is(RESPONSE)),
    ] {
        m.output_as(&format!("m_axi_p0_{name}"), &value, "");
    }
    let start = m.wire("start", &(&write & aw_addr.eq_lit(0)));
    let clear = m.wire("clear", &(&write & aw_addr.eq_lit(0xC)));
    let two = Expr::lit(2, 2);
    let after_read = resp.any().mux(&Expr::lit(1, 2), &error);
    let after_write = (error.eq_lit(0) & b_resp.any()).mux(&two, &error);
    let next_error = got.mux(&after_read, &(is(RESPONSE) & &done).mux(&after_write, &error));
    m.drive(&error, &start.mux(&Expr::lit(0, 2), &next_error), None, Some(0));
    let moves = [
        (IDLE, start.clone()),
        (READ_ADDRESS, ar_ready),
        (READ, beat_valid),
        (WRITE_ADDRESS, aw_ready),
        (WRITE, w_ready),
        (RESPONSE, done),
    ];
    let advance = moves.into_iter().map(|(s, go)| is(s) & go).reduce(|a, b| a | b).expect("not empty");
    let next = (&state + Expr::lit(1, 1)).trunc(3);
    let next = advance.mux(&next, &(is(DONE) & clear).mux(&Expr::lit(IDLE, 3), &state));
    m.drive(&state, &next, None, Some(IDLE));
    let mut design = Design::new();
    design.add(m.finish());
    design
}

fn memory(stalls: Option<u64>, faults: Vec<u64>) -> MemoryModel {
    let config = MemoryConfig { stalls, faults, ..MemoryConfig::zcu102(300e6) };
    let mut memory = MemoryModel::new(4096, config);
    memory.bytes_mut().iter_mut().zip(0u8..=255).for_each(|(to, value)| *to = value);
    memory
}

fn job(from: u32, to: u32) -> Job {
    Job { image: (from, 0, 1), result: (to, 1), ..Job::default() }
}

#[test]
fn two_runs_without_reset_move_data_with_the_latency_of_the_memory() {
    let design = copier();
    let mut board = Board::new(Simulator::new(&design).unwrap(), memory(None, vec![]), None).unwrap();
    for (from, to) in [(16, 1024), (48, 2048)] {
        let report = board.run_image(&job(from, to), 1000, &mut |_, _| Ok(())).unwrap();
        assert_eq!((report.status, report.error), (2, 0));
        // Start to address 1, data after 64, three steps of the write, response after 64, done.
        assert_eq!(report.cycles, 1 + 64 + 1 + 1 + 64 + 1);
        let bytes = board.memory().bytes();
        assert_eq!(bytes[to as usize..to as usize + 8], bytes[from as usize..from as usize + 8]);
        assert_eq!(bytes[to as usize + 8..to as usize + 16], [0; 8]);
    }
}

#[test]
fn both_engines_agree_cycle_by_cycle_under_stalls() {
    let design = copier();
    for seed in 0..20 {
        let mut fast = Board::new(Simulator::new(&design).unwrap(), memory(Some(seed), vec![]), Some(seed)).unwrap();
        let mut slow = Board::new(Reference::new(&design).unwrap(), memory(Some(seed), vec![]), Some(seed)).unwrap();
        let expected = slow.run_image(&job(32, 512), 2000, &mut |_, _| Ok(())).unwrap();
        assert_eq!(fast.run_image(&job(32, 512), 2000, &mut |_, _| Ok(())).unwrap(), expected);
        assert_eq!(fast.memory().bytes(), slow.memory().bytes());
        assert_eq!(expected.error, 0);
    }
}

#[test]
fn errors_come_back_on_the_bus() {
    let design = copier();
    let run = |from: u32, to: u32, faults: Vec<u64>| {
        let mut board = Board::new(Simulator::new(&design).unwrap(), memory(None, faults), None).unwrap();
        board.run_image(&job(from, to), 1000, &mut |_, _| Ok(())).unwrap().error
    };
    assert_eq!(run(1 << 20, 1024, vec![]), 1, "read beyond the end");
    assert_eq!(run(16, 1 << 20, vec![]), 2, "write beyond the end");
    assert_eq!(run(16, 1024, vec![16]), 1, "planted read error");
    assert_eq!(run(16, 1024, vec![1024]), 2, "planted write error");
}

#[test]
fn a_run_that_does_not_end_is_an_error() {
    let design = copier();
    let mut board = Board::new(Simulator::new(&design).unwrap(), memory(None, vec![]), None).unwrap();
    let result = board.run_image(&job(16, 1024), 50, &mut |_, _| Ok(()));
    assert!(matches!(result, Err(SimError::CycleLimit { cycles: 50 })));
}
