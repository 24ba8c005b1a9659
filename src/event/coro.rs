//! Native coroutines: what `sleep()`, `Event.wait()`, `Lock.acquire()`, `Queue.get()`, `StreamReader.readline()` ... give.
//!
//! To scripts they are coroutine objects. `await` polls them directly: the first poll tries to finish at once (a free lock, an item in the queue, a line in the
//! buffer), and only otherwise the object stands in its primitive's line and the task suspends. So an operation that need not wait costs one small object and no
//! turn of the loop, and one that waits needs no future.
//!
//! ```text
//!   Fresh --poll--> Done                     it could be done at once
//!   Fresh --poll--> Waiting --wake--> Woken --poll--> Done | Waiting
//!                           --cancel-> Cancelled --throw--> Done
//! ```
//! Rules:
//! 1. Woken and Cancelled objects stay in their primitive's line until they are polled: newcomers must not overtake them.
//! 2. `task` is the task that waits by this object; set by the task when it stops, cleared by the wake-up.

#![allow(unsafe_code)]

use super::future::{Future, fflag, head, result_of};
use super::ready::{Ready, push};
use super::slot::Slot;
use super::task::Task;
use crate::object::header::{Kind, Payload};
use crate::object::heap::Heap;
use crate::object::value::Value;
use crate::vm::resume::Step;
use crate::vm::{Raised, Res, Vm};
use std::cell::Cell;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum CoState {
    Fresh,
    Waiting,
    Woken,
    Cancelled,
    Done,
}

/// What a native coroutine does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Op {
    Sleep,
    EventWait,
    LockAcquire,
    LockEnter,
    LockExit,
    SemAcquire,
    SemEnter,
    SemExit,
    QueueGet,
    QueuePut,
    QueueJoin,
    GroupEnter,
    GroupExit,
    Read,
    ReadLine,
    ReadUntil,
    ReadExactly,
    NextLine,
    Drain,
    WaitClosed,
}

impl Op {
    /// `__qualname__`.
    pub fn name(self) -> &'static str {
        match self {
            Op::Sleep => "sleep",
            Op::EventWait => "Event.wait",
            Op::LockAcquire => "Lock.acquire",
            Op::LockEnter | Op::SemEnter => "_ContextManagerMixin.__aenter__",
            Op::LockExit | Op::SemExit => "_ContextManagerMixin.__aexit__",
            Op::SemAcquire => "Semaphore.acquire",
            Op::QueueGet => "Queue.get",
            Op::QueuePut => "Queue.put",
            Op::QueueJoin => "Queue.join",
            Op::GroupEnter => "TaskGroup.__aenter__",
            Op::GroupExit => "TaskGroup.__aexit__",
            Op::Read => "StreamReader.read",
            Op::ReadLine => "StreamReader.readline",
            Op::ReadUntil => "StreamReader.readuntil",
            Op::ReadExactly => "StreamReader.readexactly",
            Op::NextLine => "StreamReader.__anext__",
            Op::Drain => "StreamWriter.drain",
            Op::WaitClosed => "StreamWriter.wait_closed",
        }
    }
}

/// See the module's head.
pub struct NativeCoro {
    pub op: Op,
    pub state: Cell<CoState>,
    /// For an op's own use.
    pub step: Cell<u8>,
    pub count: Cell<u32>,
    /// The primitive.
    pub target: Slot,
    pub arg: Slot,
    pub task: Slot,
}

// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for NativeCoro {
    const KIND: Kind = Kind::NativeCoro;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        for s in [&self.target, &self.arg, &self.task] {
            visit(s.peek());
        }
    }
    fn clear(&self) {
        let old = (self.target.take(), self.arg.take(), self.task.take());
        drop(old);
    }
}

/// What an op has come to.
pub enum Progress {
    /// It has its result.
    Ready(Value),
    /// It stands in line.
    Wait,
    /// It gives the others one turn.
    Turn,
}

/// A new native coroutine.
#[inline]
pub fn make(vm: &Vm, op: Op, target: Value, arg: Value) -> Res {
    let v = vm.heap.alloc(
        vm.kind_shape(Kind::Coroutine),
        NativeCoro {
            op,
            state: Cell::new(CoState::Fresh),
            step: Cell::new(0),
            count: Cell::new(0),
            target: Slot::new(target),
            arg: Slot::new(arg),
            task: Slot::empty(),
        },
        0,
    );
    Heap::set_finalize(&v, true);
    Ok(v)
}

/// The hook behind `await` for futures and native coroutines.
pub fn poll(vm: &Vm, v: &Value, sent: Result<Value, Raised>) -> Res<Step> {
    match v.get::<NativeCoro>() {
        Some(c) => poll_coro(vm, v, c, sent),
        None => match head(v) {
            Some(f) => poll_future(vm, v, f, sent),
            None => Err(vm.type_error("an awaitable was expected")),
        },
    }
}

/// `await future`.
fn poll_future(vm: &Vm, v: &Value, f: &Future, sent: Result<Value, Raised>) -> Res<Step> {
    sent?;
    if f.done() {
        return result_of(vm, v, f).map(Step::Returned);
    }
    if f.has(fflag::BLOCKING) {
        f.set_flag(fflag::BLOCKING, false);
        return Err(vm.runtime_error("await wasn't used with future"));
    }
    f.set_flag(fflag::BLOCKING, true);
    Ok(Step::Yielded(v.clone()))
}

fn poll_coro(vm: &Vm, v: &Value, c: &NativeCoro, sent: Result<Value, Raised>) -> Res<Step> {
    let before = c.state.get();
    if before == CoState::Done {
        return Err(vm.runtime_error("cannot reuse already awaited coroutine"));
    }
    if before == CoState::Fresh {
        Heap::set_finalize(v, false);
    }
    let r = match sent {
        Err(e) => {
            if before != CoState::Fresh {
                if c.op == Op::GroupExit {
                    // The end of a task group outlives cancellation: it waits for its tasks.
                    return super::group::exit_thrown(vm, v, c, e);
                }
                give_up(vm, v, c)?;
            }
            Err(e)
        }
        Ok(_) if before == CoState::Waiting => {
            give_up(vm, v, c)?;
            Err(vm.runtime_error("await wasn't used with future"))
        }
        Ok(_) => advance(vm, v, c),
    };
    match r {
        Ok(Progress::Wait) => {
            c.state.set(CoState::Waiting);
            Ok(Step::Yielded(v.clone()))
        }
        Ok(Progress::Turn) => {
            c.state.set(CoState::Woken);
            Ok(Step::Yielded(Value::NONE))
        }
        Ok(Progress::Ready(x)) => {
            finish(c);
            Ok(Step::Returned(x))
        }
        Err(e) => {
            finish(c);
            Err(e)
        }
    }
}

fn finish(c: &NativeCoro) {
    c.state.set(CoState::Done);
    c.task.take();
    c.target.take();
    c.arg.take();
}

/// Goes on: at the first poll, or when woken.
#[inline]
fn advance(vm: &Vm, v: &Value, c: &NativeCoro) -> Res<Progress> {
    match c.op {
        Op::Sleep => super::sleep::advance(vm, v, c),
        Op::EventWait => super::sync::event_wait(vm, v, c),
        Op::LockAcquire | Op::LockEnter | Op::LockExit => super::sync::lock_advance(vm, v, c),
        Op::SemAcquire | Op::SemEnter | Op::SemExit => super::semaphore::advance(vm, v, c),
        Op::QueueGet => super::queue::get(vm, v, c),
        Op::QueuePut => super::queue::put(vm, v, c),
        Op::QueueJoin => super::queue::join(vm, v, c),
        Op::GroupEnter | Op::GroupExit => super::group::advance(vm, v, c),
        Op::Read | Op::ReadLine | Op::ReadUntil | Op::ReadExactly | Op::NextLine => {
            super::reader::advance(vm, v, c)
        }
        Op::Drain | Op::WaitClosed => super::writer::advance(vm, v, c),
    }
}

/// An exception is thrown in while it waits (or is woken): it leaves the line, and hands on what it was woken for.
fn give_up(vm: &Vm, v: &Value, c: &NativeCoro) -> Res<()> {
    match c.op {
        Op::Sleep => super::sleep::give_up(vm, c),
        Op::EventWait => super::sync::event_give_up(v, c),
        Op::LockAcquire | Op::LockEnter => super::sync::lock_give_up(vm, v, c),
        Op::SemAcquire | Op::SemEnter => super::semaphore::give_up(vm, v, c),
        Op::QueueGet | Op::QueuePut | Op::QueueJoin => super::queue::give_up(vm, v, c),
        Op::Read | Op::ReadLine | Op::ReadUntil | Op::ReadExactly | Op::NextLine => {
            super::reader::give_up(v, c)
        }
        Op::Drain | Op::WaitClosed => super::writer::give_up(v, c),
        Op::LockExit | Op::SemExit | Op::GroupEnter | Op::GroupExit => Ok(()),
    }
}

/// Wakes a waiting native coroutine; false if it was woken or cancelled before.
pub fn wake(vm: &Vm, v: &Value) -> Res<bool> {
    let Some(c) = v.get::<NativeCoro>() else {
        return Ok(false);
    };
    if c.state.get() != CoState::Waiting {
        return Ok(false);
    }
    c.state.set(CoState::Woken);
    tell_task(vm, c)?;
    Ok(true)
}

/// The task that waits by `c` is to run.
fn tell_task(vm: &Vm, c: &NativeCoro) -> Res<()> {
    let tv = c.task.take();
    if let Some(t) = tv.get::<Task>() {
        let lv = t.fut.loop_.get();
        push(vm, &lv, Ready::Wake(tv))?;
    }
    Ok(())
}

/// Cancels a waiting native coroutine; false if it is woken already.
pub fn cancel(vm: &Vm, _v: &Value, c: &NativeCoro, msg: Option<Value>) -> Res<bool> {
    if c.state.get() != CoState::Waiting {
        return Ok(false);
    }
    c.state.set(CoState::Cancelled);
    if let Some(m) = msg
        && let Some(t) = c.task.peek().get::<Task>()
    {
        // The next wake-up makes the CancelledError of it.
        t.fut.with_rare(|r| r.cancelled_exc = Some(m));
    }
    tell_task(vm, c)?;
    Ok(true)
}

/// A timer came due.
pub fn due(vm: &Vm, v: &Value) -> Res<()> {
    wake(vm, v).map(|_| ())
}

/// True while the object waits and nobody has woken or cancelled it.
pub fn is_waiting(v: &Value) -> bool {
    v.get::<NativeCoro>()
        .is_some_and(|c| c.state.get() == CoState::Waiting)
}
/// True if it was cancelled while it waited (as a cancelled future in CPython's lines).
pub fn is_cancelled(v: &Value) -> bool {
    v.get::<NativeCoro>()
        .is_some_and(|c| c.state.get() == CoState::Cancelled)
}

/// The hook that names native coroutines.
pub fn name(_: &Vm, v: &Value) -> &'static str {
    v.get::<NativeCoro>().map_or("?", |c| c.op.name())
}
