//! `io.BytesIO`: bytes in memory.

#![allow(unsafe_code)]

use crate::builtins::support::{c_int, memory_error, ssize, this};
use crate::builtins::text_support::need_buffer;
use crate::modules::io::base::shared_rows;
use crate::modules::io::file::fill_buffer;
use crate::object::header::{Kind, Payload};
use crate::object::native::{Args, NativeDef};
use crate::object::types::{GetSetDef, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use std::cell::{Cell, RefCell};

#[derive(Default)]
pub struct BytesIo {
    data: RefCell<Vec<u8>>,
    at: Cell<usize>,
    closed: Cell<bool>,
}
// SAFETY: one type per kind; owns no Value.
unsafe impl Payload for BytesIo {
    const KIND: Kind = Kind::BytesIo;
    const TRACED: bool = false;
}

fn init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    let a = vm.bind_args("BytesIO(initial_bytes=b'')", args)?;
    let io = this::<BytesIo>(vm, v)?;
    let data = match a[0].non_none() {
        Some(b) => need_buffer(vm, b)?.to_vec(),
        None => Vec::new(),
    };
    io.data.replace(data);
    io.at.set(0);
    io.closed.set(false);
    Ok(())
}

fn open<'a>(vm: &Vm, v: &'a Value) -> Res<&'a BytesIo> {
    let io = this::<BytesIo>(vm, v)?;
    if io.closed.get() {
        Err(vm.value_error("I/O operation on closed file."))
    } else {
        Ok(io)
    }
}

fn size(vm: &Vm, v: &Value) -> Res<Option<usize>> {
    let Some(v) = v.non_none() else {
        return Ok(None);
    };
    if !crate::builtins::support::has_index(vm, v) {
        return Err(vm.type_error(format!(
            "argument should be integer or None, not '{}'",
            vm.type_name(v)
        )));
    }
    Ok(usize::try_from(ssize(vm, v)?).ok())
}

fn take(io: &BytesIo, n: usize) -> Vec<u8> {
    let data = io.data.borrow();
    let start = io.at.get().min(data.len());
    let end = start.saturating_add(n).min(data.len());
    if end > start {
        io.at.set(end);
    }
    data[start..end].to_vec()
}

fn read(vm: &Vm, a: &[Value]) -> Res {
    let io = open(vm, &a[0])?;
    let n = size(vm, &a[1])?;
    Ok(vm.bytes_vec(take(io, n.unwrap_or(usize::MAX))))
}

fn line(io: &BytesIo, limit: Option<usize>) -> Vec<u8> {
    let n = {
        let data = io.data.borrow();
        let rest = &data[io.at.get().min(data.len())..];
        memchr::memchr(b'\n', rest).map_or(rest.len(), |i| i + 1)
    };
    take(io, n.min(limit.unwrap_or(usize::MAX)))
}

fn readline(vm: &Vm, a: &[Value]) -> Res {
    let io = open(vm, &a[0])?;
    let limit = size(vm, &a[1])?;
    Ok(vm.bytes_vec(line(io, limit)))
}

fn readinto(vm: &Vm, a: &[Value]) -> Res {
    let io = open(vm, &a[0])?;
    let n = fill_buffer(vm, &a[1], &mut |n| Ok(take(io, n)))?;
    Ok(vm.usize(n))
}

fn write(vm: &Vm, a: &[Value]) -> Res {
    let io = open(vm, &a[0])?;
    let from = need_buffer(vm, &a[1])?;
    let mut data = io.data.borrow_mut();
    let at = io.at.get();
    let end = at.checked_add(from.len()).ok_or_else(|| memory_error(vm))?;
    if from.is_empty() {
        return Ok(vm.int(0));
    }
    if end > data.len() {
        let more = end - data.len();
        data.try_reserve(more).map_err(|_| memory_error(vm))?;
        data.resize(end, 0);
    }
    data[at..end].copy_from_slice(&from);
    io.at.set(end);
    Ok(vm.usize(from.len()))
}

fn getvalue(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.bytes(&open(vm, &a[0])?.data.borrow()))
}

fn getbuffer(vm: &Vm, a: &[Value]) -> Res {
    let copy = vm.bytearray(open(vm, &a[0])?.data.borrow().clone());
    vm.call(vm.kind_type(Kind::MemoryView), &[copy])
}

fn seek(vm: &Vm, a: &[Value]) -> Res {
    let io = open(vm, &a[0])?;
    let (n, whence) = (ssize(vm, &a[1])?, c_int(vm, &a[2])?);
    let from = match whence {
        0 if n < 0 => return Err(vm.value_error(format!("negative seek value {n}"))),
        0 => 0,
        1 => io.at.get() as i64,
        2 => io.data.borrow().len() as i64,
        w => return Err(vm.value_error(format!("invalid whence ({w}, should be 0, 1 or 2)"))),
    };
    let at = from
        .checked_add(n)
        .ok_or_else(|| vm.overflow_error("new position too large"))?
        .max(0);
    io.at.set(at as usize);
    Ok(vm.int(at))
}

fn tell(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.usize(open(vm, &a[0])?.at.get()))
}

fn truncate(vm: &Vm, a: &[Value]) -> Res {
    let io = open(vm, &a[0])?;
    let n = match a[1].non_none() {
        None => io.at.get(),
        Some(n) => {
            let n = ssize(vm, n)?;
            usize::try_from(n).map_err(|_| vm.value_error(format!("negative size value {n}")))?
        }
    };
    io.data.borrow_mut().truncate(n);
    Ok(vm.usize(n))
}

fn close(vm: &Vm, a: &[Value]) -> Res {
    let io = this::<BytesIo>(vm, &a[0])?;
    io.closed.set(true);
    let old = io.data.take();
    drop(old);
    Ok(Value::NONE)
}

fn answer(vm: &Vm, a: &[Value], b: bool) -> Res {
    open(vm, &a[0])?;
    Ok(Value::bool(b))
}

pub static TYPE: TypeSpec = TypeSpec {
    name: "_io.BytesIO",
    kind: Kind::BytesIo,
    flags: tflag::BASETYPE | tflag::WEAKREF | tflag::DICT,
    slots: |s| {
        s.new = Some(|vm, class, _| Ok(vm.alloc_as(class, BytesIo::default())));
        s.init = Some(init);
        s.iter = Some(|vm, v| {
            open(vm, v)?;
            Ok(v.clone())
        });
        s.next = Some(|vm, v| {
            let data = line(open(vm, v)?, None);
            Ok(if data.is_empty() {
                None
            } else {
                Some(vm.bytes_vec(data))
            })
        });
    },
    methods: shared_rows![
        NativeDef {
            sig: "read(self, size=-1, /)",
            f: read,
            doc: "Read at most size bytes, returned as a bytes object."
        },
        NativeDef {
            sig: "read1(self, size=-1, /)",
            f: read,
            doc: "Read at most size bytes, returned as a bytes object."
        },
        NativeDef {
            sig: "readline(self, size=-1, /)",
            f: readline,
            doc: "Next line from the file, as a bytes object."
        },
        NativeDef {
            sig: "readinto(self, buffer, /)",
            f: readinto,
            doc: "Read bytes into buffer."
        },
        NativeDef {
            sig: "readinto1(self, buffer, /)",
            f: readinto,
            doc: "Read bytes into buffer."
        },
        NativeDef {
            sig: "write(self, b, /)",
            f: write,
            doc: "Write bytes to file."
        },
        NativeDef {
            sig: "getvalue(self, /)",
            f: getvalue,
            doc: "Retrieve the entire contents of the BytesIO object."
        },
        NativeDef {
            sig: "getbuffer(self, /)",
            f: getbuffer,
            doc: "A view of a copy of the contents."
        },
        NativeDef {
            sig: "seek(self, pos, whence=0, /)",
            f: seek,
            doc: "Change stream position."
        },
        NativeDef {
            sig: "tell(self, /)",
            f: tell,
            doc: "Current file position, an integer."
        },
        NativeDef {
            sig: "truncate(self, size=None, /)",
            f: truncate,
            doc: "Truncate the file to at most size bytes."
        },
        NativeDef {
            sig: "close(self, /)",
            f: close,
            doc: "Disable all I/O operations."
        },
        NativeDef {
            sig: "flush(self, /)",
            f: |vm, a| answer(vm, a, true).map(|_| Value::NONE),
            doc: "Does nothing."
        },
        NativeDef {
            sig: "readable(self, /)",
            f: |vm, a| answer(vm, a, true),
            doc: "Returns True if the IO object can be read."
        },
        NativeDef {
            sig: "writable(self, /)",
            f: |vm, a| answer(vm, a, true),
            doc: "Returns True if the IO object can be written."
        },
        NativeDef {
            sig: "seekable(self, /)",
            f: |vm, a| answer(vm, a, true),
            doc: "Returns True if the IO object can be seeked."
        },
        NativeDef {
            sig: "isatty(self, /)",
            f: |vm, a| answer(vm, a, false),
            doc: "Always returns False."
        },
        NativeDef {
            sig: "fileno(self, /)",
            f: |vm, _| Err(crate::modules::io::unsupported(vm, "fileno")),
            doc: "Always fails."
        },
        NativeDef {
            sig: "detach(self, /)",
            f: |vm, _| Err(crate::modules::io::unsupported(vm, "detach")),
            doc: "Always fails."
        },
    ],
    getset: &[GetSetDef {
        name: "closed",
        get: |vm, v| Ok(Value::bool(this::<BytesIo>(vm, v)?.closed.get())),
        set: None,
        doc: "True if the file is closed.",
    }],
    doc: "Buffered I/O implementation using an in-memory bytes buffer.",
    ..TypeSpec::EMPTY
};
