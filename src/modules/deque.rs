//! `collections.deque` and its iterators.
//!
//! Rule: as for list: items are copied out before anything that can run script code. `state` changes with every change of size or order, so that
//! iterators and searches notice.

#![allow(unsafe_code)]

use crate::builtins::list::{class_getitem, compare_items};
use crate::builtins::support::{
    Key, alloc_as, check_room, memory_error, position, push_items, repeat_count, same, seq_key,
    slice_bound, ssize, this,
};
use crate::object::header::{Kind, Payload};
use crate::object::native::{Args, NativeDef};
use crate::object::types::{BinOp, CmpOp, GetSetDef, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

#[derive(Default)]
pub struct Deque {
    pub items: RefCell<VecDeque<Value>>,
    /// None: no bound.
    pub maxlen: Cell<Option<usize>>,
    /// See the module's head.
    pub state: Cell<u64>,
}
// SAFETY: one type per kind; each item is visited once.
unsafe impl Payload for Deque {
    const KIND: Kind = Kind::Deque;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        // SAFETY: safe points only, no borrow is held.
        unsafe { (*self.items.as_ptr()).iter().for_each(visit) }
    }
    fn clear(&self) {
        let old = std::mem::take(&mut *self.items.borrow_mut());
        drop(old);
    }
}

/// Forward or backward iterator.
pub struct DequeIter {
    deque: Value,
    next: Cell<usize>,
    left: Cell<usize>,
    state: Cell<u64>,
    reverse: bool,
}
// SAFETY: one type per kind; the deque is visited once.
unsafe impl Payload for DequeIter {
    const KIND: Kind = Kind::DequeIter;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.deque)
    }
}

impl Deque {
    pub fn len(&self) -> usize {
        self.items.borrow().len()
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    fn get(&self, i: usize) -> Option<Value> {
        self.items.borrow().get(i).cloned()
    }
    fn changed(&self) {
        self.state.set(self.state.get().wrapping_add(1));
    }
    /// Adds at the right; what falls off on the left is dropped.
    pub fn push_back(&self, v: Value) {
        self.items.borrow_mut().push_back(v);
        self.changed();
        if self.maxlen.get().is_some_and(|m| self.len() > m) {
            let old = self.items.borrow_mut().pop_front();
            drop(old);
        }
    }
    pub fn push_front(&self, v: Value) {
        self.items.borrow_mut().push_front(v);
        self.changed();
        if self.maxlen.get().is_some_and(|m| self.len() > m) {
            let old = self.items.borrow_mut().pop_back();
            drop(old);
        }
    }
}

fn deque<'a>(vm: &Vm, v: &'a Value) -> Res<&'a Deque> {
    this::<Deque>(vm, v)
}

fn new(vm: &Vm, class: &Value, _: Args) -> Res {
    Ok(alloc_as(vm, class, Deque::default()))
}

fn init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    let a = vm.bind_args("deque(iterable=..., maxlen=None)", args)?;
    let d = deque(vm, v)?;
    let maxlen = match a[1].non_none() {
        None => None,
        Some(m) => {
            if !m.is_small() && vm.type_obj(m).slots().index.is_none() {
                return Err(vm.type_error("an integer is required"));
            }
            let n = ssize(vm, m)?;
            Some(usize::try_from(n).map_err(|_| vm.value_error("maxlen must be non-negative"))?)
        }
    };
    d.maxlen.set(maxlen);
    let old = std::mem::take(&mut *d.items.borrow_mut());
    drop(old);
    d.changed();
    match a[0].given() {
        Some(from) => extend(vm, d, from),
        None => Ok(()),
    }
}

fn extend(vm: &Vm, d: &Deque, from: &Value) -> Res<()> {
    if from.get::<Deque>().is_some_and(|f| std::ptr::eq(f, d)) {
        let copy: Vec<Value> = d.items.borrow().iter().cloned().collect();
        copy.into_iter().for_each(|v| d.push_back(v));
        return Ok(());
    }
    vm.iterate(from, &mut |v| {
        d.push_back(v);
        Ok(())
    })
}

fn extend_left(vm: &Vm, a: &[Value]) -> Res {
    let d = deque(vm, &a[0])?;
    let items = if a[0].is(&a[1]) {
        Some(vm.collect(&a[1])?)
    } else {
        None
    };
    match items {
        Some(items) => items.into_iter().for_each(|v| d.push_front(v)),
        None => vm.iterate(&a[1], &mut |v| {
            d.push_front(v);
            Ok(())
        })?,
    }
    Ok(Value::NONE)
}

fn repr(vm: &Vm, v: &Value) -> Res {
    let d = deque(vm, v)?;
    vm.check_native_stack()?;
    if !vm.repr_enter(v) {
        return Ok(vm.str("[...]"));
    }
    let mut out = format!("{}([", vm.type_name(v));
    let r = push_items(vm, &mut out, |i| d.get(i));
    vm.repr_leave(v);
    r?;
    match d.maxlen.get() {
        Some(m) => out.push_str(&format!("], maxlen={m})")),
        None => out.push_str("])"),
    }
    Ok(vm.str(&out))
}

fn cmp(vm: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.get::<Deque>(), b.get::<Deque>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if a.is(b) {
        return Ok(Value::bool(matches!(op, CmpOp::Eq | CmpOp::Le | CmpOp::Ge)));
    }
    if x.len() != y.len() && matches!(op, CmpOp::Eq | CmpOp::Ne) {
        return Ok(Value::bool(op == CmpOp::Ne));
    }
    compare_items(vm, op, &|i| x.get(i), &|i| y.get(i), &|| (x.len(), y.len()))
}

fn make_iter(vm: &Vm, v: &Value, reverse: bool) -> Res {
    let d = deque(vm, v)?;
    let n = d.len();
    let it = DequeIter {
        deque: v.clone(),
        next: Cell::new(0),
        left: Cell::new(n),
        state: Cell::new(d.state.get()),
        reverse,
    };
    Ok(vm.alloc_of(if reverse { &REV_ITER } else { &ITER }, it))
}

/// The index that a subscript means.
fn at(vm: &Vm, d: &Deque, key: &Value) -> Res<usize> {
    if key.is_kind::<crate::object::seq::Slice>()
        || (!key.is_small() && vm.type_obj(key).slots().index.is_none())
    {
        return Err(vm.type_error(format!(
            "sequence index must be integer, not '{}'",
            vm.type_name(key)
        )));
    }
    match seq_key(vm, key, "deque")? {
        Key::At(i) => {
            position(i, d.len()).ok_or_else(|| vm.index_error("deque index out of range"))
        }
        Key::Slice(_) => Err(vm.type_error("sequence index must be integer, not 'slice'")),
    }
}

fn getitem(vm: &Vm, v: &Value, key: &Value) -> Res {
    let d = deque(vm, v)?;
    let i = at(vm, d, key)?;
    d.get(i)
        .ok_or_else(|| vm.index_error("deque index out of range"))
}

fn setitem(vm: &Vm, v: &Value, key: &Value, value: Option<&Value>) -> Res<()> {
    let d = deque(vm, v)?;
    let i = at(vm, d, key)?;
    let mut items = d.items.borrow_mut();
    let old = match (value, items.get_mut(i)) {
        (Some(new), Some(place)) => Some(std::mem::replace(place, new.clone())),
        _ => {
            let old = items.remove(i);
            d.changed();
            old
        }
    };
    drop(items);
    drop(old);
    Ok(())
}

fn contains(vm: &Vm, v: &Value, x: &Value) -> Res<bool> {
    Ok(search(vm, deque(vm, v)?, x, 0, usize::MAX)?.is_some())
}

/// The first index in a stretch whose item equals `x`; the deque must not change meanwhile.
fn search(vm: &Vm, d: &Deque, x: &Value, start: usize, stop: usize) -> Res<Option<usize>> {
    let state = d.state.get();
    let mut i = start;
    while i < stop
        && let Some(item) = d.get(i)
    {
        let equal = same(vm, &item, x)?;
        if d.state.get() != state {
            return Err(vm.runtime_error("deque mutated during iteration"));
        }
        if equal {
            return Ok(Some(i));
        }
        i += 1;
    }
    Ok(None)
}

/// An empty deque of the same class and bound.
fn copy(vm: &Vm, a: &[Value]) -> Res {
    let d = deque(vm, &a[0])?;
    if vm.is_exact(&a[0], Kind::Deque) {
        let new = Deque {
            items: RefCell::new(d.items.borrow().clone()),
            maxlen: d.maxlen.clone(),
            state: Cell::new(0),
        };
        return Ok(vm.alloc_of(&TYPE, new));
    }
    match d.maxlen.get() {
        None => vm.call(&vm.type_of(&a[0]), &a[..1]),
        Some(m) => vm.call(&vm.type_of(&a[0]), &[a[0].clone(), vm.usize(m)]),
    }
}

fn add(vm: &Vm, a: &Value, b: &Value) -> Res {
    let (Some(_), Some(_)) = (a.get::<Deque>(), b.get::<Deque>()) else {
        if a.is_kind::<Deque>() && vm.type_obj(b).slots().binary[BinOp::Add as usize].is_none() {
            return Err(vm.type_error(format!(
                "can only concatenate deque (not \"{}\") to deque",
                vm.type_name(b)
            )));
        }
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let out = copy(vm, std::slice::from_ref(a))?;
    extend(vm, deque(vm, &out)?, b)?;
    Ok(out)
}

fn multiply(vm: &Vm, d: &Deque, n: usize) -> Res<()> {
    let items: Vec<Value> = d.items.borrow().iter().cloned().collect();
    // With a bound only the last repetitions can matter.
    let n = match d.maxlen.get() {
        Some(m) if !items.is_empty() => n.min(m / items.len() + 2),
        _ => n,
    };
    let total = items.len().checked_mul(n).ok_or_else(|| memory_error(vm))?;
    check_room(vm, total)?;
    let old = std::mem::take(&mut *d.items.borrow_mut());
    drop(old);
    d.changed();
    for _ in 0..if items.is_empty() { 0 } else { n } {
        items.iter().for_each(|v| d.push_back(v.clone()));
    }
    Ok(())
}

fn mul(vm: &Vm, a: &Value, b: &Value) -> Res {
    let (seq, times) = if a.is_kind::<Deque>() { (a, b) } else { (b, a) };
    let Some(n) = repeat_count(vm, times)? else {
        return Err(vm.type_error(format!(
            "can't multiply sequence by non-int of type '{}'",
            vm.type_name(times)
        )));
    };
    let out = copy(vm, std::slice::from_ref(seq))?;
    multiply(vm, deque(vm, &out)?, n)?;
    Ok(out)
}

fn append(vm: &Vm, a: &[Value]) -> Res {
    deque(vm, &a[0])?.push_back(a[1].clone());
    Ok(Value::NONE)
}

fn appendleft(vm: &Vm, a: &[Value]) -> Res {
    deque(vm, &a[0])?.push_front(a[1].clone());
    Ok(Value::NONE)
}

fn pop(vm: &Vm, a: &[Value]) -> Res {
    let d = deque(vm, &a[0])?;
    d.changed();
    d.items
        .borrow_mut()
        .pop_back()
        .ok_or_else(|| vm.index_error("pop from an empty deque"))
}

fn popleft(vm: &Vm, a: &[Value]) -> Res {
    let d = deque(vm, &a[0])?;
    d.changed();
    d.items
        .borrow_mut()
        .pop_front()
        .ok_or_else(|| vm.index_error("pop from an empty deque"))
}

fn clear(vm: &Vm, a: &[Value]) -> Res {
    let d = deque(vm, &a[0])?;
    let old = std::mem::take(&mut *d.items.borrow_mut());
    d.changed();
    drop(old);
    Ok(Value::NONE)
}

fn count(vm: &Vm, a: &[Value]) -> Res {
    let d = deque(vm, &a[0])?;
    let state = d.state.get();
    let (mut n, mut i) = (0, 0);
    while let Some(item) = d.get(i) {
        n += same(vm, &item, &a[1])? as usize;
        if d.state.get() != state {
            return Err(vm.runtime_error("deque mutated during iteration"));
        }
        i += 1;
    }
    Ok(vm.usize(n))
}

fn index(vm: &Vm, a: &[Value]) -> Res {
    let d = deque(vm, &a[0])?;
    let n = d.len() as i64;
    let fix = |v: &Value, default: i64| -> Res<usize> {
        let i = match v.given() {
            Some(v) => slice_bound(vm, v)?,
            None => default,
        };
        Ok((if i < 0 {
            i.saturating_add(n).max(0)
        } else {
            i.min(n)
        }) as usize)
    };
    let (start, stop) = (fix(&a[2], 0)?, fix(&a[3], n)?);
    match search(vm, d, &a[1], start, stop)? {
        Some(i) => Ok(vm.usize(i)),
        None => Err(vm.value_error(format!("{} is not in deque", vm.repr_string(&a[1])?))),
    }
}

fn insert(vm: &Vm, a: &[Value]) -> Res {
    let d = deque(vm, &a[0])?;
    let i = ssize(vm, &a[1])?;
    let n = d.len();
    if d.maxlen.get().is_some_and(|m| n >= m) {
        return Err(vm.index_error("deque already at its maximum size"));
    }
    let at = if i < 0 {
        (i + n as i64).max(0)
    } else {
        i.min(n as i64)
    };
    d.items.borrow_mut().insert(at as usize, a[2].clone());
    d.changed();
    Ok(Value::NONE)
}

fn remove(vm: &Vm, a: &[Value]) -> Res {
    let d = deque(vm, &a[0])?;
    let state = d.state.get();
    let mut i = 0;
    while let Some(item) = d.get(i) {
        let equal = same(vm, &item, &a[1])?;
        if d.state.get() != state {
            return Err(vm.index_error("deque mutated during remove()."));
        }
        if equal {
            let old = d.items.borrow_mut().remove(i);
            d.changed();
            drop(old);
            return Ok(Value::NONE);
        }
        i += 1;
    }
    Err(vm.value_error(format!("{} is not in deque", vm.repr_string(&a[1])?)))
}

fn reverse(vm: &Vm, a: &[Value]) -> Res {
    let d = deque(vm, &a[0])?;
    d.items.borrow_mut().make_contiguous().reverse();
    d.changed();
    Ok(Value::NONE)
}

fn rotate(vm: &Vm, a: &[Value]) -> Res {
    let d = deque(vm, &a[0])?;
    let n = ssize(vm, &a[1])?;
    let len = d.len() as i64;
    if len > 1 {
        d.items
            .borrow_mut()
            .rotate_right(n.rem_euclid(len) as usize);
        d.changed();
    }
    Ok(Value::NONE)
}

fn reduce(vm: &Vm, a: &[Value]) -> Res {
    let d = deque(vm, &a[0])?;
    let state = vm
        .getattr_opt(&a[0], &vm.names.__dict__)?
        .unwrap_or(Value::NONE);
    let args = match d.maxlen.get() {
        None => vm.tuple(vec![]),
        Some(m) => vm.pair(vm.tuple(vec![]), vm.usize(m)),
    };
    let it = vm.iter(&a[0])?;
    Ok(vm.tuple(vec![vm.type_of(&a[0]), args, state, it]))
}

pub static TYPE: TypeSpec = TypeSpec {
    name: "collections.deque",
    kind: Kind::Deque,
    flags: tflag::BASETYPE | tflag::SEQUENCE | tflag::WEAKREF,
    slots: |s| {
        s.new = Some(new);
        s.init = Some(init);
        s.repr = Some(repr);
        s.hash = Some(crate::vm::slots::unhashable);
        s.cmp = Some(cmp);
        s.iter = Some(|vm, v| make_iter(vm, v, false));
        s.len = Some(|vm, v| Ok(deque(vm, v)?.len()));
        s.getitem = Some(getitem);
        s.setitem = Some(setitem);
        s.contains = Some(contains);
        s.binary[BinOp::Add as usize] = Some(add);
        s.binary[BinOp::Mul as usize] = Some(mul);
        s.inplace[BinOp::Add as usize] = Some(|vm, a, b| {
            extend(vm, deque(vm, a)?, b)?;
            Ok(a.clone())
        });
        s.inplace[BinOp::Mul as usize] = Some(|vm, a, b| {
            let Some(n) = repeat_count(vm, b)? else {
                return Err(vm.type_error(format!(
                    "can't multiply sequence by non-int of type '{}'",
                    vm.type_name(b)
                )));
            };
            multiply(vm, deque(vm, a)?, n)?;
            Ok(a.clone())
        });
    },
    methods: &[
        NativeDef {
            sig: "append(self, item, /)",
            f: append,
            doc: "Add an element to the right side of the deque.",
        },
        NativeDef {
            sig: "appendleft(self, item, /)",
            f: appendleft,
            doc: "Add an element to the left side of the deque.",
        },
        NativeDef {
            sig: "pop(self, /)",
            f: pop,
            doc: "Remove and return the rightmost element.",
        },
        NativeDef {
            sig: "popleft(self, /)",
            f: popleft,
            doc: "Remove and return the leftmost element.",
        },
        NativeDef {
            sig: "extend(self, iterable, /)",
            f: |vm, a| {
                extend(vm, deque(vm, &a[0])?, &a[1])?;
                Ok(Value::NONE)
            },
            doc: "Extend the right side of the deque with elements from the iterable.",
        },
        NativeDef {
            sig: "extendleft(self, iterable, /)",
            f: extend_left,
            doc: "Extend the left side of the deque with elements from the iterable.",
        },
        NativeDef {
            sig: "clear(self, /)",
            f: clear,
            doc: "Remove all elements from the deque.",
        },
        NativeDef {
            sig: "copy(self, /)",
            f: copy,
            doc: "Return a shallow copy of a deque.",
        },
        NativeDef {
            sig: "__copy__(self, /)",
            f: copy,
            doc: "Return a shallow copy of a deque.",
        },
        NativeDef {
            sig: "count(self, value, /)",
            f: count,
            doc: "Return number of occurrences of value.",
        },
        NativeDef {
            sig: "index(self, value, start=..., stop=..., /)",
            f: index,
            doc: "Return first index of value.\n\nRaises ValueError if the value is not present.",
        },
        NativeDef {
            sig: "insert(self, index, value, /)",
            f: insert,
            doc: "Insert value before index.",
        },
        NativeDef {
            sig: "remove(self, value, /)",
            f: remove,
            doc: "Remove first occurrence of value.",
        },
        NativeDef {
            sig: "reverse(self, /)",
            f: reverse,
            doc: "Reverse *IN PLACE*.",
        },
        NativeDef {
            sig: "rotate(self, n=1, /)",
            f: rotate,
            doc: "Rotate the deque n steps to the right.  If n is negative, rotates left.",
        },
        NativeDef {
            sig: "__reversed__(self, /)",
            f: |vm, a| make_iter(vm, &a[0], true),
            doc: "Return a reverse iterator over the deque.",
        },
        NativeDef {
            sig: "__reduce__(self, /)",
            f: reduce,
            doc: "Return state information for pickling.",
        },
    ],
    class_methods: &[NativeDef {
        sig: "__class_getitem__(cls, object, /)",
        f: class_getitem,
        doc: "See PEP 585",
    }],
    getset: &[GetSetDef {
        name: "maxlen",
        get: |vm, v| {
            Ok(deque(vm, v)?
                .maxlen
                .get()
                .map_or(Value::NONE, |m| vm.usize(m)))
        },
        set: None,
        doc: "maximum size of a deque or None if unbounded",
    }],
    doc: "A list-like sequence optimized for data accesses near its endpoints.",
    ..TypeSpec::EMPTY
};

// ---- iterators

fn iter_next(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    let it = this::<DequeIter>(vm, v)?;
    let d = deque(vm, &it.deque)?;
    if d.state.get() != it.state.get() {
        it.left.set(0);
        return Err(vm.runtime_error("deque mutated during iteration"));
    }
    if it.left.get() == 0 {
        return Ok(None);
    }
    let i = it.next.get();
    it.next.set(i + 1);
    it.left.set(it.left.get() - 1);
    Ok(d.get(if it.reverse {
        d.len().wrapping_sub(i + 1)
    } else {
        i
    }))
}

fn iter_new(vm: &Vm, args: Args, reverse: bool) -> Res {
    let a = crate::builtins::support::positional(vm, "_deque_iterator", args, 1, 2)?;
    let it = make_iter(vm, &a[0], reverse)?;
    if let (Some(n), Some(i)) = (a.get(1), it.get::<DequeIter>()) {
        let skip = (ssize(vm, n)?.max(0) as usize).min(i.left.get());
        i.next.set(skip);
        i.left.set(i.left.get() - skip);
    }
    Ok(it)
}

fn iter_reduce(vm: &Vm, a: &[Value]) -> Res {
    let it = this::<DequeIter>(vm, &a[0])?;
    Ok(vm.pair(
        vm.type_of(&a[0]),
        vm.pair(it.deque.clone(), vm.usize(it.next.get())),
    ))
}

static ITER_METHODS: &[NativeDef] = &[
    NativeDef {
        sig: "__length_hint__(self, /)",
        f: |vm, a| Ok(vm.usize(this::<DequeIter>(vm, &a[0])?.left.get())),
        doc: "Private method returning an estimate of len(list(it)).",
    },
    NativeDef {
        sig: "__reduce__(self, /)",
        f: iter_reduce,
        doc: "Return state information for pickling.",
    },
];

pub static ITER: TypeSpec = TypeSpec {
    name: "collections._deque_iterator",
    kind: Kind::DequeIter,
    slots: |s| {
        s.new = Some(|vm, _, args| iter_new(vm, args, false));
        s.iter = Some(|_, v| Ok(v.clone()));
        s.next = Some(iter_next);
    },
    methods: ITER_METHODS,
    ..TypeSpec::EMPTY
};

pub static REV_ITER: TypeSpec = TypeSpec {
    name: "collections._deque_reverse_iterator",
    kind: Kind::DequeIter,
    slots: |s| {
        s.new = Some(|vm, _, args| iter_new(vm, args, true));
        s.iter = Some(|_, v| Ok(v.clone()));
        s.next = Some(iter_next);
    },
    methods: ITER_METHODS,
    ..TypeSpec::EMPTY
};
