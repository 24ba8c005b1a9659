//! `io.StringIO`: text in memory.

#![allow(unsafe_code)]

use crate::builtins::support::{c_int, ssize, this};
use crate::modules::io::base::shared_rows;
use crate::modules::io::text::Newline;
use crate::object::header::{Kind, Payload};
use crate::object::native::{Args, NativeDef};
use crate::object::types::{GetSetDef, TypeSpec, tflag};
use crate::object::value::Value;
use crate::text::chars::{byte_offset, char_len};
use crate::vm::{Res, Vm};
use std::cell::{Cell, RefCell};

#[derive(Default)]
struct Buffer {
    text: String,
    ascii: bool,
    /// Position in characters, and the same in bytes as long as it lies within the text.
    at: usize,
    byte: usize,
    chars: usize,
}

impl Buffer {
    fn set_position(&mut self, at: usize) {
        self.at = at;
        self.byte = if at >= self.chars {
            self.text.len()
        } else {
            byte_offset(&self.text, self.ascii, at)
        };
    }
    /// Takes the next `bytes` bytes.
    fn take(&mut self, bytes: usize) -> &str {
        let s = &self.text[self.byte..self.byte + bytes];
        self.at += if self.ascii { bytes } else { s.chars().count() };
        self.byte += bytes;
        &self.text[self.byte - bytes..self.byte]
    }
    fn write(&mut self, s: &str) {
        let n = char_len(s, s.is_ascii());
        if self.at > self.chars {
            // Beyond the end: the gap is filled with NULs.
            let gap = self.at - self.chars;
            self.text.extend(std::iter::repeat_n('\0', gap));
            self.chars = self.at;
            self.byte = self.text.len();
        }
        if self.byte == self.text.len() {
            self.text.push_str(s);
            self.chars += n;
        } else {
            let end = if self.at + n >= self.chars {
                self.text.len()
            } else {
                byte_offset(&self.text, self.ascii, self.at + n)
            };
            self.text.replace_range(self.byte..end, s);
            self.chars = self.chars.max(self.at + n);
        }
        self.ascii &= s.is_ascii();
        self.at += n;
        self.byte += s.len();
    }
}

pub struct StringIo {
    buffer: RefCell<Buffer>,
    newline: Cell<Newline>,
    closed: Cell<bool>,
}
// SAFETY: one type per kind; owns no Value.
unsafe impl Payload for StringIo {
    const KIND: Kind = Kind::StringIo;
    const TRACED: bool = false;
}

fn new(vm: &Vm, class: &Value, _: Args) -> Res {
    let buffer = Buffer {
        ascii: true,
        ..Buffer::default()
    };
    Ok(vm.alloc_as(
        class,
        StringIo {
            buffer: RefCell::new(buffer),
            newline: Cell::new(Newline::Lf),
            closed: Cell::new(false),
        },
    ))
}

fn init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    let a = vm.bind_args("StringIO(initial_value='', newline='\\n')", args)?;
    let io = this::<StringIo>(vm, v)?;
    io.newline.set(Newline::parse(vm, &a[1])?);
    io.closed.set(false);
    io.buffer.replace(Buffer {
        ascii: true,
        ..Buffer::default()
    });
    match a[0].non_none() {
        None => Ok(()),
        Some(t) => match t.as_str() {
            Some(s) => {
                put(io, s);
                io.buffer.borrow_mut().set_position(0);
                Ok(())
            }
            None => Err(vm.type_error(format!(
                "initial_value must be str or None, not {}",
                vm.type_name(t)
            ))),
        },
    }
}

/// Writes with line ends translated.
fn put(io: &StringIo, s: &str) {
    let mut b = io.buffer.borrow_mut();
    match io.newline.get() {
        Newline::Universal if s.contains('\r') => {
            b.write(&s.replace("\r\n", "\n").replace('\r', "\n"))
        }
        n => match n.written() {
            Some(end) => b.write(&s.replace('\n', end)),
            None => b.write(s),
        },
    }
}

fn open<'a>(vm: &Vm, v: &'a Value) -> Res<&'a StringIo> {
    let io = this::<StringIo>(vm, v)?;
    if io.closed.get() {
        Err(vm.value_error("I/O operation on closed file"))
    } else {
        Ok(io)
    }
}

/// A size argument: None for "all".
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

/// Bytes of the first `n` characters from the position.
fn bytes_of(b: &Buffer, n: usize) -> usize {
    let rest = &b.text[b.byte..];
    if b.ascii {
        n.min(rest.len())
    } else {
        rest.char_indices().nth(n).map_or(rest.len(), |(i, _)| i)
    }
}

fn read(vm: &Vm, a: &[Value]) -> Res {
    let io = open(vm, &a[0])?;
    let n = size(vm, &a[1])?;
    let mut b = io.buffer.borrow_mut();
    let bytes = n.map_or(b.text.len() - b.byte, |n| bytes_of(&b, n));
    Ok(vm.str(b.take(bytes)))
}

fn line(vm: &Vm, io: &StringIo, limit: Option<usize>) -> Value {
    let mut b = io.buffer.borrow_mut();
    let rest = &b.text[b.byte..];
    let mut end = io.newline.get().line_end(rest, true).unwrap_or(rest.len());
    if let Some(n) = limit {
        end = end.min(bytes_of(&b, n));
    }
    vm.str(b.take(end))
}

fn readline(vm: &Vm, a: &[Value]) -> Res {
    let io = open(vm, &a[0])?;
    let limit = size(vm, &a[1])?;
    Ok(line(vm, io, limit))
}

fn write(vm: &Vm, a: &[Value]) -> Res {
    let io = open(vm, &a[0])?;
    let Some(s) = a[1].get::<crate::object::str::Str>() else {
        return Err(vm.type_error(format!(
            "string argument expected, got '{}'",
            vm.type_name(&a[1])
        )));
    };
    put(io, s.as_str());
    Ok(vm.usize(s.char_len()))
}

fn getvalue(vm: &Vm, a: &[Value]) -> Res {
    let io = open(vm, &a[0])?;
    Ok(vm.str(&io.buffer.borrow().text))
}

fn seek(vm: &Vm, a: &[Value]) -> Res {
    let io = open(vm, &a[0])?;
    let (n, whence) = (ssize(vm, &a[1])?, c_int(vm, &a[2])?);
    let mut b = io.buffer.borrow_mut();
    let at = match whence {
        0 if n < 0 => return Err(vm.value_error(format!("Negative seek position {n}"))),
        0 => n as usize,
        1 | 2 if n != 0 => {
            let which = if whence == 1 { "cur" } else { "end" };
            return Err(vm.error(
                crate::vm::raise::Exc::OSError,
                format!("Can't do nonzero {which}-relative seeks"),
            ));
        }
        1 => b.at,
        2 => b.chars,
        w => return Err(vm.value_error(format!("Invalid whence ({w}, should be 0, 1 or 2)"))),
    };
    b.set_position(at);
    Ok(vm.usize(at))
}

fn tell(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.usize(open(vm, &a[0])?.buffer.borrow().at))
}

fn truncate(vm: &Vm, a: &[Value]) -> Res {
    let io = open(vm, &a[0])?;
    let mut b = io.buffer.borrow_mut();
    let n = match a[1].non_none() {
        None => b.at,
        Some(n) => {
            let n = ssize(vm, n)?;
            usize::try_from(n).map_err(|_| vm.value_error(format!("Negative size value {n}")))?
        }
    };
    if n < b.chars {
        let at = byte_offset(&b.text, b.ascii, n);
        b.text.truncate(at);
        b.chars = n;
        b.ascii = b.text.is_ascii();
        let at = b.at;
        b.set_position(at);
    }
    Ok(vm.usize(n))
}

fn close(vm: &Vm, a: &[Value]) -> Res {
    let io = this::<StringIo>(vm, &a[0])?;
    io.closed.set(true);
    let old = io.buffer.take();
    drop(old);
    Ok(Value::NONE)
}

fn answer(vm: &Vm, a: &[Value], b: bool) -> Res {
    open(vm, &a[0])?;
    Ok(Value::bool(b))
}

pub static TYPE: TypeSpec = TypeSpec {
    name: "_io.StringIO",
    kind: Kind::StringIo,
    flags: tflag::BASETYPE | tflag::WEAKREF | tflag::DICT,
    slots: |s| {
        s.new = Some(new);
        s.init = Some(init);
        s.iter = Some(|vm, v| {
            open(vm, v)?;
            Ok(v.clone())
        });
        s.next = Some(|vm, v| {
            let text = line(vm, open(vm, v)?, None);
            Ok(if text.as_str().is_none_or(str::is_empty) {
                None
            } else {
                Some(text)
            })
        });
    },
    methods: shared_rows![
        NativeDef {
            sig: "read(self, size=-1, /)",
            f: read,
            doc: "Read at most size characters, returned as a string."
        },
        NativeDef {
            sig: "readline(self, size=-1, /)",
            f: readline,
            doc: "Read until newline or EOF."
        },
        NativeDef {
            sig: "write(self, s, /)",
            f: write,
            doc: "Write string to file."
        },
        NativeDef {
            sig: "getvalue(self, /)",
            f: getvalue,
            doc: "Retrieve the entire contents of the object."
        },
        NativeDef {
            sig: "seek(self, pos, whence=0, /)",
            f: seek,
            doc: "Change stream position."
        },
        NativeDef {
            sig: "tell(self, /)",
            f: tell,
            doc: "Tell the current file position."
        },
        NativeDef {
            sig: "truncate(self, pos=None, /)",
            f: truncate,
            doc: "Truncate size to pos."
        },
        NativeDef {
            sig: "close(self, /)",
            f: close,
            doc: "Close the IO object."
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
            doc: "Always False."
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
    getset: &[
        GetSetDef {
            name: "closed",
            get: |vm, v| Ok(Value::bool(this::<StringIo>(vm, v)?.closed.get())),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "line_buffering",
            get: |vm, v| open(vm, v).map(|_| Value::FALSE),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "encoding",
            get: |_, _| Ok(Value::NONE),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "errors",
            get: |_, _| Ok(Value::NONE),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "newlines",
            get: |vm, v| open(vm, v).map(|_| Value::NONE),
            set: None,
            doc: "",
        },
    ],
    doc: "Text I/O implementation using an in-memory buffer.",
    ..TypeSpec::EMPTY
};
