//! `float`: construction, text, methods. Its operators are in `float_arith`.

use crate::builtins::float_arith as arith;
use crate::builtins::support::{alloc_as, clamped, positional, wrong_self};
use crate::builtins::text_support::{buffer, build_str};
use crate::object::header::Kind;
use crate::object::native::{Args, NativeDef};
use crate::object::num::Float;
use crate::object::types::{BinOp, GetSetDef, TypeSpec, tflag};
use crate::object::value::Value;
use crate::text::TextError;
use crate::text::float_parse::{float_fromhex, parse_float, parse_float_bytes};
use crate::text::float_repr::{float_hex, push_float_repr};
use crate::text::float_round::{round_float, round_to_int};
use crate::text::int_text::Int as TextInt;
use crate::text::numconv::{as_integer_ratio, f64_to_int};
use crate::text::numhash::hash_f64;
use crate::vm::{Res, Vm};

fn this(vm: &Vm, v: &Value) -> Res<f64> {
    v.as_float().ok_or_else(|| wrong_self(vm, v))
}

fn new(vm: &Vm, class: &Value, args: Args) -> Res {
    let args = if class.is(vm.kind_type(Kind::Float)) {
        args
    } else {
        Args::positional(args.pos())
    };
    let f = match positional(vm, "float", args, 0, 1)? {
        [x] => from_value(vm, x)?,
        _ => 0.0,
    };
    Ok(as_class(vm, class, f))
}

fn as_class(vm: &Vm, class: &Value, f: f64) -> Value {
    if class.is(vm.kind_type(Kind::Float)) {
        vm.float(f)
    } else {
        alloc_as(vm, class, Float(f))
    }
}

/// `float(x)`.
fn from_value(vm: &Vm, x: &Value) -> Res<f64> {
    if let Some(i) = x.as_small() {
        return Ok(i as f64);
    }
    if let Some(s) = x.as_str() {
        return parse_float(s).map_err(|e| vm.text_error(e));
    }
    if vm.is_exact(x, Kind::Float) {
        return this(vm, x);
    }
    let slots = vm.type_obj(x).slots();
    if slots.float.is_some() || slots.index.is_some() {
        return vm.to_f64(x);
    }
    if let Some(data) = buffer(x) {
        let r = parse_float_bytes(&data);
        drop(data);
        return r.map_err(|e| vm.text_error(e));
    }
    Err(vm.type_error(format!(
        "float() argument must be a string or a real number, not '{}'",
        vm.type_name(x)
    )))
}

/// `repr` of a float; also `str`.
pub fn repr(vm: &Vm, v: &Value) -> Res {
    let f = this(vm, v)?;
    build_str(vm, |out| {
        push_float_repr(out, f);
        Ok(())
    })
}

fn hash(vm: &Vm, v: &Value) -> Res<i64> {
    let f = this(vm, v)?;
    // Every nan object is a key of its own.
    Ok(if f.is_nan() {
        (v.id() >> 4) as i64
    } else {
        hash_f64(f)
    })
}

fn neg(vm: &Vm, v: &Value) -> Res {
    Ok(vm.float(-this(vm, v)?))
}
fn pos(vm: &Vm, v: &Value) -> Res {
    if v.is_inline_float() {
        Ok(v.clone())
    } else {
        Ok(vm.float(this(vm, v)?))
    }
}
fn abs(vm: &Vm, v: &Value) -> Res {
    Ok(vm.float(this(vm, v)?.abs()))
}
fn truth(vm: &Vm, v: &Value) -> Res<bool> {
    Ok(this(vm, v)? != 0.0)
}

fn whole(vm: &Vm, r: Result<TextInt, TextError>) -> Res {
    r.map(|i| vm.int_from_text(i)).map_err(|e| vm.text_error(e))
}
fn to_int(vm: &Vm, v: &Value) -> Res {
    whole(vm, f64_to_int(this(vm, v)?))
}

// ---- methods

fn itself(vm: &Vm, a: &[Value]) -> Res {
    pos(vm, &a[0])
}
fn trunc(vm: &Vm, a: &[Value]) -> Res {
    to_int(vm, &a[0])
}
fn floor(vm: &Vm, a: &[Value]) -> Res {
    whole(vm, f64_to_int(this(vm, &a[0])?.floor()))
}
fn ceil(vm: &Vm, a: &[Value]) -> Res {
    whole(vm, f64_to_int(this(vm, &a[0])?.ceil()))
}
fn round(vm: &Vm, a: &[Value]) -> Res {
    let f = this(vm, &a[0])?;
    let Some(n) = a[1].non_none() else {
        return whole(vm, round_to_int(f));
    };
    let digits = clamped(vm, n)?;
    round_float(f, digits)
        .map(|f| vm.float(f))
        .map_err(|e| vm.text_error(e))
}
fn is_integer(vm: &Vm, a: &[Value]) -> Res {
    let f = this(vm, &a[0])?;
    Ok(Value::bool(f.is_finite() && f == f.floor()))
}
fn ratio(vm: &Vm, a: &[Value]) -> Res {
    let (n, d) = as_integer_ratio(this(vm, &a[0])?).map_err(|e| vm.text_error(e))?;
    Ok(vm.pair(vm.int_from_text(n), vm.int_from_text(d)))
}
fn hex(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.str(&float_hex(this(vm, &a[0])?)))
}
fn format(vm: &Vm, a: &[Value]) -> Res {
    crate::builtins::format::format_method(vm, &a[0], &a[1])
}
fn getnewargs(vm: &Vm, a: &[Value]) -> Res {
    let v = pos(vm, &a[0])?;
    Ok(vm.tuple(vec![v]))
}

fn fromhex(vm: &Vm, a: &[Value]) -> Res {
    let Some(s) = a[1].as_str() else {
        return Err(vm.type_error("bad argument type for built-in operation"));
    };
    let f = float_fromhex(s).map_err(|e| vm.text_error(e))?;
    made(vm, &a[0], f)
}
fn from_number(vm: &Vm, a: &[Value]) -> Res {
    if a[0].is(vm.kind_type(Kind::Float)) && vm.is_exact(&a[1], Kind::Float) {
        return Ok(a[1].clone());
    }
    let f = vm.to_f64(&a[1])?;
    made(vm, &a[0], f)
}
/// The result of a class method: subclasses are called.
fn made(vm: &Vm, class: &Value, f: f64) -> Res {
    let v = vm.float(f);
    if class.is(vm.kind_type(Kind::Float)) {
        Ok(v)
    } else {
        vm.call(class, &[v])
    }
}
fn getformat(vm: &Vm, a: &[Value]) -> Res {
    match a[1].as_str() {
        Some("double" | "float") => Ok(vm.str(if cfg!(target_endian = "little") {
            "IEEE, little-endian"
        } else {
            "IEEE, big-endian"
        })),
        Some(_) => Err(vm.value_error("__getformat__() argument 1 must be 'double' or 'float'")),
        None => Err(vm.wrong_type("__getformat__() argument", "str", &a[1])),
    }
}
fn get_imag(vm: &Vm, _: &Value) -> Res {
    Ok(vm.float(0.0))
}

pub static TYPE: TypeSpec = TypeSpec {
    name: "float",
    kind: Kind::Float,
    flags: tflag::BASETYPE | tflag::MATCH_SELF,
    slots: |s| {
        s.new = Some(new);
        s.repr = Some(repr);
        s.hash = Some(hash);
        s.cmp = Some(arith::cmp);
        s.bool = Some(truth);
        s.neg = Some(neg);
        s.pos = Some(pos);
        s.abs = Some(abs);
        s.int = Some(to_int);
        s.float = Some(pos);
        s.pow3 = Some(arith::pow3);
        let b = &mut s.binary;
        b[BinOp::Add as usize] = Some(arith::add);
        b[BinOp::Sub as usize] = Some(arith::sub);
        b[BinOp::Mul as usize] = Some(arith::mul);
        b[BinOp::Div as usize] = Some(arith::truediv);
        b[BinOp::Mod as usize] = Some(arith::rem);
        b[BinOp::Pow as usize] = Some(arith::pow);
        b[BinOp::FloorDiv as usize] = Some(arith::floordiv);
        b[BinOp::DivMod as usize] = Some(arith::divmod);
    },
    methods: &[
        NativeDef {
            sig: "conjugate(self, /)",
            f: itself,
            doc: "Return self, the complex conjugate of any float.",
        },
        NativeDef {
            sig: "__trunc__(self, /)",
            f: trunc,
            doc: "Return the Integral closest to x between 0 and x.",
        },
        NativeDef {
            sig: "__floor__(self, /)",
            f: floor,
            doc: "Return the floor as an Integral.",
        },
        NativeDef {
            sig: "__ceil__(self, /)",
            f: ceil,
            doc: "Return the ceiling as an Integral.",
        },
        NativeDef {
            sig: "__round__(self, ndigits=None, /)",
            f: round,
            doc: "Return the Integral closest to x, rounding half toward even.\n\nWhen an argument is passed, work like built-in round(x, ndigits).",
        },
        NativeDef {
            sig: "as_integer_ratio(self, /)",
            f: ratio,
            doc: "Return a pair of integers, whose ratio is exactly equal to the original float.\n\nThe ratio is in lowest terms and has a positive denominator.  Raise\nOverflowError on infinities and a ValueError on NaNs.",
        },
        NativeDef {
            sig: "hex(self, /)",
            f: hex,
            doc: "Return a hexadecimal representation of a floating-point number.",
        },
        NativeDef {
            sig: "is_integer(self, /)",
            f: is_integer,
            doc: "Return True if the float is an integer.",
        },
        NativeDef {
            sig: "__format__(self, format_spec, /)",
            f: format,
            doc: "Formats the float according to format_spec.",
        },
        NativeDef {
            sig: "__getnewargs__(self, /)",
            f: getnewargs,
            doc: "",
        },
    ],
    class_methods: &[
        NativeDef {
            sig: "fromhex(cls, string, /)",
            f: fromhex,
            doc: "Create a floating-point number from a hexadecimal string.",
        },
        NativeDef {
            sig: "from_number(cls, number, /)",
            f: from_number,
            doc: "Convert real number to a floating-point number.",
        },
        NativeDef {
            sig: "__getformat__(cls, typestr, /)",
            f: getformat,
            doc: "You probably don't want to use this function.",
        },
    ],
    getset: &[
        GetSetDef {
            name: "real",
            get: pos,
            set: None,
            doc: "the real part of a complex number",
        },
        GetSetDef {
            name: "imag",
            get: get_imag,
            set: None,
            doc: "the imaginary part of a complex number",
        },
    ],
    doc: "Convert a string or number to a floating-point number, if possible.",
    ..TypeSpec::EMPTY
};
