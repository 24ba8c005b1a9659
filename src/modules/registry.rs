//! The native modules, by name.

use crate::object::heap::Heap;
use crate::vm::{Res, Vm};

/// Makes a module object.
pub type InitFn = fn(&Vm) -> Res;

/// One row per native module, sorted by name.
static MODULES: &[(&str, InitFn)] = &[
    ("_asyncio", super::asyncio::asyncio),
    ("_bisect", super::bisect::init),
    ("_collections", super::collections::init_module),
    ("_functools", super::functools::init),
    ("_heapq", super::heapq::init),
    ("_io", super::io::init),
    ("_operator", super::operator::init),
    ("_random", super::random::init),
    ("_re", super::re::init),
    ("_socket", super::asyncio::socket),
    ("_weakref", super::weakref::init),
    ("contextvars", super::contextvars::init),
    ("errno", super::errno::init),
    ("gc", super::gc::init),
    ("itertools", super::itertools::init),
    ("math", super::math::init),
    ("sys", super::sys::init),
    ("time", super::time::init),
];

/// The maker of a native module.
pub fn find(name: &str) -> Option<InitFn> {
    MODULES.iter().find(|m| m.0 == name).map(|m| m.1)
}

/// The names of all native modules (`sys.builtin_module_names`).
pub fn names() -> impl Iterator<Item = &'static str> {
    MODULES.iter().map(|m| m.0)
}

/// Tells the heap about the payloads of native modules.
pub fn register(heap: &Heap) {
    heap.register::<super::support::TupleGetter>();
    super::contextvars::register(heap);
    heap.register::<super::deque::Deque>();
    heap.register::<super::deque::DequeIter>();
    heap.register::<super::functools::Partial>();
    heap.register::<super::functools::CmpKey>();
    heap.register::<super::io::bytes_io::BytesIo>();
    heap.register::<super::io::file::File>();
    heap.register::<super::io::string_io::StringIo>();
    heap.register::<super::itertools::Tool>();
    heap.register::<super::lru_cache::LruCache>();
    heap.register::<super::operator::Getter>();
    heap.register::<super::random::Random>();
    super::re::register(heap);
    heap.register::<crate::builtins::weakref::WeakProxy>();
}
