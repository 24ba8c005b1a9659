//! `complex`: construction and methods; arithmetic that keeps real operands real (C11, annex G). Reading complex text is in `complex_parse`.

use crate::builtins::complex_parse::parse_complex;
use crate::builtins::num::IntRef;
use crate::builtins::support::{alloc_as, this};
use crate::object::header::Kind;
use crate::object::native::{Args, NativeDef};
use crate::object::num::Complex;
use crate::object::types::{BinOp, CmpOp, GetSetDef, TypeSpec, tflag};
use crate::object::value::Value;
use crate::text::format_complex::complex_repr;
use crate::text::numhash::{hash_complex, hash_f64};
use crate::vm::{Res, Vm};

type C = (f64, f64);

/// An operand: a complex number or a real one.
enum Operand {
    Complex(C),
    Real(f64),
}

impl Operand {
    fn of(vm: &Vm, v: &Value) -> Res<Option<Operand>> {
        if let Some(c) = v.get::<Complex>() {
            return Ok(Some(Operand::Complex((c.re, c.im))));
        }
        Ok(vm.real_operand(v)?.map(Operand::Real))
    }
    fn widened(&self) -> C {
        match *self {
            Operand::Complex(c) => c,
            Operand::Real(x) => (x, 0.0),
        }
    }
}

macro_rules! operands {
    ($vm:expr, $a:expr, $b:expr) => {
        match (Operand::of($vm, $a)?, Operand::of($vm, $b)?) {
            (Some(x), Some(y)) => (x, y),
            _ => return Ok(Value::NOT_IMPLEMENTED),
        }
    };
}

fn value(vm: &Vm, c: C) -> Value {
    vm.complex(c.0, c.1)
}

fn add(vm: &Vm, a: &Value, b: &Value) -> Res {
    Ok(value(
        vm,
        match operands!(vm, a, b) {
            (Operand::Complex(x), Operand::Complex(y)) => (x.0 + y.0, x.1 + y.1),
            (Operand::Complex(x), Operand::Real(y)) | (Operand::Real(y), Operand::Complex(x)) => {
                (x.0 + y, x.1)
            }
            (Operand::Real(x), Operand::Real(y)) => (x + y, 0.0),
        },
    ))
}

fn sub(vm: &Vm, a: &Value, b: &Value) -> Res {
    Ok(value(
        vm,
        match operands!(vm, a, b) {
            (Operand::Complex(x), Operand::Complex(y)) => (x.0 - y.0, x.1 - y.1),
            (Operand::Complex(x), Operand::Real(y)) => (x.0 - y, x.1),
            (Operand::Real(x), Operand::Complex(y)) => (x - y.0, -y.1),
            (Operand::Real(x), Operand::Real(y)) => (x - y, 0.0),
        },
    ))
}

/// The product; infinities that the plain formula would turn into nans are recovered (C11, G.5.1).
fn product(z: C, w: C) -> C {
    let (mut a, mut b, mut c, mut d) = (z.0, z.1, w.0, w.1);
    let (ac, bd, ad, bc) = (a * c, b * d, a * d, b * c);
    let r = (ac - bd, ad + bc);
    if !(r.0.is_nan() && r.1.is_nan()) {
        return r;
    }
    let unit = |x: f64| (if x.is_infinite() { 1f64 } else { 0.0 }).copysign(x);
    let calm = |x: f64| if x.is_nan() { 0f64.copysign(x) } else { x };
    let mut again = false;
    if a.is_infinite() || b.is_infinite() {
        (a, b, c, d) = (unit(a), unit(b), calm(c), calm(d));
        again = true;
    }
    if c.is_infinite() || d.is_infinite() {
        (c, d, a, b) = (unit(c), unit(d), calm(a), calm(b));
        again = true;
    }
    if !again && (ac.is_infinite() || bd.is_infinite() || ad.is_infinite() || bc.is_infinite()) {
        (a, b, c, d) = (calm(a), calm(b), calm(c), calm(d));
        again = true;
    }
    if again {
        (
            f64::INFINITY * (a * c - b * d),
            f64::INFINITY * (a * d + b * c),
        )
    } else {
        r
    }
}

fn mul(vm: &Vm, a: &Value, b: &Value) -> Res {
    Ok(value(
        vm,
        match operands!(vm, a, b) {
            (Operand::Complex(x), Operand::Complex(y)) => product(x, y),
            (Operand::Complex(x), Operand::Real(y)) | (Operand::Real(y), Operand::Complex(x)) => {
                (x.0 * y, x.1 * y)
            }
            (Operand::Real(x), Operand::Real(y)) => (x * y, 0.0),
        },
    ))
}

/// The quotient, scaled by the larger part of the divisor so that it does not overflow on the way; the divisor is not 0.
fn quotient(a: C, b: C) -> C {
    let r = if b.0.abs() >= b.1.abs() {
        let ratio = b.1 / b.0;
        let d = b.0 + b.1 * ratio;
        ((a.0 + a.1 * ratio) / d, (a.1 - a.0 * ratio) / d)
    } else if b.1.abs() >= b.0.abs() {
        let ratio = b.0 / b.1;
        let d = b.0 * ratio + b.1;
        ((a.0 * ratio + a.1) / d, (a.1 * ratio - a.0) / d)
    } else {
        (f64::NAN, f64::NAN)
    };
    if !(r.0.is_nan() && r.1.is_nan()) {
        return r;
    }
    let unit = |x: f64| (if x.is_infinite() { 1f64 } else { 0.0 }).copysign(x);
    if (a.0.is_infinite() || a.1.is_infinite()) && b.0.is_finite() && b.1.is_finite() {
        let (x, y) = (unit(a.0), unit(a.1));
        return (
            f64::INFINITY * (x * b.0 + y * b.1),
            f64::INFINITY * (y * b.0 - x * b.1),
        );
    }
    if (b.0.is_infinite() || b.1.is_infinite()) && a.0.is_finite() && a.1.is_finite() {
        let (x, y) = (unit(b.0), unit(b.1));
        return (0.0 * (a.0 * x + a.1 * y), 0.0 * (a.1 * x - a.0 * y));
    }
    r
}

/// A real number divided by a complex one.
fn real_quotient(a: f64, b: C) -> C {
    let r = if b.0.abs() >= b.1.abs() {
        let ratio = b.1 / b.0;
        let d = b.0 + b.1 * ratio;
        (a / d, (-a * ratio) / d)
    } else if b.1.abs() >= b.0.abs() {
        let ratio = b.0 / b.1;
        let d = b.0 * ratio + b.1;
        ((a * ratio) / d, (-a) / d)
    } else {
        (f64::NAN, f64::NAN)
    };
    if r.0.is_nan() && r.1.is_nan() && a.is_finite() && (b.0.is_infinite() || b.1.is_infinite()) {
        let unit = |x: f64| (if x.is_infinite() { 1f64 } else { 0.0 }).copysign(x);
        return (0.0 * (a * unit(b.0)), 0.0 * (-a * unit(b.1)));
    }
    r
}

fn truediv(vm: &Vm, a: &Value, b: &Value) -> Res {
    let (x, y) = operands!(vm, a, b);
    if y.widened() == (0.0, 0.0) {
        return crate::builtins::int_arith::by_zero(vm);
    }
    Ok(value(
        vm,
        match (x, y) {
            (Operand::Complex(x), Operand::Complex(y)) => quotient(x, y),
            (Operand::Complex(x), Operand::Real(y)) => (x.0 / y, x.1 / y),
            (Operand::Real(x), Operand::Complex(y)) => real_quotient(x, y),
            (Operand::Real(x), Operand::Real(y)) => (x / y, 0.0),
        },
    ))
}

fn pow(vm: &Vm, a: &Value, b: &Value) -> Res {
    let (x, y) = operands!(vm, a, b);
    power(vm, x.widened(), y.widened())
}

fn pow3(vm: &Vm, a: &Value, b: &Value, _: &Value) -> Res {
    let _ = operands!(vm, a, b);
    Err(vm.value_error("complex modulo"))
}

/// A whole power by repeated squaring.
fn whole_power(x: C, n: u64) -> C {
    let (mut r, mut p, mut mask) = ((1.0, 0.0), x, 1u64);
    while mask > 0 && n >= mask {
        if n & mask != 0 {
            r = product(r, p);
        }
        mask <<= 1;
        p = product(p, p);
    }
    r
}

/// `a ** b` as a complex number.
pub fn power(vm: &Vm, a: C, b: C) -> Res {
    let r = if b.1 == 0.0 && b.0 == b.0.floor() && b.0.abs() <= 100.0 {
        // Small whole exponents: exact where multiplication is.
        let n = b.0.abs() as u64;
        if a == (0.0, 0.0) && b.0 < 0.0 {
            return Err(vm.zero_division("zero to a negative or complex power"));
        }
        if b.0 >= 0.0 {
            whole_power(a, n)
        } else {
            quotient((1.0, 0.0), whole_power(a, n))
        }
    } else if a == (0.0, 0.0) {
        if b.1 != 0.0 || b.0 < 0.0 {
            return Err(vm.zero_division("zero to a negative or complex power"));
        }
        (0.0, 0.0)
    } else {
        let size = a.0.hypot(a.1);
        let angle = a.1.atan2(a.0);
        let mut len = size.powf(b.0);
        let mut phase = angle * b.0;
        if b.1 != 0.0 {
            len *= (-angle * b.1).exp();
            phase += b.1 * size.ln();
        }
        (len * phase.cos(), len * phase.sin())
    };
    let finite = |c: C| c.0.is_finite() && c.1.is_finite();
    if !finite(r) && finite(a) && finite(b) {
        return Err(vm.overflow_error("complex exponentiation"));
    }
    Ok(value(vm, r))
}

fn parts(vm: &Vm, v: &Value) -> Res<C> {
    let c = this::<Complex>(vm, v)?;
    Ok((c.re, c.im))
}

fn neg(vm: &Vm, v: &Value) -> Res {
    let c = parts(vm, v)?;
    Ok(vm.complex(-c.0, -c.1))
}
fn pos(vm: &Vm, v: &Value) -> Res {
    if vm.is_exact(v, Kind::Complex) {
        Ok(v.clone())
    } else {
        Ok(value(vm, parts(vm, v)?))
    }
}
fn abs(vm: &Vm, v: &Value) -> Res {
    let c = parts(vm, v)?;
    let r = c.0.hypot(c.1);
    if r.is_infinite() && c.0.is_finite() && c.1.is_finite() {
        return Err(vm.overflow_error("absolute value too large"));
    }
    Ok(vm.float(r))
}
fn truth(vm: &Vm, v: &Value) -> Res<bool> {
    Ok(parts(vm, v)? != (0.0, 0.0))
}
fn repr(vm: &Vm, v: &Value) -> Res {
    let c = parts(vm, v)?;
    Ok(vm.str(&complex_repr(c.0, c.1)))
}
fn hash(vm: &Vm, v: &Value) -> Res<i64> {
    let c = parts(vm, v)?;
    if c.0.is_nan() || c.1.is_nan() {
        return Ok((v.id() >> 4) as i64);
    }
    Ok(if c.1 == 0.0 {
        hash_f64(c.0)
    } else {
        hash_complex(c.0, c.1)
    })
}
fn cmp(vm: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res {
    if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let x = parts(vm, a)?;
    let equal = if let Some(y) = b.get::<Complex>() {
        x == (y.re, y.im)
    } else if let Some(y) = b.as_float() {
        x == (y, 0.0)
    } else if IntRef::of(b).is_some() {
        x.1 == 0.0 && crate::builtins::float_arith::cmp(vm, &vm.float(x.0), b, CmpOp::Eq)?.is_true()
    } else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    Ok(Value::bool(equal == (op == CmpOp::Eq)))
}

// ---- construction

fn new(vm: &Vm, class: &Value, args: Args) -> Res {
    if args.pos().len() > 2 {
        return Err(vm.type_error(format!(
            "complex() takes at most 2 arguments ({} given)",
            args.all.len()
        )));
    }
    let a = vm.bind_args("complex(real=..., imag=...)", args)?;
    let c = match (a[0].given(), a[1].given()) {
        (None, None) => (0.0, 0.0),
        (Some(x), None) => match x.as_str() {
            Some(s) => parse_complex(s)
                .ok_or_else(|| vm.value_error("complex() arg is a malformed string"))?,
            None => {
                if class.is(vm.kind_type(Kind::Complex)) && vm.is_exact(x, Kind::Complex) {
                    return Ok(x.clone());
                }
                number(vm, x, "complex() argument must be a string or a number")?
            }
        },
        (x, Some(y)) => {
            let re = match x {
                Some(x) => number(vm, x, "complex() argument 'real' must be a real number")?,
                None => (0.0, 0.0),
            };
            let im = number(vm, y, "complex() argument 'imag' must be a real number")?;
            // Adding a zero that nobody gave would turn -0.0 into 0.0.
            let is_complex = |v: &Value| !matches!(v.kind(), Kind::Float | Kind::Int | Kind::Bool);
            let first = if is_complex(y) { re.0 - im.1 } else { re.0 };
            (
                first,
                if x.is_some_and(is_complex) {
                    im.0 + re.1
                } else {
                    im.0
                },
            )
        }
    };
    Ok(if class.is(vm.kind_type(Kind::Complex)) {
        value(vm, c)
    } else {
        alloc_as(vm, class, Complex { re: c.0, im: c.1 })
    })
}

/// A number argument, by `__complex__`, `__float__` or `__index__`.
fn number(vm: &Vm, x: &Value, what: &str) -> Res<C> {
    if let Some(c) = as_complex(vm, x)? {
        return Ok(c);
    }
    let slots = vm.type_obj(x).slots();
    if x.as_str().is_some() || (slots.float.is_none() && slots.index.is_none()) {
        return Err(vm.type_error(format!("{what}, not {}", vm.type_name(x))));
    }
    Ok((vm.to_f64(x)?, 0.0))
}

/// A complex number, or what an object's `__complex__` gives.
pub fn as_complex(vm: &Vm, x: &Value) -> Res<Option<C>> {
    if let Some(c) = x.get::<Complex>() {
        return Ok(Some((c.re, c.im)));
    }
    if x.is_heap()
        && !matches!(x.kind(), Kind::Int | Kind::Float | Kind::Str)
        && let Some(r) = vm.call_special(x, &vm.names.__complex__, &[])?
    {
        return match r.get::<Complex>() {
            Some(c) => Ok(Some((c.re, c.im))),
            None => Err(vm.type_error(format!(
                "{}.__complex__() must return a complex, not {}",
                vm.type_name(x),
                vm.type_name(&r)
            ))),
        };
    }
    Ok(None)
}

fn from_number(vm: &Vm, a: &[Value]) -> Res {
    let c = number(vm, &a[1], "must be real number")?;
    let v = value(vm, c);
    if a[0].is(vm.kind_type(Kind::Complex)) {
        Ok(v)
    } else {
        vm.call(&a[0], &[v])
    }
}

fn conjugate(vm: &Vm, a: &[Value]) -> Res {
    let c = parts(vm, &a[0])?;
    Ok(vm.complex(c.0, -c.1))
}
fn itself(vm: &Vm, a: &[Value]) -> Res {
    pos(vm, &a[0])
}
fn format(vm: &Vm, a: &[Value]) -> Res {
    crate::builtins::format::format_method(vm, &a[0], &a[1])
}
fn getnewargs(vm: &Vm, a: &[Value]) -> Res {
    let c = parts(vm, &a[0])?;
    Ok(vm.pair(vm.float(c.0), vm.float(c.1)))
}
fn get_real(vm: &Vm, v: &Value) -> Res {
    Ok(vm.float(parts(vm, v)?.0))
}
fn get_imag(vm: &Vm, v: &Value) -> Res {
    Ok(vm.float(parts(vm, v)?.1))
}

pub static TYPE: TypeSpec = TypeSpec {
    name: "complex",
    kind: Kind::Complex,
    flags: tflag::BASETYPE,
    slots: |s| {
        s.new = Some(new);
        s.repr = Some(repr);
        s.hash = Some(hash);
        s.cmp = Some(cmp);
        s.bool = Some(truth);
        s.neg = Some(neg);
        s.pos = Some(pos);
        s.abs = Some(abs);
        s.pow3 = Some(pow3);
        s.binary[BinOp::Add as usize] = Some(add);
        s.binary[BinOp::Sub as usize] = Some(sub);
        s.binary[BinOp::Mul as usize] = Some(mul);
        s.binary[BinOp::Div as usize] = Some(truediv);
        s.binary[BinOp::Pow as usize] = Some(pow);
    },
    methods: &[
        NativeDef {
            sig: "conjugate(self, /)",
            f: conjugate,
            doc: "Return the complex conjugate of its argument. (3-4j).conjugate() == 3+4j.",
        },
        NativeDef {
            sig: "__complex__(self, /)",
            f: itself,
            doc: "Convert this value to exact type complex.",
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
    ],
    class_methods: &[NativeDef {
        sig: "from_number(cls, number, /)",
        f: from_number,
        doc: "Convert number to a complex floating-point number.",
    }],
    getset: &[
        GetSetDef {
            name: "real",
            get: get_real,
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
    doc: "Create a complex number from a string or numbers.\n\nIf a string is given, parse it as a complex number.\nIf a single number is given, convert it to a complex number.\nIf the 'real' or 'imag' arguments are given, create a complex number\nwith the specified real and imaginary components.",
    ..TypeSpec::EMPTY
};
