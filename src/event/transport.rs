//! The TCP transport: a non-blocking socket between the loop and a protocol, or the native streams.
//!
//! With a protocol of a script it calls `data_received` and friends, one turn after the event, as CPython. With native streams (`reader` set) bytes go straight
//! into the reader's buffer and nobody is called.
//!
//! ```text
//!   made --(next turn)--> connection_made, reading
//!   write: send at once; what is left is buffered, and sent when the socket can take it
//!   close: after the buffer is sent --> connection_lost(None)      abort, errors: at once --> connection_lost(exc)
//! ```
//! Rules:
//! 1. Registered once, edge-triggered: `may_read` remembers an edge until a read falls short.
//! 2. `connection_lost` comes last, by the ready queue, and once.

#![allow(unsafe_code)]

use super::line::Line;
use super::lp::Loop;
use super::ready::Ready;
use super::slot::Slot;
use super::socket::{Socket, os_error, sock_addr_value};
use super::transport_type::is_plain_stream_error;
use crate::host::net;
use crate::object::header::{Kind, Payload};
use crate::object::value::Value;
use crate::vm::{Raised, Res, Vm};
use std::cell::{Cell, RefCell};
use std::io::ErrorKind;

/// What one read asks for at first; it grows while reads fill it.
const READ_SIZE: usize = 4096;
const MAX_READ: usize = 256 * 1024;
pub const HIGH_WATER: usize = 64 * 1024;

/// See the module's head.
pub struct Transport {
    pub fd: Cell<i32>,
    pub sock: Slot,
    pub loop_: Slot,
    /// A script's protocol, or unbound with native streams.
    pub protocol: Slot,
    /// The native StreamReader.
    pub reader: Slot,
    /// Streams of a server: (client_connected_cb, limit); then the handler's task.
    pub server_cb: Slot,
    pub server: Slot,
    /// What is known of the connection: a dict.
    pub extra: Slot,
    pub token: Cell<usize>,
    pub attached: Cell<bool>,
    pub may_read: Cell<bool>,
    pub may_write: Cell<bool>,
    pub reading: Cell<bool>,
    pub paused: Cell<bool>,
    pub eof_seen: Cell<bool>,
    pub eof_sent: Cell<bool>,
    pub closing: Cell<bool>,
    pub lost: Cell<bool>,
    /// Writes after the connection was lost.
    pub lost_writes: Cell<u32>,
    pub read_size: Cell<usize>,
    pub out: RefCell<Vec<u8>>,
    /// Bytes of `out` that are sent.
    pub out_at: Cell<usize>,
    pub high: Cell<usize>,
    pub low: Cell<usize>,
    /// The protocol was asked to pause writing.
    pub write_paused: Cell<bool>,
    /// Who waits in drain() and wait_closed() of native streams.
    pub drainers: Line,
    pub closers: Line,
    /// What connection_lost() brought.
    pub error: Slot,
}

// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for Transport {
    const KIND: Kind = Kind::Transport;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        for s in [
            &self.sock,
            &self.loop_,
            &self.protocol,
            &self.reader,
            &self.server_cb,
            &self.server,
            &self.extra,
            &self.error,
        ] {
            visit(s.peek());
        }
        self.drainers.trace(visit);
        self.closers.trace(visit);
    }
    fn clear(&self) {
        let old = (
            self.protocol.take(),
            self.reader.take(),
            self.server_cb.take(),
            self.server.take(),
            self.error.take(),
        );
        drop(old);
        self.drainers.clear();
        self.closers.clear();
    }
}

/// A transport for a connected socket. Reading begins when the connection is announced (`announce`).
pub fn make(vm: &Vm, lv: &Value, sock: &Value) -> Res {
    let Some(s) = sock.get::<Socket>() else {
        return Err(vm.type_error("a socket was expected"));
    };
    let fd = s.fd.get();
    net::set_nonblocking(fd, true).map_err(|e| os_error(vm, &e))?;
    net::set_nodelay(fd);
    let t = Transport {
        fd: Cell::new(fd),
        sock: Slot::new(sock.clone()),
        loop_: Slot::new(lv.clone()),
        protocol: Slot::empty(),
        reader: Slot::empty(),
        server_cb: Slot::empty(),
        server: Slot::empty(),
        extra: Slot::empty(),
        token: Cell::new(0),
        attached: Cell::new(false),
        may_read: Cell::new(false),
        may_write: Cell::new(true),
        reading: Cell::new(false),
        paused: Cell::new(false),
        eof_seen: Cell::new(false),
        eof_sent: Cell::new(false),
        closing: Cell::new(false),
        lost: Cell::new(false),
        lost_writes: Cell::new(0),
        read_size: Cell::new(READ_SIZE),
        out: RefCell::default(),
        out_at: Cell::new(0),
        high: Cell::new(HIGH_WATER),
        low: Cell::new(HIGH_WATER / 4),
        write_paused: Cell::new(false),
        drainers: Line::default(),
        closers: Line::default(),
        error: Slot::empty(),
    };
    let d = vm.dict();
    let set = |k: &str, v: Value| vm.setitem(&d, &vm.intern(k), &v);
    if let Ok(a) = net::local_addr(fd) {
        set("sockname", sock_addr_value(vm, &a))?;
    }
    set(
        "peername",
        net::peer_addr(fd).map_or(Value::NONE, |a| sock_addr_value(vm, &a)),
    )?;
    t.extra.set(d);
    Ok(vm.alloc(t))
}

/// Registers with the poller: from here on events come.
pub fn start(vm: &Vm, tv: &Value, t: &Transport) -> Res<()> {
    if t.attached.get() || t.closing.get() {
        return Ok(());
    }
    let lv = t.loop_.get();
    let Some(lp) = lv.get::<Loop>() else {
        return Err(vm.type_error("this loop has no native transports"));
    };
    let token = super::io::attach(vm, lp, t.fd.get(), tv, true)?;
    t.token.set(token);
    t.attached.set(true);
    t.reading.set(true);
    Ok(())
}

fn stop_events(t: &Transport) {
    if t.attached.replace(false)
        && let Some(lp) = t.loop_.peek().get::<Loop>()
    {
        super::io::detach(lp, t.token.get());
    }
}

/// The poller saw something.
pub fn on_event(
    vm: &Vm,
    lv: &Value,
    lp: &Loop,
    tv: &Value,
    readable: bool,
    writable: bool,
) -> Res<()> {
    let Some(t) = tv.get::<Transport>() else {
        return super::net::on_event(vm, lv, lp, tv, readable, writable);
    };
    if readable {
        t.may_read.set(true);
        if t.reading.get() && !t.paused.get() && !t.eof_seen.get() {
            if t.reader.is_set() {
                read_ready(vm, tv)?;
            } else {
                lp.push(Ready::Io(tv.clone(), super::io::Side::Read));
            }
        }
    }
    if writable {
        t.may_write.set(true);
        if pending(t) > 0 {
            if t.reader.is_set() {
                write_ready(vm, tv)?;
            } else {
                lp.push(Ready::Io(tv.clone(), super::io::Side::Write));
            }
        }
    }
    Ok(())
}

/// Reads what is there.
pub fn read_ready(vm: &Vm, tv: &Value) -> Res<()> {
    let Some(t) = tv.get::<Transport>() else {
        return Ok(());
    };
    while t.may_read.get()
        && t.reading.get()
        && !t.paused.get()
        && !t.closing.get()
        && !t.eof_seen.get()
    {
        if t.reader.is_set() {
            super::reader::fill(vm, tv, t)?;
        } else {
            read_to_protocol(vm, tv, t)?;
            // One read per turn, so that other connections have theirs.
            if t.may_read.get()
                && let Some(lp) = t.loop_.peek().get::<Loop>()
            {
                lp.push(Ready::Io(tv.clone(), super::io::Side::Read));
            }
            return Ok(());
        }
    }
    Ok(())
}

/// How one read went.
pub enum Got {
    Bytes(usize),
    End,
    Nothing,
}

/// One read into the end of a buffer.
pub fn receive(
    vm: &Vm,
    tv: &Value,
    t: &Transport,
    buf: &mut Vec<u8>,
) -> Result<Got, std::io::Error> {
    let _ = (vm, tv);
    loop {
        match net::recv_append(t.fd.get(), buf, t.read_size.get()) {
            Ok((0, _)) => {
                t.may_read.set(false);
                return Ok(Got::End);
            }
            Ok((n, full)) => {
                if full {
                    t.read_size.set((t.read_size.get() * 2).min(MAX_READ));
                } else {
                    // A short read has emptied the socket: the next bytes are a new edge.
                    t.may_read.set(false);
                }
                return Ok(Got::Bytes(n));
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                t.may_read.set(false);
                return Ok(Got::Nothing);
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(e) => {
                t.may_read.set(false);
                return Err(e);
            }
        }
    }
}

fn read_to_protocol(vm: &Vm, tv: &Value, t: &Transport) -> Res<()> {
    let mut buf = Vec::new();
    match receive(vm, tv, t, &mut buf) {
        Err(e) => fatal(
            vm,
            tv,
            t,
            os_error(vm, &e),
            "Fatal read error on socket transport",
        ),
        Ok(Got::Nothing) => Ok(()),
        Ok(Got::Bytes(_)) => {
            let p = t.protocol.get();
            let r = super::transport_type::give(vm, &p, buf);
            match r {
                Ok(()) => Ok(()),
                Err(e) => fatal(
                    vm,
                    tv,
                    t,
                    e,
                    "Fatal error: protocol.data_received() call failed.",
                ),
            }
        }
        Ok(Got::End) => {
            t.eof_seen.set(true);
            let p = t.protocol.get();
            let keep = vm
                .getattr_str(&p, "eof_received")
                .and_then(|f| vm.call(&f, &[]))
                .and_then(|r| vm.truth(&r));
            match keep {
                Ok(true) => Ok(()),
                Ok(false) => close(vm, tv, t),
                Err(e) => fatal(
                    vm,
                    tv,
                    t,
                    e,
                    "Fatal error: protocol.eof_received() call failed.",
                ),
            }
        }
    }
}

/// Bytes that wait to be sent.
pub fn pending(t: &Transport) -> usize {
    t.out.borrow().len() - t.out_at.get()
}

/// Sends bytes, or buffers what cannot be sent at once.
pub fn write(vm: &Vm, tv: &Value, t: &Transport, data: &[u8]) -> Res<()> {
    if t.eof_sent.get() {
        return Err(vm.runtime_error("Cannot call write() after write_eof()"));
    }
    if data.is_empty() {
        return Ok(());
    }
    if t.lost_writes.get() > 0 || t.lost.get() {
        if t.lost_writes.get() >= 5 {
            super::errors::log_at(vm, "warning", "socket.send() raised exception.")?;
        }
        t.lost_writes.set(t.lost_writes.get() + 1);
        return Ok(());
    }
    let mut rest = data;
    if pending(t) == 0 && t.may_write.get() {
        match net::send(t.fd.get(), rest) {
            Ok(n) => rest = &rest[n..],
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => (),
            Err(e) => {
                return fatal(
                    vm,
                    tv,
                    t,
                    os_error(vm, &e),
                    "Fatal write error on socket transport",
                );
            }
        }
        if rest.is_empty() {
            return Ok(());
        }
        t.may_write.set(false);
    }
    t.out.borrow_mut().extend_from_slice(rest);
    if pending(t) > t.high.get() && !t.write_paused.replace(true) && !t.reader.is_set() {
        tell(vm, tv, t, "pause_writing")?;
    }
    Ok(())
}

/// Tells the protocol to pause or resume; its errors are reported, not raised.
fn tell(vm: &Vm, tv: &Value, t: &Transport, what: &str) -> Res<()> {
    let p = t.protocol.get();
    match vm.getattr_str(&p, what).and_then(|f| vm.call(&f, &[])) {
        Ok(_) => Ok(()),
        Err(e) if is_plain_stream_error(vm, &e) => Err(e),
        Err(e) => super::errors::report(
            vm,
            &t.loop_.get(),
            vec![
                ("message", vm.str(&format!("protocol.{what}() failed"))),
                ("exception", e.0),
                ("transport", tv.clone()),
                ("protocol", p),
            ],
        ),
    }
}

/// Sends what waits.
pub fn write_ready(vm: &Vm, tv: &Value) -> Res<()> {
    let Some(t) = tv.get::<Transport>() else {
        return Ok(());
    };
    while pending(t) > 0 && t.may_write.get() {
        let r = {
            let out = t.out.borrow();
            net::send(t.fd.get(), &out[t.out_at.get()..])
        };
        match r {
            Ok(n) => t.out_at.set(t.out_at.get() + n),
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(e) if e.kind() == ErrorKind::WouldBlock => t.may_write.set(false),
            Err(e) => {
                return fatal(
                    vm,
                    tv,
                    t,
                    os_error(vm, &e),
                    "Fatal write error on socket transport",
                );
            }
        }
    }
    if t.out_at.get() > 64 * 1024 || pending(t) == 0 {
        t.out.borrow_mut().drain(..t.out_at.replace(0));
    }
    if pending(t) <= t.low.get() && t.write_paused.replace(false) {
        if t.reader.is_set() {
            t.drainers.wake_all(vm)?;
        } else {
            tell(vm, tv, t, "resume_writing")?;
        }
    }
    if pending(t) == 0 {
        if t.closing.get() {
            lose(vm, tv, t, None)?;
        } else if t.eof_sent.get() {
            let _ = net::shutdown_write(t.fd.get());
        }
    }
    Ok(())
}

pub fn write_eof(_vm: &Vm, t: &Transport) {
    if t.closing.get() || t.eof_sent.replace(true) {
        return;
    }
    if pending(t) == 0 {
        let _ = net::shutdown_write(t.fd.get());
    }
}

/// Closes once the buffer is sent.
pub fn close(vm: &Vm, tv: &Value, t: &Transport) -> Res<()> {
    if t.closing.replace(true) {
        return Ok(());
    }
    t.reading.set(false);
    if pending(t) == 0 {
        lose(vm, tv, t, None)
    } else {
        Ok(())
    }
}

/// Closes at once.
pub fn abort(vm: &Vm, tv: &Value, t: &Transport, exc: Option<Value>) -> Res<()> {
    if t.lost.get() {
        return Ok(());
    }
    t.out.borrow_mut().clear();
    t.out_at.set(0);
    t.closing.set(true);
    t.reading.set(false);
    lose(vm, tv, t, exc)
}

/// An error that ends the connection.
pub fn fatal(vm: &Vm, tv: &Value, t: &Transport, e: Raised, message: &str) -> Res<()> {
    if is_plain_stream_error(vm, &e) {
        return Err(e);
    }
    if !vm.is_exc(&e, crate::vm::raise::Exc::OSError) {
        let facts = vec![
            ("message", vm.str(message)),
            ("exception", e.0.clone()),
            ("transport", tv.clone()),
            ("protocol", t.protocol.or_none()),
        ];
        super::errors::report(vm, &t.loop_.get(), facts)?;
    }
    abort(vm, tv, t, Some(e.0))
}

/// `connection_lost` is on its way.
fn lose(vm: &Vm, tv: &Value, t: &Transport, exc: Option<Value>) -> Res<()> {
    if t.lost.replace(true) {
        return Ok(());
    }
    t.lost_writes.set(1);
    stop_events(t);
    if let Some(e) = exc {
        t.error.set(e);
    }
    super::transport_type::call_soon(
        vm,
        tv,
        t,
        super::transport_type::connection_lost_method(vm, tv),
    )
}

/// The last call: the protocol (or the streams) hear of the end, the socket is closed.
pub fn connection_lost(vm: &Vm, tv: &Value) -> Res<()> {
    let Some(t) = tv.get::<Transport>() else {
        return Ok(());
    };
    let exc = t.error.or_none();
    let r = if t.reader.is_set() {
        super::reader::lost(vm, t, &exc)
    } else {
        let p = t.protocol.get();
        if p.is_unbound() {
            Ok(())
        } else {
            vm.getattr_str(&p, "connection_lost")
                .and_then(|f| vm.call(&f, std::slice::from_ref(&exc)))
                .map(|_| ())
        }
    };
    t.fd.set(-1);
    let sock = t.sock.get();
    if let Some(s) = sock.get::<Socket>() {
        net::close(s.fd.replace(-1));
    }
    if !t.reader.is_set() {
        t.protocol.take();
    }
    let server = t.server.take();
    if let Some(server) = server.non_none() {
        let f = vm.getattr_str(server, "_detach")?;
        vm.call(&f, std::slice::from_ref(tv))?;
    }
    r
}
