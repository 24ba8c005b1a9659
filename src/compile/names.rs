//! Reading, writing and deleting names, wherever they live.
//!
//! Part of the code generator; `scope` decided the places.

use super::scope::{Place, ScopeKind, mangle};
use super::unit::Opd;
use super::{Gen, Res};
use crate::bytecode::ops::Op;
use corun_grammar::ast::{Name, Span};

impl<'a> Gen<'a> {
    pub fn mangled(&self, name: &Name) -> Name {
        mangle(self.class.as_ref(), name)
    }

    /// Where a name (as written) lives, seen from here.
    pub fn place_of(&self, name: &Name) -> Place {
        if self.class.is_some() && name.starts_with("__") {
            return self.scopes.place(self.u.cur, &self.mangled(name));
        }
        self.scopes.place(self.u.cur, name)
    }

    pub fn name_index(&mut self, name: &Name, span: Span) -> Res<u16> {
        if self.class.is_some() && name.starts_with("__") {
            let name = self.mangled(name);
            return self.u.pool.name(&name, span);
        }
        self.u.pool.name(name, span)
    }

    /// Emits the check that a register local holds a value, where that is not sure.
    pub fn check_local(&mut self, reg: u8, span: Span) {
        if !self.u.bound.has(reg) {
            self.u.at(span);
            self.u.wide(Op::CHECKLOCAL, reg, reg as u16);
            self.u.bound.set(reg);
        }
    }

    /// The value of a name in a register: a local is read in place.
    pub fn name_operand(&mut self, name: &Name, span: Span, hint: Option<u8>) -> Res<Opd> {
        if let Place::Local(reg) = self.place_of(name) {
            self.check_local(reg, span);
            return Ok(Opd::local(reg));
        }
        let reg = match hint {
            Some(reg) if self.u.is_temp(reg) => reg,
            _ => self.u.temp()?,
        };
        self.load_name(name, span, reg)?;
        Ok(Opd::temp(reg))
    }

    pub fn load_name(&mut self, name: &Name, span: Span, dst: u8) -> Res {
        let place = self.place_of(name);
        self.u.at(span);
        match place {
            Place::Local(reg) => {
                self.check_local(reg, span);
                if reg != dst {
                    self.u.op(Op::MOVE, dst, reg, 0);
                }
            }
            Place::Cell(reg) => self.u.op(Op::LOADCELL, dst, reg, 0),
            Place::Spill(slot) => {
                let list = self.u.spill.unwrap_or(0);
                self.u.op_x(Op::SPILLLOAD, dst, list, 0, slot as u32);
            }
            Place::Free(cell) => self.u.wide(Op::LOADFREE, dst, cell),
            Place::NameFree(cell) => self.u.wide(Op::LOADNAMEFREE, dst, cell),
            Place::Global => {
                let n = self.name_index(name, span)?;
                self.u.wide(Op::LOADGLOBAL, dst, n);
            }
            Place::Name => {
                let n = self.name_index(name, span)?;
                self.u.wide(Op::LOADNAME, dst, n);
            }
            Place::ClassGlobal(dict) => {
                let n = self.name_index(name, span)?;
                if self.u.live {
                    self.u
                        .asm
                        .emit_wide_x(Op::LOADNAMEGLOBAL, dst, n, dict as u32);
                }
            }
            Place::ClassFree(dict, cell) => {
                let mapping = self.u.temp()?;
                self.u.wide(Op::LOADFREE, mapping, dict);
                self.u
                    .op_x(Op::LOADNAMEDICTFREE, dst, mapping, 0, cell as u32);
                self.u.op(Op::CLEAR, mapping, 0, 0);
                self.u.release(mapping as u16);
            }
        }
        Ok(())
    }

    /// The register that an assignment to the name may be computed into directly.
    pub fn direct_target(&self, name: &Name) -> Option<u8> {
        match self.place_of(name) {
            Place::Local(reg) => Some(reg),
            _ => None,
        }
    }

    /// Stores a value under a name. A temporary is moved out of or cleared.
    pub fn store_name(&mut self, name: &Name, value: Opd, span: Span) -> Res {
        let place = self.place_of(name);
        self.u.at(span);
        match place {
            Place::Local(reg) => {
                self.u.move_to(reg, value);
                self.u.bound.set(reg);
                return Ok(());
            }
            Place::Cell(reg) => self.u.op(Op::STORECELL, reg, value.reg, 0),
            Place::Spill(slot) => {
                let list = self.u.spill.unwrap_or(0);
                self.u.op_x(Op::SPILLSTORE, list, value.reg, 0, slot as u32);
            }
            Place::Free(cell) | Place::NameFree(cell) | Place::ClassFree(_, cell) => {
                self.u.wide(Op::STOREFREE, value.reg, cell);
            }
            Place::Global | Place::ClassGlobal(_) => {
                let n = self.name_index(name, span)?;
                self.u.wide(Op::STOREGLOBAL, value.reg, n);
            }
            Place::Name => {
                let n = self.name_index(name, span)?;
                self.u.wide(Op::STORENAME, value.reg, n);
            }
        }
        self.u.clear(value);
        Ok(())
    }

    /// Stores into the namespace of the top level or of a class, for names that the compiler makes up.
    pub fn store_plain(&mut self, name: &Name, reg: u8, span: Span) -> Res {
        let n = self.u.pool.name(name, span)?;
        self.u.at(span);
        let class = self.scopes.get(self.u.scope).kind == ScopeKind::Class;
        let op = if class || self.opts.name_mode {
            Op::STORENAME
        } else {
            Op::STOREGLOBAL
        };
        self.u.wide(op, reg, n);
        Ok(())
    }

    pub fn delete_name(&mut self, name: &Name, span: Span) -> Res {
        let place = self.place_of(name);
        self.u.at(span);
        match place {
            Place::Local(reg) => {
                if self.u.bound.has(reg) {
                    self.u.op(Op::CLEAR, reg, 0, 0);
                } else {
                    self.u.wide(Op::DELLOCAL, reg, reg as u16);
                }
                self.u.bound.unset(reg);
            }
            Place::Cell(reg) => self.u.op(Op::DELCELL, reg, 0, 0),
            Place::Spill(slot) => {
                // Reading it raises if it is unbound.
                let list = self.u.spill.unwrap_or(0);
                let reg = self.u.temp()?;
                self.u.op_x(Op::SPILLLOAD, reg, list, 0, slot as u32);
                self.u.op(Op::CLEAR, reg, 0, 0);
                self.u.op_x(Op::SPILLSTORE, list, reg, 0, slot as u32);
                self.u.release(reg as u16);
            }
            Place::Free(cell) | Place::NameFree(cell) | Place::ClassFree(_, cell) => {
                self.u.wide(Op::DELFREE, 0, cell)
            }
            Place::Global | Place::ClassGlobal(_) => {
                let n = self.name_index(name, span)?;
                self.u.wide(Op::DELGLOBAL, 0, n);
            }
            Place::Name => {
                let n = self.name_index(name, span)?;
                self.u.wide(Op::DELNAME, 0, n);
            }
        }
        Ok(())
    }

    /// `name = None; del name`, as at the end of `except ... as name`: it cannot fail.
    pub fn forget_name(&mut self, name: &Name, span: Span) -> Res {
        if let Place::Local(reg) = self.place_of(name) {
            self.u.at(span);
            self.u.op(Op::CLEAR, reg, 0, 0);
            self.u.bound.unset(reg);
            return Ok(());
        }
        let reg = self.u.temp()?;
        self.u.at(span);
        self.u.op(Op::LOADNONE, reg, 0, 0);
        self.store_name(
            name,
            Opd {
                reg,
                owned: true,
                heap: false,
            },
            span,
        )?;
        self.delete_name(name, span)?;
        self.u.release(reg as u16);
        Ok(())
    }

    /// A local that is read in place as the left operand may be rebound by a `:=` to its right. `later` must then
    /// be evaluated after a copy.
    pub fn steady(
        &mut self,
        opd: Opd,
        name: Option<&Name>,
        later: &corun_grammar::ast::Expr,
    ) -> Res<Opd> {
        let Some(name) = name else { return Ok(opd) };
        if opd.owned || !self.may_rebind(name) || is_simple(later) {
            return Ok(opd);
        }
        let reg = self.u.temp()?;
        self.u.op(Op::MOVE, reg, opd.reg, 0);
        Ok(Opd::temp(reg))
    }

    /// Some `:=` binds the name, in this scope or in a comprehension in it.
    pub fn may_rebind(&self, name: &Name) -> bool {
        use super::scope::flag;
        let name = self.mangled(name);
        let mut at = self.u.cur;
        loop {
            let scope = self.scopes.get(at);
            if let Some(symbol) = scope.table.get(&name)
                && symbol.flags & flag::WALRUS != 0
            {
                return true;
            }
            match scope.parent {
                Some(parent) if at != self.u.scope => at = parent,
                _ => return false,
            }
        }
    }
}

/// No evaluation of it can bind a name.
pub fn is_simple(e: &corun_grammar::ast::Expr) -> bool {
    use corun_grammar::ast::ExprKind;
    match &e.kind {
        ExprKind::Name(_) | ExprKind::Constant(_) => true,
        ExprKind::Attribute { value, .. } => matches!(value.kind, ExprKind::Name(_)),
        _ => false,
    }
}
