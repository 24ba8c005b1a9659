//! Numbers under the format mini-language.
//!
//! A number is laid out from parts: sign, prefix, digits, and what follows the
//! digits. Grouping and zero fill work on the digits alone.

use super::error::{ErrKind, TextError, reserve};
use super::float_fmt::{Style, push_body};
use super::float_repr::push_float_repr;
use super::int_text::{decimal_digits, push_i64};
use super::numconv::big_to_f64;
use super::spec::{Align, Grouping, Spec};
use num_bigint::{BigInt, Sign};
use num_traits::ToPrimitive;

/// `format(value, text)` of a word.
pub fn format_i64(value: i64, text: &str, type_name: &str) -> Result<String, TextError> {
    let mut out = String::new();
    if text.is_empty() {
        push_i64(&mut out, value);
        return Ok(out);
    }
    push_int(&mut out, value, &Spec::for_int(text, type_name)?, type_name)?;
    Ok(out)
}

/// `format(value, text)` of a big integer.
pub fn format_big(
    value: &BigInt,
    text: &str,
    type_name: &str,
    max_digits: usize,
) -> Result<String, TextError> {
    if text.is_empty() {
        return super::int_text::big_to_str(value, max_digits);
    }
    let mut out = String::new();
    push_big(
        &mut out,
        value,
        &Spec::for_int(text, type_name)?,
        type_name,
        max_digits,
    )?;
    Ok(out)
}

/// `format(value, text)` of a float.
pub fn format_f64(value: f64, text: &str, type_name: &str) -> Result<String, TextError> {
    let mut out = String::new();
    if text.is_empty() {
        push_float_repr(&mut out, value);
        return Ok(out);
    }
    push_float(
        &mut out,
        value,
        &Spec::for_float(text, type_name)?,
        type_name,
    )?;
    Ok(out)
}

/// Appends a word under a specification parsed by `Spec::for_int`.
pub fn push_int(
    out: &mut String,
    value: i64,
    spec: &Spec,
    type_name: &str,
) -> Result<(), TextError> {
    let size = value.unsigned_abs();
    match spec.kind {
        'd' => {
            check_int_spec(spec)?;
            let mut buffer = [0; 20];
            let at = decimal_digits(size, &mut buffer);
            let digits = std::str::from_utf8(&buffer[at..]).unwrap_or("");
            push_number(out, value < 0, "", digits, "", spec)
        }
        'b' | 'o' | 'x' | 'X' | 'n' => {
            let digits = match spec.kind {
                'b' => format!("{size:b}"),
                'o' => format!("{size:o}"),
                'x' => format!("{size:x}"),
                'X' => format!("{size:X}"),
                _ => size.to_string(),
            };
            check_int_spec(spec)?;
            push_number(out, value < 0, prefix_for(spec), &digits, "", spec)
        }
        'c' => push_char(out, u32::try_from(value).ok(), spec),
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%' => push_float(out, value as f64, spec, type_name),
        _ => Err(spec.unknown_code(type_name)),
    }
}

/// Appends a big integer under a specification parsed by `Spec::for_int`.
pub fn push_big(
    out: &mut String,
    value: &BigInt,
    spec: &Spec,
    type_name: &str,
    max_digits: usize,
) -> Result<(), TextError> {
    let digits = match spec.kind {
        'd' | 'n' | 'b' | 'o' | 'x' | 'X' => {
            check_int_spec(spec)?;
            let size = value.magnitude();
            match spec.kind {
                'b' => size.to_str_radix(2),
                'o' => size.to_str_radix(8),
                'x' => size.to_str_radix(16),
                'X' => size.to_str_radix(16).to_ascii_uppercase(),
                _ => {
                    let text = super::int_text::big_to_str(value, max_digits)?;
                    text.trim_start_matches('-').to_owned()
                }
            }
        }
        'c' => {
            let word = value
                .to_i64()
                .ok_or_else(|| TextError::overflow("Python int too large to convert to C long"));
            check_char_spec(spec)?;
            return push_char(out, u32::try_from(word?).ok(), spec);
        }
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%' => {
            return push_float(out, big_to_f64(value)?, spec, type_name);
        }
        _ => return Err(spec.unknown_code(type_name)),
    };
    push_number(
        out,
        value.sign() == Sign::Minus,
        prefix_for(spec),
        &digits,
        "",
        spec,
    )
}

fn prefix_for(spec: &Spec) -> &'static str {
    match spec.kind {
        'b' if spec.alternate => "0b",
        'o' if spec.alternate => "0o",
        'x' if spec.alternate => "0x",
        'X' if spec.alternate => "0X",
        _ => "",
    }
}

fn check_int_spec(spec: &Spec) -> Result<(), TextError> {
    if spec.precision.is_some() {
        return Err(TextError::value(
            "Precision not allowed in integer format specifier",
        ));
    }
    if spec.no_negative_zero {
        return Err(TextError::value(
            "Negative zero coercion (z) not allowed in integer format specifier",
        ));
    }
    Ok(())
}

fn check_char_spec(spec: &Spec) -> Result<(), TextError> {
    check_int_spec(spec)?;
    if spec.sign.is_some() {
        return Err(TextError::value(
            "Sign not allowed with integer format specifier 'c'",
        ));
    }
    if spec.alternate {
        return Err(TextError::value(
            "Alternate form (#) not allowed with integer format specifier 'c'",
        ));
    }
    Ok(())
}

fn push_char(out: &mut String, code: Option<u32>, spec: &Spec) -> Result<(), TextError> {
    check_char_spec(spec)?;
    let c = code
        .and_then(char::from_u32)
        .ok_or_else(|| TextError::new(ErrKind::OverflowError, "%c arg not in range(0x110000)"))?;
    let mut buffer = [0; 4];
    push_number(out, false, "", "", c.encode_utf8(&mut buffer), spec)
}

/// Style, default precision and whether `.0` marks whole numbers.
pub(super) fn float_style(kind: char, precision: Option<usize>) -> Option<(Style, usize, bool)> {
    let given = precision.unwrap_or(6);
    Some(match kind {
        '\0' => match precision {
            Some(precision) => (Style::General, precision, true),
            None => (Style::Repr, 0, true),
        },
        'e' | 'E' => (Style::Exponent, given, false),
        'f' | 'F' | '%' => (Style::Fixed, given, false),
        'g' | 'G' | 'n' => (Style::General, given, false),
        _ => return None,
    })
}

fn sign_for(negative: bool, spec: &Spec) -> &'static str {
    match spec.sign {
        _ if negative => "-",
        Some('+') => "+",
        Some(' ') => " ",
        _ => "",
    }
}

pub(super) fn check_precision(precision: Option<usize>) -> Result<(), TextError> {
    if precision.is_some_and(|p| p > i32::MAX as usize) {
        return Err(TextError::value("precision too big"));
    }
    Ok(())
}

/// The unsigned text of a float with whether it is negative under `spec`.
pub(super) fn float_body(
    value: f64,
    spec: &Spec,
    style: (Style, usize, bool),
) -> Result<(String, bool), TextError> {
    let (style, precision, dot_zero) = style;
    let mut body = String::new();
    reserve(&mut body, precision.saturating_add(32))?;
    push_body(&mut body, value, style, precision, spec.alternate, dot_zero);
    let mut negative = value.is_sign_negative() && !value.is_nan();
    if negative && spec.no_negative_zero {
        let mantissa = body.split('e').next().unwrap_or("");
        negative = mantissa.bytes().any(|b| !matches!(b, b'0' | b'.'));
    }
    if matches!(spec.kind, 'E' | 'F' | 'G') {
        body.make_ascii_uppercase();
    }
    if spec.kind == '%' {
        body.push('%');
    }
    Ok((body, negative))
}

/// Appends a float under a specification parsed by `Spec::for_float`, or by
/// `Spec::for_int` with a float type letter.
pub fn push_float(
    out: &mut String,
    value: f64,
    spec: &Spec,
    type_name: &str,
) -> Result<(), TextError> {
    let style =
        float_style(spec.kind, spec.precision).ok_or_else(|| spec.unknown_code(type_name))?;
    check_precision(spec.precision)?;
    let value = if spec.kind == '%' {
        value * 100.0
    } else {
        value
    };
    let plain = spec.grouping.is_none() && spec.fraction_grouping.is_none();
    if plain && !spec.no_negative_zero && !matches!(spec.kind, 'E' | 'F' | 'G') {
        return push_plain_float(out, value, spec, style);
    }
    let (body, negative) = float_body(value, spec, style)?;
    let (digits, tail) = split_digits(&body);
    push_number(out, negative, "", digits, tail, spec)
}

/// The common case, written in place: padding is put in afterwards.
fn push_plain_float(
    out: &mut String,
    value: f64,
    spec: &Spec,
    (style, precision, dot_zero): (Style, usize, bool),
) -> Result<(), TextError> {
    reserve(out, precision.saturating_add(32))?;
    let start = out.len();
    out.push_str(sign_for(value.is_sign_negative() && !value.is_nan(), spec));
    let signed = out.len();
    push_body(out, value, style, precision, spec.alternate, dot_zero);
    if spec.kind == '%' {
        out.push('%');
    }
    let padding = spec.width.saturating_sub(out.len() - start);
    if padding == 0 {
        return Ok(());
    }
    let (at, before) = match spec.align {
        Align::Left => (start, 0),
        Align::Right => (start, padding),
        Align::Center => (start, padding / 2),
        Align::AfterSign => (signed, padding),
    };
    let size = padding.checked_mul(spec.fill.len_utf8());
    reserve(out, size.ok_or_else(TextError::memory)?)?;
    if before > 0 {
        let moved = out.split_off(at);
        super::format_str::push_fill(out, spec.fill, before);
        out.push_str(&moved);
    }
    super::format_str::push_fill(out, spec.fill, padding - before);
    Ok(())
}

pub(super) fn split_digits(body: &str) -> (&str, &str) {
    body.split_at(
        body.bytes()
            .position(|b| !b.is_ascii_digit())
            .unwrap_or(body.len()),
    )
}

/// Lays a number out. `digits` is what grouping and zero fill act on; `tail`
/// may begin with a point and fraction digits.
pub(super) fn push_number(
    out: &mut String,
    negative: bool,
    prefix: &str,
    digits: &str,
    tail: &str,
    spec: &Spec,
) -> Result<(), TextError> {
    let sign = sign_for(negative, spec);
    let grouped_tail;
    let tail = match spec.fraction_grouping {
        Some(mark) if tail.starts_with('.') => {
            grouped_tail = group_fraction(tail, mark);
            grouped_tail.as_str()
        }
        _ => tail,
    };
    // A 'c' tail is the one that may be outside ASCII.
    let tail_width = if digits.is_empty() {
        tail.chars().count()
    } else {
        tail.len()
    };
    let around = sign.len() + prefix.len() + tail_width;
    let grouped;
    let digits = match spec.grouping {
        Some(mark) if !digits.is_empty() => {
            let zero_fill = spec.fill == '0' && spec.align == Align::AfterSign;
            let least = if zero_fill {
                spec.width.saturating_sub(around)
            } else {
                0
            };
            grouped = group_digits(digits, mark, spec.kind, least)?;
            grouped.as_str()
        }
        _ => digits,
    };
    let padding = spec.width.saturating_sub(around + digits.len());
    if padding == 0 {
        for part in [sign, prefix, digits, tail] {
            out.push_str(part);
        }
        return Ok(());
    }
    reserve(
        out,
        padding
            .saturating_mul(spec.fill.len_utf8())
            .saturating_add(around + digits.len()),
    )?;
    let (left, inner) = match spec.align {
        Align::Left => (0, 0),
        Align::Right => (padding, 0),
        Align::Center => (padding / 2, 0),
        Align::AfterSign => (0, padding),
    };
    super::format_str::push_fill(out, spec.fill, left);
    out.push_str(sign);
    out.push_str(prefix);
    super::format_str::push_fill(out, spec.fill, inner);
    out.push_str(digits);
    out.push_str(tail);
    super::format_str::push_fill(out, spec.fill, padding - left - inner);
    Ok(())
}

/// Separates digits from the right, first extending them with zeros until the
/// result is at least `least` wide.
fn group_digits(
    digits: &str,
    mark: Grouping,
    kind: char,
    least: usize,
) -> Result<String, TextError> {
    let group = if matches!(kind, 'b' | 'o' | 'x' | 'X') {
        4
    } else {
        3
    };
    let mut count = digits.len();
    let width = |count: usize| count + (count - 1) / group;
    if width(count) < least {
        // The largest count whose width is below `least`, plus one.
        count = (least - 1) / (group + 1) * group + (least - 1) % (group + 1);
        count = count.max(digits.len());
        while width(count) < least {
            count += 1;
        }
    }
    let mut out = String::new();
    reserve(&mut out, width(count))?;
    let zeros = count - digits.len();
    let bytes = digits.as_bytes();
    for at in 0..count {
        if at > 0 && (count - at).is_multiple_of(group) {
            out.push(mark.as_char());
        }
        out.push(if at < zeros {
            '0'
        } else {
            bytes[at - zeros] as char
        });
    }
    Ok(out)
}

/// Separates the digits after the point from the left.
fn group_fraction(tail: &str, mark: Grouping) -> String {
    let (digits, rest) = split_digits(&tail[1..]);
    let mut out = String::with_capacity(tail.len() * 4 / 3 + 1);
    out.push('.');
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at % 3 == 0 {
            out.push(mark.as_char());
        }
        out.push(digit);
    }
    out.push_str(rest);
    out
}
