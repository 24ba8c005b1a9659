//! `math` for many numbers: dist, fsum, hypot, prod, sumprod.
//!
//! Sums are kept as a float and the error of its roundings, as the papers say: Shewchuk 1997 for `fsum`; Ogita, Rump and Oishi 2005 for
//! `sumprod`; the norm scales by a power of two and corrects the root once.

use crate::builtins::support::small_int;
use crate::modules::math::{rows, scale, split};
use crate::object::header::Kind;
use crate::object::native::{NativeDef, tuple_items};
use crate::object::types::BinOp;
use crate::object::value::Value;
use crate::vm::{Res, Vm};

fn fsum(vm: &Vm, a: &[Value]) -> Res {
    let mut partials: Vec<f64> = Vec::new();
    let (mut special, mut infinities) = (0.0, 0.0);
    vm.iterate(&a[0], &mut |v| {
        let start = vm.to_f64(&v)?;
        let mut x = start;
        let mut kept = 0;
        for j in 0..partials.len() {
            let mut y = partials[j];
            if x.abs() < y.abs() {
                std::mem::swap(&mut x, &mut y);
            }
            let hi = x + y;
            let lo = y - (hi - x);
            if lo != 0.0 {
                partials[kept] = lo;
                kept += 1;
            }
            x = hi;
        }
        partials.truncate(kept);
        if x != 0.0 {
            if !x.is_finite() {
                if start.is_finite() {
                    return Err(vm.overflow_error("intermediate overflow in fsum"));
                }
                if start.is_infinite() {
                    infinities += start;
                }
                special += start;
                partials.clear();
            } else {
                partials.push(x);
            }
        }
        Ok(())
    })?;
    if special != 0.0 {
        if infinities.is_nan() {
            return Err(vm.value_error("-inf + inf in fsum"));
        }
        return Ok(vm.float(special));
    }
    let Some(mut hi) = partials.pop() else {
        return Ok(vm.float(0.0));
    };
    let mut lo = 0.0;
    while let Some(y) = partials.pop() {
        let x = hi;
        hi = x + y;
        lo = y - (hi - x);
        if lo != 0.0 {
            break;
        }
    }
    // Round half to even as if all partials had been added at once.
    if let Some(&next) = partials.last()
        && ((lo < 0.0 && next < 0.0) || (lo > 0.0 && next > 0.0))
    {
        let y = lo * 2.0;
        let x = hi + y;
        if y == x - hi {
            hi = x;
        }
    }
    Ok(vm.float(hi))
}

fn prod(vm: &Vm, a: &[Value]) -> Res {
    let mut total = a[1].clone();
    vm.iterate(&a[0], &mut |v| {
        let fast = match (total.as_small(), v.as_small()) {
            (Some(x), Some(y)) => x.checked_mul(y).map(|p| vm.int(p)),
            _ => None,
        };
        total = match fast {
            Some(p) => p,
            None => vm.binary(BinOp::Mul, &total, &v)?,
        };
        Ok(())
    })?;
    Ok(total)
}

/// x * y and the error of its rounding.
fn exact_product(x: f64, y: f64) -> (f64, f64) {
    let z = x * y;
    (z, x.mul_add(y, -z))
}

/// x + y and the error of its rounding.
fn exact_sum(x: f64, y: f64) -> (f64, f64) {
    let s = x + y;
    let z = s - x;
    (s, (x - (s - z)) + (y - z))
}

/// The same where |x| >= |y|.
fn quick_sum(x: f64, y: f64) -> (f64, f64) {
    let s = x + y;
    (s, (x - s) + y)
}

fn sumprod(vm: &Vm, a: &[Value]) -> Res {
    let (p, q) = (vm.iter(&a[0])?, vm.iter(&a[1])?);
    let mut total = Value::small_unchecked(0);
    // While all products are of floats they are summed with their errors.
    let mut floats: Option<(f64, f64, f64)> = None;
    let exact_float = |v: &Value| v.as_float().filter(|_| vm.is_exact(v, Kind::Float));
    let number = |v: &Value| {
        exact_float(v).or_else(|| {
            small_int(v)
                .filter(|i| i.unsigned_abs() < 1 << 53)
                .map(|i| i as f64)
        })
    };
    loop {
        let (x, y) = match (vm.next(&p)?, vm.next(&q)?) {
            (Some(x), Some(y)) => (x, y),
            (None, None) => break,
            _ => return Err(vm.value_error("Inputs are not the same length")),
        };
        let both_int = small_int(&x).is_some()
            && small_int(&y).is_some()
            && exact_float(&x).is_none()
            && exact_float(&y).is_none();
        if !both_int
            && (exact_float(&x).is_some() || exact_float(&y).is_some())
            && let (Some(f), Some(g)) = (number(&x), number(&y))
        {
            let (hi, lo, tiny) = floats.unwrap_or((0.0, 0.0, 0.0));
            let pr = exact_product(f, g);
            let sm = exact_sum(hi, pr.0);
            let r1 = exact_sum(lo, pr.1);
            let r2 = exact_sum(r1.0, sm.1);
            let next = (sm.0, r2.0, tiny + r1.1 + r2.1);
            if next.0.is_finite() {
                floats = Some(next);
                continue;
            }
        }
        if let Some((hi, lo, tiny)) = floats.take() {
            let last = exact_sum(lo, hi);
            total = vm.binary(BinOp::Add, &total, &vm.float(tiny + last.1 + last.0))?;
        }
        let term = vm.binary(BinOp::Mul, &x, &y)?;
        total = vm.binary(BinOp::Add, &total, &term)?;
    }
    if let Some((hi, lo, tiny)) = floats {
        let last = exact_sum(lo, hi);
        total = vm.binary(BinOp::Add, &total, &vm.float(tiny + last.1 + last.0))?;
    }
    Ok(total)
}

/// The Euclidean norm of a vector.
fn norm(mut xs: Vec<f64>) -> f64 {
    let max = xs.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    if xs.iter().any(|x| x.is_infinite()) {
        return f64::INFINITY;
    }
    if xs.iter().any(|x| x.is_nan()) {
        return f64::NAN;
    }
    if max == 0.0 || xs.len() <= 1 {
        return max;
    }
    let (_, e) = split(max);
    if e < -1023 {
        // Subnormal: scale up first, since 2**-e would overflow.
        xs.iter_mut().for_each(|x| *x /= f64::MIN_POSITIVE);
        return f64::MIN_POSITIVE * norm(xs);
    }
    let down = scale(1.0, -e as i64);
    let (mut sum, mut frac1, mut frac2) = (1.0, 0.0, 0.0);
    let mut add = |x: f64, y: f64| -> f64 {
        let pr = exact_product(x, y);
        let sm = quick_sum(sum, pr.0);
        sum = sm.0;
        frac1 += pr.1;
        frac2 += sm.1;
        sum - 1.0 + (frac1 + frac2)
    };
    let mut rest = 0.0;
    for x in xs {
        rest = add(x * down, x * down);
    }
    let h = rest.sqrt();
    let left = add(-h, h);
    (h + left / (2.0 * h)) / down
}

fn hypot(vm: &Vm, a: &[Value]) -> Res {
    let xs = tuple_items(&a[0])
        .iter()
        .map(|v| Ok(vm.to_f64(v)?.abs()))
        .collect::<Res<Vec<f64>>>()?;
    Ok(vm.float(norm(xs)))
}

fn dist(vm: &Vm, a: &[Value]) -> Res {
    let (p, q) = (vm.collect(&a[0])?, vm.collect(&a[1])?);
    if p.len() != q.len() {
        return Err(vm.value_error("both points must have the same number of dimensions"));
    }
    let xs = p
        .iter()
        .zip(&q)
        .map(|(x, y)| Ok((vm.to_f64(x)? - vm.to_f64(y)?).abs()))
        .collect::<Res<Vec<f64>>>()?;
    Ok(vm.float(norm(xs)))
}

pub static FUNCTIONS: &[NativeDef] = rows! {
    "dist(p, q, /)" dist, "Return the Euclidean distance between two points p and q.";
    "fsum(seq, /)" fsum, "Return an accurate floating-point sum of values in the iterable seq.";
    "hypot(*coordinates)" hypot, "Multidimensional Euclidean distance from the origin to a point.";
    "prod(iterable, /, *, start=1)" prod, "Calculate the product of all the elements in the input iterable.";
    "sumprod(p, q, /)" sumprod, "Return the sum of products of values from two iterables p and q.";
};
