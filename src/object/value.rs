//! `Value`: one 64-bit word that holds any script value, and owns it.
//!
//! ```text
//!   63                                   3 2 1 0
//!  |  63-bit signed integer                   |1|   small int
//!  |  62 bits of a double, rotated          |1 0|   float (all common exponents)
//!  |  number of the singleton             |1 0 0|   None, True, False, Ellipsis, NotImplemented, unbound
//!  |  address of an Obj (8-byte aligned)  |0 0 0|   everything else
//! ```
//!
//! The question it answers: how can `a + b` on ints and floats run without touching memory, and without two words per
//! register? Ints carry their tag in the lowest bit, so that addition and comparison work on the tagged words. A double is
//! kept inline if its exponent is near 1.0 (the three top exponent bits are 011 or 100): rotating left by three brings those
//! bits to the bottom, where two of them are implied by the tag (the scheme of Ruby's flonum). Other doubles, such as 1e300,
//! -0.0, inf and nan, are boxed.
//!
//! Rules:
//! 1. Only `object/` and `vm/` look at the bits; everything else uses the methods.
//! 2. Clone counts up, Drop counts down; a drop never runs script code (see `heap`), so natives may drop anywhere.
//! 3. The word 0 is never a Value, so `Option<Value>` is one word too.

#![allow(unsafe_code)]

use super::header::{Header, Kind, Obj, Payload};
use super::heap;
use std::mem::ManuallyDrop;
use std::num::NonZeroU64;

/// An owned reference to any script value. See the module's head.
#[repr(transparent)]
pub struct Value(NonZeroU64);

const TAG_SPECIAL: u64 = 4;

const fn special(n: u64) -> Value {
    match NonZeroU64::new(n << 3 | TAG_SPECIAL) {
        Some(w) => Value(w),
        None => unreachable!(),
    }
}

/// The largest and smallest int kept inline.
pub const SMALL_MAX: i64 = (1 << 62) - 1;
pub const SMALL_MIN: i64 = -(1 << 62);

impl Value {
    pub const UNBOUND: Value = special(0);
    pub const NONE: Value = special(1);
    pub const FALSE: Value = special(2);
    pub const TRUE: Value = special(3);
    pub const ELLIPSIS: Value = special(4);
    pub const NOT_IMPLEMENTED: Value = special(5);

    pub const UNBOUND_BITS: u64 = TAG_SPECIAL;
    pub const NONE_BITS: u64 = 1 << 3 | TAG_SPECIAL;
    pub const FALSE_BITS: u64 = 2 << 3 | TAG_SPECIAL;
    pub const TRUE_BITS: u64 = 3 << 3 | TAG_SPECIAL;

    /// The raw word, still owned by `self`.
    #[inline(always)]
    pub fn bits(&self) -> u64 {
        self.0.get()
    }

    /// Takes over the reference that `bits` stands for.
    ///
    /// # Safety
    /// `bits` must come from `into_bits` (or an immediate), and its reference must not be owned elsewhere.
    #[inline(always)]
    pub unsafe fn from_bits(bits: u64) -> Value {
        debug_assert!(bits != 0);
        // SAFETY: the caller got the word from a Value, which is never 0.
        Value(unsafe { NonZeroU64::new_unchecked(bits) })
    }

    /// Gives up ownership without counting down.
    #[inline(always)]
    pub fn into_bits(self) -> u64 {
        ManuallyDrop::new(self).0.get()
    }

    #[inline(always)]
    pub const fn bool(b: bool) -> Value {
        if b { Value::TRUE } else { Value::FALSE }
    }

    /// An int that fits inline, or None.
    #[inline(always)]
    pub fn small(i: i64) -> Option<Value> {
        if (SMALL_MIN..=SMALL_MAX).contains(&i) {
            Some(Value::small_unchecked(i))
        } else {
            None
        }
    }

    /// An int known to fit inline (lengths, indices, 32-bit numbers).
    #[inline(always)]
    pub fn small_unchecked(i: i64) -> Value {
        debug_assert!((SMALL_MIN..=SMALL_MAX).contains(&i));
        // SAFETY: the tag bit makes the word non-zero, and an immediate needs no ownership.
        unsafe { Value::from_bits((i as u64) << 1 | 1) }
    }

    /// A float that fits inline, or None (then it must be boxed: `Vm::float`).
    #[inline(always)]
    pub fn inline_float(f: f64) -> Option<Value> {
        inline_float_bits(f).map(|bits| {
            // SAFETY: the tag makes the word non-zero, and an immediate needs no ownership.
            unsafe { Value::from_bits(bits) }
        })
    }

    #[inline(always)]
    pub fn is_small(&self) -> bool {
        self.bits() & 1 == 1
    }

    /// The int, if inline. Bools are not ints here.
    #[inline(always)]
    pub fn as_small(&self) -> Option<i64> {
        if self.is_small() {
            Some(self.bits() as i64 >> 1)
        } else {
            None
        }
    }

    #[inline(always)]
    pub fn is_inline_float(&self) -> bool {
        self.bits() & 3 == 2
    }

    /// The float, if it is exactly a float or an instance of a subclass.
    #[inline(always)]
    pub fn as_float(&self) -> Option<f64> {
        if self.is_inline_float() {
            return Some(float_from_bits(self.bits()));
        }
        self.get::<super::num::Float>().map(|f| f.0)
    }

    #[inline(always)]
    pub fn is_none(&self) -> bool {
        self.bits() == Value::NONE_BITS
    }
    #[inline(always)]
    pub fn is_unbound(&self) -> bool {
        self.bits() == Value::UNBOUND_BITS
    }
    #[inline(always)]
    pub fn is_true(&self) -> bool {
        self.bits() == Value::TRUE_BITS
    }
    #[inline(always)]
    pub fn is_false(&self) -> bool {
        self.bits() == Value::FALSE_BITS
    }
    pub fn as_bool(&self) -> Option<bool> {
        match self.bits() {
            Value::TRUE_BITS => Some(true),
            Value::FALSE_BITS => Some(false),
            _ => None,
        }
    }
    pub fn is_not_implemented(&self) -> bool {
        self.is(&Value::NOT_IMPLEMENTED)
    }
    /// Identity, as the script's `is`.
    #[inline(always)]
    pub fn is(&self, other: &Value) -> bool {
        self.bits() == other.bits()
    }
    /// None for the unbound marker (an argument that was not given).
    pub fn given(&self) -> Option<&Value> {
        if self.is_unbound() { None } else { Some(self) }
    }
    /// None for the script's None and for the unbound marker.
    pub fn non_none(&self) -> Option<&Value> {
        if self.is_unbound() || self.is_none() {
            None
        } else {
            Some(self)
        }
    }

    #[inline(always)]
    pub fn is_heap(&self) -> bool {
        self.bits() & 7 == 0
    }

    /// The header, if this is a heap object.
    #[inline(always)]
    pub fn header(&self) -> Option<&Header> {
        // SAFETY: tag 000 marks the address of a live Obj, kept alive by the count that `self` owns.
        if self.is_heap() {
            Some(unsafe { &*(self.bits() as *const Header) })
        } else {
            None
        }
    }

    /// The kind of payload; immediates answer as their boxed forms do.
    #[inline(always)]
    pub fn kind(&self) -> Kind {
        let b = self.bits();
        if b & 1 == 1 {
            Kind::Int
        } else if b & 3 == 2 {
            Kind::Float
        } else if b & 7 == 0 {
            // SAFETY: as in `header`.
            unsafe { (*(b as *const Header)).kind }
        } else {
            match b {
                Value::TRUE_BITS | Value::FALSE_BITS => Kind::Bool,
                Value::NONE_BITS => Kind::None,
                Value::UNBOUND_BITS => Kind::Unbound,
                b if b == Value::ELLIPSIS.bits() => Kind::Ellipsis,
                _ => Kind::NotImplemented,
            }
        }
    }

    /// The payload, if this is a heap object of that kind (instances of script subclasses included).
    #[inline(always)]
    pub fn get<T: Payload>(&self) -> Option<&T> {
        let h = self.header()?;
        if h.kind == T::KIND {
            // SAFETY: the kind says that an Obj<T> lives at this address.
            Some(unsafe { &(*(h as *const Header as *const Obj<T>)).data })
        } else {
            None
        }
    }

    /// The payload of a value whose kind is known.
    ///
    /// # Safety
    /// `self` must be a heap object of kind `T::KIND`.
    #[inline(always)]
    pub unsafe fn get_unchecked<T: Payload>(&self) -> &T {
        debug_assert!(self.get::<T>().is_some());
        // SAFETY: the caller's duty.
        unsafe { &(*(self.bits() as *const Obj<T>)).data }
    }

    #[inline(always)]
    pub fn is_kind<T: Payload>(&self) -> bool {
        self.get::<T>().is_some()
    }

    /// An identity number for `id()` and identity tables.
    pub fn id(&self) -> u64 {
        self.bits()
    }

    /// The reference count (1 for immediates).
    pub fn refcount(&self) -> u32 {
        self.header().map_or(1, |h| h.count.get())
    }
}

/// The tagged word of a float that fits inline.
#[inline(always)]
pub fn inline_float_bits(f: f64) -> Option<u64> {
    let bits = f.to_bits();
    // The top three exponent bits are 011 or 100: then adding 1 to them makes bit 2 set and bit 1 clear.
    if ((bits >> 60).wrapping_add(1)) & 6 == 4 && bits != 0x3000_0000_0000_0000 {
        Some(bits.rotate_left(3) & !3 | 2)
    } else if bits == 0 {
        // +0.0 has its own word: the encoding of the one double left out above.
        Some(ZERO_FLOAT)
    } else {
        None
    }
}

const ZERO_FLOAT: u64 = 0x3000_0000_0000_0000u64.rotate_left(3) & !3 | 2;

/// The float in a tagged word.
#[inline(always)]
pub fn float_from_bits(word: u64) -> f64 {
    if word == ZERO_FLOAT {
        return 0.0;
    }
    // The third exponent bit, now in bit 63, tells which pair was dropped: 1 means "01(1)", 0 means "10(0)".
    let low = 2 - (word >> 63);
    f64::from_bits((word & !3 | low).rotate_right(3))
}

impl Clone for Value {
    #[inline(always)]
    fn clone(&self) -> Value {
        if let Some(h) = self.header() {
            h.count.set(h.count.get().wrapping_add(1));
        }
        Value(self.0)
    }
}

impl Drop for Value {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(h) = self.header() {
            let n = h.count.get().wrapping_sub(1);
            h.count.set(n);
            if n == 0 {
                // SAFETY: that was the last reference; nobody else can reach the object.
                unsafe { heap::release(h as *const Header as *mut Header) }
            }
        }
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.as_small() {
            Some(i) => write!(f, "Value({i})"),
            None => write!(f, "Value({:?} {:#x})", self.kind(), self.bits()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_survive_the_tagging() {
        for f in [
            0.0,
            1.0,
            -1.0,
            0.5,
            3.25e10,
            -1e-20,
            1e76,
            3e-77,
            f64::from_bits(0x3000_0000_0000_0001),
        ] {
            let b = inline_float_bits(f).expect("common exponents fit");
            assert_eq!(b & 3, 2);
            assert_eq!(float_from_bits(b).to_bits(), f.to_bits());
        }
        for f in [
            -0.0,
            f64::NAN,
            f64::INFINITY,
            1e300,
            5e-324,
            f64::from_bits(0x3000_0000_0000_0000),
        ] {
            assert_eq!(inline_float_bits(f), None, "{f}");
        }
    }

    #[test]
    fn small_ints_keep_their_sign() {
        for i in [0, 1, -1, SMALL_MAX, SMALL_MIN] {
            assert_eq!(Value::small(i).expect("fits").as_small(), Some(i));
        }
        assert!(Value::small(SMALL_MAX + 1).is_none());
        assert_eq!(std::mem::size_of::<Option<Value>>(), 8);
    }
}
