//! Strings, and the text and fields of f-strings.
//!
//! The part of the layout pass that runs where logos saw a quote, or inside an f-string.

use super::{Bracket, FString, Layout, MAX_FSTRINGS, MAX_SPEC_NESTING, Mode, Step, incomplete};
use crate::ast::Span;
use crate::diagnostic::Diagnostic;
use crate::literal::{self, PieceEnd, Quote};
use crate::token::Tok;

impl Layout<'_> {
    pub(super) fn string(&mut self, start: usize, quote_at: usize) -> Step {
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

    pub(super) fn fstring(&mut self, start: usize, quote_at: usize) -> Step {
        let (quote, body) = Quote::at(self.text, quote_at);
        let prefix = &self.text[start..quote_at];
        let template = prefix.iter().any(|c| c | 0x20 == b't');
        let raw = prefix.iter().any(|c| c | 0x20 == b'r');
        let open = self
            .modes
            .iter()
            .filter(|m| matches!(m, Mode::Text(_) | Mode::Spec(_)))
            .count();
        if open >= MAX_FSTRINGS {
            return Err(Diagnostic::syntax(
                "too many nested f-strings or t-strings",
                Span::new(start, start + 1),
            ));
        }
        self.seek(body);
        self.push(
            if template { Tok::TStart } else { Tok::FStart },
            start,
            body,
        );
        self.modes.push(Mode::Text(FString {
            quote,
            raw,
            template,
            start,
            fields: 0,
        }));
        Ok(())
    }

    /// The innermost string around the current field.
    pub(super) fn enclosing_string(&self) -> Option<FString> {
        self.modes.iter().rev().find_map(|mode| match mode {
            Mode::Text(string) | Mode::Spec(string) => Some(*string),
            Mode::Field { .. } => None,
        })
    }

    /// One piece of literal text of an f-string, and what ends it.
    pub(super) fn piece(&mut self, string: FString, spec: bool) -> Step {
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
                self.brackets.push(Bracket {
                    byte: b'{',
                    at: end,
                });
                self.modes.push(Mode::Field {
                    level: self.brackets.len(),
                });
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

    fn unterminated(
        &self,
        what: &str,
        quote: Quote,
        body: usize,
        start: usize,
        at: usize,
    ) -> Diagnostic {
        let line = self.text[..at].iter().filter(|c| **c == b'\n').count() + 1;
        let line = if at == self.text.len() && self.text.ends_with(b"\n") {
            line - 1
        } else {
            line
        };
        let span = Span::new(start, start + 1);
        if quote.triple {
            let message = format!(
                "unterminated triple-quoted {what}string literal (detected at line {line})"
            );
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
}
