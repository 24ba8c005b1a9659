//! Descriptors of a loop: the poller, who waits for which descriptor, and answers from other threads.
//!
//! Transports and listeners are registered once, edge-triggered, for both directions; they remember what they may do. `add_reader` and `add_writer` of scripts
//! promise to call again as long as the descriptor is ready, so those are armed anew after each event.

#![allow(unsafe_code)]

use super::lp::Loop;
use super::ready::Ready;
use super::transport;
use crate::builtins::support::this;
use crate::host::dns::{Outcome, Query, Resolver};
use crate::host::poller::{Poller, Readiness};
use crate::object::header::Kind;
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    Read,
    Write,
}

/// Who waits for a descriptor.
struct Source {
    fd: i32,
    /// A transport, listener or connection attempt; unbound if scripts' handles wait.
    target: Value,
    reader: Option<Value>,
    writer: Option<Value>,
}

type Answers = Arc<Mutex<Vec<(u64, Outcome)>>>;

/// See the module's head.
pub struct Io {
    poller: Poller,
    sources: Vec<Option<Source>>,
    free: Vec<usize>,
    used: usize,
    ready: Vec<Readiness>,
    resolver: Resolver,
    answers: Answers,
    /// Futures of queries under way.
    queries: HashMap<u64, Value>,
    next_query: u64,
}

impl Io {
    fn new() -> std::io::Result<Io> {
        Ok(Io {
            poller: Poller::new()?,
            sources: Vec::new(),
            free: Vec::new(),
            used: 0,
            ready: Vec::new(),
            resolver: Resolver::default(),
            answers: Answers::default(),
            queries: HashMap::new(),
            next_query: 1,
        })
    }
    pub fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        for s in self.sources.iter().flatten() {
            visit(&s.target);
            s.reader.iter().for_each(&mut *visit);
            s.writer.iter().for_each(&mut *visit);
        }
        self.queries.values().for_each(visit);
    }
    fn insert(&mut self, s: Source) -> usize {
        self.used += 1;
        match self.free.pop() {
            Some(i) => {
                self.sources[i] = Some(s);
                i
            }
            None => {
                self.sources.push(Some(s));
                self.sources.len() - 1
            }
        }
    }
    fn take(&mut self, token: usize) -> Option<Source> {
        let s = self.sources.get_mut(token)?.take()?;
        self.free.push(token);
        self.used -= 1;
        Some(s)
    }
    fn find(&self, fd: i32) -> Option<usize> {
        self.sources.iter().position(|s| {
            s.as_ref()
                .is_some_and(|s| s.fd == fd && s.target.is_unbound())
        })
    }
}

/// Uses the loop's descriptors, made on first use.
pub fn with_io<R>(vm: &Vm, lp: &Loop, f: impl FnOnce(&mut Io) -> std::io::Result<R>) -> Res<R> {
    let mut io = lp.io.borrow_mut();
    let r = (|| {
        if io.is_none() {
            *io = Some(Box::new(Io::new()?));
        }
        match io.as_mut() {
            Some(io) => f(io),
            None => Err(std::io::ErrorKind::Other.into()),
        }
    })();
    drop(io);
    r.map_err(|e| super::socket::os_error(vm, &e))
}

/// True if something from outside could still wake the loop.
pub fn can_wake(lp: &Loop) -> bool {
    lp.io
        .borrow()
        .as_ref()
        .is_some_and(|io| io.used > 0 || !io.queries.is_empty())
}

/// Wakes the loop from its wait, if it has one.
pub fn wake_up(lp: &Loop) {
    if let Ok(io) = lp.io.try_borrow()
        && let Some(io) = io.as_ref()
        && !lp.running.get()
    {
        let _ = io.poller.waker().wake();
    }
}

/// Waits for descriptors, answers and the clock; what came goes to the ready queue.
pub fn poll(vm: &Vm, lv: &Value, lp: &Loop, timeout: Option<Duration>) -> Res<()> {
    let zero = timeout == Some(Duration::ZERO);
    if zero
        && lp
            .io
            .borrow()
            .as_ref()
            .is_none_or(|io| io.used == 0 && io.queries.is_empty())
    {
        return Ok(());
    }
    with_io(vm, lp, |io| {
        let Io { poller, ready, .. } = io;
        poller.wait(timeout, ready)
    })?;
    let (events, answers) = {
        let mut io = lp.io.borrow_mut();
        let Some(io) = io.as_mut() else { return Ok(()) };
        let answers = if io.queries.is_empty() {
            Vec::new()
        } else {
            std::mem::take(&mut *io.answers.lock().unwrap_or_else(|e| e.into_inner()))
        };
        (std::mem::take(&mut io.ready), answers)
    };
    for e in &events {
        deliver(vm, lv, lp, e)?;
    }
    if let Some(io) = lp.io.borrow_mut().as_mut() {
        io.ready = events;
        io.ready.clear();
    }
    for (id, outcome) in answers {
        let fut = lp
            .io
            .borrow_mut()
            .as_mut()
            .and_then(|io| io.queries.remove(&id));
        if let Some(f) = fut {
            super::net::answered(vm, &f, outcome)?;
        }
    }
    Ok(())
}

/// One event: to its transport, or its handles to the ready queue.
fn deliver(vm: &Vm, lv: &Value, lp: &Loop, e: &Readiness) -> Res<()> {
    let (target, handles) = {
        let io = lp.io.borrow();
        let Some(s) = io.as_ref().and_then(|io| io.sources.get(e.token)?.as_ref()) else {
            return Ok(());
        };
        if s.target.is_unbound() {
            let mut hs = Vec::new();
            if e.readable {
                hs.extend(s.reader.clone());
            }
            if e.writable {
                hs.extend(s.writer.clone());
            }
            if let Some(io) = io.as_ref() {
                let _ = io
                    .poller
                    .change(s.fd, e.token, s.reader.is_some(), s.writer.is_some());
            }
            (Value::UNBOUND, hs)
        } else {
            (s.target.clone(), Vec::new())
        }
    };
    for h in handles {
        lp.push(Ready::Handle(h));
    }
    if !target.is_unbound() {
        transport::on_event(vm, lv, lp, &target, e.readable, e.writable)?;
    }
    Ok(())
}

/// A queued direction of a transport or listener comes up.
pub fn dispatch(vm: &Vm, lv: &Value, target: &Value, side: Side) -> Res<()> {
    match (target.kind(), side) {
        (Kind::Server, _) => super::net::accept_ready(vm, lv, target),
        (_, Side::Read) => transport::read_ready(vm, target),
        (_, Side::Write) => transport::write_ready(vm, target),
    }
}

/// Registers a transport, listener or connection attempt for both directions; gives its token.
pub fn attach(vm: &Vm, lp: &Loop, fd: i32, target: &Value, write: bool) -> Res<usize> {
    with_io(vm, lp, |io| {
        let token = io.insert(Source {
            fd,
            target: target.clone(),
            reader: None,
            writer: None,
        });
        if let Err(e) = io.poller.add(fd, token, true, write) {
            io.take(token);
            return Err(e);
        }
        Ok(token)
    })
}

/// Takes a registration back; the descriptor is still open.
pub fn detach(lp: &Loop, token: usize) {
    let gone = {
        let mut io = lp.io.borrow_mut();
        let Some(io) = io.as_mut() else { return };
        let s = io.take(token);
        if let Some(s) = &s {
            io.poller.remove(s.fd);
        }
        s
    };
    drop(gone);
}

/// Has a name resolved off this thread; the future is told.
pub fn resolve(vm: &Vm, lp: &Loop, q: Query, fut: &Value) -> Res<()> {
    with_io(vm, lp, |io| {
        let id = io.next_query;
        io.next_query += 1;
        io.queries.insert(id, fut.clone());
        let (answers, waker) = (io.answers.clone(), io.poller.waker());
        io.resolver.submit(
            q,
            Box::new(move |outcome| {
                answers
                    .lock()
                    .unwrap_or_else(|e| e.into_inner())
                    .push((id, outcome));
                let _ = waker.wake();
            }),
        );
        Ok(())
    })
}

/// Everything goes (the loop is closed).
pub fn close(vm: &Vm, lp: &Loop) {
    let io = lp.io.take();
    if let Some(io) = &io {
        for s in io.sources.iter().flatten() {
            io.poller.remove(s.fd);
        }
    }
    let _ = vm;
    drop(io);
}

// ---- add_reader, add_writer

/// The number of a descriptor argument: an int, or what `fileno()` gives.
pub fn fileno(vm: &Vm, v: &Value) -> Res<i32> {
    let n = match v.as_small() {
        Some(i) => i,
        None => {
            let Some(f) = vm.getattr_opt(v, &vm.intern("fileno"))? else {
                return Err(vm.value_error(format!("Invalid file object: {}", vm.repr_string(v)?)));
            };
            let r = vm.call(&f, &[])?;
            vm.as_index(&r)?
        }
    };
    if n < 0 {
        return Err(vm.value_error(format!("Invalid file descriptor: {n}")));
    }
    Ok(n as i32)
}

pub fn watch(vm: &Vm, lv: &Value, fd: &Value, side: Side, callback: &Value, args: &Value) -> Res {
    let lp = this::<Loop>(vm, lv)?;
    super::run::check_open(vm, lp)?;
    let fd = fileno(vm, fd)?;
    let h = super::handle::make(
        vm,
        lv,
        callback.clone(),
        args.clone(),
        &Value::NONE,
        f64::NAN,
    );
    let old = with_io(vm, lp, |io| {
        let (token, known) = match io.find(fd) {
            Some(t) => (t, true),
            None => (
                io.insert(Source {
                    fd,
                    target: Value::UNBOUND,
                    reader: None,
                    writer: None,
                }),
                false,
            ),
        };
        let Some(s) = io.sources[token].as_mut() else {
            return Ok(None);
        };
        let place = if side == Side::Read {
            &mut s.reader
        } else {
            &mut s.writer
        };
        let old = place.replace(h.clone());
        let (r, w) = (s.reader.is_some(), s.writer.is_some());
        let result = if known {
            io.poller.change(fd, token, r, w)
        } else {
            io.poller.add(fd, token, r, w)
        };
        if let Err(e) = result {
            if !known {
                io.take(token);
            }
            return Err(e);
        }
        Ok(old)
    })?;
    if let Some(old) = old {
        super::handle::cancel_handle(vm, &old);
    }
    Ok(Value::NONE)
}

pub fn unwatch(vm: &Vm, lv: &Value, fd: &Value, side: Side) -> Res<bool> {
    let lp = this::<Loop>(vm, lv)?;
    if lp.closed.get() || lp.io.borrow().is_none() {
        return Ok(false);
    }
    let fd = fileno(vm, fd)?;
    let old = with_io(vm, lp, |io| {
        let Some(token) = io.find(fd) else {
            return Ok(None);
        };
        let Some(s) = io.sources[token].as_mut() else {
            return Ok(None);
        };
        let old = if side == Side::Read {
            s.reader.take()
        } else {
            s.writer.take()
        };
        let (r, w) = (s.reader.is_some(), s.writer.is_some());
        if !r && !w {
            io.poller.remove(fd);
            io.take(token);
        } else {
            io.poller.change(fd, token, r, w)?;
        }
        Ok(old)
    })?;
    match old {
        Some(h) => {
            super::handle::cancel_handle(vm, &h);
            Ok(true)
        }
        None => Ok(false),
    }
}
