//! From byte offsets to lines and columns.
//!
//! Diagnostics and tracebacks speak of lines and columns; the tree has byte offsets only.

/// The start of every line of a text.
#[derive(Clone, Debug)]
pub struct LineIndex {
    /// Byte offset of each line's first character; the first is 0.
    starts: Vec<u32>,
}

/// A place in a text. Lines count from 1, columns from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub line: u32,
    /// In characters.
    pub column: u32,
    /// In UTF-8 bytes.
    pub byte_column: u32,
}

impl LineIndex {
    /// Lines end with LF, CR LF or CR.
    pub fn new(source: &str) -> LineIndex {
        let bytes = source.as_bytes();
        let mut starts = vec![0];
        for (i, c) in bytes.iter().enumerate() {
            if *c == b'\n' || (*c == b'\r' && bytes.get(i + 1) != Some(&b'\n')) {
                starts.push(i as u32 + 1);
            }
        }
        LineIndex { starts }
    }

    /// The line (from 1) that holds a byte offset.
    pub fn line(&self, offset: u32) -> u32 {
        self.starts.partition_point(|start| *start <= offset) as u32
    }

    /// The byte offset where a line (from 1) starts; beyond the last line, where that one starts.
    pub fn line_start(&self, line: u32) -> u32 {
        let last = self.starts.len() - 1;
        self.starts[(line.max(1) as usize - 1).min(last)]
    }

    pub fn line_count(&self) -> u32 {
        self.starts.len() as u32
    }

    /// The text of a line (from 1), without its line end.
    pub fn line_text<'s>(&self, source: &'s str, line: u32) -> &'s str {
        let start = self.line_start(line) as usize;
        let end = self
            .starts
            .get(line as usize)
            .map_or(source.len(), |s| *s as usize);
        source
            .get(start..end)
            .unwrap_or("")
            .trim_end_matches(['\n', '\r'])
    }

    /// The line and columns of a byte offset in the same text.
    pub fn place(&self, source: &str, offset: u32) -> Place {
        let line = self.line(offset);
        let start = self.line_start(line);
        let byte_column = offset - start;
        let before = source
            .as_bytes()
            .get(start as usize..offset as usize)
            .unwrap_or(&[]);
        // Bytes that continue a character do not count.
        let column = before.iter().filter(|b| **b & 0xC0 != 0x80).count() as u32;
        Place {
            line,
            column,
            byte_column,
        }
    }
}
