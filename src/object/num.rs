//! Payloads of boxed numbers. Small ints and most floats live in the Value itself (see `value`).

#![allow(unsafe_code)]

use super::header::{Kind, Payload};
use num_bigint::BigInt;

/// An int beyond 63 bits, or an instance of a subclass of int (then any size).
pub struct Int(pub BigInt);
/// A float whose exponent does not fit inline, or an instance of a subclass of float.
pub struct Float(pub f64);
/// A complex number.
#[derive(Clone, Copy)]
pub struct Complex {
    pub re: f64,
    pub im: f64,
}

// SAFETY: one type per kind; none owns a Value.
unsafe impl Payload for Int {
    const KIND: Kind = Kind::Int;
    const TRACED: bool = false;
}
// SAFETY: as above.
unsafe impl Payload for Float {
    const KIND: Kind = Kind::Float;
    const TRACED: bool = false;
}
// SAFETY: as above.
unsafe impl Payload for Complex {
    const KIND: Kind = Kind::Complex;
    const TRACED: bool = false;
}
