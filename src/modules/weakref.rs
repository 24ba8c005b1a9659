//! The module `_weakref`.

use crate::builtins::weakref::{CALLABLE_PROXY, WeakProxy};
use crate::modules::math::rows;
use crate::object::header::Kind;
use crate::object::native::NativeDef;
use crate::object::value::Value;
use crate::vm::{Res, Vm};

fn proxy(vm: &Vm, a: &[Value]) -> Res {
    let reference = vm.weak_ref(vm.kind_type(Kind::WeakRef), &a[0], a[1].non_none())?;
    let data = WeakProxy { reference };
    Ok(if vm.is_callable(&a[0]) {
        vm.alloc_of(&CALLABLE_PROXY, data)
    } else {
        vm.alloc(data)
    })
}

fn count(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.usize(vm.heap.weak_refs(&a[0]).len()))
}

fn refs(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.list(vm.heap.weak_refs(&a[0])))
}

static FUNCTIONS: &[NativeDef] = rows! {
    "proxy(object, callback=None, /)" proxy, "Create a proxy object that weakly references 'object'.\n\n'callback', if given, is called with a reference to the\nproxy when 'object' is about to be finalized.";
    "getweakrefcount(object, /)" count, "Return the number of weak references to 'object'.";
    "getweakrefs(object, /)" refs, "Return a list of all weak reference objects pointing to 'object'.";
};

pub fn init(vm: &Vm) -> Res {
    let m = vm.native_module("_weakref", "Weak-reference support module.", &[FUNCTIONS]);
    let reference = vm.kind_type(Kind::WeakRef).clone();
    vm.module_set(&m, "ref", reference.clone());
    vm.module_set(&m, "ReferenceType", reference);
    vm.module_set(&m, "ProxyType", vm.kind_type(Kind::WeakProxy).clone());
    vm.module_set(&m, "CallableProxyType", vm.native_type(&CALLABLE_PROXY));
    Ok(m)
}
