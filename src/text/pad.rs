//! Filling text: `center`, `ljust`, `rjust`, `zfill`, `expandtabs`, `join`,
//! repetition, `translate`.

use super::chars::char_len;
use super::error::{TextError, reserve};
use super::format_str::push_fill;

/// Where the text goes in its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Left,
    Right,
    Center,
}

/// Padding before and after content of `length` in a field of `width`.
pub(super) fn margins(length: usize, width: i64, place: Place) -> (usize, usize) {
    let width = usize::try_from(width).unwrap_or(0);
    let padding = width.saturating_sub(length);
    let left = match place {
        Place::Left => 0,
        Place::Right => padding,
        // An odd blank goes left when the width is odd.
        Place::Center => padding / 2 + (padding & width & 1),
    };
    (left, padding - left)
}

/// `ljust`, `rjust` and `center`.
pub fn justify(
    text: &str,
    width: i64,
    fill: char,
    place: Place,
    ascii: bool,
) -> Result<String, TextError> {
    let (left, right) = margins(char_len(text, ascii), width, place);
    let mut out = String::new();
    reserve(
        &mut out,
        (left + right)
            .saturating_mul(fill.len_utf8())
            .saturating_add(text.len()),
    )?;
    push_fill(&mut out, fill, left);
    out.push_str(text);
    push_fill(&mut out, fill, right);
    Ok(out)
}

/// `text.zfill(width)`: zeros after a sign.
pub fn zfill(text: &str, width: i64, ascii: bool) -> Result<String, TextError> {
    let (zeros, _) = margins(char_len(text, ascii), width, Place::Right);
    let mut out = String::new();
    reserve(&mut out, zeros.saturating_add(text.len()))?;
    let sign = usize::from(zeros > 0 && text.starts_with(['+', '-']));
    out.push_str(&text[..sign]);
    push_fill(&mut out, '0', zeros);
    out.push_str(&text[sign..]);
    Ok(out)
}

/// `text.expandtabs(size)`.
pub fn expandtabs(text: &str, size: i64) -> Result<String, TextError> {
    let size = usize::try_from(size).unwrap_or(0);
    let mut out = String::with_capacity(text.len());
    let mut column = 0;
    for c in text.chars() {
        if c == '\t' {
            if size > 0 {
                let blanks = size - column % size;
                reserve(&mut out, blanks)?;
                push_fill(&mut out, ' ', blanks);
                column += blanks;
            }
            continue;
        }
        column = if matches!(c, '\n' | '\r') {
            0
        } else {
            column + 1
        };
        out.push(c);
    }
    Ok(out)
}

/// `sep.join(parts)`, allocated once.
pub fn join<'a, I>(sep: &str, parts: I) -> Result<String, TextError>
where
    I: Iterator<Item = &'a str> + Clone,
{
    let mut size = 0usize;
    for part in parts.clone() {
        size = size.saturating_add(part.len()).saturating_add(sep.len());
    }
    let mut out = String::new();
    reserve(&mut out, size.saturating_sub(sep.len()))?;
    for (at, part) in parts.enumerate() {
        if at > 0 {
            out.push_str(sep);
        }
        out.push_str(part);
    }
    Ok(out)
}

/// `text * times`.
pub fn repeat(text: &str, times: i64) -> Result<String, TextError> {
    let times = usize::try_from(times).unwrap_or(0);
    let mut out = String::new();
    reserve(
        &mut out,
        text.len()
            .checked_mul(times)
            .ok_or_else(TextError::memory)?,
    )?;
    if text.is_empty() || times == 0 {
        return Ok(out);
    }
    // Doubling copies, then the rest.
    let whole = text.len() * times;
    out.push_str(text);
    while out.len() * 2 <= whole {
        out.extend_from_within(..);
    }
    out.extend_from_within(..whole - out.len());
    Ok(out)
}

/// What a translation table says of a character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mapped {
    Keep,
    Delete,
    Char(char),
    Text(String),
}

/// `text.translate(table)`, the table being a closure that may fail. Answers
/// for ASCII characters are remembered, as CPython does.
pub fn translate<E>(
    text: &str,
    mut table: impl FnMut(char) -> Result<Mapped, E>,
) -> Result<String, E> {
    let mut known: [Option<Mapped>; 128] = [const { None }; 128];
    let mut out = String::with_capacity(text.len());
    let mut push = |mapped: &Mapped, c: char| match mapped {
        Mapped::Keep => out.push(c),
        Mapped::Delete => {}
        Mapped::Char(other) => out.push(*other),
        Mapped::Text(text) => out.push_str(text),
    };
    for c in text.chars() {
        match known.get_mut(c as usize) {
            Some(slot) => {
                if slot.is_none() {
                    *slot = Some(table(c)?);
                }
                if let Some(mapped) = slot {
                    push(mapped, c);
                }
            }
            None => push(&table(c)?, c),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filling() {
        let put =
            |text: &str, width, place| justify(text, width, '*', place, false).expect("small");
        assert_eq!(put("ab", 5, Place::Center), "**ab*");
        assert_eq!(put("abc", 6, Place::Center), "*abc**");
        assert_eq!(put("é", 3, Place::Left), "é**");
        assert_eq!(put("é", 3, Place::Right), "**é");
        assert_eq!(put("abc", -1, Place::Right), "abc");
        assert_eq!(zfill("-4", 5, true), Ok("-0004".into()));
        assert_eq!(zfill("é", 3, false), Ok("00é".into()));
        assert_eq!(
            expandtabs("a\tbc\té\n\tx", 4),
            Ok("a   bc  é\n    x".into())
        );
        assert_eq!(expandtabs("a\tb", 0), Ok("ab".into()));
        assert!(repeat("ab", i64::MAX).is_err());
        assert_eq!(repeat("é-", 5), Ok("é-é-é-é-é-".into()));
    }

    #[test]
    fn joining() {
        assert_eq!(
            join(", ", ["a", "b", "é"].into_iter()),
            Ok("a, b, é".into())
        );
        assert_eq!(join(", ", [].into_iter()), Ok(String::new()));
        let table = |c| -> Result<Mapped, ()> {
            Ok(match c {
                'a' => Mapped::Delete,
                'b' => Mapped::Char('é'),
                '中' => Mapped::Text("zh".into()),
                _ => Mapped::Keep,
            })
        };
        assert_eq!(translate("abc中b", table), Ok("éczhé".into()));
    }
}
