//! StreamWriter: sending over a transport, and waiting for it.
//!
//! Over native streams everything happens here; with a script's protocol (or a transport that is not ours) `drain` and `wait_closed` are the script half's.

#![allow(unsafe_code)]

use super::coro::{CoState, NativeCoro, Op, Progress, make as coro};
use super::reader::Reader;
use super::slot::Slot;
use super::task::is_coroutine;
use super::transport::{Transport, close as close_transport, write as write_bytes};
use crate::builtins::support::{alloc_as, this};
use crate::object::header::{Kind, Payload};
use crate::object::heap::Heap;
use crate::object::native::{Args, NativeDef};
use crate::object::types::{GetSetDef, Slots, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::{Raised, Res, Vm};

/// The payload of StreamWriter.
pub struct Writer {
    pub transport: Slot,
    /// A script's protocol, or unbound.
    pub protocol: Slot,
    pub reader: Slot,
    pub loop_: Slot,
}

// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for Writer {
    const KIND: Kind = Kind::StreamWriter;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        for s in [&self.transport, &self.protocol, &self.reader, &self.loop_] {
            visit(s.peek());
        }
    }
}

/// A writer over native streams.
pub fn make(vm: &Vm, tv: &Value, reader: &Value, lv: &Value) -> Value {
    let v = vm.alloc(Writer {
        transport: Slot::new(tv.clone()),
        protocol: Slot::empty(),
        reader: Slot::new(reader.clone()),
        loop_: Slot::new(lv.clone()),
    });
    Heap::set_finalize(&v, true);
    v
}

/// A server's client is there: its callback is called; a coroutine becomes a task.
pub fn client_connected(vm: &Vm, tv: &Value, t: &Transport, cb: &Value) -> Res<()> {
    t.server_cb.take();
    let lv = t.loop_.get();
    let writer = make(vm, tv, &t.reader.get(), &lv);
    let result = vm.call(cb, &[t.reader.get(), writer])?;
    if !is_coroutine(vm, &result) {
        return Ok(());
    }
    let task = super::loop_type::create_task_in(vm, &lv, &result)?;
    let done = vm.new_native(
        &HANDLER_DONE,
        tv.clone(),
        vm.kind_type(Kind::Transport).clone(),
        Value::UNBOUND,
    );
    let name = vm.names.add_done_callback.clone();
    vm.call_method(&task, &name, &[done]).map(|_| ())
}

static HANDLER_DONE: NativeDef = NativeDef {
    sig: "_on_handler_done(self, task, /)",
    f: handler_done,
    doc: "A client's handler has ended.",
};
fn handler_done(vm: &Vm, a: &[Value]) -> Res {
    let t = this::<Transport>(vm, &a[0])?;
    let cancelled = vm.call_method(&a[1], &vm.names.cancelled.clone(), &[])?;
    if vm.truth(&cancelled)? {
        close_transport(vm, &a[0], t)?;
        return Ok(Value::NONE);
    }
    let exc = vm.call_method(&a[1], &vm.names.exception.clone(), &[])?;
    if !exc.is_none() {
        let facts = vec![
            (
                "message",
                vm.str("Unhandled exception in client_connected_cb"),
            ),
            ("exception", exc),
            ("transport", a[0].clone()),
        ];
        super::errors::report(vm, &t.loop_.get(), facts)?;
        close_transport(vm, &a[0], t)?;
    }
    Ok(Value::NONE)
}

/// The native transport of native streams, if it is that.
fn native(w: &Writer) -> Option<(&Value, &Transport)> {
    let tv = w.transport.peek();
    tv.get::<Transport>()
        .filter(|t| t.reader.is_set())
        .map(|t| (tv, t))
}

pub fn advance(vm: &Vm, v: &Value, c: &NativeCoro) -> Res<Progress> {
    let target = c.target.get();
    let Some(w) = target.get::<Writer>() else {
        return Err(vm.type_error("a StreamWriter was expected"));
    };
    let tv = w.transport.get();
    let Some(t) = tv.get::<Transport>() else {
        return Err(vm.type_error("a native transport was expected"));
    };
    if c.op == Op::WaitClosed {
        return wait_closed(v, c, t);
    }
    if c.state.get() == CoState::Fresh {
        if let Some(r) = w.reader.peek().get::<Reader>()
            && let Some(e) = r.exception.get().non_none()
        {
            return Err(Raised(e.clone()));
        }
        if t.closing.get() {
            // connection_lost() gets a turn, or a loop of write() and drain() would never see it.
            c.step.set(1);
            return Ok(Progress::Turn);
        }
    }
    if c.step.get() == 2 {
        t.drainers.remove(v);
        return match t.error.get().non_none() {
            Some(e) => Err(Raised(e.clone())),
            None => Ok(Progress::Ready(Value::NONE)),
        };
    }
    if t.fd.get() < 0 {
        return Err(vm.error(Exc::ConnectionResetError, "Connection lost"));
    }
    if !t.write_paused.get() {
        return Ok(Progress::Ready(Value::NONE));
    }
    c.step.set(2);
    t.drainers.push(v.clone());
    Ok(Progress::Wait)
}

fn wait_closed(v: &Value, c: &NativeCoro, t: &Transport) -> Res<Progress> {
    if c.state.get() != CoState::Fresh {
        t.closers.remove(v);
    }
    if t.fd.get() >= 0 {
        t.closers.push(v.clone());
        return Ok(Progress::Wait);
    }
    match t.error.get().non_none() {
        Some(e) => Err(Raised(e.clone())),
        None => Ok(Progress::Ready(Value::NONE)),
    }
}

pub fn give_up(v: &Value, c: &NativeCoro) -> Res<()> {
    let target = c.target.get();
    if let Some(w) = target.get::<Writer>()
        && let Some(t) = w.transport.peek().get::<Transport>()
    {
        t.drainers.remove(v);
        t.closers.remove(v);
    }
    Ok(())
}

// ---- what scripts see

fn wr<'a>(vm: &Vm, a: &'a [Value]) -> Res<&'a Writer> {
    this::<Writer>(vm, &a[0])
}
fn new(vm: &Vm, class: &Value, _: Args) -> Res {
    let w = Writer {
        transport: Slot::empty(),
        protocol: Slot::empty(),
        reader: Slot::empty(),
        loop_: Slot::empty(),
    };
    let v = alloc_as(vm, class, w);
    Heap::set_finalize(&v, true);
    Ok(v)
}
fn init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    let a = vm.bind_args("StreamWriter(transport, protocol, reader, loop)", args)?;
    let w = this::<Writer>(vm, v)?;
    for (s, v) in [&w.transport, &w.protocol, &w.reader, &w.loop_]
        .into_iter()
        .zip(&a)
    {
        s.set(v.clone());
    }
    Ok(())
}
fn repr(vm: &Vm, v: &Value) -> Res {
    let w = this::<Writer>(vm, v)?;
    let mut out = format!(
        "<{} transport={}",
        vm.type_name(v),
        vm.repr_string(&w.transport.or_none())?
    );
    if let Some(r) = w.reader.get().non_none() {
        out.push_str(&format!(" reader={}", vm.repr_string(r)?));
    }
    out.push('>');
    Ok(vm.str(&out))
}
/// Passes a call on to the transport.
fn pass(vm: &Vm, w: &Writer, name: &str, args: &[Value]) -> Res {
    let tv = w.transport.get();
    let f = vm.getattr_str(&tv, name)?;
    vm.call(&f, args)
}
fn write(vm: &Vm, a: &[Value]) -> Res {
    let w = wr(vm, a)?;
    if let Some(t) = w.transport.peek().get::<Transport>() {
        let tv = w.transport.get();
        match a[1].get::<crate::object::seq::Bytes>() {
            Some(b) => write_bytes(vm, &tv, t, &b.data)?,
            None => {
                let d = super::socket::data(vm, &a[1], "data")?;
                write_bytes(vm, &tv, t, &d)?
            }
        }
        return Ok(Value::NONE);
    }
    pass(vm, w, "write", &[a[1].clone()])
}
fn writelines(vm: &Vm, a: &[Value]) -> Res {
    pass(vm, wr(vm, a)?, "writelines", &[a[1].clone()])
}
fn write_eof(vm: &Vm, a: &[Value]) -> Res {
    pass(vm, wr(vm, a)?, "write_eof", &[])
}
fn can_write_eof(vm: &Vm, a: &[Value]) -> Res {
    pass(vm, wr(vm, a)?, "can_write_eof", &[])
}
fn close(vm: &Vm, a: &[Value]) -> Res {
    pass(vm, wr(vm, a)?, "close", &[])
}
fn is_closing(vm: &Vm, a: &[Value]) -> Res {
    pass(vm, wr(vm, a)?, "is_closing", &[])
}
fn get_extra_info(vm: &Vm, a: &[Value]) -> Res {
    pass(
        vm,
        wr(vm, a)?,
        "get_extra_info",
        &[a[1].clone(), a[2].clone()],
    )
}
/// A coroutine function of the script half.
fn scripted(vm: &Vm, name: &str, args: &[Value]) -> Res {
    let m = super::import(vm, "asyncio.streams")?;
    let f = vm.getattr_str(&m, name)?;
    vm.call(&f, args)
}
fn drain(vm: &Vm, a: &[Value]) -> Res {
    if native(wr(vm, a)?).is_some() {
        return coro(vm, Op::Drain, a[0].clone(), Value::UNBOUND);
    }
    scripted(vm, "_drain", &[a[0].clone()])
}
fn method_wait_closed(vm: &Vm, a: &[Value]) -> Res {
    if native(wr(vm, a)?).is_some() {
        return coro(vm, Op::WaitClosed, a[0].clone(), Value::UNBOUND);
    }
    scripted(vm, "_wait_closed", &[a[0].clone()])
}
fn start_tls(vm: &Vm, a: &[Value]) -> Res {
    scripted(vm, "_start_tls", &[a[0].clone(), a[1].clone()])
}
/// A writer that nobody closed.
fn del(vm: &Vm, v: &Value) -> Res<()> {
    let w = this::<Writer>(vm, v)?;
    if let Some((tv, t)) = native(w) {
        let open = t
            .loop_
            .peek()
            .get::<super::lp::Loop>()
            .is_some_and(|l| !l.closed.get());
        return if open && !t.closing.get() {
            close_transport(vm, tv, t)
        } else {
            Ok(())
        };
    }
    if w.transport.get().non_none().is_none() {
        return Ok(());
    }
    let closing = pass(vm, w, "is_closing", &[])?;
    if !vm.truth(&closing)? {
        pass(vm, w, "close", &[])?;
    }
    Ok(())
}
fn get_transport(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Writer>(vm, v)?.transport.or_none())
}
fn put_transport(vm: &Vm, v: &Value, new: Option<&Value>) -> Res<()> {
    this::<Writer>(vm, v)?
        .transport
        .set(new.cloned().unwrap_or(Value::UNBOUND));
    Ok(())
}
fn get_protocol(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Writer>(vm, v)?.protocol.or_none())
}
fn get_reader(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Writer>(vm, v)?.reader.or_none())
}
fn get_loop(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Writer>(vm, v)?.loop_.or_none())
}

fn slots(s: &mut Slots) {
    s.new = Some(new);
    s.init = Some(init);
    s.repr = Some(repr);
    s.del = Some(del);
}
pub static WRITER: TypeSpec = TypeSpec {
    name: "asyncio.streams.StreamWriter",
    kind: Kind::StreamWriter,
    flags: tflag::BASETYPE | tflag::WEAKREF,
    slots,
    methods: &[
        NativeDef {
            sig: "write(self, data, /)",
            f: write,
            doc: "Send bytes, or buffer what cannot be sent at once; `await drain()` after it.",
        },
        NativeDef {
            sig: "writelines(self, data, /)",
            f: writelines,
            doc: "Send several pieces.",
        },
        NativeDef {
            sig: "write_eof(self, /)",
            f: write_eof,
            doc: "End our half of the connection.",
        },
        NativeDef {
            sig: "can_write_eof(self, /)",
            f: can_write_eof,
            doc: "Whether write_eof() can be used.",
        },
        NativeDef {
            sig: "close(self, /)",
            f: close,
            doc: "Close the connection once the buffer is sent.",
        },
        NativeDef {
            sig: "is_closing(self, /)",
            f: is_closing,
            doc: "Whether it is closed or about to be.",
        },
        NativeDef {
            sig: "wait_closed(self, /)",
            f: method_wait_closed,
            doc: "Wait until the connection is closed.",
        },
        NativeDef {
            sig: "get_extra_info(self, name, default=None)",
            f: get_extra_info,
            doc: "A fact about the connection, such as 'peername'.",
        },
        NativeDef {
            sig: "drain(self, /)",
            f: drain,
            doc: "Wait while too much is buffered; raises when the connection is lost.",
        },
        NativeDef {
            sig: "start_tls(self, sslcontext, **options)",
            f: start_tls,
            doc: "Turn the connection into one with TLS.",
        },
    ],
    getset: &[
        GetSetDef {
            name: "transport",
            get: get_transport,
            set: None,
            doc: "the transport",
        },
        GetSetDef {
            name: "_transport",
            get: get_transport,
            set: Some(put_transport),
            doc: "the transport",
        },
        GetSetDef {
            name: "_protocol",
            get: get_protocol,
            set: None,
            doc: "the protocol",
        },
        GetSetDef {
            name: "_reader",
            get: get_reader,
            set: None,
            doc: "the reader of the same connection",
        },
        GetSetDef {
            name: "_loop",
            get: get_loop,
            set: None,
            doc: "the loop",
        },
    ],
    doc: "The sending side of a connection.",
    ..TypeSpec::EMPTY
};
