//! Names to addresses: getaddrinfo(3), off the caller's thread.

#![allow(unsafe_code)]

use std::ffi::{CStr, CString};
use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Query {
    pub host: Option<String>,
    pub port: Option<String>,
    pub family: i32,
    pub kind: i32,
    pub proto: i32,
    pub flags: i32,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub family: i32,
    pub kind: i32,
    pub proto: i32,
    pub canonical: String,
    pub addr: SocketAddr,
}

/// The code of getaddrinfo's error, and its text.
#[derive(Clone, Debug)]
pub struct Failure {
    pub code: i32,
    pub text: String,
}

pub type Outcome = Result<Vec<Answer>, Failure>;

/// The answer to a query that needs no look-up: a numeric address and port.
pub fn numeric(q: &Query) -> Option<Outcome> {
    let port: u16 = match q.port.as_deref() {
        None | Some("") => 0,
        Some(p) => p.parse().ok()?,
    };
    if !matches!(q.kind, libc::SOCK_STREAM | libc::SOCK_DGRAM) || q.flags & libc::AI_CANONNAME != 0
    {
        return None;
    }
    let proto = if q.proto != 0 {
        q.proto
    } else if q.kind == libc::SOCK_STREAM {
        libc::IPPROTO_TCP
    } else {
        libc::IPPROTO_UDP
    };
    let ip: IpAddr = q.host.as_deref()?.parse().ok()?;
    let family = if ip.is_ipv4() {
        libc::AF_INET
    } else {
        libc::AF_INET6
    };
    if q.family != libc::AF_UNSPEC && q.family != family {
        return None;
    }
    Some(Ok(vec![Answer {
        family,
        kind: q.kind,
        proto,
        canonical: String::new(),
        addr: SocketAddr::new(ip, port),
    }]))
}

/// Asks the system, and waits for the answer.
pub fn resolve(q: &Query) -> Outcome {
    let c = |s: &Option<String>| {
        s.as_ref()
            .map(|s| CString::new(s.as_str()).unwrap_or_default())
    };
    let (host, port) = (c(&q.host), c(&q.port));
    // SAFETY: zeroed hints are valid, and the list is read before it is freed.
    unsafe {
        let mut hints: libc::addrinfo = std::mem::zeroed();
        hints.ai_family = q.family;
        hints.ai_socktype = q.kind;
        hints.ai_protocol = q.proto;
        hints.ai_flags = q.flags;
        let mut list: *mut libc::addrinfo = std::ptr::null_mut();
        let p = |s: &Option<CString>| s.as_ref().map_or(std::ptr::null(), |s| s.as_ptr());
        let code = libc::getaddrinfo(p(&host), p(&port), &hints, &mut list);
        if code != 0 {
            let text = CStr::from_ptr(libc::gai_strerror(code))
                .to_string_lossy()
                .into_owned();
            return Err(Failure { code, text });
        }
        let mut out = Vec::new();
        let mut at = list;
        while !at.is_null() {
            let a = &*at;
            let mut canonical = String::new();
            if !a.ai_canonname.is_null() {
                canonical = CStr::from_ptr(a.ai_canonname)
                    .to_string_lossy()
                    .into_owned();
            }
            if let Some(addr) = read_addr(a.ai_addr) {
                out.push(Answer {
                    family: a.ai_family,
                    kind: a.ai_socktype,
                    proto: a.ai_protocol,
                    canonical,
                    addr,
                });
            }
            at = a.ai_next;
        }
        libc::freeaddrinfo(list);
        Ok(out)
    }
}

unsafe fn read_addr(sa: *const libc::sockaddr) -> Option<SocketAddr> {
    // SAFETY: getaddrinfo gives addresses of the length that their family says.
    unsafe {
        match (*sa).sa_family as i32 {
            libc::AF_INET => {
                let a = &*(sa as *const libc::sockaddr_in);
                Some(SocketAddr::from((
                    u32::from_be(a.sin_addr.s_addr).to_be_bytes(),
                    u16::from_be(a.sin_port),
                )))
            }
            libc::AF_INET6 => {
                let a = &*(sa as *const libc::sockaddr_in6);
                let v6 = std::net::SocketAddrV6::new(
                    a.sin6_addr.s6_addr.into(),
                    u16::from_be(a.sin6_port),
                    a.sin6_flowinfo,
                    a.sin6_scope_id,
                );
                Some(SocketAddr::V6(v6))
            }
            _ => None,
        }
    }
}

type Job = (Query, Box<dyn FnOnce(Outcome) + Send>);

/// A few threads that resolve names; started when the first name comes.
#[derive(Default)]
pub struct Resolver {
    jobs: Mutex<Option<Sender<Job>>>,
}

const THREADS: usize = 4;

impl Resolver {
    /// Resolves on another thread, which calls `then`.
    pub fn submit(&self, q: Query, then: Box<dyn FnOnce(Outcome) + Send>) {
        let mut jobs = self.jobs.lock().unwrap_or_else(|e| e.into_inner());
        let sender = jobs.get_or_insert_with(|| {
            let (tx, rx) = channel::<Job>();
            let rx = std::sync::Arc::new(Mutex::new(rx));
            for _ in 0..THREADS {
                let rx = rx.clone();
                let _ = std::thread::Builder::new()
                    .name("dns".into())
                    .spawn(move || {
                        loop {
                            let job = rx.lock().unwrap_or_else(|e| e.into_inner()).recv();
                            match job {
                                Ok((q, then)) => then(resolve(&q)),
                                Err(_) => break,
                            }
                        }
                    });
            }
            tx
        });
        if let Err(e) = sender.send((q, then)) {
            let (q, then) = e.0;
            then(resolve(&q));
        }
    }
}
