//! Headers of compound statements and their blocks.

use super::scene::Scene;
use crate::diagnostic::{Diagnostic, Kind};
use crate::token::Tok;

pub fn explain(scene: &Scene<'_>) -> Option<Diagnostic> {
    missing_block(scene)
        .or_else(|| expected_paren(scene))
        .or_else(|| expected_colon(scene))
        .or_else(|| elif_after_else(scene))
        .or_else(|| lonely_try(scene))
}

/// What CPython calls the statement that a header begins, and the token whose line it names.
fn header(scene: &Scene<'_>, start: usize) -> Option<(String, usize)> {
    let (start, kind) = match scene.kind(start) {
        Tok::Async => (start + 1, scene.kind(start + 1)),
        kind => (start, kind),
    };
    let name = match kind {
        Tok::Def => "function definition".to_string(),
        Tok::Class => "class definition".to_string(),
        Tok::Except if scene.kind(start + 1) == Tok::Star => "'except*' statement".to_string(),
        Tok::If
        | Tok::Elif
        | Tok::Else
        | Tok::For
        | Tok::While
        | Tok::With
        | Tok::Try
        | Tok::Except
        | Tok::Finally
        | Tok::Match
        | Tok::Case => format!("'{}' statement", kind.text()),
        _ => return None,
    };
    Some((name, start))
}

/// `if x:` and then no deeper line.
fn missing_block(scene: &Scene<'_>) -> Option<Diagnostic> {
    let at = scene.at;
    if at < 2
        || scene.kind(at) == Tok::Indent
        || scene.kind(at - 1) != Tok::Newline
        || scene.kind(at - 2) != Tok::Colon
    {
        return None;
    }
    let mut start = at - 2;
    while start > 0
        && !matches!(
            scene.kind(start - 1),
            Tok::Newline | Tok::Indent | Tok::Dedent
        )
    {
        start -= 1;
    }
    let (name, keyword) = header(scene, start)?;
    let offset = scene.token(keyword).start as usize;
    let line = scene.source[..offset].matches('\n').count() + 1;
    let next = scene.tokens[at..]
        .iter()
        .find(|t| t.kind != Tok::Dedent && t.start < scene.source.len() as u32);
    let span = match next {
        Some(token) => token.span(),
        None => scene.end_span(),
    };
    let mut problem = Diagnostic::syntax(
        format!("expected an indented block after {name} on line {line}"),
        span,
    );
    problem.kind = Kind::Indentation;
    Some(problem)
}

/// `def f:`
fn expected_paren(scene: &Scene<'_>) -> Option<Diagnostic> {
    let def = if scene.kind(scene.line) == Tok::Async {
        scene.line + 1
    } else {
        scene.line
    };
    let in_head =
        scene.kind(def) == Tok::Def && scene.at > def + 1 && scene.depth_after(scene.at - 1) == 0;
    if in_head
        && scene.expects(Tok::LParen)
        && (scene.at == def + 2 || scene.kind(scene.at - 1) == Tok::RBracket)
    {
        return scene.fail("expected '('", scene.token(scene.at).span());
    }
    None
}

/// A header without its colon.
fn expected_colon(scene: &Scene<'_>) -> Option<Diagnostic> {
    // `match x` without its colon has been taken for a name.
    if scene.kind(scene.line) == Tok::Name
        && matches!(scene.text(scene.line), "match" | "case")
        && scene.at == scene.line + 1
        && let Some((_, end)) = scene.expressions(scene.at)
        && scene.kind(end) == Tok::Newline
    {
        return scene.fail("expected ':'", scene.token(end).span());
    }
    if !scene.expects(Tok::Colon) || scene.at == scene.line || scene.depth_after(scene.at - 1) != 0
    {
        return None;
    }
    let start = if scene.kind(scene.line) == Tok::Async {
        scene.line + 1
    } else {
        scene.line
    };
    // One colon is there: what is missing is something else.
    if scene
        .find(start, |k| k == Tok::Colon)
        .is_some_and(|c| c < scene.at)
        && !matches!(
            scene.kind(start),
            Tok::If | Tok::While | Tok::For | Tok::With | Tok::Match | Tok::Case | Tok::Elif
        )
    {
        return None;
    }
    let at_newline = scene.kind(scene.at) == Tok::Newline;
    let here = match scene.kind(start) {
        // Nothing else can follow: CPython insists at once.
        Tok::Else | Tok::Try | Tok::Finally => scene.at == start + 1,
        Tok::Def => scene.tokens[start..scene.at]
            .iter()
            .any(|t| t.kind == Tok::RParen),
        Tok::If
        | Tok::Elif
        | Tok::While
        | Tok::For
        | Tok::With
        | Tok::Class
        | Tok::Except
        | Tok::Match
        | Tok::Case => at_newline,
        _ => false,
    };
    if here {
        return scene.fail("expected ':'", scene.token(scene.at).span());
    }
    None
}

fn elif_after_else(scene: &Scene<'_>) -> Option<Diagnostic> {
    if scene.kind(scene.at) != Tok::Elif || scene.at == 0 {
        return None;
    }
    // Back over the block before: the first line at this depth is the header that it belongs to.
    let mut depth = 0usize;
    for i in (0..scene.at).rev() {
        match scene.kind(i) {
            Tok::Dedent => depth += 1,
            Tok::Indent => depth = depth.checked_sub(1)?,
            kind if depth == 0 && starts_line(scene, i) => {
                if kind != Tok::Else {
                    return None;
                }
                let at = scene.token(scene.at).span();
                return scene.fail("'elif' block follows an 'else' block", at);
            }
            _ => {}
        }
    }
    None
}

fn starts_line(scene: &Scene<'_>, i: usize) -> bool {
    matches!(
        scene.before(i),
        None | Some(Tok::Newline | Tok::Indent | Tok::Dedent)
    )
}

/// `try:` with its block, and nothing that goes with it.
fn lonely_try(scene: &Scene<'_>) -> Option<Diagnostic> {
    if scene.expects(Tok::Except) && scene.expects(Tok::Finally) && !scene.expects(Tok::Name) {
        let token = scene.tokens[scene.at..]
            .iter()
            .find(|t| t.kind != Tok::Dedent);
        let span = match token {
            Some(t) if !scene.at_end() => t.span(),
            _ => scene.end_span(),
        };
        return scene.fail("expected 'except' or 'finally' block", span);
    }
    None
}
