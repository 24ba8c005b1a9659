//! Finding, counting, replacing and matching: in bytes, and in text by
//! code-point positions.
//!
//! Valid UTF-8 never matches inside a character, so text searches run over
//! bytes and only positions are translated.

use super::chars::{byte_offset, char_len, char_position};
use super::error::TextError;
use super::slice::bounds;
use memchr::memmem;

/// Where a non-empty or empty needle first stands, as a byte offset.
fn first(hay: &[u8], needle: &[u8]) -> Option<usize> {
    match needle {
        [] => Some(0),
        [byte] => memchr::memchr(*byte, hay),
        _ => memmem::find(hay, needle),
    }
}

fn last(hay: &[u8], needle: &[u8]) -> Option<usize> {
    match needle {
        [] => Some(hay.len()),
        [byte] => memchr::memrchr(*byte, hay),
        _ => memmem::rfind(hay, needle),
    }
}

/// How often a non-empty needle stands in `hay` without overlaps.
fn occurrences(hay: &[u8], needle: &[u8]) -> usize {
    match needle {
        [byte] => memchr::memchr_iter(*byte, hay).count(),
        _ => memmem::find_iter(hay, needle).count(),
    }
}

/// Code-point bounds as byte offsets.
fn byte_bounds(
    text: &str,
    start: Option<i64>,
    end: Option<i64>,
    ascii: bool,
) -> Option<(usize, usize)> {
    match (start, end) {
        (None | Some(0), None) => Some((0, text.len())),
        _ => {
            let (from, to) = bounds(start, end, char_len(text, ascii))?;
            Some((byte_offset(text, ascii, from), byte_offset(text, ascii, to)))
        }
    }
}

/// `text.find(needle, start, end)`; `None` is -1.
pub fn find(
    text: &str,
    needle: &str,
    start: Option<i64>,
    end: Option<i64>,
    ascii: bool,
) -> Option<usize> {
    let (from, to) = byte_bounds(text, start, end, ascii)?;
    let at = first(&text.as_bytes()[from..to], needle.as_bytes())?;
    Some(char_position(text, ascii, from + at))
}

/// `text.rfind(needle, start, end)`.
pub fn rfind(
    text: &str,
    needle: &str,
    start: Option<i64>,
    end: Option<i64>,
    ascii: bool,
) -> Option<usize> {
    let (from, to) = byte_bounds(text, start, end, ascii)?;
    let at = last(&text.as_bytes()[from..to], needle.as_bytes())?;
    Some(char_position(text, ascii, from + at))
}

/// `text.count(needle, start, end)`.
pub fn count(text: &str, needle: &str, start: Option<i64>, end: Option<i64>, ascii: bool) -> usize {
    let Some((from, to)) = byte_bounds(text, start, end, ascii) else {
        return 0;
    };
    if needle.is_empty() {
        return char_len(&text[from..to], ascii) + 1;
    }
    occurrences(&text.as_bytes()[from..to], needle.as_bytes())
}

/// `text.startswith(prefix, start, end)`.
pub fn starts_with(
    text: &str,
    prefix: &str,
    start: Option<i64>,
    end: Option<i64>,
    ascii: bool,
) -> bool {
    byte_bounds(text, start, end, ascii)
        .is_some_and(|(from, to)| text.as_bytes()[from..to].starts_with(prefix.as_bytes()))
}

/// `text.endswith(suffix, start, end)`.
pub fn ends_with(
    text: &str,
    suffix: &str,
    start: Option<i64>,
    end: Option<i64>,
    ascii: bool,
) -> bool {
    byte_bounds(text, start, end, ascii)
        .is_some_and(|(from, to)| text.as_bytes()[from..to].ends_with(suffix.as_bytes()))
}

/// `text.replace(old, new, limit)`; a negative limit means all. `None` when
/// nothing changes, so that the caller may keep its string.
pub fn replace(text: &str, old: &str, new: &str, limit: i64) -> Result<Option<String>, TextError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if limit == 0 || old == new {
        return Ok(None);
    }
    if old.is_empty() {
        return insert_between(text, new, limit).map(Some);
    }
    if text.len() < old.len() {
        return Ok(None);
    }
    let hay = text.as_bytes();
    match (old.as_bytes(), new.as_bytes()) {
        // Same width and one byte: copy and overwrite.
        ([from], [to]) if from.is_ascii() && to.is_ascii() => {
            let Some(at) = memchr::memchr(*from, hay) else {
                return Ok(None);
            };
            let mut out = hay.to_vec();
            if limit >= hay.len() {
                // Without a count this loop becomes vector code.
                for byte in &mut out[at..] {
                    *byte = if byte == from { *to } else { *byte };
                }
            } else {
                for byte in out[at..].iter_mut().filter(|b| *b == from).take(limit) {
                    *byte = *to;
                }
            }
            Ok(String::from_utf8(out).ok())
        }
        ([from], _) => splice(text, memchr::memchr_iter(*from, hay).take(limit), 1, new),
        (needle, _) => {
            let finder = memmem::Finder::new(needle);
            splice(text, finder.find_iter(hay).take(limit), needle.len(), new)
        }
    }
}

fn splice(
    text: &str,
    spots: impl Iterator<Item = usize>,
    width: usize,
    new: &str,
) -> Result<Option<String>, TextError> {
    let mut out = String::new();
    let mut copied = 0;
    for at in spots {
        let kept = &text[copied..at];
        if copied == 0 {
            out.try_reserve(text.len() + new.len())
                .map_err(|_| TextError::memory())?;
        } else if out.capacity() - out.len() < kept.len() + new.len() {
            out.try_reserve(kept.len() + new.len())
                .map_err(|_| TextError::memory())?;
        }
        out.push_str(kept);
        out.push_str(new);
        copied = at + width;
    }
    if copied == 0 {
        return Ok(None);
    }
    out.push_str(&text[copied..]);
    Ok(Some(out))
}

/// Replacing the empty string: `new` before each character and at the end.
fn insert_between(text: &str, new: &str, limit: usize) -> Result<String, TextError> {
    let times = limit.min(text.len() + 1);
    let mut out = String::new();
    let size = new
        .len()
        .checked_mul(times)
        .and_then(|n| n.checked_add(text.len()));
    out.try_reserve(size.ok_or_else(TextError::memory)?)
        .map_err(|_| TextError::memory())?;
    let mut left = limit;
    for c in text.chars() {
        if left > 0 {
            out.push_str(new);
            left -= 1;
        }
        out.push(c);
    }
    if left > 0 {
        out.push_str(new);
    }
    Ok(out)
}

/// `data.find(needle, start, end)`.
pub fn find_bytes(
    data: &[u8],
    needle: &[u8],
    start: Option<i64>,
    end: Option<i64>,
) -> Option<usize> {
    let (from, to) = bounds(start, end, data.len())?;
    first(&data[from..to], needle).map(|at| from + at)
}

/// `data.rfind(needle, start, end)`.
pub fn rfind_bytes(
    data: &[u8],
    needle: &[u8],
    start: Option<i64>,
    end: Option<i64>,
) -> Option<usize> {
    let (from, to) = bounds(start, end, data.len())?;
    last(&data[from..to], needle).map(|at| from + at)
}

/// `data.count(needle, start, end)`.
pub fn count_bytes(data: &[u8], needle: &[u8], start: Option<i64>, end: Option<i64>) -> usize {
    match bounds(start, end, data.len()) {
        None => 0,
        Some((from, to)) if needle.is_empty() => to - from + 1,
        Some((from, to)) => occurrences(&data[from..to], needle),
    }
}

/// `data.startswith(prefix, start, end)`.
pub fn starts_with_bytes(data: &[u8], prefix: &[u8], start: Option<i64>, end: Option<i64>) -> bool {
    bounds(start, end, data.len()).is_some_and(|(from, to)| data[from..to].starts_with(prefix))
}

/// `data.endswith(suffix, start, end)`.
pub fn ends_with_bytes(data: &[u8], suffix: &[u8], start: Option<i64>, end: Option<i64>) -> bool {
    bounds(start, end, data.len()).is_some_and(|(from, to)| data[from..to].ends_with(suffix))
}

/// `data.replace(old, new, limit)`; `None` when nothing changes.
pub fn replace_bytes(
    data: &[u8],
    old: &[u8],
    new: &[u8],
    limit: i64,
) -> Result<Option<Vec<u8>>, TextError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if limit == 0 || old == new {
        return Ok(None);
    }
    let mut out = Vec::new();
    let grow =
        |out: &mut Vec<u8>, size: usize| out.try_reserve(size).map_err(|_| TextError::memory());
    if old.is_empty() {
        let times = limit.min(data.len() + 1);
        grow(
            &mut out,
            new.len().saturating_mul(times).saturating_add(data.len()),
        )?;
        for (at, byte) in data.iter().enumerate() {
            if at < times {
                out.extend_from_slice(new);
            }
            out.push(*byte);
        }
        if times > data.len() {
            out.extend_from_slice(new);
        }
        return Ok(Some(out));
    }
    let mut copied = 0;
    for at in memmem::find_iter(data, old).take(limit) {
        grow(&mut out, at - copied + new.len())?;
        out.extend_from_slice(&data[copied..at]);
        out.extend_from_slice(new);
        copied = at + old.len();
    }
    if copied == 0 {
        return Ok(None);
    }
    out.extend_from_slice(&data[copied..]);
    Ok(Some(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finding() {
        assert_eq!(find("héllo", "l", None, None, false), Some(2));
        assert_eq!(rfind("héllo", "l", None, None, false), Some(3));
        assert_eq!(find("héllo", "l", Some(3), None, false), Some(3));
        assert_eq!(find("héllo", "l", None, Some(2), false), None);
        assert_eq!(find("abc", "", Some(3), None, true), Some(3));
        assert_eq!(find("abc", "", Some(4), None, true), None);
        assert_eq!(rfind("abc", "", None, None, true), Some(3));
        assert_eq!(count("aaaa", "aa", None, None, true), 2);
        assert_eq!(count("é中", "", None, None, false), 3);
        assert_eq!(count("abc", "", Some(4), None, true), 0);
        assert!(starts_with("héllo", "él", Some(1), None, false));
        assert!(ends_with("héllo", "él", None, Some(3), false));
        assert!(!starts_with("abc", "", Some(4), None, true));
    }

    #[test]
    fn replacing() {
        let swap = |text: &str, old: &str, new: &str, limit| {
            replace(text, old, new, limit)
                .expect("small")
                .unwrap_or_else(|| text.to_owned())
        };
        assert_eq!(swap("aaa", "a", "b", 2), "bba");
        assert_eq!(swap("aaa", "a", "", -1), "");
        assert_eq!(swap("a-é-b", "-", "中", -1), "a中é中b");
        assert_eq!(swap("aXXb", "XX", "y", -1), "ayb");
        assert_eq!(swap("ab", "", "-", -1), "-a-b-");
        assert_eq!(swap("ab", "", "-", 2), "-a-b");
        assert_eq!(replace("abc", "x", "y", -1), Ok(None));
        assert_eq!(
            replace_bytes(b"ab", b"", b"-", -1),
            Ok(Some(b"-a-b-".to_vec()))
        );
        assert_eq!(
            replace_bytes(b"aXbX", b"X", b"yy", 1),
            Ok(Some(b"ayybX".to_vec()))
        );
    }
}
