//! A problem in source text, as plain data: what kind, where, and what to try.
//!
//! The parser and the compiler make them; `cli` draws them; the VM turns them into SyntaxError objects.

use crate::ast::Span;

/// Which exception class the problem becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Syntax,
    Indentation,
    Tab,
}

#[derive(Clone, Debug)]
pub struct Diagnostic {
    pub kind: Kind,
    /// CPython's wording, where CPython has one.
    pub message: String,
    /// The exact text at fault.
    pub span: Span,
    /// A sentence of advice beyond CPython's message.
    pub hint: Option<String>,
    /// True when more input could make the text valid: the REPL then asks for another line.
    pub incomplete: bool,
}

impl Diagnostic {
    pub fn syntax(message: impl Into<String>, span: Span) -> Diagnostic {
        Diagnostic {
            kind: Kind::Syntax,
            message: message.into(),
            span,
            hint: None,
            incomplete: false,
        }
    }
}
