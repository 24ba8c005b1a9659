//! Integers as text: `int(text, base)`, `str(n)`, and digits in any base.
//!
//! A machine word is the common case everywhere; `BigInt` only appears when a
//! value does not fit. Decimal conversions of big values honour the digit
//! limit of `sys.set_int_max_str_digits` (0 means no limit).

use super::error::TextError;
use super::repr::{bytes_repr, str_repr};
use super::unidata;
use num_bigint::{BigInt, BigUint, Sign};
use num_traits::ToPrimitive;

/// The default of `sys.get_int_max_str_digits()`.
pub const DEFAULT_MAX_DIGITS: usize = 4300;

/// An integer in the smallest form that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Int {
    Small(i64),
    Big(BigInt),
}

impl Int {
    /// Normalises: a value that fits a word is never `Big`.
    pub fn from_big(value: BigInt) -> Int {
        match value.to_i64() {
            Some(small) => Int::Small(small),
            None => Int::Big(value),
        }
    }

    /// The value as a `BigInt` whatever its form.
    pub fn into_big(self) -> BigInt {
        match self {
            Int::Small(value) => BigInt::from(value),
            Int::Big(value) => value,
        }
    }
}

const PAIRS: &[u8; 200] = b"0001020304050607080910111213141516171819\
2021222324252627282930313233343536373839\
4041424344454647484950515253545556575859\
6061626364656667686970717273747576777879\
8081828384858687888990919293949596979899";

/// Writes the decimal digits of `value` at the end of `buffer`; answers where
/// they begin.
pub fn decimal_digits(mut value: u64, buffer: &mut [u8; 20]) -> usize {
    let mut at = buffer.len();
    while value >= 100 {
        let pair = (value % 100) as usize * 2;
        value /= 100;
        at -= 2;
        buffer[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    if value >= 10 {
        let pair = value as usize * 2;
        at -= 2;
        buffer[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    } else {
        at -= 1;
        buffer[at] = b'0' + value as u8;
    }
    at
}

/// Appends the decimal digits of `value`.
pub fn push_u64(out: &mut String, value: u64) {
    let mut buffer = [0; 20];
    let at = decimal_digits(value, &mut buffer);
    out.push_str(std::str::from_utf8(&buffer[at..]).unwrap_or(""));
}

/// Appends `str(value)`.
pub fn push_i64(out: &mut String, value: i64) {
    if value < 0 {
        out.push('-');
    }
    push_u64(out, value.unsigned_abs());
}

/// `str(value)`.
pub fn int_to_str(value: i64) -> String {
    let mut out = String::with_capacity(20);
    push_i64(&mut out, value);
    out
}

/// `str(value)` for a big value, within the digit limit.
pub fn big_to_str(value: &BigInt, max_digits: usize) -> Result<String, TextError> {
    let too_long = || {
        TextError::value(format!(
            "Exceeds the limit ({max_digits} digits) for integer string conversion; \
             use sys.set_int_max_str_digits() to increase the limit"
        ))
    };
    // Every decimal digit needs more than three bits, so a far too large value
    // is refused before the costly conversion.
    if max_digits > 0 && value.bits() > (max_digits as u64 + 1) * 10 / 3 + 64 {
        return Err(too_long());
    }
    let text = value.to_string();
    if max_digits > 0 && text.trim_start_matches('-').len() > max_digits {
        return Err(too_long());
    }
    Ok(text)
}

/// The digits of a value's size in `base` (2 to 36), without sign or prefix.
pub fn to_radix(value: &BigUint, base: u32) -> String {
    value.to_str_radix(base.clamp(2, 36))
}

/// `bin`, `oct` and `hex`: the prefixed text of a word.
pub fn prefixed_i64(value: i64, base: u32) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let size = value.unsigned_abs();
    match base {
        2 => format!("{sign}0b{size:b}"),
        8 => format!("{sign}0o{size:o}"),
        _ => format!("{sign}0x{size:x}"),
    }
}

/// `bin`, `oct` and `hex` of a big value.
pub fn prefixed_big(value: &BigInt, base: u32) -> String {
    let sign = if value.sign() == Sign::Minus { "-" } else { "" };
    let (prefix, base) = match base {
        2 => ("0b", 2),
        8 => ("0o", 8),
        _ => ("0x", 16),
    };
    format!("{sign}{prefix}{}", value.magnitude().to_str_radix(base))
}

/// `int(text, base)`.
pub fn parse_int(text: &str, base: i64, max_digits: usize) -> Result<Int, TextError> {
    if base == 10
        && let Some(value) = parse_short(text.as_bytes())
    {
        return Ok(Int::Small(value));
    }
    check_base(base)?;
    let plain;
    let ascii = if text.is_ascii() {
        trim_ascii(text.as_bytes())
    } else {
        plain = unidata::to_ascii_digits(text);
        trim_ascii(plain.as_bytes())
    };
    parse_clean(ascii, base as u32, max_digits)?
        .ok_or_else(|| invalid_literal(base, &str_repr(text)))
}

/// `int(data, base)` for a bytes-like argument.
pub fn parse_int_bytes(data: &[u8], base: i64, max_digits: usize) -> Result<Int, TextError> {
    check_base(base)?;
    parse_clean(trim_ascii(data), base as u32, max_digits)?
        .ok_or_else(|| invalid_literal(base, &bytes_repr(data)))
}

fn check_base(base: i64) -> Result<(), TextError> {
    if base == 0 || (2..=36).contains(&base) {
        return Ok(());
    }
    Err(TextError::value("int() base must be >= 2 and <= 36, or 0"))
}

/// CPython cuts the shown literal at 200 characters.
fn invalid_literal(base: i64, shown: &str) -> TextError {
    let cut = shown
        .char_indices()
        .nth(200)
        .map_or(shown.len(), |(at, _)| at);
    TextError::value(format!(
        "invalid literal for int() with base {base}: {}",
        &shown[..cut]
    ))
}

/// Up to eighteen plain digits with an optional sign.
fn parse_short(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut value = 0i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | 9..=13)
}

/// Drops the white space C's `isspace` knows from both ends.
pub(super) fn trim_ascii(text: &[u8]) -> &[u8] {
    let start = text
        .iter()
        .position(|b| !is_space(*b))
        .unwrap_or(text.len());
    let end = text
        .iter()
        .rposition(|b| !is_space(*b))
        .map_or(start, |at| at + 1);
    &text[start..end]
}

fn digit_of(byte: u8) -> u32 {
    (byte as char).to_digit(36).unwrap_or(99)
}

/// Reads stripped text; `None` when it is not a literal of that base.
fn parse_clean(text: &[u8], base: u32, max_digits: usize) -> Result<Option<Int>, TextError> {
    let (negative, mut rest) = match text.first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let prefix = match rest {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', b'o' | b'O', ..] => 8,
        [b'0', b'b' | b'B', ..] => 2,
        _ => 0,
    };
    let mut base = base;
    let mut only_zero = false;
    if base == 0 {
        // Like a literal in source: no prefix means decimal, and decimal may
        // not start with a zero unless it is all zeros.
        base = if prefix == 0 { 10 } else { prefix };
        only_zero = prefix == 0 && rest.first() == Some(&b'0');
    }
    if prefix != 0 && prefix == base {
        rest = &rest[2..];
        if rest.first() == Some(&b'_') {
            rest = &rest[1..];
        }
    }
    let mut digits = Vec::with_capacity(rest.len());
    let mut last_was_digit = false;
    let mut junk = false;
    for byte in rest {
        if *byte == b'_' {
            if !last_was_digit {
                return Ok(None);
            }
            last_was_digit = false;
        } else if digit_of(*byte) < base {
            digits.push(*byte);
            last_was_digit = true;
        } else {
            junk = true;
            break;
        }
    }
    if digits.is_empty() || !last_was_digit {
        return Ok(None);
    }
    let count = digits.len();
    if !base.is_power_of_two() && max_digits > 0 && count > max_digits && count > 640 {
        return Err(TextError::value(format!(
            "Exceeds the limit ({max_digits} digits) for integer string conversion: \
             value has {count} digits; use sys.set_int_max_str_digits() to increase the limit"
        )));
    }
    if junk || (only_zero && digits.iter().any(|d| *d != b'0')) {
        return Ok(None);
    }
    if count <= 12 {
        let size = digits
            .iter()
            .fold(0i64, |v, d| v * i64::from(base) + i64::from(digit_of(*d)));
        return Ok(Some(Int::Small(if negative { -size } else { size })));
    }
    let Some(size) = BigUint::parse_bytes(&digits, base) else {
        return Ok(None);
    };
    let sign = if negative { Sign::Minus } else { Sign::Plus };
    Ok(Some(Int::from_big(BigInt::from_biguint(sign, size))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(text: &str, base: i64) -> Result<Int, String> {
        parse_int(text, base, DEFAULT_MAX_DIGITS).map_err(|e| e.message)
    }

    #[test]
    fn words() {
        for v in [0, 7, 10, 99, 100, 12345, i64::MAX, i64::MIN, -1] {
            assert_eq!(int_to_str(v), v.to_string());
        }
    }

    #[test]
    fn parses() {
        assert_eq!(int("12", 10), Ok(Int::Small(12)));
        assert_eq!(int("  -1_000\n", 10), Ok(Int::Small(-1000)));
        assert_eq!(int("0x_1f", 16), Ok(Int::Small(31)));
        assert_eq!(int("0b101", 0), Ok(Int::Small(5)));
        assert_eq!(int("0_0", 0), Ok(Int::Small(0)));
        assert_eq!(int("zz", 36), Ok(Int::Small(1295)));
        assert_eq!(int("\u{663}\u{664}", 10), Ok(Int::Small(34)));
        assert_eq!(int("-9223372036854775808", 10), Ok(Int::Small(i64::MIN)));
        assert!(matches!(int("9223372036854775808", 10), Ok(Int::Big(_))));
    }

    #[test]
    fn refuses() {
        let bad = "invalid literal for int() with base 10: ";
        for text in ["", " ", "1__0", "_1", "1_", "- 1", "0x10", "1.5"] {
            assert_eq!(int(text, 10), Err(format!("{bad}{}", str_repr(text))));
        }
        assert_eq!(
            int("01", 0),
            Err("invalid literal for int() with base 0: '01'".into())
        );
        assert_eq!(
            int("1", 37),
            Err("int() base must be >= 2 and <= 36, or 0".into())
        );
        assert_eq!(
            int(&"1".repeat(5000), 10),
            Err(
                "Exceeds the limit (4300 digits) for integer string conversion: value has 5000 \
                 digits; use sys.set_int_max_str_digits() to increase the limit"
                    .into()
            )
        );
        let big = num_traits::pow(BigInt::from(10), 4300);
        assert!(big_to_str(&big, 4300).is_err());
        assert!(big_to_str(&(big - 1), 4300).is_ok());
    }

    #[test]
    fn prefixes() {
        assert_eq!(prefixed_i64(-255, 16), "-0xff");
        assert_eq!(prefixed_i64(5, 2), "0b101");
        assert_eq!(prefixed_big(&BigInt::from(-8), 8), "-0o10");
    }
}
