//! "Did you mean 'for'?": misspelt keywords.
//!
//! CPython finds these when it prints a traceback, not when it compiles: the message stays "invalid
//! syntax", and the suggestion goes into the hint.
//!
//! How: each of the first names of the failing statement is replaced by the keywords that look like it;
//! the first replacement that parses is suggested.

use super::scene::Scene;
use crate::parse::{Mode, parse_as};
use crate::token::Tok;

const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield",
];

/// Longer statements are not tried, nor more names than this: every try is a parse.
const MAX_TEXT: usize = 1024;
const MAX_NAMES: usize = 10;
const MAX_MATCHES: usize = 3;

pub fn suggest(scene: &Scene<'_>) -> Option<String> {
    let first = scene.token(scene.line).start as usize;
    // The lines from the start of the statement to the error.
    let start = scene.source.get(..first)?.rfind('\n').map_or(0, |i| i + 1);
    let at = (scene.token(scene.at).start as usize).min(scene.source.len());
    let end = scene
        .source
        .get(at..)?
        .find('\n')
        .map_or(scene.source.len(), |i| at + i);
    let text = scene.source.get(start..end)?;
    if text.len() > MAX_TEXT
        || scene
            .source
            .get(start..first)?
            .contains(|c: char| !c.is_whitespace())
    {
        return None;
    }
    let names = (scene.line..scene.tokens.len())
        .take_while(|i| (scene.token(*i).end as usize) <= end && scene.kind(*i) != Tok::Newline)
        .filter(|i| scene.kind(*i) == Tok::Name)
        .take(MAX_NAMES);
    for i in names {
        let name = scene.text(i);
        let from = scene.token(i).start as usize;
        for keyword in matches(name) {
            let replaced = format!(
                "{}{keyword}{}",
                scene.source.get(first..from)?,
                scene.source.get(from + name.len()..end)?
            );
            let fits = match parse_quietly(&replaced) {
                Ok(()) => true,
                Err(incomplete) => incomplete,
            };
            if fits {
                return Some(format!("Did you mean '{keyword}'?"));
            }
        }
    }
    None
}

/// `Err` says whether more text could make it right.
fn parse_quietly(text: &str) -> Result<(), bool> {
    parse_as(text, Mode::Interactive, false)
        .map(|_| ())
        .map_err(|e| e.incomplete)
}

/// The keywords that look like a name, the likeliest first.
fn matches(name: &str) -> Vec<&'static str> {
    let mut close: Vec<(f64, &'static str)> = KEYWORDS
        .iter()
        .map(|k| (ratio(name.as_bytes(), k.as_bytes()), *k))
        .filter(|(r, _)| *r >= 0.5)
        .collect();
    close.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(a.1)));
    close
        .into_iter()
        .take(MAX_MATCHES)
        .map(|(_, k)| k)
        .collect()
}

/// How alike two words are, from 0 to 1 (Ratcliff and Obershelp, as in CPython's `difflib`).
fn ratio(a: &[u8], b: &[u8]) -> f64 {
    let total = a.len() + b.len();
    if total == 0 {
        1.0
    } else {
        2.0 * common(a, b) as f64 / total as f64
    }
}

/// The number of bytes in the longest common run, and in what lies left and right of it. Recursion is as
/// deep as the shorter word is long at most, and keywords are short.
fn common(a: &[u8], b: &[u8]) -> usize {
    let (mut best, mut best_a, mut best_b) = (0, 0, 0);
    for i in 0..a.len() {
        for j in 0..b.len() {
            let run = a[i..]
                .iter()
                .zip(&b[j..])
                .take_while(|(x, y)| x == y)
                .count();
            if run > best {
                (best, best_a, best_b) = (run, i, j);
            }
        }
    }
    if best == 0 {
        return 0;
    }
    best + common(&a[..best_a], &b[..best_b]) + common(&a[best_a + best..], &b[best_b + best..])
}
