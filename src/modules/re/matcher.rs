//! The backtracking matcher.
//!
//! It runs a `Program` over bytes; characters are decoded as they are needed. Alternatives wait on a stack of its own, so that neither deep patterns
//! nor long subjects use the native stack. What a step overwrites (group places, loop counters) is put on the same stack, to be restored when the
//! step is taken back. The instructions are those of every backtracking engine; see Russ Cox, "Regular Expression Matching: the Virtual Machine
//! Approach", https://swtch.com/~rsc/regexp/regexp2.html.

use super::node::{At, Class, Fold, NO_LIMIT, One, fold};
use super::program::{Inst, Pc, Prefix, Program};

/// No place.
pub const UNSET: usize = usize::MAX;

/// Most entries of the backtrack stack (24 bytes each) before the matcher gives up.
const MAX_STACK: usize = 1 << 27;

/// The matcher's need for memory is beyond all bounds.
pub struct OutOfMemory;

/// How characters lie in the subject.
pub trait Subject: Copy {
    fn bytes(&self) -> &[u8];
    /// The character at a place, and the next place.
    fn at(&self, i: usize) -> Option<(u32, usize)>;
    /// The character before a place, and its place.
    fn before(&self, i: usize) -> Option<(u32, usize)>;
}

/// One byte, one character: bytes and ASCII text.
#[derive(Clone, Copy)]
pub struct Bytes<'a>(pub &'a [u8]);

impl Subject for Bytes<'_> {
    #[inline(always)]
    fn bytes(&self) -> &[u8] {
        self.0
    }
    #[inline(always)]
    fn at(&self, i: usize) -> Option<(u32, usize)> {
        self.0.get(i).map(|b| (*b as u32, i + 1))
    }
    #[inline(always)]
    fn before(&self, i: usize) -> Option<(u32, usize)> {
        let i = i.checked_sub(1)?;
        self.0.get(i).map(|b| (*b as u32, i))
    }
}

/// UTF-8 text.
#[derive(Clone, Copy)]
pub struct Text<'a>(pub &'a str);

impl Subject for Text<'_> {
    #[inline(always)]
    fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
    #[inline(always)]
    fn at(&self, i: usize) -> Option<(u32, usize)> {
        let b = *self.0.as_bytes().get(i)?;
        if b < 0x80 {
            return Some((b as u32, i + 1));
        }
        let c = self.0.get(i..)?.chars().next()?;
        Some((c as u32, i + c.len_utf8()))
    }
    #[inline(always)]
    fn before(&self, i: usize) -> Option<(u32, usize)> {
        let b = *self.0.as_bytes().get(i.checked_sub(1)?)?;
        if b < 0x80 {
            return Some((b as u32, i - 1));
        }
        let c = self.0.get(..i)?.chars().next_back()?;
        Some((c as u32, i - c.len_utf8()))
    }
}

enum Frame {
    Branch {
        pc: Pc,
        pos: usize,
    },
    Slot {
        i: u32,
        old: usize,
    },
    Reg {
        i: u32,
        old: usize,
    },
    /// A greedy run that may give back characters down to `min`.
    Run {
        pc: Pc,
        min: usize,
        pos: usize,
    },
    /// A lazy run that may take `left` more.
    Lazy {
        pc: Pc,
        left: u32,
        pos: usize,
    },
}

/// What is asked of a match.
#[derive(Clone, Copy)]
pub struct Want {
    /// It must reach the end of the subject.
    pub full: bool,
    /// It must not end here (an empty match was found here before).
    pub not_end: Option<usize>,
}

/// The state of a matcher; kept between matches so that nothing is allocated anew.
#[derive(Default)]
pub struct Machine {
    stack: Vec<Frame>,
    pub slots: Vec<usize>,
    regs: Vec<usize>,
}

fn is_word<S: Subject>(c: Option<(u32, usize)>, unicode: bool) -> bool {
    c.is_some_and(|(c, _)| Class::Word.has(c, unicode))
}

fn holds<S: Subject>(s: S, at: At, pos: usize) -> bool {
    let end = s.bytes().len();
    match at {
        At::Start => pos == 0,
        At::LineStart => pos == 0 || s.bytes()[pos - 1] == b'\n',
        At::End => pos == end,
        At::EndOrNewline => pos == end || (pos + 1 == end && s.bytes()[pos] == b'\n'),
        At::LineEnd => pos == end || s.bytes()[pos] == b'\n',
        At::Boundary(u) => is_word::<S>(s.before(pos), u) != is_word::<S>(s.at(pos), u),
        At::NotBoundary(u) => is_word::<S>(s.before(pos), u) == is_word::<S>(s.at(pos), u),
    }
}

/// Up to `max` characters of the kind from `pos`: how many, and where they end.
#[inline(always)]
fn run<S: Subject>(s: S, one: &One, mut pos: usize, max: u32) -> (u32, usize) {
    let mut n = 0;
    match one {
        One::All if max == NO_LIMIT => {
            // The number is of no interest beyond a lower bound; count only when there is one.
            let end = s.bytes().len();
            return (u32::try_from(end - pos).unwrap_or(NO_LIMIT - 1), end);
        }
        One::Any if max == NO_LIMIT => {
            let rest = &s.bytes()[pos..];
            let len = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            return (u32::try_from(len).unwrap_or(NO_LIMIT - 1), pos + len);
        }
        _ => {}
    }
    while n < max
        && let Some((c, next)) = s.at(pos)
        && one.has(c)
    {
        pos = next;
        n += 1;
    }
    (n, pos)
}

/// `n` characters further, all of the kind.
fn exactly<S: Subject>(s: S, one: &One, mut pos: usize, n: u32) -> Option<usize> {
    for _ in 0..n {
        let (c, next) = s.at(pos)?;
        if !one.has(c) {
            return None;
        }
        pos = next;
    }
    Some(pos)
}

fn step_back<S: Subject>(s: S, mut pos: usize, n: u32) -> Option<usize> {
    for _ in 0..n {
        pos = s.before(pos)?.1;
    }
    Some(pos)
}

impl Machine {
    fn set_slot(&mut self, i: usize, value: usize) {
        if let Some(place) = self.slots.get_mut(i) {
            let old = std::mem::replace(place, value);
            // With nothing to go back to, nothing needs restoring.
            if !self.stack.is_empty() {
                self.stack.push(Frame::Slot { i: i as u32, old });
            }
        }
    }
    fn set_reg(&mut self, i: u32, value: usize) {
        let old = std::mem::replace(&mut self.regs[i as usize], value);
        self.stack.push(Frame::Reg { i, old });
    }

    /// Drops the alternatives above a height, but keeps what must be restored.
    fn cut(&mut self, height: usize) {
        let mut kept = height;
        for i in height..self.stack.len() {
            if matches!(self.stack[i], Frame::Slot { .. } | Frame::Reg { .. }) {
                self.stack.swap(kept, i);
                kept += 1;
            }
        }
        self.stack.truncate(kept);
    }

    /// Takes back everything above a height.
    fn undo(&mut self, height: usize) {
        while self.stack.len() > height {
            match self.stack.pop() {
                Some(Frame::Slot { i, old }) => self.slots[i as usize] = old,
                Some(Frame::Reg { i, old }) => self.regs[i as usize] = old,
                _ => {}
            }
        }
    }

    /// The next alternative: where to go on.
    #[inline]
    fn backtrack<S: Subject>(&mut self, p: &Program, s: S) -> Option<(Pc, usize)> {
        loop {
            match self.stack.pop()? {
                Frame::Branch { pc, pos } => return Some((pc, pos)),
                Frame::Slot { i, old } => self.slots[i as usize] = old,
                Frame::Reg { i, old } => self.regs[i as usize] = old,
                Frame::Run { pc, min, pos } => {
                    let next = match &p.code[pc as usize] {
                        Inst::Run { next, .. } => *next,
                        _ => None,
                    };
                    let mut pos = pos;
                    if let Some(b) = next {
                        // Go straight to the last place where what follows can begin.
                        match s
                            .bytes()
                            .get(min..pos)
                            .and_then(|part| memchr::memrchr(b, part))
                        {
                            Some(at) => pos = min + at,
                            None => continue,
                        }
                    } else {
                        pos = s.before(pos)?.1;
                    }
                    if pos > min {
                        self.stack.push(Frame::Run { pc, min, pos });
                    }
                    return Some((pc + 1, pos));
                }
                Frame::Lazy { pc, left, pos } => {
                    let Inst::LazyRun { one, .. } = &p.code[pc as usize] else {
                        continue;
                    };
                    let Some((c, next)) = s.at(pos) else { continue };
                    if !one.has(c) {
                        continue;
                    }
                    if left > 1 {
                        let left = if left == NO_LIMIT { left } else { left - 1 };
                        self.stack.push(Frame::Lazy {
                            pc,
                            left,
                            pos: next,
                        });
                    }
                    return Some((pc + 1, next));
                }
            }
        }
    }

    /// Matches at one place; the groups are in `slots` afterwards.
    pub fn match_at<S: Subject>(
        &mut self,
        p: &Program,
        s: S,
        start: usize,
        want: Want,
    ) -> Result<bool, OutOfMemory> {
        self.slots.clear();
        self.slots.resize(p.slots, UNSET);
        self.regs.clear();
        self.regs.resize(p.regs, 0);
        self.stack.clear();
        let end = s.bytes().len();
        let (mut pc, mut pos) = (0 as Pc, start);
        'run: loop {
            // Each arm goes on with the next instruction, jumps, or falls out of the block to fail.
            'fail: {
                match &p.code[pc as usize] {
                    Inst::One(one) => match s.at(pos) {
                        Some((c, next)) if one.has(c) => {
                            pos = next;
                            pc += 1;
                            continue 'run;
                        }
                        _ => break 'fail,
                    },
                    Inst::Literal(bytes) => {
                        if !s.bytes()[pos..].starts_with(bytes) {
                            break 'fail;
                        }
                        pos += bytes.len();
                        pc += 1;
                    }
                    Inst::At(at) => {
                        if !holds(s, *at, pos) {
                            break 'fail;
                        }
                        pc += 1;
                    }
                    Inst::Split(first, second) => {
                        if self.stack.len() >= MAX_STACK {
                            return Err(OutOfMemory);
                        }
                        self.stack.push(Frame::Branch { pc: *second, pos });
                        pc = *first;
                    }
                    Inst::Jump(to) => pc = *to,
                    Inst::Save(i) => {
                        self.set_slot(*i as usize, pos);
                        if i & 1 == 1 {
                            self.set_slot(p.slots - 1, *i as usize / 2);
                        }
                        pc += 1;
                    }
                    Inst::Back(g, how) => {
                        let (a, b) = (self.slots[*g as usize * 2], self.slots[*g as usize * 2 + 1]);
                        if a == UNSET || b == UNSET || a > b {
                            break 'fail;
                        }
                        match back(s, a, b, pos, *how) {
                            Some(to) => pos = to,
                            None => break 'fail,
                        }
                        pc += 1;
                    }
                    Inst::Run { one, min, max, .. } => {
                        let Some(low) = exactly(s, one, pos, *min) else {
                            break 'fail;
                        };
                        let more = if *max == NO_LIMIT {
                            NO_LIMIT
                        } else {
                            max - min
                        };
                        let (n, high) = run(s, one, low, more);
                        if n > 0 {
                            self.stack.push(Frame::Run {
                                pc,
                                min: low,
                                pos: high,
                            });
                        }
                        pos = high;
                        pc += 1;
                    }
                    Inst::LazyRun { one, min, max } => {
                        let Some(low) = exactly(s, one, pos, *min) else {
                            break 'fail;
                        };
                        let left = if *max == NO_LIMIT {
                            NO_LIMIT
                        } else {
                            max - min
                        };
                        if left > 0 {
                            self.stack.push(Frame::Lazy { pc, left, pos: low });
                        }
                        pos = low;
                        pc += 1;
                    }
                    Inst::FixedRun { one, min, max } => {
                        let Some(low) = exactly(s, one, pos, *min) else {
                            break 'fail;
                        };
                        let more = if *max == NO_LIMIT {
                            NO_LIMIT
                        } else {
                            max - min
                        };
                        pos = run(s, one, low, more).1;
                        pc += 1;
                    }
                    Inst::LoopStart { reg } => {
                        self.set_reg(*reg, 0);
                        self.set_reg(*reg + 1, UNSET);
                        pc += 1;
                    }
                    Inst::Loop {
                        reg,
                        min,
                        max,
                        lazy,
                        exit,
                    } => {
                        let (count, last) =
                            (self.regs[*reg as usize], self.regs[*reg as usize + 1]);
                        if self.stack.len() >= MAX_STACK {
                            return Err(OutOfMemory);
                        }
                        if count < *min as usize {
                            self.set_reg(*reg, count + 1);
                            self.set_reg(*reg + 1, pos);
                            pc += 1;
                            continue 'run;
                        }
                        // A round that got nowhere is not repeated.
                        let again = (*max == NO_LIMIT || count < *max as usize) && last != pos;
                        if !again {
                            pc = *exit;
                        } else if *lazy {
                            // If it comes to the round, it begins with the counter raised; when that is taken back in turn, with the old one.
                            self.stack.push(Frame::Reg {
                                i: *reg,
                                old: count,
                            });
                            self.stack.push(Frame::Reg {
                                i: *reg + 1,
                                old: last,
                            });
                            self.stack.push(Frame::Branch { pc: pc + 1, pos });
                            self.stack.push(Frame::Reg {
                                i: *reg,
                                old: count + 1,
                            });
                            self.stack.push(Frame::Reg {
                                i: *reg + 1,
                                old: pos,
                            });
                            pc = *exit;
                        } else {
                            self.stack.push(Frame::Branch { pc: *exit, pos });
                            self.set_reg(*reg, count + 1);
                            self.set_reg(*reg + 1, pos);
                            pc += 1;
                        }
                    }
                    Inst::Mark { reg } => {
                        let height = self.stack.len() + 1;
                        self.set_reg(*reg, height);
                        pc += 1;
                    }
                    Inst::Cut { reg } => {
                        self.cut(self.regs[*reg as usize]);
                        pc += 1;
                    }
                    Inst::Look { reg, back } => {
                        let height = self.stack.len() + 2;
                        self.set_reg(*reg, height);
                        self.set_reg(*reg + 1, pos);
                        match step_back(s, pos, *back) {
                            Some(to) => pos = to,
                            None => break 'fail,
                        }
                        pc += 1;
                    }
                    Inst::LookEnd { reg } => {
                        self.cut(self.regs[*reg as usize]);
                        pos = self.regs[*reg as usize + 1];
                        pc += 1;
                    }
                    Inst::NotLook { reg, back, then } => {
                        let Some(to) = step_back(s, pos, *back) else {
                            pc = *then;
                            continue 'run;
                        };
                        let height = self.stack.len();
                        self.stack.push(Frame::Branch { pc: *then, pos });
                        self.set_reg(*reg, height);
                        pos = to;
                        pc += 1;
                    }
                    Inst::NotLookEnd { reg } => {
                        self.undo(self.regs[*reg as usize]);
                        break 'fail;
                    }
                    Inst::If { group, no } => {
                        let end = self
                            .slots
                            .get(*group as usize * 2 + 1)
                            .copied()
                            .unwrap_or(UNSET);
                        pc = if end == UNSET { *no } else { pc + 1 };
                    }
                    Inst::Match => {
                        if (want.full && pos != end) || want.not_end == Some(pos) {
                            break 'fail;
                        }
                        self.slots[0] = start;
                        self.slots[1] = pos;
                        return Ok(true);
                    }
                }
                continue 'run;
            }
            match self.backtrack(p, s) {
                Some((to, at)) => (pc, pos) = (to, at),
                None => return Ok(false),
            }
        }
    }

    /// Looks for the first match at or after `from`.
    pub fn search<S: Subject>(
        &mut self,
        p: &Program,
        s: S,
        from: usize,
        want: Want,
    ) -> Result<bool, OutOfMemory> {
        let bytes = s.bytes();
        let mut at = from;
        loop {
            match &p.prefix {
                Prefix::None => {}
                Prefix::Start => {
                    if at > 0 {
                        return Ok(false);
                    }
                }
                Prefix::Literal(l) => {
                    let hit = match &**l {
                        [b] => memchr::memchr(*b, &bytes[at..]),
                        l => memchr::memmem::find(&bytes[at..], l),
                    };
                    match hit {
                        Some(n) => at += n,
                        None => return Ok(false),
                    }
                }
                Prefix::Bytes(set) => match bytes[at..].iter().position(|b| set[*b as usize]) {
                    Some(n) => at += n,
                    None => return Ok(false),
                },
            }
            if self.match_at(p, s, at, want)? {
                return Ok(true);
            }
            match s.at(at) {
                Some((_, next)) => at = next,
                None => return Ok(false),
            }
        }
    }
}

/// The text of a group again: where it ends.
fn back<S: Subject>(s: S, a: usize, b: usize, pos: usize, how: Fold) -> Option<usize> {
    if how == Fold::No {
        let part = &s.bytes()[a..b];
        return s.bytes()[pos..]
            .starts_with(part)
            .then_some(pos + part.len());
    }
    let (mut i, mut at) = (a, pos);
    while i < b {
        let (c, next) = s.at(i)?;
        let (d, after) = s.at(at)?;
        if fold(c, how) != fold(d, how) {
            return None;
        }
        i = next;
        at = after;
    }
    Some(at)
}
