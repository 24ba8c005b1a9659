//! Comprehensions and generator expressions.

use super::{Built, expr, fail, target};
use crate::ast::*;

pub fn clause(is_async: bool, target: Expr, iter: Expr, ifs: Vec<Expr>) -> Built<Comprehension> {
    target::check_for_target(&target)?;
    Ok(Comprehension {
        target,
        iter,
        ifs,
        is_async,
    })
}

/// The element of a comprehension cannot be a `*x`.
fn check_element(elt: &Expr) -> Built<()> {
    if let ExprKind::Starred(_) = elt.kind {
        return fail(
            "iterable unpacking cannot be used in comprehension",
            elt.span,
        );
    }
    Ok(())
}

pub fn generator(l: u32, elt: Expr, generators: Vec<Comprehension>, r: u32) -> Built<Expr> {
    check_element(&elt)?;
    Ok(expr(
        l,
        ExprKind::GeneratorExp {
            elt: Box::new(elt),
            generators,
        },
        r,
    ))
}

pub fn list(l: u32, elt: Expr, generators: Vec<Comprehension>, r: u32) -> Built<Expr> {
    check_element(&elt)?;
    Ok(expr(
        l,
        ExprKind::ListComp {
            elt: Box::new(elt),
            generators,
        },
        r,
    ))
}

pub fn set(l: u32, elt: Expr, generators: Vec<Comprehension>, r: u32) -> Built<Expr> {
    check_element(&elt)?;
    Ok(expr(
        l,
        ExprKind::SetComp {
            elt: Box::new(elt),
            generators,
        },
        r,
    ))
}

pub fn dict(
    l: u32,
    (key, value): (Option<Expr>, Expr),
    generators: Vec<Comprehension>,
    r: u32,
) -> Built<Expr> {
    let Some(key) = key else {
        let stars = Span {
            start: value.span.start.saturating_sub(2),
            end: value.span.start,
        };
        return fail("dict unpacking cannot be used in dict comprehension", stars);
    };
    Ok(expr(
        l,
        ExprKind::DictComp {
            key: Box::new(key),
            value: Box::new(value),
            generators,
        },
        r,
    ))
}
