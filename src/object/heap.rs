//! The heap: size-class pages with free lists, release of dead objects, and the queue of finalizers.
//!
//! Every object up to 512 bytes lives in a 64 KiB page of cells of one size; larger ones are allocated alone. Pages can be walked
//! cell by cell, so the cycle collector needs no links in the objects.
//!
//! Rules:
//! 1. Releasing an object never runs script code: what must run (`__del__`, a generator's `finally`, a weak reference's callback) is
//!    queued, with the object kept alive, and the VM runs the queue before the next instruction. So natives may drop values anywhere.
//! 2. Long chains are freed by a worklist, not by recursion.
//! 3. One heap per thread that runs scripts; `Value`s never leave it. The current heap is found through a thread-local, since a
//!    `Drop` has no argument to bring it.

#![allow(unsafe_code)]

use super::header::{Header, KINDS, Kind, KindInfo, Obj, Payload, flag};
use super::shape::Shape;
use super::value::Value;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::{Cell, RefCell, UnsafeCell};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

const CELL_STEP: usize = 16;
const MAX_CELL: usize = 512;
const CLASSES: usize = MAX_CELL / CELL_STEP + 1;
const PAGE: usize = 64 * 1024;

thread_local! {
    static CURRENT: Cell<*const Heap> = const { Cell::new(std::ptr::null()) };
}

struct Page {
    base: *mut u8,
    cell: usize,
}

struct LargeCell {
    size: usize,
}

/// See the module's head.
pub struct Heap {
    free: [Cell<*mut Header>; CLASSES],
    /// Bump allocation in the newest page of each class: next and end.
    bump: [Cell<(*mut u8, *mut u8)>; CLASSES],
    pages: RefCell<Vec<Page>>,
    large: RefCell<HashMap<usize, LargeCell>>,
    kinds: UnsafeCell<[KindInfo; KINDS]>,
    /// Objects whose payload is being dropped push the next dead ones here.
    worklist: UnsafeCell<Vec<*mut Header>>,
    releasing: Cell<bool>,
    /// Objects that need a finalizer run; each holds one count.
    pending: RefCell<Vec<Value>>,
    /// Weak references by target address.
    weak: RefCell<HashMap<usize, Vec<*mut Header>>>,
    /// Weak references that died with a callback to be called.
    weak_pending: RefCell<Vec<Value>>,
    /// Something waits for the next safe point: finalizers, a due collection, a signal, a hand-over of the lock. Atomic, because signal
    /// handlers and other threads set it too.
    pub attention: AtomicBool,
    /// Traced objects allocated minus freed since the last collection.
    pub debt: Cell<i64>,
    /// `debt` beyond which a collection is due.
    pub threshold: Cell<i64>,
    /// All objects alive.
    pub live: Cell<usize>,
    pub collecting: Cell<bool>,
    /// Whether automatic collection is on (`gc.enable`).
    pub gc_enabled: Cell<bool>,
}

impl Heap {
    /// A heap that knows no kinds yet; `make_current` before the first allocation.
    pub fn new() -> Box<Heap> {
        Box::new(Heap {
            free: [const { Cell::new(std::ptr::null_mut()) }; CLASSES],
            bump: [const { Cell::new((std::ptr::null_mut(), std::ptr::null_mut())) }; CLASSES],
            pages: RefCell::new(Vec::new()),
            large: RefCell::new(HashMap::new()),
            kinds: UnsafeCell::new([const { KindInfo::none() }; KINDS]),
            worklist: UnsafeCell::new(Vec::new()),
            releasing: Cell::new(false),
            pending: RefCell::new(Vec::new()),
            weak: RefCell::new(HashMap::new()),
            weak_pending: RefCell::new(Vec::new()),
            attention: AtomicBool::new(false),
            debt: Cell::new(0),
            threshold: Cell::new(20_000),
            live: Cell::new(0),
            collecting: Cell::new(false),
            gc_enabled: Cell::new(true),
        })
    }

    /// Makes this the heap that drops on this thread go to; gives the one before (null if none).
    pub fn make_current(&self) -> *const Heap {
        CURRENT.with(|c| c.replace(self))
    }

    /// Tells the heap about a payload type. Must come before the first object of that kind.
    pub fn register<T: Payload>(&self) {
        // SAFETY: one thread, and no reference into the table is held across this call.
        unsafe { (*self.kinds.get())[T::KIND as usize] = KindInfo::of::<T>() }
    }

    /// What is known of a kind.
    #[inline(always)]
    pub fn info(&self, kind: Kind) -> &KindInfo {
        // SAFETY: the table changes only in `register`, at start-up.
        unsafe { &(*self.kinds.get())[kind as usize] }
    }

    /// Allocates an object with `tail` extra bytes after its payload (uninitialised; the caller fills them before anything can
    /// trace or drop the object).
    #[inline(always)]
    pub fn alloc<T: Payload>(&self, shape: *const Shape, data: T, tail: usize) -> Value {
        let size = size_of::<Obj<T>>() + tail;
        let (cell, large) = self.cell(size);
        let header = Header {
            count: Cell::new(1),
            kind: T::KIND,
            flags: Cell::new(
                if T::TRACED { flag::TRACED } else { 0 } | if large { flag::LARGE } else { 0 },
            ),
            aux: Cell::new(0),
            shape: Cell::new(shape),
        };
        if T::TRACED {
            let debt = self.debt.get() + 1;
            self.debt.set(debt);
            if debt > self.threshold.get() {
                self.attention.store(true, Relaxed);
            }
        }
        // SAFETY: the cell is free and large enough, and aligned to 16.
        unsafe {
            (cell as *mut Obj<T>).write(Obj { header, data });
            Value::from_bits(cell as u64)
        }
    }

    /// A free cell of at least `size` bytes, and whether it is a large one.
    #[inline(always)]
    fn cell(&self, size: usize) -> (*mut u8, bool) {
        self.live.set(self.live.get() + 1);
        if size > MAX_CELL {
            return (self.large_cell(size), true);
        }
        let class = size.div_ceil(CELL_STEP);
        let head = self.free[class].get();
        if !head.is_null() {
            // SAFETY: a cell on the free list keeps the next pointer where the shape pointer was.
            unsafe { self.free[class].set((*head).shape.get() as *mut Header) };
            return (head as *mut u8, false);
        }
        let (next, end) = self.bump[class].get();
        let step = class * CELL_STEP;
        if (end as usize) - (next as usize) >= step {
            // SAFETY: within the page.
            self.bump[class].set((unsafe { next.add(step) }, end));
            return (next, false);
        }
        (self.new_page(class), false)
    }

    #[cold]
    fn new_page(&self, class: usize) -> *mut u8 {
        let layout = Layout::from_size_align(PAGE, PAGE).expect("a constant layout");
        // SAFETY: the layout has a non-zero size. Zeroed headers read as Kind::Free, count 0.
        let base = unsafe { std::alloc::alloc_zeroed(layout) };
        if base.is_null() {
            handle_alloc_error(layout);
        }
        let step = class * CELL_STEP;
        let cells = PAGE / step;
        // SAFETY: both stay within the page.
        unsafe { self.bump[class].set((base.add(step), base.add(cells * step))) };
        self.pages.borrow_mut().push(Page { base, cell: step });
        base
    }

    #[cold]
    fn large_cell(&self, size: usize) -> *mut u8 {
        let layout = Layout::from_size_align(size, 16).expect("sizes are checked by the callers");
        // SAFETY: size is not 0.
        let p = unsafe { alloc(layout) };
        if p.is_null() {
            handle_alloc_error(layout);
        }
        self.large
            .borrow_mut()
            .insert(p as usize, LargeCell { size });
        p
    }

    /// Bytes that the cell of this object can hold after its header: how far a tail may grow in place.
    pub fn cell_size(&self, h: &Header, used: usize) -> usize {
        if h.flags.get() & flag::LARGE != 0 {
            self.large
                .borrow()
                .get(&(h as *const Header as usize))
                .map_or(used, |l| l.size)
        } else {
            used.div_ceil(CELL_STEP) * CELL_STEP
        }
    }

    /// Size of an object's payload and its own tail, where the attribute slots begin.
    pub fn slots_offset(&self, h: &Header) -> usize {
        let base = self.info(h.kind).size;
        let p = h as *const Header;
        // SAFETY: the kind says which payload is there.
        unsafe {
            match h.kind {
                Kind::Str => base + (*(p as *const Obj<super::str::Str>)).data.tail_bytes(),
                Kind::Tuple => {
                    let t: &super::seq::Tuple = &(*(p as *const Obj<super::seq::Tuple>)).data;
                    base + t.len() * 8
                }
                Kind::Bytes => base,
                _ => base,
            }
        }
    }

    /// Frees the cell of an object whose payload is gone.
    unsafe fn free_cell(&self, h: *mut Header, size: usize) {
        self.live.set(self.live.get() - 1);
        // SAFETY: the caller gives a dead object and its size.
        unsafe {
            let flags = (*h).flags.get();
            if flags & flag::TRACED != 0 {
                self.debt.set(self.debt.get() - 1);
            }
            (*h).kind = Kind::Free;
            if flags & flag::LARGE != 0 {
                if let Some(l) = self.large.borrow_mut().remove(&(h as usize)) {
                    dealloc(
                        h as *mut u8,
                        Layout::from_size_align(l.size, 16)
                            .expect("it was valid at the allocation"),
                    );
                }
                return;
            }
            let class = size.div_ceil(CELL_STEP);
            (*h).shape.set(self.free[class].get() as *const Shape);
            self.free[class].set(h);
        }
    }

    /// Destroys one object whose count is 0: payload, slots, cell. Children that die go to the worklist.
    unsafe fn destroy(&self, h: *mut Header) {
        // SAFETY: nobody else can reach the object.
        unsafe {
            let info = *self.info((*h).kind);
            let mut size = info.size;
            let flags = (*h).flags.get();
            if matches!(
                (*h).kind,
                Kind::Str | Kind::Tuple | Kind::Generator | Kind::Coroutine | Kind::AsyncGenerator
            ) || flags & flag::SLOTS != 0
            {
                size = self.full_size(h);
            }
            if flags & flag::SLOTS != 0 {
                super::instance::drop_slots(self, &*h);
            }
            (info.drop)(h);
            self.free_cell(h, size);
        }
    }

    /// Bytes of the whole object, tails included.
    unsafe fn full_size(&self, h: *mut Header) -> usize {
        // SAFETY: the kind says which payload is there.
        unsafe {
            let base = match (*h).kind {
                Kind::Generator | Kind::Coroutine | Kind::AsyncGenerator => {
                    self.info((*h).kind).size + super::generator::tail_bytes(h)
                }
                _ => self.slots_offset(&*h),
            };
            if (*h).flags.get() & flag::SLOTS != 0 {
                base + super::instance::tail_bytes(&*h)
            } else {
                base
            }
        }
    }

    /// Queues an object's finalizer, if it needs one. True if the object lives on for now.
    unsafe fn wants_finalizer(&self, h: *mut Header) -> bool {
        // SAFETY: the object's count is 0 and it is intact.
        unsafe {
            let f = (*h).flags.get();
            if f & flag::WEAK != 0 {
                self.clear_weak(h);
            }
            if f & flag::FINALIZE != 0 && f & flag::FINALIZED == 0 {
                if let Kind::Generator | Kind::Coroutine | Kind::AsyncGenerator = (*h).kind
                    && !(*(h as *const Obj<super::generator::Gen>))
                        .data
                        .needs_finalizer((*h).kind)
                {
                    return false;
                }
                (*h).count.set(1);
                self.pending.borrow_mut().push(Value::from_bits(h as u64));
                self.attention.store(true, Relaxed);
                return true;
            }
        }
        false
    }

    /// Ends all weak references to an object; those with callbacks are queued.
    pub(super) unsafe fn clear_weak(&self, h: *mut Header) {
        // SAFETY: the table holds live weak reference objects only (they leave it when they die).
        unsafe {
            (*h).flags.set((*h).flags.get() & !flag::WEAK);
            let refs = self
                .weak
                .borrow_mut()
                .remove(&(h as usize))
                .unwrap_or_default();
            for r in refs {
                let w = &(*(r as *mut Obj<super::weak::WeakRef>)).data;
                w.target.set(0);
                if w.has_callback() {
                    (*r).count.set((*r).count.get() + 1);
                    self.weak_pending
                        .borrow_mut()
                        .push(Value::from_bits(r as u64));
                    self.attention.store(true, Relaxed);
                }
            }
        }
    }

    /// Notes a weak reference `r` to `target`.
    pub(super) fn add_weak(&self, target: &Header, r: *mut Header) {
        target.flags.set(target.flags.get() | flag::WEAK);
        self.weak
            .borrow_mut()
            .entry(target as *const Header as usize)
            .or_default()
            .push(r);
    }

    /// Forgets a weak reference that dies.
    pub(super) fn remove_weak(&self, target: usize, r: *mut Header) {
        if let Some(v) = self.weak.borrow_mut().get_mut(&target) {
            v.retain(|&x| x != r);
        }
    }

    /// The weak references to an object, as values.
    pub fn weak_refs(&self, target: &Value) -> Vec<Value> {
        let Some(h) = target.header() else {
            return Vec::new();
        };
        let weak = self.weak.borrow();
        let Some(refs) = weak.get(&(h as *const Header as usize)) else {
            return Vec::new();
        };
        refs.iter()
            .map(|&r| {
                // SAFETY: weak references leave the table when they die, so these are alive.
                unsafe {
                    (*r).count.set((*r).count.get() + 1);
                    Value::from_bits(r as u64)
                }
            })
            .collect()
    }

    /// Takes the objects that wait for their finalizer.
    pub fn take_pending(&self) -> (Vec<Value>, Vec<Value>) {
        (
            std::mem::take(&mut *self.pending.borrow_mut()),
            std::mem::take(&mut *self.weak_pending.borrow_mut()),
        )
    }

    /// Marks a value's object as one that needs a finalizer (or no longer).
    pub fn set_finalize(v: &Value, on: bool) {
        if let Some(h) = v.header() {
            let f = h.flags.get();
            h.flags.set(if on {
                f | flag::FINALIZE
            } else {
                f & !flag::FINALIZE
            });
        }
    }

    /// Calls `f` for every live object.
    pub fn each_object(&self, f: &mut dyn FnMut(*mut Header)) {
        let pages: Vec<(*mut u8, usize)> = self
            .pages
            .borrow()
            .iter()
            .map(|p| (p.base, p.cell))
            .collect();
        for (base, step) in pages {
            for i in 0..PAGE / step {
                // SAFETY: every cell of a page starts with a header or with zeros (never used).
                unsafe {
                    let h = base.add(i * step) as *mut Header;
                    if (*h).kind != Kind::Free {
                        f(h);
                    }
                }
            }
        }
        let large: Vec<usize> = self.large.borrow().keys().copied().collect();
        for p in large {
            f(p as *mut Header);
        }
    }

    /// True when a collection is due.
    #[inline(always)]
    pub fn gc_due(&self) -> bool {
        self.debt.get() > self.threshold.get()
    }
}

/// Destroys the object at `h`, whose count has just reached 0, and all that dies with it.
///
/// # Safety
/// `h` must be a heap object of the current heap with count 0.
#[cold]
#[inline(never)]
pub unsafe fn release(h: *mut Header) {
    let heap = CURRENT.with(|c| c.get());
    if heap.is_null() {
        // The runtime is gone (thread shutdown): the memory goes with the process.
        return;
    }
    // SAFETY: the runtime that made the heap current keeps it alive; the object is dead and ours.
    unsafe {
        let heap = &*heap;
        if (*h).flags.get() & (flag::FINALIZE | flag::WEAK) != 0 && heap.wants_finalizer(h) {
            return;
        }
        if heap.releasing.get() {
            (*heap.worklist.get()).push(h);
            return;
        }
        if !heap.info((*h).kind).traced && (*h).flags.get() & flag::SLOTS == 0 {
            heap.destroy(h);
            return;
        }
        heap.releasing.set(true);
        heap.destroy(h);
        while let Some(next) = (*heap.worklist.get()).pop() {
            heap.destroy(next);
        }
        heap.releasing.set(false);
    }
}
