//! `bool`: the two truth values, ints otherwise.

use crate::builtins::int_arith as arith;
use crate::builtins::support::positional;
use crate::object::header::Kind;
use crate::object::native::Args;
use crate::object::types::{BinOp, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::{Res, Vm};

fn new(vm: &Vm, _class: &Value, args: Args) -> Res {
    match positional(vm, "bool", args, 0, 1)? {
        [x] => Ok(Value::bool(vm.truth(x)?)),
        _ => Ok(Value::FALSE),
    }
}

fn repr(vm: &Vm, v: &Value) -> Res {
    Ok(vm.intern(if v.is_true() { "True" } else { "False" }))
}

macro_rules! logical {
    ($($name:ident $op:tt $int:ident;)*) => {$(
        fn $name(vm: &Vm, a: &Value, b: &Value) -> Res {
            match (a.as_bool(), b.as_bool()) {
                (Some(x), Some(y)) => Ok(Value::bool(x $op y)),
                _ => arith::$int(vm, a, b),
            }
        }
    )*};
}
logical! {
    and & bitand;
    or | bitor;
    xor ^ bitxor;
}

pub static TYPE: TypeSpec = TypeSpec {
    name: "bool",
    base: Some(Kind::Int),
    kind: Kind::Bool,
    flags: tflag::MATCH_SELF,
    slots: |s| {
        s.new = Some(new);
        s.repr = Some(repr);
        s.binary[BinOp::And as usize] = Some(and);
        s.binary[BinOp::Or as usize] = Some(or);
        s.binary[BinOp::Xor as usize] = Some(xor);
    },
    doc: "Returns True when the argument is true, False otherwise.\nThe builtins True and False are the only two instances of the class bool.\nThe class bool is a subclass of the class int, and cannot be subclassed.",
    ..TypeSpec::EMPTY
};
