//! Pattern text to tree, with the errors of CPython's `re` (message and position).
//!
//! Positions count characters of the pattern. `escape` reads backslashes and sets, `group` what begins with `(?`.

use super::node::{At, CharSet, Class, Fold, Mode, NO_LIMIT, Node, One, flags};

/// Why a pattern was refused.
#[derive(Debug)]
pub enum ReError {
    /// `re.error` with a position, if there is one.
    Pattern(String, Option<usize>),
    Overflow(&'static str),
    Value(&'static str),
    TooDeep,
    /// Start again with VERBOSE on: `(?x)` was found.
    Verbose,
}

pub type Parsed<T> = Result<T, ReError>;

/// Groups nested deeper than this are refused, as CPython's recursion limit does.
const MAX_DEPTH: usize = 400;

pub struct Parser<'a> {
    pub src: &'a [u32],
    pub pos: usize,
    pub text: bool,
    /// Flags given and global inline flags.
    pub flags: u32,
    /// Number of the next group.
    pub groups: usize,
    pub names: Vec<(String, usize)>,
    /// Widths of closed groups; None while open.
    pub widths: Vec<Option<(u64, u64)>>,
    /// The first group inside the look-behind that is being read.
    pub behind: Option<usize>,
    /// Conditional references to groups not seen yet: number and place.
    pub later: Vec<(usize, usize)>,
    /// Unicode names, for `\N{...}`.
    pub name_of: fn(&str) -> Option<u32>,
    pub depth: usize,
}

/// A parsed pattern.
pub struct Tree {
    pub node: Node,
    pub flags: u32,
    /// Groups, the whole match not counted.
    pub groups: usize,
    pub names: Vec<(String, usize)>,
}

pub fn is_space(c: u32) -> bool {
    matches!(c, 32 | 9..=13)
}

pub fn digit(c: u32, base: u32) -> Option<u32> {
    char::from_u32(c)
        .filter(char::is_ascii)
        .and_then(|c| c.to_digit(base))
}

/// A piece of the pattern as a message shows it.
pub fn shown(cs: &[u32]) -> String {
    cs.iter()
        .map(|c| char::from_u32(*c).unwrap_or('\u{fffd}'))
        .collect()
}

impl Parser<'_> {
    /// An error `back` characters before the current place.
    pub fn error<T>(&self, message: impl Into<String>, back: usize) -> Parsed<T> {
        Err(ReError::Pattern(
            message.into(),
            Some(self.pos.saturating_sub(back)),
        ))
    }
    pub fn error_at<T>(&self, message: impl Into<String>, at: usize) -> Parsed<T> {
        Err(ReError::Pattern(message.into(), Some(at)))
    }

    pub fn peek(&self) -> Option<u32> {
        self.src.get(self.pos).copied()
    }
    pub fn next_is(&self, c: char) -> bool {
        self.peek() == Some(c as u32)
    }
    pub fn accept(&mut self, c: char) -> bool {
        let hit = self.next_is(c);
        self.pos += hit as usize;
        hit
    }
    pub fn get(&mut self) -> Option<u32> {
        let c = self.peek();
        self.pos += c.is_some() as usize;
        c
    }
    /// A backslash has a character behind it.
    pub fn check_backslash(&self) -> Parsed<()> {
        if self.pos >= self.src.len() {
            self.error_at(
                "bad escape (end of pattern)",
                self.src.len().saturating_sub(1),
            )
        } else {
            Ok(())
        }
    }

    pub fn fold(&self, flags: u32) -> Fold {
        if flags & flags::IGNORECASE == 0 {
            Fold::No
        } else if self.unicode(flags) {
            Fold::Unicode
        } else {
            Fold::Ascii
        }
    }
    pub fn unicode(&self, flags: u32) -> bool {
        self.text && flags & flags::ASCII == 0
    }

    /// A literal character.
    pub fn literal(&self, c: u32, flags: u32) -> Node {
        let how = self.fold(flags);
        let f = super::node::fold(c, how);
        // Characters without case stay plain, so that literals can be searched for.
        if how == Fold::No || (c < 128 && !(c as u8).is_ascii_alphabetic()) {
            return Node::One(One::Char(c));
        }
        Node::One(One::Folded(f, how))
    }

    pub fn class(&self, k: Class, not: bool, flags: u32) -> Node {
        Node::One(One::Set(Box::new(CharSet::new(
            vec![],
            vec![(k, not, self.unicode(flags))],
            false,
            Fold::No,
        ))))
    }

    /// Alternatives up to the closing parenthesis or the end.
    pub fn alternatives(&mut self, flags: u32, verbose: bool, nested: bool) -> Parsed<Node> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ReError::TooDeep);
        }
        let mut branches = Vec::new();
        loop {
            let first = !nested && branches.is_empty();
            branches.push(self.sequence(flags, verbose, nested, first)?);
            if !self.accept('|') {
                break;
            }
        }
        self.depth -= 1;
        if branches.len() == 1 {
            return Ok(branches.pop().unwrap_or(Node::Cat(vec![])));
        }
        Ok(Node::Alt(branches))
    }

    /// Items one after the other. Outside groups the flags are those of the parser: `(?i)` changes them.
    pub fn sequence(
        &mut self,
        scoped: u32,
        mut verbose: bool,
        nested: bool,
        first: bool,
    ) -> Parsed<Node> {
        let mut items: Vec<Node> = Vec::new();
        while let Some(c) = self.peek() {
            let flags = if nested { scoped } else { self.flags };
            if c == '|' as u32 || c == ')' as u32 {
                break;
            }
            let here = self.pos;
            self.pos += 1;
            if verbose {
                if is_space(c) {
                    continue;
                }
                if c == '#' as u32 {
                    while let Some(c) = self.get() {
                        if c == 10 {
                            break;
                        }
                    }
                    continue;
                }
            }
            let node = match char::from_u32(c).unwrap_or('\0') {
                '\\' => {
                    self.check_backslash()?;
                    self.escape(flags)?
                }
                '[' => self.set(here, flags)?,
                '*' | '+' | '?' | '{' => match self.repeat(c, here, &mut items)? {
                    Some(()) => continue,
                    None => self.literal(c, flags),
                },
                '.' => Node::One(if flags & flags::DOTALL != 0 {
                    One::All
                } else {
                    One::Any
                }),
                '^' => Node::At(if flags & flags::MULTILINE != 0 {
                    At::LineStart
                } else {
                    At::Start
                }),
                '$' => Node::At(if flags & flags::MULTILINE != 0 {
                    At::LineEnd
                } else {
                    At::EndOrNewline
                }),
                '(' => match self.group(here, flags, verbose, first && items.is_empty())? {
                    Some(node) => node,
                    None => {
                        verbose = self.flags & flags::VERBOSE != 0 || (nested && verbose);
                        continue;
                    }
                },
                _ => self.literal(c, flags),
            };
            items.push(node);
        }
        Ok(if items.len() == 1 {
            items.pop().unwrap_or(Node::Cat(vec![]))
        } else {
            Node::Cat(items)
        })
    }

    fn number(&mut self) -> Parsed<Option<u32>> {
        let start = self.pos;
        let mut n = 0u64;
        while let Some(d) = self.peek().and_then(|c| digit(c, 10)) {
            n = (n * 10 + d as u64).min(u64::MAX / 20);
            self.pos += 1;
        }
        if self.pos == start {
            return Ok(None);
        }
        match u32::try_from(n) {
            Ok(n) if n < NO_LIMIT => Ok(Some(n)),
            _ => Ok(Some(NO_LIMIT)),
        }
    }

    /// A repetition of the last item; None if the brace is a plain character.
    fn repeat(&mut self, c: u32, at: usize, items: &mut Vec<Node>) -> Parsed<Option<()>> {
        let (min, max) = match char::from_u32(c) {
            Some('*') => (0, NO_LIMIT),
            Some('+') => (1, NO_LIMIT),
            Some('?') => (0, 1),
            _ => {
                let here = self.pos;
                if self.next_is('}') {
                    return Ok(None);
                }
                let low = self.number()?;
                let high = if self.accept(',') {
                    self.number()?
                } else {
                    low
                };
                let comma = self.pos > here && self.src[here..self.pos].contains(&(',' as u32));
                if !self.accept('}') {
                    self.pos = here;
                    return Ok(None);
                }
                let too_large = ReError::Overflow("the repetition number is too large");
                if low == Some(NO_LIMIT) || high == Some(NO_LIMIT) {
                    return Err(too_large);
                }
                let min = low.unwrap_or(0);
                let max = match high {
                    Some(h) => h,
                    None if comma => NO_LIMIT,
                    None => return Ok(None),
                };
                if max < min {
                    return self.error_at("min repeat greater than max repeat", here);
                }
                (min, max)
            }
        };
        match items.last() {
            None | Some(Node::At(_)) => return self.error_at("nothing to repeat", at),
            Some(Node::Repeat { .. }) => return self.error_at("multiple repeat", at),
            _ => {}
        }
        let mode = if self.accept('?') {
            Mode::Lazy
        } else if self.accept('+') {
            Mode::Possessive
        } else {
            Mode::Greedy
        };
        if let Some(node) = items.pop() {
            items.push(Node::Repeat {
                node: Box::new(node),
                min,
                max,
                mode,
            });
        }
        Ok(Some(()))
    }
}

fn fix_flags(text: bool, f: u32) -> Parsed<u32> {
    let wrong = |m| Err(ReError::Value(m));
    if text {
        if f & flags::LOCALE != 0 {
            return wrong("cannot use LOCALE flag with a str pattern");
        }
        if f & flags::ASCII != 0 && f & flags::UNICODE != 0 {
            return wrong("ASCII and UNICODE flags are incompatible");
        }
        return Ok(if f & flags::ASCII == 0 {
            f | flags::UNICODE
        } else {
            f
        });
    }
    if f & flags::UNICODE != 0 {
        return wrong("cannot use UNICODE flag with a bytes pattern");
    }
    if f & flags::LOCALE != 0 && f & flags::ASCII != 0 {
        return wrong("LOCALE and ASCII flags are incompatible");
    }
    Ok(f)
}

/// Parses a whole pattern; `text` says that it is a str.
pub fn parse(
    src: &[u32],
    text: bool,
    flags: u32,
    name_of: fn(&str) -> Option<u32>,
) -> Parsed<Tree> {
    match parse_once(src, text, flags, name_of) {
        Err(ReError::Verbose) => parse_once(src, text, flags | flags::VERBOSE, name_of),
        r => r,
    }
}

fn parse_once(
    src: &[u32],
    text: bool,
    flags: u32,
    name_of: fn(&str) -> Option<u32>,
) -> Parsed<Tree> {
    let mut p = Parser {
        src,
        pos: 0,
        text,
        flags,
        groups: 1,
        names: vec![],
        widths: vec![None],
        behind: None,
        later: vec![],
        name_of,
        depth: 0,
    };
    let node = p.alternatives(flags, flags & flags::VERBOSE != 0, false)?;
    let flags = fix_flags(text, p.flags)?;
    if p.pos < src.len() {
        return p.error("unbalanced parenthesis", 0);
    }
    for (group, at) in &p.later {
        if *group >= p.groups {
            return p.error_at(format!("invalid group reference {group}"), *at);
        }
    }
    Ok(Tree {
        node,
        flags,
        groups: p.groups - 1,
        names: p.names,
    })
}
