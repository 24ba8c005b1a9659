//! The head of every heap object, the list of payload kinds, and the trait that payload types implement.
//!
//! ```text
//!   Obj<T>:  count u32 | kind u8 | flags u8 | aux u16 | shape ptr | T | [tail]
//! ```
//! `tail` is what the payload itself appends (bytes of a str, items of a tuple, registers of a generator) or, for instances of script
//! classes, the attribute slots (see `instance`).
//!
//! Rules:
//! 1. `kind` never changes during a life; it says which `T` lives behind the header.
//! 2. `shape` leads to the type (`Shape::ty`) and, for instances, to the layout of the slots.

#![allow(unsafe_code)]

use super::shape::Shape;
use super::value::Value;
use std::cell::Cell;

/// What precedes every payload.
#[repr(C)]
pub struct Header {
    /// References that exist, the cycle collector's own excepted. 0 marks a free cell of the heap.
    pub count: Cell<u32>,
    pub kind: Kind,
    pub flags: Cell<u8>,
    /// For objects with a slot tail: how many slots are inline.
    pub aux: Cell<u16>,
    pub shape: Cell<*const Shape>,
}

/// Bits of `Header::flags`.
pub mod flag {
    /// Something must run before the object dies: `__del__`, a generator's `finally`, a never-awaited warning.
    pub const FINALIZE: u8 = 1;
    /// There are weak references to it.
    pub const WEAK: u8 = 2;
    /// It was allocated alone, not in a size-class page.
    pub const LARGE: u8 = 4;
    /// It has a slot tail (an instance of a script class).
    pub const SLOTS: u8 = 8;
    /// Its `__del__` has run; it will not run again (PEP 442).
    pub const FINALIZED: u8 = 16;
    /// The cycle collector visits it.
    pub const TRACED: u8 = 32;
    /// Used by the cycle collector while it runs.
    pub const MARK: u8 = 64;
    /// A str that is in the intern table.
    pub const INTERNED: u8 = 128;
}

/// A heap object with payload `T`.
#[repr(C)]
pub struct Obj<T> {
    pub header: Header,
    pub data: T,
}

/// The kinds of payload. Immediates have kinds too, so that one byte answers "what is this?".
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A free cell; never seen through a Value.
    Free,
    Unbound,
    None,
    Bool,
    Ellipsis,
    NotImplemented,
    Int,
    Float,
    Complex,
    Str,
    Bytes,
    ByteArray,
    MemoryView,
    Tuple,
    List,
    Dict,
    Set,
    FrozenSet,
    Range,
    Slice,
    Object,
    Type,
    Super,
    Function,
    Native,
    BoundMethod,
    Code,
    Cell,
    Spill,
    Module,
    Property,
    StaticMethod,
    ClassMethod,
    SlotDescr,
    GetSet,
    SlotWrapper,
    MappingProxy,
    Exception,
    Traceback,
    Frame,
    Generator,
    Coroutine,
    AsyncGenerator,
    AsyncGenSend,
    CoroutineWrapper,
    WeakRef,
    WeakProxy,
    ListIter,
    TupleIter,
    StrIter,
    BytesIter,
    RangeIter,
    SeqIter,
    DictIter,
    DictView,
    SetIter,
    CallIter,
    Reversed,
    Enumerate,
    Zip,
    Map,
    Filter,
    Itertool,
    Generic,
    Union,
    TypeVar,
    TypeAlias,
    Template,
    Interpolation,
    Deque,
    DefaultDict,
    OrderedDict,
    Partial,
    LruCache,
    ContextVar,
    Context,
    ContextToken,
    File,
    StringIo,
    BytesIo,
    Socket,
    Lock,
    Random,
    Pattern,
    Match,
    Scanner,
    Future,
    Task,
    Loop,
    Handle,
    FutureIter,
    Gather,
    Queue,
    Event,
    AioLock,
    Semaphore,
    Stream,
    StreamWriter,
    Server,
    Transport,
    NativeCoro,
    Awaiter,
    Hash,
    Struct,
    Thread,
    DictValues,
    DictItems,
    DictValueIter,
    DictItemIter,
    DictRevKeyIter,
    DictRevValueIter,
    DictRevItemIter,
    ListRevIter,
    LongRangeIter,
    TupleGetter,
    Getter,
    CmpKey,
    DequeIter,
    ContextIter,
    DirEntry,
    IoBase,
    Other1,
    Other2,
    Other3,
    Other4,
    Other5,
    Other6,
    Other7,
    TaskGroup,
    Last,
}

/// How many kinds there are.
pub const KINDS: usize = Kind::Last as usize;

/// A Rust type that can be a heap object's payload.
///
/// # Safety
/// `KIND` must be used by this type alone, and `trace` must visit every Value that the payload owns exactly once (the cycle
/// collector trusts the tally). A payload with a tail of its own visits the tail in `trace` and drops it in its `Drop`.
pub unsafe trait Payload: 'static {
    const KIND: Kind;
    /// True if the payload can be part of a cycle.
    const TRACED: bool = true;
    /// Visits the values that the payload owns.
    fn trace(&self, _visit: &mut dyn FnMut(&Value)) {}
    /// Drops the values that could close a cycle; the object stays usable, if empty.
    fn clear(&self) {}
}

/// What the heap must know of a payload type, by kind.
#[derive(Clone, Copy)]
pub struct KindInfo {
    /// Size of `Obj<T>`; the tail begins here.
    pub size: usize,
    pub traced: bool,
    /// # Safety: the pointer must be a live object of that kind; its payload is gone afterwards.
    pub drop: unsafe fn(*mut Header),
    /// # Safety: the pointer must be a live object of that kind.
    pub trace: unsafe fn(*mut Header, &mut dyn FnMut(&Value)),
    /// # Safety: the pointer must be a live object of that kind.
    pub clear: unsafe fn(*mut Header),
}

impl KindInfo {
    pub const fn of<T: Payload>() -> KindInfo {
        unsafe fn drop_it<T: Payload>(h: *mut Header) {
            // SAFETY: the heap calls this once, for an object of this kind.
            unsafe { std::ptr::drop_in_place(&raw mut (*(h as *mut Obj<T>)).data) }
        }
        unsafe fn trace_it<T: Payload>(h: *mut Header, visit: &mut dyn FnMut(&Value)) {
            // SAFETY: the caller says the object is live and of this kind.
            unsafe { (*(h as *mut Obj<T>)).data.trace(visit) }
        }
        unsafe fn clear_it<T: Payload>(h: *mut Header) {
            // SAFETY: as above.
            unsafe { (*(h as *mut Obj<T>)).data.clear() }
        }
        KindInfo {
            size: size_of::<Obj<T>>(),
            traced: T::TRACED,
            drop: drop_it::<T>,
            trace: trace_it::<T>,
            clear: clear_it::<T>,
        }
    }
    /// For kinds that nobody registered: nothing to drop.
    pub const fn none() -> KindInfo {
        unsafe fn nop(_: *mut Header) {}
        unsafe fn nop_trace(_: *mut Header, _: &mut dyn FnMut(&Value)) {}
        KindInfo {
            size: size_of::<Header>(),
            traced: false,
            drop: nop,
            trace: nop_trace,
            clear: nop,
        }
    }
}

/// Bytes before an object's payload.
pub const HEADER_SIZE: usize = size_of::<Header>();
