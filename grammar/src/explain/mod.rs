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
    let mut problem = Diagnostic::syntax(format!("'{}' was never closed", bracket.byte as char), at);
    problem.incomplete = true;
    problem
}

/// The best message for a failed parse.
pub fn explain(source: &str, lexed: &Lexed, mode: Mode, error: Failure) -> Diagnostic {
    let (at, expected) = match error {
        // From a builder, or from the end of the tokens: see `parse::run`.
        ParseError::User { error } => return overrule(source, lexed, error),
        ParseError::UnrecognizedToken { token, expected } => (token.0, expected),
        ParseError::ExtraToken { token } => (token.0, Vec::new()),
        ParseError::InvalidToken { location } => (location, Vec::new()),
        ParseError::UnrecognizedEof { expected, .. } => (u32::MAX, expected),
    };
    let failing = if at == u32::MAX { lexed.tokens.len() } else { locate(lexed, at, &expected) };
    let scene = Scene::new(source, &lexed.tokens, failing, expected);
    let mut problem = blocks::explain(&scene)
        .or_else(|| statements::explain(&scene))
        .or_else(|| fields::explain(&scene))
        .or_else(|| expressions::explain(&scene))
        .unwrap_or_else(|| generic(&scene));
    problem = overrule(source, lexed, problem);
    if mode == Mode::Interactive && scene.at_end() {
        problem.incomplete = true;
    }
    if problem.message == "invalid syntax" {
        problem.hint = typos::suggest(source, problem.span, mode);
    }
    problem
}

/// The index of the token that starts at an offset. Several may (DEDENTs are empty): the parser accepts
/// all but the last kind it names, so the first that it does not expect is meant.
fn locate(lexed: &Lexed, at: u32, expected: &[String]) -> usize {
    let first = lexed.tokens.partition_point(|t| t.start < at);
    let same = lexed.tokens[first..].iter().take_while(|t| t.start == at).count();
    for i in first..first + same {
        let kind = lexed.tokens[i].kind;
        if same == 1 || !scene::names(expected, kind) {
            return i;
        }
    }
    first
}

/// Without a special case.
fn generic(scene: &Scene<'_>) -> Diagnostic {
    let token = scene.token(scene.at);
    match token.kind {
        Tok::Indent => {
            let end = token.end as usize;
            let mut problem = Diagnostic::syntax("unexpected indent", Span::new(end.saturating_sub(1), end));
            problem.kind = Kind::Indentation;
            problem
        }
        Tok::Dedent => {
            let mut problem = Diagnostic::syntax("invalid syntax", token.span());
            // What stands after the end of the block is at fault, if anything stands there.
            let next = scene.tokens[scene.at..].iter().find(|t| t.kind != Tok::Dedent);
            if let Some(next) = next {
                problem.span = next.span();
            }
            problem
        }
        _ => Diagnostic::syntax("invalid syntax", token.span()),
    }
}

/// An error of the layout pass comes first, and so does a bracket that was never closed, if the parser
/// gave up on a later line.
fn overrule(source: &str, lexed: &Lexed, problem: Diagnostic) -> Diagnostic {
    match &lexed.stop {
        Stop::Complete => problem,
        Stop::Error(other) => other.clone(),
        Stop::Unclosed(bracket) => {
            let end = (problem.span.start as usize).min(source.len());
            if source[..end].len() > bracket.at && source.as_bytes()[bracket.at..end].contains(&b'\n') {
                return never_closed(*bracket);
            }
            let mut problem = problem;
            // What ends at the end of the text may go on.
            problem.incomplete = problem.incomplete || source.trim_end().len() == bracket.at + 1;
            problem
        }
    }
}
