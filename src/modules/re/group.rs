//! Groups of patterns: everything between parentheses.

use super::node::{Node, flags};
use super::parse::{Parsed, Parser, ReError, shown};
use crate::text::case::is_identifier;
use crate::text::repr::{bytes_repr, str_repr};

/// Most groups that a pattern may have.
const MAX_GROUPS: usize = 1 << 30;

fn flag_of(c: u32) -> Option<u32> {
    Some(match char::from_u32(c)? {
        'i' => flags::IGNORECASE,
        'L' => flags::LOCALE,
        'm' => flags::MULTILINE,
        's' => flags::DOTALL,
        'x' => flags::VERBOSE,
        'a' => flags::ASCII,
        'u' => flags::UNICODE,
        _ => return None,
    })
}

fn is_letter(c: u32) -> bool {
    char::from_u32(c).is_some_and(char::is_alphabetic)
}

impl Parser<'_> {
    /// The text before `end`, which is read.
    pub fn until(&mut self, end: char, what: &str) -> Parsed<String> {
        let start = self.pos;
        loop {
            match self.get() {
                None if self.pos == start => return self.error(format!("missing {what}"), 0),
                None => return self.error_at(format!("missing {end}, unterminated name"), start),
                Some(c) if c == end as u32 => break,
                Some(_) => {}
            }
        }
        if self.pos - 1 == start {
            return self.error(format!("missing {what}"), 1);
        }
        Ok(shown(&self.src[start..self.pos - 1]))
    }

    fn check_name(&self, name: &str) -> Parsed<()> {
        let back = name.chars().count() + 1;
        if !self.text && !name.is_ascii() {
            let raw: Vec<u8> = name.chars().map(|c| c as u32 as u8).collect();
            return self.error(
                format!("bad character in group name {}", bytes_repr(&raw)),
                back,
            );
        }
        if !is_identifier(name) {
            return self.error(
                format!("bad character in group name {}", str_repr(name)),
                back,
            );
        }
        Ok(())
    }

    /// A reference must be to a group that is closed, and not to one of the same look-behind.
    pub fn check_reference(&self, group: usize, back: usize) -> Parsed<()> {
        if self.widths.get(group).copied().flatten().is_none() {
            return self.error("cannot refer to an open group", back);
        }
        if self.behind.is_some_and(|first| group >= first) {
            return self.error(
                "cannot refer to group defined in the same lookbehind subpattern",
                0,
            );
        }
        Ok(())
    }

    fn close(&mut self, start: usize) -> Parsed<()> {
        if self.accept(')') {
            Ok(())
        } else {
            self.error_at("missing ), unterminated subpattern", start)
        }
    }

    fn extension<T>(&self, text: &str) -> Parsed<T> {
        self.error(
            format!("unknown extension ?{text}"),
            text.chars().count() + 1,
        )
    }

    /// A group; the parenthesis at `start` is read. None for comments and global flags.
    pub fn group(
        &mut self,
        start: usize,
        flags: u32,
        verbose: bool,
        first: bool,
    ) -> Parsed<Option<Node>> {
        if !self.accept('?') {
            return self.capture(start, flags, verbose, None).map(Some);
        }
        let Some(c) = self.get() else {
            return self.error("unexpected end of pattern", 0);
        };
        match char::from_u32(c).unwrap_or('\u{fffd}') {
            'P' => self.python(start, flags, verbose).map(Some),
            ':' => {
                let node = self.alternatives(flags, verbose, true)?;
                self.close(start)?;
                Ok(Some(Node::Plain(Box::new(node))))
            }
            '#' => loop {
                match self.get() {
                    None => return self.error_at("missing ), unterminated comment", start),
                    Some(c) if c == ')' as u32 => return Ok(None),
                    Some(_) => {}
                }
            },
            '=' => self.look(start, flags, verbose, false, false).map(Some),
            '!' => self.look(start, flags, verbose, false, true).map(Some),
            '<' => match self.get().and_then(char::from_u32) {
                None => self.error("unexpected end of pattern", 0),
                Some('=') => self.look(start, flags, verbose, true, false).map(Some),
                Some('!') => self.look(start, flags, verbose, true, true).map(Some),
                Some(c) => self.extension(&format!("<{c}")),
            },
            '(' => self.conditional(start, flags, verbose).map(Some),
            '>' => {
                let node = self.alternatives(flags, verbose, true)?;
                self.close(start)?;
                Ok(Some(Node::Atomic(Box::new(node))))
            }
            ch if flag_of(c).is_some() || ch == '-' => {
                self.flag_group(c, start, flags, verbose, first)
            }
            ch => self.extension(&ch.to_string()),
        }
    }

    fn capture(
        &mut self,
        start: usize,
        flags: u32,
        verbose: bool,
        name: Option<String>,
    ) -> Parsed<Node> {
        let number = self.groups;
        if number >= MAX_GROUPS {
            return self.error("too many groups", 0);
        }
        self.groups += 1;
        self.widths.push(None);
        if let Some(name) = name {
            if let Some((_, other)) = self.names.iter().find(|n| n.0 == name) {
                let back = name.chars().count() + 1;
                return self.error(
                    format!(
                        "redefinition of group name {} as group {number}; was group {other}",
                        str_repr(&name)
                    ),
                    back,
                );
            }
            self.names.push((name, number));
        }
        let node = self.alternatives(flags, verbose, true)?;
        self.close(start)?;
        let known: Vec<(u64, u64)> = self
            .widths
            .iter()
            .map(|w| w.unwrap_or((0, u64::MAX)))
            .collect();
        self.widths[number] = Some(node.width(&known));
        Ok(Node::Group(number, Box::new(node)))
    }

    /// `(?P...`
    fn python(&mut self, start: usize, flags: u32, verbose: bool) -> Parsed<Node> {
        if self.accept('<') {
            let name = self.until('>', "group name")?;
            self.check_name(&name)?;
            return self.capture(start, flags, verbose, Some(name));
        }
        if self.accept('=') {
            let name = self.until(')', "group name")?;
            self.check_name(&name)?;
            let back = name.chars().count() + 1;
            let Some(&(_, group)) = self.names.iter().find(|n| n.0 == name) else {
                return self.error(format!("unknown group name {}", str_repr(&name)), back);
            };
            self.check_reference(group, back)?;
            return Ok(Node::Back(group, self.fold(flags)));
        }
        match self.get().and_then(char::from_u32) {
            None => self.error("unexpected end of pattern", 0),
            Some(c) => self.extension(&format!("P{c}")),
        }
    }

    fn look(
        &mut self,
        start: usize,
        flags: u32,
        verbose: bool,
        behind: bool,
        not: bool,
    ) -> Parsed<Node> {
        let outer = self.behind;
        if behind && outer.is_none() {
            self.behind = Some(self.groups);
        }
        let node = self.alternatives(flags, verbose, true)?;
        self.behind = outer;
        self.close(start)?;
        Ok(Node::Look {
            behind,
            not,
            node: Box::new(node),
        })
    }

    /// `(?(group)yes|no)`
    fn conditional(&mut self, start: usize, flags: u32, verbose: bool) -> Parsed<Node> {
        let name = self.until(')', "group name")?;
        let back = name.chars().count() + 1;
        let group = if !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit()) {
            let number = name.parse::<usize>().unwrap_or(MAX_GROUPS);
            if number == 0 {
                return self.error("bad group number", back);
            }
            if number >= MAX_GROUPS {
                return self.error(format!("invalid group reference {name}"), back);
            }
            if !self.later.iter().any(|l| l.0 == number) {
                self.later.push((number, self.pos - back));
            }
            number
        } else {
            self.check_name(&name)?;
            match self.names.iter().find(|n| n.0 == name) {
                Some(n) => n.1,
                None => return self.error(format!("unknown group name {}", str_repr(&name)), back),
            }
        };
        if self.behind.is_some_and(|first| group >= first) {
            return self.error(
                "cannot refer to group defined in the same lookbehind subpattern",
                0,
            );
        }
        let yes = Box::new(self.sequence(flags, verbose, true, false)?);
        let mut no = None;
        if self.accept('|') {
            no = Some(Box::new(self.sequence(flags, verbose, true, false)?));
            if self.next_is('|') {
                return self.error("conditional backref with more than two branches", 0);
            }
        }
        self.close(start)?;
        Ok(Node::If { group, yes, no })
    }

    /// `(?flags)`, `(?flags-flags:...)`; the first character `c` is read.
    fn flag_group(
        &mut self,
        c: u32,
        start: usize,
        outer: u32,
        verbose: bool,
        first: bool,
    ) -> Parsed<Option<Node>> {
        let (mut on, mut off) = (0, 0);
        let mut c = c;
        if c != '-' as u32 {
            loop {
                let flag = flag_of(c).unwrap_or(0);
                if self.text && flag == flags::LOCALE {
                    return self.error(
                        "bad inline flags: cannot use 'L' flag with a str pattern",
                        0,
                    );
                }
                if !self.text && flag == flags::UNICODE {
                    return self.error(
                        "bad inline flags: cannot use 'u' flag with a bytes pattern",
                        0,
                    );
                }
                on |= flag;
                if flag & flags::TYPES != 0 && on & flags::TYPES != flag {
                    return self.error(
                        "bad inline flags: flags 'a', 'u' and 'L' are incompatible",
                        0,
                    );
                }
                c = match self.get() {
                    Some(c) => c,
                    None => return self.error("missing -, : or )", 0),
                };
                if matches!(char::from_u32(c), Some(')' | '-' | ':')) {
                    break;
                }
                if flag_of(c).is_none() {
                    return self.error(
                        if is_letter(c) {
                            "unknown flag"
                        } else {
                            "missing -, : or )"
                        },
                        1,
                    );
                }
            }
        }
        if c == ')' as u32 {
            self.flags |= on;
            if !first {
                return self.error_at("global flags not at the start of the expression", start);
            }
            if on & flags::VERBOSE != 0 && !verbose {
                return Err(ReError::Verbose);
            }
            return Ok(None);
        }
        if c == '-' as u32 {
            c = match self.get() {
                Some(c) => c,
                None => return self.error("missing flag", 0),
            };
            if flag_of(c).is_none() {
                return self.error(
                    if is_letter(c) {
                        "unknown flag"
                    } else {
                        "missing flag"
                    },
                    1,
                );
            }
            loop {
                let flag = flag_of(c).unwrap_or(0);
                if flag & flags::TYPES != 0 {
                    return self.error(
                        "bad inline flags: cannot turn off flags 'a', 'u' and 'L'",
                        0,
                    );
                }
                off |= flag;
                c = match self.get() {
                    Some(c) => c,
                    None => return self.error("missing :", 0),
                };
                if c == ':' as u32 {
                    break;
                }
                if flag_of(c).is_none() {
                    return self.error(
                        if is_letter(c) {
                            "unknown flag"
                        } else {
                            "missing :"
                        },
                        1,
                    );
                }
            }
        }
        if on & off != 0 {
            return self.error("bad inline flags: flag turned on and off", 1);
        }
        let kept = if on & flags::TYPES != 0 {
            outer & !flags::TYPES
        } else {
            outer
        };
        let inner = (kept | on) & !off;
        let verbose = (verbose || on & flags::VERBOSE != 0) && off & flags::VERBOSE == 0;
        let node = self.alternatives(inner, verbose, true)?;
        self.close(start)?;
        Ok(Some(Node::Plain(Box::new(node))))
    }
}
