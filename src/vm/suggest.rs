//! "Did you mean": the most similar of the known names, as CPython chooses it.
//!
//! The distance between two names is an edit distance in which a change of case costs half; a name is suggested if fewer than about a third
//! of its letters would have to move.

/// The cost of inserting, deleting or replacing a letter, and of changing only its case.
const MOVE: usize = 2;
const CASE: usize = 1;
/// Longer names, and longer lists of names, are not looked at.
const MAX_NAME: usize = 40;
const MAX_NAMES: usize = 750;

fn substitution(a: u8, b: u8) -> usize {
    if a == b {
        0
    } else if a.eq_ignore_ascii_case(&b) {
        CASE
    } else {
        MOVE
    }
}

/// The edit distance, or something above `limit` as soon as it is known to exceed that.
fn distance(a: &[u8], b: &[u8], limit: usize) -> usize {
    let same = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[same..], &b[same..]);
    let same = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[..a.len() - same], &b[..b.len() - same]);
    if a.is_empty() || b.is_empty() {
        return (a.len() + b.len()) * MOVE;
    }
    if a.len() > MAX_NAME || b.len() > MAX_NAME {
        return limit + 1;
    }
    let (a, b) = if b.len() < a.len() { (b, a) } else { (a, b) };
    if (b.len() - a.len()) * MOVE > limit {
        return limit + 1;
    }
    let mut row: Vec<usize> = (1..=a.len()).map(|i| i * MOVE).collect();
    let mut result = 0;
    for (i, &y) in b.iter().enumerate() {
        let mut diagonal = i * MOVE;
        result = i * MOVE;
        let mut least = usize::MAX;
        for (j, &x) in a.iter().enumerate() {
            let replaced = diagonal + substitution(y, x);
            diagonal = row[j];
            result = replaced.min(result.min(diagonal) + MOVE);
            row[j] = result;
            least = least.min(result);
        }
        if least > limit {
            return limit + 1;
        }
    }
    result
}

/// The known name most similar to `wrong`, if one is similar enough.
pub fn closest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut best: Option<(&str, usize)> = None;
    for (i, name) in known.enumerate() {
        if i >= MAX_NAMES {
            return None;
        }
        if name == wrong {
            continue;
        }
        let mut limit = (name.len() + wrong.len() + 3) * MOVE / 6;
        if let Some((_, d)) = best {
            limit = limit.min(d.saturating_sub(1));
        }
        let d = distance(wrong.as_bytes(), name.as_bytes(), limit);
        if d <= limit && best.is_none_or(|(_, b)| d < b) {
            best = Some((name, d));
        }
    }
    best.map(|(n, _)| n)
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn near_names_are_found() {
        assert_eq!(closest("color", ["colour", "size"].into_iter()), Some("colour"));
        assert_eq!(closest("siz", ["colour", "size"].into_iter()), Some("size"));
        assert_eq!(closest("zzz", ["colour", "size"].into_iter()), None);
        assert_eq!(closest("Size", ["size", "sizes"].into_iter()), Some("size"));
    }
}
