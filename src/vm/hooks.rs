//! What layers above the VM put in: functions it calls without naming them (importing, the event loop's interest in async generators, signals,
//! how to report what nobody can catch).

use super::resume::Step;
use super::{Raised, Res, Vm};
use crate::object::header::Kind;
use crate::object::value::Value;
use std::cell::Cell;

/// `import`: (name, globals, fromlist, level) -> module.
pub type ImportFn = fn(&Vm, &Value, &Value, &Value, u32) -> Res;

/// See the module's head. Each is a plain function, so replacing one is a store.
pub struct Hooks {
    pub import: Cell<ImportFn>,
    /// Called at safe points: raises KeyboardInterrupt and runs signal handlers.
    pub signal: Cell<fn(&Vm) -> Res<()>>,
    /// A coroutine died without having been awaited.
    pub unawaited: Cell<fn(&Vm, &Value)>,
    /// One step of an awaitable of the event layer (`is_native_await`): a value sent or an exception thrown in.
    pub native_await: Cell<fn(&Vm, &Value, Result<Value, Raised>) -> Res<Step>>,
    /// The qualified name of a native coroutine.
    pub native_coro_name: Cell<fn(&Vm, &Value) -> &'static str>,
    /// First iteration of an async generator.
    pub asyncgen_firstiter: Cell<fn(&Vm, &Value) -> Res<()>>,
    /// A suspended async generator died; true if somebody takes care of it.
    pub asyncgen_finalizer: Cell<fn(&Vm, &Value) -> bool>,
    /// (exception, message, object): nobody can catch it.
    pub unraisable: Cell<fn(&Vm, &Value, &str, &Value)>,
    /// How many frames of a coroutine's origin are kept (`sys.set_coroutine_origin_tracking_depth`).
    pub coroutine_origin_depth: Cell<u32>,
}

impl Default for Hooks {
    fn default() -> Hooks {
        Hooks {
            import: Cell::new(|vm, _, _, _, _| {
                Err(Raised(
                    vm.error(super::raise::Exc::ImportError, "there is no importer")
                        .0,
                ))
            }),
            signal: Cell::new(|_| Ok(())),
            unawaited: Cell::new(|_, _| ()),
            native_await: Cell::new(|vm, _, _| Err(vm.runtime_error("there is no event layer"))),
            native_coro_name: Cell::new(|_, _| "?"),
            asyncgen_firstiter: Cell::new(|_, _| Ok(())),
            asyncgen_finalizer: Cell::new(|_, _| false),
            unraisable: Cell::new(super::traceback::write_unraisable),
            coroutine_origin_depth: Cell::new(0),
        }
    }
}

/// True for awaitables that the event layer steps itself: they are their own iterators.
#[inline(always)]
pub fn is_native_await(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::NativeCoro | Kind::Future | Kind::Task | Kind::Gather
    )
}
