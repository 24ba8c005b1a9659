//! The module `_random`: the Mersenne Twister MT19937 (Matsumoto and Nishimura 1998), seeded and read as CPython does, so that equal seeds give equal numbers.

#![allow(unsafe_code)]

use crate::builtins::support::{big_int, c_int, positional, this};
use crate::object::header::{Kind, Payload};
use crate::object::native::{Args, NativeDef, tuple_items};
use crate::object::types::{TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use num_bigint::BigUint;
use num_traits::ToPrimitive;
use std::cell::RefCell;

const N: usize = 624;
const M: usize = 397;

struct State {
    words: Box<[u32; N]>,
    at: usize,
}

pub struct Random(RefCell<State>);
// SAFETY: one type per kind; owns no Value.
unsafe impl Payload for Random {
    const KIND: Kind = Kind::Random;
    const TRACED: bool = false;
}

impl State {
    fn from_word(seed: u32) -> State {
        let mut words = Box::new([0u32; N]);
        words[0] = seed;
        for i in 1..N {
            words[i] = 1812433253u32
                .wrapping_mul(words[i - 1] ^ (words[i - 1] >> 30))
                .wrapping_add(i as u32);
        }
        State { words, at: N }
    }

    fn from_key(key: &[u32]) -> State {
        let mut s = State::from_word(19650218);
        let w = &mut s.words;
        let (mut i, mut j) = (1, 0);
        for _ in 0..N.max(key.len()) {
            w[i] = (w[i] ^ (w[i - 1] ^ (w[i - 1] >> 30)).wrapping_mul(1664525))
                .wrapping_add(key[j])
                .wrapping_add(j as u32);
            i += 1;
            j += 1;
            if i >= N {
                w[0] = w[N - 1];
                i = 1;
            }
            if j >= key.len() {
                j = 0;
            }
        }
        for _ in 0..N - 1 {
            w[i] = (w[i] ^ (w[i - 1] ^ (w[i - 1] >> 30)).wrapping_mul(1566083941))
                .wrapping_sub(i as u32);
            i += 1;
            if i >= N {
                w[0] = w[N - 1];
                i = 1;
            }
        }
        w[0] = 0x8000_0000;
        s
    }

    fn refill(&mut self) {
        let w = &mut self.words;
        for i in 0..N {
            let y = (w[i] & 0x8000_0000) | (w[(i + 1) % N] & 0x7fff_ffff);
            w[i] = w[(i + M) % N] ^ (y >> 1) ^ if y & 1 == 1 { 0x9908_b0df } else { 0 };
        }
        self.at = 0;
    }

    fn next(&mut self) -> u32 {
        if self.at >= N {
            self.refill();
        }
        let mut y = self.words[self.at];
        self.at += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// A float in [0, 1) with 53 random bits.
    fn float(&mut self) -> f64 {
        let (a, b) = (self.next() >> 5, self.next() >> 6);
        (a as f64 * 67108864.0 + b as f64) * (1.0 / 9007199254740992.0)
    }
}

/// Random bytes of the system.
pub fn system_random(out: &mut [u8]) -> std::io::Result<()> {
    for part in out.chunks_mut(256) {
        // SAFETY: the slice is valid for writing, and at most 256 bytes are asked for at once.
        if unsafe { libc::getentropy(part.as_mut_ptr() as *mut _, part.len()) } != 0 {
            return Err(std::io::Error::last_os_error());
        }
    }
    Ok(())
}

fn seeded(vm: &Vm, v: &Value) -> Res<State> {
    let Some(v) = v.non_none() else {
        let mut bytes = [0u8; N * 4];
        system_random(&mut bytes).map_err(|e| vm.os_error(&e, None))?;
        let key: Vec<u32> = bytes
            .chunks_exact(4)
            .map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]]))
            .collect();
        return Ok(State::from_key(&key));
    };
    let is_int = v.is_small() || v.as_bool().is_some() || v.kind() == Kind::Int;
    let n: BigUint = if is_int {
        big_int(v).into_parts().1
    } else {
        BigUint::from(vm.hash(v)? as u64)
    };
    let key = n.to_u32_digits();
    Ok(State::from_key(if key.is_empty() { &[0] } else { &key }))
}

fn new(vm: &Vm, class: &Value, args: Args) -> Res {
    let a = if class.is(&vm.native_type(&TYPE)) {
        positional(vm, "Random", args, 0, 1)?
    } else {
        args.pos()
    };
    let exact = class.is(&vm.native_type(&TYPE));
    // A subclass seeds in its `__init__`.
    let state = if exact || a.is_empty() {
        seeded(vm, a.first().unwrap_or(&Value::NONE))?
    } else {
        State::from_word(5489)
    };
    Ok(vm.alloc_as(class, Random(RefCell::new(state))))
}

fn random(vm: &Vm, a: &[Value]) -> Res {
    let f = this::<Random>(vm, &a[0])?.0.borrow_mut().float();
    Ok(vm.float(f))
}

fn seed(vm: &Vm, a: &[Value]) -> Res {
    let state = seeded(vm, &a[1])?;
    this::<Random>(vm, &a[0])?.0.replace(state);
    Ok(Value::NONE)
}

fn getrandbits(vm: &Vm, a: &[Value]) -> Res {
    let k = c_int(vm, &a[1])?;
    if k < 0 {
        return Err(vm.value_error("number of bits must be non-negative"));
    }
    let mut s = this::<Random>(vm, &a[0])?.0.borrow_mut();
    if k == 0 {
        return Ok(vm.int(0));
    }
    if k <= 32 {
        return Ok(vm.int((s.next() >> (32 - k)) as i64));
    }
    let mut left = k as u32;
    let mut words = Vec::with_capacity(left.div_ceil(32) as usize);
    while left > 0 {
        let w = s.next();
        words.push(if left < 32 { w >> (32 - left) } else { w });
        left = left.saturating_sub(32);
    }
    drop(s);
    Ok(vm.big(BigUint::new(words).into()))
}

fn getstate(vm: &Vm, a: &[Value]) -> Res {
    let s = this::<Random>(vm, &a[0])?.0.borrow();
    let mut out: Vec<Value> = s.words.iter().map(|&w| vm.int(w as i64)).collect();
    out.push(vm.usize(s.at));
    Ok(vm.tuple(out))
}

fn setstate(vm: &Vm, a: &[Value]) -> Res {
    if a[1].kind() != Kind::Tuple {
        return Err(vm.type_error("state vector must be a tuple"));
    }
    let items = tuple_items(&a[1]);
    if items.len() != N + 1 {
        return Err(vm.value_error("state vector is the wrong size"));
    }
    let mut words = Box::new([0u32; N]);
    for (w, v) in words.iter_mut().zip(items) {
        *w = big_int(&vm.index(v)?)
            .to_u64()
            .ok_or_else(|| vm.overflow_error("can't convert negative int to unsigned"))?
            as u32;
    }
    let at = vm.as_i64(&items[N], "index")?;
    if !(0..=N as i64).contains(&at) {
        return Err(vm.value_error("invalid state"));
    }
    this::<Random>(vm, &a[0])?.0.replace(State {
        words,
        at: at as usize,
    });
    Ok(Value::NONE)
}

static TYPE: TypeSpec = TypeSpec {
    name: "_random.Random",
    kind: Kind::Random,
    flags: tflag::BASETYPE,
    slots: |s| s.new = Some(new),
    methods: &[
        NativeDef {
            sig: "random(self, /)",
            f: random,
            doc: "random() -> x in the interval [0, 1).",
        },
        NativeDef {
            sig: "seed(self, n=None, /)",
            f: seed,
            doc: "seed([n]) -> None.\n\nDefaults to use urandom and falls back to a combination\nof the current time and the process identifier.",
        },
        NativeDef {
            sig: "getrandbits(self, k, /)",
            f: getrandbits,
            doc: "getrandbits(k) -> x.  Generates an int with k random bits.",
        },
        NativeDef {
            sig: "getstate(self, /)",
            f: getstate,
            doc: "getstate() -> tuple containing the current state.",
        },
        NativeDef {
            sig: "setstate(self, state, /)",
            f: setstate,
            doc: "setstate(state) -> None.  Restores generator state.",
        },
    ],
    doc: "Random() -> create a random number generator with its own internal state.",
    ..TypeSpec::EMPTY
};

pub fn init(vm: &Vm) -> Res {
    let m = vm.native_module(
        "_random",
        "Module implements the Mersenne Twister random number generator.",
        &[],
    );
    vm.module_types(&m, &[&TYPE]);
    Ok(m)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_cpython() {
        // random.seed(42): random() and getrandbits(32)
        assert_eq!(State::from_key(&[42]).float(), 0.6394267984578837);
        assert_eq!(State::from_key(&[42]).next(), 2746317213);
    }
}
