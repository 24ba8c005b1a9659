//! `import` in both forms.
//!
//! Part of the statement code.

use super::unit::Opd;
use super::{Gen, Res};
use crate::bytecode::Const;
use crate::bytecode::ops::Op;
use corun_grammar::ast::*;

impl<'a> Gen<'a> {
    pub fn import(&mut self, stmt: &Stmt, names: &'a [Alias]) -> Res {
        for alias in names {
            let mark = self.u.mark();
            self.import_one(stmt, alias)?;
            self.u.release(mark);
        }
        Ok(())
    }

    fn import_one(&mut self, stmt: &Stmt, alias: &'a Alias) -> Res {
        let (first, rest) = match alias.name.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (&*alias.name, None),
        };
        let first: Name = first.into();
        let name = alias.asname.as_ref().map_or(&first, |n| &n.name);
        let from_list = self.u.temp()?;
        self.u.at(stmt.span);
        self.u.op(Op::LOADNONE, from_list, 0, 0);
        let n = self.name_index(&alias.name, alias.span)?;
        let direct = self.direct_target(name);
        let walks = rest.is_some() && alias.asname.is_some();
        let module = match direct {
            Some(reg) if !walks => reg,
            _ => self.u.temp()?,
        };
        self.u.op_x(Op::IMPORT, module, from_list, 0, n as u32);
        if walks {
            // `import a.b.c as m`: from the top package down.
            for part in rest.unwrap_or("").split('.') {
                let n = self.u.pool.name(&part.into(), alias.span)?;
                self.u.op_x(Op::IMPORTFROM, module, module, 0, n as u32);
            }
        }
        match direct {
            Some(reg) if !walks => self.u.bound.set(reg),
            _ => self.store_name(name, Opd::temp(module), stmt.span)?,
        }
        Ok(())
    }

    pub fn import_from(
        &mut self,
        stmt: &Stmt,
        module: Option<&Ident>,
        names: &'a [Alias],
        level: u32,
    ) -> Res {
        let star = matches!(names, [a] if a.name.as_ref() == "*");
        let reg = self.u.temp()?;
        let wanted = names.iter().map(|a| Const::Str(a.name.clone())).collect();
        self.u.load_const(reg, Const::Tuple(wanted), stmt.span)?;
        let path: Name = module.map_or_else(|| "".into(), |m| m.name.clone());
        let n = self.u.pool.name(&path, stmt.span)?;
        // No package is nested that deep: the import fails either way.
        let level = level.min(255) as u8;
        self.u.op_x(Op::IMPORT, reg, reg, level, n as u32);
        if star {
            self.u.op(Op::IMPORTSTAR, reg, 0, 0);
            self.u.clear(Opd::temp(reg));
            return Ok(());
        }
        for alias in names {
            let mark = self.u.mark();
            let name = alias.asname.as_ref().map_or(&alias.name, |n| &n.name);
            let n = self.name_index(&alias.name, alias.span)?;
            let direct = self.direct_target(name);
            let dst = match direct {
                Some(reg) => reg,
                None => self.u.temp()?,
            };
            self.u.op_x(Op::IMPORTFROM, dst, reg, 0, n as u32);
            match direct {
                Some(reg) => self.u.bound.set(reg),
                None => self.store_name(name, Opd::temp(dst), stmt.span)?,
            }
            self.u.release(mark);
        }
        self.u.clear(Opd::temp(reg));
        Ok(())
    }
}
