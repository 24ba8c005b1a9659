//! The payload of file objects, and the byte layers: FileIO (no buffer of its own), BufferedReader, BufferedWriter, BufferedRandom.

#![allow(unsafe_code)]

use crate::builtins::print::{retry, write_through};
use crate::builtins::support::{c_int, memory_error, ssize, this};
use crate::builtins::text_support::need_buffer;
use crate::host::stream::Stream;
use crate::modules::io::base::shared_rows;
use crate::modules::io::text::TextState;
use crate::modules::io::unsupported;
use crate::object::header::{Kind, Payload};
use crate::object::native::NativeDef;
use crate::object::seq::ByteArray;
use crate::object::text::MemoryView;
use crate::object::types::{GetSetDef, Slots, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use std::cell::{Cell, RefCell};
use std::io::SeekFrom;
use std::rc::Rc;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layer {
    Raw,
    Reader,
    Writer,
    Random,
    Text,
}

/// One object of a file: which layer it is, over the stream that its layers share.
pub struct File {
    pub layer: Layer,
    /// None for text over an object that is no file of ours (a BytesIO, say), and after `detach`.
    pub stream: RefCell<Option<Rc<Stream>>>,
    /// The object of the layer below; unbound until somebody asks for it.
    pub below: RefCell<Value>,
    /// A path or a descriptor; unbound if there is no name.
    pub name: RefCell<Value>,
    /// As the raw file has it: `rb`, `rb+`, `wb`, ...
    pub mode: &'static str,
    pub text: Option<TextState>,
    /// Set while `detach`ed.
    pub detached: Cell<bool>,
}
// SAFETY: one type per kind; each value is visited once, at safe points when no borrow is held.
unsafe impl Payload for File {
    const KIND: Kind = Kind::File;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        unsafe {
            visit(&*self.below.as_ptr());
            visit(&*self.name.as_ptr());
        }
        if let Some(t) = &self.text {
            visit(unsafe { &*t.mode.as_ptr() });
        }
    }
}

impl File {
    pub fn over(layer: Layer, stream: Rc<Stream>, name: Value, mode: &'static str) -> File {
        File {
            layer,
            stream: RefCell::new(Some(stream)),
            below: RefCell::new(Value::UNBOUND),
            name: RefCell::new(name),
            mode,
            text: None,
            detached: Cell::new(false),
        }
    }
}

/// The type of a layer.
pub fn spec(layer: Layer) -> &'static TypeSpec {
    match layer {
        Layer::Raw => &FILE_IO,
        Layer::Reader => &READER,
        Layer::Writer => &WRITER,
        Layer::Random => &RANDOM,
        Layer::Text => &crate::modules::io::text::TEXT,
    }
}

pub fn file<'a>(vm: &Vm, v: &'a Value) -> Res<&'a File> {
    this::<File>(vm, v)
}

/// The stream of an open byte file; `what` is for the error.
fn open_stream(vm: &Vm, v: &Value, what: &str) -> Res<Rc<Stream>> {
    let f = file(vm, v)?;
    let Some(s) = f.stream.borrow().clone() else {
        return Err(vm.value_error("raw stream has been detached"));
    };
    if s.is_closed() {
        return Err(match f.layer {
            Layer::Raw => vm.value_error("I/O operation on closed file"),
            _ if what.is_empty() => vm.value_error("I/O operation on closed file"),
            _ => vm.value_error(format!("{what} of closed file")),
        });
    }
    Ok(s)
}

fn for_reading(vm: &Vm, v: &Value, what: &str) -> Res<Rc<Stream>> {
    let s = open_stream(vm, v, what)?;
    if s.readable {
        return Ok(s);
    }
    Err(unsupported(
        vm,
        if file(vm, v)?.layer == Layer::Raw {
            "File not open for reading"
        } else {
            what
        },
    ))
}

fn for_writing(vm: &Vm, v: &Value) -> Res<Rc<Stream>> {
    let f = file(vm, v)?;
    let Some(s) = f.stream.borrow().clone() else {
        return Err(vm.value_error("raw stream has been detached"));
    };
    if s.is_closed() {
        return Err(vm.value_error(if f.layer == Layer::Raw {
            "I/O operation on closed file"
        } else {
            "write to closed file"
        }));
    }
    if s.writable {
        return Ok(s);
    }
    Err(unsupported(
        vm,
        if f.layer == Layer::Raw {
            "File not open for writing"
        } else {
            "write"
        },
    ))
}

/// Reads to the end.
pub fn read_all(vm: &Vm, s: &Stream) -> Res<Vec<u8>> {
    retry(vm, || s.flush())?;
    let mut all = s.take(usize::MAX);
    let hint = s
        .size()
        .zip(s.tell().ok())
        .map_or(0, |(size, at)| size.saturating_sub(at)) as usize;
    all.try_reserve(hint.min(1 << 40).saturating_add(1))
        .map_err(|_| memory_error(vm))?;
    loop {
        let have = all.len();
        let room = (all.capacity() - have).clamp(8192, 1 << 20);
        all.resize(have + room, 0);
        match retry(vm, || s.raw_read(&mut all[have..])) {
            Ok(0) => {
                all.truncate(have);
                return Ok(all);
            }
            Ok(n) => all.truncate(have + n),
            Err(e) => return Err(e),
        }
    }
}

fn read(vm: &Vm, a: &[Value]) -> Res {
    let s = for_reading(vm, &a[0], "read")?;
    let n = match a[1].non_none() {
        Some(n) => ssize(vm, n)?,
        None => -1,
    };
    if n < 0 {
        if n != -1 && file(vm, &a[0])?.layer != Layer::Raw {
            return Err(vm.value_error("read length must be non-negative or -1"));
        }
        return Ok(vm.bytes_vec(read_all(vm, &s)?));
    }
    if file(vm, &a[0])?.layer == Layer::Raw {
        return raw_read(vm, &s, n as usize);
    }
    // Beyond the buffer's size, bytes go straight where they belong.
    let mut out = s.take(n as usize);
    while out.len() < n as usize {
        let left = n as usize - out.len();
        if left >= s.capacity.get() {
            let have = out.len();
            out.try_reserve(left.min(1 << 20))
                .map_err(|_| memory_error(vm))?;
            out.resize(have + left.min(1 << 20), 0);
            let got = retry(vm, || {
                s.flush()?;
                s.raw_read(&mut out[have..])
            })?;
            out.truncate(have + got);
            if got == 0 {
                break;
            }
        } else {
            if retry(vm, || s.want(left))? == 0 {
                break;
            }
            let more = s.take(left);
            let short = more.len() < left;
            out.extend_from_slice(&more);
            if short {
                break;
            }
        }
    }
    Ok(vm.bytes_vec(out))
}

fn raw_read(vm: &Vm, s: &Stream, n: usize) -> Res {
    let mut out = s.take(n);
    if out.is_empty() && n > 0 {
        out.try_reserve_exact(n).map_err(|_| memory_error(vm))?;
        out.resize(n, 0);
        let got = retry(vm, || {
            s.flush()?;
            s.raw_read(&mut out)
        })?;
        out.truncate(got);
    }
    Ok(vm.bytes_vec(out))
}

/// At most one system call.
fn read1(vm: &Vm, a: &[Value]) -> Res {
    let s = for_reading(vm, &a[0], "read")?;
    let n = match a[1].non_none() {
        Some(n) => ssize(vm, n)?,
        None => -1,
    };
    let n = if n < 0 { s.capacity.get() } else { n as usize };
    if n == 0 {
        return Ok(vm.bytes(b""));
    }
    if s.with_buffered(<[u8]>::is_empty) {
        retry(vm, || s.fill())?;
    }
    Ok(vm.bytes_vec(s.take(n)))
}

fn peek(vm: &Vm, a: &[Value]) -> Res {
    let s = for_reading(vm, &a[0], "peek")?;
    if s.with_buffered(<[u8]>::is_empty) {
        retry(vm, || s.fill())?;
    }
    Ok(vm.bytes_vec(s.with_buffered(<[u8]>::to_vec)))
}

fn readline(vm: &Vm, a: &[Value]) -> Res {
    let s = for_reading(vm, &a[0], "readline")?;
    let limit = match a[1].non_none() {
        Some(n) => ssize(vm, n)?,
        None => -1,
    };
    line(vm, &s, limit)
}

fn line(vm: &Vm, s: &Stream, limit: i64) -> Res {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let n = retry(vm, || s.want_line(limit))?;
    Ok(vm.bytes_vec(s.take(n)))
}

fn next(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    let s = for_reading(vm, v, "readline")?;
    let n = retry(vm, || s.want_line(usize::MAX))?;
    Ok(if n == 0 {
        None
    } else {
        Some(vm.bytes_vec(s.take(n)))
    })
}

/// Puts bytes into a writable buffer (bytearray, or memoryview over one).
pub fn fill_buffer(
    vm: &Vm,
    target: &Value,
    get: &mut dyn FnMut(usize) -> Res<Vec<u8>>,
) -> Res<usize> {
    let wrong = || {
        vm.type_error(format!(
            "readinto() argument must be read-write bytes-like object, not {}",
            vm.type_name(target)
        ))
    };
    if let Some(b) = target.get::<ByteArray>() {
        let room = b.data.borrow().len();
        let data = get(room)?;
        let mut into = b.data.borrow_mut();
        let n = data.len().min(into.len());
        into[..n].copy_from_slice(&data[..n]);
        return Ok(n);
    }
    let Some(m) = target
        .get::<MemoryView>()
        .filter(|m| !m.readonly && m.stride == m.itemsize as isize)
    else {
        return Err(wrong());
    };
    let obj = m.obj.borrow().clone();
    let Some(b) = obj.get::<ByteArray>() else {
        return Err(wrong());
    };
    let data = get(m.len * m.itemsize)?;
    let start = m.start.max(0) as usize;
    let mut into = b.data.borrow_mut();
    let n = data
        .len()
        .min(m.len * m.itemsize)
        .min(into.len().saturating_sub(start));
    into[start..start + n].copy_from_slice(&data[..n]);
    Ok(n)
}

fn readinto(vm: &Vm, a: &[Value]) -> Res {
    let n = fill_buffer(vm, &a[1], &mut |n| {
        let data = read(vm, &[a[0].clone(), vm.usize(n)])?;
        Ok(this::<crate::object::seq::Bytes>(vm, &data)?.data.to_vec())
    })?;
    Ok(vm.usize(n))
}

fn readinto1(vm: &Vm, a: &[Value]) -> Res {
    let n = fill_buffer(vm, &a[1], &mut |n| {
        let data = read1(vm, &[a[0].clone(), vm.usize(n)])?;
        Ok(this::<crate::object::seq::Bytes>(vm, &data)?.data.to_vec())
    })?;
    Ok(vm.usize(n))
}

/// The bytes of a bytes-like object. What can change is copied: a signal handler may run before they are written.
pub fn bytes_of<'a>(vm: &Vm, v: &'a Value) -> Res<std::borrow::Cow<'a, [u8]>> {
    match v.get::<crate::object::seq::Bytes>() {
        Some(b) => Ok(std::borrow::Cow::Borrowed(&b.data)),
        None => Ok(std::borrow::Cow::Owned(need_buffer(vm, v)?.to_vec())),
    }
}

fn write(vm: &Vm, a: &[Value]) -> Res {
    let s = for_writing(vm, &a[0])?;
    let data = bytes_of(vm, &a[1])?;
    if file(vm, &a[0])?.layer == Layer::Raw {
        retry(vm, || s.flush())?;
        let n = retry(vm, || s.raw_write(&data))?;
        return Ok(vm.usize(n));
    }
    write_through(vm, &s, &data)?;
    Ok(vm.usize(data.len()))
}

pub fn flush(vm: &Vm, a: &[Value]) -> Res {
    let f = file(vm, &a[0])?;
    let Some(s) = f.stream.borrow().clone() else {
        return Ok(Value::NONE);
    };
    if s.is_closed() {
        return Err(vm.value_error(match f.layer {
            Layer::Text => "I/O operation on closed file.",
            Layer::Raw => "I/O operation on closed file",
            _ => "flush of closed file",
        }));
    }
    retry(vm, || s.flush())?;
    Ok(Value::NONE)
}

/// Flushes and closes; the descriptor is closed even if flushing fails.
pub fn close_stream(vm: &Vm, s: &Stream) -> Res<()> {
    if s.is_closed() {
        return Ok(());
    }
    let flushed = retry(vm, || s.flush());
    let closed = s.close().map_err(|e| vm.os_error(&e, None));
    flushed.and(closed)
}

pub fn close(vm: &Vm, a: &[Value]) -> Res {
    let s = file(vm, &a[0])?.stream.borrow().clone();
    if let Some(s) = s {
        close_stream(vm, &s)?;
    }
    Ok(Value::NONE)
}

/// `whence` with an offset.
pub fn target(vm: &Vm, offset: &Value, whence: &Value) -> Res<SeekFrom> {
    let n = ssize(vm, offset)?;
    match c_int(vm, whence)? {
        0 if n < 0 => Err(vm.os_error_code(libc::EINVAL, None)),
        0 => Ok(SeekFrom::Start(n as u64)),
        1 => Ok(SeekFrom::Current(n)),
        2 => Ok(SeekFrom::End(n)),
        w => Err(vm.value_error(format!("whence value {w} unsupported"))),
    }
}

fn seek(vm: &Vm, a: &[Value]) -> Res {
    let s = open_stream(vm, &a[0], "seek")?;
    let to = target(vm, &a[1], &a[2])?;
    Ok(vm.int_u64(retry(vm, || s.seek(to))?))
}

fn tell(vm: &Vm, a: &[Value]) -> Res {
    let s = open_stream(vm, &a[0], "")?;
    Ok(vm.int_u64(retry(vm, || s.tell())?))
}

fn truncate(vm: &Vm, a: &[Value]) -> Res {
    let s = open_stream(vm, &a[0], "truncate")?;
    if !s.writable {
        return Err(unsupported(
            vm,
            if file(vm, &a[0])?.layer == Layer::Raw {
                "File not open for writing"
            } else {
                "truncate"
            },
        ));
    }
    let size = match a[1].non_none() {
        Some(n) => {
            u64::try_from(ssize(vm, n)?).map_err(|_| vm.os_error_code(libc::EINVAL, None))?
        }
        None => retry(vm, || s.tell())?,
    };
    retry(vm, || s.truncate(size))?;
    Ok(vm.int_u64(size))
}

/// A question about the stream, which must be open.
fn ask(vm: &Vm, a: &[Value], f: fn(&Stream) -> bool) -> Res {
    Ok(Value::bool(f(&*open_stream(vm, &a[0], "")?)))
}

pub fn fileno(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.int(open_stream(vm, &a[0], "")?.fd() as i64))
}

pub fn closed(vm: &Vm, v: &Value) -> Res {
    let f = file(vm, v)?;
    match &*f.stream.borrow() {
        Some(s) => Ok(Value::bool(s.is_closed())),
        None => Err(vm.value_error("raw stream has been detached")),
    }
}

pub fn name(vm: &Vm, v: &Value) -> Res {
    let f = file(vm, v)?;
    let name = f.name.borrow().clone();
    if name.is_unbound() {
        Err(vm.no_attribute(v, &vm.names.name))
    } else {
        Ok(name)
    }
}

fn mode(vm: &Vm, v: &Value) -> Res {
    Ok(vm.str(file(vm, v)?.mode))
}

/// The object of the layer below, made when first asked for.
pub fn below(vm: &Vm, v: &Value) -> Res {
    let f = file(vm, v)?;
    let made = f.below.borrow().clone();
    if !made.is_unbound() {
        return Ok(made);
    }
    let Some(s) = f.stream.borrow().clone() else {
        return Err(vm.value_error("underlying buffer has been detached"));
    };
    let layer = match f.layer {
        Layer::Text => match (s.readable, s.writable) {
            (true, true) => Layer::Random,
            (true, false) => Layer::Reader,
            _ => Layer::Writer,
        },
        _ => Layer::Raw,
    };
    let lower = vm.alloc_of(
        spec(layer),
        File::over(layer, s, f.name.borrow().clone(), f.mode),
    );
    f.below.replace(lower.clone());
    Ok(lower)
}

/// Separates the object from what is below it, and gives that.
pub fn detach(vm: &Vm, a: &[Value]) -> Res {
    let f = file(vm, &a[0])?;
    if f.detached.get() {
        return Err(vm.value_error(if f.layer == Layer::Text {
            "underlying buffer has been detached"
        } else {
            "raw stream has been detached"
        }));
    }
    if f.stream.borrow().is_some() {
        flush(vm, a)?;
    }
    let lower = below(vm, &a[0])?;
    f.detached.set(true);
    f.stream.replace(None);
    f.below.replace(Value::UNBOUND);
    Ok(lower)
}

fn repr(vm: &Vm, v: &Value) -> Res {
    let f = file(vm, v)?;
    let class = vm.type_name(v);
    let name = f.name.borrow().clone();
    let shown = if name.is_unbound() {
        String::new()
    } else {
        format!(" name={}", vm.repr_string(&name)?)
    };
    Ok(vm.str(&match f.layer {
        Layer::Raw => match &*f.stream.borrow() {
            Some(s) if s.is_closed() => format!("<_io.{class} [closed]>"),
            Some(s) => format!(
                "<_io.{class}{shown} mode='{}' closefd={}>",
                f.mode,
                if s.owns_fd.get() { "True" } else { "False" }
            ),
            None => format!("<_io.{class}>"),
        },
        _ => format!("<_io.{class}{shown}>"),
    }))
}

fn shared_slots(s: &mut Slots) {
    s.repr = Some(repr);
    s.iter = Some(|vm, v| {
        open_stream(vm, v, "readline")?;
        Ok(v.clone())
    });
    s.next = Some(next);
}

/// `BufferedReader(raw)` and the like: over a FileIO.
fn new_over(vm: &Vm, class: &Value, args: crate::object::native::Args, layer: Layer) -> Res {
    let a = vm.bind_args("BufferedIO(raw, buffer_size=...)", args)?;
    let Some(raw) = a[0].get::<File>() else {
        // Another kind of stream: it must at least answer.
        let ok = vm.call_method(
            &a[0],
            &vm.intern(if layer == Layer::Writer {
                "writable"
            } else {
                "readable"
            }),
            &[],
        )?;
        let _ = vm.truth(&ok)?;
        return Err(unsupported(vm, "a buffered object here stands on a FileIO"));
    };
    let Some(s) = raw.stream.borrow().clone() else {
        return Err(vm.value_error("raw stream has been detached"));
    };
    match layer {
        Layer::Reader if !s.readable => {
            return Err(unsupported(vm, "File or stream is not readable."));
        }
        Layer::Writer if !s.writable => {
            return Err(unsupported(vm, "File or stream is not writable."));
        }
        _ => {}
    }
    if let Some(n) = a[1].given() {
        let n = ssize(vm, n)?;
        if n <= 0 {
            return Err(vm.value_error("buffer size must be strictly positive"));
        }
        s.capacity.set(n as usize);
    } else {
        s.capacity.set(crate::modules::io::open::DEFAULT_BUFFER);
    }
    let data = File::over(layer, s, raw.name.borrow().clone(), raw.mode);
    data.below.replace(a[0].clone());
    Ok(vm.alloc_as(class, data))
}

const READ: NativeDef = NativeDef {
    sig: "read(self, size=-1, /)",
    f: read,
    doc: "Read and return up to n bytes.",
};
const READ1: NativeDef = NativeDef {
    sig: "read1(self, size=-1, /)",
    f: read1,
    doc: "Read and return up to size bytes, with at most one read() call.",
};
const PEEK: NativeDef = NativeDef {
    sig: "peek(self, size=0, /)",
    f: peek,
    doc: "",
};
const READLINE: NativeDef = NativeDef {
    sig: "readline(self, size=-1, /)",
    f: readline,
    doc: "Read and return a line from the stream.",
};
const READINTO: NativeDef = NativeDef {
    sig: "readinto(self, buffer, /)",
    f: readinto,
    doc: "Read bytes into the buffer; the number of bytes read.",
};
const READINTO1: NativeDef = NativeDef {
    sig: "readinto1(self, buffer, /)",
    f: readinto1,
    doc: "Read bytes into the buffer with at most one system call.",
};
const WRITE: NativeDef = NativeDef {
    sig: "write(self, buffer, /)",
    f: write,
    doc: "Write buffer b to the file and return the number of bytes written.",
};
const FLUSH: NativeDef = NativeDef {
    sig: "flush(self, /)",
    f: flush,
    doc: "Flush write buffers, if applicable.",
};
const CLOSE: NativeDef = NativeDef {
    sig: "close(self, /)",
    f: close,
    doc: "Flush and close the IO object.",
};
const SEEK: NativeDef = NativeDef {
    sig: "seek(self, target, whence=0, /)",
    f: seek,
    doc: "Change the stream position to the given byte offset.",
};
const TELL: NativeDef = NativeDef {
    sig: "tell(self, /)",
    f: tell,
    doc: "Return current stream position.",
};
const TRUNCATE: NativeDef = NativeDef {
    sig: "truncate(self, pos=None, /)",
    f: truncate,
    doc: "Truncate file to size bytes.",
};
const FILENO: NativeDef = NativeDef {
    sig: "fileno(self, /)",
    f: fileno,
    doc: "Return underlying file descriptor if one exists.",
};
const ISATTY: NativeDef = NativeDef {
    sig: "isatty(self, /)",
    f: |vm, a| ask(vm, a, Stream::is_tty),
    doc: "Return whether this is an 'interactive' stream.",
};
const READABLE: NativeDef = NativeDef {
    sig: "readable(self, /)",
    f: |vm, a| ask(vm, a, |s| s.readable),
    doc: "Return whether object was opened for reading.",
};
const WRITABLE: NativeDef = NativeDef {
    sig: "writable(self, /)",
    f: |vm, a| ask(vm, a, |s| s.writable),
    doc: "Return whether object was opened for writing.",
};
const SEEKABLE: NativeDef = NativeDef {
    sig: "seekable(self, /)",
    f: |vm, a| ask(vm, a, Stream::is_seekable),
    doc: "Return whether object supports random access.",
};
const DETACH: NativeDef = NativeDef {
    sig: "detach(self, /)",
    f: detach,
    doc: "Disconnect this buffer from its underlying raw stream and return it.",
};

const CLOSED_GET: GetSetDef = GetSetDef {
    name: "closed",
    get: closed,
    set: None,
    doc: "",
};
const NAME_GET: GetSetDef = GetSetDef {
    name: "name",
    get: name,
    set: Some(|vm, v, new| {
        let old = file(vm, v)?
            .name
            .replace(new.cloned().unwrap_or(Value::UNBOUND));
        drop(old);
        Ok(())
    }),
    doc: "",
};
const MODE_GET: GetSetDef = GetSetDef {
    name: "mode",
    get: mode,
    set: None,
    doc: "",
};
static BUFFERED_GETSET: &[GetSetDef] = &[
    CLOSED_GET,
    NAME_GET,
    MODE_GET,
    GetSetDef {
        name: "raw",
        get: below,
        set: None,
        doc: "",
    },
];

pub static FILE_IO: TypeSpec = TypeSpec {
    name: "_io.FileIO",
    kind: Kind::File,
    flags: tflag::BASETYPE | tflag::WEAKREF,
    slots: |s| {
        shared_slots(s);
        s.new = Some(crate::modules::io::open::new_file_io);
    },
    methods: shared_rows![
        READ,
        READLINE,
        READINTO,
        WRITE,
        FLUSH,
        CLOSE,
        SEEK,
        TELL,
        TRUNCATE,
        FILENO,
        ISATTY,
        READABLE,
        WRITABLE,
        SEEKABLE,
        NativeDef {
            sig: "readall(self, /)",
            f: |vm, a| Ok(vm.bytes_vec(read_all(vm, &*for_reading(vm, &a[0], "read")?)?)),
            doc: "Read all data from the file, returned as bytes."
        },
    ],
    getset: &[
        CLOSED_GET,
        NAME_GET,
        MODE_GET,
        GetSetDef {
            name: "closefd",
            get: |vm, v| {
                Ok(Value::bool(
                    file(vm, v)?
                        .stream
                        .borrow()
                        .as_ref()
                        .is_some_and(|s| s.owns_fd.get()),
                ))
            },
            set: None,
            doc: "True if the file descriptor will be closed by close().",
        },
    ],
    doc: "Open a file.",
    ..TypeSpec::EMPTY
};

pub static READER: TypeSpec = TypeSpec {
    name: "_io.BufferedReader",
    kind: Kind::File,
    flags: tflag::BASETYPE | tflag::WEAKREF,
    slots: |s| {
        shared_slots(s);
        s.new = Some(|vm, class, args| new_over(vm, class, args, Layer::Reader));
    },
    methods: shared_rows![
        READ, READ1, PEEK, READLINE, READINTO, READINTO1, WRITE, FLUSH, CLOSE, SEEK, TELL,
        TRUNCATE, FILENO, ISATTY, READABLE, WRITABLE, SEEKABLE, DETACH,
    ],
    getset: BUFFERED_GETSET,
    doc: "Create a new buffered reader using the given readable raw IO object.",
    ..TypeSpec::EMPTY
};

pub static WRITER: TypeSpec = TypeSpec {
    name: "_io.BufferedWriter",
    kind: Kind::File,
    flags: tflag::BASETYPE | tflag::WEAKREF,
    slots: |s| {
        shared_slots(s);
        s.new = Some(|vm, class, args| new_over(vm, class, args, Layer::Writer));
    },
    methods: shared_rows![
        READ, READ1, READLINE, READINTO, WRITE, FLUSH, CLOSE, SEEK, TELL, TRUNCATE, FILENO, ISATTY,
        READABLE, WRITABLE, SEEKABLE, DETACH,
    ],
    getset: BUFFERED_GETSET,
    doc: "A buffer for a writeable sequential RawIO object.",
    ..TypeSpec::EMPTY
};

pub static RANDOM: TypeSpec = TypeSpec {
    name: "_io.BufferedRandom",
    kind: Kind::File,
    flags: tflag::BASETYPE | tflag::WEAKREF,
    slots: |s| {
        shared_slots(s);
        s.new = Some(|vm, class, args| new_over(vm, class, args, Layer::Random));
    },
    methods: shared_rows![
        READ, READ1, PEEK, READLINE, READINTO, READINTO1, WRITE, FLUSH, CLOSE, SEEK, TELL,
        TRUNCATE, FILENO, ISATTY, READABLE, WRITABLE, SEEKABLE, DETACH,
    ],
    getset: BUFFERED_GETSET,
    doc: "A buffered interface to random access streams.",
    ..TypeSpec::EMPTY
};
