//! Ints of either size as Rust sees them, and conversions that the number types share.

use crate::object::num::Int;
use crate::object::value::Value;
use crate::text::TextError;
use crate::text::int_text::{DEFAULT_MAX_DIGITS, Int as TextInt};
use crate::text::numconv::big_to_f64;
use crate::vm::{Res, Vm};
use num_bigint::{BigInt, Sign};
use num_traits::ToPrimitive;
use std::borrow::Cow;
use std::cell::Cell;

/// An int (or bool, or an instance of a subclass), without copying it.
#[derive(Clone, Copy)]
pub enum IntRef<'a> {
    Small(i64),
    /// Never a value that fits 64 bits.
    Big(&'a BigInt),
}

impl<'a> IntRef<'a> {
    /// None if the value is no int.
    #[inline]
    pub fn of(v: &'a Value) -> Option<IntRef<'a>> {
        if let Some(i) = v.as_small() {
            return Some(IntRef::Small(i));
        }
        if let Some(i) = v.get::<Int>() {
            return Some(match i.0.to_i64() {
                Some(i) => IntRef::Small(i),
                None => IntRef::Big(&i.0),
            });
        }
        v.as_bool().map(|b| IntRef::Small(b as i64))
    }

    pub fn to_big(self) -> Cow<'a, BigInt> {
        match self {
            IntRef::Small(i) => Cow::Owned(BigInt::from(i)),
            IntRef::Big(b) => Cow::Borrowed(b),
        }
    }
    pub fn is_negative(self) -> bool {
        match self {
            IntRef::Small(i) => i < 0,
            IntRef::Big(b) => b.sign() == Sign::Minus,
        }
    }
    pub fn is_zero(self) -> bool {
        matches!(self, IntRef::Small(0))
    }
    /// The nearest float; OverflowError beyond the range.
    pub fn to_f64(self) -> Result<f64, TextError> {
        match self {
            IntRef::Small(i) => Ok(i as f64),
            IntRef::Big(b) => big_to_f64(b),
        }
    }
}

/// Most digits that conversions between int and decimal text allow (`sys.set_int_max_str_digits`); 0: no limit. An extension of the VM.
pub struct MaxDigits(pub Cell<usize>);

impl Default for MaxDigits {
    fn default() -> MaxDigits {
        MaxDigits(Cell::new(DEFAULT_MAX_DIGITS))
    }
}

impl Vm {
    pub fn max_digits(&self) -> usize {
        self.extension::<MaxDigits>().0.get()
    }

    /// An int of the `text` algorithms.
    pub fn int_from_text(&self, i: TextInt) -> Value {
        match i {
            TextInt::Small(i) => self.int(i),
            TextInt::Big(b) => self.big(b),
        }
    }

    /// A number as a float if it is a float or an int: what float arithmetic takes. None for everything else.
    #[inline]
    pub fn real_operand(&self, v: &Value) -> Res<Option<f64>> {
        if let Some(f) = v.as_float() {
            return Ok(Some(f));
        }
        match IntRef::of(v) {
            Some(i) => i.to_f64().map(Some).map_err(|e| self.text_error(e)),
            None => Ok(None),
        }
    }
}
