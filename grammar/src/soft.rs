//! Decisions that need to look ahead in the token list, so that the grammar need not.
//!
//! Runs once over the finished tokens, between `layout` and the parser.
//!
//! 1. `match`, `case` and `type` arrive as keywords; where they are names they become `Name` here.
//!    - `match` is a keyword at the start of a line that ends with `:`.
//!    - `case` is a keyword at the start of a line of a block that a `match` line opened.
//!    - `type` is a keyword at the start of a statement when a name follows.
//! 2. The `(` after `with` becomes `WithParen` when an `as` stands directly inside the brackets: nothing
//!    but a list of context managers can hold one.

use crate::token::{Tok, Token};

pub fn decide(tokens: &mut [Token]) {
    // For each open block: is it the block of a match statement?
    let mut blocks: Vec<bool> = vec![false];
    let mut match_line = false;
    let mut line_start = true;
    let mut statement_start = true;
    for i in 0..tokens.len() {
        let kind = tokens[i].kind;
        match kind {
            Tok::Newline => {
                line_start = true;
                statement_start = true;
                continue;
            }
            Tok::Indent => {
                blocks.push(match_line);
                match_line = false;
                continue;
            }
            Tok::Dedent => {
                blocks.pop();
                continue;
            }
            Tok::Match => {
                if line_start && is_match_line(tokens, i) {
                    match_line = true;
                } else {
                    tokens[i].kind = Tok::Name;
                }
            }
            Tok::Case if line_start && blocks.last() == Some(&true) => {}
            Tok::Case => tokens[i].kind = Tok::Name,
            Tok::Type => {
                let name_next = tokens
                    .get(i + 1)
                    .is_some_and(|t| t.kind == Tok::Name || t.kind.is_soft_keyword());
                if !(statement_start && name_next) {
                    tokens[i].kind = Tok::Name;
                }
            }
            Tok::With if holds_as(tokens, i + 1) => tokens[i + 1].kind = Tok::WithParen,
            _ => {}
        }
        if line_start {
            match_line = tokens[i].kind == Tok::Match;
        }
        line_start = false;
        // A one-line body may begin after a colon. A colon elsewhere is harmless: `x[a:type b]` is wrong
        // in either reading.
        statement_start = matches!(kind, Tok::Semicolon | Tok::Colon);
    }
}

/// True if the line that starts with `match` at `at` is the head of a match statement.
fn is_match_line(tokens: &[Token], at: usize) -> bool {
    match tokens.get(at + 1).map(|t| t.kind) {
        None
        | Some(Tok::Newline | Tok::Colon | Tok::Assign | Tok::Dot | Tok::Comma | Tok::RParen) => {
            return false;
        }
        Some(kind) if kind.is_augmented_assign() => return false,
        Some(_) => {}
    }
    let mut depth = 0usize;
    let mut last_colon = false;
    for token in &tokens[at + 1..] {
        match token.kind {
            Tok::Newline => break,
            kind if kind.opens() => depth += 1,
            kind if kind.closes() => depth = depth.saturating_sub(1),
            _ => {}
        }
        last_colon = depth == 0 && token.kind == Tok::Colon;
    }
    last_colon
}

/// True if a parenthesis opens at `at` and has an `as` directly inside.
fn holds_as(tokens: &[Token], at: usize) -> bool {
    if tokens.get(at).is_none_or(|t| t.kind != Tok::LParen) {
        return false;
    }
    let mut depth = 0usize;
    for token in &tokens[at..] {
        match token.kind {
            Tok::As if depth == 1 => return true,
            kind if kind.opens() => depth += 1,
            kind if kind.closes() => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return false;
                }
            }
            _ => {}
        }
    }
    false
}
