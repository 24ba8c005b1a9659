//! Decoding that comes in chunks, for text files and pipes.

use super::super::error::TextError;
use super::decode::decode_utf8_part;
use super::{Encoding, decode, decode_error};

/// Decodes chunk by chunk; the bytes of an unfinished character wait for the
/// next one. Error positions count from the first waiting byte, as CPython's.
#[derive(Debug, Clone)]
pub struct IncrementalDecoder {
    encoding: Encoding,
    waiting: Vec<u8>,
    started: bool,
}

impl IncrementalDecoder {
    pub fn new(encoding: Encoding) -> IncrementalDecoder {
        IncrementalDecoder {
            encoding,
            waiting: Vec::new(),
            started: false,
        }
    }

    /// Forgets what came before, as after a seek to the beginning.
    pub fn reset(&mut self) {
        self.waiting.clear();
        self.started = false;
    }

    /// The bytes read but not yet decoded.
    pub fn waiting(&self) -> &[u8] {
        &self.waiting
    }

    /// Decodes what `chunk` completes; with `last`, an unfinished character is
    /// an error for the handler.
    pub fn decode(&mut self, chunk: &[u8], last: bool, errors: &str) -> Result<String, TextError> {
        // Nothing waiting and plain UTF-8: no copy of the input.
        if self.encoding == Encoding::Utf8 && self.waiting.is_empty() {
            let (text, taken) = decode_utf8_part(chunk, last, errors)?;
            self.waiting.extend_from_slice(&chunk[taken..]);
            return Ok(text);
        }
        let mut data = std::mem::take(&mut self.waiting);
        data.extend_from_slice(chunk);
        let marks = !self.started;
        if marks && !last && self.mark_undecided(&data) {
            self.waiting = data;
            return Ok(String::new());
        }
        match self.decode_body(&data, marks, last, errors) {
            Ok((text, encoding, taken)) => {
                // With the mark read, the byte order is settled.
                self.encoding = encoding;
                self.started = true;
                self.waiting.extend_from_slice(&data[taken..]);
                Ok(text)
            }
            Err(error) => {
                data.truncate(data.len() - chunk.len());
                self.waiting = data;
                Err(error)
            }
        }
    }

    /// The text of `data`, what the encoding turned out to be, and how many
    /// bytes were taken.
    fn decode_body(
        &self,
        data: &[u8],
        marks: bool,
        last: bool,
        errors: &str,
    ) -> Result<(String, Encoding, usize), TextError> {
        let (encoding, skip) = if marks {
            self.take_mark(data)
        } else {
            (self.encoding, 0)
        };
        let body = &data[skip..];
        if encoding == Encoding::Utf8 {
            let (text, taken) = decode_utf8_part(body, last, errors)?;
            return Ok((text, encoding, skip + taken));
        }
        let ready = body.len() - if last { 0 } else { unfinished(body, encoding) };
        let text = decode(&body[..ready], encoding, errors)?;
        // Unlike decoding all at once, a stream must have its mark.
        let width = match self.encoding {
            Encoding::Utf16 => 2,
            Encoding::Utf32 => 4,
            _ => 0,
        };
        if marks && skip < width && data.len() >= width {
            let name = self.encoding.name();
            return Err(decode_error(
                name,
                data,
                0,
                width,
                "Stream does not start with BOM",
            ));
        }
        Ok((text, encoding, skip + ready))
    }

    /// Too little read to tell whether there is a byte order mark.
    fn mark_undecided(&self, data: &[u8]) -> bool {
        match self.encoding {
            Encoding::Utf8Sig => data.len() < 3 && b"\xef\xbb\xbf".starts_with(data),
            Encoding::Utf16 => data.len() < 2,
            Encoding::Utf32 => data.len() < 4,
            _ => false,
        }
    }

    /// The byte order the data begins with, and the width of its mark.
    fn take_mark(&self, data: &[u8]) -> (Encoding, usize) {
        match (self.encoding, data) {
            (Encoding::Utf8Sig, [0xef, 0xbb, 0xbf, ..]) => (Encoding::Utf8, 3),
            (Encoding::Utf8Sig, _) => (Encoding::Utf8, 0),
            (Encoding::Utf16, [0xff, 0xfe, ..]) => (Encoding::Utf16Le, 2),
            (Encoding::Utf16, [0xfe, 0xff, ..]) => (Encoding::Utf16Be, 2),
            (Encoding::Utf16, _) => (Encoding::Utf16Le, 0),
            (Encoding::Utf32, [0xff, 0xfe, 0, 0, ..]) => (Encoding::Utf32Le, 4),
            (Encoding::Utf32, [0, 0, 0xfe, 0xff, ..]) => (Encoding::Utf32Be, 4),
            (Encoding::Utf32, _) => (Encoding::Utf32Le, 0),
            (other, _) => (other, 0),
        }
    }
}

/// How many bytes at the end begin a character that later bytes may finish.
fn unfinished(data: &[u8], encoding: Encoding) -> usize {
    match encoding {
        Encoding::Utf16 | Encoding::Utf16Le | Encoding::Utf16Be => {
            let odd = data.len() % 2;
            let high = if encoding == Encoding::Utf16Be { 2 } else { 1 };
            let lead = data
                .len()
                .checked_sub(odd + high)
                .and_then(|at| data.get(at));
            let waits = data.len() >= odd + 2 && lead.is_some_and(|b| matches!(b, 0xd8..=0xdb));
            if waits { odd + 2 } else { odd }
        }
        Encoding::Utf32 | Encoding::Utf32Le | Encoding::Utf32Be => data.len() % 4,
        // UTF-8 is cut by its own decoder.
        _ => 0,
    }
}

/// Universal newlines over chunks: "\r\n" and "\r" become "\n", and which of
/// the three were met is remembered.
#[derive(Debug, Clone, Default)]
pub struct NewlineDecoder {
    cut: bool,
    pub seen_lf: bool,
    pub seen_cr: bool,
    pub seen_crlf: bool,
}

impl NewlineDecoder {
    /// Translates a chunk; a carriage return at its end waits for the next one
    /// unless this is the last.
    pub fn translate(&mut self, text: &str, last: bool) -> String {
        let mut out = String::with_capacity(text.len() + 1);
        let joined;
        let mut rest = text;
        if self.cut && (last || !text.is_empty()) {
            self.cut = false;
            joined = format!("\r{text}");
            rest = &joined;
        }
        if !last && let Some(before) = rest.strip_suffix('\r') {
            self.cut = true;
            rest = before;
        }
        while let Some(at) = memchr::memchr2(b'\r', b'\n', rest.as_bytes()) {
            out.push_str(&rest[..at]);
            out.push('\n');
            let tail = &rest[at..];
            let width = if tail.starts_with("\r\n") {
                self.seen_crlf = true;
                2
            } else {
                self.seen_lf |= tail.starts_with('\n');
                self.seen_cr |= tail.starts_with('\r');
                1
            };
            rest = &tail[width..];
        }
        out.push_str(rest);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_chunking_gives_the_whole() {
        let text = "aé中😀b\u{feff}";
        for encoding in [
            Encoding::Utf8,
            Encoding::Utf8Sig,
            Encoding::Utf16,
            Encoding::Utf16Le,
            Encoding::Utf32,
            Encoding::Utf32Le,
        ] {
            let data = super::super::encode(text, encoding, "strict").expect("encodes");
            for size in 1..6 {
                let mut decoder = IncrementalDecoder::new(encoding);
                let mut got = String::new();
                for chunk in data.chunks(size) {
                    got += &decoder.decode(chunk, false, "strict").expect("valid");
                }
                got += &decoder.decode(b"", true, "strict").expect("complete");
                assert_eq!(got, text, "{encoding:?} by {size}");
            }
        }
    }

    #[test]
    fn errors_and_ends() {
        let mut decoder = IncrementalDecoder::new(Encoding::Utf8);
        assert_eq!(decoder.decode(b"a\xe4", false, "strict"), Ok("a".into()));
        assert_eq!(decoder.waiting(), b"\xe4");
        let error = decoder.decode(b"", true, "strict").map_err(|e| e.message);
        assert_eq!(
            error,
            Err(
                "'utf-8' codec can't decode byte 0xe4 in position 0: unexpected end of data".into()
            )
        );
        assert_eq!(decoder.decode(b"", true, "replace"), Ok("\u{fffd}".into()));
        assert_eq!(
            decoder.decode(b"\xff\xff", false, "ignore"),
            Ok(String::new())
        );
    }

    #[test]
    fn newlines() {
        let mut decoder = NewlineDecoder::default();
        assert_eq!(decoder.translate("a\r", false), "a");
        assert_eq!(decoder.translate("\nb\rc\n", false), "\nb\nc\n");
        assert_eq!(decoder.translate("\r", false), "");
        assert_eq!(decoder.translate("", true), "\n");
        assert!(decoder.seen_crlf && decoder.seen_cr && decoder.seen_lf);
    }
}
