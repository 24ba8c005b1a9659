//! What the event layer remembers for one VM: the running loop, its exception classes, tasks of loops that scripts made.

#![allow(unsafe_code)]

use super::slot::Slot;
use crate::object::value::Value;
use crate::vm::Vm;
use std::cell::{Cell, RefCell};

/// See the module's head.
pub struct EventState {
    /// The running loop, or unbound.
    pub running: Slot,
    pub cancelled_error: Slot,
    pub invalid_state: Slot,
    /// The class TimerHandle: it shares its payload with Handle.
    pub timer_handle: Slot,
    pub timer_handle_shape: Cell<*const crate::object::shape::Shape>,
    /// Number of the next task that gets a name.
    pub next_task: Cell<i64>,
    /// Live tasks of loops that are not native, and tasks that scripts registered.
    pub foreign_tasks: RefCell<Vec<Value>>,
    /// Current tasks of loops that are not native: (loop, task).
    pub foreign_current: RefCell<Vec<(Value, Value)>>,
    pub eager_tasks: RefCell<Vec<Value>>,
    pub contexts: super::context::Current,
    /// What the first SIGINT cancels, for which loop.
    pub interrupt: RefCell<Option<Interrupt>>,
}

/// See `runner::catch_interrupt`.
pub struct Interrupt {
    pub loop_: Value,
    pub task: Value,
    pub count: u32,
}

impl Default for EventState {
    fn default() -> EventState {
        EventState {
            running: Slot::empty(),
            cancelled_error: Slot::empty(),
            invalid_state: Slot::empty(),
            timer_handle: Slot::empty(),
            timer_handle_shape: Cell::new(std::ptr::null()),
            next_task: Cell::new(1),
            foreign_tasks: RefCell::default(),
            foreign_current: RefCell::default(),
            eager_tasks: RefCell::default(),
            contexts: super::context::Current::default(),
            interrupt: RefCell::new(None),
        }
    }
}

/// The event layer's state of this VM.
#[inline(always)]
pub fn state(vm: &Vm) -> &EventState {
    let p = vm.event_state.get();
    if p.is_null() {
        return init(vm);
    }
    // SAFETY: the extension that `init` made lives as long as the VM.
    unsafe { &*(p as *const EventState) }
}

#[cold]
fn init(vm: &Vm) -> &EventState {
    let rc = vm.extension::<EventState>();
    let p = std::rc::Rc::as_ptr(&rc);
    vm.event_state.set(p as *const ());
    // SAFETY: the VM keeps the extension.
    unsafe { &*p }
}
