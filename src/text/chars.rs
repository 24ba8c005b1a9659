//! Code-point positions in UTF-8 text: lengths, offsets, subscripts, slices.
//!
//! `ascii` is the caller's knowledge that the text is all ASCII, which makes
//! every position a byte offset. `CharIndex` gives other text constant-time
//! subscripts at one offset per sixty-four characters.

use super::slice::Slice;

/// How many code points the text has.
pub fn char_len(text: &str, ascii: bool) -> usize {
    if ascii {
        text.len()
    } else {
        text.chars().count()
    }
}

/// The byte offset of a code point; the text's end for a position past it.
pub fn byte_offset(text: &str, ascii: bool, at: usize) -> usize {
    if ascii {
        return at.min(text.len());
    }
    if at >= text.len() {
        return text.len();
    }
    skip_chars(text.as_bytes(), 0, at)
}

/// The offset `count` characters after the one that begins at `from`.
fn skip_chars(bytes: &[u8], from: usize, mut count: usize) -> usize {
    let mut at = from;
    // Whole blocks first: counting the bytes that begin characters vectorises.
    const BLOCK: usize = 64;
    while count >= BLOCK {
        let Some(block) = bytes.get(at..at + BLOCK) else {
            break;
        };
        count -= block.iter().filter(|b| **b & 0xc0 != 0x80).count();
        at += BLOCK;
    }
    while bytes.get(at).is_some_and(|b| b & 0xc0 == 0x80) {
        at += 1;
    }
    while count > 0 && at < bytes.len() {
        at += 1;
        while bytes.get(at).is_some_and(|b| b & 0xc0 == 0x80) {
            at += 1;
        }
        count -= 1;
    }
    at
}

/// The position of the code point that begins at a byte offset.
pub fn char_position(text: &str, ascii: bool, offset: usize) -> usize {
    if ascii {
        return offset;
    }
    text.as_bytes()
        .iter()
        .take(offset)
        .filter(|b| **b & 0xc0 != 0x80)
        .count()
}

/// The code point at a position.
pub fn char_at(text: &str, ascii: bool, at: usize) -> Option<char> {
    if ascii {
        return text.as_bytes().get(at).map(|b| *b as char);
    }
    text[byte_offset(text, false, at)..].chars().next()
}

/// The text between two code-point positions.
pub fn char_range(text: &str, ascii: bool, start: usize, end: usize) -> &str {
    if start >= end {
        return "";
    }
    let from = byte_offset(text, ascii, start);
    let to = if ascii {
        end.min(text.len())
    } else {
        skip_chars(text.as_bytes(), from, end - start).min(text.len())
    };
    text.get(from..to).unwrap_or("")
}

/// The text a resolved slice takes.
pub fn slice_chars(text: &str, ascii: bool, slice: &Slice) -> String {
    let start = slice.start.max(0) as usize;
    if slice.count == 0 {
        return String::new();
    }
    if slice.step == 1 {
        return char_range(text, ascii, start, start + slice.count).to_owned();
    }
    let step = slice.step.unsigned_abs() as usize;
    if ascii {
        let bytes = text.as_bytes();
        let pick = |at: usize| {
            let at = if slice.step > 0 {
                start + at * step
            } else {
                start - at * step
            };
            bytes.get(at).map_or('\0', |b| *b as char)
        };
        return (0..slice.count).map(pick).collect();
    }
    if slice.step > 0 {
        let from = byte_offset(text, false, start);
        return text[from..]
            .chars()
            .step_by(step)
            .take(slice.count)
            .collect();
    }
    let to = byte_offset(text, false, start + 1);
    text[..to]
        .chars()
        .rev()
        .step_by(step)
        .take(slice.count)
        .collect()
}

/// Offsets of every sixty-fourth character of a text.
#[derive(Debug, Clone)]
pub struct CharIndex {
    offsets: Vec<u32>,
    length: usize,
}

const STRIDE: usize = 64;

impl CharIndex {
    /// `None` for text too long for the table's offsets.
    pub fn build(text: &str) -> Option<CharIndex> {
        if u32::try_from(text.len()).is_err() {
            return None;
        }
        let mut offsets = Vec::with_capacity(text.len() / STRIDE + 1);
        let mut length = 0;
        for (at, byte) in text.bytes().enumerate() {
            if byte & 0xc0 != 0x80 {
                if length % STRIDE == 0 {
                    offsets.push(at as u32);
                }
                length += 1;
            }
        }
        Some(CharIndex { offsets, length })
    }

    /// How many code points the text has.
    pub fn length(&self) -> usize {
        self.length
    }

    /// As `byte_offset`, in constant time.
    pub fn byte_offset(&self, text: &str, at: usize) -> usize {
        if at >= self.length {
            return text.len();
        }
        let base = self.offsets.get(at / STRIDE).copied().unwrap_or(0) as usize;
        skip_chars(text.as_bytes(), base, at % STRIDE)
    }

    /// As `char_at`, in constant time.
    pub fn char_at(&self, text: &str, at: usize) -> Option<char> {
        text.get(self.byte_offset(text, at)..)?.chars().next()
    }
}

#[cfg(test)]
mod tests {
    use super::super::slice::slice_indices;
    use super::*;

    fn slice(text: &str, start: Option<i64>, stop: Option<i64>, step: i64) -> String {
        let ascii = text.is_ascii();
        let slice = slice_indices(start, stop, Some(step), char_len(text, ascii)).expect("valid");
        slice_chars(text, ascii, &slice)
    }

    #[test]
    fn slices() {
        for (text, reversed) in [("abcde", "edcba"), ("aé中😀e", "e😀中éa")] {
            assert_eq!(slice(text, None, None, -1), reversed);
            assert_eq!(slice(text, Some(1), Some(-1), 1).chars().count(), 3);
        }
        assert_eq!(slice("aé中😀e", Some(1), Some(3), 1), "é中");
        assert_eq!(slice("aé中😀e", None, None, 2), "a中e");
        assert_eq!(slice("aé中😀e", Some(-2), None, -2), "😀é");
        assert_eq!(slice("abc", Some(5), None, 1), "");
    }

    #[test]
    fn index_agrees_with_counting() {
        let text: String = "aé中😀".repeat(100);
        let index = CharIndex::build(&text).expect("small");
        assert_eq!(index.length(), 400);
        for (at, (offset, c)) in text.char_indices().enumerate() {
            assert_eq!(index.byte_offset(&text, at), offset);
            assert_eq!(byte_offset(&text, false, at), offset);
            assert_eq!(char_position(&text, false, offset), at);
            assert_eq!(index.char_at(&text, at), Some(c));
            assert_eq!(char_at(&text, false, at), Some(c));
        }
        assert_eq!(index.byte_offset(&text, 400), text.len());
        assert_eq!(byte_offset(&text, false, 4000), text.len());
        assert_eq!(char_at(&text, false, 400), None);
    }
}
