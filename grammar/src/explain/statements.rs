//! Simple statements, and the heads of compound ones.

use super::scene::Scene;
use crate::ast::*;
use crate::build::target::{self, Use, describe};
use crate::diagnostic::Diagnostic;
use crate::token::Tok;

pub fn explain(scene: &Scene<'_>) -> Option<Diagnostic> {
    let start = scene.start;
    match scene.kind(start) {
        Tok::Import => import(scene),
        Tok::From => from_import(scene),
        Tok::Def | Tok::Class => parameters(scene, start),
        Tok::Async if scene.kind(start + 1) == Tok::Def => parameters(scene, start + 1),
        Tok::For => for_target(scene, start),
        Tok::Async if scene.kind(start + 1) == Tok::For => for_target(scene, start + 1),
        Tok::Except => except(scene),
        Tok::Case => case(scene),
        Tok::Type
            if scene.kind(scene.at) == Tok::RBracket
                && scene.before(scene.at) == Some(Tok::LBracket) =>
        {
            scene.fail(
                "Type parameter list cannot be empty",
                scene.token(scene.at).span(),
            )
        }
        _ => None,
    }
    .or_else(|| lambda_parameters(scene))
    .or_else(|| legacy(scene))
}

/// `import a from b`
fn import(scene: &Scene<'_>) -> Option<Diagnostic> {
    let start = scene.start;
    if scene.at == start + 1 && scene.kind(scene.at) == Tok::Newline {
        return scene.fail(
            "Expected one or more names after 'import'",
            scene.token(scene.at).span(),
        );
    }
    if scene.kind(scene.at) == Tok::From && scene.kind(scene.at + 1) == Tok::Name {
        let end = scene
            .find(scene.at, |k| matches!(k, Tok::Newline | Tok::Semicolon))
            .unwrap_or(scene.at + 2);
        let dotted = (scene.at + 1..end)
            .take_while(|i| matches!(scene.kind(*i), Tok::Name | Tok::Dot))
            .last();
        let last = dotted.unwrap_or(scene.at + 1);
        return scene.fail(
            "Did you mean to use 'from ... import ...' instead?",
            scene.span(start, last),
        );
    }
    import_target(scene)
}

fn from_import(scene: &Scene<'_>) -> Option<Diagnostic> {
    if scene.kind(scene.at) == Tok::Newline && scene.before(scene.at) == Some(Tok::Comma) {
        return scene.fail(
            "trailing comma not allowed without surrounding parentheses",
            scene.token(scene.at).span(),
        );
    }
    if scene.kind(scene.at) == Tok::Newline && scene.before(scene.at) == Some(Tok::Import) {
        return scene.fail(
            "Expected one or more names after 'import'",
            scene.token(scene.at).span(),
        );
    }
    import_target(scene)
}

/// `import a as b.c`
fn import_target(scene: &Scene<'_>) -> Option<Diagnostic> {
    let as_at = (scene.start..scene.at)
        .rev()
        .find(|i| scene.kind(*i) == Tok::As)?;
    let (e, _) = scene.expression(as_at + 1)?;
    if let ExprKind::Name(_) = e.kind {
        return None;
    }
    scene.fail(
        format!("cannot use {} as import target", describe(&e)),
        e.span,
    )
}

/// `for f() in x`, `for x of y`.
fn for_target(scene: &Scene<'_>, at: usize) -> Option<Diagnostic> {
    if let Some((target, end)) = scene.expressions(at + 1)
        && let Some(wrong) = target::invalid_part(&target, Use::For)
    {
        // `x in y` is what the target and the iterable look like together.
        if end <= scene.at && !matches!(wrong.kind, ExprKind::Compare { .. }) {
            return scene.fail(format!("cannot assign to {}", describe(wrong)), wrong.span);
        }
    }
    None
}

fn except(scene: &Scene<'_>) -> Option<Diagnostic> {
    let start = scene.start;
    if scene.kind(start + 1) == Tok::Star
        && scene.at == start + 2
        && matches!(scene.kind(scene.at), Tok::Colon | Tok::Newline)
    {
        return scene.fail(
            "expected one or more exception types",
            scene.token(scene.at).span(),
        );
    }
    None
}

/// `case 1 as x.y`
fn case(scene: &Scene<'_>) -> Option<Diagnostic> {
    let as_at = (scene.start..scene.at)
        .rev()
        .find(|i| scene.kind(*i) == Tok::As)?;
    let (e, _) = scene.expression(as_at + 1)?;
    match &e.kind {
        ExprKind::Name(name) if name.as_ref() == "_" => {
            scene.fail("cannot use '_' as a target", e.span)
        }
        ExprKind::Name(_) => None,
        _ => scene.fail(
            format!("cannot use {} as pattern target", describe(&e)),
            e.span,
        ),
    }
}

/// `print x` and `exec x`.
fn legacy(scene: &Scene<'_>) -> Option<Diagnostic> {
    let at = scene.at;
    if at == 0 || scene.kind(at - 1) != Tok::Name || scene.kind(at) == Tok::LParen {
        return None;
    }
    let name = scene.text(at - 1);
    if !matches!(name, "print" | "exec") || scene.before(at - 1) == Some(Tok::Dot) {
        return None;
    }
    let (e, _) = scene.expressions(at)?;
    scene.fail(
        format!("Missing parentheses in call to '{name}'. Did you mean {name}(...)?"),
        scene.token(at - 1).span().to(e.span),
    )
}

/// What can be wrong between the brackets of a `def`.
fn parameters(scene: &Scene<'_>, def: usize) -> Option<Diagnostic> {
    let at = scene.at;
    if scene.kind(at) == Tok::RBracket && scene.before(at) == Some(Tok::LBracket) && at == def + 3 {
        return scene.fail(
            "Type parameter list cannot be empty",
            scene.token(at).span(),
        );
    }
    if scene.kind(def) != Tok::Def {
        return None;
    }
    let open = scene.opener(at)?;
    if open != def + 2 && scene.before(open) != Some(Tok::RBracket) {
        return None;
    }
    parameter_list(scene, open + 1, "Function")
}

fn lambda_parameters(scene: &Scene<'_>) -> Option<Diagnostic> {
    // The last lambda whose colon is still to come.
    let lambda = (scene.start..scene.at)
        .rev()
        .find(|i| scene.kind(*i) == Tok::Lambda)?;
    if scene
        .find(lambda, |k| k == Tok::Colon)
        .is_some_and(|c| c < scene.at)
    {
        return None;
    }
    parameter_list(scene, lambda + 1, "Lambda expression")
}

/// Rules that hold for both kinds of list, `from` being its first token.
fn parameter_list(scene: &Scene<'_>, _from: usize, what: &str) -> Option<Diagnostic> {
    let at = scene.at;
    let span = scene.token(at).span();
    match (scene.before(at)?, scene.kind(at)) {
        (Tok::Assign, Tok::RParen | Tok::Comma) => scene.fail(
            "expected default value expression",
            scene.token(at - 1).span(),
        ),
        (Tok::LParen | Tok::Comma | Tok::Lambda, Tok::LParen) => {
            let close = scene.closer(at)?;
            // Only names, or it is something else.
            let names = (at + 1..close).all(|i| matches!(scene.kind(i), Tok::Name | Tok::Comma));
            if !names || close == at + 1 {
                return None;
            }
            scene.fail(
                format!("{what} parameters cannot be parenthesized"),
                scene.span(at, close),
            )
        }
        (Tok::Slash, Tok::Star) => scene.fail("expected comma between / and *", span),
        _ => None,
    }
}
