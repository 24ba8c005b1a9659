//! "Did you mean 'for'?": misspelt keywords.
//!
//! CPython finds these when it prints a traceback, not when it compiles: the message stays "invalid
//! syntax", and the suggestion goes into the hint.

use crate::ast::Span;
use crate::parse::Mode;

pub fn suggest(_source: &str, _span: Span, _mode: Mode) -> Option<String> {
    None
}
