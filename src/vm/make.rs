//! Making values: ints of any size, floats, strs (interned or not), bytes, lists, tuples, dicts.

#![allow(unsafe_code)]

use super::Vm;
use crate::object::dict::Dict;
use crate::object::func::{Cell_, CodeObj};
use crate::object::header::{Kind, flag};
use crate::object::heap::Heap;
use crate::object::num::{Complex, Float, Int};
use crate::object::seq::{ByteArray, Bytes, List, Tuple};
use crate::object::str::Str;
use crate::object::value::Value;
use num_bigint::BigInt;
use num_traits::ToPrimitive;
use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher, Hasher};

/// Tells the heap about the payload types of `object/`. Other layers register theirs before making the first.
pub fn register_kinds(heap: &Heap) {
    use crate::object::{dict, exception, func, generator, native, num, seq, str, types, weak};
    heap.register::<num::Int>();
    heap.register::<num::Float>();
    heap.register::<num::Complex>();
    heap.register::<str::Str>();
    heap.register::<seq::Tuple>();
    heap.register::<seq::List>();
    heap.register::<seq::Bytes>();
    heap.register::<seq::ByteArray>();
    heap.register::<seq::Range>();
    heap.register::<seq::RangeIter>();
    heap.register::<seq::ListIter>();
    heap.register::<seq::TupleIter>();
    heap.register::<seq::Slice>();
    heap.register::<dict::Dict>();
    heap.register::<types::TypeObj>();
    heap.register::<types::GetSet>();
    heap.register::<types::SlotDescr>();
    heap.register::<native::Native>();
    heap.register::<func::CodeObj>();
    heap.register::<func::Function>();
    heap.register::<func::BoundMethod>();
    heap.register::<func::Cell_>();
    heap.register::<func::Spill>();
    heap.register::<func::Property>();
    heap.register::<func::StaticMethod>();
    heap.register::<func::ClassMethod>();
    heap.register::<func::Super>();
    heap.register::<func::Module>();
    heap.register::<func::Object>();
    heap.register::<exception::Exception>();
    heap.register::<exception::Traceback>();
    heap.register::<exception::FrameObj>();
    heap.register::<generator::Generator>();
    heap.register::<generator::Coroutine>();
    heap.register::<generator::AsyncGenerator>();
    heap.register::<weak::WeakRef>();
    super::gen_methods::register(heap);
    crate::object::iter::register(heap);
    crate::modules::registry::register(heap);
    crate::object::text::register(heap);
    heap.register::<crate::object::set::Set>();
    heap.register::<crate::object::set::FrozenSet>();
}

/// Interned names, one-character strs and the empty tuple: the first values of a VM. Their types do not exist yet; `builtins::boot`
/// gives them their shapes with `adopt_early`.
pub fn boot_strs(vm: &mut Vm) {
    let ascii = (0..128u8)
        .map(|c| vm.intern((c as char).encode_utf8(&mut [0; 4])))
        .chain([vm.intern("")])
        .collect();
    vm.ascii = std::cell::UnsafeCell::new(ascii);
    vm.names = super::names::Names::new(vm);
    vm.modules = vm.dict();
    vm.builtins = vm.dict();
}

impl Vm {
    /// Gives the objects made before their types existed their shapes. Called once, when the core types stand.
    pub fn adopt_early(&self) {
        self.heap.each_object(&mut |h| {
            // SAFETY: the heap gives live objects only.
            unsafe {
                if (*h).shape.get().is_null() {
                    (*h).shape.set(self.kind_shape((*h).kind));
                }
            }
        });
    }

    #[inline(always)]
    pub fn int(&self, i: i64) -> Value {
        Value::small(i).unwrap_or_else(|| self.alloc(Int(BigInt::from(i))))
    }
    pub fn int_u64(&self, i: u64) -> Value {
        match i64::try_from(i) {
            Ok(i) => self.int(i),
            Err(_) => self.alloc(Int(BigInt::from(i))),
        }
    }
    pub fn usize(&self, i: usize) -> Value {
        self.int_u64(i as u64)
    }
    pub fn int_i128(&self, i: i128) -> Value {
        match i64::try_from(i) {
            Ok(i) => self.int(i),
            Err(_) => self.alloc(Int(BigInt::from(i))),
        }
    }
    /// An int of any size, inline if it fits.
    pub fn big(&self, i: BigInt) -> Value {
        match i.to_i64().and_then(Value::small) {
            Some(v) => v,
            None => self.alloc(Int(i)),
        }
    }
    #[inline(always)]
    pub fn float(&self, f: f64) -> Value {
        match Value::inline_float(f) {
            Some(v) => v,
            None => self.boxed_float(f),
        }
    }
    #[cold]
    fn boxed_float(&self, f: f64) -> Value {
        self.alloc(Float(f))
    }
    pub fn complex(&self, re: f64, im: f64) -> Value {
        self.alloc(Complex { re, im })
    }

    /// A str. One-character ASCII strs and "" are shared.
    pub fn str(&self, s: &str) -> Value {
        if s.len() <= 1 {
            match s.as_bytes().first() {
                None => return self.names_empty(),
                Some(&b) => return self.ascii_char(b),
            }
        }
        let chars = if s.is_ascii() {
            s.len()
        } else {
            s.chars().count()
        };
        self.str_with(s, chars, 0)
    }
    /// A str of `chars` code points with room to grow in place.
    pub fn str_with(&self, s: &str, chars: usize, room: usize) -> Value {
        Str::alloc(&self.heap, self.kind_shape(Kind::Str), s, chars, room)
    }
    pub fn char(&self, c: char) -> Value {
        if c.is_ascii() {
            self.ascii_char(c as u8)
        } else {
            self.str(c.encode_utf8(&mut [0; 4]))
        }
    }
    /// A shared one-character str; `b` must be ASCII.
    pub fn ascii_char(&self, b: u8) -> Value {
        // SAFETY: the table is filled at start-up and never changed.
        unsafe { (&*self.ascii.get()).get(b as usize).cloned() }
            .unwrap_or_else(|| self.str_with(&(b as char).to_string(), 1, 0))
    }
    /// The shared "".
    #[inline(always)]
    pub fn names_empty(&self) -> Value {
        // SAFETY: as `ascii_char`; the entry after the characters is "".
        unsafe { (&*self.ascii.get()).get(128).cloned() }.unwrap_or_else(|| self.intern(""))
    }

    /// The one str with this text that attribute names and identifiers use.
    pub fn intern(&self, s: &str) -> Value {
        let hash = self.hash_bytes(s.as_bytes());
        if let Some(v) = self.interned.borrow().find(hash, |v| v.as_str() == Some(s)) {
            return v.clone();
        }
        let chars = if s.is_ascii() {
            s.len()
        } else {
            s.chars().count()
        };
        let v = self.str_with(s, chars, 0);
        if let Some(h) = v.header() {
            h.flags.set(h.flags.get() | flag::INTERNED);
        }
        self.interned
            .borrow_mut()
            .insert_unique(hash, v.clone(), |v| {
                self.hash_bytes(v.as_str().unwrap_or("").as_bytes())
            });
        v
    }
    /// The interned form of a str value (itself if it is interned already; a subclass instance gives a plain str).
    pub fn intern_value(&self, v: &Value) -> Value {
        match v.get::<Str>() {
            Some(s) if s.is_interned() => v.clone(),
            Some(s) => self.intern(s.as_str()),
            None => v.clone(),
        }
    }

    /// The seeded hash of text or bytes, never 0 and never negative as a script-level hash (which may be any value but -1).
    pub fn hash_bytes(&self, b: &[u8]) -> u64 {
        let mut h = foldhash::fast::FixedState::with_seed(self.hash_seed).build_hasher();
        h.write(b);
        h.finish() >> 1 | 1
    }
    /// The script-level hash of a str.
    #[inline(always)]
    pub fn hash_str(&self, s: &Str) -> i64 {
        let cached = s.cached_hash();
        if cached != 0 {
            return cached as i64;
        }
        let h = self.hash_bytes(s.as_str().as_bytes());
        s.set_hash(h);
        h as i64
    }

    pub fn bytes(&self, b: &[u8]) -> Value {
        self.alloc(Bytes {
            data: b.into(),
            hash: Cell::new(0),
        })
    }
    pub fn bytes_vec(&self, b: Vec<u8>) -> Value {
        self.alloc(Bytes {
            data: b.into_boxed_slice(),
            hash: Cell::new(0),
        })
    }
    pub fn bytearray(&self, b: Vec<u8>) -> Value {
        self.alloc(ByteArray {
            data: RefCell::new(b),
            exports: Cell::new(0),
        })
    }
    pub fn list(&self, items: Vec<Value>) -> Value {
        self.alloc(List::new(items))
    }
    pub fn tuple(&self, items: Vec<Value>) -> Value {
        self.tuple_from(items.into_iter())
    }
    pub fn tuple_from(&self, items: impl ExactSizeIterator<Item = Value>) -> Value {
        if items.len() == 0 {
            // SAFETY: written once, below; no reference is held.
            unsafe {
                if (*self.empty_tuple.get()).is_unbound() {
                    *self.empty_tuple.get() =
                        Tuple::alloc(&self.heap, self.kind_shape(Kind::Tuple), std::iter::empty());
                }
                return (*self.empty_tuple.get()).clone();
            }
        }
        Tuple::alloc(&self.heap, self.kind_shape(Kind::Tuple), items)
    }
    pub fn pair(&self, a: Value, b: Value) -> Value {
        self.tuple_from([a, b].into_iter())
    }
    /// A new empty dict.
    pub fn dict(&self) -> Value {
        self.alloc(Dict::default())
    }
    /// A cell for a closure.
    pub fn cell(&self, content: Value) -> Value {
        self.alloc(Cell_(RefCell::new(content)))
    }

    /// Loads a compiled code object.
    pub fn code(&self, code: &std::rc::Rc<crate::bytecode::Code>) -> Value {
        use crate::bytecode::flags;
        let simple =
            code.kwonlyargcount == 0 && code.flags & (flags::VARARGS | flags::VARKEYWORDS) == 0;
        self.alloc(CodeObj {
            code: code.clone(),
            instrs: std::cell::UnsafeCell::new(code.instrs.clone()),
            consts: code.consts.iter().map(|c| self.constant(c)).collect(),
            names: code.names.iter().map(|n| self.intern(n)).collect(),
            codes: code.codes.iter().map(|c| self.code(c)).collect(),
            varnames: code.varnames.iter().map(|n| self.intern(n)).collect(),
            name: self.intern(&code.name),
            qualname: self.intern(&code.qualname),
            filename: self.intern(&code.source.name),
            nregs: code.nregs,
            nlocals: code.nlocals,
            simple_argc: if simple { code.argcount } else { u32::MAX },
            flags: code.flags,
        })
    }

    fn constant(&self, c: &crate::bytecode::Const) -> Value {
        use crate::bytecode::Const;
        match c {
            Const::None => Value::NONE,
            Const::True => Value::TRUE,
            Const::False => Value::FALSE,
            Const::Ellipsis => Value::ELLIPSIS,
            Const::Int(i) => self.big(i.clone()),
            Const::Float(f) => self.float(*f),
            Const::Complex(re, im) => self.complex(*re, *im),
            Const::Str(s) if s.len() <= 32 => self.intern(s),
            Const::Str(s) => self.str(s),
            Const::Bytes(b) => self.bytes(b),
            Const::Tuple(items) => self.tuple(items.iter().map(|c| self.constant(c)).collect()),
            Const::FrozenSet(items) => {
                let items: Vec<Value> = items.iter().map(|c| self.constant(c)).collect();
                self.frozenset_of_constants(items)
            }
        }
    }
}
