//! Waiting for descriptors: mio (epoll, kqueue), edge-triggered, and a waker for other threads.

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};
use std::io::Result;
use std::sync::Arc;
use std::time::Duration;

/// The waker's token.
const WAKER: usize = usize::MAX;

/// What happened to a descriptor.
#[derive(Clone, Copy)]
pub struct Readiness {
    pub token: usize,
    pub readable: bool,
    pub writable: bool,
}

/// See the module's head.
pub struct Poller {
    poll: Poll,
    events: Events,
    waker: Arc<Waker>,
}

fn interest(read: bool, write: bool) -> Interest {
    match (read, write) {
        (true, true) => Interest::READABLE | Interest::WRITABLE,
        (false, true) => Interest::WRITABLE,
        _ => Interest::READABLE,
    }
}

impl Poller {
    pub fn new() -> Result<Poller> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), Token(WAKER))?);
        Ok(Poller {
            poll,
            events: Events::with_capacity(1024),
            waker,
        })
    }
    pub fn waker(&self) -> Arc<Waker> {
        self.waker.clone()
    }
    pub fn add(&self, fd: i32, token: usize, read: bool, write: bool) -> Result<()> {
        self.poll
            .registry()
            .register(&mut SourceFd(&fd), Token(token), interest(read, write))
    }
    /// Changes the interest, or arms it anew: what is ready is reported again.
    pub fn change(&self, fd: i32, token: usize, read: bool, write: bool) -> Result<()> {
        self.poll
            .registry()
            .reregister(&mut SourceFd(&fd), Token(token), interest(read, write))
    }
    pub fn remove(&self, fd: i32) {
        let _ = self.poll.registry().deregister(&mut SourceFd(&fd));
    }
    /// Waits; an interrupted wait is an empty one.
    pub fn wait(&mut self, timeout: Option<Duration>, out: &mut Vec<Readiness>) -> Result<()> {
        match self.poll.poll(&mut self.events, timeout) {
            Ok(()) => (),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => return Ok(()),
            Err(e) => return Err(e),
        }
        for e in &self.events {
            if e.token().0 == WAKER {
                continue;
            }
            // A closed or failed connection is found out by reading and writing.
            let bad = e.is_error();
            out.push(Readiness {
                token: e.token().0,
                readable: e.is_readable() || e.is_read_closed() || bad,
                writable: e.is_writable() || e.is_write_closed() || bad,
            });
        }
        Ok(())
    }
}
