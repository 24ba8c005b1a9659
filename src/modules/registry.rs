//! The native modules, by name.

use crate::vm::{Res, Vm};

/// Makes a module object.
pub type InitFn = fn(&Vm) -> Res;

/// One row per native module, sorted by name.
static MODULES: &[(&str, InitFn)] = &[];

/// The maker of a native module.
pub fn find(name: &str) -> Option<InitFn> {
    MODULES.iter().find(|m| m.0 == name).map(|m| m.1)
}

/// The names of all native modules (`sys.builtin_module_names`).
pub fn names() -> impl Iterator<Item = &'static str> {
    MODULES.iter().map(|m| m.0)
}
