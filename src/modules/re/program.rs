//! Tree to program: the instructions that the matcher runs, and what a search can know beforehand.

use super::node::{At, Fold, Mode, NO_LIMIT, Node, One};
use super::parse::{Parsed, ReError};

pub type Pc = u32;

#[derive(Debug)]
pub enum Inst {
    One(One),
    /// Bytes of the subject that must follow.
    Literal(Box<[u8]>),
    At(At),
    /// Tries the first, on failure the second.
    Split(Pc, Pc),
    Jump(Pc),
    Save(u32),
    Back(u32, Fold),
    /// As many characters as `one` matches, then fewer; `next` is the byte that must follow, if known.
    Run {
        one: One,
        min: u32,
        max: u32,
        next: Option<u8>,
    },
    /// Few characters, then more.
    LazyRun {
        one: One,
        min: u32,
        max: u32,
    },
    /// As many as possible, none given back.
    FixedRun {
        one: One,
        min: u32,
        max: u32,
    },
    /// Begins a counted loop; its counter and place are registers `reg` and `reg + 1`.
    LoopStart {
        reg: u32,
    },
    /// Decides about another round; the body follows, `exit` comes after it.
    Loop {
        reg: u32,
        min: u32,
        max: u32,
        lazy: bool,
        exit: Pc,
    },
    /// Remembers the height of the backtrack stack in a register.
    Mark {
        reg: u32,
    },
    /// Forgets the alternatives since the mark.
    Cut {
        reg: u32,
    },
    /// Begins a look-around: the height in `reg`, the place in `reg + 1`; steps `back` characters back first, fails to `fail` if it cannot.
    Look {
        reg: u32,
        back: u32,
    },
    /// Ends one that should match: forgets its alternatives, goes back to its place.
    LookEnd {
        reg: u32,
    },
    /// Begins one that should not match: `then` goes on if it does not.
    NotLook {
        reg: u32,
        back: u32,
        then: Pc,
    },
    /// It matched: fails.
    NotLookEnd {
        reg: u32,
    },
    /// Goes on if the group matched, else to `no`.
    If {
        group: u32,
        no: Pc,
    },
    Match,
}

/// What a search looks for before it tries to match.
#[derive(Debug)]
pub enum Prefix {
    None,
    /// The match begins with these bytes.
    Literal(Box<[u8]>),
    /// The match begins with one of these bytes (it is not empty).
    Bytes(Box<[bool; 256]>),
    /// It can begin at the start of the subject only.
    Start,
}

#[derive(Debug)]
pub struct Program {
    pub code: Vec<Inst>,
    /// Places of group starts and ends (0 and 1: the whole match), then the number of the last group closed.
    pub slots: usize,
    pub regs: usize,
    pub prefix: Prefix,
}

struct Compiler {
    code: Vec<Inst>,
    regs: u32,
    /// The subject is UTF-8.
    utf8: bool,
    widths: Vec<(u64, u64)>,
}

/// The bytes of a character in the subject.
pub fn push_char(out: &mut Vec<u8>, c: u32, utf8: bool) {
    if !utf8 {
        out.push(c as u8);
    } else if let Some(c) = char::from_u32(c) {
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

impl Compiler {
    fn here(&self) -> Pc {
        self.code.len() as Pc
    }
    fn emit(&mut self, i: Inst) -> usize {
        self.code.push(i);
        self.code.len() - 1
    }
    fn registers(&mut self, n: u32) -> u32 {
        self.regs += n;
        self.regs - n
    }

    fn node(&mut self, node: &Node) -> Parsed<()> {
        match node {
            Node::One(one) => {
                self.emit(Inst::One(one.clone()));
            }
            Node::At(at) => {
                self.emit(Inst::At(*at));
            }
            Node::Plain(n) => self.node(n)?,
            Node::Group(g, n) => {
                self.emit(Inst::Save(*g as u32 * 2));
                self.node(n)?;
                self.emit(Inst::Save(*g as u32 * 2 + 1));
            }
            Node::Cat(nodes) => self.cat(nodes)?,
            Node::Alt(nodes) => self.alt(nodes)?,
            Node::Repeat {
                node,
                min,
                max,
                mode,
            } => self.repeat(node, *min, *max, *mode)?,
            Node::Back(g, how) => {
                self.emit(Inst::Back(*g as u32, *how));
            }
            Node::Look { behind, not, node } => self.look(*behind, *not, node)?,
            Node::If { group, yes, no } => {
                let test = self.emit(Inst::If {
                    group: *group as u32,
                    no: 0,
                });
                self.node(yes)?;
                let jump = no.as_ref().map(|_| self.emit(Inst::Jump(0)));
                let at = self.here();
                if let Inst::If { no, .. } = &mut self.code[test] {
                    *no = at;
                }
                if let (Some(no), Some(jump)) = (no, jump) {
                    self.node(no)?;
                    self.code[jump] = Inst::Jump(self.here());
                }
            }
            Node::Atomic(n) => {
                let reg = self.registers(1);
                self.emit(Inst::Mark { reg });
                self.node(n)?;
                self.emit(Inst::Cut { reg });
            }
        }
        Ok(())
    }

    /// A sequence; neighbouring characters become one literal.
    fn cat(&mut self, nodes: &[Node]) -> Parsed<()> {
        let mut i = 0;
        while i < nodes.len() {
            let run = nodes[i..]
                .iter()
                .take_while(|n| matches!(n, Node::One(One::Char(_))))
                .count();
            if run > 1 {
                let mut bytes = Vec::new();
                for n in &nodes[i..i + run] {
                    if let Node::One(One::Char(c)) = n {
                        push_char(&mut bytes, *c, self.utf8);
                    }
                }
                self.emit(Inst::Literal(bytes.into()));
                i += run;
                continue;
            }
            self.node(&nodes[i])?;
            // A run that is followed by a character can skip places where it is not.
            if let Some(Inst::Run { next, .. }) = self.code.last_mut()
                && let Some(Node::One(One::Char(c))) = nodes.get(i + 1)
            {
                let mut bytes = Vec::new();
                push_char(&mut bytes, *c, self.utf8);
                *next = bytes.first().copied();
            }
            i += 1;
        }
        Ok(())
    }

    fn alt(&mut self, nodes: &[Node]) -> Parsed<()> {
        let mut jumps = Vec::new();
        for (i, n) in nodes.iter().enumerate() {
            if i + 1 == nodes.len() {
                self.node(n)?;
                break;
            }
            let split = self.emit(Inst::Split(0, 0));
            self.node(n)?;
            jumps.push(self.emit(Inst::Jump(0)));
            self.code[split] = Inst::Split(split as Pc + 1, self.here());
        }
        let end = self.here();
        for j in jumps {
            self.code[j] = Inst::Jump(end);
        }
        Ok(())
    }

    fn repeat(&mut self, node: &Node, min: u32, max: u32, mode: Mode) -> Parsed<()> {
        if max == 0 {
            return Ok(());
        }
        let single = match node {
            Node::One(one) => Some(one),
            Node::Plain(n) => match &**n {
                Node::One(one) => Some(one),
                _ => None,
            },
            _ => None,
        };
        if let Some(one) = single {
            let one = one.clone();
            self.emit(match mode {
                Mode::Greedy => Inst::Run {
                    one,
                    min,
                    max,
                    next: None,
                },
                Mode::Lazy => Inst::LazyRun { one, min, max },
                Mode::Possessive => Inst::FixedRun { one, min, max },
            });
            return Ok(());
        }
        if mode == Mode::Possessive {
            let reg = self.registers(1);
            self.emit(Inst::Mark { reg });
            self.repeat(node, min, max, Mode::Greedy)?;
            self.emit(Inst::Cut { reg });
            return Ok(());
        }
        let lazy = mode == Mode::Lazy;
        let empty = node.width(&self.widths).0 == 0;
        if max == 1 && min == 0 {
            let split = self.emit(Inst::Split(0, 0));
            self.node(node)?;
            let (body, end) = (split as Pc + 1, self.here());
            self.code[split] = if lazy {
                Inst::Split(end, body)
            } else {
                Inst::Split(body, end)
            };
            return Ok(());
        }
        if !empty && max == NO_LIMIT && min <= 1 {
            // Needs neither a counter nor a look at whether it got on.
            if min == 1 {
                let body = self.here();
                self.node(node)?;
                let end = self.here() + 1;
                self.emit(if lazy {
                    Inst::Split(end, body)
                } else {
                    Inst::Split(body, end)
                });
                return Ok(());
            }
            let split = self.emit(Inst::Split(0, 0));
            self.node(node)?;
            self.emit(Inst::Jump(split as Pc));
            let (body, end) = (split as Pc + 1, self.here());
            self.code[split] = if lazy {
                Inst::Split(end, body)
            } else {
                Inst::Split(body, end)
            };
            return Ok(());
        }
        let reg = self.registers(2);
        self.emit(Inst::LoopStart { reg });
        let head = self.emit(Inst::Loop {
            reg,
            min,
            max,
            lazy,
            exit: 0,
        });
        self.node(node)?;
        self.emit(Inst::Jump(head as Pc));
        let end = self.here();
        if let Inst::Loop { exit, .. } = &mut self.code[head] {
            *exit = end;
        }
        Ok(())
    }

    fn look(&mut self, behind: bool, not: bool, node: &Node) -> Parsed<()> {
        let mut back = 0;
        if behind {
            let (low, high) = node.width(&self.widths);
            if low != high || low > u32::MAX as u64 {
                return Err(ReError::Pattern(
                    "look-behind requires fixed-width pattern".into(),
                    None,
                ));
            }
            back = low as u32;
        }
        let reg = self.registers(2);
        if not {
            let start = self.emit(Inst::NotLook { reg, back, then: 0 });
            self.node(node)?;
            self.emit(Inst::NotLookEnd { reg });
            let after = self.here();
            if let Inst::NotLook { then, .. } = &mut self.code[start] {
                *then = after;
            }
        } else {
            self.emit(Inst::Look { reg, back });
            self.node(node)?;
            self.emit(Inst::LookEnd { reg });
        }
        Ok(())
    }
}

/// The widths of all groups, for back references.
fn collect_widths(node: &Node, out: &mut Vec<(u64, u64)>) {
    match node {
        Node::Group(g, n) => {
            collect_widths(n, out);
            let w = n.width(out);
            if let Some(place) = out.get_mut(*g) {
                *place = w;
            }
        }
        Node::Plain(n)
        | Node::Atomic(n)
        | Node::Repeat { node: n, .. }
        | Node::Look { node: n, .. } => collect_widths(n, out),
        Node::Cat(ns) | Node::Alt(ns) => ns.iter().for_each(|n| collect_widths(n, out)),
        Node::If { yes, no, .. } => {
            collect_widths(yes, out);
            if let Some(n) = no {
                collect_widths(n, out);
            }
        }
        _ => {}
    }
}

// ---- what a match begins with

fn add_one(one: &One, set: &mut [bool; 256], utf8: bool) {
    if !utf8 {
        (0..256).for_each(|c| set[c] |= one.has(c as u32));
        return;
    }
    (0..128).for_each(|c| set[c] |= one.has(c as u32));
    match one {
        One::Char(c) if *c >= 128 => {
            let mut bytes = Vec::new();
            push_char(&mut bytes, *c, true);
            bytes.first().iter().for_each(|b| set[**b as usize] = true);
        }
        One::Char(_) => {}
        _ => set[0xc2..].fill(true),
    }
}

/// Adds the bytes that a match of the node can begin with; true if it can be empty (so that what follows counts too). None if unknown.
fn first_bytes(node: &Node, set: &mut [bool; 256], utf8: bool) -> Option<bool> {
    match node {
        Node::One(one) => {
            add_one(one, set, utf8);
            Some(false)
        }
        Node::At(_) | Node::Look { .. } => Some(true),
        Node::Plain(n) | Node::Group(_, n) | Node::Atomic(n) => first_bytes(n, set, utf8),
        Node::Cat(ns) => {
            for n in ns {
                if !first_bytes(n, set, utf8)? {
                    return Some(false);
                }
            }
            Some(true)
        }
        Node::Alt(ns) => {
            let mut empty = false;
            for n in ns {
                empty |= first_bytes(n, set, utf8)?;
            }
            Some(empty)
        }
        Node::Repeat { node, min, max, .. } => {
            if *max == 0 {
                return Some(true);
            }
            let empty = first_bytes(node, set, utf8)?;
            Some(empty || *min == 0)
        }
        Node::Back(..) | Node::If { .. } => None,
    }
}

/// The literal that every match begins with; true if all of the node is that literal.
fn literal_prefix(node: &Node, out: &mut Vec<u8>, utf8: bool) -> bool {
    match node {
        Node::One(One::Char(c)) => {
            push_char(out, *c, utf8);
            true
        }
        Node::Plain(n) | Node::Group(_, n) => literal_prefix(n, out, utf8),
        Node::Cat(ns) => ns.iter().all(|n| literal_prefix(n, out, utf8)),
        _ => false,
    }
}

fn starts_at_start(node: &Node) -> bool {
    match node {
        Node::At(At::Start) => true,
        Node::Plain(n) | Node::Group(_, n) => starts_at_start(n),
        Node::Cat(ns) => ns.first().is_some_and(starts_at_start),
        Node::Alt(ns) => ns.iter().all(starts_at_start),
        _ => false,
    }
}

fn prefix_of(node: &Node, utf8: bool) -> Prefix {
    if starts_at_start(node) {
        return Prefix::Start;
    }
    let mut bytes = Vec::new();
    literal_prefix(node, &mut bytes, utf8);
    if !bytes.is_empty() {
        return Prefix::Literal(bytes.into());
    }
    let mut set = Box::new([false; 256]);
    match first_bytes(node, &mut set, utf8) {
        Some(false) if set.iter().any(|b| !b) => Prefix::Bytes(set),
        _ => Prefix::None,
    }
}

/// Compiles a tree for subjects of UTF-8 text or of bytes.
pub fn compile(node: &Node, groups: usize, utf8: bool) -> Parsed<Program> {
    let mut widths = vec![(0, u64::MAX); groups + 1];
    collect_widths(node, &mut widths);
    let mut c = Compiler {
        code: Vec::new(),
        regs: 0,
        utf8,
        widths,
    };
    c.node(node)?;
    c.emit(Inst::Match);
    Ok(Program {
        code: c.code,
        slots: groups * 2 + 3,
        regs: c.regs as usize,
        prefix: prefix_of(node, utf8),
    })
}
