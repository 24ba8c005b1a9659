//! The compiler: syntax tree to register bytecode.
//!
//! ```text
//! symbols -> resolve     names: which scope, which register (scope.rs holds the tables)
//! expr, cond, call, ...  one walk over the tree writes the code (unit.rs: registers, labels, definite assignment)
//! bytecode::asm          words, labels, handler table
//! ```
//! It stands between `corun_grammar`, whose tree it borrows, and `vm`, which loads the `Code` it makes.
//!
//! Rules:
//! 1. No tree makes it panic: what the language forbids is a `Diagnostic` in CPython's words.
//! 2. A local register is written by the last op of an expression only, so that an exception leaves the variable as it was.
//! 3. Temporaries that die holding a possible heap object are cleared, unless the op releases or takes them (see `ops`).
//! 4. Spans follow CPython's: an instruction that can raise has the span that a traceback underlines.

mod annotations;
mod assign;
mod assigned;
mod call;
mod chain;
mod class;
mod comprehension;
mod cond;
mod display;
mod expr;
mod fold;
mod fstring;
mod function;
mod future;
mod generic;
mod hash;
mod import;
mod names;
mod pattern;
mod pool;
mod resolve;
mod scope;
mod stmt;
mod suspend;
mod symbols;
mod symbols_expr;
mod try_with;
mod unit;
mod unparse;
mod warn;

use crate::bytecode::ops::{Intrinsic, Op};
use crate::bytecode::{Code, SourceFile, flags};
use corun_grammar::ast::{Name, Root, Span};
use corun_grammar::diagnostic::Diagnostic;
use scope::{ScopeId, ScopeKind, Scopes};
use std::rc::Rc;
use unit::Unit;

/// How a text is compiled.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Names of the top level live in the mapping in R[0] (`exec` and `eval` with a namespace), not in the globals.
    pub name_mode: bool,
    /// The top level may `await`; its code is a coroutine then.
    pub top_level_await: bool,
    /// As if the text began with `from __future__ import annotations`.
    pub future_annotations: bool,
    /// 0, or 1: no asserts, `__debug__` is false; 2: no docstrings either.
    pub optimize: u8,
}

#[derive(Debug)]
pub struct Compiled {
    pub code: Rc<Code>,
    /// SyntaxWarnings, in order of their places.
    pub warnings: Vec<Diagnostic>,
}

/// The errors are boxed: they are rare, and results travel through deep recursions.
type Res<T = ()> = Result<T, Box<Diagnostic>>;

fn fail<T>(message: impl Into<String>, span: Span) -> Res<T> {
    Err(Box::new(Diagnostic::syntax(message, span)))
}

/// The code generator: the unit being written, and what surrounds it.
struct Gen<'a> {
    source: Rc<SourceFile>,
    opts: Options,
    scopes: Rc<Scopes>,
    u: Box<Unit<'a>>,
    /// The class whose private names are mangled.
    class: Option<Name>,
    /// For each class around: the attributes that its methods assign to `self`.
    static_attributes: Vec<Vec<Name>>,
    interactive: bool,
    warnings: Vec<Diagnostic>,
    /// Left-nested expressions taken apart, see `expr.rs`.
    spine: Vec<&'a corun_grammar::ast::Expr>,
    /// The `finally` bodies around: the unit, and how many blocks there are outside.
    in_finally: Vec<(ScopeId, usize)>,
    /// For the annotations that are recorded when they run: how many there were, for each module or class around.
    conditional: Vec<annotations::Conditional>,
}

/// Compiles a tree. The code is that of a module, an entry of the REPL or an expression.
pub fn compile(
    root: &Root,
    source: Rc<SourceFile>,
    opts: &Options,
) -> Result<Compiled, Diagnostic> {
    compile_boxed(root, source, opts).map_err(|e| *e)
}

fn compile_boxed(root: &Root, source: Rc<SourceFile>, opts: &Options) -> Res<Compiled> {
    let mut opts = opts.clone();
    if let Root::Module(body) | Root::Interactive(body) = root {
        opts.future_annotations |= future::annotations(body)?;
    }
    let scopes = symbols::analyse(
        root,
        opts.name_mode,
        opts.future_annotations,
        opts.top_level_await,
    )?;
    let name: Name = "<module>".into();
    let top = scopes.get(0);
    let unit = Unit::new(0, top, name.clone(), name);
    let is_async = opts.top_level_await;
    let suspends = top.coroutine;
    let mut g = Gen {
        source,
        opts,
        scopes: scopes.clone(),
        u: Box::new(unit),
        class: None,
        static_attributes: Vec::new(),
        interactive: matches!(root, Root::Interactive(_)),
        warnings: Vec::new(),
        spine: Vec::new(),
        in_finally: Vec::new(),
        conditional: Vec::new(),
    };
    g.u.is_async = is_async;
    g.u.suspends = suspends;
    g.prologue();
    let span = Span::new(0, g.source.text.len());
    match root {
        Root::Module(body) => g.module(body, span)?,
        Root::Interactive(body) => g.module(body, span)?,
        Root::Expression(e) => {
            let reg = g.u.temp()?;
            g.expr(e, reg)?;
            g.u.at(e.span);
            g.return_op(reg);
        }
    }
    let mut bits = if g.opts.name_mode {
        flags::NAME_MODE
    } else {
        0
    };
    if g.u.suspends {
        bits |= flags::COROUTINE;
    }
    let code = g.finish(
        bits,
        Parts {
            span,
            ..Parts::default()
        },
    )?;
    let mut warnings = g.warnings;
    warnings.sort_by_key(|w| w.span.start);
    Ok(Compiled { code, warnings })
}

/// What a `Code` has beyond its instructions.
#[derive(Default)]
struct Parts {
    span: Span,
    argcount: u32,
    posonlyargcount: u32,
    kwonlyargcount: u32,
    doc: Option<Rc<str>>,
}

impl<'a> Gen<'a> {
    /// Begins a unit for a scope; `leave` ends it.
    fn enter(&mut self, id: ScopeId, name: Name, qualname: Name) -> Box<Unit<'a>> {
        let unit = Unit::new(id, self.scopes.get(id), name, qualname);
        std::mem::replace(&mut self.u, Box::new(unit))
    }

    /// Ends the unit, goes back to `outer` and gives the code.
    fn leave(&mut self, outer: Box<Unit<'a>>, bits: u32, parts: Parts) -> Res<Rc<Code>> {
        let code = self.finish(bits, parts)?;
        self.u = outer;
        Ok(code)
    }

    /// Makes the cells and the spill list.
    fn prologue(&mut self) {
        let scopes = self.scopes.clone();
        let scope = scopes.get(self.u.scope);
        if let Some((reg, count)) = scope.spill {
            self.u.wide(Op::SPILLNEW, reg, count);
        }
        // Cells of comprehension variables are made anew by each comprehension.
        for &reg in scope
            .cells
            .iter()
            .filter(|&&r| !scope.comp_cells.contains(&r))
        {
            self.u.op(Op::MAKECELL, reg, 0, 0);
        }
    }

    fn module(&mut self, body: &'a [corun_grammar::ast::Stmt], span: Span) -> Res {
        self.u.at(Span::new(0, 0));
        let start = self.begin_annotations(body, self.u.scope)?;
        let rest = match self.docstring(body) {
            Some((doc, at)) if !self.interactive => {
                let reg = self.u.temp()?;
                if let Some(doc) = doc {
                    self.u
                        .load_const(reg, crate::bytecode::Const::Str(doc), at)?;
                    self.store_plain(&"__doc__".into(), reg, at)?;
                }
                self.u.release(reg as u16);
                &body[1..]
            }
            _ => body,
        };
        self.stmts(rest)?;
        self.end_annotations(start)?;
        self.u.at(Span {
            start: span.end,
            end: span.end,
        });
        self.return_none()
    }

    /// `R[reg]` is the value of the frame.
    fn return_op(&mut self, reg: u8) {
        let op = if self.u.suspends {
            Op::RETURNGEN
        } else {
            Op::RETURN
        };
        self.u.end_op(op, reg, 0, 0);
    }

    fn return_none(&mut self) -> Res {
        if self.u.live {
            let reg = self.u.temp()?;
            self.u.op(Op::LOADNONE, reg, 0, 0);
            self.return_op(reg);
            self.u.release(reg as u16);
        }
        Ok(())
    }

    fn intrinsic(&mut self, dst: u8, src: u8, what: Intrinsic) {
        self.u.op(Op::INTRINSIC, dst, src, what as u8);
    }

    /// The code of the current unit.
    fn finish(&mut self, bits: u32, parts: Parts) -> Res<Rc<Code>> {
        self.return_none()?;
        let u = &mut self.u;
        let scope = self.scopes.get(u.scope);
        let asm = std::mem::take(&mut u.asm).finish();
        let nested = scope.parent.is_some_and(|mut at| {
            // Inside another function, however many classes lie between.
            loop {
                let s = self.scopes.get(at);
                if !matches!(s.kind, ScopeKind::Module | ScopeKind::Class) {
                    return true;
                }
                match s.parent {
                    Some(p) => at = p,
                    None => return false,
                }
            }
        });
        let mut bits = bits;
        if nested {
            bits |= flags::NESTED;
        }
        if self.opts.future_annotations {
            bits |= flags::FUTURE_ANNOTATIONS;
        }
        let code = Code {
            name: u.name.clone(),
            qualname: u.qualname.clone(),
            source: self.source.clone(),
            span: parts.span,
            flags: bits,
            argcount: parts.argcount,
            posonlyargcount: parts.posonlyargcount,
            kwonlyargcount: parts.kwonlyargcount,
            varnames: scope.varnames.iter().map(undotted).collect(),
            nlocals: u.nlocals as u32,
            nregs: u.max_registers(),
            cellvars: cell_names(scope),
            freevars: scope.free.clone(),
            instrs: asm.instrs,
            consts: std::mem::take(&mut u.pool.consts),
            names: std::mem::take(&mut u.pool.names),
            codes: std::mem::take(&mut u.codes),
            handlers: asm.handlers,
            positions: asm.positions,
            doc: parts.doc,
        };
        #[cfg(debug_assertions)]
        if let Err(problem) = crate::bytecode::verify::verify(&code) {
            // A bug of the compiler, never of the script: shown as such where tests look.
            let text = crate::bytecode::disasm::disassemble(&code);
            debug_assert!(
                false,
                "the compiler wrote bad code for {}: {problem}\n{text}",
                code.qualname
            );
        }
        Ok(Rc::new(code))
    }
}

/// The parameter of annotation functions has a name that no source can mean; users see it plain.
fn undotted(name: &Name) -> Name {
    if name.as_ref() == ".format" {
        "format".into()
    } else {
        name.clone()
    }
}

fn cell_names(scope: &scope::Scope) -> Vec<Name> {
    let mut names: Vec<Name> = Vec::with_capacity(scope.cells.len());
    for &reg in &scope.cells {
        let name = &scope.varnames[reg as usize];
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}
