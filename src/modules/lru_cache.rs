//! The callable behind `functools.lru_cache`.
//!
//! Results live in a dict, which keeps insertion order: a hit moves its entry to the end, so that the first entry is the one used least recently.

#![allow(unsafe_code)]

use crate::builtins::support::{ssize, this};
use crate::object::dict::Dict;
use crate::object::func::BoundMethod;
use crate::object::header::{Kind, Payload};
use crate::object::native::{Args, NativeDef};
use crate::object::types::{TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use std::cell::Cell;

pub struct LruCache {
    func: Value,
    /// None: no bound.
    maxsize: Option<usize>,
    typed: bool,
    /// Class of what `cache_info()` gives.
    info_type: Value,
    /// A dict from keys to results.
    store: Value,
    hits: Cell<u64>,
    misses: Cell<u64>,
}
// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for LruCache {
    const KIND: Kind = Kind::LruCache;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.func);
        visit(&self.info_type);
        visit(&self.store);
    }
}

fn new(vm: &Vm, class: &Value, args: Args) -> Res {
    let a = vm.bind_args(
        "lru_cache(user_function, maxsize, typed, cache_info_type)",
        args,
    )?;
    if !vm.is_callable(&a[0]) {
        return Err(vm.type_error("the first argument must be callable"));
    }
    let maxsize = if a[1].is_none() {
        None
    } else {
        Some(ssize(vm, &a[1])?.max(0) as usize)
    };
    let data = LruCache {
        func: a[0].clone(),
        maxsize,
        typed: vm.truth(&a[2])?,
        info_type: a[3].clone(),
        store: vm.dict(),
        hits: Cell::new(0),
        misses: Cell::new(0),
    };
    Ok(vm.alloc_as(class, data))
}

/// The key of a call. A single int or str stands for itself; everything else is a tuple, so the two cannot meet.
fn key(vm: &Vm, c: &LruCache, args: Args) -> Value {
    if let [one] = args.all
        && !args.has_keywords()
        && !c.typed
        && (one.is_small() || vm.is_exact(one, Kind::Str))
    {
        return one.clone();
    }
    let pos = args.pos();
    let mut parts = pos.to_vec();
    if args.has_keywords() {
        // What separates positional arguments from keywords: nothing that a script would pass.
        parts.push(vm.kind_type(Kind::LruCache).clone());
        for (name, value) in args.keywords() {
            parts.push(name.clone());
            parts.push(value.clone());
        }
    }
    if c.typed {
        parts.extend(args.all.iter().map(|v| vm.type_of(v)));
    }
    vm.tuple(parts)
}

fn call(vm: &Vm, v: &Value, args: Args) -> Res {
    let c = this::<LruCache>(vm, v)?;
    if c.maxsize == Some(0) {
        c.misses.set(c.misses.get() + 1);
        return vm.call_args(&c.func, args);
    }
    let d = this::<Dict>(vm, &c.store)?;
    let key = key(vm, c, args);
    let hash = vm.hash_key(&key)?;
    if let Some(i) = vm.dict_find(d, &key, hash)? {
        c.hits.set(c.hits.get() + 1);
        if c.maxsize.is_none() || i + 1 == d.end() {
            return Ok(d.value_at(i));
        }
        let (key, value) = d.remove_at(i);
        d.insert_new(key, hash, value.clone());
        return Ok(value);
    }
    c.misses.set(c.misses.get() + 1);
    let value = vm.call_args(&c.func, args)?;
    // The call may have stored the same key meanwhile.
    if vm.dict_find(d, &key, hash)?.is_none() {
        if c.maxsize.is_some_and(|m| d.len() >= m)
            && let Some((i, ..)) = d.next_entry(0)
        {
            drop(d.remove_at(i));
        }
        d.insert_new(key, hash, value.clone());
    } else if c.maxsize.is_none() {
        vm.dict_set_hashed(d, key, hash, value.clone())?;
    }
    Ok(value)
}

fn cache_info(vm: &Vm, a: &[Value]) -> Res {
    let c = this::<LruCache>(vm, &a[0])?;
    let size = c.store.get::<Dict>().map_or(0, Dict::len);
    let max = c.maxsize.map_or(Value::NONE, |m| vm.usize(m));
    vm.call(
        &c.info_type,
        &[
            vm.int_u64(c.hits.get()),
            vm.int_u64(c.misses.get()),
            max,
            vm.usize(size),
        ],
    )
}

fn cache_clear(vm: &Vm, a: &[Value]) -> Res {
    let c = this::<LruCache>(vm, &a[0])?;
    c.hits.set(0);
    c.misses.set(0);
    if let Some(d) = c.store.get::<Dict>() {
        d.clear();
    }
    Ok(Value::NONE)
}

fn bind(vm: &Vm, d: &Value, obj: Option<&Value>, _: &Value) -> Res {
    Ok(match obj {
        None => d.clone(),
        Some(o) => vm.alloc(BoundMethod {
            func: d.clone(),
            self_: o.clone(),
        }),
    })
}

pub static TYPE: TypeSpec = TypeSpec {
    name: "functools._lru_cache_wrapper",
    kind: Kind::LruCache,
    flags: tflag::BASETYPE | tflag::DICT | tflag::WEAKREF,
    slots: |s| {
        s.new = Some(new);
        s.call = Some(call);
        s.descr_get = Some(bind);
    },
    methods: &[
        NativeDef {
            sig: "cache_info(self, /)",
            f: cache_info,
            doc: "Report cache statistics",
        },
        NativeDef {
            sig: "cache_clear(self, /)",
            f: cache_clear,
            doc: "Clear the cache and cache statistics",
        },
        NativeDef {
            sig: "__reduce__(self, /)",
            f: |vm, a| vm.getattr(&a[0], &vm.names.__qualname__),
            doc: "",
        },
        NativeDef {
            sig: "__copy__(self, /)",
            f: |_, a| Ok(a[0].clone()),
            doc: "",
        },
        NativeDef {
            sig: "__deepcopy__(self, memo, /)",
            f: |_, a| Ok(a[0].clone()),
            doc: "",
        },
    ],
    doc: "Create a cached callable that wraps another function.\n\nuser_function:      the function being cached\n\nmaxsize:  0         for no caching\n          None      for unlimited cache size\n          n         for a bounded cache\n\ntyped:    False     cache f(3) and f(3.0) as identical calls\n          True      cache f(3) and f(3.0) as distinct calls\n\ncache_info_type:    namedtuple class with the fields:\n                        hits misses currsize maxsize",
    ..TypeSpec::EMPTY
};
