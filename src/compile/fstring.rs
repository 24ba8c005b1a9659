//! f-strings and t-strings.
//!
//! Part of the expression code: each part becomes a string (or an interpolation) in a window, one op joins them.

use super::fold;
use super::unit::Opd;
use super::{Gen, Res};
use crate::bytecode::Const;
use crate::bytecode::ops::Op;
use corun_grammar::ast::*;

/// Parts in one window; longer strings are joined piece by piece.
const MAX_WINDOW: usize = 32;

/// The number that the ops have for a conversion. ORDER: see `FORMATS`.
fn conversion_code(conversion: Option<char>) -> u8 {
    match conversion {
        Some('s') => 1,
        Some('r') => 2,
        Some('a') => 3,
        _ => 0,
    }
}

impl<'a> Gen<'a> {
    pub fn joined_str(&mut self, e: &'a Expr, parts: &'a [Expr], dst: u8) -> Res<bool> {
        if let Some(text) = fold::constant_str(parts) {
            self.u.load_const(dst, Const::Str(text), e.span)?;
            return Ok(false);
        }
        if let [part] = parts {
            return self.expr(part, dst);
        }
        let mark = self.u.mark();
        let window = self.u.window(dst, 1)?;
        let mut count = 0;
        for part in parts {
            if count == MAX_WINDOW {
                self.u.at(e.span);
                self.u.op(Op::FSTR, window, window, count as u8);
                self.u.release(window as u16 + 1);
                count = 1;
            }
            let reg = if count == 0 { window } else { self.u.temp()? };
            self.expr(part, reg)?;
            count += 1;
        }
        self.u.at(e.span);
        self.u.op(Op::FSTR, dst, window, count as u8);
        self.u.release(mark);
        Ok(true)
    }

    pub fn formatted_value(&mut self, e: &'a Expr, dst: u8) -> Res<bool> {
        let ExprKind::FormattedValue {
            value,
            conversion,
            format_spec,
        } = &e.kind
        else {
            return Ok(false);
        };
        let mark = self.u.mark();
        let code = conversion_code(*conversion);
        let mut opd = self.operand(value, Some(dst))?;
        let Some(spec) = format_spec else {
            self.u.at(e.span);
            self.u.op(Op::FORMATS, dst, opd.reg, code);
            if opd.reg != dst {
                self.u.clear(opd);
            }
            self.u.release(mark);
            return Ok(true);
        };
        if code != 0 {
            let reg = if opd.owned { opd.reg } else { self.u.temp()? };
            self.u.at(e.span);
            self.u.op(Op::CONVERT, reg, opd.reg, code);
            opd = Opd::temp(reg);
        } else {
            opd = self.steady(opd, super::expr::operand_name(value), spec)?;
        }
        let spec = self.operand(spec, None)?;
        self.u.at(e.span);
        self.u.op(Op::FORMAT, dst, opd.reg, spec.reg);
        let mut dead = vec![spec];
        if opd.reg != dst {
            dead.push(opd);
        }
        self.u.clear_all(dead);
        self.u.release(mark);
        Ok(true)
    }

    pub fn template(&mut self, e: &'a Expr, parts: &'a [Expr], dst: u8) -> Res<bool> {
        if parts.len() > 100 {
            return super::fail("template string has too many parts", e.span);
        }
        let mark = self.u.mark();
        let window = if parts.is_empty() {
            dst
        } else {
            self.u.window(dst, parts.len())?
        };
        for (i, part) in parts.iter().enumerate() {
            let reg = window + i as u8;
            match &part.kind {
                ExprKind::Interpolation { .. } => self.interpolation(part, reg)?,
                _ => {
                    self.expr(part, reg)?;
                }
            }
        }
        self.u.at(e.span);
        self.u.op(Op::TEMPLATE, dst, window, parts.len() as u8);
        self.u.release(mark);
        Ok(true)
    }

    fn interpolation(&mut self, part: &'a Expr, dst: u8) -> Res {
        let ExprKind::Interpolation {
            value,
            text,
            conversion,
            format_spec,
        } = &part.kind
        else {
            return Ok(());
        };
        let mark = self.u.mark();
        let pair = self.u.temps(2)?;
        self.expr(value, pair)?;
        match format_spec {
            Some(spec) => {
                self.expr(spec, pair + 1)?;
            }
            // Whatever the register held before must not be taken for a format.
            None => self.u.op(Op::CLEAR, pair + 1, 0, 0),
        }
        let k = self.u.pool.constant(Const::Str(text.clone()), part.span)?;
        self.u.at(part.span);
        self.u.op_x(
            Op::INTERPOLATION,
            dst,
            pair,
            conversion_code(*conversion),
            k as u32,
        );
        self.u.clear_range(pair, 2);
        self.u.release(mark);
        Ok(())
    }
}
