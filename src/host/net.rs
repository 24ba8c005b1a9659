//! Sockets: the system calls that transports and socket objects make.
//!
//! Rule: descriptors are plain numbers here; whoever opens one closes it once.

#![allow(unsafe_code)]

use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};
use std::io::{Error, Result};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{BorrowedFd, FromRawFd, IntoRawFd};

/// Runs `f` on the socket behind a descriptor, which stays open.
pub fn with<R>(fd: i32, f: impl FnOnce(&SockRef) -> Result<R>) -> Result<R> {
    if fd < 0 {
        return Err(Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: the caller's descriptor is open during the call.
    let b = unsafe { BorrowedFd::borrow_raw(fd) };
    f(&SockRef::from(&b))
}

/// A new socket, closed on exec.
pub fn open(family: i32, kind: i32, proto: i32) -> Result<i32> {
    let s = Socket::new(
        Domain::from(family),
        Type::from(kind),
        if proto == 0 {
            None
        } else {
            Some(Protocol::from(proto))
        },
    )?;
    Ok(s.into_raw_fd())
}

pub fn close(fd: i32) {
    if fd >= 0 {
        // SAFETY: the caller gives its descriptor up.
        drop(unsafe { Socket::from_raw_fd(fd) });
    }
}

pub fn set_nonblocking(fd: i32, on: bool) -> Result<()> {
    with(fd, |s| s.set_nonblocking(on))
}
pub fn set_nodelay(fd: i32) {
    let _ = with(fd, |s| s.set_tcp_nodelay(true));
}

/// One recv(2) into a slice.
pub fn recv(fd: i32, into: &mut [u8]) -> Result<usize> {
    // SAFETY: the slice is valid for writing.
    let n = unsafe { libc::recv(fd, into.as_mut_ptr() as *mut _, into.len(), 0) };
    if n < 0 {
        Err(Error::last_os_error())
    } else {
        Ok(n as usize)
    }
}

/// One recv(2) into the room behind a vector's content (at least `room` bytes). Gives the number of bytes and whether the room was filled.
pub fn recv_append(fd: i32, buf: &mut Vec<u8>, room: usize) -> Result<(usize, bool)> {
    buf.reserve(room);
    let spare = buf.capacity() - buf.len();
    // SAFETY: the spare room is valid for writing; the length grows by what was written.
    unsafe {
        let n = libc::recv(fd, buf.as_mut_ptr().add(buf.len()) as *mut _, spare, 0);
        if n < 0 {
            return Err(Error::last_os_error());
        }
        buf.set_len(buf.len() + n as usize);
        Ok((n as usize, n as usize == spare))
    }
}

/// One send(2), which never raises SIGPIPE.
pub fn send(fd: i32, data: &[u8]) -> Result<usize> {
    #[cfg(target_os = "linux")]
    let flags = libc::MSG_NOSIGNAL;
    #[cfg(not(target_os = "linux"))]
    let flags = 0;
    // SAFETY: the slice is valid for reading.
    let n = unsafe { libc::send(fd, data.as_ptr() as *const _, data.len(), flags) };
    if n < 0 {
        Err(Error::last_os_error())
    } else {
        Ok(n as usize)
    }
}

pub fn accept(fd: i32) -> Result<(i32, SockAddr)> {
    with(fd, |s| s.accept()).map(|(s, a)| (s.into_raw_fd(), a))
}
pub fn local_addr(fd: i32) -> Result<SockAddr> {
    with(fd, |s| s.local_addr())
}
pub fn peer_addr(fd: i32) -> Result<SockAddr> {
    with(fd, |s| s.peer_addr())
}
pub fn bind(fd: i32, addr: &SocketAddr) -> Result<()> {
    with(fd, |s| s.bind(&SockAddr::from(*addr)))
}
pub fn connect(fd: i32, addr: &SocketAddr) -> Result<()> {
    with(fd, |s| s.connect(&SockAddr::from(*addr)))
}
pub fn listen(fd: i32, backlog: i32) -> Result<()> {
    with(fd, |s| s.listen(backlog))
}
/// The error that a connection attempt has come to, if any.
pub fn take_error(fd: i32) -> Result<Option<Error>> {
    with(fd, |s| s.take_error())
}
pub fn shutdown_write(fd: i32) -> Result<()> {
    with(fd, |s| s.shutdown(Shutdown::Write))
}
pub fn shutdown(fd: i32, how: i32) -> Result<()> {
    let how = match how {
        0 => Shutdown::Read,
        1 => Shutdown::Write,
        _ => Shutdown::Both,
    };
    with(fd, |s| s.shutdown(how))
}

/// An option that is an int.
pub fn get_option(fd: i32, level: i32, name: i32) -> Result<i32> {
    let mut v: libc::c_int = 0;
    let mut len = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the places are valid and of the length given.
    let r = unsafe { libc::getsockopt(fd, level, name, &raw mut v as *mut _, &mut len) };
    if r < 0 {
        Err(Error::last_os_error())
    } else {
        Ok(v)
    }
}
pub fn set_option(fd: i32, level: i32, name: i32, value: i32) -> Result<()> {
    let v: libc::c_int = value;
    // SAFETY: the place is valid and of the length given.
    let r = unsafe {
        libc::setsockopt(
            fd,
            level,
            name,
            &raw const v as *const _,
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if r < 0 {
        Err(Error::last_os_error())
    } else {
        Ok(())
    }
}
