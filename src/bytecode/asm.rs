//! The assembler: instruction words, labels, handler ranges and positions of one code object under construction.
//!
//! `compile` calls it for every instruction; `finish` gives the parts of a `Code`. It knows op formats, not the
//! language.
//!
//! Rules:
//! 1. Jumps are written in their short form. Only when a code grows beyond `SHORT_REACH` words does `finish` rewrite
//!    every short jump into a long form, in one linear pass: such codes are rare and their speed does not matter much.
//! 2. Handler ranges do not nest in the table: each covered word belongs to exactly one row, that of the innermost
//!    handler. So `set_handler` marks changes as the code is written, and `finish` makes one row per stretch.

use crate::bytecode::ops::{Extra, Format, Op, encode};
use crate::bytecode::{Handler, Position};
use corun_grammar::ast::Span;

/// A place in the code that jumps aim at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Label(pub u32);

/// An exception handler of this code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HandlerId(u32);

const UNPLACED: u32 = u32::MAX;
/// Codes up to this many words use 16-bit jumps only.
const SHORT_REACH: usize = 30_000;

struct HandlerInfo {
    target: Label,
    reg: u8,
    keep: u8,
    /// Some instruction is covered by it.
    used: bool,
}

/// A jump whose offset `finish` fills in.
struct Fixup {
    /// The word of the opcode.
    at: u32,
    label: Label,
    /// The offset stands in the extra word after the instruction word.
    extra: bool,
}

/// What `finish` gives.
pub struct Assembled {
    pub instrs: Vec<u32>,
    pub handlers: Vec<Handler>,
    pub positions: Vec<Position>,
}

#[derive(Default)]
pub struct Asm {
    words: Vec<u32>,
    labels: Vec<u32>,
    fixups: Vec<Fixup>,
    handlers: Vec<HandlerInfo>,
    current: Option<HandlerId>,
    /// The handler in force from a word on.
    changes: Vec<(u32, Option<HandlerId>)>,
    positions: Vec<Position>,
    span: Span,
}

impl Asm {
    pub fn len(&self) -> usize {
        self.words.len()
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The span of the instructions that follow.
    pub fn at(&mut self, span: Span) {
        self.span = span;
    }

    pub fn span(&self) -> Span {
        self.span
    }

    /// Before each instruction: its position, and that its handler is needed.
    fn note(&mut self) {
        if let Some(id) = self.current {
            self.handlers[id.0 as usize].used = true;
        }
        if self.positions.last().is_none_or(|p| p.span != self.span) {
            self.positions.push(Position {
                at: self.words.len() as u32,
                span: self.span,
            });
        }
    }

    /// Writes an instruction; its cache words follow as zeros. The operand word of ops with an `Extra` comes from
    /// `emit_x` or `emit_jump`.
    pub fn emit(&mut self, op: Op, a: u8, b: u8, c: u8) {
        debug_assert!(
            op.info().extra == Extra::None,
            "{op:?} needs its operand word"
        );
        self.note();
        self.words.push(encode(op, a, b, c));
        self.pad(op);
    }

    /// An instruction with the 16-bit operand `bc`.
    pub fn emit_wide(&mut self, op: Op, a: u8, bc: u16) {
        let [b, c] = bc.to_le_bytes();
        self.emit(op, a, b, c);
    }

    /// An instruction with an operand word.
    pub fn emit_x(&mut self, op: Op, a: u8, b: u8, c: u8, x: u32) {
        debug_assert!(op.info().extra != Extra::None, "{op:?} has no operand word");
        self.note();
        self.words.push(encode(op, a, b, c));
        self.words.push(x);
        self.pad(op);
    }

    /// A 16-bit operand together with an operand word.
    pub fn emit_wide_x(&mut self, op: Op, a: u8, bc: u16, x: u32) {
        let [b, c] = bc.to_le_bytes();
        self.emit_x(op, a, b, c, x);
    }

    /// Any jump: short ones (`JMP`, `LOOP`, `JT`, ...) and those with an offset word.
    pub fn emit_jump(&mut self, op: Op, a: u8, b: u8, c: u8, label: Label) {
        self.note();
        let extra = op.info().extra == Extra::Jump;
        debug_assert!(
            extra || matches!(op.info().format, Format::J | Format::AJ),
            "{op:?} is no jump"
        );
        self.fixups.push(Fixup {
            at: self.words.len() as u32,
            label,
            extra,
        });
        self.words.push(encode(op, a, b, c));
        if extra {
            self.words.push(0);
        }
        self.pad(op);
    }

    fn pad(&mut self, op: Op) {
        for _ in 0..op.info().cache {
            self.words.push(0);
        }
    }

    pub fn label(&mut self) -> Label {
        self.labels.push(UNPLACED);
        Label(self.labels.len() as u32 - 1)
    }

    /// The label stands here.
    pub fn place(&mut self, label: Label) {
        debug_assert_eq!(
            self.labels[label.0 as usize], UNPLACED,
            "a label is placed once"
        );
        self.labels[label.0 as usize] = self.words.len() as u32;
    }

    pub fn handler(&mut self, target: Label, reg: u8, keep: u8) -> HandlerId {
        self.handlers.push(HandlerInfo {
            target,
            reg,
            keep,
            used: false,
        });
        HandlerId(self.handlers.len() as u32 - 1)
    }

    pub fn current_handler(&self) -> Option<HandlerId> {
        self.current
    }

    /// Instructions from here on are covered by `handler`.
    pub fn set_handler(&mut self, handler: Option<HandlerId>) {
        if self.current != handler {
            self.current = handler;
            self.changes.push((self.words.len() as u32, handler));
        }
    }

    pub fn handler_label(&self, handler: HandlerId) -> Label {
        self.handlers[handler.0 as usize].target
    }

    /// True if an instruction was written under `handler`.
    pub fn is_used(&self, handler: HandlerId) -> bool {
        self.handlers[handler.0 as usize].used
    }

    pub fn finish(mut self) -> Assembled {
        if self.words.len() > SHORT_REACH {
            self.lengthen();
        }
        for fixup in &self.fixups {
            let at = fixup.at as usize;
            let target = self.labels[fixup.label.0 as usize];
            debug_assert_ne!(target, UNPLACED, "every label that is jumped to is placed");
            let word = self.words[at];
            let op = Op::from_u8((word >> 8) as u8).unwrap_or(Op::NOP);
            let offset = target as i64 - (at + op.words()) as i64;
            if fixup.extra {
                self.words[at + 1] = offset as i32 as u32;
            } else {
                self.words[at] = (word & 0xffff) | (offset as i16 as u16 as u32) << 16;
            }
        }
        let handlers = self.rows();
        Assembled {
            instrs: self.words,
            handlers,
            positions: self.positions,
        }
    }

    fn rows(&self) -> Vec<Handler> {
        let mut rows: Vec<Handler> = Vec::new();
        for (i, &(start, handler)) in self.changes.iter().enumerate() {
            let end = self
                .changes
                .get(i + 1)
                .map_or(self.words.len() as u32, |c| c.0);
            let Some(id) = handler else { continue };
            if start >= end {
                continue;
            }
            let info = &self.handlers[id.0 as usize];
            let target = self.labels[info.target.0 as usize];
            match rows.last_mut() {
                Some(last) if last.end == start && last.target == target => last.end = end,
                _ => rows.push(Handler {
                    start,
                    end,
                    target,
                    reg: info.reg,
                    keep: info.keep,
                }),
            }
        }
        rows
    }

    /// Rewrites every short jump: `JMP` to `JMPX`, `LOOP` to `LOOPX`, a conditional jump to one over a `JMP` that skips
    /// a `JMPX` (not to its inverse, since the forms that keep their operand have none).
    fn lengthen(&mut self) {
        // Words inserted before each old offset: one entry per fixup, in order of place.
        let old = std::mem::take(&mut self.words);
        let mut words = Vec::with_capacity(old.len() + self.fixups.len() * 3);
        let mut fixups = Vec::with_capacity(self.fixups.len());
        // (old offset, new offset) at the start of each copied stretch.
        let mut map: Vec<(u32, u32)> = vec![(0, 0)];
        let mut from = 0;
        for fixup in &self.fixups {
            let at = fixup.at as usize;
            words.extend_from_slice(&old[from..at]);
            from = at;
            let new_at = words.len() as u32;
            if fixup.extra {
                fixups.push(Fixup {
                    at: new_at,
                    label: fixup.label,
                    extra: true,
                });
                continue;
            }
            let word = old[at];
            let (op, a) = ((word >> 8) as u8, word as u8);
            let long = if op == Op::LOOP as u8 {
                Op::LOOPX
            } else {
                Op::JMPX
            };
            if op != Op::JMP as u8 && op != Op::LOOP as u8 {
                words.push(a as u32 | (op as u32) << 8 | 1 << 16);
                words.push(encode(Op::JMP, 0, 2, 0));
            }
            fixups.push(Fixup {
                at: words.len() as u32,
                label: fixup.label,
                extra: true,
            });
            words.push(encode(long, 0, 0, 0));
            words.push(0);
            from = at + 1;
            map.push((from as u32, words.len() as u32));
        }
        words.extend_from_slice(&old[from..]);
        let moved = |offset: u32| {
            let (o, n) = map[map.partition_point(|m| m.0 <= offset) - 1];
            n + (offset - o)
        };
        for label in self.labels.iter_mut().filter(|l| **l != UNPLACED) {
            *label = moved(*label);
        }
        for change in &mut self.changes {
            change.0 = moved(change.0);
        }
        for position in &mut self.positions {
            position.at = moved(position.at);
        }
        self.words = words;
        self.fixups = fixups;
    }
}
