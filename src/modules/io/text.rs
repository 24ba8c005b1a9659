//! The text layer: TextIOWrapper.
//!
//! Over a file of ours it uses the stream directly; over any other binary object it calls that object's `read1`/`read` and `write`.
//!
//! Rules:
//! 1. `pending` is text that was decoded and not yet taken. A write, a seek or a `tell` looks at it first.
//! 2. Text is encoded when written; bytes wait in the stream's buffer only.

use crate::builtins::print::{retry, write_through};
use crate::builtins::str_codec::lookup;
use crate::builtins::support::{c_int, ssize};
use crate::host::stream::Stream;
use crate::modules::io::base::shared_rows;
use crate::modules::io::file::{
    File, Layer, below, close_stream, detach, file, fileno, flush, name, read_all,
};
use crate::modules::io::unsupported;
use crate::object::header::Kind;
use crate::object::native::{Args, NativeDef};
use crate::object::seq::Bytes;
use crate::object::str::Str;
use crate::object::types::{GetSetDef, TypeSpec, tflag};
use crate::object::value::Value;
use crate::text::codecs::{self, Encoding, IncrementalDecoder, NewlineDecoder};
use crate::vm::{Res, Vm};
use std::cell::{Cell, RefCell};
use std::io::SeekFrom;
use std::rc::Rc;

/// What the `newline` argument says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Newline {
    /// None: any line end reads as `\n`.
    Universal,
    /// `''`: any line end ends a line, and stays as it is.
    Untranslated,
    Lf,
    Cr,
    CrLf,
}

impl Newline {
    pub fn parse(vm: &Vm, v: &Value) -> Res<Newline> {
        let Some(v) = v.non_none() else {
            return Ok(Newline::Universal);
        };
        match v.as_str() {
            Some("") => Ok(Newline::Untranslated),
            Some("\n") => Ok(Newline::Lf),
            Some("\r") => Ok(Newline::Cr),
            Some("\r\n") => Ok(Newline::CrLf),
            Some(s) => Err(vm.value_error(format!("illegal newline value: {s}"))),
            None => Err(vm.type_error(format!(
                "open() argument 'newline' must be str or None, not {}",
                vm.type_name(v)
            ))),
        }
    }

    /// Where the first line of `s` ends (behind its line end), if it does. `\r` at the end of what is known may be half of a line end.
    pub fn line_end(self, s: &str, known_whole: bool) -> Option<usize> {
        let b = s.as_bytes();
        match self {
            Newline::Universal | Newline::Lf => memchr::memchr(b'\n', b).map(|i| i + 1),
            Newline::Cr => memchr::memchr(b'\r', b).map(|i| i + 1),
            Newline::CrLf => memchr::memmem::find(b, b"\r\n").map(|i| i + 2),
            Newline::Untranslated => {
                let i = memchr::memchr2(b'\n', b'\r', b)?;
                match (b[i], b.get(i + 1)) {
                    (b'\r', Some(b'\n')) => Some(i + 2),
                    (b'\r', None) if !known_whole => None,
                    _ => Some(i + 1),
                }
            }
        }
    }

    /// What `\n` is written as, if not as itself.
    pub fn written(self) -> Option<&'static str> {
        match self {
            Newline::Cr => Some("\r"),
            Newline::CrLf => Some("\r\n"),
            _ => None,
        }
    }
}

#[derive(Default)]
struct Pending {
    text: String,
    /// Bytes of `text` that were taken.
    at: usize,
}

pub struct TextState {
    encoding: Cell<Encoding>,
    /// As scripts see it.
    encoding_name: RefCell<String>,
    errors: RefCell<String>,
    newline: Cell<Newline>,
    line_buffering: Cell<bool>,
    write_through: Cell<bool>,
    /// `mode` as given to `open`; unbound if it was not made by it.
    pub mode: RefCell<Value>,
    decoder: RefCell<IncrementalDecoder>,
    newlines: RefCell<NewlineDecoder>,
    pending: RefCell<Pending>,
    /// The source has no more.
    ended: Cell<bool>,
    /// Something was written, so a byte order mark is not due again.
    written: Cell<bool>,
    /// `next()` was called: positions are not told until it ends.
    iterating: Cell<bool>,
}

impl TextState {
    fn new(
        encoding: Encoding,
        name: &str,
        errors: &str,
        newline: Newline,
        line_buffering: bool,
    ) -> TextState {
        TextState {
            encoding: Cell::new(encoding),
            encoding_name: RefCell::new(name.to_string()),
            errors: RefCell::new(errors.to_string()),
            newline: Cell::new(newline),
            line_buffering: Cell::new(line_buffering),
            write_through: Cell::new(false),
            mode: RefCell::new(Value::UNBOUND),
            decoder: RefCell::new(IncrementalDecoder::new(encoding)),
            newlines: RefCell::default(),
            pending: RefCell::default(),
            ended: Cell::new(false),
            written: Cell::new(false),
            iterating: Cell::new(false),
        }
    }

    fn rest_len(&self) -> usize {
        let p = self.pending.borrow();
        p.text.len() - p.at
    }

    /// Takes `n` bytes of the pending text.
    fn take(&self, vm: &Vm, n: usize) -> Value {
        let mut p = self.pending.borrow_mut();
        let v = vm.str(&p.text[p.at..p.at + n]);
        p.at += n;
        if p.at == p.text.len() {
            p.text.clear();
            p.at = 0;
        }
        v
    }

    fn forget(&self) {
        *self.pending.borrow_mut() = Pending::default();
        self.decoder.borrow_mut().reset();
        *self.newlines.borrow_mut() = NewlineDecoder::default();
        self.ended.set(false);
    }

    fn push(&self, text: &str) {
        let mut p = self.pending.borrow_mut();
        if p.at > 0 {
            let at = p.at;
            p.text.drain(..at);
            p.at = 0;
        }
        p.text.push_str(text);
    }
}

/// The encoding that an argument names; None and "locale" mean UTF-8.
pub fn encoding_arg(vm: &Vm, v: &Value) -> Res<(Encoding, String)> {
    match v.non_none() {
        None => Ok((Encoding::Utf8, "UTF-8".to_string())),
        Some(v) => match v.as_str() {
            Some("locale") => Ok((Encoding::Utf8, "UTF-8".to_string())),
            Some(s) if s.contains('\0') => Err(vm.value_error("embedded null character")),
            Some(s) => Ok((lookup(vm, s)?, s.to_string())),
            None => Err(vm.type_error(format!(
                "open() argument 'encoding' must be str or None, not {}",
                vm.type_name(v)
            ))),
        },
    }
}

pub fn errors_arg<'a>(vm: &Vm, v: &'a Value) -> Res<&'a str> {
    match v.non_none() {
        None => Ok("strict"),
        Some(v) => v.as_str().ok_or_else(|| {
            vm.type_error(format!(
                "open() argument 'errors' must be str or None, not {}",
                vm.type_name(v)
            ))
        }),
    }
}

/// Text over a stream.
pub fn over(
    vm: &Vm,
    stream: Rc<Stream>,
    name: Value,
    raw_mode: &'static str,
    mode: &Value,
    encoding: (Encoding, String),
    errors: &str,
    newline: Newline,
    line_buffering: bool,
) -> Value {
    let state = TextState::new(encoding.0, &encoding.1, errors, newline, line_buffering);
    state.mode.replace(mode.clone());
    // At the end of a file that has something the mark is there already.
    state
        .written
        .set(stream.appending && stream.size().is_some_and(|n| n > 0));
    let mut f = File::over(Layer::Text, stream, name, raw_mode);
    f.text = Some(state);
    vm.alloc_of(&TEXT, f)
}

/// One of the standard streams.
pub fn standard(vm: &Vm, stream: Rc<Stream>, name: &str, mode: &str, errors: &str) -> Value {
    let lines = mode == "w" && (stream.is_tty() || name == "<stderr>");
    let raw = if mode == "w" { "wb" } else { "rb" };
    let encoding = (Encoding::Utf8, "utf-8".to_string());
    let newline = if mode == "w" {
        Newline::Lf
    } else {
        Newline::Universal
    };
    over(
        vm,
        stream,
        vm.str(name),
        raw,
        &vm.str(mode),
        encoding,
        errors,
        newline,
        lines,
    )
}

fn new(vm: &Vm, class: &Value, args: Args) -> Res {
    let a = vm.bind_args("TextIOWrapper(buffer, encoding=None, errors=None, newline=None, line_buffering=False, write_through=False)", args)?;
    let encoding = encoding_arg(vm, &a[1])?;
    let errors = errors_arg(vm, &a[2])?;
    let newline = Newline::parse(vm, &a[3])?;
    let state = TextState::new(encoding.0, &encoding.1, errors, newline, vm.truth(&a[4])?);
    state.write_through.set(vm.truth(&a[5])?);
    let mut f = match a[0].get::<File>() {
        Some(lower) => {
            let Some(s) = lower.stream.borrow().clone() else {
                return Err(vm.value_error("raw stream has been detached"));
            };
            File::over(Layer::Text, s, lower.name.borrow().clone(), lower.mode)
        }
        None => {
            // Whatever it is, it must say what it can do.
            for question in ["readable", "writable", "seekable"] {
                vm.call_method(&a[0], &vm.intern(question), &[])?;
            }
            let name = vm
                .getattr_opt(&a[0], &vm.names.name)?
                .unwrap_or(Value::UNBOUND);
            File {
                layer: Layer::Text,
                stream: RefCell::new(None),
                below: RefCell::new(Value::UNBOUND),
                name: RefCell::new(name),
                mode: "",
                text: None,
                detached: Cell::new(false),
            }
        }
    };
    f.below.replace(a[0].clone());
    f.text = Some(state);
    Ok(vm.alloc_as(class, f))
}

/// What a text object stands on.
enum Source {
    Stream(Rc<Stream>),
    Object(Value),
}

/// The state and the source; the file must be open.
fn open_text<'a>(vm: &Vm, v: &'a Value) -> Res<(&'a TextState, Source)> {
    let f = file(vm, v)?;
    let Some(t) = &f.text else {
        return Err(crate::builtins::support::wrong_self(vm, v));
    };
    if f.detached.get() {
        return Err(vm.value_error("underlying buffer has been detached"));
    }
    let closed = || vm.value_error("I/O operation on closed file.");
    if let Some(s) = f.stream.borrow().clone() {
        return if s.is_closed() {
            Err(closed())
        } else {
            Ok((t, Source::Stream(s)))
        };
    }
    let lower = f.below.borrow().clone();
    let is_closed = vm.getattr_str(&lower, "closed")?;
    if vm.truth(&is_closed)? {
        return Err(closed());
    }
    Ok((t, Source::Object(lower)))
}

fn check_readable(vm: &Vm, source: &Source) -> Res<()> {
    match source {
        Source::Stream(s) if !s.readable => Err(unsupported(vm, "not readable")),
        _ => Ok(()),
    }
}

/// Decodes and keeps more text. False at the end.
fn fill(vm: &Vm, t: &TextState, source: &Source) -> Res<bool> {
    if t.ended.get() {
        return Ok(false);
    }
    let data =
        match source {
            Source::Stream(s) => {
                if s.with_buffered(<[u8]>::is_empty) {
                    retry(vm, || s.fill())?;
                }
                s.take(usize::MAX)
            }
            Source::Object(o) => {
                let method = if vm.getattr_opt(o, &vm.intern("read1"))?.is_some() {
                    "read1"
                } else {
                    "read"
                };
                let part = vm.call_method(o, &vm.intern(method), &[vm.int(8192)])?;
                match part.get::<Bytes>() {
                    Some(b) => b.data.to_vec(),
                    None if part.is_none() => Vec::new(),
                    None => return Err(vm.type_error(format!(
                        "underlying {method}() should have returned a bytes-like object, not '{}'",
                        vm.type_name(&part)
                    ))),
                }
            }
        };
    let last = data.is_empty();
    accept(vm, t, &data, last)?;
    if last {
        // A terminal can go on after an end of input; a file cannot.
        t.ended
            .set(!matches!(source, Source::Stream(s) if s.is_tty()));
    }
    Ok(!last || t.rest_len() > 0)
}

/// Decodes bytes into the pending text.
fn accept(vm: &Vm, t: &TextState, data: &[u8], last: bool) -> Res<()> {
    let decoded = {
        let errors = t.errors.borrow();
        let r = t.decoder.borrow_mut().decode(data, last, &errors);
        r.map_err(|e| vm.unicode_error(e, &vm.bytes(data)))?
    };
    match t.newline.get() {
        Newline::Universal => {
            let text = t.newlines.borrow_mut().translate(&decoded, last);
            t.push(&text);
        }
        _ => {
            if t.newline.get() == Newline::Untranslated {
                // Only to know which line ends there are.
                let _ = t.newlines.borrow_mut().translate(&decoded, last);
            }
            t.push(&decoded);
        }
    }
    Ok(())
}

fn read(vm: &Vm, a: &[Value]) -> Res {
    let (t, source) = open_text(vm, &a[0])?;
    check_readable(vm, &source)?;
    let n = match a[1].non_none() {
        Some(n) => ssize(vm, n)?,
        None => -1,
    };
    if n < 0 {
        match &source {
            Source::Stream(s) => {
                let data = read_all(vm, s)?;
                accept(vm, t, &data, true)?;
                t.decoder.borrow_mut().reset();
            }
            Source::Object(_) => while fill(vm, t, &source)? && !t.ended.get() {},
        }
        return Ok(t.take(vm, t.rest_len()));
    }
    // The byte length of the first n characters, once there are that many.
    let n = n as usize;
    loop {
        let (found, have) = {
            let p = t.pending.borrow();
            let rest = &p.text[p.at..];
            (rest.char_indices().nth(n).map(|(i, _)| i), rest.len())
        };
        if let Some(bytes) = found {
            return Ok(t.take(vm, bytes));
        }
        let exactly = {
            let p = t.pending.borrow();
            p.text[p.at..].chars().count() == n
        };
        if exactly || !fill(vm, t, &source)? || (t.ended.get() && t.rest_len() == have) {
            return Ok(t.take(vm, t.rest_len()));
        }
    }
}

/// A line, or what is left; empty at the end.
fn take_line(vm: &Vm, t: &TextState, source: &Source, limit: usize) -> Res {
    let newline = t.newline.get();
    let mut seen = 0;
    loop {
        let (end, have) = {
            let p = t.pending.borrow();
            let rest = &p.text[p.at..];
            // What was searched already need not be again, but for a line end that was cut.
            let from = seen_boundary(rest, seen);
            (
                newline
                    .line_end(&rest[from..], t.ended.get())
                    .map(|i| from + i),
                rest.len(),
            )
        };
        let within = |bytes: usize| {
            if limit == usize::MAX {
                return bytes;
            }
            let p = t.pending.borrow();
            p.text[p.at..p.at + bytes]
                .char_indices()
                .nth(limit)
                .map_or(bytes, |(i, _)| i)
        };
        if let Some(end) = end {
            return Ok(t.take(vm, within(end)));
        }
        if limit != usize::MAX && within(have) < have {
            return Ok(t.take(vm, within(have)));
        }
        seen = have.saturating_sub(1);
        if !fill(vm, t, source)? || t.rest_len() == have {
            let rest = t.rest_len();
            let end = {
                let p = t.pending.borrow();
                newline.line_end(&p.text[p.at..], true).unwrap_or(rest)
            };
            return Ok(t.take(vm, within(end)));
        }
    }
}

/// `seen`, moved back to a character boundary.
fn seen_boundary(s: &str, seen: usize) -> usize {
    let mut i = seen.min(s.len());
    while !s.is_char_boundary(i) {
        i -= 1;
    }
    i
}

fn readline(vm: &Vm, a: &[Value]) -> Res {
    let (t, source) = open_text(vm, &a[0])?;
    check_readable(vm, &source)?;
    let limit = match a[1].non_none() {
        Some(n) => usize::try_from(ssize(vm, n)?).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    take_line(vm, t, &source, limit)
}

fn next(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    let (t, source) = open_text(vm, v)?;
    check_readable(vm, &source)?;
    let line = take_line(vm, t, &source, usize::MAX)?;
    let ended = line.as_str().is_none_or(str::is_empty);
    t.iterating.set(!ended);
    Ok(if ended { None } else { Some(line) })
}

fn write(vm: &Vm, a: &[Value]) -> Res {
    let Some(text) = a[1].get::<Str>() else {
        return Err(vm.type_error(format!(
            "write() argument must be str, not {}",
            vm.type_name(&a[1])
        )));
    };
    let (t, source) = open_text(vm, &a[0])?;
    if let Source::Stream(s) = &source
        && !s.writable
    {
        return Err(unsupported(vm, "not writable"));
    }
    let s = text.as_str();
    let has_newline = s.contains('\n');
    let translated = match t.newline.get().written() {
        Some(end) if has_newline => Some(s.replace('\n', end)),
        _ => None,
    };
    let out = translated.as_deref().unwrap_or(s);
    let encoded;
    let data: &[u8] = if t.encoding.get() == Encoding::Utf8 {
        out.as_bytes()
    } else {
        encoded = encode(vm, t, out, &a[1])?;
        &encoded
    };
    t.written.set(true);
    let push_out =
        t.write_through.get() || (t.line_buffering.get() && (has_newline || s.contains('\r')));
    match &source {
        Source::Stream(stream) => {
            forget_ahead(vm, t, stream)?;
            write_through(vm, stream, data)?;
            if push_out {
                retry(vm, || stream.flush())?;
            }
        }
        Source::Object(o) => {
            vm.call_method(o, &vm.names.write, &[vm.bytes(data)])?;
            if push_out {
                vm.call_method(o, &vm.names.flush, &[])?;
            }
        }
    }
    Ok(vm.usize(text.char_len()))
}

/// Encodes what is written next: a byte order mark comes first only.
fn encode(vm: &Vm, t: &TextState, text: &str, original: &Value) -> Res<Vec<u8>> {
    let encoding = match (t.encoding.get(), t.written.get()) {
        (Encoding::Utf16, true) => Encoding::Utf16Le,
        (Encoding::Utf32, true) => Encoding::Utf32Le,
        (Encoding::Utf8Sig, true) => Encoding::Utf8,
        (e, _) => e,
    };
    let errors = t.errors.borrow().clone();
    codecs::encode(text, encoding, &errors).map_err(|e| vm.unicode_error(e, original))
}

/// Before a write: text read ahead is given back to the stream's position.
fn forget_ahead(vm: &Vm, t: &TextState, s: &Stream) -> Res<()> {
    if !s.readable || (t.rest_len() == 0 && t.decoder.borrow().waiting().is_empty()) {
        return Ok(());
    }
    let at = position(vm, t, s)?;
    retry(vm, || s.seek(SeekFrom::Start(at)))?;
    t.forget();
    Ok(())
}

/// The byte position that belongs to the next character.
fn position(vm: &Vm, t: &TextState, s: &Stream) -> Res<u64> {
    let at = retry(vm, || s.tell())?;
    let p = t.pending.borrow();
    let rest = &p.text[p.at..];
    let errors = t.errors.borrow();
    let plain = match t.encoding.get() {
        Encoding::Utf8 | Encoding::Utf8Sig => rest.len(),
        Encoding::Utf16 => {
            codecs::encode(rest, Encoding::Utf16Le, &errors).map_or(rest.len(), |b| b.len())
        }
        Encoding::Utf32 => rest.chars().count() * 4,
        e => codecs::encode(rest, e, &errors).map_or(rest.len(), |b| b.len()),
    };
    // Line ends of two characters were read as one.
    let unit = match t.encoding.get() {
        Encoding::Utf16 | Encoding::Utf16Le | Encoding::Utf16Be => 2,
        Encoding::Utf32 | Encoding::Utf32Le | Encoding::Utf32Be => 4,
        _ => 1,
    };
    let n = t.newlines.borrow();
    let folded = if t.newline.get() == Newline::Universal && n.seen_crlf && !n.seen_lf {
        memchr::memchr_iter(b'\n', rest.as_bytes()).count() * unit
    } else {
        0
    };
    let waiting = t.decoder.borrow().waiting().len();
    Ok(at.saturating_sub((plain + folded + waiting) as u64))
}

fn tell(vm: &Vm, a: &[Value]) -> Res {
    let (t, source) = open_text(vm, &a[0])?;
    match source {
        Source::Stream(s) => {
            if !s.is_seekable() {
                return Err(unsupported(vm, "underlying stream is not seekable"));
            }
            if t.iterating.get() {
                return Err(vm.error(
                    crate::vm::raise::Exc::OSError,
                    "telling position disabled by next() call",
                ));
            }
            Ok(vm.int_u64(position(vm, t, &s)?))
        }
        Source::Object(o) => {
            let at = vm.call_method(&o, &vm.intern("tell"), &[])?;
            let ahead = {
                let p = t.pending.borrow();
                p.text.len() - p.at + t.decoder.borrow().waiting().len()
            };
            Ok(vm.int(ssize(vm, &at)? - ahead as i64))
        }
    }
}

fn seek(vm: &Vm, a: &[Value]) -> Res {
    let (t, source) = open_text(vm, &a[0])?;
    let whence = c_int(vm, &a[2])?;
    let offset = ssize(vm, &a[1])?;
    if let Source::Stream(s) = &source
        && !s.is_seekable()
    {
        return Err(unsupported(vm, "underlying stream is not seekable"));
    }
    let to = match whence {
        0 if offset < 0 => return Err(vm.value_error(format!("negative seek position {offset}"))),
        0 => SeekFrom::Start(offset as u64),
        1 if offset != 0 => return Err(unsupported(vm, "can't do nonzero cur-relative seeks")),
        1 => {
            let here = tell(vm, a)?;
            SeekFrom::Start(ssize(vm, &here)?.max(0) as u64)
        }
        2 if offset != 0 => return Err(unsupported(vm, "can't do nonzero end-relative seeks")),
        2 => SeekFrom::End(0),
        w => return Err(vm.value_error(format!("invalid whence ({w}, should be 0, 1 or 2)"))),
    };
    t.forget();
    t.iterating.set(false);
    match source {
        Source::Stream(s) => {
            let at = retry(vm, || s.seek(to))?;
            t.written.set(at != 0);
            Ok(vm.int_u64(at))
        }
        Source::Object(o) => {
            let (n, w) = match to {
                SeekFrom::Start(n) => (n as i64, 0),
                SeekFrom::Current(n) => (n, 1),
                SeekFrom::End(n) => (n, 2),
            };
            let at = vm.call_method(&o, &vm.intern("seek"), &[vm.int(n), vm.int(w)])?;
            t.written.set(at.as_small() != Some(0));
            Ok(at)
        }
    }
}

fn truncate(vm: &Vm, a: &[Value]) -> Res {
    let (t, source) = open_text(vm, &a[0])?;
    match source {
        Source::Stream(s) => {
            if !s.writable {
                return Err(unsupported(vm, "truncate"));
            }
            let size = match a[1].non_none() {
                Some(n) => u64::try_from(ssize(vm, n)?)
                    .map_err(|_| vm.os_error_code(libc::EINVAL, None))?,
                None => position(vm, t, &s)?,
            };
            retry(vm, || s.truncate(size))?;
            Ok(vm.int_u64(size))
        }
        Source::Object(o) => vm.call_method(&o, &vm.intern("truncate"), &a[1..]),
    }
}

fn flush_text(vm: &Vm, a: &[Value]) -> Res {
    match open_text(vm, &a[0])?.1 {
        Source::Stream(_) => flush(vm, a),
        Source::Object(o) => vm.call_method(&o, &vm.names.flush, &[]),
    }
}

fn close(vm: &Vm, a: &[Value]) -> Res {
    let f = file(vm, &a[0])?;
    if f.detached.get() {
        return Err(vm.value_error("underlying buffer has been detached"));
    }
    let stream = f.stream.borrow().clone();
    match stream {
        Some(s) => close_stream(vm, &s)?,
        None => {
            let lower = f.below.borrow().clone();
            if !lower.is_unbound() {
                vm.call_method(&lower, &vm.names.close, &[])?;
            }
        }
    }
    Ok(Value::NONE)
}

fn closed(vm: &Vm, v: &Value) -> Res {
    let f = file(vm, v)?;
    if f.detached.get() {
        return Err(vm.value_error("underlying buffer has been detached"));
    }
    if let Some(s) = &*f.stream.borrow() {
        return Ok(Value::bool(s.is_closed()));
    }
    let lower = f.below.borrow().clone();
    vm.getattr_str(&lower, "closed")
}

/// A question about the source.
fn ask(vm: &Vm, a: &[Value], f: fn(&Stream) -> bool, name: &str) -> Res {
    match open_text(vm, &a[0])?.1 {
        Source::Stream(s) => Ok(Value::bool(f(&s))),
        Source::Object(o) => vm.call_method(&o, &vm.intern(name), &[]),
    }
}

fn state<'a>(vm: &Vm, v: &'a Value) -> Res<&'a TextState> {
    file(vm, v)?
        .text
        .as_ref()
        .ok_or_else(|| crate::builtins::support::wrong_self(vm, v))
}

fn newlines_seen(vm: &Vm, v: &Value) -> Res {
    let n = state(vm, v)?.newlines.borrow().clone();
    let mut seen = Vec::new();
    for (on, text) in [(n.seen_cr, "\r"), (n.seen_lf, "\n"), (n.seen_crlf, "\r\n")] {
        if on {
            seen.push(vm.str(text));
        }
    }
    Ok(match seen.len() {
        0 => Value::NONE,
        1 => seen.remove(0),
        _ => vm.tuple(seen),
    })
}

fn reconfigure(vm: &Vm, a: &[Value]) -> Res {
    let (t, source) = open_text(vm, &a[0])?;
    let changes_reading = [1, 2, 3]
        .iter()
        .any(|&i| a[i].given().is_some() && !(i < 3 && a[i].is_none()));
    if changes_reading && (t.rest_len() > 0 || t.ended.get()) {
        return Err(unsupported(
            vm,
            "It is not possible to set the encoding or newline of stream after the first read",
        ));
    }
    if let Source::Stream(s) = &source {
        retry(vm, || s.flush())?;
    }
    if let Some(e) = a[1].non_none() {
        let (encoding, name) = encoding_arg(vm, e)?;
        t.encoding.set(encoding);
        t.encoding_name.replace(name);
        t.decoder.replace(IncrementalDecoder::new(encoding));
        if a[2].non_none().is_none() {
            t.errors.replace("strict".to_string());
        }
    }
    if a[2].non_none().is_some() {
        t.errors.replace(errors_arg(vm, &a[2])?.to_string());
    }
    if a[3].given().is_some() {
        t.newline.set(Newline::parse(vm, &a[3])?);
    }
    if let Some(v) = a[4].non_none() {
        t.line_buffering.set(vm.truth(v)?);
    }
    if let Some(v) = a[5].non_none() {
        t.write_through.set(vm.truth(v)?);
    }
    sync_print(vm, &a[0], t);
    Ok(Value::NONE)
}

/// `print` writes to the program's own stdout without asking this object, so it must know how.
fn sync_print(vm: &Vm, v: &Value, t: &TextState) {
    let std = vm.extension::<crate::builtins::print::Std>();
    if !v.is(&std.stdout_object.borrow()) {
        return;
    }
    let plain = t.encoding.get() == Encoding::Utf8
        && t.newline.get().written().is_none()
        && !t.write_through.get();
    std.line_buffered.set(t.line_buffering.get());
    if !plain {
        // From now on `print` goes through `write`.
        std.stdout_object.replace(Value::UNBOUND);
    }
}

fn repr(vm: &Vm, v: &Value) -> Res {
    let t = state(vm, v)?;
    let mut out = format!("<_io.{}", vm.type_name(v));
    let name = file(vm, v)?.name.borrow().clone();
    if !name.is_unbound() {
        out.push_str(&format!(" name={}", vm.repr_string(&name)?));
    }
    let mode = t.mode.borrow().clone();
    if !mode.is_unbound() {
        out.push_str(&format!(" mode={}", vm.repr_string(&mode)?));
    }
    out.push_str(&format!(" encoding='{}'>", t.encoding_name.borrow()));
    Ok(vm.str(&out))
}

fn fileno_text(vm: &Vm, a: &[Value]) -> Res {
    match &*file(vm, &a[0])?.stream.borrow() {
        Some(_) => {}
        None => {
            let lower = below(vm, &a[0])?;
            return vm.call_method(&lower, &vm.intern("fileno"), &[]);
        }
    }
    fileno(vm, a)
}

pub static TEXT: TypeSpec = TypeSpec {
    name: "_io.TextIOWrapper",
    kind: Kind::File,
    flags: tflag::BASETYPE | tflag::WEAKREF,
    slots: |s| {
        s.new = Some(new);
        s.repr = Some(repr);
        s.iter = Some(|vm, v| {
            open_text(vm, v)?;
            Ok(v.clone())
        });
        s.next = Some(next);
    },
    methods: shared_rows![
        NativeDef {
            sig: "read(self, size=-1, /)",
            f: read,
            doc: "Read at most size characters from stream."
        },
        NativeDef {
            sig: "readline(self, size=-1, /)",
            f: readline,
            doc: "Read until newline or EOF."
        },
        NativeDef {
            sig: "write(self, text, /)",
            f: write,
            doc: "Write string s to stream."
        },
        NativeDef {
            sig: "flush(self, /)",
            f: flush_text,
            doc: "Flush write buffers, if applicable."
        },
        NativeDef {
            sig: "close(self, /)",
            f: close,
            doc: "Flush and close the IO object."
        },
        NativeDef {
            sig: "seek(self, cookie, whence=0, /)",
            f: seek,
            doc: "Set the stream position, and return the new stream position."
        },
        NativeDef {
            sig: "tell(self, /)",
            f: tell,
            doc: "Return the stream position as an opaque number."
        },
        NativeDef {
            sig: "truncate(self, pos=None, /)",
            f: truncate,
            doc: "Truncate file to size bytes."
        },
        NativeDef {
            sig: "detach(self, /)",
            f: detach,
            doc: "Separate the underlying buffer from the TextIOBase and return it."
        },
        NativeDef {
            sig: "fileno(self, /)",
            f: fileno_text,
            doc: "Return underlying file descriptor if one exists."
        },
        NativeDef {
            sig: "isatty(self, /)",
            f: |vm, a| ask(vm, a, Stream::is_tty, "isatty"),
            doc: "Return whether this is an 'interactive' stream."
        },
        NativeDef {
            sig: "readable(self, /)",
            f: |vm, a| ask(vm, a, |s| s.readable, "readable"),
            doc: "Return whether object was opened for reading."
        },
        NativeDef {
            sig: "writable(self, /)",
            f: |vm, a| ask(vm, a, |s| s.writable, "writable"),
            doc: "Return whether object was opened for writing."
        },
        NativeDef {
            sig: "seekable(self, /)",
            f: |vm, a| ask(vm, a, Stream::is_seekable, "seekable"),
            doc: "Return whether object supports random access."
        },
        NativeDef {
            sig: "reconfigure(self, /, *, encoding=None, errors=None, newline=..., line_buffering=None, write_through=None)",
            f: reconfigure,
            doc: "Reconfigure the text stream with new parameters."
        },
    ],
    getset: &[
        GetSetDef {
            name: "closed",
            get: closed,
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "name",
            get: name,
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "mode",
            get: |vm, v| {
                let mode = state(vm, v)?.mode.borrow().clone();
                if mode.is_unbound() {
                    Err(vm.no_attribute(v, &vm.names.mode))
                } else {
                    Ok(mode)
                }
            },
            set: Some(|vm, v, new| {
                let old = state(vm, v)?
                    .mode
                    .replace(new.cloned().unwrap_or(Value::UNBOUND));
                drop(old);
                Ok(())
            }),
            doc: "",
        },
        GetSetDef {
            name: "buffer",
            get: below,
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "encoding",
            get: |vm, v| Ok(vm.str(&state(vm, v)?.encoding_name.borrow())),
            set: None,
            doc: "Encoding of the text stream.",
        },
        GetSetDef {
            name: "errors",
            get: |vm, v| Ok(vm.str(&state(vm, v)?.errors.borrow())),
            set: None,
            doc: "The error setting of the decoder or encoder.",
        },
        GetSetDef {
            name: "newlines",
            get: newlines_seen,
            set: None,
            doc: "Line endings translated so far.",
        },
        GetSetDef {
            name: "line_buffering",
            get: |vm, v| Ok(Value::bool(state(vm, v)?.line_buffering.get())),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "write_through",
            get: |vm, v| Ok(Value::bool(state(vm, v)?.write_through.get())),
            set: None,
            doc: "",
        },
    ],
    doc: "Character and line based layer over a BufferedIOBase object, buffer.",
    ..TypeSpec::EMPTY
};

// ---- IncrementalNewlineDecoder, over text only

fn decode_newlines(vm: &Vm, a: &[Value]) -> Res {
    let last = vm.truth(&a[2])?;
    let me = vm.getattr_str(&a[0], "_carriage")?;
    let Some(text) = a[1].as_str() else {
        return Err(vm.type_error("decoding str only is supported"));
    };
    let whole = format!("{}{text}", me.as_str().unwrap_or(""));
    let (now, later) = match whole.strip_suffix('\r') {
        Some(head) if !last => (head, "\r"),
        _ => (whole.as_str(), ""),
    };
    vm.setattr(&a[0], &vm.intern("_carriage"), &vm.str(later))?;
    let translate = vm.getattr_str(&a[0], "_translate")?;
    Ok(if vm.truth(&translate)? {
        vm.str(&now.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        vm.str(now)
    })
}

pub static NEWLINE_DECODER: TypeSpec = TypeSpec {
    name: "_io.IncrementalNewlineDecoder",
    kind: Kind::Object,
    flags: tflag::BASETYPE | tflag::DICT,
    slots: |s| {
        s.new = Some(|vm, class, args| {
            let a = vm.bind_args(
                "IncrementalNewlineDecoder(decoder, translate, errors='strict')",
                args,
            )?;
            let v = vm.alloc_as(class, crate::object::func::Object);
            vm.setattr(&v, &vm.intern("_translate"), &a[1])?;
            vm.setattr(&v, &vm.intern("_carriage"), &vm.str(""))?;
            Ok(v)
        });
        s.init = Some(|_, _, _| Ok(()));
    },
    methods: &[NativeDef {
        sig: "decode(self, input, final=False)",
        f: decode_newlines,
        doc: "",
    }],
    doc: "Codec used when reading a file in universal newlines mode.",
    ..TypeSpec::EMPTY
};
