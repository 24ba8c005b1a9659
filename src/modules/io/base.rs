//! What every stream object can do by way of its other methods: the context manager, `readlines`, `writelines`; and the abstract bases.

use crate::builtins::support::ssize;
use crate::modules::io::unsupported;
use crate::object::func::Object;
use crate::object::header::Kind;
use crate::object::native::NativeDef;
use crate::object::types::{GetSetDef, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::{Res, Vm};

/// Fails if the stream is closed.
pub fn check_open(vm: &Vm, v: &Value) -> Res<()> {
    let closed = vm.getattr_str(v, "closed")?;
    if vm.truth(&closed)? {
        Err(vm.value_error("I/O operation on closed file."))
    } else {
        Ok(())
    }
}

pub fn enter(vm: &Vm, a: &[Value]) -> Res {
    check_open(vm, &a[0])?;
    Ok(a[0].clone())
}

pub fn exit(vm: &Vm, a: &[Value]) -> Res {
    vm.call_method(&a[0], &vm.names.close, &[])
}

/// The lines that iteration gives; with a hint, until that many characters were read.
pub fn readlines(vm: &Vm, a: &[Value]) -> Res {
    let hint = match a[1].non_none() {
        Some(h) => ssize(vm, h)?,
        None => -1,
    };
    let mut lines = Vec::new();
    let mut total = 0;
    let it = vm.iter(&a[0])?;
    while let Some(line) = vm.next(&it)? {
        total += vm.len(&line)? as i64;
        lines.push(line);
        if hint > 0 && total > hint {
            break;
        }
    }
    Ok(vm.list(lines))
}

pub fn writelines(vm: &Vm, a: &[Value]) -> Res {
    check_open(vm, &a[0])?;
    let write = vm.getattr(&a[0], &vm.names.write)?;
    vm.iterate(&a[1], &mut |line| vm.call(&write, &[line]).map(drop))?;
    Ok(Value::NONE)
}

/// `next()` of a stream that has only `readline`.
pub fn next_line(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    let line = vm.call_method(v, &vm.names.readline, &[])?;
    Ok(if vm.len(&line)? == 0 {
        None
    } else {
        Some(line)
    })
}

/// Rows that all concrete stream types share.
macro_rules! shared_rows {
    ($($row:expr,)*) => {
        &[
            $($row,)*
            NativeDef { sig: "__enter__(self, /)", f: $crate::modules::io::base::enter, doc: "" },
            NativeDef { sig: "__exit__(self, /, *args)", f: $crate::modules::io::base::exit, doc: "" },
            NativeDef { sig: "readlines(self, hint=-1, /)", f: $crate::modules::io::base::readlines, doc: "Return a list of lines from the stream." },
            NativeDef { sig: "writelines(self, lines, /)", f: $crate::modules::io::base::writelines, doc: "Write a list of lines to stream." },
        ]
    };
}
pub(super) use shared_rows;

// ---- the abstract bases: attributes `_closed` in the instance, everything else by the methods of subclasses

fn is_closed(vm: &Vm, v: &Value) -> Res {
    Ok(Value::bool(
        vm.getattr_opt(v, &vm.intern("_IOBase__closed"))?.is_some(),
    ))
}

fn flush(vm: &Vm, a: &[Value]) -> Res {
    check_open(vm, &a[0])?;
    Ok(Value::NONE)
}

fn close(vm: &Vm, a: &[Value]) -> Res {
    if is_closed(vm, &a[0])?.is_true() {
        return Ok(Value::NONE);
    }
    let r = vm.call_method(&a[0], &vm.names.flush, &[]);
    vm.setattr(&a[0], &vm.intern("_IOBase__closed"), &Value::TRUE)?;
    r.map(|_| Value::NONE)
}

fn no(vm: &Vm, a: &[Value]) -> Res {
    check_open(vm, &a[0])?;
    Ok(Value::FALSE)
}

fn check(vm: &Vm, v: &Value, method: &str, what: &str) -> Res {
    let ok = vm.call_method(v, &vm.intern(method), &[])?;
    if vm.truth(&ok)? {
        Ok(Value::TRUE)
    } else {
        Err(unsupported(vm, what))
    }
}

/// Reads to a newline, one byte at a time unless the stream can peek.
fn readline(vm: &Vm, a: &[Value]) -> Res {
    let limit = match a[1].non_none() {
        Some(n) => ssize(vm, n)?,
        None => -1,
    };
    let read = vm.getattr(&a[0], &vm.names.read)?;
    let mut line: Vec<u8> = Vec::new();
    while limit < 0 || (line.len() as i64) < limit {
        let part = vm.call(&read, &[vm.int(1)])?;
        let Some(b) = part.get::<crate::object::seq::Bytes>() else {
            if part.is_none() {
                break;
            }
            return Err(vm.type_error(format!(
                "read() should have returned a bytes object, not '{}'",
                vm.type_name(&part)
            )));
        };
        line.extend_from_slice(&b.data);
        if b.data.is_empty() || line.ends_with(b"\n") {
            break;
        }
    }
    Ok(vm.bytes_vec(line))
}

fn missing(vm: &Vm, what: &str) -> Res {
    Err(unsupported(vm, what))
}

/// `read` of a raw stream that has `readinto`.
fn raw_read(vm: &Vm, a: &[Value]) -> Res {
    let n = match a[1].non_none() {
        Some(n) => ssize(vm, n)?,
        None => -1,
    };
    if n < 0 {
        return vm.call_method(&a[0], &vm.intern("readall"), &[]);
    }
    let buffer = vm.bytearray(vec![0; n as usize]);
    let got = vm.call_method(&a[0], &vm.intern("readinto"), std::slice::from_ref(&buffer))?;
    if got.is_none() {
        return Ok(got);
    }
    let got = ssize(vm, &got)?;
    if got < 0 || got > n {
        return Err(vm.value_error(format!("readinto returned {got} outside buffer size {n}")));
    }
    let data = buffer
        .get::<crate::object::seq::ByteArray>()
        .map(|b| b.data.borrow()[..got as usize].to_vec());
    Ok(vm.bytes_vec(data.unwrap_or_default()))
}

fn raw_readall(vm: &Vm, a: &[Value]) -> Res {
    let mut all: Vec<u8> = Vec::new();
    loop {
        let part = vm.call_method(&a[0], &vm.names.read, &[vm.int(8192)])?;
        match part.get::<crate::object::seq::Bytes>() {
            Some(b) if b.data.is_empty() => break,
            Some(b) => all.extend_from_slice(&b.data),
            None if part.is_none() && all.is_empty() => return Ok(part),
            None => break,
        }
    }
    Ok(vm.bytes_vec(all))
}

pub static IO_BASE: TypeSpec = TypeSpec {
    name: "_io._IOBase",
    kind: Kind::Object,
    flags: tflag::BASETYPE | tflag::DICT | tflag::WEAKREF,
    slots: |s| {
        s.new = Some(|vm, class, _| Ok(vm.alloc_as(class, Object)));
        s.init = Some(|_, _, _| Ok(()));
        s.iter = Some(|vm, v| {
            check_open(vm, v)?;
            Ok(v.clone())
        });
        s.next = Some(next_line);
    },
    methods: &[
        NativeDef {
            sig: "close(self, /)",
            f: close,
            doc: "Flush and close the IO object.",
        },
        NativeDef {
            sig: "flush(self, /)",
            f: flush,
            doc: "Flush write buffers, if applicable.",
        },
        NativeDef {
            sig: "readable(self, /)",
            f: no,
            doc: "Return whether object was opened for reading.",
        },
        NativeDef {
            sig: "writable(self, /)",
            f: no,
            doc: "Return whether object was opened for writing.",
        },
        NativeDef {
            sig: "seekable(self, /)",
            f: no,
            doc: "Return whether object supports random access.",
        },
        NativeDef {
            sig: "isatty(self, /)",
            f: no,
            doc: "Return whether this is an 'interactive' stream.",
        },
        NativeDef {
            sig: "fileno(self, /)",
            f: |vm, _| missing(vm, "fileno"),
            doc: "Return underlying file descriptor if one exists.",
        },
        NativeDef {
            sig: "seek(self, offset, whence=0, /)",
            f: |vm, _| missing(vm, "seek"),
            doc: "Change the stream position to the given byte offset.",
        },
        NativeDef {
            sig: "tell(self, /)",
            f: |vm, a| vm.call_method(&a[0], &vm.intern("seek"), &[vm.int(0), vm.int(1)]),
            doc: "Return current stream position.",
        },
        NativeDef {
            sig: "truncate(self, size=None, /)",
            f: |vm, _| missing(vm, "truncate"),
            doc: "Truncate file to size bytes.",
        },
        NativeDef {
            sig: "readline(self, size=-1, /)",
            f: readline,
            doc: "Read and return a line from the stream.",
        },
        NativeDef {
            sig: "readlines(self, hint=-1, /)",
            f: readlines,
            doc: "Return a list of lines from the stream.",
        },
        NativeDef {
            sig: "writelines(self, lines, /)",
            f: writelines,
            doc: "Write a list of lines to stream.",
        },
        NativeDef {
            sig: "_checkClosed(self, /)",
            f: |vm, a| check_open(vm, &a[0]).map(|()| Value::NONE),
            doc: "",
        },
        NativeDef {
            sig: "_checkReadable(self, /)",
            f: |vm, a| check(vm, &a[0], "readable", "File or stream is not readable."),
            doc: "",
        },
        NativeDef {
            sig: "_checkWritable(self, /)",
            f: |vm, a| check(vm, &a[0], "writable", "File or stream is not writable."),
            doc: "",
        },
        NativeDef {
            sig: "_checkSeekable(self, /)",
            f: |vm, a| check(vm, &a[0], "seekable", "File or stream is not seekable."),
            doc: "",
        },
        NativeDef {
            sig: "__enter__(self, /)",
            f: enter,
            doc: "",
        },
        NativeDef {
            sig: "__exit__(self, /, *args)",
            f: exit,
            doc: "",
        },
    ],
    getset: &[GetSetDef {
        name: "closed",
        get: is_closed,
        set: None,
        doc: "",
    }],
    doc: "The abstract base class for all I/O classes.",
    ..TypeSpec::EMPTY
};

pub static RAW_IO_BASE: TypeSpec = TypeSpec {
    name: "_io._RawIOBase",
    methods: &[
        NativeDef {
            sig: "read(self, size=-1, /)",
            f: raw_read,
            doc: "",
        },
        NativeDef {
            sig: "readall(self, /)",
            f: raw_readall,
            doc: "Read until EOF, using multiple read() call.",
        },
        NativeDef {
            sig: "readinto(self, buffer, /)",
            f: |vm, _| missing(vm, "readinto"),
            doc: "",
        },
        NativeDef {
            sig: "write(self, b, /)",
            f: |vm, _| missing(vm, "write"),
            doc: "",
        },
    ],
    doc: "Base class for raw binary I/O.",
    ..IO_BASE_LIKE
};

pub static BUFFERED_IO_BASE: TypeSpec = TypeSpec {
    name: "_io._BufferedIOBase",
    methods: &[
        NativeDef {
            sig: "read(self, size=-1, /)",
            f: |vm, _| missing(vm, "read"),
            doc: "",
        },
        NativeDef {
            sig: "read1(self, size=-1, /)",
            f: |vm, _| missing(vm, "read1"),
            doc: "",
        },
        NativeDef {
            sig: "write(self, b, /)",
            f: |vm, _| missing(vm, "write"),
            doc: "",
        },
        NativeDef {
            sig: "detach(self, /)",
            f: |vm, _| missing(vm, "detach"),
            doc: "",
        },
    ],
    doc: "Base class for buffered IO objects.",
    ..IO_BASE_LIKE
};

pub static TEXT_IO_BASE: TypeSpec = TypeSpec {
    name: "_io._TextIOBase",
    methods: &[
        NativeDef {
            sig: "read(self, size=-1, /)",
            f: |vm, _| missing(vm, "read"),
            doc: "",
        },
        NativeDef {
            sig: "readline(self, size=-1, /)",
            f: |vm, _| missing(vm, "readline"),
            doc: "",
        },
        NativeDef {
            sig: "write(self, s, /)",
            f: |vm, _| missing(vm, "write"),
            doc: "",
        },
        NativeDef {
            sig: "detach(self, /)",
            f: |vm, _| missing(vm, "detach"),
            doc: "",
        },
    ],
    doc: "Base class for text I/O.",
    ..IO_BASE_LIKE
};

/// The parts that the derived bases have in common with `_IOBase`. (A native type can derive only from the type of a kind, so they are told apart by
/// `io`'s abstract classes, not by `isinstance` of these.)
const IO_BASE_LIKE: TypeSpec = TypeSpec {
    kind: Kind::Object,
    flags: tflag::BASETYPE | tflag::DICT | tflag::WEAKREF,
    slots: |s| {
        s.new = Some(|vm, class, _| Ok(vm.alloc_as(class, Object)));
        s.init = Some(|_, _, _| Ok(()));
    },
    ..TypeSpec::EMPTY
};
