//! The dispatch loop, in two forms that share all handlers.
//!
//! A handler is `fn(vm, pc, base, word) -> Flow`, where `pc` points after the instruction word. In optimised builds (`cfg(tail_dispatch)`,
//! set by the build script) each handler ends by calling the next one through the table, and the optimiser makes that a jump: the
//! interpreter's state stays in the four argument registers. In debug builds handlers return the next pc and base, and a loop calls on.
//! (Tail-threaded interpreters: Bernstein's, and Haoran Xu, "Building a baseline JIT for Lua automatically", 2023.)
//!
//! Rules:
//! 1. A hot handler must have no pending drop, no address-taken local and no call but in tail position; what needs more is a *slow op*, an ordinary
//!    function `fn(&Vm, pc, base, word) -> Flow`, reached through `via`, whose own tail call has only plain words alive.
//! 2. A slow op finds `exec.pc` and `exec.base` set, and finalizers that came due in it run before the next instruction.
//! 3. The language does not promise sibling calls: a handler that breaks rule 1 shows as a growing native stack in long loops of the optimised build.
//!    (The test that proves their absence is still to be written.)

#![allow(unsafe_code)]

use super::frame::{Exit, Flow};
use super::{Raised, Vm};
use crate::bytecode::ops::Op;
use crate::object::header::Header;
use crate::object::heap;
use crate::object::value::Value;
use std::sync::atomic::Ordering::Relaxed;

pub type Handler = unsafe fn(*const Vm, *const u32, *mut u64, u64) -> Flow;
/// An op in plain form: gives where to go on.
pub type SlowOp = unsafe fn(&Vm, *const u32, *mut u64, u32) -> Flow;

/// Goes on at `pc`.
#[inline(always)]
pub unsafe fn next(vm: *const Vm, pc: *const u32, base: *mut u64) -> Flow {
    #[cfg(tail_dispatch)]
    // SAFETY: verified code has an instruction at pc, and the table a handler for every byte.
    unsafe {
        let w = *pc;
        let h = *super::table::TABLE.get_unchecked((w >> 8 & 0xff) as usize);
        h(vm, pc.add(1), base, w as u64)
    }
    #[cfg(not(tail_dispatch))]
    {
        let _ = vm;
        Flow { pc, base }
    }
}

/// Runs a slow op, then goes on.
#[inline(always)]
pub unsafe fn via(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64, f: SlowOp) -> Flow {
    // SAFETY: the handler's own contract.
    unsafe {
        (*vm).exec.base.set(base);
        (*vm).exec.pc.set(pc.sub(1));
        let mut flow = f(&*vm, pc, base, w as u32);
        if (*vm).heap.attention.load(Relaxed) {
            flow = attend(&*vm, flow);
        }
        if flow.pc.is_null() {
            return flow;
        }
        next(vm, flow.pc, flow.base)
    }
}

/// Does what waits for a safe point: finalizers, a collection, signals.
#[cold]
#[inline(never)]
pub unsafe fn attend(vm: &Vm, flow: Flow) -> Flow {
    if flow.pc.is_null() {
        // The run ends here; whoever goes on attends.
        return flow;
    }
    vm.exec.base.set(flow.base);
    vm.exec.pc.set(flow.pc);
    match vm.safe_point() {
        Ok(()) => flow,
        // SAFETY: the flow is a live frame and one of its instructions.
        Err(Raised(e)) => unsafe { vm.unwind(flow.pc, flow.base, e) },
    }
}

/// Frees the dead object at `word`, then goes on at `pc`.
#[cold]
#[inline(never)]
pub unsafe fn free_next(vm: *const Vm, pc: *const u32, base: *mut u64, word: u64) -> Flow {
    // SAFETY: the caller saw the count reach 0.
    unsafe {
        heap::release(word as *mut Header);
        if (*vm).heap.attention.load(Relaxed) {
            let flow = attend(&*vm, Flow { pc, base });
            if flow.pc.is_null() {
                return flow;
            }
            return next(vm, flow.pc, flow.base);
        }
        next(vm, pc, base)
    }
}

/// Counts one reference to a word that may be a heap object.
#[inline(always)]
pub unsafe fn incref(word: u64) {
    if word & 7 == 0 {
        // SAFETY: a word with tag 000 is the address of a live object.
        unsafe {
            let h = word as *const Header;
            (*h).count.set((*h).count.get().wrapping_add(1));
        }
    }
}

/// Writes an owned word to register `a`, releases the old value, goes on.
#[inline(always)]
pub unsafe fn put_next(vm: *const Vm, pc: *const u32, base: *mut u64, a: usize, word: u64) -> Flow {
    // SAFETY: verified register; registers hold Values always.
    unsafe {
        let p = base.add(a);
        let old = *p;
        *p = word;
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

impl Vm {
    /// Raises at the instruction whose first word is before `pc`.
    ///
    /// # Safety
    /// As a slow op: `pc` and `base` are the current instruction and frame.
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn fail(&self, pc: *const u32, base: *mut u64, e: Raised) -> Flow {
        // SAFETY: the caller's duty.
        unsafe { self.unwind(pc.sub(1), base, e.0) }
    }

    /// Runs from `pc` in the frame `base` until the frame's entry is left.
    ///
    /// # Safety
    /// The frame must be of kind ENTRY, or a generator chain resumed as such.
    pub(super) unsafe fn run(&self, pc: *const u32, base: *mut u64) -> Exit {
        let (outer_base, outer_pc) = (self.exec.base.get(), self.exec.pc.get());
        // SAFETY: verified code; the caller's duty.
        unsafe {
            let mut flow = Flow { pc, base };
            while !flow.pc.is_null() {
                let w = *flow.pc;
                let h = super::table::TABLE[(w >> 8 & 0xff) as usize];
                flow = h(self, flow.pc.add(1), flow.base, w as u64);
            }
        }
        self.exec.base.set(outer_base);
        self.exec.pc.set(outer_pc);
        self.exec.take_exit()
    }
}

/// The handler of bytes that are no opcode: `verify` keeps them out of code.
pub unsafe fn bad_op(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    unsafe fn slow(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
        let name = Op::from_u8((w >> 8) as u8).map_or("?", |o| o.info().name);
        // SAFETY: a slow op.
        unsafe {
            vm.fail(
                pc,
                base,
                vm.error(
                    super::raise::Exc::SystemError,
                    format!("unknown opcode {name}"),
                ),
            )
        }
    }
    // SAFETY: a handler's contract.
    unsafe { via(vm, pc, base, w, slow) }
}

/// Operand A of an instruction word.
#[inline(always)]
pub fn a(w: u64) -> usize {
    w as u8 as usize
}
#[inline(always)]
pub fn b(w: u64) -> usize {
    (w >> 16) as u8 as usize
}
#[inline(always)]
pub fn c(w: u64) -> usize {
    (w >> 24) as u8 as usize
}
#[inline(always)]
pub fn bc(w: u64) -> usize {
    (w >> 16) as u16 as usize
}
#[inline(always)]
pub fn sbc(w: u64) -> isize {
    (w >> 16) as u16 as i16 as isize
}
#[inline(always)]
pub fn sb(w: u64) -> i64 {
    (w >> 16) as u8 as i8 as i64
}
#[inline(always)]
pub fn sc(w: u64) -> i64 {
    (w >> 24) as u8 as i8 as i64
}

/// True if a small-int tag is on both words.
#[inline(always)]
pub fn both_small(x: u64, y: u64) -> bool {
    x & y & 1 == 1
}
/// True if both words are inline floats.
#[inline(always)]
pub fn both_floats(x: u64, y: u64) -> bool {
    x & 3 == 2 && y & 3 == 2
}
/// The word of a bool.
#[inline(always)]
pub fn bool_word(t: bool) -> u64 {
    if t {
        Value::TRUE_BITS
    } else {
        Value::FALSE_BITS
    }
}
