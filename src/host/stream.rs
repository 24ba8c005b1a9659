//! Buffered bytes over a file descriptor: what files, stdin, stdout and stderr stand on.
//!
//! One `Stream` holds the descriptor and both buffers; the text, buffered and raw objects that scripts see share it. At most one of the buffers is in use:
//! a write first gives up what was read ahead (seeking back), a read first writes out what waits.
//!
//! Rule: an interrupted call comes back as `ErrorKind::Interrupted` with nothing lost; the caller handles signals and tries again.

#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::io::{Error, ErrorKind, Result, SeekFrom};

/// Bytes that a buffer collects by default.
pub const BUFFER_SIZE: usize = 8192;

#[derive(Default)]
struct ReadBuf {
    data: Vec<u8>,
    /// Bytes of `data` that were taken already.
    pos: usize,
}

/// See the module's head.
pub struct Stream {
    /// -1 once closed.
    fd: Cell<i32>,
    /// Whether closing closes the descriptor too.
    pub owns_fd: Cell<bool>,
    pub readable: bool,
    pub writable: bool,
    pub appending: bool,
    /// 0: unbuffered.
    pub capacity: Cell<usize>,
    read: RefCell<ReadBuf>,
    write: RefCell<Vec<u8>>,
}

fn check(n: isize) -> Result<usize> {
    if n < 0 {
        Err(Error::last_os_error())
    } else {
        Ok(n as usize)
    }
}

impl Stream {
    pub fn new(fd: i32, readable: bool, writable: bool, appending: bool) -> Stream {
        Stream {
            fd: Cell::new(fd),
            owns_fd: Cell::new(true),
            readable,
            writable,
            appending,
            capacity: Cell::new(BUFFER_SIZE),
            read: RefCell::default(),
            write: RefCell::default(),
        }
    }

    pub fn fd(&self) -> i32 {
        self.fd.get()
    }
    pub fn is_closed(&self) -> bool {
        self.fd.get() < 0
    }

    /// One write(2).
    pub fn raw_write(&self, data: &[u8]) -> Result<usize> {
        // SAFETY: the slice is valid for reading.
        check(unsafe { libc::write(self.fd.get(), data.as_ptr() as *const _, data.len()) })
    }

    /// One read(2).
    pub fn raw_read(&self, into: &mut [u8]) -> Result<usize> {
        // SAFETY: the slice is valid for writing.
        check(unsafe { libc::read(self.fd.get(), into.as_mut_ptr() as *mut _, into.len()) })
    }

    fn write_all(&self, data: &mut Vec<u8>) -> Result<()> {
        let mut done = 0;
        while done < data.len() {
            match self.raw_write(&data[done..]) {
                Ok(n) => done += n,
                Err(e) => {
                    data.drain(..done);
                    return Err(e);
                }
            }
        }
        data.clear();
        Ok(())
    }

    /// Takes bytes to be written; writes when more than the buffer's capacity has come together.
    pub fn write(&self, data: &[u8]) -> Result<()> {
        self.give_up_read_ahead()?;
        let mut buf = self.write.borrow_mut();
        if buf.len() + data.len() > self.capacity.get() {
            self.write_all(&mut buf)?;
        }
        buf.extend_from_slice(data);
        if buf.len() > self.capacity.get() {
            self.write_all(&mut buf)
        } else {
            Ok(())
        }
    }

    /// Writes out what waits.
    pub fn flush(&self) -> Result<()> {
        let mut buf = self.write.borrow_mut();
        if buf.is_empty() {
            Ok(())
        } else {
            self.write_all(&mut buf)
        }
    }

    /// Bytes that wait to be written.
    pub fn pending(&self) -> usize {
        self.write.borrow().len()
    }

    /// Forgets what waits to be written (after it proved unwritable).
    pub fn discard(&self) {
        self.write.borrow_mut().clear();
    }

    /// Seeks back over what was read but not taken, so that a write lands at the position that scripts see.
    fn give_up_read_ahead(&self) -> Result<()> {
        let mut buf = self.read.borrow_mut();
        let ahead = buf.data.len() - buf.pos;
        if ahead > 0 {
            let _ = self.raw_seek(SeekFrom::Current(-(ahead as i64)));
        }
        buf.data.clear();
        buf.pos = 0;
        Ok(())
    }

    /// Reads more into the read buffer; the number of new bytes (0 at the end).
    pub fn fill(&self) -> Result<usize> {
        self.flush()?;
        let mut buf = self.read.borrow_mut();
        if buf.pos > 0 {
            let pos = buf.pos;
            buf.data.drain(..pos);
            buf.pos = 0;
        }
        let have = buf.data.len();
        let more = self.capacity.get().max(1);
        buf.data.resize(have + more, 0);
        match self.raw_read(&mut buf.data[have..]) {
            Ok(n) => {
                buf.data.truncate(have + n);
                Ok(n)
            }
            Err(e) => {
                buf.data.truncate(have);
                Err(e)
            }
        }
    }

    /// What was read and not taken.
    pub fn with_buffered<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        let buf = self.read.borrow();
        f(&buf.data[buf.pos..])
    }

    /// Takes up to `n` bytes of what was read.
    pub fn take(&self, n: usize) -> Vec<u8> {
        let mut buf = self.read.borrow_mut();
        let n = n.min(buf.data.len() - buf.pos);
        let out = buf.data[buf.pos..buf.pos + n].to_vec();
        buf.pos += n;
        if buf.pos == buf.data.len() {
            buf.data.clear();
            buf.pos = 0;
        }
        out
    }

    /// Makes `n` bytes available if the stream has them; fewer only at its end.
    pub fn want(&self, n: usize) -> Result<usize> {
        loop {
            let have = self.with_buffered(<[u8]>::len);
            if have >= n {
                return Ok(have);
            }
            if self.fill()? == 0 {
                return Ok(have);
            }
        }
    }

    /// Makes a line (with its newline) available; its length, or what is left at the end.
    pub fn want_line(&self, limit: usize) -> Result<usize> {
        let mut seen = 0;
        loop {
            let found = self.with_buffered(|b| {
                memchr::memchr(b'\n', &b[seen..])
                    .map(|i| seen + i + 1)
                    .ok_or(b.len())
            });
            match found {
                Ok(n) => return Ok(n.min(limit)),
                Err(n) if n >= limit => return Ok(limit),
                Err(n) => seen = n,
            }
            if self.fill()? == 0 {
                return Ok(seen);
            }
        }
    }

    fn raw_seek(&self, to: SeekFrom) -> Result<u64> {
        let (offset, whence) = match to {
            SeekFrom::Start(n) => (
                i64::try_from(n).map_err(|_| Error::from(ErrorKind::InvalidInput))?,
                libc::SEEK_SET,
            ),
            SeekFrom::Current(n) => (n, libc::SEEK_CUR),
            SeekFrom::End(n) => (n, libc::SEEK_END),
        };
        // SAFETY: no memory is passed.
        let r = unsafe { libc::lseek(self.fd.get(), offset as libc::off_t, whence) };
        if r < 0 {
            Err(Error::last_os_error())
        } else {
            Ok(r as u64)
        }
    }

    /// The position that scripts see.
    pub fn tell(&self) -> Result<u64> {
        let at = self.raw_seek(SeekFrom::Current(0))?;
        let ahead = self.with_buffered(<[u8]>::len) as u64;
        Ok((at + self.pending() as u64).saturating_sub(ahead))
    }

    pub fn seek(&self, to: SeekFrom) -> Result<u64> {
        self.flush()?;
        self.give_up_read_ahead()?;
        self.raw_seek(to)
    }

    pub fn is_seekable(&self) -> bool {
        self.raw_seek(SeekFrom::Current(0)).is_ok()
    }

    pub fn is_tty(&self) -> bool {
        // SAFETY: no memory is passed.
        unsafe { libc::isatty(self.fd.get()) == 1 }
    }

    pub fn truncate(&self, size: u64) -> Result<()> {
        self.flush()?;
        // SAFETY: no memory is passed.
        if unsafe { libc::ftruncate(self.fd.get(), size as libc::off_t) } < 0 {
            Err(Error::last_os_error())
        } else {
            Ok(())
        }
    }

    /// Size of the file, or None if it has none.
    pub fn size(&self) -> Option<u64> {
        let mut st = std::mem::MaybeUninit::<libc::stat>::uninit();
        // SAFETY: `st` is a place for the answer, which is read only on success.
        unsafe {
            if libc::fstat(self.fd.get(), st.as_mut_ptr()) == 0 {
                u64::try_from(st.assume_init().st_size).ok()
            } else {
                None
            }
        }
    }

    /// Closes without flushing; gives the descriptor's error, if any.
    pub fn close(&self) -> Result<()> {
        let fd = self.fd.replace(-1);
        self.discard();
        if fd >= 0 && self.owns_fd.get() {
            // SAFETY: the descriptor is ours and closed once.
            check(unsafe { libc::close(fd) } as isize)?;
        }
        Ok(())
    }

    /// Gives the descriptor away.
    pub fn detach(&self) -> i32 {
        self.fd.replace(-1)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // What a script never flushed is still written when its file goes.
        let _ = self.flush();
        let _ = self.close();
    }
}
