//! Assignment in all its forms, and `del`.
//!
//! Part of the statement code.
//!
//! Rules:
//! 1. The value first, then the targets from left to right, the parts of a target when its turn comes.
//! 2. `store` uses up an owned value: it moves or clears the temporary.

use super::expr::{binary_op, operand_name};
use super::unit::Opd;
use super::{Gen, Res, fail};
use crate::bytecode::ops::Op;
use corun_grammar::ast::*;

/// Longer parallel assignments go through a tuple.
const MAX_PARALLEL: usize = 16;

impl<'a> Gen<'a> {
    pub fn assign(&mut self, targets: &'a [Expr], value: &'a Expr) -> Res {
        let mark = self.u.mark();
        if let [target] = targets {
            self.assign_value(target, value)?;
        } else if let Some((last, rest)) = targets.split_last() {
            let mut held = match &targets[0].kind {
                // The first variable holds the value for the other targets.
                ExprKind::Name(name)
                    if self.direct_target(name).is_some() && !self.may_rebind(name) =>
                {
                    let reg = self.direct_target(name).unwrap_or(0);
                    self.expr(value, reg)?;
                    self.u.bound.set(reg);
                    Opd::local(reg)
                }
                _ => {
                    let held = self.owned(value)?;
                    self.store(
                        &targets[0],
                        Opd {
                            owned: false,
                            ..held
                        },
                    )?;
                    held
                }
            };
            for target in &rest[1..] {
                let again = !held.owned
                    && operand_name(target)
                        .is_some_and(|n| self.direct_target(n) == Some(held.reg));
                if !again {
                    self.store(
                        target,
                        Opd {
                            owned: false,
                            ..held
                        },
                    )?;
                }
            }
            // A pattern target could overwrite the variable that it is unpacked from.
            if !held.owned && !matches!(last.kind, ExprKind::Name(_)) {
                let reg = self.u.temp()?;
                self.u.op(Op::MOVE, reg, held.reg, 0);
                held = Opd::temp(reg);
            }
            self.store(last, held)?;
        }
        self.u.release(mark);
        Ok(())
    }

    /// One target.
    pub fn assign_value(&mut self, target: &'a Expr, value: &'a Expr) -> Res {
        let mark = self.u.mark();
        if let ExprKind::Name(name) = &target.kind
            && let Some(reg) = self.direct_target(name)
        {
            self.expr(value, reg)?;
            self.u.bound.set(reg);
        } else if let Some((targets, values)) = parallel(target, value) {
            self.assign_parallel(targets, values)?;
        } else {
            let opd = self.operand(value, None)?;
            let opd = match operand_name(value) {
                Some(name) if !opd.owned && self.may_rebind(name) => {
                    let reg = self.u.temp()?;
                    self.u.op(Op::MOVE, reg, opd.reg, 0);
                    Opd::temp(reg)
                }
                _ => opd,
            };
            self.store(target, opd)?;
        }
        self.u.release(mark);
        Ok(())
    }

    /// `a, b = x, y` without a tuple: all values, then all stores.
    fn assign_parallel(&mut self, targets: &'a [Expr], values: &'a [Expr]) -> Res {
        let mut held = Vec::with_capacity(values.len());
        for (i, value) in values.iter().enumerate() {
            // A variable can be read when its turn comes, unless it has been stored to by then.
            let in_place = match &value.kind {
                ExprKind::Name(name) => {
                    let reg = self.direct_target(name);
                    reg.is_some()
                        && !self.may_rebind(name)
                        && targets[..i].iter().all(|t| match &t.kind {
                            ExprKind::Name(t) => self.direct_target(t) != reg,
                            ExprKind::Attribute { .. } | ExprKind::Subscript { .. } => true,
                            _ => false,
                        })
                }
                _ => false,
            };
            held.push(if in_place {
                self.operand(value, None)?
            } else {
                self.owned(value)?
            });
        }
        for (target, opd) in targets.iter().zip(held) {
            self.store(target, opd)?;
        }
        Ok(())
    }

    /// Stores a value into a target and uses it up.
    pub fn store(&mut self, target: &'a Expr, value: Opd) -> Res {
        let mark = self.u.mark();
        match &target.kind {
            ExprKind::Name(name) => self.store_name(name, value, target.span)?,
            ExprKind::Attribute {
                value: object,
                attr,
            } => {
                self.note_static_attribute(object, attr);
                let object = self.operand(object, None)?;
                let n = self.name_index(&attr.name, attr.span)?;
                self.u.at(self.attribute_span(target.span, attr));
                let op = if value.owned {
                    Op::STOREATTRT
                } else {
                    Op::STOREATTR
                };
                self.u.op_x(op, object.reg, value.reg, 0, n as u32);
                self.u.clear(object);
            }
            ExprKind::Subscript {
                value: object,
                index,
            } => {
                let name = operand_name(object);
                let object = self.operand(object, None)?;
                let object = self.steady(object, name, index)?;
                let index = self.operand(index, None)?;
                self.u.at(target.span);
                let op = if value.owned {
                    Op::STOREITEMT
                } else {
                    Op::STOREITEM
                };
                self.u.op(op, object.reg, index.reg, value.reg);
                self.u.clear_all(vec![object, index]);
            }
            ExprKind::Tuple(items) | ExprKind::List(items) => self.unpack(target, items, value)?,
            ExprKind::Starred(_) => {
                return fail(
                    "starred assignment target must be in a list or tuple",
                    target.span,
                );
            }
            _ => return fail("cannot assign to expression", target.span),
        }
        self.u.release(mark);
        Ok(())
    }

    fn unpack(&mut self, target: &'a Expr, items: &'a [Expr], value: Opd) -> Res {
        let star = items
            .iter()
            .position(|i| matches!(i.kind, ExprKind::Starred(_)));
        if let Some(at) = star {
            let more = items[at + 1..]
                .iter()
                .any(|i| matches!(i.kind, ExprKind::Starred(_)));
            if more {
                return fail("multiple starred expressions in assignment", target.span);
            }
        }
        if items.len() > 200 {
            return fail("too many targets in one assignment", target.span);
        }
        let direct = self.consecutive(items, value.reg);
        let window = match direct {
            Some(first) => first,
            None => self.u.temps(items.len())?,
        };
        self.u.at(target.span);
        match star {
            None => self.u.op(Op::UNPACK, window, value.reg, items.len() as u8),
            Some(at) => {
                let after = items.len() - at - 1;
                self.u
                    .op_x(Op::UNPACKEX, window, value.reg, at as u8, after as u32);
            }
        }
        self.u.clear(value);
        if direct.is_some() {
            (0..items.len()).for_each(|i| self.u.bound.set(window + i as u8));
            return Ok(());
        }
        for (i, item) in items.iter().enumerate() {
            let item = match &item.kind {
                ExprKind::Starred(inner) => inner,
                _ => item,
            };
            self.store(item, Opd::temp(window + i as u8))?;
        }
        Ok(())
    }

    /// The first register, if the targets are locals in a row and do not include `source`.
    fn consecutive(&self, items: &[Expr], source: u8) -> Option<u8> {
        let mut first = None;
        for (i, item) in items.iter().enumerate() {
            let item = match &item.kind {
                ExprKind::Starred(inner) => &inner.kind,
                kind => kind,
            };
            let ExprKind::Name(name) = item else {
                return None;
            };
            let reg = self.direct_target(name)?;
            if reg == source || reg as usize != *first.get_or_insert(reg) as usize + i {
                return None;
            }
        }
        first
    }

    /// `self.x = ...` in a method is recorded for the class's `__static_attributes__`.
    fn note_static_attribute(&mut self, object: &Expr, attr: &Ident) {
        let ExprKind::Name(name) = &object.kind else {
            return;
        };
        if name.as_ref() != "self" {
            return;
        }
        let attr = self.mangled(&attr.name);
        if let Some(attributes) = self.static_attributes.last_mut() {
            attributes.push(attr);
        }
    }

    // ---- augmented

    pub fn aug_assign(&mut self, stmt: &Stmt, target: &'a Expr, op: BinOp, value: &'a Expr) -> Res {
        let mark = self.u.mark();
        match &target.kind {
            ExprKind::Name(name) => {
                if let Some(reg) = self.direct_target(name) {
                    self.check_local(reg, target.span);
                    let left = self.steady(Opd::local(reg), Some(name), value)?;
                    self.in_place(stmt.span, op, reg, left.reg, value)?;
                } else {
                    let reg = self.u.temp()?;
                    self.load_name(name, target.span, reg)?;
                    self.in_place(stmt.span, op, reg, reg, value)?;
                    self.store_name(name, Opd::temp(reg), target.span)?;
                }
            }
            ExprKind::Attribute {
                value: object,
                attr,
            } => {
                self.note_static_attribute(object, attr);
                let name = operand_name(object);
                let object = self.operand(object, None)?;
                let object = self.steady(object, name, value)?;
                let reg = self.u.temp()?;
                let n = self.name_index(&attr.name, attr.span)?;
                let span = self.attribute_span(target.span, attr);
                self.u.at(span);
                self.u.op_x(Op::LOADATTR, reg, object.reg, 0, n as u32);
                self.in_place(stmt.span, op, reg, reg, value)?;
                self.u.at(span);
                self.u.op_x(Op::STOREATTRT, object.reg, reg, 0, n as u32);
                self.u.clear(object);
            }
            ExprKind::Subscript {
                value: object,
                index,
            } => self.aug_item(stmt, target, object, index, op, value)?,
            _ => return fail("illegal expression for augmented assignment", target.span),
        }
        self.u.release(mark);
        Ok(())
    }

    fn aug_item(
        &mut self,
        stmt: &Stmt,
        target: &Expr,
        object: &'a Expr,
        index: &'a Expr,
        op: BinOp,
        value: &'a Expr,
    ) -> Res {
        let name = operand_name(object);
        let object = self.operand(object, None)?;
        // The index is evaluated between the object's evaluation and use, the value later still.
        let object = if super::names::is_simple(index) {
            self.steady(object, name, value)?
        } else {
            self.steady(object, name, index)?
        };
        let name = operand_name(index);
        let key = self.operand(index, None)?;
        let key = self.steady(key, name, value)?;
        let reg = self.u.temp()?;
        // Reading an item releases a temporary index, but it is needed again.
        let once = if key.owned {
            match self.fold(index) {
                Some(constant) => self.u.load_const(reg, constant, index.span)?,
                None => self.u.op(Op::MOVE, reg, key.reg, 0),
            }
            reg
        } else {
            key.reg
        };
        self.u.at(target.span);
        self.u.op(Op::LOADITEM, reg, object.reg, once);
        self.in_place(stmt.span, op, reg, reg, value)?;
        self.u.at(target.span);
        self.u.op(Op::STOREITEMT, object.reg, key.reg, reg);
        self.u.clear_all(vec![object, key]);
        Ok(())
    }

    fn in_place(&mut self, span: Span, op: BinOp, dst: u8, left: u8, right: &'a Expr) -> Res {
        let mark = self.u.mark();
        let immediate = match op {
            BinOp::Add => Some(Op::IADDI),
            BinOp::Sub => Some(Op::ISUBI),
            _ => None,
        };
        if let (Some(code), Some(imm)) = (immediate, self.small_int(right)) {
            self.u.at(span);
            self.u.op(code, dst, left, imm as u8);
            return Ok(());
        }
        let right = self.operand(right, None)?;
        self.u.at(span);
        self.u.op(in_place_op(op), dst, left, right.reg);
        self.u.release(mark);
        Ok(())
    }

    // ---- del

    pub fn delete(&mut self, target: &'a Expr) -> Res {
        let mark = self.u.mark();
        match &target.kind {
            ExprKind::Name(name) => self.delete_name(name, target.span)?,
            ExprKind::Attribute { value, attr } => {
                let object = self.operand(value, None)?;
                let n = self.name_index(&attr.name, attr.span)?;
                self.u.at(self.attribute_span(target.span, attr));
                self.u.op_x(Op::DELATTR, object.reg, 0, 0, n as u32);
                self.u.clear(object);
            }
            ExprKind::Subscript { value, index } => {
                let name = operand_name(value);
                let object = self.operand(value, None)?;
                let object = self.steady(object, name, index)?;
                let index = self.operand(index, None)?;
                self.u.at(target.span);
                self.u.op(Op::DELITEM, object.reg, index.reg, 0);
                self.u.clear_all(vec![object, index]);
            }
            ExprKind::Tuple(items) | ExprKind::List(items) => {
                items.iter().try_for_each(|i| self.delete(i))?
            }
            _ => return fail("cannot delete expression", target.span),
        }
        self.u.release(mark);
        Ok(())
    }
}

/// Targets and values of an assignment of a display to a pattern of the same length, without stars.
fn parallel<'a>(target: &'a Expr, value: &'a Expr) -> Option<(&'a [Expr], &'a [Expr])> {
    let (ExprKind::Tuple(targets) | ExprKind::List(targets)) = &target.kind else {
        return None;
    };
    let (ExprKind::Tuple(values) | ExprKind::List(values)) = &value.kind else {
        return None;
    };
    let star = |e: &Expr| matches!(e.kind, ExprKind::Starred(_));
    if targets.is_empty() || targets.len() != values.len() || targets.len() > MAX_PARALLEL {
        return None;
    }
    (!targets.iter().any(star) && !values.iter().any(star)).then_some((targets, values))
}

fn in_place_op(op: BinOp) -> Op {
    match binary_op(op) {
        Op::ADD => Op::IADD,
        Op::SUB => Op::ISUB,
        Op::MUL => Op::IMUL,
        Op::MATMUL => Op::IMATMUL,
        Op::DIV => Op::IDIV,
        Op::MOD => Op::IMOD,
        Op::POW => Op::IPOW,
        Op::LSHIFT => Op::ILSHIFT,
        Op::RSHIFT => Op::IRSHIFT,
        Op::BITOR => Op::IBITOR,
        Op::BITXOR => Op::IBITXOR,
        Op::BITAND => Op::IBITAND,
        _ => Op::IFLOORDIV,
    }
}
