//! Connecting, listening, accepting, resolving: what `asyncio._connect` stands on.

#![allow(unsafe_code)]

use super::future::{fail, finish, head};
use super::lp::Loop;
use super::ready::Ready;
use super::slot::Slot;
use super::socket::{
    Socket, addr_value, errno_error, os_error, parse_addr, sock_addr_value, strerror, wrap,
};
use crate::builtins::support::this;
use crate::host::dns::{Answer, Outcome, Query, numeric};
use crate::host::net;
use crate::object::header::{Kind, Payload};
use crate::object::native::NativeDef;
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use std::cell::Cell;
use std::io::ErrorKind;

/// What the poller tells of a listening socket, or of a connection attempt.
pub struct NetWait {
    pub sock: Slot,
    loop_: Slot,
    /// Listener: called with (socket, address). Attempt: the future.
    then: Slot,
    /// Attempt: the address.
    address: Slot,
    connecting: bool,
    backlog: u32,
    token: Cell<usize>,
    open: Cell<bool>,
}

// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for NetWait {
    const KIND: Kind = Kind::Server;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        for s in [&self.sock, &self.loop_, &self.then, &self.address] {
            visit(s.peek());
        }
    }
    fn clear(&self) {
        let old = (self.then.take(), self.loop_.take());
        drop(old);
    }
}

/// Listeners of a VM, so that `net_stop` finds them by socket.
#[derive(Default)]
struct Listeners(std::cell::RefCell<Vec<Value>>);

fn the_loop<'a>(vm: &Vm, v: &'a Value) -> Res<&'a Loop> {
    this::<Loop>(vm, v)
}

// ---- names

fn text(vm: &Vm, v: &Value) -> Res<Option<String>> {
    if let Some(s) = v.as_str() {
        return Ok(Some(s.to_string()));
    }
    if v.is_none() {
        return Ok(None);
    }
    if let Some(b) = v.get::<crate::object::seq::Bytes>() {
        return Ok(Some(String::from_utf8_lossy(&b.data).into_owned()));
    }
    Ok(Some(vm.as_index(v)?.to_string()))
}

fn answer_value(vm: &Vm, a: &Answer) -> Value {
    vm.tuple(vec![
        vm.int(a.family as i64),
        vm.int(a.kind as i64),
        vm.int(a.proto as i64),
        vm.str(&a.canonical),
        addr_value(vm, &a.addr),
    ])
}

/// `getaddrinfo(loop, host, port, family, type, proto, flags)`: a future of a list of 5-tuples.
fn getaddrinfo(vm: &Vm, a: &[Value]) -> Res {
    let n = |v: &Value| vm.as_index(v).map(|i| i as i32);
    if let Some(s) = a[1].as_str()
        && s.contains('\0')
    {
        return Err(vm.value_error("embedded null character"));
    }
    let q = Query {
        host: text(vm, &a[1])?,
        port: text(vm, &a[2])?,
        family: n(&a[3])?,
        kind: n(&a[4])?,
        proto: n(&a[5])?,
        flags: n(&a[6])?,
    };
    let fut = vm.new_future(&a[0]);
    match numeric(&q) {
        Some(o) => answered(vm, &fut, o)?,
        None => super::io::resolve(vm, the_loop(vm, &a[0])?, q, &fut)?,
    }
    Ok(fut)
}

/// The class socket.gaierror.
pub fn gaierror(vm: &Vm) -> Res {
    let m = super::import(vm, "_socket")?;
    vm.getattr_str(&m, "gaierror")
}

/// An answer has come.
pub fn answered(vm: &Vm, fut: &Value, o: Outcome) -> Res<()> {
    let Some(f) = head(fut) else { return Ok(()) };
    if f.done() {
        return Ok(());
    }
    match o {
        Ok(list) => {
            let items = list.iter().map(|a| answer_value(vm, a)).collect();
            finish(vm, fut, f, vm.list(items))
        }
        Err(e) => {
            let class = gaierror(vm)?;
            let exc = vm.call(&class, &[vm.int(e.code as i64), vm.str(&e.text)])?;
            fail(vm, fut, f, exc)
        }
    }
}

// ---- connecting

fn new_wait(
    vm: &Vm,
    lv: &Value,
    sock: &Value,
    then: Value,
    address: Value,
    connecting: bool,
    backlog: u32,
) -> Value {
    vm.heap.alloc(
        vm.kind_shape(Kind::Object),
        NetWait {
            sock: Slot::new(sock.clone()),
            loop_: Slot::new(lv.clone()),
            then: Slot::new(then),
            address: Slot::new(address),
            connecting,
            backlog,
            token: Cell::new(0),
            open: Cell::new(false),
        },
        0,
    )
}

/// `net_connect(loop, family, type, proto, address, local)`: a future of the connected socket.
fn net_connect(vm: &Vm, a: &[Value]) -> Res {
    let n = |v: &Value| vm.as_index(v).map(|i| i as i32);
    let (family, kind, proto) = (n(&a[1])?, n(&a[2])?, n(&a[3])?);
    let lp = the_loop(vm, &a[0])?;
    let fd = net::open(family, kind, proto).map_err(|e| os_error(vm, &e))?;
    let sock = wrap(vm, fd, family, kind, proto);
    net::set_nonblocking(fd, true).map_err(|e| os_error(vm, &e))?;
    if let Some(local) = a[5].non_none() {
        let addr = parse_addr(vm, family, local)?;
        if let Err(e) = net::bind(fd, &addr) {
            let code = e.raw_os_error().unwrap_or(0);
            let text = format!(
                "error while attempting to bind on address {}: {}",
                vm.repr_string(local)?,
                bind_text(code)
            );
            return Err(errno_error(vm, code, &text));
        }
    }
    let addr = parse_addr(vm, family, &a[4])?;
    let fut = vm.new_future(&a[0]);
    let Some(f) = head(&fut) else { return Ok(fut) };
    match net::connect(fd, &addr) {
        Ok(()) => finish(vm, &fut, f, sock)?,
        Err(e)
            if e.raw_os_error() == Some(libc::EINPROGRESS) || e.kind() == ErrorKind::WouldBlock =>
        {
            let w = new_wait(vm, &a[0], &sock, fut.clone(), a[4].clone(), true, 0);
            let token = super::io::attach(vm, lp, fd, &w, true)?;
            if let Some(x) = w.get::<NetWait>() {
                x.token.set(token);
                x.open.set(true);
            }
            // Cancelled or not: at its end the registration goes.
            f.add_waiter(&w);
        }
        Err(e) => fail(
            vm,
            &fut,
            f,
            connect_error(vm, e.raw_os_error().unwrap_or(0), &a[4])?,
        )?,
    }
    Ok(fut)
}

fn bind_text(code: i32) -> String {
    format!("[errno {code}] {}", strerror(code).to_lowercase())
}

fn connect_error(vm: &Vm, code: i32, address: &Value) -> Res {
    let shown = vm.repr_string(address)?;
    Ok(errno_error(vm, code, &format!("Connect call failed {shown}")).0)
}

/// The future of a connection attempt is done.
pub fn attempt_over(w: &Value) {
    let Some(x) = w.get::<NetWait>() else { return };
    stop(x);
    let ok = x.then.peek();
    let keep = head(ok)
        .is_some_and(|f| f.state.get() == super::future::State::Finished && f.exc().is_none());
    let sock = x.sock.take();
    if !keep && let Some(s) = sock.get::<Socket>() {
        net::close(s.fd.replace(-1));
    }
}

fn stop(x: &NetWait) {
    if x.open.replace(false)
        && let Some(lp) = x.loop_.peek().get::<Loop>()
    {
        super::io::detach(lp, x.token.get());
    }
}

/// The poller saw something of a listener or an attempt.
pub fn on_event(
    vm: &Vm,
    _lv: &Value,
    lp: &Loop,
    w: &Value,
    readable: bool,
    writable: bool,
) -> Res<()> {
    let Some(x) = w.get::<NetWait>() else {
        return Ok(());
    };
    if !x.connecting {
        if readable {
            lp.push(Ready::Io(w.clone(), super::io::Side::Read));
        }
        return Ok(());
    }
    if !writable {
        return Ok(());
    }
    let fut = x.then.get();
    let Some(f) = head(&fut) else { return Ok(()) };
    if f.done() {
        return Ok(());
    }
    let sock = x.sock.get();
    let fd = sock.get::<Socket>().map_or(-1, |s| s.fd.get());
    let error = match net::take_error(fd) {
        Ok(None) => None,
        Ok(Some(e)) | Err(e) => e.raw_os_error(),
    };
    stop(x);
    match error {
        None => finish(vm, &fut, f, sock),
        Some(code) => {
            let e = connect_error(vm, code, &x.address.get())?;
            fail(vm, &fut, f, e)
        }
    }
}

// ---- listening

/// `net_listen(family, type, proto, address, backlog, reuse_addr, reuse_port, keep_alive)`: a bound socket.
fn net_listen(vm: &Vm, a: &[Value]) -> Res {
    let n = |v: &Value| vm.as_index(v).map(|i| i as i32);
    let (family, kind, proto) = (n(&a[0])?, n(&a[1])?, n(&a[2])?);
    let fd = net::open(family, kind, proto).map_err(|e| os_error(vm, &e))?;
    let sock = wrap(vm, fd, family, kind, proto);
    let option =
        |level: i32, name: i32| net::set_option(fd, level, name, 1).map_err(|e| os_error(vm, &e));
    if vm.truth(&a[5])? {
        option(libc::SOL_SOCKET, libc::SO_REUSEADDR)?;
    }
    if vm.truth(&a[6])? {
        option(libc::SOL_SOCKET, libc::SO_REUSEPORT)?;
    }
    if vm.truth(&a[7])? {
        option(libc::SOL_SOCKET, libc::SO_KEEPALIVE)?;
    }
    if family == libc::AF_INET6 {
        option(libc::IPPROTO_IPV6, libc::IPV6_V6ONLY)?;
    }
    let addr = parse_addr(vm, family, &a[3])?;
    net::bind(fd, &addr).map_err(|e| os_error(vm, &e))?;
    Ok(sock)
}

/// `net_accept(loop, sock, backlog, callback)`: listens, and calls back with each connection.
fn net_accept(vm: &Vm, a: &[Value]) -> Res {
    let lp = the_loop(vm, &a[0])?;
    let s = this::<Socket>(vm, &a[1])?;
    let backlog = vm.as_index(&a[2])?;
    net::set_nonblocking(s.fd.get(), true).map_err(|e| os_error(vm, &e))?;
    net::listen(s.fd.get(), backlog as i32).map_err(|e| os_error(vm, &e))?;
    let w = new_wait(
        vm,
        &a[0],
        &a[1],
        a[3].clone(),
        Value::NONE,
        false,
        backlog.clamp(1, 1 << 16) as u32,
    );
    let token = super::io::attach(vm, lp, s.fd.get(), &w, false)?;
    if let Some(x) = w.get::<NetWait>() {
        x.token.set(token);
        x.open.set(true);
    }
    vm.extension::<Listeners>().0.borrow_mut().push(w);
    Ok(Value::NONE)
}

/// `net_stop(loop, sock)`: no more connections; the socket is closed.
fn net_stop(vm: &Vm, a: &[Value]) -> Res {
    let found = {
        let table = vm.extension::<Listeners>();
        let mut l = table.0.borrow_mut();
        let at = l
            .iter()
            .position(|w| w.get::<NetWait>().is_some_and(|x| x.sock.peek().is(&a[1])));
        at.map(|i| l.remove(i))
    };
    if let Some(x) = found.as_ref().and_then(|w| w.get::<NetWait>()) {
        stop(x);
        x.then.take();
    }
    if let Some(s) = a[1].get::<Socket>() {
        net::close(s.fd.replace(-1));
    }
    Ok(Value::NONE)
}

/// Takes the connections that wait, at most as many as the backlog; then others have their turn.
pub fn accept_ready(vm: &Vm, lv: &Value, w: &Value) -> Res<()> {
    let Some(x) = w.get::<NetWait>() else {
        return Ok(());
    };
    for _ in 0..x.backlog {
        if !x.open.get() {
            return Ok(());
        }
        let sock = x.sock.get();
        let Some(s) = sock.get::<Socket>() else {
            return Ok(());
        };
        match net::accept(s.fd.get()) {
            Ok((fd, addr)) => {
                let client = wrap(vm, fd, s.family, s.kind, s.proto);
                let then = x.then.get();
                if let Err(e) = vm.call(&then, &[client, sock_addr_value(vm, &addr)]) {
                    if super::transport_type::is_plain_stream_error(vm, &e) {
                        return Err(e);
                    }
                    super::errors::report(
                        vm,
                        lv,
                        vec![
                            (
                                "message",
                                vm.str("Error on transport creation for incoming connection"),
                            ),
                            ("exception", e.0),
                        ],
                    )?;
                }
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(e)
                if matches!(
                    e.kind(),
                    ErrorKind::Interrupted | ErrorKind::ConnectionAborted
                ) =>
            {
                continue;
            }
            Err(e) => {
                let exc = os_error(vm, &e).0;
                return super::errors::report(
                    vm,
                    lv,
                    vec![
                        ("message", vm.str("socket.accept() out of system resource")),
                        ("exception", exc),
                    ],
                );
            }
        }
    }
    if let Some(lp) = lv.get::<Loop>() {
        lp.push(Ready::Io(w.clone(), super::io::Side::Read));
    }
    Ok(())
}

pub static FUNCTIONS: &[NativeDef] = &[
    NativeDef {
        sig: "getaddrinfo(loop, host, port, family, type, proto, flags, /)",
        f: getaddrinfo,
        doc: "Resolve a name off the loop's thread.",
    },
    NativeDef {
        sig: "net_connect(loop, family, type, proto, address, local, /)",
        f: net_connect,
        doc: "Connect to an address.",
    },
    NativeDef {
        sig: "net_listen(family, type, proto, address, backlog, reuse_addr, reuse_port, keep_alive, /)",
        f: net_listen,
        doc: "A socket bound to an address.",
    },
    NativeDef {
        sig: "net_accept(loop, sock, backlog, callback, /)",
        f: net_accept,
        doc: "Listen, and call back with each connection.",
    },
    NativeDef {
        sig: "net_stop(loop, sock, /)",
        f: net_stop,
        doc: "Listen no more.",
    },
];
