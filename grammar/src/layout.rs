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

use crate::ast::Span;
use crate::diagnostic::{Diagnostic, Kind};
use crate::literal::{self, PieceEnd, Quote};
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
        indents: vec![Indent { column: 0, alternative: 0 }],
        modes: Vec::new(),
    };
    let stop = match layout.run() {
        Err(problem) => Stop::Error(problem),
        Ok(()) => match layout.brackets.last() {
            Some(&bracket) => Stop::Unclosed(bracket),
            None => Stop::Complete,
        },
    };
    Lexed { tokens: layout.tokens, stop, warnings: layout.warnings }
}

impl<'s> Layout<'s> {
    fn pos(&self) -> usize {
        self.lexer.span().end
    }

    fn push(&mut self, kind: Tok, start: usize, end: usize) {
        self.tokens.push(Token { kind, start: start as u32, end: end as u32 });
    }

    /// Moves the lexer to a later offset.
    fn seek(&mut self, to: usize) {
        let here = self.pos();
        self.lexer.bump(to - here);
    }

    fn run(&mut self) -> Step {
        self.indentation()?;
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
            let Some(found) = self.lexer.next() else { break };
            let span = self.lexer.span();
            let Ok(kind) = found else {
                self.unknown(span.start)?;
                continue;
            };
            match kind {
                Tok::LineEnd => {
                    if self.brackets.is_empty() {
                        self.push(Tok::Newline, span.start, span.end);
                        self.indentation()?;
                    }
                }
                Tok::Comment => {}
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
        if self.tokens.last().is_some_and(|t| t.kind != Tok::Newline && t.kind != Tok::Dedent) {
            self.push(Tok::Newline, end, end);
        }
        for _ in 1..self.indents.len() {
            self.push(Tok::Dedent, end, end);
        }
    }

    // ---- indentation -------------------------------------------------------------------------

    /// Reads the white space at the start of a line, and the blank and comment lines before it.
    fn indentation(&mut self) -> Step {
        let mut at = self.pos();
        let mut width = Indent { column: 0, alternative: 0 };
        // Set by a backslash: the indentation of the first line counts.
        let mut continued: Option<Indent> = None;
        loop {
            match self.text.get(at) {
                Some(b' ') => {
                    width.column += 1;
                    width.alternative += 1;
                }
                Some(b'\t') => {
                    width.column = (width.column / 8 + 1) * 8;
                    width.alternative += 1;
                }
                Some(0x0C) => width = Indent { column: 0, alternative: 0 },
                Some(b'\n' | b'\r') => {
                    width = Indent { column: 0, alternative: 0 };
                    continued = None;
                }
                Some(b'#') => {
                    while at < self.text.len() && !matches!(self.text[at], b'\n' | b'\r') {
                        at += 1;
                    }
                    continue;
                }
                Some(b'\\') => {
                    let next = self.text.get(at + 1);
                    if !matches!(next, Some(b'\n' | b'\r')) {
                        break;
                    }
                    if next == Some(&b'\r') && self.text.get(at + 2) == Some(&b'\n') {
                        at += 1;
                    }
                    at += 2;
                    continued = continued.or(Some(width));
                    continue;
                }
                _ => break,
            }
            at += 1;
        }
        self.seek(at);
        if at >= self.text.len() {
            if continued.is_some() {
                let end = self.text.len() - 1;
                return Err(incomplete("unexpected EOF while parsing", Span::new(end, end)));
            }
            return Ok(());
        }
        self.set_indent(continued.unwrap_or(width), at)
    }

    fn set_indent(&mut self, width: Indent, at: usize) -> Step {
        let line_start = self.text[..at].iter().rposition(|c| matches!(c, b'\n' | b'\r')).map_or(0, |p| p + 1);
        let line_end = self.text[at..].iter().position(|c| matches!(c, b'\n' | b'\r')).map_or(self.text.len(), |p| at + p);
        let top = self.indents[self.indents.len() - 1];
        if width.column == top.column {
            if width.alternative != top.alternative {
                return self.mixed_tabs(line_start, line_end);
            }
        } else if width.column > top.column {
            if width.alternative <= top.alternative {
                return self.mixed_tabs(line_start, line_end);
            }
            if self.indents.len() >= MAX_INDENTS {
                let mut problem = Diagnostic::syntax("too many levels of indentation", Span::new(line_start, line_end));
                problem.kind = Kind::Indentation;
                return Err(problem);
            }
            self.indents.push(width);
            self.push(Tok::Indent, line_start, at);
        } else {
            let mut top = top;
            while width.column < top.column {
                self.indents.pop();
                self.push(Tok::Dedent, at, at);
                // The first entry has width 0, so the loop ends there at the latest.
                top = self.indents[self.indents.len() - 1];
            }
            if width.column != top.column {
                // The blocks that ended here are not to blame: the parser must not see them end.
                while self.tokens.last().is_some_and(|t| t.kind == Tok::Dedent) {
                    self.tokens.pop();
                }
                let mut problem = Diagnostic::syntax(
                    "unindent does not match any outer indentation level",
                    Span::new(line_end, line_end),
                );
                problem.kind = Kind::Indentation;
                return Err(problem);
            }
            if width.alternative != top.alternative {
                return self.mixed_tabs(line_start, line_end);
            }
        }
        Ok(())
    }

    fn mixed_tabs(&self, line_start: usize, line_end: usize) -> Step {
        let mut problem = Diagnostic::syntax(
            "inconsistent use of tabs and spaces in indentation",
            Span::new(line_start, line_end),
        );
        problem.kind = Kind::Tab;
        problem.hint = Some("Indent every line of the block with the same characters.".into());
        Err(problem)
    }

    /// A backslash must stand at the end of its line, and a line must follow.
    fn continuation(&mut self, at: usize) -> Step {
        let mut next = at + 1;
        match self.text.get(next) {
            Some(b'\r') if self.text.get(next + 1) == Some(&b'\n') => next += 2,
            Some(b'\r' | b'\n') => next += 1,
            None => return Err(incomplete("unexpected EOF while parsing", Span::new(at + 1, at + 1))),
            Some(_) => {
                return Err(Diagnostic::syntax(
                    "unexpected character after line continuation character",
                    Span::new(at + 1, at + 1),
                ));
            }
        }
        if next >= self.text.len() {
            return Err(incomplete("unexpected EOF while parsing", Span::new(at + 1, at + 1)));
        }
        self.seek(next);
        Ok(())
    }

    // ---- names and characters ------------------------------------------------------------------

    fn check_name(&self, start: usize, end: usize) -> Step {
        let name = &self.source[start..end];
        if name.is_ascii() {
            return Ok(());
        }
        for (i, c) in name.char_indices() {
            let fits = if i == 0 { unicode_ident::is_xid_start(c) || c == '_' } else { unicode_ident::is_xid_continue(c) };
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
        let repeated = name.char_indices().any(|(i, c)| name[i + 1..].contains(c));
        if repeated || name.contains(|c| !"brfut".contains(c)) {
            return Ok(());
        }
        let pairs = [('u', 'b'), ('u', 'r'), ('u', 'f'), ('u', 't'), ('b', 'f'), ('b', 't'), ('f', 't')];
        match pairs.iter().find(|(a, b)| name.contains(*a) && name.contains(*b)) {
            Some((a, b)) => {
                let message = format!("'{a}' and '{b}' prefixes are incompatible");
                Err(Diagnostic::syntax(message, Span::new(start, end)))
            }
            None => Ok(()),
        }
    }

    fn unknown(&mut self, at: usize) -> Step {
        let Some(c) = self.source[at..].chars().next() else { return Ok(()) };
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

    // ---- strings -------------------------------------------------------------------------------

    fn string(&mut self, start: usize, quote_at: usize) -> Step {
        let (quote, body) = Quote::at(self.text, quote_at);
        match literal::string_end(self.text, body, quote) {
            Ok(end) => {
                self.seek(end);
                let bytes = self.text[start..quote_at].iter().any(|c| c | 0x20 == b'b');
                self.push(if bytes { Tok::Bytes } else { Tok::Str }, start, end);
                Ok(())
            }
            Err(at) => {
                // `f"{a"`: the quote was meant to end the outer string.
                if let Some(outer) = self.enclosing_string()
                    && outer.quote == quote
                {
                    return Err(Diagnostic::syntax(
                        format!("{}-string: expecting '}}'", outer.letter()),
                        Span::new(start, start + 1),
                    ));
                }
                Err(self.unterminated("", quote, body, start, at))
            }
        }
    }

    fn fstring(&mut self, start: usize, quote_at: usize) -> Step {
        let (quote, body) = Quote::at(self.text, quote_at);
        let prefix = &self.text[start..quote_at];
        let template = prefix.iter().any(|c| c | 0x20 == b't');
        let raw = prefix.iter().any(|c| c | 0x20 == b'r');
        let open = self.modes.iter().filter(|m| matches!(m, Mode::Text(_) | Mode::Spec(_))).count();
        if open >= MAX_FSTRINGS {
            return Err(Diagnostic::syntax("too many nested f-strings or t-strings", Span::new(start, start + 1)));
        }
        self.seek(body);
        self.push(if template { Tok::TStart } else { Tok::FStart }, start, body);
        self.modes.push(Mode::Text(FString { quote, raw, template, start, fields: 0 }));
        Ok(())
    }

    /// The innermost string around the current field.
    fn enclosing_string(&self) -> Option<FString> {
        self.modes.iter().rev().find_map(|mode| match mode {
            Mode::Text(string) | Mode::Spec(string) => Some(*string),
            Mode::Field { .. } => None,
        })
    }

    /// One piece of literal text of an f-string, and what ends it.
    fn piece(&mut self, string: FString, spec: bool) -> Step {
        let start = self.pos();
        let (end, why) = literal::piece_end(self.text, start, string.quote, string.raw, spec);
        if end > start && matches!(why, PieceEnd::Field | PieceEnd::Quote | PieceEnd::SpecClose) {
            self.push(Tok::FText, start, end);
        }
        let letter = string.letter();
        match why {
            PieceEnd::Field => {
                if string.fields >= MAX_SPEC_NESTING {
                    return Err(Diagnostic::syntax(
                        format!("{letter}-string: expressions nested too deeply"),
                        Span::new(end.saturating_sub(1), end),
                    ));
                }
                self.bracket_limit(end)?;
                self.seek(end + 1);
                self.push(Tok::FieldOpen, end, end + 1);
                self.brackets.push(Bracket { byte: b'{', at: end });
                self.modes.push(Mode::Field { level: self.brackets.len() });
                Ok(())
            }
            PieceEnd::Quote => {
                // In a specification the field is still open: the parser sees that no brace closes it.
                if spec {
                    self.modes.pop();
                    self.modes.pop();
                    self.brackets.pop();
                }
                let after = end + string.quote.len();
                self.seek(after);
                self.push(Tok::FEnd, end, after);
                self.modes.pop();
                Ok(())
            }
            PieceEnd::SpecClose => {
                self.seek(end + 1);
                self.push(Tok::FieldClose, end, end + 1);
                // The specification, then its field.
                self.modes.pop();
                self.modes.pop();
                self.brackets.pop();
                Ok(())
            }
            PieceEnd::LoneBrace => Err(Diagnostic::syntax(
                format!("{letter}-string: single '}}' is not allowed"),
                Span::new(end, end + 1),
            )),
            PieceEnd::LineEnd if spec => Err(Diagnostic::syntax(
                format!(
                    "{letter}-string: newlines are not allowed in format specifiers for single quoted {letter}-strings"
                ),
                Span::new(end, end + 1),
            )),
            PieceEnd::LineEnd | PieceEnd::TextEnd => {
                let what = if string.template { "t-" } else { "f-" };
                Err(self.unterminated(what, string.quote, string.start, string.start, end))
            }
        }
    }

    fn unterminated(&self, what: &str, quote: Quote, body: usize, start: usize, at: usize) -> Diagnostic {
        let line = self.text[..at].iter().filter(|c| **c == b'\n').count() + 1;
        let line = if at == self.text.len() && self.text.ends_with(b"\n") { line - 1 } else { line };
        let span = Span::new(start, start + 1);
        if quote.triple {
            let message = format!("unterminated triple-quoted {what}string literal (detected at line {line})");
            return incomplete(message, span);
        }
        let mut message = format!("unterminated {what}string literal (detected at line {line})");
        let escaped = [b'\\', quote.byte];
        if what.is_empty() && self.text[body..at].windows(2).any(|w| w == escaped) {
            message.push_str("; perhaps you escaped the end quote?");
        }
        let mut problem = Diagnostic::syntax(message, span);
        // A backslash before the end of the text may still join the next line.
        problem.incomplete = at == self.text.len() && self.text.ends_with(b"\\\n");
        problem
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
            return Err(Diagnostic::syntax("too many nested parentheses", Span::new(at, at + 1)));
        }
        Ok(())
    }

    fn open(&mut self, kind: Tok, at: usize) -> Step {
        self.bracket_limit(at)?;
        self.brackets.push(Bracket { byte: self.text[at], at });
        self.push(kind, at, at + 1);
        Ok(())
    }

    fn close(&mut self, kind: Tok, at: usize) -> Step {
        let found = self.text[at];
        let span = Span::new(at, at + 1);
        let Some(open) = self.brackets.last().copied() else {
            return Err(Diagnostic::syntax(format!("unmatched '{}'", found as char), span));
        };
        let in_field = self.field_level();
        let fits = matches!((open.byte, found), (b'(', b')') | (b'[', b']') | (b'{', b'}'));
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
