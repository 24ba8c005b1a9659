//! The module `gc`: the cycle collector as scripts see it. There is one generation.

use crate::builtins::support::ssize;
use crate::modules::math::rows;
use crate::object::dict::Dict;
use crate::object::header::{Header, flag};
use crate::object::native::{NativeDef, tuple_items};
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use std::cell::Cell;

/// Numbers that scripts may set and ask for.
struct Counters {
    thresholds: Cell<[i64; 3]>,
    collections: Cell<u64>,
    collected: Cell<u64>,
    debug: Cell<i64>,
}
impl Default for Counters {
    fn default() -> Counters {
        Counters {
            thresholds: Cell::new([2000, 10, 0]),
            collections: Cell::new(0),
            collected: Cell::new(0),
            debug: Cell::new(0),
        }
    }
}

fn collect(vm: &Vm, a: &[Value]) -> Res {
    let generation = ssize(vm, &a[0])?;
    if !(0..=2).contains(&generation) {
        return Err(vm.value_error("invalid generation"));
    }
    callbacks(vm, "start", 0)?;
    vm.run_pending();
    let n = vm.collect_garbage();
    vm.run_pending();
    let c = vm.extension::<Counters>();
    c.collections.set(c.collections.get() + 1);
    c.collected.set(c.collected.get() + n as u64);
    callbacks(vm, "stop", n)?;
    Ok(vm.usize(n))
}

/// Calls what stands in `gc.callbacks`.
fn callbacks(vm: &Vm, phase: &str, collected: usize) -> Res<()> {
    let module = vm.import_module("gc")?;
    let Some(list) = vm.getattr_opt(&module, &vm.intern("callbacks"))? else {
        return Ok(());
    };
    let fs = vm.collect(&list)?;
    if fs.is_empty() {
        return Ok(());
    }
    let info = vm.dict();
    if let Some(d) = info.get::<Dict>() {
        vm.dict_set_str(d, &vm.intern("generation"), vm.int(2));
        vm.dict_set_str(d, &vm.intern("collected"), vm.usize(collected));
        vm.dict_set_str(d, &vm.intern("uncollectable"), vm.int(0));
    }
    for f in fs {
        vm.call(&f, &[vm.str(phase), info.clone()])?;
    }
    Ok(())
}

fn enable(vm: &Vm, _: &[Value]) -> Res {
    vm.heap.gc_enabled.set(true);
    Ok(Value::NONE)
}
fn disable(vm: &Vm, _: &[Value]) -> Res {
    vm.heap.gc_enabled.set(false);
    Ok(Value::NONE)
}
fn isenabled(vm: &Vm, _: &[Value]) -> Res {
    Ok(Value::bool(vm.heap.gc_enabled.get()))
}

fn get_threshold(vm: &Vm, _: &[Value]) -> Res {
    let t = vm.extension::<Counters>().thresholds.get();
    Ok(vm.tuple(t.iter().map(|&i| vm.int(i)).collect()))
}

fn set_threshold(vm: &Vm, a: &[Value]) -> Res {
    let c = vm.extension::<Counters>();
    let mut t = c.thresholds.get();
    for (slot, v) in t.iter_mut().zip(a) {
        if let Some(v) = v.given() {
            *slot = ssize(vm, v)?;
        }
    }
    c.thresholds.set(t);
    vm.heap.gc_enabled.set(t[0] != 0);
    if t[0] > 0 {
        vm.heap.threshold.set(t[0].max(1));
    }
    Ok(Value::NONE)
}

fn get_count(vm: &Vm, _: &[Value]) -> Res {
    Ok(vm.tuple(vec![
        vm.int(vm.heap.debt.get().max(0)),
        vm.int(0),
        vm.int(0),
    ]))
}

fn get_stats(vm: &Vm, _: &[Value]) -> Res {
    let c = vm.extension::<Counters>();
    let row = |collections: u64, collected: u64| {
        let row = vm.dict();
        if let Some(d) = row.get::<Dict>() {
            vm.dict_set_str(d, &vm.intern("collections"), vm.int_u64(collections));
            vm.dict_set_str(d, &vm.intern("collected"), vm.int_u64(collected));
            vm.dict_set_str(d, &vm.intern("uncollectable"), vm.int(0));
        }
        row
    };
    Ok(vm.list(vec![
        row(0, 0),
        row(0, 0),
        row(c.collections.get(), c.collected.get()),
    ]))
}

fn is_tracked(_: &Vm, a: &[Value]) -> Res {
    Ok(Value::bool(
        a[0].header()
            .is_some_and(|h| h.flags.get() & flag::TRACED != 0),
    ))
}

fn is_finalized(_: &Vm, a: &[Value]) -> Res {
    Ok(Value::bool(
        a[0].header()
            .is_some_and(|h| h.flags.get() & flag::FINALIZED != 0),
    ))
}

/// A new reference to a live object of the heap.
#[allow(unsafe_code)]
fn value_of(h: *mut Header) -> Value {
    // SAFETY: the heap gives live objects; the count is taken here.
    unsafe {
        (*h).count.set((*h).count.get() + 1);
        Value::from_bits(h as u64)
    }
}

/// All traced objects.
fn objects(vm: &Vm) -> Vec<Value> {
    let mut out = Vec::new();
    vm.heap.each_object(&mut |h| {
        let v = value_of(h);
        if v.header()
            .is_some_and(|h| h.flags.get() & flag::TRACED != 0 && h.count.get() > 1)
        {
            out.push(v);
        } else {
            // An object that is dying must not be revived: give the count back without a release.
            if let Some(h) = v.header() {
                h.count.set(h.count.get() - 1);
            }
            std::mem::forget(v);
        }
    });
    out
}

fn get_objects(vm: &Vm, _: &[Value]) -> Res {
    let all = objects(vm);
    Ok(vm.list(all))
}

#[allow(unsafe_code)]
fn referents(vm: &Vm, v: &Value) -> Vec<Value> {
    let mut out = Vec::new();
    if let Some(h) = v.header() {
        let h = h as *const Header as *mut Header;
        // SAFETY: the object is alive, and nothing runs meanwhile.
        unsafe {
            (vm.heap.info((*h).kind).trace)(h, &mut |x| {
                if !x.is_unbound() {
                    out.push(x.clone());
                }
            });
            if (*h).flags.get() & flag::SLOTS != 0 {
                crate::object::instance::trace_slots(&vm.heap, &*h, &mut |x| {
                    if !x.is_unbound() {
                        out.push(x.clone());
                    }
                });
            }
        }
    }
    out
}

fn get_referents(vm: &Vm, a: &[Value]) -> Res {
    let all = tuple_items(&a[0])
        .iter()
        .flat_map(|v| referents(vm, v))
        .collect();
    Ok(vm.list(all))
}

fn get_referrers(vm: &Vm, a: &[Value]) -> Res {
    let wanted = tuple_items(&a[0]);
    let found = objects(vm)
        .into_iter()
        .filter(|o| {
            !o.is(&a[0])
                && referents(vm, o)
                    .iter()
                    .any(|r| wanted.iter().any(|w| w.is(r)))
        })
        .collect();
    Ok(vm.list(found))
}

fn set_debug(vm: &Vm, a: &[Value]) -> Res {
    vm.extension::<Counters>().debug.set(ssize(vm, &a[0])?);
    Ok(Value::NONE)
}
fn get_debug(vm: &Vm, _: &[Value]) -> Res {
    Ok(vm.int(vm.extension::<Counters>().debug.get()))
}
fn nothing(_: &Vm, _: &[Value]) -> Res {
    Ok(Value::NONE)
}
fn zero(vm: &Vm, _: &[Value]) -> Res {
    Ok(vm.int(0))
}

static FUNCTIONS: &[NativeDef] = rows! {
    "collect(generation=2)" collect, "Run the garbage collector.\n\nThe number of unreachable objects is returned.";
    "enable()" enable, "Enable automatic garbage collection.";
    "disable()" disable, "Disable automatic garbage collection.";
    "isenabled()" isenabled, "Returns true if automatic garbage collection is enabled.";
    "get_threshold()" get_threshold, "Return the current collection thresholds.";
    "set_threshold(threshold0, threshold1=..., threshold2=..., /)" set_threshold, "Set the collection thresholds (the collection frequency).";
    "get_count()" get_count, "Return a three-tuple of the current collection counts.";
    "get_stats()" get_stats, "Return a list of dictionaries containing per-generation statistics.";
    "is_tracked(obj, /)" is_tracked, "Returns true if the object is tracked by the garbage collector.";
    "is_finalized(obj, /)" is_finalized, "Returns true if the object has been already finalized by the GC.";
    "get_objects(generation=None)" get_objects, "Return a list of objects tracked by the collector (excluding the list returned).";
    "get_referents(*objs)" get_referents, "Return the list of objects that are directly referred to by 'objs'.";
    "get_referrers(*objs)" get_referrers, "Return the list of objects that directly refer to any of 'objs'.";
    "set_debug(flags, /)" set_debug, "Set the garbage collection debugging flags.";
    "get_debug()" get_debug, "Get the garbage collection debugging flags.";
    "freeze()" nothing, "Does nothing here: there is one generation.";
    "unfreeze()" nothing, "Does nothing here: there is one generation.";
    "get_freeze_count()" zero, "Return the number of objects in the permanent generation.";
};

pub fn init(vm: &Vm) -> Res {
    let m = vm.native_module(
        "gc",
        "This module provides access to the garbage collector.",
        &[FUNCTIONS],
    );
    vm.module_set(&m, "garbage", vm.list(vec![]));
    vm.module_set(&m, "callbacks", vm.list(vec![]));
    for (name, bit) in [
        ("DEBUG_STATS", 1),
        ("DEBUG_COLLECTABLE", 2),
        ("DEBUG_UNCOLLECTABLE", 4),
        ("DEBUG_SAVEALL", 32),
        ("DEBUG_LEAK", 38),
    ] {
        vm.module_set(&m, name, vm.int(bit));
    }
    Ok(m)
}
