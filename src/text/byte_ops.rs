//! What bytes do beyond searching and splitting: ASCII case, classes, filling,
//! hex, translation.

use super::error::TextError;
use super::pad::{Place, margins};
use super::split::byte_space;

fn filled(size: usize) -> Result<Vec<u8>, TextError> {
    let mut out = Vec::new();
    out.try_reserve(size).map_err(|_| TextError::memory())?;
    Ok(out)
}

/// `ljust`, `rjust` and `center`.
pub fn justify_bytes(
    data: &[u8],
    width: i64,
    fill: u8,
    place: Place,
) -> Result<Vec<u8>, TextError> {
    let (left, right) = margins(data.len(), width, place);
    let mut out = filled((left + right).saturating_add(data.len()))?;
    out.resize(left, fill);
    out.extend_from_slice(data);
    out.resize(left + data.len() + right, fill);
    Ok(out)
}

/// `data.zfill(width)`.
pub fn zfill_bytes(data: &[u8], width: i64) -> Result<Vec<u8>, TextError> {
    let mut out = justify_bytes(data, width, b'0', Place::Right)?;
    let zeros = out.len() - data.len();
    if zeros > 0
        && let Some(sign @ (b'+' | b'-')) = data.first()
    {
        out[zeros] = b'0';
        out[0] = *sign;
    }
    Ok(out)
}

/// `data.expandtabs(size)`.
pub fn expandtabs_bytes(data: &[u8], size: i64) -> Result<Vec<u8>, TextError> {
    let size = usize::try_from(size).unwrap_or(0);
    let mut out = filled(data.len())?;
    let mut column = 0;
    for &byte in data {
        if byte == b'\t' {
            if size > 0 {
                let blanks = size - column % size;
                out.try_reserve(blanks).map_err(|_| TextError::memory())?;
                out.resize(out.len() + blanks, b' ');
                column += blanks;
            }
            continue;
        }
        column = if matches!(byte, b'\n' | b'\r') {
            0
        } else {
            column + 1
        };
        out.push(byte);
    }
    Ok(out)
}

/// `data * times`.
pub fn repeat_bytes(data: &[u8], times: i64) -> Result<Vec<u8>, TextError> {
    let times = usize::try_from(times).unwrap_or(0);
    let mut out = filled(
        data.len()
            .checked_mul(times)
            .ok_or_else(TextError::memory)?,
    )?;
    if !data.is_empty() && times > 0 {
        out.extend_from_slice(data);
        // Doubling copies, then the rest.
        let whole = data.len() * times;
        while out.len() < whole {
            let more = out.len().min(whole - out.len());
            out.extend_from_within(..more);
        }
    }
    Ok(out)
}

/// `data.capitalize()`.
pub fn capitalize_bytes(data: &[u8]) -> Vec<u8> {
    let mut out = data.to_ascii_lowercase();
    if let Some(first) = out.first_mut() {
        first.make_ascii_uppercase();
    }
    out
}

/// `data.title()`.
pub fn title_bytes(data: &[u8]) -> Vec<u8> {
    let mut inside = false;
    data.iter()
        .map(|byte| {
            let mapped = if inside {
                byte.to_ascii_lowercase()
            } else {
                byte.to_ascii_uppercase()
            };
            inside = byte.is_ascii_alphabetic();
            mapped
        })
        .collect()
}

/// `data.swapcase()`.
pub fn swapcase_bytes(data: &[u8]) -> Vec<u8> {
    data.iter()
        .map(|b| {
            if b.is_ascii_alphabetic() {
                b ^ 0x20
            } else {
                *b
            }
        })
        .collect()
}

/// `data.translate(table, delete)`; the table, if any, has 256 entries.
pub fn translate_bytes(data: &[u8], table: Option<&[u8; 256]>, delete: &[u8]) -> Vec<u8> {
    let mut gone = [false; 256];
    for byte in delete {
        gone[usize::from(*byte)] = true;
    }
    data.iter()
        .filter(|byte| !gone[usize::from(**byte)])
        .map(|byte| table.map_or(*byte, |table| table[usize::from(*byte)]))
        .collect()
}

fn all(data: &[u8], test: impl Fn(&u8) -> bool) -> bool {
    !data.is_empty() && data.iter().all(test)
}

/// `data.isalpha()`.
pub fn is_alpha_bytes(data: &[u8]) -> bool {
    all(data, u8::is_ascii_alphabetic)
}

/// `data.isalnum()`.
pub fn is_alnum_bytes(data: &[u8]) -> bool {
    all(data, u8::is_ascii_alphanumeric)
}

/// `data.isdigit()`.
pub fn is_digit_bytes(data: &[u8]) -> bool {
    all(data, u8::is_ascii_digit)
}

/// `data.isspace()`.
pub fn is_space_bytes(data: &[u8]) -> bool {
    all(data, |byte| byte_space(*byte))
}

/// `data.isupper()`.
pub fn is_upper_bytes(data: &[u8]) -> bool {
    data.iter().any(u8::is_ascii_uppercase) && !data.iter().any(u8::is_ascii_lowercase)
}

/// `data.islower()`.
pub fn is_lower_bytes(data: &[u8]) -> bool {
    data.iter().any(u8::is_ascii_lowercase) && !data.iter().any(u8::is_ascii_uppercase)
}

/// `data.istitle()`.
pub fn is_title_bytes(data: &[u8]) -> bool {
    let mut cased = false;
    let mut inside = false;
    for byte in data {
        if byte.is_ascii_alphabetic() {
            if byte.is_ascii_uppercase() == inside {
                return false;
            }
            inside = true;
            cased = true;
        } else {
            inside = false;
        }
    }
    cased
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// `data.hex()`.
pub fn hex(data: &[u8]) -> String {
    let mut out = String::with_capacity(data.len() * 2);
    for byte in data {
        out.push(HEX[usize::from(byte >> 4)] as char);
        out.push(HEX[usize::from(byte & 15)] as char);
    }
    out
}

/// `data.hex(sep, group)`: groups counted from the right, or from the left
/// when `group` is negative.
pub fn hex_grouped(data: &[u8], sep: &str, group: i64) -> Result<String, TextError> {
    let mut marks = sep.chars();
    let (Some(mark), None) = (marks.next(), marks.next()) else {
        return Err(TextError::value("sep must be length 1."));
    };
    if !mark.is_ascii() {
        return Err(TextError::value("sep must be ASCII."));
    }
    let size = usize::try_from(group.unsigned_abs()).unwrap_or(usize::MAX);
    if size == 0 {
        return Ok(hex(data));
    }
    let mut out = String::with_capacity(data.len() * 3);
    for (at, byte) in data.iter().enumerate() {
        let from_end = if group > 0 { data.len() - at } else { at };
        if at > 0 && from_end % size == 0 {
            out.push(mark);
        }
        out.push(HEX[usize::from(byte >> 4)] as char);
        out.push(HEX[usize::from(byte & 15)] as char);
    }
    Ok(out)
}

/// `bytes.fromhex(text)`. CPython names the first character outside ASCII
/// before anything else.
pub fn fromhex(text: &str) -> Result<Vec<u8>, TextError> {
    match text.bytes().position(|b| !b.is_ascii()) {
        Some(at) => Err(not_hex(at)),
        None => fromhex_bytes(text.as_bytes()),
    }
}

fn not_hex(at: usize) -> TextError {
    TextError::value(format!(
        "non-hexadecimal number found in fromhex() arg at position {at}"
    ))
}

/// `bytes.fromhex(data)` of a bytes-like argument.
pub fn fromhex_bytes(bytes: &[u8]) -> Result<Vec<u8>, TextError> {
    let bad = not_hex;
    let digit = |byte: u8| (byte as char).to_digit(16);
    let mut out = Vec::with_capacity(bytes.len() / 2);
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if byte_space(*byte) {
            at += 1;
            continue;
        }
        let high = digit(*byte).ok_or_else(|| bad(at))?;
        let Some(next) = bytes.get(at + 1) else {
            return Err(TextError::value(
                "fromhex() arg must contain an even number of hexadecimal digits",
            ));
        };
        let low = digit(*next).ok_or_else(|| bad(at + 1))?;
        out.push((high << 4 | low) as u8);
        at += 2;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_classes() {
        assert_eq!(title_bytes(b"hELLO wORLD's"), b"Hello World'S");
        assert_eq!(capitalize_bytes(b"aBC"), b"Abc");
        assert_eq!(swapcase_bytes(b"aB1\xe9"), b"Ab1\xe9");
        assert!(is_title_bytes(b"Ab Cd") && !is_title_bytes(b"AB") && !is_title_bytes(b"1"));
        assert!(is_upper_bytes(b"A1") && !is_upper_bytes(b"1") && is_lower_bytes(b"a\xc9"));
    }

    #[test]
    fn filling() {
        assert_eq!(
            justify_bytes(b"ab", 5, b'*', Place::Center),
            Ok(b"**ab*".to_vec())
        );
        assert_eq!(zfill_bytes(b"-4", 5), Ok(b"-0004".to_vec()));
        assert_eq!(zfill_bytes(b"-4", 1), Ok(b"-4".to_vec()));
        assert_eq!(expandtabs_bytes(b"a\tb", 4), Ok(b"a   b".to_vec()));
        assert_eq!(repeat_bytes(b"abc", 5), Ok(b"abcabcabcabcabc".to_vec()));
        assert_eq!(translate_bytes(b"hello", None, b"l"), b"heo");
    }

    #[test]
    fn hexes() {
        assert_eq!(hex(b"\x00\xff"), "00ff");
        assert_eq!(hex_grouped(b"\x01\x02\x03", ":", 2), Ok("01:0203".into()));
        assert_eq!(hex_grouped(b"\x01\x02\x03", ":", -2), Ok("0102:03".into()));
        assert_eq!(fromhex(" 01 fF\n"), Ok(vec![1, 255]));
        assert_eq!(
            fromhex("0x").map_err(|e| e.message),
            Err("non-hexadecimal number found in fromhex() arg at position 1".into())
        );
        assert!(fromhex("012").is_err());
    }
}
