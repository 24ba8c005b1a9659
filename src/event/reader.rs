//! StreamReader: a buffer that a transport fills, and the coroutines that read from it.
//!
//! If the bytes are there a read ends at once, without a turn of the loop. The task that waits is woken only when its read can end (or fails).
//!
//! Rule: `at` bytes at the front of `buf` are taken already; they go when the buffer is next filled.

#![allow(unsafe_code)]

use super::coro::{CoState, NativeCoro, Op, Progress, wake};
use super::slot::Slot;
use super::socket::os_error;
use super::transport::{Got, Transport, fatal, receive};
use crate::object::header::{Kind, Payload};
use crate::object::seq::{ByteArray, Bytes};
use crate::object::value::Value;
use crate::vm::{Raised, Res, Vm};
use memchr::memmem;
use std::cell::{Cell, RefCell};

/// The payload of StreamReader.
pub struct Reader {
    pub buf: RefCell<Vec<u8>>,
    pub at: Cell<usize>,
    /// Unread bytes in which a waiting readline() has found no newline.
    searched: Cell<usize>,
    pub limit: Cell<usize>,
    pub eof: Cell<bool>,
    /// The transport was asked to stop.
    pub paused: Cell<bool>,
    pub exception: Slot,
    /// The native coroutine that waits.
    pub waiter: Slot,
    pub transport: Slot,
    pub loop_: Slot,
    pub source: Slot,
}

// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for Reader {
    const KIND: Kind = Kind::Stream;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        for s in [
            &self.exception,
            &self.waiter,
            &self.transport,
            &self.loop_,
            &self.source,
        ] {
            visit(s.peek());
        }
    }
    fn clear(&self) {
        let old = (
            self.exception.take(),
            self.waiter.take(),
            self.transport.take(),
        );
        drop(old);
    }
}

impl Reader {
    pub fn new(loop_: Value, limit: usize) -> Reader {
        Reader {
            buf: RefCell::default(),
            at: Cell::new(0),
            searched: Cell::new(0),
            limit: Cell::new(limit),
            eof: Cell::new(false),
            paused: Cell::new(false),
            exception: Slot::empty(),
            waiter: Slot::empty(),
            transport: Slot::empty(),
            loop_: Slot::new(loop_),
            source: Slot::empty(),
        }
    }
    /// Unread bytes.
    pub fn len(&self) -> usize {
        self.buf.borrow().len() - self.at.get()
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Frees the room of what was taken.
    fn compact(&self) {
        let at = self.at.get();
        if at == 0 {
            return;
        }
        let mut buf = self.buf.borrow_mut();
        if at == buf.len() {
            buf.clear();
        } else {
            buf.drain(..at);
        }
        self.at.set(0);
    }
}

pub fn make(vm: &Vm, lv: &Value, limit: i64) -> Res {
    if limit <= 0 {
        return Err(vm.value_error("Limit cannot be <= 0"));
    }
    Ok(vm.alloc(Reader::new(lv.clone(), limit as usize)))
}
pub fn set_transport(rv: &Value, tv: &Value) {
    if let Some(r) = rv.get::<Reader>() {
        r.transport.set(tv.clone());
    }
}

/// One read of a native transport into the buffer.
pub fn fill(vm: &Vm, tv: &Value, t: &Transport) -> Res<()> {
    let rv = t.reader.get();
    let Some(r) = rv.get::<Reader>() else {
        return Ok(());
    };
    r.compact();
    let got = {
        let mut buf = r.buf.borrow_mut();
        receive(vm, tv, t, &mut buf)
    };
    match got {
        Ok(Got::Nothing) => Ok(()),
        Ok(Got::Bytes(_)) => {
            came(vm, r)?;
            if r.len() > 2 * r.limit.get() {
                t.paused.set(true);
                r.paused.set(true);
            }
            Ok(())
        }
        Ok(Got::End) => {
            t.eof_seen.set(true);
            r.eof.set(true);
            wake_reader(vm, r)
        }
        Err(e) => fatal(
            vm,
            tv,
            t,
            os_error(vm, &e),
            "Fatal read error on socket transport",
        ),
    }
}

/// Bytes have come: wakes the task that waits, if they are enough for it.
pub fn came(vm: &Vm, r: &Reader) -> Res<()> {
    let enough = match r.waiter.peek().get::<NativeCoro>() {
        None => return Ok(()),
        Some(c) => match c.op {
            Op::ReadLine | Op::NextLine => {
                let buf = r.buf.borrow();
                let data = &buf[r.at.get()..];
                let from = r.searched.get().min(data.len());
                let found = memchr::memchr(b'\n', &data[from..]).is_some();
                r.searched.set(data.len());
                found || data.len() > r.limit.get()
            }
            Op::ReadExactly => r.len() >= c.count.get() as usize || r.len() > 2 * r.limit.get(),
            _ => true,
        },
    };
    if enough { wake_reader(vm, r) } else { Ok(()) }
}

/// Wakes whoever waits.
pub fn wake_reader(vm: &Vm, r: &Reader) -> Res<()> {
    r.searched.set(0);
    let w = r.waiter.take();
    wake(vm, &w).map(|_| ())
}

/// The connection is gone: readers, drainers and closers hear of it.
pub fn lost(vm: &Vm, t: &Transport, exc: &Value) -> Res<()> {
    let rv = t.reader.get();
    if let Some(r) = rv.get::<Reader>() {
        if exc.is_none() {
            r.eof.set(true);
        } else {
            r.exception.set(exc.clone());
        }
        wake_reader(vm, r)?;
    }
    t.drainers.wake_all(vm)?;
    t.fd.set(-1);
    t.closers.wake_all(vm)
}

/// Takes `n` unread bytes; the transport may go on.
pub fn take(vm: &Vm, r: &Reader, n: usize) -> Res {
    let at = r.at.get();
    let out = {
        let buf = r.buf.borrow();
        let end = (at + n).min(buf.len());
        r.at.set(end);
        vm.bytes(&buf[at..end])
    };
    maybe_resume(vm, r)?;
    Ok(out)
}

pub fn maybe_resume(vm: &Vm, r: &Reader) -> Res<()> {
    if r.paused.get() && r.len() <= r.limit.get() {
        resume(vm, r)
    } else {
        Ok(())
    }
}
fn resume(vm: &Vm, r: &Reader) -> Res<()> {
    r.paused.set(false);
    let tv = r.transport.get();
    match tv.get::<Transport>() {
        Some(t) => super::transport_type::resume(vm, &tv, t),
        None if tv.non_none().is_some() => {
            let f = vm.getattr_str(&tv, "resume_reading")?;
            vm.call(&f, &[]).map(|_| ())
        }
        None => Ok(()),
    }
}

/// Stands in line for more bytes.
fn wait(vm: &Vm, v: &Value, r: &Reader, caller: &str) -> Res<Progress> {
    if r.waiter.is_set() {
        let text = format!(
            "{caller}() called while another coroutine is already waiting for incoming data"
        );
        return Err(vm.runtime_error(text));
    }
    // Less than a message may fill the buffer: paused, we would wait for ever.
    if r.paused.get() {
        resume(vm, r)?;
    }
    r.searched.set(r.len());
    r.waiter.set(v.clone());
    Ok(Progress::Wait)
}

pub fn give_up(v: &Value, c: &NativeCoro) -> Res<()> {
    let target = c.target.get();
    if let Some(r) = target.get::<Reader>()
        && r.waiter.peek().is(v)
    {
        r.waiter.take();
    }
    Ok(())
}

/// The exception that ended the stream, to raise again.
fn broken(r: &Reader) -> Option<Raised> {
    r.exception.get().non_none().map(|e| Raised(e.clone()))
}

pub fn advance(vm: &Vm, v: &Value, c: &NativeCoro) -> Res<Progress> {
    let target = c.target.get();
    let Some(r) = target.get::<Reader>() else {
        return Err(vm.type_error("a StreamReader was expected"));
    };
    let first = c.state.get() == CoState::Fresh;
    if first && matches!(c.op, Op::Read | Op::ReadExactly) {
        check_count(vm, c)?;
    }
    if let Some(e) = broken(r) {
        return Err(e);
    }
    match c.op {
        Op::Read => read(vm, v, c, r),
        Op::ReadExactly => read_exactly(vm, v, c, r),
        Op::ReadUntil => {
            let sep = c.arg.get();
            read_until(vm, v, r, &sep)
        }
        _ => read_line(vm, v, c, r),
    }
}

/// The number argument of read() and readexactly() goes to `count` (u32::MAX: all).
fn check_count(vm: &Vm, c: &NativeCoro) -> Res<()> {
    let n = vm.as_index(&c.arg.get())?;
    if n < 0 && c.op == Op::ReadExactly {
        return Err(vm.value_error("readexactly size can not be less than zero"));
    }
    c.count.set(if n < 0 {
        u32::MAX
    } else {
        n.min(u32::MAX as i64 - 1) as u32
    });
    Ok(())
}

fn read(vm: &Vm, v: &Value, c: &NativeCoro, r: &Reader) -> Res<Progress> {
    let n = c.count.get();
    if n == 0 {
        return Ok(Progress::Ready(vm.bytes(b"")));
    }
    if n == u32::MAX {
        // All until the end: collected in a bytearray, so that the transport is never paused for long.
        if c.step.get() == 0 {
            c.step.set(1);
            c.arg.set(vm.bytearray(Vec::new()));
        }
        let all = c.arg.get();
        if let Some(b) = all.get::<ByteArray>() {
            let buf = r.buf.borrow();
            b.data.borrow_mut().extend_from_slice(&buf[r.at.get()..]);
            r.at.set(buf.len());
        }
        maybe_resume(vm, r)?;
        if r.eof.get() {
            let data = all
                .get::<ByteArray>()
                .map(|b| b.data.take())
                .unwrap_or_default();
            return Ok(Progress::Ready(vm.bytes_vec(data)));
        }
        return wait(vm, v, r, "read");
    }
    if r.is_empty() && !r.eof.get() {
        return wait(vm, v, r, "read");
    }
    take(vm, r, n as usize).map(Progress::Ready)
}

fn read_exactly(vm: &Vm, v: &Value, c: &NativeCoro, r: &Reader) -> Res<Progress> {
    let n = c.count.get() as usize;
    if r.len() >= n {
        return take(vm, r, n).map(Progress::Ready);
    }
    if r.eof.get() {
        let partial = take(vm, r, usize::MAX / 2)?;
        return Err(exception(
            vm,
            "IncompleteReadError",
            &[partial, vm.usize(n)],
        ));
    }
    wait(vm, v, r, "readexactly")
}

fn read_line(vm: &Vm, v: &Value, c: &NativeCoro, r: &Reader) -> Res<Progress> {
    let (found, len) = {
        let buf = r.buf.borrow();
        let data = &buf[r.at.get()..];
        (memchr::memchr(b'\n', data), data.len())
    };
    let line = match found {
        Some(i) if i <= r.limit.get() => take(vm, r, i + 1)?,
        Some(i) => {
            r.at.set(r.at.get() + i + 1);
            maybe_resume(vm, r)?;
            return Err(vm.value_error("Separator is found, but chunk is longer than limit"));
        }
        None if len > r.limit.get() => {
            r.at.set(r.at.get() + len);
            maybe_resume(vm, r)?;
            return Err(vm.value_error("Separator is not found, and chunk exceed the limit"));
        }
        None if r.eof.get() => take(vm, r, len)?,
        None => return wait(vm, v, r, "readuntil"),
    };
    if c.op == Op::NextLine && line.get::<Bytes>().is_some_and(|b| b.data.is_empty()) {
        return Err(vm.error_args(crate::vm::raise::Exc::StopAsyncIteration, vec![]));
    }
    Ok(Progress::Ready(line))
}

fn read_until(vm: &Vm, v: &Value, r: &Reader, sep: &Value) -> Res<Progress> {
    let seps: Vec<Vec<u8>> = match sep.get::<crate::object::seq::Tuple>() {
        Some(t) => t
            .iter()
            .map(|s| super::socket::data(vm, s, "separator"))
            .collect::<Res<_>>()?,
        None => vec![super::socket::data(vm, sep, "separator")?],
    };
    if seps.is_empty() {
        return Err(vm.value_error("Separator should contain at least one element"));
    }
    let longest = seps.iter().map(Vec::len).max().unwrap_or(0);
    if seps.iter().any(Vec::is_empty) {
        return Err(vm.value_error("Separator should be at least one-byte string"));
    }
    let (best, len) = {
        let buf = r.buf.borrow();
        let data = &buf[r.at.get()..];
        let best = seps
            .iter()
            .filter_map(|s| memmem::find(data, s).map(|i| (i + s.len(), i)))
            .min();
        (best, data.len())
    };
    if let Some((end, start)) = best {
        if start > r.limit.get() {
            return Err(exception(
                vm,
                "LimitOverrunError",
                &[
                    vm.str("Separator is found, but chunk is longer than limit"),
                    vm.usize(start),
                ],
            ));
        }
        return take(vm, r, end).map(Progress::Ready);
    }
    let offset = (len + 1).saturating_sub(longest);
    if offset > r.limit.get() {
        return Err(exception(
            vm,
            "LimitOverrunError",
            &[
                vm.str("Separator is not found, and chunk exceed the limit"),
                vm.usize(offset),
            ],
        ));
    }
    if r.eof.get() {
        let partial = take(vm, r, len)?;
        return Err(exception(
            vm,
            "IncompleteReadError",
            &[partial, Value::NONE],
        ));
    }
    wait(vm, v, r, "readuntil")
}

/// An exception of the script half.
fn exception(vm: &Vm, name: &str, args: &[Value]) -> Raised {
    match super::import(vm, "asyncio.exceptions")
        .and_then(|m| vm.getattr_str(&m, name))
        .and_then(|c| vm.call(&c, args))
    {
        Ok(e) => Raised(e),
        Err(e) => e,
    }
}
