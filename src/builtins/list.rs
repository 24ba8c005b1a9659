//! `list`: its operations and methods, and its two iterators.
//!
//! Rule: items are copied out before anything that can run script code; positions are checked again after it.

use crate::builtins::sort;
use crate::builtins::support::{
    Key, alloc_as, check_room, clamped, memory_error, pick, position, positional, push_items,
    repeat_count, right_operand_first, same, seq_key, slice_bound, ssize, this, vec_for,
};
use crate::object::header::Kind;
use crate::object::iter::ListRevIter;
use crate::object::native::{Args, NativeDef};
use crate::object::seq::{List, ListIter};
use crate::object::types::{BinOp, CmpOp, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use std::cell::{Cell, RefCell};

fn new(vm: &Vm, class: &Value, _args: Args) -> Res {
    Ok(alloc_as(vm, class, List::default()))
}

fn init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    let args = positional(vm, "list", args, 0, 1)?;
    let l = this::<List>(vm, v)?;
    let old = std::mem::take(&mut *l.0.borrow_mut());
    drop(old);
    match args.first() {
        Some(from) => extend(vm, l, from),
        None => Ok(()),
    }
}

/// Appends all items of an iterable.
pub fn extend(vm: &Vm, l: &List, from: &Value) -> Res<()> {
    if vm.is_exact(from, Kind::List) {
        let items = this::<List>(vm, from)?.to_vec();
        l.0.borrow_mut().extend(items);
        return Ok(());
    }
    if vm.is_exact(from, Kind::Tuple) {
        l.0.borrow_mut()
            .extend_from_slice(crate::object::native::tuple_items(from));
        return Ok(());
    }
    vm.iterate(from, &mut |item| {
        l.push(item);
        Ok(())
    })
}

fn repr(vm: &Vm, v: &Value) -> Res {
    let l = this::<List>(vm, v)?;
    if l.is_empty() {
        return Ok(vm.str("[]"));
    }
    vm.check_native_stack()?;
    if !vm.repr_enter(v) {
        return Ok(vm.str("[...]"));
    }
    let mut out = String::from("[");
    let r = push_items(vm, &mut out, |i| l.get(i));
    vm.repr_leave(v);
    r?;
    out.push(']');
    Ok(vm.str(&out))
}

/// Compares two sequences item by item, as list and tuple do.
pub fn compare_items(
    vm: &Vm,
    op: CmpOp,
    a: &dyn Fn(usize) -> Option<Value>,
    b: &dyn Fn(usize) -> Option<Value>,
    lens: &dyn Fn() -> (usize, usize),
) -> Res {
    vm.check_native_stack()?;
    let mut i = 0;
    while let (Some(x), Some(y)) = (a(i), b(i)) {
        if !same(vm, &x, &y)? {
            return match op {
                CmpOp::Eq => Ok(Value::FALSE),
                CmpOp::Ne => Ok(Value::TRUE),
                _ => vm.compare(op, &x, &y),
            };
        }
        i += 1;
    }
    let (n, m) = lens();
    Ok(Value::bool(compare_len(op, n, m)))
}

/// A comparison of two sizes.
pub fn compare_len(op: CmpOp, n: usize, m: usize) -> bool {
    match op {
        CmpOp::Lt => n < m,
        CmpOp::Le => n <= m,
        CmpOp::Eq => n == m,
        CmpOp::Ne => n != m,
        CmpOp::Gt => n > m,
        CmpOp::Ge => n >= m,
    }
}

fn cmp(vm: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.get::<List>(), b.get::<List>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if x.len() != y.len() && matches!(op, CmpOp::Eq | CmpOp::Ne) {
        return Ok(Value::bool(op == CmpOp::Ne));
    }
    compare_items(vm, op, &|i| x.get(i), &|i| y.get(i), &|| (x.len(), y.len()))
}

fn iter(vm: &Vm, v: &Value) -> Res {
    Ok(vm.alloc(ListIter {
        list: RefCell::new(v.clone()),
        next: Cell::new(0),
    }))
}

fn len(vm: &Vm, v: &Value) -> Res<usize> {
    Ok(this::<List>(vm, v)?.len())
}

fn getitem(vm: &Vm, v: &Value, key: &Value) -> Res {
    let l = this::<List>(vm, v)?;
    match seq_key(vm, key, "list")? {
        Key::At(i) => position(i, l.len())
            .and_then(|i| l.get(i))
            .ok_or_else(|| vm.index_error("list index out of range")),
        Key::Slice(b) => {
            let items = l.0.borrow();
            let picked = pick(&items, &b.of(items.len()));
            drop(items);
            Ok(vm.list(picked))
        }
    }
}

fn setitem(vm: &Vm, v: &Value, key: &Value, value: Option<&Value>) -> Res<()> {
    let l = this::<List>(vm, v)?;
    match seq_key(vm, key, "list")? {
        Key::At(i) => {
            let mut items = l.0.borrow_mut();
            let Some(at) = position(i, items.len()) else {
                return Err(vm.index_error("list assignment index out of range"));
            };
            let old = match value {
                Some(new) => std::mem::replace(&mut items[at], new.clone()),
                None => items.remove(at),
            };
            drop(items);
            drop(old);
            Ok(())
        }
        Key::Slice(b) => {
            let new = match value {
                None => None,
                Some(from) => Some(assigned(vm, from, b.step.unwrap_or(1) == 1)?),
            };
            let mut items = l.0.borrow_mut();
            let s = b.of(items.len());
            let old: Vec<Value> = match new {
                Some(new) if s.step == 1 => {
                    let start = s.start as usize;
                    items.splice(start..start + s.count, new).collect()
                }
                Some(new) => {
                    if new.len() != s.count {
                        drop(items);
                        let (n, m) = (new.len(), s.count);
                        return Err(vm.value_error(format!(
                            "attempt to assign sequence of size {n} to extended slice of size {m}"
                        )));
                    }
                    new.into_iter()
                        .enumerate()
                        .map(|(n, x)| {
                            std::mem::replace(&mut items[(s.start + n as i64 * s.step) as usize], x)
                        })
                        .collect()
                }
                None if s.step == 1 => items
                    .drain(s.start as usize..s.start as usize + s.count)
                    .collect(),
                None => remove_steps(&mut items, s.start, s.step, s.count),
            };
            drop(items);
            drop(old);
            Ok(())
        }
    }
}

/// The items to put into a slice.
fn assigned(vm: &Vm, from: &Value, plain: bool) -> Res<Vec<Value>> {
    if vm.type_obj(from).slots().iter.is_none() && vm.type_obj(from).slots().getitem.is_none() {
        return Err(vm.type_error(if plain {
            "can only assign an iterable"
        } else {
            "must assign iterable to extended slice"
        }));
    }
    vm.collect(from)
}

/// Takes out `count` items from `start` by `step`.
fn remove_steps(items: &mut Vec<Value>, start: i64, step: i64, count: usize) -> Vec<Value> {
    if count == 0 {
        return Vec::new();
    }
    // From low to high, whichever way the slice runs.
    let (low, stride) = if step < 0 {
        (
            (start + (count as i64 - 1) * step) as usize,
            step.unsigned_abs() as usize,
        )
    } else {
        (start as usize, step as usize)
    };
    let mut removed = Vec::with_capacity(count);
    let mut kept = Vec::with_capacity(items.len() - count);
    for (i, v) in std::mem::take(items).into_iter().enumerate() {
        if i >= low && (i - low) % stride == 0 && removed.len() < count {
            removed.push(v)
        } else {
            kept.push(v)
        }
    }
    *items = kept;
    removed
}

fn contains(vm: &Vm, v: &Value, item: &Value) -> Res<bool> {
    let l = this::<List>(vm, v)?;
    let mut i = 0;
    while let Some(x) = l.get(i) {
        if same(vm, &x, item)? {
            return Ok(true);
        }
        i += 1;
    }
    Ok(false)
}

fn add(vm: &Vm, a: &Value, b: &Value) -> Res {
    match (a.get::<List>(), b.get::<List>()) {
        (Some(x), Some(y)) => {
            let (x, y) = (x.0.borrow(), y.0.borrow());
            let mut out = vec_for(vm, x.len() + y.len())?;
            out.extend_from_slice(&x);
            out.extend_from_slice(&y);
            drop((x, y));
            Ok(vm.list(out))
        }
        (Some(_), None) => match right_operand_first(vm, BinOp::Add, a, b)? {
            Some(r) => Ok(r),
            None => Err(vm.type_error(format!(
                "can only concatenate list (not \"{}\") to list",
                vm.type_name(b)
            ))),
        },
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

/// `items` n times over.
pub fn repeated(vm: &Vm, items: &[Value], n: usize) -> Res<Vec<Value>> {
    let total = items
        .len()
        .checked_mul(n)
        .filter(|&t| t < isize::MAX as usize / 8)
        .ok_or_else(|| memory_error(vm))?;
    check_room(vm, total)?;
    let mut out = vec_for(vm, total)?;
    match items {
        [one] => out.resize(total, one.clone()),
        _ => (0..if total == 0 { 0 } else { n }).for_each(|_| out.extend_from_slice(items)),
    }
    Ok(out)
}

/// The error of `sequence * x` where x is no integer; a script class on the right gets its say first.
pub fn cannot_repeat(vm: &Vm, a: &Value, b: &Value, times: &Value) -> Res {
    if !a.is(times)
        && let Some(r) = right_operand_first(vm, BinOp::Mul, a, b)?
    {
        return Ok(r);
    }
    Err(vm.type_error(format!(
        "can't multiply sequence by non-int of type '{}'",
        vm.type_name(times)
    )))
}

fn mul(vm: &Vm, a: &Value, b: &Value) -> Res {
    let (seq, times) = if a.is_kind::<List>() { (a, b) } else { (b, a) };
    let l = this::<List>(vm, seq)?;
    let Some(n) = repeat_count(vm, times)? else {
        return cannot_repeat(vm, a, b, times);
    };
    let items = l.0.borrow();
    let out = repeated(vm, &items, n)?;
    drop(items);
    Ok(vm.list(out))
}

fn inplace_add(vm: &Vm, a: &Value, b: &Value) -> Res {
    extend(vm, this::<List>(vm, a)?, b)?;
    Ok(a.clone())
}

fn inplace_mul(vm: &Vm, a: &Value, b: &Value) -> Res {
    let l = this::<List>(vm, a)?;
    let Some(n) = repeat_count(vm, b)? else {
        return cannot_repeat(vm, a, b, b);
    };
    let out = repeated(vm, &l.to_vec(), n)?;
    let old = l.0.replace(out);
    drop(old);
    Ok(a.clone())
}

fn append(vm: &Vm, a: &[Value]) -> Res {
    this::<List>(vm, &a[0])?.push(a[1].clone());
    Ok(Value::NONE)
}

fn extend_method(vm: &Vm, a: &[Value]) -> Res {
    extend(vm, this::<List>(vm, &a[0])?, &a[1])?;
    Ok(Value::NONE)
}

fn insert(vm: &Vm, a: &[Value]) -> Res {
    let i = ssize(vm, &a[1])?;
    let l = this::<List>(vm, &a[0])?;
    let mut items = l.0.borrow_mut();
    let n = items.len() as i64;
    let at = if i < 0 { (i + n).max(0) } else { i.min(n) };
    items.insert(at as usize, a[2].clone());
    Ok(Value::NONE)
}

fn pop(vm: &Vm, a: &[Value]) -> Res {
    let l = this::<List>(vm, &a[0])?;
    let i = if a[1].is_unbound() {
        -1
    } else {
        ssize(vm, &a[1])?
    };
    let mut items = l.0.borrow_mut();
    if i == -1
        && let Some(v) = items.pop()
    {
        return Ok(v);
    }
    if items.is_empty() {
        return Err(vm.index_error("pop from empty list"));
    }
    match position(i, items.len()) {
        Some(at) => Ok(items.remove(at)),
        None => Err(vm.index_error("pop index out of range")),
    }
}

/// The index of the first item equal to `v` within the bounds given as for `slice`.
pub fn find(
    vm: &Vm,
    v: &Value,
    bounds: &[Value],
    get: &dyn Fn(usize) -> Option<Value>,
    len: usize,
) -> Res<Option<usize>> {
    let bound = |b: Option<&Value>, default: i64| match b.and_then(Value::given) {
        Some(b) => slice_bound(vm, b),
        None => Ok(default),
    };
    let fix = |i: i64| {
        if i < 0 {
            i.saturating_add(len as i64).max(0)
        } else {
            i
        }
    };
    let (start, stop) = (
        fix(bound(bounds.first(), 0)?),
        fix(bound(bounds.get(1), i64::MAX)?),
    );
    let mut i = start;
    while i < stop
        && let Some(x) = get(i as usize)
    {
        if same(vm, &x, v)? {
            return Ok(Some(i as usize));
        }
        i += 1;
    }
    Ok(None)
}

fn index(vm: &Vm, a: &[Value]) -> Res {
    let l = this::<List>(vm, &a[0])?;
    match find(vm, &a[1], &a[2..], &|i| l.get(i), l.len())? {
        Some(i) => Ok(vm.usize(i)),
        None => Err(vm.value_error("list.index(x): x not in list")),
    }
}

fn count(vm: &Vm, a: &[Value]) -> Res {
    let l = this::<List>(vm, &a[0])?;
    let (mut n, mut i) = (0, 0);
    while let Some(x) = l.get(i) {
        n += same(vm, &x, &a[1])? as usize;
        i += 1;
    }
    Ok(vm.usize(n))
}

fn remove(vm: &Vm, a: &[Value]) -> Res {
    let l = this::<List>(vm, &a[0])?;
    let mut i = 0;
    while let Some(x) = l.get(i) {
        if same(vm, &x, &a[1])? {
            let mut items = l.0.borrow_mut();
            if i < items.len() {
                let old = items.remove(i);
                drop(items);
                drop(old);
            }
            return Ok(Value::NONE);
        }
        i += 1;
    }
    Err(vm.value_error("list.remove(x): x not in list"))
}

fn reverse(vm: &Vm, a: &[Value]) -> Res {
    this::<List>(vm, &a[0])?.0.borrow_mut().reverse();
    Ok(Value::NONE)
}

fn clear(vm: &Vm, a: &[Value]) -> Res {
    let old = std::mem::take(&mut *this::<List>(vm, &a[0])?.0.borrow_mut());
    drop(old);
    Ok(Value::NONE)
}

fn copy(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.list(this::<List>(vm, &a[0])?.to_vec()))
}

fn sort_method(vm: &Vm, a: &[Value]) -> Res {
    let reverse = vm.truth(&a[2])?;
    sort::sort_list(vm, this::<List>(vm, &a[0])?, a[1].non_none(), reverse)?;
    Ok(Value::NONE)
}

fn reversed(vm: &Vm, a: &[Value]) -> Res {
    let n = this::<List>(vm, &a[0])?.len();
    Ok(vm.alloc(ListRevIter {
        list: RefCell::new(a[0].clone()),
        next: Cell::new(n),
    }))
}

/// `list[int]` and the like.
pub fn class_getitem(vm: &Vm, a: &[Value]) -> Res {
    vm.generic_alias(&a[0], &a[1])
}

pub static CLASS_GETITEM: &[NativeDef] = &[NativeDef {
    sig: "__class_getitem__(cls, object, /)",
    f: class_getitem,
    doc: "See PEP 585",
}];

pub static TYPE: TypeSpec = TypeSpec {
    name: "list",
    kind: Kind::List,
    flags: tflag::BASETYPE | tflag::SEQUENCE | tflag::MATCH_SELF,
    slots: |s| {
        s.new = Some(new);
        s.init = Some(init);
        s.repr = Some(repr);
        s.hash = Some(crate::vm::slots::unhashable);
        s.cmp = Some(cmp);
        s.iter = Some(iter);
        s.len = Some(len);
        s.getitem = Some(getitem);
        s.setitem = Some(setitem);
        s.contains = Some(contains);
        s.binary[BinOp::Add as usize] = Some(add);
        s.binary[BinOp::Mul as usize] = Some(mul);
        s.inplace[BinOp::Add as usize] = Some(inplace_add);
        s.inplace[BinOp::Mul as usize] = Some(inplace_mul);
    },
    methods: &[
        NativeDef {
            sig: "append(self, object, /)",
            f: append,
            doc: "Append object to the end of the list.",
        },
        NativeDef {
            sig: "extend(self, iterable, /)",
            f: extend_method,
            doc: "Extend list by appending elements from the iterable.",
        },
        NativeDef {
            sig: "insert(self, index, object, /)",
            f: insert,
            doc: "Insert object before index.",
        },
        NativeDef {
            sig: "pop(self, index=..., /)",
            f: pop,
            doc: "Remove and return item at index (default last).",
        },
        NativeDef {
            sig: "remove(self, value, /)",
            f: remove,
            doc: "Remove first occurrence of value.",
        },
        NativeDef {
            sig: "index(self, value, start=..., stop=..., /)",
            f: index,
            doc: "Return first index of value.",
        },
        NativeDef {
            sig: "count(self, value, /)",
            f: count,
            doc: "Return number of occurrences of value.",
        },
        NativeDef {
            sig: "reverse(self, /)",
            f: reverse,
            doc: "Reverse *IN PLACE*.",
        },
        NativeDef {
            sig: "sort(self, /, *, key=None, reverse=False)",
            f: sort_method,
            doc: "Sort the list in ascending order and return None.",
        },
        NativeDef {
            sig: "clear(self, /)",
            f: clear,
            doc: "Remove all items from list.",
        },
        NativeDef {
            sig: "copy(self, /)",
            f: copy,
            doc: "Return a shallow copy of the list.",
        },
        NativeDef {
            sig: "__reversed__(self, /)",
            f: reversed,
            doc: "Return a reverse iterator over the list.",
        },
    ],
    class_methods: CLASS_GETITEM,
    doc: "Built-in mutable sequence.\n\nIf no argument is given, the constructor creates a new empty list.\nThe argument must be an iterable if specified.",
    ..TypeSpec::EMPTY
};

// ---- iterators

fn iter_self(_: &Vm, v: &Value) -> Res {
    Ok(v.clone())
}

fn iter_next(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    let it = this::<ListIter>(vm, v)?;
    let i = it.next.get();
    let item = it.list.borrow().get::<List>().and_then(|l| l.get(i));
    match item {
        Some(x) => {
            it.next.set(i + 1);
            Ok(Some(x))
        }
        None => {
            let old = it.list.replace(Value::UNBOUND);
            drop(old);
            Ok(None)
        }
    }
}

fn iter_hint(vm: &Vm, a: &[Value]) -> Res {
    let it = this::<ListIter>(vm, &a[0])?;
    let n = it
        .list
        .borrow()
        .get::<List>()
        .map_or(0, |l| l.len().saturating_sub(it.next.get()));
    Ok(vm.usize(n))
}

fn iter_setstate(vm: &Vm, a: &[Value]) -> Res {
    let it = this::<ListIter>(vm, &a[0])?;
    let n = it.list.borrow().get::<List>().map_or(0, List::len) as i64;
    it.next.set(clamped(vm, &a[1])?.clamp(0, n) as usize);
    Ok(Value::NONE)
}

fn iter_reduce(vm: &Vm, a: &[Value]) -> Res {
    let it = this::<ListIter>(vm, &a[0])?;
    let list = it.list.borrow().clone();
    let iter = vm.builtin("iter")?;
    if list.is_unbound() {
        let empty = vm.list(vec![]);
        return Ok(vm.pair(iter, vm.tuple(vec![empty])));
    }
    Ok(vm.tuple(vec![iter, vm.tuple(vec![list]), vm.usize(it.next.get())]))
}

pub static ITER: TypeSpec = TypeSpec {
    name: "list_iterator",
    kind: Kind::ListIter,
    slots: |s| {
        s.iter = Some(iter_self);
        s.next = Some(iter_next);
    },
    methods: &[
        NativeDef {
            sig: "__length_hint__(self, /)",
            f: iter_hint,
            doc: "Private method returning an estimate of len(list(it)).",
        },
        NativeDef {
            sig: "__setstate__(self, state, /)",
            f: iter_setstate,
            doc: "Set state information for unpickling.",
        },
        NativeDef {
            sig: "__reduce__(self, /)",
            f: iter_reduce,
            doc: "Return state information for pickling.",
        },
    ],
    ..TypeSpec::EMPTY
};

fn rev_next(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    let it = this::<ListRevIter>(vm, v)?;
    let item = match it.next.get().checked_sub(1) {
        Some(i) => it.list.borrow().get::<List>().and_then(|l| l.get(i)),
        None => None,
    };
    match item {
        Some(x) => {
            it.next.set(it.next.get() - 1);
            Ok(Some(x))
        }
        None => {
            it.next.set(0);
            let old = it.list.replace(Value::UNBOUND);
            drop(old);
            Ok(None)
        }
    }
}

fn rev_hint(vm: &Vm, a: &[Value]) -> Res {
    let it = this::<ListRevIter>(vm, &a[0])?;
    let n = it.list.borrow().get::<List>().map_or(0, |l| {
        if l.len() < it.next.get() {
            0
        } else {
            it.next.get()
        }
    });
    Ok(vm.usize(n))
}

pub static REV_ITER: TypeSpec = TypeSpec {
    name: "list_reverseiterator",
    kind: Kind::ListRevIter,
    slots: |s| {
        s.iter = Some(iter_self);
        s.next = Some(rev_next);
    },
    methods: &[NativeDef {
        sig: "__length_hint__(self, /)",
        f: rev_hint,
        doc: "Private method returning an estimate of len(list(it)).",
    }],
    ..TypeSpec::EMPTY
};
