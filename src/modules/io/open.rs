//! `open`, and the opening of descriptors.

#![allow(unsafe_code)]

use crate::builtins::support::{c_int, ssize};
use crate::host::stream::Stream;
use crate::modules::io::file::{File, Layer, spec};
use crate::modules::io::text::{self, Newline};
use crate::object::header::Kind;
use crate::object::native::{Args, NativeDef};
use crate::object::seq::Bytes;
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::{Res, Vm};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;

pub const DEFAULT_BUFFER: usize = 128 * 1024;

/// What a mode string asks for.
#[derive(Clone, Copy, Default)]
struct Mode {
    create: bool,
    read: bool,
    write: bool,
    append: bool,
    update: bool,
    text: bool,
    binary: bool,
}

fn parse_mode(vm: &Vm, s: &str) -> Res<Mode> {
    let mut m = Mode::default();
    for (i, c) in s.char_indices() {
        let flag = match c {
            'x' => &mut m.create,
            'r' => &mut m.read,
            'w' => &mut m.write,
            'a' => &mut m.append,
            '+' => &mut m.update,
            't' => &mut m.text,
            'b' => &mut m.binary,
            _ => return Err(vm.value_error(format!("invalid mode: '{s}'"))),
        };
        if *flag || s[..i].contains(c) {
            return Err(vm.value_error(format!("invalid mode: '{s}'")));
        }
        *flag = true;
    }
    if m.text && m.binary {
        return Err(vm.value_error("can't have text and binary mode at once"));
    }
    match [m.create, m.read, m.write, m.append]
        .iter()
        .filter(|&&b| b)
        .count()
    {
        1 => Ok(m),
        0 => Err(vm.value_error(
            "Must have exactly one of create/read/write/append mode and at most one plus",
        )),
        _ => Err(vm.value_error("must have exactly one of create/read/write/append mode")),
    }
}

/// The mode as the raw file shows it.
fn raw_mode(m: Mode) -> &'static str {
    match (m.create, m.append, m.read || m.update, m.write || m.update) {
        (true, _, true, _) => "xb+",
        (true, ..) => "xb",
        (_, true, true, _) => "ab+",
        (_, true, ..) => "ab",
        (_, _, true, true) => "rb+",
        (_, _, true, false) => "rb",
        _ => "wb",
    }
}

/// A path given as str, bytes or an object with `__fspath__`, as the system wants it.
pub fn path_arg(vm: &Vm, v: &Value) -> Res<CString> {
    let v = fspath(vm, v)?;
    let bytes = match v.get::<Bytes>() {
        Some(b) => b.data.to_vec(),
        None => v.as_str().unwrap_or("").as_bytes().to_vec(),
    };
    CString::new(bytes).map_err(|_| vm.value_error("embedded null byte"))
}

/// `os.fspath`.
pub fn fspath(vm: &Vm, v: &Value) -> Res {
    if v.as_str().is_some() || v.kind() == Kind::Bytes {
        return Ok(v.clone());
    }
    let Some(p) = vm.call_special(v, &vm.names.__fspath__, &[])? else {
        return Err(vm.type_error(format!(
            "expected str, bytes or os.PathLike object, not {}",
            vm.type_name(v)
        )));
    };
    if p.as_str().is_some() || p.kind() == Kind::Bytes {
        return Ok(p);
    }
    Err(vm.type_error(format!(
        "expected {}.__fspath__() to return str or bytes, not {}",
        vm.type_name(v),
        vm.type_name(&p)
    )))
}

/// Opens a path or takes over a descriptor.
fn open_stream(
    vm: &Vm,
    file: &Value,
    m: Mode,
    closefd: bool,
    opener: Option<&Value>,
) -> Res<Stream> {
    let (readable, writable) = (
        m.read || m.update,
        m.create || m.write || m.append || m.update,
    );
    let is_fd = file.is_small() || file.as_bool().is_some() || file.kind() == Kind::Int;
    if is_fd {
        let fd = c_int(vm, file)?;
        if fd < 0 {
            return Err(vm.value_error("negative file descriptor"));
        }
        // SAFETY: no memory is passed.
        if unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
            return Err(vm.os_error(&std::io::Error::last_os_error(), Some(file)));
        }
        let s = Stream::new(fd, readable, writable, m.append);
        s.owns_fd.set(closefd);
        return Ok(s);
    }
    let path = path_arg(vm, file)?;
    if !closefd {
        return Err(vm.value_error("Cannot use closefd=False with file name"));
    }
    let mut flags = libc::O_CLOEXEC
        | match (readable, writable) {
            (true, true) => libc::O_RDWR,
            (true, false) => libc::O_RDONLY,
            _ => libc::O_WRONLY,
        };
    if m.create {
        flags |= libc::O_CREAT | libc::O_EXCL;
    }
    if m.write {
        flags |= libc::O_CREAT | libc::O_TRUNC;
    }
    if m.append {
        flags |= libc::O_CREAT | libc::O_APPEND;
    }
    let fd = match opener {
        Some(f) => {
            let r = vm.call(f, &[file.clone(), vm.int(flags as i64)])?;
            let fd = if r.is_small() || r.kind() == Kind::Int {
                c_int(vm, &r)?
            } else {
                return Err(vm.type_error("expected integer from opener"));
            };
            if fd < 0 {
                return Err(vm.value_error(format!("opener returned {fd}")));
            }
            fd
        }
        None => loop {
            // SAFETY: the path is a C string.
            let fd = unsafe { libc::open(path.as_ptr(), flags, 0o666) };
            if fd >= 0 {
                break fd;
            }
            let e = std::io::Error::last_os_error();
            if e.kind() != std::io::ErrorKind::Interrupted {
                return Err(vm.os_error(&e, Some(file)));
            }
            vm.check_signals()?;
        },
    };
    let s = Stream::new(fd, readable, writable, m.append);
    let mut st = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: `st` is a place for the answer, read only on success.
    let is_dir = unsafe {
        libc::fstat(fd, st.as_mut_ptr()) == 0
            && st.assume_init().st_mode & libc::S_IFMT == libc::S_IFDIR
    };
    if is_dir {
        return Err(vm.os_error_code(libc::EISDIR, Some(file)));
    }
    if m.append {
        // The position scripts see is the end.
        let _ = s.seek(std::io::SeekFrom::End(0));
    }
    Ok(s)
}

fn open(vm: &Vm, a: &[Value]) -> Res {
    let [
        file,
        mode,
        buffering,
        encoding,
        errors,
        newline,
        closefd,
        opener,
    ] = a
    else {
        return Err(vm.type_error("open() needs a file"));
    };
    let Some(mode_text) = mode.as_str() else {
        return Err(vm.type_error(format!(
            "open() argument 'mode' must be str, not {}",
            vm.type_name(mode)
        )));
    };
    if !(file.is_small() || file.as_bool().is_some() || file.kind() == Kind::Int) {
        fspath(vm, file)?;
    }
    let m = parse_mode(vm, mode_text)?;
    if m.binary {
        for (v, name) in [
            (encoding, "encoding"),
            (errors, "errors"),
            (newline, "newline"),
        ] {
            if v.non_none().is_some() {
                let an = if name == "newline" { "a" } else { "an" };
                return Err(
                    vm.value_error(format!("binary mode doesn't take {an} {name} argument"))
                );
            }
        }
    }
    let newline = Newline::parse(vm, newline)?;
    let encoding = text::encoding_arg(vm, encoding)?;
    let errors = text::errors_arg(vm, errors)?;
    let size = ssize(vm, buffering)?;
    if size == 0 && !m.binary {
        return Err(vm.value_error("can't have unbuffered text I/O"));
    }
    if size < -1 {
        return Err(vm.value_error("invalid buffering size"));
    }
    let stream = Rc::new(open_stream(
        vm,
        file,
        m,
        vm.truth(closefd)?,
        opener.non_none(),
    )?);
    let tty = size < 0 && stream.is_tty();
    stream.capacity.set(match size {
        0 => 0,
        n if n > 1 => n as usize,
        _ => DEFAULT_BUFFER,
    });
    let raw = raw_mode(m);
    if m.binary {
        let layer = match (size, stream.readable, stream.writable) {
            (0, ..) => Layer::Raw,
            (_, true, true) => Layer::Random,
            (_, true, false) => Layer::Reader,
            _ => Layer::Writer,
        };
        if size == 1 {
            warn_line_buffering(vm)?;
        }
        return Ok(vm.alloc_of(spec(layer), File::over(layer, stream, file.clone(), raw)));
    }
    Ok(text::over(
        vm,
        stream,
        file.clone(),
        raw,
        mode,
        encoding,
        errors,
        newline,
        size == 1 || tty,
    ))
}

fn warn_line_buffering(vm: &Vm) -> Res<()> {
    let text = vm.str("line buffering (buffering=1) isn't supported in binary mode, the default buffer size will be used");
    vm.import_call(
        "warnings",
        "warn",
        &[text, vm.exc_type(Exc::RuntimeWarning).clone(), vm.int(1)],
    )
    .map(drop)
}

/// `FileIO(file, mode='r', closefd=True, opener=None)`.
pub fn new_file_io(vm: &Vm, class: &Value, args: Args) -> Res {
    let a = vm.bind_args("FileIO(file, mode='r', closefd=True, opener=None)", args)?;
    let Some(text) = a[1].as_str() else {
        return Err(vm.type_error(format!(
            "FileIO() argument 'mode' must be str, not {}",
            vm.type_name(&a[1])
        )));
    };
    let m = parse_mode(vm, &text.replace('b', ""))?;
    let s = open_stream(vm, &a[0], m, vm.truth(&a[2])?, a[3].non_none())?;
    s.capacity.set(0);
    Ok(vm.alloc_as(
        class,
        File::over(Layer::Raw, Rc::new(s), a[0].clone(), raw_mode(m)),
    ))
}

fn open_code(vm: &Vm, a: &[Value]) -> Res {
    let open = vm.builtin("open")?;
    vm.call(&open, &[a[0].clone(), vm.str("rb")])
}

fn text_encoding(vm: &Vm, a: &[Value]) -> Res {
    Ok(if a[0].is_none() {
        vm.str("locale")
    } else {
        a[0].clone()
    })
}

/// The bytes of a path as a str, if they are text.
pub fn path_value(vm: &Vm, bytes: &[u8]) -> Value {
    vm.str(&std::ffi::OsStr::from_bytes(bytes).to_string_lossy())
}

pub static FUNCTIONS: &[NativeDef] = &[
    OPEN_ROW,
    NativeDef {
        sig: "open_code(path)",
        f: open_code,
        doc: "Opens the provided file with the intent to import the contents.",
    },
    NativeDef {
        sig: "text_encoding(encoding, stacklevel=2, /)",
        f: text_encoding,
        doc: "A helper function to choose the text encoding.",
    },
];

/// `open`, for the tables of `_io` and of `builtins`.
pub const OPEN_ROW: NativeDef = NativeDef {
    sig: "open(file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None)",
    f: open,
    doc: "Open file and return a stream.  Raise OSError upon failure.\n\nfile is either a text or byte string giving the name (and the path\nif the file isn't in the current working directory) of the file to\nbe opened or an integer file descriptor of the file to be\nwrapped.",
};

pub static BUILTIN: &[NativeDef] = &[OPEN_ROW];
