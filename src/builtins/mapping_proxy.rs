//! `types.MappingProxyType`: a read-only view of a mapping; what `C.__dict__` gives.

#![allow(unsafe_code)]

use crate::object::dict::Dict;
use crate::object::header::{Kind, Payload};
use crate::object::native::NativeDef;
use crate::object::types::{BinOp, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::{Res, Vm};

pub struct MappingProxy(pub Value);
// SAFETY: one type per kind; the mapping is visited once.
unsafe impl Payload for MappingProxy {
    const KIND: Kind = Kind::MappingProxy;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.0)
    }
}

fn inner(vm: &Vm, v: &Value) -> Res {
    v.get::<MappingProxy>()
        .map(|p| p.0.clone())
        .ok_or_else(|| vm.type_error("a mappingproxy was expected"))
}

/// The mapping behind a proxy, or the value itself.
fn unwrap(v: &Value) -> Value {
    v.get::<MappingProxy>()
        .map_or_else(|| v.clone(), |p| p.0.clone())
}

impl Vm {
    /// A read-only view of a mapping.
    pub fn mapping_proxy(&self, mapping: &Value) -> Value {
        self.alloc(MappingProxy(mapping.clone()))
    }
}

fn forward(vm: &Vm, a: &[Value], name: &str) -> Res {
    vm.call_method(&inner(vm, &a[0])?, &vm.intern(name), &a[1..])
}

pub static TYPE: TypeSpec = TypeSpec {
    name: "mappingproxy",
    kind: Kind::MappingProxy,
    flags: tflag::MAPPING,
    slots: |s| {
        s.new = Some(|vm, _, args| {
            let a = vm.bind_args("mappingproxy(mapping)", args)?;
            let sequence = matches!(a[0].kind(), Kind::List | Kind::Tuple | Kind::Str);
            if vm.type_obj(&a[0]).slots().getitem.is_none() || sequence {
                return Err(vm.type_error(format!(
                    "mappingproxy() argument must be a mapping, not {}",
                    vm.type_name(&a[0])
                )));
            }
            Ok(vm.mapping_proxy(&a[0]))
        });
        s.repr = Some(|vm, v| {
            Ok(vm.str(&format!(
                "mappingproxy({})",
                vm.repr_string(&inner(vm, v)?)?
            )))
        });
        s.str = Some(|vm, v| vm.str_of(&inner(vm, v)?));
        s.len = Some(|vm, v| vm.len(&inner(vm, v)?));
        s.getitem = Some(|vm, v, k| vm.getitem(&inner(vm, v)?, k));
        s.contains = Some(|vm, v, k| vm.contains(&inner(vm, v)?, k));
        s.iter = Some(|vm, v| vm.iter(&inner(vm, v)?));
        s.hash = Some(|vm, v| vm.hash(&inner(vm, v)?));
        s.cmp = Some(|vm, a, b, op| vm.compare(op, &unwrap(a), &unwrap(b)));
        s.binary[BinOp::Or as usize] =
            Some(|vm, a, b| vm.binary(BinOp::Or, &unwrap(a), &unwrap(b)));
        s.inplace[BinOp::Or as usize] = Some(|vm, a, _| {
            Err(vm.type_error(format!(
                "'|=' is not supported by {}; use '|' instead",
                vm.type_name(a)
            )))
        });
    },
    methods: &[
        NativeDef {
            sig: "get(self, key, default=None, /)",
            f: |vm, a| forward(vm, a, "get"),
            doc: "Return the value for key if key is in the mapping, else default.",
        },
        NativeDef {
            sig: "keys(self, /)",
            f: |vm, a| forward(vm, a, "keys"),
            doc: "a set-like object providing a view on D's keys",
        },
        NativeDef {
            sig: "values(self, /)",
            f: |vm, a| forward(vm, a, "values"),
            doc: "an object providing a view on D's values",
        },
        NativeDef {
            sig: "items(self, /)",
            f: |vm, a| forward(vm, a, "items"),
            doc: "a set-like object providing a view on D's items",
        },
        NativeDef {
            sig: "copy(self, /)",
            f: |vm, a| forward(vm, a, "copy"),
            doc: "a shallow copy of D",
        },
        NativeDef {
            sig: "__reversed__(self, /)",
            f: |vm, a| forward(vm, a, "__reversed__"),
            doc: "D.__reversed__() -> reverse iterator",
        },
    ],
    class_methods: &[NativeDef {
        sig: "__class_getitem__(cls, object, /)",
        f: |vm, a| vm.generic_alias(&a[0], &a[1]),
        doc: "See PEP 585",
    }],
    doc: "Read-only proxy of a mapping.",
    ..TypeSpec::EMPTY
};

/// The dict behind a value that is a dict or a proxy of one.
pub fn dict_behind(v: &Value) -> Option<Value> {
    let v = unwrap(v);
    v.is_kind::<Dict>().then_some(v)
}
