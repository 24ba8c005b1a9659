//! The front end of corun: source text to syntax tree.
//!
//! ```text
//! bytes -> source   text: encoding, line ends
//!       -> token    logos finds tokens
//!       -> layout   lines, blocks, brackets, pieces of f-strings
//!       -> soft     soft keywords and other things that need a look ahead
//!       -> limits   no tree deeper than the later stages can walk
//!       -> corun.lalrpop with build/   tokens to tree
//!       -> explain/ when the parser gives up: what is wrong, in CPython's words
//! ```
//!
//! Rules:
//! 1. No input makes this crate panic or overflow the stack.
//! 2. Nothing here knows the compiler or the VM, or reads a file.

pub mod ast;
mod build;
pub mod diagnostic;
pub mod dump;
mod escape;
mod explain;
mod layout;
mod limits;
pub mod lines;
mod literal;
mod number;
mod parse;
mod soft;
pub mod source;
pub mod token;
mod unicode;

#[allow(clippy::all, clippy::pedantic, unused, mismatched_lifetime_syntaxes)]
mod corun {
    include!(concat!(env!("OUT_DIR"), "/corun.rs"));
}

pub use diagnostic::Diagnostic;
pub use lines::LineIndex;
pub use parse::{Mode, Parsed, parse};
pub use source::decode;
