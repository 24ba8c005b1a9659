//! Complex numbers as text: `repr` and the format mini-language.

use super::error::TextError;
use super::float_fmt::{Style, push_body};
use super::format_num::{check_precision, float_body, float_style, push_number, split_digits};
use super::format_str::push_padded;
use super::spec::{Align, Spec};

/// Appends a complex under a specification parsed by `Spec::for_float`.
pub fn push_complex(
    out: &mut String,
    re: f64,
    im: f64,
    spec: &Spec,
    type_name: &str,
) -> Result<(), TextError> {
    let mut style = float_style(spec.kind, spec.precision)
        .filter(|_| spec.kind != '%')
        .ok_or_else(|| spec.unknown_code(type_name))?;
    style.2 = false;
    check_precision(spec.precision)?;
    if spec.fill == '0' {
        return Err(TextError::value(
            "Zero padding is not allowed in complex format specifier",
        ));
    }
    if spec.align == Align::AfterSign {
        return Err(TextError::value(
            "'=' alignment flag is not allowed in complex format specifier",
        ));
    }
    let mut part = spec.clone();
    part.width = 0;
    let plain = spec.kind == '\0';
    let imag_only = plain && re == 0.0 && re.is_sign_positive();
    let mut text = String::new();
    if plain && !imag_only {
        text.push('(');
    }
    let mut push_part = |value: f64, part: &Spec| {
        let (body, negative) = float_body(value, part, style)?;
        let (digits, tail) = split_digits(&body);
        push_number(&mut text, negative, "", digits, tail, part)
    };
    if !imag_only {
        push_part(re, &part)?;
        part.sign = Some('+');
    }
    push_part(im, &part)?;
    text.push('j');
    if plain && !imag_only {
        text.push(')');
    }
    push_padded(out, &text, text.chars().count(), spec)
}

/// `format(complex(re, im), text)`.
pub fn format_complex(re: f64, im: f64, text: &str, type_name: &str) -> Result<String, TextError> {
    if text.is_empty() {
        return Ok(complex_repr(re, im));
    }
    let mut out = String::new();
    push_complex(
        &mut out,
        re,
        im,
        &Spec::for_float(text, type_name)?,
        type_name,
    )?;
    Ok(out)
}

/// `repr(complex(re, im))`.
pub fn complex_repr(re: f64, im: f64) -> String {
    let part = |out: &mut String, x: f64| {
        if x.is_sign_negative() && !x.is_nan() {
            out.push('-');
        }
        push_body(out, x, Style::Repr, 0, false, false);
    };
    let mut out = String::new();
    if re == 0.0 && re.is_sign_positive() {
        part(&mut out, im);
        out.push('j');
        return out;
    }
    out.push('(');
    part(&mut out, re);
    if im.is_nan() || !im.is_sign_negative() {
        out.push('+');
    }
    part(&mut out, im);
    out.push_str("j)");
    out
}
