//! `asyncio.sleep()`: a bare yield for zero, a timer without handle or future otherwise.

use super::coro::{CoState, NativeCoro, Op, Progress, make};
use super::lp::Loop;
use super::state::state;
use crate::object::native::NativeDef;
use crate::object::value::Value;
use crate::vm::{Res, Vm};

/// `sleep(delay, result=None)`: target holds the result, arg the delay.
fn sleep(vm: &Vm, a: &[Value]) -> Res {
    make(vm, Op::Sleep, a[1].clone(), a[0].clone())
}

pub fn advance(vm: &Vm, v: &Value, c: &NativeCoro) -> Res<Progress> {
    if c.state.get() == CoState::Woken {
        return Ok(Progress::Ready(c.target.take()));
    }
    let delay = match c.arg.peek().as_small() {
        Some(i) => i as f64,
        None => {
            let d = c.arg.get();
            match d.as_float() {
                Some(f) => f,
                None => {
                    // Anything that compares with 0, as CPython does it.
                    if vm.truth(&vm.compare(crate::object::types::CmpOp::Le, &d, &vm.int(0))?)? {
                        0.0
                    } else {
                        vm.to_f64(&d)?
                    }
                }
            }
        }
    };
    if delay <= 0.0 {
        return Ok(Progress::Turn);
    }
    if delay.is_nan() {
        return Err(vm.value_error("Invalid delay: NaN (not a number)"));
    }
    let lv = super::running_loop(vm)?;
    let Some(lp) = lv.get::<Loop>().filter(|l| l.direct.get()) else {
        return foreign(vm, &lv, v, delay);
    };
    let when = lp.now(vm, &lv)? + delay;
    lp.timers.borrow_mut().push(when, v.clone());
    Ok(Progress::Wait)
}

/// A loop made by a script: its `call_later` wakes us.
#[cold]
fn foreign(vm: &Vm, lv: &Value, v: &Value, delay: f64) -> Res<Progress> {
    let wake = super::task_type::due_method(vm, v);
    let f = vm.getattr_str(lv, "call_later")?;
    vm.call(&f, &[vm.float(delay), wake])?;
    Ok(Progress::Wait)
}

pub fn give_up(vm: &Vm, c: &NativeCoro) -> Res<()> {
    // The timer's entry stays in the heap and is dropped when it comes up, or when there are many such.
    if c.state.get() != CoState::Woken
        && let Some(lp) = state(vm).running.peek().get::<Loop>()
    {
        lp.timers.borrow_mut().note_cancelled();
    }
    Ok(())
}

pub static FUNCTIONS: &[NativeDef] = &[NativeDef {
    sig: "sleep(delay, result=None, *, loop=None)",
    f: sleep,
    doc: "Let others run for `delay` seconds; zero gives them one turn.",
}];
