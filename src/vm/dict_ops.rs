//! Dict operations that may have to ask a key's `__hash__` or `__eq__`, and so may run script code.
//!
//! It stands on `object::dict`, which settles look-ups by identity and text. Where that cannot tell, the candidates are compared here, one by
//! one, outside any borrow; if a comparison changes the dict, the look-up starts over (as CPython's does).
//!
//! Rule: an index into a dict's entries is good only until script code runs; `dict_find` gives one that is good at its return.

use super::{Raised, Res, Vm};
use crate::object::dict::{Dict, Found};
use crate::object::header::flag;
use crate::object::str::Str;
use crate::object::value::Value;
use crate::text::numhash::hash_i64;
use crate::vm::raise::Exc;

impl Vm {
    /// The hash of a key: exact strs and inline ints here, the rest through the type.
    #[inline(always)]
    pub fn hash_key(&self, key: &Value) -> Res<i64> {
        if let Some(i) = key.as_small() {
            return Ok(hash_i64(i));
        }
        if let Some(s) = key.get::<Str>()
            && key
                .header()
                .is_some_and(|h| h.flags.get() & flag::SLOTS == 0)
        {
            return Ok(self.hash_str(s));
        }
        self.hash(key)
    }

    /// As `hash_key`, with the error that dict operations give for an unhashable key.
    #[inline(always)]
    pub fn hash_dict_key(&self, key: &Value) -> Res<i64> {
        self.hash_key(key)
            .map_err(|e| self.unhashable(e, key, "a dict key"))
    }

    /// Says what an unhashable value was meant to be, if the error is a plain TypeError.
    #[cold]
    pub(crate) fn unhashable(&self, e: Raised, key: &Value, role: &str) -> Raised {
        if !self.type_of(&e.0).is(self.exc_type(Exc::TypeError)) {
            return e;
        }
        match self.str_string(&e.0) {
            Ok(text) => self.type_error(format!(
                "cannot use '{}' as {role} ({text})",
                self.type_name(key)
            )),
            Err(other) => other,
        }
    }

    /// The index of the entry for a key with this hash.
    #[inline(always)]
    pub fn dict_find(&self, d: &Dict, key: &Value, hash: i64) -> Res<Option<usize>> {
        match d.lookup_simple(key, hash) {
            Found::At(i) => Ok(Some(i)),
            Found::Missing => Ok(None),
            Found::Ask => self.dict_find_slow(d, key, hash),
        }
    }

    #[cold]
    fn dict_find_slow(&self, d: &Dict, key: &Value, hash: i64) -> Res<Option<usize>> {
        'again: loop {
            match d.lookup_simple(key, hash) {
                Found::At(i) => return Ok(Some(i)),
                Found::Missing => return Ok(None),
                Found::Ask => {}
            }
            let version = d.version.get();
            for (i, candidate) in d.candidates(hash) {
                let equal = self.eq(&candidate, key)?;
                if d.version.get() != version {
                    continue 'again;
                }
                if equal {
                    return Ok(Some(i));
                }
            }
            return Ok(None);
        }
    }

    /// The value of a key.
    #[inline(always)]
    pub fn dict_get(&self, d: &Dict, key: &Value) -> Res<Option<Value>> {
        let hash = self.hash_dict_key(key)?;
        Ok(self.dict_find(d, key, hash)?.map(|i| d.value_at(i)))
    }

    pub fn dict_contains(&self, d: &Dict, key: &Value) -> Res<bool> {
        let hash = self.hash_dict_key(key)?;
        Ok(self.dict_find(d, key, hash)?.is_some())
    }

    /// Sets the value of a key. The key of an existing entry stays.
    #[inline(always)]
    pub fn dict_set(&self, d: &Dict, key: Value, value: Value) -> Res<()> {
        let hash = self.hash_dict_key(&key)?;
        self.dict_set_hashed(d, key, hash, value)
    }

    #[inline(always)]
    pub fn dict_set_hashed(&self, d: &Dict, key: Value, hash: i64, value: Value) -> Res<()> {
        match self.dict_find(d, &key, hash)? {
            Some(i) => drop(d.replace_at(i, value)),
            None => d.insert_new(key, hash, value),
        }
        Ok(())
    }

    /// Removes a key; gives its value.
    pub fn dict_del(&self, d: &Dict, key: &Value) -> Res<Option<Value>> {
        let hash = self.hash_dict_key(key)?;
        Ok(self.dict_find(d, key, hash)?.map(|i| d.remove_at(i).1))
    }

    /// The value of a key, set to `default` first if it is missing.
    pub fn dict_setdefault(&self, d: &Dict, key: &Value, default: Value) -> Res {
        let hash = self.hash_dict_key(key)?;
        match self.dict_find(d, key, hash)? {
            Some(i) => Ok(d.value_at(i)),
            None => {
                d.insert_new(key.clone(), hash, default.clone());
                Ok(default)
            }
        }
    }

    /// The value of a str key; never runs script code.
    #[inline(always)]
    pub fn dict_get_str(&self, d: &Dict, name: &Value) -> Option<Value> {
        self.dict_index_str(d, name).map(|i| d.value_at(i))
    }

    /// The entry of a str key; never runs script code.
    #[inline(always)]
    pub fn dict_index_str(&self, d: &Dict, name: &Value) -> Option<usize> {
        let hash = self.hash_str(name.get::<Str>()?);
        match d.lookup_simple(name, hash) {
            Found::At(i) => Some(i),
            _ => None,
        }
    }

    /// Sets the value of a str key; never runs script code.
    pub fn dict_set_str(&self, d: &Dict, name: &Value, value: Value) {
        let Some(s) = name.get::<Str>() else { return };
        let hash = self.hash_str(s);
        match d.lookup_simple(name, hash) {
            Found::At(i) => drop(d.replace_at(i, value)),
            _ => d.insert_new(name.clone(), hash, value),
        }
    }

    /// Removes a str key; never runs script code.
    pub fn dict_del_str(&self, d: &Dict, name: &Value) -> Option<Value> {
        self.dict_index_str(d, name).map(|i| d.remove_at(i).1)
    }

    /// Sets the items of another dict here. The other's entries are read live: it must not change size meanwhile.
    pub fn dict_update_dict(&self, d: &Dict, other: &Dict) -> Res<()> {
        if std::ptr::eq(d, other) {
            return Ok(());
        }
        let size = other.len();
        let mut at = 0;
        while let Some((i, key, value)) = other.next_entry(at) {
            let hash = other.entries()[i].hash;
            self.dict_set_hashed(d, key, hash, value)?;
            if other.len() != size {
                return Err(self.runtime_error("dict mutated during update"));
            }
            at = i + 1;
        }
        Ok(())
    }

    /// A new dict with these items.
    pub fn dict_value(&self, d: Dict) -> Value {
        self.alloc(d)
    }
}
