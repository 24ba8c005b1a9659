//! The payload of set and frozenset: an open-addressed table, laid out and grown exactly as CPython's, so that sets of ints (whose hashes
//! are not seeded) iterate in the same order here and there.
//!
//! The published facts (CPython's `setobject.c`): 8 entries at first; a probe looks at up to 10 neighbours, then jumps by
//! `i*5 + 1 + perturb`; removed entries stay as dummies and are not reused; the table grows when `fill*5 >= mask*3`, to the power of two
//! above 4 times the keys (twice beyond 50,000).
//!
//! Rules: as for dict: nothing here calls script code; `vm::set_ops` asks `==` where identity or text cannot tell, outside any borrow.

#![allow(unsafe_code)]

use super::dict::{Found, is_simple_key};
use super::header::{Kind, Payload};
use super::str::Str;
use super::value::Value;
use std::cell::{Cell, UnsafeCell};

const MIN_SIZE: usize = 8;
const LINEAR_PROBES: usize = 9;
const PERTURB_SHIFT: u32 = 5;

struct Entry {
    /// The script-level hash; for an unbound key 0 means never used and -1 (no key's hash) removed.
    hash: i64,
    key: Value,
}

impl Entry {
    const EMPTY: Entry = Entry {
        hash: 0,
        key: Value::UNBOUND,
    };

    fn is_empty(&self) -> bool {
        self.hash == 0 && self.key.is_unbound()
    }
}

#[derive(Default)]
struct Inner {
    /// Empty until the first key, then a power of two.
    table: Vec<Entry>,
    /// Keys and dummies.
    fill: usize,
    used: usize,
    /// Where `pop` goes on searching.
    finger: usize,
}

/// What set and frozenset share. See the module's head.
pub struct SetTable {
    inner: UnsafeCell<Inner>,
    /// Changes with every key added or removed, so that a look-up can tell that a comparison changed the set under it.
    pub version: Cell<u64>,
    /// Every key so far is equal to another only if identical or of equal text.
    simple: Cell<bool>,
    /// The cached hash of a frozenset; -1 until computed.
    pub hash: Cell<i64>,
}

#[repr(transparent)]
pub struct Set(pub SetTable);
#[repr(transparent)]
pub struct FrozenSet(pub SetTable);

macro_rules! payload {
    ($($t:ident)*) => {$(
        // SAFETY: one type per kind; each key is visited once.
        unsafe impl Payload for $t {
            const KIND: Kind = Kind::$t;
            fn trace(&self, visit: &mut dyn FnMut(&Value)) {
                self.0.inner().table.iter().for_each(|e| visit(&e.key))
            }
            fn clear(&self) {
                self.0.clear()
            }
        }
    )*};
}
payload!(Set FrozenSet);

impl Set {
    pub fn table(&self) -> &SetTable {
        &self.0
    }
}

impl Value {
    /// The table, if this is a set or a frozenset (or an instance of a subclass).
    #[inline(always)]
    pub fn as_set(&self) -> Option<&SetTable> {
        match self.kind() {
            Kind::Set => self.get::<Set>().map(|s| &s.0),
            Kind::FrozenSet => self.get::<FrozenSet>().map(|s| &s.0),
            _ => None,
        }
    }
}

impl Default for SetTable {
    fn default() -> SetTable {
        SetTable {
            inner: UnsafeCell::default(),
            version: Cell::new(0),
            simple: Cell::new(true),
            hash: Cell::new(-1),
        }
    }
}

fn same_text(a: &Value, b: &Value) -> bool {
    match (a.get::<Str>(), b.get::<Str>()) {
        (Some(x), Some(y)) => x.as_str() == y.as_str(),
        _ => false,
    }
}

/// Visits the places where a key with this hash can be, in order, until `f` gives something.
#[inline(always)]
fn probe<R>(
    table: &[Entry],
    hash: i64,
    mut f: impl FnMut(usize, &Entry) -> Option<R>,
) -> Option<R> {
    let mask = table.len().wrapping_sub(1);
    if table.is_empty() {
        return None;
    }
    let mut perturb = hash as u64;
    let mut i = hash as usize & mask;
    loop {
        let last = if i + LINEAR_PROBES <= mask {
            i + LINEAR_PROBES
        } else {
            i
        };
        for at in i..=last {
            if let Some(r) = f(at, &table[at]) {
                return Some(r);
            }
        }
        perturb >>= PERTURB_SHIFT;
        i = i
            .wrapping_mul(5)
            .wrapping_add(1)
            .wrapping_add(perturb as usize)
            & mask;
    }
}

impl Inner {
    /// The table's mask; a table that is not there yet counts as the smallest one.
    fn mask(&self) -> usize {
        self.table.len().max(MIN_SIZE) - 1
    }

    /// Puts a key into a table without dummies that lacks it.
    fn insert_clean(table: &mut [Entry], hash: i64, key: Value) {
        if let Some(at) = probe(table, hash, |at, e| e.key.is_unbound().then_some(at)) {
            table[at] = Entry { hash, key };
        }
    }

    fn resize(&mut self, at_least: usize) {
        let mut size = MIN_SIZE;
        while size <= at_least {
            size <<= 1;
        }
        let mut table = Vec::with_capacity(size);
        table.resize_with(size, || Entry::EMPTY);
        for e in std::mem::take(&mut self.table) {
            if !e.key.is_unbound() {
                Inner::insert_clean(&mut table, e.hash, e.key);
            }
        }
        self.table = table;
        self.fill = self.used;
    }

    fn grow(&mut self) {
        self.resize(if self.used > 50_000 {
            self.used * 2
        } else {
            self.used * 4
        });
    }
}

impl SetTable {
    #[inline(always)]
    fn inner(&self) -> &Inner {
        // SAFETY: one thread; references live only within methods that call no script code.
        unsafe { &*self.inner.get() }
    }
    #[allow(clippy::mut_from_ref)]
    #[inline(always)]
    fn inner_mut(&self) -> &mut Inner {
        // SAFETY: as `inner`; each method takes at most one such reference at a time.
        unsafe { &mut *self.inner.get() }
    }
    fn changed(&self) {
        self.version.set(self.version.get().wrapping_add(1));
    }

    /// Number of keys.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.inner().used
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first key at or after place `at` of the table, and its place.
    #[inline(always)]
    pub fn next_entry(&self, at: usize) -> Option<(usize, Value)> {
        let table = &self.inner().table;
        table
            .get(at..)?
            .iter()
            .position(|e| !e.key.is_unbound())
            .map(|n| (at + n, table[at + n].key.clone()))
    }

    /// As `next_entry`, with the hash.
    pub fn next_hashed(&self, at: usize) -> Option<(usize, Value, i64)> {
        let table = &self.inner().table;
        table
            .get(at..)?
            .iter()
            .position(|e| !e.key.is_unbound())
            .map(|n| (at + n, table[at + n].key.clone(), table[at + n].hash))
    }

    /// All keys, copied out.
    pub fn keys(&self) -> Vec<Value> {
        self.inner()
            .table
            .iter()
            .filter(|e| !e.key.is_unbound())
            .map(|e| e.key.clone())
            .collect()
    }
    /// All keys with their hashes, copied out.
    pub fn hashed_keys(&self) -> Vec<(i64, Value)> {
        self.inner()
            .table
            .iter()
            .filter(|e| !e.key.is_unbound())
            .map(|e| (e.hash, e.key.clone()))
            .collect()
    }

    /// Looks a key up without calling script code.
    #[inline]
    pub fn lookup_simple(&self, key: &Value, hash: i64) -> Found {
        let inner = self.inner();
        if inner.used == 0 {
            return Found::Missing;
        }
        let mut ask = false;
        let hit = probe(&inner.table, hash, |at, e| {
            if e.is_empty() {
                return Some(None);
            }
            if e.hash == hash && !e.key.is_unbound() {
                if e.key.is(key) || same_text(&e.key, key) {
                    return Some(Some(at));
                }
                ask = true;
            }
            None
        });
        match hit {
            Some(Some(at)) => Found::At(at),
            _ if ask && !(self.simple.get() && is_simple_key(key)) => Found::Ask,
            _ => Found::Missing,
        }
    }

    /// The keys (place, key) with this hash, for `Found::Ask`.
    pub fn candidates(&self, hash: i64) -> Vec<(usize, Value)> {
        let mut out = Vec::new();
        probe(&self.inner().table, hash, |at, e| {
            if e.hash == hash && !e.key.is_unbound() {
                out.push((at, e.key.clone()));
            }
            e.is_empty().then_some(())
        });
        out
    }

    /// Adds a key known to be missing.
    pub fn insert_new(&self, key: Value, hash: i64) {
        if !is_simple_key(&key) {
            self.simple.set(false);
        }
        let inner = self.inner_mut();
        if inner.table.is_empty() {
            inner.resize(0);
        }
        if let Some(at) = probe(&inner.table, hash, |at, e| e.is_empty().then_some(at)) {
            inner.table[at] = Entry { hash, key };
        }
        inner.fill += 1;
        inner.used += 1;
        if inner.fill * 5 >= inner.mask() * 3 {
            inner.grow();
        }
        self.changed();
    }

    /// Removes the key at a place that `lookup_simple` or `candidates` gave.
    pub fn remove_at(&self, at: usize) -> Value {
        let inner = self.inner_mut();
        let e = std::mem::replace(
            &mut inner.table[at],
            Entry {
                hash: -1,
                key: Value::UNBOUND,
            },
        );
        inner.used -= 1;
        self.changed();
        e.key
    }

    /// Removes some key.
    pub fn pop(&self) -> Option<Value> {
        let inner = self.inner_mut();
        if inner.used == 0 {
            return None;
        }
        let mask = inner.mask();
        let mut at = inner.finger & mask;
        while inner.table[at].key.is_unbound() {
            at = (at + 1) & mask;
        }
        inner.finger = at + 1;
        Some(self.remove_at(at))
    }

    pub fn clear(&self) {
        let old = std::mem::take(self.inner_mut());
        self.simple.set(true);
        self.changed();
        drop(old);
    }

    /// Makes room for `n` keys more, before a bulk insertion from a set or dict.
    pub fn reserve_for(&self, n: usize) {
        let inner = self.inner_mut();
        if (inner.fill + n) * 5 >= inner.mask() * 3 {
            inner.resize((inner.used + n) * 2);
        }
    }

    /// Fills an empty set with the keys of another; false if this one is not empty.
    pub fn fill_from(&self, other: &SetTable) -> bool {
        let (inner, from) = (self.inner_mut(), other.inner());
        if inner.fill != 0 || std::ptr::eq(self, other) {
            return false;
        }
        if from.used == 0 {
            return true;
        }
        if inner.table.is_empty() {
            inner.resize(0);
        }
        let copy = |e: &Entry| Entry {
            hash: e.hash,
            key: e.key.clone(),
        };
        if inner.table.len() == from.table.len() && from.fill == from.used {
            inner.table = from.table.iter().map(copy).collect();
        } else {
            for e in from.table.iter().filter(|e| !e.key.is_unbound()) {
                Inner::insert_clean(&mut inner.table, e.hash, e.key.clone());
            }
        }
        inner.fill = from.used;
        inner.used = from.used;
        self.simple.set(self.simple.get() && other.simple.get());
        self.changed();
        true
    }

    /// A copy, with the table that CPython's copy has.
    pub fn copy(&self) -> SetTable {
        let new = SetTable::default();
        new.reserve_for(self.len());
        new.fill_from(self);
        new
    }

    /// Rebuilds the table if more than a quarter of it is dummies (after bulk removal).
    pub fn tidy(&self) {
        let inner = self.inner_mut();
        if inner.fill - inner.used > inner.mask() / 4 {
            inner.grow();
        }
    }

    /// Exchanges the contents with a set that nobody else sees.
    pub fn take_from(&self, other: SetTable) {
        let SetTable { inner, simple, .. } = other;
        let old = std::mem::replace(self.inner_mut(), inner.into_inner());
        self.simple.set(simple.get());
        self.changed();
        drop(old);
    }

    /// Bytes of the table, for `__sizeof__`.
    pub fn table_bytes(&self) -> usize {
        self.inner().table.len() * size_of::<Entry>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(items: &[i64]) -> SetTable {
        let s = SetTable::default();
        for &i in items {
            if let Found::Missing = s.lookup_simple(&Value::small_unchecked(i), i) {
                s.insert_new(Value::small_unchecked(i), i);
            }
        }
        s
    }
    fn order(s: &SetTable) -> Vec<i64> {
        s.keys().iter().filter_map(Value::as_small).collect()
    }

    #[test]
    fn ints_come_in_cpythons_order() {
        assert_eq!(order(&of(&[5, 1, 9, 3])), [1, 3, 5, 9]);
        assert_eq!(order(&of(&[100, 7, 33, 64, 20])), [64, 33, 100, 7, 20]);
        assert_eq!(order(&of(&[1, 2, 3, 10])), [10, 1, 2, 3]);
    }

    #[test]
    fn removed_keys_are_not_found() {
        let s = of(&[1, 2, 3]);
        if let Found::At(at) = s.lookup_simple(&Value::small_unchecked(2), 2) {
            s.remove_at(at);
        }
        assert!(matches!(
            s.lookup_simple(&Value::small_unchecked(2), 2),
            Found::Missing
        ));
        assert_eq!(s.len(), 2);
        assert_eq!(s.pop().and_then(|v| v.as_small()), Some(1));
    }
}
