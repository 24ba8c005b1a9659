//! SyntaxWarnings: code that is valid but surely not meant.
//!
//! Called from the places that compile the constructs. A construct may be compiled more than once (`finally`), so each
//! warning is kept once.

use super::Gen;
use corun_grammar::ast::*;
use corun_grammar::diagnostic::Diagnostic;

impl<'a> Gen<'a> {
    pub fn warn(&mut self, message: String, span: Span) {
        let known = self
            .warnings
            .iter()
            .rev()
            .take(16)
            .any(|w| w.span == span && w.message == message);
        if !known {
            self.warnings.push(Diagnostic::syntax(message, span));
        }
    }

    /// `is` with a literal.
    pub fn warn_compare(&mut self, e: &Expr, left: &Expr, ops: &[CmpOp], rest: &[Expr]) {
        let mut left = left;
        for (op, right) in ops.iter().zip(rest) {
            if let CmpOp::Is | CmpOp::IsNot = op
                && let Some(name) = literal_kind(left).or_else(|| literal_kind(right))
            {
                let (is, equals) = if *op == CmpOp::Is {
                    ("is", "==")
                } else {
                    ("is not", "!=")
                };
                self.warn(
                    format!("\"{is}\" with '{name}' literal. Did you mean \"{equals}\"?"),
                    e.span,
                );
                return;
            }
            left = right;
        }
    }

    pub fn warn_assert(&mut self, stmt: &Stmt, test: &Expr) {
        if matches!(&test.kind, ExprKind::Tuple(items) if !items.is_empty()) {
            self.warn(
                "assertion is always true, perhaps remove parentheses?".into(),
                stmt.span,
            );
        }
    }

    /// A literal that is called or subscripted, as after a missing comma.
    pub fn warn_leaf(&mut self, node: &Expr, leaf: &Expr) {
        match &node.kind {
            ExprKind::Call { .. } => {
                if let Some(name) = display_kind(leaf, false) {
                    let text =
                        format!("'{name}' object is not callable; perhaps you missed a comma?");
                    self.warn(text, node.span);
                }
            }
            ExprKind::Subscript { index, .. } => {
                if let Some(name) = unsubscriptable(leaf) {
                    let text = format!(
                        "'{name}' object is not subscriptable; perhaps you missed a comma?"
                    );
                    self.warn(text, node.span);
                    return;
                }
                let (Some(name), Some(index)) = (sequence_kind(leaf), bad_index(index)) else {
                    return;
                };
                let text = format!(
                    "{name} indices must be integers or slices, not {index}; perhaps you missed a comma?"
                );
                self.warn(text, node.span);
            }
            _ => {}
        }
    }
}

fn constant_kind(c: &Constant) -> &'static str {
    match c {
        Constant::None => "NoneType",
        Constant::True | Constant::False => "bool",
        Constant::Ellipsis => "ellipsis",
        Constant::Int(_) => "int",
        Constant::Float(_) => "float",
        Constant::Imaginary(_) => "complex",
        Constant::Str(_) => "str",
        Constant::Bytes(_) => "bytes",
    }
}

/// Literals whose identity means nothing.
fn literal_kind(e: &Expr) -> Option<&'static str> {
    match &e.kind {
        ExprKind::Constant(
            Constant::None | Constant::True | Constant::False | Constant::Ellipsis,
        ) => None,
        ExprKind::Constant(c) => Some(constant_kind(c)),
        ExprKind::Tuple(items)
            if items
                .iter()
                .all(|i| matches!(i.kind, ExprKind::Constant(_))) =>
        {
            Some("tuple")
        }
        _ => None,
    }
}

/// The type of a literal or display. Subscripts of f-strings are fine.
fn display_kind(e: &Expr, for_subscript: bool) -> Option<&'static str> {
    Some(match &e.kind {
        ExprKind::Constant(c) => constant_kind(c),
        ExprKind::Tuple(_) => "tuple",
        ExprKind::List(_) | ExprKind::ListComp { .. } => "list",
        ExprKind::Dict { .. } | ExprKind::DictComp { .. } => "dict",
        ExprKind::Set(_) | ExprKind::SetComp { .. } => "set",
        ExprKind::GeneratorExp { .. } => "generator",
        ExprKind::JoinedStr(_) | ExprKind::FormattedValue { .. } if !for_subscript => "str",
        ExprKind::TemplateStr(_) | ExprKind::Interpolation { .. } => "string.templatelib.Template",
        _ => return None,
    })
}

fn unsubscriptable(e: &Expr) -> Option<&'static str> {
    match &e.kind {
        ExprKind::Constant(c) => match c {
            Constant::Str(_) | Constant::Bytes(_) => None,
            _ => Some(constant_kind(c)),
        },
        ExprKind::Set(_) | ExprKind::SetComp { .. } | ExprKind::GeneratorExp { .. } => {
            display_kind(e, true)
        }
        ExprKind::TemplateStr(_) | ExprKind::Interpolation { .. } => display_kind(e, true),
        ExprKind::Lambda { .. } => Some("function"),
        _ => None,
    }
}

fn sequence_kind(e: &Expr) -> Option<&'static str> {
    match &e.kind {
        ExprKind::Constant(c @ (Constant::Str(_) | Constant::Bytes(_))) => Some(constant_kind(c)),
        ExprKind::Tuple(_) => Some("tuple"),
        ExprKind::List(_) | ExprKind::ListComp { .. } => Some("list"),
        ExprKind::JoinedStr(_) | ExprKind::FormattedValue { .. } => Some("str"),
        _ => None,
    }
}

fn bad_index(e: &Expr) -> Option<&'static str> {
    match &e.kind {
        ExprKind::Constant(Constant::Int(_) | Constant::True | Constant::False) => None,
        ExprKind::Lambda { .. } => Some("function"),
        _ => display_kind(e, false),
    }
}
