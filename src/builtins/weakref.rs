//! Weak references and weak proxies: the types. (The module `_weakref` is in `modules`.)
//!
//! Rule: a proxy holds a plain weak reference; every operation takes a strong one for as long as it lasts.

#![allow(unsafe_code)]

use crate::builtins::support::this;
use crate::object::header::{Kind, Payload};
use crate::object::native::{Args, NativeDef};
use crate::object::types::{BINOPS, BinOp, Binary, GetSetDef, Slots, TypeObj, TypeSpec, tflag};
use crate::object::value::Value;
use crate::object::weak::WeakRef;
use crate::vm::raise::Exc;
use crate::vm::{Res, Vm};

/// True if objects like this can be weakly referenced.
fn can_be_target(vm: &Vm, v: &Value) -> bool {
    let t = vm.type_obj(v);
    if v.header().is_none() {
        return false;
    }
    t.has(tflag::WEAKREF)
        || (!t.has(tflag::HEAP)
            && matches!(
                v.kind(),
                Kind::Function
                    | Kind::Native
                    | Kind::BoundMethod
                    | Kind::Set
                    | Kind::FrozenSet
                    | Kind::Type
                    | Kind::Module
                    | Kind::Code
                    | Kind::Generator
                    | Kind::Coroutine
                    | Kind::AsyncGenerator
                    | Kind::Deque
                    | Kind::File
                    | Kind::StringIo
                    | Kind::BytesIo
                    | Kind::Partial
                    | Kind::LruCache
                    | Kind::Pattern
                    | Kind::Future
                    | Kind::Task
                    | Kind::Loop
                    | Kind::Handle
                    | Kind::Lock
                    | Kind::Socket
                    | Kind::MemoryView
                    | Kind::Generic
                    | Kind::TypeVar
            ))
}

impl Vm {
    /// A weak reference of class `class` to `target`. A plain one without callback is shared.
    pub fn weak_ref(&self, class: &Value, target: &Value, callback: Option<&Value>) -> Res {
        if !can_be_target(self, target) {
            return Err(self.type_error(format!(
                "cannot create weak reference to '{}' object",
                self.type_name(target)
            )));
        }
        let exact = class.is(self.kind_type(Kind::WeakRef));
        if exact && callback.is_none() {
            let plain = |r: &Value| {
                self.is_exact(r, Kind::WeakRef)
                    && r.get::<WeakRef>().is_some_and(|w| !w.has_callback())
            };
            if let Some(r) = self.heap.weak_refs(target).into_iter().find(plain) {
                return Ok(r);
            }
        }
        let Some(t) = class.get::<TypeObj>() else {
            return Err(self.type_error("not a class"));
        };
        let slots = t.has(tflag::HEAP).then(|| t.slot_hint.get());
        let callback = callback.cloned().unwrap_or(Value::NONE);
        WeakRef::alloc_with_slots(&self.heap, t.root_shape.get(), target, callback, slots)
            .ok_or_else(|| {
                self.type_error(format!(
                    "cannot create weak reference to '{}' object",
                    self.type_name(target)
                ))
            })
    }
}

fn new(vm: &Vm, class: &Value, args: Args) -> Res {
    // A subclass may take more in its `__init__`.
    let pos = args.pos();
    crate::builtins::support::count_args(
        vm,
        "ref",
        pos.len(),
        1,
        if class.is(vm.kind_type(Kind::WeakRef)) {
            2
        } else {
            usize::MAX
        },
    )?;
    vm.weak_ref(class, &pos[0], pos.get(1).and_then(Value::non_none))
}

fn call(vm: &Vm, v: &Value, args: Args) -> Res {
    vm.bind_args("__call__()", args)?;
    Ok(this::<WeakRef>(vm, v)?.get().unwrap_or(Value::NONE))
}

fn hash(vm: &Vm, v: &Value) -> Res<i64> {
    let w = this::<WeakRef>(vm, v)?;
    if let Some(h) = w.hash.get() {
        return Ok(h);
    }
    let Some(target) = w.get() else {
        return Err(vm.type_error("weak object has gone away"));
    };
    let h = vm.hash(&target)?;
    w.hash.set(Some(h));
    Ok(h)
}

fn describe(vm: &Vm, target: &Value) -> String {
    let name = vm.getattr_opt(target, &vm.names.__name__).ok().flatten();
    let name = name
        .as_ref()
        .and_then(Value::as_str)
        .map_or(String::new(), |n| format!(" ({n})"));
    format!("'{}' at {:#x}{name}", vm.type_name(target), target.id())
}

fn repr(vm: &Vm, v: &Value) -> Res {
    let at = v.id();
    Ok(vm.str(&match this::<WeakRef>(vm, v)?.get() {
        None => format!("<weakref at {at:#x}; dead>"),
        Some(t) => format!("<weakref at {at:#x}; to {}>", describe(vm, &t)),
    }))
}

fn cmp(vm: &Vm, a: &Value, b: &Value, op: crate::object::types::CmpOp) -> Res {
    use crate::object::types::CmpOp;
    let (Some(x), Some(y), CmpOp::Eq | CmpOp::Ne) = (a.get::<WeakRef>(), b.get::<WeakRef>(), op)
    else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    match (x.get(), y.get()) {
        (Some(x), Some(y)) => vm.compare(op, &x, &y),
        _ => Ok(Value::bool(a.is(b) == (op == CmpOp::Eq))),
    }
}

pub static REF: TypeSpec = TypeSpec {
    name: "weakref.ReferenceType",
    kind: Kind::WeakRef,
    flags: tflag::BASETYPE,
    slots: |s| {
        s.new = Some(new);
        s.init = Some(|_, _, _| Ok(()));
        s.call = Some(call);
        s.repr = Some(repr);
        s.cmp = Some(cmp);
        s.hash = Some(hash);
    },
    class_methods: &[NativeDef {
        sig: "__class_getitem__(cls, object, /)",
        f: crate::builtins::list::class_getitem,
        doc: "See PEP 585",
    }],
    getset: &[GetSetDef {
        name: "__callback__",
        get: |vm, v| Ok(this::<WeakRef>(vm, v)?.callback.borrow().clone()),
        set: None,
        doc: "",
    }],
    ..TypeSpec::EMPTY
};

// ---- proxies

pub struct WeakProxy {
    /// A weak reference.
    pub reference: Value,
}
// SAFETY: one type per kind; the reference is visited once.
unsafe impl Payload for WeakProxy {
    const KIND: Kind = Kind::WeakProxy;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.reference)
    }
}

/// The target of a proxy; any other value stands for itself.
fn target(vm: &Vm, v: &Value) -> Res {
    let Some(p) = v.get::<WeakProxy>() else {
        return Ok(v.clone());
    };
    match p.reference.get::<WeakRef>().and_then(WeakRef::get) {
        Some(t) => Ok(t),
        None => Err(vm.error(
            Exc::ReferenceError,
            "weakly-referenced object no longer exists",
        )),
    }
}

fn proxy_repr(vm: &Vm, v: &Value) -> Res {
    let at = v.id();
    Ok(vm.str(&match target(vm, v) {
        Err(_) => format!("<weakproxy at {at:#x}; dead>"),
        Ok(t) => format!("<weakproxy at {at:#x}; to {}>", describe(vm, &t)),
    }))
}

/// One function per operator, since a slot cannot carry data.
fn forward<const OP: usize>(vm: &Vm, a: &Value, b: &Value) -> Res {
    vm.binary(OPS[OP], &target(vm, a)?, &target(vm, b)?)
}
fn forward_inplace<const OP: usize>(vm: &Vm, a: &Value, b: &Value) -> Res {
    vm.inplace(OPS[OP], &target(vm, a)?, &target(vm, b)?)
}
const OPS: [BinOp; BINOPS] = [
    BinOp::Add,
    BinOp::Sub,
    BinOp::Mul,
    BinOp::MatMul,
    BinOp::Div,
    BinOp::Mod,
    BinOp::Pow,
    BinOp::LShift,
    BinOp::RShift,
    BinOp::Or,
    BinOp::Xor,
    BinOp::And,
    BinOp::FloorDiv,
    BinOp::DivMod,
];
macro_rules! per_op {
    ($f:ident) => {
        [
            $f::<0>, $f::<1>, $f::<2>, $f::<3>, $f::<4>, $f::<5>, $f::<6>, $f::<7>, $f::<8>,
            $f::<9>, $f::<10>, $f::<11>, $f::<12>, $f::<13>,
        ]
    };
}
const FORWARD: [Binary; BINOPS] = per_op!(forward);
const FORWARD_INPLACE: [Binary; BINOPS] = per_op!(forward_inplace);

fn proxy_slots(s: &mut Slots) {
    s.repr = Some(proxy_repr);
    s.str = Some(|vm, v| vm.str_of(&target(vm, v)?));
    s.hash = Some(crate::vm::slots::unhashable);
    s.getattr = Some(|vm, v, name| vm.getattr(&target(vm, v)?, name));
    s.setattr = Some(|vm, v, name, value| match value {
        Some(value) => vm.setattr(&target(vm, v)?, name, value),
        None => vm.delattr(&target(vm, v)?, name),
    });
    s.cmp = Some(|vm, a, b, op| vm.compare(op, &target(vm, a)?, &target(vm, b)?));
    s.iter = Some(|vm, v| vm.iter(&target(vm, v)?));
    s.next = Some(|vm, v| {
        let t = target(vm, v)?;
        match vm.type_obj(&t).slots().next {
            Some(f) => f(vm, &t),
            None => Err(vm.type_error(format!(
                "Weakref proxy referenced a non-iterator '{}' object",
                vm.type_name(&t)
            ))),
        }
    });
    s.bool = Some(|vm, v| vm.truth(&target(vm, v)?));
    s.len = Some(|vm, v| vm.len(&target(vm, v)?));
    s.getitem = Some(|vm, v, key| vm.getitem(&target(vm, v)?, key));
    s.setitem = Some(|vm, v, key, value| match value {
        Some(value) => vm.setitem(&target(vm, v)?, key, value),
        None => vm.delitem(&target(vm, v)?, key),
    });
    s.contains = Some(|vm, v, key| vm.contains(&target(vm, v)?, key));
    s.neg = Some(|vm, v| vm.neg(&target(vm, v)?));
    s.pos = Some(|vm, v| vm.pos(&target(vm, v)?));
    s.invert = Some(|vm, v| vm.invert(&target(vm, v)?));
    s.index = Some(|vm, v| vm.index(&target(vm, v)?));
    for i in 0..BINOPS {
        s.binary[i] = Some(FORWARD[i]);
        s.inplace[i] = Some(FORWARD_INPLACE[i]);
    }
}

pub static PROXY: TypeSpec = TypeSpec {
    name: "weakref.ProxyType",
    kind: Kind::WeakProxy,
    slots: proxy_slots,
    ..TypeSpec::EMPTY
};

pub static CALLABLE_PROXY: TypeSpec = TypeSpec {
    name: "weakref.CallableProxyType",
    kind: Kind::WeakProxy,
    slots: |s| {
        proxy_slots(s);
        s.call = Some(|vm, v, args| vm.call_args(&target(vm, v)?, args));
    },
    ..TypeSpec::EMPTY
};
