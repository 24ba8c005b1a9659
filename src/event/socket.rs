//! Socket objects: descriptors with the questions and options that transports' users ask for, and the simple blocking calls.
//!
//! Rule: a Socket owns its descriptor; a transport holds the Socket and closes through it.

#![allow(unsafe_code)]

use crate::builtins::support::{alloc_as, this};
use crate::host::net;
use crate::object::header::{Kind, Payload};
use crate::object::native::{Args, NativeDef};
use crate::object::types::{GetSetDef, Slots, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::{Raised, Res, Vm};
use socket2::SockAddr;
use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The payload of socket objects.
pub struct Socket {
    /// -1 once closed or detached.
    pub fd: Cell<i32>,
    pub family: i32,
    pub kind: i32,
    pub proto: i32,
    /// As `settimeout` has it; None: blocking.
    timeout: Cell<Option<f64>>,
}

// SAFETY: one type per kind; owns no Value.
unsafe impl Payload for Socket {
    const KIND: Kind = Kind::Socket;
    const TRACED: bool = false;
}

impl Drop for Socket {
    fn drop(&mut self) {
        net::close(self.fd.get());
    }
}

/// Text of an error number.
pub fn strerror(code: i32) -> String {
    let text = std::io::Error::from_raw_os_error(code).to_string();
    match text.rfind(" (os error") {
        Some(i) => text[..i].to_string(),
        None => text,
    }
}

/// An OSError (of the right subclass) for a system error.
pub fn os_error(vm: &Vm, e: &std::io::Error) -> Raised {
    match e.raw_os_error() {
        Some(code) => errno_error(vm, code, &strerror(code)),
        None => vm.error(Exc::OSError, e.to_string()),
    }
}
/// An OSError with a number and a text.
pub fn errno_error(vm: &Vm, code: i32, text: &str) -> Raised {
    let class = vm.exc_type(Exc::OSError).clone();
    match vm.call(&class, &[vm.int(code as i64), vm.str(text)]) {
        Ok(e) => Raised(e),
        Err(e) => e,
    }
}

/// A new socket object for a descriptor.
pub fn wrap(vm: &Vm, fd: i32, family: i32, kind: i32, proto: i32) -> Value {
    vm.alloc(Socket {
        fd: Cell::new(fd),
        family,
        kind,
        proto,
        timeout: Cell::new(None),
    })
}

/// An address as scripts see it: (host, port), or (host, port, flow, scope).
pub fn addr_value(vm: &Vm, a: &SocketAddr) -> Value {
    match a {
        SocketAddr::V4(v) => vm.pair(vm.str(&v.ip().to_string()), vm.int(v.port() as i64)),
        SocketAddr::V6(v) => vm.tuple(vec![
            vm.str(&v.ip().to_string()),
            vm.int(v.port() as i64),
            vm.int(v.flowinfo() as i64),
            vm.int(v.scope_id() as i64),
        ]),
    }
}
pub fn sock_addr_value(vm: &Vm, a: &SockAddr) -> Value {
    match a.as_socket() {
        Some(s) => addr_value(vm, &s),
        None => vm.str(
            &a.as_pathname()
                .map(|p| p.display().to_string())
                .unwrap_or_default(),
        ),
    }
}

/// A script's address: a tuple of a numeric host and a port (more for IPv6).
pub fn parse_addr(vm: &Vm, family: i32, v: &Value) -> Res<SocketAddr> {
    let items = crate::object::native::tuple_items(v);
    let (Some(host), Some(port)) = (items.first(), items.get(1)) else {
        return Err(
            vm.type_error("AF_INET address must be tuple, not ".to_string() + &vm.type_name(v))
        );
    };
    let port = vm.as_index(port)?;
    let Ok(port) = u16::try_from(port) else {
        return Err(vm.overflow_error("bind(): port must be 0-65535."));
    };
    let host = host.as_str().unwrap_or("");
    let ip: IpAddr = match host {
        "" if family == libc::AF_INET6 => std::net::Ipv6Addr::UNSPECIFIED.into(),
        "" => Ipv4Addr::UNSPECIFIED.into(),
        "localhost" if family == libc::AF_INET => Ipv4Addr::LOCALHOST.into(),
        _ => match host.parse() {
            Ok(ip) => ip,
            Err(_) => {
                let q = crate::host::dns::Query {
                    host: Some(host.to_string()),
                    port: None,
                    family,
                    kind: libc::SOCK_STREAM,
                    proto: 0,
                    flags: 0,
                };
                match crate::host::dns::resolve(&q)
                    .ok()
                    .and_then(|l| l.first().map(|a| a.addr.ip()))
                {
                    Some(ip) => ip,
                    None => return Err(vm.error(Exc::OSError, format!("cannot resolve {host:?}"))),
                }
            }
        },
    };
    let mut a = SocketAddr::new(ip, port);
    if let (SocketAddr::V6(v6), Some(flow), Some(scope)) = (&mut a, items.get(2), items.get(3)) {
        v6.set_flowinfo(vm.as_index(flow)? as u32);
        v6.set_scope_id(vm.as_index(scope)? as u32);
    }
    Ok(a)
}

fn sock<'a>(vm: &Vm, v: &'a Value) -> Res<&'a Socket> {
    this::<Socket>(vm, v)
}
fn io<T>(vm: &Vm, r: std::io::Result<T>) -> Res<T> {
    r.map_err(|e| os_error(vm, &e))
}

fn new(vm: &Vm, class: &Value, args: Args) -> Res {
    let a = vm.bind_args("socket(family=-1, type=-1, proto=-1, fileno=None)", args)?;
    let n = |v: &Value, default: i32| -> Res<i32> {
        let i = vm.as_index(v)? as i32;
        Ok(if i < 0 { default } else { i })
    };
    let (family, kind, proto) = (
        n(&a[0], libc::AF_INET)?,
        n(&a[1], libc::SOCK_STREAM)?,
        n(&a[2], 0)?,
    );
    let fd = match a[3].non_none() {
        Some(f) => vm.as_index(f)? as i32,
        None => io(vm, net::open(family, kind, proto))?,
    };
    Ok(alloc_as(
        vm,
        class,
        Socket {
            fd: Cell::new(fd),
            family,
            kind,
            proto,
            timeout: Cell::new(None),
        },
    ))
}
fn repr(vm: &Vm, v: &Value) -> Res {
    let s = sock(vm, v)?;
    let mut out = format!(
        "<socket.socket fd={}, family={}, type={}, proto={}",
        s.fd.get(),
        s.family,
        s.kind,
        s.proto
    );
    if s.fd.get() >= 0 {
        for (label, a) in [
            ("laddr", net::local_addr(s.fd.get())),
            ("raddr", net::peer_addr(s.fd.get())),
        ] {
            if let Ok(a) = a {
                out.push_str(&format!(
                    ", {label}={}",
                    vm.repr_string(&sock_addr_value(vm, &a))?
                ));
            }
        }
    } else {
        out = out.replacen("<socket.socket", "<socket.socket [closed]", 1);
    }
    out.push('>');
    Ok(vm.str(&out))
}

fn fileno(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.int(sock(vm, &a[0])?.fd.get() as i64))
}
fn close(vm: &Vm, a: &[Value]) -> Res {
    net::close(sock(vm, &a[0])?.fd.replace(-1));
    Ok(Value::NONE)
}
fn detach(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.int(sock(vm, &a[0])?.fd.replace(-1) as i64))
}
fn getsockname(vm: &Vm, a: &[Value]) -> Res {
    let r = io(vm, net::local_addr(sock(vm, &a[0])?.fd.get()))?;
    Ok(sock_addr_value(vm, &r))
}
fn getpeername(vm: &Vm, a: &[Value]) -> Res {
    let r = io(vm, net::peer_addr(sock(vm, &a[0])?.fd.get()))?;
    Ok(sock_addr_value(vm, &r))
}
fn getsockopt(vm: &Vm, a: &[Value]) -> Res {
    let (level, name) = (vm.as_index(&a[1])? as i32, vm.as_index(&a[2])? as i32);
    let v = io(vm, net::get_option(sock(vm, &a[0])?.fd.get(), level, name))?;
    Ok(vm.int(v as i64))
}
fn setsockopt(vm: &Vm, a: &[Value]) -> Res {
    let (level, name, v) = (
        vm.as_index(&a[1])? as i32,
        vm.as_index(&a[2])? as i32,
        vm.as_index(&a[3])? as i32,
    );
    io(
        vm,
        net::set_option(sock(vm, &a[0])?.fd.get(), level, name, v),
    )?;
    Ok(Value::NONE)
}
fn setblocking(vm: &Vm, a: &[Value]) -> Res {
    let on = vm.truth(&a[1])?;
    let s = sock(vm, &a[0])?;
    io(vm, net::set_nonblocking(s.fd.get(), !on))?;
    s.timeout.set(if on { None } else { Some(0.0) });
    Ok(Value::NONE)
}
fn settimeout(vm: &Vm, a: &[Value]) -> Res {
    let t = match a[1].non_none() {
        Some(t) => Some(vm.to_f64(t)?),
        None => None,
    };
    let s = sock(vm, &a[0])?;
    io(vm, net::set_nonblocking(s.fd.get(), t == Some(0.0)))?;
    s.timeout.set(t);
    Ok(Value::NONE)
}
fn gettimeout(vm: &Vm, a: &[Value]) -> Res {
    Ok(sock(vm, &a[0])?
        .timeout
        .get()
        .map_or(Value::NONE, |t| vm.float(t)))
}
fn shutdown(vm: &Vm, a: &[Value]) -> Res {
    let how = vm.as_index(&a[1])? as i32;
    io(vm, net::shutdown(sock(vm, &a[0])?.fd.get(), how))?;
    Ok(Value::NONE)
}
fn bind(vm: &Vm, a: &[Value]) -> Res {
    let s = sock(vm, &a[0])?;
    let addr = parse_addr(vm, s.family, &a[1])?;
    io(vm, net::bind(s.fd.get(), &addr))?;
    Ok(Value::NONE)
}
fn listen(vm: &Vm, a: &[Value]) -> Res {
    let n = vm.as_index(&a[1])?;
    io(vm, net::listen(sock(vm, &a[0])?.fd.get(), n as i32))?;
    Ok(Value::NONE)
}
fn accept(vm: &Vm, a: &[Value]) -> Res {
    let s = sock(vm, &a[0])?;
    let (fd, addr) = io(vm, net::accept(s.fd.get()))?;
    Ok(vm.pair(
        wrap(vm, fd, s.family, s.kind, s.proto),
        sock_addr_value(vm, &addr),
    ))
}
fn connect(vm: &Vm, a: &[Value]) -> Res {
    let s = sock(vm, &a[0])?;
    let addr = parse_addr(vm, s.family, &a[1])?;
    io(vm, net::connect(s.fd.get(), &addr))?;
    Ok(Value::NONE)
}
/// The bytes of an argument: bytes or bytearray (a copy; other buffers by `bytes()`).
pub fn data(vm: &Vm, v: &Value, what: &str) -> Res<Vec<u8>> {
    if let Some(b) = v.get::<crate::object::seq::Bytes>() {
        return Ok(b.data.to_vec());
    }
    if let Some(b) = v.get::<crate::object::seq::ByteArray>() {
        return Ok(b.data.borrow().clone());
    }
    if v.kind() == Kind::MemoryView {
        let class = vm.kind_type(Kind::Bytes).clone();
        let b = vm.call(&class, std::slice::from_ref(v))?;
        return Ok(b
            .get::<crate::object::seq::Bytes>()
            .map(|b| b.data.to_vec())
            .unwrap_or_default());
    }
    Err(vm.type_error(format!(
        "{what} argument must be a bytes-like object, not {}",
        vm.repr_string(&vm.str(&vm.type_name(v)))?
    )))
}
fn send(vm: &Vm, a: &[Value]) -> Res {
    let d = data(vm, &a[1], "data")?;
    let n = io(vm, net::send(sock(vm, &a[0])?.fd.get(), &d))?;
    Ok(vm.usize(n))
}
fn sendall(vm: &Vm, a: &[Value]) -> Res {
    let d = data(vm, &a[1], "data")?;
    let s = sock(vm, &a[0])?;
    let mut at = 0;
    while at < d.len() {
        match net::send(s.fd.get(), &d[at..]) {
            Ok(n) => at += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => vm.safe_point()?,
            Err(e) => return Err(os_error(vm, &e)),
        }
    }
    Ok(Value::NONE)
}
fn recv(vm: &Vm, a: &[Value]) -> Res {
    let n = vm.as_index(&a[1])?;
    if n < 0 {
        return Err(vm.value_error("negative buffersize in recv"));
    }
    let mut buf = vec![0; (n as usize).min(1 << 24)];
    loop {
        match net::recv(sock(vm, &a[0])?.fd.get(), &mut buf) {
            Ok(n) => return Ok(vm.bytes(&buf[..n])),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => vm.safe_point()?,
            Err(e) => return Err(os_error(vm, &e)),
        }
    }
}
fn enter(_: &Vm, a: &[Value]) -> Res {
    Ok(a[0].clone())
}
fn get_family(vm: &Vm, v: &Value) -> Res {
    Ok(vm.int(sock(vm, v)?.family as i64))
}
fn get_type(vm: &Vm, v: &Value) -> Res {
    Ok(vm.int(sock(vm, v)?.kind as i64))
}
fn get_proto(vm: &Vm, v: &Value) -> Res {
    Ok(vm.int(sock(vm, v)?.proto as i64))
}

fn slots(s: &mut Slots) {
    s.new = Some(new);
    s.init = Some(|_, _, _| Ok(()));
    s.repr = Some(repr);
}
pub static SOCKET: TypeSpec = TypeSpec {
    name: "_socket.socket",
    kind: Kind::Socket,
    flags: tflag::BASETYPE | tflag::WEAKREF,
    slots,
    methods: &[
        NativeDef {
            sig: "fileno(self, /)",
            f: fileno,
            doc: "The descriptor, -1 once closed.",
        },
        NativeDef {
            sig: "close(self, /)",
            f: close,
            doc: "Close it.",
        },
        NativeDef {
            sig: "detach(self, /)",
            f: detach,
            doc: "Give the descriptor away.",
        },
        NativeDef {
            sig: "getsockname(self, /)",
            f: getsockname,
            doc: "Its own address.",
        },
        NativeDef {
            sig: "getpeername(self, /)",
            f: getpeername,
            doc: "The address of the other end.",
        },
        NativeDef {
            sig: "getsockopt(self, level, optname, /)",
            f: getsockopt,
            doc: "An option's value.",
        },
        NativeDef {
            sig: "setsockopt(self, level, optname, value, /)",
            f: setsockopt,
            doc: "Set an option.",
        },
        NativeDef {
            sig: "setblocking(self, flag, /)",
            f: setblocking,
            doc: "Whether calls wait.",
        },
        NativeDef {
            sig: "settimeout(self, timeout, /)",
            f: settimeout,
            doc: "How long calls wait.",
        },
        NativeDef {
            sig: "gettimeout(self, /)",
            f: gettimeout,
            doc: "How long calls wait.",
        },
        NativeDef {
            sig: "shutdown(self, how, /)",
            f: shutdown,
            doc: "End one or both directions.",
        },
        NativeDef {
            sig: "bind(self, address, /)",
            f: bind,
            doc: "Give it an address.",
        },
        NativeDef {
            sig: "listen(self, backlog=128, /)",
            f: listen,
            doc: "Let others connect.",
        },
        NativeDef {
            sig: "accept(self, /)",
            f: accept,
            doc: "The next connection and its address.",
        },
        NativeDef {
            sig: "connect(self, address, /)",
            f: connect,
            doc: "Connect to an address.",
        },
        NativeDef {
            sig: "send(self, data, /)",
            f: send,
            doc: "Send some of the bytes; gives how many.",
        },
        NativeDef {
            sig: "sendall(self, data, /)",
            f: sendall,
            doc: "Send all of the bytes.",
        },
        NativeDef {
            sig: "recv(self, bufsize, /)",
            f: recv,
            doc: "Up to so many bytes.",
        },
        NativeDef {
            sig: "__enter__(self, /)",
            f: enter,
            doc: "The socket itself.",
        },
        NativeDef {
            sig: "__exit__(self, /, *exc_info)",
            f: close,
            doc: "Close it.",
        },
    ],
    getset: &[
        GetSetDef {
            name: "family",
            get: get_family,
            set: None,
            doc: "the address family",
        },
        GetSetDef {
            name: "type",
            get: get_type,
            set: None,
            doc: "the socket type",
        },
        GetSetDef {
            name: "proto",
            get: get_proto,
            set: None,
            doc: "the protocol",
        },
    ],
    doc: "An endpoint of the network.",
    ..TypeSpec::EMPTY
};

/// Numbers of the module `_socket`.
pub static CONSTANTS: &[(&str, i64)] = &[
    ("AF_UNSPEC", libc::AF_UNSPEC as i64),
    ("AF_INET", libc::AF_INET as i64),
    ("AF_INET6", libc::AF_INET6 as i64),
    ("AF_UNIX", libc::AF_UNIX as i64),
    ("SOCK_STREAM", libc::SOCK_STREAM as i64),
    ("SOCK_DGRAM", libc::SOCK_DGRAM as i64),
    ("SOL_SOCKET", libc::SOL_SOCKET as i64),
    ("SO_REUSEADDR", libc::SO_REUSEADDR as i64),
    ("SO_KEEPALIVE", libc::SO_KEEPALIVE as i64),
    ("SO_SNDBUF", libc::SO_SNDBUF as i64),
    ("SO_RCVBUF", libc::SO_RCVBUF as i64),
    ("SO_ERROR", libc::SO_ERROR as i64),
    ("SO_TYPE", libc::SO_TYPE as i64),
    ("IPPROTO_TCP", libc::IPPROTO_TCP as i64),
    ("IPPROTO_UDP", libc::IPPROTO_UDP as i64),
    ("IPPROTO_IP", libc::IPPROTO_IP as i64),
    ("IPPROTO_IPV6", libc::IPPROTO_IPV6 as i64),
    ("IPV6_V6ONLY", libc::IPV6_V6ONLY as i64),
    ("TCP_NODELAY", libc::TCP_NODELAY as i64),
    ("AI_PASSIVE", libc::AI_PASSIVE as i64),
    ("AI_CANONNAME", libc::AI_CANONNAME as i64),
    ("AI_NUMERICHOST", libc::AI_NUMERICHOST as i64),
    ("AI_NUMERICSERV", libc::AI_NUMERICSERV as i64),
    ("AI_ADDRCONFIG", libc::AI_ADDRCONFIG as i64),
    ("EAI_NONAME", libc::EAI_NONAME as i64),
    ("EAI_AGAIN", libc::EAI_AGAIN as i64),
    ("SHUT_RD", 0),
    ("SHUT_WR", 1),
    ("SHUT_RDWR", 2),
    ("SOMAXCONN", libc::SOMAXCONN as i64),
];
