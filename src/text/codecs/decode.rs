//! Bytes to text.

use super::super::error::TextError;
use super::{CP1252_HIGH, Encoding, decode_error, unknown_handler};

const REPLACEMENT: char = '\u{fffd}';

/// `data.decode(encoding, errors)`.
pub fn decode(data: &[u8], encoding: Encoding, errors: &str) -> Result<String, TextError> {
    match encoding {
        Encoding::Utf8 => decode_utf8(data, errors),
        // Positions in errors count from behind the mark.
        Encoding::Utf8Sig => {
            decode_utf8(data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data), errors)
        }
        Encoding::Latin1 => Ok(data.iter().map(|byte| *byte as char).collect()),
        Encoding::Ascii => decode_bytes(data, encoding, errors),
        Encoding::Cp1252 => decode_bytes(data, encoding, errors),
        Encoding::Utf16 => match data {
            [0xff, 0xfe, ..] => decode_utf16(data, 2, Encoding::Utf16Le, errors),
            [0xfe, 0xff, ..] => decode_utf16(data, 2, Encoding::Utf16Be, errors),
            _ => decode_utf16(data, 0, Encoding::Utf16Le, errors),
        },
        Encoding::Utf16Le | Encoding::Utf16Be => decode_utf16(data, 0, encoding, errors),
        Encoding::Utf32 => match data {
            [0xff, 0xfe, 0, 0, ..] => decode_utf32(data, 4, Encoding::Utf32Le, errors),
            [0, 0, 0xfe, 0xff, ..] => decode_utf32(data, 4, Encoding::Utf32Be, errors),
            _ => decode_utf32(data, 0, Encoding::Utf32Le, errors),
        },
        Encoding::Utf32Le | Encoding::Utf32Be => decode_utf32(data, 0, encoding, errors),
    }
}

/// What stands where `data[start..end]` could not be decoded.
fn recover(
    out: &mut String,
    data: &[u8],
    (start, end): (usize, usize),
    reason: &str,
    encoding: Encoding,
    errors: &str,
) -> Result<(), TextError> {
    match errors {
        "strict" => Err(decode_error(
            encoding.error_name(),
            data,
            start,
            end,
            reason,
        )),
        "ignore" => Ok(()),
        "replace" => {
            out.push(REPLACEMENT);
            Ok(())
        }
        "backslashreplace" => {
            for byte in &data[start..end] {
                out.push_str(&format!("\\x{byte:02x}"));
            }
            Ok(())
        }
        "xmlcharrefreplace" | "namereplace" => Err(TextError::type_error(
            "don't know how to handle UnicodeDecodeError in error callback",
        )),
        "surrogateescape" | "surrogatepass" => Err(TextError::lookup(format!(
            "error handler '{errors}' is not supported: str cannot hold surrogates"
        ))),
        _ => Err(unknown_handler(errors)),
    }
}

fn decode_utf8(data: &[u8], errors: &str) -> Result<String, TextError> {
    decode_utf8_part(data, true, errors).map(|(text, _)| text)
}

/// Decodes UTF-8 and says how many bytes that took: unless this is the `last`
/// of it, a character cut short at the end is left alone.
pub(super) fn decode_utf8_part(
    data: &[u8],
    last: bool,
    errors: &str,
) -> Result<(String, usize), TextError> {
    let mut failure = match std::str::from_utf8(data) {
        Ok(text) => return Ok((text.to_owned(), data.len())),
        Err(failure) => failure,
    };
    let mut out = String::with_capacity(data.len());
    let mut at = 0;
    loop {
        let good = at + failure.valid_up_to();
        out.push_str(std::str::from_utf8(&data[at..good]).unwrap_or(""));
        let (end, reason) = match failure.error_len() {
            None if !last => return Ok((out, good)),
            None => (data.len(), "unexpected end of data"),
            Some(width) => {
                let starts = data.get(good).is_some_and(|b| matches!(b, 0xc2..=0xf4));
                let reason = if starts {
                    "invalid continuation byte"
                } else {
                    "invalid start byte"
                };
                (good + width, reason)
            }
        };
        recover(&mut out, data, (good, end), reason, Encoding::Utf8, errors)?;
        at = end;
        match std::str::from_utf8(&data[at..]) {
            Ok(rest) => {
                out.push_str(rest);
                return Ok((out, data.len()));
            }
            Err(next) => failure = next,
        }
    }
}

/// ASCII and cp1252.
fn decode_bytes(data: &[u8], encoding: Encoding, errors: &str) -> Result<String, TextError> {
    let mut out = String::with_capacity(data.len());
    let mut at = 0;
    while at < data.len() {
        let run = data[at..]
            .iter()
            .position(|b| !b.is_ascii())
            .unwrap_or(data.len() - at);
        out.push_str(std::str::from_utf8(&data[at..at + run]).unwrap_or(""));
        at += run;
        let Some(&byte) = data.get(at) else { break };
        let (mapped, reason) = match encoding {
            Encoding::Ascii => ('\0', "ordinal not in range(128)"),
            _ if byte < 0xa0 => (
                CP1252_HIGH[usize::from(byte & 0x1f)],
                "character maps to <undefined>",
            ),
            _ => (byte as char, ""),
        };
        if mapped == '\0' {
            recover(&mut out, data, (at, at + 1), reason, encoding, errors)?;
        } else {
            out.push(mapped);
        }
        at += 1;
    }
    Ok(out)
}

fn decode_utf16(
    data: &[u8],
    from: usize,
    encoding: Encoding,
    errors: &str,
) -> Result<String, TextError> {
    let unit = |at: usize| -> Option<u16> {
        let pair = [*data.get(at)?, *data.get(at + 1)?];
        Some(if encoding == Encoding::Utf16Be {
            u16::from_be_bytes(pair)
        } else {
            u16::from_le_bytes(pair)
        })
    };
    let mut out = String::with_capacity(data.len() / 2);
    let mut at = from;
    while at < data.len() {
        let Some(first) = unit(at) else {
            recover(
                &mut out,
                data,
                (at, data.len()),
                "truncated data",
                encoding,
                errors,
            )?;
            break;
        };
        if let Some(c) = char::from_u32(u32::from(first)) {
            out.push(c);
            at += 2;
            continue;
        }
        let (end, reason) = match (first, unit(at + 2)) {
            (0xdc00.., _) => (at + 2, "illegal encoding"),
            (_, None) => (data.len(), "unexpected end of data"),
            (_, Some(second @ 0xdc00..=0xdfff)) => {
                let (high, low) = (u32::from(first) - 0xd800, u32::from(second) - 0xdc00);
                out.extend(char::from_u32(0x10000 + (high << 10 | low)));
                at += 4;
                continue;
            }
            _ => (at + 2, "illegal UTF-16 surrogate"),
        };
        recover(&mut out, data, (at, end), reason, encoding, errors)?;
        at = end;
    }
    Ok(out)
}

fn decode_utf32(
    data: &[u8],
    from: usize,
    encoding: Encoding,
    errors: &str,
) -> Result<String, TextError> {
    let mut out = String::with_capacity(data.len() / 4);
    let mut at = from;
    while at < data.len() {
        let Some(&[a, b, c, d]) = data.get(at..at + 4) else {
            recover(
                &mut out,
                data,
                (at, data.len()),
                "truncated data",
                encoding,
                errors,
            )?;
            break;
        };
        let code = if encoding == Encoding::Utf32Be {
            u32::from_be_bytes([a, b, c, d])
        } else {
            u32::from_le_bytes([a, b, c, d])
        };
        match char::from_u32(code) {
            Some(c) => out.push(c),
            None => {
                let reason = if code > 0x10ffff {
                    "code point not in range(0x110000)"
                } else {
                    "code point in surrogate code point range(0xd800, 0xe000)"
                };
                recover(&mut out, data, (at, at + 4), reason, encoding, errors)?;
            }
        }
        at += 4;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(data: &[u8], encoding: Encoding) -> String {
        decode(data, encoding, "strict")
            .err()
            .map(|e| e.message)
            .unwrap_or_default()
    }

    #[test]
    fn utf8() {
        assert_eq!(
            decode("aé中😀".as_bytes(), Encoding::Utf8, "strict"),
            Ok("aé中😀".into())
        );
        assert_eq!(
            fail(b"a\xff", Encoding::Utf8),
            "'utf-8' codec can't decode byte 0xff in position 1: invalid start byte"
        );
        assert_eq!(
            fail(b"\xe4\xb8", Encoding::Utf8),
            "'utf-8' codec can't decode bytes in position 0-1: unexpected end of data"
        );
        assert_eq!(
            fail(b"\xe4b", Encoding::Utf8),
            "'utf-8' codec can't decode byte 0xe4 in position 0: invalid continuation byte"
        );
        assert_eq!(
            decode(b"a\xffb\xe4\xb8", Encoding::Utf8, "replace"),
            Ok("a\u{fffd}b\u{fffd}".into())
        );
        assert_eq!(
            decode(b"a\xff\xe4\xb8", Encoding::Utf8, "backslashreplace"),
            Ok("a\\xff\\xe4\\xb8".into())
        );
        assert_eq!(
            decode(b"\xef\xbb\xbfa", Encoding::Utf8Sig, "strict"),
            Ok("a".into())
        );
        assert!(decode(b"\xff", Encoding::Utf8, "foo").is_err());
        assert!(decode(b"a", Encoding::Utf8, "foo").is_ok());
    }

    #[test]
    fn wide() {
        assert_eq!(
            decode(b"\xff\xfea\x00\x3d\xd8\x00\xde", Encoding::Utf16, "strict"),
            Ok("a😀".into())
        );
        assert_eq!(
            fail(b"\xff\xfea", Encoding::Utf16),
            "'utf-16-le' codec can't decode byte 0x61 in position 2: truncated data"
        );
        assert_eq!(
            fail(b"\xdc\x00", Encoding::Utf16Be),
            "'utf-16-be' codec can't decode bytes in position 0-1: illegal encoding"
        );
        assert_eq!(
            decode(b"\0\0\xfe\xff\0\x01\xf6\0", Encoding::Utf32, "strict"),
            Ok("😀".into())
        );
        assert_eq!(
            fail(b"\x81", Encoding::Cp1252),
            "'charmap' codec can't decode byte 0x81 in position 0: character maps to <undefined>"
        );
        assert_eq!(
            decode(b"\x80\xe9", Encoding::Cp1252, "strict"),
            Ok("€é".into())
        );
    }
}
