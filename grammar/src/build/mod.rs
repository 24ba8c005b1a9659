//! Makes tree nodes for the grammar's shapes, and rejects what the shapes let through.
//!
//! Called from `corun.lalrpop` only. One file per part of the language; the small helpers are here.
//!
//! Rules:
//! 1. A helper takes the offsets `l` and `r` of its text around the parts, in source order.
//! 2. Errors are `fail(message, span)`, in CPython's words. A node is built even when a later check may
//!    reject it.

pub mod args;
pub mod comp;
pub mod params;
pub mod pattern;
pub mod stmt;
pub mod strings;
pub mod target;

use crate::ast::*;
use crate::diagnostic::Diagnostic;
use crate::number as num;
use crate::token::Tok;
use lalrpop_util::ParseError;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use unicode_normalization::UnicodeNormalization;

/// What the parser's actions return.
pub type Built<T> = Result<T, ParseError<u32, Tok, Diagnostic>>;

/// What the actions share during one parse.
pub struct Cx<'s> {
    pub source: &'s str,
    /// Names seen so far: each is allocated once.
    names: HashMap<&'s str, Name, BuildHasherDefault<NameHasher>>,
    pub warnings: Vec<Diagnostic>,
}

/// FNV-1a: names are short, and nobody can gain by making them collide in their own program.
pub struct NameHasher(u64);

impl Default for NameHasher {
    fn default() -> Self {
        NameHasher(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

impl<'s> Cx<'s> {
    pub fn new(source: &'s str) -> Cx<'s> {
        Cx {
            source,
            names: HashMap::default(),
            warnings: Vec::new(),
        }
    }

    pub fn text(&self, start: u32, end: u32) -> &'s str {
        self.source.get(start as usize..end as usize).unwrap_or("")
    }

    fn intern(&mut self, text: &'s str) -> Name {
        if let Some(name) = self.names.get(text) {
            return name.clone();
        }
        let name: Name = if text.is_ascii() {
            text.into()
        } else {
            text.nfkc().collect::<String>().into()
        };
        self.names.insert(text, name.clone());
        name
    }
}

pub fn fail<T>(message: impl Into<String>, span: Span) -> Built<T> {
    Err(ParseError::User {
        error: Diagnostic::syntax(message, span),
    })
}

fn span(l: u32, r: u32) -> Span {
    Span { start: l, end: r }
}

pub fn expr(l: u32, kind: ExprKind, r: u32) -> Expr {
    Expr {
        kind,
        span: span(l, r),
    }
}

pub fn ident(cx: &mut Cx<'_>, l: u32, r: u32) -> Ident {
    let text = cx.text(l, r);
    Ident {
        name: cx.intern(text),
        span: span(l, r),
    }
}

pub fn ident_expr(id: Ident) -> Expr {
    Expr {
        span: id.span,
        kind: ExprKind::Name(id.name),
    }
}

pub fn name(cx: &mut Cx<'_>, l: u32, r: u32) -> Expr {
    ident_expr(ident(cx, l, r))
}

pub fn constant(l: u32, value: Constant, r: u32) -> Expr {
    expr(l, ExprKind::Constant(value), r)
}

pub fn number(cx: &mut Cx<'_>, l: u32, r: u32) -> Built<Expr> {
    match num::value(cx.text(l, r)) {
        Ok(value) => Ok(constant(l, value, r)),
        Err(message) => fail(message, span(l, r)),
    }
}

pub fn tuple(l: u32, items: Vec<Expr>, r: u32) -> Expr {
    expr(l, ExprKind::Tuple(items), r)
}

pub fn list(l: u32, items: Vec<Expr>, r: u32) -> Expr {
    expr(l, ExprKind::List(items), r)
}

pub fn set(l: u32, items: Vec<Expr>, r: u32) -> Expr {
    expr(l, ExprKind::Set(items), r)
}

pub fn dict(l: u32, pairs: Vec<(Option<Expr>, Expr)>, r: u32) -> Expr {
    let (keys, values) = pairs.into_iter().unzip();
    expr(l, ExprKind::Dict { keys, values }, r)
}

pub fn starred(l: u32, value: Expr, r: u32) -> Expr {
    expr(l, ExprKind::Starred(Box::new(value)), r)
}

pub fn unary(l: u32, op: UnaryOp, operand: Expr, r: u32) -> Expr {
    expr(
        l,
        ExprKind::UnaryOp {
            op,
            operand: Box::new(operand),
        },
        r,
    )
}

pub fn binary(l: u32, left: Expr, op: BinOp, right: Expr, r: u32) -> Expr {
    expr(
        l,
        ExprKind::BinOp {
            left: Box::new(left),
            op,
            right: Box::new(right),
        },
        r,
    )
}

pub fn bool_op(l: u32, op: BoolOp, values: Vec<Expr>, r: u32) -> Expr {
    expr(l, ExprKind::BoolOp { op, values }, r)
}

pub fn compare(l: u32, left: Expr, rest: Vec<(CmpOp, Expr)>, r: u32) -> Expr {
    let (ops, comparators) = rest.into_iter().unzip();
    expr(
        l,
        ExprKind::Compare {
            left: Box::new(left),
            ops,
            comparators,
        },
        r,
    )
}

pub fn if_exp(l: u32, test: Expr, body: Expr, orelse: Expr, r: u32) -> Expr {
    let kind = ExprKind::IfExp {
        test: Box::new(test),
        body: Box::new(body),
        orelse: Box::new(orelse),
    };
    expr(l, kind, r)
}

pub fn slice(l: u32, lower: Option<Expr>, upper: Option<Expr>, step: Option<Expr>, r: u32) -> Expr {
    let kind = ExprKind::Slice {
        lower: lower.map(Box::new),
        upper: upper.map(Box::new),
        step: step.map(Box::new),
    };
    expr(l, kind, r)
}

pub fn lambda(l: u32, parameters: Vec<params::Param>, body: Expr, r: u32) -> Built<Expr> {
    let args = params::arguments(parameters, true)?;
    Ok(expr(
        l,
        ExprKind::Lambda {
            args: Box::new(args),
            body: Box::new(body),
        },
        r,
    ))
}

/// An expression in parentheses. It keeps its own span, as in CPython's tree.
pub fn group(inner: Expr) -> Built<Expr> {
    if let ExprKind::Starred(_) = inner.kind {
        return fail("cannot use starred expression here", inner.span);
    }
    Ok(inner)
}
