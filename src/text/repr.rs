//! `repr` and `ascii` of str, `repr` of bytes.
//!
//! Single quotes unless the text holds one and no double quote; what
//! `str.isprintable` refuses is escaped.

use super::unidata;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// `repr(text)`.
pub fn str_repr(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_str_repr(&mut out, text);
    out
}

/// Appends `repr(text)`.
pub fn push_str_repr(out: &mut String, text: &str) {
    push_quoted(out, text, false);
}

/// `ascii(text)`: as `repr`, everything outside ASCII escaped.
pub fn ascii_repr(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_quoted(&mut out, text, true);
    out
}

/// The quote Python chooses for text or bytes with these contents.
fn quote_for(data: &[u8]) -> u8 {
    if memchr::memchr(b'\'', data).is_some() && memchr::memchr(b'"', data).is_none() {
        b'"'
    } else {
        b'\''
    }
}

fn push_quoted(out: &mut String, text: &str, ascii_only: bool) {
    let plain = |b: u8| (b' '..=b'~').contains(&b) && b != b'\'' && b != b'\\';
    if text.bytes().all(plain) {
        out.push('\'');
        out.push_str(text);
        out.push('\'');
        return;
    }
    let quote = quote_for(text.as_bytes());
    out.push(quote as char);
    // Runs that need no escape are copied whole.
    let mut copied = 0;
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte < 0x80 {
            let plain = (0x20..0x7f).contains(&byte) && byte != quote && byte != b'\\';
            if !plain {
                out.push_str(&text[copied..at]);
                push_byte_escape(out, byte);
                copied = at + 1;
            }
            at += 1;
            continue;
        }
        let Some(c) = text[at..].chars().next() else {
            break;
        };
        let next = at + c.len_utf8();
        if ascii_only || !unidata::is_printable(c) {
            out.push_str(&text[copied..at]);
            push_char_escape(out, c);
            copied = next;
        }
        at = next;
    }
    out.push_str(&text[copied..]);
    out.push(quote as char);
}

/// Appends the escape of one byte that cannot stand for itself.
fn push_byte_escape(out: &mut String, byte: u8) {
    match byte {
        b'\n' => out.push_str("\\n"),
        b'\r' => out.push_str("\\r"),
        b'\t' => out.push_str("\\t"),
        b'\\' | b'\'' | b'"' => {
            out.push('\\');
            out.push(byte as char);
        }
        _ => push_hex(out, "\\x", u32::from(byte), 2),
    }
}

/// Appends `\xXX`, `\uXXXX` or `\UXXXXXXXX`, whichever is the shortest.
pub fn push_char_escape(out: &mut String, c: char) {
    match c as u32 {
        cp @ 0..=0xff => push_hex(out, "\\x", cp, 2),
        cp @ 0x100..=0xffff => push_hex(out, "\\u", cp, 4),
        cp => push_hex(out, "\\U", cp, 8),
    }
}

fn push_hex(out: &mut String, lead: &str, value: u32, width: u32) {
    out.push_str(lead);
    for place in (0..width).rev() {
        out.push(HEX[(value >> (4 * place) & 15) as usize] as char);
    }
}

/// `repr(data)` for bytes.
pub fn bytes_repr(data: &[u8]) -> String {
    let quote = quote_for(data);
    let mut out = String::with_capacity(data.len() + 3);
    out.push('b');
    out.push(quote as char);
    for &byte in data {
        let plain = (0x20..0x7f).contains(&byte) && byte != quote && byte != b'\\';
        if plain {
            out.push(byte as char);
        } else {
            push_byte_escape(&mut out, byte);
        }
    }
    out.push(quote as char);
    out
}

/// `repr(bytearray(data))`.
pub fn bytearray_repr(data: &[u8]) -> String {
    format!("bytearray({})", bytes_repr(data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn str_reprs() {
        assert_eq!(str_repr("a"), "'a'");
        assert_eq!(str_repr("it's"), "\"it's\"");
        assert_eq!(str_repr("it's \"x\""), "'it\\'s \"x\"'");
        assert_eq!(str_repr("\n\t\r\\\0\x7f"), "'\\n\\t\\r\\\\\\x00\\x7f'");
        assert_eq!(
            str_repr("é\u{ad}\u{200b}\u{e0001}中"),
            "'é\\xad\\u200b\\U000e0001中'"
        );
        assert_eq!(ascii_repr("é中😀'"), "\"\\xe9\\u4e2d\\U0001f600'\"");
    }

    #[test]
    fn bytes_reprs() {
        assert_eq!(bytes_repr(b"a\"'\n\xff"), "b'a\"\\'\\n\\xff'");
        assert_eq!(bytes_repr(b"it's"), "b\"it's\"");
        assert_eq!(bytearray_repr(b"a"), "bytearray(b'a')");
    }
}
