//! Backslash escapes and character sets of patterns.

use super::node::{At, CharSet, Class, Node, One};
use super::parse::{Parsed, Parser, digit, shown};

/// What an escape inside a set stands for.
enum Member {
    Char(u32),
    Class(Class, bool),
}

/// Escapes of control characters.
fn control(c: char) -> Option<u32> {
    Some(match c {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => 10,
        'r' => 13,
        't' => 9,
        'v' => 11,
        '\\' => 92,
        _ => return None,
    })
}

fn class_of(c: char) -> Option<(Class, bool)> {
    Some(match c {
        'd' => (Class::Digit, false),
        'D' => (Class::Digit, true),
        's' => (Class::Space, false),
        'S' => (Class::Space, true),
        'w' => (Class::Word, false),
        'W' => (Class::Word, true),
        _ => return None,
    })
}

impl Parser<'_> {
    /// Up to `n` digits of a base; their value and number.
    fn digits(&mut self, n: usize, base: u32) -> (u32, usize) {
        let (mut value, mut count) = (0u32, 0);
        while count < n
            && let Some(d) = self.peek().and_then(|c| digit(c, base))
        {
            value = value.wrapping_mul(base).wrapping_add(d);
            self.pos += 1;
            count += 1;
        }
        (value, count)
    }

    /// `\x`, `\u`, `\U` and `\N`; `start` is the place of the backslash, the letter is read.
    fn coded(&mut self, c: char, start: usize) -> Parsed<Option<u32>> {
        let want = match c {
            'x' => 2,
            'u' if self.text => 4,
            'U' if self.text => 8,
            'N' if self.text => return self.named(start).map(Some),
            _ => return Ok(None),
        };
        let (value, got) = self.digits(want, 16);
        let escape = shown(&self.src[start..self.pos]);
        if got != want {
            return self.error_at(format!("incomplete escape {escape}"), start);
        }
        if value > 0x10_ffff {
            return self.error_at(format!("bad escape {escape}"), start);
        }
        Ok(Some(value))
    }

    fn named(&mut self, start: usize) -> Parsed<u32> {
        if !self.accept('{') {
            return self.error("missing {", 0);
        }
        let name = self.until('}', "character name")?;
        match (self.name_of)(&name) {
            Some(c) => Ok(c),
            None => self.error_at(
                format!(
                    "undefined character name {}",
                    crate::text::repr::str_repr(&name)
                ),
                start,
            ),
        }
    }

    /// An escape outside a set; the backslash is read.
    pub fn escape(&mut self, flags: u32) -> Parsed<Node> {
        let start = self.pos - 1;
        let Some(code) = self.get() else {
            return self.error_at("bad escape (end of pattern)", start);
        };
        let c = char::from_u32(code).unwrap_or('\u{fffd}');
        let unicode = self.unicode(flags);
        if let Some((k, not)) = class_of(c) {
            return Ok(self.class(k, not, flags));
        }
        match c {
            'A' => return Ok(Node::At(At::Start)),
            'Z' | 'z' => return Ok(Node::At(At::End)),
            'b' => return Ok(Node::At(At::Boundary(unicode))),
            'B' => return Ok(Node::At(At::NotBoundary(unicode))),
            '0' => {
                let (value, _) = self.digits(2, 8);
                return Ok(self.literal(value, flags));
            }
            '1'..='9' => return self.number_escape(code, start, flags),
            _ => {}
        }
        if let Some(code) = control(c) {
            return Ok(self.literal(code, flags));
        }
        if let Some(code) = self.coded(c, start)? {
            return Ok(self.literal(code, flags));
        }
        if c.is_ascii_alphabetic() {
            return self.error_at(format!("bad escape \\{c}"), start);
        }
        Ok(self.literal(code, flags))
    }

    /// `\1` to `\99` are references to groups, three octal digits a character.
    fn number_escape(&mut self, first: u32, start: usize, flags: u32) -> Parsed<Node> {
        let mut number = first - '0' as u32;
        if let Some(second) = self.peek().and_then(|c| digit(c, 10)) {
            self.pos += 1;
            let octal = |d: u32| d < 8;
            if octal(number)
                && octal(second)
                && let Some(third) = self.peek().and_then(|c| digit(c, 8))
            {
                self.pos += 1;
                let value = number * 64 + second * 8 + third;
                if value > 0o377 {
                    let escape = shown(&self.src[start..self.pos]);
                    return self.error_at(
                        format!("octal escape value {escape} outside of range 0-0o377"),
                        start,
                    );
                }
                return Ok(self.literal(value, flags));
            }
            number = number * 10 + second;
        }
        let group = number as usize;
        if group >= self.groups {
            return self.error_at(format!("invalid group reference {group}"), start + 1);
        }
        self.check_reference(group, self.pos - start)?;
        Ok(Node::Back(group, self.fold(flags)))
    }

    fn member_escape(&mut self, start: usize) -> Parsed<Member> {
        let Some(code) = self.get() else {
            return self.error_at("bad escape (end of pattern)", start);
        };
        let c = char::from_u32(code).unwrap_or('\u{fffd}');
        if let Some(code) = control(c) {
            return Ok(Member::Char(code));
        }
        if let Some((k, not)) = class_of(c) {
            return Ok(Member::Class(k, not));
        }
        if let Some(code) = self.coded(c, start)? {
            return Ok(Member::Char(code));
        }
        if let Some(d) = digit(code, 8) {
            let (more, n) = self.digits(2, 8);
            let value = d * 8u32.pow(n as u32) + more;
            if value > 0o377 {
                let escape = shown(&self.src[start..self.pos]);
                return self.error_at(
                    format!("octal escape value {escape} outside of range 0-0o377"),
                    start,
                );
            }
            return Ok(Member::Char(value));
        }
        if c.is_ascii_alphanumeric() {
            return self.error_at(format!("bad escape \\{c}"), start);
        }
        Ok(Member::Char(code))
    }

    /// One end of a range, or a single member.
    fn member(&mut self, c: u32) -> Parsed<Member> {
        if c == '\\' as u32 {
            self.check_backslash()?;
            return self.member_escape(self.pos - 1);
        }
        Ok(Member::Char(c))
    }

    /// `[...]`; the bracket at `here` is read.
    pub fn set(&mut self, here: usize, flags: u32) -> Parsed<Node> {
        let (mut ranges, mut classes) = (Vec::new(), Vec::new());
        let negate = self.accept('^');
        let first = self.pos;
        let open = |p: &Self| p.error_at("unterminated character set", here);
        let unicode = self.unicode(flags);
        loop {
            let start = self.pos;
            let Some(c) = self.get() else {
                return open(self);
            };
            if c == ']' as u32 && start != first {
                break;
            }
            let low = self.member(c)?;
            if !self.accept('-') {
                match low {
                    Member::Char(c) => ranges.push((c, c)),
                    Member::Class(k, not) => classes.push((k, not, unicode)),
                }
                continue;
            }
            let Some(c) = self.get() else {
                return open(self);
            };
            if c == ']' as u32 {
                match low {
                    Member::Char(c) => ranges.push((c, c)),
                    Member::Class(k, not) => classes.push((k, not, unicode)),
                }
                ranges.push(('-' as u32, '-' as u32));
                break;
            }
            match (low, self.member(c)?) {
                (Member::Char(a), Member::Char(b)) if a <= b => ranges.push((a, b)),
                _ => {
                    return self.error_at(
                        format!("bad character range {}", shown(&self.src[start..self.pos])),
                        start,
                    );
                }
            }
        }
        let set = CharSet::new(ranges, classes, negate, self.fold(flags));
        Ok(Node::One(match set.single() {
            Some(c) => One::Char(c),
            None => One::Set(Box::new(set)),
        }))
    }
}
