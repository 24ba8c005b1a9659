//! Displays: tuples, lists, sets and dicts, with stars, of any length.
//!
//! Part of the expression code.
//!
//! Rules:
//! 1. Short displays are windows taken by one op; long ones, and those with stars, grow a container in a temporary.
//! 2. Constant displays are loaded, not built.

use super::unit::Opd;
use super::{Gen, Res};
use crate::bytecode::Const;
use crate::bytecode::ops::Op;
use corun_grammar::ast::*;

/// Items put into a window before the rest is added one by one.
const MAX_WINDOW: usize = 32;

fn has_star(items: &[Expr]) -> bool {
    items.iter().any(|i| matches!(i.kind, ExprKind::Starred(_)))
}

impl<'a> Gen<'a> {
    pub fn tuple(&mut self, e: &'a Expr, items: &'a [Expr], dst: u8) -> Res<bool> {
        if let Some(value) = self.fold(e) {
            self.u.load_const(dst, value, e.span)?;
            return Ok(false);
        }
        if items.len() <= MAX_WINDOW && !has_star(items) {
            return self.window_display(Op::TUPLE, e.span, items, dst);
        }
        let mark = self.u.mark();
        let list = self.u.scratch(dst)?;
        self.list_items(items, list, e.span)?;
        self.u.at(e.span);
        self.u.op(Op::LISTTOTUPLE, dst, list, 0);
        if list != dst {
            self.u.clear(Opd::temp(list));
        }
        self.u.release(mark);
        Ok(true)
    }

    pub fn list(&mut self, e: &'a Expr, items: &'a [Expr], dst: u8) -> Res<bool> {
        if items.len() <= MAX_WINDOW && !has_star(items) && !self.constant_items(items) {
            return self.window_display(Op::LIST, e.span, items, dst);
        }
        let mark = self.u.mark();
        let list = self.u.scratch(dst)?;
        self.list_items(items, list, e.span)?;
        self.u.move_to(dst, Opd::temp(list));
        self.u.release(mark);
        Ok(true)
    }

    fn window_display(&mut self, op: Op, span: Span, items: &'a [Expr], dst: u8) -> Res<bool> {
        let mark = self.u.mark();
        let mut window = dst;
        for (i, item) in items.iter().enumerate() {
            let reg = if i == 0 {
                self.u.window(dst, 1)?
            } else {
                self.u.temp()?
            };
            if i == 0 {
                window = reg;
            }
            self.expr(item, reg)?;
        }
        self.u.at(span);
        self.u.op(op, dst, window, items.len() as u8);
        self.u.release(mark);
        Ok(true)
    }

    /// Three or more constants are copied from a constant tuple, as in CPython.
    fn constant_items(&self, items: &[Expr]) -> bool {
        items.len() >= 3 && items.iter().all(|i| self.fold(i).is_some())
    }

    fn constant_tuple(&self, items: &[Expr]) -> Option<Const> {
        items
            .iter()
            .map(|i| self.fold(i))
            .collect::<Option<Vec<_>>>()
            .map(Const::Tuple)
    }

    /// Builds a list of the items, stars spread, in the temporary `list`.
    pub fn list_items(&mut self, items: &'a [Expr], list: u8, span: Span) -> Res {
        let mark = self.u.mark();
        self.u.at(span);
        if self.constant_items(items)
            && let Some(value) = self.constant_tuple(items)
        {
            self.u.op(Op::LIST, list, list, 0);
            let reg = self.u.temp()?;
            self.u.load_const(reg, value, span)?;
            self.u.op(Op::LISTEXTEND, list, reg, 0);
            self.u.release(mark);
            return Ok(());
        }
        let first = items
            .iter()
            .take(MAX_WINDOW)
            .take_while(|i| !matches!(i.kind, ExprKind::Starred(_)))
            .count();
        let window = if first == 0 {
            list
        } else {
            self.u.temps(first)?
        };
        for (i, item) in items[..first].iter().enumerate() {
            self.expr(item, window + i as u8)?;
        }
        self.u.at(span);
        self.u.op(Op::LIST, list, window, first as u8);
        self.u.release(mark);
        for item in &items[first..] {
            if let ExprKind::Starred(inner) = &item.kind {
                let value = self.operand(inner, None)?;
                self.u.at(span);
                self.u.op(Op::LISTEXTEND, list, value.reg, 0);
                self.u.clear(value);
            } else {
                self.append(list, item)?;
            }
            self.u.release(mark);
        }
        Ok(())
    }

    /// `list.append(item)` on the list in a register.
    pub fn append(&mut self, list: u8, item: &'a Expr) -> Res {
        let value = self.operand(item, None)?;
        self.u.at(item.span);
        let op = if value.owned {
            Op::LISTAPPENDT
        } else {
            Op::LISTAPPEND
        };
        self.u.op(op, list, value.reg, 0);
        Ok(())
    }

    pub fn set(&mut self, e: &'a Expr, items: &'a [Expr], dst: u8) -> Res<bool> {
        let constant = self.constant_items(items);
        if items.len() <= MAX_WINDOW && !has_star(items) && !constant {
            return self.window_display(Op::SET, e.span, items, dst);
        }
        let outer = self.u.mark();
        let set = self.u.scratch(dst)?;
        let mark = self.u.mark();
        self.u.at(e.span);
        self.u.op(Op::SET, set, set, 0);
        if let Some(value) = constant.then(|| self.constant_tuple(items)).flatten() {
            let reg = self.u.temp()?;
            self.u.load_const(reg, value, e.span)?;
            self.u.op(Op::SETUPDATE, set, reg, 0);
        } else {
            for item in items {
                let (op, value) = match &item.kind {
                    ExprKind::Starred(inner) => (Op::SETUPDATE, self.operand(inner, None)?),
                    _ => (Op::SETADD, self.operand(item, None)?),
                };
                self.u.at(e.span);
                self.u.op(op, set, value.reg, 0);
                self.u.clear(value);
                self.u.release(mark);
            }
        }
        self.u.release(mark);
        self.u.move_to(dst, Opd::temp(set));
        self.u.release(outer);
        Ok(true)
    }

    pub fn dict(
        &mut self,
        e: &'a Expr,
        keys: &'a [Option<Expr>],
        values: &'a [Expr],
        dst: u8,
    ) -> Res<bool> {
        const MAX_PAIRS: usize = MAX_WINDOW / 2;
        let first = keys
            .iter()
            .take(MAX_PAIRS)
            .take_while(|k| k.is_some())
            .count();
        let whole = first == keys.len();
        let outer = self.u.mark();
        let dict = if whole { dst } else { self.u.scratch(dst)? };
        let mark = self.u.mark();
        let window = match first {
            0 => dict,
            _ if whole => self.u.window(dst, first * 2)?,
            _ => self.u.temps(first * 2)?,
        };
        for (i, (key, value)) in keys.iter().flatten().zip(values).take(first).enumerate() {
            let reg = window + 2 * i as u8;
            self.expr(key, reg)?;
            self.expr(value, reg + 1)?;
        }
        self.u.at(e.span);
        self.u.op(Op::DICT, dict, window, first as u8);
        self.u.release(mark);
        for (key, value) in keys.iter().zip(values).skip(first) {
            match key {
                Some(key) => self.dict_item(dict, key, value, e.span)?,
                None => {
                    let value = self.operand(value, None)?;
                    self.u.at(e.span);
                    self.u.op(Op::DICTUPDATE, dict, value.reg, 0);
                    self.u.clear(value);
                }
            }
            self.u.release(mark);
        }
        if !whole {
            self.u.move_to(dst, Opd::temp(dict));
        }
        self.u.release(outer);
        Ok(true)
    }

    /// `dict[key] = value` on the dict in a register.
    pub fn dict_item(&mut self, dict: u8, key: &'a Expr, value: &'a Expr, span: Span) -> Res {
        let key_value = self.operand(key, None)?;
        let key_value = self.steady(key_value, super::expr::operand_name(key), value)?;
        let value = self.operand(value, None)?;
        self.u.at(span);
        self.u.op(Op::DICTSET, dict, key_value.reg, value.reg);
        self.u.clear_all(vec![key_value, value]);
        Ok(())
    }
}
