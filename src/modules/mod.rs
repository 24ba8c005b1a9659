//! The standard library: native modules, the embedded script modules, and the importer.
//!
//! Rule: to add a native module, write `modules/<name>.rs` with a function that makes the module object, and add its row in `registry`.

pub mod import;
pub mod registry;
pub mod stdlib;
