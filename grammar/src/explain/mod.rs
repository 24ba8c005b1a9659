//! From "the parser cannot go on here" to a message that helps.

use crate::ast::Span;
use crate::diagnostic::{Diagnostic, Kind};
use crate::layout::{Bracket, Lexed};
use crate::parse::{Failure, Mode};
use crate::token::Tok;
use lalrpop_util::ParseError;

pub fn never_closed(bracket: Bracket) -> Diagnostic {
    let mut problem =
        Diagnostic::syntax(format!("'{}' was never closed", bracket.byte as char), Span::new(bracket.at, bracket.at + 1));
    problem.incomplete = true;
    problem
}

pub fn explain(_source: &str, _lexed: &Lexed, _mode: Mode, error: Failure) -> Diagnostic {
    match error {
        ParseError::User { error } => error,
        ParseError::UnrecognizedToken { token: (l, tok, r), .. } | ParseError::ExtraToken { token: (l, tok, r) } => {
            let mut d = Diagnostic::syntax("invalid syntax", Span { start: l, end: r });
            if tok == Tok::Indent {
                d.kind = Kind::Indentation;
                d.message = "unexpected indent".into();
            }
            d
        }
        ParseError::InvalidToken { location } => {
            Diagnostic::syntax("invalid syntax", Span { start: location, end: location })
        }
        ParseError::UnrecognizedEof { location, .. } => {
            Diagnostic::syntax("invalid syntax", Span { start: location, end: location })
        }
    }
}
