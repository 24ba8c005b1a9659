//! Which registers surely hold a value: the set that definite assignment works on.
//!
//! The rules of the analysis stand in `unit.rs`, which carries the sets along while code is written.

/// One bit per register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bits(pub [u64; 4]);

impl Bits {
    pub const NONE: Bits = Bits([0; 4]);
    /// For places that cannot be reached: whatever is asked there holds.
    pub const ALL: Bits = Bits([u64::MAX; 4]);

    pub fn set(&mut self, reg: u8) {
        self.0[reg as usize / 64] |= 1 << (reg % 64);
    }
    pub fn unset(&mut self, reg: u8) {
        self.0[reg as usize / 64] &= !(1 << (reg % 64));
    }
    pub fn has(self, reg: u8) -> bool {
        self.0[reg as usize / 64] & 1 << (reg % 64) != 0
    }
    pub fn and(self, other: Bits) -> Bits {
        let mut out = self;
        out.0.iter_mut().zip(other.0).for_each(|(a, b)| *a &= b);
        out
    }
    pub fn without(self, other: Bits) -> Bits {
        let mut out = self;
        out.0.iter_mut().zip(other.0).for_each(|(a, b)| *a &= !b);
        out
    }
}
