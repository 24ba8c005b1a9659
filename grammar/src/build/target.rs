//! Targets: what may stand left of `=`, after `del`, between `for` and `in`, before `:=`.
//!
//! The grammar reads targets as expressions; here they are checked, with a word for what they are instead.

use super::{Built, Cx, expr, fail, span};
use crate::ast::*;
use crate::diagnostic::Diagnostic;
use crate::token::Tok;
use lalrpop_util::ParseError;

/// What CPython calls an expression in its messages.
pub fn describe(e: &Expr) -> &'static str {
    match &e.kind {
        ExprKind::Attribute { .. } => "attribute",
        ExprKind::Subscript { .. } => "subscript",
        ExprKind::Starred(_) => "starred",
        ExprKind::Name(_) => "name",
        ExprKind::List(_) => "list",
        ExprKind::Tuple(_) => "tuple",
        ExprKind::Lambda { .. } => "lambda",
        ExprKind::Call { .. } => "function call",
        ExprKind::BoolOp { .. } | ExprKind::BinOp { .. } | ExprKind::UnaryOp { .. } => "expression",
        ExprKind::GeneratorExp { .. } => "generator expression",
        ExprKind::Yield(_) | ExprKind::YieldFrom(_) => "yield expression",
        ExprKind::Await(_) => "await expression",
        ExprKind::ListComp { .. } => "list comprehension",
        ExprKind::SetComp { .. } => "set comprehension",
        ExprKind::DictComp { .. } => "dict comprehension",
        ExprKind::Dict { .. } => "dict literal",
        ExprKind::Set(_) => "set display",
        ExprKind::JoinedStr(_) | ExprKind::FormattedValue { .. } => "f-string expression",
        ExprKind::TemplateStr(_) | ExprKind::Interpolation { .. } => "t-string expression",
        ExprKind::Constant(c) => match c {
            Constant::None => "None",
            Constant::True => "True",
            Constant::False => "False",
            Constant::Ellipsis => "ellipsis",
            _ => "literal",
        },
        ExprKind::Compare { .. } => "comparison",
        ExprKind::IfExp { .. } => "conditional expression",
        ExprKind::NamedExpr { .. } => "named expression",
        ExprKind::Slice { .. } => "slice",
    }
}

/// What a target is for: it decides which part is to blame.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Use {
    Assign,
    Delete,
    For,
}

/// The part of `e` that cannot be a target, if any.
pub fn invalid_part(e: &Expr, usage: Use) -> Option<&Expr> {
    match &e.kind {
        ExprKind::Name(_) | ExprKind::Attribute { .. } | ExprKind::Subscript { .. } => None,
        ExprKind::List(items) | ExprKind::Tuple(items) => items.iter().find_map(|item| invalid_part(item, usage)),
        ExprKind::Starred(inner) => {
            if usage == Use::Delete {
                return Some(e);
            }
            invalid_part(inner, usage)
        }
        _ => Some(e),
    }
}

/// `f() = 1` and the like. `last` is true for the target next to the value.
pub fn assign(_cx: &mut Cx<'_>, targets: Vec<Expr>, value: Expr) -> Built<StmtKind> {
    for target in &targets {
        if let ExprKind::Yield(_) | ExprKind::YieldFrom(_) = target.kind {
            return fail("assignment to yield expression not possible", target.span);
        }
        if let Some(wrong) = invalid_part(target, Use::Assign) {
            let what = describe(wrong);
            // A whole target that could be an operand was perhaps meant as a comparison.
            let whole = std::ptr::eq(wrong, target);
            if whole && is_bitor_level(wrong) {
                return fail(
                    format!("cannot assign to {what} here. Maybe you meant '==' instead of '='?"),
                    wrong.span,
                );
            }
            return fail(format!("cannot assign to {what}"), wrong.span);
        }
    }
    Ok(StmtKind::Assign { targets, value: Box::new(value) })
}

/// True if the expression binds at least as tightly as `|`, and is none of the words for constants.
fn is_bitor_level(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Constant(Constant::None | Constant::True | Constant::False) => false,
        ExprKind::UnaryOp { op: UnaryOp::Not, .. } => false,
        ExprKind::BoolOp { .. }
        | ExprKind::Compare { .. }
        | ExprKind::IfExp { .. }
        | ExprKind::Lambda { .. }
        | ExprKind::NamedExpr { .. }
        | ExprKind::GeneratorExp { .. } => false,
        _ => true,
    }
}

pub fn ann_assign(_cx: &mut Cx<'_>, l: u32, target: Expr, annotation: Expr, value: Option<Expr>) -> Built<StmtKind> {
    match &target.kind {
        ExprKind::Name(_) | ExprKind::Attribute { .. } | ExprKind::Subscript { .. } => {}
        ExprKind::List(_) => return fail("only single target (not list) can be annotated", target.span),
        ExprKind::Tuple(_) => return fail("only single target (not tuple) can be annotated", target.span),
        _ => return fail("illegal target for annotation", target.span),
    }
    let simple = matches!(target.kind, ExprKind::Name(_)) && target.span.start == l;
    Ok(StmtKind::AnnAssign {
        target: Box::new(target),
        annotation: Box::new(annotation),
        value: value.map(Box::new),
        simple,
    })
}

pub fn aug_assign(_cx: &mut Cx<'_>, target: Expr, op: BinOp, value: Expr) -> Built<StmtKind> {
    match &target.kind {
        ExprKind::Name(_) | ExprKind::Attribute { .. } | ExprKind::Subscript { .. } => {}
        _ => {
            let what = describe(&target);
            return fail(format!("'{what}' is an illegal expression for augmented assignment"), target.span);
        }
    }
    Ok(StmtKind::AugAssign { target: Box::new(target), op, value: Box::new(value) })
}

pub fn delete(_cx: &mut Cx<'_>, list: Expr) -> Built<StmtKind> {
    if let Some(wrong) = invalid_part(&list, Use::Delete) {
        return fail(format!("cannot delete {}", describe(wrong)), wrong.span);
    }
    // `del a, b` is a list of targets, `del (a, b)` one target; a lone comma makes no difference.
    let targets = match list {
        Expr { kind: ExprKind::Tuple(items), span } if _cx.source.as_bytes().get(span.start as usize) != Some(&b'(') => items,
        Expr { kind: ExprKind::Tuple(items), span } if items.first().is_some_and(|i| i.span.start == span.start) => items,
        Expr { kind: ExprKind::Tuple(items), span } if unparenthesised(_cx, &items, span) => items,
        other => vec![other],
    };
    Ok(StmtKind::Delete(targets))
}

/// True if a tuple whose text starts with `(` has that bracket from its first item: `(a), b`.
pub fn unparenthesised(cx: &Cx<'_>, items: &[Expr], whole: Span) -> bool {
    let Some(first) = items.first() else { return false };
    let text = cx.source.as_bytes();
    let end = whole.end as usize;
    if end == 0 || text.get(end - 1) != Some(&b')') {
        return true;
    }
    // Look from the end of the first item: if a `)` comes before the comma, the bracket closed there, and
    // only then can the tuple be bare.
    let mut at = first.span.end as usize;
    let mut closed = 0usize;
    while let Some(c) = text.get(at) {
        match c {
            b')' => closed += 1,
            b',' => break,
            b'#' => {
                while at < text.len() && !matches!(text[at], b'\n' | b'\r') {
                    at += 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    let mut opened = 0usize;
    let mut at = whole.start as usize;
    while at < first.span.start as usize {
        match text[at] {
            b'(' => opened += 1,
            b'#' => {
                while at < text.len() && !matches!(text[at], b'\n' | b'\r') {
                    at += 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    opened == closed
}

pub fn check_for_target(_cx: &mut Cx<'_>, target: &Expr) -> Built<()> {
    match invalid_part(target, Use::For) {
        Some(wrong) => fail(format!("cannot assign to {}", describe(wrong)), wrong.span),
        None => Ok(()),
    }
}

pub fn check_with_target(_cx: &mut Cx<'_>, target: &Expr) -> Built<()> {
    match invalid_part(target, Use::Assign) {
        Some(wrong) => fail(format!("cannot assign to {}", describe(wrong)), wrong.span),
        None => Ok(()),
    }
}

/// `target := value`.
pub fn named(_cx: &mut Cx<'_>, l: u32, target: Expr, value: Expr, r: u32) -> Built<Expr> {
    let bare = matches!(target.kind, ExprKind::Name(_)) && target.span.start == l;
    if !bare {
        return fail(
            format!("cannot use assignment expressions with {}", describe(&target)),
            target.span,
        );
    }
    Ok(expr(l, ExprKind::NamedExpr { target: Box::new(target), value: Box::new(value) }, r))
}

/// `f(<name> = value)` where the name is none.
pub fn keyword_error(name: &Expr, through_equals: Span) -> ParseError<u32, Tok, Diagnostic> {
    let error = match &name.kind {
        ExprKind::Constant(Constant::None | Constant::True | Constant::False) => {
            Diagnostic::syntax(format!("cannot assign to {}", describe(name)), through_equals)
        }
        _ => Diagnostic::syntax(
            "expression cannot contain assignment, perhaps you meant \"==\"?",
            span(through_equals.start, through_equals.end),
        ),
    };
    ParseError::User { error }
}
