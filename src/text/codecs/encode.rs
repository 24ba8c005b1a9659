//! Text to bytes.

use super::super::error::TextError;
use super::super::repr::push_char_escape;
use super::{CP1252_HIGH, Encoding, encode_error, unknown_handler};

/// Gives a character's Unicode name for `namereplace`.
pub type NameOf<'a> = &'a dyn Fn(char) -> Option<String>;

/// `text.encode(encoding, errors)`. Without names at hand, `namereplace`
/// escapes as `backslashreplace` does; see `encode_with_names`.
pub fn encode(text: &str, encoding: Encoding, errors: &str) -> Result<Vec<u8>, TextError> {
    encode_with_names(text, encoding, errors, &|_| None)
}

/// As `encode`, with the names `namereplace` needs.
pub fn encode_with_names(
    text: &str,
    encoding: Encoding,
    errors: &str,
    names: NameOf<'_>,
) -> Result<Vec<u8>, TextError> {
    Ok(match encoding {
        Encoding::Utf8 => text.as_bytes().to_vec(),
        Encoding::Utf8Sig => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        Encoding::Utf16 => utf16(text, &[0xff, 0xfe], u16::to_le_bytes),
        Encoding::Utf16Le => utf16(text, &[], u16::to_le_bytes),
        Encoding::Utf16Be => utf16(text, &[], u16::to_be_bytes),
        Encoding::Utf32 => utf32(text, &[0xff, 0xfe, 0, 0], u32::to_le_bytes),
        Encoding::Utf32Le => utf32(text, &[], u32::to_le_bytes),
        Encoding::Utf32Be => utf32(text, &[], u32::to_be_bytes),
        Encoding::Latin1 | Encoding::Ascii | Encoding::Cp1252 => {
            if text.is_ascii() {
                return Ok(text.as_bytes().to_vec());
            }
            single_bytes(text, encoding, errors, names)?
        }
    })
}

fn utf16(text: &str, mark: &[u8], order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let mut out = Vec::with_capacity(mark.len() + text.len() * 2);
    out.extend_from_slice(mark);
    for unit in text.encode_utf16() {
        out.extend_from_slice(&order(unit));
    }
    out
}

fn utf32(text: &str, mark: &[u8], order: fn(u32) -> [u8; 4]) -> Vec<u8> {
    let mut out = Vec::with_capacity(mark.len() + text.len() * 4);
    out.extend_from_slice(mark);
    for c in text.chars() {
        out.extend_from_slice(&order(c as u32));
    }
    out
}

/// The byte of a character in a one-byte encoding.
fn byte_of(c: char, encoding: Encoding) -> Option<u8> {
    let code = c as u32;
    match encoding {
        _ if code < 0x80 => Some(code as u8),
        Encoding::Latin1 => u8::try_from(code).ok(),
        Encoding::Cp1252 if (0xa0..=0xff).contains(&code) => Some(code as u8),
        Encoding::Cp1252 => CP1252_HIGH
            .iter()
            .position(|known| *known == c)
            .map(|at| 0x80 + at as u8),
        _ => None,
    }
}

fn single_bytes(
    text: &str,
    encoding: Encoding,
    errors: &str,
    names: NameOf<'_>,
) -> Result<Vec<u8>, TextError> {
    let mut out = Vec::with_capacity(text.len());
    for (position, c) in text.chars().enumerate() {
        if let Some(byte) = byte_of(c, encoding) {
            out.push(byte);
            continue;
        }
        match errors {
            "strict" | "surrogateescape" | "surrogatepass" => {
                let reason = match encoding {
                    Encoding::Latin1 => "ordinal not in range(256)",
                    Encoding::Ascii => "ordinal not in range(128)",
                    _ => "character maps to <undefined>",
                };
                // The error covers the whole run of such characters.
                let run = text.chars().skip(position);
                let width = run.take_while(|c| byte_of(*c, encoding).is_none()).count();
                let end = position + width;
                return Err(encode_error(
                    encoding.error_name(),
                    c,
                    position,
                    end,
                    reason,
                ));
            }
            "ignore" => {}
            "replace" => out.push(b'?'),
            "xmlcharrefreplace" => {
                out.extend_from_slice(format!("&#{};", c as u32).as_bytes());
            }
            "backslashreplace" => push_escape(&mut out, c),
            "namereplace" => match names(c) {
                Some(name) => out.extend_from_slice(format!("\\N{{{name}}}").as_bytes()),
                None => push_escape(&mut out, c),
            },
            _ => return Err(unknown_handler(errors)),
        }
    }
    Ok(out)
}

fn push_escape(out: &mut Vec<u8>, c: char) {
    let mut shown = String::new();
    push_char_escape(&mut shown, c);
    out.extend_from_slice(shown.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handlers() {
        let text = "é中😀";
        let ascii = |errors| encode(text, Encoding::Ascii, errors);
        assert_eq!(ascii("replace"), Ok(b"???".to_vec()));
        assert_eq!(ascii("ignore"), Ok(Vec::new()));
        assert_eq!(
            ascii("backslashreplace"),
            Ok(b"\\xe9\\u4e2d\\U0001f600".to_vec())
        );
        assert_eq!(
            ascii("xmlcharrefreplace"),
            Ok(b"&#233;&#20013;&#128512;".to_vec())
        );
        let names = |c: char| (c == 'é').then(|| "LATIN SMALL LETTER E WITH ACUTE".to_owned());
        assert_eq!(
            encode_with_names("é\u{80}", Encoding::Ascii, "namereplace", &names),
            Ok(b"\\N{LATIN SMALL LETTER E WITH ACUTE}\\x80".to_vec())
        );
        assert_eq!(
            encode(text, Encoding::Cp1252, "replace"),
            Ok(b"\xe9??".to_vec())
        );
        assert!(encode("a", Encoding::Ascii, "foo").is_ok());
        assert!(ascii("foo").is_err());
    }

    #[test]
    fn errors() {
        let fail = |text, encoding| encode(text, encoding, "strict").err().map(|e| e.message);
        assert_eq!(
            fail("aéb", Encoding::Ascii).as_deref(),
            Some(
                "'ascii' codec can't encode character '\\xe9' in position 1: ordinal not in range(128)"
            )
        );
        assert_eq!(
            fail("a中中", Encoding::Latin1).as_deref(),
            Some(
                "'latin-1' codec can't encode characters in position 1-2: ordinal not in range(256)"
            )
        );
        assert_eq!(
            fail("\u{81}", Encoding::Cp1252).as_deref(),
            Some(
                "'charmap' codec can't encode character '\\x81' in position 0: character maps to <undefined>"
            )
        );
    }

    #[test]
    fn wide() {
        assert_eq!(
            encode("a", Encoding::Utf16, "strict"),
            Ok(b"\xff\xfea\0".to_vec())
        );
        assert_eq!(
            encode("😀", Encoding::Utf16Be, "strict"),
            Ok(b"\xd8\x3d\xde\x00".to_vec())
        );
        assert_eq!(
            encode("a", Encoding::Utf32, "strict"),
            Ok(b"\xff\xfe\0\0a\0\0\0".to_vec())
        );
    }
}
