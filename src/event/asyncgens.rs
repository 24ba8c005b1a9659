//! Async generators of a loop: those that have begun are noted, so that the loop can close them at its end; one that dies unfinished is closed by a task.

use super::lp::Loop;
use super::ready::Ready;
use super::state::state;
use crate::object::header::Kind;
use crate::object::value::Value;
use crate::object::weak::WeakRef;
use crate::vm::{Res, Vm};

/// The hook of the first iteration.
pub fn first_iteration(vm: &Vm, agen: &Value) -> Res<()> {
    let lv = state(vm).running.get();
    let Some(lp) = lv.get::<Loop>() else {
        return Ok(());
    };
    if let Some(w) = WeakRef::alloc(&vm.heap, vm.kind_shape(Kind::WeakRef), agen, Value::NONE) {
        let mut list = lp.asyncgens.borrow_mut();
        if list.len() >= 64 && list.len().is_power_of_two() {
            list.retain(|w| w.get::<WeakRef>().is_some_and(|w| w.get().is_some()));
        }
        list.push(w);
    }
    Ok(())
}

/// The hook of an unfinished async generator that nobody holds: true if the loop will close it.
pub fn finalize(vm: &Vm, agen: &Value) -> bool {
    let lv = state(vm).running.get();
    let Some(lp) = lv.get::<Loop>() else {
        return false;
    };
    if lp.closed.get() {
        return false;
    }
    let r = (|| -> Res<()> {
        let aclose = vm.getattr_str(agen, "aclose")?;
        let coro = vm.call(&aclose, &[])?;
        let create = vm.getattr_str(&lv, "create_task")?;
        let h = super::handle::make(
            vm,
            &lv,
            create,
            vm.tuple(vec![coro]),
            &Value::NONE,
            f64::NAN,
        );
        lp.push(Ready::Handle(h));
        Ok(())
    })();
    r.is_ok()
}

/// Takes the live ones.
pub fn take(vm: &Vm, lp: &Loop) -> Value {
    let list = lp.asyncgens.take();
    lp.asyncgens_closed.set(true);
    vm.list(
        list.iter()
            .filter_map(|w| w.get::<WeakRef>().and_then(WeakRef::get))
            .collect(),
    )
}
