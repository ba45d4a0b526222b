//! Behaviour of the DSP48E2 in the one configuration that the array uses.

use heatvit_rtl::{Design, Expr, ModuleBuilder, ModuleId, Primitive, Ty, select};

/// Attributes: pre-adder on A and D, every pipeline register used once, no C register.
const PARAMETERS: [(&str, &str); 22] = [
    ("AMULTSEL", "\"AD\""),
    ("BMULTSEL", "\"B\""),
    ("PREADDINSEL", "\"A\""),
    ("USE_MULT", "\"MULTIPLY\""),
    ("USE_SIMD", "\"ONE48\""),
    ("A_INPUT", "\"DIRECT\""),
    ("B_INPUT", "\"DIRECT\""),
    ("AREG", "1"),
    ("ACASCREG", "1"),
    ("BREG", "1"),
    ("BCASCREG", "1"),
    ("CREG", "0"),
    ("DREG", "1"),
    ("ADREG", "1"),
    ("MREG", "1"),
    ("PREG", "1"),
    ("INMODEREG", "0"),
    ("OPMODEREG", "0"),
    ("ALUMODEREG", "0"),
    ("CARRYINREG", "0"),
    ("CARRYINSELREG", "0"),
    ("USE_PATTERN_DETECT", "\"NO_PATDET\""),
];

/// Inputs that the configuration ignores; tied to zero at each instance so that no tool has to guess.
pub const UNUSED_INPUTS: [(&str, u32); 21] = [
    ("ACIN", 30),
    ("BCIN", 18),
    ("CARRYCASCIN", 1),
    ("MULTSIGNIN", 1),
    ("CARRYIN", 1),
    ("CARRYINSEL", 3),
    ("CEA1", 1),
    ("CEALUMODE", 1),
    ("CEB1", 1),
    ("CEC", 1),
    ("CECARRYIN", 1),
    ("CECTRL", 1),
    ("CEINMODE", 1),
    ("RSTA", 1),
    ("RSTALLCARRYIN", 1),
    ("RSTALUMODE", 1),
    ("RSTB", 1),
    ("RSTC", 1),
    ("RSTCTRL", 1),
    ("RSTD", 1),
    ("RSTM", 1),
];

/// More ignored inputs.
pub const UNUSED_RESETS: [(&str, u32); 2] = [("RSTINMODE", 1), ("RSTP", 1)];

/// ALUMODE and INMODE of the configuration: Z + W + X + Y, and (D + A2) * B2.
pub const ALUMODE: u64 = 0;
/// D and A2 into the pre-adder, B2 into the multiplier.
pub const INMODE: u64 = 0b0_0100;
/// Multiplier result plus the cascade input.
pub const OPMODE_CASCADE: u64 = 0b0_0001_0101;
/// Multiplier result plus port C.
pub const OPMODE_C: u64 = 0b0_0011_0101;

/// `P <= Z + (D + A) * B` with registers A2, D, AD, B2, M and P; `Z` is PCIN or C by OPMODE[6:4].
pub fn dsp48e2(design: &mut Design) -> ModuleId {
    if let Some(id) = design.find("DSP48E2") {
        return id;
    }
    let mut m = ModuleBuilder::new(
        "DSP48E2",
        "Behavioural model of the UltraScale+ DSP slice in the configuration of its parameters:\n\
         P <= Z + (D + A) * B, Z = PCIN or C by OPMODE. For simulators without the vendor's library.",
    );
    let parameters = PARAMETERS.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    m.primitive(Primitive { parameters, clock: "CLK".to_owned() });
    let a = m.input("A", Ty::signed(30), "multiplier operand; 27 bits reach the pre-adder");
    let b = m.input("B", Ty::signed(18), "multiplier operand");
    let c = m.input("C", Ty::signed(48), "addend");
    let d = m.input("D", Ty::signed(27), "pre-adder operand");
    let pcin = m.input("PCIN", Ty::signed(48), "cascade from the slice below");
    let opmode = m.input("OPMODE", Ty::bits(9), "[6:4] selects Z: 001 PCIN, 011 C, else 0");
    m.input("ALUMODE", Ty::bits(4), "0000: add");
    m.input("INMODE", Ty::bits(5), "00100: (D + A2) * B2");
    let enable = |m: &mut ModuleBuilder, name: &str| m.input(name, Ty::bit(), "clock enable");
    let (cea2, ced, cead) = (enable(&mut m, "CEA2"), enable(&mut m, "CED"), enable(&mut m, "CEAD"));
    let (ceb2, cem, cep) = (enable(&mut m, "CEB2"), enable(&mut m, "CEM"), enable(&mut m, "CEP"));
    for (name, width) in UNUSED_INPUTS.iter().chain(&UNUSED_RESETS) {
        m.input(name, Ty::bits(*width), "not used in this configuration");
    }
    let a2 = m.reg_en("a2", &cea2, &a.trunc(27));
    let d1 = m.reg_en("d1", &ced, &d);
    let ad = m.reg_en("ad", &cead, &(&d1 + &a2).trunc(27));
    let b2 = m.reg_en("b2", &ceb2, &b);
    let product = m.reg_en("m", &cem, &(&ad * &b2));
    let zero = Expr::slit(0, 48);
    let z = m.wire("z", &select(&opmode.slice(4, 3), &[zero.clone(), pcin, zero.clone(), c, zero]));
    let p = m.output_reg("P", Ty::signed(48), "result");
    m.drive(&p, &(&z + &product).trunc(48), Some(&cep), None);
    m.output_as("PCOUT", &p, "result to the slice above");
    design.add(m.finish())
}
