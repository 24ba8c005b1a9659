//! Conditions: tests that jump, with no truth value in between.
//!
//! Used by `if`, `while`, `assert`, conditional expressions, comprehension filters and match guards.
//!
//! Rules:
//! 1. Jumps release temporaries that they test (see `ops`), so a value that is needed afterwards is copied first.
//! 2. Every target lies ahead: loops close with `LOOP`.

use super::expr::operand_name;
use super::fold;
use super::unit::Opd;
use super::{Gen, Res};
use crate::bytecode::asm::Label;
use crate::bytecode::ops::Op;
use corun_grammar::ast::*;

impl<'a> Gen<'a> {
    /// Jumps to `target` if the truth of `e` is `when`; else goes on.
    pub fn jump_if(&mut self, e: &'a Expr, when: bool, target: Label) -> Res {
        if let Some(value) = self.fold(e) {
            if fold::truth(&value) == when {
                self.u.jump(target);
            }
            return Ok(());
        }
        match &e.kind {
            ExprKind::UnaryOp {
                op: UnaryOp::Not,
                operand,
            } => self.jump_if(operand, !when, target),
            ExprKind::BoolOp { op, values } => self.jump_bool(*op, values, when, target),
            ExprKind::Compare {
                left,
                ops,
                comparators,
            } => {
                self.warn_compare(e, left, ops, comparators);
                match (ops.as_slice(), comparators.as_slice()) {
                    ([op], [right]) => self.jump_compare(e.span, left, *op, right, when, target),
                    _ => self.jump_chain(e.span, left, ops, comparators, when, target),
                }
            }
            ExprKind::IfExp { test, body, orelse } => {
                let (other, done) = (self.u.new_label(), self.u.new_label());
                self.jump_if(test, false, other)?;
                self.jump_if(body, when, target)?;
                self.u.jump(done);
                self.u.place(other);
                self.jump_if(orelse, when, target)?;
                self.u.place(done);
                Ok(())
            }
            _ => {
                let mark = self.u.mark();
                let value = self.operand(e, None)?;
                self.u.at(e.span);
                self.u
                    .jump_op(if when { Op::JT } else { Op::JF }, value.reg, 0, 0, target);
                self.u.release(mark);
                Ok(())
            }
        }
    }

    fn jump_bool(&mut self, op: BoolOp, values: &'a [Expr], when: bool, target: Label) -> Res {
        let Some((last, rest)) = values.split_last() else {
            return Ok(());
        };
        // `or` is decided by the first true value, `and` by the first false one.
        let decides = op == BoolOp::Or;
        if when == decides {
            for value in rest {
                self.jump_if(value, decides, target)?;
            }
            return self.jump_if(last, when, target);
        }
        let on = self.u.new_label();
        for value in rest {
            self.jump_if(value, decides, on)?;
        }
        self.jump_if(last, when, target)?;
        self.u.place(on);
        Ok(())
    }

    fn jump_compare(
        &mut self,
        span: Span,
        left: &'a Expr,
        op: CmpOp,
        right: &'a Expr,
        when: bool,
        target: Label,
    ) -> Res {
        let mark = self.u.mark();
        if matches!(op, CmpOp::Is | CmpOp::IsNot)
            && matches!(right.kind, ExprKind::Constant(Constant::None))
        {
            let value = self.operand(left, None)?;
            self.u.at(span);
            let jump = if when == (op == CmpOp::Is) {
                Op::JNONE
            } else {
                Op::JNOTNONE
            };
            self.u.jump_op(jump, value.reg, 0, 0, target);
        } else {
            let value = self.operand(left, None)?;
            let value = self.steady(value, operand_name(left), right)?;
            self.compare_and_jump(span, value, op, right, when, target)?;
        }
        self.u.release(mark);
        Ok(())
    }

    fn compare_and_jump(
        &mut self,
        span: Span,
        left: Opd,
        op: CmpOp,
        right: &'a Expr,
        when: bool,
        target: Label,
    ) -> Res {
        if let Some(imm) = self.small_int(right)
            && let Some(code) = immediate_jump(op)
        {
            self.u.at(span);
            self.u
                .jump_op(code, left.reg, imm as u8, when as u8, target);
            return Ok(());
        }
        let right = self.comparand(op, right, None)?;
        self.fused_jump(span, left.reg, op, right.reg, when, target);
        Ok(())
    }

    fn fused_jump(
        &mut self,
        span: Span,
        left: u8,
        op: CmpOp,
        right: u8,
        when: bool,
        target: Label,
    ) {
        let (code, positive) = match op {
            CmpOp::Lt => (Op::JLT, true),
            CmpOp::LtE => (Op::JLE, true),
            CmpOp::Eq => (Op::JEQ, true),
            CmpOp::NotEq => (Op::JNE, true),
            CmpOp::Gt => (Op::JGT, true),
            CmpOp::GtE => (Op::JGE, true),
            CmpOp::Is => (Op::JIS, true),
            CmpOp::IsNot => (Op::JIS, false),
            CmpOp::In => (Op::JIN, true),
            CmpOp::NotIn => (Op::JIN, false),
        };
        self.u.at(span);
        self.u
            .jump_op(code, left, right, (when == positive) as u8, target);
    }

    /// `a < b < c`.
    fn jump_chain(
        &mut self,
        span: Span,
        left: &'a Expr,
        ops: &[CmpOp],
        rest: &'a [Expr],
        when: bool,
        target: Label,
    ) -> Res {
        let mark = self.u.mark();
        let on = self.u.new_label();
        let out = if when { on } else { target };
        let mut ends: Vec<(Label, Opd)> = Vec::new();
        // Two places for operands in turn, one for the copy of the middle one.
        let slots = self.u.temps(3)?;
        let mut value = self.operand(left, Some(slots))?;
        let mut name = operand_name(left);
        let inner = self.u.mark();
        for (i, (op, right)) in ops.iter().zip(rest).enumerate() {
            value = self.steady(value, name, right)?;
            if i + 1 == ops.len() {
                self.compare_and_jump(span, value, *op, right, when, target)?;
                break;
            }
            let middle = self.comparand(*op, right, Some(slots + ((i + 1) % 2) as u8))?;
            if middle.owned {
                // The jump releases its operands, but this one is needed again.
                self.u.op(Op::MOVE, slots + 2, middle.reg, 0);
                let end = self.u.new_label();
                self.fused_jump(span, value.reg, *op, slots + 2, false, end);
                ends.push((end, middle));
            } else {
                self.fused_jump(span, value.reg, *op, middle.reg, false, out);
            }
            value = middle;
            name = operand_name(right);
            self.u.release(inner);
        }
        if !ends.is_empty() {
            self.u.jump(on);
        }
        for (end, middle) in ends {
            self.u.place(end);
            self.u.clear(middle);
            self.u.jump(out);
        }
        self.u.place(on);
        self.u.release(mark);
        Ok(())
    }
}

fn immediate_jump(op: CmpOp) -> Option<Op> {
    Some(match op {
        CmpOp::Lt => Op::JLTI,
        CmpOp::LtE => Op::JLEI,
        CmpOp::Eq => Op::JEQI,
        CmpOp::NotEq => Op::JNEI,
        CmpOp::Gt => Op::JGTI,
        CmpOp::GtE => Op::JGEI,
        _ => return None,
    })
}
