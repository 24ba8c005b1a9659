//! Text to float: `float(text)` and `float.fromhex`.

use super::error::TextError;
use super::int_text::trim_ascii;
use super::numconv::compose;
use super::repr::{bytes_repr, str_repr};
use super::unidata;

/// `float(text)` for a str.
pub fn parse_float(text: &str) -> Result<f64, TextError> {
    let plain;
    let ascii = if text.is_ascii() {
        text
    } else {
        plain = unidata::to_ascii_digits(text);
        plain.as_str()
    };
    parse_clean(trim_ascii(ascii.as_bytes())).ok_or_else(|| unreadable(&str_repr(text)))
}

/// `float(data)` for a bytes-like argument.
pub fn parse_float_bytes(data: &[u8]) -> Result<f64, TextError> {
    parse_clean(trim_ascii(data)).ok_or_else(|| unreadable(&bytes_repr(data)))
}

fn unreadable(shown: &str) -> TextError {
    TextError::value(format!("could not convert string to float: {shown}"))
}

/// Reads stripped text. Rust's own parser takes the same grammar (decimal,
/// `inf`, `infinity`, `nan` in any case) and rounds correctly; underscores
/// between digits are Python's.
pub(super) fn parse_clean(text: &[u8]) -> Option<f64> {
    if memchr::memchr(b'_', text).is_none() {
        return std::str::from_utf8(text).ok()?.parse().ok();
    }
    let mut kept = String::with_capacity(text.len());
    for (at, byte) in text.iter().enumerate() {
        if *byte == b'_' {
            let digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
            if at == 0 || !digit(at - 1) || !digit(at + 1) {
                return None;
            }
        } else {
            kept.push(*byte as char);
        }
    }
    kept.parse().ok()
}

/// `float.fromhex`.
pub fn float_fromhex(text: &str) -> Result<f64, TextError> {
    let bad = || TextError::value("invalid hexadecimal floating-point string");
    let body = trim_ascii(text.as_bytes());
    let (negative, rest) = match body.first() {
        Some(b'-') => (true, &body[1..]),
        Some(b'+') => (false, &body[1..]),
        _ => (false, body),
    };
    let signed = |x: f64| if negative { -x } else { x };
    if rest.eq_ignore_ascii_case(b"inf") || rest.eq_ignore_ascii_case(b"infinity") {
        return Ok(signed(f64::INFINITY));
    }
    if rest.eq_ignore_ascii_case(b"nan") {
        return Ok(signed(f64::NAN));
    }
    let rest = match rest {
        [b'0', b'x' | b'X', tail @ ..] => tail,
        _ => rest,
    };
    let digits = read_hex_digits(rest).ok_or_else(bad)?;
    let exponent = match &rest[digits.used..] {
        [] => 0,
        [b'p' | b'P', tail @ ..] => read_exponent(tail).ok_or_else(bad)?,
        _ => return Err(bad()),
    };
    let exponent = digits.exponent.saturating_add(exponent);
    match compose(digits.mantissa, exponent, digits.sticky) {
        Some(x) => Ok(signed(x)),
        None => Err(TextError::overflow(
            "hexadecimal value too large to represent as a float",
        )),
    }
}

struct HexDigits {
    mantissa: u64,
    exponent: i64,
    sticky: bool,
    used: usize,
}

/// Up to sixty significant bits, the rest only as "something nonzero follows".
fn read_hex_digits(text: &[u8]) -> Option<HexDigits> {
    let mut read = HexDigits {
        mantissa: 0,
        exponent: 0,
        sticky: false,
        used: 0,
    };
    let mut seen = 0;
    let mut point = false;
    for byte in text {
        let digit = match byte {
            b'.' if !point => {
                point = true;
                read.used += 1;
                continue;
            }
            _ => match (*byte as char).to_digit(16) {
                Some(digit) => digit,
                None => break,
            },
        };
        read.used += 1;
        seen += 1;
        if read.mantissa >> 60 == 0 {
            read.mantissa = read.mantissa << 4 | u64::from(digit);
            read.exponent -= if point { 4 } else { 0 };
        } else {
            read.sticky |= digit != 0;
            read.exponent += if point { 0 } else { 4 };
        }
    }
    (seen > 0).then_some(read)
}

fn read_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let size = digits.iter().fold(0i64, |value, digit| {
        value
            .saturating_mul(10)
            .saturating_add(i64::from(digit - b'0'))
    });
    // Far beyond any float either way, and safe to add to.
    let size = size.min(1 << 60);
    Some(if negative { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals() {
        for (text, want) in [
            ("1", 1.0),
            (" -1_0.5e1_0 ", -10.5e10),
            (".5", 0.5),
            ("5.", 5.0),
            ("+Infinity", f64::INFINITY),
            ("1e400", f64::INFINITY),
            ("\u{661}.\u{665}", 1.5),
            ("\u{3000}2\u{3000}", 2.0),
        ] {
            assert_eq!(parse_float(text), Ok(want));
        }
        assert!(parse_float("-NaN").is_ok_and(f64::is_nan));
    }

    #[test]
    fn refusals() {
        for text in [
            "", ".", "e5", "1e", "1__0", "_1", "1_", "1_.5", "0x1", "1 2", "infin", "1\0",
        ] {
            let want = format!("could not convert string to float: {}", str_repr(text));
            assert_eq!(parse_float(text).map_err(|e| e.message), Err(want));
        }
    }

    #[test]
    fn hex() {
        assert_eq!(float_fromhex("0x1.8p1"), Ok(3.0));
        assert_eq!(float_fromhex(" -1.999999999999ap-4 "), Ok(-0.1));
        assert_eq!(float_fromhex("0x.0000000000001p-1022"), Ok(5e-324));
        assert_eq!(float_fromhex("0x1p-1075"), Ok(0.0));
        assert_eq!(float_fromhex("0x1.8p-1075"), Ok(5e-324));
        assert!(float_fromhex("0x1p1024").is_err());
        assert!(float_fromhex("0x").is_err());
        assert!(float_fromhex("0x1p").is_err());
        assert_eq!(float_fromhex("0x0p99999999999999999999"), Ok(0.0));
    }
}
