//! The selector's control: scores token after token, decides, weighs what is dropped, has the package made,
//! and sets the token counts last of all.

use heatvit_rtl::import::import;
use heatvit_rtl::{Design, ModuleId};
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::dff::DFF;
use rust_hdl_widgets::dff_setup;

/// What the selector is at.
#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
enum Phase {
    /// Waits for the loader.
    Idle,
    /// Reads the logits of one token after the other.
    Score,
    /// Waits for the last decisions.
    Decide,
    /// Adds the package of an earlier selector to the dropped tokens.
    Merge,
    /// Reads the first weight.
    Read,
    /// Starts the division of a weight by the sum of all.
    Divide,
    /// Waits for the quotient.
    Quotient,
    /// Streams the dropped tokens, word after word, through the multipliers.
    Package,
    /// Waits until the last word of the package is written.
    Drain,
    /// Sets the number of rows.
    Tokens,
    /// Sets the number of rows without the package.
    Candidates,
    /// Tells the loader.
    Done,
}

/// See [`selector_control`] for the ports.
#[derive(LogicBlock, Default)]
struct SelectorControl {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub run: Signal<In, Bit>,
    pub last_slot: Signal<In, Bits<16>>,
    pub row_words: Signal<In, Bits<16>>,
    pub rows: Signal<In, Bits<16>>,
    pub candidates: Signal<In, Bits<16>>,
    pub logit_words: Signal<In, Bits<16>>,
    pub make_package: Signal<In, Bit>,
    pub divided: Signal<In, Bit>,
    pub enough: Signal<In, Bit>,
    pub weight: Signal<In, Bits<18>>,
    pub drain_cycles: Signal<In, Bits<16>>,
    pub active: Signal<Out, Bit>,
    pub done: Signal<Out, Bit>,
    pub scoring: Signal<Out, Bit>,
    pub slot_valid: Signal<Out, Bit>,
    pub slot: Signal<Out, Bits<16>>,
    pub score_address: Signal<Out, Bits<16>>,
    pub decided: Signal<Out, Bit>,
    pub keep: Signal<Out, Bit>,
    pub offset_write: Signal<Out, Bit>,
    pub offset_row: Signal<Out, Bits<16>>,
    pub offset: Signal<Out, Bits<16>>,
    pub drop_write: Signal<Out, Bit>,
    pub drop_item: Signal<Out, Bits<16>>,
    pub drop_address: Signal<Out, Bits<16>>,
    pub drop_weight: Signal<Out, Bits<18>>,
    pub weight_sum: Signal<Out, Bits<18>>,
    pub item: Signal<Out, Bits<16>>,
    pub divide: Signal<Out, Bit>,
    pub share_write: Signal<Out, Bit>,
    pub share_item: Signal<Out, Bits<16>>,
    pub package_valid: Signal<Out, Bit>,
    pub package_first: Signal<Out, Bit>,
    pub package_last: Signal<Out, Bit>,
    pub package_word: Signal<Out, Bits<16>>,
    pub package_address: Signal<Out, Bits<16>>,
    pub count_write: Signal<Out, Bit>,
    pub count_register: Signal<Out, Bits<16>>,
    pub count: Signal<Out, Bits<16>>,
    phase: DFF<Phase>,
    at_slot: DFF<Bits<16>>,
    address: DFF<Bits<16>>,
    seen: DFF<Bits<16>>,
    kept: DFF<Bits<16>>,
    dropped: DFF<Bits<16>>,
    gap: DFF<Bits<16>>,
    row_address: DFF<Bits<16>>,
    sum: DFF<Bits<18>>,
    package_weight: DFF<Bits<18>>,
    at_item: DFF<Bits<16>>,
    at_word: DFF<Bits<16>>,
    has_package: DFF<Bit>,
    decides: Signal<Local, Bit>,
    keeps: Signal<Local, Bit>,
    drops: Signal<Local, Bit>,
    last_of_token: Signal<Local, Bit>,
    last_token: Signal<Local, Bit>,
    last_item: Signal<Local, Bit>,
    last_word: Signal<Local, Bit>,
    next_item: Signal<Local, Bits<16>>,
    next_word: Signal<Local, Bits<16>>,
}

impl Logic for SelectorControl {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            phase,
            at_slot,
            address,
            seen,
            kept,
            dropped,
            gap,
            row_address,
            sum,
            package_weight,
            at_item,
            at_word,
            has_package
        );
        self.active.next = self.phase.q.val() != Phase::Idle;
        self.done.next = self.phase.q.val() == Phase::Done;
        self.scoring.next = (self.phase.q.val() == Phase::Score) | (self.phase.q.val() == Phase::Decide);
        self.slot_valid.next = self.phase.q.val() == Phase::Score;
        self.slot.next = self.at_slot.q.val();
        self.score_address.next = self.address.q.val();
        self.last_of_token.next = self.at_slot.q.val() == self.last_slot.val();
        self.last_token.next = self.address.q.val() == self.logit_words.val();

        // A decision: the class token stays whatever its score.
        self.decides.next = self.scoring.val() & self.divided.val();
        self.keeps.next = self.decides.val() & (self.enough.val() | (self.seen.q.val() == 0));
        self.drops.next = self.decides.val() & !self.keeps.val();
        self.decided.next = self.decides.val();
        self.keep.next = self.keeps.val();
        self.offset_write.next = self.keeps.val() | (self.phase.q.val() == Phase::Tokens);
        self.offset_row.next = self.kept.q.val();
        self.offset.next = self.gap.q.val();
        self.drop_write.next = self.drops.val() | (self.phase.q.val() == Phase::Merge);
        self.drop_item.next = self.dropped.q.val();
        self.drop_address.next = self.row_address.q.val();
        self.drop_weight.next = self.weight.val();
        if self.phase.q.val() == Phase::Merge {
            self.drop_weight.next = self.package_weight.q.val();
        }
        self.weight_sum.next = self.sum.q.val();

        // The item that is read is one ahead of the one that is divided.
        self.item.next = self.at_item.q.val();
        self.next_item.next = self.at_item.q.val() + 1;
        self.last_item.next = self.next_item.val() == self.dropped.q.val();
        self.divide.next = self.phase.q.val() == Phase::Divide;
        self.share_write.next = (self.phase.q.val() == Phase::Quotient) & self.divided.val();
        self.share_item.next = self.at_item.q.val() - 1;
        self.next_word.next = self.at_word.q.val() + 1;
        self.last_word.next = self.next_word.val() == self.row_words.val();
        self.package_valid.next = self.phase.q.val() == Phase::Package;
        self.package_first.next = self.at_item.q.val() == 0;
        self.package_last.next = (self.phase.q.val() == Phase::Package) & self.last_item.val();
        self.package_word.next = self.at_word.q.val();
        // Behind all candidates, where an earlier package already is.
        self.package_address.next = self.row_address.q.val();
        self.count_write.next = (self.phase.q.val() == Phase::Tokens) | (self.phase.q.val() == Phase::Candidates);
        self.count_register.next = 1.into();
        self.count.next = self.kept.q.val();
        if self.phase.q.val() == Phase::Candidates {
            self.count_register.next = 2.into();
        } else if self.has_package.q.val() {
            self.count.next = self.kept.q.val() + 1;
        }

        if self.decides.val() {
            self.seen.d.next = self.seen.q.val() + 1;
            self.row_address.d.next = self.row_address.q.val() + self.row_words.val();
        }
        if self.keeps.val() {
            self.kept.d.next = self.kept.q.val() + 1;
        }
        if self.drops.val() {
            self.dropped.d.next = self.dropped.q.val() + 1;
            self.gap.d.next = self.gap.q.val() + self.row_words.val();
            self.sum.d.next = self.sum.q.val() + self.weight.val();
        }
        match self.phase.q.val() {
            Phase::Idle => {
                self.at_slot.d.next = 0.into();
                self.address.d.next = 0.into();
                self.seen.d.next = 0.into();
                self.kept.d.next = 0.into();
                self.dropped.d.next = 0.into();
                self.gap.d.next = 0.into();
                self.row_address.d.next = 0.into();
                self.sum.d.next = 0.into();
                self.at_item.d.next = 0.into();
                self.at_word.d.next = 0.into();
                self.has_package.d.next = self.rows.val() != self.candidates.val();
                if self.run.val() {
                    self.phase.d.next = Phase::Score;
                }
            }
            Phase::Score => {
                self.at_slot.d.next = self.at_slot.q.val() + 1;
                if (self.at_slot.q.val() == 0) | (self.at_slot.q.val() == 1) {
                    self.address.d.next = self.address.q.val() + 1;
                }
                if self.last_of_token.val() {
                    self.at_slot.d.next = 0.into();
                    if self.last_token.val() {
                        self.phase.d.next = Phase::Decide;
                    }
                }
            }
            Phase::Decide => {
                if self.seen.q.val() == self.candidates.val() {
                    if (self.dropped.q.val() == 0) | !self.make_package.val() {
                        self.phase.d.next = Phase::Tokens;
                    } else if self.has_package.q.val() {
                        self.phase.d.next = Phase::Merge;
                    } else {
                        self.phase.d.next = Phase::Read;
                    }
                }
            }
            Phase::Merge => {
                self.dropped.d.next = self.dropped.q.val() + 1;
                self.sum.d.next = self.sum.q.val() + self.package_weight.q.val();
                self.phase.d.next = Phase::Read;
            }
            Phase::Read => {
                self.package_weight.d.next = self.sum.q.val();
                self.has_package.d.next = true;
                self.phase.d.next = Phase::Divide;
            }
            Phase::Divide => {
                self.at_item.d.next = self.next_item.val();
                self.phase.d.next = Phase::Quotient;
            }
            Phase::Quotient => {
                if self.divided.val() {
                    self.phase.d.next = Phase::Divide;
                    if self.at_item.q.val() == self.dropped.q.val() {
                        self.at_item.d.next = 0.into();
                        self.phase.d.next = Phase::Package;
                    }
                }
            }
            Phase::Package => {
                self.at_item.d.next = self.next_item.val();
                if self.last_item.val() {
                    self.at_item.d.next = 0.into();
                    self.at_word.d.next = self.next_word.val();
                    if self.last_word.val() {
                        self.phase.d.next = Phase::Drain;
                    }
                }
            }
            Phase::Drain => {
                self.at_item.d.next = self.next_item.val();
                if self.at_item.q.val() == self.drain_cycles.val() {
                    self.phase.d.next = Phase::Tokens;
                }
            }
            Phase::Tokens => {
                self.phase.d.next = Phase::Candidates;
            }
            Phase::Candidates => {
                self.phase.d.next = Phase::Done;
            }
            Phase::Done => {
                self.phase.d.next = Phase::Idle;
            }
        }
        if self.reset.val() {
            self.phase.d.next = Phase::Idle;
        }
    }
}

/// The selector's control.
pub fn selector_control(design: &mut Design) -> ModuleId {
    design.find("selector_control").unwrap_or_else(|| {
        import(design, "selector_control", DOC, SelectorControl::default())
            .expect("the block stays within the importer's subset, as the unit tests show")
    })
}

const DOC: &str = "Scores the tokens, decides, has the package made, and sets the token counts last of all.\n\
- reset: synchronous, active high\n\
- run: stays high until `done`\n\
- last_slot: cycles from one token to the next, less one\n\
- row_words: words a row of the residual stream\n\
- rows: rows of the residual stream\n\
- candidates: the same without a package token\n\
- logit_words: words of logits of all of them\n\
- make_package: dropped tokens leave a package\n\
- divided: the divider has a quotient\n\
- enough: it is a score that keeps the token\n\
- weight: the token's weight in the package otherwise\n\
- drain_cycles: from the last word to its write\n\
- active: it runs\n\
- done: the counts are set; one cycle\n\
- scoring: tokens are scored, or their decisions are awaited\n\
- slot_valid: a token is scored\n\
- slot: cycle of the token; its words are read in slots 0 and 1\n\
- score_address: word of the logits\n\
- decided: a token is decided; one cycle\n\
- keep: it stays\n\
- offset_write: `offset` is written for `offset_row`\n\
- offset_row: kept row\n\
- offset: words from its new place to its old one\n\
- drop_write: a dropped row is noted\n\
- drop_item: number of a dropped row\n\
- drop_address: its first word\n\
- drop_weight: its weight in the package\n\
- weight_sum: sum of the weights of all dropped rows\n\
- item: dropped row to read\n\
- divide: divide its weight by the sum\n\
- share_write: the quotient is the share of `share_item`\n\
- share_item: dropped row that it belongs to\n\
- package_valid: the row's word goes through the multipliers\n\
- package_first: it is the first dropped row\n\
- package_last: it is the last one\n\
- package_word: word of the row\n\
- package_address: first word of the package's row\n\
- count_write: a token count is set\n\
- count_register: register of the count\n\
- count: its value";
