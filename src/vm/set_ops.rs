//! Set operations that may have to ask a key's `__hash__` or `__eq__`, and so may run script code.
//!
//! It stands on `object::set` as `dict_ops` stands on `object::dict`, under the same rule: places in a table are good only until script
//! code runs.

use super::{Res, Vm};
use crate::object::dict::{Dict, Found};
use crate::object::header::Kind;
use crate::object::set::{FrozenSet, Set, SetTable};
use crate::object::value::Value;

impl Vm {
    #[inline(always)]
    pub fn hash_set_key(&self, key: &Value) -> Res<i64> {
        self.hash_key(key)
            .map_err(|e| self.unhashable(e, key, "a set element"))
    }

    /// The place of a key with this hash.
    #[inline(always)]
    pub fn set_find(&self, s: &SetTable, key: &Value, hash: i64) -> Res<Option<usize>> {
        match s.lookup_simple(key, hash) {
            Found::At(at) => Ok(Some(at)),
            Found::Missing => Ok(None),
            Found::Ask => self.set_find_slow(s, key, hash),
        }
    }

    #[cold]
    fn set_find_slow(&self, s: &SetTable, key: &Value, hash: i64) -> Res<Option<usize>> {
        'again: loop {
            match s.lookup_simple(key, hash) {
                Found::At(at) => return Ok(Some(at)),
                Found::Missing => return Ok(None),
                Found::Ask => {}
            }
            let version = s.version.get();
            for (at, candidate) in s.candidates(hash) {
                let equal = self.eq(&candidate, key)?;
                if s.version.get() != version {
                    continue 'again;
                }
                if equal {
                    return Ok(Some(at));
                }
            }
            return Ok(None);
        }
    }

    /// Adds a key; false if it was there.
    #[inline]
    pub fn set_add(&self, s: &SetTable, key: Value) -> Res<bool> {
        let hash = self.hash_set_key(&key)?;
        self.set_add_hashed(s, key, hash)
    }

    #[inline]
    pub fn set_add_hashed(&self, s: &SetTable, key: Value, hash: i64) -> Res<bool> {
        let missing = self.set_find(s, &key, hash)?.is_none();
        if missing {
            s.insert_new(key, hash);
        }
        Ok(missing)
    }

    pub fn set_has_hashed(&self, s: &SetTable, key: &Value, hash: i64) -> Res<bool> {
        Ok(self.set_find(s, key, hash)?.is_some())
    }

    /// The hash to look a key up by; an unhashable set stands for the frozenset of its keys.
    fn probe_hash(&self, key: &Value) -> Res<i64> {
        match self.hash_key(key) {
            Ok(h) => Ok(h),
            Err(_) if key.kind() == Kind::Set => match key.as_set() {
                Some(t) => Ok(frozenset_hash(t)),
                None => Ok(0),
            },
            Err(e) => Err(self.unhashable(e, key, "a set element")),
        }
    }

    /// `key in s`.
    #[inline]
    pub fn set_contains(&self, s: &SetTable, key: &Value) -> Res<bool> {
        let hash = self.probe_hash(key)?;
        self.set_has_hashed(s, key, hash)
    }

    /// Removes a key; false if it was not there.
    pub fn set_discard(&self, s: &SetTable, key: &Value) -> Res<bool> {
        let hash = self.probe_hash(key)?;
        self.set_discard_hashed(s, key, hash)
    }

    pub fn set_discard_hashed(&self, s: &SetTable, key: &Value, hash: i64) -> Res<bool> {
        match self.set_find(s, key, hash)? {
            Some(at) => {
                drop(s.remove_at(at));
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Adds all keys of an iterable.
    pub fn set_update(&self, s: &SetTable, from: &Value) -> Res<()> {
        if let Some(other) = from.as_set() {
            return self.set_merge(s, other);
        }
        if let Some(d) = from.get::<Dict>()
            && self.is_exact(from, Kind::Dict)
        {
            s.reserve_for(d.len());
            let mut at = 0;
            while let Some((i, key, _)) = d.next_entry(at) {
                let hash = d.entries()[i].hash;
                self.set_add_hashed(s, key, hash)?;
                at = i + 1;
            }
            return Ok(());
        }
        self.iterate(from, &mut |key| self.set_add(s, key).map(drop))
    }

    fn set_merge(&self, s: &SetTable, other: &SetTable) -> Res<()> {
        if std::ptr::eq(s, other) || other.is_empty() {
            return Ok(());
        }
        s.reserve_for(other.len());
        if s.fill_from(other) {
            return Ok(());
        }
        let mut at = 0;
        while let Some((i, key, hash)) = other.next_hashed(at) {
            self.set_add_hashed(s, key, hash)?;
            at = i + 1;
        }
        Ok(())
    }

    /// A new set of an iterable's keys.
    pub fn set_table(&self, from: &Value) -> Res<SetTable> {
        let t = SetTable::default();
        self.set_update(&t, from)?;
        Ok(t)
    }

    /// A new set.
    pub fn set(&self, t: SetTable) -> Value {
        self.alloc(Set(t))
    }
    /// A new set with these keys.
    pub fn set_of(&self, keys: Vec<Value>) -> Res {
        let t = SetTable::default();
        for key in keys {
            self.set_add(&t, key)?;
        }
        Ok(self.set(t))
    }
    pub fn frozenset(&self, t: SetTable) -> Value {
        self.alloc(FrozenSet(t))
    }

    /// The frozenset that the compiler made of a display of constants.
    pub fn frozenset_of_constants(&self, keys: Vec<Value>) -> Value {
        let t = SetTable::default();
        for key in keys {
            // Constants are hashable, and comparing them runs no script code.
            let added = self.set_add(&t, key);
            debug_assert!(added.is_ok(), "constants are hashable");
        }
        self.frozenset(t)
    }
}

/// The hash of a frozenset of these keys: CPython's, which does not depend on their order.
pub fn frozenset_hash(t: &SetTable) -> i64 {
    let mut hash: u64 = 0;
    let keys = t.hashed_keys();
    for (h, _) in &keys {
        let h = *h as u64;
        hash ^= ((h ^ 89869747) ^ (h << 16)).wrapping_mul(3644798167);
    }
    hash ^= (keys.len() as u64 + 1).wrapping_mul(1927868237);
    hash ^= (hash >> 11) ^ (hash >> 25);
    hash = hash.wrapping_mul(69069).wrapping_add(907133923);
    if hash == u64::MAX {
        590923713
    } else {
        hash as i64
    }
}
