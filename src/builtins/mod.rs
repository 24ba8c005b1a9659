//! The builtin types and functions: their script-visible half, and the making of a VM.
//!
//! Each file holds one type or one family: natives over the layouts in `object`, ended by its tables. `boot` makes the types in the order of `TYPES` (bases before
//! what derives from them), then the exceptions, then the functions.
//!
//! Rule: to add a type or function, write it in its own file and add one row here.

pub mod containers;
pub mod dict;
pub mod dict_views;
pub mod exception_groups;
pub mod exceptions;
pub mod functions;
pub mod functions_num;
pub mod iterators;
pub mod list;
pub mod print;
pub mod range;
pub mod set;
pub mod slice;
pub mod sort;
pub mod support;
pub mod tuple;

use crate::object::native::NativeDef;
use crate::object::types::TypeSpec;
use crate::vm::Vm;

/// All native types that every VM has, bases first.
pub static TYPES: &[&TypeSpec] = &[];

/// The tables of builtin functions.
pub static FUNCTIONS: &[&[NativeDef]] = &[];

/// A VM with all builtin types and functions.
pub fn boot(hash_seed: u64) -> Box<Vm> {
    Vm::bare(hash_seed)
}
