//! The module `math`: functions of floats. (Ints are in `math_int`, sums and norms in `math_sum`.)
//!
//! A function of the C library gives NaN or infinity where CPython raises; which of the two errors it is follows from the arguments, as IEEE
//! 754 and C99's Annex F say.

#![allow(unsafe_code)]

use crate::builtins::support::{big_int, small_int};
use crate::modules::{math_int, math_sum};
use crate::object::native::NativeDef;
use crate::object::num::Int;
use crate::object::value::Value;
use crate::text::float_repr::float_repr;
use crate::vm::{Raised, Res, Vm};
use num_bigint::Sign;
use num_traits::ToPrimitive;

unsafe extern "C" {
    safe fn erf(x: f64) -> f64;
    safe fn erfc(x: f64) -> f64;
    safe fn nextafter(x: f64, y: f64) -> f64;
    safe fn remainder(x: f64, y: f64) -> f64;
}

#[cold]
fn domain(vm: &Vm) -> Raised {
    vm.value_error("math domain error")
}
#[cold]
fn range(vm: &Vm) -> Raised {
    vm.overflow_error("math range error")
}
/// A domain error that names the argument; `{}` in the text stands for it.
#[cold]
fn domain_of(vm: &Vm, text: &str, x: f64) -> Raised {
    vm.value_error(text.replace("{}", &float_repr(x)))
}

/// A function of one float. `bad` is what a NaN result of an argument that is none means; an infinite one of a finite argument is an overflow if
/// `can_overflow`, else `bad` too.
fn unary(vm: &Vm, a: &[Value], f: fn(f64) -> f64, can_overflow: bool, bad: &str) -> Res {
    let x = vm.to_f64(&a[0])?;
    let r = f(x);
    if r.is_nan() && !x.is_nan() {
        return Err(domain_of(vm, bad, x));
    }
    if r.is_infinite() && x.is_finite() {
        return Err(if can_overflow {
            range(vm)
        } else {
            domain_of(vm, bad, x)
        });
    }
    Ok(vm.float(r))
}

const FINITE: &str = "expected a finite input, got {}";
const UNIT: &str = "expected a number in range from -1 up to 1, got {}";

macro_rules! unaries {
    ($($id:ident = $f:expr, $overflow:literal, $bad:expr;)*) => {
        $(fn $id(vm: &Vm, a: &[Value]) -> Res {
            unary(vm, a, $f, $overflow, $bad)
        })*
    };
}
unaries! {
    sqrt = f64::sqrt, false, "expected a nonnegative input, got {}";
    acos = f64::acos, false, UNIT;
    asin = f64::asin, false, UNIT;
    atan = f64::atan, false, "";
    acosh = acosh_of, false, "expected argument value not less than 1, got {}";
    asinh = asinh_of, false, "";
    atanh = atanh_of, false, "expected a number between -1 and 1, got {}";
    sin = f64::sin, false, FINITE;
    cos = f64::cos, false, FINITE;
    tan = f64::tan, false, FINITE;
    sinh = f64::sinh, true, "";
    cosh = f64::cosh, true, "";
    tanh = f64::tanh, false, "";
    exp = f64::exp, true, "";
    exp2 = f64::exp2, true, "";
    expm1 = f64::exp_m1, true, "";
    log1p = f64::ln_1p, false, "expected argument value > -1, got {}";
    cbrt = f64::cbrt, false, "";
    fabs = f64::abs, false, "";
    erf_fn = erf_of, false, "";
    erfc_fn = erfc_of, false, "";
}

unsafe extern "C" {
    #[link_name = "acosh"]
    safe fn c_acosh(x: f64) -> f64;
    #[link_name = "asinh"]
    safe fn c_asinh(x: f64) -> f64;
    #[link_name = "atanh"]
    safe fn c_atanh(x: f64) -> f64;
}
fn acosh_of(x: f64) -> f64 {
    c_acosh(x)
}
fn asinh_of(x: f64) -> f64 {
    c_asinh(x)
}
fn atanh_of(x: f64) -> f64 {
    c_atanh(x)
}
fn erf_of(x: f64) -> f64 {
    erf(x)
}
fn erfc_of(x: f64) -> f64 {
    erfc(x)
}

/// A logarithm; ints beyond the range of floats are scaled first.
fn log_of(vm: &Vm, v: &Value, f: fn(f64) -> f64) -> Res<f64> {
    let positive = || vm.value_error("expected a positive input");
    if let Some(i) = v.get::<Int>()
        && !i.0.to_f64().is_some_and(f64::is_finite)
    {
        if i.0.sign() == Sign::Minus {
            return Err(positive());
        }
        let shift = i.0.bits() - 64;
        let top = (&i.0 >> shift).to_f64().unwrap_or(f64::INFINITY);
        return Ok(f(top) + f(2.0) * shift as f64);
    }
    let x = vm.to_f64(v)?;
    if x <= 0.0 {
        return Err(positive());
    }
    Ok(f(x))
}

fn log(vm: &Vm, a: &[Value]) -> Res {
    let x = log_of(vm, &a[0], f64::ln)?;
    let Some(base) = a[1].given() else {
        return Ok(vm.float(x));
    };
    let b = log_of(vm, base, f64::ln)?;
    if b == 0.0 {
        return Err(vm.zero_division("division by zero"));
    }
    Ok(vm.float(x / b))
}

fn log2(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.float(log_of(vm, &a[0], f64::log2)?))
}
fn log10(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.float(log_of(vm, &a[0], f64::log10)?))
}

fn two(vm: &Vm, a: &[Value]) -> Res<(f64, f64)> {
    Ok((vm.to_f64(&a[0])?, vm.to_f64(&a[1])?))
}

fn atan2(vm: &Vm, a: &[Value]) -> Res {
    let (y, x) = two(vm, a)?;
    Ok(vm.float(y.atan2(x)))
}

fn copysign(vm: &Vm, a: &[Value]) -> Res {
    let (x, y) = two(vm, a)?;
    Ok(vm.float(x.copysign(y)))
}

fn fmod(vm: &Vm, a: &[Value]) -> Res {
    let (x, y) = two(vm, a)?;
    if y.is_infinite() && x.is_finite() {
        return Ok(vm.float(x));
    }
    let r = x % y;
    if r.is_nan() && !x.is_nan() && !y.is_nan() {
        Err(domain(vm))
    } else {
        Ok(vm.float(r))
    }
}

fn remainder_fn(vm: &Vm, a: &[Value]) -> Res {
    let (x, y) = two(vm, a)?;
    let r = remainder(x, y);
    if r.is_nan() && !x.is_nan() && !y.is_nan() {
        Err(domain(vm))
    } else {
        Ok(vm.float(r))
    }
}

fn pow(vm: &Vm, a: &[Value]) -> Res {
    let (x, y) = two(vm, a)?;
    let r = x.powf(y);
    if x.is_finite() && y.is_finite() {
        if r.is_nan() || (r.is_infinite() && x == 0.0) {
            return Err(domain(vm));
        }
        if r.is_infinite() {
            return Err(range(vm));
        }
    }
    Ok(vm.float(r))
}

fn fma(vm: &Vm, a: &[Value]) -> Res {
    let (x, y) = two(vm, a)?;
    let z = vm.to_f64(&a[2])?;
    let r = x.mul_add(y, z);
    if r.is_nan() && !x.is_nan() && !y.is_nan() && !z.is_nan() {
        return Err(vm.value_error("invalid operation in fma"));
    }
    if r.is_infinite() && x.is_finite() && y.is_finite() && z.is_finite() {
        return Err(vm.overflow_error("overflow in fma"));
    }
    Ok(vm.float(r))
}

/// Mantissa in [0.5, 1) and exponent.
pub fn split(x: f64) -> (f64, i32) {
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    let bits = x.to_bits();
    let e = (bits >> 52 & 0x7ff) as i32;
    if e == 0 {
        // Subnormal: normalise first.
        let (m, e) = split(x * 2f64.powi(54));
        return (m, e - 54);
    }
    (f64::from_bits(bits & !(0x7ff << 52) | 1022 << 52), e - 1022)
}

/// x times 2 to the e, rounded once.
pub fn scale(x: f64, e: i64) -> f64 {
    let mut x = x;
    let mut e = e.clamp(-5000, 5000) as i32;
    while e > 1000 {
        x *= 2f64.powi(1000);
        e -= 1000;
    }
    // Downward in two steps at most, the last of which rounds: a power that leaves x normal, then the rest.
    if e < -1000 {
        let (m, k) = split(x);
        let total = k + e;
        if total < -1074 - 1 {
            return if total < -1075 {
                0f64.copysign(x)
            } else {
                m * 2f64.powi(-537) * 2f64.powi(-538)
            };
        }
        let first = (total + 1021).min(0);
        return m * 2f64.powi((total - first).max(-1021)) * 2f64.powi(first);
    }
    x * 2f64.powi(e)
}

fn ldexp(vm: &Vm, a: &[Value]) -> Res {
    let x = vm.to_f64(&a[0])?;
    let is_int = a[1].is_small() || a[1].as_bool().is_some() || a[1].is_kind::<Int>();
    if !is_int {
        return Err(vm.type_error("Expected an int as second argument to ldexp."));
    }
    let e = small_int(&a[1]).unwrap_or(if big_int(&a[1]).sign() == Sign::Minus {
        i64::MIN
    } else {
        i64::MAX
    });
    if x == 0.0 || !x.is_finite() {
        return Ok(vm.float(x));
    }
    let r = scale(x, e);
    if r.is_infinite() {
        Err(range(vm))
    } else {
        Ok(vm.float(r))
    }
}

fn frexp(vm: &Vm, a: &[Value]) -> Res {
    let (m, e) = split(vm.to_f64(&a[0])?);
    Ok(vm.pair(vm.float(m), vm.int(e as i64)))
}

fn modf(vm: &Vm, a: &[Value]) -> Res {
    let x = vm.to_f64(&a[0])?;
    let (frac, whole) = if x.is_infinite() {
        (0f64.copysign(x), x)
    } else if x.is_nan() {
        (x, x)
    } else {
        ((x - x.trunc()).copysign(x), x.trunc())
    };
    Ok(vm.pair(vm.float(frac), vm.float(whole)))
}

/// `floor`, `ceil`, `trunc`: a float directly, else the special method.
fn to_int(vm: &Vm, v: &Value, name: &Value, f: fn(f64) -> f64, fallback: bool) -> Res {
    if vm.is_exact(v, crate::object::Kind::Float)
        && let Some(x) = v.as_float()
    {
        return float_int(vm, f(x));
    }
    if let Some(r) = vm.call_special(v, name, &[])? {
        return Ok(r);
    }
    if !fallback {
        return Err(vm.type_error(format!(
            "type {} doesn't define {} method",
            vm.type_name(v),
            name.as_str().unwrap_or("?")
        )));
    }
    let x = vm.to_f64(v)?;
    float_int(vm, f(x))
}

fn float_int(vm: &Vm, x: f64) -> Res {
    if x.abs() < 4e18 {
        return Ok(vm.int(x as i64));
    }
    match crate::text::numconv::f64_to_int(x) {
        Ok(i) => Ok(vm.big(i.into_big())),
        Err(_) if x.is_nan() => Err(vm.value_error("cannot convert float NaN to integer")),
        Err(_) => Err(vm.overflow_error("cannot convert float infinity to integer")),
    }
}

fn floor(vm: &Vm, a: &[Value]) -> Res {
    to_int(vm, &a[0], &vm.names.__floor__, f64::floor, true)
}
fn ceil(vm: &Vm, a: &[Value]) -> Res {
    to_int(vm, &a[0], &vm.names.__ceil__, f64::ceil, true)
}
fn trunc(vm: &Vm, a: &[Value]) -> Res {
    to_int(vm, &a[0], &vm.names.__trunc__, f64::trunc, false)
}

fn isnan(vm: &Vm, a: &[Value]) -> Res {
    Ok(Value::bool(vm.to_f64(&a[0])?.is_nan()))
}
fn isinf(vm: &Vm, a: &[Value]) -> Res {
    Ok(Value::bool(vm.to_f64(&a[0])?.is_infinite()))
}
fn isfinite(vm: &Vm, a: &[Value]) -> Res {
    Ok(Value::bool(vm.to_f64(&a[0])?.is_finite()))
}

fn isclose(vm: &Vm, a: &[Value]) -> Res {
    let (x, y) = two(vm, a)?;
    let (rel, abs) = (vm.to_f64(&a[2])?, vm.to_f64(&a[3])?);
    if rel < 0.0 || abs < 0.0 {
        return Err(vm.value_error("tolerances must be non-negative"));
    }
    let near = || {
        let d = (y - x).abs();
        d <= (rel * y).abs() || d <= (rel * x).abs() || d <= abs
    };
    Ok(Value::bool(
        x == y || (!x.is_infinite() && !y.is_infinite() && near()),
    ))
}

fn degrees(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.float(vm.to_f64(&a[0])? * (180.0 / std::f64::consts::PI)))
}
fn radians(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.float(vm.to_f64(&a[0])? * (std::f64::consts::PI / 180.0)))
}

fn nextafter_fn(vm: &Vm, a: &[Value]) -> Res {
    let (x, y) = two(vm, a)?;
    let Some(steps) = a[2].non_none() else {
        return Ok(vm.float(nextafter(x, y)));
    };
    let steps = vm.index(steps)?;
    let n = match small_int(&steps) {
        Some(n) if n >= 0 => n as u64,
        None if big_int(&steps).sign() == Sign::Plus => u64::MAX,
        _ => return Err(vm.value_error("steps must be a non-negative integer")),
    };
    if n == 0 || x.is_nan() {
        return Ok(vm.float(x));
    }
    if y.is_nan() {
        return Ok(vm.float(y));
    }
    // Floats in order are consecutive integers, counted from 0 in both directions.
    let line = |f: f64| {
        if f.is_sign_negative() {
            -((f.to_bits() & !(1 << 63)) as i128)
        } else {
            f.to_bits() as i128
        }
    };
    let (from, to) = (line(x), line(y));
    let at = if from == to {
        return Ok(vm.float(y));
    } else if from < to {
        (from + n as i128).min(to)
    } else {
        (from - n as i128).max(to)
    };
    let r = if at == to {
        y
    } else if at < 0 {
        -f64::from_bits((-at) as u64)
    } else if at == 0 {
        0f64.copysign(x)
    } else {
        f64::from_bits(at as u64)
    };
    Ok(vm.float(r))
}

fn ulp(vm: &Vm, a: &[Value]) -> Res {
    let x = vm.to_f64(&a[0])?.abs();
    if !x.is_finite() {
        return Ok(vm.float(x));
    }
    let up = nextafter(x, f64::INFINITY);
    Ok(vm.float(if up.is_infinite() {
        x - nextafter(x, f64::NEG_INFINITY)
    } else {
        up - x
    }))
}

// ---- gamma: Lanczos' approximation with N=13, g=6.024680040776729583740234375 (coefficients from the Boost library's tables)

const LANCZOS_G: f64 = 6.024_680_040_776_73;
const LANCZOS_G_HALF: f64 = 5.524_680_040_776_73;
#[allow(clippy::excessive_precision, clippy::inconsistent_digit_grouping)]
const LANCZOS_NUM: [f64; 13] = [
    23531376880.410759688572007674451636754734846804940,
    42919803642.649098768957899047001988850926355848959,
    35711959237.355668049440185451547166705960488635843,
    17921034426.037209699919755754458931112671403265390,
    6039542586.3520280050642916443072979210699388420708,
    1439720407.3117216736632230727949123939715485786372,
    248874557.86205415651146038641322942321632125127801,
    31426415.585400194380614231628318205362874684987640,
    2876370.6289353724412254090516208496135991145378768,
    186056.26539522349504029498971604569928220784236328,
    8071.6720023658162106380029022722506138218516325024,
    210.82427775157934587250973392071336271166969580291,
    2.5066282746310002701649081771338373386264310793408,
];
const LANCZOS_DEN: [f64; 13] = [
    0.0,
    39916800.0,
    120543840.0,
    150917976.0,
    105258076.0,
    45995730.0,
    13339535.0,
    2637558.0,
    357423.0,
    32670.0,
    1925.0,
    66.0,
    1.0,
];

fn lanczos_sum(x: f64) -> f64 {
    let (mut num, mut den) = (0.0, 0.0);
    if x < 5.0 {
        for i in (0..13).rev() {
            num = num * x + LANCZOS_NUM[i];
            den = den * x + LANCZOS_DEN[i];
        }
    } else {
        for i in 0..13 {
            num = num / x + LANCZOS_NUM[i];
            den = den / x + LANCZOS_DEN[i];
        }
    }
    num / den
}

/// sin(pi x), exact at the integers and halves.
fn sin_pi(x: f64) -> f64 {
    use std::f64::consts::PI;
    let y = x.abs() % 2.0;
    let r = match (2.0 * y).round_ties_even() as i64 {
        0 => (PI * y).sin(),
        1 => (PI * (y - 0.5)).cos(),
        2 => (PI * (1.0 - y)).sin(),
        3 => -(PI * (y - 1.5)).cos(),
        _ => (PI * (y - 2.0)).sin(),
    };
    1f64.copysign(x) * r
}

const NOT_AN_INTEGER: &str = "expected a noninteger or positive integer, got {}";

fn gamma(vm: &Vm, a: &[Value]) -> Res {
    let x = vm.to_f64(&a[0])?;
    if x.is_nan() || x == f64::INFINITY {
        return Ok(vm.float(x));
    }
    if x == 0.0 || x == f64::NEG_INFINITY || (x < 0.0 && x == x.floor()) {
        return Err(domain_of(vm, NOT_AN_INTEGER, x));
    }
    if x == x.floor() && x <= 23.0 {
        return Ok(vm.float((1..x as u64).map(|i| i as f64).product()));
    }
    let ax = x.abs();
    let finite = |r: f64| {
        if r.is_infinite() {
            Err(range(vm))
        } else {
            Ok(vm.float(r))
        }
    };
    if ax < 1e-20 {
        return finite(1.0 / x);
    }
    if ax > 200.0 {
        return if x < 0.0 {
            Ok(vm.float(0.0 / sin_pi(x)))
        } else {
            Err(range(vm))
        };
    }
    let y = ax + LANCZOS_G_HALF;
    // The rounding error of y, so that the power below is of the exact sum.
    let z = if ax > LANCZOS_G_HALF {
        (y - ax) - LANCZOS_G_HALF
    } else {
        (y - LANCZOS_G_HALF) - ax
    };
    let z = z * LANCZOS_G / y;
    let r = if x < 0.0 {
        let mut r = -std::f64::consts::PI / sin_pi(ax) / ax * y.exp() / lanczos_sum(ax);
        r -= z * r;
        if ax < 140.0 {
            r / y.powf(ax - 0.5)
        } else {
            let p = y.powf(ax / 2.0 - 0.25);
            r / p / p
        }
    } else {
        let mut r = lanczos_sum(ax) / y.exp();
        r += z * r;
        if ax < 140.0 {
            r * y.powf(ax - 0.5)
        } else {
            let p = y.powf(ax / 2.0 - 0.25);
            r * p * p
        }
    };
    finite(r)
}

fn lgamma(vm: &Vm, a: &[Value]) -> Res {
    let x = vm.to_f64(&a[0])?;
    if x.is_nan() {
        return Ok(vm.float(x));
    }
    if x.is_infinite() {
        return Ok(vm.float(f64::INFINITY));
    }
    if x == x.floor() && x <= 2.0 {
        return if x <= 0.0 {
            Err(domain_of(vm, NOT_AN_INTEGER, x))
        } else {
            Ok(vm.float(0.0))
        };
    }
    let ax = x.abs();
    if ax < 1e-20 {
        return Ok(vm.float(-ax.ln()));
    }
    let mut r = lanczos_sum(ax).ln() - LANCZOS_G;
    r += (ax - 0.5) * ((ax + LANCZOS_G - 0.5).ln() - 1.0);
    if x < 0.0 {
        const LOG_PI: f64 = 1.144_729_885_849_400_2;
        r = LOG_PI - sin_pi(ax).abs().ln() - ax.ln() - r;
    }
    if r.is_infinite() {
        Err(range(vm))
    } else {
        Ok(vm.float(r))
    }
}

macro_rules! rows {
    ($($sig:literal $f:expr, $doc:literal;)*) => { &[$(NativeDef { sig: $sig, f: $f, doc: $doc }),*] };
}
pub(super) use rows;

static FUNCTIONS: &[NativeDef] = rows! {
    "acos(x, /)" acos, "Return the arc cosine (measured in radians) of x.\n\nThe result is between 0 and pi.";
    "acosh(x, /)" acosh, "Return the inverse hyperbolic cosine of x.";
    "asin(x, /)" asin, "Return the arc sine (measured in radians) of x.\n\nThe result is between -pi/2 and pi/2.";
    "asinh(x, /)" asinh, "Return the inverse hyperbolic sine of x.";
    "atan(x, /)" atan, "Return the arc tangent (measured in radians) of x.\n\nThe result is between -pi/2 and pi/2.";
    "atan2(y, x, /)" atan2, "Return the arc tangent (measured in radians) of y/x.\n\nUnlike atan(y/x), the signs of both x and y are considered.";
    "atanh(x, /)" atanh, "Return the inverse hyperbolic tangent of x.";
    "cbrt(x, /)" cbrt, "Return the cube root of x.";
    "ceil(x, /)" ceil, "Return the ceiling of x as an Integral.\n\nThis is the smallest integer >= x.";
    "copysign(x, y, /)" copysign, "Return a float with the magnitude (absolute value) of x but the sign of y.";
    "cos(x, /)" cos, "Return the cosine of x (measured in radians).";
    "cosh(x, /)" cosh, "Return the hyperbolic cosine of x.";
    "degrees(x, /)" degrees, "Convert angle x from radians to degrees.";
    "erf(x, /)" erf_fn, "Error function at x.";
    "erfc(x, /)" erfc_fn, "Complementary error function at x.";
    "exp(x, /)" exp, "Return e raised to the power of x.";
    "exp2(x, /)" exp2, "Return 2 raised to the power of x.";
    "expm1(x, /)" expm1, "Return exp(x)-1.";
    "fabs(x, /)" fabs, "Return the absolute value of the float x.";
    "floor(x, /)" floor, "Return the floor of x as an Integral.\n\nThis is the largest integer <= x.";
    "fma(x, y, z, /)" fma, "Fused multiply-add operation.\n\nCompute (x * y) + z with a single round.";
    "fmod(x, y, /)" fmod, "Return fmod(x, y), according to platform C.";
    "frexp(x, /)" frexp, "Return the mantissa and exponent of x, as pair (m, e).";
    "gamma(x, /)" gamma, "Gamma function at x.";
    "isclose(a, b, *, rel_tol=1e-09, abs_tol=0.0)" isclose, "Determine whether two floating-point numbers are close in value.";
    "isfinite(x, /)" isfinite, "Return True if x is neither an infinity nor a NaN, and False otherwise.";
    "isinf(x, /)" isinf, "Return True if x is a positive or negative infinity, and False otherwise.";
    "isnan(x, /)" isnan, "Return True if x is a NaN (not a number), and False otherwise.";
    "ldexp(x, i, /)" ldexp, "Return x * (2**i).\n\nThis is essentially the inverse of frexp().";
    "lgamma(x, /)" lgamma, "Natural logarithm of absolute value of Gamma function at x.";
    "log(x, base=..., /)" log, "log(x, [base=math.e])\nReturn the logarithm of x to the given base.\n\nIf the base is not specified, returns the natural logarithm (base e) of x.";
    "log10(x, /)" log10, "Return the base 10 logarithm of x.";
    "log1p(x, /)" log1p, "Return the natural logarithm of 1+x (base e).";
    "log2(x, /)" log2, "Return the base 2 logarithm of x.";
    "modf(x, /)" modf, "Return the fractional and integer parts of x.";
    "nextafter(x, y, /, *, steps=None)" nextafter_fn, "Return the floating-point value the given number of steps after x towards y.";
    "pow(x, y, /)" pow, "Return x**y (x to the power of y).";
    "radians(x, /)" radians, "Convert angle x from degrees to radians.";
    "remainder(x, y, /)" remainder_fn, "Difference between x and the closest integer multiple of y.";
    "sin(x, /)" sin, "Return the sine of x (measured in radians).";
    "sinh(x, /)" sinh, "Return the hyperbolic sine of x.";
    "sqrt(x, /)" sqrt, "Return the square root of x.";
    "tan(x, /)" tan, "Return the tangent of x (measured in radians).";
    "tanh(x, /)" tanh, "Return the hyperbolic tangent of x.";
    "trunc(x, /)" trunc, "Truncates the Real x to the nearest Integral toward 0.\n\nUses the __trunc__ magic method.";
    "ulp(x, /)" ulp, "Return the value of the least significant bit of the float x.";
};

pub fn init(vm: &Vm) -> Res {
    let m = vm.native_module(
        "math",
        "This module provides access to the mathematical functions\ndefined by the C standard.",
        &[FUNCTIONS, math_int::FUNCTIONS, math_sum::FUNCTIONS],
    );
    for (name, x) in [
        ("pi", std::f64::consts::PI),
        ("e", std::f64::consts::E),
        ("tau", std::f64::consts::TAU),
        ("inf", f64::INFINITY),
        ("nan", f64::NAN),
    ] {
        vm.module_set(&m, name, vm.float(x));
    }
    Ok(m)
}
