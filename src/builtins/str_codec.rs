//! `str.encode` and `bytes.decode`.

use crate::builtins::support::this;
use crate::builtins::text_support::{buffer, opt_text};
use crate::object::str::Str;
use crate::object::value::Value;
use crate::text::codecs::{self, Encoding};
use crate::vm::{Res, Vm};

/// The encoding of that name, or LookupError.
pub fn lookup(vm: &Vm, name: &str) -> Res<Encoding> {
    Encoding::lookup(name).map_err(|e| vm.text_error(e))
}

/// The bytes of a str value in an encoding.
pub fn encode_value(vm: &Vm, v: &Value, encoding: &str, errors: &str) -> Res<Vec<u8>> {
    let s = this::<Str>(vm, v)?;
    let encoding = lookup(vm, encoding)?;
    codecs::encode(s.as_str(), encoding, errors).map_err(|e| vm.unicode_error(e, v))
}

pub fn encode(vm: &Vm, a: &[Value]) -> Res {
    let encoding = opt_text(vm, &a[1], "encode() argument 'encoding'")?;
    let errors = opt_text(vm, &a[2], "encode() argument 'errors'")?;
    match (encoding, errors) {
        (None | Some("utf-8" | "utf8"), _) => {
            Ok(vm.bytes(this::<Str>(vm, &a[0])?.as_str().as_bytes()))
        }
        (Some(encoding), errors) => Ok(vm.bytes_vec(encode_value(
            vm,
            &a[0],
            encoding,
            errors.unwrap_or("strict"),
        )?)),
    }
}

/// The text of a bytes-like value.
pub fn decode(vm: &Vm, v: &Value, encoding: &str, errors: &str) -> Res {
    let encoding = lookup(vm, encoding)?;
    let Some(data) = buffer(v) else {
        return Err(vm.type_error(format!(
            "a bytes-like object is required, not '{}'",
            vm.type_name(v)
        )));
    };
    if encoding == Encoding::Utf8
        && let Ok(text) = std::str::from_utf8(&data)
    {
        return vm.str_checked(text);
    }
    let r = codecs::decode(&data, encoding, errors);
    let copy = if r.is_err() {
        data.to_vec()
    } else {
        Vec::new()
    };
    drop(data);
    match r {
        Ok(text) => vm.str_checked(&text),
        Err(e) => Err(vm.unicode_error(e, &vm.bytes_vec(copy))),
    }
}

pub fn decode_method(vm: &Vm, a: &[Value]) -> Res {
    let encoding = opt_text(vm, &a[1], "decode() argument 'encoding'")?;
    let errors = opt_text(vm, &a[2], "decode() argument 'errors'")?;
    decode(
        vm,
        &a[0],
        encoding.unwrap_or("utf-8"),
        errors.unwrap_or("strict"),
    )
}
