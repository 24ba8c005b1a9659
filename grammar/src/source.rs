//! From the bytes of a file to text.
//!
//! Rules:
//! 1. The text keeps its line ends: offsets in it are offsets in the file when that is UTF-8 without a
//!    byte order mark.
//! 2. Encodings beyond UTF-8 are those that need no tables: Latin-1 and ASCII.

use crate::ast::Span;
use crate::diagnostic::Diagnostic;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Decodes a source file: UTF-8, or what its coding line says (PEP 263).
pub fn decode(bytes: &[u8]) -> Result<String, Diagnostic> {
    let (body, bom) = match bytes.strip_prefix(BOM) {
        Some(rest) => (rest, true),
        None => (bytes, false),
    };
    let declared = coding(body);
    let encoding = match &declared {
        None => Encoding::Utf8,
        Some((name, _)) => match known(name) {
            Some(encoding) => encoding,
            None => {
                return Err(Diagnostic::syntax(
                    format!("unknown encoding: {name}"),
                    Span::default(),
                ));
            }
        },
    };
    if bom && encoding != Encoding::Utf8 {
        let name = declared.map_or(String::new(), |d| d.0);
        return Err(Diagnostic::syntax(
            format!("encoding problem: {name} with BOM"),
            Span::default(),
        ));
    }
    let text = match encoding {
        Encoding::Utf8 => match std::str::from_utf8(body) {
            Ok(text) => text.to_string(),
            Err(e) => return Err(not_utf8(body, e.valid_up_to(), declared.is_some() || bom)),
        },
        Encoding::Latin1 => body.iter().map(|b| char::from(*b)).collect(),
        Encoding::Ascii => match body.iter().position(|b| *b >= 0x80) {
            None => body.iter().map(|b| char::from(*b)).collect(),
            Some(at) => {
                return Err(Diagnostic::syntax(
                    format!(
                        "'ascii' codec can't decode byte 0x{:02x} in position {at}: ordinal not in range(128)",
                        body[at]
                    ),
                    Span::new(at, at + 1),
                ));
            }
        },
    };
    match text.bytes().position(|c| c == 0) {
        Some(at) => Err(Diagnostic::syntax(
            "source code cannot contain null bytes",
            Span::new(at, at + 1),
        )),
        None => Ok(text),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Latin1,
    Ascii,
}

fn known(name: &str) -> Option<Encoding> {
    let name = name.to_ascii_lowercase().replace('_', "-");
    match name.as_str() {
        "utf-8" | "utf8" | "u8" | "utf" | "utf-8-sig" | "cp65001" => Some(Encoding::Utf8),
        _ if name.starts_with("utf-8-") => Some(Encoding::Utf8),
        "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "l1" | "8859" | "cp819"
        | "iso-latin-1" | "latin" => Some(Encoding::Latin1),
        _ if name.starts_with("latin-1-") || name.starts_with("iso-8859-1-") => {
            Some(Encoding::Latin1)
        }
        "ascii" | "us-ascii" | "646" => Some(Encoding::Ascii),
        _ => None,
    }
}

/// The encoding that a comment in the first two lines names, and the number of its line.
fn coding(bytes: &[u8]) -> Option<(String, usize)> {
    for (number, line) in bytes.split(|c| *c == b'\n').take(2).enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let blank = line
            .iter()
            .take_while(|c| matches!(c, b' ' | b'\t' | 0x0C))
            .count();
        let rest = &line[blank..];
        if rest.is_empty() {
            continue;
        }
        if rest[0] != b'#' {
            return None;
        }
        if let Some(name) = coding_name(rest) {
            return Some((name, number + 1));
        }
    }
    None
}

/// The name behind `coding:` or `coding=` in a comment.
fn coding_name(comment: &[u8]) -> Option<String> {
    let mut from = 0;
    while let Some(found) = comment[from..].windows(6).position(|w| w == b"coding") {
        let after = from + found + 6;
        from = after;
        if !matches!(comment.get(after), Some(b':' | b'=')) {
            continue;
        }
        let rest = &comment[after + 1..];
        let blank = rest
            .iter()
            .take_while(|c| matches!(c, b' ' | b'\t'))
            .count();
        let name: Vec<u8> = rest[blank..]
            .iter()
            .copied()
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.'))
            .collect();
        if !name.is_empty() {
            return String::from_utf8(name).ok();
        }
    }
    None
}

fn not_utf8(bytes: &[u8], at: usize, declared: bool) -> Diagnostic {
    let byte = bytes.get(at).copied().unwrap_or(0);
    let line = bytes[..at].iter().filter(|c| **c == b'\n').count() + 1;
    let span = Span::new(at, at + 1);
    if declared {
        let message = format!(
            "'utf-8' codec can't decode byte 0x{byte:02x} in position {at}: invalid start byte"
        );
        return Diagnostic::syntax(format!("(unicode error) {message}"), span);
    }
    let mut problem = Diagnostic::syntax(
        format!(
            "Non-UTF-8 code starting with '\\x{byte:02x}' on line {line}, but no encoding declared; \
             see https://peps.python.org/pep-0263/ for details"
        ),
        span,
    );
    problem.hint = Some("Save the file as UTF-8.".into());
    problem
}
