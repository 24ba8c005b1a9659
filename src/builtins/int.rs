//! `int`: construction, text, methods. Its operators are in `int_arith`.

use crate::builtins::int_arith as arith;
use crate::builtins::num::IntRef;
use crate::builtins::support::{alloc_as, small_int, ssize, wrong_self};
use crate::builtins::text_support::{buffer, text_arg};
use crate::object::header::Kind;
use crate::object::native::{Args, NativeDef};
use crate::object::num::Int;
use crate::object::types::{BinOp, GetSetDef, TypeSpec, tflag};
use crate::object::value::Value;
use crate::text::float_round::round_int;
use crate::text::int_text::{big_to_str, decimal_digits, parse_int, parse_int_bytes};
use crate::text::numhash::{hash_big, hash_i64};
use crate::vm::{Res, Vm};
use num_bigint::{BigInt, Sign};

fn this<'a>(vm: &Vm, v: &'a Value) -> Res<IntRef<'a>> {
    IntRef::of(v).ok_or_else(|| wrong_self(vm, v))
}

// ---- construction

fn new(vm: &Vm, class: &Value, args: Args) -> Res {
    let value = match (args.all, args.has_keywords()) {
        ([], _) => vm.int(0),
        ([x], false) => from_value(vm, x)?,
        ([x, base], false) => from_base(vm, x, base)?,
        _ => {
            if args.pos().len() > 2 {
                return Err(vm.type_error(format!(
                    "int expected at most 2 arguments, got {}",
                    args.pos().len()
                )));
            }
            let a = vm.bind_args("int(x=..., /, base=...)", args)?;
            match (a[0].given(), a[1].given()) {
                (None, None) => vm.int(0),
                (Some(x), None) => from_value(vm, x)?,
                (Some(x), Some(base)) => from_base(vm, x, base)?,
                (None, Some(_)) => return Err(vm.type_error("int() missing string argument")),
            }
        }
    };
    as_class(vm, class, value)
}

/// An exact int as an instance of `class`.
fn as_class(vm: &Vm, class: &Value, value: Value) -> Res {
    if class.is(vm.kind_type(Kind::Int)) {
        return Ok(value);
    }
    let big = vm.to_bigint(&value).unwrap_or_default();
    Ok(alloc_as(vm, class, Int(big)))
}

fn from_base(vm: &Vm, x: &Value, base: &Value) -> Res {
    let i = vm.index(base)?;
    let base = small_int(&i)
        .filter(|b| *b == 0 || (2..=36).contains(b))
        .ok_or_else(|| vm.value_error("int() base must be >= 2 and <= 36, or 0"))?;
    if let Some(s) = x.as_str() {
        return parse_int(s, base, vm.max_digits())
            .map(|i| vm.int_from_text(i))
            .map_err(|e| vm.text_error(e));
    }
    match x.kind() {
        Kind::Bytes | Kind::ByteArray => {
            let r = parse_int_bytes(buffer(x).as_deref().unwrap_or(&[]), base, vm.max_digits());
            r.map(|i| vm.int_from_text(i)).map_err(|e| vm.text_error(e))
        }
        _ => Err(vm.type_error("int() can't convert non-string with explicit base")),
    }
}

/// `int(x)`.
pub fn from_value(vm: &Vm, x: &Value) -> Res {
    if x.is_small() {
        return Ok(x.clone());
    }
    if let Some(s) = x.as_str() {
        // Short decimal text is what programs read; it needs no limit.
        let limit = if s.len() < 18 { 0 } else { vm.max_digits() };
        return parse_int(s, 10, limit)
            .map(|i| vm.int_from_text(i))
            .map_err(|e| vm.text_error(e));
    }
    let slots = vm.type_obj(x).slots();
    if let Some(f) = slots.int {
        let r = f(vm, x)?;
        return match IntRef::of(&r) {
            Some(_) => arith::exact(vm, &r),
            None => Err(vm.type_error(format!(
                "{}.__int__() must return an int, not {}",
                vm.type_name(x),
                vm.type_name(&r)
            ))),
        };
    }
    if slots.index.is_some() {
        return vm.index(x);
    }
    if let Some(data) = buffer(x) {
        let r = parse_int_bytes(&data, 10, vm.max_digits());
        drop(data);
        return r.map(|i| vm.int_from_text(i)).map_err(|e| vm.text_error(e));
    }
    Err(vm.type_error(format!(
        "int() argument must be a string, a bytes-like object or a real number, not '{}'",
        vm.type_name(x)
    )))
}

// ---- text and hash

/// `repr` of an int; also `str`.
pub fn repr(vm: &Vm, v: &Value) -> Res {
    match this(vm, v)? {
        IntRef::Small(i) => Ok(small_text(vm, i)),
        IntRef::Big(b) => big_to_str(b, vm.max_digits())
            .map(|s| vm.str(&s))
            .map_err(|e| vm.text_error(e)),
    }
}

/// The decimal text of a word, allocated once.
pub fn small_text(vm: &Vm, i: i64) -> Value {
    let mut buf = [0u8; 21];
    let mut digits = [0u8; 20];
    let at = decimal_digits(i.unsigned_abs(), &mut digits);
    let n = 20 - at;
    let sign = (i < 0) as usize;
    buf[0] = b'-';
    buf[sign..sign + n].copy_from_slice(&digits[at..]);
    let text = std::str::from_utf8(&buf[..sign + n]).unwrap_or("");
    if text.len() == 1 {
        vm.ascii_char(text.as_bytes()[0])
    } else {
        vm.str_with(text, text.len(), 0)
    }
}

fn hash(vm: &Vm, v: &Value) -> Res<i64> {
    Ok(match this(vm, v)? {
        IntRef::Small(i) => hash_i64(i),
        IntRef::Big(b) => hash_big(b),
    })
}

// ---- methods

fn itself(vm: &Vm, a: &[Value]) -> Res {
    arith::exact(vm, &a[0])
}
fn get_itself(vm: &Vm, v: &Value) -> Res {
    arith::exact(vm, v)
}
fn get_imag(vm: &Vm, _: &Value) -> Res {
    Ok(vm.int(0))
}
fn get_one(vm: &Vm, _: &Value) -> Res {
    Ok(vm.int(1))
}

fn bit_length(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.int_u64(arith::bit_length(this(vm, &a[0])?)))
}
fn bit_count(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.int_u64(arith::bit_count(this(vm, &a[0])?)))
}
fn is_integer(_: &Vm, _: &[Value]) -> Res {
    Ok(Value::TRUE)
}
fn as_integer_ratio(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.pair(arith::exact(vm, &a[0])?, vm.int(1)))
}

fn round(vm: &Vm, a: &[Value]) -> Res {
    let Some(n) = a[1].non_none() else {
        return arith::exact(vm, &a[0]);
    };
    let digits = vm.index(n)?;
    let places = match IntRef::of(&digits) {
        Some(IntRef::Small(n)) if n < 0 => n.unsigned_abs(),
        Some(i) if i.is_negative() => u64::MAX,
        _ => return arith::exact(vm, &a[0]),
    };
    Ok(vm.big(round_int(&this(vm, &a[0])?.to_big(), places)))
}

/// Whether `byteorder` means the least significant byte first.
fn little(vm: &Vm, v: &Value, what: &str) -> Res<bool> {
    match text_arg(vm, v, what)?.as_str() {
        "little" => Ok(true),
        "big" => Ok(false),
        _ => Err(vm.value_error("byteorder must be either 'little' or 'big'")),
    }
}

fn to_bytes(vm: &Vm, a: &[Value]) -> Res {
    let length = ssize(vm, &a[1])?;
    let little = little(vm, &a[2], "to_bytes() argument 'byteorder'")?;
    let signed = vm.truth(&a[3])?;
    let value = this(vm, &a[0])?;
    let Ok(length) = usize::try_from(length) else {
        return Err(vm.value_error("length argument must be non-negative"));
    };
    if value.is_negative() && !signed {
        return Err(vm.overflow_error("can't convert negative int to unsigned"));
    }
    let too_big = || vm.overflow_error("int too big to convert");
    let digits = match (value, signed) {
        (v, false) => v.to_big().magnitude().to_bytes_le(),
        (v, true) => v.to_big().to_signed_bytes_le(),
    };
    let zero = value.is_zero();
    if digits.len() > length && !zero {
        return Err(too_big());
    }
    vm.check_text_room(length)?;
    let filler = if value.is_negative() { 0xff } else { 0 };
    let mut out = vec![filler; length];
    if !zero {
        out[..digits.len()].copy_from_slice(&digits);
    }
    if !little {
        out.reverse();
    }
    Ok(vm.bytes_vec(out))
}

fn from_bytes(vm: &Vm, a: &[Value]) -> Res {
    let little = little(vm, &a[2], "from_bytes() argument 'byteorder'")?;
    let signed = vm.truth(&a[3])?;
    let data = crate::builtins::bytes_new::object_bytes(vm, &a[1])?;
    let value = match (little, signed) {
        (true, true) => BigInt::from_signed_bytes_le(&data),
        (false, true) => BigInt::from_signed_bytes_be(&data),
        (true, false) => BigInt::from_bytes_le(Sign::Plus, &data),
        (false, false) => BigInt::from_bytes_be(Sign::Plus, &data),
    };
    let value = vm.big(value);
    if a[0].is(vm.kind_type(Kind::Int)) {
        Ok(value)
    } else {
        vm.call(&a[0], &[value])
    }
}

fn format(vm: &Vm, a: &[Value]) -> Res {
    crate::builtins::format::format_method(vm, &a[0], &a[1])
}

fn getnewargs(vm: &Vm, a: &[Value]) -> Res {
    let v = arith::exact(vm, &a[0])?;
    Ok(vm.tuple(vec![v]))
}

/// As CPython counts: a head and one word of 30 bits per digit.
fn sizeof(vm: &Vm, a: &[Value]) -> Res {
    let digits = arith::bit_length(this(vm, &a[0])?).div_ceil(30).max(1);
    Ok(vm.int_u64(24 + 4 * digits))
}

pub static METHODS: &[NativeDef] = &[
    NativeDef {
        sig: "conjugate(self, /)",
        f: itself,
        doc: "Returns self, the complex conjugate of any int.",
    },
    NativeDef {
        sig: "bit_length(self, /)",
        f: bit_length,
        doc: "Number of bits necessary to represent self in binary.\n\n>>> bin(37)\n'0b100101'\n>>> (37).bit_length()\n6",
    },
    NativeDef {
        sig: "bit_count(self, /)",
        f: bit_count,
        doc: "Number of ones in the binary representation of the absolute value of self.\n\nAlso known as the population count.\n\n>>> bin(13)\n'0b1101'\n>>> (13).bit_count()\n3",
    },
    NativeDef {
        sig: "to_bytes(self, /, length=1, byteorder='big', *, signed=False)",
        f: to_bytes,
        doc: "Return an array of bytes representing an integer.",
    },
    NativeDef {
        sig: "as_integer_ratio(self, /)",
        f: as_integer_ratio,
        doc: "Return a pair of integers, whose ratio is equal to the original int.\n\nThe ratio is in lowest terms and has a positive denominator.",
    },
    NativeDef {
        sig: "is_integer(self, /)",
        f: is_integer,
        doc: "Returns True. Exists for duck type compatibility with float.is_integer.",
    },
    NativeDef {
        sig: "__trunc__(self, /)",
        f: itself,
        doc: "Truncating an Integral returns itself.",
    },
    NativeDef {
        sig: "__floor__(self, /)",
        f: itself,
        doc: "Flooring an Integral returns itself.",
    },
    NativeDef {
        sig: "__ceil__(self, /)",
        f: itself,
        doc: "Ceiling of an Integral returns itself.",
    },
    NativeDef {
        sig: "__round__(self, ndigits=None, /)",
        f: round,
        doc: "Rounding an Integral returns itself.\n\nRounding with an ndigits argument also returns an integer.",
    },
    NativeDef {
        sig: "__format__(self, format_spec, /)",
        f: format,
        doc: "Convert to a string according to format_spec.",
    },
    NativeDef {
        sig: "__getnewargs__(self, /)",
        f: getnewargs,
        doc: "",
    },
    NativeDef {
        sig: "__sizeof__(self, /)",
        f: sizeof,
        doc: "Returns size in memory, in bytes.",
    },
];

pub static TYPE: TypeSpec = TypeSpec {
    name: "int",
    kind: Kind::Int,
    flags: tflag::BASETYPE | tflag::MATCH_SELF,
    slots: |s| {
        s.new = Some(new);
        s.repr = Some(repr);
        s.hash = Some(hash);
        s.cmp = Some(arith::cmp);
        s.bool = Some(arith::truth);
        s.neg = Some(arith::neg);
        s.pos = Some(arith::exact);
        s.abs = Some(arith::abs);
        s.invert = Some(arith::invert);
        s.int = Some(arith::exact);
        s.float = Some(arith::to_float);
        s.index = Some(arith::exact);
        s.pow3 = Some(arith::pow3);
        let b = &mut s.binary;
        b[BinOp::Add as usize] = Some(arith::add);
        b[BinOp::Sub as usize] = Some(arith::sub);
        b[BinOp::Mul as usize] = Some(arith::mul);
        b[BinOp::Div as usize] = Some(arith::truediv);
        b[BinOp::Mod as usize] = Some(arith::rem);
        b[BinOp::Pow as usize] = Some(arith::pow);
        b[BinOp::LShift as usize] = Some(arith::lshift);
        b[BinOp::RShift as usize] = Some(arith::rshift);
        b[BinOp::Or as usize] = Some(arith::bitor);
        b[BinOp::Xor as usize] = Some(arith::bitxor);
        b[BinOp::And as usize] = Some(arith::bitand);
        b[BinOp::FloorDiv as usize] = Some(arith::floordiv);
        b[BinOp::DivMod as usize] = Some(arith::divmod);
    },
    methods: METHODS,
    class_methods: &[NativeDef {
        sig: "from_bytes(cls, /, bytes, byteorder='big', *, signed=False)",
        f: from_bytes,
        doc: "Return the integer represented by the given array of bytes.",
    }],
    getset: &[
        GetSetDef {
            name: "real",
            get: get_itself,
            set: None,
            doc: "the real part of a complex number",
        },
        GetSetDef {
            name: "imag",
            get: get_imag,
            set: None,
            doc: "the imaginary part of a complex number",
        },
        GetSetDef {
            name: "numerator",
            get: get_itself,
            set: None,
            doc: "the numerator of a rational number in lowest terms",
        },
        GetSetDef {
            name: "denominator",
            get: get_one,
            set: None,
            doc: "the denominator of a rational number in lowest terms",
        },
    ],
    doc: "int([x]) -> integer\nint(x, base=10) -> integer\n\nConvert a number or string to an integer, or return 0 if no arguments\nare given.  If x is a number, return x.__int__().  For floating-point\nnumbers, this truncates towards zero.\n\nIf x is not a number or if base is given, then x must be a string,\nbytes, or bytearray instance representing an integer literal in the\ngiven base.  The literal can be preceded by '+' or '-' and be surrounded\nby whitespace.  The base defaults to 10.  Valid bases are 0 and 2-36.\nBase 0 means to interpret the base from the string as an integer literal.\n>>> int('0b100', base=0)\n4",
    ..TypeSpec::EMPTY
};
