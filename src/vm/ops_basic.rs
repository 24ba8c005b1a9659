//! Handlers of moves, constants, names, cells, items and iteration.

#![allow(unsafe_code)]

use super::Vm;
use super::dispatch::*;
use super::frame::{Flow, word};
use super::raise::Exc;
use super::resume::{can_enter_for, enter_for};
use crate::bytecode::ops::Op;
use crate::object::dict::{Dict, Found};
use crate::object::func::{Cell_, Function, Spill};
use crate::object::generator::Gen;
use crate::object::header::{Header, Kind, Obj};
use crate::object::native::tuple_items;
use crate::object::seq::{List, ListIter, RangeIter, Tuple, TupleIter};
use crate::object::str::Str;
use crate::object::value::Value;

pub unsafe fn op_nop(vm: *const Vm, pc: *const u32, base: *mut u64, _: u64) -> Flow {
    // SAFETY: a handler's contract.
    unsafe { next(vm, pc, base) }
}
pub unsafe fn op_move(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified registers.
    unsafe {
        let v = *base.add(b(w));
        incref(v);
        put_next(vm, pc, base, a(w), v)
    }
}
pub unsafe fn op_movet(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified registers.
    unsafe {
        let v = *base.add(b(w));
        *base.add(b(w)) = Value::UNBOUND_BITS;
        put_next(vm, pc, base, a(w), v)
    }
}
pub unsafe fn op_loadk(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified constant.
    unsafe {
        let v = word::code(base).consts.get_unchecked(bc(w)).bits();
        incref(v);
        put_next(vm, pc, base, a(w), v)
    }
}
pub unsafe fn op_loadi(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified registers.
    unsafe { put_next(vm, pc, base, a(w), (sbc(w) as u64) << 1 | 1) }
}
pub unsafe fn op_loadnone(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified registers.
    unsafe { put_next(vm, pc, base, a(w), Value::NONE_BITS) }
}
pub unsafe fn op_clear(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified registers.
    unsafe { put_next(vm, pc, base, a(w), Value::UNBOUND_BITS) }
}
pub unsafe fn slow_clearn(_: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    let w = w as u64;
    // SAFETY: a slow op.
    unsafe { word::clear(base, a(w), b(w)) };
    Flow { pc, base }
}

unsafe fn slow_unbound(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let name = word::code(base)
            .varnames
            .get(bc(w as u64))
            .cloned()
            .unwrap_or(Value::NONE);
        vm.fail(pc, base, vm.unbound_local(&name))
    }
}
pub unsafe fn op_checklocal(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified registers.
    unsafe {
        if *base.add(a(w)) == Value::UNBOUND_BITS {
            return via(vm, pc, base, w, slow_unbound);
        }
        next(vm, pc, base)
    }
}
pub unsafe fn op_dellocal(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified registers.
    unsafe {
        if *base.add(a(w)) == Value::UNBOUND_BITS {
            return via(vm, pc, base, w, slow_unbound);
        }
        put_next(vm, pc, base, a(w), Value::UNBOUND_BITS)
    }
}

impl Vm {
    pub fn unbound_local(&self, name: &Value) -> super::Raised {
        let n = name.as_str().unwrap_or("?");
        self.name_error_of(
            Exc::UnboundLocalError,
            name,
            &format!("cannot access local variable '{n}' where it is not associated with a value"),
        )
    }
    fn unbound_free(&self, name: &Value) -> super::Raised {
        let n = name.as_str().unwrap_or("?");
        self.name_error_of(Exc::NameError, name, &format!("cannot access free variable '{n}' where it is not associated with a value in enclosing scope"))
    }
    /// NameError for a name that nobody has bound.
    pub fn name_error(&self, name: &Value) -> super::Raised {
        let n = name.as_str().unwrap_or("?");
        self.name_error_of(Exc::NameError, name, &format!("name '{n}' is not defined"))
    }
    fn name_error_of(&self, e: Exc, name: &Value, message: &str) -> super::Raised {
        let r = self.error(e, message);
        // The attribute `name` feeds the "Did you mean" of tracebacks. Failing to set it changes nothing else.
        let _ = self.setattr(&r.0, &self.names.name.clone(), name);
        r
    }
}

// ---- spilled locals

pub unsafe fn slow_spillnew(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    let w = w as u64;
    // SAFETY: a slow op.
    unsafe {
        word::set(
            base,
            a(w),
            vm.alloc(Spill(std::cell::RefCell::new(vec![Value::UNBOUND; bc(w)]))),
        )
    };
    Flow { pc, base }
}
pub unsafe fn slow_spillload(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let w = w as u64;
        let i = *pc as usize;
        let v = word::reg(base, b(w))
            .get::<Spill>()
            .and_then(|s| s.0.borrow().get(i).cloned())
            .unwrap_or(Value::UNBOUND);
        if v.is_unbound() {
            let code = word::code(base);
            let name = code
                .varnames
                .get(code.nlocals as usize + i)
                .cloned()
                .unwrap_or(Value::NONE);
            return vm.fail(pc, base, vm.unbound_local(&name));
        }
        word::set(base, a(w), v);
        Flow {
            pc: pc.add(1),
            base,
        }
    }
}
pub unsafe fn slow_spillstore(_: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let w = w as u64;
        let v = word::reg(base, b(w)).clone();
        if let Some(s) = word::reg(base, a(w)).get::<Spill>() {
            let old =
                s.0.borrow_mut()
                    .get_mut(*pc as usize)
                    .map(|p| std::mem::replace(p, v));
            drop(old);
        }
        Flow {
            pc: pc.add(1),
            base,
        }
    }
}

// ---- cells

unsafe fn slow_cell(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op. Loads and deletes of an empty cell of this frame.
    unsafe {
        let w = w as u64;
        let op = (w >> 8) as u8;
        let reg = if op == Op::LOADCELL as u8 { b(w) } else { a(w) };
        let name = word::code(base)
            .varnames
            .get(reg)
            .cloned()
            .unwrap_or(Value::NONE);
        vm.fail(pc, base, vm.unbound_local(&name))
    }
}
pub unsafe fn slow_makecell(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    let w = w as u64;
    // SAFETY: a slow op.
    unsafe {
        let v = word::take(base, a(w));
        word::set(base, a(w), vm.cell(v));
    }
    Flow { pc, base }
}
/// The content of a cell, as a place.
#[inline(always)]
unsafe fn cell_place(cell: u64) -> *mut u64 {
    // SAFETY: the compiler puts cells only in these registers and closures.
    unsafe { (*(cell as *const Obj<Cell_>)).data.0.as_ptr() as *mut u64 }
}
pub unsafe fn op_loadcell(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified registers.
    unsafe {
        let v = *cell_place(*base.add(b(w)));
        if v == Value::UNBOUND_BITS {
            return via(vm, pc, base, w, slow_cell);
        }
        incref(v);
        put_next(vm, pc, base, a(w), v)
    }
}
/// Writes an owned word to a cell, releases the old content, goes on.
#[inline(always)]
unsafe fn store_next(
    vm: *const Vm,
    pc: *const u32,
    base: *mut u64,
    place: *mut u64,
    v: u64,
) -> Flow {
    // SAFETY: the place holds a Value.
    unsafe {
        let old = *place;
        *place = v;
        if old & 7 == 0 {
            let h = old as *const Header;
            let n = (*h).count.get().wrapping_sub(1);
            (*h).count.set(n);
            if n == 0 {
                return free_next(vm, pc, base, old);
            }
        }
        next(vm, pc, base)
    }
}
pub unsafe fn op_storecell(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified registers.
    unsafe {
        let v = *base.add(b(w));
        incref(v);
        store_next(vm, pc, base, cell_place(*base.add(a(w))), v)
    }
}
pub unsafe fn op_delcell(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified registers.
    unsafe {
        let place = cell_place(*base.add(a(w)));
        if *place == Value::UNBOUND_BITS {
            return via(vm, pc, base, w, slow_cell);
        }
        store_next(vm, pc, base, place, Value::UNBOUND_BITS)
    }
}
/// Closure cell `i` of the running function.
#[inline(always)]
unsafe fn free_cell(base: *mut u64, i: usize) -> u64 {
    // SAFETY: the verifier checks the index against freevars, and MKFUNC gives a closure of that length.
    unsafe {
        let f = &(*(*base.sub(4) as *const Obj<Function>)).data;
        f.closure.get_unchecked::<Tuple>().get_unchecked(i).bits()
    }
}
unsafe fn slow_free(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let name = word::code(base)
            .code
            .freevars
            .get(bc(w as u64))
            .map_or(Value::NONE, |n| vm.intern(n));
        vm.fail(pc, base, vm.unbound_free(&name))
    }
}
pub unsafe fn op_loadfree(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified operands.
    unsafe {
        let v = *cell_place(free_cell(base, bc(w)));
        if v == Value::UNBOUND_BITS {
            return via(vm, pc, base, w, slow_free);
        }
        incref(v);
        put_next(vm, pc, base, a(w), v)
    }
}
pub unsafe fn op_storefree(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified operands.
    unsafe {
        let v = *base.add(a(w));
        incref(v);
        store_next(vm, pc, base, cell_place(free_cell(base, bc(w))), v)
    }
}
pub unsafe fn op_delfree(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified operands.
    unsafe {
        let place = cell_place(free_cell(base, bc(w)));
        if *place == Value::UNBOUND_BITS {
            return via(vm, pc, base, w, slow_free);
        }
        store_next(vm, pc, base, place, Value::UNBOUND_BITS)
    }
}
pub unsafe fn op_loadclosure(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified operands.
    unsafe {
        let cell = free_cell(base, bc(w));
        incref(cell);
        put_next(vm, pc, base, a(w), cell)
    }
}

// ---- items

/// Item of an exact list by small int.
#[inline(always)]
unsafe fn list_place(list: u64, index: u64) -> *mut u64 {
    // SAFETY: the caller checked that a list is there; the borrow flag is free, as no native runs.
    unsafe {
        let items = &mut *(*(list as *const Obj<List>)).data.0.as_ptr();
        let n = items.len() as i64;
        let i = index as i64 >> 1;
        let i = if i < 0 { i + n } else { i };
        if (i as u64) < n as u64 {
            items.as_mut_ptr().add(i as usize) as *mut u64
        } else {
            std::ptr::null_mut()
        }
    }
}
/// True if the word is an exact (not subclassed) object of the kind.
#[inline(always)]
unsafe fn is_exact(v: u64, kind: Kind) -> bool {
    // SAFETY: a word with tag 000 is the address of a live object.
    unsafe {
        v & 7 == 0
            && (*(v as *const Header)).kind == kind
            && (*(v as *const Header)).flags.get() & crate::object::header::flag::SLOTS == 0
    }
}

pub unsafe fn op_loaditem(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified registers.
    unsafe {
        let (o, k) = (*base.add(b(w)), *base.add(c(w)));
        if k & 1 == 1 {
            if is_exact(o, Kind::List) {
                let p = list_place(o, k);
                if !p.is_null() {
                    incref(*p);
                    return put_next(vm, pc.add(1), base, a(w), *p);
                }
            } else if is_exact(o, Kind::Tuple) {
                let t = &(*(o as *const Obj<Tuple>)).data;
                let i = k as i64 >> 1;
                let i = if i < 0 { i + t.len() as i64 } else { i };
                if (i as u64) < t.len() as u64 {
                    let v = t.get_unchecked(i as usize).bits();
                    incref(v);
                    return put_next(vm, pc.add(1), base, a(w), v);
                }
            }
        }
        via(vm, pc, base, w, slow_loaditem)
    }
}
unsafe fn slow_loaditem(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let w = w as u64;
        let (o, k) = (word::reg(base, b(w)), word::reg(base, c(w)));
        let quick = if is_exact(o.bits(), Kind::Dict) && k.kind() == Kind::Str {
            let d = o.get_unchecked::<Dict>();
            let hash = vm.hash_str(k.get_unchecked::<Str>());
            match d.lookup_simple(k, hash) {
                Found::At(i) => Some(d.value_at(i)),
                _ => None,
            }
        } else {
            None
        };
        let r = match quick {
            Some(v) => Ok(v),
            None => vm.getitem(o, k),
        };
        match r {
            Ok(v) => {
                super::ops_arith::release_temps(base, a(w), &[c(w)]);
                word::set(base, a(w), v);
                Flow {
                    pc: pc.add(1),
                    base,
                }
            }
            Err(e) => vm.fail(pc, base, e),
        }
    }
}
pub unsafe fn op_storeitem(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified registers.
    unsafe {
        let (o, k) = (*base.add(a(w)), *base.add(b(w)));
        if k & 1 == 1 && is_exact(o, Kind::List) {
            let p = list_place(o, k);
            if !p.is_null() {
                let v = *base.add(c(w));
                incref(v);
                return store_next(vm, pc.add(1), base, p, v);
            }
        }
        via(vm, pc, base, w, slow_storeitem)
    }
}
pub unsafe fn op_storeitemt(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified registers.
    unsafe {
        let (o, k) = (*base.add(a(w)), *base.add(b(w)));
        if k & 1 == 1 && is_exact(o, Kind::List) {
            let p = list_place(o, k);
            if !p.is_null() {
                let v = *base.add(c(w));
                *base.add(c(w)) = Value::UNBOUND_BITS;
                return store_next(vm, pc.add(1), base, p, v);
            }
        }
        via(vm, pc, base, w, slow_storeitem)
    }
}
unsafe fn slow_storeitem(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let take = (w >> 8) as u8 == Op::STOREITEMT as u8;
        let w = w as u64;
        match vm.setitem(
            word::reg(base, a(w)),
            word::reg(base, b(w)),
            word::reg(base, c(w)),
        ) {
            Ok(()) => {
                if take {
                    word::clear(base, c(w), 1);
                }
                Flow {
                    pc: pc.add(1),
                    base,
                }
            }
            Err(e) => vm.fail(pc, base, e),
        }
    }
}
pub unsafe fn slow_delitem(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    let w = w as u64;
    // SAFETY: a slow op.
    unsafe {
        match vm.delitem(word::reg(base, a(w)), word::reg(base, b(w))) {
            Ok(()) => Flow { pc, base },
            Err(e) => vm.fail(pc, base, e),
        }
    }
}
pub unsafe fn slow_buildslice(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    let w = w as u64;
    // SAFETY: a slow op.
    unsafe {
        let s = vm.slice(
            word::reg(base, b(w)).clone(),
            word::reg(base, b(w) + 1).clone(),
            word::reg(base, b(w) + 2).clone(),
        );
        word::clear(base, b(w), 3);
        word::set(base, a(w), s);
    }
    Flow { pc, base }
}
pub unsafe fn slow_loadslice(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    let w = w as u64;
    // SAFETY: a slow op.
    unsafe {
        let s = vm.slice(
            word::reg(base, c(w)).clone(),
            word::reg(base, c(w) + 1).clone(),
            Value::NONE,
        );
        let r = vm.getitem(word::reg(base, b(w)), &s);
        vm.finish(pc, pc, base, a(w), r)
    }
}

impl Vm {
    /// A slice object.
    pub fn slice(&self, start: Value, stop: Value, step: Value) -> Value {
        self.alloc(crate::object::seq::Slice { start, stop, step })
    }
}

// ---- iteration

pub unsafe fn slow_getiter(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    let w = w as u64;
    // SAFETY: a slow op.
    unsafe {
        let r = vm.iter(word::reg(base, b(w)));
        vm.finish(pc, pc, base, a(w), r)
    }
}

/// FORITER: ranges, lists, tuples and generators without a call; everything else by the `next` slot.
pub unsafe fn op_foriter(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified registers; kinds say which payload is there.
    unsafe {
        let it = *base.add(b(w));
        if it & 7 == 0 {
            match (*(it as *const Header)).kind {
                Kind::RangeIter => {
                    let r = &(*(it as *const Obj<RangeIter>)).data;
                    let left = r.left.get();
                    if left > 0 {
                        let i = r.next.get();
                        r.left.set(left - 1);
                        r.next.set(i.wrapping_add(r.step));
                        return put_next(vm, pc.add(2), base, a(w), (i as u64) << 1 | 1);
                    }
                }
                Kind::ListIter => {
                    let l = &(*(it as *const Obj<ListIter>)).data;
                    let list = *(l.list.as_ptr() as *const u64);
                    if list & 7 == 0 {
                        let items = &*(*(list as *const Obj<List>)).data.0.as_ptr();
                        let i = l.next.get();
                        if i < items.len() {
                            l.next.set(i + 1);
                            let v = items.get_unchecked(i).bits();
                            incref(v);
                            return put_next(vm, pc.add(2), base, a(w), v);
                        }
                    }
                }
                Kind::TupleIter => {
                    let l = &(*(it as *const Obj<TupleIter>)).data;
                    let t = *(l.tuple.as_ptr() as *const u64);
                    if t & 7 == 0 {
                        let items = &(*(t as *const Obj<Tuple>)).data;
                        let i = l.next.get();
                        if i < items.len() {
                            l.next.set(i + 1);
                            let v = items.get_unchecked(i).bits();
                            incref(v);
                            return put_next(vm, pc.add(2), base, a(w), v);
                        }
                    }
                }
                Kind::Generator => {
                    let g = &raw const (*(it as *const Obj<Gen>)).data;
                    if can_enter_for(vm, base, g) {
                        return enter_for(vm, pc, base, w, g);
                    }
                }
                _ => (),
            }
        }
        via(vm, pc, base, w, slow_foriter)
    }
}
unsafe fn slow_foriter(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    let w = w as u64;
    // SAFETY: a slow op.
    unsafe {
        match vm.next(word::reg(base, b(w))) {
            Ok(Some(v)) => {
                word::set(base, a(w), v);
                Flow {
                    pc: pc.add(2),
                    base,
                }
            }
            Ok(None) => {
                word::clear(base, b(w), 1);
                Flow {
                    pc: pc.add(2).offset(*pc as i32 as isize),
                    base,
                }
            }
            Err(e) => vm.fail(pc, base, e),
        }
    }
}

pub unsafe fn slow_unpack(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    let w = w as u64;
    // SAFETY: a slow op.
    unsafe {
        let n = c(w);
        let v = word::reg(base, b(w)).clone();
        let items: Vec<Value>;
        let slice: &[Value] = if v.is_kind::<Tuple>() {
            tuple_items(&v)
        } else {
            items = match vm.unpack_items(&v, n) {
                Ok(i) => i,
                Err(e) => return vm.fail(pc, base, e),
            };
            &items
        };
        if slice.len() != n {
            let e = if slice.len() > n {
                let got = match v.kind() {
                    Kind::Tuple | Kind::List | Kind::Dict => {
                        format!(", got {}", vm.len(&v).unwrap_or(slice.len()))
                    }
                    _ => String::new(),
                };
                vm.value_error(format!("too many values to unpack (expected {n}{got})"))
            } else {
                vm.value_error(format!(
                    "not enough values to unpack (expected {n}, got {})",
                    slice.len()
                ))
            };
            return vm.fail(pc, base, e);
        }
        for (i, x) in slice.iter().enumerate() {
            word::set(base, a(w) + i, x.clone());
        }
        Flow { pc, base }
    }
}
impl Vm {
    /// At most n + 1 items of an iterable, as unpacking takes them.
    fn unpack_items(&self, v: &Value, n: usize) -> super::Res<Vec<Value>> {
        if let Some(l) = v.get::<List>() {
            return Ok(l.to_vec());
        }
        let it = match self.iter(v) {
            Ok(it) => it,
            Err(e)
                if self.is_exc(&e, Exc::TypeError)
                    && self.type_obj(v).slots().iter.is_none()
                    && self.type_obj(v).slots().getitem.is_none() =>
            {
                return Err(self.type_error(format!(
                    "cannot unpack non-iterable {} object",
                    self.type_name(v)
                )));
            }
            Err(e) => return Err(e),
        };
        let mut out = Vec::with_capacity(n);
        while out.len() <= n {
            match self.next(&it)? {
                Some(x) => out.push(x),
                None => break,
            }
        }
        Ok(out)
    }
}

pub unsafe fn slow_unpackex(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    let w = w as u64;
    // SAFETY: a slow op.
    unsafe {
        let (before, after) = (c(w), *pc as usize);
        let v = word::reg(base, b(w)).clone();
        if vm.type_obj(&v).slots().iter.is_none() && vm.type_obj(&v).slots().getitem.is_none() {
            return vm.fail(
                pc,
                base,
                vm.type_error(format!(
                    "cannot unpack non-iterable {} object",
                    vm.type_name(&v)
                )),
            );
        }
        let mut items = match vm.collect(&v) {
            Ok(i) => i,
            Err(e) => return vm.fail(pc, base, e),
        };
        if items.len() < before + after {
            let e = vm.value_error(format!(
                "not enough values to unpack (expected at least {}, got {})",
                before + after,
                items.len()
            ));
            return vm.fail(pc, base, e);
        }
        let tail = items.split_off(items.len() - after);
        let middle = items.split_off(before);
        let mut at = a(w);
        for x in items {
            word::set(base, at, x);
            at += 1;
        }
        word::set(base, at, vm.list(middle));
        for x in tail {
            at += 1;
            word::set(base, at, x);
        }
        Flow {
            pc: pc.add(1),
            base,
        }
    }
}
