//! Prints tokens and trees as stable, indented text.
//!
//! Used by `corun --dump=...` and by the golden tests. One line a token or node; spans are byte offsets.

mod tree;

use crate::ast::Root;
use crate::diagnostic::Diagnostic;
use crate::layout::{self, Stop};
use crate::lines::LineIndex;
use crate::soft;
use std::fmt::Write;

/// The tokens that the parser reads, one a line: place, kind, text.
pub fn tokens(source: &str) -> Result<String, Diagnostic> {
    let mut lexed = layout::lex(source);
    soft::decide(&mut lexed.tokens);
    let lines = LineIndex::new(source);
    let mut out = String::new();
    for token in &lexed.tokens {
        let from = lines.place(source, token.start);
        let to = lines.place(source, token.end);
        let text = source
            .get(token.start as usize..token.end as usize)
            .unwrap_or("");
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{}:{}-{}:{} {} {:?}",
            from.line,
            from.column,
            to.line,
            to.column,
            token.kind.text(),
            text
        );
    }
    match lexed.stop {
        Stop::Complete => Ok(out),
        Stop::Error(problem) => Err(problem),
        Stop::Unclosed(bracket) => Err(crate::explain::never_closed(bracket)),
    }
}

/// The tree, one node a line; children are indented below.
pub fn ast(root: &Root) -> String {
    tree::print(root)
}
