//! Debug mode: where futures, tasks and handles were made, and callbacks that take too long.

use super::future::Future;
use super::handle::Handle;
use super::lp::Loop;
use super::ready::Ready;
use super::task::Task;
use crate::object::value::Value;
use crate::vm::{Res, Vm};

/// The stack of the running script, short.
fn stack(vm: &Vm) -> Res {
    let helpers = super::import(vm, "asyncio.format_helpers")?;
    let f = vm.getattr_str(&helpers, "extract_stack")?;
    match vm.frame_object(0) {
        Some(frame) => vm.call(&f, &[frame]),
        None => Ok(vm.list(vec![])),
    }
}

/// Notes where a future was made.
pub fn note_source(vm: &Vm, f: &Future) -> Res<()> {
    let s = stack(vm)?;
    f.with_rare(|r| r.source_tb = Some(s));
    Ok(())
}
/// Notes where a handle was made.
pub fn note_handle(vm: &Vm, h: &Value) -> Res<()> {
    let s = stack(vm)?;
    if let Some(h) = h.get::<Handle>() {
        h.source.set(s);
    }
    Ok(())
}

/// `created at file:line`.
pub fn created_at(vm: &Vm, source: &Value) -> Res<String> {
    let last = vm.getitem(source, &vm.int(-1))?;
    let file = vm.getitem(&last, &vm.int(0))?;
    let line = vm.getitem(&last, &vm.int(1))?;
    Ok(format!(
        "created at {}:{}",
        vm.str_string(&file)?,
        vm.str_string(&line)?
    ))
}

/// Callbacks are checked when they are given: a coroutine function or something that cannot be called is a mistake.
pub fn check_callback(vm: &Vm, callback: &Value, method: &str) -> Res<()> {
    let inspect = super::import(vm, "asyncio.coroutines")?;
    let f = vm.getattr_str(&inspect, "iscoroutinefunction")?;
    let r = vm.call(&f, std::slice::from_ref(callback))?;
    if vm.truth(&r)? || super::task::is_coroutine(vm, callback) {
        return Err(vm.type_error(format!("coroutines cannot be used with {method}()")));
    }
    if !vm.is_callable(callback) {
        return Err(vm.type_error(format!(
            "a callable object was expected by {method}(), got {}",
            vm.repr_string(callback)?
        )));
    }
    Ok(())
}

/// Runs an entry with a clock beside it.
pub fn run_timed(vm: &Vm, lv: &Value, lp: &Loop, r: Ready) -> Res<()> {
    let who = match &r {
        Ready::Step(t) | Ready::Wake(t) | Ready::Throw(t, _) => t.clone(),
        Ready::Handle(h) => h.clone(),
        Ready::Call(f, ..) => f.clone(),
        Ready::Child(w, _) | Ready::Due(w) => w.clone(),
        Ready::Io(v, _) => v.clone(),
    };
    let start = lp.now(vm, lv)?;
    let result = super::ready::run(vm, lv, r);
    let spent = lp.now(vm, lv)? - start;
    if spent >= lp.slow_duration.get() {
        let text = if who.is_kind::<Task>() {
            format!("<Task step of {}>", vm.repr_string(&who)?)
        } else {
            vm.repr_string(&who)?
        };
        super::errors::log_at(
            vm,
            "warning",
            &format!("Executing {text} took {spent:.3} seconds"),
        )?;
    }
    result
}
