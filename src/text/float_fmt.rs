//! Float digits under 'e', 'f', 'g' and the repr style, any precision.
//!
//! Writes the unsigned body only; sign, grouping and padding belong to
//! `format_num`. Every digit is correctly rounded (half to even on the exact
//! binary value). A double has at most 1074 digits after the point and 767
//! significant ones, so larger precisions only add zeros.

use super::float_repr::{non_finite, push_exponent, shortest_digits};
use super::int_text::push_u64;
use std::fmt::Write;

/// The notation wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `d.ddde+XX`
    Exponent,
    /// `ddd.ddd`
    Fixed,
    /// Whichever of the two suits, without trailing zeros unless `alt`.
    General,
    /// Shortest round-trip digits.
    Repr,
}

const MAX_FRACTION: usize = 1080;
const MAX_SIGNIFICANT: usize = 800;

const POW10: [u128; 18] = {
    let mut table = [1u128; 18];
    let mut at = 1;
    while at < 18 {
        table[at] = table[at - 1] * 10;
        at += 1;
    }
    table
};

/// Appends the body of `|x|`: digits, point and exponent, no sign. `alt` keeps
/// the point (and, for `General`, the zeros); `dot_zero` appends `.0` to a
/// whole number in fixed notation.
pub fn push_body(
    out: &mut String,
    x: f64,
    style: Style,
    precision: usize,
    alt: bool,
    dot_zero: bool,
) {
    let x = x.abs();
    if !x.is_finite() {
        out.push_str(non_finite(x));
        return;
    }
    match style {
        Style::Fixed => push_fixed(out, x, precision, alt),
        Style::Exponent => push_scientific(out, x, precision, alt),
        Style::General => push_general(out, x, precision.max(1), alt, dot_zero),
        Style::Repr => {
            let (digits, point) = shortest_digits(x);
            push_digits(out, &digits, point, 16, alt, dot_zero);
        }
    }
}

/// `x` rounded to `precision` decimals as a whole number of units in the last
/// place, when that is small enough to compute in one word.
pub(super) fn scaled(x: f64, precision: usize) -> Option<u64> {
    let power = *POW10.get(precision)?;
    let bits = x.to_bits();
    let biased = (bits >> 52) & 0x7ff;
    let fraction = bits & ((1 << 52) - 1);
    let (mantissa, exponent) = match biased {
        0 => (fraction, -1074),
        0x7ff => return None,
        _ => (fraction | 1 << 52, biased as i32 - 1075),
    };
    // At most 53 + 57 bits.
    let product = u128::from(mantissa) * power;
    if exponent >= 0 {
        if exponent > 10 {
            return None;
        }
        return u64::try_from(product << exponent).ok();
    }
    let shift = exponent.unsigned_abs();
    if shift >= 128 {
        return Some(0);
    }
    let mut units = product >> shift;
    let rest = product & ((1 << shift) - 1);
    let half = 1u128 << (shift - 1);
    if rest > half || (rest == half && units & 1 == 1) {
        units += 1;
    }
    u64::try_from(units).ok()
}

/// Whole part and decimals. Division by a constant is several times faster
/// than by a variable, so the usual precisions get their own.
fn split_units(units: u64, precision: usize) -> (u64, u64) {
    let (whole, power) = match precision {
        0 => return (units, 0),
        1 => (units / 10, 10),
        2 => (units / 100, 100),
        3 => (units / 1000, 1000),
        4 => (units / 10_000, 10_000),
        6 => (units / 1_000_000, 1_000_000),
        _ => {
            let power = POW10.get(precision).map_or(1, |power| *power as u64);
            (units / power, power)
        }
    };
    (whole, units - whole * power)
}

fn push_fixed(out: &mut String, x: f64, precision: usize, alt: bool) {
    if let Some(units) = scaled(x, precision) {
        let (whole, fraction) = split_units(units, precision);
        push_u64(out, whole);
        if precision > 0 {
            out.push('.');
            let mut buffer = [0; 20];
            let at = super::int_text::decimal_digits(fraction, &mut buffer);
            for _ in buffer.len() - at..precision {
                out.push('0');
            }
            out.push_str(std::str::from_utf8(&buffer[at..]).unwrap_or(""));
        }
    } else {
        let shown = precision.min(MAX_FRACTION);
        // Writing to a String cannot fail.
        let _ = write!(out, "{x:.shown$}");
        push_zeros(out, precision - shown);
    }
    if alt && precision == 0 {
        out.push('.');
    }
}

pub(super) fn push_zeros(out: &mut String, count: usize) {
    out.extend(std::iter::repeat_n('0', count));
}

fn push_scientific(out: &mut String, x: f64, precision: usize, alt: bool) {
    if let Some((digits, point)) = short_digits(x, precision.saturating_add(1)) {
        out.push_str(&digits[..1]);
        if precision > 0 || alt {
            out.push('.');
        }
        out.push_str(&digits[1..]);
        push_exponent(out, point - 1);
        return;
    }
    let shown = precision.min(MAX_SIGNIFICANT);
    let start = out.len();
    let _ = write!(out, "{x:.shown$e}");
    let at = out[start..].find('e').map_or(out.len(), |at| at + start);
    let exponent: i32 = out
        .get(at + 1..)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    out.truncate(at);
    if precision > shown {
        push_zeros(out, precision - shown);
    }
    if alt && precision == 0 {
        out.push('.');
    }
    push_exponent(out, exponent);
}

/// `precision` significant digits of `x` and where the point falls.
fn rounded_digits(x: f64, precision: usize) -> (String, i32) {
    if x == 0.0 {
        return ("0".repeat(precision.min(MAX_SIGNIFICANT)), 1);
    }
    if let Some(found) = short_digits(x, precision) {
        return found;
    }
    let mut text = String::with_capacity(precision.min(MAX_SIGNIFICANT) + 8);
    let shown = precision.min(MAX_SIGNIFICANT) - 1;
    let _ = write!(text, "{x:.shown$e}");
    let at = text.find('e').unwrap_or(text.len());
    let exponent: i32 = text
        .get(at + 1..)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    text.truncate(at);
    if text.len() > 1 {
        text.remove(1);
    }
    (text, exponent + 1)
}

/// `rounded_digits` by one word of arithmetic, for values of everyday size.
fn short_digits(x: f64, precision: usize) -> Option<(String, i32)> {
    if !(1e-4..1e15).contains(&x) || precision > 15 {
        return None;
    }
    // How many digits stand before the point; below one, a first guess that
    // the count of digits then confirms.
    let mut point = match x {
        _ if x >= 1.0 => (x as u64).ilog10() as i32 + 1,
        _ if x >= 0.1 => 0,
        _ if x >= 0.01 => -1,
        _ if x >= 0.001 => -2,
        _ => -3,
    };
    let decimals = usize::try_from(i32::try_from(precision).ok()? - point).ok()?;
    let mut units = scaled(x, decimals)?;
    let power = u64::try_from(*POW10.get(precision)?).ok()?;
    if units == power {
        // Rounded up to the next power of ten.
        units /= 10;
        point += 1;
    }
    if units >= power || units < power / 10 {
        return None;
    }
    let mut digits = String::with_capacity(24);
    push_u64(&mut digits, units);
    Some((digits, point))
}

fn push_general(out: &mut String, x: f64, precision: usize, alt: bool, dot_zero: bool) {
    let (mut digits, point) = rounded_digits(x, precision);
    // Where ".0" will be added, one digit is kept for it.
    let limit = i32::try_from(precision).unwrap_or(i32::MAX) - i32::from(dot_zero);
    if alt {
        let missing = precision.saturating_sub(digits.len());
        push_zeros(&mut digits, missing);
        push_digits(out, &digits, point, limit, true, dot_zero);
        return;
    }
    digits.truncate(digits.trim_end_matches('0').len().max(1));
    push_digits(out, &digits, point, limit, false, dot_zero);
}

/// Lays digits out in fixed notation while `-4 < point <= limit`, else with an
/// exponent.
fn push_digits(out: &mut String, digits: &str, point: i32, limit: i32, alt: bool, dot_zero: bool) {
    if point <= -4 || point > limit {
        out.push_str(&digits[..1]);
        if digits.len() > 1 || alt {
            out.push('.');
        }
        out.push_str(&digits[1..]);
        push_exponent(out, point - 1);
        return;
    }
    if point <= 0 {
        out.push_str("0.");
        push_zeros(out, point.unsigned_abs() as usize);
        out.push_str(digits);
        return;
    }
    let whole = point as usize;
    if digits.len() > whole {
        out.push_str(&digits[..whole]);
        out.push('.');
        out.push_str(&digits[whole..]);
        return;
    }
    out.push_str(digits);
    push_zeros(out, whole - digits.len());
    if dot_zero {
        out.push_str(".0");
    } else if alt {
        out.push('.');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(x: f64, style: Style, precision: usize) -> String {
        let mut out = String::new();
        push_body(&mut out, x, style, precision, false, false);
        out
    }

    #[test]
    fn fixed() {
        assert_eq!(body(2.5, Style::Fixed, 0), "2");
        assert_eq!(body(0.125, Style::Fixed, 2), "0.12");
        assert_eq!(body(2.675, Style::Fixed, 2), "2.67");
        assert_eq!(body(1e22, Style::Fixed, 1), "10000000000000000000000.0");
        assert_eq!(body(0.1, Style::Fixed, 20), "0.10000000000000000555");
        assert_eq!(body(5e-324, Style::Fixed, 3), "0.000");
        assert_eq!(body(5e-324, Style::Fixed, 2000).len(), 2002);
    }

    #[test]
    fn scientific_and_general() {
        assert_eq!(body(2.5, Style::Exponent, 0), "2e+00");
        assert_eq!(body(0.0, Style::Exponent, 3), "0.000e+00");
        assert_eq!(body(123456.0, Style::Exponent, 2), "1.23e+05");
        assert_eq!(body(123456.0, Style::General, 6), "123456");
        assert_eq!(body(1234567.0, Style::General, 6), "1.23457e+06");
        assert_eq!(body(0.0001, Style::General, 6), "0.0001");
        assert_eq!(body(0.00001, Style::General, 6), "1e-05");
        assert_eq!(body(0.0, Style::General, 6), "0");
    }
}
