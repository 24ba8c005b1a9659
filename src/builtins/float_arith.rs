//! Arithmetic and comparison of floats with floats and ints.

use crate::builtins::int_arith::{by_zero, holds};
use crate::builtins::num::IntRef;
use crate::object::types::CmpOp;
use crate::object::value::Value;
use crate::text::numconv::{cmp_big_f64, cmp_i64_f64};
use crate::vm::raise::Exc;
use crate::vm::{Raised, Res, Vm};

macro_rules! operands {
    ($vm:expr, $a:expr, $b:expr) => {
        match ($vm.real_operand($a)?, $vm.real_operand($b)?) {
            (Some(x), Some(y)) => (x, y),
            _ => return Ok(Value::NOT_IMPLEMENTED),
        }
    };
}

macro_rules! simple {
    ($($name:ident $op:tt;)*) => {$(
        pub fn $name(vm: &Vm, a: &Value, b: &Value) -> Res {
            let (x, y) = operands!(vm, a, b);
            Ok(vm.float(x $op y))
        }
    )*};
}
simple! {
    add +;
    sub -;
    mul *;
}

pub fn truediv(vm: &Vm, a: &Value, b: &Value) -> Res {
    let (x, y) = operands!(vm, a, b);
    if y == 0.0 {
        by_zero(vm)
    } else {
        Ok(vm.float(x / y))
    }
}

/// Quotient towards minus infinity and the remainder with the divisor's sign; the divisor is not 0.
pub fn div_mod(x: f64, y: f64) -> (f64, f64) {
    let mut rest = x % y;
    let mut div = (x - rest) / y;
    if rest != 0.0 {
        if (y < 0.0) != (rest < 0.0) {
            rest += y;
            div -= 1.0;
        }
    } else {
        rest = 0f64.copysign(y);
    }
    let whole = if div != 0.0 {
        // The division may have been inexact: go to the nearest whole number.
        let floor = div.floor();
        if div - floor > 0.5 {
            floor + 1.0
        } else {
            floor
        }
    } else {
        0f64.copysign(x / y)
    };
    (whole, rest)
}

pub fn floordiv(vm: &Vm, a: &Value, b: &Value) -> Res {
    let (x, y) = operands!(vm, a, b);
    if y == 0.0 {
        by_zero(vm)
    } else {
        Ok(vm.float(div_mod(x, y).0))
    }
}

pub fn rem(vm: &Vm, a: &Value, b: &Value) -> Res {
    let (x, y) = operands!(vm, a, b);
    if y == 0.0 {
        by_zero(vm)
    } else {
        Ok(vm.float(div_mod(x, y).1))
    }
}

pub fn divmod(vm: &Vm, a: &Value, b: &Value) -> Res {
    let (x, y) = operands!(vm, a, b);
    if y == 0.0 {
        return by_zero(vm);
    }
    let (q, r) = div_mod(x, y);
    Ok(vm.pair(vm.float(q), vm.float(r)))
}

pub fn pow(vm: &Vm, a: &Value, b: &Value) -> Res {
    let (x, y) = operands!(vm, a, b);
    power(vm, x, y)
}

pub fn pow3(vm: &Vm, a: &Value, b: &Value, m: &Value) -> Res {
    for v in [a, b, m] {
        if vm.real_operand(v)?.is_none() {
            return Ok(Value::NOT_IMPLEMENTED);
        }
    }
    Err(vm.type_error("pow() 3rd argument not allowed unless all arguments are integers"))
}

/// The OverflowError of C's `ERANGE`.
#[cold]
pub fn out_of_range(vm: &Vm) -> Raised {
    vm.error_args(
        Exc::OverflowError,
        vec![vm.int(34), vm.str("Numerical result out of range")],
    )
}

/// `x ** y`; a complex number for a negative base with a fractional exponent.
pub fn power(vm: &Vm, x: f64, y: f64) -> Res {
    if y == 0.0 || x == 1.0 {
        return Ok(vm.float(1.0));
    }
    if x.is_nan() || y.is_nan() {
        return Ok(vm.float(f64::NAN));
    }
    let odd = (y.abs() % 2.0) == 1.0;
    if x == 0.0 && y < 0.0 {
        return Err(vm.zero_division("zero to a negative power"));
    }
    if x < 0.0 && x.is_finite() && y.is_finite() && y != y.floor() {
        return crate::builtins::complex::power(vm, (x, 0.0), (y, 0.0));
    }
    if x == -1.0 && y.is_infinite() {
        return Ok(vm.float(1.0));
    }
    let r = x.abs().powf(y);
    let r = if odd && x.is_sign_negative() { -r } else { r };
    if r.is_infinite() && x.is_finite() && y.is_finite() {
        return Err(out_of_range(vm));
    }
    Ok(vm.float(r))
}

pub fn cmp(_: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res {
    let Some(x) = a.as_float() else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let order = if let Some(y) = b.as_float() {
        x.partial_cmp(&y)
    } else {
        match IntRef::of(b) {
            Some(IntRef::Small(y)) => cmp_i64_f64(y, x).map(std::cmp::Ordering::reverse),
            Some(IntRef::Big(y)) => cmp_big_f64(y, x).map(std::cmp::Ordering::reverse),
            None => return Ok(Value::NOT_IMPLEMENTED),
        }
    };
    Ok(Value::bool(match order {
        Some(o) => holds(op, o),
        None => op == CmpOp::Ne,
    }))
}
