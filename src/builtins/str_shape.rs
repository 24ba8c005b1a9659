//! Methods of str that give it another shape: case, filling, tabs, translation.

use crate::builtins::str::{exact, single_char};
use crate::builtins::support::{c_int, small_int, ssize, this};
use crate::builtins::text_support::text_arg;
use crate::object::dict::Dict;
use crate::object::header::Kind;
use crate::object::str::Str;
use crate::object::value::Value;
use crate::text::case;
use crate::text::pad::{self, Mapped, Place};
use crate::vm::raise::Exc;
use crate::vm::{Raised, Res, Vm};

// ---- case

/// ASCII text byte by byte into a new str of the same length.
fn ascii_case(vm: &Vm, s: &Str, f: fn(&mut [u8])) -> Value {
    let text = s.as_str();
    if text.len() <= 1 {
        let mut one = [text.as_bytes().first().copied().unwrap_or(0)];
        f(&mut one);
        return if text.is_empty() {
            vm.names_empty()
        } else {
            vm.ascii_char(one[0])
        };
    }
    Str::ascii_with(&vm.heap, vm.kind_shape(Kind::Str), text.len(), |buf| {
        buf.copy_from_slice(text.as_bytes());
        f(buf);
    })
}

pub fn lower(vm: &Vm, a: &[Value]) -> Res {
    let s = this::<Str>(vm, &a[0])?;
    Ok(if s.is_ascii() {
        ascii_case(vm, s, <[u8]>::make_ascii_lowercase)
    } else {
        vm.str(&case::lower(s.as_str(), false))
    })
}
pub fn upper(vm: &Vm, a: &[Value]) -> Res {
    let s = this::<Str>(vm, &a[0])?;
    Ok(if s.is_ascii() {
        ascii_case(vm, s, <[u8]>::make_ascii_uppercase)
    } else {
        vm.str(&case::upper(s.as_str(), false))
    })
}
pub fn casefold(vm: &Vm, a: &[Value]) -> Res {
    let s = this::<Str>(vm, &a[0])?;
    Ok(if s.is_ascii() {
        ascii_case(vm, s, <[u8]>::make_ascii_lowercase)
    } else {
        vm.str(&case::casefold(s.as_str(), false))
    })
}

macro_rules! cases {
    ($($name:ident $f:path;)*) => {$(
        pub fn $name(vm: &Vm, a: &[Value]) -> Res {
            Ok(vm.str(&$f(this::<Str>(vm, &a[0])?.as_str())))
        }
    )*};
}
cases! {
    capitalize case::capitalize;
    title case::title;
    swapcase case::swapcase;
}

// ---- filling

fn justify(vm: &Vm, a: &[Value], place: Place) -> Res {
    let width = ssize(vm, &a[1])?;
    let fill = match a[2].given() {
        None => ' ',
        Some(f) => match single_char(f) {
            Some(c) => c,
            None if f.is_kind::<Str>() => {
                return Err(vm.type_error("The fill character must be exactly one character long"));
            }
            None => {
                return Err(vm.type_error(format!(
                    "The fill character must be a unicode character, not {}",
                    vm.type_name(f)
                )));
            }
        },
    };
    let s = this::<Str>(vm, &a[0])?;
    if width <= s.char_len() as i64 {
        return exact(vm, &a[0]);
    }
    vm.check_text_room((width as usize).saturating_mul(fill.len_utf8()))?;
    pad::justify(s.as_str(), width, fill, place, s.is_ascii())
        .map(|t| vm.str(&t))
        .map_err(|e| vm.text_error(e))
}

pub fn center(vm: &Vm, a: &[Value]) -> Res {
    justify(vm, a, Place::Center)
}
pub fn ljust(vm: &Vm, a: &[Value]) -> Res {
    justify(vm, a, Place::Left)
}
pub fn rjust(vm: &Vm, a: &[Value]) -> Res {
    justify(vm, a, Place::Right)
}

pub fn zfill(vm: &Vm, a: &[Value]) -> Res {
    let width = ssize(vm, &a[1])?;
    let s = this::<Str>(vm, &a[0])?;
    if width <= s.char_len() as i64 {
        return exact(vm, &a[0]);
    }
    vm.check_text_room(width as usize)?;
    pad::zfill(s.as_str(), width, s.is_ascii())
        .map(|t| vm.str(&t))
        .map_err(|e| vm.text_error(e))
}

pub fn expandtabs(vm: &Vm, a: &[Value]) -> Res {
    let size = tab_size(vm, &a[1])?;
    pad::expandtabs(this::<Str>(vm, &a[0])?.as_str(), size)
        .map_err(|e| vm.text_error(e))
        .and_then(|t| vm.str_checked(&t))
}

/// A tab size: a C int.
pub fn tab_size(vm: &Vm, v: &Value) -> Res<i64> {
    if let Some(i) = v.as_small()
        && i32::try_from(i).is_err()
    {
        return Err(vm.overflow_error("Python int too large to convert to C int"));
    }
    c_int(vm, v).map(i64::from)
}

// ---- translation

/// What a translation table says of one character.
fn mapped(vm: &Vm, table: &Value, c: char) -> Res<Mapped> {
    let key = vm.int(c as i64);
    let found = match vm.getitem(table, &key) {
        Ok(v) => v,
        Err(e) if vm.is_exc(&e, Exc::LookupError) => return Ok(Mapped::Keep),
        Err(e) => return Err(e),
    };
    if found.is_none() {
        return Ok(Mapped::Delete);
    }
    if let Some(s) = found.as_str() {
        return Ok(Mapped::Text(s.to_owned()));
    }
    if !matches!(found.kind(), Kind::Int | Kind::Bool) {
        return Err(vm.type_error("character mapping must return integer, None or str"));
    }
    match small_int(&found)
        .and_then(|i| u32::try_from(i).ok())
        .and_then(char::from_u32)
    {
        Some(c) => Ok(Mapped::Char(c)),
        None => Err(vm.value_error("character mapping must be in range(0x110000)")),
    }
}

pub fn translate(vm: &Vm, a: &[Value]) -> Res {
    let s = this::<Str>(vm, &a[0])?;
    let out = pad::translate::<Raised>(s.as_str(), |c| mapped(vm, &a[1], c))?;
    vm.str_checked(&out)
}

pub fn maketrans(vm: &Vm, a: &[Value]) -> Res {
    let table = vm.dict();
    let Some(d) = table.get::<Dict>() else {
        return Ok(table);
    };
    let Some(y) = a[1].given() else {
        let Some(from) = a[0]
            .get::<Dict>()
            .filter(|_| vm.is_exact(&a[0], Kind::Dict))
        else {
            return Err(
                vm.type_error("if you give only one argument to maketrans it must be a dict")
            );
        };
        for (k, v) in from.items() {
            let key = if let Some(s) = k.get::<Str>() {
                match single_char(&k) {
                    Some(c) if s.char_len() == 1 => vm.int(c as i64),
                    _ => {
                        return Err(
                            vm.value_error("string keys in translatetable must be of length 1")
                        );
                    }
                }
            } else if matches!(k.kind(), Kind::Int | Kind::Bool) {
                k
            } else {
                return Err(vm.type_error("keys in translate table mustbe strings or integers"));
            };
            vm.dict_set(d, key, v)?;
        }
        return Ok(table);
    };
    let Some(x) = a[0].get::<Str>() else {
        return Err(vm.type_error(
            "first maketrans argument must be a string if there is a second argument",
        ));
    };
    let y = text_arg(vm, y, "maketrans() argument 2")?;
    if x.char_len() != y.char_len() {
        return Err(vm.value_error("the first two maketrans arguments must have equal length"));
    }
    for (from, to) in x.as_str().chars().zip(y.as_str().chars()) {
        vm.dict_set(d, vm.int(from as i64), vm.int(to as i64))?;
    }
    if let Some(z) = a[2].given() {
        for c in text_arg(vm, z, "maketrans() argument 3")?.as_str().chars() {
            vm.dict_set(d, vm.int(c as i64), Value::NONE)?;
        }
    }
    Ok(table)
}
