//! Handlers of arithmetic, comparison and conditional jumps: ints and floats here, the rest through `protocol`.

#![allow(unsafe_code)]

use super::Vm;
use super::dispatch::*;
use super::frame::{Flow, word};
use crate::bytecode::ops::Op;
use crate::object::types::{BinOp, CmpOp};
use crate::object::value::{SMALL_MAX, SMALL_MIN, Value, float_from_bits, inline_float_bits};

/// A small int's word, if it fits.
#[inline(always)]
fn int_word(i: i64) -> Option<u64> {
    if (SMALL_MIN..=SMALL_MAX).contains(&i) {
        Some((i as u64) << 1 | 1)
    } else {
        None
    }
}

#[inline(always)]
fn as_f64(w: u64) -> Option<f64> {
    if w & 3 == 2 {
        Some(float_from_bits(w))
    } else if w & 1 == 1 {
        Some((w as i64 >> 1) as f64)
    } else {
        None
    }
}

/// Ints of one word each: the operation on tagged words, None if it overflows or is not defined.
type IntOp = fn(u64, u64) -> Option<u64>;
type FloatOp = fn(f64, f64) -> Option<f64>;

#[inline(always)]
fn add_int(x: u64, y: u64) -> Option<u64> {
    // (2x+1) + (2y+1) - 1
    (x as i64).checked_add(y as i64 - 1).map(|r| r as u64)
}
#[inline(always)]
fn sub_int(x: u64, y: u64) -> Option<u64> {
    (x as i64).checked_sub(y as i64 - 1).map(|r| r as u64)
}
#[inline(always)]
fn mul_int(x: u64, y: u64) -> Option<u64> {
    (x as i64 >> 1)
        .checked_mul(y as i64 - 1)
        .and_then(|r| r.checked_add(1))
        .map(|r| r as u64)
}
#[inline(always)]
fn mod_int(x: u64, y: u64) -> Option<u64> {
    let (x, y) = (x as i64 >> 1, y as i64 >> 1);
    if y == 0 {
        return None;
    }
    let r = if (x | y) >= 0 && (x | y) <= u32::MAX as i64 {
        (x as u32 % y as u32) as i64
    } else {
        x.wrapping_rem(y)
    };
    let r = if r != 0 && (r ^ y) < 0 { r + y } else { r };
    Some((r as u64) << 1 | 1)
}
#[inline(always)]
fn floordiv_int(x: u64, y: u64) -> Option<u64> {
    let (x, y) = (x as i64 >> 1, y as i64 >> 1);
    if y == 0 {
        return None;
    }
    if (x | y) >= 0 && (x | y) <= u32::MAX as i64 {
        return Some(((x as u32 / y as u32) as u64) << 1 | 1);
    }
    let q = x.wrapping_div(y);
    int_word(if x % y != 0 && (x ^ y) < 0 { q - 1 } else { q })
}
#[inline(always)]
fn and_int(x: u64, y: u64) -> Option<u64> {
    Some(x & y)
}
#[inline(always)]
fn or_int(x: u64, y: u64) -> Option<u64> {
    Some(x | y)
}
#[inline(always)]
fn xor_int(x: u64, y: u64) -> Option<u64> {
    Some(x ^ y | 1)
}
#[inline(always)]
fn lshift_int(x: u64, y: u64) -> Option<u64> {
    let (x, y) = (x as i64 >> 1, y as i64 >> 1);
    if !(0..62).contains(&y) {
        return None;
    }
    let r = x << y;
    if r >> y == x { int_word(r) } else { None }
}
#[inline(always)]
fn rshift_int(x: u64, y: u64) -> Option<u64> {
    let (x, y) = (x as i64 >> 1, y as i64 >> 1);
    if y < 0 {
        return None;
    }
    Some(((x >> y.min(63)) as u64) << 1 | 1)
}
#[inline(always)]
fn no_int(_: u64, _: u64) -> Option<u64> {
    None
}
#[inline(always)]
fn div_int(x: u64, y: u64) -> Option<u64> {
    let (x, y) = (x as i64 >> 1, y as i64 >> 1);
    // Both exact as doubles: then the quotient is correctly rounded.
    const EXACT: i64 = 1 << 53;
    if y != 0 && x.abs() <= EXACT && y.abs() <= EXACT {
        inline_float_bits(x as f64 / y as f64)
    } else {
        None
    }
}
#[inline(always)]
fn add_float(x: f64, y: f64) -> Option<f64> {
    Some(x + y)
}
#[inline(always)]
fn sub_float(x: f64, y: f64) -> Option<f64> {
    Some(x - y)
}
#[inline(always)]
fn mul_float(x: f64, y: f64) -> Option<f64> {
    Some(x * y)
}
#[inline(always)]
fn div_float(x: f64, y: f64) -> Option<f64> {
    if y == 0.0 { None } else { Some(x / y) }
}
#[inline(always)]
fn no_float(_: f64, _: f64) -> Option<f64> {
    None
}

/// The common shape of a binary handler.
#[inline(always)]
unsafe fn binary(
    vm: *const Vm,
    pc: *const u32,
    base: *mut u64,
    w: u64,
    int: IntOp,
    float: FloatOp,
    slow: SlowOp,
) -> Flow {
    // SAFETY: verified registers.
    unsafe {
        let (x, y) = (*base.add(b(w)), *base.add(c(w)));
        if both_small(x, y) {
            if let Some(r) = int(x, y) {
                return put_next(vm, pc, base, a(w), r);
            }
        } else if both_floats(x, y) {
            if let Some(r) =
                float(float_from_bits(x), float_from_bits(y)).and_then(inline_float_bits)
            {
                return put_next(vm, pc, base, a(w), r);
            }
        } else if let (Some(p), Some(q)) = (as_f64(x), as_f64(y))
            && let Some(r) = float(p, q).and_then(inline_float_bits)
        {
            // One of each. (An int beyond 2**53 would round, as float(int) does.)
            return put_next(vm, pc, base, a(w), r);
        }
        via(vm, pc, base, w, slow)
    }
}

/// The immediate form: y is a small constant.
#[inline(always)]
unsafe fn immediate(
    vm: *const Vm,
    pc: *const u32,
    base: *mut u64,
    w: u64,
    int: IntOp,
    float: FloatOp,
    slow: SlowOp,
) -> Flow {
    // SAFETY: verified registers.
    unsafe {
        let x = *base.add(b(w));
        if x & 1 == 1 {
            if let Some(r) = int(x, (sc(w) as u64) << 1 | 1) {
                return put_next(vm, pc, base, a(w), r);
            }
        } else if x & 3 == 2
            && let Some(r) = float(float_from_bits(x), sc(w) as f64).and_then(inline_float_bits)
        {
            return put_next(vm, pc, base, a(w), r);
        }
        via(vm, pc, base, w, slow)
    }
}

/// Releases the operands that are temporaries and not the destination.
#[inline(always)]
pub(super) unsafe fn release_temps(base: *mut u64, dest: usize, regs: &[usize]) {
    // SAFETY: a live frame.
    unsafe {
        let nlocals = word::code(base).nlocals as usize;
        for &r in regs {
            if r >= nlocals && r != dest && *base.add(r) & 7 == 0 {
                word::clear(base, r, 1);
            }
        }
    }
}

/// A binary operation on anything.
unsafe fn slow_binary(vm: &Vm, pc: *const u32, base: *mut u64, w: u32, op: BinOp) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let w = w as u64;
        match vm.binary(op, word::reg(base, b(w)), word::reg(base, c(w))) {
            Ok(v) => {
                release_temps(base, a(w), &[b(w), c(w)]);
                word::set(base, a(w), v);
                Flow { pc, base }
            }
            Err(e) => vm.fail(pc, base, e),
        }
    }
}

unsafe fn slow_inplace(vm: &Vm, pc: *const u32, base: *mut u64, w: u32, op: BinOp) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let w = w as u64;
        if op == BinOp::Add && a(w) == b(w) && vm.append_str(base, a(w), c(w)) {
            release_temps(base, a(w), &[c(w)]);
            return Flow { pc, base };
        }
        match vm.inplace(op, word::reg(base, b(w)), word::reg(base, c(w))) {
            Ok(v) => {
                release_temps(base, a(w), &[b(w), c(w)]);
                word::set(base, a(w), v);
                Flow { pc, base }
            }
            Err(e) => vm.fail(pc, base, e),
        }
    }
}

unsafe fn slow_immediate(
    vm: &Vm,
    pc: *const u32,
    base: *mut u64,
    w: u32,
    op: BinOp,
    inplace: bool,
) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let w = w as u64;
        let y = Value::small_unchecked(sc(w));
        let x = word::reg(base, b(w));
        match if inplace {
            vm.inplace(op, x, &y)
        } else {
            vm.binary(op, x, &y)
        } {
            Ok(v) => {
                release_temps(base, a(w), &[b(w)]);
                word::set(base, a(w), v);
                Flow { pc, base }
            }
            Err(e) => vm.fail(pc, base, e),
        }
    }
}

impl Vm {
    /// `s += t` where the register is the only owner of s: appends in place, so that a loop of appends is linear. False if that cannot be.
    unsafe fn append_str(&self, base: *mut u64, dest: usize, more: usize) -> bool {
        use crate::object::header::{Kind, flag};
        use crate::object::str::{MAX_LEN, Str};
        // SAFETY: a slow op's frame.
        unsafe {
            let (s, t) = (word::reg(base, dest), word::reg(base, more));
            let (Some(hs), Some(x), Some(y)) = (s.header(), s.get::<Str>(), t.get::<Str>()) else {
                return false;
            };
            let plain = |v: &Value| {
                v.header()
                    .is_some_and(|h| h.kind == Kind::Str && h.flags.get() & flag::SLOTS == 0)
            };
            if !plain(s)
                || !plain(t)
                || hs.count.get() != 1
                || hs.flags.get() & (flag::INTERNED | flag::WEAK) != 0
            {
                return false;
            }
            if x.grow_in_place(y) {
                return true;
            }
            let total = x.as_str().len() + y.as_str().len();
            if !(64..=MAX_LEN / 2).contains(&total) {
                return false;
            }
            // A new cell with as much room again, so that the copying adds up to a constant per character.
            let grown = self.str_with(x.as_str(), x.char_len(), total);
            let done = grown.get::<Str>().is_some_and(|g| g.grow_in_place(y));
            if done {
                word::set(base, dest, grown);
            }
            done
        }
    }
}

macro_rules! binaries {
    ($($name:ident $iname:ident $int:ident $float:ident $op:ident;)*) => {$(
        pub unsafe fn $name(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
            unsafe fn slow(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
                unsafe { slow_binary(vm, pc, base, w, BinOp::$op) }
            }
            unsafe { binary(vm, pc, base, w, $int, $float, slow) }
        }
        pub unsafe fn $iname(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
            unsafe fn slow(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
                unsafe { slow_inplace(vm, pc, base, w, BinOp::$op) }
            }
            unsafe { binary(vm, pc, base, w, $int, $float, slow) }
        }
    )*};
}
binaries! {
    op_add op_iadd add_int add_float Add;
    op_sub op_isub sub_int sub_float Sub;
    op_mul op_imul mul_int mul_float Mul;
    op_matmul op_imatmul no_int no_float MatMul;
    op_div op_idiv div_int div_float Div;
    op_mod op_imod mod_int no_float Mod;
    op_pow op_ipow no_int no_float Pow;
    op_lshift op_ilshift lshift_int no_float LShift;
    op_rshift op_irshift rshift_int no_float RShift;
    op_bitor op_ibitor or_int no_float Or;
    op_bitxor op_ibitxor xor_int no_float Xor;
    op_bitand op_ibitand and_int no_float And;
    op_floordiv op_ifloordiv floordiv_int no_float FloorDiv;
}

macro_rules! immediates {
    ($($name:ident $int:ident $float:ident $op:ident $inplace:literal;)*) => {$(
        pub unsafe fn $name(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
            unsafe fn slow(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
                unsafe { slow_immediate(vm, pc, base, w, BinOp::$op, $inplace) }
            }
            unsafe { immediate(vm, pc, base, w, $int, $float, slow) }
        }
    )*};
}
immediates! {
    op_addi add_int add_float Add false;
    op_subi sub_int sub_float Sub false;
    op_iaddi add_int add_float Add true;
    op_isubi sub_int sub_float Sub true;
    op_muli mul_int mul_float Mul false;
    op_modi mod_int no_float Mod false;
    op_floordivi floordiv_int no_float FloorDiv false;
    op_bitandi and_int no_float And false;
}

// ---- unary

unsafe fn slow_unary(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let op = (w >> 8) as u8;
        let w = w as u64;
        let x = word::reg(base, b(w));
        let r = if op == Op::NEG as u8 {
            vm.neg(x)
        } else if op == Op::POS as u8 {
            vm.pos(x)
        } else if op == Op::INVERT as u8 {
            vm.invert(x)
        } else {
            vm.truth(x).map(|t| Value::bool(!t))
        };
        match r {
            Ok(v) => {
                release_temps(base, a(w), &[b(w)]);
                word::set(base, a(w), v);
                Flow { pc, base }
            }
            Err(e) => vm.fail(pc, base, e),
        }
    }
}

pub unsafe fn op_neg(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified registers.
    unsafe {
        let x = *base.add(b(w));
        if x & 1 == 1
            && let Some(r) = int_word(-(x as i64 >> 1))
        {
            return put_next(vm, pc, base, a(w), r);
        }
        if x & 3 == 2
            && let Some(r) = inline_float_bits(-float_from_bits(x))
        {
            return put_next(vm, pc, base, a(w), r);
        }
        via(vm, pc, base, w, slow_unary)
    }
}
pub unsafe fn op_unary(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: a handler's contract.
    unsafe { via(vm, pc, base, w, slow_unary) }
}
pub unsafe fn op_not(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified registers.
    unsafe {
        let x = *base.add(b(w));
        match quick_truth(x) {
            Some(t) => put_next(vm, pc, base, a(w), bool_word(!t)),
            None => via(vm, pc, base, w, slow_unary),
        }
    }
}

/// The truth of an immediate; None for heap objects.
#[inline(always)]
fn quick_truth(x: u64) -> Option<bool> {
    if x == Value::TRUE_BITS {
        Some(true)
    } else if x == Value::FALSE_BITS || x == Value::NONE_BITS {
        Some(false)
    } else if x & 1 == 1 {
        Some(x != 1)
    } else if x & 3 == 2 {
        Some(float_from_bits(x) != 0.0)
    } else {
        None
    }
}

// ---- comparison

/// Compares two immediates; None if that is not settled by the words.
#[inline(always)]
fn quick_compare(op: CmpOp, x: u64, y: u64) -> Option<bool> {
    if both_small(x, y) {
        let (x, y) = (x as i64, y as i64);
        return Some(match op {
            CmpOp::Lt => x < y,
            CmpOp::Le => x <= y,
            CmpOp::Eq => x == y,
            CmpOp::Ne => x != y,
            CmpOp::Gt => x > y,
            CmpOp::Ge => x >= y,
        });
    }
    if both_floats(x, y) {
        let (x, y) = (float_from_bits(x), float_from_bits(y));
        return Some(match op {
            CmpOp::Lt => x < y,
            CmpOp::Le => x <= y,
            CmpOp::Eq => x == y,
            CmpOp::Ne => x != y,
            CmpOp::Gt => x > y,
            CmpOp::Ge => x >= y,
        });
    }
    None
}

fn cmp_of(op: u8) -> CmpOp {
    const FIRST: [(Op, CmpOp); 6] = [
        (Op::LT, CmpOp::Lt),
        (Op::LE, CmpOp::Le),
        (Op::EQ, CmpOp::Eq),
        (Op::NE, CmpOp::Ne),
        (Op::GT, CmpOp::Gt),
        (Op::GE, CmpOp::Ge),
    ];
    let i = if op >= Op::JLTI as u8 && op <= Op::JGEI as u8 {
        op - Op::JLTI as u8
    } else if op >= Op::JLT as u8 && op <= Op::JGE as u8 {
        op - Op::JLT as u8
    } else {
        op.wrapping_sub(Op::LT as u8)
    };
    FIRST[i as usize % 6].1
}

unsafe fn slow_compare(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let op = cmp_of((w >> 8) as u8);
        let w = w as u64;
        match vm.compare(op, word::reg(base, b(w)), word::reg(base, c(w))) {
            Ok(v) => {
                release_temps(base, a(w), &[b(w), c(w)]);
                word::set(base, a(w), v);
                Flow { pc, base }
            }
            Err(e) => vm.fail(pc, base, e),
        }
    }
}

/// The fused form: registers A and B (or immediate sB), sense C, jump X.
unsafe fn slow_jump_compare(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let opcode = (w >> 8) as u8;
        let op = cmp_of(opcode);
        let imm = opcode >= Op::JLTI as u8 && opcode <= Op::JGEI as u8;
        let w = w as u64;
        let y_imm = Value::small_unchecked(sb(w));
        let x = word::reg(base, a(w));
        let y = if imm { &y_imm } else { word::reg(base, b(w)) };
        match vm.compare_truth(op, x, y) {
            Ok(t) => {
                if imm {
                    release_temps(base, usize::MAX, &[a(w)]);
                } else {
                    release_temps(base, usize::MAX, &[a(w), b(w)]);
                }
                let off = if t == (c(w) != 0) {
                    *pc as i32 as isize
                } else {
                    0
                };
                Flow {
                    pc: pc.add(1).offset(off),
                    base,
                }
            }
            Err(e) => vm.fail(pc, base, e),
        }
    }
}

macro_rules! compares {
    ($($name:ident $jname:ident $iname:ident $op:ident;)*) => {$(
        pub unsafe fn $name(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
            unsafe {
                match quick_compare(CmpOp::$op, *base.add(b(w)), *base.add(c(w))) {
                    Some(t) => put_next(vm, pc, base, a(w), bool_word(t)),
                    None => via(vm, pc, base, w, slow_compare),
                }
            }
        }
        pub unsafe fn $jname(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
            unsafe {
                match quick_compare(CmpOp::$op, *base.add(a(w)), *base.add(b(w))) {
                    Some(t) => {
                        let off = if t == (c(w) != 0) { *pc as i32 as isize } else { 0 };
                        next(vm, pc.add(1).offset(off), base)
                    }
                    None => via(vm, pc, base, w, slow_jump_compare),
                }
            }
        }
        pub unsafe fn $iname(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
            unsafe {
                match quick_compare(CmpOp::$op, *base.add(a(w)), (sb(w) as u64) << 1 | 1) {
                    Some(t) => {
                        let off = if t == (c(w) != 0) { *pc as i32 as isize } else { 0 };
                        next(vm, pc.add(1).offset(off), base)
                    }
                    None => via(vm, pc, base, w, slow_jump_compare),
                }
            }
        }
    )*};
}
compares! {
    op_lt op_jlt op_jlti Lt;
    op_le op_jle op_jlei Le;
    op_eq op_jeq op_jeqi Eq;
    op_ne op_jne op_jnei Ne;
    op_gt op_jgt op_jgti Gt;
    op_ge op_jge op_jgei Ge;
}

pub unsafe fn op_is(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    unsafe fn slow(_: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
        // SAFETY: a slow op.
        unsafe {
            let want = (w >> 8) as u8 == Op::IS as u8;
            let w = w as u64;
            let t = word::reg(base, b(w)).is(word::reg(base, c(w))) == want;
            release_temps(base, a(w), &[b(w), c(w)]);
            word::set(base, a(w), Value::bool(t));
            Flow { pc, base }
        }
    }
    // SAFETY: a handler's contract.
    unsafe { via(vm, pc, base, w, slow) }
}

pub unsafe fn op_jis(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    unsafe fn slow(_: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
        // SAFETY: a slow op.
        unsafe {
            let w = w as u64;
            let t = word::reg(base, a(w)).is(word::reg(base, b(w)));
            release_temps(base, usize::MAX, &[a(w), b(w)]);
            let off = if t == (c(w) != 0) {
                *pc as i32 as isize
            } else {
                0
            };
            Flow {
                pc: pc.add(1).offset(off),
                base,
            }
        }
    }
    // SAFETY: a handler's contract.
    unsafe { via(vm, pc, base, w, slow) }
}

pub unsafe fn op_in(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    unsafe fn slow(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
        // SAFETY: a slow op.
        unsafe {
            let want = (w >> 8) as u8 == Op::IN as u8;
            let w = w as u64;
            match vm.contains(word::reg(base, c(w)), word::reg(base, b(w))) {
                Ok(t) => {
                    release_temps(base, a(w), &[b(w), c(w)]);
                    word::set(base, a(w), Value::bool(t == want));
                    Flow { pc, base }
                }
                Err(e) => vm.fail(pc, base, e),
            }
        }
    }
    // SAFETY: a handler's contract.
    unsafe { via(vm, pc, base, w, slow) }
}

pub unsafe fn op_jin(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    unsafe fn slow(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
        // SAFETY: a slow op.
        unsafe {
            let w = w as u64;
            match vm.contains(word::reg(base, b(w)), word::reg(base, a(w))) {
                Ok(t) => {
                    release_temps(base, usize::MAX, &[a(w), b(w)]);
                    let off = if t == (c(w) != 0) {
                        *pc as i32 as isize
                    } else {
                        0
                    };
                    Flow {
                        pc: pc.add(1).offset(off),
                        base,
                    }
                }
                Err(e) => vm.fail(pc, base, e),
            }
        }
    }
    // SAFETY: a handler's contract.
    unsafe { via(vm, pc, base, w, slow) }
}

// ---- jumps

pub unsafe fn op_jmp(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified target.
    unsafe { next(vm, pc.offset(sbc(w)), base) }
}
pub unsafe fn op_jmpx(vm: *const Vm, pc: *const u32, base: *mut u64, _: u64) -> Flow {
    // SAFETY: verified target.
    unsafe { next(vm, pc.add(1).offset(*pc as i32 as isize), base) }
}

/// The safe point of backward jumps.
#[cold]
#[inline(never)]
unsafe fn loop_attend(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    unsafe fn slow(_: &Vm, pc: *const u32, base: *mut u64, _: u32) -> Flow {
        Flow { pc, base }
    }
    // SAFETY: `pc` is the target; `via` attends after the (empty) op.
    unsafe { via(vm, pc, base, w, slow) }
}
pub unsafe fn op_loop(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified target.
    unsafe {
        let to = pc.offset(sbc(w));
        if (*vm)
            .heap
            .attention
            .load(std::sync::atomic::Ordering::Relaxed)
        {
            return loop_attend(vm, to, base, w);
        }
        next(vm, to, base)
    }
}
pub unsafe fn op_loopx(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified target.
    unsafe {
        let to = pc.add(1).offset(*pc as i32 as isize);
        if (*vm)
            .heap
            .attention
            .load(std::sync::atomic::Ordering::Relaxed)
        {
            return loop_attend(vm, to, base, w);
        }
        next(vm, to, base)
    }
}

unsafe fn slow_jump_truth(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let want = (w >> 8) as u8 == Op::JT as u8;
        let w = w as u64;
        match vm.truth(word::reg(base, a(w))) {
            Ok(t) => {
                release_temps(base, usize::MAX, &[a(w)]);
                Flow {
                    pc: pc.offset(if t == want { sbc(w) } else { 0 }),
                    base,
                }
            }
            Err(e) => vm.fail(pc, base, e),
        }
    }
}
pub unsafe fn op_jt(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified registers and target.
    unsafe {
        match quick_truth(*base.add(a(w))) {
            Some(t) => next(vm, pc.offset(if t { sbc(w) } else { 0 }), base),
            None => via(vm, pc, base, w, slow_jump_truth),
        }
    }
}
pub unsafe fn op_jf(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified registers and target.
    unsafe {
        match quick_truth(*base.add(a(w))) {
            Some(t) => next(vm, pc.offset(if t { 0 } else { sbc(w) }), base),
            None => via(vm, pc, base, w, slow_jump_truth),
        }
    }
}

unsafe fn slow_jump_keep(vm: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op.
    unsafe {
        let want = (w >> 8) as u8 == Op::JTK as u8;
        let w = w as u64;
        match vm.truth(word::reg(base, a(w))) {
            Ok(t) if t == want => Flow {
                pc: pc.offset(sbc(w)),
                base,
            },
            Ok(_) => {
                release_temps(base, usize::MAX, &[a(w)]);
                Flow { pc, base }
            }
            Err(e) => vm.fail(pc, base, e),
        }
    }
}
pub unsafe fn op_jtk(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified registers and target.
    unsafe {
        match quick_truth(*base.add(a(w))) {
            Some(t) => next(vm, pc.offset(if t { sbc(w) } else { 0 }), base),
            None => via(vm, pc, base, w, slow_jump_keep),
        }
    }
}
pub unsafe fn op_jfk(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified registers and target.
    unsafe {
        match quick_truth(*base.add(a(w))) {
            Some(t) => next(vm, pc.offset(if t { 0 } else { sbc(w) }), base),
            None => via(vm, pc, base, w, slow_jump_keep),
        }
    }
}

unsafe fn slow_jump_none(_: &Vm, pc: *const u32, base: *mut u64, w: u32) -> Flow {
    // SAFETY: a slow op. Reached for heap objects only, which are not None.
    unsafe {
        let jump = (w >> 8) as u8 == Op::JNOTNONE as u8;
        let w = w as u64;
        release_temps(base, usize::MAX, &[a(w)]);
        Flow {
            pc: pc.offset(if jump { sbc(w) } else { 0 }),
            base,
        }
    }
}
pub unsafe fn op_jnone(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified registers and target.
    unsafe {
        let x = *base.add(a(w));
        if x & 7 == 0 && a(w) >= word::code(base).nlocals as usize {
            return via(vm, pc, base, w, slow_jump_none);
        }
        next(
            vm,
            pc.offset(if x == Value::NONE_BITS { sbc(w) } else { 0 }),
            base,
        )
    }
}
pub unsafe fn op_jnotnone(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
    // SAFETY: verified registers and target.
    unsafe {
        let x = *base.add(a(w));
        if x & 7 == 0 && a(w) >= word::code(base).nlocals as usize {
            return via(vm, pc, base, w, slow_jump_none);
        }
        next(
            vm,
            pc.offset(if x == Value::NONE_BITS { 0 } else { sbc(w) }),
            base,
        )
    }
}
