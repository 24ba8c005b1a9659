//! `await`, `yield` and `yield from`.
//!
//! Part of the expression code: each is a pair of temporaries, the value that goes to and fro and the delegate.

use super::unit::Opd;
use super::{Gen, Res};
use crate::bytecode::ops::Op;
use corun_grammar::ast::*;

impl<'a> Gen<'a> {
    pub fn await_value(&mut self, e: &'a Expr, value: &'a Expr, dst: u8) -> Res<bool> {
        self.check_await(e.span)?;
        let mark = self.u.mark();
        let pair = self.u.window(dst, 2)?;
        let value = self.operand(value, Some(pair + 1))?;
        self.u.at(e.span);
        self.await_register(pair, value, 0);
        self.u.move_to(dst, Opd::temp(pair));
        self.u.release(mark);
        Ok(true)
    }

    /// Awaits a value: the result is in `R[pair]`; `R[pair + 1]` is used, too.
    pub fn await_register(&mut self, pair: u8, value: Opd, whose: u8) {
        self.u.op(Op::AWAITABLE, pair + 1, value.reg, whose);
        if value.reg != pair + 1 {
            self.u.clear(value);
        }
        self.u.op(Op::LOADNONE, pair, 0, 0);
        self.u.op(Op::SEND, pair, pair + 1, 0);
    }

    pub fn yield_value(&mut self, e: &'a Expr, value: Option<&'a Expr>, dst: u8) -> Res<bool> {
        self.check_yield(e.span)?;
        let mark = self.u.mark();
        let op = if self.in_async_function() {
            Op::AYIELD
        } else {
            Op::YIELD
        };
        let value = match value {
            Some(value) => self.operand(value, Some(dst))?,
            None => {
                let reg = self.u.scratch(dst)?;
                self.u.at(e.span);
                self.u.op(Op::LOADNONE, reg, 0, 0);
                Opd {
                    reg,
                    owned: true,
                    heap: false,
                }
            }
        };
        self.u.at(e.span);
        self.u.op(op, dst, value.reg, 0);
        if value.reg != dst {
            self.u.clear(value);
        }
        self.u.release(mark);
        Ok(true)
    }

    pub fn yield_from(&mut self, e: &'a Expr, value: &'a Expr, dst: u8) -> Res<bool> {
        self.check_yield_from(e.span)?;
        let mark = self.u.mark();
        let pair = self.u.window(dst, 2)?;
        let value = self.operand(value, Some(pair + 1))?;
        self.u.at(e.span);
        self.u.op(Op::YIELDITER, pair + 1, value.reg, 0);
        if value.reg != pair + 1 {
            self.u.clear(value);
        }
        self.u.op(Op::LOADNONE, pair, 0, 0);
        self.u.op(Op::SEND, pair, pair + 1, 0);
        self.u.move_to(dst, Opd::temp(pair));
        self.u.release(mark);
        Ok(true)
    }
}
