//! Ctrl-C while `asyncio.run()` runs: the first one cancels the main task, so that its `finally` clauses run; the second is raised where the program stands.

use super::state::{Interrupt, state};
use crate::object::native::NativeDef;
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::{Res, Vm};
use std::cell::Cell;

/// The signal hook that was there before ours.
struct Before(Cell<fn(&Vm) -> Res<()>>);
impl Default for Before {
    fn default() -> Before {
        Before(Cell::new(|_| Ok(())))
    }
}

fn on_signal(vm: &Vm) -> Res<()> {
    let before = vm.extension::<Before>().0.get();
    let Err(e) = before(vm) else { return Ok(()) };
    if !vm.is_exc(&e, Exc::KeyboardInterrupt) {
        return Err(e);
    }
    let task = {
        let mut i = state(vm).interrupt.borrow_mut();
        match i.as_mut() {
            Some(i) => {
                i.count += 1;
                if i.count == 1 {
                    Some(i.task.clone())
                } else {
                    None
                }
            }
            None => None,
        }
    };
    match task {
        Some(t) if !super::future::head(&t).is_some_and(|f| f.done()) => {
            super::task_type::cancel_task(vm, &t).map(|_| ())
        }
        _ => Err(e),
    }
}

/// `catch_interrupt(loop, task) -> bool`
fn catch_interrupt(vm: &Vm, a: &[Value]) -> Res {
    let st = state(vm);
    if st.interrupt.borrow().is_some() {
        return Ok(Value::FALSE);
    }
    *st.interrupt.borrow_mut() = Some(Interrupt {
        loop_: a[0].clone(),
        task: a[1].clone(),
        count: 0,
    });
    vm.extension::<Before>()
        .0
        .set(vm.hooks.signal.replace(on_signal));
    Ok(Value::TRUE)
}

/// `release_interrupt(loop) -> count`
fn release_interrupt(vm: &Vm, a: &[Value]) -> Res {
    let st = state(vm);
    if !st
        .interrupt
        .borrow()
        .as_ref()
        .is_some_and(|i| i.loop_.is(&a[0]))
    {
        return Ok(vm.int(0));
    }
    let i = st.interrupt.borrow_mut().take();
    vm.hooks.signal.set(vm.extension::<Before>().0.get());
    Ok(vm.int(i.map_or(0, |i| i.count as i64)))
}

pub static FUNCTIONS: &[NativeDef] = &[
    NativeDef {
        sig: "catch_interrupt(loop, task)",
        f: catch_interrupt,
        doc: "Let the first Ctrl-C cancel the task.",
    },
    NativeDef {
        sig: "release_interrupt(loop)",
        f: release_interrupt,
        doc: "Undo that; gives how many there were.",
    },
];
