//! corun: a scripting runtime for concurrent programs.

pub mod builtins;
pub mod bytecode;
pub mod host;
pub mod object;
pub mod vm;
pub mod text;
