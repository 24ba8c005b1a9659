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
        ExprKind::List(items) | ExprKind::Tuple(items) => {
            items.iter().find_map(|item| invalid_part(item, usage))
        }
        ExprKind::Starred(inner) => {
            if usage == Use::Delete {
                return Some(e);
            }
            invalid_part(inner, usage)
        }
        _ => Some(e),
    }
}

/// True if the expression stands in parentheses of its own.
pub fn parenthesised(source: &str, at: Span) -> bool {
    let before = source.get(..at.start as usize).unwrap_or("").trim_end();
    let after = source.get(at.end as usize..).unwrap_or("").trim_start();
    before.ends_with('(') && after.starts_with(')')
}

/// The part of a value that CPython's `bitwise_or` would read first, if it starts with one.
fn leading_operand<'e>(source: &str, e: &'e Expr) -> Option<&'e Expr> {
    if parenthesised(source, e.span) {
        return Some(e);
    }
    match &e.kind {
        ExprKind::Compare { left, .. } => leading_operand(source, left),
        ExprKind::BoolOp { values, .. } => leading_operand(source, values.first()?),
        ExprKind::IfExp { body, .. } => leading_operand(source, body),
        ExprKind::Tuple(items) if unparenthesised(source, items, e.span) => {
            leading_operand(source, items.first()?)
        }
        ExprKind::UnaryOp {
            op: UnaryOp::Not, ..
        }
        | ExprKind::Lambda { .. }
        | ExprKind::Yield(_)
        | ExprKind::YieldFrom(_)
        | ExprKind::Starred(_)
        | ExprKind::NamedExpr { .. } => None,
        _ => Some(e),
    }
}

/// What is wrong with the targets of an assignment. `operand` is the first operand behind the first `=`,
/// if it could be read and no other `=` follows it.
pub fn complain(source: &str, targets: &[Expr], operand: Option<Span>) -> Option<(String, Span)> {
    let bare_yield = |t: &Expr| {
        matches!(t.kind, ExprKind::Yield(_) | ExprKind::YieldFrom(_))
            && !parenthesised(source, t.span)
    };
    let wrong = targets.iter().find_map(|t| {
        if bare_yield(t) {
            Some(t)
        } else {
            invalid_part(t, Use::Assign)
        }
    })?;
    // What stands next to the `=` was perhaps meant as one side of a comparison.
    if let (Some(operand), Some(first)) = (operand, targets.first()) {
        let last = match &first.kind {
            ExprKind::Tuple(items) if unparenthesised(source, items, first.span) => items.last()?,
            _ => first,
        };
        if let ExprKind::Name(_) = last.kind {
            let message = "invalid syntax. Maybe you meant '==' or ':=' instead of '='?";
            return Some((message.into(), last.span.to(operand)));
        }
        if compares(source, last) {
            let what = describe(last);
            return Some((
                format!("cannot assign to {what} here. Maybe you meant '==' instead of '='?"),
                last.span,
            ));
        }
    }
    if targets
        .iter()
        .any(|t| std::ptr::eq(t, wrong) && bare_yield(t))
    {
        return Some((
            "assignment to yield expression not possible".into(),
            wrong.span,
        ));
    }
    Some((format!("cannot assign to {}", describe(wrong)), wrong.span))
}

/// `f() = 1` and the like.
pub fn assign(cx: &mut Cx<'_>, targets: Vec<Expr>, value: Expr) -> Built<StmtKind> {
    if targets
        .iter()
        .any(|t| invalid_part(t, Use::Assign).is_some())
    {
        let next = targets.get(1).unwrap_or(&value);
        let operand = leading_operand(cx.source, next).map(|e| e.span);
        // The whole of a second target is followed by `=`.
        let operand = operand.filter(|at| targets.len() == 1 || *at != next.span);
        if let Some((message, at)) = complain(cx.source, &targets, operand) {
            return fail(message, at);
        }
    }
    Ok(StmtKind::Assign {
        targets,
        value: Box::new(value),
    })
}

/// True if the expression could stand beside `==`, and is not of the kinds that CPython leaves out.
fn compares(source: &str, e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Constant(Constant::None | Constant::True | Constant::False) => false,
        ExprKind::List(_)
        | ExprKind::Tuple(_)
        | ExprKind::GeneratorExp { .. }
        | ExprKind::Starred(_) => false,
        ExprKind::UnaryOp {
            op: UnaryOp::Not, ..
        }
        | ExprKind::BoolOp { .. }
        | ExprKind::Compare { .. }
        | ExprKind::IfExp { .. }
        | ExprKind::Lambda { .. }
        | ExprKind::NamedExpr { .. }
        | ExprKind::Yield(_)
        | ExprKind::YieldFrom(_) => parenthesised(source, e.span),
        _ => true,
    }
}

pub fn ann_assign(
    cx: &mut Cx<'_>,
    l: u32,
    target: Expr,
    annotation: Expr,
    value: Option<Expr>,
) -> Built<StmtKind> {
    match &target.kind {
        ExprKind::Name(_) | ExprKind::Attribute { .. } | ExprKind::Subscript { .. } => {}
        ExprKind::List(_) => {
            return fail(
                "only single target (not list) can be annotated",
                target.span,
            );
        }
        ExprKind::Tuple(items) => {
            let at = match items.first() {
                Some(first) if unparenthesised(cx.source, items, target.span) => first.span,
                _ => target.span,
            };
            return fail("only single target (not tuple) can be annotated", at);
        }
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

pub fn aug_assign(target: Expr, op: BinOp, value: Expr) -> Built<StmtKind> {
    match &target.kind {
        ExprKind::Name(_) | ExprKind::Attribute { .. } | ExprKind::Subscript { .. } => {}
        _ => {
            let what = describe(&target);
            return fail(
                format!("'{what}' is an illegal expression for augmented assignment"),
                target.span,
            );
        }
    }
    Ok(StmtKind::AugAssign {
        target: Box::new(target),
        op,
        value: Box::new(value),
    })
}

pub fn delete(cx: &mut Cx<'_>, list: Expr) -> Built<StmtKind> {
    if let Some(wrong) = invalid_part(&list, Use::Delete) {
        return fail(format!("cannot delete {}", describe(wrong)), wrong.span);
    }
    // `del a, b` is a list of targets, `del (a, b)` one target.
    let targets = match list {
        Expr {
            kind: ExprKind::Tuple(items),
            span,
        } if unparenthesised(cx.source, &items, span) => items,
        other => vec![other],
    };
    Ok(StmtKind::Delete(targets))
}

/// True for a tuple without parentheses of its own; `(a), b` is one, too.
pub fn unparenthesised(source: &str, items: &[Expr], whole: Span) -> bool {
    let text = source.as_bytes();
    if text.get(whole.start as usize) != Some(&b'(') {
        return true;
    }
    let Some(first) = items.first() else {
        return false;
    };
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

pub fn check_for_target(target: &Expr) -> Built<()> {
    match invalid_part(target, Use::For) {
        Some(wrong) => fail(format!("cannot assign to {}", describe(wrong)), wrong.span),
        None => Ok(()),
    }
}

pub fn check_with_target(target: &Expr) -> Built<()> {
    match invalid_part(target, Use::Assign) {
        Some(wrong) => fail(format!("cannot assign to {}", describe(wrong)), wrong.span),
        None => Ok(()),
    }
}

/// `target := value`.
pub fn named(l: u32, target: Expr, value: Expr, r: u32) -> Built<Expr> {
    let bare = matches!(target.kind, ExprKind::Name(_)) && target.span.start == l;
    if !bare {
        return fail(
            format!(
                "cannot use assignment expressions with {}",
                describe(&target)
            ),
            target.span,
        );
    }
    Ok(expr(
        l,
        ExprKind::NamedExpr {
            target: Box::new(target),
            value: Box::new(value),
        },
        r,
    ))
}

/// `f(<name> = value)` where the name is none.
pub fn keyword_error(name: &Expr, through_equals: Span) -> ParseError<u32, Tok, Diagnostic> {
    let error = match &name.kind {
        ExprKind::Constant(Constant::None | Constant::True | Constant::False) => {
            Diagnostic::syntax(
                format!("cannot assign to {}", describe(name)),
                through_equals,
            )
        }
        _ => Diagnostic::syntax(
            "expression cannot contain assignment, perhaps you meant \"==\"?",
            span(through_equals.start, through_equals.end),
        ),
    };
    ParseError::User { error }
}
