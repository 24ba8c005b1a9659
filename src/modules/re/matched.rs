//! Match objects.

use super::matcher::UNSET;
use super::pattern::Pattern;
use super::subject::Subject;
use super::template;
use crate::builtins::support::{has_index, small_int, this};
use crate::object::dict::Dict;
use crate::object::header::{Kind, Payload};
use crate::object::native::{NativeDef, tuple_items};
use crate::object::types::{GetSetDef, TypeSpec};
use crate::object::value::Value;
use crate::vm::{Res, Vm};

/// The payload of `re.Match`.
pub struct Match {
    pub pattern: Value,
    pub string: Value,
    /// Byte offsets: start and end of each group, then the number of the last one closed.
    pub slots: Box<[usize]>,
    /// The search's bounds in code points; the end is unset if it was the whole subject's.
    pub bounds: (usize, usize),
}
// SAFETY: one type per kind; each value is visited once.
#[allow(unsafe_code)]
unsafe impl Payload for Match {
    const KIND: Kind = Kind::Match;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.pattern);
        visit(&self.string);
    }
}

/// The Match object for what the pattern's machine has just found.
pub fn make(
    vm: &Vm,
    pattern: &Value,
    p: &Pattern,
    string: &Value,
    bounds: (usize, usize),
) -> Value {
    let slots = p.machine.borrow().slots.clone().into_boxed_slice();
    vm.alloc(Match {
        pattern: pattern.clone(),
        string: string.clone(),
        slots,
        bounds,
    })
}

impl Match {
    pub fn pattern(&self) -> Option<&Pattern> {
        self.pattern.get::<Pattern>()
    }

    /// Start and end of a group in bytes, if it took part.
    pub fn span(&self, group: usize) -> Option<(usize, usize)> {
        match (self.slots.get(group * 2)?, self.slots.get(group * 2 + 1)?) {
            (a, b) if *a == UNSET || *b == UNSET => None,
            (a, b) => Some((*a, *b)),
        }
    }

    fn last(&self) -> Option<usize> {
        self.slots.last().copied().filter(|g| *g != UNSET)
    }

    /// The text of a group, or `default`.
    pub fn group_value(&self, vm: &Vm, group: usize, default: &Value) -> Value {
        match (self.span(group), Subject::any(&self.string)) {
            (Some((a, b)), Some(s)) => s.part(vm, a, b),
            _ => default.clone(),
        }
    }

    /// The number that a script means by a group argument.
    fn number(&self, vm: &Vm, v: &Value) -> Res<usize> {
        let groups = self.pattern().map_or(0, |p| p.groups);
        let found = if let Some(i) = v.as_small() {
            usize::try_from(i).ok()
        } else if has_index(vm, v) {
            let i = vm.index(v)?;
            small_int(&i).and_then(|i| usize::try_from(i).ok())
        } else {
            let mut hit = None;
            for (name, g) in self.pattern().map_or(&[][..], |p| &p.names) {
                if hit.is_none() && (name.is(v) || vm.eq(name, v)?) {
                    hit = Some(*g);
                }
            }
            hit
        };
        found
            .filter(|g| *g <= groups)
            .ok_or_else(|| vm.index_error("no such group"))
    }
}

fn group(vm: &Vm, a: &[Value]) -> Res {
    let m = this::<Match>(vm, &a[0])?;
    match tuple_items(&a[1]) {
        [] => Ok(m.group_value(vm, 0, &Value::NONE)),
        [one] => Ok(m.group_value(vm, m.number(vm, one)?, &Value::NONE)),
        many => {
            let mut out = Vec::with_capacity(many.len());
            for g in many {
                out.push(m.group_value(vm, m.number(vm, g)?, &Value::NONE));
            }
            Ok(vm.tuple(out))
        }
    }
}

fn getitem(vm: &Vm, v: &Value, key: &Value) -> Res {
    let m = this::<Match>(vm, v)?;
    Ok(m.group_value(vm, m.number(vm, key)?, &Value::NONE))
}

fn groups(vm: &Vm, a: &[Value]) -> Res {
    let m = this::<Match>(vm, &a[0])?;
    let n = m.pattern().map_or(0, |p| p.groups);
    Ok(vm.tuple((1..=n).map(|g| m.group_value(vm, g, &a[1])).collect()))
}

fn groupdict(vm: &Vm, a: &[Value]) -> Res {
    let m = this::<Match>(vm, &a[0])?;
    let dict = vm.dict();
    if let (Some(d), Some(p)) = (dict.get::<Dict>(), m.pattern()) {
        for (name, g) in &p.names {
            vm.dict_set(d, name.clone(), m.group_value(vm, *g, &a[1]))?;
        }
    }
    Ok(dict)
}

/// Start and end of a group in code points, or -1.
fn char_span(m: &Match, group: usize) -> (i64, i64) {
    match (m.span(group), Subject::any(&m.string)) {
        (Some((a, b)), Some(s)) => (s.to_char(a) as i64, s.to_char(b) as i64),
        _ => (-1, -1),
    }
}

fn start(vm: &Vm, a: &[Value]) -> Res {
    let m = this::<Match>(vm, &a[0])?;
    Ok(vm.int(char_span(m, m.number(vm, &a[1])?).0))
}
fn end(vm: &Vm, a: &[Value]) -> Res {
    let m = this::<Match>(vm, &a[0])?;
    Ok(vm.int(char_span(m, m.number(vm, &a[1])?).1))
}
fn span(vm: &Vm, a: &[Value]) -> Res {
    let m = this::<Match>(vm, &a[0])?;
    let s = char_span(m, m.number(vm, &a[1])?);
    Ok(vm.pair(vm.int(s.0), vm.int(s.1)))
}

fn expand(vm: &Vm, a: &[Value]) -> Res {
    let m = this::<Match>(vm, &a[0])?;
    let p = this::<Pattern>(vm, &m.pattern)?;
    let t = template::parse_value(vm, p, &m.pattern, &a[1])?;
    let Some(s) = Subject::any(&m.string) else {
        return Ok(Value::NONE);
    };
    let mut out = Vec::new();
    t.push(&mut out, &s, &m.slots);
    Ok(template::finish(vm, p, out))
}

fn itself(_: &Vm, a: &[Value]) -> Res {
    Ok(a[0].clone())
}

fn repr(vm: &Vm, v: &Value) -> Res {
    let m = this::<Match>(vm, v)?;
    let mut shown = vm.repr_string(&m.group_value(vm, 0, &Value::NONE))?;
    if let Some((at, _)) = shown.char_indices().nth(50) {
        shown.truncate(at);
    }
    let s = char_span(m, 0);
    Ok(vm.str(&format!(
        "<re.Match object; span=({}, {}), match={shown}>",
        s.0, s.1
    )))
}

fn get_string(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Match>(vm, v)?.string.clone())
}
fn get_re(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Match>(vm, v)?.pattern.clone())
}
fn get_pos(vm: &Vm, v: &Value) -> Res {
    Ok(vm.usize(this::<Match>(vm, v)?.bounds.0))
}
fn get_endpos(vm: &Vm, v: &Value) -> Res {
    let m = this::<Match>(vm, v)?;
    let end = if m.bounds.1 == UNSET {
        Subject::any(&m.string).map_or(0, |s| s.char_len())
    } else {
        m.bounds.1
    };
    Ok(vm.usize(end))
}
fn get_lastindex(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Match>(vm, v)?
        .last()
        .map_or(Value::NONE, |g| vm.usize(g)))
}
fn get_lastgroup(vm: &Vm, v: &Value) -> Res {
    let m = this::<Match>(vm, v)?;
    let Some(last) = m.last() else {
        return Ok(Value::NONE);
    };
    let names = m.pattern().map_or(&[][..], |p| &p.names);
    Ok(names
        .iter()
        .find(|n| n.1 == last)
        .map_or(Value::NONE, |n| n.0.clone()))
}
fn get_regs(vm: &Vm, v: &Value) -> Res {
    let m = this::<Match>(vm, v)?;
    let n = m.pattern().map_or(0, |p| p.groups);
    let all = (0..=n).map(|g| {
        let s = char_span(m, g);
        vm.pair(vm.int(s.0), vm.int(s.1))
    });
    Ok(vm.tuple(all.collect()))
}

pub static TYPE: TypeSpec = TypeSpec {
    name: "re.Match",
    kind: Kind::Match,
    slots: |s| {
        s.repr = Some(repr);
        s.getitem = Some(getitem);
    },
    methods: &[
        NativeDef {
            sig: "group(self, /, *groups)",
            f: group,
            doc: "group([group1, ...]) -> str or tuple.\n\nReturn subgroup(s) of the match by indices or names.\nFor 0 returns the entire match.",
        },
        NativeDef {
            sig: "start(self, group=0, /)",
            f: start,
            doc: "Return index of the start of the substring matched by group.",
        },
        NativeDef {
            sig: "end(self, group=0, /)",
            f: end,
            doc: "Return index of the end of the substring matched by group.",
        },
        NativeDef {
            sig: "span(self, group=0, /)",
            f: span,
            doc: "For match object m, return the 2-tuple (m.start(group), m.end(group)).",
        },
        NativeDef {
            sig: "groups(self, /, default=None)",
            f: groups,
            doc: "Return a tuple containing all the subgroups of the match, from 1.\n\n  default\n    Is used for groups that did not participate in the match.",
        },
        NativeDef {
            sig: "groupdict(self, /, default=None)",
            f: groupdict,
            doc: "Return a dictionary containing all the named subgroups of the match, keyed by the subgroup name.\n\n  default\n    Is used for groups that did not participate in the match.",
        },
        NativeDef {
            sig: "expand(self, /, template)",
            f: expand,
            doc: "Return the string obtained by doing backslash substitution on the string template, as done by the sub() method.",
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
            name: "string",
            get: get_string,
            set: None,
            doc: "The string passed to match() or search().",
        },
        GetSetDef {
            name: "re",
            get: get_re,
            set: None,
            doc: "The regular expression object.",
        },
        GetSetDef {
            name: "pos",
            get: get_pos,
            set: None,
            doc: "The index into the string at which the RE engine started looking for a match.",
        },
        GetSetDef {
            name: "endpos",
            get: get_endpos,
            set: None,
            doc: "The index into the string beyond which the RE engine will not go.",
        },
        GetSetDef {
            name: "lastindex",
            get: get_lastindex,
            set: None,
            doc: "The integer index of the last matched capturing group.",
        },
        GetSetDef {
            name: "lastgroup",
            get: get_lastgroup,
            set: None,
            doc: "The name of the last matched capturing group.",
        },
        GetSetDef {
            name: "regs",
            get: get_regs,
            set: None,
            doc: "",
        },
    ],
    doc: "The result of re.match() and re.search().\nMatch objects always have a boolean value of True.",
    ..TypeSpec::EMPTY
};
