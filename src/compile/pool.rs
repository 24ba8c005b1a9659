//! The constants and names of one code object, each kept once.
//!
//! Rules:
//! 1. Constants are the same only if their types and values are: `0.0` and `-0.0`, `1`, `1.0` and `True` all differ,
//!    inside tuples, too.

use super::hash::{Fx, Map};
use super::{Res, fail};
use crate::bytecode::Const;
use corun_grammar::ast::{Name, Span};
use hashbrown::HashTable;
use std::hash::{Hash, Hasher};

#[derive(Default)]
pub struct Pool {
    pub consts: Vec<Const>,
    pub names: Vec<Name>,
    /// Indices into `consts`, by hash.
    const_index: HashTable<u32>,
    name_index: Map<Name, u16>,
}

impl Pool {
    pub fn constant(&mut self, value: Const, span: Span) -> Res<u16> {
        let hash = hash_of(&value);
        if let Some(&i) = self
            .const_index
            .find(hash, |&i| same(&self.consts[i as usize], &value))
        {
            return Ok(i as u16);
        }
        let i = self.consts.len();
        if i > u16::MAX as usize {
            return fail("too many constants in one code block", span);
        }
        self.consts.push(value);
        let consts = &self.consts;
        self.const_index
            .insert_unique(hash, i as u32, |&i| hash_of(&consts[i as usize]));
        Ok(i as u16)
    }

    pub fn name(&mut self, name: &Name, span: Span) -> Res<u16> {
        if let Some(&i) = self.name_index.get(name) {
            return Ok(i);
        }
        let i = self.names.len();
        if i > u16::MAX as usize {
            return fail("too many names in one code block", span);
        }
        self.names.push(name.clone());
        self.name_index.insert(name.clone(), i as u16);
        Ok(i as u16)
    }
}

fn hash_of(value: &Const) -> u64 {
    let mut hasher = Fx::default();
    hash_into(value, &mut hasher);
    hasher.finish()
}

fn hash_into(value: &Const, hasher: &mut Fx) {
    std::mem::discriminant(value).hash(hasher);
    match value {
        Const::None | Const::True | Const::False | Const::Ellipsis => {}
        Const::Int(n) => n.hash(hasher),
        Const::Float(x) => hasher.write_u64(x.to_bits()),
        Const::Complex(re, im) => {
            hasher.write_u64(re.to_bits());
            hasher.write_u64(im.to_bits());
        }
        Const::Str(s) => hasher.write(s.as_bytes()),
        Const::Bytes(b) => hasher.write(b),
        Const::Tuple(items) | Const::FrozenSet(items) => {
            items.iter().for_each(|i| hash_into(i, hasher))
        }
    }
}

/// The same type and value.
pub fn same(a: &Const, b: &Const) -> bool {
    match (a, b) {
        (Const::None, Const::None)
        | (Const::True, Const::True)
        | (Const::False, Const::False)
        | (Const::Ellipsis, Const::Ellipsis) => true,
        (Const::Int(a), Const::Int(b)) => a == b,
        (Const::Float(a), Const::Float(b)) => a.to_bits() == b.to_bits(),
        (Const::Complex(a, b), Const::Complex(c, d)) => {
            a.to_bits() == c.to_bits() && b.to_bits() == d.to_bits()
        }
        (Const::Str(a), Const::Str(b)) => a == b,
        (Const::Bytes(a), Const::Bytes(b)) => a == b,
        (Const::Tuple(a), Const::Tuple(b)) | (Const::FrozenSet(a), Const::FrozenSet(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        _ => false,
    }
}
