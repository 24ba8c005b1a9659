//! corun: a scripting runtime for concurrent programs.
//!
//! The way through the house: source text -> `corun_grammar` -> `compile` -> `bytecode` -> `vm` over `object`, with `builtins` and
//! `modules` above it, the event loop in `event`, everything from outside through `host`, and `cli` on top.

pub mod builtins;
pub mod bytecode;
pub mod cli;
pub mod compile;
pub mod event;
pub mod host;
pub mod modules;
pub mod object;
pub mod text;
pub mod vm;

/// A VM with everything in it, ready to run scripts on this thread.
pub fn runtime() -> Box<vm::Vm> {
    let vm = builtins::boot(seed());
    vm.hooks.import.set(modules::import::import);
    modules::install(&vm);
    // The check in `check_native_stack` needs to know where this thread's stack ends: leave a margin for the deepest native.
    let here = &raw const vm as usize;
    vm.native_limit.set(here.saturating_sub(NATIVE_STACK));
    vm
}

/// Native stack that scripts may use, less than what `cli` reserves.
const NATIVE_STACK: usize = 400 << 20;

/// The seed of str hashes: `PYTHONHASHSEED` if it is a number, else random.
fn seed() -> u64 {
    if let Some(n) = std::env::var("PYTHONHASHSEED")
        .ok()
        .and_then(|s| s.parse().ok())
    {
        return n;
    }
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish()
}
