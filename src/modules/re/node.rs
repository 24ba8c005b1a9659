//! The tree of a parsed pattern, and sets of characters.

use crate::text::unidata;

/// Flags, with the numbers of the module `re`.
pub mod flags {
    pub const IGNORECASE: u32 = 2;
    pub const LOCALE: u32 = 4;
    pub const MULTILINE: u32 = 8;
    pub const DOTALL: u32 = 16;
    pub const UNICODE: u32 = 32;
    pub const VERBOSE: u32 = 64;
    pub const DEBUG: u32 = 128;
    pub const ASCII: u32 = 256;
    /// At most one of these can be on.
    pub const TYPES: u32 = LOCALE | UNICODE | ASCII;
}

/// How case is ignored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fold {
    No,
    /// ASCII letters only.
    Ascii,
    Unicode,
}

/// What a character stands for when case is ignored: characters that differ in case alone give the same one.
pub fn fold(c: u32, how: Fold) -> u32 {
    match how {
        Fold::No => c,
        _ if c < 128 => (c as u8).to_ascii_lowercase() as u32,
        Fold::Ascii => c,
        Fold::Unicode => fold_unicode(c),
    }
}

fn fold_unicode(c: u32) -> u32 {
    let Some(c) = char::from_u32(c) else { return c };
    if c == '\u{130}' {
        return 'i' as u32;
    }
    let one = |mut it: Box<dyn Iterator<Item = char>>, or: char| match (it.next(), it.next()) {
        (Some(c), None) => c,
        _ => or,
    };
    // Upper case first: it joins variants such as long s and s.
    let up = one(Box::new(c.to_uppercase()), c);
    one(Box::new(up.to_lowercase()), up) as u32
}

/// A class of characters, as `\d` names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    Digit,
    Space,
    Word,
}

impl Class {
    pub fn has(self, c: u32, unicode: bool) -> bool {
        if c < 128 {
            let b = c as u8;
            return match self {
                Class::Digit => b.is_ascii_digit(),
                // The information separators are white space of str only.
                Class::Space => matches!(b, b' ' | 9..=13) || (unicode && matches!(b, 0x1c..=0x1f)),
                Class::Word => b.is_ascii_alphanumeric() || b == b'_',
            };
        }
        let Some(c) = char::from_u32(c).filter(|_| unicode) else {
            return false;
        };
        match self {
            Class::Digit => unidata::has(c, unidata::DECIMAL),
            Class::Space => unidata::is_space(c),
            Class::Word => unidata::has(
                c,
                unidata::ALPHA | unidata::DECIMAL | unidata::DIGIT | unidata::NUMERIC,
            ),
        }
    }
}

/// A character set: `[...]`, `\d` and its kin.
#[derive(Clone, Debug)]
pub struct CharSet {
    /// Answers for characters below 256, negation and case included.
    low: [u64; 4],
    ranges: Vec<(u32, u32)>,
    /// Class, negated, Unicode.
    classes: Vec<(Class, bool, bool)>,
    negate: bool,
    fold: Fold,
}

impl CharSet {
    pub fn new(
        ranges: Vec<(u32, u32)>,
        classes: Vec<(Class, bool, bool)>,
        negate: bool,
        fold: Fold,
    ) -> CharSet {
        let mut set = CharSet {
            low: [0; 4],
            ranges,
            classes,
            negate,
            fold,
        };
        for c in 0..256u32 {
            if set.has_slow(c) {
                set.low[c as usize / 64] |= 1 << (c % 64);
            }
        }
        set
    }

    fn listed(&self, c: u32) -> bool {
        self.ranges.iter().any(|r| r.0 <= c && c <= r.1)
            || self
                .classes
                .iter()
                .any(|(k, not, unicode)| k.has(c, *unicode) != *not)
    }

    fn has_slow(&self, c: u32) -> bool {
        let mut found = self.listed(c);
        if !found && self.fold != Fold::No {
            found = self.other_cases(c);
        }
        found != self.negate
    }

    /// True if a character that differs from `c` in case alone is listed.
    fn other_cases(&self, c: u32) -> bool {
        let folded = fold(c, self.fold);
        if self.listed(folded) {
            return true;
        }
        if self.fold == Fold::Ascii || c < 128 {
            if c < 128 && self.listed((c as u8).to_ascii_uppercase() as u32) {
                return true;
            }
            if self.fold == Fold::Ascii {
                return false;
            }
        }
        let upper = |c: u32| {
            let mut it = char::from_u32(c).map(char::to_uppercase)?;
            match (it.next(), it.next()) {
                (Some(u), None) => Some(u as u32),
                _ => None,
            }
        };
        if upper(folded).is_some_and(|u| self.listed(u)) {
            return true;
        }
        // What lies outside ASCII but folds into the same letter: few, and only for these two.
        match folded {
            0x69 => self.listed(0x130) || self.listed(0x131),
            0x73 => self.listed(0x17f),
            0x6b => self.listed(0x212a),
            _ => self
                .ranges
                .iter()
                .any(|&(a, b)| b - a < 64 && (a..=b).any(|x| fold(x, self.fold) == folded)),
        }
    }

    #[inline(always)]
    pub fn has(&self, c: u32) -> bool {
        if c < 256 {
            self.low[c as usize / 64] >> (c % 64) & 1 != 0
        } else {
            self.has_slow(c)
        }
    }

    /// The one character of the set, if it has just one and case matters.
    pub fn single(&self) -> Option<u32> {
        match (
            &self.ranges[..],
            self.classes.is_empty(),
            self.negate,
            self.fold,
        ) {
            ([(a, b)], true, false, Fold::No) if a == b => Some(*a),
            _ => None,
        }
    }
}

/// What matches exactly one character.
#[derive(Clone, Debug)]
pub enum One {
    Char(u32),
    /// Any case: the folded character.
    Folded(u32, Fold),
    /// All but the newline.
    Any,
    All,
    Set(Box<CharSet>),
}

impl One {
    #[inline(always)]
    pub fn has(&self, c: u32) -> bool {
        match self {
            One::Char(x) => *x == c,
            One::Folded(x, how) => fold(c, *how) == *x,
            One::Any => c != 10,
            One::All => true,
            One::Set(s) => s.has(c),
        }
    }
}

/// Tests of a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum At {
    /// `\A`, and `^` without MULTILINE.
    Start,
    LineStart,
    /// `$`: the end, or before a newline at the end.
    EndOrNewline,
    LineEnd,
    /// `\Z`.
    End,
    /// `\b`, with Unicode words or not.
    Boundary(bool),
    NotBoundary(bool),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    Greedy,
    Lazy,
    Possessive,
}

/// No upper bound of a repetition.
pub const NO_LIMIT: u32 = u32::MAX;

#[derive(Debug)]
pub enum Node {
    One(One),
    At(At),
    /// A group without a number: kept apart from its content, since `(?:a*)*` may be repeated and `a**` may not.
    Plain(Box<Node>),
    Group(usize, Box<Node>),
    Cat(Vec<Node>),
    Alt(Vec<Node>),
    Repeat {
        node: Box<Node>,
        min: u32,
        max: u32,
        mode: Mode,
    },
    Back(usize, Fold),
    Look {
        behind: bool,
        not: bool,
        node: Box<Node>,
    },
    If {
        group: usize,
        yes: Box<Node>,
        no: Option<Box<Node>>,
    },
    Atomic(Box<Node>),
}

impl Node {
    /// Fewest and most characters that the node matches.
    pub fn width(&self, groups: &[(u64, u64)]) -> (u64, u64) {
        match self {
            Node::One(_) => (1, 1),
            Node::At(_) | Node::Look { .. } => (0, 0),
            Node::Plain(n) | Node::Group(_, n) | Node::Atomic(n) => n.width(groups),
            Node::Cat(nodes) => nodes.iter().fold((0, 0), |w: (u64, u64), n| {
                let x = n.width(groups);
                (w.0.saturating_add(x.0), w.1.saturating_add(x.1))
            }),
            Node::Alt(nodes) => nodes
                .iter()
                .map(|n| n.width(groups))
                .fold((u64::MAX, 0), |a, b| (a.0.min(b.0), a.1.max(b.1))),
            Node::Repeat { node, min, max, .. } => {
                let w = node.width(groups);
                let high = if *max == NO_LIMIT {
                    if w.1 == 0 { 0 } else { u64::MAX }
                } else {
                    w.1.saturating_mul(*max as u64)
                };
                (w.0.saturating_mul(*min as u64), high)
            }
            Node::Back(g, _) => groups.get(*g).copied().unwrap_or((0, u64::MAX)),
            Node::If { yes, no, .. } => {
                let y = yes.width(groups);
                let n = no.as_ref().map_or((0, 0), |n| n.width(groups));
                (y.0.min(n.0), y.1.max(n.1))
            }
        }
    }
}
