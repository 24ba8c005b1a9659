//! Expressions back to text, for annotations that stay strings.
//!
//! Under `from __future__ import annotations` CPython stores the text of the tree, not of the source: `List [ int ]`
//! becomes `List[int]`. What is rare in annotations is taken from the source as it stands.

use corun_grammar::ast::*;

pub fn unparse(e: &Expr, source: &str) -> String {
    let mut out = String::new();
    write(e, source, &mut out, 0);
    out
}

/// Binding strength of the operators that annotations use. ORDER: higher binds tighter.
fn strength(op: BinOp) -> u8 {
    match op {
        BinOp::BitOr => 5,
        BinOp::BitXor => 6,
        BinOp::BitAnd => 7,
        BinOp::LShift | BinOp::RShift => 8,
        BinOp::Add | BinOp::Sub => 9,
        BinOp::Mul | BinOp::MatMul | BinOp::Div | BinOp::Mod | BinOp::FloorDiv => 10,
        BinOp::Pow => 12,
    }
}

fn symbol(op: BinOp) -> &'static str {
    match op {
        BinOp::Add => "+",
        BinOp::Sub => "-",
        BinOp::Mul => "*",
        BinOp::MatMul => "@",
        BinOp::Div => "/",
        BinOp::Mod => "%",
        BinOp::Pow => "**",
        BinOp::LShift => "<<",
        BinOp::RShift => ">>",
        BinOp::BitOr => "|",
        BinOp::BitXor => "^",
        BinOp::BitAnd => "&",
        BinOp::FloorDiv => "//",
    }
}

const ATOM: u8 = 14;

fn write(e: &Expr, source: &str, out: &mut String, around: u8) {
    match &e.kind {
        ExprKind::Name(name) => out.push_str(name),
        ExprKind::Constant(c) => constant(c, e, source, out),
        ExprKind::Attribute { value, attr } => {
            write(value, source, out, ATOM);
            out.push('.');
            out.push_str(&attr.name);
        }
        ExprKind::Subscript { value, index } => {
            write(value, source, out, ATOM);
            out.push('[');
            match &index.kind {
                ExprKind::Tuple(items) if !items.is_empty() => {
                    list(items, source, out);
                    if items.len() == 1 {
                        out.push(',');
                    }
                }
                _ => write(index, source, out, 0),
            }
            out.push(']');
        }
        ExprKind::List(items) => {
            out.push('[');
            list(items, source, out);
            out.push(']');
        }
        ExprKind::Tuple(items) => {
            out.push('(');
            list(items, source, out);
            if items.len() == 1 {
                out.push(',');
            }
            out.push(')');
        }
        ExprKind::Starred(inner) => {
            out.push('*');
            write(inner, source, out, 5);
        }
        ExprKind::BinOp { left, op, right } => {
            let own = strength(*op);
            if around > own {
                out.push('(');
            }
            write(left, source, out, own);
            out.push(' ');
            out.push_str(symbol(*op));
            out.push(' ');
            write(right, source, out, own + 1);
            if around > own {
                out.push(')');
            }
        }
        ExprKind::UnaryOp {
            op: UnaryOp::USub,
            operand,
        } => {
            out.push('-');
            write(operand, source, out, 11);
        }
        ExprKind::Call {
            func,
            args,
            keywords,
        } => {
            write(func, source, out, ATOM);
            out.push('(');
            list(args, source, out);
            for (i, keyword) in keywords.iter().enumerate() {
                if i > 0 || !args.is_empty() {
                    out.push_str(", ");
                }
                match &keyword.name {
                    Some(name) => {
                        out.push_str(name);
                        out.push('=');
                    }
                    None => out.push_str("**"),
                }
                write(&keyword.value, source, out, 0);
            }
            out.push(')');
        }
        _ => {
            let text = source
                .get(e.span.start as usize..e.span.end as usize)
                .unwrap_or("");
            out.push_str(text);
        }
    }
}

fn list(items: &[Expr], source: &str, out: &mut String) {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        write(item, source, out, 0);
    }
}

fn constant(c: &Constant, e: &Expr, source: &str, out: &mut String) {
    match c {
        Constant::None => out.push_str("None"),
        Constant::True => out.push_str("True"),
        Constant::False => out.push_str("False"),
        Constant::Ellipsis => out.push_str("..."),
        Constant::Int(n) => out.push_str(&n.to_string()),
        Constant::Str(s) if s.chars().all(|c| !c.is_control() && c != '\\') => {
            let quote = if s.contains('\'') && !s.contains('"') {
                '"'
            } else {
                '\''
            };
            out.push(quote);
            for c in s.chars() {
                if c == quote {
                    out.push('\\');
                }
                out.push(c);
            }
            out.push(quote);
        }
        _ => out.push_str(
            source
                .get(e.span.start as usize..e.span.end as usize)
                .unwrap_or(""),
        ),
    }
}
