//! One code object under construction: its registers, labels and blocks, and the way instructions are emitted.
//!
//! The code generator's files (`expr.rs`, `stmt.rs`, ...) work on the current `Unit` of `Gen`; `asm` does the encoding.
//!
//! Rules:
//! 1. Temporaries are a stack: `mark` before, `release` after. A window (callee and arguments) is what was just pushed.
//! 2. Code that cannot be reached is not written: after a jump or return `live` is false until a label that was
//!    jumped to is placed.
//! 3. `bound` says which registers surely hold a value here. A label remembers what held at every jump to it. At the head of
//!    a loop, variables that can become unbound somewhere in the unit count as unbound, so one pass is enough.

use super::assigned::Bits;
use super::pool::Pool;
use super::scope::{Scope, ScopeId, ScopeKind};
use super::{Res, fail};
use crate::bytecode::asm::{Asm, HandlerId, Label};
use crate::bytecode::ops::Op;
use crate::bytecode::{Code, Const};
use corun_grammar::ast::{Name, Span, Stmt};
use num_traits::ToPrimitive;
use std::rc::Rc;

/// A value in a register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opd {
    pub reg: u8,
    /// A temporary of ours, not a local read in place.
    pub owned: bool,
    /// It may be a heap object, so that a temporary must be cleared when it dies.
    pub heap: bool,
}

/// What a jump out of the current place has to pass.
#[derive(Clone, Copy)]
pub enum Block<'a> {
    /// `iter`: the register of the iterator, for `for` loops.
    Loop {
        next: Label,
        done: Label,
        iter: Option<u8>,
    },
    /// Inside `try ... finally`, before the `finally`.
    Finally {
        body: &'a [Stmt],
        outer: Option<HandlerId>,
    },
    /// In a `finally` that runs because of an exception.
    FinallyEnd { saved: u8, outer: Option<HandlerId> },
    /// In a `with`: the exit method's pair of registers.
    With {
        exit: u8,
        is_async: bool,
        span: Span,
        outer: Option<HandlerId>,
    },
    /// In an `except` clause: the handled exception to go back to, and the name to delete.
    Except {
        saved: u8,
        name: Option<(&'a Name, Span)>,
        outer: Option<HandlerId>,
    },
    /// In an `except*` clause: nothing may jump out.
    Star,
    /// In the `try` part of `try ... except`.
    Try { outer: Option<HandlerId> },
    /// In an inlined comprehension that clears its variables when it fails.
    Comp,
}

/// Deeper nesting of blocks is an error, as in CPython.
pub const MAX_BLOCKS: usize = 40;
/// Words of a code object, so that nested `finally` blocks cannot grow without bound.
const MAX_WORDS: usize = 1 << 22;

pub struct Unit<'a> {
    /// The scope whose frame this is.
    pub scope: ScopeId,
    /// The scope whose names are read: an inlined comprehension's, or `scope`.
    pub cur: ScopeId,
    pub asm: Asm,
    pub pool: Pool,
    pub codes: Vec<Rc<Code>>,
    /// Registers below it are locals.
    pub nlocals: u16,
    /// The first free temporary.
    pub top: u16,
    /// The most registers ever used.
    max: u16,
    pub bound: Bits,
    pub live: bool,
    /// What was bound at every jump to a label; None before the first.
    label_bound: Vec<Option<Bits>>,
    /// Registers that may become unbound again.
    pub unbinds: Bits,
    pub blocks: Vec<Block<'a>>,
    /// `async def`, or a module that may await.
    pub is_async: bool,
    /// A generator of any kind: it returns with `RETURNGEN`.
    pub suspends: bool,
    pub name: Name,
    pub qualname: Name,
    pub spill: Option<u8>,
    /// What the qualified names of definitions in this unit begin with.
    pub child_prefix: Name,
}

impl<'a> Unit<'a> {
    pub fn new(id: ScopeId, scope: &Scope, name: Name, qualname: Name) -> Unit<'a> {
        let nlocals = scope.nlocals as u16;
        let mut bound = Bits::NONE;
        for i in 0..scope.params.len() {
            bound.set(i as u8);
        }
        Unit {
            scope: id,
            cur: id,
            asm: Asm::default(),
            pool: Pool::default(),
            codes: Vec::new(),
            nlocals,
            top: nlocals,
            // Ops with an unused operand name register 0.
            max: nlocals.max(1),
            bound,
            live: true,
            label_bound: Vec::new(),
            unbinds: Bits(scope.unbinds),
            blocks: Vec::new(),
            is_async: false,
            suspends: false,
            child_prefix: match scope.kind {
                ScopeKind::Module => "".into(),
                ScopeKind::Class => format!("{qualname}.").into(),
                _ => format!("{qualname}.<locals>.").into(),
            },
            name,
            qualname,
            spill: scope.spill.map(|s| s.0),
        }
    }

    // ---- registers

    pub fn is_temp(&self, reg: u8) -> bool {
        reg as u16 >= self.nlocals
    }

    pub fn mark(&self) -> u16 {
        self.top
    }

    pub fn release(&mut self, mark: u16) {
        self.top = mark;
    }

    /// `count` fresh temporaries in a row; the first of them.
    pub fn temps(&mut self, count: usize) -> Res<u8> {
        let first = self.top;
        let end = first as usize + count;
        if end > 256 || first > 255 {
            return fail("expression is too complex", self.asm.span());
        }
        self.top = end as u16;
        self.max = self.max.max(self.top);
        Ok(first as u8)
    }

    pub fn temp(&mut self) -> Res<u8> {
        self.temps(1)
    }

    /// A window of `count` temporaries that begins at `dst` if that is the last temporary, else a fresh one.
    pub fn window(&mut self, dst: u8, count: usize) -> Res<u8> {
        if self.is_temp(dst) && dst as u16 + 1 == self.top {
            self.temps(count - 1)?;
            return Ok(dst);
        }
        self.temps(count)
    }

    /// `dst` if it is a temporary, else a fresh one: for values that are built in several steps.
    pub fn scratch(&mut self, dst: u8) -> Res<u8> {
        if self.is_temp(dst) {
            Ok(dst)
        } else {
            self.temp()
        }
    }

    pub fn max_registers(&self) -> u32 {
        self.max as u32
    }

    // ---- instructions

    pub fn at(&mut self, span: Span) {
        self.asm.at(span);
    }

    pub fn op(&mut self, op: Op, a: u8, b: u8, c: u8) {
        if self.live {
            self.asm.emit(op, a, b, c);
        }
    }

    pub fn wide(&mut self, op: Op, a: u8, bc: u16) {
        if self.live {
            self.asm.emit_wide(op, a, bc);
        }
    }

    pub fn op_x(&mut self, op: Op, a: u8, b: u8, c: u8, x: u32) {
        if self.live {
            self.asm.emit_x(op, a, b, c, x);
        }
    }

    /// An op after which nothing follows.
    pub fn end_op(&mut self, op: Op, a: u8, b: u8, c: u8) {
        self.op(op, a, b, c);
        self.die();
    }

    fn die(&mut self) {
        self.live = false;
        self.bound = Bits::ALL;
    }

    pub fn new_label(&mut self) -> Label {
        self.label_bound.push(None);
        self.asm.label()
    }

    /// A jump to a label further on.
    pub fn jump_op(&mut self, op: Op, a: u8, b: u8, c: u8, label: Label) {
        if !self.live {
            return;
        }
        self.asm.emit_jump(op, a, b, c, label);
        self.reach(label);
    }

    /// Something leads to the label from here.
    fn reach(&mut self, label: Label) {
        let state = &mut self.label_bound[label.0 as usize];
        *state = Some(state.map_or(self.bound, |s| s.and(self.bound)));
    }

    pub fn jump(&mut self, label: Label) {
        self.jump_op(Op::JMP, 0, 0, 0, label);
        self.die();
    }

    /// Back to the head of a loop.
    pub fn jump_back(&mut self, head: Label) {
        self.jump_op(Op::LOOP, 0, 0, 0, head);
        self.die();
    }

    pub fn place(&mut self, label: Label) {
        self.asm.place(label);
        if let Some(state) = self.label_bound[label.0 as usize] {
            self.bound = if self.live {
                self.bound.and(state)
            } else {
                state
            };
            self.live = true;
        }
    }

    /// The head of a loop.
    pub fn place_head(&mut self, label: Label) {
        self.bound = self.bound.without(self.unbinds);
        self.asm.place(label);
    }

    // ---- handlers

    /// A handler for the code that follows, once it is set. Its temporaries begin at `keep`.
    pub fn new_handler(&mut self, reg: u8, keep: u8) -> HandlerId {
        let label = self.new_label();
        // What is bound now stays so while the handler is in force, but for deletions.
        self.label_bound[label.0 as usize] = Some(self.bound.without(self.unbinds));
        self.asm.handler(label, reg, keep)
    }

    pub fn set_handler(&mut self, handler: Option<HandlerId>) {
        self.asm.set_handler(handler);
    }

    /// The handler's code begins here. It is dead if nothing was written under it.
    pub fn place_handler(&mut self, handler: HandlerId) {
        debug_assert!(!self.live, "a handler is only entered by an exception");
        let label = self.asm.handler_label(handler);
        if !self.asm.is_used(handler) {
            self.label_bound[label.0 as usize] = None;
        }
        self.place(label);
    }

    pub fn push_block(&mut self, block: Block<'a>, span: Span) -> Res {
        if self.blocks.len() >= MAX_BLOCKS {
            return fail("too many statically nested blocks", span);
        }
        if self.asm.len() > MAX_WORDS {
            return fail("code block is too long", span);
        }
        self.blocks.push(block);
        Ok(())
    }

    // ---- values

    pub fn load_const(&mut self, dst: u8, value: Const, span: Span) -> Res {
        self.at(span);
        match &value {
            Const::None => self.op(Op::LOADNONE, dst, 0, 0),
            Const::Int(n) if n.to_i16().is_some() => {
                let n = n.to_i16().unwrap_or(0);
                self.wide(Op::LOADI, dst, n as u16);
            }
            _ => {
                let k = self.pool.constant(value, span)?;
                self.wide(Op::LOADK, dst, k);
            }
        }
        Ok(())
    }

    pub fn load_str(&mut self, dst: u8, text: &str, span: Span) -> Res {
        self.load_const(dst, Const::Str(text.into()), span)
    }

    /// A temporary dies.
    pub fn clear(&mut self, opd: Opd) {
        if opd.owned && opd.heap {
            self.op(Op::CLEAR, opd.reg, 0, 0);
        }
    }

    /// Temporaries die together.
    pub fn clear_all(&mut self, mut opds: Vec<Opd>) {
        opds.retain(|o| o.owned && o.heap);
        opds.sort_by_key(|o| o.reg);
        opds.dedup();
        let mut i = 0;
        while i < opds.len() {
            let first = opds[i].reg;
            let mut count = 1;
            while opds
                .get(i + count)
                .is_some_and(|o| o.reg as usize == first as usize + count)
            {
                count += 1;
            }
            self.clear_range(first, count);
            i += count;
        }
    }

    pub fn clear_range(&mut self, first: u8, count: usize) {
        match count {
            0 => {}
            1 => self.op(Op::CLEAR, first, 0, 0),
            _ => self.op(Op::CLEARN, first, count as u8, 0),
        }
    }

    /// Puts a value where it belongs; a temporary is moved out of.
    pub fn move_to(&mut self, dst: u8, opd: Opd) {
        if dst != opd.reg {
            let op = if opd.owned { Op::MOVET } else { Op::MOVE };
            self.op(op, dst, opd.reg, 0);
        }
    }
}

impl Opd {
    pub fn temp(reg: u8) -> Opd {
        Opd {
            reg,
            owned: true,
            heap: true,
        }
    }
    pub fn local(reg: u8) -> Opd {
        Opd {
            reg,
            owned: false,
            heap: true,
        }
    }
}
