//! `print` and `input`, and the three standard streams.
//!
//! When `sys.stdout` is the stream the program started with, `print` puts its text straight into that stream's buffer; otherwise it calls `write`
//! and `flush` of whatever object stands there.
//!
//! Rules:
//! 1. stdout is written at each newline on a terminal, else when its buffer is full, when asked, and at exit (`flush_std`).
//! 2. stderr keeps nothing back longer than a line.

use crate::builtins::support::{count_args, optional};
use crate::host::stream::Stream;
use crate::object::dict::Dict;
use crate::object::func::Module;
use crate::object::native::{NativeDef, tuple_items};
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::{Res, Vm};
use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::rc::Rc;

/// The standard streams of one VM (`vm.extension::<Std>()`).
pub struct Std {
    pub stdin: Rc<Stream>,
    pub stdout: Rc<Stream>,
    pub stderr: Rc<Stream>,
    /// stdout is a terminal.
    pub line_buffered: Cell<bool>,
    /// The file object around `stdout` that `sys.stdout` holds at first; unbound until `sys` is made.
    pub stdout_object: RefCell<Value>,
}

impl Default for Std {
    fn default() -> Std {
        let stream = |fd, read| {
            let s = Stream::new(fd, read, !read, false);
            s.owns_fd.set(false);
            Rc::new(s)
        };
        let stdout = stream(1, false);
        let line_buffered = Cell::new(stdout.is_tty());
        Std {
            stdin: stream(0, true),
            stdout,
            stderr: stream(2, false),
            line_buffered,
            stdout_object: RefCell::new(Value::UNBOUND),
        }
    }
}

/// Runs an operation on a stream, again after a signal; its error becomes an OSError.
pub fn retry<T>(vm: &Vm, mut f: impl FnMut() -> std::io::Result<T>) -> Res<T> {
    loop {
        match f() {
            Ok(v) => return Ok(v),
            Err(e) if e.kind() == ErrorKind::Interrupted => vm.check_signals()?,
            Err(e) => return Err(vm.os_error(&e, None)),
        }
    }
}

impl Vm {
    /// A name in the module `sys`, if that module is there.
    pub fn sys_attr(&self, name: &Value) -> Option<Value> {
        let sys = self.dict_get_str(self.modules.get::<Dict>()?, &self.names.sys)?;
        self.dict_get_str(sys.get::<Module>()?.dict.get::<Dict>()?, name)
    }

    /// A name of the module `builtins`.
    pub fn builtin(&self, name: &str) -> Res {
        let name = self.intern(name);
        let found = self
            .builtins
            .get::<Dict>()
            .and_then(|d| self.dict_get_str(d, &name));
        found.ok_or_else(|| {
            self.error(
                Exc::NameError,
                format!("name '{}' is not defined", name.as_str().unwrap_or("?")),
            )
        })
    }

    /// Writes out what stdout and stderr hold back. Called before the program ends.
    pub fn flush_std(&self) -> Res<()> {
        let std = self.extension::<Std>();
        // A replaced sys.stdout may buffer too.
        let out = self.sys_attr(&self.names.stdout);
        if let Some(out) = out.as_ref().and_then(Value::non_none)
            && !out.is(&std.stdout_object.borrow())
            && let Some(flush) = self.getattr_opt(out, &self.names.flush)?
        {
            self.call(&flush, &[])?;
        }
        let _ = std.stderr.flush();
        if std.stdout.is_closed() {
            return Ok(());
        }
        let r = retry(self, || std.stdout.flush());
        if r.is_err() {
            std.stdout.discard();
        }
        r
    }

    /// Handles signals that have arrived: KeyboardInterrupt, or what their handlers raise.
    pub fn check_signals(&self) -> Res<()> {
        (self.hooks.signal.get())(self)
    }

    /// Writes to the program's own stdout.
    pub fn write_stdout(&self, text: &str) -> Res<()> {
        write_std(self, &self.extension::<Std>(), text)
    }
}

/// The C library's text for an errno.
pub fn errno_text(code: i32) -> String {
    let text = std::io::Error::from_raw_os_error(code).to_string();
    match text.rfind(" (os error") {
        Some(at) => text[..at].to_string(),
        None => text,
    }
}

fn write_std(vm: &Vm, std: &Std, text: &str) -> Res<()> {
    if std.stdout.is_closed() {
        return Err(vm.value_error("I/O operation on closed file."));
    }
    let line = std.line_buffered.get() && text.contains('\n');
    let r = write_through(vm, &std.stdout, text.as_bytes());
    r?;
    if line {
        retry(vm, || std.stdout.flush())
    } else {
        Ok(())
    }
}

/// A buffered write; the bytes are taken once, even if writing out earlier ones is interrupted.
pub fn write_through(vm: &Vm, s: &Stream, data: &[u8]) -> Res<()> {
    if s.pending() + data.len() > s.capacity.get() {
        retry(vm, || s.flush())?;
    }
    match s.write(data) {
        Ok(()) => Ok(()),
        // The bytes are in the buffer now.
        Err(e) if e.kind() == ErrorKind::Interrupted => {
            vm.check_signals()?;
            retry(vm, || s.flush())
        }
        Err(e) => Err(vm.os_error(&e, None)),
    }
}

/// `sep` or `end`: None stands for the usual one.
fn separator<'a>(vm: &Vm, v: &'a Value, name: &str, usual: &'a str) -> Res<&'a str> {
    match optional(v) {
        None => Ok(usual),
        Some(v) => v.as_str().ok_or_else(|| {
            vm.type_error(format!(
                "{name} must be None or a string, not {}",
                vm.type_name(v)
            ))
        }),
    }
}

/// Appends `str(v)`.
fn push_str(vm: &Vm, out: &mut String, v: &Value) -> Res<()> {
    if let Some(i) = v.as_small() {
        crate::text::int_text::push_i64(out, i);
        return Ok(());
    }
    let s = vm.str_of(v)?;
    out.push_str(s.as_str().unwrap_or(""));
    Ok(())
}

fn print(vm: &Vm, a: &[Value]) -> Res {
    let (items, sep, end) = (
        tuple_items(&a[0]),
        separator(vm, &a[1], "sep", " ")?,
        separator(vm, &a[2], "end", "\n")?,
    );
    let flush = vm.truth(&a[4])?;
    let std = vm.extension::<Std>();
    let file = match optional(&a[3]) {
        Some(f) => f.clone(),
        None => match vm.sys_attr(&vm.names.stdout) {
            Some(out) if out.is_none() => return Ok(Value::NONE),
            Some(out) => out,
            None => std.stdout_object.borrow().clone(),
        },
    };
    if !file.is(&std.stdout_object.borrow()) {
        return print_to(vm, &file, items, sep, end, flush);
    }
    let mut text = String::new();
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            text.push_str(sep);
        }
        if let Err(e) = push_str(vm, &mut text, item) {
            // What came before is printed, as when each item is written by itself.
            write_std(vm, &std, &text)?;
            return Err(e);
        }
    }
    text.push_str(end);
    write_std(vm, &std, &text)?;
    if flush {
        retry(vm, || std.stdout.flush())?;
    }
    Ok(Value::NONE)
}

fn print_to(vm: &Vm, file: &Value, items: &[Value], sep: &str, end: &str, flush: bool) -> Res {
    let write = vm.getattr(file, &vm.names.write)?;
    let (sep, end) = (vm.str(sep), vm.str(end));
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            vm.call(&write, std::slice::from_ref(&sep))?;
        }
        let text = vm.str_of(item)?;
        vm.call(&write, &[text])?;
    }
    vm.call(&write, &[end])?;
    if flush {
        vm.call_method(file, &vm.names.flush, &[])?;
    }
    Ok(Value::NONE)
}

fn input(vm: &Vm, a: &[Value]) -> Res {
    let args = tuple_items(&a[0]);
    count_args(vm, "input", args.len(), 0, 1)?;
    let lost = |name: &str| vm.runtime_error(format!("lost sys.{name}"));
    let stdin = vm
        .sys_attr(&vm.names.stdin)
        .and_then(|v| v.non_none().cloned())
        .ok_or_else(|| lost("stdin"))?;
    let stdout = vm
        .sys_attr(&vm.names.stdout)
        .and_then(|v| v.non_none().cloned())
        .ok_or_else(|| lost("stdout"))?;
    if let Some(err) = vm
        .sys_attr(&vm.names.stderr)
        .and_then(|v| v.non_none().cloned())
    {
        vm.call_method(&err, &vm.names.flush, &[])?;
    }
    if let Some(prompt) = args.first() {
        let text = vm.str_of(prompt)?;
        vm.call_method(&stdout, &vm.names.write, &[text])?;
    }
    vm.call_method(&stdout, &vm.names.flush, &[])?;
    let line = vm.call_method(&stdin, &vm.names.readline, &[])?;
    let Some(text) = line.as_str() else {
        return Err(vm.type_error("object.readline() returned non-string"));
    };
    match text.strip_suffix('\n') {
        Some(t) => Ok(vm.str(t)),
        None if text.is_empty() => Err(vm.error(Exc::EOFError, "EOF when reading a line")),
        None => Ok(line.clone()),
    }
}

pub static FUNCTIONS: &[NativeDef] = &[
    NativeDef {
        sig: "print(*args, sep=' ', end='\\n', file=None, flush=False)",
        f: print,
        doc: "Prints the values to a stream, or to sys.stdout by default.\n\n  sep\n    string inserted between values, default a space.\n  end\n    string appended after the last value, default a newline.\n  file\n    a file-like object (stream); defaults to the current sys.stdout.\n  flush\n    whether to forcibly flush the stream.",
    },
    NativeDef {
        sig: "input(*args)",
        f: input,
        doc: "Read a string from standard input.  The trailing newline is stripped.\n\nThe prompt string, if given, is printed to standard output without a\ntrailing newline before reading input.\n\nIf the user hits EOF (*nix: Ctrl-D, Windows: Ctrl-Z+Return), raise EOFError.\nOn *nix systems, readline is used if available.",
    },
];
