//! Methods of str that take it apart or put it together: split, partition, strip, splitlines, join.

use crate::builtins::str::exact;
use crate::builtins::support::{memory_error, ssize, this};
use crate::object::header::Kind;
use crate::object::native::tuple_items;
use crate::object::seq::List;
use crate::object::str::{MAX_LEN, Str};
use crate::object::value::Value;
use crate::text::split::{self as text, Ends};
use crate::vm::{Raised, Res, Vm};

/// The separator of split, rsplit: None for white space.
fn separator<'a>(vm: &Vm, v: &'a Value) -> Res<Option<&'a str>> {
    let Some(v) = v.non_none() else {
        return Ok(None);
    };
    match v.as_str() {
        Some("") => Err(vm.value_error("empty separator")),
        Some(s) => Ok(Some(s)),
        None => Err(vm.type_error(format!("must be str or None, not {}", vm.type_name(v)))),
    }
}

pub fn split(vm: &Vm, a: &[Value]) -> Res {
    let sep = separator(vm, &a[1])?;
    let limit = ssize(vm, &a[2])?;
    let s = this::<Str>(vm, &a[0])?;
    let ascii = s.is_ascii();
    let mut parts = Vec::new();
    let push = |part: &str| parts.push(vm.part(ascii, part));
    match sep {
        Some(sep) => text::split_each(s.as_str(), sep, limit, push),
        None => text::split_space_each(s.as_str(), limit, ascii, push),
    }
    Ok(vm.list(parts))
}

pub fn rsplit(vm: &Vm, a: &[Value]) -> Res {
    let sep = separator(vm, &a[1])?;
    let limit = ssize(vm, &a[2])?;
    let s = this::<Str>(vm, &a[0])?;
    let parts = match sep {
        Some(sep) => text::rsplit(s.as_str(), sep, limit),
        None => text::rsplit_space(s.as_str(), limit, s.is_ascii()),
    };
    Ok(vm.list(
        parts
            .into_iter()
            .map(|p| vm.part(s.is_ascii(), p))
            .collect(),
    ))
}

pub fn splitlines(vm: &Vm, a: &[Value]) -> Res {
    let keep = vm.truth(&a[1])?;
    let s = this::<Str>(vm, &a[0])?;
    Ok(vm.list(
        text::split_lines(s.as_str(), keep)
            .into_iter()
            .map(|p| vm.part(s.is_ascii(), p))
            .collect(),
    ))
}

fn partition_sep<'a>(vm: &Vm, v: &'a Value) -> Res<&'a str> {
    match v.as_str() {
        Some("") => Err(vm.value_error("empty separator")),
        Some(s) => Ok(s),
        None => Err(vm.type_error(format!("must be str, not {}", vm.type_name(v)))),
    }
}

pub fn partition(vm: &Vm, a: &[Value]) -> Res {
    let sep = partition_sep(vm, &a[1])?;
    let s = this::<Str>(vm, &a[0])?;
    Ok(vm.tuple(match text::partition(s.as_str(), sep) {
        Some((head, tail)) => vec![
            vm.part(s.is_ascii(), head),
            exact(vm, &a[1])?,
            vm.part(s.is_ascii(), tail),
        ],
        None => vec![exact(vm, &a[0])?, vm.names_empty(), vm.names_empty()],
    }))
}

pub fn rpartition(vm: &Vm, a: &[Value]) -> Res {
    let sep = partition_sep(vm, &a[1])?;
    let s = this::<Str>(vm, &a[0])?;
    Ok(vm.tuple(match text::rpartition(s.as_str(), sep) {
        Some((head, tail)) => vec![
            vm.part(s.is_ascii(), head),
            exact(vm, &a[1])?,
            vm.part(s.is_ascii(), tail),
        ],
        None => vec![vm.names_empty(), vm.names_empty(), exact(vm, &a[0])?],
    }))
}

fn strip_ends(vm: &Vm, a: &[Value], name: &str, ends: Ends) -> Res {
    let chars = match a[1].non_none() {
        None => None,
        Some(v) => Some(
            v.as_str()
                .ok_or_else(|| vm.type_error(format!("{name} arg must be None or str")))?,
        ),
    };
    let s = this::<Str>(vm, &a[0])?;
    let kept = text::strip(s.as_str(), chars, ends);
    if kept.len() == s.as_str().len() {
        exact(vm, &a[0])
    } else {
        Ok(vm.part(s.is_ascii(), kept))
    }
}

pub fn strip(vm: &Vm, a: &[Value]) -> Res {
    strip_ends(vm, a, "strip", Ends::Both)
}
pub fn lstrip(vm: &Vm, a: &[Value]) -> Res {
    strip_ends(vm, a, "lstrip", Ends::Left)
}
pub fn rstrip(vm: &Vm, a: &[Value]) -> Res {
    strip_ends(vm, a, "rstrip", Ends::Right)
}

#[cold]
fn not_text(vm: &Vm, i: usize, v: &Value) -> Raised {
    vm.type_error(format!(
        "sequence item {i}: expected str instance, {} found",
        vm.type_name(v)
    ))
}

/// Joins strs: sizes first, then one copy each.
fn join_all(vm: &Vm, sep: &Str, items: &[Value]) -> Res {
    let (mut bytes, mut chars) = (0usize, 0usize);
    for (i, item) in items.iter().enumerate() {
        let Some(s) = item.get::<Str>() else {
            return Err(not_text(vm, i, item));
        };
        bytes += s.as_str().len();
        chars += s.char_len();
    }
    match items {
        [] => return Ok(vm.names_empty()),
        [one] => return exact(vm, one),
        _ => {}
    }
    let gaps = items.len() - 1;
    bytes = sep
        .as_str()
        .len()
        .checked_mul(gaps)
        .and_then(|n| n.checked_add(bytes))
        .filter(|n| *n <= MAX_LEN)
        .ok_or_else(|| memory_error(vm))?;
    chars += sep.char_len() * gaps;
    vm.check_text_room(bytes)?;
    if bytes == 0 {
        return Ok(vm.names_empty());
    }
    let texts = items.iter().map(|v| v.as_str().unwrap_or(""));
    let shape = vm.kind_shape(Kind::Str);
    if sep.char_len() == 0 {
        return Ok(Str::from_parts(&vm.heap, shape, bytes, chars, texts));
    }
    let between = sep.as_str();
    let parts = texts
        .enumerate()
        .flat_map(|(i, t)| [if i == 0 { "" } else { between }, t]);
    Ok(Str::from_parts(&vm.heap, shape, bytes, chars, parts))
}

/// `sep.join(iterable)`.
pub fn join_values(vm: &Vm, sep: &Value, iterable: &Value) -> Res {
    let sep = this::<Str>(vm, sep)?;
    if vm.is_exact(iterable, Kind::List)
        && let Some(l) = iterable.get::<List>()
    {
        // No script code runs while the items are borrowed: errors are made after.
        let bad = match join_all(vm, sep, &l.0.borrow()) {
            Ok(v) => return Ok(v),
            Err(e) => e,
        };
        return Err(bad);
    }
    if vm.is_exact(iterable, Kind::Tuple) {
        return join_all(vm, sep, tuple_items(iterable));
    }
    let slots = vm.type_obj(iterable).slots();
    if slots.iter.is_none() && slots.getitem.is_none() {
        return Err(vm.type_error("can only join an iterable"));
    }
    let items = vm.collect(iterable)?;
    join_all(vm, sep, &items)
}

pub fn join(vm: &Vm, a: &[Value]) -> Res {
    join_values(vm, &a[0], &a[1])
}
