//! The module `itertools`: the payload of all its iterators, and those that take items one by one. (Combinations, products and the like are in
//! `itertools_combine`.)
//!
//! Rule: a `next` function copies what it needs out of a cell before script code runs, and an iterator that has ended stays ended.

#![allow(unsafe_code)]

use crate::builtins::list::class_getitem;
use crate::builtins::support::{has_index, positional, same, small_int, ssize};
use crate::modules::itertools_combine as combine;
use crate::object::header::{Kind, Payload};
use crate::object::native::{Args, NativeDef, tuple_items};
use crate::object::types::{BinOp, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use std::cell::{Cell, RefCell};

/// A place for a value that changes; unbound once done with.
pub type Slot = RefCell<Value>;

/// The payload of every itertools object. Which variant an object has follows from its type.
pub enum Tool {
    Count {
        next: Slot,
        step: Value,
    },
    Cycle {
        iter: Slot,
        saved: RefCell<Vec<Value>>,
        at: Cell<usize>,
    },
    /// `left` is -1 for no end.
    Repeat {
        item: Value,
        left: Cell<i64>,
    },
    Chain {
        sources: Slot,
        active: Slot,
    },
    Accumulate {
        iter: Value,
        func: Value,
        total: Slot,
        initial: Slot,
    },
    Compress {
        data: Value,
        selectors: Value,
    },
    DropWhile {
        func: Value,
        iter: Value,
        started: Cell<bool>,
    },
    TakeWhile {
        func: Value,
        iter: Value,
        stopped: Cell<bool>,
    },
    FilterFalse {
        func: Value,
        iter: Value,
    },
    StarMap {
        func: Value,
        iter: Value,
    },
    /// `next` is the index of the item to give next, `at` how many were taken; `stop` -1 for no end.
    Islice {
        iter: Slot,
        next: Cell<i64>,
        at: Cell<i64>,
        stop: i64,
        step: i64,
    },
    Pairwise {
        iter: Slot,
        old: Slot,
    },
    Batched {
        iter: Slot,
        n: usize,
        strict: bool,
    },
    ZipLongest {
        iters: RefCell<Vec<Value>>,
        fill: Value,
    },
    GroupBy {
        iter: Value,
        key: Value,
        target: Slot,
        current_key: Slot,
        current: Slot,
        group: Cell<u64>,
    },
    /// One group of the GroupBy `parent`; `group` is its number.
    Grouper {
        parent: Value,
        target: Value,
        group: u64,
    },
    /// A stretch of items that several tees share, and the next stretch.
    TeeData {
        iter: Value,
        items: RefCell<Vec<Value>>,
        next: Slot,
        running: Cell<bool>,
    },
    Tee {
        data: Slot,
        at: Cell<usize>,
    },
    Product {
        pools: Vec<Vec<Value>>,
        at: RefCell<Vec<usize>>,
        state: Cell<combine::State>,
    },
    /// Combinations, with or without repetition.
    Combinations {
        pool: Vec<Value>,
        at: RefCell<Vec<usize>>,
        repeat: bool,
        state: Cell<combine::State>,
    },
    Permutations {
        pool: Vec<Value>,
        at: RefCell<Vec<usize>>,
        cycles: RefCell<Vec<usize>>,
        state: Cell<combine::State>,
    },
}

// SAFETY: one type per kind; each value is visited once. Cells are read at safe points only, when no borrow is held.
unsafe impl Payload for Tool {
    const KIND: Kind = Kind::Itertool;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        use Tool::*;
        let slot = |s: &Slot| unsafe { &*s.as_ptr() };
        match self {
            Count { next, step } => [slot(next), step].into_iter().for_each(visit),
            Cycle { iter, saved, .. } => {
                visit(slot(iter));
                unsafe { (*saved.as_ptr()).iter().for_each(visit) }
            }
            Repeat { item, .. } => visit(item),
            Chain { sources, active } => [slot(sources), slot(active)].into_iter().for_each(visit),
            Accumulate {
                iter,
                func,
                total,
                initial,
            } => [iter, func, slot(total), slot(initial)]
                .into_iter()
                .for_each(visit),
            Compress { data, selectors } => [data, selectors].into_iter().for_each(visit),
            DropWhile { func, iter, .. }
            | TakeWhile { func, iter, .. }
            | FilterFalse { func, iter }
            | StarMap { func, iter } => [func, iter].into_iter().for_each(visit),
            Islice { iter, .. } | Batched { iter, .. } => visit(slot(iter)),
            Pairwise { iter, old } => [slot(iter), slot(old)].into_iter().for_each(visit),
            ZipLongest { iters, fill } => {
                visit(fill);
                unsafe { (*iters.as_ptr()).iter().for_each(visit) }
            }
            GroupBy {
                iter,
                key,
                target,
                current_key,
                current,
                ..
            } => [iter, key, slot(target), slot(current_key), slot(current)]
                .into_iter()
                .for_each(visit),
            Grouper { parent, target, .. } => [parent, target].into_iter().for_each(visit),
            TeeData {
                iter, items, next, ..
            } => {
                visit(iter);
                visit(slot(next));
                unsafe { (*items.as_ptr()).iter().for_each(visit) }
            }
            Tee { data, .. } => visit(slot(data)),
            Product { pools, .. } => pools.iter().flatten().for_each(visit),
            Combinations { pool, .. } | Permutations { pool, .. } => pool.iter().for_each(visit),
        }
    }
}

pub fn get(s: &Slot) -> Value {
    s.borrow().clone()
}
/// Empties a slot.
fn end(s: &Slot) {
    let old = s.replace(Value::UNBOUND);
    drop(old);
}
pub fn slot(v: Value) -> Slot {
    RefCell::new(v)
}

fn iter_self(_: &Vm, v: &Value) -> Res {
    Ok(v.clone())
}

/// Declares a type: name, constructor, `next` function, doc.
macro_rules! tool {
    ($id:ident $name:literal $new:expr, $next:expr, $methods:expr, $doc:literal) => {
        pub static $id: TypeSpec = TypeSpec {
            name: concat!("itertools.", $name),
            kind: Kind::Itertool,
            flags: tflag::BASETYPE,
            slots: |s| {
                s.new = Some($new);
                s.iter = Some(|_, v| Ok(v.clone()));
                s.next = Some($next);
            },
            methods: $methods,
            doc: $doc,
            ..TypeSpec::EMPTY
        };
    };
}
pub(super) use tool;

/// Binds the variant's fields of `$v`, or fails (which only a Rust mistake can cause).
macro_rules! fields {
    ($vm:expr, $v:expr, $pattern:pat) => {
        let $pattern = crate::builtins::support::this::<$crate::modules::itertools::Tool>($vm, $v)?
        else {
            return Err(crate::builtins::support::wrong_self($vm, $v));
        };
    };
}
pub(super) use fields;

// ---- count, cycle, repeat

fn is_number(vm: &Vm, v: &Value) -> bool {
    matches!(v.kind(), Kind::Complex) || has_index(vm, v) || vm.type_obj(v).slots().float.is_some()
}

fn new_count(vm: &Vm, class: &Value, args: Args) -> Res {
    let a = vm.bind_args("count(start=0, step=1)", args)?;
    if !is_number(vm, &a[0]) || !is_number(vm, &a[1]) {
        return Err(vm.type_error("a number is required"));
    }
    Ok(vm.alloc_as(
        class,
        Tool::Count {
            next: slot(a[0].clone()),
            step: a[1].clone(),
        },
    ))
}

fn next_count(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    fields!(vm, v, Tool::Count { next, step });
    let now = get(next);
    let then = match (now.as_small(), step.as_small()) {
        (Some(a), Some(b)) => vm.int_i128(a as i128 + b as i128),
        _ => vm.binary(BinOp::Add, &now, step)?,
    };
    next.replace(then);
    Ok(Some(now))
}

fn repr_count(vm: &Vm, v: &Value) -> Res {
    fields!(vm, v, Tool::Count { next, step });
    let name = vm.type_name(v);
    let now = vm.repr_string(&get(next))?;
    Ok(vm.str(&if step.as_small() == Some(1) {
        format!("{name}({now})")
    } else {
        format!("{name}({now}, {})", vm.repr_string(step)?)
    }))
}

pub static COUNT: TypeSpec = TypeSpec {
    name: "itertools.count",
    kind: Kind::Itertool,
    flags: tflag::BASETYPE,
    slots: |s| {
        s.new = Some(new_count);
        s.iter = Some(iter_self);
        s.next = Some(next_count);
        s.repr = Some(repr_count);
    },
    doc: "Return a count object whose .__next__() method returns consecutive values.",
    ..TypeSpec::EMPTY
};

fn new_cycle(vm: &Vm, class: &Value, args: Args) -> Res {
    let a = positional(vm, "cycle", args, 1, 1)?;
    let iter = vm.iter(&a[0])?;
    Ok(vm.alloc_as(
        class,
        Tool::Cycle {
            iter: slot(iter),
            saved: RefCell::default(),
            at: Cell::new(0),
        },
    ))
}

fn next_cycle(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    fields!(vm, v, Tool::Cycle { iter, saved, at });
    let source = get(iter);
    if !source.is_unbound() {
        if let Some(item) = vm.next(&source)? {
            saved.borrow_mut().push(item.clone());
            return Ok(Some(item));
        }
        end(iter);
    }
    let items = saved.borrow();
    if items.is_empty() {
        return Ok(None);
    }
    let i = at.get() % items.len();
    at.set(i + 1);
    Ok(Some(items[i].clone()))
}

tool!(CYCLE "cycle" new_cycle, next_cycle, &[], "Return elements from the iterable until it is exhausted. Then repeat the sequence indefinitely.");

fn new_repeat(vm: &Vm, class: &Value, args: Args) -> Res {
    let a = vm.bind_args("repeat(object, times=...)", args)?;
    let left = match a[1].given() {
        Some(n) => ssize(vm, n)?.max(0),
        None => -1,
    };
    Ok(vm.alloc_as(
        class,
        Tool::Repeat {
            item: a[0].clone(),
            left: Cell::new(left),
        },
    ))
}

fn next_repeat(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    fields!(vm, v, Tool::Repeat { item, left });
    match left.get() {
        0 => return Ok(None),
        n if n > 0 => left.set(n - 1),
        _ => {}
    }
    Ok(Some(item.clone()))
}

fn repr_repeat(vm: &Vm, v: &Value) -> Res {
    fields!(vm, v, Tool::Repeat { item, left });
    let (name, item) = (vm.type_name(v), vm.repr_string(item)?);
    Ok(vm.str(&if left.get() < 0 {
        format!("{name}({item})")
    } else {
        format!("{name}({item}, {})", left.get())
    }))
}

pub static REPEAT: TypeSpec = TypeSpec {
    name: "itertools.repeat",
    kind: Kind::Itertool,
    flags: tflag::BASETYPE,
    slots: |s| {
        s.new = Some(new_repeat);
        s.iter = Some(iter_self);
        s.next = Some(next_repeat);
        s.repr = Some(repr_repeat);
    },
    methods: &[NativeDef {
        sig: "__length_hint__(self, /)",
        f: |vm, a| {
            fields!(vm, &a[0], Tool::Repeat { left, .. });
            if left.get() < 0 {
                Err(vm.type_error("len() of unsized object"))
            } else {
                Ok(vm.int(left.get()))
            }
        },
        doc: "Private method returning an estimate of len(list(it)).",
    }],
    doc: "repeat(object [,times]) -> create an iterator which returns the object\nfor the specified number of times.  If not specified, returns the object\nendlessly.",
    ..TypeSpec::EMPTY
};

// ---- chain

fn new_chain(vm: &Vm, class: &Value, args: Args) -> Res {
    let a = positional(vm, "chain", args, 0, usize::MAX)?;
    let sources = vm.iter(&vm.tuple(a.to_vec()))?;
    Ok(vm.alloc_as(
        class,
        Tool::Chain {
            sources: slot(sources),
            active: slot(Value::UNBOUND),
        },
    ))
}

fn chain_from_iterable(vm: &Vm, a: &[Value]) -> Res {
    let sources = vm.iter(&a[1])?;
    Ok(vm.alloc_as(
        &a[0],
        Tool::Chain {
            sources: slot(sources),
            active: slot(Value::UNBOUND),
        },
    ))
}

fn next_chain(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    fields!(vm, v, Tool::Chain { sources, active });
    loop {
        let now = get(active);
        if !now.is_unbound() {
            if let Some(item) = vm.next(&now)? {
                return Ok(Some(item));
            }
            end(active);
        }
        let from = get(sources);
        if from.is_unbound() {
            return Ok(None);
        }
        match vm.next(&from) {
            Ok(Some(iterable)) => match vm.iter(&iterable) {
                Ok(it) => drop(active.replace(it)),
                Err(e) => {
                    end(sources);
                    return Err(e);
                }
            },
            Ok(None) => end(sources),
            Err(e) => {
                end(sources);
                return Err(e);
            }
        }
    }
}

pub static CHAIN: TypeSpec = TypeSpec {
    name: "itertools.chain",
    kind: Kind::Itertool,
    flags: tflag::BASETYPE,
    slots: |s| {
        s.new = Some(new_chain);
        s.iter = Some(iter_self);
        s.next = Some(next_chain);
    },
    class_methods: &[
        NativeDef {
            sig: "from_iterable(cls, iterable, /)",
            f: chain_from_iterable,
            doc: "Alternative chain() constructor taking a single iterable argument that evaluates lazily.",
        },
        NativeDef {
            sig: "__class_getitem__(cls, object, /)",
            f: class_getitem,
            doc: "See PEP 585",
        },
    ],
    doc: "Return a chain object whose .__next__() method returns elements from the\nfirst iterable until it is exhausted, then elements from the next\niterable, until all of the iterables are exhausted.",
    ..TypeSpec::EMPTY
};

// ---- accumulate, compress, dropwhile, takewhile, filterfalse, starmap

fn new_accumulate(vm: &Vm, class: &Value, args: Args) -> Res {
    let a = vm.bind_args("accumulate(iterable, func=None, *, initial=None)", args)?;
    let iter = vm.iter(&a[0])?;
    let initial = a[2].non_none().cloned().unwrap_or(Value::UNBOUND);
    Ok(vm.alloc_as(
        class,
        Tool::Accumulate {
            iter,
            func: a[1].clone(),
            total: slot(Value::UNBOUND),
            initial: slot(initial),
        },
    ))
}

fn next_accumulate(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    fields!(
        vm,
        v,
        Tool::Accumulate {
            iter,
            func,
            total,
            initial
        }
    );
    let first = initial.replace(Value::UNBOUND);
    if !first.is_unbound() {
        total.replace(first.clone());
        return Ok(Some(first));
    }
    let Some(item) = vm.next(iter)? else {
        return Ok(None);
    };
    let so_far = get(total);
    let now = if so_far.is_unbound() {
        item
    } else if func.is_none() {
        vm.binary(BinOp::Add, &so_far, &item)?
    } else {
        vm.call(func, &[so_far, item])?
    };
    let old = total.replace(now.clone());
    drop(old);
    Ok(Some(now))
}

tool!(ACCUMULATE "accumulate" new_accumulate, next_accumulate, &[], "Return series of accumulated sums.");

fn new_compress(vm: &Vm, class: &Value, args: Args) -> Res {
    let a = vm.bind_args("compress(data, selectors)", args)?;
    let data = vm.iter(&a[0])?;
    let selectors = vm.iter(&a[1])?;
    Ok(vm.alloc_as(class, Tool::Compress { data, selectors }))
}

fn next_compress(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    fields!(vm, v, Tool::Compress { data, selectors });
    loop {
        let Some(item) = vm.next(data)? else {
            return Ok(None);
        };
        let Some(selector) = vm.next(selectors)? else {
            return Ok(None);
        };
        if vm.truth(&selector)? {
            return Ok(Some(item));
        }
    }
}

tool!(COMPRESS "compress" new_compress, next_compress, &[], "Return data elements corresponding to true selector elements.\n\nForms a shorter iterator from selected data elements using the selectors to\nchoose the data elements.");

/// The two arguments (function, iterator) of several tools.
fn func_and_iter(vm: &Vm, name: &str, args: Args) -> Res<(Value, Value)> {
    let a = positional(vm, name, args, 2, 2)?;
    Ok((a[0].clone(), vm.iter(&a[1])?))
}

fn test(vm: &Vm, func: &Value, item: &Value) -> Res<bool> {
    let r = vm.call(func, std::slice::from_ref(item))?;
    vm.truth(&r)
}

fn next_dropwhile(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    fields!(
        vm,
        v,
        Tool::DropWhile {
            func,
            iter,
            started
        }
    );
    while let Some(item) = vm.next(iter)? {
        if started.get() || !test(vm, func, &item)? {
            started.set(true);
            return Ok(Some(item));
        }
    }
    Ok(None)
}

tool!(DROPWHILE "dropwhile" |vm, class, args| {
    let (func, iter) = func_and_iter(vm, "dropwhile", args)?;
    Ok(vm.alloc_as(class, Tool::DropWhile { func, iter, started: Cell::new(false) }))
}, next_dropwhile, &[], "Drop items from the iterable while predicate(item) is true.\n\nAfterwards, return every element until the iterable is exhausted.");

fn next_takewhile(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    fields!(
        vm,
        v,
        Tool::TakeWhile {
            func,
            iter,
            stopped
        }
    );
    if stopped.get() {
        return Ok(None);
    }
    let Some(item) = vm.next(iter)? else {
        return Ok(None);
    };
    if test(vm, func, &item)? {
        return Ok(Some(item));
    }
    stopped.set(true);
    Ok(None)
}

tool!(TAKEWHILE "takewhile" |vm, class, args| {
    let (func, iter) = func_and_iter(vm, "takewhile", args)?;
    Ok(vm.alloc_as(class, Tool::TakeWhile { func, iter, stopped: Cell::new(false) }))
}, next_takewhile, &[], "Return successive entries from an iterable as long as the predicate evaluates to true for each entry.");

fn next_filterfalse(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    fields!(vm, v, Tool::FilterFalse { func, iter });
    let by_truth = func.is_none() || func.is(vm.kind_type(Kind::Bool));
    while let Some(item) = vm.next(iter)? {
        let ok = if by_truth {
            vm.truth(&item)?
        } else {
            test(vm, func, &item)?
        };
        if !ok {
            return Ok(Some(item));
        }
    }
    Ok(None)
}

tool!(FILTERFALSE "filterfalse" |vm, class, args| {
    let (func, iter) = func_and_iter(vm, "filterfalse", args)?;
    Ok(vm.alloc_as(class, Tool::FilterFalse { func, iter }))
}, next_filterfalse, &[], "Return those items of iterable for which function(item) is false.\n\nIf function is None, return the items that are false.");

fn next_starmap(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    fields!(vm, v, Tool::StarMap { func, iter });
    let Some(args) = vm.next(iter)? else {
        return Ok(None);
    };
    if vm.is_exact(&args, Kind::Tuple) {
        return vm.call(func, tuple_items(&args)).map(Some);
    }
    let args = vm.collect(&args)?;
    vm.call(func, &args).map(Some)
}

tool!(STARMAP "starmap" |vm, class, args| {
    let (func, iter) = func_and_iter(vm, "starmap", args)?;
    Ok(vm.alloc_as(class, Tool::StarMap { func, iter }))
}, next_starmap, &[], "Return an iterator whose values are returned from the function evaluated with an argument tuple taken from the given sequence.");

// ---- islice, pairwise, batched, zip_longest

fn new_islice(vm: &Vm, class: &Value, args: Args) -> Res {
    let a = positional(vm, "islice", args, 2, 4)?;
    let number = |v: Option<&Value>, default: i64, message: &str| -> Res<i64> {
        let Some(v) = v.and_then(Value::non_none) else {
            return Ok(default);
        };
        let n = if has_index(vm, v) {
            small_int(&vm.index(v)?)
        } else {
            None
        };
        n.filter(|&n| n >= 0).ok_or_else(|| vm.value_error(message))
    };
    const ANY: &str = "Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize.";
    const STOP: &str =
        "Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.";
    let (start, stop) = if a.len() == 2 {
        (0, number(a.get(1), -1, STOP)?)
    } else {
        let stop = number(a.get(2), -1, STOP)?;
        (number(a.get(1), 0, ANY)?, stop)
    };
    let step = number(
        a.get(3),
        1,
        "Step for islice() must be a positive integer or None.",
    )?;
    if step < 1 {
        return Err(vm.value_error("Step for islice() must be a positive integer or None."));
    }
    let iter = vm.iter(&a[0])?;
    Ok(vm.alloc_as(
        class,
        Tool::Islice {
            iter: slot(iter),
            next: Cell::new(start),
            at: Cell::new(0),
            stop,
            step,
        },
    ))
}

fn next_islice(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    fields!(
        vm,
        v,
        Tool::Islice {
            iter,
            next,
            at,
            stop,
            step
        }
    );
    let source = get(iter);
    if source.is_unbound() {
        return Ok(None);
    }
    let target = if *stop >= 0 {
        next.get().min(*stop)
    } else {
        next.get()
    };
    while at.get() < target {
        if vm.next(&source)?.is_none() {
            end(iter);
            return Ok(None);
        }
        at.set(at.get() + 1);
    }
    if *stop >= 0 && at.get() >= *stop {
        end(iter);
        return Ok(None);
    }
    let Some(item) = vm.next(&source)? else {
        end(iter);
        return Ok(None);
    };
    at.set(at.get() + 1);
    let then = next.get().saturating_add(*step);
    next.set(if *stop >= 0 { then.min(*stop) } else { then });
    Ok(Some(item))
}

tool!(ISLICE "islice" new_islice, next_islice, &[], "islice(iterable, stop) --> islice object\nislice(iterable, start, stop[, step]) --> islice object\n\nReturn an iterator whose next() method returns selected values from an\niterable.");

fn next_pairwise(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    fields!(vm, v, Tool::Pairwise { iter, old });
    let source = get(iter);
    if source.is_unbound() {
        return Ok(None);
    }
    let mut first = get(old);
    if first.is_unbound() {
        match vm.next(&source)? {
            Some(item) => {
                first = item.clone();
                old.replace(item);
            }
            None => {
                end(iter);
                return Ok(None);
            }
        }
    }
    match vm.next(&source)? {
        Some(item) => {
            let before = old.replace(item.clone());
            drop(before);
            Ok(Some(vm.pair(first, item)))
        }
        None => {
            end(iter);
            end(old);
            Ok(None)
        }
    }
}

tool!(PAIRWISE "pairwise" |vm, class, args| {
    let a = positional(vm, "pairwise", args, 1, 1)?;
    let iter = vm.iter(&a[0])?;
    Ok(vm.alloc_as(class, Tool::Pairwise { iter: slot(iter), old: slot(Value::UNBOUND) }))
}, next_pairwise, &[], "Return an iterator of overlapping pairs taken from the input iterator.\n\n    s -> (s0,s1), (s1,s2), (s2, s3), ...");

fn next_batched(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    fields!(vm, v, Tool::Batched { iter, n, strict });
    let source = get(iter);
    if source.is_unbound() {
        return Ok(None);
    }
    let mut items = Vec::with_capacity((*n).min(1024));
    while items.len() < *n {
        match vm.next(&source) {
            Ok(Some(item)) => items.push(item),
            Ok(None) => {
                end(iter);
                if items.is_empty() {
                    return Ok(None);
                }
                if *strict {
                    return Err(vm.value_error("batched(): incomplete batch"));
                }
                break;
            }
            Err(e) => {
                end(iter);
                return Err(e);
            }
        }
    }
    Ok(Some(vm.tuple(items)))
}

tool!(BATCHED "batched" |vm, class, args| {
    let a = vm.bind_args("batched(iterable, n, *, strict=False)", args)?;
    let n = ssize(vm, &a[1])?;
    if n < 1 {
        return Err(vm.value_error("n must be at least one"));
    }
    let strict = vm.truth(&a[2])?;
    let iter = vm.iter(&a[0])?;
    Ok(vm.alloc_as(class, Tool::Batched { iter: slot(iter), n: n as usize, strict }))
}, next_batched, &[], "Batch data into tuples of length n. The last batch may be shorter than n.\n\nLoops over the input iterable and accumulates data into tuples\nup to size n.  The input is consumed lazily, just enough to\nfill a batch.  The result is yielded as soon as a batch is full\nor when the input iterable is exhausted.");

fn next_zip_longest(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    fields!(vm, v, Tool::ZipLongest { iters, fill });
    let n = iters.borrow().len();
    let mut items = Vec::with_capacity(n);
    let mut alive = false;
    for i in 0..n {
        let it = iters.borrow()[i].clone();
        let item = if it.is_unbound() { None } else { vm.next(&it)? };
        match item {
            Some(item) => {
                alive = true;
                items.push(item);
            }
            None => {
                let old = std::mem::replace(&mut iters.borrow_mut()[i], Value::UNBOUND);
                drop(old);
                items.push(fill.clone());
                // The last one to end ends the whole at once.
                if iters.borrow().iter().all(Value::is_unbound) {
                    return Ok(None);
                }
            }
        }
    }
    Ok(if alive { Some(vm.tuple(items)) } else { None })
}

tool!(ZIP_LONGEST "zip_longest" |vm, class, args| {
    let a = vm.bind_args("zip_longest(*iterables, fillvalue=None)", args)?;
    let iters = tuple_items(&a[0]).iter().map(|i| vm.iter(i)).collect::<Res<Vec<Value>>>()?;
    Ok(vm.alloc_as(class, Tool::ZipLongest { iters: RefCell::new(iters), fill: a[1].clone() }))
}, next_zip_longest, &[], "Return a zip_longest object whose .__next__() method returns a tuple where\nthe i-th element comes from the i-th iterable argument.");

// ---- groupby

fn new_groupby(vm: &Vm, class: &Value, args: Args) -> Res {
    let a = vm.bind_args("groupby(iterable, key=None)", args)?;
    let iter = vm.iter(&a[0])?;
    let none = || slot(Value::UNBOUND);
    Ok(vm.alloc_as(
        class,
        Tool::GroupBy {
            iter,
            key: a[1].clone(),
            target: none(),
            current_key: none(),
            current: none(),
            group: Cell::new(0),
        },
    ))
}

/// Takes the next item of the source; false at its end.
fn groupby_step(vm: &Vm, v: &Value) -> Res<bool> {
    fields!(
        vm,
        v,
        Tool::GroupBy {
            iter,
            key,
            current_key,
            current,
            ..
        }
    );
    let Some(item) = vm.next(iter)? else {
        return Ok(false);
    };
    let k = if key.is_none() {
        item.clone()
    } else {
        vm.call(key, std::slice::from_ref(&item))?
    };
    let old = (current.replace(item), current_key.replace(k));
    drop(old);
    Ok(true)
}

fn next_groupby(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    fields!(
        vm,
        v,
        Tool::GroupBy {
            target,
            current_key,
            group,
            ..
        }
    );
    // Groups made so far end here.
    group.set(group.get() + 1);
    loop {
        let (key, wanted) = (get(current_key), get(target));
        if !key.is_unbound() && (wanted.is_unbound() || !same(vm, &wanted, &key)?) {
            break;
        }
        if !groupby_step(vm, v)? {
            return Ok(None);
        }
    }
    let key = get(current_key);
    target.replace(key.clone());
    let g = vm.alloc_of(
        &GROUPER,
        Tool::Grouper {
            parent: v.clone(),
            target: key.clone(),
            group: group.get(),
        },
    );
    Ok(Some(vm.pair(key, g)))
}

fn next_grouper(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    fields!(
        vm,
        v,
        Tool::Grouper {
            parent,
            target,
            group
        }
    );
    fields!(
        vm,
        parent,
        Tool::GroupBy {
            current_key,
            current,
            group: now,
            ..
        }
    );
    if now.get() != *group {
        return Ok(None);
    }
    if current.borrow().is_unbound() && !groupby_step(vm, parent)? {
        return Ok(None);
    }
    let key = get(current_key);
    if !same(vm, target, &key)? {
        return Ok(None);
    }
    Ok(Some(current.replace(Value::UNBOUND)))
}

tool!(GROUPBY "groupby" new_groupby, next_groupby, &[], "make an iterator that returns consecutive keys and groups from the iterable\n\n  iterable\n    Elements to divide into groups according to the key function.\n  key\n    A function for computing the group category for each element.\n    If the key function is not specified or is None, the element itself\n    is used for grouping.");
tool!(GROUPER "_grouper" |vm, _, _| Err(vm.type_error("cannot create 'itertools._grouper' instances")), next_grouper, &[], "");

// ---- tee

const TEE_CHUNK: usize = 57;

fn tee_data(vm: &Vm, iter: Value) -> Value {
    let data = Tool::TeeData {
        iter,
        items: RefCell::default(),
        next: slot(Value::UNBOUND),
        running: Cell::new(false),
    };
    vm.alloc_of(&TEE_DATA, data)
}

/// Item `i` of a chunk, taken from the source if nobody has asked for it yet.
fn tee_item(vm: &Vm, data: &Value, i: usize) -> Res<Option<Value>> {
    fields!(
        vm,
        data,
        Tool::TeeData {
            iter,
            items,
            running,
            ..
        }
    );
    if let Some(item) = items.borrow().get(i) {
        return Ok(Some(item.clone()));
    }
    if running.replace(true) {
        return Err(vm.runtime_error("cannot re-enter the tee iterator"));
    }
    let r = vm.next(iter);
    running.set(false);
    let Some(item) = r? else { return Ok(None) };
    items.borrow_mut().push(item.clone());
    Ok(Some(item))
}

fn next_tee(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    fields!(vm, v, Tool::Tee { data, at });
    let mut chunk = get(data);
    if at.get() >= TEE_CHUNK {
        fields!(vm, &chunk, Tool::TeeData { iter, next, .. });
        if next.borrow().is_unbound() {
            let more = tee_data(vm, iter.clone());
            next.replace(more);
        }
        let more = get(next);
        let old = data.replace(more.clone());
        drop(old);
        chunk = more;
        at.set(0);
    }
    let item = tee_item(vm, &chunk, at.get())?;
    if item.is_some() {
        at.set(at.get() + 1);
    }
    Ok(item)
}

fn tee_copy(vm: &Vm, a: &[Value]) -> Res {
    fields!(vm, &a[0], Tool::Tee { data, at });
    Ok(vm.alloc_of(
        &TEE,
        Tool::Tee {
            data: slot(get(data)),
            at: Cell::new(at.get()),
        },
    ))
}

/// A tee over an iterable; a tee itself is copied.
fn make_tee(vm: &Vm, iterable: &Value) -> Res {
    let it = vm.iter(iterable)?;
    if let Some(Tool::Tee { .. }) = it.get::<Tool>() {
        return tee_copy(vm, &[it]);
    }
    let data = tee_data(vm, it);
    Ok(vm.alloc_of(
        &TEE,
        Tool::Tee {
            data: slot(data),
            at: Cell::new(0),
        },
    ))
}

tool!(TEE_DATA "_tee_dataobject" |vm, _, _| Err(vm.type_error("cannot create 'itertools._tee_dataobject' instances")), |_, _| Ok(None), &[], "");
tool!(TEE "_tee" |vm, _, args| {
    let a = positional(vm, "_tee", args, 1, 1)?;
    make_tee(vm, &a[0])
}, next_tee, &[NativeDef { sig: "__copy__(self, /)", f: tee_copy, doc: "Returns an independent iterator." }], "Iterator wrapped to make it copyable.");

fn tee(vm: &Vm, a: &[Value]) -> Res {
    let n = ssize(vm, &a[1])?;
    if n < 0 {
        return Err(vm.value_error("n must be >= 0"));
    }
    let mut out = Vec::new();
    if n > 0 {
        out.push(make_tee(vm, &a[0])?);
    }
    while (out.len() as i64) < n {
        out.push(tee_copy(vm, &out[..1])?);
    }
    Ok(vm.tuple(out))
}

static FUNCTIONS: &[NativeDef] = &[NativeDef {
    sig: "tee(iterable, n=2, /)",
    f: tee,
    doc: "Returns a tuple of n independent iterators.",
}];

pub fn init(vm: &Vm) -> Res {
    let m = vm.native_module(
        "itertools",
        "Functional tools for creating and using iterators.",
        &[FUNCTIONS],
    );
    vm.module_types(
        &m,
        &[
            &COUNT,
            &CYCLE,
            &REPEAT,
            &CHAIN,
            &ACCUMULATE,
            &COMPRESS,
            &DROPWHILE,
            &TAKEWHILE,
            &FILTERFALSE,
            &STARMAP,
            &ISLICE,
            &PAIRWISE,
            &BATCHED,
            &ZIP_LONGEST,
            &GROUPBY,
            &GROUPER,
            &TEE,
            &TEE_DATA,
            &combine::PRODUCT,
            &combine::COMBINATIONS,
            &combine::WITH_REPLACEMENT,
            &combine::PERMUTATIONS,
        ],
    );
    Ok(m)
}
