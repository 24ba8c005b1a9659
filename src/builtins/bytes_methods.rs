//! The methods that bytes and bytearray share. Results are of the kind of `self`.
//!
//! Rule: arguments are converted (which may run script code) before the bytes of `self` are borrowed.

use crate::builtins::bytes::{made, made_of, own, unchanged};
use crate::builtins::bytes_new::{BYTE_RANGE, byte};
use crate::builtins::support::{has_index, ssize};
use crate::builtins::text_support::{Buf, bound, buffer, need_buffer};
use crate::object::header::Kind;
use crate::object::native::{NativeDef, tuple_items};
use crate::object::seq::Tuple;
use crate::object::value::Value;
use crate::text::pad::Place;
use crate::text::split::{self, Ends};
use crate::text::{byte_ops as ops, search};
use crate::vm::{Res, Vm};

// ---- looking for bytes

/// What find, count and index look for: bytes or one byte.
fn needle(vm: &Vm, v: &Value) -> Res<Vec<u8>> {
    if let Some(b) = buffer(v) {
        return Ok(b.to_vec());
    }
    if !has_index(vm, v) {
        return Err(vm.type_error(format!(
            "argument should be integer or bytes-like object, not '{}'",
            vm.type_name(v)
        )));
    }
    Ok(vec![byte(vm, v, BYTE_RANGE)?])
}

type Finder = fn(&[u8], &[u8], Option<i64>, Option<i64>) -> Option<usize>;

fn find_with(vm: &Vm, a: &[Value], f: Finder) -> Res<Option<usize>> {
    let n = needle(vm, &a[1])?;
    let (start, end) = (bound(vm, &a[2])?, bound(vm, &a[3])?);
    Ok(f(&own(vm, &a[0])?, &n, start, end))
}
fn or_minus_one(vm: &Vm, at: Option<usize>) -> Value {
    at.map_or_else(|| vm.int(-1), |i| vm.usize(i))
}
fn or_error(vm: &Vm, at: Option<usize>) -> Res {
    at.map(|i| vm.usize(i))
        .ok_or_else(|| vm.value_error("subsection not found"))
}
pub fn find(vm: &Vm, a: &[Value]) -> Res {
    Ok(or_minus_one(vm, find_with(vm, a, search::find_bytes)?))
}
pub fn rfind(vm: &Vm, a: &[Value]) -> Res {
    Ok(or_minus_one(vm, find_with(vm, a, search::rfind_bytes)?))
}
pub fn index(vm: &Vm, a: &[Value]) -> Res {
    or_error(vm, find_with(vm, a, search::find_bytes)?)
}
pub fn rindex(vm: &Vm, a: &[Value]) -> Res {
    or_error(vm, find_with(vm, a, search::rfind_bytes)?)
}
pub fn count(vm: &Vm, a: &[Value]) -> Res {
    let n = needle(vm, &a[1])?;
    let (start, end) = (bound(vm, &a[2])?, bound(vm, &a[3])?);
    Ok(vm.usize(search::count_bytes(&own(vm, &a[0])?, &n, start, end)))
}

fn at_end(
    vm: &Vm,
    a: &[Value],
    name: &str,
    test: fn(&[u8], &[u8], Option<i64>, Option<i64>) -> bool,
) -> Res {
    let (start, end) = (bound(vm, &a[2])?, bound(vm, &a[3])?);
    let data = own(vm, &a[0])?;
    if let Some(b) = buffer(&a[1]) {
        return Ok(Value::bool(test(&data, &b, start, end)));
    }
    if !a[1].is_kind::<Tuple>() {
        return Err(vm.type_error(format!(
            "{name} first arg must be bytes or a tuple of bytes, not {}",
            vm.type_name(&a[1])
        )));
    }
    for t in tuple_items(&a[1]) {
        if test(&data, &need_buffer(vm, t)?, start, end) {
            return Ok(Value::TRUE);
        }
    }
    Ok(Value::FALSE)
}
pub fn startswith(vm: &Vm, a: &[Value]) -> Res {
    at_end(vm, a, "startswith", search::starts_with_bytes)
}
pub fn endswith(vm: &Vm, a: &[Value]) -> Res {
    at_end(vm, a, "endswith", search::ends_with_bytes)
}

pub fn replace(vm: &Vm, a: &[Value]) -> Res {
    let limit = ssize(vm, &a[3])?;
    let (old, new) = (need_buffer(vm, &a[1])?, need_buffer(vm, &a[2])?);
    let r =
        search::replace_bytes(&own(vm, &a[0])?, &old, &new, limit).map_err(|e| vm.text_error(e))?;
    match r {
        Some(data) => Ok(made(vm, &a[0], data)),
        None => unchanged(vm, &a[0]),
    }
}

pub fn removeprefix(vm: &Vm, a: &[Value]) -> Res {
    let p = need_buffer(vm, &a[1])?;
    match own(vm, &a[0])?.strip_prefix(&*p) {
        Some(rest) => Ok(made_of(vm, &a[0], rest)),
        None => unchanged(vm, &a[0]),
    }
}
pub fn removesuffix(vm: &Vm, a: &[Value]) -> Res {
    let p = need_buffer(vm, &a[1])?;
    match own(vm, &a[0])?.strip_suffix(&*p) {
        Some(rest) => Ok(made_of(vm, &a[0], rest)),
        None => unchanged(vm, &a[0]),
    }
}

// ---- splitting and joining

fn separator<'a>(vm: &Vm, v: &'a Value) -> Res<Option<Buf<'a>>> {
    let Some(v) = v.non_none() else {
        return Ok(None);
    };
    let b = need_buffer(vm, v)?;
    if b.is_empty() {
        Err(vm.value_error("empty separator"))
    } else {
        Ok(Some(b))
    }
}

fn listed(vm: &Vm, like: &Value, parts: Vec<&[u8]>) -> Value {
    vm.list(parts.into_iter().map(|p| made_of(vm, like, p)).collect())
}

pub fn split(vm: &Vm, a: &[Value]) -> Res {
    let limit = ssize(vm, &a[2])?;
    let sep = separator(vm, &a[1])?;
    Ok(listed(
        vm,
        &a[0],
        split::split_bytes(&own(vm, &a[0])?, sep.as_deref(), limit),
    ))
}
pub fn rsplit(vm: &Vm, a: &[Value]) -> Res {
    let limit = ssize(vm, &a[2])?;
    let sep = separator(vm, &a[1])?;
    Ok(listed(
        vm,
        &a[0],
        split::rsplit_bytes(&own(vm, &a[0])?, sep.as_deref(), limit),
    ))
}
pub fn splitlines(vm: &Vm, a: &[Value]) -> Res {
    let keep = vm.truth(&a[1])?;
    Ok(listed(
        vm,
        &a[0],
        split::split_lines_bytes(&own(vm, &a[0])?, keep),
    ))
}

fn three(vm: &Vm, like: &Value, parts: [&[u8]; 3]) -> Value {
    vm.tuple(parts.iter().map(|p| made_of(vm, like, p)).collect())
}
fn partition_sep<'a>(vm: &Vm, v: &'a Value) -> Res<Buf<'a>> {
    let b = need_buffer(vm, v)?;
    if b.is_empty() {
        Err(vm.value_error("empty separator"))
    } else {
        Ok(b)
    }
}
pub fn partition(vm: &Vm, a: &[Value]) -> Res {
    let sep = partition_sep(vm, &a[1])?;
    let data = own(vm, &a[0])?;
    Ok(match split::partition_bytes(&data, &sep) {
        Some((head, tail)) => three(vm, &a[0], [head, &sep, tail]),
        None => three(vm, &a[0], [&data, b"", b""]),
    })
}
pub fn rpartition(vm: &Vm, a: &[Value]) -> Res {
    let sep = partition_sep(vm, &a[1])?;
    let data = own(vm, &a[0])?;
    Ok(match split::rpartition_bytes(&data, &sep) {
        Some((head, tail)) => three(vm, &a[0], [head, &sep, tail]),
        None => three(vm, &a[0], [b"", b"", &data]),
    })
}

fn strip_ends(vm: &Vm, a: &[Value], ends: Ends) -> Res {
    let set = match a[1].non_none() {
        None => None,
        Some(v) => Some(need_buffer(vm, v)?),
    };
    let data = own(vm, &a[0])?;
    let kept = split::strip_bytes(&data, set.as_deref(), ends);
    if kept.len() == data.len() {
        unchanged(vm, &a[0])
    } else {
        Ok(made_of(vm, &a[0], kept))
    }
}
pub fn strip(vm: &Vm, a: &[Value]) -> Res {
    strip_ends(vm, a, Ends::Both)
}
pub fn lstrip(vm: &Vm, a: &[Value]) -> Res {
    strip_ends(vm, a, Ends::Left)
}
pub fn rstrip(vm: &Vm, a: &[Value]) -> Res {
    strip_ends(vm, a, Ends::Right)
}

pub fn join(vm: &Vm, a: &[Value]) -> Res {
    let slots = vm.type_obj(&a[1]).slots();
    if slots.iter.is_none() && slots.getitem.is_none() {
        return Err(vm.type_error("can only join an iterable"));
    }
    let items = vm.collect(&a[1])?;
    if let [one] = &items[..]
        && a[0].kind() == Kind::Bytes
        && vm.is_exact(one, Kind::Bytes)
    {
        return Ok(one.clone());
    }
    let sep = own(vm, &a[0])?;
    let mut out = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let Some(b) = buffer(item) else {
            return Err(vm.type_error(format!(
                "sequence item {i}: expected a bytes-like object, {} found",
                vm.type_name(item)
            )));
        };
        if i > 0 {
            out.extend_from_slice(&sep);
        }
        out.extend_from_slice(&b);
    }
    Ok(made(vm, &a[0], out))
}

// ---- shape

fn justify(vm: &Vm, a: &[Value], name: &str, place: Place) -> Res {
    let width = ssize(vm, &a[1])?;
    let fill = match a[2].given() {
        None => b' ',
        Some(f) => match buffer(f).filter(|_| f.kind() != Kind::MemoryView) {
            Some(b) => match *b {
                [one] => one,
                _ => {
                    return Err(vm.type_error(format!(
                        "{name}(): argument 2 must be a byte string of length 1, not a {} object of length {}",
                        vm.type_name(f),
                        b.len()
                    )));
                }
            },
            None => {
                return Err(vm.type_error(format!(
                    "{name}() argument 2 must be a byte string of length 1, not {}",
                    vm.type_name(f)
                )));
            }
        },
    };
    vm.check_text_room(width.max(0) as usize)?;
    let data = own(vm, &a[0])?;
    if width <= data.len() as i64 {
        return unchanged(vm, &a[0]);
    }
    let out = ops::justify_bytes(&data, width, fill, place).map_err(|e| vm.text_error(e))?;
    Ok(made(vm, &a[0], out))
}
pub fn center(vm: &Vm, a: &[Value]) -> Res {
    justify(vm, a, "center", Place::Center)
}
pub fn ljust(vm: &Vm, a: &[Value]) -> Res {
    justify(vm, a, "ljust", Place::Left)
}
pub fn rjust(vm: &Vm, a: &[Value]) -> Res {
    justify(vm, a, "rjust", Place::Right)
}
pub fn zfill(vm: &Vm, a: &[Value]) -> Res {
    let width = ssize(vm, &a[1])?;
    vm.check_text_room(width.max(0) as usize)?;
    let out = ops::zfill_bytes(&own(vm, &a[0])?, width).map_err(|e| vm.text_error(e))?;
    Ok(made(vm, &a[0], out))
}
pub fn expandtabs(vm: &Vm, a: &[Value]) -> Res {
    let size = crate::builtins::str_shape::tab_size(vm, &a[1])?;
    let out = ops::expandtabs_bytes(&own(vm, &a[0])?, size).map_err(|e| vm.text_error(e))?;
    Ok(made(vm, &a[0], out))
}

pub fn translate(vm: &Vm, a: &[Value]) -> Res {
    let table = match a[1].non_none() {
        None => None,
        Some(v) => {
            let b = need_buffer(vm, v)?;
            let t: [u8; 256] = (*b)
                .try_into()
                .map_err(|_| vm.value_error("translation table must be 256 characters long"))?;
            Some(t)
        }
    };
    let delete = match a[2].given() {
        None => None,
        Some(v) => Some(need_buffer(vm, v)?),
    };
    let out = ops::translate_bytes(
        &own(vm, &a[0])?,
        table.as_ref(),
        delete.as_deref().unwrap_or(b""),
    );
    Ok(made(vm, &a[0], out))
}

pub fn maketrans(vm: &Vm, a: &[Value]) -> Res {
    let (from, to) = (need_buffer(vm, &a[0])?, need_buffer(vm, &a[1])?);
    if from.len() != to.len() {
        return Err(vm.value_error("maketrans arguments must have same length"));
    }
    let mut table: Vec<u8> = (0..=255).collect();
    for (f, t) in from.iter().zip(to.iter()) {
        table[usize::from(*f)] = *t;
    }
    Ok(vm.bytes_vec(table))
}

macro_rules! mapped {
    ($($name:ident $f:expr;)*) => {$(
        pub fn $name(vm: &Vm, a: &[Value]) -> Res {
            let out = ($f)(&own(vm, &a[0])?[..]);
            Ok(made(vm, &a[0], out))
        }
    )*};
}
mapped! {
    lower <[u8]>::to_ascii_lowercase;
    upper <[u8]>::to_ascii_uppercase;
    capitalize ops::capitalize_bytes;
    title ops::title_bytes;
    swapcase ops::swapcase_bytes;
}

macro_rules! tested {
    ($($name:ident $f:expr;)*) => {$(
        pub fn $name(vm: &Vm, a: &[Value]) -> Res {
            Ok(Value::bool(($f)(&own(vm, &a[0])?[..])))
        }
    )*};
}
tested! {
    isalnum ops::is_alnum_bytes;
    isalpha ops::is_alpha_bytes;
    isascii <[u8]>::is_ascii;
    isdigit ops::is_digit_bytes;
    islower ops::is_lower_bytes;
    isspace ops::is_space_bytes;
    istitle ops::is_title_bytes;
    isupper ops::is_upper_bytes;
}

/// `hex(sep, bytes_per_sep)` of any buffer.
pub fn hex(vm: &Vm, a: &[Value]) -> Res {
    let group = match a[2].as_small() {
        Some(i) => i,
        None => crate::builtins::support::c_int(vm, &a[2])? as i64,
    };
    let sep = match a[1].given() {
        None => None,
        Some(v) if v.as_str().is_some() => v.as_str().map(str::to_owned),
        Some(v) => match buffer(v) {
            Some(b) => Some(b.iter().map(|b| *b as char).collect()),
            None => {
                return Err(
                    vm.type_error(format!("object of type '{}' has no len()", vm.type_name(v)))
                );
            }
        },
    };
    let data = own(vm, &a[0])?;
    match sep {
        None => Ok(vm.str(&ops::hex(&data))),
        Some(sep) => ops::hex_grouped(&data, &sep, group)
            .map(|s| vm.str(&s))
            .map_err(|e| vm.text_error(e)),
    }
}

fn fromhex(vm: &Vm, a: &[Value]) -> Res {
    let r = if let Some(s) = a[1].as_str() {
        ops::fromhex(s)
    } else if let Some(b) = buffer(&a[1]) {
        ops::fromhex_bytes(&b)
    } else {
        return Err(vm.type_error(format!(
            "fromhex() argument must be str or bytes-like, not {}",
            vm.type_name(&a[1])
        )));
    };
    let data = r.map_err(|e| vm.text_error(e))?;
    if a[0].is(vm.kind_type(Kind::Bytes)) {
        return Ok(vm.bytes_vec(data));
    }
    if a[0].is(vm.kind_type(Kind::ByteArray)) {
        return Ok(vm.bytearray(data));
    }
    vm.call(&a[0], &[vm.bytes_vec(data)])
}

pub const FROMHEX: NativeDef = NativeDef {
    sig: "fromhex(cls, string, /)",
    f: fromhex,
    doc: "Create a bytes object from a string of hexadecimal numbers.\n\nSpaces between two numbers are accepted.\nExample: bytes.fromhex('B9 01EF') -> b'\\\\xB9\\\\x01\\\\xEF'.",
};
pub const MAKETRANS: NativeDef = NativeDef {
    sig: "maketrans(frm, to, /)",
    f: maketrans,
    doc: "Return a translation table usable for the bytes or bytearray translate method.",
};

/// The table of the shared methods, followed by those given.
macro_rules! bytes_methods {
    ($($extra:expr),* $(,)?) => {{
        use crate::builtins::bytes_methods as m;
        use crate::object::native::NativeDef as D;
        &[
            D { sig: "capitalize(self, /)", f: m::capitalize, doc: "B.capitalize() -> copy of B\n\nReturn a copy of B with only its first character capitalized (ASCII)\nand the rest lower-cased." },
            D { sig: "center(self, width, fillchar=b' ', /)", f: m::center, doc: "Return a centered string of length width.\n\nPadding is done using the specified fill character." },
            D { sig: "count(self, sub, start=None, end=None, /)", f: m::count, doc: "Return the number of non-overlapping occurrences of subsection 'sub' in bytes B[start:end]." },
            D { sig: "decode(self, /, encoding='utf-8', errors='strict')", f: crate::builtins::str_codec::decode_method, doc: "Decode the bytes using the codec registered for encoding." },
            D { sig: "endswith(self, suffix, start=None, end=None, /)", f: m::endswith, doc: "Return True if the bytes ends with the specified suffix, False otherwise." },
            D { sig: "expandtabs(self, /, tabsize=8)", f: m::expandtabs, doc: "Return a copy where all tab characters are expanded using spaces." },
            D { sig: "find(self, sub, start=None, end=None, /)", f: m::find, doc: "Return the lowest index in B where subsection 'sub' is found, such that 'sub' is contained within B[start,end]." },
            D { sig: "hex(self, /, sep=..., bytes_per_sep=1)", f: m::hex, doc: "Create a string of hexadecimal numbers from a bytes object." },
            D { sig: "index(self, sub, start=None, end=None, /)", f: m::index, doc: "Return the lowest index in B where subsection 'sub' is found, such that 'sub' is contained within B[start,end].\n\nRaise ValueError if the subsection is not found." },
            D { sig: "isalnum(self, /)", f: m::isalnum, doc: "B.isalnum() -> bool" },
            D { sig: "isalpha(self, /)", f: m::isalpha, doc: "B.isalpha() -> bool" },
            D { sig: "isascii(self, /)", f: m::isascii, doc: "B.isascii() -> bool" },
            D { sig: "isdigit(self, /)", f: m::isdigit, doc: "B.isdigit() -> bool" },
            D { sig: "islower(self, /)", f: m::islower, doc: "B.islower() -> bool" },
            D { sig: "isspace(self, /)", f: m::isspace, doc: "B.isspace() -> bool" },
            D { sig: "istitle(self, /)", f: m::istitle, doc: "B.istitle() -> bool" },
            D { sig: "isupper(self, /)", f: m::isupper, doc: "B.isupper() -> bool" },
            D { sig: "join(self, iterable_of_bytes, /)", f: m::join, doc: "Concatenate any number of bytes objects." },
            D { sig: "ljust(self, width, fillchar=b' ', /)", f: m::ljust, doc: "Return a left-justified string of length width." },
            D { sig: "lower(self, /)", f: m::lower, doc: "B.lower() -> copy of B" },
            D { sig: "lstrip(self, bytes=None, /)", f: m::lstrip, doc: "Strip leading bytes contained in the argument." },
            D { sig: "partition(self, sep, /)", f: m::partition, doc: "Partition the bytes into three parts using the given separator." },
            D { sig: "removeprefix(self, prefix, /)", f: m::removeprefix, doc: "Return a bytes object with the given prefix string removed if present." },
            D { sig: "removesuffix(self, suffix, /)", f: m::removesuffix, doc: "Return a bytes object with the given suffix string removed if present." },
            D { sig: "replace(self, old, new, count=-1, /)", f: m::replace, doc: "Return a copy with all occurrences of substring old replaced by new." },
            D { sig: "rfind(self, sub, start=None, end=None, /)", f: m::rfind, doc: "Return the highest index in B where subsection 'sub' is found." },
            D { sig: "rindex(self, sub, start=None, end=None, /)", f: m::rindex, doc: "Return the highest index in B where subsection 'sub' is found.\n\nRaise ValueError if the subsection is not found." },
            D { sig: "rjust(self, width, fillchar=b' ', /)", f: m::rjust, doc: "Return a right-justified string of length width." },
            D { sig: "rpartition(self, sep, /)", f: m::rpartition, doc: "Partition the bytes into three parts using the given separator, from the end." },
            D { sig: "rsplit(self, /, sep=None, maxsplit=-1)", f: m::rsplit, doc: "Return a list of the sections in the bytes, using sep as the delimiter, from the end." },
            D { sig: "rstrip(self, bytes=None, /)", f: m::rstrip, doc: "Strip trailing bytes contained in the argument." },
            D { sig: "split(self, /, sep=None, maxsplit=-1)", f: m::split, doc: "Return a list of the sections in the bytes, using sep as the delimiter." },
            D { sig: "splitlines(self, /, keepends=False)", f: m::splitlines, doc: "Return a list of the lines in the bytes, breaking at line boundaries." },
            D { sig: "startswith(self, prefix, start=None, end=None, /)", f: m::startswith, doc: "Return True if the bytes starts with the specified prefix, False otherwise." },
            D { sig: "strip(self, bytes=None, /)", f: m::strip, doc: "Strip leading and trailing bytes contained in the argument." },
            D { sig: "swapcase(self, /)", f: m::swapcase, doc: "B.swapcase() -> copy of B" },
            D { sig: "title(self, /)", f: m::title, doc: "B.title() -> copy of B" },
            D { sig: "translate(self, table, /, delete=...)", f: m::translate, doc: "Return a copy with each character mapped by the given translation table." },
            D { sig: "upper(self, /)", f: m::upper, doc: "B.upper() -> copy of B" },
            D { sig: "zfill(self, width, /)", f: m::zfill, doc: "Pad a numeric string with zeros on the left, to fill a field of the given width." },
            $($extra),*
        ]
    }};
}
pub(crate) use bytes_methods;
