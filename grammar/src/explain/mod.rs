//! From "the parser cannot go on here" to a message that helps.
//!
//! Runs only when a parse has failed. It reads the tokens around the failing one; nothing of it is needed
//! to parse valid text.
//!
//! | file | what it knows |
//! |---|---|
//! | `scene` | the failing token and its surroundings; recognises expressions in a range of tokens |
//! | `blocks` | headers, colons, indentation, `try` without `except` |
//! | `statements` | imports, assignments, parameters, `print x` |
//! | `expressions` | missing commas, conditionals, comprehensions, dicts |
//! | `fields` | replacement fields of f-strings |
//!
//! Rules:
//! 1. CPython is the judge of message and place. Its parser looks for special cases from the outside in
//!    and from left to right; the rules here are asked in the same order.
//! 2. An error of the layout pass later in the text beats a parser error, as in CPython, since a missing
//!    quote or bracket is the likelier cause.
//! 3. A rule that is not sure says nothing: "invalid syntax" is better than a wrong guess.

mod blocks;
mod expressions;
mod fields;
mod scene;
mod statements;
mod typos;

use crate::ast::Span;
use crate::diagnostic::{Diagnostic, Kind};
use crate::layout::{Bracket, Lexed, Stop};
use crate::parse::{Failure, Mode};
use crate::token::Tok;
use lalrpop_util::ParseError;
use scene::Scene;

pub fn never_closed(bracket: Bracket) -> Diagnostic {
    let at = Span::new(bracket.at, bracket.at + 1);
    Diagnostic::syntax(format!("'{}' was never closed", bracket.byte as char), at)
}

/// The best message for a failed parse.
pub fn explain(
    source: &str,
    lexed: &Lexed,
    mode: Mode,
    suggest: bool,
    error: Failure,
) -> Diagnostic {
    let (failing, expected) = match error {
        // From a builder, or from the end of the tokens: see `parse::run`.
        ParseError::User { error } => return from_builder(source, lexed, error),
        ParseError::UnrecognizedToken { token, expected } => {
            (locate(lexed, token.0, token.1), expected)
        }
        ParseError::ExtraToken { token } => (locate(lexed, token.0, token.1), Vec::new()),
        ParseError::InvalidToken { .. } => (lexed.tokens.len(), Vec::new()),
        ParseError::UnrecognizedEof { expected, .. } => (lexed.tokens.len(), expected),
    };
    let scene = Scene::new(source, &lexed.tokens, failing, expected);
    let mut problem = blocks::explain(&scene)
        .or_else(|| statements::explain(&scene))
        .or_else(|| fields::explain(&scene))
        .or_else(|| expressions::explain(&scene))
        .unwrap_or_else(|| generic(&scene));
    // CPython gives up at once on an indent that it did not expect.
    if problem.message != "unexpected indent" {
        let read = if problem.message == "invalid syntax" {
            scene.token(scene.at).start
        } else {
            // To see that an expression ends, a parser reads one token more.
            let end = problem.span.end;
            let next = scene.tokens.iter().find(|t| t.start >= end);
            next.map_or(end, |t| t.start)
                .max(scene.token(scene.at).start)
        };
        let read = read as usize;
        problem = overrule(source, lexed, problem, read);
        if let Stop::Unclosed(bracket) = lexed.stop
            && scene.runs_into_end()
        {
            problem = never_closed(bracket);
        }
    }
    if mode == Mode::Interactive && scene.at_end() {
        problem.incomplete = true;
    }
    if suggest && problem.message == "invalid syntax" {
        problem.hint = typos::suggest(&scene);
    }
    problem
}

/// The index of the token of this kind at this offset.
fn locate(lexed: &Lexed, at: u32, kind: Tok) -> usize {
    let first = lexed.tokens.partition_point(|t| t.start < at);
    lexed.tokens[first..]
        .iter()
        .position(|t| t.kind == kind)
        .map_or(first, |i| first + i)
}

/// Without a special case.
fn generic(scene: &Scene<'_>) -> Diagnostic {
    let token = scene.token(scene.at);
    match token.kind {
        Tok::Indent => {
            let end = token.end as usize;
            let mut problem =
                Diagnostic::syntax("unexpected indent", Span::new(end.saturating_sub(1), end));
            problem.kind = Kind::Indentation;
            problem
        }
        Tok::Dedent => {
            let next = scene.tokens[scene.at..]
                .iter()
                .find(|t| t.kind != Tok::Dedent);
            let span = match next {
                Some(t) if !scene.at_end() => Span {
                    start: t.start,
                    end: t.start,
                },
                _ => scene.end_span(),
            };
            let mut problem = Diagnostic::syntax("unexpected unindent", span);
            problem.kind = Kind::Indentation;
            problem
        }
        _ => Diagnostic::syntax("invalid syntax", token.span()),
    }
}

/// An error that a tree builder found, or what stopped the layout pass (then the parser has read all).
fn from_builder(source: &str, lexed: &Lexed, problem: Diagnostic) -> Diagnostic {
    match &lexed.stop {
        Stop::Complete => problem,
        Stop::Error(other) if other.message == problem.message && other.span == problem.span => {
            problem
        }
        Stop::Unclosed(bracket)
            if problem.incomplete && problem.span.start as usize == bracket.at =>
        {
            problem
        }
        _ => {
            let end = problem.span.end as usize;
            overrule(source, lexed, problem, end)
        }
    }
}

/// Some errors of the layout pass come first, and so does a bracket that was never closed, if the parser
/// had read on to a later line. `read` is how far it had come.
fn overrule(source: &str, lexed: &Lexed, problem: Diagnostic, read: usize) -> Diagnostic {
    match &lexed.stop {
        Stop::Error(other) if overrules(lexed, other) => {
            let mut other = other.clone();
            other.incomplete = false;
            other
        }
        Stop::Unclosed(bracket)
            if source
                .get(bracket.at..read)
                .is_some_and(|s| s.contains('\n')) =>
        {
            never_closed(*bracket)
        }
        _ => problem,
    }
}

/// CPython looks through the rest of the text for errors of single tokens, not for those of layout, nor
/// for those inside f-strings.
fn overrules(lexed: &Lexed, error: &Diagnostic) -> bool {
    let open: isize = lexed
        .tokens
        .iter()
        .map(|t| match t.kind {
            Tok::FStart | Tok::TStart => 1,
            Tok::FEnd => -1,
            _ => 0,
        })
        .sum();
    error.kind == Kind::Syntax
        && open == 0
        && !matches!(
            error.message.as_str(),
            "unexpected EOF while parsing"
                | "unexpected character after line continuation character"
        )
}
