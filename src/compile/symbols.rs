//! Walks the tree and fills the symbol tables: what each scope binds, uses and declares.
//!
//! First half of scope analysis; `resolve.rs` is the second. Errors that CPython's `symtable` reports are reported
//! here, in its words and order.
//!
//! Rules:
//! 1. Names are mangled before they enter a table.
//! 2. Left-nested chains (`a.b(c).d + e ...`) are walked by a loop: they may be thousands of nodes deep.

use super::scope::{ClassCell, Role, ScopeId, ScopeKind, Scopes, Symbol, flag, mangle};
use super::{Res, fail};
use corun_grammar::ast::*;
use std::rc::Rc;

pub struct Builder<'a> {
    pub scopes: Scopes,
    pub(super) cur: ScopeId,
    /// The class whose private names are mangled.
    pub(super) class: Option<Name>,
    /// Depth of iterables of comprehensions.
    pub(super) in_iterable: u32,
    /// Inside a block that may not run (for annotations of modules and classes).
    pub(super) conditional: bool,
    future_annotations: bool,
    pub(super) top_level_await: bool,
    /// What kind of type-variable expression is being read, for errors.
    pub(super) bound_kind: &'static str,
    pub(super) spine: Vec<&'a Expr>,
    /// Names that are made up here.
    dot_format: Name,
    pub(super) dot_zero: Name,
    pub(super) class_name: Name,
}

impl<'a> Builder<'a> {
    pub fn new(future_annotations: bool, top_level_await: bool) -> Builder<'a> {
        let mut scopes = Scopes::default();
        let cur = scopes.add(ScopeKind::Module, None);
        Builder {
            scopes,
            cur,
            class: None,
            in_iterable: 0,
            conditional: false,
            future_annotations,
            top_level_await,
            bound_kind: "",
            spine: Vec::new(),
            dot_format: ".format".into(),
            dot_zero: ".0".into(),
            class_name: "__class__".into(),
        }
    }

    pub fn root(&mut self, root: &'a Root) -> Res {
        match root {
            Root::Module(body) | Root::Interactive(body) => self.stmts(body),
            Root::Expression(e) => self.expr(e),
        }
    }

    // ---- tables

    pub(super) fn kind(&self) -> ScopeKind {
        self.scopes.get(self.cur).kind
    }

    pub(super) fn symbol(&mut self, name: &Name) -> &mut Symbol {
        let name = mangle(self.class.as_ref(), name);
        self.scopes.get_mut(self.cur).table.entry(&name)
    }

    pub(super) fn add(&mut self, name: &Name, flags: u16, span: Span) -> Res {
        if name.as_ref() == "__debug__" && flags & (flag::BOUND | flag::STORED) != 0 {
            return fail("cannot assign to __debug__", span);
        }
        self.symbol(name).flags |= flags;
        Ok(())
    }

    pub(super) fn add_param(&mut self, name: &Name) {
        let name = mangle(self.class.as_ref(), name);
        let scope = self.scopes.get_mut(self.cur);
        scope.table.entry(&name).flags |= flag::PARAM;
        scope.params.push(name);
    }

    /// Runs `inside` in a new scope.
    pub(super) fn within<T>(
        &mut self,
        kind: ScopeKind,
        node: &T,
        role: Role,
        inside: impl FnOnce(&mut Self) -> Res,
    ) -> Res {
        let id = self.scopes.add(kind, Some(self.cur));
        self.scopes.bind_node(node, role, id);
        self.reenter(id, inside)
    }

    fn reenter(&mut self, id: ScopeId, inside: impl FnOnce(&mut Self) -> Res) -> Res {
        let outer = std::mem::replace(&mut self.cur, id);
        let conditional = std::mem::replace(&mut self.conditional, false);
        let result = inside(self);
        self.cur = outer;
        self.conditional = conditional;
        result
    }

    // ---- statements

    fn stmts(&mut self, body: &'a [Stmt]) -> Res {
        for stmt in body {
            self.stmt(stmt)?;
        }
        Ok(())
    }

    /// Statements of a block that may not run.
    fn block(&mut self, body: &'a [Stmt]) -> Res {
        let outer = std::mem::replace(&mut self.conditional, true);
        let result = self.stmts(body);
        self.conditional = outer;
        result
    }

    fn stmt(&mut self, stmt: &'a Stmt) -> Res {
        match &stmt.kind {
            StmtKind::FunctionDef(f) => self.function_def(f, stmt.span),
            StmtKind::ClassDef(c) => self.class_def(c, stmt.span),
            StmtKind::Return(value) => self.maybe(value.as_deref()),
            StmtKind::Delete(targets) => targets.iter().try_for_each(|t| self.delete(t)),
            StmtKind::Assign { targets, value } => {
                for target in targets {
                    self.target(target, 0)?;
                }
                self.expr(value)
            }
            StmtKind::TypeAlias {
                name,
                type_params,
                value,
            } => self.type_alias(name, type_params, value),
            StmtKind::AugAssign { target, value, .. } => {
                // The target is read first.
                if let ExprKind::Name(name) = &target.kind {
                    self.use_name(name);
                }
                self.target(target, 0)?;
                self.expr(value)
            }
            StmtKind::AnnAssign {
                target,
                annotation,
                value,
                simple,
            } => self.ann_assign(stmt.span, target, annotation, value.as_deref(), *simple),
            StmtKind::For(f) => {
                self.target(&f.target, 0)?;
                self.expr(&f.iter)?;
                if f.is_async {
                    self.awaits();
                }
                self.block(&f.body)?;
                self.block(&f.orelse)
            }
            StmtKind::While { test, body, orelse } => {
                self.expr(test)?;
                self.block(body)?;
                self.block(orelse)
            }
            StmtKind::If { test, body, orelse } => self.if_chain(test, body, orelse),
            StmtKind::With {
                items,
                body,
                is_async,
            } => {
                if *is_async {
                    self.awaits();
                }
                for item in items {
                    self.expr(&item.context)?;
                    if let Some(vars) = &item.vars {
                        self.target(vars, 0)?;
                    }
                }
                self.block(body)
            }
            StmtKind::Match { subject, cases } => {
                self.expr(subject)?;
                for case in cases {
                    self.pattern(&case.pattern)?;
                    self.maybe(case.guard.as_ref())?;
                    self.block(&case.body)?;
                }
                Ok(())
            }
            StmtKind::Raise { exc, cause } => {
                self.maybe(exc.as_deref())?;
                self.maybe(cause.as_deref())
            }
            StmtKind::Try(t) => self.try_stmt(t),
            StmtKind::Assert { test, msg } => {
                self.expr(test)?;
                self.maybe(msg.as_deref())
            }
            StmtKind::Import(names) => names.iter().try_for_each(|alias| {
                let first = alias.name.split('.').next().unwrap_or("");
                let name = alias
                    .asname
                    .as_ref()
                    .map_or_else(|| first.into(), |n| n.name.clone());
                self.add(&name, flag::IMPORT | flag::STORED, alias.span)
            }),
            StmtKind::ImportFrom { names, .. } => {
                for alias in names {
                    if alias.name.as_ref() == "*" {
                        if self.kind() != ScopeKind::Module {
                            return fail("import * only allowed at module level", alias.span);
                        }
                        continue;
                    }
                    let name = alias.asname.as_ref().map_or(&alias.name, |n| &n.name);
                    self.add(name, flag::IMPORT | flag::STORED, alias.span)?;
                }
                Ok(())
            }
            StmtKind::Global(names) => self.directive(names, flag::GLOBAL, "global", stmt.span),
            StmtKind::Nonlocal(names) => {
                self.directive(names, flag::NONLOCAL, "nonlocal", stmt.span)
            }
            StmtKind::Expr(e) => self.expr(e),
            StmtKind::Pass | StmtKind::Break | StmtKind::Continue => Ok(()),
        }
    }

    fn if_chain(
        &mut self,
        mut test: &'a Expr,
        mut body: &'a [Stmt],
        mut orelse: &'a [Stmt],
    ) -> Res {
        loop {
            self.expr(test)?;
            self.block(body)?;
            match orelse {
                [
                    Stmt {
                        kind:
                            StmtKind::If {
                                test: t,
                                body: b,
                                orelse: o,
                            },
                        ..
                    },
                ] => {
                    (test, body, orelse) = (t, b, o);
                }
                _ => return self.block(orelse),
            }
        }
    }

    fn try_stmt(&mut self, t: &'a Try) -> Res {
        self.block(&t.body)?;
        self.block(&t.orelse)?;
        for handler in &t.handlers {
            self.maybe(handler.typ.as_ref())?;
            if let Some(name) = &handler.name {
                self.add(
                    &name.name,
                    flag::LOCAL | flag::STORED | flag::DELETED,
                    handler.span,
                )?;
            }
            self.block(&handler.body)?;
        }
        self.block(&t.finalbody)
    }

    fn directive(&mut self, names: &[Ident], flags: u16, word: &str, span: Span) -> Res {
        for ident in names {
            let name = &ident.name;
            let old = self.symbol(name).flags;
            if old & (flag::PARAM | flag::LOCAL | flag::USE | flag::ANNOT) != 0 {
                return fail(
                    if old & flag::PARAM != 0 {
                        format!("name '{name}' is parameter and {word}")
                    } else if old & flag::USE != 0 {
                        format!("name '{name}' is used prior to {word} declaration")
                    } else if old & flag::ANNOT != 0 {
                        format!("annotated name '{name}' can't be {word}")
                    } else {
                        format!("name '{name}' is assigned to before {word} declaration")
                    },
                    span,
                );
            }
            let symbol = self.symbol(name);
            // An error about both names the first.
            if symbol.flags & (flag::GLOBAL | flag::NONLOCAL) == 0 {
                symbol.directive = span;
            }
            symbol.flags |= flags;
        }
        Ok(())
    }

    fn ann_assign(
        &mut self,
        span: Span,
        target: &'a Expr,
        annotation: &'a Expr,
        value: Option<&'a Expr>,
        simple: bool,
    ) -> Res {
        let kind = self.kind();
        if let ExprKind::Name(name) = &target.kind {
            let old = self.symbol(name).flags;
            if simple && kind != ScopeKind::Module && old & (flag::GLOBAL | flag::NONLOCAL) != 0 {
                let word = if old & flag::GLOBAL != 0 {
                    "global"
                } else {
                    "nonlocal"
                };
                return fail(format!("annotated name '{name}' can't be {word}"), span);
            }
            let stored = if value.is_some() { flag::STORED } else { 0 };
            if simple {
                self.add(name, flag::ANNOT | flag::LOCAL | stored, target.span)?;
            } else if value.is_some() {
                self.add(name, flag::LOCAL | stored, target.span)?;
            }
        } else {
            self.target(target, 0)?;
        }
        if matches!(kind, ScopeKind::Module | ScopeKind::Class) && simple {
            self.scopes.get_mut(self.cur).annotated = true;
        }
        if matches!(kind, ScopeKind::Module | ScopeKind::Class) && !self.future_annotations {
            if simple {
                self.variable_annotation(annotation)?;
            } else {
                self.expr(annotation)?;
            }
        }
        self.maybe(value)
    }

    fn variable_annotation(&mut self, annotation: &'a Expr) -> Res {
        let id = match self.scopes.get(self.cur).annotations {
            Some(id) => id,
            None => {
                let id = self.scopes.add(ScopeKind::Annotations, Some(self.cur));
                self.scopes.get_mut(self.cur).annotations = Some(id);
                let format = self.dot_format.clone();
                self.reenter(id, |b| {
                    b.add_param(&format);
                    Ok(())
                })?;
                id
            }
        };
        if self.conditional {
            self.scopes.get_mut(self.cur).conditional_annotations = true;
            let name: Name = ClassCell::Conditional.name().into();
            self.scopes.get_mut(id).table.entry(&name).flags |= flag::USE;
        }
        self.reenter(id, |b| b.expr(annotation))
    }

    fn function_def(&mut self, f: &'a FunctionDef, span: Span) -> Res {
        self.add(&f.name.name, flag::LOCAL | flag::STORED, span)?;
        f.decorators.iter().try_for_each(|d| self.expr(d))?;
        self.defaults(&f.args)?;
        if f.type_params.is_empty() {
            return self.function_rest(f);
        }
        self.within(ScopeKind::TypeParams, f, Role::TypeParams, |b| {
            let (defaults, kwdefaults) = default_counts(&f.args);
            for (n, name) in [(defaults, ".defaults"), (kwdefaults, ".kwdefaults")] {
                if n > 0 {
                    b.add_param(&name.into());
                }
            }
            b.type_params(&f.type_params)?;
            b.function_rest(f)
        })
    }

    fn function_rest(&mut self, f: &'a FunctionDef) -> Res {
        if has_annotations(f) {
            // As strings, they name nothing.
            let future = self.future_annotations;
            self.within(ScopeKind::Annotations, f, Role::Annotations, |b| {
                b.add_param(&b.dot_format.clone());
                if future {
                    return Ok(());
                }
                for arg in all_args(&f.args) {
                    b.maybe(arg.annotation.as_ref())?;
                }
                b.maybe(f.returns.as_ref())
            })?;
        }
        self.within(ScopeKind::Function, f, Role::Body, |b| {
            b.scopes.get_mut(b.cur).coroutine = f.is_async;
            b.params(&f.args)?;
            b.stmts(&f.body)
        })
    }

    pub(super) fn defaults(&mut self, args: &'a Arguments) -> Res {
        for arg in args.posonly.iter().chain(&args.args).chain(&args.kwonly) {
            self.maybe(arg.default.as_ref())?;
        }
        Ok(())
    }

    pub(super) fn params(&mut self, args: &'a Arguments) -> Res {
        for arg in all_args(args) {
            if self.symbol(&arg.name).flags & flag::PARAM != 0 {
                return fail(
                    format!("duplicate argument '{}' in function definition", arg.name),
                    arg.span,
                );
            }
            self.add(&arg.name, flag::PARAM, arg.span)?;
            self.add_param(&arg.name);
        }
        let vararg = args
            .vararg
            .as_ref()
            .map(|a| mangle(self.class.as_ref(), &a.name));
        let scope = self.scopes.get_mut(self.cur);
        scope.vararg = vararg;
        scope.has_positional = !(args.posonly.is_empty() && args.args.is_empty());
        Ok(())
    }

    fn class_def(&mut self, c: &'a ClassDef, span: Span) -> Res {
        self.add(&c.name.name, flag::LOCAL | flag::STORED, span)?;
        c.decorators.iter().try_for_each(|d| self.expr(d))?;
        if c.type_params.is_empty() {
            return self.class_rest(c);
        }
        self.within(ScopeKind::TypeParams, c, Role::TypeParams, |b| {
            for name in [".type_params", ".generic_base"] {
                b.add(&name.into(), flag::LOCAL | flag::STORED, c.name.span)?;
            }
            b.type_params(&c.type_params)?;
            b.class_rest(c)
        })
    }

    fn class_rest(&mut self, c: &'a ClassDef) -> Res {
        c.bases.iter().try_for_each(|e| self.expr(e))?;
        self.keywords(&c.keywords)?;
        let outer = self.class.replace(c.name.name.clone());
        let result = self.within(ScopeKind::Class, c, Role::Body, |b| {
            if !c.type_params.is_empty() {
                b.symbol(&".type_params".into()).flags |= flag::USE;
            }
            b.stmts(&c.body)
        });
        self.class = outer;
        result
    }

    fn type_alias(&mut self, name: &'a Expr, type_params: &'a [TypeParam], value: &'a Expr) -> Res {
        self.target(name, 0)?;
        if type_params.is_empty() {
            return self.alias_value(value);
        }
        self.within(ScopeKind::TypeParams, value, Role::TypeParams, |b| {
            b.type_params(type_params)?;
            b.alias_value(value)
        })
    }

    fn alias_value(&mut self, value: &'a Expr) -> Res {
        self.within(ScopeKind::TypeAlias, value, Role::Value, |b| {
            b.add_param(&b.dot_format.clone());
            b.expr(value)
        })
    }

    fn type_params(&mut self, params: &'a [TypeParam]) -> Res {
        for param in params {
            let name = &param.name.name;
            if self.symbol(name).flags & flag::TYPE_PARAM != 0 {
                return fail(format!("duplicate type parameter '{name}'"), param.span);
            }
            self.add(name, flag::TYPE_PARAM | flag::LOCAL, param.span)?;
            let what = match (param.kind, &param.bound) {
                (
                    _,
                    Some(Expr {
                        kind: ExprKind::Tuple(_),
                        ..
                    }),
                ) => "a TypeVar constraint",
                _ => "a TypeVar bound",
            };
            self.bound(param.bound.as_ref(), param, Role::Bound, what)?;
            let what = match param.kind {
                TypeParamKind::TypeVar => "a TypeVar default",
                TypeParamKind::ParamSpec => "a ParamSpec default",
                TypeParamKind::TypeVarTuple => "a TypeVarTuple default",
            };
            self.bound(param.default.as_ref(), param, Role::Default, what)?;
        }
        Ok(())
    }

    fn bound(
        &mut self,
        e: Option<&'a Expr>,
        param: &TypeParam,
        role: Role,
        what: &'static str,
    ) -> Res {
        let Some(e) = e else { return Ok(()) };
        let outer = std::mem::replace(&mut self.bound_kind, what);
        let result = self.within(ScopeKind::TypeVarBound, param, role, |b| {
            b.add_param(&b.dot_format.clone());
            b.expr(e)
        });
        self.bound_kind = outer;
        result
    }

    // ---- targets and patterns

    pub(super) fn target(&mut self, e: &'a Expr, flags: u16) -> Res {
        match &e.kind {
            ExprKind::Name(name) => {
                if flags & flag::ITER != 0 && self.symbol(name).flags & flag::WALRUS != 0 {
                    return fail(
                        format!(
                            "comprehension inner loop cannot rebind assignment expression target '{name}'"
                        ),
                        e.span,
                    );
                }
                self.add(name, flags | flag::LOCAL | flag::STORED, e.span)
            }
            ExprKind::Tuple(items) | ExprKind::List(items) => {
                items.iter().try_for_each(|i| self.target(i, flags))
            }
            ExprKind::Starred(inner) => self.target(inner, flags),
            ExprKind::Attribute { attr, .. } if attr.name.as_ref() == "__debug__" => {
                fail("cannot assign to __debug__", e.span)
            }
            _ => self.expr(e),
        }
    }

    fn delete(&mut self, e: &'a Expr) -> Res {
        match &e.kind {
            ExprKind::Name(name) => {
                if name.as_ref() == "__debug__" {
                    return fail("cannot delete __debug__", e.span);
                }
                self.add(name, flag::LOCAL | flag::STORED | flag::DELETED, e.span)
            }
            ExprKind::Tuple(items) | ExprKind::List(items) => {
                items.iter().try_for_each(|i| self.delete(i))
            }
            ExprKind::Attribute { attr, .. } if attr.name.as_ref() == "__debug__" => {
                fail("cannot delete __debug__", e.span)
            }
            _ => self.expr(e),
        }
    }

    fn pattern(&mut self, p: &'a Pattern) -> Res {
        let stored = flag::LOCAL | flag::STORED;
        match &p.kind {
            PatternKind::Value(e) => self.expr(e),
            PatternKind::Singleton(_) => Ok(()),
            PatternKind::Sequence(items) | PatternKind::Or(items) => {
                items.iter().try_for_each(|i| self.pattern(i))
            }
            PatternKind::Mapping {
                keys,
                patterns,
                rest,
            } => {
                keys.iter().try_for_each(|k| self.expr(k))?;
                patterns.iter().try_for_each(|i| self.pattern(i))?;
                rest.iter()
                    .try_for_each(|n| self.add(&n.name, stored, n.span))
            }
            PatternKind::Class {
                cls,
                patterns,
                kwd_patterns,
                kwd_attrs,
            } => {
                self.expr(cls)?;
                for (attr, pattern) in kwd_attrs.iter().zip(kwd_patterns) {
                    if attr.name.as_ref() == "__debug__" {
                        return fail("cannot assign to __debug__", pattern.span);
                    }
                }
                patterns
                    .iter()
                    .chain(kwd_patterns)
                    .try_for_each(|i| self.pattern(i))
            }
            PatternKind::Star(name) => name
                .iter()
                .try_for_each(|n| self.add(&n.name, stored, n.span)),
            PatternKind::As { pattern, name } => {
                if let Some(inner) = pattern {
                    self.pattern(inner)?;
                }
                name.iter()
                    .try_for_each(|n| self.add(&n.name, stored, n.span))
            }
        }
    }
}

/// Parameters in register order.
pub fn all_args(args: &Arguments) -> impl Iterator<Item = &Arg> {
    let stars = args.vararg.iter().chain(&args.kwarg).map(|a| &**a);
    args.posonly
        .iter()
        .chain(&args.args)
        .chain(&args.kwonly)
        .chain(stars)
}

pub fn has_annotations(f: &FunctionDef) -> bool {
    f.returns.is_some() || all_args(&f.args).any(|a| a.annotation.is_some())
}

/// How many positional parameters and how many keyword-only ones have a default.
pub fn default_counts(args: &Arguments) -> (usize, usize) {
    let positional = args
        .posonly
        .iter()
        .chain(&args.args)
        .filter(|a| a.default.is_some())
        .count();
    (
        positional,
        args.kwonly.iter().filter(|a| a.default.is_some()).count(),
    )
}

/// The scopes of a tree, with every name resolved.
pub fn analyse(
    root: &Root,
    name_mode: bool,
    future_annotations: bool,
    top_level_await: bool,
) -> Res<Rc<Scopes>> {
    let mut builder = Builder::new(future_annotations, top_level_await);
    builder.root(root)?;
    let mut scopes = builder.scopes;
    super::resolve::resolve(&mut scopes, name_mode)?;
    Ok(Rc::new(scopes))
}
