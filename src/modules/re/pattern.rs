//! Pattern objects: compiled patterns and their methods.

use super::matched::{self, Match};
use super::matcher::{Machine, UNSET};
use super::node::flags;
use super::program::Program;
use super::replace;
use super::subject::{How, Subject};
use crate::builtins::support::{clamped, this};
use crate::object::dict::Dict;
use crate::object::header::{Kind, Payload};
use crate::object::native::NativeDef;
use crate::object::types::{CmpOp, GetSetDef, TypeSpec};
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The payload of `re.Pattern`.
pub struct Pattern {
    /// The str or bytes that it was compiled from.
    pub source: Value,
    pub flags: u32,
    /// Groups, the whole match not counted.
    pub groups: usize,
    /// Interned names and group numbers.
    pub names: Vec<(Value, usize)>,
    pub text: bool,
    pub program: Program,
    pub machine: RefCell<Machine>,
    /// The template that `sub` used last, with its parsed form.
    pub template: RefCell<Option<(Value, Rc<super::template::Template>)>>,
}
// SAFETY: one type per kind; strs and bytes close no cycles.
#[allow(unsafe_code)]
unsafe impl Payload for Pattern {
    const KIND: Kind = Kind::Pattern;
    const TRACED: bool = false;
}

/// The iterator of `finditer`, and the state of a walk over all matches.
pub struct Scanner {
    pub pattern: Value,
    pub string: Value,
    pub at: Cell<usize>,
    /// Where the subject ends for the pattern, in bytes.
    pub end: usize,
    /// The last match was empty and ended where the next begins.
    pub empty: Cell<bool>,
    /// As given, in code points.
    pub bounds: (usize, usize),
}
// SAFETY: one type per kind; each value is visited once.
#[allow(unsafe_code)]
unsafe impl Payload for Scanner {
    const KIND: Kind = Kind::Scanner;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.pattern);
        visit(&self.string);
    }
}

/// Bounds given as `pos` and `endpos`, in code points and in bytes.
pub struct Range {
    pub chars: (usize, usize),
    pub bytes: (usize, usize),
}

pub fn range(vm: &Vm, s: &Subject, pos: &Value, endpos: &Value) -> Res<Range> {
    let whole = pos.as_small() == Some(0) && endpos.is_unbound();
    if whole {
        // The length in code points is worked out when somebody asks for `endpos`.
        return Ok(Range {
            chars: (0, UNSET),
            bytes: (0, s.len()),
        });
    }
    let len = s.char_len();
    let clamp = |v: &Value, or: usize| -> Res<usize> {
        match v.given() {
            None => Ok(or),
            Some(v) => Ok((clamped(vm, v)?.max(0) as usize).min(len)),
        }
    };
    let (a, b) = (clamp(pos, 0)?, clamp(endpos, len)?);
    Ok(Range {
        chars: (a, b),
        bytes: (s.to_byte(a), s.to_byte(b)),
    })
}

/// Matches and gives the Match object or None.
pub fn run_one(
    vm: &Vm,
    pattern: &Value,
    string: &Value,
    how: How,
    pos: &Value,
    endpos: &Value,
) -> Res {
    let p = this::<Pattern>(vm, pattern)?;
    let s = Subject::of(vm, p, string)?;
    let r = range(vm, &s, pos, endpos)?;
    if !s.run(vm, p, how, r.bytes.0, r.bytes.1, None)? {
        return Ok(Value::NONE);
    }
    Ok(matched::make(vm, pattern, p, string, r.chars))
}

fn match_(vm: &Vm, a: &[Value]) -> Res {
    run_one(vm, &a[0], &a[1], How::Match, &a[2], &a[3])
}
fn fullmatch(vm: &Vm, a: &[Value]) -> Res {
    run_one(vm, &a[0], &a[1], How::Full, &a[2], &a[3])
}
fn search(vm: &Vm, a: &[Value]) -> Res {
    run_one(vm, &a[0], &a[1], How::Search, &a[2], &a[3])
}

/// Goes over all matches: calls `f` with the places of each.
pub fn each_match(
    vm: &Vm,
    p: &Pattern,
    s: &Subject,
    bytes: (usize, usize),
    mut f: impl FnMut(&[usize]) -> Res<bool>,
) -> Res<()> {
    let mut at = bytes.0;
    let mut empty = false;
    loop {
        if !s.run(vm, p, How::Search, at, bytes.1, empty.then_some(at))? {
            return Ok(());
        }
        let slots = p.machine.borrow().slots.clone();
        empty = slots[0] == slots[1];
        at = slots[1];
        if !f(&slots)? {
            return Ok(());
        }
    }
}

/// What `findall` gives for a match: the match, the group, or the tuple of groups.
fn found(vm: &Vm, p: &Pattern, s: &Subject, slots: &[usize]) -> Value {
    let group = |g: usize| match (slots[g * 2], slots[g * 2 + 1]) {
        (a, b) if a == UNSET || b == UNSET => s.part(vm, 0, 0),
        (a, b) => s.part(vm, a, b),
    };
    match p.groups {
        0 => group(0),
        1 => group(1),
        n => vm.tuple((1..=n).map(group).collect()),
    }
}

/// `findall` from `pos` to `endpos`.
pub fn find_all(vm: &Vm, pattern: &Value, string: &Value, pos: &Value, endpos: &Value) -> Res {
    let p = this::<Pattern>(vm, pattern)?;
    let s = Subject::of(vm, p, string)?;
    let r = range(vm, &s, pos, endpos)?;
    let mut out = Vec::new();
    each_match(vm, p, &s, r.bytes, |slots| {
        out.push(found(vm, p, &s, slots));
        Ok(true)
    })?;
    Ok(vm.list(out))
}
fn findall(vm: &Vm, a: &[Value]) -> Res {
    find_all(vm, &a[0], &a[1], &a[2], &a[3])
}

/// `finditer` from `pos` to `endpos`.
pub fn find_iter(vm: &Vm, pattern: &Value, string: &Value, pos: &Value, endpos: &Value) -> Res {
    let p = this::<Pattern>(vm, pattern)?;
    let s = Subject::of(vm, p, string)?;
    let r = range(vm, &s, pos, endpos)?;
    Ok(vm.alloc(Scanner {
        pattern: pattern.clone(),
        string: string.clone(),
        at: Cell::new(r.bytes.0),
        end: r.bytes.1,
        empty: Cell::new(false),
        bounds: r.chars,
    }))
}
fn finditer(vm: &Vm, a: &[Value]) -> Res {
    find_iter(vm, &a[0], &a[1], &a[2], &a[3])
}

fn sub(vm: &Vm, a: &[Value]) -> Res {
    Ok(replace::sub(vm, &a[0], &a[1], &a[2], &a[3])?.0)
}
fn subn(vm: &Vm, a: &[Value]) -> Res {
    let (v, n) = replace::sub(vm, &a[0], &a[1], &a[2], &a[3])?;
    Ok(vm.pair(v, vm.usize(n)))
}
fn split(vm: &Vm, a: &[Value]) -> Res {
    replace::split(vm, &a[0], &a[1], &a[2])
}

fn itself(_: &Vm, a: &[Value]) -> Res {
    Ok(a[0].clone())
}

fn get_pattern(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Pattern>(vm, v)?.source.clone())
}
fn get_flags(vm: &Vm, v: &Value) -> Res {
    Ok(vm.int(this::<Pattern>(vm, v)?.flags as i64))
}
fn get_groups(vm: &Vm, v: &Value) -> Res {
    Ok(vm.usize(this::<Pattern>(vm, v)?.groups))
}
fn get_groupindex(vm: &Vm, v: &Value) -> Res {
    let p = this::<Pattern>(vm, v)?;
    let dict = vm.dict();
    if let Some(d) = dict.get::<Dict>() {
        for (name, group) in &p.names {
            vm.dict_set(d, name.clone(), vm.usize(*group))?;
        }
    }
    vm.call(vm.kind_type(Kind::MappingProxy), &[dict])
}

const FLAG_NAMES: &[(u32, &str)] = &[
    (flags::IGNORECASE, "re.IGNORECASE"),
    (flags::LOCALE, "re.LOCALE"),
    (flags::MULTILINE, "re.MULTILINE"),
    (flags::DOTALL, "re.DOTALL"),
    (flags::UNICODE, "re.UNICODE"),
    (flags::VERBOSE, "re.VERBOSE"),
    (flags::DEBUG, "re.DEBUG"),
    (flags::ASCII, "re.ASCII"),
];

fn repr(vm: &Vm, v: &Value) -> Res {
    let p = this::<Pattern>(vm, v)?;
    let mut source = vm.repr_string(&p.source)?;
    if let Some((at, _)) = source.char_indices().nth(200) {
        source.truncate(at);
    }
    let mut left = p.flags;
    // The usual flag of text patterns goes without saying.
    if p.text && left & flags::TYPES == flags::UNICODE {
        left &= !flags::UNICODE;
    }
    let mut names: Vec<String> = Vec::new();
    for (flag, name) in FLAG_NAMES {
        if left & flag != 0 {
            left &= !flag;
            names.push(name.to_string());
        }
    }
    if left != 0 {
        names.push(format!("0x{left:x}"));
    }
    let comma = if names.is_empty() { "" } else { ", " };
    Ok(vm.str(&format!("re.compile({source}{comma}{})", names.join("|"))))
}

fn hash(vm: &Vm, v: &Value) -> Res<i64> {
    let p = this::<Pattern>(vm, v)?;
    Ok(vm.hash(&p.source)? ^ (p.flags as i64) << 20)
}

fn cmp(vm: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.get::<Pattern>(), b.get::<Pattern>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let equal =
        a.is(b) || (x.flags == y.flags && x.text == y.text && vm.eq(&x.source, &y.source)?);
    Ok(Value::bool(equal == (op == CmpOp::Eq)))
}

pub static TYPE: TypeSpec = TypeSpec {
    name: "re.Pattern",
    kind: Kind::Pattern,
    slots: |s| {
        s.repr = Some(repr);
        s.hash = Some(hash);
        s.cmp = Some(cmp);
    },
    flags: crate::object::types::tflag::WEAKREF,
    methods: &[
        NativeDef {
            sig: "match(self, /, string, pos=0, endpos=...)",
            f: match_,
            doc: "Matches zero or more characters at the beginning of the string.",
        },
        NativeDef {
            sig: "fullmatch(self, /, string, pos=0, endpos=...)",
            f: fullmatch,
            doc: "Matches against all of the string.",
        },
        NativeDef {
            sig: "search(self, /, string, pos=0, endpos=...)",
            f: search,
            doc: "Scan through string looking for a match, and return a corresponding match object instance.\n\nReturn None if no position in the string matches.",
        },
        NativeDef {
            sig: "sub(self, /, repl, string, count=0)",
            f: sub,
            doc: "Return the string obtained by replacing the leftmost non-overlapping occurrences of pattern in string by the replacement repl.",
        },
        NativeDef {
            sig: "subn(self, /, repl, string, count=0)",
            f: subn,
            doc: "Return the tuple (new_string, number_of_subs_made) found by replacing the leftmost non-overlapping occurrences of pattern with the replacement repl.",
        },
        NativeDef {
            sig: "findall(self, /, string, pos=0, endpos=...)",
            f: findall,
            doc: "Return a list of all non-overlapping matches of pattern in string.",
        },
        NativeDef {
            sig: "split(self, /, string, maxsplit=0)",
            f: split,
            doc: "Split string by the occurrences of pattern.",
        },
        NativeDef {
            sig: "finditer(self, /, string, pos=0, endpos=...)",
            f: finditer,
            doc: "Return an iterator over all non-overlapping matches for the RE pattern in string.\n\nFor each match, the iterator returns a match object.",
        },
        NativeDef {
            sig: "__copy__(self, /)",
            f: itself,
            doc: "",
        },
        NativeDef {
            sig: "__deepcopy__(self, memo, /)",
            f: itself,
            doc: "",
        },
    ],
    class_methods: crate::builtins::list::CLASS_GETITEM,
    getset: &[
        GetSetDef {
            name: "pattern",
            get: get_pattern,
            set: None,
            doc: "The pattern string from which the RE object was compiled.",
        },
        GetSetDef {
            name: "flags",
            get: get_flags,
            set: None,
            doc: "The regex matching flags.",
        },
        GetSetDef {
            name: "groups",
            get: get_groups,
            set: None,
            doc: "The number of capturing groups in the pattern.",
        },
        GetSetDef {
            name: "groupindex",
            get: get_groupindex,
            set: None,
            doc: "A dictionary mapping group names to group numbers.",
        },
    ],
    doc: "Compiled regular expression object.",
    ..TypeSpec::EMPTY
};

// ---- finditer

fn iter_self(_: &Vm, v: &Value) -> Res {
    Ok(v.clone())
}

fn iter_next(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    let it = this::<Scanner>(vm, v)?;
    let at = it.at.get();
    if at == UNSET {
        return Ok(None);
    }
    let p = this::<Pattern>(vm, &it.pattern)?;
    let s = Subject::of(vm, p, &it.string)?;
    if !s.run(
        vm,
        p,
        How::Search,
        at,
        it.end.min(s.len()),
        it.empty.get().then_some(at),
    )? {
        it.at.set(UNSET);
        return Ok(None);
    }
    let m = matched::make(vm, &it.pattern, p, &it.string, it.bounds);
    if let Some(m) = m.get::<Match>() {
        it.empty.set(m.slots[0] == m.slots[1]);
        it.at.set(m.slots[1]);
    }
    Ok(Some(m))
}

pub static SCANNER: TypeSpec = TypeSpec {
    name: "callable_iterator",
    kind: Kind::Scanner,
    slots: |s| {
        s.iter = Some(iter_self);
        s.next = Some(iter_next);
    },
    ..TypeSpec::EMPTY
};
