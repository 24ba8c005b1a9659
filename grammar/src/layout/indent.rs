//! Indentation and continuation lines.
//!
//! The part of the layout pass that runs at the start of a line, and behind a backslash.

use super::{Indent, Layout, MAX_INDENTS, Step, incomplete};
use crate::ast::Span;
use crate::diagnostic::{Diagnostic, Kind};
use crate::token::Tok;

impl Layout<'_> {
    /// Reads the white space at the start of a line, and the blank and comment lines before it.
    pub(super) fn indentation(&mut self) -> Step {
        let mut at = self.pos();
        let mut width = Indent {
            column: 0,
            alternative: 0,
        };
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
                Some(0x0C) => {
                    width = Indent {
                        column: 0,
                        alternative: 0,
                    }
                }
                Some(b'\n' | b'\r') => {
                    width = Indent {
                        column: 0,
                        alternative: 0,
                    };
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
                return Err(incomplete(
                    "unexpected EOF while parsing",
                    Span::new(end, end),
                ));
            }
            return Ok(());
        }
        self.set_indent(continued.unwrap_or(width), at)
    }

    fn set_indent(&mut self, width: Indent, at: usize) -> Step {
        let line_start = self.text[..at]
            .iter()
            .rposition(|c| matches!(c, b'\n' | b'\r'))
            .map_or(0, |p| p + 1);
        let line_end = self.text[at..]
            .iter()
            .position(|c| matches!(c, b'\n' | b'\r'))
            .map_or(self.text.len(), |p| at + p);
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
                let mut problem = Diagnostic::syntax(
                    "too many levels of indentation",
                    Span::new(line_start, line_end),
                );
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
    pub(super) fn continuation(&mut self, at: usize) -> Step {
        let mut next = at + 1;
        match self.text.get(next) {
            Some(b'\r') if self.text.get(next + 1) == Some(&b'\n') => next += 2,
            Some(b'\r' | b'\n') => next += 1,
            None => {
                return Err(incomplete(
                    "unexpected EOF while parsing",
                    Span::new(at + 1, at + 1),
                ));
            }
            Some(_) => {
                return Err(Diagnostic::syntax(
                    "unexpected character after line continuation character",
                    Span::new(at + 1, at + 1),
                ));
            }
        }
        if next >= self.text.len() {
            return Err(incomplete(
                "unexpected EOF while parsing",
                Span::new(at + 1, at + 1),
            ));
        }
        self.seek(next);
        Ok(())
    }
}
