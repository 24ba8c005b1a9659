//! What scripts see of transports, and the native streams' way in: `open_stream`, `accept_stream`.

use super::future::head;
use super::lp::Loop;
use super::ready::Ready;
use super::socket::data;
use super::transport::{
    self, HIGH_WATER, Transport, abort, close, make, pending, start, write, write_eof,
};
use crate::builtins::support::this;
use crate::object::header::Kind;
use crate::object::native::{Args, NativeDef};
use crate::object::types::{Slots, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::{Raised, Res, Vm};

/// SystemExit and KeyboardInterrupt, which nothing here may swallow.
pub fn is_plain_stream_error(vm: &Vm, e: &Raised) -> bool {
    vm.is_exc(e, Exc::SystemExit) || vm.is_exc(e, Exc::KeyboardInterrupt)
}

/// Has a method of the transport called in the next turn.
pub fn call_soon(vm: &Vm, _tv: &Value, t: &Transport, f: Value) -> Res<()> {
    let lv = t.loop_.get();
    match lv.get::<Loop>() {
        Some(lp) => {
            if !lp.closed.get() {
                let h = super::handle::make(vm, &lv, f, vm.tuple(vec![]), &Value::NONE, f64::NAN);
                lp.push(Ready::Handle(h));
            }
            Ok(())
        }
        None => {
            let c = vm.getattr_str(&lv, "call_soon")?;
            vm.call(&c, &[f]).map(|_| ())
        }
    }
}

static LOST: NativeDef = NativeDef {
    sig: "_call_connection_lost(self, /)",
    f: run_lost,
    doc: "The connection has ended.",
};
static MADE: NativeDef = NativeDef {
    sig: "_call_connection_made(self, /)",
    f: run_made,
    doc: "The connection is there.",
};
fn run_lost(vm: &Vm, a: &[Value]) -> Res {
    transport::connection_lost(vm, &a[0])?;
    Ok(Value::NONE)
}
pub fn connection_lost_method(vm: &Vm, tv: &Value) -> Value {
    vm.new_native(
        &LOST,
        tv.clone(),
        vm.kind_type(Kind::Transport).clone(),
        Value::UNBOUND,
    )
}

/// Gives received bytes to a protocol: `data_received`, or the buffer of a BufferedProtocol.
pub fn give(vm: &Vm, p: &Value, bytes: Vec<u8>) -> Res<()> {
    if let Some(f) = vm.getattr_opt(p, &vm.intern("data_received"))? {
        return vm.call(&f, &[vm.bytes_vec(bytes)]).map(|_| ());
    }
    let streams = super::import(vm, "asyncio._buffered")?;
    let f = vm.getattr_str(&streams, "feed")?;
    vm.call(&f, &[p.clone(), vm.bytes_vec(bytes)]).map(|_| ())
}

/// The connection is announced: to the protocol, then the waiter; a server's handler starts.
fn run_made(vm: &Vm, a: &[Value]) -> Res {
    let tv = &a[0];
    let t = this::<Transport>(vm, tv)?;
    if t.reader.is_set() {
        start(vm, tv, t)?;
        let cb = t.server_cb.get();
        if !cb.is_unbound() {
            super::writer::client_connected(vm, tv, t, &cb)?;
        }
        return Ok(Value::NONE);
    }
    let p = t.protocol.get();
    let f = vm.getattr_str(&p, "connection_made")?;
    vm.call(&f, std::slice::from_ref(tv))?;
    Ok(Value::NONE)
}
static START: NativeDef = NativeDef {
    sig: "_start(self, /)",
    f: run_start,
    doc: "Reading begins.",
};
fn run_start(vm: &Vm, a: &[Value]) -> Res {
    start(vm, &a[0], this::<Transport>(vm, &a[0])?)?;
    Ok(Value::NONE)
}
fn release_waiter(vm: &Vm, a: &[Value]) -> Res {
    if let Some(f) = head(&a[0]) {
        if !f.done() {
            super::future::finish(vm, &a[0], f, Value::NONE)?;
        }
        return Ok(Value::NONE);
    }
    let m = super::import(vm, "asyncio.futures")?;
    let f = vm.getattr_str(&m, "_set_result_unless_cancelled")?;
    vm.call(&f, &[a[0].clone(), Value::NONE])
}
static RELEASE: NativeDef = NativeDef {
    sig: "_release_waiter(self, /)",
    f: release_waiter,
    doc: "Say that the connection is there.",
};

fn new(vm: &Vm, _class: &Value, args: Args) -> Res {
    let a = vm.bind_args(
        "SocketTransport(loop, sock, protocol, waiter=None, server=None)",
        args,
    )?;
    let tv = make(vm, &a[0], &a[1])?;
    let t = this::<Transport>(vm, &tv)?;
    t.protocol.set(a[2].clone());
    note_socket(vm, t)?;
    attach_server(vm, &tv, t, &a[4])?;
    let owner = vm.kind_type(Kind::Transport).clone();
    call_soon(
        vm,
        &tv,
        t,
        vm.new_native(&MADE, tv.clone(), owner.clone(), Value::UNBOUND),
    )?;
    call_soon(
        vm,
        &tv,
        t,
        vm.new_native(&START, tv.clone(), owner, Value::UNBOUND),
    )?;
    if let Some(w) = a[3].non_none() {
        call_soon(
            vm,
            &tv,
            t,
            vm.new_native(&RELEASE, w.clone(), Value::UNBOUND, Value::UNBOUND),
        )?;
    }
    Ok(tv)
}
/// `extra["socket"]`: wrapped for scripts.
fn note_socket(vm: &Vm, t: &Transport) -> Res<()> {
    let m = super::import(vm, "asyncio.trsock")?;
    let class = vm.getattr_str(&m, "TransportSocket")?;
    let w = vm.call(&class, &[t.sock.get()])?;
    let d = t.extra.get();
    vm.setitem(&d, &vm.intern("socket"), &w)
}
fn attach_server(vm: &Vm, tv: &Value, t: &Transport, server: &Value) -> Res<()> {
    let Some(s) = server.non_none() else {
        return Ok(());
    };
    t.server.set(s.clone());
    let f = vm.getattr_str(s, "_attach")?;
    vm.call(&f, std::slice::from_ref(tv)).map(|_| ())
}

/// `open_stream(loop, sock, limit) -> (reader, writer)`: native streams over a connected socket.
fn open_stream(vm: &Vm, a: &[Value]) -> Res {
    let (tv, reader) = stream_transport(vm, &a[0], &a[1], vm.as_index(&a[2])?)?;
    start(vm, &tv, this::<Transport>(vm, &tv)?)?;
    let writer = super::writer::make(vm, &tv, &reader, &a[0]);
    Ok(vm.pair(reader, writer))
}
/// `accept_stream(loop, sock, limit, client_connected_cb, server)`: native streams for a server's client.
fn accept_stream(vm: &Vm, a: &[Value]) -> Res {
    let (tv, _) = stream_transport(vm, &a[0], &a[1], vm.as_index(&a[2])?)?;
    let t = this::<Transport>(vm, &tv)?;
    t.server_cb.set(a[3].clone());
    attach_server(vm, &tv, t, &a[4])?;
    let owner = vm.kind_type(Kind::Transport).clone();
    call_soon(
        vm,
        &tv,
        t,
        vm.new_native(&MADE, tv.clone(), owner, Value::UNBOUND),
    )?;
    Ok(tv)
}
fn stream_transport(vm: &Vm, lv: &Value, sock: &Value, limit: i64) -> Res<(Value, Value)> {
    let tv = make(vm, lv, sock)?;
    let reader = super::reader::make(vm, lv, limit)?;
    let t = this::<Transport>(vm, &tv)?;
    super::reader::set_transport(&reader, &tv);
    t.reader.set(reader.clone());
    Ok((tv, reader))
}

// ---- methods

fn tr<'a>(vm: &Vm, a: &'a [Value]) -> Res<(&'a Value, &'a Transport)> {
    Ok((&a[0], this::<Transport>(vm, &a[0])?))
}
/// Facts about the connection; the socket is wrapped when it is first asked for.
pub fn extra_info(vm: &Vm, t: &Transport, name: &Value, default: &Value) -> Res {
    let d = t.extra.get();
    if name.as_str() == Some("socket") && !vm.contains(&d, name)? {
        note_socket(vm, t)?;
    }
    match d.get::<crate::object::dict::Dict>() {
        Some(d) => Ok(vm.dict_get(d, name)?.unwrap_or_else(|| default.clone())),
        None => Ok(default.clone()),
    }
}
fn get_extra_info(vm: &Vm, a: &[Value]) -> Res {
    extra_info(vm, tr(vm, a)?.1, &a[1], &a[2])
}
fn method_write(vm: &Vm, a: &[Value]) -> Res {
    let (tv, t) = tr(vm, a)?;
    if let Some(b) = a[1].get::<crate::object::seq::Bytes>() {
        write(vm, tv, t, &b.data)?;
    } else {
        let d = data(vm, &a[1], "data")?;
        write(vm, tv, t, &d)?;
    }
    Ok(Value::NONE)
}
fn method_writelines(vm: &Vm, a: &[Value]) -> Res {
    let (tv, t) = tr(vm, a)?;
    let mut all = Vec::new();
    for part in vm.collect(&a[1])? {
        all.extend(data(vm, &part, "data")?);
    }
    write(vm, tv, t, &all)?;
    Ok(Value::NONE)
}
fn method_write_eof(vm: &Vm, a: &[Value]) -> Res {
    write_eof(vm, tr(vm, a)?.1);
    Ok(Value::NONE)
}
fn can_write_eof(_: &Vm, _: &[Value]) -> Res {
    Ok(Value::TRUE)
}
fn method_close(vm: &Vm, a: &[Value]) -> Res {
    let (tv, t) = tr(vm, a)?;
    close(vm, tv, t)?;
    Ok(Value::NONE)
}
fn method_abort(vm: &Vm, a: &[Value]) -> Res {
    let (tv, t) = tr(vm, a)?;
    abort(vm, tv, t, None)?;
    Ok(Value::NONE)
}
fn is_closing(vm: &Vm, a: &[Value]) -> Res {
    Ok(Value::bool(tr(vm, a)?.1.closing.get()))
}
fn is_reading(vm: &Vm, a: &[Value]) -> Res {
    let t = tr(vm, a)?.1;
    Ok(Value::bool(!t.closing.get() && !t.paused.get()))
}
fn pause_reading(vm: &Vm, a: &[Value]) -> Res {
    tr(vm, a)?.1.paused.set(true);
    Ok(Value::NONE)
}
/// Reading goes on; what came meanwhile is read at once.
pub fn resume(vm: &Vm, tv: &Value, t: &Transport) -> Res<()> {
    if !t.paused.replace(false) || t.closing.get() {
        return Ok(());
    }
    if t.may_read.get()
        && let Some(lp) = t.loop_.peek().get::<Loop>()
    {
        lp.push(Ready::Io(tv.clone(), super::io::Side::Read));
    }
    let _ = vm;
    Ok(())
}
fn resume_reading(vm: &Vm, a: &[Value]) -> Res {
    let (tv, t) = tr(vm, a)?;
    resume(vm, tv, t)?;
    Ok(Value::NONE)
}
fn set_limits(vm: &Vm, a: &[Value]) -> Res {
    let t = tr(vm, a)?.1;
    let n = |v: &Value| -> Res<Option<i64>> {
        match v.non_none() {
            Some(v) => vm.as_index(v).map(Some),
            None => Ok(None),
        }
    };
    let (high, low) = (n(&a[1])?, n(&a[2])?);
    let high = high.unwrap_or_else(|| low.map_or(HIGH_WATER as i64, |l| 4 * l));
    let low = low.unwrap_or(high / 4);
    if !(high >= low && low >= 0) {
        return Err(vm.value_error(format!("high ({high}) must be >= low ({low}) must be >= 0")));
    }
    t.high.set(high as usize);
    t.low.set(low as usize);
    Ok(Value::NONE)
}
fn get_limits(vm: &Vm, a: &[Value]) -> Res {
    let t = tr(vm, a)?.1;
    Ok(vm.pair(vm.usize(t.low.get()), vm.usize(t.high.get())))
}
fn buffer_size(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.usize(pending(tr(vm, a)?.1)))
}
fn set_protocol(vm: &Vm, a: &[Value]) -> Res {
    let (tv, t) = tr(vm, a)?;
    t.protocol.set(a[1].clone());
    // From native streams to a script's protocol: what was read stays with the reader.
    t.reader.take();
    start(vm, tv, t)?;
    Ok(Value::NONE)
}
fn get_protocol(vm: &Vm, a: &[Value]) -> Res {
    Ok(tr(vm, a)?.1.protocol.or_none())
}
fn repr(vm: &Vm, v: &Value) -> Res {
    let t = this::<Transport>(vm, v)?;
    let mut info = vec![vm.type_name(v)];
    if t.lost.get() {
        info.push("closed".into());
    } else if t.closing.get() {
        info.push("closing".into());
    }
    info.push(format!("fd={}", t.fd.get()));
    if !t.lost.get() {
        info.push(format!(
            "read={}",
            if t.reading.get() && !t.paused.get() {
                "polling"
            } else {
                "idle"
            }
        ));
        let state = if pending(t) > 0 { "polling" } else { "idle" };
        info.push(format!("write=<{state}, bufsize={}>", pending(t)));
    }
    Ok(vm.str(&format!("<{}>", info.join(" "))))
}
fn slots(s: &mut Slots) {
    s.new = Some(new);
    s.init = Some(|_, _, _| Ok(()));
    s.repr = Some(repr);
}
pub static TRANSPORT: TypeSpec = TypeSpec {
    name: "asyncio.selector_events._SelectorSocketTransport",
    kind: Kind::Transport,
    flags: tflag::WEAKREF,
    slots,
    methods: &[
        NativeDef {
            sig: "get_extra_info(self, name, default=None)",
            f: get_extra_info,
            doc: "A fact about the connection.",
        },
        NativeDef {
            sig: "write(self, data, /)",
            f: method_write,
            doc: "Send bytes; returns at once.",
        },
        NativeDef {
            sig: "writelines(self, list_of_data, /)",
            f: method_writelines,
            doc: "Send several pieces.",
        },
        NativeDef {
            sig: "write_eof(self, /)",
            f: method_write_eof,
            doc: "End our half once the buffer is sent.",
        },
        NativeDef {
            sig: "can_write_eof(self, /)",
            f: can_write_eof,
            doc: "True.",
        },
        NativeDef {
            sig: "close(self, /)",
            f: method_close,
            doc: "Close once the buffer is sent.",
        },
        NativeDef {
            sig: "abort(self, /)",
            f: method_abort,
            doc: "Close at once.",
        },
        NativeDef {
            sig: "is_closing(self, /)",
            f: is_closing,
            doc: "Whether it is closed or about to be.",
        },
        NativeDef {
            sig: "is_reading(self, /)",
            f: is_reading,
            doc: "Whether it receives.",
        },
        NativeDef {
            sig: "pause_reading(self, /)",
            f: pause_reading,
            doc: "Receive nothing for now.",
        },
        NativeDef {
            sig: "resume_reading(self, /)",
            f: resume_reading,
            doc: "Receive again.",
        },
        NativeDef {
            sig: "set_write_buffer_limits(self, high=None, low=None)",
            f: set_limits,
            doc: "When the protocol is asked to pause and resume.",
        },
        NativeDef {
            sig: "get_write_buffer_limits(self, /)",
            f: get_limits,
            doc: "(low, high)",
        },
        NativeDef {
            sig: "get_write_buffer_size(self, /)",
            f: buffer_size,
            doc: "Bytes that are not sent yet.",
        },
        NativeDef {
            sig: "set_protocol(self, protocol, /)",
            f: set_protocol,
            doc: "Change the protocol.",
        },
        NativeDef {
            sig: "get_protocol(self, /)",
            f: get_protocol,
            doc: "The protocol.",
        },
    ],
    doc: "A TCP connection.",
    ..TypeSpec::EMPTY
};

pub static FUNCTIONS: &[NativeDef] = &[
    NativeDef {
        sig: "open_stream(loop, sock, limit, /)",
        f: open_stream,
        doc: "(reader, writer) over a connected socket.",
    },
    NativeDef {
        sig: "accept_stream(loop, sock, limit, callback, server, /)",
        f: accept_stream,
        doc: "Streams for a server's client.",
    },
];
