//! Text under the format mini-language, and the padding both kinds share.

use super::error::{TextError, reserve};
use super::spec::{Align, Spec};

/// `format(value, text)` of a str.
pub fn format_str(value: &str, text: &str, type_name: &str) -> Result<String, TextError> {
    if text.is_empty() {
        return Ok(value.to_owned());
    }
    let mut out = String::new();
    push_str(&mut out, value, &Spec::for_str(text, type_name)?, type_name)?;
    Ok(out)
}

/// Appends text under a specification parsed by `Spec::for_str`.
pub fn push_str(
    out: &mut String,
    value: &str,
    spec: &Spec,
    type_name: &str,
) -> Result<(), TextError> {
    if spec.kind != 's' {
        return Err(spec.unknown_code(type_name));
    }
    let refused = match spec.sign {
        Some(' ') => Some("Space not allowed in string format specifier"),
        Some(_) => Some("Sign not allowed in string format specifier"),
        None if spec.no_negative_zero => {
            Some("Negative zero coercion (z) not allowed in string format specifier")
        }
        None if spec.alternate => Some("Alternate form (#) not allowed in string format specifier"),
        None if spec.align == Align::AfterSign => {
            Some("'=' alignment not allowed in string format specifier")
        }
        None => None,
    };
    if let Some(message) = refused {
        return Err(TextError::value(message));
    }
    let value = match spec.precision {
        Some(limit) if limit < value.len() => {
            let end = value
                .char_indices()
                .nth(limit)
                .map_or(value.len(), |(at, _)| at);
            &value[..end]
        }
        _ => value,
    };
    if spec.width == 0 {
        out.push_str(value);
        return Ok(());
    }
    push_padded(out, value, value.chars().count(), spec)
}

/// Appends `count` fill characters.
pub fn push_fill(out: &mut String, fill: char, count: usize) {
    out.extend(std::iter::repeat_n(fill, count));
}

/// Appends `value`, which is `length` characters long, padded to the width.
pub(super) fn push_padded(
    out: &mut String,
    value: &str,
    length: usize,
    spec: &Spec,
) -> Result<(), TextError> {
    let padding = spec.width.saturating_sub(length);
    let left = match spec.align {
        Align::Left | Align::AfterSign => 0,
        Align::Right => padding,
        Align::Center => padding / 2,
    };
    reserve(
        out,
        padding
            .saturating_mul(spec.fill.len_utf8())
            .saturating_add(value.len()),
    )?;
    push_fill(out, spec.fill, left);
    out.push_str(value);
    push_fill(out, spec.fill, padding - left);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(value: &str, text: &str) -> Result<String, String> {
        format_str(value, text, "str").map_err(|e| e.message)
    }

    #[test]
    fn pads_and_cuts() {
        assert_eq!(format("ab", "5"), Ok("ab   ".into()));
        assert_eq!(format("ab", ">5"), Ok("   ab".into()));
        assert_eq!(format("ab", "é^5"), Ok("éabéé".into()));
        assert_eq!(format("héllo", ".2"), Ok("hé".into()));
        assert_eq!(format("ab", "05"), Ok("ab000".into()));
    }

    #[test]
    fn refuses() {
        let no = |text: &str| format("a", text).err().unwrap_or_default();
        assert_eq!(no("d"), "Unknown format code 'd' for object of type 'str'");
        assert_eq!(no("+"), "Sign not allowed in string format specifier");
        assert_eq!(
            no("=5"),
            "'=' alignment not allowed in string format specifier"
        );
        assert_eq!(no(",s"), "Cannot specify ',' with 's'.");
        assert_eq!(
            no("ss"),
            "Invalid format specifier 'ss' for object of type 'str'"
        );
    }
}
