//! Call arguments.

use super::{Built, Cx, comp, expr, fail, span};
use crate::ast::*;
use crate::build::target;

/// One item of an argument list.
pub enum Arg {
    /// A positional argument; `*x` is a Starred.
    Value(Expr, Span),
    /// The element, the clauses, and where the first of them starts.
    Generator(Expr, Vec<Comprehension>, u32, Span),
    /// The name, as any expression; the value; the offset of the `=`.
    Keyword(Expr, Expr, u32, Span),
    DoubleStar(Expr, Span),
    /// A comma behind the last argument.
    Comma,
}

pub struct Arguments {
    pub args: Vec<Expr>,
    pub keywords: Vec<Keyword>,
}

/// Sorts arguments into positional and keyword ones. `open..end` is the span of the parentheses.
pub fn sort(cx: &mut Cx<'_>, list: Vec<Arg>, open: u32, end: u32) -> Built<Arguments> {
    let mut out = Arguments {
        args: Vec::new(),
        keywords: Vec::new(),
    };
    let count = list.len();
    let mut unpacked = false;
    for arg in list {
        match arg {
            Arg::Value(value, at) => {
                let is_star = matches!(value.kind, ExprKind::Starred(_));
                if unpacked && is_star {
                    // From the comma before.
                    let before = cx.text(open, at.start);
                    let comma = before.rfind(',').map_or(at.start, |i| open + i as u32);
                    return fail(
                        "iterable argument unpacking follows keyword argument unpacking",
                        span(comma, at.end),
                    );
                }
                if !is_star && !out.keywords.is_empty() {
                    let message = if unpacked {
                        "positional argument follows keyword argument unpacking"
                    } else {
                        "positional argument follows keyword argument"
                    };
                    let close = span(end.saturating_sub(1), end);
                    return fail(message, close);
                }
                out.args.push(value);
            }
            Arg::Generator(elt, generators, _, at) => {
                if count > 1 {
                    return fail("Generator expression must be parenthesized", at);
                }
                out.args.push(comp::generator(open, elt, generators, end)?);
            }
            Arg::Keyword(name, value, equals, at) => {
                let ExprKind::Name(text) = &name.kind else {
                    return Err(target::keyword_error(
                        &name,
                        span(name.span.start, equals + 1),
                    ));
                };
                if name.span.start != at.start {
                    return fail(
                        "expression cannot contain assignment, perhaps you meant \"==\"?",
                        span(name.span.start, equals + 1),
                    );
                }
                if text.as_ref() == "__debug__" {
                    return fail("cannot assign to __debug__", at);
                }
                if out.keywords.iter().any(|k| k.name.as_deref() == Some(text)) {
                    return fail(format!("keyword argument repeated: {text}"), at);
                }
                out.keywords.push(Keyword {
                    name: Some(text.clone()),
                    value,
                    span: at,
                });
            }
            Arg::DoubleStar(value, at) => {
                unpacked = true;
                out.keywords.push(Keyword {
                    name: None,
                    value,
                    span: at,
                });
            }
            Arg::Comma => {}
        }
    }
    Ok(out)
}

pub fn call(cx: &mut Cx<'_>, l: u32, func: Expr, open: u32, list: Vec<Arg>, r: u32) -> Built<Expr> {
    let Arguments { args, keywords } = sort(cx, list, open, r)?;
    Ok(expr(
        l,
        ExprKind::Call {
            func: Box::new(func),
            args,
            keywords,
        },
        r,
    ))
}
