//! Running a loop: turns, and the two ways in (`run_forever`, `run_until_complete`).
//!
//! One turn, in CPython's order, so that scripts see the same:
//! 1. cancelled timers go;
//! 2. the poller waits: not at all if something is ready, else until the first timer; if nothing could ever end the wait, that is a deadlock, and reported;
//! 3. descriptors that are ready, calls from other threads, timers that are due go to the ready queue;
//! 4. the entries that are now there run.

use super::future::{Future, State, fflag, head, log_tb_off, result_of};
use super::lp::Loop;
use super::ready::Ready;
use super::state::state;
use crate::builtins::support::this;
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::{Raised, Res, Vm};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// The clock's resolution: a timer that is due within it is due.
const RESOLUTION: f64 = 1e-9;
/// No wait is longer than a day.
const LONGEST: f64 = 86400.0;

/// One turn.
pub fn turn(vm: &Vm, lv: &Value, lp: &Loop) -> Res<()> {
    let timers = !lp.timers.borrow().is_empty();
    if timers {
        let gone = lp.timers.borrow_mut().sweep();
        drop(gone);
    }
    let busy = lp.ready_len() > 0 || lp.stopping.get();
    if !busy || lp.io.borrow().is_some() {
        wait(vm, lv, lp, busy)?;
    }
    if timers {
        let end = lp.now(vm, lv)? + RESOLUTION;
        loop {
            let due = lp.timers.borrow_mut().pop_due(end);
            let Some(v) = due else { break };
            match v.get::<super::handle::Handle>() {
                Some(h) => {
                    h.scheduled.set(false);
                    lp.push(Ready::Handle(v));
                }
                None => lp.push(Ready::Due(v)),
            }
        }
    }
    for _ in 0..lp.ready_len() {
        let Some(r) = lp.pop() else { break };
        if lp.debug.get() {
            super::debug::run_timed(vm, lv, lp, r)?;
        } else {
            super::ready::run(vm, lv, r)?;
        }
        if vm.heap.attention.load(Relaxed) {
            vm.safe_point()?;
        }
    }
    Ok(())
}

/// Waits for what comes next, and takes in what came from outside.
fn wait(vm: &Vm, lv: &Value, lp: &Loop, busy: bool) -> Res<()> {
    let timeout = if busy {
        Some(0.0)
    } else {
        let next = lp.timers.borrow().next();
        match next {
            Some(when) => Some((when - lp.now(vm, lv)?).clamp(0.0, LONGEST)),
            None => None,
        }
    };
    if timeout.is_none() && !super::io::can_wake(lp) {
        return super::deadlock::report(vm, lv, lp);
    }
    let timeout = timeout.map(Duration::from_secs_f64);
    if !busy {
        flush_output(vm);
    }
    super::io::poll(vm, lv, lp, timeout)?;
    if vm.heap.attention.load(Relaxed) {
        vm.safe_point()?;
    }
    Ok(())
}

/// Before a long wait the collector has time for what is queued.
fn flush_output(vm: &Vm) {
    let _ = vm;
}

fn check_can_run(vm: &Vm, lv: &Value) -> Res<()> {
    let lp = this::<Loop>(vm, lv)?;
    check_open(vm, lp)?;
    if lp.running.get() {
        return Err(vm.runtime_error("This event loop is already running"));
    }
    if state(vm).running.is_set() {
        return Err(vm.runtime_error("Cannot run the event loop while another loop is running"));
    }
    Ok(())
}

/// RuntimeError for a closed loop.
#[inline]
pub fn check_open(vm: &Vm, lp: &Loop) -> Res<()> {
    if lp.closed.get() {
        Err(vm.runtime_error("Event loop is closed"))
    } else {
        Ok(())
    }
}

/// Runs until `stop()`.
pub fn run_forever(vm: &Vm, lv: &Value) -> Res<()> {
    check_can_run(vm, lv)?;
    let lp = this::<Loop>(vm, lv)?;
    let st = state(vm);
    lp.running.set(true);
    st.running.set(lv.clone());
    let hooks = (
        vm.hooks.asyncgen_firstiter.get(),
        vm.hooks.asyncgen_finalizer.get(),
    );
    vm.hooks
        .asyncgen_firstiter
        .set(super::asyncgens::first_iteration);
    vm.hooks.asyncgen_finalizer.set(super::asyncgens::finalize);
    let r = loop {
        if let Err(e) = turn(vm, lv, lp) {
            break Err(e);
        }
        if lp.stopping.get() {
            break Ok(());
        }
    };
    lp.stopping.set(false);
    lp.running.set(false);
    st.running.take();
    vm.hooks.asyncgen_firstiter.set(hooks.0);
    vm.hooks.asyncgen_finalizer.set(hooks.1);
    r
}

/// The future that `run_until_complete` waits for is done.
pub fn main_done(vm: &Vm, lv: &Value, f: &Future) -> Res<()> {
    if let Some(e) = f.exc() {
        let r = Raised(e);
        if vm.is_exc(&r, Exc::SystemExit) || vm.is_exc(&r, Exc::KeyboardInterrupt) {
            // It has ended the loop already.
            return Ok(());
        }
    }
    if let Some(lp) = lv.get::<Loop>() {
        lp.stopping.set(true);
    }
    Ok(())
}

/// Runs until a future is done; gives its result.
pub fn run_until_complete(vm: &Vm, lv: &Value, what: &Value) -> Res {
    check_can_run(vm, lv)?;
    let made = head(what).is_none() && !super::future_type::is_future(vm, what)?;
    let fut = super::gather::ensure(vm, what, lv)?;
    let Some(f) = head(&fut) else {
        return foreign_until_complete(vm, lv, &fut);
    };
    if made {
        f.set_flag(fflag::LOG_DESTROY, false);
    }
    if f.done() {
        super::future::notify(vm, f, &fut, lv.clone(), Value::UNBOUND)?;
    } else {
        f.add_waiter(lv);
    }
    let r = run_forever(vm, lv);
    f.remove_waiter(lv);
    if let Err(e) = r {
        if made && f.done() && f.state.get() != State::Cancelled {
            log_tb_off(&fut, f);
        }
        return Err(e);
    }
    if !f.done() {
        return Err(vm.runtime_error("Event loop stopped before Future completed."));
    }
    result_of(vm, &fut, f)
}

/// As above, for futures of another make.
fn foreign_until_complete(vm: &Vm, lv: &Value, fut: &Value) -> Res {
    let stop = vm.getattr_str(lv, "_stop_when_done")?;
    let add = vm.names.add_done_callback.clone();
    vm.call_method(fut, &add, std::slice::from_ref(&stop))?;
    run_forever(vm, lv)?;
    let done = vm.call_method(fut, &vm.names.done.clone(), &[])?;
    if !vm.truth(&done)? {
        return Err(vm.runtime_error("Event loop stopped before Future completed."));
    }
    vm.call_method(fut, &vm.names.result.clone(), &[])
}

/// Closes a loop: what is in its queues goes.
pub fn close(vm: &Vm, lv: &Value) -> Res<()> {
    let lp = this::<Loop>(vm, lv)?;
    if lp.running.get() {
        return Err(vm.runtime_error("Cannot close a running event loop"));
    }
    if lp.closed.replace(true) {
        return Ok(());
    }
    let old = (lp.take_ready(), lp.timers.borrow_mut().take());
    drop(old);
    super::io::close(vm, lp);
    // Tasks that nobody else holds die here, and say so if they were not done.
    let tasks = lp.take_tasks();
    drop(tasks);
    vm.run_pending();
    Ok(())
}
