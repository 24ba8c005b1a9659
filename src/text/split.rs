//! Cutting text and bytes: `split`, `rsplit`, `splitlines`, `partition`,
//! `strip`.
//!
//! Every function yields borrowed parts; the `_each` forms hand them to a
//! closure so that a caller building its own list needs no second vector. A
//! negative `limit` means no limit.

use super::unidata::is_space;
use memchr::memmem;
use std::ops::Range;

fn cap(limit: i64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// Ranges between the occurrences of a non-empty separator.
fn split_ranges(hay: &[u8], sep: &[u8], limit: i64, mut part: impl FnMut(Range<usize>)) {
    let limit = cap(limit);
    let mut from = 0;
    let mut cut = |at: usize| {
        part(from..at);
        from = at + sep.len();
    };
    match sep {
        [byte] => {
            let mut at = 0;
            for _ in 0..limit {
                let Some(found) = next_byte(hay, at, *byte) else {
                    break;
                };
                cut(found);
                at = found + 1;
            }
        }
        _ => memmem::find_iter(hay, sep).take(limit).for_each(&mut cut),
    }
    part(from..hay.len());
}

/// Where `byte` next stands. Separators are mostly a few bytes apart, closer
/// than a call of the vector search pays.
fn next_byte(hay: &[u8], from: usize, byte: u8) -> Option<usize> {
    let rest = hay.get(from..)?;
    let (near, far) = rest.split_at(rest.len().min(16));
    if let Some(at) = near.iter().position(|b| *b == byte) {
        return Some(from + at);
    }
    memchr::memchr(byte, far).map(|at| from + near.len() + at)
}

/// As `split_ranges` from the right; parts come last first.
fn rsplit_ranges(hay: &[u8], sep: &[u8], limit: i64) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut to = hay.len();
    let finder = memmem::FinderRev::new(sep);
    for _ in 0..cap(limit) {
        let Some(at) = finder.rfind(&hay[..to]) else {
            break;
        };
        parts.push(at + sep.len()..to);
        to = at;
    }
    parts.push(0..to);
    parts.reverse();
    parts
}

/// `text.split(sep, limit)` for a non-empty separator.
pub fn split_each<'a>(text: &'a str, sep: &str, limit: i64, mut part: impl FnMut(&'a str)) {
    split_ranges(text.as_bytes(), sep.as_bytes(), limit, |range| {
        part(&text[range])
    });
}

/// `text.split(sep, limit)` for a non-empty separator.
pub fn split<'a>(text: &'a str, sep: &str, limit: i64) -> Vec<&'a str> {
    let mut parts = Vec::new();
    split_each(text, sep, limit, |part| parts.push(part));
    parts
}

/// `text.rsplit(sep, limit)` for a non-empty separator.
pub fn rsplit<'a>(text: &'a str, sep: &str, limit: i64) -> Vec<&'a str> {
    if limit < 0 && sep.len() == 1 {
        return split(text, sep, limit);
    }
    rsplit_ranges(text.as_bytes(), sep.as_bytes(), limit)
        .into_iter()
        .map(|r| &text[r])
        .collect()
}

fn ascii_space(byte: u8) -> bool {
    // One comparison settles nearly every byte.
    byte <= b' ' && matches!(byte, b' ' | 9..=13 | 0x1c..=0x1f)
}

/// Splits at runs of bytes that `space` accepts.
fn split_space_ranges(
    hay: &[u8],
    limit: i64,
    space: impl Fn(u8) -> bool,
    mut part: impl FnMut(Range<usize>),
) {
    let mut left = cap(limit);
    let mut at = 0;
    loop {
        while at < hay.len() && space(hay[at]) {
            at += 1;
        }
        if at == hay.len() {
            return;
        }
        if left == 0 {
            part(at..hay.len());
            return;
        }
        let from = at;
        while at < hay.len() && !space(hay[at]) {
            at += 1;
        }
        part(from..at);
        left -= 1;
    }
}

/// The same from the right.
fn rsplit_space_ranges(hay: &[u8], limit: i64, space: impl Fn(u8) -> bool) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut left = cap(limit);
    let mut to = hay.len();
    loop {
        while to > 0 && space(hay[to - 1]) {
            to -= 1;
        }
        if to == 0 {
            break;
        }
        if left == 0 {
            parts.push(0..to);
            break;
        }
        let end = to;
        while to > 0 && !space(hay[to - 1]) {
            to -= 1;
        }
        parts.push(to..end);
        left -= 1;
    }
    parts.reverse();
    parts
}

/// `text.split(None, limit)`.
pub fn split_space_each<'a>(text: &'a str, limit: i64, ascii: bool, mut part: impl FnMut(&'a str)) {
    if ascii {
        return split_space_ranges(text.as_bytes(), limit, ascii_space, |range| {
            part(&text[range])
        });
    }
    let mut left = cap(limit);
    let mut rest = text.trim_start_matches(is_space);
    while !rest.is_empty() {
        if left == 0 {
            return part(rest);
        }
        let end = rest.find(is_space).unwrap_or(rest.len());
        part(&rest[..end]);
        rest = rest[end..].trim_start_matches(is_space);
        left -= 1;
    }
}

/// `text.split(None, limit)`.
pub fn split_space(text: &str, limit: i64, ascii: bool) -> Vec<&str> {
    let mut parts = Vec::new();
    split_space_each(text, limit, ascii, |part| parts.push(part));
    parts
}

/// `text.rsplit(None, limit)`.
pub fn rsplit_space(text: &str, limit: i64, ascii: bool) -> Vec<&str> {
    if ascii {
        let ranges = rsplit_space_ranges(text.as_bytes(), limit, ascii_space);
        return ranges.into_iter().map(|range| &text[range]).collect();
    }
    let mut parts = Vec::new();
    let mut left = cap(limit);
    let mut rest = text.trim_end_matches(is_space);
    while !rest.is_empty() {
        if left == 0 {
            parts.push(rest);
            break;
        }
        let word = rest.rfind(is_space).map_or(rest, |at| {
            let width = rest[at..].chars().next().map_or(1, char::len_utf8);
            &rest[at + width..]
        });
        parts.push(word);
        rest = rest[..rest.len() - word.len()].trim_end_matches(is_space);
        left -= 1;
    }
    parts.reverse();
    parts
}

/// `text.splitlines(keep)`.
pub fn split_lines(text: &str, keep: bool) -> Vec<&str> {
    let bytes = text.as_bytes();
    let mut lines = Vec::new();
    let mut from = 0;
    let mut at = 0;
    while at < bytes.len() {
        let width = match &bytes[at..] {
            [b'\r', b'\n', ..] => 2,
            [b'\n' | b'\r' | 0x0b | 0x0c | 0x1c..=0x1e, ..] => 1,
            [0xc2, 0x85, ..] => 2,
            [0xe2, 0x80, 0xa8 | 0xa9, ..] => 3,
            _ => 0,
        };
        if width == 0 {
            at += 1;
            continue;
        }
        lines.push(&text[from..if keep { at + width } else { at }]);
        at += width;
        from = at;
    }
    if from < bytes.len() {
        lines.push(&text[from..]);
    }
    lines
}

/// Which ends to strip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    Left,
    Right,
    Both,
}

impl Ends {
    fn left(self) -> bool {
        self != Ends::Right
    }

    fn right(self) -> bool {
        self != Ends::Left
    }
}

/// `text.strip()` and its one-sided forms; `chars` as given or white space.
pub fn strip<'a>(text: &'a str, chars: Option<&str>, ends: Ends) -> &'a str {
    match chars {
        None => strip_by(text, is_space, ends),
        Some(set) => {
            let mut letters = set.chars();
            match (letters.next(), letters.next()) {
                (None, _) => text,
                (Some(only), None) => strip_by(text, |c| c == only, ends),
                _ => strip_by(text, |c| set.contains(c), ends),
            }
        }
    }
}

fn strip_by(text: &str, drop: impl Fn(char) -> bool + Copy, ends: Ends) -> &str {
    let text = if ends.left() {
        text.trim_start_matches(drop)
    } else {
        text
    };
    if ends.right() {
        text.trim_end_matches(drop)
    } else {
        text
    }
}

/// What stands before and after the first `sep`; `None` without one.
pub fn partition<'a>(text: &'a str, sep: &str) -> Option<(&'a str, &'a str)> {
    let at = memmem::find(text.as_bytes(), sep.as_bytes())?;
    Some((&text[..at], &text[at + sep.len()..]))
}

/// What stands before and after the last `sep`.
pub fn rpartition<'a>(text: &'a str, sep: &str) -> Option<(&'a str, &'a str)> {
    let at = memmem::rfind(text.as_bytes(), sep.as_bytes())?;
    Some((&text[..at], &text[at + sep.len()..]))
}

/// White space of bytes: that of C.
pub fn byte_space(byte: u8) -> bool {
    matches!(byte, b' ' | 9..=13)
}

/// `data.split(sep, limit)`; `None` splits at white space.
pub fn split_bytes<'a>(data: &'a [u8], sep: Option<&[u8]>, limit: i64) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    match sep {
        Some(sep) => split_ranges(data, sep, limit, |range| parts.push(&data[range])),
        None => split_space_ranges(data, limit, byte_space, |range| parts.push(&data[range])),
    }
    parts
}

/// `data.rsplit(sep, limit)`.
pub fn rsplit_bytes<'a>(data: &'a [u8], sep: Option<&[u8]>, limit: i64) -> Vec<&'a [u8]> {
    let ranges = match sep {
        Some(sep) => rsplit_ranges(data, sep, limit),
        None => rsplit_space_ranges(data, limit, byte_space),
    };
    ranges.into_iter().map(|range| &data[range]).collect()
}

/// `data.splitlines(keep)`: only the ends bytes know.
pub fn split_lines_bytes(data: &[u8], keep: bool) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut from = 0;
    while let Some(found) = memchr::memchr2(b'\n', b'\r', &data[from..]) {
        let at = from + found;
        let width = if data[at..].starts_with(b"\r\n") {
            2
        } else {
            1
        };
        lines.push(&data[from..if keep { at + width } else { at }]);
        from = at + width;
    }
    if from < data.len() {
        lines.push(&data[from..]);
    }
    lines
}

/// `data.strip(set)` and its one-sided forms.
pub fn strip_bytes<'a>(data: &'a [u8], set: Option<&[u8]>, ends: Ends) -> &'a [u8] {
    let drop = |byte: u8| set.map_or(byte_space(byte), |set| memchr::memchr(byte, set).is_some());
    let (mut from, mut to) = (0, data.len());
    while ends.left() && from < to && drop(data[from]) {
        from += 1;
    }
    while ends.right() && from < to && drop(data[to - 1]) {
        to -= 1;
    }
    &data[from..to]
}

/// What stands before and after the first `sep`.
pub fn partition_bytes<'a>(data: &'a [u8], sep: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memmem::find(data, sep)?;
    Some((&data[..at], &data[at + sep.len()..]))
}

/// What stands before and after the last `sep`.
pub fn rpartition_bytes<'a>(data: &'a [u8], sep: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memmem::rfind(data, sep)?;
    Some((&data[..at], &data[at + sep.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitting() {
        assert_eq!(split("a,b,,c", ",", -1), ["a", "b", "", "c"]);
        assert_eq!(split("a,b,c", ",", 1), ["a", "b,c"]);
        assert_eq!(split("", ",", -1), [""]);
        assert_eq!(split("aéébéc", "éé", -1), ["a", "béc"]);
        assert_eq!(rsplit("a,b,c", ",", 1), ["a,b", "c"]);
        assert_eq!(rsplit("aaa", "aa", -1), ["a", ""]);
        for ascii in [true, false] {
            assert_eq!(split_space(" a  b c ", -1, ascii), ["a", "b", "c"]);
            assert_eq!(split_space(" a  b c ", 1, ascii), ["a", "b c "]);
            assert_eq!(rsplit_space(" a  b c ", 1, ascii), [" a  b", "c"]);
            assert_eq!(rsplit_space(" a  b c ", -1, ascii), ["a", "b", "c"]);
            assert!(split_space(" \x1c\t", 0, ascii).is_empty());
        }
        assert_eq!(split_space("a\u{3000}é\u{85}b", -1, false), ["a", "é", "b"]);
        assert_eq!(
            rsplit_space("a\u{3000}é\u{85}b", 1, false),
            ["a\u{3000}é", "b"]
        );
    }

    #[test]
    fn lines() {
        assert_eq!(split_lines("a\nb\r\nc\rd", false), ["a", "b", "c", "d"]);
        assert_eq!(split_lines("a\n\nb\n", true), ["a\n", "\n", "b\n"]);
        assert_eq!(split_lines("é\u{85}x\u{2028}y\x1c", false), ["é", "x", "y"]);
        assert_eq!(
            split_lines_bytes(b"a\r\nb\x0bc\r", false),
            [&b"a"[..], b"b\x0bc"]
        );
    }

    #[test]
    fn ends() {
        assert_eq!(strip("\u{2003}\x1f a \n", None, Ends::Both), "a");
        assert_eq!(strip("xxayx", Some("xy"), Ends::Right), "xxa");
        assert_eq!(strip("ééaé", Some("é"), Ends::Left), "aé");
        assert_eq!(strip("aa", Some(""), Ends::Both), "aa");
        assert_eq!(strip_bytes(b" \x1ca ", None, Ends::Both), b"\x1ca");
        assert_eq!(partition("a.b.c", "."), Some(("a", "b.c")));
        assert_eq!(rpartition("a.b.c", "."), Some(("a.b", "c")));
        assert_eq!(partition("abc", "."), None);
    }
}
