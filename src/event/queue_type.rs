//! What scripts see of Queue.

use super::queue::{self, Queue, check_finished, facts, over_limit, put_now, qsize_of, take_now};
use super::sync::waiters_list;
use crate::builtins::support::this;
use crate::object::header::Kind;
use crate::object::native::NativeDef;
use crate::object::types::{GetSetDef, Slots, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::{Res, Vm};

fn repr(vm: &Vm, v: &Value) -> Res {
    let text = facts(vm, v)?;
    Ok(vm.str(&format!("<{} at {:#x} {text}>", vm.type_name(v), v.id())))
}
fn str_(vm: &Vm, v: &Value) -> Res {
    let text = facts(vm, v)?;
    Ok(vm.str(&format!("<{} {text}>", vm.type_name(v))))
}
fn format(vm: &Vm, a: &[Value]) -> Res {
    let text = facts(vm, &a[0])?;
    Ok(vm.str(&text))
}
fn init_hook(_: &Vm, _: &[Value]) -> Res {
    Ok(Value::NONE)
}
fn qsize(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.usize(qsize_of(vm, this::<Queue>(vm, &a[0])?)?))
}
fn empty(vm: &Vm, a: &[Value]) -> Res {
    Ok(Value::bool(qsize_of(vm, this::<Queue>(vm, &a[0])?)? == 0))
}
fn full(vm: &Vm, a: &[Value]) -> Res {
    let q = this::<Queue>(vm, &a[0])?;
    over_limit(vm, &a[0], q).map(Value::bool)
}
fn put_nowait(vm: &Vm, a: &[Value]) -> Res {
    put_now(vm, &a[0], this::<Queue>(vm, &a[0])?, a[1].clone())?;
    Ok(Value::NONE)
}
fn get_nowait(vm: &Vm, a: &[Value]) -> Res {
    take_now(vm, &a[0], this::<Queue>(vm, &a[0])?)
}
fn task_done(vm: &Vm, a: &[Value]) -> Res {
    let q = this::<Queue>(vm, &a[0])?;
    if q.unfinished.get() <= 0 {
        return Err(vm.value_error("task_done() called too many times"));
    }
    q.unfinished.set(q.unfinished.get() - 1);
    check_finished(vm, q)?;
    Ok(Value::NONE)
}
fn shutdown(vm: &Vm, a: &[Value]) -> Res {
    let q = this::<Queue>(vm, &a[0])?;
    q.shutdown.set(true);
    if vm.truth(&a[1])? {
        let (empty, get) = (vm.intern("empty"), vm.intern("_get"));
        loop {
            let e = vm.call_method(&a[0], &empty, &[])?;
            if vm.truth(&e)? {
                break;
            }
            vm.call_method(&a[0], &get, &[])?;
            if q.unfinished.get() > 0 {
                q.unfinished.set(q.unfinished.get() - 1);
            }
        }
        check_finished(vm, q)?;
    }
    while !q.getters.is_empty() {
        q.getters.wake_next(vm)?;
    }
    while !q.putters.is_empty() {
        q.putters.wake_next(vm)?;
    }
    Ok(Value::NONE)
}
fn class_getitem(vm: &Vm, a: &[Value]) -> Res {
    let types = super::import(vm, "types")?;
    let alias = vm.getattr_str(&types, "GenericAlias")?;
    vm.call(&alias, &[a[0].clone(), a[1].clone()])
}
fn maxsize(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Queue>(vm, v)?.maxsize.get())
}
fn set_maxsize(vm: &Vm, v: &Value, new: Option<&Value>) -> Res<()> {
    let q = this::<Queue>(vm, v)?;
    let n = new.cloned().unwrap_or_else(|| vm.int(0));
    q.limit.set(n.as_small().map_or(0, |n| n.max(0) as usize));
    q.maxsize.set(n);
    Ok(())
}
fn get_items(vm: &Vm, v: &Value) -> Res {
    queue::expose(vm, v)
}
fn set_items(vm: &Vm, v: &Value, new: Option<&Value>) -> Res<()> {
    let q = this::<Queue>(vm, v)?;
    q.scripted.set(true);
    q.script_items.set(new.cloned().unwrap_or(Value::UNBOUND));
    Ok(())
}
fn unfinished(vm: &Vm, v: &Value) -> Res {
    Ok(vm.int(this::<Queue>(vm, v)?.unfinished.get()))
}
fn set_unfinished(vm: &Vm, v: &Value, new: Option<&Value>) -> Res<()> {
    let n = vm.as_index(new.unwrap_or(&Value::NONE))?;
    this::<Queue>(vm, v)?.unfinished.set(n);
    Ok(())
}
fn getters(vm: &Vm, v: &Value) -> Res {
    Ok(waiters_list(vm, &this::<Queue>(vm, v)?.getters))
}
fn putters(vm: &Vm, v: &Value) -> Res {
    Ok(waiters_list(vm, &this::<Queue>(vm, v)?.putters))
}
fn is_shutdown(vm: &Vm, v: &Value) -> Res {
    Ok(Value::bool(this::<Queue>(vm, v)?.shutdown.get()))
}
fn get_loop(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Queue>(vm, v)?.loop_.0.or_none())
}

fn slots(s: &mut Slots) {
    s.new = Some(queue::new);
    s.init = Some(queue::init);
    s.repr = Some(repr);
    s.str = Some(str_);
}
pub static QUEUE: TypeSpec = TypeSpec {
    name: "asyncio.queues.Queue",
    kind: Kind::Queue,
    flags: tflag::BASETYPE | tflag::WEAKREF,
    slots,
    methods: &[
        NativeDef {
            sig: "_init(self, maxsize, /)",
            f: init_hook,
            doc: "Make the place for the items.",
        },
        NativeDef {
            sig: "_put(self, item, /)",
            f: queue::default_put,
            doc: "Put an item in that place.",
        },
        NativeDef {
            sig: "_get(self, /)",
            f: queue::default_get,
            doc: "Take the next item out.",
        },
        NativeDef {
            sig: "_format(self, /)",
            f: format,
            doc: "The facts that the repr shows.",
        },
        NativeDef {
            sig: "qsize(self, /)",
            f: qsize,
            doc: "How many items are inside.",
        },
        NativeDef {
            sig: "empty(self, /)",
            f: empty,
            doc: "Whether there is no item.",
        },
        NativeDef {
            sig: "full(self, /)",
            f: full,
            doc: "Whether there is no place.",
        },
        NativeDef {
            sig: "put(self, item)",
            f: queue::method_put,
            doc: "Put an item in, waiting for a place if need be.",
        },
        NativeDef {
            sig: "put_nowait(self, item)",
            f: put_nowait,
            doc: "Put an item in, or raise QueueFull.",
        },
        NativeDef {
            sig: "get(self, /)",
            f: queue::method_get,
            doc: "Take an item out, waiting for one if need be.",
        },
        NativeDef {
            sig: "get_nowait(self, /)",
            f: get_nowait,
            doc: "Take an item out, or raise QueueEmpty.",
        },
        NativeDef {
            sig: "task_done(self, /)",
            f: task_done,
            doc: "Say that an item taken out has been dealt with.",
        },
        NativeDef {
            sig: "join(self, /)",
            f: queue::method_join,
            doc: "Wait until every item put in has been dealt with.",
        },
        NativeDef {
            sig: "shutdown(self, immediate=False)",
            f: shutdown,
            doc: "Take nothing more in; give out what is left, or with `immediate` drop it.",
        },
    ],
    class_methods: &[NativeDef {
        sig: "__class_getitem__(cls, item, /)",
        f: class_getitem,
        doc: "Queue[int], for annotations.",
    }],
    getset: &[
        GetSetDef {
            name: "maxsize",
            get: maxsize,
            set: None,
            doc: "Number of items allowed in the queue.",
        },
        GetSetDef {
            name: "_maxsize",
            get: maxsize,
            set: Some(set_maxsize),
            doc: "number of items allowed in the queue",
        },
        GetSetDef {
            name: "_queue",
            get: get_items,
            set: Some(set_items),
            doc: "the items",
        },
        GetSetDef {
            name: "_unfinished_tasks",
            get: unfinished,
            set: Some(set_unfinished),
            doc: "items not yet dealt with",
        },
        GetSetDef {
            name: "_getters",
            get: getters,
            set: None,
            doc: "who waits for an item",
        },
        GetSetDef {
            name: "_putters",
            get: putters,
            set: None,
            doc: "who waits for a place",
        },
        GetSetDef {
            name: "_is_shutdown",
            get: is_shutdown,
            set: None,
            doc: "whether it was shut down",
        },
        GetSetDef {
            name: "_loop",
            get: get_loop,
            set: None,
            doc: "the loop it was first waited on in",
        },
    ],
    doc: "First in, first out; put() waits when `maxsize` items are inside (0: no limit).",
    ..TypeSpec::EMPTY
};
