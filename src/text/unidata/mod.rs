//! Character properties as Python's str methods answer them.
//!
//! Two-level table lookup for everything outside ASCII; `tables.rs` is written
//! by `generate.py`. Callers take ASCII shortcuts themselves where it pays.

#[rustfmt::skip]
mod tables;

use tables::{FOLDS, RECORDS, SHIFT, STAGE1, STAGE2, TITLES, ZEROS};

pub const ALPHA: u16 = 1;
pub const DECIMAL: u16 = 1 << 1;
pub const DIGIT: u16 = 1 << 2;
pub const NUMERIC: u16 = 1 << 3;
pub const LOWER: u16 = 1 << 4;
pub const UPPER: u16 = 1 << 5;
pub const TITLE: u16 = 1 << 6;
pub const SPACE: u16 = 1 << 7;
pub const PRINTABLE: u16 = 1 << 8;
pub const XID_START: u16 = 1 << 9;
pub const XID_CONTINUE: u16 = 1 << 10;
pub const CASED: u16 = 1 << 11;
pub const IGNORABLE: u16 = 1 << 12;
pub const MAPS: u16 = 1 << 13;

/// The property bits of a character.
pub fn props(c: char) -> u16 {
    let cp = c as usize;
    let block = STAGE1.get(cp >> SHIFT).copied().unwrap_or(0) as usize;
    let at = (block << SHIFT) | (cp & ((1 << SHIFT) - 1));
    let record = STAGE2.get(at).copied().unwrap_or(0) as usize;
    RECORDS.get(record).copied().unwrap_or(0)
}

/// Whether a character has any of the asked bits.
pub fn has(c: char, mask: u16) -> bool {
    props(c) & mask != 0
}

/// `str.isspace` of one character.
pub fn is_space(c: char) -> bool {
    if c.is_ascii() {
        matches!(c, ' ' | '\t'..='\r' | '\x1c'..='\x1f')
    } else {
        has(c, SPACE)
    }
}

/// `str.isprintable` of one character.
pub fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        (' '..='~').contains(&c)
    } else {
        has(c, PRINTABLE)
    }
}

/// May begin an identifier.
pub fn is_id_start(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphabetic() || c == '_'
    } else {
        has(c, XID_START)
    }
}

/// May stand inside an identifier.
pub fn is_id_continue(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || c == '_'
    } else {
        has(c, XID_CONTINUE)
    }
}

/// The value of a decimal digit in any script.
pub fn decimal_value(c: char) -> Option<u32> {
    if c.is_ascii() {
        return c.to_digit(10);
    }
    if !has(c, DECIMAL) {
        return None;
    }
    let cp = c as u32;
    let after = ZEROS.partition_point(|zero| *zero <= cp);
    let zero = ZEROS.get(after.checked_sub(1)?)?;
    Some(cp - zero).filter(|value| *value < 10)
}

/// Text as the number parsers want it: digits of any script become ASCII
/// digits, white space becomes blanks, and anything else foreign a `?`.
pub fn to_ascii_digits(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            c if c.is_ascii() => c,
            c if is_space(c) => ' ',
            c => decimal_value(c)
                .and_then(|d| char::from_digit(d, 10))
                .unwrap_or('?'),
        })
        .collect()
}

fn special(table: &'static [(u32, &'static str)], c: char) -> Option<&'static str> {
    table
        .binary_search_by_key(&(c as u32), |row| row.0)
        .ok()
        .map(|at| table[at].1)
}

/// Appends the full lower-case mapping, without the final-sigma rule.
pub fn push_lower(out: &mut String, c: char) {
    if c.is_ascii() {
        out.push(c.to_ascii_lowercase());
    } else if has(c, MAPS) {
        out.extend(c.to_lowercase());
    } else {
        out.push(c);
    }
}

/// Appends the full upper-case mapping.
pub fn push_upper(out: &mut String, c: char) {
    if c.is_ascii() {
        out.push(c.to_ascii_uppercase());
    } else if has(c, MAPS) {
        out.extend(c.to_uppercase());
    } else {
        out.push(c);
    }
}

/// Appends the full title-case mapping.
pub fn push_title(out: &mut String, c: char) {
    match special(&TITLES, c) {
        Some(text) if !c.is_ascii() => out.push_str(text),
        _ => push_upper(out, c),
    }
}

/// Appends the full case folding.
pub fn push_fold(out: &mut String, c: char) {
    match special(&FOLDS, c) {
        Some(text) if !c.is_ascii() => out.push_str(text),
        _ => push_lower(out, c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties() {
        assert!(has('é', ALPHA) && has('é', LOWER) && !has('é', UPPER));
        assert!(has('²', DIGIT) && !has('²', DECIMAL));
        assert!(has('½', NUMERIC) && !has('½', DIGIT));
        assert!(is_space('\u{3000}') && is_space('\x1c') && !is_space('\u{200b}'));
        assert!(!is_printable('\u{ad}') && is_printable('中'));
        assert_eq!(decimal_value('\u{1d7ff}'), Some(9));
        assert_eq!(decimal_value('x'), None);
    }
}
