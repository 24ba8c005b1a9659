//! The module `_re`: regular expressions with Python's syntax and results. `stdlib/re.co` is its public face.
//!
//! A pattern is read (`parse`, `escape`, `group`) into a tree (`node`), compiled to a program (`program`) and run by a backtracking matcher with a stack
//! of its own (`matcher`) on text or bytes (`subject`). `pattern` and `matched` are the objects that scripts see; `template` and `replace` substitute.

mod escape;
mod group;
mod matched;
mod matcher;
mod node;
mod parse;
mod pattern;
mod program;
mod replace;
mod subject;
mod template;

use crate::builtins::support::small_int;
use crate::builtins::text_support::{buffer, build_str};
use crate::object::header::Kind;
use crate::object::heap::Heap;
use crate::object::native::NativeDef;
use crate::object::value::Value;
use crate::vm::{Raised, Res, Vm};
use matcher::Machine;
use parse::ReError;
use pattern::Pattern;
use std::cell::RefCell;
use std::hash::{BuildHasher, Hasher};
use subject::How;

/// Compiled patterns that are kept, and the class of errors (`vm.extension::<State>()`).
#[derive(Default)]
struct State {
    /// By identity of the source: nearly every call passes the same constant again.
    recent: RefCell<[Option<(Value, u32, Value)>; 16]>,
    /// By text and flags.
    known: RefCell<hashbrown::HashTable<(u32, bool, Vec<u8>, Value)>>,
    error: RefCell<Option<Value>>,
}

/// Most patterns kept.
const MAX_KNOWN: usize = 512;

/// `re.PatternError` for an error in a pattern or template.
#[cold]
fn re_error(vm: &Vm, e: ReError, source: &Value) -> Raised {
    match e {
        ReError::Overflow(m) => vm.overflow_error(m),
        ReError::Value(m) => vm.value_error(m),
        ReError::TooDeep => vm.recursion_error(),
        ReError::Verbose => vm.runtime_error("a pattern asked for VERBOSE twice"),
        ReError::Pattern(m, at) => {
            let class = vm.extension::<State>().error.borrow().clone();
            let Some(class) = class else {
                return vm.value_error(m);
            };
            let mut args = vec![vm.str(&m)];
            if let Some(at) = at {
                args.push(source.clone());
                args.push(vm.usize(at));
            }
            match vm.call(&class, &args) {
                Ok(v) => Raised(v),
                Err(e) => e,
            }
        }
    }
}

fn character_named(name: &str) -> Option<u32> {
    unicode_names2::character(name).map(|c| c as u32)
}

/// The bytes that identify a source, and whether it is text.
fn source_key(vm: &Vm, v: &Value) -> Res<(bool, Vec<u8>)> {
    if let Some(s) = v.as_str() {
        return Ok((true, s.as_bytes().to_vec()));
    }
    match buffer(v) {
        Some(b) => Ok((false, b.to_vec())),
        None => Err(vm.type_error("first argument must be string or compiled pattern")),
    }
}

fn build(vm: &Vm, source: &Value, flags: u32) -> Res {
    let (text, src): (bool, Vec<u32>) = match source.as_str() {
        Some(s) => (true, s.chars().map(|c| c as u32).collect()),
        None => (
            false,
            buffer(source)
                .map(|b| b.iter().map(|b| *b as u32).collect())
                .unwrap_or_default(),
        ),
    };
    let tree =
        parse::parse(&src, text, flags, character_named).map_err(|e| re_error(vm, e, source))?;
    let program =
        program::compile(&tree.node, tree.groups, text).map_err(|e| re_error(vm, e, source))?;
    Ok(vm.alloc(Pattern {
        source: source.clone(),
        flags: tree.flags,
        groups: tree.groups,
        names: tree.names.iter().map(|(n, g)| (vm.intern(n), *g)).collect(),
        text,
        program,
        machine: RefCell::new(Machine::default()),
        template: RefCell::new(None),
    }))
}

/// The pattern object for a source (or a pattern object) and flags.
fn compiled(vm: &Vm, source: &Value, flags: &Value) -> Res {
    let flags = match flags.as_small() {
        Some(i) => i as u32,
        None => {
            let i = vm.index(flags)?;
            small_int(&i).unwrap_or(0) as u32
        }
    };
    if source.is_kind::<Pattern>() {
        if flags != 0 {
            return Err(vm.value_error("cannot process flags argument with a compiled pattern"));
        }
        return Ok(source.clone());
    }
    let state = vm.extension::<State>();
    let at = (source.id() >> 4 ^ source.id() >> 12) as usize % 16;
    if let Some((v, f, p)) = &state.recent.borrow()[at]
        && v.is(source)
        && *f == flags
    {
        return Ok(p.clone());
    }
    let (text, key) = source_key(vm, source)?;
    let hash = |k: &[u8], f: u32| {
        let mut h = foldhash::fast::FixedState::with_seed(f as u64).build_hasher();
        h.write(k);
        h.finish()
    };
    let found = state
        .known
        .borrow()
        .find(hash(&key, flags), |e| {
            e.0 == flags && e.1 == text && e.2 == key
        })
        .map(|e| e.3.clone());
    let p = match found {
        Some(p) => p,
        None => {
            let p = build(vm, source, flags)?;
            if flags & node::flags::DEBUG == 0 {
                let mut known = state.known.borrow_mut();
                let full = if known.len() >= MAX_KNOWN {
                    Some(std::mem::take(&mut *known))
                } else {
                    None
                };
                known.insert_unique(hash(&key, flags), (flags, text, key, p.clone()), |e| {
                    hash(&e.2, e.0)
                });
                drop(known);
                drop(full);
            }
            p
        }
    };
    // A bytearray may change, so only its contents count.
    if !matches!(source.kind(), Kind::ByteArray | Kind::MemoryView) {
        let old = state.recent.borrow_mut()[at].replace((source.clone(), flags, p.clone()));
        drop(old);
    }
    Ok(p)
}

fn compile(vm: &Vm, a: &[Value]) -> Res {
    compiled(vm, &a[0], &a[1])
}

fn one(vm: &Vm, a: &[Value], how: How) -> Res {
    let p = compiled(vm, &a[0], &a[2])?;
    pattern::run_one(vm, &p, &a[1], how, &vm.int(0), &Value::UNBOUND)
}
fn match_(vm: &Vm, a: &[Value]) -> Res {
    one(vm, a, How::Match)
}
fn fullmatch(vm: &Vm, a: &[Value]) -> Res {
    one(vm, a, How::Full)
}
fn search(vm: &Vm, a: &[Value]) -> Res {
    one(vm, a, How::Search)
}
fn findall(vm: &Vm, a: &[Value]) -> Res {
    let p = compiled(vm, &a[0], &a[2])?;
    pattern::find_all(vm, &p, &a[1], &vm.int(0), &Value::UNBOUND)
}
fn finditer(vm: &Vm, a: &[Value]) -> Res {
    let p = compiled(vm, &a[0], &a[2])?;
    pattern::find_iter(vm, &p, &a[1], &vm.int(0), &Value::UNBOUND)
}
fn sub(vm: &Vm, a: &[Value]) -> Res {
    let p = compiled(vm, &a[0], &a[4])?;
    Ok(replace::sub(vm, &p, &a[1], &a[2], &a[3])?.0)
}
fn subn(vm: &Vm, a: &[Value]) -> Res {
    let p = compiled(vm, &a[0], &a[4])?;
    let (v, n) = replace::sub(vm, &p, &a[1], &a[2], &a[3])?;
    Ok(vm.pair(v, vm.usize(n)))
}
fn split(vm: &Vm, a: &[Value]) -> Res {
    let p = compiled(vm, &a[0], &a[3])?;
    replace::split(vm, &p, &a[1], &a[2])
}

/// The characters that `escape` puts a backslash before.
fn is_special(b: u8) -> bool {
    b"()[]{}?*+-|^$\\.&~# \t\n\r\x0b\x0c".contains(&b)
}

fn escape(vm: &Vm, a: &[Value]) -> Res {
    if let Some(s) = a[0].as_str() {
        return build_str(vm, |out| {
            for c in s.chars() {
                if c.is_ascii() && is_special(c as u8) {
                    out.push('\\');
                }
                out.push(c);
            }
            Ok(())
        });
    }
    let Some(data) = buffer(&a[0]) else {
        return Err(vm.type_error(format!(
            "decoding to str: need a bytes-like object, {} found",
            vm.type_name(&a[0])
        )));
    };
    let mut out = Vec::with_capacity(data.len() + 8);
    for b in data.iter() {
        if is_special(*b) {
            out.push(b'\\');
        }
        out.push(*b);
    }
    Ok(vm.bytes_vec(out))
}

fn purge(vm: &Vm, _: &[Value]) -> Res {
    let state = vm.extension::<State>();
    let old = (state.recent.take(), state.known.take());
    drop(old);
    Ok(Value::NONE)
}

fn set_error(vm: &Vm, a: &[Value]) -> Res {
    let old = vm.extension::<State>().error.replace(Some(a[0].clone()));
    drop(old);
    Ok(Value::NONE)
}

static FUNCTIONS: &[NativeDef] = &[
    NativeDef {
        sig: "compile(pattern, flags=0)",
        f: compile,
        doc: "Compile a regular expression pattern, returning a Pattern object.",
    },
    NativeDef {
        sig: "match(pattern, string, flags=0)",
        f: match_,
        doc: "Try to apply the pattern at the start of the string, returning\na Match object, or None if no match was found.",
    },
    NativeDef {
        sig: "fullmatch(pattern, string, flags=0)",
        f: fullmatch,
        doc: "Try to apply the pattern to all of the string, returning\na Match object, or None if no match was found.",
    },
    NativeDef {
        sig: "search(pattern, string, flags=0)",
        f: search,
        doc: "Scan through string looking for a match to the pattern, returning\na Match object, or None if no match was found.",
    },
    NativeDef {
        sig: "sub(pattern, repl, string, count=0, flags=0)",
        f: sub,
        doc: "Return the string obtained by replacing the leftmost\nnon-overlapping occurrences of the pattern in string by the\nreplacement repl.  repl can be either a string or a callable;\nif a string, backslash escapes in it are processed.  If it is\na callable, it's passed the Match object and must return\na replacement string to be used.",
    },
    NativeDef {
        sig: "subn(pattern, repl, string, count=0, flags=0)",
        f: subn,
        doc: "Return a 2-tuple containing (new_string, number).\nnew_string is the string obtained by replacing the leftmost\nnon-overlapping occurrences of the pattern in the source\nstring by the replacement repl.  number is the number of\nsubstitutions that were made.",
    },
    NativeDef {
        sig: "split(pattern, string, maxsplit=0, flags=0)",
        f: split,
        doc: "Split the source string by the occurrences of the pattern,\nreturning a list containing the resulting substrings.  If\ncapturing parentheses are used in pattern, then the text of all\ngroups in the pattern are also returned as part of the resulting\nlist.  If maxsplit is nonzero, at most maxsplit splits occur,\nand the remainder of the string is returned as the final element\nof the list.",
    },
    NativeDef {
        sig: "findall(pattern, string, flags=0)",
        f: findall,
        doc: "Return a list of all non-overlapping matches in the string.\n\nIf one or more capturing groups are present in the pattern, return\na list of groups; this will be a list of tuples if the pattern\nhas more than one group.\n\nEmpty matches are included in the result.",
    },
    NativeDef {
        sig: "finditer(pattern, string, flags=0)",
        f: finditer,
        doc: "Return an iterator over all non-overlapping matches in the\nstring.  For each match, the iterator returns a Match object.\n\nEmpty matches are included in the result.",
    },
    NativeDef {
        sig: "escape(pattern)",
        f: escape,
        doc: "Escape special characters in a string.",
    },
    NativeDef {
        sig: "purge()",
        f: purge,
        doc: "Clear the regular expression caches",
    },
    NativeDef {
        sig: "_set_error(cls, /)",
        f: set_error,
        doc: "Names the class of errors in patterns.",
    },
];

/// Makes the module.
pub fn init(vm: &Vm) -> Res {
    for (kind, spec) in [
        (Kind::Pattern, &pattern::TYPE),
        (Kind::Match, &matched::TYPE),
        (Kind::Scanner, &pattern::SCANNER),
    ] {
        if vm.kind_type(kind).is_unbound() {
            vm.new_type(spec, None);
        }
    }
    let m = vm.native_module("_re", "Regular expressions.", &[FUNCTIONS]);
    vm.module_set(&m, "Pattern", vm.kind_type(Kind::Pattern).clone());
    vm.module_set(&m, "Match", vm.kind_type(Kind::Match).clone());
    Ok(m)
}

/// Tells the heap about the payloads.
pub fn register(heap: &Heap) {
    heap.register::<Pattern>();
    heap.register::<pattern::Scanner>();
    heap.register::<matched::Match>();
}
