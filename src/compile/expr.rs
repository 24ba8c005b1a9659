//! Expressions: values into registers.
//!
//! The heart of the code generator. `expr` puts a value into a given register, `operand` gives it wherever it is
//! cheapest (a local is read in place), `effect` drops it; conditions are in `cond.rs`.
//!
//! Rules:
//! 1. `dst` is a temporary that is free to scribble on, or a local that only the last op may write.
//! 2. Chains that lean left (operators, attributes, subscripts, calls) are in `chain.rs`.

use super::fold;
use super::unit::Opd;
use super::{Gen, Res, fail};
use crate::bytecode::Const;
use crate::bytecode::ops::Op;
use corun_grammar::ast::*;

impl<'a> Gen<'a> {
    pub fn debug(&self) -> bool {
        self.opts.optimize == 0
    }

    pub fn fold(&self, e: &Expr) -> Option<Const> {
        fold::fold(e, self.debug())
    }

    /// The value somewhere: a local in place, or a temporary (`hint` if that is one).
    pub fn operand(&mut self, e: &'a Expr, hint: Option<u8>) -> Res<Opd> {
        match &e.kind {
            ExprKind::Name(name) if name.as_ref() != "__debug__" => {
                self.name_operand(name, e.span, hint)
            }
            ExprKind::NamedExpr { target, value } if self.named_register(target).is_some() => {
                let reg = self.named_register(target).unwrap_or(0);
                self.expr(value, reg)?;
                self.u.bound.set(reg);
                Ok(Opd::local(reg))
            }
            _ => {
                let reg = match hint {
                    Some(reg) if self.u.is_temp(reg) => reg,
                    _ => self.u.temp()?,
                };
                let heap = self.expr(e, reg)?;
                Ok(Opd {
                    reg,
                    owned: true,
                    heap,
                })
            }
        }
    }

    fn named_register(&self, target: &Expr) -> Option<u8> {
        match &target.kind {
            ExprKind::Name(name) => self.direct_target(name),
            _ => None,
        }
    }

    /// The value in a fresh temporary, even if it is a local's.
    pub fn owned(&mut self, e: &'a Expr) -> Res<Opd> {
        let reg = self.u.temp()?;
        let heap = self.expr(e, reg)?;
        Ok(Opd {
            reg,
            owned: true,
            heap,
        })
    }

    /// Evaluates and drops.
    pub fn effect(&mut self, e: &'a Expr) -> Res {
        let mark = self.u.mark();
        match &e.kind {
            ExprKind::Constant(_) => {}
            ExprKind::BoolOp { op, values } => {
                let done = self.u.new_label();
                if let Some((last, rest)) = values.split_last() {
                    for value in rest {
                        self.jump_if(value, *op == BoolOp::Or, done)?;
                    }
                    self.effect(last)?;
                }
                self.u.place(done);
            }
            ExprKind::IfExp { test, body, orelse } => {
                let (other, done) = (self.u.new_label(), self.u.new_label());
                self.jump_if(test, false, other)?;
                self.effect(body)?;
                self.u.jump(done);
                self.u.place(other);
                self.effect(orelse)?;
                self.u.place(done);
            }
            _ => {
                let value = self.operand(e, None)?;
                self.u.clear(value);
            }
        }
        self.u.release(mark);
        Ok(())
    }

    /// The value into `dst`. True if it may be a heap object.
    pub fn expr(&mut self, e: &'a Expr, dst: u8) -> Res<bool> {
        match &e.kind {
            ExprKind::Constant(c) => {
                self.u.load_const(dst, fold::of_constant(c), e.span)?;
                Ok(false)
            }
            ExprKind::Name(name) => {
                if name.as_ref() == "__debug__" {
                    let value = if self.debug() {
                        Const::True
                    } else {
                        Const::False
                    };
                    self.u.load_const(dst, value, e.span)?;
                    return Ok(false);
                }
                self.load_name(name, e.span, dst)?;
                Ok(true)
            }
            ExprKind::BinOp { .. }
            | ExprKind::Attribute { .. }
            | ExprKind::Subscript { .. }
            | ExprKind::Call { .. } => self.chain(e, dst),
            ExprKind::BoolOp { op, values } => self.bool_value(*op, values, dst),
            ExprKind::Compare {
                left,
                ops,
                comparators,
            } => self.compare_value(e, left, ops, comparators, dst),
            ExprKind::UnaryOp { op, operand } => self.unary(e, *op, operand, dst),
            ExprKind::IfExp { test, body, orelse } => self.if_value(test, body, orelse, dst),
            ExprKind::NamedExpr { target, value } => self.named_value(target, value, dst),
            ExprKind::Tuple(items) => self.tuple(e, items, dst),
            ExprKind::List(items) => self.list(e, items, dst),
            ExprKind::Set(items) => self.set(e, items, dst),
            ExprKind::Dict { keys, values } => self.dict(e, keys, values, dst),
            ExprKind::Lambda { args, body } => self.lambda(e, args, body, dst),
            ExprKind::ListComp { .. } | ExprKind::SetComp { .. } | ExprKind::DictComp { .. } => {
                self.comprehension(e, dst)?;
                Ok(true)
            }
            ExprKind::GeneratorExp { elt, generators } => {
                self.generator_expression(e, elt, generators, dst)
            }
            ExprKind::Await(value) => self.await_value(e, value, dst),
            ExprKind::Yield(value) => self.yield_value(e, value.as_deref(), dst),
            ExprKind::YieldFrom(value) => self.yield_from(e, value, dst),
            ExprKind::JoinedStr(parts) => self.joined_str(e, parts, dst),
            ExprKind::FormattedValue { .. } => self.formatted_value(e, dst),
            ExprKind::TemplateStr(parts) => self.template(e, parts, dst),
            ExprKind::Interpolation { .. } => {
                fail("interpolation outside a template string", e.span)
            }
            ExprKind::Slice { lower, upper, step } => {
                self.slice_value(e, lower.as_deref(), upper.as_deref(), step.as_deref(), dst)
            }
            ExprKind::Starred(_) => fail("can't use starred expression here", e.span),
        }
    }

    fn unary(&mut self, e: &'a Expr, op: UnaryOp, operand: &'a Expr, dst: u8) -> Res<bool> {
        if let Some(value) = self.fold(e) {
            self.u.load_const(dst, value, e.span)?;
            return Ok(false);
        }
        if op == UnaryOp::Not
            && let ExprKind::Compare {
                left,
                ops,
                comparators,
            } = &operand.kind
            && let ([inverse], [right]) = (ops.as_slice(), comparators.as_slice())
            && let Some(inverse) = inverted(*inverse)
        {
            self.warn_compare(operand, left, &[inverse], comparators);
            return self.compare_once(operand.span, left, inverse, right, dst);
        }
        let mark = self.u.mark();
        let value = self.operand(operand, Some(dst))?;
        self.u.at(e.span);
        let code = match op {
            UnaryOp::Not => Op::NOT,
            UnaryOp::Invert => Op::INVERT,
            UnaryOp::UAdd => Op::POS,
            UnaryOp::USub => Op::NEG,
        };
        self.u.op(code, dst, value.reg, 0);
        self.u.release(mark);
        Ok(op != UnaryOp::Not)
    }

    fn compare_value(
        &mut self,
        e: &'a Expr,
        left: &'a Expr,
        ops: &[CmpOp],
        rest: &'a [Expr],
        dst: u8,
    ) -> Res<bool> {
        self.warn_compare(e, left, ops, rest);
        if let ([op], [right]) = (ops, rest) {
            return self.compare_once(e.span, left, *op, right, dst);
        }
        let mark = self.u.mark();
        let result = self.u.scratch(dst)?;
        let done = self.u.new_label();
        // Two places for operands in turn, one for the copy of the middle one.
        let slots = self.u.temps(3)?;
        let mut value = self.operand(left, Some(slots))?;
        let mut name = operand_name(left);
        let mut ends = Vec::new();
        let inner = self.u.mark();
        for (i, (op, right)) in ops.iter().zip(rest).enumerate() {
            value = self.steady(value, name, right)?;
            let last = i + 1 == ops.len();
            let right_value = self.comparand(*op, right, Some(slots + ((i + 1) % 2) as u8))?;
            self.u.at(e.span);
            // The op releases its operands, but the middle one is needed again.
            let shared = if !last && right_value.owned {
                self.u.op(Op::MOVE, slots + 2, right_value.reg, 0);
                slots + 2
            } else {
                right_value.reg
            };
            self.u.op(compare_op(*op), result, value.reg, shared);
            if !last && shared != right_value.reg {
                // False already: the middle value dies at the end.
                let end = self.u.new_label();
                self.u.jump_op(Op::JFK, result, 0, 0, end);
                ends.push((end, right_value));
            } else if !last {
                self.u.jump_op(Op::JFK, result, 0, 0, done);
            }
            value = right_value;
            name = operand_name(right);
            self.u.release(inner);
        }
        if !ends.is_empty() {
            self.u.jump(done);
        }
        for (end, middle) in ends {
            self.u.place(end);
            self.u.clear(middle);
            self.u.jump(done);
        }
        self.u.place(done);
        self.u.move_to(dst, Opd::temp(result));
        self.u.release(mark);
        Ok(true)
    }

    /// `a op b`, once.
    fn compare_once(
        &mut self,
        span: Span,
        left: &'a Expr,
        op: CmpOp,
        right: &'a Expr,
        dst: u8,
    ) -> Res<bool> {
        let mark = self.u.mark();
        let value = self.operand(left, Some(dst))?;
        let value = self.steady(value, operand_name(left), right)?;
        let right = self.comparand(op, right, None)?;
        self.u.at(span);
        self.u.op(compare_op(op), dst, value.reg, right.reg);
        self.u.release(mark);
        Ok(!matches!(
            op,
            CmpOp::Is | CmpOp::IsNot | CmpOp::In | CmpOp::NotIn
        ))
    }

    /// The right side of a comparison. `x in [constants]` looks into a constant.
    pub fn comparand(&mut self, op: CmpOp, e: &'a Expr, hint: Option<u8>) -> Res<Opd> {
        if matches!(op, CmpOp::In | CmpOp::NotIn)
            && let Some(value) = self.constant_members(e)
        {
            let reg = match hint {
                Some(reg) => reg,
                None => self.u.temp()?,
            };
            self.u.load_const(reg, value, e.span)?;
            return Ok(Opd {
                reg,
                owned: true,
                heap: false,
            });
        }
        self.operand(e, hint)
    }

    /// A list or set display of constants, as a constant of the immutable kind.
    pub fn constant_members(&self, e: &Expr) -> Option<Const> {
        let (items, set) = match &e.kind {
            ExprKind::List(items) => (items, false),
            ExprKind::Set(items) => (items, true),
            _ => return None,
        };
        let items = items
            .iter()
            .map(|i| self.fold(i))
            .collect::<Option<Vec<_>>>()?;
        Some(if set {
            Const::FrozenSet(items)
        } else {
            Const::Tuple(items)
        })
    }

    fn bool_value(&mut self, op: BoolOp, values: &'a [Expr], dst: u8) -> Res<bool> {
        let Some((last, rest)) = values.split_last() else {
            return Ok(false);
        };
        let keep = if op == BoolOp::Or { Op::JTK } else { Op::JFK };
        // `x = x or default`
        if let [
            Expr {
                kind: ExprKind::Name(name),
                span,
            },
        ] = rest
            && self.direct_target(name) == Some(dst)
        {
            let done = self.u.new_label();
            self.check_local(dst, *span);
            self.u.at(*span);
            self.u.jump_op(
                if op == BoolOp::Or { Op::JT } else { Op::JF },
                dst,
                0,
                0,
                done,
            );
            self.expr(last, dst)?;
            self.u.place(done);
            return Ok(true);
        }
        let mark = self.u.mark();
        let result = self.u.scratch(dst)?;
        let done = self.u.new_label();
        let mut heap = false;
        for value in rest {
            if let Some(constant) = self.fold(value) {
                if fold::truth(&constant) == (op == BoolOp::And) {
                    continue;
                }
                self.u.load_const(result, constant, value.span)?;
                self.u.jump(done);
                break;
            }
            heap |= self.expr(value, result)?;
            self.u.at(value.span);
            self.u.jump_op(keep, result, 0, 0, done);
        }
        heap |= self.expr(last, result)?;
        self.u.place(done);
        self.u.move_to(dst, Opd::temp(result));
        self.u.release(mark);
        Ok(heap)
    }

    fn if_value(&mut self, test: &'a Expr, body: &'a Expr, orelse: &'a Expr, dst: u8) -> Res<bool> {
        let (other, done) = (self.u.new_label(), self.u.new_label());
        self.jump_if(test, false, other)?;
        let mut heap = self.expr(body, dst)?;
        self.u.jump(done);
        self.u.place(other);
        heap |= self.expr(orelse, dst)?;
        self.u.place(done);
        Ok(heap)
    }

    fn named_value(&mut self, target: &'a Expr, value: &'a Expr, dst: u8) -> Res<bool> {
        let ExprKind::Name(name) = &target.kind else {
            return fail("cannot use assignment expressions here", target.span);
        };
        if let Some(reg) = self.direct_target(name) {
            let heap = self.expr(value, reg)?;
            self.u.bound.set(reg);
            self.u.move_to(dst, Opd::local(reg));
            return Ok(heap);
        }
        let mark = self.u.mark();
        let result = self.u.scratch(dst)?;
        let heap = self.expr(value, result)?;
        self.store_name(
            name,
            Opd {
                reg: result,
                owned: false,
                heap: false,
            },
            target.span,
        )?;
        self.u.move_to(dst, Opd::temp(result));
        self.u.release(mark);
        Ok(heap)
    }
}

/// The variable that an operand read in place would be.
pub fn operand_name(e: &Expr) -> Option<&Name> {
    match &e.kind {
        ExprKind::Name(name) => Some(name),
        ExprKind::NamedExpr { target, .. } => operand_name(target),
        _ => None,
    }
}

fn inverted(op: CmpOp) -> Option<CmpOp> {
    Some(match op {
        CmpOp::Is => CmpOp::IsNot,
        CmpOp::IsNot => CmpOp::Is,
        CmpOp::In => CmpOp::NotIn,
        CmpOp::NotIn => CmpOp::In,
        _ => return None,
    })
}

pub fn binary_op(op: BinOp) -> Op {
    match op {
        BinOp::Add => Op::ADD,
        BinOp::Sub => Op::SUB,
        BinOp::Mul => Op::MUL,
        BinOp::MatMul => Op::MATMUL,
        BinOp::Div => Op::DIV,
        BinOp::Mod => Op::MOD,
        BinOp::Pow => Op::POW,
        BinOp::LShift => Op::LSHIFT,
        BinOp::RShift => Op::RSHIFT,
        BinOp::BitOr => Op::BITOR,
        BinOp::BitXor => Op::BITXOR,
        BinOp::BitAnd => Op::BITAND,
        BinOp::FloorDiv => Op::FLOORDIV,
    }
}

pub fn compare_op(op: CmpOp) -> Op {
    match op {
        CmpOp::Eq => Op::EQ,
        CmpOp::NotEq => Op::NE,
        CmpOp::Lt => Op::LT,
        CmpOp::LtE => Op::LE,
        CmpOp::Gt => Op::GT,
        CmpOp::GtE => Op::GE,
        CmpOp::Is => Op::IS,
        CmpOp::IsNot => Op::ISNOT,
        CmpOp::In => Op::IN,
        CmpOp::NotIn => Op::NOTIN,
    }
}
