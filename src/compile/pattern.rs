//! `match`: patterns as chains of tests.
//!
//! Part of the statement code.
//!
//! Rules:
//! 1. Names are bound only when the whole pattern has matched: until then captured values wait in temporaries, one for each
//!    name, allocated before anything else of the case.
//! 2. Tests release temporaries (see `ops`), so a value that is needed again is tested by way of a copy. A subject
//!    that is a variable which the statement does not rebind is tested in place.
//! 3. A pattern only takes new temporaries; whoever began it clears them all, on success and on failure.

use super::expr::operand_name;
use super::names::is_simple;
use super::scope::mangle;
use super::unit::Opd;
use super::{Gen, Res, fail};
use crate::bytecode::Const;
use crate::bytecode::asm::Label;
use crate::bytecode::ops::Op;
use corun_grammar::ast::*;

/// One case while it is compiled.
struct Case<'a> {
    /// Names that the pattern binds, and the temporaries that hold their values.
    captures: Vec<(&'a Ident, u8)>,
    /// Where a failed test goes.
    fail: Label,
    /// The first register that was never used by the case.
    high: u16,
}

/// A value under test.
#[derive(Clone, Copy)]
struct Subject {
    opd: Opd,
    /// Nothing needs it after this pattern.
    last: bool,
}

impl<'a> Gen<'a> {
    pub fn match_stmt(&mut self, stmt: &'a Stmt, subject: &'a Expr, cases: &'a [MatchCase]) -> Res {
        let base = self.u.top;
        let value = match operand_name(subject) {
            Some(name) if !self.match_rebinds(name, cases) => self.operand(subject, None)?,
            _ => self.owned(subject)?,
        };
        let done = self.u.new_label();
        for (i, case) in cases.iter().enumerate() {
            let last = i + 1 == cases.len();
            if !last && case.guard.is_none() {
                check_refutable(&case.pattern)?;
            }
            self.case(case, value, done)?;
        }
        self.u.at(stmt.span);
        self.u.clear(value);
        self.u.release(base);
        self.u.place(done);
        Ok(())
    }

    /// The variable may change while the cases are still being tried.
    fn match_rebinds(&self, name: &Name, cases: &[MatchCase]) -> bool {
        let wanted = mangle(self.class.as_ref(), name);
        let mut names = Vec::new();
        for case in cases {
            if case.guard.as_ref().is_some_and(|g| !is_simple(g)) && self.may_rebind(name) {
                return true;
            }
            bound_names(&case.pattern, &mut names);
        }
        names
            .iter()
            .any(|n| mangle(self.class.as_ref(), &n.name) == wanted)
    }

    fn case(&mut self, case: &'a MatchCase, value: Opd, done: Label) -> Res {
        let base = self.u.top;
        let mut names = Vec::new();
        check_names(&case.pattern, &mut names)?;
        let mut cx = Case {
            captures: Vec::with_capacity(names.len()),
            fail: self.u.new_label(),
            high: base,
        };
        for name in names {
            cx.captures.push((name, self.u.temp()?));
        }
        cx.high = self.u.top;
        let first_inner = self.u.top;
        self.pattern(
            &case.pattern,
            Subject {
                opd: value,
                last: false,
            },
            &mut cx,
        )?;
        cx.high = cx.high.max(self.u.top);
        self.u.release(first_inner);
        self.clear_span(first_inner, cx.high);
        for &(name, reg) in &cx.captures {
            self.store_name(&name.name, Opd::temp(reg), name.span)?;
        }
        self.u.release(base);
        // From here on nothing but the subject is held.
        let next = self.u.new_label();
        if let Some(guard) = &case.guard {
            self.jump_if(guard, false, next)?;
        }
        self.u.clear(value);
        self.stmts(&case.body)?;
        self.u.jump(done);
        self.u.place(cx.fail);
        self.clear_span(base, cx.high);
        self.u.place(next);
        Ok(())
    }

    fn clear_span(&mut self, from: u16, to: u16) {
        self.u
            .clear_range(from as u8, to.saturating_sub(from) as usize);
    }

    /// The value in a register that a test may release.
    fn testable(&mut self, subject: Subject) -> Res<u8> {
        if !subject.opd.owned || subject.last {
            return Ok(subject.opd.reg);
        }
        let copy = self.u.temp()?;
        self.u.op(Op::MOVE, copy, subject.opd.reg, 0);
        Ok(copy)
    }

    fn pattern(&mut self, p: &'a Pattern, subject: Subject, cx: &mut Case<'a>) -> Res {
        self.u.at(p.span);
        match &p.kind {
            PatternKind::Value(e) => self.value_pattern(p, e, subject, cx),
            PatternKind::Singleton(c) => self.singleton_pattern(p, c, subject, cx),
            PatternKind::Sequence(items) => self.sequence_pattern(p, items, subject, cx),
            PatternKind::Mapping {
                keys,
                patterns,
                rest,
            } => self.mapping_pattern(p, keys, patterns, rest.as_ref(), subject, cx),
            PatternKind::Class {
                cls,
                patterns,
                kwd_attrs,
                kwd_patterns,
            } => self.class_pattern(p, cls, patterns, kwd_attrs, kwd_patterns, subject, cx),
            PatternKind::Star(name) => {
                self.capture(name.as_ref(), subject, cx);
                Ok(())
            }
            PatternKind::As { pattern, name } => {
                if let Some(inner) = pattern {
                    let last = subject.last && name.is_none();
                    self.pattern(inner, Subject { last, ..subject }, cx)?;
                }
                self.capture(name.as_ref(), subject, cx);
                Ok(())
            }
            PatternKind::Or(alternatives) => self.or_pattern(alternatives, subject, cx),
        }
    }

    fn capture(&mut self, name: Option<&'a Ident>, subject: Subject, cx: &Case<'a>) {
        let Some(name) = name else { return };
        let Some(&(_, reg)) = cx.captures.iter().find(|c| c.0.name == name.name) else {
            return;
        };
        let owned = subject.opd.owned && subject.last;
        self.u.move_to(
            reg,
            Opd {
                owned,
                ..subject.opd
            },
        );
    }

    fn value_pattern(&mut self, p: &Pattern, e: &'a Expr, subject: Subject, cx: &Case<'a>) -> Res {
        let mark = self.u.mark();
        let left = self.testable(subject)?;
        if let Some(imm) = self.small_int(e) {
            self.u.at(p.span);
            self.u.jump_op(Op::JEQI, left, imm as u8, 0, cx.fail);
        } else {
            let right = self.operand(e, None)?;
            self.u.at(p.span);
            self.u.jump_op(Op::JEQ, left, right.reg, 0, cx.fail);
        }
        self.u.release(mark);
        Ok(())
    }

    fn singleton_pattern(
        &mut self,
        p: &Pattern,
        c: &Constant,
        subject: Subject,
        cx: &Case<'a>,
    ) -> Res {
        let mark = self.u.mark();
        let left = self.testable(subject)?;
        if let Constant::None = c {
            self.u.jump_op(Op::JNOTNONE, left, 0, 0, cx.fail);
        } else {
            let right = self.u.temp()?;
            self.u
                .load_const(right, super::fold::of_constant(c), p.span)?;
            self.u.jump_op(Op::JIS, left, right, 0, cx.fail);
        }
        self.u.release(mark);
        Ok(())
    }

    /// Jumps to `fail` unless the length of the subject is `count` (or at least that).
    fn check_length(&mut self, subject: Opd, count: usize, at_least: bool, fail: Label) -> Res {
        let mark = self.u.mark();
        let len = self.u.temp()?;
        self.u.op(Op::LEN, len, subject.reg, 0);
        if let Ok(count) = i8::try_from(count) {
            let op = if at_least { Op::JGEI } else { Op::JEQI };
            self.u.jump_op(op, len, count as u8, 0, fail);
        } else {
            let right = self.u.temp()?;
            let span = self.u.asm.span();
            self.u.load_const(right, Const::Int(count.into()), span)?;
            let op = if at_least { Op::JGE } else { Op::JEQ };
            self.u.jump_op(op, len, right, 0, fail);
        }
        self.u.release(mark);
        Ok(())
    }

    fn check_kind(&mut self, op: Op, subject: Opd, fail: Label) -> Res {
        let mark = self.u.mark();
        let is = self.u.temp()?;
        self.u.op(op, is, subject.reg, 0);
        self.u.jump_op(Op::JF, is, 0, 0, fail);
        self.u.release(mark);
        Ok(())
    }

    fn sequence_pattern(
        &mut self,
        p: &'a Pattern,
        items: &'a [Pattern],
        subject: Subject,
        cx: &mut Case<'a>,
    ) -> Res {
        let mut stars = items
            .iter()
            .enumerate()
            .filter(|(_, i)| matches!(i.kind, PatternKind::Star(_)));
        let star = stars.next().map(|(i, _)| i);
        if stars.next().is_some() {
            return fail("multiple starred names in sequence pattern", p.span);
        }
        if items.len() > 200 {
            return fail("too many sub-patterns in sequence pattern", p.span);
        }
        self.check_kind(Op::MATCHSEQ, subject.opd, cx.fail)?;
        match star {
            None => self.check_length(subject.opd, items.len(), false, cx.fail)?,
            Some(_) if items.len() > 1 => {
                self.check_length(subject.opd, items.len() - 1, true, cx.fail)?
            }
            Some(_) => {}
        }
        if items.iter().all(is_wildcard) {
            return Ok(());
        }
        let window = self.u.temps(items.len())?;
        match star {
            None => self
                .u
                .op(Op::UNPACK, window, subject.opd.reg, items.len() as u8),
            Some(at) => {
                self.u.op_x(
                    Op::UNPACKEX,
                    window,
                    subject.opd.reg,
                    at as u8,
                    (items.len() - at - 1) as u32,
                );
            }
        }
        self.sub_patterns(items.iter(), window, cx)
    }

    /// Patterns for the values in a row of temporaries.
    fn sub_patterns(
        &mut self,
        items: impl Iterator<Item = &'a Pattern>,
        window: u8,
        cx: &mut Case<'a>,
    ) -> Res {
        for (i, item) in items.enumerate() {
            self.pattern(
                item,
                Subject {
                    opd: Opd::temp(window + i as u8),
                    last: true,
                },
                cx,
            )?;
        }
        Ok(())
    }

    fn mapping_pattern(
        &mut self,
        p: &'a Pattern,
        keys: &'a [Expr],
        patterns: &'a [Pattern],
        rest: Option<&'a Ident>,
        subject: Subject,
        cx: &mut Case<'a>,
    ) -> Res {
        if keys.len() > 100 {
            return fail("too many sub-patterns in mapping pattern", p.span);
        }
        let constants: Vec<Option<Const>> = keys.iter().map(|k| self.fold(k)).collect();
        check_keys(&constants, p.span)?;
        self.check_kind(Op::MATCHMAP, subject.opd, cx.fail)?;
        if keys.is_empty() && rest.is_none() {
            return Ok(());
        }
        if !keys.is_empty() {
            self.check_length(subject.opd, keys.len(), true, cx.fail)?;
        }
        let tuple = self.u.temp()?;
        match constants.into_iter().collect::<Option<Vec<_>>>() {
            Some(values) => self.u.load_const(tuple, Const::Tuple(values), p.span)?,
            None => {
                let mark = self.u.mark();
                let window = self.u.temps(keys.len())?;
                for (i, key) in keys.iter().enumerate() {
                    self.expr(key, window + i as u8)?;
                }
                self.u.at(p.span);
                self.u.op(Op::TUPLE, tuple, window, keys.len() as u8);
                self.u.release(mark);
            }
        }
        if !keys.is_empty() {
            let values = self.u.temp()?;
            self.u.op(Op::MATCHKEYS, values, subject.opd.reg, tuple);
            self.check_found(values, cx.fail)?;
            if !patterns.iter().all(is_wildcard) {
                let window = self.u.temps(keys.len())?;
                self.u.op(Op::UNPACK, window, values, keys.len() as u8);
                self.sub_patterns(patterns.iter(), window, cx)?;
            }
        }
        if rest.is_some() {
            let dict = self.u.temp()?;
            self.u.at(p.span);
            self.u.op(Op::MATCHREST, dict, subject.opd.reg, tuple);
            self.capture(
                rest,
                Subject {
                    opd: Opd::temp(dict),
                    last: true,
                },
                cx,
            );
        }
        Ok(())
    }

    /// Fails if the result of a match op is None.
    fn check_found(&mut self, values: u8, fail: Label) -> Res {
        let copy = self.u.temp()?;
        self.u.op(Op::MOVE, copy, values, 0);
        self.u.jump_op(Op::JNONE, copy, 0, 0, fail);
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one tree node")]
    fn class_pattern(
        &mut self,
        p: &'a Pattern,
        cls: &'a Expr,
        patterns: &'a [Pattern],
        names: &'a [Ident],
        named: &'a [Pattern],
        subject: Subject,
        cx: &mut Case<'a>,
    ) -> Res {
        for (i, name) in names.iter().enumerate() {
            // As in CPython, the place is that of the second pattern.
            if let Some(again) = names[i + 1..].iter().position(|n| n.name == name.name) {
                let span = named.get(i + 1 + again).map_or(name.span, |p| p.span);
                return fail(
                    format!("attribute name repeated in class pattern: {}", name.name),
                    span,
                );
            }
        }
        let count = patterns.len() + named.len();
        if count > 200 {
            return fail("too many sub-patterns in class pattern", p.span);
        }
        let class = self.operand(cls, None)?;
        let mut shape = vec![Const::Int(patterns.len().into())];
        shape.extend(names.iter().map(|n| Const::Str(n.name.clone())));
        let k = self.u.pool.constant(Const::Tuple(shape), p.span)?;
        let values = self.u.temp()?;
        self.u.at(p.span);
        self.u
            .op_x(Op::MATCHCLASS, values, subject.opd.reg, class.reg, k as u32);
        self.check_found(values, cx.fail)?;
        if patterns.iter().chain(named).all(is_wildcard) {
            return Ok(());
        }
        let window = self.u.temps(count)?;
        self.u.op(Op::UNPACK, window, values, count as u8);
        self.sub_patterns(patterns.iter().chain(named), window, cx)
    }

    fn or_pattern(
        &mut self,
        alternatives: &'a [Pattern],
        subject: Subject,
        cx: &mut Case<'a>,
    ) -> Res {
        let matched = self.u.new_label();
        let outer_fail = cx.fail;
        for (i, alternative) in alternatives.iter().enumerate() {
            let last = i + 1 == alternatives.len();
            let base = self.u.top;
            cx.fail = if last { outer_fail } else { self.u.new_label() };
            // Only the last alternative may use the value up.
            self.pattern(
                alternative,
                Subject {
                    last: subject.last && last,
                    ..subject
                },
                cx,
            )?;
            let used = self.u.top;
            cx.high = cx.high.max(used);
            if !last {
                self.clear_span(base, used);
                self.u.jump(matched);
                self.u.place(cx.fail);
                self.clear_span(base, used);
                self.u.release(base);
            }
        }
        cx.fail = outer_fail;
        self.u.place(matched);
        Ok(())
    }
}

fn is_wildcard(p: &Pattern) -> bool {
    matches!(
        p.kind,
        PatternKind::As {
            pattern: None,
            name: None
        } | PatternKind::Star(None)
    )
}

/// A pattern before others must be able to fail.
fn check_refutable(p: &Pattern) -> Res {
    match &p.kind {
        PatternKind::As {
            pattern: None,
            name: None,
        } => fail("wildcard makes remaining patterns unreachable", p.span),
        PatternKind::As {
            pattern: None,
            name: Some(name),
        } => fail(
            format!(
                "name capture '{}' makes remaining patterns unreachable",
                name.name
            ),
            p.span,
        ),
        PatternKind::As {
            pattern: Some(inner),
            ..
        } => check_refutable(inner),
        PatternKind::Or(alternatives) => alternatives.iter().try_for_each(check_refutable),
        _ => Ok(()),
    }
}

/// The parts of a pattern, without the alternatives of `|`.
fn parts(p: &Pattern) -> (Vec<&Pattern>, Option<&Ident>) {
    match &p.kind {
        PatternKind::Sequence(items) => (items.iter().collect(), None),
        PatternKind::Mapping { patterns, rest, .. } => (patterns.iter().collect(), rest.as_ref()),
        PatternKind::Class {
            patterns,
            kwd_patterns,
            ..
        } => (patterns.iter().chain(kwd_patterns).collect(), None),
        PatternKind::Star(name) => (Vec::new(), name.as_ref()),
        PatternKind::As { pattern, name } => {
            (pattern.iter().map(|p| &**p).collect(), name.as_ref())
        }
        _ => (Vec::new(), None),
    }
}

/// Names that a pattern binds, with no questions asked.
fn bound_names<'a>(p: &'a Pattern, out: &mut Vec<&'a Ident>) {
    if let PatternKind::Or(alternatives) = &p.kind {
        return alternatives.iter().for_each(|a| bound_names(a, out));
    }
    let (inner, name) = parts(p);
    inner.into_iter().for_each(|i| bound_names(i, out));
    out.extend(name);
}

/// Names that a pattern binds, each once; all alternatives bind the same ones.
fn check_names<'a>(p: &'a Pattern, out: &mut Vec<&'a Ident>) -> Res {
    if let PatternKind::Or(alternatives) = &p.kind {
        let mut first: Option<Vec<&'a Ident>> = None;
        for (i, alternative) in alternatives.iter().enumerate() {
            if i + 1 < alternatives.len() {
                check_refutable(alternative)?;
            }
            let mut names = Vec::new();
            check_names(alternative, &mut names)?;
            let Some(first) = &first else {
                first = Some(names);
                continue;
            };
            let same = first.len() == names.len()
                && names.iter().all(|n| first.iter().any(|f| f.name == n.name));
            if !same {
                return fail("alternative patterns bind different names", p.span);
            }
        }
        return first
            .into_iter()
            .flatten()
            .try_for_each(|n| bind_once(n, n.span, out));
    }
    let (inner, name) = parts(p);
    for inner in inner {
        check_names(inner, out)?;
    }
    name.map_or(Ok(()), |n| bind_once(n, p.span, out))
}

fn bind_once<'a>(name: &'a Ident, span: Span, out: &mut Vec<&'a Ident>) -> Res {
    if out.iter().any(|n| n.name == name.name) {
        return fail(
            format!("multiple assignments to name '{}' in pattern", name.name),
            span,
        );
    }
    out.push(name);
    Ok(())
}

fn check_keys(keys: &[Option<Const>], span: Span) -> Res {
    for (i, key) in keys.iter().enumerate() {
        let Some(key) = key else { continue };
        if let Some(again) = keys[i + 1..].iter().flatten().find(|k| equal(k, key)) {
            return fail(
                format!("mapping pattern checks duplicate key ({})", key_text(again)),
                span,
            );
        }
    }
    Ok(())
}

/// `==` of constants as far as keys need it: `1`, `1.0` and `True` are one key.
fn equal(a: &Const, b: &Const) -> bool {
    use num_traits::ToPrimitive;
    let number = |c: &Const| match c {
        Const::Int(n) => n.to_f64(),
        Const::Float(x) => Some(*x),
        Const::True => Some(1.0),
        Const::False => Some(0.0),
        _ => None,
    };
    match (a, b) {
        (Const::Int(a), Const::Int(b)) => a == b,
        _ => match (number(a), number(b)) {
            (Some(a), Some(b)) => a == b,
            _ => super::pool::same(a, b),
        },
    }
}

fn key_text(key: &Const) -> String {
    match key {
        Const::Int(n) => n.to_string(),
        Const::Float(x) => format!("{x:?}"),
        Const::Complex(_, im) => format!("{im}j"),
        Const::Str(s) if s.contains('\'') && !s.contains('"') => format!("\"{s}\""),
        Const::Str(s) => format!("'{}'", s.escape_debug().to_string().replace("\\\"", "\"")),
        Const::Bytes(b) => format!("b'{}'", b.escape_ascii()),
        Const::None => "None".into(),
        Const::True => "True".into(),
        Const::False => "False".into(),
        _ => "...".into(),
    }
}
