//! Constant folding: what an expression of constants is worth at compile time.
//!
//! The code generator asks before it writes any operator, tuple, test or subscript. As in CPython, results beyond a size stay
//! unfolded, and whatever would raise is left to raise at run time.
//!
//! Rules:
//! 1. Only exact builtin semantics are folded, on values that the VM would compute alike.
//! 2. No fold may take noticeable time: sizes are checked before the work.

use crate::bytecode::Const;
use corun_grammar::ast::{BinOp, Constant, Expr, ExprKind, UnaryOp};
use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Signed, ToPrimitive, Zero};
use std::rc::Rc;

// The limits of CPython's optimizer.
const MAX_INT_BITS: u64 = 128;
const MAX_COLLECTION: usize = 256;
const MAX_STR: usize = 4096;

pub fn of_constant(c: &Constant) -> Const {
    match c {
        Constant::None => Const::None,
        Constant::True => Const::True,
        Constant::False => Const::False,
        Constant::Ellipsis => Const::Ellipsis,
        Constant::Int(n) => Const::Int(n.clone()),
        Constant::Float(x) => Const::Float(*x),
        Constant::Imaginary(x) => Const::Complex(0.0, *x),
        Constant::Str(s) => Const::Str(s.clone()),
        Constant::Bytes(b) => Const::Bytes(b.clone()),
    }
}

/// The value of a constant expression. `debug` is the value of `__debug__`.
pub fn fold(e: &Expr, debug: bool) -> Option<Const> {
    match &e.kind {
        ExprKind::Constant(c) => Some(of_constant(c)),
        ExprKind::Name(name) if name.as_ref() == "__debug__" => Some(of_bool(debug)),
        ExprKind::UnaryOp { op, operand } => unary(*op, &fold(operand, debug)?),
        ExprKind::BinOp { .. } => fold_chain(e, debug),
        ExprKind::Tuple(items) => {
            // A quick look first: most tuples are not constant.
            if items.iter().any(|i| !may_fold(i)) {
                return None;
            }
            items
                .iter()
                .map(|i| fold(i, debug))
                .collect::<Option<Vec<_>>>()
                .map(Const::Tuple)
        }
        ExprKind::Subscript { value, index } if may_fold(value) && may_fold(index) => {
            subscript(&fold(value, debug)?, &fold(index, debug)?)
        }
        _ => None,
    }
}

/// False for what surely is no constant expression.
fn may_fold(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Constant(_)
        | ExprKind::Tuple(_)
        | ExprKind::UnaryOp { .. }
        | ExprKind::BinOp { .. } => true,
        ExprKind::Name(name) => name.as_ref() == "__debug__",
        ExprKind::Subscript { value, .. } => may_fold(value),
        _ => false,
    }
}

/// Left-nested operators, by a loop.
fn fold_chain(e: &Expr, debug: bool) -> Option<Const> {
    let mut at = e;
    let mut depth = 0usize;
    while let ExprKind::BinOp { left, right, .. } = &at.kind {
        if !may_fold(right) {
            return None;
        }
        at = left;
        depth += 1;
    }
    let mut value = fold(at, debug)?;
    let mut chain: Vec<(BinOp, &Expr)> = Vec::with_capacity(depth);
    at = e;
    while let ExprKind::BinOp { left, op, right } = &at.kind {
        chain.push((*op, right));
        at = left;
    }
    for (op, right) in chain.into_iter().rev() {
        value = binary(op, &value, &fold(right, debug)?)?;
    }
    Some(value)
}

fn of_bool(b: bool) -> Const {
    if b { Const::True } else { Const::False }
}

/// Truth of a constant.
pub fn truth(value: &Const) -> bool {
    match value {
        Const::None | Const::False => false,
        Const::True | Const::Ellipsis => true,
        Const::Int(n) => !n.is_zero(),
        Const::Float(x) => *x != 0.0,
        Const::Complex(re, im) => *re != 0.0 || *im != 0.0,
        Const::Str(s) => !s.is_empty(),
        Const::Bytes(b) => !b.is_empty(),
        Const::Tuple(items) | Const::FrozenSet(items) => !items.is_empty(),
    }
}

fn as_int(value: &Const) -> Option<BigInt> {
    match value {
        Const::Int(n) => Some(n.clone()),
        Const::True => Some(1.into()),
        Const::False => Some(0.into()),
        _ => None,
    }
}

fn as_float(value: &Const) -> Option<f64> {
    match value {
        Const::Float(x) => Some(*x),
        _ => {
            let n = as_int(value)?;
            // Beyond 53 bits the rounding is the VM's matter.
            if n.bits() <= 53 { n.to_f64() } else { None }
        }
    }
}

pub fn unary(op: UnaryOp, value: &Const) -> Option<Const> {
    match op {
        UnaryOp::Not => Some(of_bool(!truth(value))),
        UnaryOp::Invert => match value {
            Const::Int(n) => Some(Const::Int(!n.clone())),
            // `~True` warns at run time.
            _ => None,
        },
        UnaryOp::UAdd => match value {
            Const::Float(_) | Const::Complex(..) => Some(value.clone()),
            _ => as_int(value).map(Const::Int),
        },
        UnaryOp::USub => match value {
            Const::Float(x) => Some(Const::Float(-x)),
            Const::Complex(re, im) => Some(Const::Complex(-re, -im)),
            _ => as_int(value).map(|n| Const::Int(-n)),
        },
    }
}

pub fn binary(op: BinOp, left: &Const, right: &Const) -> Option<Const> {
    if let (Some(a), Some(b)) = (as_int(left), as_int(right)) {
        let bools = !matches!(left, Const::Int(_)) && !matches!(right, Const::Int(_));
        return int_binary(op, a, b, bools);
    }
    if let (Some(a), Some(b)) = (as_float(left), as_float(right)) {
        return float_binary(op, a, b);
    }
    match (op, left, right) {
        (BinOp::Add, Const::Str(a), Const::Str(b)) if a.len() + b.len() <= MAX_STR => {
            Some(Const::Str(format!("{a}{b}").into()))
        }
        (BinOp::Add, Const::Bytes(a), Const::Bytes(b)) if a.len() + b.len() <= MAX_STR => {
            Some(Const::Bytes([&a[..], &b[..]].concat().into()))
        }
        (BinOp::Add, Const::Tuple(a), Const::Tuple(b)) if a.len() + b.len() <= MAX_COLLECTION => {
            Some(Const::Tuple([&a[..], &b[..]].concat()))
        }
        (BinOp::Add | BinOp::Sub, _, _) => complex_sum(op, left, right),
        (BinOp::Mul, Const::Str(_) | Const::Bytes(_) | Const::Tuple(_), n) => {
            repeat(left, as_int(n)?)
        }
        (BinOp::Mul, n, Const::Str(_) | Const::Bytes(_) | Const::Tuple(_)) => {
            repeat(right, as_int(n)?)
        }
        _ => None,
    }
}

fn int_binary(op: BinOp, a: BigInt, b: BigInt, bools: bool) -> Option<Const> {
    let result = match op {
        BinOp::Add => a + b,
        BinOp::Sub => a - b,
        BinOp::Mul if a.bits() + b.bits() <= MAX_INT_BITS => a * b,
        BinOp::FloorDiv if !b.is_zero() => a.div_floor(&b),
        BinOp::Mod if !b.is_zero() => a.mod_floor(&b),
        BinOp::Div if !b.is_zero() && a.bits() <= 53 && b.bits() <= 53 => {
            return Some(Const::Float(a.to_f64()? / b.to_f64()?));
        }
        BinOp::Pow if !b.is_negative() => {
            let exponent = b.to_u32()?;
            if a.bits().checked_mul(exponent as u64)? > MAX_INT_BITS {
                return None;
            }
            a.pow(exponent)
        }
        BinOp::LShift if !b.is_negative() => {
            let shift = b.to_u64()?;
            if a.bits().checked_add(shift)? > MAX_INT_BITS {
                return None;
            }
            a << shift
        }
        BinOp::RShift if !b.is_negative() => a >> b.to_u64()?,
        // Bitwise operators keep bools.
        BinOp::BitOr | BinOp::BitXor | BinOp::BitAnd => {
            let n = match op {
                BinOp::BitOr => a | b,
                BinOp::BitXor => a ^ b,
                _ => a & b,
            };
            return Some(if bools {
                of_bool(!n.is_zero())
            } else {
                Const::Int(n)
            });
        }
        _ => return None,
    };
    Some(Const::Int(result))
}

fn float_binary(op: BinOp, a: f64, b: f64) -> Option<Const> {
    let result = match op {
        BinOp::Add => a + b,
        BinOp::Sub => a - b,
        BinOp::Mul => a * b,
        BinOp::Div if b != 0.0 => a / b,
        // Infinite results would be an OverflowError, negative bases may be complex.
        BinOp::Pow if a > 0.0 && b.is_finite() => a.powf(b),
        _ => return None,
    };
    (result.is_finite()).then_some(Const::Float(result))
}

/// Complex literals: `1 + 2j`, `1 - 2j`.
fn complex_sum(op: BinOp, left: &Const, right: &Const) -> Option<Const> {
    let sign = if op == BinOp::Add { 1.0 } else { -1.0 };
    match (left, right) {
        (Const::Complex(a, b), Const::Complex(c, d)) => {
            Some(Const::Complex(a + sign * c, b + sign * d))
        }
        (Const::Complex(a, b), x) => Some(Const::Complex(a + sign * as_float(x)?, *b)),
        (x, Const::Complex(c, d)) => Some(Const::Complex(as_float(x)? + sign * c, sign * d)),
        _ => None,
    }
}

fn repeat(value: &Const, times: BigInt) -> Option<Const> {
    let times = if times.is_negative() {
        0
    } else {
        times.to_usize()?
    };
    let fits = |len: usize, limit: usize| len.checked_mul(times).is_some_and(|n| n <= limit);
    match value {
        Const::Str(s) if fits(s.len(), MAX_STR) => Some(Const::Str(s.repeat(times).into())),
        Const::Bytes(b) if fits(b.len(), MAX_STR) => Some(Const::Bytes(b.repeat(times).into())),
        Const::Tuple(items) if fits(items.len(), MAX_COLLECTION) => Some(Const::Tuple(
            (0..times).flat_map(|_| items.iter().cloned()).collect(),
        )),
        _ => None,
    }
}

fn subscript(value: &Const, index: &Const) -> Option<Const> {
    let index = as_int(index)?.to_i64()?;
    let place = |len: usize| {
        let i = if index < 0 {
            index.checked_add(len as i64)?
        } else {
            index
        };
        (i >= 0 && (i as usize) < len).then_some(i as usize)
    };
    match value {
        Const::Tuple(items) => items.get(place(items.len())?).cloned(),
        Const::Str(s) if s.len() <= MAX_STR => {
            let c = s.chars().nth(place(s.chars().count())?)?;
            Some(Const::Str(Rc::from(c.encode_utf8(&mut [0; 4]) as &str)))
        }
        Const::Bytes(b) => Some(Const::Int(b.get(place(b.len())?)?.to_owned().into())),
        _ => None,
    }
}

/// Parts of a `JoinedStr` that are all constant strings.
pub fn constant_str(parts: &[Expr]) -> Option<Rc<str>> {
    match parts {
        [] => Some("".into()),
        [
            Expr {
                kind: ExprKind::Constant(Constant::Str(s)),
                ..
            },
        ] => Some(s.clone()),
        _ if parts
            .iter()
            .all(|p| matches!(p.kind, ExprKind::Constant(Constant::Str(_)))) =>
        {
            let text = parts.iter().map(|p| match &p.kind {
                ExprKind::Constant(Constant::Str(s)) => &**s,
                _ => "",
            });
            Some(text.collect::<String>().into())
        }
        _ => None,
    }
}
