//! The payload of dict: insertion-ordered entries and a hash table of indices into them.
//!
//! Rules:
//! 1. Nothing here calls script code. `lookup_simple` settles a look-up by identity, str text or not at all; when a key's `__eq__`
//!    must be asked, `candidates` gives the entries and the VM layer (`vm::dict_ops`) asks, outside any borrow.
//! 2. `version` changes whenever a key is added, removed or moved, never when a value is replaced: caches of "entry i" trust it.
//! 3. Old values are returned to the caller, who drops them after the borrow ends.

#![allow(unsafe_code)]

use super::header::{Kind, Payload};
use super::str::Str;
use super::value::Value;
use hashbrown::HashTable;
use std::cell::{Cell, UnsafeCell};

pub struct Entry {
    /// The script-level hash of the key.
    pub hash: i64,
    /// Unbound for a removed entry.
    pub key: Value,
    pub value: Value,
}

#[derive(Default)]
struct Inner {
    entries: Vec<Entry>,
    table: HashTable<u32>,
    used: usize,
}

/// See the module's head.
pub struct Dict {
    inner: UnsafeCell<Inner>,
    /// Rule 2. Unique among all dicts; 0 never occurs.
    pub version: Cell<u32>,
    /// Every key so far was an exact str, an inline int or a singleton: such keys are equal only if identical or of equal text.
    simple: Cell<bool>,
}

// SAFETY: one type per kind; every key and value is visited once.
unsafe impl Payload for Dict {
    const KIND: Kind = Kind::Dict;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        for e in self.entries() {
            visit(&e.key);
            visit(&e.value);
        }
    }
    fn clear(&self) {
        self.clear();
    }
}

/// What a look-up without script calls can say.
pub enum Found {
    /// The entry's index.
    At(usize),
    Missing,
    /// Entries with this hash must be compared by `==`.
    Ask,
}

thread_local! {
    static NEXT_VERSION: Cell<u32> = const { Cell::new(1) };
}

/// A number for `Dict::version` that no dict has had.
pub fn fresh_version() -> u32 {
    NEXT_VERSION.with(|v| {
        let n = v.get();
        v.set(n.wrapping_add(1).max(1));
        n
    })
}

/// Spreads a script-level hash over the bits that the table looks at.
#[inline(always)]
fn mix(hash: i64) -> u64 {
    (hash as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// True if equality with this key is settled by identity or text.
#[inline(always)]
pub fn is_simple_key(key: &Value) -> bool {
    key.is_small()
        || key.is_none()
        || key
            .header()
            .is_some_and(|h| h.kind == Kind::Str && h.flags.get() & super::header::flag::SLOTS == 0)
}

#[inline(always)]
fn same_text(a: &Value, b: &Value) -> bool {
    match (a.get::<Str>(), b.get::<Str>()) {
        (Some(x), Some(y)) => x.as_str() == y.as_str(),
        _ => false,
    }
}

impl Default for Dict {
    fn default() -> Dict {
        Dict {
            inner: UnsafeCell::default(),
            version: Cell::new(fresh_version()),
            simple: Cell::new(true),
        }
    }
}

impl Dict {
    pub fn with_capacity(n: usize) -> Dict {
        let d = Dict::default();
        let inner = d.inner_mut();
        inner.entries.reserve(n);
        inner.table.reserve(n, |_| 0);
        d
    }

    #[inline(always)]
    fn inner(&self) -> &Inner {
        // SAFETY: one thread; references live only within methods that call no script code (rule 1).
        unsafe { &*self.inner.get() }
    }
    #[allow(clippy::mut_from_ref)]
    #[inline(always)]
    fn inner_mut(&self) -> &mut Inner {
        // SAFETY: as `inner`; each method takes at most one such reference at a time.
        unsafe { &mut *self.inner.get() }
    }

    /// Number of keys.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.inner().used
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entries, removed ones included. Do not hold this while script code can run.
    #[inline(always)]
    pub fn entries(&self) -> &[Entry] {
        &self.inner().entries
    }

    /// The live entry at or after position `at`: its index, key and value.
    pub fn next_entry(&self, mut at: usize) -> Option<(usize, Value, Value)> {
        let entries = self.entries();
        while let Some(e) = entries.get(at) {
            if !e.key.is_unbound() {
                return Some((at, e.key.clone(), e.value.clone()));
            }
            at += 1;
        }
        None
    }

    /// The live entry at or before position `at` - 1, for reversed iteration.
    pub fn prev_entry(&self, at: usize) -> Option<(usize, Value, Value)> {
        let entries = self.entries();
        (0..at.min(entries.len()))
            .rev()
            .map(|i| (i, &entries[i]))
            .find(|(_, e)| !e.key.is_unbound())
            .map(|(i, e)| (i, e.key.clone(), e.value.clone()))
    }

    /// All items, copied out.
    pub fn items(&self) -> Vec<(Value, Value)> {
        self.entries()
            .iter()
            .filter(|e| !e.key.is_unbound())
            .map(|e| (e.key.clone(), e.value.clone()))
            .collect()
    }
    pub fn keys(&self) -> Vec<Value> {
        self.entries()
            .iter()
            .filter(|e| !e.key.is_unbound())
            .map(|e| e.key.clone())
            .collect()
    }

    /// Looks a key up without calling script code.
    #[inline(always)]
    pub fn lookup_simple(&self, key: &Value, hash: i64) -> Found {
        let inner = self.inner();
        if inner.used == 0 {
            return Found::Missing;
        }
        let entries = &inner.entries;
        let hit = inner.table.find(mix(hash), |&i| {
            let e = &entries[i as usize];
            e.hash == hash && (e.key.is(key) || same_text(&e.key, key))
        });
        match hit {
            Some(&i) => Found::At(i as usize),
            None if self.simple.get() && is_simple_key(key) => Found::Missing,
            None => {
                if inner
                    .table
                    .find(mix(hash), |&i| entries[i as usize].hash == hash)
                    .is_some()
                {
                    Found::Ask
                } else {
                    Found::Missing
                }
            }
        }
    }

    /// The entries (index, key) with this hash, for `Found::Ask`.
    pub fn candidates(&self, hash: i64) -> Vec<(usize, Value)> {
        let inner = self.inner();
        let mut out: Vec<(usize, Value)> = inner
            .table
            .iter_hash(mix(hash))
            .map(|&i| i as usize)
            .filter(|&i| inner.entries[i].hash == hash)
            .map(|i| (i, inner.entries[i].key.clone()))
            .collect();
        out.sort_by_key(|&(i, _)| i);
        out
    }

    /// The value of entry `i`.
    #[inline(always)]
    pub fn value_at(&self, i: usize) -> Value {
        self.inner().entries[i].value.clone()
    }

    /// Where entry `i` keeps its value, for inline caches guarded by `version`.
    ///
    /// # Safety
    /// `i` must be a live entry of the version that the caller has checked.
    #[inline(always)]
    pub unsafe fn value_ptr(&self, i: usize) -> *mut Value {
        // SAFETY: the caller's duty.
        unsafe { &raw mut (*(*self.inner.get()).entries.as_mut_ptr().add(i)).value }
    }

    /// Replaces the value of entry `i`; gives the old one.
    pub fn replace_at(&self, i: usize, value: Value) -> Value {
        std::mem::replace(&mut self.inner_mut().entries[i].value, value)
    }

    /// Adds a key known to be missing.
    pub fn insert_new(&self, key: Value, hash: i64, value: Value) {
        if !is_simple_key(&key) {
            self.simple.set(false);
        }
        let inner = self.inner_mut();
        if inner.entries.len() == inner.entries.capacity() && inner.used < inner.entries.len() / 2 {
            Self::compact(inner);
        }
        let i = inner.entries.len() as u32;
        inner.entries.push(Entry { hash, key, value });
        let entries = &inner.entries;
        inner
            .table
            .insert_unique(mix(hash), i, |&j| mix(entries[j as usize].hash));
        inner.used += 1;
        self.version.set(fresh_version());
    }

    fn compact(inner: &mut Inner) {
        inner.entries.retain(|e| !e.key.is_unbound());
        inner.table.clear();
        for (i, e) in inner.entries.iter().enumerate() {
            inner.table.insert_unique(mix(e.hash), i as u32, |_| 0);
        }
    }

    /// Removes entry `i`; gives its key and value.
    pub fn remove_at(&self, i: usize) -> (Value, Value) {
        let inner = self.inner_mut();
        let hash = inner.entries[i].hash;
        if let Ok(o) = inner.table.find_entry(mix(hash), |&j| j as usize == i) {
            o.remove();
        }
        inner.used -= 1;
        let e = &mut inner.entries[i];
        let key = std::mem::replace(&mut e.key, Value::UNBOUND);
        let value = std::mem::replace(&mut e.value, Value::UNBOUND);
        // Trailing holes go, so that popitem() is constant-time.
        while inner.entries.last().is_some_and(|e| e.key.is_unbound()) {
            inner.entries.pop();
        }
        self.version.set(fresh_version());
        (key, value)
    }

    /// Removes everything.
    pub fn clear(&self) {
        let old = std::mem::take(self.inner_mut());
        self.simple.set(true);
        self.version.set(fresh_version());
        drop(old);
    }

    /// A copy with the same entries.
    pub fn copy(&self) -> Dict {
        let inner = self.inner();
        let mut entries = Vec::with_capacity(inner.used);
        entries.extend(
            inner
                .entries
                .iter()
                .filter(|e| !e.key.is_unbound())
                .map(|e| Entry {
                    hash: e.hash,
                    key: e.key.clone(),
                    value: e.value.clone(),
                }),
        );
        let mut table = if entries.len() == inner.entries.len() {
            inner.table.clone()
        } else {
            HashTable::with_capacity(entries.len())
        };
        if entries.len() != inner.entries.len() {
            for (i, e) in entries.iter().enumerate() {
                table.insert_unique(mix(e.hash), i as u32, |_| 0);
            }
        }
        let used = entries.len();
        Dict {
            inner: UnsafeCell::new(Inner {
                entries,
                table,
                used,
            }),
            version: Cell::new(fresh_version()),
            simple: Cell::new(self.simple.get()),
        }
    }

    /// Number of entries including holes, the bound for `next_entry`.
    pub fn end(&self) -> usize {
        self.inner().entries.len()
    }
}
