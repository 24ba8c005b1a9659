//! The bytes that an object stands for (placeholder until bytes are here).

use crate::object::seq::Bytes;
use crate::object::value::Value;
use crate::vm::{Res, Vm};

pub fn object_bytes(vm: &Vm, v: &Value) -> Res<Vec<u8>> {
    v.get::<Bytes>().map(|b| b.data.to_vec()).ok_or_else(|| vm.type_error("a bytes-like object is required"))
}
