//! Exact crossings between integers and floats: conversion, true division,
//! comparison, ratios.
//!
//! Everything rounds half to even through `compose`, the one place where a
//! 64-bit mantissa becomes a double.

use super::error::{ErrKind, TextError};
use super::int_text::Int;
use num_bigint::{BigInt, BigUint, Sign};
use num_traits::{ToPrimitive, Zero};
use std::cmp::Ordering;

/// `mantissa * 2**exponent` rounded to the nearest double; `sticky` says that
/// nonzero bits were dropped below (the mantissa must then hold 55 bits or
/// more). `None` on overflow.
pub fn compose(mantissa: u64, exponent: i64, sticky: bool) -> Option<f64> {
    if mantissa == 0 {
        return Some(0.0);
    }
    let lead = mantissa.leading_zeros();
    let mantissa = mantissa << lead;
    let top = exponent.saturating_sub(i64::from(lead)).saturating_add(63);
    if top > 1023 {
        return None;
    }
    let keep = if top >= -1022 { 53 } else { 53 - (-1022 - top) };
    if keep < 0 {
        return Some(0.0);
    }
    let shift = 64 - keep as u32;
    let wide = u128::from(mantissa);
    let mut kept = (wide >> shift) as u64;
    let rest = wide & ((1u128 << shift) - 1);
    let half = 1u128 << (shift - 1);
    if rest > half || (rest == half && (sticky || kept & 1 == 1)) {
        kept += 1;
    }
    // A carry out of the fraction runs into the exponent field, as it should.
    let bits = if top >= -1022 {
        (((top + 1022) as u64) << 52) + kept
    } else {
        kept
    };
    (bits < 0x7ff << 52).then(|| f64::from_bits(bits))
}

/// The top 64 bits of a size, the power of two they stand for, and whether
/// anything nonzero lies below.
fn top_bits(size: &BigUint) -> (u64, i64, bool) {
    let bits = size.bits();
    if bits <= 64 {
        return (size.to_u64().unwrap_or(0), 0, false);
    }
    let shift = bits - 64;
    let top = (size >> shift).to_u64().unwrap_or(u64::MAX);
    (
        top,
        shift as i64,
        size.trailing_zeros().unwrap_or(0) < shift,
    )
}

/// `float(n)`.
pub fn big_to_f64(value: &BigInt) -> Result<f64, TextError> {
    let (top, exponent, sticky) = top_bits(value.magnitude());
    match compose(top, exponent, sticky) {
        Some(x) => Ok(if value.sign() == Sign::Minus { -x } else { x }),
        None => Err(TextError::overflow("int too large to convert to float")),
    }
}

/// `int(x)`: towards zero.
pub fn f64_to_int(x: f64) -> Result<Int, TextError> {
    if x.is_nan() {
        return Err(TextError::value("cannot convert float NaN to integer"));
    }
    if x.is_infinite() {
        return Err(TextError::overflow(
            "cannot convert float infinity to integer",
        ));
    }
    if x.abs() < 9.2e18 {
        return Ok(Int::Small(x as i64));
    }
    Ok(Int::from_big(whole_part(x)))
}

/// The whole part of a finite float.
pub(super) fn whole_part(x: f64) -> BigInt {
    let (mantissa, exponent) = split(x);
    let size = BigUint::from(mantissa);
    let size = if exponent >= 0 {
        size << exponent.unsigned_abs()
    } else {
        size >> exponent.unsigned_abs()
    };
    BigInt::from_biguint(if x < 0.0 { Sign::Minus } else { Sign::Plus }, size)
}

/// `|x| = mantissa * 2**exponent` for a finite `x`.
fn split(x: f64) -> (u64, i32) {
    let bits = x.to_bits();
    let biased = ((bits >> 52) & 0x7ff) as i32;
    let fraction = bits & ((1 << 52) - 1);
    if biased == 0 {
        (fraction, -1074)
    } else {
        (fraction | 1 << 52, biased - 1075)
    }
}

/// `a / b` for two words.
pub fn true_div_i64(a: i64, b: i64) -> Result<f64, TextError> {
    const EXACT: u64 = 1 << 53;
    if b != 0 && a.unsigned_abs() <= EXACT && b.unsigned_abs() <= EXACT {
        return Ok(a as f64 / b as f64);
    }
    true_div_big(&BigInt::from(a), &BigInt::from(b))
}

/// `a / b`, correctly rounded.
pub fn true_div_big(a: &BigInt, b: &BigInt) -> Result<f64, TextError> {
    if b.is_zero() {
        return Err(TextError::new(
            ErrKind::ZeroDivisionError,
            "division by zero",
        ));
    }
    if a.is_zero() {
        return Ok(if b.sign() == Sign::Minus { -0.0 } else { 0.0 });
    }
    let (over, under) = (a.magnitude(), b.magnitude());
    let negative = a.sign() != b.sign();
    // Scale so that the quotient has 63 or 64 bits; its remainder is the
    // sticky bit.
    let shift = 64 - (over.bits() as i64 - under.bits() as i64);
    // A quotient far outside the float range needs no division, and shifting
    // that far would only cost memory.
    if shift > 64 + 1200 {
        return Ok(if negative { -0.0 } else { 0.0 });
    }
    let shift = shift - 1;
    let (quotient, rest) = if shift >= 0 {
        num_integer::Integer::div_rem(&(over << shift as u64), under)
    } else {
        num_integer::Integer::div_rem(over, &(under << shift.unsigned_abs()))
    };
    let top = quotient.to_u64().unwrap_or(u64::MAX);
    match compose(top, -shift, !rest.is_zero()) {
        Some(x) => Ok(if negative { -x } else { x }),
        None => Err(TextError::overflow(
            "integer division result too large for a float",
        )),
    }
}

/// `float.as_integer_ratio`: numerator and denominator in lowest terms.
pub fn as_integer_ratio(x: f64) -> Result<(Int, Int), TextError> {
    if x.is_nan() {
        return Err(TextError::value("cannot convert NaN to integer ratio"));
    }
    if x.is_infinite() {
        return Err(TextError::overflow(
            "cannot convert Infinity to integer ratio",
        ));
    }
    let (mut mantissa, mut exponent) = split(x);
    if mantissa == 0 {
        return Ok((Int::Small(0), Int::Small(1)));
    }
    let zeros = mantissa.trailing_zeros();
    mantissa >>= zeros;
    exponent += zeros as i32;
    let sign = if x < 0.0 { Sign::Minus } else { Sign::Plus };
    let mut over = BigUint::from(mantissa);
    let mut under = BigUint::from(1u8);
    if exponent >= 0 {
        over <<= exponent.unsigned_abs();
    } else {
        under <<= exponent.unsigned_abs();
    }
    let under = BigInt::from_biguint(Sign::Plus, under);
    Ok((
        Int::from_big(BigInt::from_biguint(sign, over)),
        Int::from_big(under),
    ))
}

/// Orders a word against a float by exact value; `None` for a nan.
pub fn cmp_i64_f64(a: i64, b: f64) -> Option<Ordering> {
    if b.is_nan() {
        return None;
    }
    if a.unsigned_abs() <= 1 << 53 {
        return (a as f64).partial_cmp(&b);
    }
    // 2**63 is a float; below it the whole part of `b` fits a word.
    if b >= 9_223_372_036_854_775_808.0 {
        return Some(Ordering::Less);
    }
    if b < -9_223_372_036_854_775_808.0 {
        return Some(Ordering::Greater);
    }
    Some(
        a.cmp(&(b as i64))
            .then_with(|| 0.0.partial_cmp(&b.fract()).unwrap_or(Ordering::Equal)),
    )
}

/// Orders a big integer against a float by exact value; `None` for a nan.
pub fn cmp_big_f64(a: &BigInt, b: f64) -> Option<Ordering> {
    if b.is_nan() {
        return None;
    }
    if b.is_infinite() {
        return Some(if b > 0.0 {
            Ordering::Less
        } else {
            Ordering::Greater
        });
    }
    let whole = whole_part(b);
    Some(
        a.cmp(&whole)
            .then_with(|| 0.0.partial_cmp(&b.fract()).unwrap_or(Ordering::Equal)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_traits::pow;

    fn big(text: &str) -> BigInt {
        text.parse().unwrap_or_default()
    }

    #[test]
    fn to_float() {
        assert_eq!(big_to_f64(&big("9007199254740993")), Ok(9007199254740992.0));
        assert_eq!(
            big_to_f64(&big("-9007199254740995")),
            Ok(-9007199254740996.0)
        );
        assert_eq!(big_to_f64(&pow(BigInt::from(10), 300)), Ok(1e300));
        assert_eq!(
            big_to_f64(&((BigInt::from(1) << 64) + 2049)),
            Ok(18446744073709555712.0)
        );
        assert!(big_to_f64(&(BigInt::from(1) << 1024)).is_err());
        let top = (BigInt::from(1) << 1024) - (BigInt::from(1) << 970);
        assert!(big_to_f64(&top).is_err());
        assert_eq!(big_to_f64(&(top - 1)), Ok(f64::MAX));
    }

    #[test]
    fn from_float() {
        assert_eq!(f64_to_int(-2.9), Ok(Int::Small(-2)));
        assert_eq!(f64_to_int(1e22), Ok(Int::Big(pow(BigInt::from(10), 22))));
        assert_eq!(f64_to_int(-9223372036854775808.0), Ok(Int::Small(i64::MIN)));
        assert!(f64_to_int(f64::NAN).is_err());
    }

    #[test]
    fn division() {
        assert_eq!(true_div_i64(1, 3), Ok(1.0 / 3.0));
        assert_eq!(true_div_i64(i64::MAX, 3), Ok(3.0744573456182584e18));
        assert_eq!(
            true_div_big(&pow(BigInt::from(10), 400), &pow(BigInt::from(10), 399)),
            Ok(10.0)
        );
        assert_eq!(
            true_div_big(&BigInt::from(1), &(BigInt::from(1) << 1074)),
            Ok(5e-324)
        );
        assert_eq!(
            true_div_big(&BigInt::from(1), &(BigInt::from(1) << 1075)),
            Ok(0.0)
        );
        assert_eq!(
            true_div_big(&BigInt::from(3), &(BigInt::from(1) << 1076)),
            Ok(5e-324)
        );
        assert!(true_div_big(&(BigInt::from(1) << 1024), &BigInt::from(1)).is_err());
        assert!(true_div_i64(1, 0).is_err());
    }

    #[test]
    fn ratios_and_order() {
        assert_eq!(as_integer_ratio(-1.5), Ok((Int::Small(-3), Int::Small(2))));
        assert_eq!(as_integer_ratio(10.0), Ok((Int::Small(10), Int::Small(1))));
        assert_eq!(
            cmp_i64_f64(i64::MAX, 9223372036854775807.0),
            Some(Ordering::Less)
        );
        assert_eq!(cmp_i64_f64(2, 2.5), Some(Ordering::Less));
        assert_eq!(
            cmp_i64_f64((1 << 53) + 1, 9007199254740992.0),
            Some(Ordering::Greater)
        );
        assert_eq!(
            cmp_big_f64(&pow(BigInt::from(10), 23), 1e23),
            Some(Ordering::Greater)
        );
        assert_eq!(cmp_i64_f64(1, f64::NAN), None);
    }
}
