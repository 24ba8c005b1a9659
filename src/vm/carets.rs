//! The source lines of a traceback entry and the markers under them.
//!
//! CPython 3.13+ shows up to the whole range of the failing expression; `~` marks the operands of a binary operation or the object of a
//! subscript or call, `^` the operator, index or argument list. When the marked range is the whole line, no markers are drawn.

use std::fmt::Write;

/// Where the `^` go within a one-line expression: byte offsets, or None for all of it.
fn anchors(text: &str) -> Option<(usize, usize)> {
    let parsed = corun_grammar::parse(text, corun_grammar::Mode::Expression).ok()?;
    let corun_grammar::ast::Root::Expression(e) = parsed.root else {
        return None;
    };
    use corun_grammar::ast::ExprKind;
    match &e.kind {
        ExprKind::BinOp { left, right, .. } => {
            // The operator is what stands between the operands, blanks and parentheses aside.
            let (a, b) = (left.span.end as usize, right.span.start as usize);
            let between = text.get(a..b)?;
            let start = a + between.find(|c: char| !c.is_whitespace() && c != ')')?;
            let mut end = start + 1;
            let bytes = text.as_bytes();
            if end < b && !bytes[end].is_ascii_whitespace() && bytes[end] != b'(' {
                end += 1;
            }
            Some((start, end))
        }
        ExprKind::Subscript { value, .. } => {
            let a = value.span.end as usize;
            let start = a + text.get(a..)?.find('[')?;
            Some((start, text.len()))
        }
        ExprKind::Call { func, .. } => {
            let a = func.span.end as usize;
            let start = a + text.get(a..)?.find('(')?;
            Some((start, text.len()))
        }
        _ => None,
    }
}

/// Width of text on the terminal, wide characters counting two.
fn width(s: &str) -> usize {
    s.chars().map(|c| if matches!(c as u32, 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd) { 2 } else { 1 }).sum()
}

/// The lines `l1..=l2` (numbers from 1, columns in bytes) as a traceback shows them.
pub fn render(lines: &[&str], l1: u32, c1: u32, l2: u32, c2: u32) -> String {
    let mut out = String::new();
    let first = l1 as usize - 1;
    let last = (l2 as usize - 1).min(lines.len() - 1).max(first);
    let text = lines[first];
    if last == first {
        let shown = text.trim();
        let lead = text.len() - text.trim_start().len();
        let _ = writeln!(out, "    {shown}");
        let (a, b) = (c1 as usize, (c2 as usize).min(text.len()));
        if a >= b || !text.is_char_boundary(a) || !text.is_char_boundary(b) || a < lead {
            return out;
        }
        let segment = &text[a..b];
        let marks = anchors(segment);
        let whole = a == lead && b == lead + shown.len();
        if whole && marks.is_none() {
            return out;
        }
        let mut line = String::from("    ");
        line.push_str(&" ".repeat(width(&text[lead..a])));
        match marks {
            Some((s, e)) => {
                line.push_str(&"~".repeat(width(&segment[..s])));
                line.push_str(&"^".repeat(width(&segment[s..e])));
                line.push_str(&"~".repeat(width(&segment[e..])));
            }
            None => line.push_str(&"^".repeat(width(segment))),
        }
        let _ = writeln!(out, "{line}");
        return out;
    }
    // Several lines: common indentation goes, each line is marked from its first to its last character in range.
    let block = &lines[first..=last];
    let dedent = block
        .iter()
        .filter(|l| !l.trim().is_empty())
        .map(|l| l.len() - l.trim_start().len())
        .min()
        .unwrap_or(0);
    let mut source = String::new();
    let mut offset_of = Vec::new();
    for (i, l) in block.iter().enumerate() {
        offset_of.push(source.len() as i64 - if i == 0 { c1 as i64 } else { 0 });
        let a = if i == 0 { c1 as usize } else { 0 };
        let b = if i + 1 == block.len() {
            (c2 as usize).min(l.len())
        } else {
            l.len()
        };
        source.push_str(l.get(a..b).unwrap_or(""));
        if i + 1 < block.len() {
            source.push('\n');
        }
    }
    let marks = anchors(&source);
    let covers_all = block[0]
        .get(..c1 as usize)
        .is_none_or(|s| s.trim().is_empty())
        && block[block.len() - 1]
            .get(c2 as usize..)
            .is_none_or(|s| s.trim().is_empty());
    let plain = covers_all && marks.is_none();
    let n = block.len();
    for (i, l) in block.iter().enumerate() {
        // Of a long range the middle is left out.
        if n > 4 && i >= 2 && i < n - 2 {
            if i == 2 {
                let _ = writeln!(
                    out,
                    "    ...<{} line{}>...",
                    n - 4,
                    if n == 5 { "" } else { "s" }
                );
            }
            continue;
        }
        let shown = l.get(dedent.min(l.len())..).unwrap_or("").trim_end();
        let _ = writeln!(out, "    {shown}");
        if plain {
            continue;
        }
        let indent = l.len() - l.trim_start().len();
        let a = if i == 0 { c1 as usize } else { indent };
        let b = if i + 1 == n {
            c2 as usize
        } else {
            l.trim_end().len()
        };
        if a >= b {
            continue;
        }
        let mut line = String::from("    ");
        line.push_str(&" ".repeat(width(l.get(dedent.min(a)..a).unwrap_or(""))));
        for (j, ch) in l.get(a..b).unwrap_or("").char_indices() {
            let at = offset_of[i] + (a + j) as i64;
            let strong = marks.is_none_or(|(s, e)| at >= s as i64 && at < e as i64);
            let w = width(ch.encode_utf8(&mut [0; 4]));
            line.push_str(&if strong { "^" } else { "~" }.repeat(w));
        }
        let _ = writeln!(out, "{line}");
    }
    out
}
