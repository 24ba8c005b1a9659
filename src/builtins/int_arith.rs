//! Arithmetic of ints: inline small ints first, num-bigint behind them.
//!
//! Rule: results that no machine could hold are refused before they are begun: a MemoryError must not take minutes.

use crate::builtins::num::IntRef;
use crate::builtins::support::memory_error;
use crate::object::types::CmpOp;
use crate::object::value::Value;
use crate::text::numconv::{true_div_big, true_div_i64};
use crate::vm::{Res, Vm};
use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{One, Signed};
use std::cmp::Ordering;

/// Bits of the longest int that is computed at all: 1 GiB.
const MAX_BITS: u64 = 1 << 33;

macro_rules! operands {
    ($a:expr, $b:expr) => {
        match (IntRef::of($a), IntRef::of($b)) {
            (Some(x), Some(y)) => (x, y),
            _ => return Ok(Value::NOT_IMPLEMENTED),
        }
    };
}

pub fn add(vm: &Vm, a: &Value, b: &Value) -> Res {
    Ok(match operands!(a, b) {
        (IntRef::Small(x), IntRef::Small(y)) => vm.int_i128(x as i128 + y as i128),
        (IntRef::Big(x), IntRef::Small(y)) | (IntRef::Small(y), IntRef::Big(x)) => vm.big(x + y),
        (IntRef::Big(x), IntRef::Big(y)) => vm.big(x + y),
    })
}

pub fn sub(vm: &Vm, a: &Value, b: &Value) -> Res {
    Ok(match operands!(a, b) {
        (IntRef::Small(x), IntRef::Small(y)) => vm.int_i128(x as i128 - y as i128),
        (IntRef::Big(x), IntRef::Small(y)) => vm.big(x - y),
        (IntRef::Small(x), IntRef::Big(y)) => vm.big(x - y),
        (IntRef::Big(x), IntRef::Big(y)) => vm.big(x - y),
    })
}

pub fn mul(vm: &Vm, a: &Value, b: &Value) -> Res {
    Ok(match operands!(a, b) {
        (IntRef::Small(x), IntRef::Small(y)) => vm.int_i128(x as i128 * y as i128),
        (IntRef::Big(x), IntRef::Small(y)) | (IntRef::Small(y), IntRef::Big(x)) => vm.big(x * y),
        (IntRef::Big(x), IntRef::Big(y)) => {
            if x.bits() + y.bits() > MAX_BITS {
                return Err(memory_error(vm));
            }
            vm.big(x * y)
        }
    })
}

/// Quotient towards minus infinity and the remainder with the divisor's sign. The divisor is not 0.
fn div_mod(x: IntRef, y: IntRef) -> (BigInt, BigInt) {
    x.to_big().div_mod_floor(&y.to_big())
}

fn div_mod_small(x: i64, y: i64) -> (i128, i64) {
    let (x, y) = (x as i128, y as i128);
    let (q, r) = (x / y, x % y);
    if r != 0 && (r < 0) != (y < 0) {
        (q - 1, (r + y) as i64)
    } else {
        (q, r as i64)
    }
}

#[cold]
pub fn by_zero(vm: &Vm) -> Res {
    Err(vm.zero_division("division by zero"))
}

pub fn floordiv(vm: &Vm, a: &Value, b: &Value) -> Res {
    match operands!(a, b) {
        (_, y) if y.is_zero() => by_zero(vm),
        (IntRef::Small(x), IntRef::Small(y)) => Ok(vm.int_i128(div_mod_small(x, y).0)),
        (x, y) => Ok(vm.big(div_mod(x, y).0)),
    }
}

pub fn rem(vm: &Vm, a: &Value, b: &Value) -> Res {
    match operands!(a, b) {
        (_, y) if y.is_zero() => by_zero(vm),
        (IntRef::Small(x), IntRef::Small(y)) => Ok(vm.int(div_mod_small(x, y).1)),
        (x, y) => Ok(vm.big(div_mod(x, y).1)),
    }
}

pub fn divmod(vm: &Vm, a: &Value, b: &Value) -> Res {
    match operands!(a, b) {
        (_, y) if y.is_zero() => by_zero(vm),
        (IntRef::Small(x), IntRef::Small(y)) => {
            let (q, r) = div_mod_small(x, y);
            Ok(vm.pair(vm.int_i128(q), vm.int(r)))
        }
        (x, y) => {
            let (q, r) = div_mod(x, y);
            Ok(vm.pair(vm.big(q), vm.big(r)))
        }
    }
}

pub fn truediv(vm: &Vm, a: &Value, b: &Value) -> Res {
    let r = match operands!(a, b) {
        (IntRef::Small(x), IntRef::Small(y)) => true_div_i64(x, y),
        (x, y) => true_div_big(&x.to_big(), &y.to_big()),
    };
    r.map(|f| vm.float(f)).map_err(|e| vm.text_error(e))
}

pub fn pow(vm: &Vm, a: &Value, b: &Value) -> Res {
    let (x, y) = operands!(a, b);
    if y.is_negative() {
        if x.is_zero() {
            return Err(vm.zero_division("zero to a negative power"));
        }
        let (x, y) = (
            x.to_f64().map_err(|e| vm.text_error(e))?,
            y.to_f64().map_err(|e| vm.text_error(e))?,
        );
        return crate::builtins::float_arith::power(vm, x, y);
    }
    let odd = match y {
        IntRef::Small(y) => y & 1 == 1,
        IntRef::Big(y) => y.is_odd(),
    };
    match x {
        _ if y.is_zero() => return Ok(vm.int(1)),
        IntRef::Small(0) => return Ok(vm.int(0)),
        IntRef::Small(1) => return Ok(vm.int(1)),
        IntRef::Small(-1) => return Ok(vm.int(if odd { -1 } else { 1 })),
        _ => {}
    }
    let IntRef::Small(y) = y else {
        return Err(memory_error(vm));
    };
    let bits = match x {
        IntRef::Small(i) => 64 - i.unsigned_abs().leading_zeros() as u64,
        IntRef::Big(b) => b.bits(),
    };
    if (bits - 1)
        .checked_mul(y as u64)
        .is_none_or(|n| n > MAX_BITS)
    {
        return Err(memory_error(vm));
    }
    if let IntRef::Small(i) = x {
        if i == 2 {
            return if y < 62 {
                Ok(vm.int(1 << y))
            } else {
                Ok(vm.big(BigInt::one() << y as u64))
            };
        }
        if let Ok(n) = u32::try_from(y)
            && let Some(r) = i.checked_pow(n)
        {
            return Ok(vm.int(r));
        }
    }
    match u32::try_from(y) {
        Ok(n) => Ok(vm.big(x.to_big().pow(n))),
        Err(_) => Err(memory_error(vm)),
    }
}

/// `pow(a, b, m)`.
pub fn pow3(vm: &Vm, a: &Value, b: &Value, m: &Value) -> Res {
    let (Some(x), Some(y), Some(m)) = (IntRef::of(a), IntRef::of(b), IntRef::of(m)) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if m.is_zero() {
        return Err(vm.value_error("pow() 3rd argument cannot be 0"));
    }
    if let (IntRef::Small(x), IntRef::Small(mut y), IntRef::Small(m)) = (x, y, m)
        && y >= 0
        && m > 0
    {
        let m128 = m as i128;
        let (mut r, mut p) = (1 % m128, (x as i128).rem_euclid(m128));
        while y > 0 {
            if y & 1 == 1 {
                r = r * p % m128;
            }
            p = p * p % m128;
            y >>= 1;
        }
        return Ok(vm.int(r as i64));
    }
    let (x, y, m) = (x.to_big(), y.to_big(), m.to_big());
    if m.abs().is_one() {
        return Ok(vm.int(0));
    }
    if !y.is_negative() {
        return Ok(vm.big(x.modpow(&y, &m)));
    }
    match x.modinv(&m) {
        Some(inverse) => Ok(vm.big(inverse.modpow(&-&*y, &m))),
        None => Err(vm.value_error("base is not invertible for the given modulus")),
    }
}

pub fn lshift(vm: &Vm, a: &Value, b: &Value) -> Res {
    let (x, y) = operands!(a, b);
    if y.is_negative() {
        return Err(vm.value_error("negative shift count"));
    }
    if x.is_zero() {
        return Ok(vm.int(0));
    }
    let IntRef::Small(y) = y else {
        return Err(vm.overflow_error("too many digits in integer"));
    };
    if y as u64 > MAX_BITS {
        return Err(memory_error(vm));
    }
    if let IntRef::Small(x) = x
        && y < 63
    {
        return Ok(vm.int_i128((x as i128) << y));
    }
    Ok(vm.big(x.to_big().into_owned() << y as u64))
}

pub fn rshift(vm: &Vm, a: &Value, b: &Value) -> Res {
    let (x, y) = operands!(a, b);
    if y.is_negative() {
        return Err(vm.value_error("negative shift count"));
    }
    Ok(match (x, y) {
        (IntRef::Small(x), IntRef::Small(y)) => vm.int(x >> y.min(63)),
        (IntRef::Big(x), IntRef::Small(y)) if (y as u64) < x.bits() + 1 => vm.big(x >> y as u64),
        (x, _) => vm.int(if x.is_negative() { -1 } else { 0 }),
    })
}

macro_rules! bitwise {
    ($($name:ident $op:tt;)*) => {$(
        pub fn $name(vm: &Vm, a: &Value, b: &Value) -> Res {
            Ok(match operands!(a, b) {
                (IntRef::Small(x), IntRef::Small(y)) => vm.int(x $op y),
                (x, y) => vm.big(&*x.to_big() $op &*y.to_big()),
            })
        }
    )*};
}
bitwise! {
    bitand &;
    bitor |;
    bitxor ^;
}

pub fn order(x: IntRef, y: IntRef) -> Ordering {
    match (x, y) {
        (IntRef::Small(x), IntRef::Small(y)) => x.cmp(&y),
        (IntRef::Big(x), IntRef::Big(y)) => x.cmp(y),
        // A big one lies beyond every small one, on the side of its sign.
        (IntRef::Big(x), IntRef::Small(_)) => {
            if x.is_negative() {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
        (IntRef::Small(_), IntRef::Big(y)) => {
            if y.is_negative() {
                Ordering::Greater
            } else {
                Ordering::Less
            }
        }
    }
}

/// What an order means for a comparison.
pub fn holds(op: CmpOp, o: Ordering) -> bool {
    match op {
        CmpOp::Lt => o.is_lt(),
        CmpOp::Le => o.is_le(),
        CmpOp::Eq => o.is_eq(),
        CmpOp::Ne => o.is_ne(),
        CmpOp::Gt => o.is_gt(),
        CmpOp::Ge => o.is_ge(),
    }
}

pub fn cmp(_: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (x, y) = operands!(a, b);
    Ok(Value::bool(holds(op, order(x, y))))
}

pub fn neg(vm: &Vm, v: &Value) -> Res {
    Ok(match IntRef::of(v) {
        Some(IntRef::Small(i)) => vm.int_i128(-(i as i128)),
        Some(IntRef::Big(b)) => vm.big(-b),
        None => Value::NOT_IMPLEMENTED,
    })
}

/// The value as an exact int: `+x`, `int(x)`, `x.__index__()`, `x.real`.
pub fn exact(vm: &Vm, v: &Value) -> Res {
    if v.is_small() {
        return Ok(v.clone());
    }
    Ok(match IntRef::of(v) {
        Some(IntRef::Small(i)) => vm.int(i),
        Some(IntRef::Big(_)) if vm.is_exact(v, crate::object::Kind::Int) => v.clone(),
        Some(IntRef::Big(b)) => vm.big(b.clone()),
        None => Value::NOT_IMPLEMENTED,
    })
}

pub fn abs(vm: &Vm, v: &Value) -> Res {
    match IntRef::of(v) {
        Some(i) if i.is_negative() => neg(vm, v),
        _ => exact(vm, v),
    }
}

pub fn invert(vm: &Vm, v: &Value) -> Res {
    Ok(match IntRef::of(v) {
        Some(IntRef::Small(i)) => vm.int(!i),
        Some(IntRef::Big(b)) => vm.big(-(b + 1i32)),
        None => Value::NOT_IMPLEMENTED,
    })
}

pub fn truth(_: &Vm, v: &Value) -> Res<bool> {
    Ok(!IntRef::of(v).is_some_and(IntRef::is_zero))
}

pub fn to_float(vm: &Vm, v: &Value) -> Res {
    match IntRef::of(v) {
        Some(i) => i
            .to_f64()
            .map(|f| vm.float(f))
            .map_err(|e| vm.text_error(e)),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

/// The number of bits of the absolute value.
pub fn bit_length(i: IntRef) -> u64 {
    match i {
        IntRef::Small(i) => 64 - i.unsigned_abs().leading_zeros() as u64,
        IntRef::Big(b) => b.bits(),
    }
}

/// The number of ones in the absolute value.
pub fn bit_count(i: IntRef) -> u64 {
    match i {
        IntRef::Small(i) => i.unsigned_abs().count_ones() as u64,
        IntRef::Big(b) => b
            .magnitude()
            .iter_u64_digits()
            .map(|d| d.count_ones() as u64)
            .sum(),
    }
}
