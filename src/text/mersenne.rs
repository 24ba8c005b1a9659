//! The Mersenne Twister MT19937 as CPython's `random` drives it: the same
//! seeds give the same numbers.

use super::error::TextError;
use num_bigint::{BigInt, BigUint, Sign};

const N: usize = 624;
const M: usize = 397;

/// The generator with its 624 words and the position in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mersenne {
    state: Box<[u32; N]>,
    index: usize,
}

impl Mersenne {
    fn init(seed: u32) -> Mersenne {
        let mut state = Box::new([0u32; N]);
        state[0] = seed;
        for at in 1..N {
            let last = state[at - 1];
            state[at] = (last ^ last >> 30)
                .wrapping_mul(1_812_433_253)
                .wrapping_add(at as u32);
        }
        Mersenne { state, index: N }
    }

    /// Seeds from an array of words, the least significant first.
    pub fn from_key(key: &[u32]) -> Mersenne {
        let key = if key.is_empty() { &[0][..] } else { key };
        let mut made = Mersenne::init(19_650_218);
        let state = &mut made.state;
        let (mut i, mut j) = (1, 0);
        for _ in 0..N.max(key.len()) {
            let last = state[i - 1];
            state[i] = (state[i] ^ (last ^ last >> 30).wrapping_mul(1_664_525))
                .wrapping_add(key[j])
                .wrapping_add(j as u32);
            i += 1;
            j += 1;
            if i >= N {
                state[0] = state[N - 1];
                i = 1;
            }
            if j >= key.len() {
                j = 0;
            }
        }
        for _ in 1..N {
            let last = state[i - 1];
            state[i] =
                (state[i] ^ (last ^ last >> 30).wrapping_mul(1_566_083_941)).wrapping_sub(i as u32);
            i += 1;
            if i >= N {
                state[0] = state[N - 1];
                i = 1;
            }
        }
        state[0] = 0x8000_0000;
        made
    }

    /// `random.seed(n)` for a word: its size is the seed.
    pub fn from_i64(seed: i64) -> Mersenne {
        let size = seed.unsigned_abs();
        let high = (size >> 32) as u32;
        let key = [size as u32, high];
        Mersenne::from_key(if high == 0 { &key[..1] } else { &key })
    }

    /// `random.seed(n)` for any integer.
    pub fn from_big(seed: &BigInt) -> Mersenne {
        Mersenne::from_key(&seed.magnitude().to_u32_digits())
    }

    fn refill(&mut self) {
        let mix = |upper: u32, lower: u32| {
            let y = (upper & 0x8000_0000) | (lower & 0x7fff_ffff);
            y >> 1 ^ if y & 1 == 1 { 0x9908_b0df } else { 0 }
        };
        let state = &mut self.state;
        for at in 0..N - M {
            state[at] = state[at + M] ^ mix(state[at], state[at + 1]);
        }
        for at in N - M..N - 1 {
            state[at] = state[at + M - N] ^ mix(state[at], state[at + 1]);
        }
        state[N - 1] = state[M - 1] ^ mix(state[N - 1], state[0]);
        self.index = 0;
    }

    /// The next 32 bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.index >= N {
            self.refill();
        }
        let mut y = self.state[self.index];
        self.index += 1;
        y ^= y >> 11;
        y ^= y << 7 & 0x9d2c_5680;
        y ^= y << 15 & 0xefc6_0000;
        y ^ y >> 18
    }

    /// `random.random()`: 53 bits in [0, 1).
    pub fn random(&mut self) -> f64 {
        let high = f64::from(self.next_u32() >> 5);
        let low = f64::from(self.next_u32() >> 6);
        (high * 67_108_864.0 + low) * (1.0 / 9_007_199_254_740_992.0)
    }

    /// `random.getrandbits(bits)` for up to 64 bits.
    pub fn bits64(&mut self, bits: u32) -> u64 {
        match bits {
            0 => 0,
            1..=32 => u64::from(self.next_u32() >> (32 - bits)),
            _ => {
                let low = u64::from(self.next_u32());
                let high = self.next_u32() >> (64 - bits.min(64));
                u64::from(high) << 32 | low
            }
        }
    }

    /// `random.getrandbits(bits)` of any size, the low words first.
    pub fn bits(&mut self, bits: u64) -> Result<BigInt, TextError> {
        let words = usize::try_from(bits.div_ceil(32)).map_err(|_| TextError::memory())?;
        let mut digits = Vec::new();
        digits.try_reserve(words).map_err(|_| TextError::memory())?;
        let mut left = bits;
        while left > 0 {
            let word = self.next_u32();
            digits.push(if left < 32 { word >> (32 - left) } else { word });
            left = left.saturating_sub(32);
        }
        Ok(BigInt::from_biguint(Sign::Plus, BigUint::new(digits)))
    }

    /// `random.randrange(limit)` for a positive limit: draws until one is
    /// below it, as `Random._randbelow` does.
    pub fn below(&mut self, limit: u64) -> u64 {
        if limit == 0 {
            return 0;
        }
        let bits = 64 - limit.leading_zeros();
        loop {
            let drawn = self.bits64(bits);
            if drawn < limit {
                return drawn;
            }
        }
    }

    /// The 624 words and the position: the middle of `random.getstate()`.
    pub fn state(&self) -> (&[u32], usize) {
        (&self.state[..], self.index)
    }

    /// Restores what `state` gave. CPython's checks on the tuple's form are
    /// the caller's; this refuses what cannot be a state.
    pub fn from_state(words: &[u32], index: usize) -> Result<Mersenne, TextError> {
        if words.len() != N {
            return Err(TextError::value("state vector is the wrong size"));
        }
        if index > N {
            return Err(TextError::value("invalid state"));
        }
        let mut state = Box::new([0; N]);
        state.copy_from_slice(words);
        Ok(Mersenne { state, index })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_cpython() {
        let mut r = Mersenne::from_i64(42);
        assert_eq!(r.random(), 0.6394267984578837);
        assert_eq!(r.random(), 0.025010755222666936);
        assert_eq!(r.bits64(40), 267469214295);
        assert_eq!(
            r.bits(100).map(|n| n.to_string()),
            Ok("137577423665220539048064734942".to_owned())
        );
        assert_eq!(r.below(1000), 692);
        let (words, index) = r.state();
        let mut again = Mersenne::from_state(words, index).expect("valid");
        assert_eq!(again.random(), r.random());
        assert!(Mersenne::from_state(&[1], 0).is_err());
        let mut wide = Mersenne::from_big(&(BigInt::from(1) << 100));
        assert_eq!(wide.random(), 0.7586581712996778);
        assert_eq!(Mersenne::from_i64(-42).random(), 0.6394267984578837);
        assert_eq!(Mersenne::from_i64(0).random(), 0.8444218515250481);
    }
}
