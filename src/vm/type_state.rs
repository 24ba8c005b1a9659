//! What a VM remembers about types: the method cache, parsed signatures, and native types that have no kind of their own.
//!
//! The method cache maps (type version, name) to what the MRO holds under that name, or to nothing. Versions are unique among all types and a change of a
//! type gives it and its subclasses new ones, so an entry never needs to be removed and never keeps its value alive.

#![allow(unsafe_code)]

use crate::object::native::Signature;
use crate::object::value::Value;
use std::cell::{Cell, RefCell, UnsafeCell};
use std::collections::HashMap;
use std::rc::Rc;

/// Number of entries; a power of two.
const CACHE_SIZE: usize = 4096;

/// `name` 0 marks an empty entry; `value` 0 means that no class in the MRO has the name.
#[derive(Clone, Copy, Default)]
struct Entry {
    name: u64,
    value: u64,
    version: u32,
}

/// Native types beside the one type of each kind.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Extra {
    /// Methods of native types, reached through the class.
    MethodDescriptor,
    /// Class methods of native types, in the class dict.
    ClassMethodDescriptor,
    /// A slot wrapper bound to an object.
    MethodWrapper,
    SimpleNamespace,
    /// `members` of enum-like native structures: `sys.version_info`, `os.stat_result`, ...
    StructSeq,
    Count,
}

/// See the module's head.
pub struct TypeState {
    cache: UnsafeCell<Box<[Entry]>>,
    next_version: Cell<u32>,
    extra: UnsafeCell<Vec<Value>>,
    /// Signatures of constructors, by the address of their text.
    pub signatures: RefCell<HashMap<usize, Rc<Signature>>>,
}

impl Default for TypeState {
    fn default() -> TypeState {
        TypeState {
            cache: UnsafeCell::new(vec![Entry::default(); CACHE_SIZE].into_boxed_slice()),
            next_version: Cell::new(1),
            extra: UnsafeCell::new(vec![Value::UNBOUND; Extra::Count as usize]),
            signatures: RefCell::default(),
        }
    }
}

#[inline(always)]
fn index(version: u32, name: u64) -> usize {
    ((name >> 4) ^ (version as u64).wrapping_mul(0x9E37_79B1)) as usize & (CACHE_SIZE - 1)
}

impl TypeState {
    /// A version that no type has had. (Four thousand million class changes end the program rather than give a wrong answer.)
    pub fn fresh_version(&self) -> u32 {
        let n = self.next_version.get();
        self.next_version.set(
            n.checked_add(1)
                .expect("four thousand million class changes"),
        );
        n
    }

    /// The cached answer: None if not cached, Some(0) for "no such attribute", else the bits of the value, which the class owns.
    #[inline(always)]
    pub fn cached(&self, version: u32, name: u64) -> Option<u64> {
        // SAFETY: one thread; no reference into the table is held across calls.
        let e = unsafe { &(&*self.cache.get())[index(version, name)] };
        if e.name == name && e.version == version {
            Some(e.value)
        } else {
            None
        }
    }

    pub fn remember(&self, version: u32, name: u64, value: u64) {
        // SAFETY: as above.
        unsafe {
            (&mut *self.cache.get())[index(version, name)] = Entry {
                name,
                value,
                version,
            }
        }
    }

    /// One of the extra native types (unbound until made).
    pub fn extra(&self, e: Extra) -> &Value {
        // SAFETY: written at start-up only.
        unsafe { &(&*self.extra.get())[e as usize] }
    }
    pub fn set_extra(&self, e: Extra, ty: Value) {
        // SAFETY: start-up only; no reference into the table is held.
        unsafe { (&mut *self.extra.get())[e as usize] = ty }
    }
}
