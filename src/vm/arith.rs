//! The operators: binary and in-place arithmetic, unary operations, comparison; which operand is asked in which order, and the errors when nobody answers.
//!
//! The order is CPython's (`binary_op1`, `do_richcompare`): the right operand first if its type derives from the left's and answers differently, else left, then
//! right. Concatenation and repetition of sequences are asked for last.

use super::class::is_sequence_kind;
use super::{Raised, Res, Vm};
use crate::object::types::{BIN_NAMES, BinOp, CmpOp, TypeObj};
use crate::object::value::Value;
use num_bigint::BigInt;
use num_traits::ToPrimitive;

/// A big int as the nearest float; None if it is out of range.
pub fn big_to_f64(b: &BigInt) -> Option<f64> {
    let bits = b.bits();
    if bits <= 63 {
        return b.to_i64().map(|i| i as f64);
    }
    if bits > 1024 {
        return None;
    }
    // 64 significant bits with a sticky last one, rounded to even by the conversion.
    let shift = bits - 64;
    let magnitude = b.magnitude();
    let top = (magnitude >> shift).to_u64()?;
    let sticky = magnitude.trailing_zeros().is_some_and(|z| z < shift) as u64;
    let f = (top | sticky) as f64
        * 2f64.powi((shift / 2) as i32)
        * 2f64.powi((shift - shift / 2) as i32);
    let f = if b.sign() == num_bigint::Sign::Minus {
        -f
    } else {
        f
    };
    f.is_finite().then_some(f)
}

/// The operator as messages write it.
fn symbol(op: BinOp, inplace: bool) -> String {
    let s = BIN_NAMES[op as usize].3;
    match (op, inplace) {
        (BinOp::Pow, true) => "**=".to_string(),
        (_, true) => format!("{s}="),
        (_, false) => s.to_string(),
    }
}

/// The comparison with its operands exchanged.
fn swapped(op: CmpOp) -> CmpOp {
    match op {
        CmpOp::Lt => CmpOp::Gt,
        CmpOp::Le => CmpOp::Ge,
        CmpOp::Gt => CmpOp::Lt,
        CmpOp::Ge => CmpOp::Le,
        same => same,
    }
}

impl Vm {
    /// Asks the operands' types; NotImplemented if neither answers.
    fn binary_or_not(&self, op: BinOp, a: &Value, b: &Value) -> Res {
        let (ta, tb) = (self.type_ref(a), self.type_ref(b));
        let left = self.type_obj(a).slots().binary[op as usize];
        let mut right = None;
        if !ta.is(tb) {
            right = self.type_obj(b).slots().binary[op as usize];
            if right.map(|f| f as usize) == left.map(|f| f as usize) {
                right = None;
            }
        }
        if let Some(l) = left {
            if let Some(r) = right
                && self.type_obj(b).is_subtype(ta)
            {
                let v = r(self, a, b)?;
                if !v.is_not_implemented() {
                    return Ok(v);
                }
                right = None;
            }
            let v = l(self, a, b)?;
            if !v.is_not_implemented() {
                return Ok(v);
            }
        }
        match right {
            Some(r) => r(self, a, b),
            None => Ok(Value::NOT_IMPLEMENTED),
        }
    }

    /// `a op b`.
    pub fn binary(&self, op: BinOp, a: &Value, b: &Value) -> Res {
        let v = self.binary_or_not(op, a, b)?;
        if v.is_not_implemented() {
            Err(self.binary_error(op, a, b, false))
        } else {
            Ok(v)
        }
    }

    /// `a op= b`.
    pub fn inplace(&self, op: BinOp, a: &Value, b: &Value) -> Res {
        if let Some(f) = self.type_obj(a).slots().inplace[op as usize] {
            let v = f(self, a, b)?;
            if !v.is_not_implemented() {
                return Ok(v);
            }
        }
        let v = self.binary_or_not(op, a, b)?;
        if v.is_not_implemented() {
            Err(self.binary_error(op, a, b, true))
        } else {
            Ok(v)
        }
    }

    /// True if `+` on this value concatenates.
    pub fn concatenates(&self, v: &Value) -> bool {
        is_sequence_kind(v.kind())
    }

    /// `+` of a sequence with something else.
    #[cold]
    pub fn concat_error(&self, a: &Value, b: &Value) -> Raised {
        use crate::object::header::Kind;
        let got = self.type_name(b);
        match a.kind() {
            Kind::Bytes | Kind::ByteArray => {
                self.type_error(format!("can't concat {got} to {}", self.type_name(a)))
            }
            kind => {
                let name = self
                    .kind_type(kind)
                    .get::<TypeObj>()
                    .map(TypeObj::name_str)
                    .unwrap_or_default();
                self.type_error(format!(
                    "can only concatenate {name} (not \"{got}\") to {name}"
                ))
            }
        }
    }

    #[cold]
    fn binary_error(&self, op: BinOp, a: &Value, b: &Value, inplace: bool) -> Raised {
        if op == BinOp::Add && self.concatenates(a) {
            return self.concat_error(a, b);
        }
        if op == BinOp::Mul && (self.concatenates(a) || self.concatenates(b)) {
            let other = if self.concatenates(a) { b } else { a };
            return self.type_error(format!(
                "can't multiply sequence by non-int of type '{}'",
                self.type_name(other)
            ));
        }
        let text = format!(
            "unsupported operand type(s) for {}: '{}' and '{}'",
            symbol(op, inplace),
            self.type_name(a),
            self.type_name(b)
        );
        self.type_error(text)
    }

    /// `divmod(a, b)`.
    pub fn divmod(&self, a: &Value, b: &Value) -> Res {
        self.binary(BinOp::DivMod, a, b)
    }

    /// `-v`.
    pub fn neg(&self, v: &Value) -> Res {
        match self.type_obj(v).slots().neg {
            Some(f) => f(self, v),
            None => Err(self.unary_error("unary -", v)),
        }
    }
    /// `+v`.
    pub fn pos(&self, v: &Value) -> Res {
        match self.type_obj(v).slots().pos {
            Some(f) => f(self, v),
            None => Err(self.unary_error("unary +", v)),
        }
    }
    /// `~v`.
    pub fn invert(&self, v: &Value) -> Res {
        match self.type_obj(v).slots().invert {
            Some(f) => f(self, v),
            None => Err(self.unary_error("unary ~", v)),
        }
    }
    /// `abs(v)`.
    pub fn abs(&self, v: &Value) -> Res {
        match self.type_obj(v).slots().abs {
            Some(f) => f(self, v),
            None => Err(self.unary_error("abs()", v)),
        }
    }

    #[cold]
    fn unary_error(&self, what: &str, v: &Value) -> Raised {
        self.type_error(format!(
            "bad operand type for {what}: '{}'",
            self.type_name(v)
        ))
    }

    /// `a op b` for a comparison.
    pub fn compare(&self, op: CmpOp, a: &Value, b: &Value) -> Res {
        self.check_native_stack()?;
        let mut asked_right = false;
        if !self.type_ref(a).is(self.type_ref(b))
            && self.type_obj(b).is_subtype(self.type_ref(a))
            && let Some(f) = self.type_obj(b).slots().cmp
        {
            asked_right = true;
            let r = f(self, b, a, swapped(op))?;
            if !r.is_not_implemented() {
                return Ok(r);
            }
        }
        if let Some(f) = self.type_obj(a).slots().cmp {
            let r = f(self, a, b, op)?;
            if !r.is_not_implemented() {
                return Ok(r);
            }
        }
        if !asked_right && let Some(f) = self.type_obj(b).slots().cmp {
            let r = f(self, b, a, swapped(op))?;
            if !r.is_not_implemented() {
                return Ok(r);
            }
        }
        match op {
            CmpOp::Eq => Ok(Value::bool(a.is(b))),
            CmpOp::Ne => Ok(Value::bool(!a.is(b))),
            _ => {
                let sign = ["<", "<=", "==", "!=", ">", ">="][op as usize];
                Err(self.type_error(format!(
                    "'{sign}' not supported between instances of '{}' and '{}'",
                    self.type_name(a),
                    self.type_name(b)
                )))
            }
        }
    }
}
