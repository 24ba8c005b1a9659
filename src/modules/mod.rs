//! The standard library: native modules, the embedded script modules, and the importer.
//!
//! Rule: to add a native module, write `modules/<name>.rs` with a function that makes the module object, and add its row in `registry`.

pub mod asyncio;
pub mod bisect;
pub mod collections;
pub mod contextvars;
pub mod deque;
pub mod errno;
pub mod functools;
pub mod gc;
pub mod heapq;
pub mod import;
pub mod io;
pub mod itertools;
pub mod itertools_combine;
pub mod lru_cache;
pub mod math;
pub mod math_int;
pub mod math_sum;
pub mod operator;
pub mod random;
pub mod re;
pub mod registry;
pub mod stdlib;
pub mod support;
pub mod sys;
pub mod sys_info;
pub mod time;
pub mod time_format;
pub mod weakref;

use crate::vm::Vm;

/// Puts what belongs to `builtins` but stands on modules where scripts find it. Called once, when the VM has been made.
pub fn install(vm: &Vm) {
    vm.add_functions(&vm.builtins, "_io", io::open::BUILTIN);
}
