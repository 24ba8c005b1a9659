//! Chains that lean left: operators, attributes, subscripts and calls, as in `a.b(c)[d] + e`.
//!
//! Part of the expression code.
//!
//! Rules:
//! 1. A chain may be thousands of nodes long, so it is taken apart onto `spine` and walked by a loop.
//! 2. Each step leaves its result in the same temporary, the last one in the destination.

use super::expr::{binary_op, operand_name};
use super::fold;
use super::names::is_simple;
use super::unit::Opd;
use super::{Gen, Res};
use crate::bytecode::Const;
use crate::bytecode::ops::Op;
use corun_grammar::ast::*;
use num_traits::ToPrimitive;

/// The value that a chain has reached.
enum Reached {
    Const(Const, Span),
    Value(Opd),
}

impl<'a> Gen<'a> {
    pub fn chain(&mut self, e: &'a Expr, dst: u8) -> Res<bool> {
        let base = self.spine.len();
        let mark = self.u.mark();
        let mut leaf = e;
        while let ExprKind::BinOp { left: next, .. }
        | ExprKind::Attribute { value: next, .. }
        | ExprKind::Subscript { value: next, .. }
        | ExprKind::Call { func: next, .. } = &leaf.kind
        {
            self.spine.push(leaf);
            leaf = next;
        }
        // Where the steps before the last leave their results.
        let mut scratch = self.u.is_temp(dst).then_some(dst);
        let mut name = operand_name(leaf);
        let mut reached = self.chain_start(leaf, base, &mut scratch)?;
        while self.spine.len() > base {
            let Some(node) = self.spine.pop() else { break };
            let above = if self.spine.len() > base {
                self.spine.last().copied()
            } else {
                None
            };
            if let (Reached::Const(left, _), ExprKind::BinOp { op, right, .. }) =
                (&reached, &node.kind)
                && let Some(right) = self.fold(right)
                && let Some(value) = fold::binary(*op, left, &right)
            {
                reached = Reached::Const(value, node.span);
                continue;
            }
            if let (Reached::Const(..), ExprKind::Subscript { .. }) = (&reached, &node.kind)
                && is_constant(leaf)
                && let Some(value) = self.fold(node)
            {
                reached = Reached::Const(value, node.span);
                continue;
            }
            let value = self.reached(reached, &mut scratch)?;
            // A method call is two nodes.
            if let (ExprKind::Attribute { attr, .. }, Some(call)) = (&node.kind, above)
                && let ExprKind::Call { args, keywords, .. } = &call.kind
                && self.method_call_fits(args, keywords)
            {
                self.spine.pop();
                let out = self.step_target(base, dst, &mut scratch)?;
                self.call_method(call, node, value, attr, args, keywords, out)?;
                reached = Reached::Value(Opd {
                    reg: out,
                    owned: self.u.is_temp(out),
                    heap: true,
                });
            } else {
                let out = self.step_target(base, dst, &mut scratch)?;
                let value = match &node.kind {
                    ExprKind::BinOp { right: later, .. }
                    | ExprKind::Subscript { index: later, .. } => {
                        self.steady(value, name, later)?
                    }
                    _ => value,
                };
                let inner = self.u.mark();
                match &node.kind {
                    ExprKind::BinOp { op, right, .. } => {
                        self.binary_step(node, *op, value, right, out)?
                    }
                    ExprKind::Attribute { attr, .. } => {
                        self.attribute_step(node, attr, value, out)?
                    }
                    ExprKind::Subscript { index, .. } => {
                        self.subscript_step(node, value, index, out)?
                    }
                    ExprKind::Call { args, keywords, .. } => {
                        self.call_value(node, value, args, keywords, out)?
                    }
                    _ => {}
                }
                self.u.release(inner);
                reached = Reached::Value(Opd {
                    reg: out,
                    owned: self.u.is_temp(out),
                    heap: true,
                });
            }
            name = None;
        }
        let heap = match reached {
            Reached::Const(value, span) => {
                self.u.load_const(dst, value, span)?;
                false
            }
            Reached::Value(opd) => {
                self.u.move_to(dst, opd);
                true
            }
        };
        self.u.release(mark);
        Ok(heap)
    }

    /// The innermost value: a constant, a local in place, `super().name`, or whatever else.
    fn chain_start(
        &mut self,
        leaf: &'a Expr,
        base: usize,
        scratch: &mut Option<u8>,
    ) -> Res<Reached> {
        if let [.., first] = &self.spine[base..] {
            let first = *first;
            self.warn_leaf(first, leaf);
        }
        if let Some(value) = self.fold(leaf) {
            return Ok(Reached::Const(value, leaf.span));
        }
        if let ExprKind::Name(name) = &leaf.kind
            && name.as_ref() == "super"
            && let Some(value) = self.super_access(leaf, base, scratch)?
        {
            return Ok(Reached::Value(value));
        }
        if scratch.is_none() && !matches!(leaf.kind, ExprKind::Name(_)) {
            *scratch = Some(self.u.temp()?);
        }
        let value = self.operand(leaf, *scratch)?;
        if value.owned {
            *scratch = Some(value.reg);
        }
        Ok(Reached::Value(value))
    }

    fn reached(&mut self, reached: Reached, scratch: &mut Option<u8>) -> Res<Opd> {
        match reached {
            Reached::Value(opd) => Ok(opd),
            Reached::Const(value, span) => {
                let reg = self.scratch_register(scratch)?;
                self.u.load_const(reg, value, span)?;
                Ok(Opd {
                    reg,
                    owned: true,
                    heap: false,
                })
            }
        }
    }

    fn scratch_register(&mut self, scratch: &mut Option<u8>) -> Res<u8> {
        let reg = match *scratch {
            Some(reg) => reg,
            None => self.u.temp()?,
        };
        *scratch = Some(reg);
        Ok(reg)
    }

    /// Where the next step's result goes: `dst` if it is the last step.
    pub fn step_target(&mut self, base: usize, dst: u8, scratch: &mut Option<u8>) -> Res<u8> {
        if self.spine.len() == base {
            Ok(dst)
        } else {
            self.scratch_register(scratch)
        }
    }

    fn binary_step(&mut self, node: &Expr, op: BinOp, left: Opd, right: &'a Expr, out: u8) -> Res {
        if let Some(imm) = self.small_int(right)
            && let Some(op) = immediate_op(op)
        {
            self.u.at(node.span);
            self.u.op(op, out, left.reg, imm as u8);
            return Ok(());
        }
        let right = self.operand(right, None)?;
        self.u.at(node.span);
        self.u.op(binary_op(op), out, left.reg, right.reg);
        Ok(())
    }

    /// A constant int that fits an immediate operand.
    pub fn small_int(&self, e: &Expr) -> Option<i8> {
        match &e.kind {
            ExprKind::Constant(Constant::Int(n)) => n.to_i8(),
            ExprKind::UnaryOp { .. } => match self.fold(e)? {
                Const::Int(n) => n.to_i8(),
                _ => None,
            },
            _ => None,
        }
    }

    fn attribute_step(&mut self, node: &Expr, attr: &Ident, value: Opd, out: u8) -> Res {
        let n = self.name_index(&attr.name, attr.span)?;
        self.u.at(self.attribute_span(node.span, attr));
        self.u.op_x(Op::LOADATTR, out, value.reg, 0, n as u32);
        if value.reg != out {
            self.u.clear(value);
        }
        Ok(())
    }

    /// An attribute on a later line than the start of its expression is reported on its own line, as in CPython.
    pub fn attribute_span(&self, span: Span, attr: &Ident) -> Span {
        // Line ends are rare in attribute chains: look at the text between instead of searching the line table.
        let between = self
            .source
            .text
            .as_bytes()
            .get(span.start as usize..attr.span.end as usize)
            .unwrap_or(&[]);
        if !between.contains(&b'\n') {
            return span;
        }
        Span {
            start: attr.span.start,
            end: span.end,
        }
    }

    fn subscript_step(&mut self, node: &Expr, value: Opd, index: &'a Expr, out: u8) -> Res {
        if let ExprKind::Slice {
            lower,
            upper,
            step: None,
        } = &index.kind
        {
            let pair = self.u.temps(2)?;
            let low = self.expr_or_none(lower.as_deref(), pair, index.span)?;
            let high = self.expr_or_none(upper.as_deref(), pair + 1, index.span)?;
            self.u.at(node.span);
            self.u.op(Op::LOADSLICE, out, value.reg, pair);
            let mut dead = Vec::new();
            if value.reg != out {
                dead.push(value);
            }
            dead.push(Opd {
                reg: pair,
                owned: true,
                heap: low,
            });
            dead.push(Opd {
                reg: pair + 1,
                owned: true,
                heap: high,
            });
            self.u.clear_all(dead);
            return Ok(());
        }
        let index = self.operand(index, None)?;
        self.u.at(node.span);
        self.u.op(Op::LOADITEM, out, value.reg, index.reg);
        if value.reg != out {
            self.u.clear(value);
        }
        Ok(())
    }

    pub fn expr_or_none(&mut self, e: Option<&'a Expr>, dst: u8, span: Span) -> Res<bool> {
        match e {
            Some(e) => self.expr(e, dst),
            None => {
                self.u.at(span);
                self.u.op(Op::LOADNONE, dst, 0, 0);
                Ok(false)
            }
        }
    }

    pub fn slice_value(
        &mut self,
        e: &Expr,
        lower: Option<&'a Expr>,
        upper: Option<&'a Expr>,
        step: Option<&'a Expr>,
        dst: u8,
    ) -> Res<bool> {
        let mark = self.u.mark();
        let window = self.u.window(dst, 3)?;
        let mut parts = Vec::with_capacity(3);
        for (i, part) in [lower, upper, step].into_iter().enumerate() {
            let reg = window + i as u8;
            let heap = self.expr_or_none(part, reg, e.span)?;
            parts.push(Opd {
                reg,
                owned: reg != dst,
                heap,
            });
        }
        self.u.at(e.span);
        self.u.op(Op::BUILDSLICE, dst, window, 0);
        self.u.clear_all(parts);
        self.u.release(mark);
        Ok(true)
    }
}

fn is_constant(e: &Expr) -> bool {
    is_simple(e) || matches!(e.kind, ExprKind::Tuple(_))
}

fn immediate_op(op: BinOp) -> Option<Op> {
    Some(match op {
        BinOp::Add => Op::ADDI,
        BinOp::Sub => Op::SUBI,
        BinOp::Mul => Op::MULI,
        BinOp::Mod => Op::MODI,
        BinOp::FloorDiv => Op::FLOORDIVI,
        BinOp::BitAnd => Op::BITANDI,
        _ => return None,
    })
}
