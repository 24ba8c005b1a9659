//! The iterator types that builtin functions make: `enumerate`, `zip`, `map`, `filter`, `reversed`, and what `iter()` gives for old-style
//! sequences and for `iter(callable, sentinel)`.
//!
//! Rule: a `next` slot answers None at the end; what it holds in a cell is copied out before script code runs.

use crate::builtins::list::class_getitem;
use crate::builtins::support::{alloc_as, clamped, positional, same, small_int, this};
use crate::object::header::Kind;
use crate::object::iter::{CallIter, Enumerate, Filter, Map, Reversed, SeqIter, Zip};
use crate::object::native::{Args, NativeDef, tuple_items};
use crate::object::types::{BinOp, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::{Res, Vm};
use std::cell::{Cell, RefCell};

fn iter_self(_: &Vm, v: &Value) -> Res {
    Ok(v.clone())
}

// ---- enumerate

fn new_enumerate(vm: &Vm, class: &Value, args: Args) -> Res {
    let a = vm.bind_args("enumerate(iterable, start=0)", args)?;
    let count = vm.index(&a[1])?;
    let iter = vm.iter(&a[0])?;
    Ok(alloc_as(
        vm,
        class,
        Enumerate {
            iter,
            count: RefCell::new(count),
        },
    ))
}

fn next_enumerate(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    let e = this::<Enumerate>(vm, v)?;
    let Some(item) = vm.next(&e.iter)? else {
        return Ok(None);
    };
    let count = e.count.borrow().clone();
    let next = match count.as_small() {
        Some(i) => vm.int(i + 1),
        None => vm.binary(BinOp::Add, &count, &Value::small_unchecked(1))?,
    };
    e.count.replace(next);
    Ok(Some(vm.pair(count, item)))
}

fn reduce_enumerate(vm: &Vm, a: &[Value]) -> Res {
    let e = this::<Enumerate>(vm, &a[0])?;
    let args = vm.pair(e.iter.clone(), e.count.borrow().clone());
    Ok(vm.pair(vm.type_of(&a[0]), args))
}

pub static ENUMERATE: TypeSpec = TypeSpec {
    name: "enumerate",
    kind: Kind::Enumerate,
    flags: tflag::BASETYPE,
    slots: |s| {
        s.new = Some(new_enumerate);
        s.iter = Some(iter_self);
        s.next = Some(next_enumerate);
    },
    methods: &[NativeDef {
        sig: "__reduce__(self, /)",
        f: reduce_enumerate,
        doc: "Return state information for pickling.",
    }],
    class_methods: &[NativeDef {
        sig: "__class_getitem__(cls, object, /)",
        f: class_getitem,
        doc: "See PEP 585",
    }],
    doc: "Return an enumerate object.\n\n  iterable\n    an object supporting iteration\n\nThe enumerate object yields pairs containing a count (from start, which\ndefaults to zero) and a value yielded by the iterable argument.\n\nenumerate is useful for obtaining an indexed list:\n    (0, seq[0]), (1, seq[1]), (2, seq[2]), ...",
    ..TypeSpec::EMPTY
};

// ---- zip

fn iters_of(vm: &Vm, iterables: &Value) -> Res<Vec<Value>> {
    tuple_items(iterables).iter().map(|i| vm.iter(i)).collect()
}

fn new_zip(vm: &Vm, class: &Value, args: Args) -> Res {
    let a = vm.bind_args("zip(*iterables, strict=False)", args)?;
    let strict = vm.truth(&a[1])?;
    let iters = iters_of(vm, &a[0])?;
    Ok(alloc_as(vm, class, Zip { iters, strict }))
}

/// One item of each iterator, or None when one has ended.
fn next_of_all(
    vm: &Vm,
    iters: &[Value],
    strict: bool,
    name: &str,
    out: &mut Vec<Value>,
) -> Res<bool> {
    for (i, it) in iters.iter().enumerate() {
        match vm.next(it)? {
            Some(v) => out.push(v),
            None if !strict => return Ok(false),
            None => {
                out.clear();
                return ended(vm, iters, i, name);
            }
        }
    }
    Ok(true)
}

/// Iterator `i` ended in strict mode: an error unless all end together.
#[cold]
fn ended(vm: &Vm, iters: &[Value], i: usize, name: &str) -> Res<bool> {
    let others = |n: usize| {
        if n == 1 {
            "argument 1".to_string()
        } else {
            format!("arguments 1-{n}")
        }
    };
    if i > 0 {
        return Err(vm.value_error(format!(
            "{name}() argument {} is shorter than {}",
            i + 1,
            others(i)
        )));
    }
    for (j, it) in iters.iter().enumerate().skip(1) {
        if vm.next(it)?.is_some() {
            return Err(vm.value_error(format!(
                "{name}() argument {} is longer than {}",
                j + 1,
                others(j)
            )));
        }
    }
    Ok(false)
}

fn next_zip(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    let z = this::<Zip>(vm, v)?;
    if let [a, b] = &z.iters[..]
        && !z.strict
    {
        let Some(x) = vm.next(a)? else {
            return Ok(None);
        };
        let Some(y) = vm.next(b)? else {
            return Ok(None);
        };
        return Ok(Some(vm.pair(x, y)));
    }
    if z.iters.is_empty() {
        return Ok(None);
    }
    let mut items = Vec::with_capacity(z.iters.len());
    Ok(if next_of_all(vm, &z.iters, z.strict, "zip", &mut items)? {
        Some(vm.tuple(items))
    } else {
        None
    })
}

fn reduce_zip(vm: &Vm, a: &[Value]) -> Res {
    let z = this::<Zip>(vm, &a[0])?;
    let iters = vm.tuple(z.iters.clone());
    Ok(vm.tuple(if z.strict {
        vec![vm.type_of(&a[0]), iters, Value::TRUE]
    } else {
        vec![vm.type_of(&a[0]), iters]
    }))
}

pub static ZIP: TypeSpec = TypeSpec {
    name: "zip",
    kind: Kind::Zip,
    flags: tflag::BASETYPE,
    slots: |s| {
        s.new = Some(new_zip);
        s.iter = Some(iter_self);
        s.next = Some(next_zip);
    },
    methods: &[NativeDef {
        sig: "__reduce__(self, /)",
        f: reduce_zip,
        doc: "Return state information for pickling.",
    }],
    doc: "The zip object yields n-length tuples, where n is the number of iterables\npassed as positional arguments to zip().  The i-th element in every tuple\ncomes from the i-th iterable argument to zip().  This continues until the\nshortest argument is exhausted.\n\nIf strict is true and one of the arguments is exhausted before the others,\nraise a ValueError.\n\n   >>> list(zip('abcdefg', range(3), range(4)))\n   [('a', 0, 0), ('b', 1, 1), ('c', 2, 2)]",
    ..TypeSpec::EMPTY
};

// ---- map

fn new_map(vm: &Vm, class: &Value, args: Args) -> Res {
    if args.pos().len() < 2 {
        return Err(vm.type_error("map() must have at least two arguments."));
    }
    let a = vm.bind_args("map(function, /, *iterables, strict=False)", args)?;
    let strict = vm.truth(&a[2])?;
    let iters = iters_of(vm, &a[1])?;
    Ok(alloc_as(
        vm,
        class,
        Map {
            func: a[0].clone(),
            iters,
            strict,
        },
    ))
}

fn next_map(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    let m = this::<Map>(vm, v)?;
    if let [one] = &m.iters[..] {
        return match vm.next(one)? {
            Some(x) => vm.call(&m.func, &[x]).map(Some),
            None => Ok(None),
        };
    }
    let mut items = Vec::with_capacity(m.iters.len());
    if next_of_all(vm, &m.iters, m.strict, "map", &mut items)? {
        vm.call(&m.func, &items).map(Some)
    } else {
        Ok(None)
    }
}

fn reduce_map(vm: &Vm, a: &[Value]) -> Res {
    let m = this::<Map>(vm, &a[0])?;
    let mut args = vec![m.func.clone()];
    args.extend_from_slice(&m.iters);
    Ok(vm.pair(vm.type_of(&a[0]), vm.tuple(args)))
}

pub static MAP: TypeSpec = TypeSpec {
    name: "map",
    kind: Kind::Map,
    flags: tflag::BASETYPE,
    slots: |s| {
        s.new = Some(new_map);
        s.iter = Some(iter_self);
        s.next = Some(next_map);
    },
    methods: &[NativeDef {
        sig: "__reduce__(self, /)",
        f: reduce_map,
        doc: "Return state information for pickling.",
    }],
    doc: "Make an iterator that computes the function using arguments from\neach of the iterables.  Stops when the shortest iterable is exhausted.\n\nIf strict is true and one of the arguments is exhausted before the others,\nraise a ValueError.",
    ..TypeSpec::EMPTY
};

// ---- filter

fn new_filter(vm: &Vm, class: &Value, args: Args) -> Res {
    let a = positional(vm, "filter", args, 2, 2)?;
    let iter = vm.iter(&a[1])?;
    Ok(alloc_as(
        vm,
        class,
        Filter {
            func: a[0].clone(),
            iter,
        },
    ))
}

fn next_filter(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    let f = this::<Filter>(vm, v)?;
    let by_truth = f.func.is_none() || f.func.is(vm.kind_type(Kind::Bool));
    while let Some(item) = vm.next(&f.iter)? {
        let keep = if by_truth {
            vm.truth(&item)?
        } else {
            vm.truth(&vm.call(&f.func, std::slice::from_ref(&item))?)?
        };
        if keep {
            return Ok(Some(item));
        }
    }
    Ok(None)
}

fn reduce_filter(vm: &Vm, a: &[Value]) -> Res {
    let f = this::<Filter>(vm, &a[0])?;
    Ok(vm.pair(vm.type_of(&a[0]), vm.pair(f.func.clone(), f.iter.clone())))
}

pub static FILTER: TypeSpec = TypeSpec {
    name: "filter",
    kind: Kind::Filter,
    flags: tflag::BASETYPE,
    slots: |s| {
        s.new = Some(new_filter);
        s.iter = Some(iter_self);
        s.next = Some(next_filter);
    },
    methods: &[NativeDef {
        sig: "__reduce__(self, /)",
        f: reduce_filter,
        doc: "Return state information for pickling.",
    }],
    doc: "Return an iterator yielding those items of iterable for which function(item)\nis true. If function is None, return the items that are true.",
    ..TypeSpec::EMPTY
};

// ---- reversed

fn new_reversed(vm: &Vm, class: &Value, args: Args) -> Res {
    let a = positional(vm, "reversed", args, 1, 1)?;
    let not_reversible = || {
        Err(vm.type_error(format!(
            "'{}' object is not reversible",
            vm.type_name(&a[0])
        )))
    };
    let name = vm.names.__reversed__.clone();
    if let Some(m) = vm.lookup_special(&a[0], &name) {
        if m.is_none() {
            return not_reversible();
        }
        return match vm.call_special(&a[0], &name, &[])? {
            Some(r) => Ok(r),
            None => not_reversible(),
        };
    }
    let t = vm.type_obj(&a[0]);
    if t.slots().getitem.is_none()
        || t.slots().len.is_none()
        || t.has(tflag::MAPPING)
        || a[0].kind() == Kind::Dict
    {
        return not_reversible();
    }
    let n = vm.len(&a[0])? as i64;
    Ok(alloc_as(
        vm,
        class,
        Reversed {
            seq: RefCell::new(a[0].clone()),
            next: Cell::new(n - 1),
        },
    ))
}

/// `seq[i]`, or None if that raises IndexError or StopIteration: how old-style iteration ends.
fn item_or_end(vm: &Vm, seq: &Value, i: i64) -> Res<Option<Value>> {
    match vm.getitem(seq, &vm.int(i)) {
        Ok(v) => Ok(Some(v)),
        Err(e) if vm.is_exc(&e, Exc::IndexError) || vm.is_exc(&e, Exc::StopIteration) => Ok(None),
        Err(e) => Err(e),
    }
}

fn next_reversed(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    let r = this::<Reversed>(vm, v)?;
    let i = r.next.get();
    let seq = r.seq.borrow().clone();
    if i >= 0
        && !seq.is_unbound()
        && let Some(item) = item_or_end(vm, &seq, i)?
    {
        r.next.set(i - 1);
        return Ok(Some(item));
    }
    r.next.set(-1);
    r.seq.replace(Value::UNBOUND);
    Ok(None)
}

fn hint_reversed(vm: &Vm, a: &[Value]) -> Res {
    let r = this::<Reversed>(vm, &a[0])?;
    let seq = r.seq.borrow().clone();
    if seq.is_unbound() {
        return Ok(vm.int(0));
    }
    let n = vm.len(&seq)? as i64;
    Ok(vm.int(if n < r.next.get() + 1 {
        0
    } else {
        r.next.get() + 1
    }))
}

fn reduce_reversed(vm: &Vm, a: &[Value]) -> Res {
    let r = this::<Reversed>(vm, &a[0])?;
    let seq = r.seq.borrow().clone();
    if seq.is_unbound() {
        let empty = vm.tuple(vec![]);
        return Ok(vm.pair(vm.type_of(&a[0]), vm.tuple(vec![empty])));
    }
    Ok(vm.tuple(vec![
        vm.type_of(&a[0]),
        vm.tuple(vec![seq]),
        vm.int(r.next.get()),
    ]))
}

fn setstate_reversed(vm: &Vm, a: &[Value]) -> Res {
    let r = this::<Reversed>(vm, &a[0])?;
    let seq = r.seq.borrow().clone();
    if !seq.is_unbound() {
        let n = vm.len(&seq)? as i64;
        r.next.set(clamped(vm, &a[1])?.clamp(-1, n - 1));
    }
    Ok(Value::NONE)
}

pub static REVERSED: TypeSpec = TypeSpec {
    name: "reversed",
    kind: Kind::Reversed,
    flags: tflag::BASETYPE,
    slots: |s| {
        s.new = Some(new_reversed);
        s.iter = Some(iter_self);
        s.next = Some(next_reversed);
    },
    methods: &[
        NativeDef {
            sig: "__length_hint__(self, /)",
            f: hint_reversed,
            doc: "Private method returning an estimate of len(list(it)).",
        },
        NativeDef {
            sig: "__reduce__(self, /)",
            f: reduce_reversed,
            doc: "Return state information for pickling.",
        },
        NativeDef {
            sig: "__setstate__(self, object, /)",
            f: setstate_reversed,
            doc: "Set state information for unpickling.",
        },
    ],
    doc: "Return a reverse iterator over the values of the given sequence.",
    ..TypeSpec::EMPTY
};

// ---- iter(sequence), iter(callable, sentinel)

impl Vm {
    /// The iterator of an object that has only `__getitem__`.
    pub fn sequence_iterator(&self, seq: &Value) -> Value {
        self.alloc(SeqIter {
            seq: RefCell::new(seq.clone()),
            next: Cell::new(0),
        })
    }
    /// `iter(callable, sentinel)`.
    pub fn callable_iterator(&self, callable: &Value, sentinel: &Value) -> Value {
        self.alloc(CallIter {
            callable: RefCell::new(callable.clone()),
            sentinel: RefCell::new(sentinel.clone()),
        })
    }
}

fn next_seq(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    let it = this::<SeqIter>(vm, v)?;
    let seq = it.seq.borrow().clone();
    if seq.is_unbound() {
        return Ok(None);
    }
    let i = it.next.get();
    if i == i64::MAX {
        return Err(vm.overflow_error("iter index too large"));
    }
    match item_or_end(vm, &seq, i)? {
        Some(item) => {
            it.next.set(i + 1);
            Ok(Some(item))
        }
        None => {
            it.seq.replace(Value::UNBOUND);
            Ok(None)
        }
    }
}

fn hint_seq(vm: &Vm, a: &[Value]) -> Res {
    let it = this::<SeqIter>(vm, &a[0])?;
    let seq = it.seq.borrow().clone();
    if seq.is_unbound() {
        return Ok(vm.int(0));
    }
    if vm.type_obj(&seq).slots().len.is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    Ok(vm.int((vm.len(&seq)? as i64 - it.next.get()).max(0)))
}

fn reduce_seq(vm: &Vm, a: &[Value]) -> Res {
    let it = this::<SeqIter>(vm, &a[0])?;
    let seq = it.seq.borrow().clone();
    let iter = vm.builtin("iter")?;
    if seq.is_unbound() {
        let empty = vm.tuple(vec![]);
        return Ok(vm.pair(iter, vm.tuple(vec![empty])));
    }
    Ok(vm.tuple(vec![iter, vm.tuple(vec![seq]), vm.int(it.next.get())]))
}

fn setstate_seq(vm: &Vm, a: &[Value]) -> Res {
    let it = this::<SeqIter>(vm, &a[0])?;
    it.next
        .set(small_int(&vm.index(&a[1])?).unwrap_or(0).max(0));
    Ok(Value::NONE)
}

pub static SEQ_ITER: TypeSpec = TypeSpec {
    name: "iterator",
    kind: Kind::SeqIter,
    slots: |s| {
        s.iter = Some(iter_self);
        s.next = Some(next_seq);
    },
    methods: &[
        NativeDef {
            sig: "__length_hint__(self, /)",
            f: hint_seq,
            doc: "Private method returning an estimate of len(list(it)).",
        },
        NativeDef {
            sig: "__reduce__(self, /)",
            f: reduce_seq,
            doc: "Return state information for pickling.",
        },
        NativeDef {
            sig: "__setstate__(self, object, /)",
            f: setstate_seq,
            doc: "Set state information for unpickling.",
        },
    ],
    ..TypeSpec::EMPTY
};

fn next_call(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    let it = this::<CallIter>(vm, v)?;
    let callable = it.callable.borrow().clone();
    if callable.is_unbound() {
        return Ok(None);
    }
    let end = || {
        it.callable.replace(Value::UNBOUND);
        it.sentinel.replace(Value::UNBOUND);
    };
    match vm.call(&callable, &[]) {
        Ok(r) => {
            let sentinel = it.sentinel.borrow().clone();
            // The call may have exhausted the iterator itself.
            if !sentinel.is_unbound() && !same(vm, &r, &sentinel)? {
                return Ok(Some(r));
            }
            end();
            Ok(None)
        }
        Err(e) if vm.is_exc(&e, Exc::StopIteration) => {
            end();
            Ok(None)
        }
        Err(e) => Err(e),
    }
}

fn reduce_call(vm: &Vm, a: &[Value]) -> Res {
    let it = this::<CallIter>(vm, &a[0])?;
    let iter = vm.builtin("iter")?;
    let (callable, sentinel) = (it.callable.borrow().clone(), it.sentinel.borrow().clone());
    if callable.is_unbound() {
        let empty = vm.tuple(vec![]);
        return Ok(vm.pair(iter, vm.tuple(vec![empty])));
    }
    Ok(vm.pair(iter, vm.pair(callable, sentinel)))
}

pub static CALL_ITER: TypeSpec = TypeSpec {
    name: "callable_iterator",
    kind: Kind::CallIter,
    slots: |s| {
        s.iter = Some(iter_self);
        s.next = Some(next_call);
    },
    methods: &[NativeDef {
        sig: "__reduce__(self, /)",
        f: reduce_call,
        doc: "Return state information for pickling.",
    }],
    ..TypeSpec::EMPTY
};
