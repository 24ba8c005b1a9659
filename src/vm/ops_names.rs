//! Handlers of global names, class namespaces and attributes, with their inline caches.
//!
//! A cache word says for which dict version or shape the rest of the cache holds; a miss runs the general operation and fills the cache
//! anew. After too many misses at one place the op stays general.

#![allow(unsafe_code)]

use super::Vm;
use super::attr::{AttrPlan, StorePlan};
use super::dispatch::*;
use super::frame::{Flow, kind, word};
use crate::bytecode::ops::Op;
use crate::object::dict::{Dict, Found};
use crate::object::func::{Cell_, Function};
use crate::object::header::{Header, Kind, Obj};
use crate::object::native::tuple_items;
use crate::object::shape::Shape;
use crate::object::str::Str;
use crate::object::value::Value;

/// Rewrites the opcode of the instruction before `pc`.
unsafe fn quicken(pc: *const u32, op: Op) {
    // SAFETY: code objects own their instructions mutably; one thread runs.
    unsafe {
        let p = pc.sub(1) as *mut u32;
        *p = *p & !0xff00 | (op as u32) << 8;
    }
}
unsafe fn cache(pc: *const u32, i: usize) -> u32 {
    // SAFETY: within the instruction's extra words.
    unsafe { *pc.add(i) }
}
unsafe fn set_cache(pc: *const u32, i: usize, v: u32) {
    // SAFETY: within the instruction's extra words, which only the VM reads.
    unsafe { *(pc.add(i) as *mut u32) = v }
}
unsafe fn set_cache64(pc: *const u32, i: usize, v: u64) {
    // SAFETY: as above.
    unsafe {
        set_cache(pc, i, v as u32);
        set_cache(pc, i + 1, (v >> 32) as u32);
    }
}
unsafe fn cache64(pc: *const u32, i: usize) -> u64 {
    // SAFETY: as above.
    unsafe { (pc.add(i) as *const u64).read_unaligned() }
}
unsafe fn name<'a>(base: *mut u64, i: usize) -> &'a Value {
    // SAFETY: verified index.
    unsafe { word::code(base).names.get_unchecked(i) }
}
unsafe fn function<'a>(base: *mut u64) -> &'a Function {
    // SAFETY: every frame runs a function.
    unsafe { &(*(*base.sub(4) as *const Obj<Function>)).data }
}
unsafe fn globals<'a>(base: *mut u64) -> &'a Dict {
    // SAFETY: a function's globals are a dict.
    unsafe { function(base).globals.get_unchecked::<Dict>() }
}
unsafe fn builtins<'a>(base: *mut u64) -> &'a Dict {
    // SAFETY: a function's builtins are a dict.
    unsafe { function(base).builtins.get_unchecked::<Dict>() }
}

// ---- globals. Caches: [version of the dict, entry index].

impl Vm {
    /// Where a dict keeps an interned str key, without script calls.
    fn dict_index(&self, d: &Dict, key: &Value) -> Option<usize> {
        let hash = self.hash_str(key.get::<Str>()?);
        match d.lookup_simple(key, hash) {
            Found::At(i) => Some(i),
            _ => None,
        }
    }
}

pub unsafe fn slow_loadglobal(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let w = w as u64;
        let n = name(base, bc(w));
        let (g, bi) = (globals(base), builtins(base));
        let v = if let Some(i) = vm.dict_index(g, n) {
            set_cache(pc, 0, g.version.get());
            set_cache(pc, 1, i as u32);
            quicken(pc, Op::LOADGLOBAL_MOD);
            g.value_at(i)
        } else if let Some(i) = vm.dict_index(bi, n) {
            // Valid while neither dict changes its keys.
            set_cache(pc, 0, g.version.get() ^ bi.version.get().rotate_left(16));
            set_cache(pc, 1, i as u32);
            quicken(pc, Op::LOADGLOBAL_BUILTIN);
            bi.value_at(i)
        } else {
            return vm.fail(pc, base, vm.name_error(n));
        };
        word::set(base, a(w), v);
        Flow {
            pc: pc.add(2),
            base,
        }
    }
}
pub unsafe fn op_loadglobal_mod(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: the version proves the entry.
    unsafe {
        let g = globals(base);
        if g.version.get() == cache(pc, 0) {
            let v = *(g.value_ptr(cache(pc, 1) as usize) as *const u64);
            incref(v);
            return put_next(vm, pc.add(2), base, a(w), v);
        }
        via(vm, pc, base, w, slow_loadglobal)
    }
}
pub unsafe fn op_loadglobal_builtin(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: the versions prove the entry.
    unsafe {
        let (g, bi) = (globals(base), builtins(base));
        if g.version.get() ^ bi.version.get().rotate_left(16) == cache(pc, 0) {
            let v = *(bi.value_ptr(cache(pc, 1) as usize) as *const u64);
            incref(v);
            return put_next(vm, pc.add(2), base, a(w), v);
        }
        via(vm, pc, base, w, slow_loadglobal)
    }
}
pub unsafe fn slow_storeglobal(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let w = w as u64;
        let n = name(base, bc(w));
        let g = globals(base);
        let v = word::reg(base, a(w)).clone();
        match vm.dict_index(g, n) {
            Some(i) => {
                set_cache(pc, 0, g.version.get());
                set_cache(pc, 1, i as u32);
                quicken(pc, Op::STOREGLOBAL_MOD);
                drop(g.replace_at(i, v));
            }
            None => {
                if let Err(e) = vm.dict_set(g, n.clone(), v) {
                    return vm.fail(pc, base, e);
                }
            }
        }
        Flow {
            pc: pc.add(2),
            base,
        }
    }
}
pub unsafe fn op_storeglobal_mod(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: the version proves the entry.
    unsafe {
        let g = globals(base);
        if g.version.get() == cache(pc, 0) {
            let place = g.value_ptr(cache(pc, 1) as usize) as *mut u64;
            let v = *base.add(a(w));
            incref(v);
            let old = *place;
            *place = v;
            if old & 7 == 0 {
                let h = old as *const Header;
                let n = (*h).count.get().wrapping_sub(1);
                (*h).count.set(n);
                if n == 0 {
                    return free_next(vm, pc.add(2), base, old);
                }
            }
            return next(vm, pc.add(2), base);
        }
        via(vm, pc, base, w, slow_storeglobal)
    }
}
pub unsafe fn slow_delglobal(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let n = name(base, bc(w as u64));
        match vm.dict_del(globals(base), n) {
            Ok(Some(_)) => Flow { pc, base },
            Ok(None) => vm.fail(pc, base, vm.name_error(n)),
            Err(e) => vm.fail(pc, base, e),
        }
    }
}

// ---- names in the mapping of R[0]

impl Vm {
    /// A name in a namespace mapping: None if it is not there.
    fn namespace_get(&self, ns: &Value, n: &Value) -> super::Res<Option<Value>> {
        if let Some(d) = ns.get::<Dict>()
            && ns
                .header()
                .is_some_and(|h| h.flags.get() & crate::object::header::flag::SLOTS == 0)
        {
            return self.dict_get(d, n);
        }
        let r = self.getitem(ns, n);
        self.catch(r, super::raise::Exc::KeyError)
    }
    unsafe fn global_or_builtin(&self, base: *mut u64, n: &Value) -> super::Res {
        // SAFETY: a slow op's frame.
        unsafe {
            if let Some(v) = self.dict_get(globals(base), n)? {
                return Ok(v);
            }
            if let Some(v) = self.dict_get(builtins(base), n)? {
                return Ok(v);
            }
        }
        Err(self.name_error(n))
    }
    unsafe fn free_content(&self, base: *mut u64, i: usize) -> super::Res {
        // SAFETY: a slow op's frame; verified index.
        let v = unsafe {
            tuple_items(&function(base).closure)
                .get(i)
                .and_then(|c| c.get::<Cell_>())
                .map_or(Value::UNBOUND, |c| c.0.borrow().clone())
        };
        if v.is_unbound() {
            // SAFETY: as above.
            let n = unsafe {
                word::code(base)
                    .code
                    .freevars
                    .get(i)
                    .map_or(Value::NONE, |n| self.intern(n))
            };
            let n = n.as_str().unwrap_or("?");
            return Err(self.error(
                super::raise::Exc::NameError,
                format!("cannot access free variable '{n}' where it is not associated with a value in enclosing scope"),
            ));
        }
        Ok(v)
    }
}

pub unsafe fn slow_loadname(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let w = w as u64;
        let n = name(base, bc(w));
        let r = match vm.namespace_get(word::reg(base, 0), n) {
            Ok(Some(v)) => Ok(v),
            Ok(None) => vm.global_or_builtin(base, n),
            Err(e) => Err(e),
        };
        vm.finish(pc, pc, base, a(w), r)
    }
}
pub unsafe fn slow_storename(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let w = w as u64;
        match vm.setitem(word::reg(base, 0), name(base, bc(w)), word::reg(base, a(w))) {
            Ok(()) => Flow { pc, base },
            Err(e) => vm.fail(pc, base, e),
        }
    }
}
pub unsafe fn slow_delname(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let n = name(base, bc(w as u64));
        match vm.delitem(word::reg(base, 0), n) {
            Ok(()) => Flow { pc, base },
            Err(e) if vm.is_exc(&e, super::raise::Exc::KeyError) => {
                vm.fail(pc, base, vm.name_error(n))
            }
            Err(e) => vm.fail(pc, base, e),
        }
    }
}
pub unsafe fn slow_loadnamefree(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let w = w as u64;
        let n = word::code(base)
            .code
            .freevars
            .get(bc(w))
            .map_or(Value::NONE, |n| vm.intern(n));
        let r = match vm.namespace_get(word::reg(base, 0), &n) {
            Ok(Some(v)) => Ok(v),
            Ok(None) => vm.free_content(base, bc(w)),
            Err(e) => Err(e),
        };
        vm.finish(pc, pc, base, a(w), r)
    }
}
pub unsafe fn slow_loadnameglobal(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let w = w as u64;
        let n = name(base, bc(w));
        let r =
            vm.free_content(base, *pc as usize)
                .and_then(|ns| match vm.namespace_get(&ns, n)? {
                    Some(v) => Ok(v),
                    None => vm.global_or_builtin(base, n),
                });
        vm.finish(pc, pc.add(1), base, a(w), r)
    }
}
pub unsafe fn slow_loadnamedictfree(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let w = w as u64;
        let i = *pc as usize;
        let n = word::code(base)
            .code
            .freevars
            .get(i)
            .map_or(Value::NONE, |n| vm.intern(n));
        let r = match vm.namespace_get(word::reg(base, b(w)), &n) {
            Ok(Some(v)) => Ok(v),
            Ok(None) => vm.free_content(base, i),
            Err(e) => Err(e),
        };
        vm.finish(pc, pc.add(1), base, a(w), r)
    }
}

// ---- attributes. Extra words: [name, shape id, payload low, payload high].

/// The shape id of a heap object.
#[inline(always)]
unsafe fn shape_id(o: u64) -> u32 {
    // SAFETY: a word with tag 000 is the address of a live object.
    unsafe { (*(*(o as *const Header)).shape.get()).id.get() }
}

pub unsafe fn slow_loadattr(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let w = w as u64;
        let o = word::reg(base, b(w));
        let n = name(base, *pc as usize);
        if o.is_heap() {
            let (id, plan) = vm.attr_plan(o, n);
            let (op, payload) = match plan {
                AttrPlan::Slot { offset } => (Op::LOADATTR_SLOT, offset as u64),
                AttrPlan::ClassValue(v) => (Op::LOADATTR_CLASS, v.bits()),
                AttrPlan::Property(f)
                    if f.is_kind::<Function>()
                        && f.get_unchecked::<Function>().simple_argc.get() == 1 =>
                {
                    (Op::LOADATTR_PROP, f.bits())
                }
                _ => (Op::LOADATTR, 0),
            };
            if op != Op::LOADATTR {
                set_cache(pc, 1, id);
                set_cache64(pc, 2, payload);
                quicken(pc, op);
            }
        }
        let r = vm.getattr(o, n);
        vm.finish(pc, pc.add(4), base, a(w), r)
    }
}
pub unsafe fn op_loadattr_slot(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: the shape id proves that the object has an inline slot at the offset.
    unsafe {
        let o = *base.add(b(w));
        if o & 7 == 0 && shape_id(o) == cache(pc, 1) {
            let v = *((o as usize + cache(pc, 2) as usize) as *const u64);
            if v != Value::UNBOUND_BITS {
                incref(v);
                return put_next(vm, pc.add(4), base, a(w), v);
            }
        }
        via(vm, pc, base, w, slow_loadattr)
    }
}
pub unsafe fn op_loadattr_class(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: the shape id proves that the class still holds the value.
    unsafe {
        let o = *base.add(b(w));
        if o & 7 == 0 && shape_id(o) == cache(pc, 1) {
            let v = cache64(pc, 2);
            incref(v);
            return put_next(vm, pc.add(4), base, a(w), v);
        }
        via(vm, pc, base, w, slow_loadattr)
    }
}
pub unsafe fn op_loadattr_prop(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    unsafe fn slow(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
        // SAFETY: the shape id was checked: the class still holds the property with this getter.
        unsafe {
            let w = w as u64;
            let f = std::mem::ManuallyDrop::new(Value::from_bits(cache64(pc, 2)));
            let o = word::reg(base, b(w)).clone();
            match vm.push_frame((*f).clone(), pc.add(4), base, a(w) as u8, kind::CALL, 0) {
                Ok(new) => {
                    *new = o.into_bits();
                    Flow {
                        pc: (*word::code(new).instrs.get()).as_ptr(),
                        base: new,
                    }
                }
                Err(e) => vm.fail(pc, base, e),
            }
        }
    }
    // SAFETY: a handler's contract.
    unsafe {
        let o = *base.add(b(w));
        if o & 7 == 0 && shape_id(o) == cache(pc, 1) {
            return via(vm, pc, base, w, slow);
        }
        via(vm, pc, base, w, slow_loadattr)
    }
}

pub unsafe fn slow_storeattr(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let opcode = (w >> 8) as u8;
        let take = opcode == Op::STOREATTRT as u8
            || opcode == Op::STOREATTRT_SLOT as u8
            || opcode == Op::STOREATTRT_ADD as u8;
        let w = w as u64;
        let o = word::reg(base, a(w));
        let n = name(base, *pc as usize);
        if o.is_heap() {
            let (id, plan) = vm.store_plan(o, n);
            let (op, payload) = match plan {
                StorePlan::Slot { offset } => (
                    if take {
                        Op::STOREATTRT_SLOT
                    } else {
                        Op::STOREATTR_SLOT
                    },
                    offset as u64,
                ),
                StorePlan::Add { offset, new_shape } => {
                    // The offset shares the payload with the shape's address: 16 bits are enough for inline slots.
                    (
                        if take {
                            Op::STOREATTRT_ADD
                        } else {
                            Op::STOREATTR_ADD
                        },
                        new_shape as u64 | (offset as u64) << 48,
                    )
                }
                StorePlan::None => (if take { Op::STOREATTRT } else { Op::STOREATTR }, 0),
            };
            set_cache(pc, 1, id);
            set_cache64(pc, 2, payload);
            quicken(pc, op);
        }
        match vm.setattr(o, n, word::reg(base, b(w))) {
            Ok(()) => {
                if take {
                    word::clear(base, b(w), 1);
                }
                Flow {
                    pc: pc.add(4),
                    base,
                }
            }
            Err(e) => vm.fail(pc, base, e),
        }
    }
}
/// Stores an owned word in a slot that the cache proves, or goes the general way. `TAKE` moves the value out of its register.
#[inline(always)]
unsafe fn store_slot<const TAKE: bool>(
    vm: *const Vm,
    pc: *const u32,
    base: *mut u64,
    w: u64,
) -> Flow {
    // SAFETY: the shape id proves that the object has an inline slot at the offset.
    unsafe {
        let o = *base.add(a(w));
        if o & 7 == 0 && shape_id(o) == cache(pc, 1) {
            let place = (o as usize + cache(pc, 2) as usize) as *mut u64;
            let v = *base.add(b(w));
            if TAKE {
                *base.add(b(w)) = Value::UNBOUND_BITS;
            } else {
                incref(v);
            }
            let old = *place;
            *place = v;
            if old & 7 == 0 {
                let h = old as *const Header;
                let n = (*h).count.get().wrapping_sub(1);
                (*h).count.set(n);
                if n == 0 {
                    return free_next(vm, pc.add(4), base, old);
                }
            }
            return next(vm, pc.add(4), base);
        }
        via(vm, pc, base, w, slow_storeattr)
    }
}
#[inline(always)]
unsafe fn store_add<const TAKE: bool>(
    vm: *const Vm,
    pc: *const u32,
    base: *mut u64,
    w: u64,
) -> Flow {
    // SAFETY: the shape id proves that the slot is inline, empty and next; the new shape is owned by the same class.
    unsafe {
        let o = *base.add(a(w));
        if o & 7 == 0 && shape_id(o) == cache(pc, 1) {
            let payload = cache64(pc, 2);
            let place = (o as usize + (payload >> 48) as usize) as *mut u64;
            let v = *base.add(b(w));
            if TAKE {
                *base.add(b(w)) = Value::UNBOUND_BITS;
            } else {
                incref(v);
            }
            *place = v;
            (*(o as *const Header))
                .shape
                .set((payload & 0xffff_ffff_ffff) as *const Shape);
            return next(vm, pc.add(4), base);
        }
        via(vm, pc, base, w, slow_storeattr)
    }
}
pub unsafe fn op_storeattr_slot(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    unsafe { store_slot::<false>(vm, pc, base, w) }
}
pub unsafe fn op_storeattrt_slot(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    unsafe { store_slot::<true>(vm, pc, base, w) }
}
pub unsafe fn op_storeattr_add(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    unsafe { store_add::<false>(vm, pc, base, w) }
}
pub unsafe fn op_storeattrt_add(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    unsafe { store_add::<true>(vm, pc, base, w) }
}
pub unsafe fn slow_delattr(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        match vm.delattr(word::reg(base, a(w as u64)), name(base, *pc as usize)) {
            Ok(()) => Flow {
                pc: pc.add(1),
                base,
            },
            Err(e) => vm.fail(pc, base, e),
        }
    }
}

pub unsafe fn slow_loadmethod(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let w = w as u64;
        let o = word::reg(base, b(w)).clone();
        let n = name(base, *pc as usize);
        if o.is_heap()
            && let (id, AttrPlan::Method(f)) = vm.attr_plan(&o, n)
        {
            set_cache(pc, 1, id);
            set_cache64(pc, 2, f.bits());
            quicken(pc, Op::LOADMETHOD_FN);
        }
        match vm.load_method(&o, n) {
            Ok((f, me)) => {
                word::set(base, a(w), f);
                word::set(base, a(w) + 1, me.unwrap_or(Value::UNBOUND));
                Flow {
                    pc: pc.add(5),
                    base,
                }
            }
            Err(e) => vm.fail(pc, base, e),
        }
    }
}
pub unsafe fn op_loadmethod_fn(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: the shape id proves that the class still holds the function.
    unsafe {
        let o = *base.add(b(w));
        if o & 7 == 0 && shape_id(o) == cache(pc, 1) {
            let f = cache64(pc, 2);
            incref(f);
            // The window is two temporaries; what they held before is dead, but must still be released: only plain cases go on here.
            let (p0, p1) = (base.add(a(w)), base.add(a(w) + 1));
            if b(w) == a(w) + 1 {
                if *p0 & 7 != 0 {
                    *p0 = f;
                    return next(vm, pc.add(5), base);
                }
            } else if *p0 & 7 != 0 && *p1 & 7 != 0 {
                incref(o);
                *p0 = f;
                *p1 = o;
                return next(vm, pc.add(5), base);
            } else if b(w) == a(w) && *p1 & 7 != 0 {
                // The receiver stood where the function goes: it moves.
                *p0 = f;
                *p1 = o;
                return next(vm, pc.add(5), base);
            }
            let h = f as *const Header;
            (*h).count.set((*h).count.get() - 1);
        }
        via(vm, pc, base, w, slow_loadmethod)
    }
}

unsafe fn is_builtin_super(vm: &Vm, v: &Value) -> bool {
    v.is(vm.kind_type(Kind::Super))
}
pub unsafe fn slow_loadsupermethod(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let w = w as u64;
        let n = name(base, *pc as usize);
        let (sup, class, me) = (
            word::reg(base, a(w)).clone(),
            word::reg(base, b(w)).clone(),
            word::reg(base, c(w)).clone(),
        );
        let r = if is_builtin_super(vm, &sup) {
            vm.super_method(&class, &me, n)
        } else {
            vm.call(&sup, &[class, me])
                .and_then(|s| vm.load_method(&s, n))
        };
        match r {
            Ok((f, me)) => {
                word::set(base, a(w), f);
                word::set(base, a(w) + 1, me.unwrap_or(Value::UNBOUND));
                Flow {
                    pc: pc.add(1),
                    base,
                }
            }
            Err(e) => vm.fail(pc, base, e),
        }
    }
}
pub unsafe fn slow_loadsuperattr(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let w = w as u64;
        let n = name(base, *pc as usize);
        let (sup, class, me) = (
            word::reg(base, a(w)).clone(),
            word::reg(base, b(w)).clone(),
            word::reg(base, c(w)).clone(),
        );
        let r = vm.call(&sup, &[class, me]).and_then(|s| vm.getattr(&s, n));
        vm.finish(pc, pc.add(1), base, a(w), r)
    }
}
