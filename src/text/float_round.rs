//! `round` of floats and ints.

use super::error::TextError;
use super::float_fmt::scaled;
use super::int_text::Int;
use super::numconv::{big_to_f64, f64_to_int, whole_part};
use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Signed, Zero, pow};

const EXACT_POW10: [f64; 16] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

/// `round(x)`: the nearest integer, ties to even.
pub fn round_to_int(x: f64) -> Result<Int, TextError> {
    f64_to_int(if x.is_finite() {
        x.round_ties_even()
    } else {
        x
    })
}

/// `round(x, digits)`: correct for the exact binary value, ties to even.
pub fn round_float(x: f64, digits: i64) -> Result<f64, TextError> {
    if !x.is_finite() || x == 0.0 || digits > 323 {
        return Ok(x);
    }
    if digits < -308 {
        return Ok(0.0 * x);
    }
    if digits < 0 {
        return round_whole(x, digits.unsigned_abs() as usize);
    }
    let digits = digits as usize;
    // Units and power both exact: one division rounds correctly.
    if let Some(power) = EXACT_POW10.get(digits)
        && let Some(units) = scaled(x.abs(), digits)
        && units <= 1 << 53
    {
        return Ok((units as f64 / power).copysign(x));
    }
    let rounded: f64 = format!("{x:.digits$}").parse().unwrap_or(x);
    if rounded.is_finite() {
        Ok(rounded)
    } else {
        Err(too_large())
    }
}

fn too_large() -> TextError {
    TextError::overflow("rounded value too large to represent")
}

/// Rounds to a multiple of `10**places`.
fn round_whole(x: f64, places: usize) -> Result<f64, TextError> {
    let power = pow(BigInt::from(10), places);
    let whole = whole_part(x.abs());
    let (mut quotient, rest) = whole.div_rem(&power);
    let twice = rest * 2;
    let tie_up = x.fract() != 0.0 || quotient.is_odd();
    if twice > power || (twice == power && tie_up) {
        quotient += 1;
    }
    let size = big_to_f64(&(quotient * power)).map_err(|_| too_large())?;
    Ok(size.copysign(x))
}

/// `round(n, digits)` of an integer for negative `digits` (given as their
/// size): the nearest multiple of `10**places`, ties to an even multiple.
pub fn round_int(value: &BigInt, places: u64) -> BigInt {
    // Half of the power already exceeds the value: everything rounds off.
    if places.saturating_mul(3) > value.bits() + 4 {
        return BigInt::zero();
    }
    let power = pow(BigInt::from(10), places as usize);
    let (mut quotient, rest) = value.abs().div_rem(&power);
    let twice = rest * 2;
    if twice > power || (twice == power && quotient.is_odd()) {
        quotient += 1;
    }
    let size = quotient * power;
    if value.is_negative() { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats() {
        for (x, digits, want) in [
            (2.675f64, 2, 2.67f64),
            (0.5, 0, 0.0),
            (1.5, 0, 2.0),
            (1234.5678, -2, 1200.0),
            (1250.0, -2, 1200.0),
            (1350.0, -2, 1400.0),
            (1250.5, -2, 1300.0),
            (1e300, 5, 1e300),
            (5e-324, 323, 0.0),
            (-0.4, 0, -0.0),
            (12345678901234.568, 2, 12345678901234.57),
        ] {
            assert_eq!(
                round_float(x, digits).map(f64::to_bits),
                Ok(want.to_bits()),
                "{x} {digits}"
            );
        }
        assert!(round_float(1.7976931348623157e308, -308).is_err());
        assert_eq!(round_to_int(2.5), Ok(Int::Small(2)));
        assert!(round_to_int(f64::INFINITY).is_err());
    }

    #[test]
    fn ints() {
        let round = |n: i64, places| round_int(&BigInt::from(n), places);
        assert_eq!(round(15, 1), BigInt::from(20));
        assert_eq!(round(25, 1), BigInt::from(20));
        assert_eq!(round(-25, 1), BigInt::from(-20));
        assert_eq!(round(5, 1), BigInt::from(0));
        assert_eq!(round(6, 1), BigInt::from(10));
        assert_eq!(round(51, 2), BigInt::from(100));
        assert_eq!(round(99, 500), BigInt::from(0));
    }
}
