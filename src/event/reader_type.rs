//! What scripts see of StreamReader.

use super::coro::{Op, make as coro};
use super::reader::{Reader, came, wake_reader};
use super::transport::Transport;
use crate::builtins::support::{alloc_as, this};
use crate::object::header::Kind;
use crate::object::native::{Args, NativeDef};
use crate::object::types::{GetSetDef, Slots, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::{Res, Vm};

const DEFAULT_LIMIT: usize = 1 << 16;

fn new(vm: &Vm, class: &Value, _: Args) -> Res {
    Ok(alloc_as(
        vm,
        class,
        Reader::new(Value::UNBOUND, DEFAULT_LIMIT),
    ))
}
fn init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    let a = vm.bind_args("StreamReader(limit=65536, loop=None)", args)?;
    let r = this::<Reader>(vm, v)?;
    let limit = vm.as_index(&a[0])?;
    if limit <= 0 {
        return Err(vm.value_error("Limit cannot be <= 0"));
    }
    r.limit.set(limit as usize);
    let lv = match a[1].non_none() {
        Some(l) => l.clone(),
        None => super::get_event_loop(vm)?,
    };
    r.loop_.set(lv);
    Ok(())
}
fn repr(vm: &Vm, v: &Value) -> Res {
    let r = this::<Reader>(vm, v)?;
    let mut info = vec!["StreamReader".to_string()];
    if !r.is_empty() {
        info.push(format!("{} bytes", r.len()));
    }
    if r.eof.get() {
        info.push("eof".into());
    }
    if r.limit.get() != DEFAULT_LIMIT {
        info.push(format!("limit={}", r.limit.get()));
    }
    if r.waiter.is_set() {
        info.push(format!(
            "waiter={}",
            vm.repr_string(&vm.new_future(r.loop_.peek()))?
        ));
    }
    if let Some(e) = r.exception.get().non_none() {
        info.push(format!("exception={}", vm.repr_string(e)?));
    }
    if let Some(t) = r.transport.get().non_none() {
        info.push(format!("transport={}", vm.repr_string(t)?));
    }
    if r.paused.get() {
        info.push("paused".into());
    }
    Ok(vm.str(&format!("<{}>", info.join(" "))))
}

fn exception(vm: &Vm, a: &[Value]) -> Res {
    Ok(this::<Reader>(vm, &a[0])?.exception.or_none())
}
fn set_exception(vm: &Vm, a: &[Value]) -> Res {
    let r = this::<Reader>(vm, &a[0])?;
    r.exception.set(a[1].clone());
    wake_reader(vm, r)?;
    Ok(Value::NONE)
}
fn set_transport(vm: &Vm, a: &[Value]) -> Res {
    let r = this::<Reader>(vm, &a[0])?;
    if r.transport.get().non_none().is_some() {
        return Err(vm.error(Exc::AssertionError, "Transport already set"));
    }
    r.transport.set(a[1].clone());
    Ok(Value::NONE)
}
fn feed_eof(vm: &Vm, a: &[Value]) -> Res {
    let r = this::<Reader>(vm, &a[0])?;
    r.eof.set(true);
    wake_reader(vm, r)?;
    Ok(Value::NONE)
}
fn feed_data(vm: &Vm, a: &[Value]) -> Res {
    let r = this::<Reader>(vm, &a[0])?;
    if r.eof.get() {
        return Err(vm.error(Exc::AssertionError, "feed_data after feed_eof"));
    }
    let data = super::socket::data(vm, &a[1], "data")?;
    if data.is_empty() {
        return Ok(Value::NONE);
    }
    r.buf.borrow_mut().extend_from_slice(&data);
    came(vm, r)?;
    let tv = r.transport.get();
    if tv.non_none().is_some() && !r.paused.get() && r.len() > 2 * r.limit.get() {
        match tv.get::<Transport>() {
            Some(t) => t.paused.set(true),
            None => {
                let f = vm.getattr_str(&tv, "pause_reading")?;
                match vm.call(&f, &[]) {
                    Ok(_) => (),
                    Err(e) if vm.is_exc(&e, Exc::NotImplementedError) => {
                        // It cannot pause: it is forgotten.
                        r.transport.take();
                        return Ok(Value::NONE);
                    }
                    Err(e) => return Err(e),
                }
            }
        }
        r.paused.set(true);
    }
    Ok(Value::NONE)
}
fn at_eof(vm: &Vm, a: &[Value]) -> Res {
    let r = this::<Reader>(vm, &a[0])?;
    Ok(Value::bool(r.eof.get() && r.is_empty()))
}
fn readline(vm: &Vm, a: &[Value]) -> Res {
    coro(vm, Op::ReadLine, a[0].clone(), Value::UNBOUND)
}
fn readuntil(vm: &Vm, a: &[Value]) -> Res {
    let sep = if a[1].is_unbound() {
        vm.bytes(b"\n")
    } else {
        a[1].clone()
    };
    coro(vm, Op::ReadUntil, a[0].clone(), sep)
}
fn read(vm: &Vm, a: &[Value]) -> Res {
    coro(vm, Op::Read, a[0].clone(), a[1].clone())
}
fn readexactly(vm: &Vm, a: &[Value]) -> Res {
    coro(vm, Op::ReadExactly, a[0].clone(), a[1].clone())
}
fn aiter(_: &Vm, v: &Value) -> Res {
    Ok(v.clone())
}
fn anext(vm: &Vm, v: &Value) -> Res {
    coro(vm, Op::NextLine, v.clone(), Value::UNBOUND)
}

fn get_buffer(vm: &Vm, v: &Value) -> Res {
    let r = this::<Reader>(vm, v)?;
    let copy = r.buf.borrow()[r.at.get()..].to_vec();
    Ok(vm.bytearray(copy))
}
fn get_limit(vm: &Vm, v: &Value) -> Res {
    Ok(vm.usize(this::<Reader>(vm, v)?.limit.get()))
}
fn get_eof(vm: &Vm, v: &Value) -> Res {
    Ok(Value::bool(this::<Reader>(vm, v)?.eof.get()))
}
fn get_transport(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Reader>(vm, v)?.transport.or_none())
}
fn put_transport(vm: &Vm, v: &Value, new: Option<&Value>) -> Res<()> {
    this::<Reader>(vm, v)?
        .transport
        .set(new.cloned().unwrap_or(Value::UNBOUND));
    Ok(())
}
fn get_loop(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Reader>(vm, v)?.loop_.or_none())
}
fn get_waiter(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Reader>(vm, v)?.waiter.or_none())
}
fn get_paused(vm: &Vm, v: &Value) -> Res {
    Ok(Value::bool(this::<Reader>(vm, v)?.paused.get()))
}
fn get_exception(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Reader>(vm, v)?.exception.or_none())
}
fn get_source(vm: &Vm, v: &Value) -> Res {
    Ok(this::<Reader>(vm, v)?.source.or_none())
}

fn slots(s: &mut Slots) {
    s.new = Some(new);
    s.init = Some(init);
    s.repr = Some(repr);
    s.aiter = Some(aiter);
    s.anext = Some(anext);
}
pub static READER: TypeSpec = TypeSpec {
    name: "asyncio.streams.StreamReader",
    kind: Kind::Stream,
    flags: tflag::BASETYPE | tflag::WEAKREF,
    slots,
    methods: &[
        NativeDef {
            sig: "exception(self, /)",
            f: exception,
            doc: "What ended the stream, or None.",
        },
        NativeDef {
            sig: "set_exception(self, exc, /)",
            f: set_exception,
            doc: "End the stream with an exception.",
        },
        NativeDef {
            sig: "set_transport(self, transport, /)",
            f: set_transport,
            doc: "Say where the bytes come from.",
        },
        NativeDef {
            sig: "feed_eof(self, /)",
            f: feed_eof,
            doc: "No more bytes will come.",
        },
        NativeDef {
            sig: "feed_data(self, data, /)",
            f: feed_data,
            doc: "Some bytes have come.",
        },
        NativeDef {
            sig: "at_eof(self, /)",
            f: at_eof,
            doc: "Whether everything has been read and no more will come.",
        },
        NativeDef {
            sig: "readline(self, /)",
            f: readline,
            doc: "One line with its newline; a part of one at the end of the stream; then b''.",
        },
        NativeDef {
            sig: "readuntil(self, separator=...)",
            f: readuntil,
            doc: "The bytes up to and with the separator (or the first of a tuple of them).",
        },
        NativeDef {
            sig: "read(self, n=-1)",
            f: read,
            doc: "Up to n bytes, as soon as there are some; all until the end if n is negative.",
        },
        NativeDef {
            sig: "readexactly(self, n)",
            f: readexactly,
            doc: "Exactly n bytes, or IncompleteReadError.",
        },
    ],
    getset: &[
        GetSetDef {
            name: "_buffer",
            get: get_buffer,
            set: None,
            doc: "a copy of the unread bytes",
        },
        GetSetDef {
            name: "_limit",
            get: get_limit,
            set: None,
            doc: "the limit",
        },
        GetSetDef {
            name: "_eof",
            get: get_eof,
            set: None,
            doc: "whether no more bytes will come",
        },
        GetSetDef {
            name: "_transport",
            get: get_transport,
            set: Some(put_transport),
            doc: "where the bytes come from",
        },
        GetSetDef {
            name: "_loop",
            get: get_loop,
            set: None,
            doc: "the loop",
        },
        GetSetDef {
            name: "_waiter",
            get: get_waiter,
            set: None,
            doc: "who waits",
        },
        GetSetDef {
            name: "_paused",
            get: get_paused,
            set: None,
            doc: "whether the transport was asked to stop",
        },
        GetSetDef {
            name: "_exception",
            get: get_exception,
            set: None,
            doc: "what ended the stream",
        },
        GetSetDef {
            name: "_source_traceback",
            get: get_source,
            set: None,
            doc: "where it was made, in debug mode",
        },
    ],
    doc: "The receiving side of a connection, with a buffer that stops the sender at twice `limit` bytes.",
    ..TypeSpec::EMPTY
};
