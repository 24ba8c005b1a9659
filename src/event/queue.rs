//! Queue: first in, first out, natively; subclasses that override `_init`, `_put`, `_get` ... keep their items where they like.
//!
//! An exact Queue holds its items here. The first time that a script asks for `_queue`, the items move to a deque that is that attribute from then on, and
//! the queue goes by its methods, as those of subclasses do (`scripted`).

#![allow(unsafe_code)]

use super::coro::{CoState, NativeCoro, Op, Progress, make};
use super::line::{Line, bind_loop};
use super::slot::Slot;
use super::sync::LoopSlot;
use crate::builtins::support::{alloc_as, this};
use crate::object::header::{Kind, Payload};
use crate::object::native::Args;
use crate::object::types::CmpOp;
use crate::object::value::Value;
use crate::vm::{Raised, Res, Vm};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

/// See the module's head.
pub struct Queue {
    pub items: RefCell<VecDeque<Value>>,
    /// What a script's `_init` set, or the items once a script has looked.
    pub script_items: Slot,
    pub maxsize: Slot,
    /// `maxsize` if it is a positive small int, else 0: no limit.
    pub limit: Cell<usize>,
    /// Goes by its methods.
    pub scripted: Cell<bool>,
    pub shutdown: Cell<bool>,
    pub unfinished: Cell<i64>,
    pub getters: Line,
    pub putters: Line,
    /// Who waits in join().
    pub joiners: Line,
    pub loop_: LoopSlot,
    /// The tasks that last put and got, for the deadlock report.
    pub last: LoopSlot,
}

// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for Queue {
    const KIND: Kind = Kind::Queue;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        // SAFETY: safe points only, no borrow is held.
        unsafe { (*self.items.as_ptr()).iter().for_each(&mut *visit) }
        for s in [
            &self.script_items,
            &self.maxsize,
            &self.loop_.0,
            &self.last.0,
        ] {
            visit(s.peek());
        }
        for l in [&self.getters, &self.putters, &self.joiners] {
            l.trace(visit);
        }
    }
    fn clear(&self) {
        let old = (self.items.take(), self.script_items.take());
        drop(old);
        for l in [&self.getters, &self.putters, &self.joiners] {
            l.clear();
        }
    }
}

pub fn new(vm: &Vm, class: &Value, _: Args) -> Res {
    let q = Queue {
        items: RefCell::default(),
        script_items: Slot::empty(),
        maxsize: Slot::new(vm.int(0)),
        limit: Cell::new(0),
        scripted: Cell::new(false),
        shutdown: Cell::new(false),
        unfinished: Cell::new(0),
        getters: Line::default(),
        putters: Line::default(),
        joiners: Line::default(),
        loop_: LoopSlot::default(),
        last: LoopSlot::default(),
    };
    Ok(alloc_as(vm, class, q))
}

/// Methods that make a subclass go by its own.
const HOOKS: [&str; 10] = [
    "_init",
    "_put",
    "_get",
    "qsize",
    "empty",
    "full",
    "put_nowait",
    "get_nowait",
    "put",
    "get",
];

pub fn init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    let a = vm.bind_args("Queue(maxsize=0, *, loop=None)", args)?;
    let q = this::<Queue>(vm, v)?;
    q.maxsize.set(a[0].clone());
    q.limit
        .set(a[0].as_small().map_or(0, |n| n.max(0) as usize));
    if let Some(l) = a[1].non_none() {
        q.loop_.0.set(l.clone());
    }
    if super::task::subclassed(v) {
        let mine = vm.type_of(v);
        let base = vm.kind_type(Kind::Queue).clone();
        let other = HOOKS.iter().any(|name| {
            let n = vm.intern(name);
            match (
                vm.lookup_type_attr(&mine, &n),
                vm.lookup_type_attr(&base, &n),
            ) {
                (Some(x), Some(y)) => !x.is(&y),
                _ => true,
            }
        });
        q.scripted.set(other || a[0].as_small().is_none());
        if other {
            let name = vm.intern("_init");
            vm.call_method(v, &name, &[a[0].clone()])?;
        }
    } else {
        q.scripted.set(a[0].as_small().is_none());
    }
    Ok(())
}

fn call(vm: &Vm, v: &Value, name: &str, args: &[Value]) -> Res {
    let name = vm.intern(name);
    vm.call_method(v, &name, args)
}

pub fn qsize_of(vm: &Vm, q: &Queue) -> Res<usize> {
    if q.script_items.is_set() {
        vm.len(&q.script_items.get())
    } else {
        Ok(q.items.borrow().len())
    }
}
fn is_empty(vm: &Vm, v: &Value, q: &Queue) -> Res<bool> {
    if q.scripted.get() {
        let r = call(vm, v, "empty", &[])?;
        return vm.truth(&r);
    }
    Ok(q.items.borrow().is_empty())
}
fn is_full(vm: &Vm, v: &Value, q: &Queue) -> Res<bool> {
    if q.scripted.get() {
        let r = call(vm, v, "full", &[])?;
        return vm.truth(&r);
    }
    Ok(q.limit.get() > 0 && q.items.borrow().len() >= q.limit.get())
}

/// `full()` by the numbers.
pub fn over_limit(vm: &Vm, v: &Value, q: &Queue) -> Res<bool> {
    let max = q.maxsize.get();
    let le = vm.compare(CmpOp::Le, &max, &vm.int(0))?;
    if vm.truth(&le)? {
        return Ok(false);
    }
    let n = if q.scripted.get() {
        call(vm, v, "qsize", &[])?
    } else {
        vm.usize(q.items.borrow().len())
    };
    let r = vm.compare(CmpOp::Ge, &n, &max)?;
    vm.truth(&r)
}

/// An exception class of the script half.
fn queue_error(vm: &Vm, name: &str) -> Raised {
    match super::import(vm, "asyncio.queues")
        .and_then(|m| vm.getattr_str(&m, name))
        .and_then(|c| vm.call(&c, &[]))
    {
        Ok(e) => Raised(e),
        Err(e) => e,
    }
}

/// Takes an item, which is known to be there or is an error.
pub fn take_now(vm: &Vm, v: &Value, q: &Queue) -> Res {
    if is_empty(vm, v, q)? {
        return Err(queue_error(
            vm,
            if q.shutdown.get() {
                "QueueShutDown"
            } else {
                "QueueEmpty"
            },
        ));
    }
    let item = if q.scripted.get() {
        Some(call(vm, v, "_get", &[])?)
    } else {
        q.items.borrow_mut().pop_front()
    };
    if !q.putters.is_empty() {
        q.putters.wake_next(vm)?;
    }
    Ok(item.unwrap_or(Value::NONE))
}

pub fn put_now(vm: &Vm, v: &Value, q: &Queue, item: Value) -> Res<()> {
    if q.shutdown.get() {
        return Err(queue_error(vm, "QueueShutDown"));
    }
    if is_full(vm, v, q)? {
        return Err(queue_error(vm, "QueueFull"));
    }
    if q.scripted.get() {
        call(vm, v, "_put", &[item])?;
    } else {
        q.items.borrow_mut().push_back(item);
    }
    q.unfinished.set(q.unfinished.get() + 1);
    if !q.getters.is_empty() {
        q.getters.wake_next(vm)?;
    }
    Ok(())
}

/// `get()`: the item at once, or a place in line; woken, it looks again.
pub fn get(vm: &Vm, v: &Value, c: &NativeCoro) -> Res<Progress> {
    let target = c.target.get();
    let Some(q) = target.get::<Queue>() else {
        return Err(vm.type_error("a Queue was expected"));
    };
    if !is_empty(vm, &target, q)? {
        if q.scripted.get() {
            return call(vm, &target, "get_nowait", &[]).map(Progress::Ready);
        }
        return take_now(vm, &target, q).map(Progress::Ready);
    }
    if q.shutdown.get() {
        return Err(queue_error(vm, "QueueShutDown"));
    }
    bind_loop(vm, &target, &q.loop_.0)?;
    q.getters.push(v.clone());
    Ok(Progress::Wait)
}

pub fn put(vm: &Vm, v: &Value, c: &NativeCoro) -> Res<Progress> {
    let target = c.target.get();
    let Some(q) = target.get::<Queue>() else {
        return Err(vm.type_error("a Queue was expected"));
    };
    if !is_full(vm, &target, q)? {
        let item = c.arg.take();
        if q.scripted.get() {
            return call(vm, &target, "put_nowait", &[item]).map(Progress::Ready);
        }
        put_now(vm, &target, q, item)?;
        return Ok(Progress::Ready(Value::NONE));
    }
    if q.shutdown.get() {
        return Err(queue_error(vm, "QueueShutDown"));
    }
    bind_loop(vm, &target, &q.loop_.0)?;
    q.putters.push(v.clone());
    Ok(Progress::Wait)
}

pub fn join(vm: &Vm, v: &Value, c: &NativeCoro) -> Res<Progress> {
    let target = c.target.get();
    let Some(q) = target.get::<Queue>() else {
        return Err(vm.type_error("a Queue was expected"));
    };
    if c.state.get() == CoState::Woken {
        q.joiners.remove(v);
        return Ok(Progress::Ready(Value::NONE));
    }
    if q.unfinished.get() <= 0 {
        return Ok(Progress::Ready(Value::NONE));
    }
    bind_loop(vm, &target, &q.loop_.0)?;
    q.joiners.push(v.clone());
    Ok(Progress::Wait)
}

/// Thrown into while in line: what it was woken for goes to the next.
pub fn give_up(vm: &Vm, v: &Value, c: &NativeCoro) -> Res<()> {
    let target = c.target.get();
    let Some(q) = target.get::<Queue>() else {
        return Ok(());
    };
    let woken = c.state.get() == CoState::Woken;
    match c.op {
        Op::QueueGet => {
            q.getters.remove(v);
            if woken && !is_empty(vm, &target, q)? {
                q.getters.wake_next(vm)?;
            }
        }
        Op::QueuePut => {
            q.putters.remove(v);
            if woken && !is_full(vm, &target, q)? {
                q.putters.wake_next(vm)?;
            }
        }
        _ => {
            q.joiners.remove(v);
        }
    }
    Ok(())
}

/// All that was put in is dealt with.
pub fn check_finished(vm: &Vm, q: &Queue) -> Res<()> {
    if q.unfinished.get() == 0 {
        q.joiners.wake_all(vm)
    } else {
        Ok(())
    }
}

pub fn method_get(vm: &Vm, a: &[Value]) -> Res {
    make(vm, Op::QueueGet, a[0].clone(), Value::UNBOUND)
}
pub fn method_put(vm: &Vm, a: &[Value]) -> Res {
    make(vm, Op::QueuePut, a[0].clone(), a[1].clone())
}
pub fn method_join(vm: &Vm, a: &[Value]) -> Res {
    make(vm, Op::QueueJoin, a[0].clone(), Value::UNBOUND)
}

/// `_queue`: from now on a deque of the script's.
pub fn expose(vm: &Vm, v: &Value) -> Res {
    let q = this::<Queue>(vm, v)?;
    if !q.script_items.is_set() {
        let items: Vec<Value> = q.items.take().into();
        let collections = super::import(vm, "collections")?;
        let deque = vm.getattr_str(&collections, "deque")?;
        let d = vm.call(&deque, &[vm.list(items)])?;
        q.script_items.set(d);
        q.scripted.set(true);
    }
    Ok(q.script_items.get())
}

/// `_format()`: the facts of the repr.
pub fn facts(vm: &Vm, v: &Value) -> Res<String> {
    let q = this::<Queue>(vm, v)?;
    let mut out = format!("maxsize={}", vm.repr_string(&q.maxsize.get())?);
    let items = if q.script_items.is_set() {
        vm.collect(&q.script_items.get())?
    } else {
        q.items.borrow().iter().cloned().collect()
    };
    if !items.is_empty() {
        out.push_str(&format!(" _queue={}", vm.repr_string(&vm.list(items))?));
    }
    for (line, name) in [(&q.getters, "_getters"), (&q.putters, "_putters")] {
        if !line.is_empty() {
            out.push_str(&format!(" {name}[{}]", line.len()));
        }
    }
    if q.unfinished.get() != 0 {
        out.push_str(&format!(" tasks={}", q.unfinished.get()));
    }
    if q.shutdown.get() {
        out.push_str(" shutdown");
    }
    Ok(out)
}

/// The default `_get` and `_put` of a queue whose items a script holds.
pub fn default_get(vm: &Vm, a: &[Value]) -> Res {
    let q = this::<Queue>(vm, &a[0])?;
    if q.script_items.is_set() {
        let items = q.script_items.get();
        return call(vm, &items, "popleft", &[]);
    }
    let item = q.items.borrow_mut().pop_front();
    item.ok_or_else(|| vm.index_error("pop from an empty deque"))
}
pub fn default_put(vm: &Vm, a: &[Value]) -> Res {
    let q = this::<Queue>(vm, &a[0])?;
    if q.script_items.is_set() {
        let items = q.script_items.get();
        return call(vm, &items, "append", &[a[1].clone()]);
    }
    q.items.borrow_mut().push_back(a[1].clone());
    Ok(Value::NONE)
}
