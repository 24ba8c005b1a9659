//! The exception handler of a loop: where errors go that nobody awaits.

use super::lp::Loop;
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::{Raised, Res, Vm};

/// Tells a loop's exception handler of a context, given as pairs.
pub fn report(vm: &Vm, lv: &Value, facts: Vec<(&str, Value)>) -> Res<()> {
    let d = vm.dict();
    for (k, v) in facts {
        vm.setitem(&d, &vm.intern(k), &v)?;
    }
    match lv.get::<Loop>() {
        Some(lp) if lp.direct.get() => call_handler(vm, lv, lp, &d),
        _ if lv.is_unbound() || lv.is_none() => Ok(()),
        _ => {
            let f = vm.getattr_str(lv, "call_exception_handler")?;
            vm.call(&f, &[d]).map(|_| ())
        }
    }
}

fn fatal(vm: &Vm, e: &Raised) -> bool {
    vm.is_exc(e, Exc::SystemExit) || vm.is_exc(e, Exc::KeyboardInterrupt)
}

/// `call_exception_handler(context)`.
pub fn call_handler(vm: &Vm, lv: &Value, lp: &Loop, ctx: &Value) -> Res<()> {
    let handler = lp.exception_handler.get();
    if handler.non_none().is_none() {
        return match default(vm, lv, ctx) {
            Ok(()) => Ok(()),
            Err(e) if fatal(vm, &e) => Err(e),
            Err(e) => {
                log(vm, "Exception in default exception handler", &e.0);
                Ok(())
            }
        };
    }
    match vm.call(&handler, &[lv.clone(), ctx.clone()]) {
        Ok(_) => Ok(()),
        Err(e) if fatal(vm, &e) => Err(e),
        Err(e) => {
            let d = vm.dict();
            vm.setitem(
                &d,
                &vm.intern("message"),
                &vm.str("Unhandled error in exception handler"),
            )?;
            vm.setitem(&d, &vm.intern("exception"), &e.0)?;
            vm.setitem(&d, &vm.intern("context"), ctx)?;
            match default(vm, lv, &d) {
                Ok(()) => Ok(()),
                Err(e) if fatal(vm, &e) => Err(e),
                Err(e) => {
                    log(
                        vm,
                        "Exception in default exception handler while handling an unexpected error in custom exception handler",
                        &e.0,
                    );
                    Ok(())
                }
            }
        }
    }
}

fn default(vm: &Vm, lv: &Value, ctx: &Value) -> Res<()> {
    let f = vm.getattr_str(lv, "default_exception_handler")?;
    vm.call(&f, std::slice::from_ref(ctx)).map(|_| ())
}

/// By the logger "asyncio", with the traceback.
fn log(vm: &Vm, text: &str, exc: &Value) {
    let r = (|| -> Res<()> {
        let m = super::import(vm, "asyncio.log")?;
        let logger = vm.getattr_str(&m, "logger")?;
        let error = vm.getattr_str(&logger, "error")?;
        vm.call_kw(
            &error,
            &[vm.str(text)],
            &[(vm.intern("exc_info"), exc.clone())],
        )
        .map(|_| ())
    })();
    if let Err(e) = r {
        vm.unraisable(e, "Exception ignored in asyncio", &Value::NONE);
    }
}

/// A line at a level of the logger "asyncio".
pub fn log_at(vm: &Vm, level: &str, text: &str) -> Res<()> {
    let m = super::import(vm, "asyncio.log")?;
    let logger = vm.getattr_str(&m, "logger")?;
    let f = vm.getattr_str(&logger, level)?;
    vm.call(&f, &[vm.str("%s"), vm.str(text)]).map(|_| ())
}
