//! Frames: one contiguous stack in a fixed address reservation, and the words below each frame's base.
//!
//! ```text
//!   base[-5] code      *const CodeObj (kept alive by func)
//!   base[-4] func      the running function, owned
//!   base[-3] ret pc    where the caller goes on
//!   base[-2] ret base  the caller's frame
//!   base[-1] flags     bits 0..32 depth, 32..40 destination register, 40..48 kind (what to do with the result), 48..56 second register
//!   base[0..nregs]     registers
//! ```
//! Frames of generators have the same layout inside their object (`object::generator`).
//!
//! Rules:
//! 1. Words above `top` are garbage: whoever makes a frame sets all of its registers, unbound where there is no argument.
//! 2. The stack never moves.

#![allow(unsafe_code)]

use super::Vm;
use crate::object::func::CodeObj;
use crate::object::generator::{FRAME_WORDS, Gen};
use crate::object::value::Value;
use std::cell::{Cell, UnsafeCell};

/// What becomes of a frame's result; bits 40..48 of the flags word.
pub mod kind {
    /// Into the destination register of the caller.
    pub const CALL: u8 = 0;
    /// To the native that started the frame.
    pub const ENTRY: u8 = 1;
    /// `__init__`: the result must be None; the instance waits in the caller's second register and goes to the destination.
    pub const INIT: u8 = 2;
    /// A generator resumed by FORITER: a yielded value goes to the destination, the end jumps.
    pub const FORITER: u8 = 3;
    /// A generator that another frame delegates to; the second register holds it.
    pub const SEND: u8 = 4;
    /// A generator resumed by a call of its `send` or `__next__`, or by `next()`: the end raises StopIteration.
    pub const GENCALL: u8 = 5;
    /// The result is dropped (setters).
    pub const DISCARD: u8 = 6;
    /// An async generator that `async for` advances: a yielded value goes to the destination, the end jumps.
    pub const ANEXT: u8 = 7;
}

/// Where the machine goes next: an instruction and a frame, or a null pc to leave the dispatch loop.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Flow {
    pub pc: *const u32,
    pub base: *mut u64,
}

impl Flow {
    /// Leave the loop; `Exec::exit` says why.
    pub const EXIT: Flow = Flow {
        pc: std::ptr::null(),
        base: std::ptr::null_mut(),
    };
}

/// Why a run ended.
pub enum Exit {
    None,
    Returned(Value),
    Raised(Value),
    Yielded(Value),
}

/// The moving parts of the machine.
pub struct Exec {
    /// First free word of the stack.
    pub top: Cell<*mut u64>,
    stack: *mut u64,
    end: *mut u64,
    /// The frame and instruction of the op under way, for natives that ask (tracebacks, `locals()`); valid during slow ops.
    pub base: Cell<*mut u64>,
    pub pc: Cell<*const u32>,
    /// The generator whose chain is running, if any.
    pub root: Cell<*const Gen>,
    pub exit: UnsafeCell<Exit>,
    /// What a native iterator returned at its end (`Ok(None)` from its `next` slot), for `yield from` and `await`.
    pub iter_result: UnsafeCell<Value>,
}

/// Reserved address space: 16 million words, so that deep recursion ends by `sys.setrecursionlimit`, not here.
const STACK_BYTES: usize = 1 << 30;

impl Exec {
    pub fn new() -> Exec {
        // SAFETY: an anonymous reservation; failure is checked.
        let p = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                STACK_BYTES,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        assert!(
            p != libc::MAP_FAILED,
            "no address space for the frame stack"
        );
        let stack = p as *mut u64;
        Exec {
            top: Cell::new(stack),
            stack,
            end: stack.wrapping_add(STACK_BYTES / 8),
            base: Cell::new(std::ptr::null_mut()),
            pc: Cell::new(std::ptr::null()),
            root: Cell::new(std::ptr::null()),
            exit: UnsafeCell::new(Exit::None),
            iter_result: UnsafeCell::new(Value::NONE),
        }
    }

    /// True if a frame may reach up to `top`.
    #[inline(always)]
    pub fn has_room(&self, top: *mut u64) -> bool {
        top < self.end
    }

    /// True if this base is a frame on the stack (else it is a generator's).
    #[inline(always)]
    pub fn on_stack(&self, base: *mut u64) -> bool {
        base >= self.stack && base < self.end
    }

    /// Takes what the last run left.
    pub fn take_exit(&self) -> Exit {
        // SAFETY: one thread; no reference is held.
        unsafe { std::mem::replace(&mut *self.exit.get(), Exit::None) }
    }
    pub fn set_exit(&self, e: Exit) {
        // SAFETY: as above.
        unsafe { *self.exit.get() = e }
    }
}

impl Default for Exec {
    fn default() -> Exec {
        Exec::new()
    }
}

impl Drop for Exec {
    fn drop(&mut self) {
        // SAFETY: the reservation made in `new`.
        unsafe {
            libc::munmap(self.stack as *mut libc::c_void, STACK_BYTES);
        }
    }
}

/// Reads and writes of one frame. All are unsafe in spirit: `base` must be a live frame; the VM's own code is the only caller.
pub mod word {
    use super::*;

    #[inline(always)]
    pub unsafe fn code<'a>(base: *mut u64) -> &'a CodeObj {
        unsafe { &*(*base.sub(5) as *const CodeObj) }
    }
    #[inline(always)]
    pub unsafe fn func<'a>(base: *mut u64) -> &'a Value {
        unsafe { &*(base.sub(4) as *const Value) }
    }
    #[inline(always)]
    pub unsafe fn ret_pc(base: *mut u64) -> *const u32 {
        unsafe { *base.sub(3) as *const u32 }
    }
    #[inline(always)]
    pub unsafe fn ret_base(base: *mut u64) -> *mut u64 {
        unsafe { *base.sub(2) as *mut u64 }
    }
    #[inline(always)]
    pub unsafe fn flags(base: *mut u64) -> u64 {
        unsafe { *base.sub(1) }
    }
    #[inline(always)]
    pub unsafe fn depth(base: *mut u64) -> u32 {
        if base.is_null() {
            0
        } else {
            unsafe { *base.sub(1) as u32 }
        }
    }
    #[inline(always)]
    pub fn kind_of(flags: u64) -> u8 {
        (flags >> 40) as u8
    }
    #[inline(always)]
    pub fn dest_of(flags: u64) -> usize {
        (flags >> 32) as u8 as usize
    }
    #[inline(always)]
    pub fn reg2_of(flags: u64) -> usize {
        (flags >> 48) as u8 as usize
    }
    #[inline(always)]
    pub fn pack(depth: u32, dest: u8, kind: u8, reg2: u8) -> u64 {
        depth as u64 | (dest as u64) << 32 | (kind as u64) << 40 | (reg2 as u64) << 48
    }
    /// Register `i` as a place of a Value.
    #[inline(always)]
    pub unsafe fn reg<'a>(base: *mut u64, i: usize) -> &'a Value {
        unsafe { &*(base.add(i) as *const Value) }
    }
    /// Writes a register and drops its old value (which never runs script code).
    #[inline(always)]
    pub unsafe fn set(base: *mut u64, i: usize, v: Value) {
        unsafe {
            let old = std::ptr::replace(base.add(i) as *mut Value, v);
            drop(old);
        }
    }
    /// Moves a register's value out.
    #[inline(always)]
    pub unsafe fn take(base: *mut u64, i: usize) -> Value {
        unsafe { std::ptr::replace(base.add(i) as *mut Value, Value::UNBOUND) }
    }
    /// The values of registers i .. i+n.
    #[inline(always)]
    pub unsafe fn window<'a>(base: *mut u64, i: usize, n: usize) -> &'a [Value] {
        unsafe { std::slice::from_raw_parts(base.add(i) as *const Value, n) }
    }
    /// Releases registers i .. i+n.
    #[inline(always)]
    pub unsafe fn clear(base: *mut u64, i: usize, n: usize) {
        for k in i..i + n {
            unsafe { drop(take(base, k)) }
        }
    }
}

impl Vm {
    /// Releases a stack frame's registers and function, and pops it. Gives the caller's pc and base, and the flags.
    ///
    /// # Safety
    /// `base` must be the topmost stack frame.
    pub(super) unsafe fn pop_frame(&self, base: *mut u64) -> (*const u32, *mut u64, u64) {
        // SAFETY: the caller's duty; registers hold Values always.
        unsafe {
            let n = word::code(base).nregs as usize;
            word::clear(base, 0, n);
            let out = (word::ret_pc(base), word::ret_base(base), word::flags(base));
            let func = std::ptr::read(base.sub(4) as *const Value);
            self.exec.top.set(base.sub(FRAME_WORDS));
            drop(func);
            out
        }
    }

    /// Makes a stack frame for `func` (owned) with unbound registers. Raises RecursionError beyond the limit.
    ///
    /// # Safety
    /// `func` must be a script function; `ret_pc`/`ret_base` the place to go on (or the entry's own).
    pub(super) unsafe fn push_frame(
        &self,
        func: Value,
        ret_pc: *const u32,
        ret_base: *mut u64,
        dest: u8,
        kind: u8,
        reg2: u8,
    ) -> super::Res<*mut u64> {
        // SAFETY: the caller says it is a function; the stack has room after `grow`.
        unsafe {
            let code: *const CodeObj = func
                .get_unchecked::<crate::object::func::Function>()
                .code_obj();
            let depth = word::depth(ret_base) + 1;
            let base = self.exec.top.get().add(FRAME_WORDS);
            let top = base.add((*code).nregs as usize);
            if depth > self.recursion_limit.get() || !self.exec.has_room(top) {
                return Err(self.recursion_error());
            }
            for i in 0..(*code).nregs as usize {
                *base.add(i) = Value::UNBOUND_BITS;
            }
            *base.sub(5) = code as u64;
            *base.sub(4) = func.into_bits();
            *base.sub(3) = ret_pc as u64;
            *base.sub(2) = ret_base as u64;
            *base.sub(1) = word::pack(depth, dest, kind, reg2);
            self.exec.top.set(top);
            Ok(base)
        }
    }
}
