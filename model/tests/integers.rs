//! Are the accumulators of every matrix product those of an independent implementation? `oracle/integers.safetensors` holds
//! what ONNX Runtime's MatMulInteger makes of the operands of a run of `oracle/integers.q8`; here the network runs again,
//! and each of its tensors is compared with what those accumulators become by docs/arithmetic.md.
//! `scripts/oracle/run integers` records both files again.

use heatvit_model::fixed::{Rescale, rescale, saturate};
use heatvit_model::golden::{Trace, run};
use heatvit_model::poly::gelu::{GeluParams, gelu};
use heatvit_model::poly::recip::{recip, recip_table};
use heatvit_model::quant::file::from_bytes;
use heatvit_model::quant::{Linear, QuantNetwork, RowScale};
use safetensors::SafeTensors;
use std::collections::BTreeSet;

/// The network, its trace, and the accumulators that are still to be compared.
struct Comparison<'a> {
    network: QuantNetwork,
    trace: Trace,
    record: SafeTensors<'a>,
    open: BTreeSet<String>,
}

impl<'a> Comparison<'a> {
    fn new(record: &'a [u8]) -> Self {
        let file = include_bytes!("oracle/integers.q8");
        let network = from_bytes(file).expect("the network is committed").network;
        let record = SafeTensors::deserialize(record).expect("the record is committed");
        let patches: Vec<i8> =
            record.tensor("patches").expect("patches are recorded").data().iter().map(|b| *b as i8).collect();
        let trace = run(&network, &patches);
        let open = record.names().into_iter().filter(|n| *n != "patches").map(str::to_owned).collect();
        Self { network, trace, record, open }
    }

    /// The recorded accumulators of a product.
    fn accumulators(&mut self, name: &str) -> Vec<i32> {
        let name = format!("{name}.accumulator");
        assert!(self.open.remove(&name), "{name} is not recorded, or twice in the network");
        let view = self.record.tensor(&name).expect("it is among the names");
        view.data().as_chunks::<4>().0.iter().map(|b| i32::from_le_bytes(*b)).collect()
    }

    fn tensor(&self, name: &str) -> &[i32] {
        &self.trace.get(name).unwrap_or_else(|| panic!("{name} is not in the trace")).data
    }

    /// Elements of a tensor in some of its columns.
    fn columns(&self, name: &str, from: usize, width: usize) -> Vec<i32> {
        let cols = self.trace.get(name).expect("asked for by its name").cols;
        self.tensor(name).chunks(cols).flat_map(|row| &row[from..from + width]).copied().collect()
    }

    fn scaled(&mut self, l: &Linear) -> Vec<i64> {
        let outputs = l.outputs;
        let factor = |i: usize| Rescale { mult: l.mult[i % outputs], sel: l.sel };
        self.accumulators(&l.name).into_iter().enumerate().map(|(i, acc)| rescale(acc, factor(i))).collect()
    }

    /// A product that ends in saturation to `bits`, and then perhaps in GELU.
    fn plain(&mut self, l: &Linear, bits: u32, activation: Option<&GeluParams>, tensor: &str) {
        let saturated = self.scaled(l).into_iter().map(|v| saturate(v, bits) as i32);
        let found: Vec<i32> = saturated.map(|v| activation.map_or(v, |params| gelu(v, params))).collect();
        assert_eq!(found, self.tensor(tensor), "{tensor}");
    }

    /// A product that is added to the stream `before`.
    fn residual(&mut self, l: &Linear, before: &[i32], tensor: &str) {
        let scaled = self.scaled(l);
        let found: Vec<i32> = before.iter().zip(scaled).map(|(x, v)| saturate(i64::from(*x) + v, 16) as i32).collect();
        assert_eq!(found, self.tensor(tensor), "{tensor}");
    }

    /// Products whose rows are divided by sums: each row has its factor.
    fn divided(&mut self, name: &str, sums: &[i32], scale: RowScale) -> Vec<i32> {
        let (accumulators, table) = (self.accumulators(name), recip_table());
        let cols = accumulators.len() / sums.len();
        let factor = |row: usize| recip(sums[row] as u32, scale.gain, scale.exponent, &table);
        let elements = accumulators.iter().enumerate();
        elements.map(|(i, acc)| saturate(rescale(*acc, factor(i / cols)), 8) as i32).collect()
    }

    fn attention(&mut self, i: usize) {
        let (heads, width) = (self.network.dims.heads, self.network.dims.head_dim);
        let (scores, attend) = (self.network.blocks[i].scores, self.network.blocks[i].attend);
        for h in 0..heads {
            let at = |part: &str| format!("blocks.{i}.attn.{part}.{h}");
            let factor = Rescale { mult: scores.mult, sel: scores.sel };
            let accumulators = self.accumulators(&at("scores"));
            let found: Vec<i32> = accumulators.into_iter().map(|a| saturate(rescale(a, factor), 16) as i32).collect();
            assert_eq!(found, self.tensor(&at("scores")));
            let sums = self.tensor(&at("rowsum")).to_vec();
            let found = self.divided(&at("attend"), &sums, attend);
            assert_eq!(found, self.columns(&format!("blocks.{i}.attn.o"), h * width, width), "head {h} of block {i}");
        }
    }

    fn block(&mut self, i: usize, before: &[i32]) {
        let (b, at) = (self.network.blocks[i].clone(), |part: &str| format!("blocks.{i}.{part}"));
        for (l, name) in [(&b.q, "attn.q"), (&b.k, "attn.k"), (&b.v, "attn.v")] {
            self.plain(l, 8, None, &at(name));
        }
        self.attention(i);
        self.residual(&b.proj, before, &at("attn.residual"));
        self.plain(&b.fc1, 16, Some(&b.gelu), &at("mlp.fc1"));
        let between = self.tensor(&at("attn.residual")).to_vec();
        self.residual(&b.fc2, &between, &at("residual"));
    }

    fn selector(&mut self) {
        let (s, at) = (self.network.selectors[0].clone(), |part: &str| format!("selectors.1.{part}"));
        self.plain(&s.local, 16, Some(&s.local_gelu), &at("local"));
        let candidates = self.trace.get(&at("local")).expect("there is a selector").rows as i32 - 1;
        let found = self.divided(&at("global"), &[127 * candidates], s.mean);
        assert_eq!(found, self.tensor(&at("global")));
        self.plain(&s.mix, 16, Some(&s.mix_gelu), &at("mix"));
        self.plain(&s.squeeze, 16, Some(&s.squeeze_gelu), &at("squeeze"));
        self.plain(&s.keep, 16, None, &at("keep"));
        self.plain(&s.weigh, 16, Some(&s.weigh_gelu), &at("weigh"));
        self.plain(&s.weight, 16, None, &at("weight"));
    }
}

#[test]
fn accumulators_equal_onnx_runtimes() {
    let mut c = Comparison::new(include_bytes!("oracle/integers.safetensors"));
    let positions: Vec<i32> = c.network.pos.iter().map(|p| i32::from(*p)).collect();
    let (embed, head) = (c.network.embed.clone(), c.network.head.clone());
    c.residual(&embed, &positions, "embed");
    let stream = c.tensor("embed").to_vec();
    c.block(0, &stream);
    c.selector();
    let stream = c.tensor("selectors.1.tokens").to_vec();
    assert!(stream.len() < c.tensor("embed").len(), "the selector drops tokens");
    c.block(1, &stream);
    c.plain(&head, 16, None, "logits");
    assert!(c.open.is_empty(), "not compared: {:?}", c.open);
}
