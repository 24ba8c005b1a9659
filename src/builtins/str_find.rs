//! Methods of str that look for text: find, index, count, startswith, replace, and the tests of its characters.

use crate::builtins::str::exact;
use crate::builtins::support::this;
use crate::builtins::text_support::{bound, text_arg};
use crate::object::native::tuple_items;
use crate::object::seq::Tuple;
use crate::object::str::Str;
use crate::object::value::Value;
use crate::text::{case, search};
use crate::vm::{Res, Vm};

type Finder = fn(&str, &str, Option<i64>, Option<i64>, bool) -> Option<usize>;

fn find_with(vm: &Vm, a: &[Value], what: &str, f: Finder) -> Res<Option<usize>> {
    let s = this::<Str>(vm, &a[0])?;
    let needle = text_arg(vm, &a[1], what)?.as_str();
    let (start, end) = (bound(vm, &a[2])?, bound(vm, &a[3])?);
    Ok(f(s.as_str(), needle, start, end, s.is_ascii()))
}

fn or_minus_one(vm: &Vm, at: Option<usize>) -> Value {
    at.map_or_else(|| vm.int(-1), |i| vm.usize(i))
}
fn or_error(vm: &Vm, at: Option<usize>) -> Res {
    at.map(|i| vm.usize(i))
        .ok_or_else(|| vm.value_error("substring not found"))
}

pub fn find(vm: &Vm, a: &[Value]) -> Res {
    Ok(or_minus_one(
        vm,
        find_with(vm, a, "find() argument 1", search::find)?,
    ))
}
pub fn rfind(vm: &Vm, a: &[Value]) -> Res {
    Ok(or_minus_one(
        vm,
        find_with(vm, a, "rfind() argument 1", search::rfind)?,
    ))
}
pub fn index(vm: &Vm, a: &[Value]) -> Res {
    or_error(vm, find_with(vm, a, "index() argument 1", search::find)?)
}
pub fn rindex(vm: &Vm, a: &[Value]) -> Res {
    or_error(vm, find_with(vm, a, "rindex() argument 1", search::rfind)?)
}

pub fn count(vm: &Vm, a: &[Value]) -> Res {
    let s = this::<Str>(vm, &a[0])?;
    let needle = text_arg(vm, &a[1], "count() argument 1")?.as_str();
    let (start, end) = (bound(vm, &a[2])?, bound(vm, &a[3])?);
    Ok(vm.usize(search::count(s.as_str(), needle, start, end, s.is_ascii())))
}

type Tester = fn(&str, &str, Option<i64>, Option<i64>, bool) -> bool;

fn at_end(vm: &Vm, a: &[Value], name: &str, test: Tester) -> Res {
    let s = this::<Str>(vm, &a[0])?;
    let (start, end) = (bound(vm, &a[2])?, bound(vm, &a[3])?);
    let one = |t: &str| test(s.as_str(), t, start, end, s.is_ascii());
    if let Some(t) = a[1].as_str() {
        return Ok(Value::bool(one(t)));
    }
    if !a[1].is_kind::<Tuple>() {
        return Err(vm.type_error(format!(
            "{name} first arg must be str or a tuple of str, not {}",
            vm.type_name(&a[1])
        )));
    }
    for t in tuple_items(&a[1]) {
        let Some(text) = t.as_str() else {
            return Err(vm.type_error(format!(
                "tuple for {name} must only contain str, not {}",
                vm.type_name(t)
            )));
        };
        if one(text) {
            return Ok(Value::TRUE);
        }
    }
    Ok(Value::FALSE)
}

pub fn startswith(vm: &Vm, a: &[Value]) -> Res {
    at_end(vm, a, "startswith", search::starts_with)
}
pub fn endswith(vm: &Vm, a: &[Value]) -> Res {
    at_end(vm, a, "endswith", search::ends_with)
}

pub fn replace(vm: &Vm, a: &[Value]) -> Res {
    let old = text_arg(vm, &a[1], "replace() argument 1")?.as_str();
    let new = text_arg(vm, &a[2], "replace() argument 2")?.as_str();
    let limit = crate::builtins::support::ssize(vm, &a[3])?;
    let s = this::<Str>(vm, &a[0])?;
    match search::replace(s.as_str(), old, new, limit) {
        Ok(Some(r)) => vm.str_checked(&r),
        Ok(None) => exact(vm, &a[0]),
        Err(e) => Err(vm.text_error(e)),
    }
}

pub fn removeprefix(vm: &Vm, a: &[Value]) -> Res {
    let s = this::<Str>(vm, &a[0])?;
    match s
        .as_str()
        .strip_prefix(text_arg(vm, &a[1], "removeprefix() argument")?.as_str())
    {
        Some(rest) => Ok(vm.part(s.is_ascii(), rest)),
        None => exact(vm, &a[0]),
    }
}
pub fn removesuffix(vm: &Vm, a: &[Value]) -> Res {
    let s = this::<Str>(vm, &a[0])?;
    match s
        .as_str()
        .strip_suffix(text_arg(vm, &a[1], "removesuffix() argument")?.as_str())
    {
        Some(rest) => Ok(vm.part(s.is_ascii(), rest)),
        None => exact(vm, &a[0]),
    }
}

macro_rules! tests {
    ($($name:ident $test:path;)*) => {$(
        pub fn $name(vm: &Vm, a: &[Value]) -> Res {
            Ok(Value::bool($test(this::<Str>(vm, &a[0])?.as_str())))
        }
    )*};
}
tests! {
    isalpha case::is_alpha;
    isalnum case::is_alnum;
    isdecimal case::is_decimal;
    isdigit case::is_digit;
    isnumeric case::is_numeric;
    isspace case::is_whitespace;
    isprintable case::is_printable_text;
    isidentifier case::is_identifier;
    isupper case::is_upper;
    islower case::is_lower;
    istitle case::is_title;
}

pub fn isascii(vm: &Vm, a: &[Value]) -> Res {
    Ok(Value::bool(this::<Str>(vm, &a[0])?.is_ascii()))
}

/// `__getnewargs__`.
pub fn getnewargs(vm: &Vm, a: &[Value]) -> Res {
    let s = exact(vm, &a[0])?;
    Ok(vm.tuple(vec![s]))
}

/// `__sizeof__`, as CPython lays strs out.
pub fn sizeof(vm: &Vm, a: &[Value]) -> Res {
    let s = this::<Str>(vm, &a[0])?;
    if s.is_ascii() {
        return Ok(vm.usize(41 + s.char_len()));
    }
    let widest = s.as_str().chars().max().map_or(0, |c| c as u32);
    let width = if widest < 0x100 {
        1
    } else if widest < 0x10000 {
        2
    } else {
        4
    };
    Ok(vm.usize(56 + (s.char_len() + 1) * width + usize::from(width == 1)))
}
