//! Replacement fields of f-strings and t-strings.

use super::scene::Scene;
use crate::diagnostic::Diagnostic;
use crate::token::Tok;

pub fn explain(scene: &Scene<'_>) -> Option<Diagnostic> {
    let at = scene.at;
    let open = scene.opener(at)?;
    if scene.kind(open) != Tok::FieldOpen {
        return None;
    }
    let letter = letter(scene, open);
    let span = scene.token(at).span();
    let here = scene.kind(at);
    if at == open + 1 {
        let required = match here {
            Tok::Assign => "=",
            Tok::Bang => "!",
            Tok::SpecColon => ":",
            Tok::FieldClose => "}",
            _ => {
                return scene.fail(
                    format!("{letter}-string: expecting a valid expression after '{{'"),
                    span,
                );
            }
        };
        return scene.fail(
            format!("{letter}-string: valid expression required before '{required}'"),
            span,
        );
    }
    if let Some(lambda) = (open..at).rev().find(|i| scene.kind(*i) == Tok::Lambda)
        && here == Tok::SpecColon
    {
        return scene.fail(
            format!("{letter}-string: lambda expressions are not allowed without parentheses"),
            scene.span(lambda, at),
        );
    }
    if scene.kind(at - 1) == Tok::Bang {
        let what = if matches!(here, Tok::SpecColon | Tok::FieldClose) {
            "missing"
        } else {
            "invalid"
        };
        return scene.fail(
            format!("{letter}-string: {what} conversion character"),
            span,
        );
    }
    if scene.expressions(open + 1).is_none() && scene.kind(open + 1) != Tok::Yield {
        return scene.fail(
            format!("{letter}-string: expecting a valid expression after '{{'"),
            scene.token(open + 1).span(),
        );
    }
    if let Some(spec) = (open..at).rev().find(|i| scene.kind(*i) == Tok::SpecColon)
        && scene.opener(spec) == Some(open)
    {
        return scene.fail(
            format!("{letter}-string: expecting '}}', or format specs"),
            span,
        );
    }
    // From here on the expression must be complete.
    let end = scene.find(open + 1, |k| {
        matches!(
            k,
            Tok::Assign | Tok::Bang | Tok::SpecColon | Tok::FieldClose
        )
    })?;
    let bang = (open..at).rev().find(|i| scene.kind(*i) == Tok::Bang);
    if bang.is_some() {
        return scene.fail(format!("{letter}-string: expecting ':' or '}}'"), span);
    }
    if scene.kind(at - 1) == Tok::Assign && end == at - 1 {
        return scene.fail(
            format!("{letter}-string: expecting '!', or ':', or '}}'"),
            span,
        );
    }
    None
}

/// The last word of a field: after a complete expression something stands that cannot.
pub fn after_expression(scene: &Scene<'_>) -> Option<Diagnostic> {
    let at = scene.at;
    let open = scene.opener(at)?;
    if scene.kind(open) != Tok::FieldOpen || at <= open + 1 {
        return None;
    }
    let letter = letter(scene, open);
    if scene.parse(open + 1, at).is_some() {
        return scene.fail(
            format!("{letter}-string: expecting '=', or '!', or ':', or '}}'"),
            scene.token(at).span(),
        );
    }
    // `f'{a $ b}'`: what can be read ends before.
    let (_, end) = scene
        .expressions(open + 1)
        .filter(|(_, end)| *end < at)
        .or(None)?;
    scene.fail(
        format!("{letter}-string: expecting '=', or '!', or ':', or '}}'"),
        scene.token(end).span(),
    )
}

fn letter(scene: &Scene<'_>, open: usize) -> char {
    let mut depth = 0usize;
    for i in (0..open).rev() {
        match scene.kind(i) {
            Tok::FEnd => depth += 1,
            Tok::FStart if depth == 0 => return 'f',
            Tok::TStart if depth == 0 => return 't',
            Tok::FStart | Tok::TStart => depth -= 1,
            _ => {}
        }
    }
    'f'
}
