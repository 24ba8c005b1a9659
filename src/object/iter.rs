//! Payloads of the views of dicts and of the builtin iterators. (Those of list, tuple and small ranges are in `seq`: bytecode knows them.)
//!
//! Rule: an exhausted iterator drops what it went over (the place becomes unbound) and stays exhausted.

#![allow(unsafe_code)]

use super::header::{Kind, Payload};
use super::heap::Heap;
use super::value::Value;
use num_bigint::BigInt;
use std::cell::{Cell, RefCell};

/// What a dict view or its iterator gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ViewOf {
    Keys,
    Values,
    Items,
}

/// `dict.keys()`, `dict.values()`, `dict.items()`, for K = 0, 1, 2.
pub struct DictView<const K: usize> {
    pub dict: Value,
}
pub type DictKeys = DictView<0>;
pub type DictValues = DictView<1>;
pub type DictItems = DictView<2>;

// SAFETY: each K has a kind of its own; the dict is visited once.
unsafe impl<const K: usize> Payload for DictView<K> {
    const KIND: Kind = [Kind::DictView, Kind::DictValues, Kind::DictItems][K];
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.dict)
    }
}

/// The iterators of the views (K = 0, 1, 2) and of the views reversed (K = 3, 4, 5).
pub struct DictIter<const K: usize> {
    pub dict: RefCell<Value>,
    /// Entry to look at next; when reversed, one above it.
    pub next: Cell<usize>,
    /// The dict's size at the start; usize::MAX after a change was reported, which then is reported again.
    pub size: Cell<usize>,
    /// Keys that remain.
    pub left: Cell<usize>,
}

// SAFETY: each K has a kind of its own; the dict is visited once.
unsafe impl<const K: usize> Payload for DictIter<K> {
    const KIND: Kind = [
        Kind::DictIter,
        Kind::DictValueIter,
        Kind::DictItemIter,
        Kind::DictRevKeyIter,
        Kind::DictRevValueIter,
        Kind::DictRevItemIter,
    ][K];
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        // SAFETY: safe points only, no borrow is held.
        visit(unsafe { &*self.dict.as_ptr() })
    }
}

impl Value {
    /// The dict behind a view, and which view it is.
    pub fn as_dict_view(&self) -> Option<(&Value, ViewOf)> {
        match self.kind() {
            Kind::DictView => self.get::<DictKeys>().map(|v| (&v.dict, ViewOf::Keys)),
            Kind::DictValues => self.get::<DictValues>().map(|v| (&v.dict, ViewOf::Values)),
            Kind::DictItems => self.get::<DictItems>().map(|v| (&v.dict, ViewOf::Items)),
            _ => None,
        }
    }
}

/// The iterator of sets and frozensets.
pub struct SetIter {
    pub set: RefCell<Value>,
    pub next: Cell<usize>,
    pub size: Cell<usize>,
    pub left: Cell<usize>,
}

/// `reversed(list)`: one above the index to give next.
pub struct ListRevIter {
    pub list: RefCell<Value>,
    pub next: Cell<usize>,
}

/// The iterator of objects that have only `__getitem__`.
pub struct SeqIter {
    pub seq: RefCell<Value>,
    pub next: Cell<i64>,
}

/// `reversed()` of a sequence: the index to give next, -1 at the end.
pub struct Reversed {
    pub seq: RefCell<Value>,
    pub next: Cell<i64>,
}

/// `iter(callable, sentinel)`.
pub struct CallIter {
    pub callable: RefCell<Value>,
    pub sentinel: RefCell<Value>,
}

pub struct Enumerate {
    pub iter: Value,
    /// An int of any size.
    pub count: RefCell<Value>,
}

pub struct Zip {
    pub iters: Vec<Value>,
    pub strict: bool,
}

pub struct Map {
    pub func: Value,
    pub iters: Vec<Value>,
    pub strict: bool,
}

pub struct Filter {
    /// None: truth.
    pub func: Value,
    pub iter: Value,
}

/// The iterator of a range whose parts do not all fit inline.
pub struct LongRangeIter {
    pub start: BigInt,
    pub step: BigInt,
    pub count: BigInt,
    pub next: RefCell<BigInt>,
}

// SAFETY: one type per kind; owns no Value.
unsafe impl Payload for LongRangeIter {
    const KIND: Kind = Kind::LongRangeIter;
    const TRACED: bool = false;
}

macro_rules! payload {
    ($($t:ident { $($cell:ident)* } { $($plain:ident)* } { $($vec:ident)* })*) => {$(
        // SAFETY: one type per kind; each value is visited once. The cells are read at safe points only, when no borrow is held.
        unsafe impl Payload for $t {
            const KIND: Kind = Kind::$t;
            fn trace(&self, visit: &mut dyn FnMut(&Value)) {
                $(visit(unsafe { &*self.$cell.as_ptr() });)*
                $(visit(&self.$plain);)*
                $(self.$vec.iter().for_each(&mut *visit);)*
                let _ = visit;
            }
        }
    )*};
}
payload! {
    SetIter {set} {} {}
    ListRevIter {list} {} {}
    SeqIter {seq} {} {}
    Reversed {seq} {} {}
    CallIter {callable sentinel} {} {}
    Enumerate {count} {iter} {}
    Zip {} {} {iters}
    Map {} {func} {iters}
    Filter {} {func iter} {}
}

/// Tells the heap about the payloads of this file.
pub fn register(heap: &Heap) {
    heap.register::<DictKeys>();
    heap.register::<DictValues>();
    heap.register::<DictItems>();
    heap.register::<DictIter<0>>();
    heap.register::<DictIter<1>>();
    heap.register::<DictIter<2>>();
    heap.register::<DictIter<3>>();
    heap.register::<DictIter<4>>();
    heap.register::<DictIter<5>>();
    heap.register::<SetIter>();
    heap.register::<ListRevIter>();
    heap.register::<SeqIter>();
    heap.register::<Reversed>();
    heap.register::<CallIter>();
    heap.register::<Enumerate>();
    heap.register::<Zip>();
    heap.register::<Map>();
    heap.register::<Filter>();
    heap.register::<LongRangeIter>();
}
