//! Faults of the token selector and of what it borrows, in networks that prune twice.

use super::Fault;
use super::Found::{Error, Tensor};
use super::edit::next;
use heatvit_gen::verify::Ending::Error as Code;
use heatvit_rtl::{BinaryOp, Expr, ExprKind};

/// The table.
pub const FAULTS: &[Fault] = &[
    Fault {
        module: "sigmoid",
        what: "the second line begins as low as the first",
        plant: |e| e.constant("curve", 5120, 4096),
        found: Tensor("selectors.0.score"),
    },
    Fault {
        module: "sigmoid",
        what: "negative arguments are taken for positive ones",
        plant: |e| {
            let curve = e.whole("curve");
            e.drive("y", &curve);
        },
        found: Tensor("selectors.0.score"),
    },
    Fault {
        module: "divider",
        what: "the two quotient bits of a cycle are exchanged",
        plant: |e| {
            let (quotient, high, low) = (e.bits("quotient", 0, 14), e.whole("high_fits"), e.whole("low_fits"));
            let start = e.whole("start");
            let shifted = Expr::concat(&[quotient, low, high]);
            e.drive("quotient", &start.mux(&Expr::lit(0, 16), &shifted));
        },
        found: Tensor("selectors.0.score"),
    },
    Fault {
        module: "divider",
        what: "the remainder is not doubled between the two bits",
        plant: |e| {
            e.nodes("high_rest", |n| match n.kind() {
                ExprKind::Slice(a, 0) if n.width() == 19 => match a.kind() {
                    ExprKind::Concat(parts) => Some(parts[0].clone().resize(19)),
                    _ => None,
                },
                _ => None,
            });
        },
        found: Tensor("selectors.0.score"),
    },
    Fault {
        module: "divider",
        what: "the quotient is given out a pair of bits early",
        plant: |e| e.constant("valid", 1, 2),
        found: Tensor("selectors.0.score"),
    },
    Fault {
        module: "scoring",
        what: "products are cut instead of rounded",
        plant: |e| e.constant("rounded", 1 << 12, 0),
        found: Tensor("selectors.0.score"),
    },
    Fault {
        module: "scoring",
        what: "a head weight of zero stays zero",
        plant: |e| {
            e.nodes("weight_2_some", |n| match n.kind() {
                ExprKind::Binary(BinaryOp::Or, a, _) => Some(a.clone()),
                _ => None,
            });
        },
        found: Tensor("selectors.0.score"),
    },
    Fault {
        module: "scoring",
        what: "the sum of head weights goes on from token to token",
        plant: |e| {
            let sum = (e.whole("denominator_4") + e.whole("weight_3")).slice(0, 18);
            e.drive("denominator_4", &sum);
        },
        found: Tensor("selectors.0.score"),
    },
    Fault {
        module: "selector",
        what: "logits to keep and head weights are exchanged",
        plant: |e| {
            let (keep, weight) = (e.whole("take_keep_d4"), e.whole("take_weight_d4"));
            e.input("scoring", "take_keep", |_| weight.clone());
            e.input("scoring", "take_weight", |_| keep.clone());
        },
        found: Tensor("selectors.0.score"),
    },
    Fault {
        module: "selector",
        what: "a score that ties with the threshold drops its token",
        plant: |e| {
            let (score, threshold) = (e.whole("score"), e.whole("threshold"));
            e.drive("enough", &score.gt(&threshold));
        },
        found: Tensor("selectors.1.mask"),
    },
    Fault {
        module: "selector",
        what: "a token with a score of zero has no weight in the package",
        plant: |e| {
            let score = e.whole("score").extend(18);
            e.drive("weight", &score);
        },
        found: Tensor("selectors.1.package"),
    },
    Fault {
        module: "selector",
        what: "shares of the package are rounded instead of cut",
        plant: |e| {
            let rounded = (e.whole("quotient") + Expr::lit(1, 1)).slice(1, 15);
            e.drive("share_of_row", &rounded);
        },
        found: Tensor("selectors.0.package"),
    },
    Fault {
        module: "selector",
        what: "every row of the package begins its sums anew",
        plant: |e| e.zero("accumulate"),
        found: Tensor("selectors.0.package"),
    },
    Fault {
        module: "selector",
        what: "words of the package are written one further on",
        plant: |e| e.change("target_0", next),
        found: Tensor("selectors.0.tokens"),
    },
    Fault {
        module: "selector",
        what: "the log notes the rows without the package, too",
        plant: |e| {
            let both = e.whole("control_count_write");
            e.input("log", "write", |_| both.clone());
        },
        found: Tensor("tokens"),
    },
    Fault {
        module: "selector_control",
        what: "the class token is kept for its score only",
        plant: |e| {
            let keeps = e.whole("decides") & e.whole("enough");
            e.drive("keeps", &keeps);
        },
        found: Tensor("selectors.1.mask"),
    },
    Fault {
        module: "selector_control",
        what: "the package is not counted",
        plant: |e| {
            let kept = e.whole("kept");
            e.drive("count", &kept);
        },
        found: Tensor("selectors.0.tokens"),
    },
    Fault {
        module: "selector_control",
        what: "the two counts go to each other's register",
        plant: |e| {
            e.nodes("count_register", |n| match n.kind() {
                ExprKind::Const(b) => Some(Expr::lit(3 - b.low_u64(), n.width())),
                _ => None,
            });
        },
        found: Error(Code(3), "selectors.0.tokens"),
    },
    Fault {
        module: "selector_control",
        what: "kept rows are looked for where they go",
        plant: |e| e.zero("offset"),
        found: Tensor("selectors.0.tokens"),
    },
    Fault {
        module: "selector_control",
        what: "the package of an earlier selector is forgotten",
        plant: |e| e.constant("phase_next", 3, 4),
        found: Tensor("selectors.1.package"),
    },
    Fault {
        module: "selector_control",
        what: "a package weighs as much as its last token",
        plant: |e| {
            let weight = e.whole("weight");
            e.nodes("package_weight_next", |n| (n.width() == 18).then(|| weight.clone()));
        },
        found: Tensor("selectors.1.package"),
    },
    Fault {
        module: "offset_table",
        what: "offsets are noted for the row after",
        plant: |e| {
            let address = &mut e.memory("offsets").writes[0].address;
            *address = next(address);
        },
        found: Tensor("selectors.0.tokens"),
    },
    Fault {
        module: "drop_table",
        what: "shares are noted for the row after",
        plant: |e| {
            let address = &mut e.memory("shares").writes[0].address;
            *address = next(address);
        },
        found: Tensor("selectors.0.package"),
    },
    Fault {
        module: "drop_table",
        what: "the first word of every dropped row is that of the class token",
        plant: |e| e.zero("found_address"),
        found: Tensor("selectors.0.package"),
    },
    Fault {
        module: "count_log",
        what: "the stages of an image follow on those of the one before",
        plant: |e| {
            let further = (e.whole("stage") + e.whole("write")).slice(0, 3);
            e.drive("stage", &further);
        },
        found: Tensor("tokens"),
    },
    Fault {
        module: "core",
        what: "rows are not gathered",
        plant: |e| e.zero("gather_offset_s2"),
        found: Tensor("selectors.0.tokens"),
    },
    Fault {
        module: "core",
        what: "all local features go to the first channels of V",
        plant: |e| {
            let first = e.whole("value_channel");
            e.drive("value_channel_now", &first);
        },
        found: Tensor("selectors.0.global"),
    },
    Fault {
        module: "core",
        what: "every row has global features of its own",
        plant: |e| e.input("streamer", "shared_tiles", |_| Expr::lit(0, 16)),
        found: Tensor("selectors.0.mix"),
    },
    Fault {
        module: "loader_control",
        what: "the selector begins while its logits are under way",
        plant: |e| e.drive("empty", &Expr::lit(1, 1)),
        found: Tensor("selectors.0.score"),
    },
    Fault {
        module: "operand_lane",
        what: "the mean counts in 126ths",
        plant: |e| e.constant("operand", 127, 126),
        found: Tensor("selectors.1.global"),
    },
    Fault {
        module: "operand_path",
        what: "the mean takes in the class token",
        plant: |e| e.input("lanes", "first_masked_0", |_| Expr::lit(0, 1)),
        found: Tensor("selectors.0.global"),
    },
    Fault {
        module: "operand_path",
        what: "the lanes never add to a package",
        plant: |e| e.input("lanes", "accumulate_0", |_| Expr::lit(0, 1)),
        found: Tensor("selectors.0.package"),
    },
    Fault {
        module: "row_scale",
        what: "the lent multiplier squares the head weight",
        plant: |e| {
            let weight = e.whole("factor_b");
            e.input("reciprocal", "factor_a", |_| weight.clone());
        },
        found: Tensor("selectors.0.score"),
    },
    Fault {
        module: "reciprocal",
        what: "the multiplier is never lent",
        plant: |e| {
            e.nodes("product", |n| match n.kind() {
                ExprKind::Mux(_, _, own) => Some(own.clone()),
                _ => None,
            });
        },
        found: Tensor("selectors.0.score"),
    },
];
