//! Floats as shortest round-trip text: `repr`, `str` and `float.hex`.
//!
//! `ryu` finds the digits; this file puts the exponent the way Python does:
//! fixed notation while the decimal point lies in -4 < point <= 16, otherwise
//! `d.ddde±XX` with at least two exponent digits.

/// `repr(x)` for a float.
pub fn float_repr(x: f64) -> String {
    let mut out = String::with_capacity(24);
    push_float_repr(&mut out, x);
    out
}

/// Appends `repr(x)` to `out`.
pub fn push_float_repr(out: &mut String, x: f64) {
    if !x.is_finite() {
        out.push_str(non_finite(x));
        return;
    }
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(x);
    // `ryu` and Python agree on fixed notation except for 0.0000d..., where
    // Python already goes to an exponent.
    if let Some(at) = text.find('e') {
        out.push_str(&text[..at]);
        push_exponent(out, text[at + 1..].parse().unwrap_or(0));
        return;
    }
    let (sign, body) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    match body.strip_prefix("0.0000") {
        Some(tail) if !tail.is_empty() => {
            out.push_str(sign);
            let zeros = tail.len() - tail.trim_start_matches('0').len();
            let digits = &tail[zeros..];
            out.push_str(&digits[..1]);
            if digits.len() > 1 {
                out.push('.');
                out.push_str(&digits[1..]);
            }
            push_exponent(out, -5 - zeros as i32);
        }
        _ => out.push_str(text),
    }
}

/// `inf`, `-inf` or `nan`; Python never shows the sign of a nan.
pub fn non_finite(x: f64) -> &'static str {
    if x.is_nan() {
        "nan"
    } else if x > 0.0 {
        "inf"
    } else {
        "-inf"
    }
}

/// Appends `e+07`: a sign always, two digits at least.
pub fn push_exponent(out: &mut String, exponent: i32) {
    out.push('e');
    out.push(if exponent < 0 { '-' } else { '+' });
    let size = exponent.unsigned_abs();
    if size < 10 {
        out.push('0');
    }
    super::int_text::push_u64(out, u64::from(size));
}

/// The shortest digits that read back as `x`, with where the decimal point
/// falls: `0.DIGITS * 10**point`. `x` must be finite; its sign is dropped.
pub fn shortest_digits(x: f64) -> (String, i32) {
    if x == 0.0 || !x.is_finite() {
        return ("0".to_owned(), 1);
    }
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(x.abs());
    let (mantissa, exponent) = match text.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, exponent.parse().unwrap_or(0)),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = String::with_capacity(18);
    digits.push_str(whole);
    digits.push_str(fraction);
    let mut point = whole.len() as i32 + exponent;
    let zeros = digits.len() - digits.trim_start_matches('0').len();
    digits.drain(..zeros);
    point -= zeros as i32;
    digits.truncate(digits.trim_end_matches('0').len());
    (digits, point)
}

/// `float.hex`.
pub fn float_hex(x: f64) -> String {
    if !x.is_finite() {
        return non_finite(x).to_owned();
    }
    let bits = x.to_bits();
    let sign = if bits >> 63 == 1 { "-" } else { "" };
    let biased = ((bits >> 52) & 0x7ff) as i32;
    let fraction = bits & ((1 << 52) - 1);
    if biased == 0 && fraction == 0 {
        return format!("{sign}0x0.0p+0");
    }
    let (lead, exponent) = if biased == 0 {
        (0, -1022)
    } else {
        (1, biased - 1023)
    };
    format!("{sign}0x{lead}.{fraction:013x}p{exponent:+}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repr_follows_python() {
        let cases: &[(f64, &str)] = &[
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e16, "1e+16"),
            (1e15, "1000000000000000.0"),
            (9999999999999998.0, "9999999999999998.0"),
            (12345678901234567890.0, "1.2345678901234567e+19"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-0.000012345, "-1.2345e-05"),
            (5e-324, "5e-324"),
            (1.7976931348623157e308, "1.7976931348623157e+308"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ];
        for (x, want) in cases {
            assert_eq!(float_repr(*x), *want);
        }
    }

    #[test]
    fn digits_and_point() {
        assert_eq!(shortest_digits(0.001234), ("1234".to_owned(), -2));
        assert_eq!(shortest_digits(1e22), ("1".to_owned(), 23));
        assert_eq!(shortest_digits(120.0), ("12".to_owned(), 3));
    }

    #[test]
    fn hex() {
        assert_eq!(float_hex(3.0), "0x1.8000000000000p+1");
        assert_eq!(float_hex(-0.1), "-0x1.999999999999ap-4");
        assert_eq!(float_hex(5e-324), "0x0.0000000000001p-1022");
        assert_eq!(float_hex(0.0), "0x0.0p+0");
    }
}
