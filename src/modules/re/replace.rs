//! Substitution and splitting.

use super::matched;
use super::matcher::UNSET;
use super::pattern::{Pattern, each_match};
use super::subject::{How, Subject};
use super::template::{finish, parse_value};
use crate::builtins::support::{clamped, this};
use crate::builtins::text_support::buffer;
use crate::object::value::Value;
use crate::vm::{Res, Vm};

/// True if the replacement is called for each match.
fn is_callable(vm: &Vm, v: &Value) -> bool {
    v.as_str().is_none() && buffer(v).is_none() && vm.is_callable(v)
}

/// The new text and how many matches were replaced.
pub fn sub(
    vm: &Vm,
    pattern: &Value,
    repl: &Value,
    string: &Value,
    count: &Value,
) -> Res<(Value, usize)> {
    let p = this::<Pattern>(vm, pattern)?;
    let count = clamped(vm, count)?;
    let limit = if count <= 0 {
        usize::MAX
    } else {
        count as usize
    };
    if is_callable(vm, repl) {
        return sub_calling(vm, pattern, p, repl, string, limit);
    }
    let t = parse_value(vm, p, pattern, repl)?;
    let s = Subject::of(vm, p, string)?;
    let (mut out, mut done, mut n) = (Vec::new(), 0, 0);
    each_match(vm, p, &s, (0, s.len()), |slots| {
        if n == 0 {
            out.reserve(s.len());
        }
        out.extend_from_slice(s.raw(done, slots[0]));
        t.push(&mut out, &s, slots);
        done = slots[1];
        n += 1;
        Ok(n < limit)
    })?;
    if n == 0 {
        return Ok((unchanged(vm, string, &s), 0));
    }
    out.extend_from_slice(s.raw(done, s.len()));
    vm.check_text_room(out.len())?;
    Ok((finish(vm, p, out), n))
}

/// The subject itself, as an exact str or bytes.
fn unchanged(vm: &Vm, string: &Value, s: &Subject) -> Value {
    use crate::object::header::Kind;
    if vm.is_exact(string, Kind::Str) || vm.is_exact(string, Kind::Bytes) {
        string.clone()
    } else {
        s.part(vm, 0, s.len())
    }
}

/// With a function: it may run any code, so nothing is borrowed while it does.
fn sub_calling(
    vm: &Vm,
    pattern: &Value,
    p: &Pattern,
    repl: &Value,
    string: &Value,
    limit: usize,
) -> Res<(Value, usize)> {
    let (mut out, mut done, mut n) = (Vec::new(), 0, 0);
    let (mut at, mut empty) = (0, false);
    while n < limit {
        let s = Subject::of(vm, p, string)?;
        if !s.run(vm, p, How::Search, at, s.len(), empty.then_some(at))? {
            break;
        }
        let m = matched::make(vm, pattern, p, string, (0, UNSET));
        let (a, b) = m
            .get::<matched::Match>()
            .map_or((0, 0), |m| (m.slots[0], m.slots[1]));
        out.extend_from_slice(s.raw(done, a));
        drop(s);
        let piece = vm.call(repl, &[m])?;
        if let Some(text) = piece.as_str().filter(|_| p.text) {
            out.extend_from_slice(text.as_bytes());
        } else if let Some(data) = buffer(&piece).filter(|_| !p.text) {
            out.extend_from_slice(&data);
        } else if !piece.is_none() {
            let want = if p.text {
                "str instance"
            } else {
                "a bytes-like object"
            };
            // CPython joins pieces in a list: its message counts them.
            let index = if n == 0 && a == 0 { 0 } else { n * 2 + 1 };
            return Err(vm.type_error(format!(
                "sequence item {index}: expected {want}, {} found",
                vm.type_name(&piece)
            )));
        }
        done = b;
        at = b;
        empty = a == b;
        n += 1;
    }
    let s = Subject::of(vm, p, string)?;
    if n == 0 {
        return Ok((unchanged(vm, string, &s), 0));
    }
    out.extend_from_slice(s.raw(done, s.len()));
    vm.check_text_room(out.len())?;
    Ok((finish(vm, p, out), n))
}

pub fn split(vm: &Vm, pattern: &Value, string: &Value, limit: &Value) -> Res {
    let p = this::<Pattern>(vm, pattern)?;
    let limit = clamped(vm, limit)?;
    let s = Subject::of(vm, p, string)?;
    let (mut out, mut done, mut n) = (Vec::new(), 0, 0);
    if limit >= 0 {
        each_match(vm, p, &s, (0, s.len()), |slots| {
            out.push(s.part(vm, done, slots[0]));
            for g in 1..=p.groups {
                out.push(match (slots[g * 2], slots[g * 2 + 1]) {
                    (a, b) if a == UNSET || b == UNSET => Value::NONE,
                    (a, b) => s.part(vm, a, b),
                });
            }
            done = slots[1];
            n += 1;
            Ok(limit == 0 || n < limit)
        })?;
    }
    out.push(s.part(vm, done, s.len()));
    Ok(vm.list(out))
}
