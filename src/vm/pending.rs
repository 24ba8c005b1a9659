//! Placeholders for operations of the VM whose real form is being written.
//!
//! Rule: whoever writes the real one deletes the placeholder here; nobody leaves one behind.

#![allow(unused_variables)]

use super::{Raised, Res, Vm};
use crate::object::exception::Exception;
use crate::object::native::{Args, Native, NativeDef};
use crate::object::shape::Shape;
use crate::object::types::{BinOp, CmpOp, TypeObj, TypeSpec};
use crate::object::value::Value;
use num_bigint::BigInt;

macro_rules! missing {
    ($($name:ident($($arg:ident: $ty:ty),*) -> $ret:ty;)*) => {
        impl Vm {
            $(pub fn $name(&self, $($arg: $ty),*) -> Res<$ret> {
                Err(self.runtime_error(concat!(stringify!($name), " is not there yet")))
            })*
        }
    };
}

// The frames and the interpreter loop.
missing! {
}

// What nobody has written yet.
missing! {
    generic_alias(origin: &Value, args: &Value) -> Value;
    mapping_proxy_of(dict: &Value) -> Value;
}

// Calls.
missing! {
    call(f: &Value, args: &[Value]) -> Value;
    call_args(f: &Value, args: Args) -> Value;
    call_kw(f: &Value, pos: &[Value], kw: &[(Value, Value)]) -> Value;
    call_method(obj: &Value, name: &Value, args: &[Value]) -> Value;
    call_special(obj: &Value, name: &Value, args: &[Value]) -> Option<Value>;
    check_native_stack() -> ();
    native_call(n: &Native, args: Args) -> Value;
}

// Attributes.
missing! {
    getattr(obj: &Value, name: &Value) -> Value;
    getattr_opt(obj: &Value, name: &Value) -> Option<Value>;
    getattr_str(obj: &Value, name: &str) -> Value;
    setattr(obj: &Value, name: &Value, value: &Value) -> ();
    delattr(obj: &Value, name: &Value) -> ();
    generic_getattr(obj: &Value, name: &Value) -> Value;
    generic_setattr(obj: &Value, name: &Value, value: Option<&Value>) -> ();
    load_method(obj: &Value, name: &Value) -> (Value, Option<Value>);
    instance_dict(obj: &Value) -> Option<Value>;
}

// Classes.
missing! {
    isinstance(v: &Value, class: &Value) -> bool;
    issubclass(c: &Value, class: &Value) -> bool;
}

// Protocols.
missing! {
    repr(v: &Value) -> Value;
    str_of(v: &Value) -> Value;
    repr_string(v: &Value) -> String;
    str_string(v: &Value) -> String;
    ascii(v: &Value) -> Value;
    hash(v: &Value) -> i64;
    truth(v: &Value) -> bool;
    len(v: &Value) -> usize;
    iter(v: &Value) -> Value;
    next(it: &Value) -> Option<Value>;
    iterate(v: &Value, f: &mut dyn FnMut(Value) -> Res<()>) -> ();
    collect(v: &Value) -> Vec<Value>;
    getitem(o: &Value, k: &Value) -> Value;
    setitem(o: &Value, k: &Value, v: &Value) -> ();
    delitem(o: &Value, k: &Value) -> ();
    contains(container: &Value, item: &Value) -> bool;
    format(v: &Value, spec: &Value) -> Value;
    index(v: &Value) -> Value;
    as_index(v: &Value) -> i64;
    to_f64(v: &Value) -> f64;
    as_i64(v: &Value, what: &str) -> i64;
    binary(op: BinOp, a: &Value, b: &Value) -> Value;
    inplace(op: BinOp, a: &Value, b: &Value) -> Value;
    neg(v: &Value) -> Value;
    pos(v: &Value) -> Value;
    invert(v: &Value) -> Value;
    compare(op: CmpOp, a: &Value, b: &Value) -> Value;
    eq(a: &Value, b: &Value) -> bool;
    lt(a: &Value, b: &Value) -> bool;
}

/// What an inline cache of LOADATTR may hold for one shape and name.
pub enum AttrPlan {
    Slot { offset: u32 },
    ClassValue(Value),
    Method(Value),
    Property(Value),
    None,
}
/// What an inline cache of STOREATTR may hold for one shape and name.
pub enum StorePlan {
    Slot { offset: u32 },
    Add { offset: u32, new_shape: *const Shape },
    None,
}

impl Vm {
    pub fn new_native(&self, def: &'static NativeDef, self_: Value, owner: Value, module: Value) -> Value {
        Value::NONE
    }
    pub fn lookup_type_attr(&self, ty: &Value, name: &Value) -> Option<Value> {
        None
    }
    pub fn lookup_special(&self, obj: &Value, name: &Value) -> Option<Value> {
        None
    }
    pub fn attr_plan(&self, obj: &Value, name: &Value) -> (u32, AttrPlan) {
        (0, AttrPlan::None)
    }
    pub fn store_plan(&self, obj: &Value, name: &Value) -> (u32, StorePlan) {
        (0, StorePlan::None)
    }
    pub fn new_type(&self, spec: &'static TypeSpec, module: Option<&str>) -> Value {
        Value::NONE
    }
    pub fn type_of(&self, v: &Value) -> Value {
        self.kind_type(v.kind()).clone()
    }
    pub fn type_obj(&self, v: &Value) -> &TypeObj {
        self.kind_type(v.kind()).get::<TypeObj>().expect("every kind has a type")
    }
    pub fn type_name(&self, v: &Value) -> String {
        self.type_obj(v).name_str()
    }
    pub fn is_exact(&self, v: &Value, kind: crate::object::Kind) -> bool {
        v.kind() == kind
    }
    pub fn length_hint(&self, v: &Value) -> usize {
        0
    }
    pub fn to_bigint(&self, v: &Value) -> Option<BigInt> {
        None
    }
    pub fn repr_enter(&self, v: &Value) -> bool {
        true
    }
    pub fn repr_leave(&self, v: &Value) {}
    /// A placeholder's way to say that a Raised is unused.
    pub fn ignore(&self, r: Raised) {}
}
