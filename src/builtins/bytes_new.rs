//! What bytes and bytearray are made from: sizes, text, buffers, iterables of ints.

use crate::builtins::support::{has_index, small_int};
use crate::builtins::text_support::{buffer, opt_text};
use crate::object::header::Kind;
use crate::object::native::Args;
use crate::object::str::Str;
use crate::object::value::Value;
use crate::vm::{Res, Vm};

/// The value of one byte; `message` is for ints out of range.
pub fn byte(vm: &Vm, v: &Value, message: &str) -> Res<u8> {
    if let Some(i) = v.as_small()
        && let Ok(b) = u8::try_from(i)
    {
        return Ok(b);
    }
    let i = vm.index(v)?;
    small_int(&i)
        .and_then(|i| u8::try_from(i).ok())
        .ok_or_else(|| vm.value_error(message))
}

pub const BYTE_RANGE: &str = "byte must be in range(0, 256)";
const BYTES_RANGE: &str = "bytes must be in range(0, 256)";

/// The bytes of an iterable of ints.
pub fn from_ints(vm: &Vm, v: &Value, message: &str) -> Res<Vec<u8>> {
    let mut out = Vec::with_capacity(vm.length_hint(v).min(1 << 16));
    vm.iterate(v, &mut |item| {
        out.push(byte(vm, &item, message)?);
        Ok(())
    })?;
    Ok(out)
}

fn is_iterable(vm: &Vm, v: &Value) -> bool {
    let slots = vm.type_obj(v).slots();
    slots.iter.is_some() || slots.getitem.is_some()
}

/// What `__bytes__` gives, if the object has it.
fn by_method(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    if !v.is_heap()
        || matches!(
            v.kind(),
            Kind::Str | Kind::Int | Kind::Float | Kind::List | Kind::Tuple
        )
    {
        // Natives of these kinds have none, and a subclass that adds one is found below.
        if vm.type_obj(v).flags.get() & crate::object::types::tflag::HEAP == 0 {
            return Ok(None);
        }
    }
    let Some(r) = vm.call_special(v, &vm.names.__bytes__, &[])? else {
        return Ok(None);
    };
    if r.kind() != Kind::Bytes {
        return Err(vm.type_error(format!(
            "{}.__bytes__() must return a bytes, not {}",
            vm.type_name(v),
            vm.type_name(&r)
        )));
    }
    Ok(Some(r))
}

/// The bytes of an object as `PyObject_Bytes` takes them: by `__bytes__`, as a buffer, or as an iterable of ints.
pub fn object_bytes(vm: &Vm, v: &Value) -> Res<Vec<u8>> {
    if let Some(b) = buffer(v).filter(|_| v.kind() != Kind::Bytes || vm.is_exact(v, Kind::Bytes)) {
        return Ok(b.to_vec());
    }
    if let Some(r) = by_method(vm, v)? {
        return Ok(buffer(&r).map(|b| b.to_vec()).unwrap_or_default());
    }
    from_object(vm, v, "bytes", BYTES_RANGE)
}

fn from_object(vm: &Vm, v: &Value, what: &str, range: &str) -> Res<Vec<u8>> {
    if let Some(b) = buffer(v) {
        return Ok(b.to_vec());
    }
    if v.is_kind::<Str>() || !is_iterable(vm, v) {
        return Err(vm.type_error(format!(
            "cannot convert '{}' object to {what}",
            vm.type_name(v)
        )));
    }
    from_ints(vm, v, range)
}

fn zeros(vm: &Vm, v: &Value) -> Res<Vec<u8>> {
    let i = vm.index(v)?;
    let Some(n) = small_int(&i) else {
        return Err(vm.overflow_error(format!(
            "cannot fit '{}' into an index-sized integer",
            vm.type_name(v)
        )));
    };
    let Ok(n) = usize::try_from(n) else {
        return Err(vm.value_error("negative count"));
    };
    let mut out = Vec::new();
    out.try_reserve_exact(n)
        .map_err(|_| crate::builtins::support::memory_error(vm))?;
    out.resize(n, 0);
    Ok(out)
}

/// The contents that a call of `bytes` or `bytearray` asks for. A `bytes` object that can be used as it is comes back as a value.
pub fn contents(vm: &Vm, args: Args, bytes: bool) -> Res<Result<Vec<u8>, Value>> {
    let what = if bytes { "bytes" } else { "bytearray" };
    let (source, encoding, errors);
    let bound;
    match (args.all, args.has_keywords()) {
        ([], _) => return Ok(Ok(Vec::new())),
        ([x], false) => (source, encoding, errors) = (Some(x), None, None),
        _ => {
            if args.all.len() > 3 {
                return Err(vm.type_error(format!(
                    "{what}() takes at most 3 arguments ({} given)",
                    args.all.len()
                )));
            }
            bound = vm.bind_args(
                if bytes {
                    "bytes(source=..., encoding=..., errors=...)"
                } else {
                    "bytearray(source=..., encoding=..., errors=...)"
                },
                args,
            )?;
            let [s, e, r] = &bound[..] else {
                return Ok(Ok(Vec::new()));
            };
            source = s.given();
            encoding = opt_text(vm, e, &format!("{what}() argument 'encoding'"))?;
            errors = opt_text(vm, r, &format!("{what}() argument 'errors'"))?;
        }
    }
    let text = source.is_some_and(|s| s.is_kind::<Str>());
    if !text && (encoding.is_some() || errors.is_some()) {
        return Err(vm.type_error(if encoding.is_some() {
            "encoding without a string argument"
        } else {
            "errors without a string argument"
        }));
    }
    let Some(source) = source else {
        return Ok(Ok(Vec::new()));
    };
    if text {
        let Some(encoding) = encoding else {
            return Err(vm.type_error("string argument without an encoding"));
        };
        return crate::builtins::str_codec::encode_value(
            vm,
            source,
            encoding,
            errors.unwrap_or("strict"),
        )
        .map(Ok);
    }
    if bytes {
        if vm.is_exact(source, Kind::Bytes) {
            return Ok(Err(source.clone()));
        }
        if let Some(r) = by_method(vm, source)? {
            return Ok(Err(r));
        }
    }
    if has_index(vm, source) {
        return zeros(vm, source).map(Ok);
    }
    from_object(
        vm,
        source,
        what,
        if bytes { BYTES_RANGE } else { BYTE_RANGE },
    )
    .map(Ok)
}
