//! The types of None, Ellipsis and NotImplemented.

use crate::object::header::Kind;
use crate::object::native::{Args, NativeDef};
use crate::object::types::TypeSpec;
use crate::object::value::Value;
use crate::vm::{Res, Vm};

fn no_args(vm: &Vm, name: &str, args: Args, v: Value) -> Res {
    if args.all.is_empty() {
        Ok(v)
    } else {
        Err(vm.type_error(format!("{name} takes no arguments")))
    }
}

pub static NONE: TypeSpec = TypeSpec {
    name: "NoneType",
    kind: Kind::None,
    slots: |s| {
        s.repr = Some(|vm, _| Ok(vm.intern("None")));
        s.bool = Some(|_, _| Ok(false));
        s.hash = Some(|_, _| Ok(0xfca86420));
        s.new = Some(|vm, _, args| no_args(vm, "NoneType", args, Value::NONE));
    },
    doc: "The type of the None singleton.",
    ..TypeSpec::EMPTY
};

fn ellipsis_reduce(vm: &Vm, _: &[Value]) -> Res {
    Ok(vm.intern("Ellipsis"))
}

pub static ELLIPSIS: TypeSpec = TypeSpec {
    name: "ellipsis",
    kind: Kind::Ellipsis,
    slots: |s| {
        s.repr = Some(|vm, _| Ok(vm.intern("Ellipsis")));
        s.new = Some(|vm, _, args| no_args(vm, "EllipsisType", args, Value::ELLIPSIS));
    },
    methods: &[NativeDef {
        sig: "__reduce__(self, /)",
        f: ellipsis_reduce,
        doc: "",
    }],
    doc: "The type of the Ellipsis singleton.",
    ..TypeSpec::EMPTY
};

fn not_implemented_reduce(vm: &Vm, _: &[Value]) -> Res {
    Ok(vm.intern("NotImplemented"))
}

pub static NOT_IMPLEMENTED: TypeSpec = TypeSpec {
    name: "NotImplementedType",
    kind: Kind::NotImplemented,
    slots: |s| {
        s.repr = Some(|vm, _| Ok(vm.intern("NotImplemented")));
        s.bool = Some(|vm, _| {
            Err(vm.type_error("NotImplemented should not be used in a boolean context"))
        });
        s.new = Some(|vm, _, args| no_args(vm, "NotImplementedType", args, Value::NOT_IMPLEMENTED));
    },
    methods: &[NativeDef {
        sig: "__reduce__(self, /)",
        f: not_implemented_reduce,
        doc: "",
    }],
    doc: "The type of the NotImplemented singleton.",
    ..TypeSpec::EMPTY
};
