//! Text to complex: `complex('1+2j')`.

use crate::text::float_parse::parse_float;
use crate::text::unidata;

/// The length of the longest float literal (sign, digits with underscores, point, exponent; `inf`, `nan`) at the start.
fn float_length(s: &[u8]) -> usize {
    let sign = matches!(s.first(), Some(b'+' | b'-')) as usize;
    let rest = &s[sign..];
    for word in ["infinity", "inf", "nan"] {
        if rest.len() >= word.len() && rest[..word.len()].eq_ignore_ascii_case(word.as_bytes()) {
            return sign + word.len();
        }
    }
    let digits = |from: usize| {
        rest[from..]
            .iter()
            .take_while(|b| b.is_ascii_digit() || **b == b'_')
            .count()
    };
    let mut at = digits(0);
    let mut seen = at;
    if rest.get(at) == Some(&b'.') {
        let n = digits(at + 1);
        at += 1 + n;
        seen += n;
    }
    if seen == 0 {
        return 0;
    }
    if matches!(rest.get(at), Some(b'e' | b'E')) {
        let sign = matches!(rest.get(at + 1), Some(b'+' | b'-')) as usize;
        let n = digits(at + 1 + sign);
        if n > 0 {
            at += 1 + sign + n;
        }
    }
    sign + at
}

/// None if the text is no complex number.
pub fn parse_complex(text: &str) -> Option<(f64, f64)> {
    let plain;
    let mut s = if text.is_ascii() {
        text
    } else {
        plain = unidata::to_ascii_digits(text);
        plain.as_str()
    };
    let space = |c: char| matches!(c, ' ' | '\t'..='\r');
    s = s.trim_matches(space);
    if let Some(inner) = s.strip_prefix('(') {
        s = inner.strip_suffix(')')?.trim_matches(space);
    }
    let j = |s: &str| matches!(s, "j" | "J");
    let unit = |s: &str| -> Option<f64> {
        match s {
            "" | "+" => Some(1.0),
            "-" => Some(-1.0),
            _ => None,
        }
    };
    let n = float_length(s.as_bytes());
    if n == 0 {
        // "j", "+j", "-j"
        let (sign, last) = s.split_at(s.len().checked_sub(1).filter(|n| s.is_char_boundary(*n))?);
        return if j(last) {
            Some((0.0, unit(sign)?))
        } else {
            None
        };
    }
    let first = parse_float(&s[..n]).ok()?;
    let rest = &s[n..];
    if rest.is_empty() {
        return Some((first, 0.0));
    }
    if j(rest) {
        return Some((0.0, first));
    }
    if !rest.starts_with(['+', '-']) {
        return None;
    }
    let n = float_length(rest.as_bytes());
    let (number, tail) = if n == 0 {
        rest.split_at(1)
    } else {
        rest.split_at(n)
    };
    if !j(tail) {
        return None;
    }
    let im = if n == 0 {
        unit(number)?
    } else {
        parse_float(number).ok()?
    };
    Some((first, im))
}
