//! How a program ends: the status of an uncaught exception, what runs at exit, and the last flush.

use crate::object::Value;
use crate::object::dict::Dict;
use crate::vm::raise::Exc;
use crate::vm::{Raised, Res, Vm};

/// Exit status after Ctrl-C.
const INTERRUPTED: i32 = 130;

/// The status of a run; an uncaught exception is reported here.
pub fn status(vm: &Vm, r: Res<i32>) -> i32 {
    match r {
        Ok(s) => s,
        Err(e) => uncaught(vm, e),
    }
}

/// Reports an uncaught exception and gives its status.
pub fn uncaught(vm: &Vm, e: Raised) -> i32 {
    if vm.is_exc(&e, Exc::SystemExit) {
        return system_exit(vm, &e.0);
    }
    flush(vm);
    if vm.is_exc(&e, Exc::BrokenPipeError) && stdout_is_broken(vm) {
        return 1;
    }
    vm.print_exception(&e.0);
    if vm.is_exc(&e, Exc::KeyboardInterrupt) {
        INTERRUPTED
    } else {
        1
    }
}

fn system_exit(vm: &Vm, exc: &Value) -> i32 {
    let code = vm
        .getattr_opt(exc, &vm.names.code)
        .ok()
        .flatten()
        .unwrap_or(Value::NONE);
    if code.is_none() {
        return 0;
    }
    if let Some(b) = code.as_bool() {
        return b as i32;
    }
    if let Some(i) = code.as_small() {
        return (i & 0xff) as i32;
    }
    let text = vm.str_string(&code).unwrap_or_default();
    vm.write_stderr(&format!("{text}\n"));
    1
}

fn stream(vm: &Vm, name: &Value) -> Option<Value> {
    let sys = vm
        .modules
        .get::<Dict>()
        .and_then(|d| vm.dict_get_str(d, &vm.names.sys))?;
    vm.getattr_opt(&sys, name)
        .ok()
        .flatten()
        .filter(|v| !v.is_none())
}

fn stdout_is_broken(vm: &Vm) -> bool {
    stream(vm, &vm.names.stdout).is_none_or(|s| matches!(vm.call_method(&s, &vm.names.flush, &[]), Err(e) if vm.is_exc(&e, Exc::BrokenPipeError)))
}

/// Flushes what the script wrote. False if that failed.
pub fn flush(vm: &Vm) -> bool {
    let mut ok = match vm.flush_std() {
        Ok(()) => true,
        Err(e) => vm.is_exc(&e, Exc::ValueError),
    };
    for name in [&vm.names.stdout, &vm.names.stderr] {
        if let Some(s) = stream(vm, name)
            && let Err(e) = vm.call_method(&s, &vm.names.flush, &[])
        {
            // A reader that has left is no error worth words; anything else is.
            if !vm.is_exc(&e, Exc::BrokenPipeError) && !vm.is_exc(&e, Exc::ValueError) {
                super::error_line(&format!("corun: {}", vm.exception_lines(&e.0).trim_end()));
            }
            ok = ok && vm.is_exc(&e, Exc::ValueError);
        }
    }
    ok
}

/// Runs exit handlers, flushes, and gives the final status.
pub fn finish(vm: Box<Vm>, status: i32) -> i32 {
    let mut status = status;
    if let Some(m) = vm
        .modules
        .get::<Dict>()
        .and_then(|d| vm.dict_get_str(d, &vm.intern("atexit")))
        && let Ok(Some(f)) = vm.getattr_opt(&m, &vm.intern("_run_exitfuncs"))
        && let Err(e) = vm.call(&f, &[])
    {
        uncaught(&vm, e);
    }
    // Objects of the main module die before the streams close, so that their finalizers can still print.
    let main = super::main_dict(&vm);
    if let Some(d) = main.get::<Dict>() {
        d.clear();
    }
    vm.run_pending();
    vm.collect_garbage();
    vm.run_pending();
    if !flush(&vm) && status == 0 {
        status = 120;
    }
    // The process ends: the heap goes with it, object by object would only cost time.
    std::mem::forget(vm);
    status
}
