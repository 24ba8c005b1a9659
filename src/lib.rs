//! corun: a scripting runtime for concurrent programs.

pub mod bytecode;
