//! Text encodings: which there are, what they are called, how their failures
//! read.
//!
//! `encode` and `decode` do the work; error handlers go by name and, as in
//! CPython, are looked at only once something fails. str holds no surrogates
//! here, so `surrogateescape` and `surrogatepass` cannot rescue undecodable
//! bytes and say so.

mod decode;
mod encode;
mod incremental;

pub use decode::decode;
pub use encode::{encode, encode_with_names};
pub use incremental::{IncrementalDecoder, NewlineDecoder};

use super::error::{ErrKind, TextError, UnicodeSpan};
use super::repr::push_char_escape;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Utf8Sig,
    /// With a byte order mark; little-endian when writing.
    Utf16,
    Utf16Le,
    Utf16Be,
    Utf32,
    Utf32Le,
    Utf32Be,
    Latin1,
    Ascii,
    Cp1252,
}

/// Lower case, every run of punctuation one underscore: how codec names are
/// compared.
pub fn normalize_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut gap = false;
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || c == '.' {
            if gap && !out.is_empty() {
                out.push('_');
            }
            gap = false;
            out.push(c.to_ascii_lowercase());
        } else if c.is_ascii() {
            gap = true;
        }
    }
    out
}

impl Encoding {
    /// Finds an encoding under any of its names.
    pub fn lookup(name: &str) -> Result<Encoding, TextError> {
        // The two spellings nearly every program uses need no normalising.
        if name == "utf-8" || name == "utf8" {
            return Ok(Encoding::Utf8);
        }
        Ok(match normalize_name(name).as_str() {
            "utf_8" | "utf8" | "u8" | "utf" | "utf8_ucs2" | "utf8_ucs4" | "cp65001" => {
                Encoding::Utf8
            }
            "utf_8_sig" => Encoding::Utf8Sig,
            "utf_16" | "utf16" | "u16" => Encoding::Utf16,
            "utf_16_le" | "utf_16le" | "unicodelittleunmarked" => Encoding::Utf16Le,
            "utf_16_be" | "utf_16be" | "unicodebigunmarked" => Encoding::Utf16Be,
            "utf_32" | "utf32" | "u32" => Encoding::Utf32,
            "utf_32_le" | "utf_32le" => Encoding::Utf32Le,
            "utf_32_be" | "utf_32be" => Encoding::Utf32Be,
            "latin_1" | "latin1" | "latin" | "l1" | "8859" | "iso8859" | "iso8859_1"
            | "iso_8859_1" | "iso_8859_1_1987" | "iso_ir_100" | "cp819" | "ibm819"
            | "csisolatin1" => Encoding::Latin1,
            "ascii" | "646" | "us" | "us_ascii" | "ansi_x3.4_1968" | "ansi_x3_4_1968"
            | "ansi_x3.4_1986" | "cp367" | "ibm367" | "csascii" | "iso646_us"
            | "iso_646.irv_1991" | "iso_ir_6" => Encoding::Ascii,
            "cp1252" | "1252" | "windows_1252" => Encoding::Cp1252,
            _ => return Err(TextError::lookup(format!("unknown encoding: {name}"))),
        })
    }

    /// The name `codecs.lookup(...).name` gives.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 => "utf-8",
            Encoding::Utf8Sig => "utf-8-sig",
            Encoding::Utf16 => "utf-16",
            Encoding::Utf16Le => "utf-16-le",
            Encoding::Utf16Be => "utf-16-be",
            Encoding::Utf32 => "utf-32",
            Encoding::Utf32Le => "utf-32-le",
            Encoding::Utf32Be => "utf-32-be",
            Encoding::Latin1 => "iso8859-1",
            Encoding::Ascii => "ascii",
            Encoding::Cp1252 => "cp1252",
        }
    }

    /// The name its Unicode errors carry.
    pub(super) fn error_name(self) -> &'static str {
        match self {
            Encoding::Utf8Sig => "utf-8",
            Encoding::Latin1 => "latin-1",
            Encoding::Cp1252 => "charmap",
            other => other.name(),
        }
    }
}

/// Whether a name is one of the error handlers CPython registers.
pub fn known_handler(name: &str) -> bool {
    matches!(
        name,
        "strict"
            | "ignore"
            | "replace"
            | "backslashreplace"
            | "xmlcharrefreplace"
            | "namereplace"
            | "surrogateescape"
            | "surrogatepass"
    )
}

fn unknown_handler(name: &str) -> TextError {
    TextError::lookup(format!("unknown error handler name '{name}'"))
}

/// `UnicodeDecodeError` with CPython's message. `data` is all of the input.
pub fn decode_error(
    encoding: &str,
    data: &[u8],
    start: usize,
    end: usize,
    reason: &str,
) -> TextError {
    let place = match data.get(start) {
        Some(byte) if end == start + 1 => format!("byte 0x{byte:02x} in position {start}"),
        _ => format!("bytes in position {start}-{}", end.saturating_sub(1)),
    };
    let span = span(encoding, start, end, reason);
    TextError::new(
        ErrKind::UnicodeDecodeError(span),
        format!("'{encoding}' codec can't decode {place}: {reason}"),
    )
}

/// `UnicodeEncodeError` with CPython's message; `first` is the character at
/// `start`, positions count code points.
pub fn encode_error(
    encoding: &str,
    first: char,
    start: usize,
    end: usize,
    reason: &str,
) -> TextError {
    let place = if end == start + 1 {
        let mut shown = String::new();
        push_char_escape(&mut shown, first);
        format!("character '{shown}' in position {start}")
    } else {
        format!("characters in position {start}-{}", end.saturating_sub(1))
    };
    let span = span(encoding, start, end, reason);
    TextError::new(
        ErrKind::UnicodeEncodeError(span),
        format!("'{encoding}' codec can't encode {place}: {reason}"),
    )
}

fn span(encoding: &str, start: usize, end: usize, reason: &str) -> Box<UnicodeSpan> {
    Box::new(UnicodeSpan {
        encoding: encoding.to_owned(),
        start,
        end,
        reason: reason.to_owned(),
    })
}

/// What cp1252 makes of 0x80 to 0x9f; '\0' where it has nothing.
pub(super) const CP1252_HIGH: [char; 32] = [
    '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘',
    '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, want) in [
            ("UTF 8", Encoding::Utf8),
            ("utf--8", Encoding::Utf8),
            (" utf-8 ", Encoding::Utf8),
            ("utf_8_sig", Encoding::Utf8Sig),
            ("ISO-8859-1", Encoding::Latin1),
            ("us-ascii", Encoding::Ascii),
            ("utf-16LE", Encoding::Utf16Le),
            ("Windows-1252", Encoding::Cp1252),
        ] {
            assert_eq!(Encoding::lookup(name), Ok(want));
        }
        let unknown = Encoding::lookup("utf16le").map_err(|e| e.message);
        assert_eq!(unknown, Err("unknown encoding: utf16le".into()));
        assert!(Encoding::lookup("utf.8").is_err());
        assert!(known_handler("namereplace") && !known_handler("foo"));
    }
}
