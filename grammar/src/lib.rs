//! The front end of corun: source text to syntax tree.

pub mod ast;
pub mod diagnostic;
