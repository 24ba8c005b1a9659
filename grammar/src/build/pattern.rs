//! Patterns of `case`.

use super::{Built, expr, fail, span, target};
use crate::ast::*;

fn pattern(l: u32, kind: PatternKind, r: u32) -> Pattern {
    Pattern {
        kind,
        span: span(l, r),
    }
}

/// `_` binds nothing.
fn binding(name: Ident) -> Option<Ident> {
    if name.name.as_ref() == "_" {
        None
    } else {
        Some(name)
    }
}

pub fn sequence(l: u32, items: Vec<Pattern>, r: u32) -> Pattern {
    pattern(l, PatternKind::Sequence(items), r)
}

pub fn star(l: u32, name: Ident, r: u32) -> Pattern {
    pattern(l, PatternKind::Star(binding(name)), r)
}

pub fn as_(l: u32, inner: Pattern, name: Expr, r: u32) -> Built<Pattern> {
    match &name.kind {
        ExprKind::Name(text) if text.as_ref() == "_" => {
            fail("cannot use '_' as a target", name.span)
        }
        ExprKind::Name(text) => {
            let name = Ident {
                name: text.clone(),
                span: name.span,
            };
            Ok(pattern(
                l,
                PatternKind::As {
                    pattern: Some(Box::new(inner)),
                    name: Some(name),
                },
                r,
            ))
        }
        _ => fail(
            format!("cannot use {} as pattern target", target::describe(&name)),
            name.span,
        ),
    }
}

pub fn or(l: u32, first: Pattern, mut rest: Vec<Pattern>, r: u32) -> Pattern {
    rest.insert(0, first);
    pattern(l, PatternKind::Or(rest), r)
}

pub fn capture(name: Ident) -> Pattern {
    let at = name.span;
    Pattern {
        kind: PatternKind::As {
            pattern: None,
            name: binding(name),
        },
        span: at,
    }
}

pub fn value(e: Expr) -> Pattern {
    let at = e.span;
    Pattern {
        kind: PatternKind::Value(Box::new(e)),
        span: at,
    }
}

pub fn attribute(l: u32, object: Expr, attr: Ident, r: u32) -> Expr {
    expr(
        l,
        ExprKind::Attribute {
            value: Box::new(object),
            attr,
        },
        r,
    )
}

pub fn literal(e: Expr) -> Built<Pattern> {
    check_literal(&e)?;
    let at = e.span;
    let kind = match e.kind {
        ExprKind::Constant(c @ (Constant::None | Constant::True | Constant::False)) => {
            PatternKind::Singleton(c)
        }
        _ => PatternKind::Value(Box::new(e)),
    };
    Ok(Pattern { kind, span: at })
}

fn check_literal(e: &Expr) -> Built<()> {
    if let ExprKind::JoinedStr(_) | ExprKind::TemplateStr(_) = e.kind {
        return fail(
            "patterns may only match literals and attribute lookups",
            e.span,
        );
    }
    Ok(())
}

pub fn complex(l: u32, real: Expr, op: BinOp, imag: Expr, r: u32) -> Built<Expr> {
    let real_part = match &real.kind {
        ExprKind::UnaryOp { operand, .. } => operand,
        _ => &real,
    };
    if let ExprKind::Constant(Constant::Imaginary(_)) = real_part.kind {
        return fail("real number required in complex literal", real.span);
    }
    if !matches!(imag.kind, ExprKind::Constant(Constant::Imaginary(_))) {
        return fail("imaginary number required in complex literal", imag.span);
    }
    Ok(super::binary(l, real, op, imag, r))
}

/// A literal as a key.
pub fn key(e: Expr) -> Built<Expr> {
    check_literal(&e)?;
    Ok(e)
}

pub fn empty_mapping(l: u32, r: u32) -> Pattern {
    pattern(
        l,
        PatternKind::Mapping {
            keys: vec![],
            patterns: vec![],
            rest: None,
        },
        r,
    )
}

type Item = (Option<Expr>, Option<Pattern>, Option<Ident>, Span);

pub fn mapping(l: u32, items: Vec<Item>, r: u32) -> Built<Pattern> {
    let mut keys = Vec::new();
    let mut patterns = Vec::new();
    let mut rest: Option<Ident> = None;
    for (key, value, double_star, at) in items {
        if rest.is_some() {
            let at = key
                .as_ref()
                .map_or(span(at.start, at.start + 2), |k| k.span);
            return fail("invalid syntax", at);
        }
        keys.extend(key);
        patterns.extend(value);
        if let Some(name) = double_star {
            if name.name.as_ref() == "_" {
                return fail("invalid syntax", name.span);
            }
            rest = Some(name);
        }
    }
    Ok(pattern(
        l,
        PatternKind::Mapping {
            keys,
            patterns,
            rest,
        },
        r,
    ))
}

pub fn class(l: u32, cls: Expr, args: Vec<(Option<Ident>, Pattern)>, r: u32) -> Built<Pattern> {
    let mut patterns = Vec::new();
    let mut kwd_attrs = Vec::new();
    let mut kwd_patterns = Vec::new();
    for (name, value) in args {
        match name {
            Some(name) => {
                kwd_attrs.push(name);
                kwd_patterns.push(value);
            }
            None if !kwd_attrs.is_empty() => {
                return fail("positional patterns follow keyword patterns", value.span);
            }
            None => patterns.push(value),
        }
    }
    Ok(pattern(
        l,
        PatternKind::Class {
            cls: Box::new(cls),
            patterns,
            kwd_attrs,
            kwd_patterns,
        },
        r,
    ))
}
