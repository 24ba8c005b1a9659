//! Builtin functions about numbers and characters: abs, bin, chr, divmod, hex, oct, ord, pow, round, sum.

use crate::builtins::support::{big_int, small_int, this};
use crate::object::header::Kind;
use crate::object::native::NativeDef;
use crate::object::seq::{ByteArray, Bytes};
use crate::object::types::BinOp;
use crate::object::value::Value;
use crate::text::int_text::{prefixed_big, prefixed_i64};
use crate::vm::{Res, Vm};

fn abs(vm: &Vm, a: &[Value]) -> Res {
    match vm.type_obj(&a[0]).slots().abs {
        Some(f) => f(vm, &a[0]),
        None => Err(vm.type_error(format!(
            "bad operand type for abs(): '{}'",
            vm.type_name(&a[0])
        ))),
    }
}

fn in_base(vm: &Vm, v: &Value, base: u32) -> Res {
    let i = vm.index(v)?;
    Ok(vm.str(&match small_int(&i) {
        Some(i) => prefixed_i64(i, base),
        None => prefixed_big(&big_int(&i), base),
    }))
}

fn bin(vm: &Vm, a: &[Value]) -> Res {
    in_base(vm, &a[0], 2)
}
fn oct(vm: &Vm, a: &[Value]) -> Res {
    in_base(vm, &a[0], 8)
}
fn hex(vm: &Vm, a: &[Value]) -> Res {
    in_base(vm, &a[0], 16)
}

fn chr(vm: &Vm, a: &[Value]) -> Res {
    let i = vm.index(&a[0])?;
    let code = small_int(&i)
        .and_then(|i| u32::try_from(i).ok())
        .filter(|&c| c < 0x11_0000);
    let Some(code) = code else {
        return Err(vm.value_error("chr() arg not in range(0x110000)"));
    };
    match char::from_u32(code) {
        Some(c) => Ok(vm.char(c)),
        None => Err(vm.value_error("chr() arg is a surrogate, which a str cannot hold")),
    }
}

fn ord(vm: &Vm, a: &[Value]) -> Res {
    let wrong = |n: usize| {
        Err(vm.type_error(format!(
            "ord() expected a character, but string of length {n} found"
        )))
    };
    if let Some(s) = a[0].get::<crate::object::str::Str>() {
        return match s.as_str().chars().next() {
            Some(c) if s.char_len() == 1 => Ok(vm.int(c as i64)),
            _ => wrong(s.char_len()),
        };
    }
    let one = |b: &[u8]| {
        if let [b] = b {
            Ok(vm.int(*b as i64))
        } else {
            wrong(b.len())
        }
    };
    match a[0].kind() {
        Kind::Bytes => one(&this::<Bytes>(vm, &a[0])?.data),
        Kind::ByteArray => one(&this::<ByteArray>(vm, &a[0])?.data.borrow()),
        _ => Err(vm.type_error(format!(
            "ord() expected string of length 1, but {} found",
            vm.type_name(&a[0])
        ))),
    }
}

fn divmod(vm: &Vm, a: &[Value]) -> Res {
    vm.binary(BinOp::DivMod, &a[0], &a[1])
}

impl Vm {
    /// `pow(base, exp, modulus)`.
    pub fn pow3(&self, base: &Value, exp: &Value, modulus: &Value) -> Res {
        let mut tried: Option<usize> = None;
        for v in [base, exp, modulus] {
            let Some(f) = self.type_obj(v).slots().pow3 else {
                continue;
            };
            if tried == Some(f as usize) {
                continue;
            }
            tried = Some(f as usize);
            let r = f(self, base, exp, modulus)?;
            if !r.is_not_implemented() {
                return Ok(r);
            }
        }
        let names = [base, exp, modulus]
            .map(|v| format!("'{}'", self.type_name(v)))
            .join(", ");
        Err(self.type_error(format!(
            "unsupported operand type(s) for ** or pow(): {names}"
        )))
    }
}

fn pow(vm: &Vm, a: &[Value]) -> Res {
    match a[2].non_none() {
        None => vm.binary(BinOp::Pow, &a[0], &a[1]),
        Some(m) => vm.pow3(&a[0], &a[1], m),
    }
}

fn round(vm: &Vm, a: &[Value]) -> Res {
    let args = match a[1].non_none() {
        Some(n) => std::slice::from_ref(n),
        None => &[],
    };
    match vm.call_special(&a[0], &vm.names.__round__, args)? {
        Some(r) => Ok(r),
        None => Err(vm.type_error(format!(
            "type {} doesn't define __round__ method",
            vm.type_name(&a[0])
        ))),
    }
}

/// A float sum with the error of its roundings kept beside it (Neumaier 1974).
#[derive(Default)]
struct Compensated {
    high: f64,
    low: f64,
}

impl Compensated {
    fn add(&mut self, x: f64) {
        let t = self.high + x;
        self.low += if self.high.abs() >= x.abs() {
            (self.high - t) + x
        } else {
            (x - t) + self.high
        };
        self.high = t;
    }
    fn value(&self) -> f64 {
        if self.low != 0.0 && self.low.is_finite() {
            self.high + self.low
        } else {
            self.high
        }
    }
}

/// Where a sum stands: exact while the items are ints, compensated while they are floats, then whatever `+` gives.
enum Sum {
    Int(i64),
    Float(Compensated),
    Any(Value),
}

fn sum(vm: &Vm, a: &[Value]) -> Res {
    let start = a[1].given().cloned().unwrap_or(Value::small_unchecked(0));
    let joined = match start.kind() {
        Kind::Str => Some("sum() can't sum strings [use ''.join(seq) instead]"),
        Kind::Bytes => Some("sum() can't sum bytes [use b''.join(seq) instead]"),
        Kind::ByteArray => Some("sum() can't sum bytearray [use b''.join(seq) instead]"),
        _ => None,
    };
    if let Some(m) = joined {
        return Err(vm.type_error(m));
    }
    let exact_float = |v: &Value| {
        v.as_float()
            .filter(|_| v.is_inline_float() || vm.is_exact(v, Kind::Float))
    };
    let exact_int = |v: &Value| {
        v.as_small()
            .or_else(|| v.as_bool().map(i64::from))
            .or_else(|| {
                if vm.is_exact(v, Kind::Int) {
                    small_int(v)
                } else {
                    None
                }
            })
    };
    let mut total = match (exact_int(&start), exact_float(&start)) {
        (Some(i), _) if start.as_bool().is_none() => Sum::Int(i),
        (_, Some(f)) => Sum::Float(Compensated { high: f, low: 0.0 }),
        _ => Sum::Any(start),
    };
    vm.iterate(&a[0], &mut |item| {
        match &mut total {
            Sum::Int(i) => {
                if let Some(sum) = exact_int(&item).and_then(|x| i.checked_add(x)) {
                    *i = sum;
                    return Ok(());
                }
            }
            Sum::Float(c) => {
                if let Some(x) = exact_float(&item) {
                    c.add(x);
                    return Ok(());
                }
                if let Some(x) = exact_int(&item) {
                    c.add(x as f64);
                    return Ok(());
                }
            }
            Sum::Any(_) => {}
        }
        let so_far = match &total {
            Sum::Int(i) => vm.int(*i),
            Sum::Float(c) => vm.float(c.value()),
            Sum::Any(v) => v.clone(),
        };
        let next = vm.binary(BinOp::Add, &so_far, &item)?;
        total = match exact_float(&next) {
            Some(f) if !matches!(total, Sum::Any(_)) => {
                Sum::Float(Compensated { high: f, low: 0.0 })
            }
            _ => Sum::Any(next),
        };
        Ok(())
    })?;
    Ok(match total {
        Sum::Int(i) => vm.int(i),
        Sum::Float(c) => vm.float(c.value()),
        Sum::Any(v) => v,
    })
}

pub static FUNCTIONS: &[NativeDef] = &[
    NativeDef {
        sig: "abs(x, /)",
        f: abs,
        doc: "Return the absolute value of the argument.",
    },
    NativeDef {
        sig: "bin(number, /)",
        f: bin,
        doc: "Return the binary representation of an integer.\n\n   >>> bin(2796202)\n   '0b1010101010101010101010'",
    },
    NativeDef {
        sig: "oct(number, /)",
        f: oct,
        doc: "Return the octal representation of an integer.\n\n   >>> oct(342391)\n   '0o1234567'",
    },
    NativeDef {
        sig: "hex(number, /)",
        f: hex,
        doc: "Return the hexadecimal representation of an integer.\n\n   >>> hex(12648430)\n   '0xc0ffee'",
    },
    NativeDef {
        sig: "chr(i, /)",
        f: chr,
        doc: "Return a Unicode string of one character with ordinal i; 0 <= i <= 0x10ffff.",
    },
    NativeDef {
        sig: "ord(character, /)",
        f: ord,
        doc: "Return the ordinal value of a character.\n\nIf the argument is a one-character string, return the Unicode code\npoint of that character.\n\nIf the argument is a bytes or bytearray object of length 1, return its\nsingle byte value.",
    },
    NativeDef {
        sig: "divmod(x, y, /)",
        f: divmod,
        doc: "Return the tuple (x//y, x%y).  Invariant: div*y + mod == x.",
    },
    NativeDef {
        sig: "pow(base, exp, mod=None)",
        f: pow,
        doc: "Equivalent to base**exp with 2 arguments or base**exp % mod with 3 arguments.\n\nSome types, such as ints, are able to use a more efficient algorithm when\ninvoked using the three argument form.",
    },
    NativeDef {
        sig: "round(number, ndigits=None)",
        f: round,
        doc: "Round a number to a given precision in decimal digits.\n\nThe return value is an integer if ndigits is omitted or None.  Otherwise\nthe return value has the same type as the number.  ndigits may be negative.",
    },
    NativeDef {
        sig: "sum(iterable, /, start=...)",
        f: sum,
        doc: "Return the sum of a 'start' value (default: 0) plus an iterable of numbers\n\nWhen the iterable is empty, return the start value.\nThis function is intended specifically for use with numeric values and may\nreject non-numeric types.",
    },
];
