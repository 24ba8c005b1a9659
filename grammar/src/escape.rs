//! Escape sequences in string and bytes literals.
//!
//! Called by `build::strings` with the text between the quotes.
//!
//! Rules:
//! 1. Unknown escapes stay as they are and are reported as warnings, in CPython 3.14's words.
//! 2. Line ends are LF in the result, whatever they were in the file.

/// A warning about a piece of the text.
pub struct Problem {
    pub message: String,
    pub at: usize,
    pub len: usize,
}

fn invalid(sequence: &str, octal: bool) -> String {
    let kind = if octal { "octal escape" } else { "escape" };
    format!(
        "\"{sequence}\" is an invalid {kind} sequence. Such sequences will not work in the future. \
         Did you mean \"\\{sequence}\"? A raw string is also an option."
    )
}

/// The text that a str literal stands for.
pub fn decode_str(text: &str, raw: bool, warnings: &mut Vec<Problem>) -> Result<String, String> {
    let normalised;
    let text = if text.contains('\r') {
        normalised = text.replace("\r\n", "\n").replace('\r', "\n");
        normalised.as_str()
    } else {
        text
    };
    if raw || !text.contains('\\') {
        return Ok(text.to_string());
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let here = text.len() - rest.len() + at;
        let after = &rest[at + 1..];
        let Some(c) = after.chars().next() else {
            // Only in an f-string, before a brace that opens a field.
            warnings.push(Problem {
                message: invalid("\\{", false),
                at: here,
                len: 2,
            });
            out.push('\\');
            return Ok(out);
        };
        let mut used = c.len_utf8();
        match c {
            '\n' => {}
            '\\' | '\'' | '"' => out.push(c),
            'a' => out.push('\x07'),
            'b' => out.push('\x08'),
            'f' => out.push('\x0C'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'v' => out.push('\x0B'),
            '0'..='7' => {
                let (value, digits) = octal(after.as_bytes());
                used = digits;
                if value > 0o377 {
                    let message = invalid(&rest[at..at + 1 + digits], true);
                    warnings.push(Problem {
                        message,
                        at: here,
                        len: 1 + digits,
                    });
                }
                out.push(char::from_u32(value).unwrap_or('\0'));
            }
            'x' | 'u' | 'U' => {
                let count = match c {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                let digits = after[1..]
                    .bytes()
                    .take(count)
                    .take_while(u8::is_ascii_hexdigit)
                    .count();
                if digits < count {
                    let shape = "X".repeat(count);
                    return Err(unicode_error(
                        text,
                        here,
                        here + 1 + digits,
                        &format!("truncated \\{c}{shape} escape"),
                    ));
                }
                used = 1 + count;
                let code = u32::from_str_radix(&after[1..used], 16).unwrap_or(0);
                match char::from_u32(code) {
                    Some(c) => out.push(c),
                    None if code < 0x11_0000 => {
                        return Err(
                            "(unicode error) lone surrogates are not supported in str".into()
                        );
                    }
                    None => {
                        return Err(unicode_error(
                            text,
                            here,
                            here + used,
                            "illegal Unicode character",
                        ));
                    }
                }
            }
            'N' => {
                let name = after[1..]
                    .strip_prefix('{')
                    .and_then(|tail| tail.find('}').map(|end| &tail[..end]));
                let Some(name) = name.filter(|n| !n.is_empty()) else {
                    let end = match after[1..].strip_prefix('{') {
                        Some(tail) if tail.starts_with('}') => here + 3,
                        Some(_) => text.len() - 1,
                        None => here + 1,
                    };
                    return Err(unicode_error(
                        text,
                        here,
                        end,
                        "malformed \\N character escape",
                    ));
                };
                used = 3 + name.len();
                match unicode_names2::character(name) {
                    Some(c) => out.push(c),
                    None => {
                        return Err(unicode_error(
                            text,
                            here,
                            here + used,
                            "unknown Unicode character name",
                        ));
                    }
                }
            }
            _ => {
                warnings.push(Problem {
                    message: invalid(&rest[at..at + 1 + used], false),
                    at: here,
                    len: 1 + used,
                });
                out.push('\\');
                out.push(c);
            }
        }
        rest = &after[used..];
    }
    out.push_str(rest);
    Ok(out)
}

/// Up to three octal digits: their value and number.
fn octal(text: &[u8]) -> (u32, usize) {
    let digits = text
        .iter()
        .take(3)
        .take_while(|c| (b'0'..=b'7').contains(c))
        .count();
    (
        text[..digits]
            .iter()
            .fold(0, |v, c| v * 8 + u32::from(c - b'0')),
        digits,
    )
}

/// CPython's codec counts in bytes of an inner encoding in which characters beyond ASCII take ten.
fn unicode_error(text: &str, from: usize, to: usize, what: &str) -> String {
    let inner = |end: usize| -> usize {
        text.char_indices()
            .take_while(|(i, _)| *i < end)
            .map(|(_, c)| if c.is_ascii() { 1 } else { 10 })
            .sum()
    };
    let (from, to) = (inner(from), inner(to));
    if from == to {
        return format!(
            "(unicode error) 'unicodeescape' codec can't decode byte 0x5c in position {from}: {what}"
        );
    }
    format!(
        "(unicode error) 'unicodeescape' codec can't decode bytes in position {from}-{to}: {what}"
    )
}

/// The bytes that a bytes literal stands for. The text is ASCII.
pub fn decode_bytes(text: &str, raw: bool, warnings: &mut Vec<Problem>) -> Result<Vec<u8>, String> {
    let normalised;
    let text = if text.contains('\r') {
        normalised = text.replace("\r\n", "\n").replace('\r', "\n");
        normalised.as_str()
    } else {
        text
    };
    let bytes = text.as_bytes();
    if raw {
        return Ok(bytes.to_vec());
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        if bytes[i] != b'\\' {
            out.push(bytes[i]);
            i += 1;
            continue;
        }
        let Some(c) = bytes.get(i + 1).copied() else {
            return Err("(value error) Trailing \\ in string".into());
        };
        let mut used = 2;
        match c {
            b'\n' => {}
            b'\\' | b'\'' | b'"' => out.push(c),
            b'a' => out.push(0x07),
            b'b' => out.push(0x08),
            b'f' => out.push(0x0C),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'v' => out.push(0x0B),
            b'0'..=b'7' => {
                let (value, digits) = octal(&bytes[i + 1..]);
                used = 1 + digits;
                if value > 0o377 {
                    let message = invalid(&text[i..i + used], true);
                    warnings.push(Problem {
                        message,
                        at: i,
                        len: used,
                    });
                }
                out.push((value & 0xFF) as u8);
            }
            b'x' => {
                let digits = bytes[i + 2..]
                    .iter()
                    .take(2)
                    .take_while(|c| c.is_ascii_hexdigit())
                    .count();
                if digits < 2 {
                    return Err(format!("(value error) invalid \\x escape at position {i}"));
                }
                used = 4;
                out.push(u8::from_str_radix(&text[i + 2..i + 4], 16).unwrap_or(0));
            }
            _ => {
                warnings.push(Problem {
                    message: invalid(&text[i..i + 2], false),
                    at: i,
                    len: 2,
                });
                out.push(b'\\');
                out.push(c);
            }
        }
        i += used;
    }
    Ok(out)
}
