//! The event loop: what runs tasks, and the native half of `asyncio`.
//!
//! It stands after `vm`: the VM runs a coroutine until it stops (yielded, returned, raised), the loop looks at the reason. What is where:
//! - `lp` the loop's payload, `ready` the entries of its queue, `timers` its heap, `run` its turns, `io` descriptors, `loop_type` its methods;
//! - `future`, `task`, `gather`, `group` futures and what waits for them; `future_type`, `task_type` their methods; `handle` callbacks;
//! - `coro` native coroutines (what `sleep()`, `Queue.get()` ... give), `sleep`, `sync`, `semaphore`, `queue`, `reader`, `writer` what they do;
//! - `transport`, `net`, `socket` TCP;
//! - `errors`, `debug`, `deadlock` what is told to people; `interrupt` Ctrl-C.
//!
//! Rules:
//! 1. No borrow of a loop, future or primitive is held while script code can run; waking and completing run none.
//! 2. Whatever stands in a ready queue or in a primitive's line is owned by it.
//! 3. Order of callbacks is CPython's; where CPython's is arbitrary (equal timers, sets), ours is order of creation.

pub mod abstract_loop;
pub mod asyncgens;
pub mod context;
pub mod coro;
pub mod deadlock;
pub mod debug;
pub mod errors;
pub mod future;
pub mod future_type;
pub mod gather;
pub mod group;
pub mod handle;
pub mod interrupt;
pub mod io;
pub mod line;
pub mod loop_type;
pub mod lp;
pub mod net;
pub mod queue;
pub mod queue_type;
pub mod reader;
pub mod reader_type;
pub mod ready;
pub mod run;
pub mod semaphore;
pub mod sleep;
pub mod slot;
pub mod socket;
pub mod state;
pub mod sync;
pub mod task;
pub mod task_type;
pub mod timers;
pub mod transport;
pub mod transport_type;
pub mod writer;

use crate::object::value::Value;
use crate::vm::{Res, Vm};

/// The running loop, or RuntimeError.
pub fn running_loop(vm: &Vm) -> Res {
    let r = state::state(vm).running.get();
    if r.is_unbound() {
        Err(vm.runtime_error("no running event loop"))
    } else {
        Ok(r)
    }
}

/// The running loop, or what the policy gives.
pub fn get_event_loop(vm: &Vm) -> Res {
    let r = state::state(vm).running.get();
    if !r.is_unbound() {
        return Ok(r);
    }
    let events = import(vm, "asyncio.events")?;
    let f = vm.getattr_str(&events, "get_event_loop")?;
    vm.call(&f, &[])
}

/// A module by its dotted name.
pub fn import(vm: &Vm, name: &str) -> Res {
    let from = vm.tuple(vec![vm.str("*")]);
    let known = vm
        .modules
        .get::<crate::object::dict::Dict>()
        .and_then(|d| vm.dict_get_str(d, &vm.intern(name)));
    match known {
        Some(m) => Ok(m),
        None => (vm.hooks.import.get())(vm, &vm.intern(name), &Value::NONE, &from, 0),
    }
}

/// Tells the VM about the payloads and hooks of this layer. Called when `_asyncio` is made.
pub fn register(vm: &Vm) {
    vm.heap.register::<future::Future>();
    vm.heap.register::<task::Task>();
    vm.heap.register::<gather::Gather>();
    vm.heap.register::<group::Group>();
    vm.heap.register::<lp::Loop>();
    vm.heap.register::<handle::Handle>();
    vm.heap.register::<coro::NativeCoro>();
    vm.heap.register::<sync::Event>();
    vm.heap.register::<sync::Lock>();
    vm.heap.register::<semaphore::Semaphore>();
    vm.heap.register::<queue::Queue>();
    vm.heap.register::<future_type::FutureIter>();
    vm.heap.register::<transport::Transport>();
    vm.heap.register::<reader::Reader>();
    vm.heap.register::<writer::Writer>();
    vm.heap.register::<socket::Socket>();
    vm.heap.register::<net::NetWait>();
    vm.hooks.native_await.set(coro::poll);
    vm.hooks.native_coro_name.set(coro::name);
}
