//! The layout pass: from raw tokens to the token list that the parser reads.
//!
//! Second step of the front end. It drives the logos lexer and adds what depends on context: NEWLINE,
//! INDENT and DEDENT, line continuation, brackets (inside them line ends mean nothing), the pieces of
//! f-strings and t-strings.
//!
//! Rules:
//! 1. It stops at the first error and keeps the tokens before it: the parser may find a better error in
//!    them (`explain` weighs the two).
//! 2. Messages and places are those of CPython's tokenizer; limits, too, so that no input can nest deeper
//!    than later stages allow.

mod indent;
mod strings;

use crate::ast::Span;
use crate::diagnostic::Diagnostic;
use crate::literal::Quote;
use crate::number;
use crate::token::{Tok, Token};
use crate::unicode;
use logos::Logos;

/// CPython's limits.
const MAX_BRACKETS: usize = 200;
const MAX_INDENTS: usize = 100;
const MAX_FSTRINGS: usize = 150;
/// Fields inside format specifications inside fields ...
const MAX_SPEC_NESTING: usize = 3;

/// An open bracket.
#[derive(Clone, Copy, Debug)]
pub struct Bracket {
    pub byte: u8,
    pub at: usize,
}

/// How the text ended.
#[derive(Debug)]
pub enum Stop {
    /// At its end, with everything closed.
    Complete,
    /// At its end, inside this bracket.
    Unclosed(Bracket),
    /// At an error. `incomplete` is set in it when only the end of the text made it one.
    Error(Diagnostic),
}

/// The token list and what is to be said about it.
pub struct Lexed {
    pub tokens: Vec<Token>,
    pub stop: Stop,
    pub warnings: Vec<Diagnostic>,
}

/// What kind of text the next character belongs to.
#[derive(Clone, Copy, Debug)]
enum Mode {
    /// Literal text of an f-string or t-string.
    Text(FString),
    /// The expression of a replacement field; `level` is the bracket depth inside its brace.
    Field { level: usize },
    /// A format specification.
    Spec(FString),
}

#[derive(Clone, Copy, Debug)]
struct FString {
    quote: Quote,
    raw: bool,
    template: bool,
    /// Where its prefix starts.
    start: usize,
    /// How many fields of this string are open.
    fields: usize,
}

impl FString {
    fn letter(&self) -> char {
        if self.template { 't' } else { 'f' }
    }
}

/// The width of an indentation with tab stops at 8 and at 1: if the two orders differ, tabs and spaces
/// are mixed in a way that depends on the width of a tab.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Indent {
    column: usize,
    alternative: usize,
}

struct Layout<'s> {
    source: &'s str,
    text: &'s [u8],
    lexer: logos::Lexer<'s, Tok>,
    tokens: Vec<Token>,
    warnings: Vec<Diagnostic>,
    brackets: Vec<Bracket>,
    indents: Vec<Indent>,
    modes: Vec<Mode>,
}

type Step<T = ()> = Result<T, Diagnostic>;

/// Turns source text into the parser's tokens (soft keywords are still undecided, see `soft`).
pub fn lex(source: &str) -> Lexed {
    let mut layout = Layout {
        source,
        text: source.as_bytes(),
        lexer: Tok::lexer(source),
        tokens: Vec::with_capacity(source.len() / 4 + 8),
        warnings: Vec::new(),
        brackets: Vec::new(),
        indents: vec![Indent {
            column: 0,
            alternative: 0,
        }],
        modes: Vec::new(),
    };
    let stop = match layout.run() {
        Err(problem) => Stop::Error(problem),
        Ok(()) => match layout.brackets.last() {
            Some(&bracket) => Stop::Unclosed(bracket),
            None => Stop::Complete,
        },
    };
    Lexed {
        tokens: layout.tokens,
        stop,
        warnings: layout.warnings,
    }
}

impl<'s> Layout<'s> {
    fn pos(&self) -> usize {
        self.lexer.span().end
    }

    fn push(&mut self, kind: Tok, start: usize, end: usize) {
        self.tokens.push(Token {
            kind,
            start: start as u32,
            end: end as u32,
        });
    }

    /// Moves the lexer to a later offset.
    fn seek(&mut self, to: usize) {
        let here = self.pos();
        self.lexer.bump(to - here);
    }

    fn run(&mut self) -> Step {
        self.indentation()?;
        // Where the comment on this line starts.
        let mut comment = None;
        loop {
            match self.modes.last().copied() {
                Some(Mode::Text(string)) => {
                    self.piece(string, false)?;
                    continue;
                }
                Some(Mode::Spec(string)) => {
                    self.piece(string, true)?;
                    continue;
                }
                Some(Mode::Field { .. }) | None => {}
            }
            let Some(found) = self.lexer.next() else {
                break;
            };
            let span = self.lexer.span();
            let Ok(kind) = found else {
                self.unknown(span.start)?;
                continue;
            };
            match kind {
                Tok::LineEnd => {
                    if !self.brackets.is_empty() {
                        comment = None;
                    } else {
                        // A comment is part of the line's end.
                        let start = comment.take().filter(|at| span.start > *at);
                        self.push(Tok::Newline, start.unwrap_or(span.start), span.end);
                        self.indentation()?;
                    }
                }
                Tok::Comment => comment = Some(span.start),
                Tok::Backslash => self.continuation(span.start)?,
                Tok::Name => {
                    self.check_prefix(span.start, span.end)?;
                    self.check_name(span.start, span.end)?;
                    self.push(Tok::Name, span.start, span.end);
                }
                Tok::NumberStart => self.number(span.start)?,
                Tok::Quote => self.string(span.start, span.end - 1)?,
                Tok::FQuote => self.fstring(span.start, span.end - 1)?,
                Tok::LParen | Tok::LBracket | Tok::LBrace => self.open(kind, span.start)?,
                Tok::RParen | Tok::RBracket | Tok::RBrace => self.close(kind, span.start)?,
                Tok::Colon | Tok::Walrus | Tok::Bang if self.field_level() => {
                    self.field_punctuation(kind, span.start);
                }
                _ => self.push(kind, span.start, span.end),
            }
        }
        self.finish();
        Ok(())
    }

    /// The tokens that the end of the text stands for.
    fn finish(&mut self) {
        if !self.brackets.is_empty() {
            return;
        }
        let end = self.text.len();
        if self
            .tokens
            .last()
            .is_some_and(|t| t.kind != Tok::Newline && t.kind != Tok::Dedent)
        {
            self.push(Tok::Newline, end, end);
        }
        for _ in 1..self.indents.len() {
            self.push(Tok::Dedent, end, end);
        }
    }

    // ---- names and characters ------------------------------------------------------------------

    fn check_name(&self, start: usize, end: usize) -> Step {
        let name = &self.source[start..end];
        if name.is_ascii() {
            return Ok(());
        }
        for (i, c) in name.char_indices() {
            let fits = if i == 0 {
                unicode_ident::is_xid_start(c) || c == '_'
            } else {
                unicode_ident::is_xid_continue(c)
            };
            if !fits {
                return Err(invalid_character(c, start + i));
            }
        }
        Ok(())
    }

    /// `bf"..."`: letters that are string prefixes, but not together.
    fn check_prefix(&self, start: usize, end: usize) -> Step {
        if end - start < 2 || end - start > 5 || !matches!(self.text.get(end), Some(b'"' | b'\'')) {
            return Ok(());
        }
        let name = self.source[start..end].to_ascii_lowercase();
        // All ASCII from here on.
        if name.bytes().any(|c| !b"brfut".contains(&c)) {
            return Ok(());
        }
        let repeated = |(i, c): (usize, char)| name[i + 1..].contains(c);
        if name.char_indices().any(repeated) {
            return Ok(());
        }
        let pairs = [
            ('u', 'b'),
            ('u', 'r'),
            ('u', 'f'),
            ('u', 't'),
            ('b', 'f'),
            ('b', 't'),
            ('f', 't'),
        ];
        match pairs
            .iter()
            .find(|(a, b)| name.contains(*a) && name.contains(*b))
        {
            Some((a, b)) => {
                let message = format!("'{a}' and '{b}' prefixes are incompatible");
                Err(Diagnostic::syntax(message, Span::new(start, end)))
            }
            None => Ok(()),
        }
    }

    fn unknown(&mut self, at: usize) -> Step {
        let Some(c) = self.source[at..].chars().next() else {
            return Ok(());
        };
        if !unicode::is_printable(c) {
            return Err(invalid_character(c, at));
        }
        // The parser cannot use it, and says so.
        self.push(Tok::Unknown, at, at + c.len_utf8());
        Ok(())
    }

    fn number(&mut self, start: usize) -> Step {
        match number::scan(self.text, start) {
            Ok(found) => {
                if let Some(kind) = found.glued {
                    self.warnings.push(Diagnostic::syntax(
                        format!("invalid {kind} literal"),
                        Span::new(start, found.end),
                    ));
                }
                self.seek(found.end);
                self.push(Tok::Number, start, found.end);
                Ok(())
            }
            Err(e) => Err(Diagnostic::syntax(e.message, Span::new(e.start, e.end))),
        }
    }

    // ---- brackets ------------------------------------------------------------------------------

    /// True directly inside a replacement field, outside all brackets of its expression.
    fn field_level(&self) -> bool {
        matches!(self.modes.last(), Some(Mode::Field { level }) if *level == self.brackets.len())
    }

    /// `:` (also as the start of `:=`) and `!` end the expression of a field.
    fn field_punctuation(&mut self, kind: Tok, at: usize) {
        if kind == Tok::Bang {
            self.push(Tok::Bang, at, at + 1);
            return;
        }
        if kind == Tok::Walrus {
            // Logos has gone one too far; a lexer cannot go back, but a new one is cheap.
            self.lexer = Tok::lexer(self.source);
            self.lexer.bump(at + 1);
        }
        self.push(Tok::SpecColon, at, at + 1);
        if let Some(mut string) = self.enclosing_string() {
            string.fields += 1;
            self.modes.push(Mode::Spec(string));
        }
    }

    fn bracket_limit(&self, at: usize) -> Step {
        if self.brackets.len() >= MAX_BRACKETS {
            return Err(Diagnostic::syntax(
                "too many nested parentheses",
                Span::new(at, at + 1),
            ));
        }
        Ok(())
    }

    fn open(&mut self, kind: Tok, at: usize) -> Step {
        self.bracket_limit(at)?;
        self.brackets.push(Bracket {
            byte: self.text[at],
            at,
        });
        self.push(kind, at, at + 1);
        Ok(())
    }

    fn close(&mut self, kind: Tok, at: usize) -> Step {
        let found = self.text[at];
        let span = Span::new(at, at + 1);
        let Some(open) = self.brackets.last().copied() else {
            return Err(Diagnostic::syntax(
                format!("unmatched '{}'", found as char),
                span,
            ));
        };
        let in_field = self.field_level();
        let fits = matches!(
            (open.byte, found),
            (b'(', b')') | (b'[', b']') | (b'{', b'}')
        );
        if !fits {
            if in_field && let Some(string) = self.enclosing_string() {
                return Err(Diagnostic::syntax(
                    format!("{}-string: unmatched '{}'", string.letter(), found as char),
                    span,
                ));
            }
            let mut message = format!(
                "closing parenthesis '{}' does not match opening parenthesis '{}'",
                found as char, open.byte as char
            );
            if self.text[open.at..at].contains(&b'\n') {
                let line = self.text[..open.at].iter().filter(|c| **c == b'\n').count() + 1;
                message.push_str(&format!(" on line {line}"));
            }
            return Err(Diagnostic::syntax(message, span));
        }
        self.brackets.pop();
        if in_field {
            self.modes.pop();
            self.push(Tok::FieldClose, at, at + 1);
        } else {
            self.push(kind, at, at + 1);
        }
        Ok(())
    }
}

fn incomplete(message: impl Into<String>, span: Span) -> Diagnostic {
    let mut problem = Diagnostic::syntax(message, span);
    problem.incomplete = true;
    problem
}

fn invalid_character(c: char, at: usize) -> Diagnostic {
    let code = c as u32;
    let message = if unicode::is_printable(c) {
        format!("invalid character '{c}' (U+{code:04X})")
    } else {
        format!("invalid non-printable character U+{code:04X}")
    };
    Diagnostic::syntax(message, Span::new(at, at + c.len_utf8()))
}
