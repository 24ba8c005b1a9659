//! `math` for ints: comb, factorial, gcd, isqrt, lcm, perm.

use crate::builtins::support::{big_int, small_int};
use crate::modules::math::rows;
use crate::object::native::{NativeDef, tuple_items};
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use num_bigint::{BigInt, BigUint};
use num_integer::Integer;
use num_traits::{One, Signed, ToPrimitive, Zero};

fn int(vm: &Vm, v: &Value) -> Res<BigInt> {
    Ok(big_int(&vm.index(v)?))
}

/// The product of low..=high, by halves, so that the factors stay of one size.
fn product(low: u64, high: u64) -> BigUint {
    if low > high {
        return BigUint::one();
    }
    if high - low < 16 {
        let mut out = BigUint::one();
        let mut part = 1u128;
        for i in low..=high {
            match part.checked_mul(i as u128) {
                Some(p) => part = p,
                None => {
                    out *= part;
                    part = i as u128;
                }
            }
        }
        return out * part;
    }
    let mid = low + (high - low) / 2;
    product(low, mid) * product(mid + 1, high)
}

fn factorial(vm: &Vm, a: &[Value]) -> Res {
    let i = vm.index(&a[0])?;
    let n = match small_int(&i) {
        Some(n) => n,
        None if big_int(&i).is_negative() => -1,
        None => {
            return Err(vm.overflow_error(format!(
                "factorial() argument should not exceed {}",
                i64::MAX
            )));
        }
    };
    if n < 0 {
        return Err(vm.value_error("factorial() not defined for negative values"));
    }
    if n > 1 << 32 {
        // The result would not fit in any memory.
        return Err(crate::builtins::support::memory_error(vm));
    }
    Ok(vm.big(product(2, n as u64).into()))
}

fn gcd(vm: &Vm, a: &[Value]) -> Res {
    let mut g = BigInt::zero();
    for v in tuple_items(&a[0]) {
        g = g.gcd(&int(vm, v)?);
    }
    Ok(vm.big(g))
}

fn lcm(vm: &Vm, a: &[Value]) -> Res {
    let mut l = BigInt::one();
    for v in tuple_items(&a[0]) {
        let x = int(vm, v)?;
        l = if l.is_zero() || x.is_zero() {
            BigInt::zero()
        } else {
            l.lcm(&x)
        };
    }
    Ok(vm.big(l.abs()))
}

fn isqrt(vm: &Vm, a: &[Value]) -> Res {
    let n = int(vm, &a[0])?;
    if n.is_negative() {
        return Err(vm.value_error("isqrt() argument must be nonnegative"));
    }
    Ok(vm.big(n.sqrt()))
}

/// The arguments of comb and perm: n of any size, k that fits a word (None: more than there could be).
fn n_and_k(vm: &Vm, n: &Value, k: &Value) -> Res<(BigInt, Option<u64>)> {
    let (n, k) = (int(vm, n)?, int(vm, k)?);
    if n.is_negative() {
        return Err(vm.value_error("n must be a non-negative integer"));
    }
    if k.is_negative() {
        return Err(vm.value_error("k must be a non-negative integer"));
    }
    Ok(if k > n {
        (n, None)
    } else {
        (n.clone(), Some(k.to_u64().unwrap_or(u64::MAX)))
    })
}

/// n * (n-1) * ... of k factors.
fn falling(n: &BigInt, k: u64) -> BigInt {
    if k < 8 {
        return (0..k).fold(BigInt::one(), |p, i| p * (n - i));
    }
    let half = k / 2;
    falling(n, half) * falling(&(n - half), k - half)
}

fn perm(vm: &Vm, a: &[Value]) -> Res {
    let Some(k) = a[1].non_none() else {
        return factorial(vm, a);
    };
    match n_and_k(vm, &a[0], k)? {
        (_, None) => Ok(vm.int(0)),
        (_, Some(k)) if k > 1 << 32 => {
            Err(vm.overflow_error(format!("k must not exceed {}", i64::MAX)))
        }
        (n, Some(k)) => Ok(vm.big(falling(&n, k))),
    }
}

fn comb(vm: &Vm, a: &[Value]) -> Res {
    let (n, k) = n_and_k(vm, &a[0], &a[1])?;
    let Some(mut k) = k else { return Ok(vm.int(0)) };
    if let Some(other) = (&n - k).to_u64() {
        k = k.min(other);
    }
    if k > 1 << 32 {
        return Err(vm.overflow_error(format!("min(n - k, k) must not exceed {}", i64::MAX)));
    }
    Ok(vm.big(falling(&n, k) / BigInt::from(product(2, k))))
}

pub static FUNCTIONS: &[NativeDef] = rows! {
    "comb(n, k, /)" comb, "Number of ways to choose k items from n items without repetition and without order.";
    "factorial(n, /)" factorial, "Find n!.";
    "gcd(*integers)" gcd, "Greatest Common Divisor.";
    "isqrt(n, /)" isqrt, "Return the integer part of the square root of the input.";
    "lcm(*integers)" lcm, "Least Common Multiple.";
    "perm(n, k=None, /)" perm, "Number of ways to choose k items from n items without repetition and with order.";
};
