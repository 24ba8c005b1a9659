//! Where string literals end, and how the text of an f-string is cut into pieces.
//!
//! `layout` calls this where logos saw an opening quote, or while it is inside an f-string.
//!
//! Rules:
//! 1. Nothing is decoded here; `strings` does that when the tree is built.
//! 2. Positions are byte offsets. All bytes that matter are ASCII, so the text is read as bytes.

/// The quote that opens (and closes) a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    pub byte: u8,
    pub triple: bool,
}

impl Quote {
    /// The quote that starts at `at`, and the offset behind it.
    pub fn at(text: &[u8], at: usize) -> (Quote, usize) {
        let byte = text[at];
        let triple = text.get(at + 1) == Some(&byte) && text.get(at + 2) == Some(&byte);
        (Quote { byte, triple }, at + if triple { 3 } else { 1 })
    }

    fn closes_at(self, text: &[u8], at: usize) -> bool {
        text[at] == self.byte
            && (!self.triple
                || (text.get(at + 1) == Some(&self.byte) && text.get(at + 2) == Some(&self.byte)))
    }

    pub fn len(self) -> usize {
        if self.triple { 3 } else { 1 }
    }
}

/// The offset behind the closing quote; `Err` has the offset where the text gave out.
pub fn string_end(text: &[u8], mut at: usize, quote: Quote) -> Result<usize, usize> {
    while at < text.len() {
        let c = text[at];
        if c == quote.byte && quote.closes_at(text, at) {
            return Ok(at + quote.len());
        }
        match c {
            b'\\' => {
                at += 1;
                // A backslash and CR LF are one escaped line end.
                if text.get(at) == Some(&b'\r') && text.get(at + 1) == Some(&b'\n') {
                    at += 1;
                }
                at += 1;
            }
            b'\n' | b'\r' if !quote.triple => return Err(at),
            _ => at += 1,
        }
    }
    Err(text.len())
}

/// Why a piece of f-string text ended. The offset given with it is where the text stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceEnd {
    /// At a `{` that opens a field.
    Field,
    /// At the closing quote.
    Quote,
    /// At the `}` that closes the field (format specifications only).
    SpecClose,
    /// At a `}` that nothing opened.
    LoneBrace,
    /// At a line end that the quotes do not allow, or the end of the text.
    LineEnd,
    TextEnd,
}

/// Reads f-string text from `at` on. In a format specification braces cannot be doubled, and a `}` ends it.
pub fn piece_end(
    text: &[u8],
    mut at: usize,
    quote: Quote,
    raw: bool,
    spec: bool,
) -> (usize, PieceEnd) {
    while at < text.len() {
        let c = text[at];
        if c == quote.byte && quote.closes_at(text, at) {
            return (at, PieceEnd::Quote);
        }
        match c {
            b'{' if !spec && text.get(at + 1) == Some(&b'{') => at += 2,
            b'{' => return (at, PieceEnd::Field),
            b'}' if spec => return (at, PieceEnd::SpecClose),
            b'}' if text.get(at + 1) == Some(&b'}') => at += 2,
            b'}' => return (at, PieceEnd::LoneBrace),
            b'\n' | b'\r' if !quote.triple => return (at, PieceEnd::LineEnd),
            b'\\' => match text.get(at + 1) {
                // The brace keeps its meaning.
                Some(b'{' | b'}') => at += 1,
                Some(b'N') if !raw && text.get(at + 2) == Some(&b'{') => {
                    at += 3;
                    // The braces of a character's name are no field.
                    while at < text.len()
                        && !matches!(text[at], b'}' | b'\n' | b'\r')
                        && text[at] != quote.byte
                    {
                        at += 1;
                    }
                    if text.get(at) == Some(&b'}') {
                        at += 1;
                    }
                }
                Some(b'\r') if text.get(at + 2) == Some(&b'\n') => at += 3,
                _ => at += 2,
            },
            _ => at += 1,
        }
    }
    (text.len(), PieceEnd::TextEnd)
}
