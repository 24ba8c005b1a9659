//! Case mapping and the character-class questions of str.
//!
//! ASCII text takes byte loops; other text goes by the tables of `unidata`,
//! with full (one to many) mappings and the final-sigma rule.

use super::unidata::{
    ALPHA, CASED, DECIMAL, DIGIT, IGNORABLE, LOWER, NUMERIC, TITLE, UPPER, has, is_id_continue,
    is_id_start, is_printable, is_space, props, push_fold, push_lower, push_title, push_upper,
};

/// Appends the lower case of the character at a byte offset.
fn push_lower_at(out: &mut String, text: &str, at: usize, c: char) {
    if c == '\u{3a3}' {
        out.push(if is_final_sigma(text, at) {
            '\u{3c2}'
        } else {
            '\u{3c3}'
        });
    } else {
        push_lower(out, c);
    }
}

/// A capital sigma ends a word: letters before it, none after, skipping what
/// case ignores.
fn is_final_sigma(text: &str, at: usize) -> bool {
    let visible = |c: &char| !has(*c, IGNORABLE);
    let before = text[..at].chars().rev().find(visible);
    let after = text[at + '\u{3a3}'.len_utf8()..].chars().find(visible);
    before.is_some_and(|c| has(c, CASED)) && !after.is_some_and(|c| has(c, CASED))
}

/// `text.lower()`.
pub fn lower(text: &str, ascii: bool) -> String {
    if ascii {
        return text.to_ascii_lowercase();
    }
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        push_lower_at(&mut out, text, at, c);
    }
    out
}

/// `text.upper()`.
pub fn upper(text: &str, ascii: bool) -> String {
    if ascii {
        return text.to_ascii_uppercase();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        push_upper(&mut out, c);
    }
    out
}

/// `text.casefold()`.
pub fn casefold(text: &str, ascii: bool) -> String {
    if ascii {
        return text.to_ascii_lowercase();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        push_fold(&mut out, c);
    }
    out
}

/// `text.capitalize()`.
pub fn capitalize(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if at == 0 {
            push_title(&mut out, c);
        } else {
            push_lower_at(&mut out, text, at, c);
        }
    }
    out
}

/// `text.title()`.
pub fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for (at, c) in text.char_indices() {
        if inside {
            push_lower_at(&mut out, text, at, c);
        } else {
            push_title(&mut out, c);
        }
        inside = has(c, CASED);
    }
    out
}

/// `text.swapcase()`.
pub fn swapcase(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let bits = props(c);
        if bits & UPPER != 0 {
            push_lower_at(&mut out, text, at, c);
        } else if bits & LOWER != 0 {
            push_upper(&mut out, c);
        } else {
            out.push(c);
        }
    }
    out
}

fn all(text: &str, test: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(test)
}

/// `text.isalpha()`.
pub fn is_alpha(text: &str) -> bool {
    all(text, |c| {
        if c.is_ascii() {
            c.is_ascii_alphabetic()
        } else {
            has(c, ALPHA)
        }
    })
}

/// `text.isalnum()`.
pub fn is_alnum(text: &str) -> bool {
    const MASK: u16 = ALPHA | DECIMAL | DIGIT | NUMERIC;
    all(text, |c| {
        if c.is_ascii() {
            c.is_ascii_alphanumeric()
        } else {
            has(c, MASK)
        }
    })
}

/// `text.isdecimal()`.
pub fn is_decimal(text: &str) -> bool {
    all(text, |c| {
        if c.is_ascii() {
            c.is_ascii_digit()
        } else {
            has(c, DECIMAL)
        }
    })
}

/// `text.isdigit()`.
pub fn is_digit(text: &str) -> bool {
    all(text, |c| {
        if c.is_ascii() {
            c.is_ascii_digit()
        } else {
            has(c, DIGIT)
        }
    })
}

/// `text.isnumeric()`.
pub fn is_numeric(text: &str) -> bool {
    all(text, |c| {
        if c.is_ascii() {
            c.is_ascii_digit()
        } else {
            has(c, NUMERIC)
        }
    })
}

/// `text.isspace()`.
pub fn is_whitespace(text: &str) -> bool {
    all(text, is_space)
}

/// `text.isprintable()`: true of the empty string too.
pub fn is_printable_text(text: &str) -> bool {
    text.chars().all(is_printable)
}

/// `text.isidentifier()`.
pub fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(is_id_start) && chars.all(is_id_continue)
}

/// `text.isupper()`.
pub fn is_upper(text: &str) -> bool {
    let mut cased = false;
    for c in text.chars() {
        let bits = props(c);
        if bits & (LOWER | TITLE) != 0 {
            return false;
        }
        cased |= bits & UPPER != 0;
    }
    cased
}

/// `text.islower()`.
pub fn is_lower(text: &str) -> bool {
    let mut cased = false;
    for c in text.chars() {
        let bits = props(c);
        if bits & (UPPER | TITLE) != 0 {
            return false;
        }
        cased |= bits & LOWER != 0;
    }
    cased
}

/// `text.istitle()`.
pub fn is_title(text: &str) -> bool {
    let mut cased = false;
    let mut inside = false;
    for c in text.chars() {
        let bits = props(c);
        if bits & (UPPER | TITLE) != 0 {
            if inside {
                return false;
            }
            inside = true;
            cased = true;
        } else if bits & LOWER != 0 {
            if !inside {
                return false;
            }
            cased = true;
        } else {
            inside = false;
        }
    }
    cased
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings() {
        assert_eq!(upper("straße ŉ", false), "STRASSE ʼN");
        assert_eq!(lower("ΑΣ ΑΣΑ Σ İ", false), "ας ασα σ i\u{307}");
        assert_eq!(lower("ABC", true), "abc");
        assert_eq!(title("hELLO wORLD's ǆ ﬁx"), "Hello World'S ǅ Fix");
        assert_eq!(capitalize("ǆABCΣ"), "ǅabcς");
        assert_eq!(swapcase("aBß"), "AbSS");
        assert_eq!(casefold("Straße Σς ﬁ", false), "strasse σσ fi");
    }

    #[test]
    fn questions() {
        assert!(is_alpha("aé中") && !is_alpha("") && !is_alpha("a1"));
        assert!(is_digit("1²") && !is_decimal("1²") && is_numeric("½Ⅷ"));
        assert!(is_alnum("a½") && !is_alnum("a_"));
        assert!(is_title("Hello World") && !is_title("HeLlo") && !is_title("1"));
        assert!(is_upper("ABC1") && !is_upper("1") && !is_upper("ǅ"));
        assert!(is_lower("abcª") && !is_lower("aB"));
        assert!(is_identifier("é_1") && !is_identifier("1a") && !is_identifier(""));
        assert!(is_printable_text("") && !is_printable_text("a\n"));
        assert!(is_whitespace("\x1f\u{2003}") && !is_whitespace(""));
    }
}
