//! Symbol tables, second part: expressions, comprehensions and `:=`.
//!
//! See `symbols.rs` for the rules.

use super::scope::{Role, ScopeKind, flag, mangle};
use super::symbols::Builder;
use super::{Res, fail};
use corun_grammar::ast::*;

impl<'a> Builder<'a> {
    pub(super) fn maybe(&mut self, e: Option<&'a Expr>) -> Res {
        e.map_or(Ok(()), |e| self.expr(e))
    }

    pub(super) fn expr(&mut self, e: &'a Expr) -> Res {
        let base = self.spine.len();
        let mut e = e;
        while let ExprKind::BinOp { left: next, .. }
        | ExprKind::Attribute { value: next, .. }
        | ExprKind::Subscript { value: next, .. }
        | ExprKind::Call { func: next, .. }
        | ExprKind::Compare { left: next, .. } = &e.kind
        {
            self.spine.push(e);
            e = next;
        }
        self.leaf(e)?;
        while self.spine.len() > base {
            let Some(node) = self.spine.pop() else { break };
            match &node.kind {
                ExprKind::BinOp { right, .. } => self.expr(right)?,
                ExprKind::Subscript { index, .. } => self.expr(index)?,
                ExprKind::Call { args, keywords, .. } => {
                    args.iter().try_for_each(|a| self.expr(a))?;
                    self.keywords(keywords)?;
                }
                ExprKind::Compare { comparators, .. } => {
                    comparators.iter().try_for_each(|c| self.expr(c))?
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn keywords(&mut self, keywords: &'a [Keyword]) -> Res {
        for keyword in keywords {
            if keyword.name.as_deref() == Some("__debug__") {
                return fail("cannot assign to __debug__", keyword.span);
            }
            self.expr(&keyword.value)?;
        }
        Ok(())
    }

    fn leaf(&mut self, e: &'a Expr) -> Res {
        match &e.kind {
            ExprKind::Constant(_) => Ok(()),
            ExprKind::Name(name) => {
                self.use_name(name);
                Ok(())
            }
            ExprKind::BoolOp { values, .. }
            | ExprKind::Set(values)
            | ExprKind::List(values)
            | ExprKind::Tuple(values)
            | ExprKind::JoinedStr(values)
            | ExprKind::TemplateStr(values) => values.iter().try_for_each(|v| self.expr(v)),
            ExprKind::NamedExpr { target, value } => self.named(e, target, value),
            ExprKind::UnaryOp { operand, .. } => self.expr(operand),
            ExprKind::Lambda { args, body } => {
                self.defaults(args)?;
                self.within(ScopeKind::Lambda, e, Role::Expr, |b| {
                    b.params(args)?;
                    b.expr(body)
                })
            }
            ExprKind::IfExp { test, body, orelse } => {
                self.expr(test)?;
                self.expr(body)?;
                self.expr(orelse)
            }
            ExprKind::Dict { keys, values } => {
                for (key, value) in keys.iter().zip(values) {
                    self.maybe(key.as_ref())?;
                    self.expr(value)?;
                }
                Ok(())
            }
            ExprKind::ListComp { elt, generators } => self.comprehension(
                e,
                elt,
                None,
                generators,
                ScopeKind::Comp,
                "list comprehension",
            ),
            ExprKind::SetComp { elt, generators } => self.comprehension(
                e,
                elt,
                None,
                generators,
                ScopeKind::Comp,
                "set comprehension",
            ),
            ExprKind::DictComp {
                key,
                value,
                generators,
            } => self.comprehension(
                e,
                key,
                Some(value),
                generators,
                ScopeKind::Comp,
                "dict comprehension",
            ),
            ExprKind::GeneratorExp { elt, generators } => self.comprehension(
                e,
                elt,
                None,
                generators,
                ScopeKind::GenExpr,
                "generator expression",
            ),
            ExprKind::Await(inner) => {
                self.not_in_annotation("await expression", e)?;
                self.expr(inner)?;
                self.awaits();
                Ok(())
            }
            ExprKind::Yield(value) => {
                self.not_in_annotation("yield expression", e)?;
                self.maybe(value.as_deref())?;
                self.scopes.get_mut(self.cur).generator = true;
                Ok(())
            }
            ExprKind::YieldFrom(value) => {
                self.not_in_annotation("yield expression", e)?;
                self.expr(value)?;
                self.scopes.get_mut(self.cur).generator = true;
                Ok(())
            }
            ExprKind::FormattedValue {
                value, format_spec, ..
            }
            | ExprKind::Interpolation {
                value, format_spec, ..
            } => {
                self.expr(value)?;
                self.maybe(format_spec.as_deref())
            }
            ExprKind::Starred(inner) => self.expr(inner),
            ExprKind::Slice { lower, upper, step } => {
                self.maybe(lower.as_deref())?;
                self.maybe(upper.as_deref())?;
                self.maybe(step.as_deref())
            }
            // Chains: `expr` has taken them apart.
            ExprKind::BinOp { .. }
            | ExprKind::Attribute { .. }
            | ExprKind::Subscript { .. }
            | ExprKind::Call { .. }
            | ExprKind::Compare { .. } => Ok(()),
        }
    }

    pub(super) fn use_name(&mut self, name: &Name) {
        self.symbol(name).flags |= flag::USE;
        let functional = !matches!(self.kind(), ScopeKind::Module | ScopeKind::Class);
        if functional && name.as_ref() == "super" {
            let class = self.class_name.clone();
            self.scopes.get_mut(self.cur).table.entry(&class).flags |= flag::USE;
        }
    }

    /// The scope awaits; an inlined comprehension makes its surroundings await, too.
    pub(super) fn awaits(&mut self) {
        let scope = self.scopes.get_mut(self.cur);
        if scope.kind != ScopeKind::Module || self.top_level_await {
            scope.coroutine = true;
        }
    }

    fn not_in_annotation(&self, what: &str, e: &Expr) -> Res {
        let place = match self.kind() {
            ScopeKind::Annotations => "an annotation",
            ScopeKind::TypeVarBound => self.bound_kind,
            ScopeKind::TypeAlias => "a type alias",
            ScopeKind::TypeParams => "the definition of a generic",
            _ => return Ok(()),
        };
        fail(format!("{what} cannot be used within {place}"), e.span)
    }

    fn named(&mut self, e: &'a Expr, target: &'a Expr, value: &'a Expr) -> Res {
        self.not_in_annotation("named expression", e)?;
        if self.in_iterable > 0 {
            return fail(
                "assignment expression cannot be used in a comprehension iterable expression",
                e.span,
            );
        }
        let ExprKind::Name(name) = &target.kind else {
            return self.expr(value);
        };
        if matches!(self.kind(), ScopeKind::Comp | ScopeKind::GenExpr) {
            self.named_in_comprehension(name, target.span)?;
            return self.expr(value);
        }
        self.expr(value)?;
        self.add(name, flag::LOCAL | flag::STORED | flag::WALRUS, target.span)
    }

    /// `:=` in a comprehension binds in the nearest scope around that is none.
    fn named_in_comprehension(&mut self, name: &Name, span: Span) -> Res {
        if name.as_ref() == "__debug__" {
            return fail("cannot assign to __debug__", span);
        }
        let name = &mangle(self.class.as_ref(), name);
        let mut at = self.cur;
        loop {
            let scope = self.scopes.get_mut(at);
            match scope.kind {
                ScopeKind::Comp | ScopeKind::GenExpr => {
                    if scope.table.flags(name) & flag::ITER != 0 {
                        return fail(
                            format!(
                                "assignment expression cannot rebind comprehension iteration variable '{name}'"
                            ),
                            span,
                        );
                    }
                    scope.table.entry(name).flags |= flag::USE | flag::WALRUS;
                }
                ScopeKind::Function | ScopeKind::Lambda => {
                    let symbol = scope.table.entry(name);
                    if symbol.flags & (flag::GLOBAL | flag::NONLOCAL) == 0 {
                        symbol.flags |= flag::LOCAL;
                    }
                    symbol.flags |= flag::STORED | flag::WALRUS;
                    return Ok(());
                }
                ScopeKind::Module => {
                    scope.table.entry(name).flags |= flag::GLOBAL | flag::STORED;
                    return Ok(());
                }
                kind => {
                    let place = match kind {
                        ScopeKind::Class => "in a class body",
                        ScopeKind::TypeVarBound => "in a TypeVar bound",
                        ScopeKind::TypeAlias => "in a type alias",
                        ScopeKind::TypeParams => "within the definition of a generic",
                        _ => "in an annotation",
                    };
                    return fail(
                        format!(
                            "assignment expression within a comprehension cannot be used {place}"
                        ),
                        span,
                    );
                }
            }
            match self.scopes.get(at).parent {
                Some(parent) => at = parent,
                None => return Ok(()),
            }
        }
    }

    fn comprehension(
        &mut self,
        e: &'a Expr,
        elt: &'a Expr,
        value: Option<&'a Expr>,
        generators: &'a [Comprehension],
        kind: ScopeKind,
        what: &str,
    ) -> Res {
        let Some((first, rest)) = generators.split_first() else {
            return Ok(());
        };
        self.iterable(&first.iter)?;
        let outer = self.cur;
        self.within(kind, e, Role::Expr, |b| {
            if kind == ScopeKind::GenExpr {
                b.add_param(&b.dot_zero.clone());
            }
            if first.is_async {
                b.awaits();
            }
            b.target(&first.target, flag::ITER)?;
            first.ifs.iter().try_for_each(|i| b.expr(i))?;
            for generator in rest {
                b.target(&generator.target, flag::ITER)?;
                b.iterable(&generator.iter)?;
                generator.ifs.iter().try_for_each(|i| b.expr(i))?;
                if generator.is_async {
                    b.awaits();
                }
            }
            b.maybe(value)?;
            b.expr(elt)?;
            let id = b.cur;
            let scope = b.scopes.get_mut(id);
            if scope.generator {
                return fail(
                    format!("'yield' inside {what}"),
                    b.first_yield(elt, value, generators).unwrap_or(e.span),
                );
            }
            if kind == ScopeKind::GenExpr {
                scope.generator = true;
            } else if scope.coroutine {
                let outer = b.scopes.get_mut(outer);
                if outer.kind != ScopeKind::Module || b.top_level_await {
                    outer.coroutine = true;
                }
            }
            Ok(())
        })
    }

    fn iterable(&mut self, e: &'a Expr) -> Res {
        self.in_iterable += 1;
        let result = self.expr(e);
        self.in_iterable -= 1;
        result
    }

    /// The place of the `yield` that a comprehension must not contain.
    fn first_yield(
        &self,
        elt: &Expr,
        value: Option<&Expr>,
        generators: &[Comprehension],
    ) -> Option<Span> {
        let rest = generators.iter().skip(1).map(|g| &g.iter);
        let ifs = generators.iter().flat_map(|g| &g.ifs);
        ifs.chain(rest)
            .chain(value)
            .chain([elt])
            .find_map(find_yield)
    }
}

/// The first `yield` of an expression that does not stand in a lambda or generator of its own.
fn find_yield(e: &Expr) -> Option<Span> {
    let mut found = None;
    let mut todo = vec![e];
    while let Some(e) = todo.pop() {
        match &e.kind {
            ExprKind::Yield(_) | ExprKind::YieldFrom(_) => {
                found = Some(e.span);
                break;
            }
            ExprKind::BoolOp { values, .. }
            | ExprKind::Tuple(values)
            | ExprKind::List(values)
            | ExprKind::Set(values) => {
                todo.extend(values);
            }
            ExprKind::BinOp { left, right, .. } => todo.extend([&**right, &**left]),
            ExprKind::NamedExpr { value, .. }
            | ExprKind::UnaryOp { operand: value, .. }
            | ExprKind::Await(value)
            | ExprKind::Attribute { value, .. }
            | ExprKind::Starred(value) => todo.push(value),
            ExprKind::IfExp { test, body, orelse } => todo.extend([&**orelse, &**body, &**test]),
            ExprKind::Subscript { value, index } => todo.extend([&**index, &**value]),
            ExprKind::Compare {
                left, comparators, ..
            } => {
                todo.extend(comparators);
                todo.push(left);
            }
            ExprKind::Call {
                func,
                args,
                keywords,
            } => {
                todo.extend(keywords.iter().map(|k| &k.value));
                todo.extend(args);
                todo.push(func);
            }
            _ => {}
        }
    }
    found
}
