//! `from __future__ import ...`: which features a file asks for, and that it asks at its beginning.

use super::{Res, fail};
use corun_grammar::ast::*;

/// Every feature that was ever optional. All but `annotations` are part of the language by now.
const FEATURES: [&str; 10] = [
    "nested_scopes",
    "generators",
    "division",
    "absolute_import",
    "with_statement",
    "print_function",
    "unicode_literals",
    "barry_as_FLUFL",
    "generator_stop",
    "annotations",
];

/// True if annotations are to stay strings.
pub fn annotations(body: &[Stmt]) -> Res<bool> {
    let mut found = false;
    let mut beginning = true;
    for (i, stmt) in body.iter().enumerate() {
        match &stmt.kind {
            StmtKind::ImportFrom {
                module: Some(module),
                names,
                level: 0,
            } if module.name.as_ref() == "__future__" => {
                if !beginning {
                    return fail(
                        "from __future__ imports must occur at the beginning of the file",
                        stmt.span,
                    );
                }
                for alias in names {
                    let name = alias.name.as_ref();
                    if name == "braces" {
                        return fail("not a chance", alias.span);
                    }
                    if !FEATURES.contains(&name) {
                        return fail(format!("future feature {name} is not defined"), alias.span);
                    }
                    found |= name == "annotations";
                }
            }
            StmtKind::Expr(e)
                if i == 0 && matches!(e.kind, ExprKind::Constant(Constant::Str(_))) => {}
            _ => {
                beginning = false;
                nested(stmt)?;
            }
        }
    }
    Ok(found)
}

/// Future imports in the blocks of a statement are out of place.
fn nested(stmt: &Stmt) -> Res {
    let mut todo: Vec<&[Stmt]> = Vec::new();
    push_blocks(stmt, &mut todo);
    while let Some(block) = todo.pop() {
        for stmt in block {
            if let StmtKind::ImportFrom {
                module: Some(module),
                level: 0,
                ..
            } = &stmt.kind
                && module.name.as_ref() == "__future__"
            {
                return fail(
                    "from __future__ imports must occur at the beginning of the file",
                    stmt.span,
                );
            }
            push_blocks(stmt, &mut todo);
        }
    }
    Ok(())
}

fn push_blocks<'a>(stmt: &'a Stmt, todo: &mut Vec<&'a [Stmt]>) {
    match &stmt.kind {
        StmtKind::FunctionDef(f) => todo.push(&f.body),
        StmtKind::ClassDef(c) => todo.push(&c.body),
        StmtKind::If { body, orelse, .. } | StmtKind::While { body, orelse, .. } => {
            todo.extend([&body[..], orelse])
        }
        StmtKind::For(f) => todo.extend([&f.body[..], &f.orelse]),
        StmtKind::With { body, .. } => todo.push(body),
        StmtKind::Try(t) => {
            todo.extend([&t.body[..], &t.orelse, &t.finalbody]);
            todo.extend(t.handlers.iter().map(|h| &h.body[..]));
        }
        StmtKind::Match { cases, .. } => todo.extend(cases.iter().map(|c| &c.body[..])),
        _ => {}
    }
}
