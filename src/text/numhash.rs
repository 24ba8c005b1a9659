//! Hashes of numbers as CPython computes them: reduction modulo 2**61 - 1, so
//! that equal numbers of different types hash alike.

use num_bigint::{BigInt, Sign};

const BITS: u32 = 61;
const MODULUS: u64 = (1 << BITS) - 1;
const INFINITY: i64 = 314_159;
const IMAG: u64 = 1_000_003;

/// -1 is not a hash in CPython.
fn settle(hash: i64) -> i64 {
    if hash == -1 { -2 } else { hash }
}

fn signed(size: u64, negative: bool) -> i64 {
    // Sizes stay below 2**61.
    settle(if negative {
        -(size as i64)
    } else {
        size as i64
    })
}

/// `hash(n)` of a word.
pub fn hash_i64(value: i64) -> i64 {
    signed(value.unsigned_abs() % MODULUS, value < 0)
}

/// `hash(n)` of a big integer.
pub fn hash_big(value: &BigInt) -> i64 {
    let mut size: u128 = 0;
    for digit in value.magnitude().to_u64_digits().iter().rev() {
        size = (size << 64 | u128::from(*digit)) % u128::from(MODULUS);
    }
    signed(size as u64, value.sign() == Sign::Minus)
}

/// `hash(x)` of a float. A nan answers 0: CPython hashes nans by identity, and
/// only the caller knows the object.
pub fn hash_f64(x: f64) -> i64 {
    if x.is_nan() {
        return 0;
    }
    if x.is_infinite() {
        return if x > 0.0 { INFINITY } else { -INFINITY };
    }
    if x.abs() < 9e18 && x == x.trunc() {
        return hash_i64(x as i64);
    }
    let bits = x.to_bits();
    let biased = ((bits >> 52) & 0x7ff) as i32;
    let fraction = bits & ((1 << 52) - 1);
    let (mantissa, exponent) = if biased == 0 {
        (fraction, -1074)
    } else {
        (fraction | 1 << 52, biased - 1075)
    };
    // Multiplying by a power of two is a rotation modulo 2**61 - 1.
    let turn = exponent.rem_euclid(BITS as i32) as u32;
    let size = if turn == 0 {
        mantissa
    } else {
        (mantissa << turn & MODULUS) | mantissa >> (BITS - turn)
    };
    signed(size % MODULUS, x < 0.0)
}

/// `hash(complex(re, im))`, nans as in `hash_f64`.
pub fn hash_complex(re: f64, im: f64) -> i64 {
    let sum = (hash_f64(re) as u64).wrapping_add(IMAG.wrapping_mul(hash_f64(im) as u64));
    settle(sum as i64)
}

/// `hash(items)` of a tuple from the hashes of its items.
pub fn hash_tuple(items: impl ExactSizeIterator<Item = i64>) -> i64 {
    const P1: u64 = 11_400_714_785_074_694_791;
    const P2: u64 = 14_029_467_366_897_019_727;
    const P5: u64 = 2_870_177_450_012_600_261;
    let length = items.len() as u64;
    let mut acc = P5;
    for item in items {
        acc = acc
            .wrapping_add((item as u64).wrapping_mul(P2))
            .rotate_left(31)
            .wrapping_mul(P1);
    }
    acc = acc.wrapping_add(length ^ P5 ^ 3_527_539);
    if acc == u64::MAX {
        1_546_275_796
    } else {
        acc as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(hash_i64(-1), -2);
        assert_eq!(hash_i64(1 << 61), 1);
        assert_eq!(hash_i64((1 << 61) - 1), 0);
        assert_eq!(hash_i64(i64::MIN), -4);
        assert_eq!(hash_f64(1.5), 1152921504606846977);
        assert_eq!(hash_f64(-1.0), -2);
        assert_eq!(hash_f64(0.1), 230584300921369408);
        assert_eq!(hash_f64(1e300), 1224995262755759164);
        assert_eq!(hash_f64(f64::INFINITY), 314159);
        assert_eq!(
            hash_big(&num_traits::pow(BigInt::from(10), 30)),
            465258685558744706
        );
        assert_eq!(hash_complex(1.5, 2.5), 4611686018429387911);
        assert_eq!(hash_tuple([1, 2, 3].into_iter()), 529344067295497451);
        assert_eq!(hash_tuple([].into_iter()), 5740354900026072187);
    }
}
