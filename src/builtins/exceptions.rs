//! BaseException and its subclasses: construction, attributes, messages.
//!
//! One payload serves all classes (`object::exception`); what only some have (`errno`, `name`, `exceptions`, ...) is in its `extra` dict, seen by scripts
//! through getset descriptors on the class that introduces it. Groups are in `exception_groups`.

use crate::object::dict::Dict;
use crate::object::exception::{Exception, Traceback};
use crate::object::header::Kind;
use crate::object::native::{Args, NativeDef, tuple_items};
use crate::object::shape::Shape;
use crate::object::types::{GetSetDef, Slots, TypeObj, tflag};
use crate::object::value::Value;
use crate::vm::class::Parts;
use crate::vm::raise::{EXCEPTIONS, Exc};
use crate::vm::{Raised, Res, Vm};

/// The payload, or an error for a caller with the wrong object.
pub fn data<'a>(vm: &Vm, v: &'a Value) -> Res<&'a Exception> {
    v.get::<Exception>().ok_or_else(|| {
        vm.type_error(format!(
            "an exception was expected, not {}",
            vm.type_name(v)
        ))
    })
}

/// A class-specific field; None if it was never set.
pub fn field(vm: &Vm, v: &Value, name: &Value) -> Value {
    vm.exception_extra(v, name).unwrap_or(Value::NONE)
}

/// Sets a class-specific field.
pub fn set_field(vm: &Vm, v: &Value, name: &Value, to: Value) {
    let Some(x) = v.get::<Exception>() else {
        return;
    };
    if x.extra.borrow().is_unbound() {
        *x.extra.borrow_mut() = vm.dict();
    }
    let d = x.extra.borrow().clone();
    if let Some(d) = d.get::<Dict>() {
        vm.dict_set_str(d, name, to);
    }
}

impl Vm {
    /// Allocates an exception of the class whose instances have this shape.
    pub fn alloc_exception(&self, shape: *const Shape, e: Exception) -> Value {
        if shape.is_null() {
            return self.heap.alloc(shape, e, 0);
        }
        // SAFETY: the shape belongs to a live class; exceptions have no tail of their own.
        #[allow(unsafe_code)]
        unsafe {
            let hint = (*shape).type_obj().slot_hint.get();
            let v = crate::object::instance::alloc_instance(&self.heap, shape, e, 0, hint);
            if (*shape).type_obj().slots().del.is_some() {
                crate::object::heap::Heap::set_finalize(&v, true);
            }
            v
        }
    }

    /// Sets a class-specific field of an exception.
    pub fn set_exception_field(&self, v: &Value, name: &Value, to: Value) {
        set_field(self, v, name, to)
    }
    /// Adds a note to an exception.
    pub fn add_note(&self, v: &Value, note: &str) -> Res<()> {
        add_note(self, &[v.clone(), self.str(note)]).map(|_| ())
    }

    /// The exception object that `raise v` raises: v itself, or an instance of the class v.
    pub fn make_exception(&self, v: &Value) -> Res {
        if v.is_kind::<Exception>() {
            return Ok(v.clone());
        }
        if v.get::<TypeObj>()
            .is_some_and(|t| t.is_subtype(self.exc_type(Exc::BaseException)))
        {
            let e = self.call(v, &[])?;
            if e.is_kind::<Exception>() {
                return Ok(e);
            }
            return Err(self.type_error(format!(
                "calling {} should have returned an instance of BaseException, not {}",
                self.repr_string(v)?,
                self.repr_string(&self.type_of(&e))?
            )));
        }
        Err(self.type_error("exceptions must derive from BaseException"))
    }
}

// ---- BaseException

fn base_new(vm: &Vm, class: &Value, args: Args) -> Res {
    let shape = class
        .get::<TypeObj>()
        .map_or(std::ptr::null(), |t| t.root_shape.get());
    let tuple = vm.tuple(args.pos().to_vec());
    Ok(vm.alloc_exception(shape, Exception::new(tuple)))
}

fn no_keywords(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    if args.has_keywords() {
        return Err(vm.type_error(format!("{}() takes no keyword arguments", vm.type_name(v))));
    }
    Ok(())
}

fn base_init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    no_keywords(vm, v, args)?;
    let old = data(vm, v)?.args.replace(vm.tuple(args.pos().to_vec()));
    drop(old);
    Ok(())
}

fn base_str(vm: &Vm, v: &Value) -> Res {
    let args = data(vm, v)?.args.borrow().clone();
    match tuple_items(&args) {
        [] => Ok(vm.str("")),
        [one] => vm.str_of(one),
        _ => vm.repr(&args),
    }
}

fn base_repr(vm: &Vm, v: &Value) -> Res {
    let args = data(vm, v)?.args.borrow().clone();
    let name = vm.type_name(v);
    let inside = match tuple_items(&args) {
        [one] => format!("({})", vm.repr_string(one)?),
        _ => vm.repr_string(&args)?,
    };
    Ok(vm.str(&format!("{name}{inside}")))
}

fn with_traceback(vm: &Vm, a: &[Value]) -> Res {
    set_traceback(vm, &a[0], Some(&a[1]))?;
    Ok(a[0].clone())
}

fn add_note(vm: &Vm, a: &[Value]) -> Res {
    if a[1].as_str().is_none() {
        return Err(vm.type_error(format!(
            "add_note() argument must be str, not {}",
            vm.type_name(&a[1])
        )));
    }
    let notes = match vm.getattr_opt(&a[0], &vm.names.__notes__)? {
        Some(n) => n,
        None => {
            let n = vm.list(vec![]);
            vm.setattr(&a[0], &vm.names.__notes__, &n)?;
            n
        }
    };
    match notes.get::<crate::object::seq::List>() {
        Some(l) => l.push(a[1].clone()),
        None => return Err(vm.type_error("Cannot add note: __notes__ is not a list")),
    }
    Ok(Value::NONE)
}

fn reduce(vm: &Vm, a: &[Value]) -> Res {
    let args = data(vm, &a[0])?.args.borrow().clone();
    let class = vm.type_of(&a[0]);
    match vm
        .instance_dict(&a[0])?
        .filter(|d| d.get::<Dict>().is_some_and(|d| !d.is_empty()))
    {
        Some(d) => Ok(vm.tuple(vec![class, args, d])),
        None => Ok(vm.pair(class, args)),
    }
}

fn set_state(vm: &Vm, a: &[Value]) -> Res {
    if let Some(d) = a[1].get::<Dict>() {
        for (k, v) in d.items() {
            vm.setattr(&a[0], &k, &v)?;
        }
    }
    Ok(Value::NONE)
}

static METHODS: [NativeDef; 4] = [
    NativeDef {
        sig: "with_traceback(self, tb, /)",
        f: with_traceback,
        doc: "Set self.__traceback__ to tb and return self.",
    },
    NativeDef {
        sig: "add_note(self, note, /)",
        f: add_note,
        doc: "Add a note to the exception.",
    },
    NativeDef {
        sig: "__reduce__(self, /)",
        f: reduce,
        doc: "Helper for pickle.",
    },
    NativeDef {
        sig: "__setstate__(self, state, /)",
        f: set_state,
        doc: "Helper for pickle.",
    },
];

fn get_args(vm: &Vm, v: &Value) -> Res {
    Ok(data(vm, v)?.args.borrow().clone())
}
fn set_args(vm: &Vm, v: &Value, to: Option<&Value>) -> Res<()> {
    let Some(to) = to else {
        return Err(vm.type_error("args may not be deleted"));
    };
    let items = vm.collect(to)?;
    let old = data(vm, v)?.args.replace(vm.tuple(items));
    drop(old);
    Ok(())
}
fn get_traceback(vm: &Vm, v: &Value) -> Res {
    Ok(data(vm, v)?.traceback.borrow().clone())
}
fn set_traceback(vm: &Vm, v: &Value, to: Option<&Value>) -> Res<()> {
    let Some(to) = to else {
        return Err(vm.type_error("__traceback__ may not be deleted"));
    };
    if !to.is_none() && !to.is_kind::<Traceback>() {
        return Err(vm.type_error("__traceback__ must be a traceback or None"));
    }
    let old = data(vm, v)?.traceback.replace(to.clone());
    drop(old);
    Ok(())
}
fn get_cause(vm: &Vm, v: &Value) -> Res {
    Ok(data(vm, v)?.cause.borrow().clone())
}
fn linked(vm: &Vm, to: Option<&Value>, what: &str) -> Res {
    let Some(to) = to else {
        return Err(vm.type_error(format!("{what} may not be deleted")));
    };
    if !to.is_none() && !to.is_kind::<Exception>() {
        return Err(vm.type_error(format!(
            "exception {} must be None or derive from BaseException",
            what.trim_matches('_')
        )));
    }
    Ok(to.clone())
}
fn set_cause(vm: &Vm, v: &Value, to: Option<&Value>) -> Res<()> {
    let to = linked(vm, to, "__cause__")?;
    let x = data(vm, v)?;
    let old = x.cause.replace(to);
    x.suppress_context.set(true);
    drop(old);
    Ok(())
}
fn get_context(vm: &Vm, v: &Value) -> Res {
    Ok(data(vm, v)?.context.borrow().clone())
}
fn set_context(vm: &Vm, v: &Value, to: Option<&Value>) -> Res<()> {
    let to = linked(vm, to, "__context__")?;
    let old = data(vm, v)?.context.replace(to);
    drop(old);
    Ok(())
}
fn get_suppress(vm: &Vm, v: &Value) -> Res {
    Ok(Value::bool(data(vm, v)?.suppress_context.get()))
}
fn set_suppress(vm: &Vm, v: &Value, to: Option<&Value>) -> Res<()> {
    let Some(b) = to.and_then(Value::as_bool) else {
        return Err(vm.type_error("attribute value type must be bool"));
    };
    data(vm, v)?.suppress_context.set(b);
    Ok(())
}

static GETSET: [GetSetDef; 5] = [
    GetSetDef {
        name: "args",
        get: get_args,
        set: Some(set_args),
        doc: "The arguments.",
    },
    GetSetDef {
        name: "__traceback__",
        get: get_traceback,
        set: Some(set_traceback),
        doc: "Where it was raised.",
    },
    GetSetDef {
        name: "__cause__",
        get: get_cause,
        set: Some(set_cause),
        doc: "The exception given by `raise ... from`.",
    },
    GetSetDef {
        name: "__context__",
        get: get_context,
        set: Some(set_context),
        doc: "The exception handled when it was raised.",
    },
    GetSetDef {
        name: "__suppress_context__",
        get: get_suppress,
        set: Some(set_suppress),
        doc: "True if tracebacks leave the context out.",
    },
];

fn base_slots(s: &mut Slots) {
    s.new = Some(base_new);
    s.init = Some(base_init);
    s.str = Some(base_str);
    s.repr = Some(base_repr);
}

// ---- fields of particular classes

macro_rules! fields {
    ($($table:ident: $($field:ident)*;)*) => {$(
        static $table: &[GetSetDef] = &[$(
            GetSetDef {
                name: stringify!($field),
                get: |vm, v| Ok(field(vm, v, &vm.names.$field)),
                set: Some(|vm, v, to| {
                    set_field(vm, v, &vm.names.$field, to.cloned().unwrap_or(Value::NONE));
                    Ok(())
                }),
                doc: concat!("exception ", stringify!($field)),
            }
        ),*];
    )*};
}
fields! {
    EXIT_FIELDS: code;
    NAME_FIELDS: name;
    ATTRIBUTE_FIELDS: name obj;
    IMPORT_FIELDS: msg name path name_from;
    OS_FIELDS: errno strerror filename filename2;
    SYNTAX_FIELDS: msg filename lineno offset text end_lineno end_offset print_file_and_line;
    UNICODE_FIELDS: encoding start end reason;
}
/// `object` cannot be a field of `Names` under its own name (`vm.names.object_`).
static UNICODE_OBJECT: &[GetSetDef] = &[GetSetDef {
    name: "object",
    get: |vm, v| Ok(field(vm, v, &vm.names.object_)),
    set: Some(|vm, v, to| {
        set_field(vm, v, &vm.names.object_, to.cloned().unwrap_or(Value::NONE));
        Ok(())
    }),
    doc: "exception object",
}];

fn stop_init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    base_init(vm, v, args)?;
    set_field(
        vm,
        v,
        &vm.names.value,
        args.pos().first().cloned().unwrap_or(Value::NONE),
    );
    Ok(())
}
/// StopIterations made by the VM skip `__init__`; their value is their first argument.
fn stop_value(vm: &Vm, v: &Value) -> Res {
    Ok(vm
        .exception_extra(v, &vm.names.value)
        .unwrap_or_else(|| vm.stop_iteration_value(v)))
}
static STOP_GETSET: &[GetSetDef] = &[GetSetDef {
    name: "value",
    get: stop_value,
    set: Some(|vm, v, to| {
        set_field(vm, v, &vm.names.value, to.cloned().unwrap_or(Value::NONE));
        Ok(())
    }),
    doc: "generator return value",
}];

fn exit_init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    base_init(vm, v, args)?;
    let code = match args.pos() {
        [] => Value::NONE,
        [one] => one.clone(),
        many => vm.tuple(many.to_vec()),
    };
    set_field(vm, v, &vm.names.code, code);
    Ok(())
}

/// Takes known keywords; gives an error for the others.
fn keyword_fields(vm: &Vm, v: &Value, args: Args, known: &[&Value]) -> Res<()> {
    for (k, x) in args.keywords() {
        match known.iter().find(|n| n.as_str() == k.as_str()) {
            Some(n) => set_field(vm, v, n, x.clone()),
            None => {
                let (t, k) = (vm.type_name(v), k.as_str().unwrap_or("?").to_string());
                return Err(
                    vm.type_error(format!("{t}() got an unexpected keyword argument '{k}'"))
                );
            }
        }
    }
    Ok(())
}

fn set_base_args(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    base_init(vm, v, Args::positional(args.pos()))
}

fn name_init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    set_base_args(vm, v, args)?;
    keyword_fields(vm, v, args, &[&vm.names.name])
}
fn attribute_init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    set_base_args(vm, v, args)?;
    keyword_fields(vm, v, args, &[&vm.names.name, &vm.names.obj])
}
fn import_init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    set_base_args(vm, v, args)?;
    let n = &vm.names;
    keyword_fields(vm, v, args, &[&n.name, &n.path, &n.name_from])?;
    if let [one] = args.pos() {
        set_field(vm, v, &n.msg, one.clone());
    }
    Ok(())
}
fn import_str(vm: &Vm, v: &Value) -> Res {
    let msg = field(vm, v, &vm.names.msg);
    if msg.as_str().is_some() {
        Ok(msg)
    } else {
        base_str(vm, v)
    }
}

fn key_str(vm: &Vm, v: &Value) -> Res {
    let args = data(vm, v)?.args.borrow().clone();
    match tuple_items(&args) {
        [one] => vm.repr(one),
        _ => base_str(vm, v),
    }
}

// ---- OSError

/// The subclass for an errno, as PEP 3151 has it.
pub fn errno_class(errno: i64) -> Option<Exc> {
    let e = i32::try_from(errno).ok()?;
    Some(match e {
        libc::EAGAIN | libc::EALREADY | libc::EINPROGRESS => Exc::BlockingIOError,
        libc::EPIPE | libc::ESHUTDOWN => Exc::BrokenPipeError,
        libc::ECHILD => Exc::ChildProcessError,
        libc::ECONNABORTED => Exc::ConnectionAbortedError,
        libc::ECONNREFUSED => Exc::ConnectionRefusedError,
        libc::ECONNRESET => Exc::ConnectionResetError,
        libc::EEXIST => Exc::FileExistsError,
        libc::ENOENT => Exc::FileNotFoundError,
        libc::EISDIR => Exc::IsADirectoryError,
        libc::ENOTDIR => Exc::NotADirectoryError,
        libc::EINTR => Exc::InterruptedError,
        libc::EACCES | libc::EPERM => Exc::PermissionError,
        libc::ESRCH => Exc::ProcessLookupError,
        libc::ETIMEDOUT => Exc::TimeoutError,
        _ => return None,
    })
}

fn os_new(vm: &Vm, class: &Value, args: Args) -> Res {
    let t = class.get::<TypeObj>();
    if args.has_keywords()
        && t.is_some_and(|t| {
            t.slots().init.map(|f| f as usize) == Some(os_init as *const () as usize)
        })
    {
        return Err(vm.type_error(format!(
            "{}() takes no keyword arguments",
            vm.class_name(class)
        )));
    }
    let mut class = class.clone();
    if class.is(vm.exc_type(Exc::OSError))
        && args.pos().len() >= 2
        && let Some(e) = args.pos()[0].as_small().and_then(errno_class)
    {
        class = vm.exc_type(e).clone();
    }
    let v = base_new(vm, &class, args)?;
    os_fields(vm, &v, args)?;
    Ok(v)
}
fn os_fields(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    let p = args.pos();
    let n = &vm.names;
    if (2..=5).contains(&p.len()) {
        set_field(vm, v, &n.errno, p[0].clone());
        set_field(vm, v, &n.strerror, p[1].clone());
        if let Some(f) = p.get(2).filter(|f| !f.is_none()) {
            set_field(vm, v, &n.filename, f.clone());
            if let Some(f2) = p.get(4).filter(|f| !f.is_none()) {
                set_field(vm, v, &n.filename2, f2.clone());
            }
        }
        if p.len() > 2 {
            let old = data(vm, v)?.args.replace(vm.tuple(p[..2].to_vec()));
            drop(old);
        }
    }
    Ok(())
}
fn os_init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    no_keywords(vm, v, args)?;
    let own_init =
        vm.type_obj(v).slots().init.map(|f| f as usize) != Some(os_init as *const () as usize);
    if own_init {
        // A subclass with its own `__init__` calls this with the arguments that count.
        let old = data(vm, v)?.args.replace(vm.tuple(args.pos().to_vec()));
        drop(old);
        return os_fields(vm, v, args);
    }
    Ok(())
}
fn os_str(vm: &Vm, v: &Value) -> Res {
    let n = &vm.names;
    let (errno, text) = (field(vm, v, &n.errno), field(vm, v, &n.strerror));
    if errno.is_none() && text.is_none() {
        return base_str(vm, v);
    }
    let (e, t) = (vm.str_string(&errno)?, vm.str_string(&text)?);
    let (f, f2) = (field(vm, v, &n.filename), field(vm, v, &n.filename2));
    let s = if f.is_none() {
        format!("[Errno {e}] {t}")
    } else if f2.is_none() {
        format!("[Errno {e}] {t}: {}", vm.repr_string(&f)?)
    } else {
        format!(
            "[Errno {e}] {t}: {} -> {}",
            vm.repr_string(&f)?,
            vm.repr_string(&f2)?
        )
    };
    Ok(vm.str(&s))
}

impl Vm {
    /// The OSError (or its subclass) of an error from the system, about a file if one is named.
    pub fn os_error(&self, e: &std::io::Error, filename: Option<&Value>) -> Raised {
        let errno = e.raw_os_error().unwrap_or(match e.kind() {
            std::io::ErrorKind::BrokenPipe => libc::EPIPE,
            std::io::ErrorKind::NotFound => libc::ENOENT,
            std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::InvalidInput => libc::EINVAL,
            _ => libc::EIO,
        });
        self.os_error_code(errno, filename)
    }
    /// The OSError of an errno.
    pub fn os_error_code(&self, errno: i32, filename: Option<&Value>) -> Raised {
        let text = std::io::Error::from_raw_os_error(errno).to_string();
        let text = text.split(" (os error").next().unwrap_or(&text);
        let mut args = vec![self.int(errno as i64), self.str(text)];
        args.extend(filename.cloned());
        match self.call(self.exc_type(Exc::OSError), &args) {
            Ok(v) => Raised(v),
            Err(e) => e,
        }
    }
}

// ---- SyntaxError, UnicodeError

fn syntax_init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    base_init(vm, v, args)?;
    let n = &vm.names;
    let p = args.pos();
    if let Some(m) = p.first() {
        set_field(vm, v, &n.msg, m.clone());
    }
    if p.len() == 2 {
        let info = vm.collect(&p[1])?;
        if info.len() < 4 {
            return Err(vm.type_error(format!(
                "function missing required argument '{}' (pos {})",
                ["filename", "lineno", "offset", "text"][info.len()],
                info.len() + 1
            )));
        }
        if info.len() > 7 {
            return Err(vm.type_error(format!(
                "function takes at most 7 arguments ({} given)",
                info.len()
            )));
        }
        if info.len() == 5 {
            return Err(vm.type_error("end_offset must be provided when end_lineno is provided"));
        }
        for (name, x) in [
            &n.filename,
            &n.lineno,
            &n.offset,
            &n.text,
            &n.end_lineno,
            &n.end_offset,
        ]
        .into_iter()
        .zip(info)
        {
            set_field(vm, v, name, x);
        }
    }
    Ok(())
}
fn syntax_str(vm: &Vm, v: &Value) -> Res {
    let n = &vm.names;
    let msg = vm.str_string(&field(vm, v, &n.msg))?;
    let (file, line) = (field(vm, v, &n.filename), field(vm, v, &n.lineno));
    let base = file
        .as_str()
        .map(|f| f.rsplit('/').next().unwrap_or(f).to_string());
    let s = match (base, line.as_small()) {
        (Some(f), Some(l)) => format!("{msg} ({f}, line {l})"),
        (Some(f), None) => format!("{msg} ({f})"),
        (None, Some(l)) => format!("{msg} (line {l})"),
        (None, None) => msg,
    };
    Ok(vm.str(&s))
}

fn unicode_init(vm: &Vm, v: &Value, args: Args, encoding: bool) -> Res<()> {
    base_init(vm, v, args)?;
    let p = args.pos();
    let want = if encoding { 5 } else { 4 };
    if p.len() != want {
        return Err(vm.type_error(format!(
            "function takes exactly {want} arguments ({} given)",
            p.len()
        )));
    }
    let n = &vm.names;
    let names: Vec<&Value> = if encoding {
        vec![&n.encoding, &n.object_, &n.start, &n.end, &n.reason]
    } else {
        vec![&n.object_, &n.start, &n.end, &n.reason]
    };
    for (name, x) in names.into_iter().zip(p) {
        set_field(vm, v, name, x.clone());
    }
    Ok(())
}
fn unicode_code_init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    unicode_init(vm, v, args, true)
}
fn unicode_translate_init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    unicode_init(vm, v, args, false)
}
fn unicode_str(vm: &Vm, v: &Value) -> Res {
    let n = &vm.names;
    let object = field(vm, v, &n.object_);
    if object.is_none() {
        return Ok(vm.str(""));
    }
    let (start, end) = (
        field(vm, v, &n.start).as_small().unwrap_or(0),
        field(vm, v, &n.end).as_small().unwrap_or(0),
    );
    let reason = vm.str_string(&field(vm, v, &n.reason))?;
    let verb = if vm.is_exc_value(v, Exc::UnicodeDecodeError) {
        "decode"
    } else if vm.is_exc_value(v, Exc::UnicodeEncodeError) {
        "encode"
    } else {
        "translate"
    };
    let codec = if verb == "translate" {
        "can't translate".to_string()
    } else {
        format!(
            "'{}' codec can't {verb}",
            vm.str_string(&field(vm, v, &n.encoding))?
        )
    };
    let s = if end == start + 1 {
        let one = if verb == "decode" {
            object
                .get::<crate::object::seq::Bytes>()
                .and_then(|b| b.data.get(start.max(0) as usize))
                .map(|b| format!("byte 0x{b:02x}"))
        } else {
            object
                .as_str()
                .and_then(|s| s.chars().nth(start.max(0) as usize))
                .map(|c| {
                    let u = c as u32;
                    let esc = if u <= 0xff {
                        format!("\\x{u:02x}")
                    } else if u <= 0xffff {
                        format!("\\u{u:04x}")
                    } else {
                        format!("\\U{u:08x}")
                    };
                    format!("character '{esc}'")
                })
        };
        format!(
            "{codec} {} in position {start}: {reason}",
            one.unwrap_or_default()
        )
    } else {
        let what = if verb == "decode" {
            "bytes"
        } else {
            "characters"
        };
        format!("{codec} {what} in position {start}-{}: {reason}", end - 1)
    };
    Ok(vm.str(&s))
}

// ---- making the classes

/// What a class adds to its base.
fn parts(e: Exc) -> (fn(&mut Slots), &'static [GetSetDef], &'static [NativeDef]) {
    use super::exception_groups as g;
    match e {
        Exc::BaseException => (base_slots, &GETSET, &METHODS),
        Exc::BaseExceptionGroup => (g::slots, g::GETSET, g::METHODS),
        Exc::StopIteration => (|s| s.init = Some(stop_init), STOP_GETSET, &[]),
        Exc::SystemExit => (|s| s.init = Some(exit_init), EXIT_FIELDS, &[]),
        Exc::NameError => (|s| s.init = Some(name_init), NAME_FIELDS, &[]),
        Exc::AttributeError => (|s| s.init = Some(attribute_init), ATTRIBUTE_FIELDS, &[]),
        Exc::ImportError => (
            |s| {
                s.init = Some(import_init);
                s.str = Some(import_str);
            },
            IMPORT_FIELDS,
            &[],
        ),
        Exc::KeyError => (|s| s.str = Some(key_str), &[], &[]),
        Exc::OSError => (
            |s| {
                s.new = Some(os_new);
                s.init = Some(os_init);
                s.str = Some(os_str);
            },
            OS_FIELDS,
            &[],
        ),
        Exc::SyntaxError => (
            |s| {
                s.init = Some(syntax_init);
                s.str = Some(syntax_str);
            },
            SYNTAX_FIELDS,
            &[],
        ),
        Exc::UnicodeDecodeError | Exc::UnicodeEncodeError => (
            |s| {
                s.init = Some(unicode_code_init);
                s.str = Some(unicode_str);
            },
            UNICODE_FIELDS,
            &[],
        ),
        Exc::UnicodeTranslateError => (
            |s| {
                s.init = Some(unicode_translate_init);
                s.str = Some(unicode_str);
            },
            UNICODE_FIELDS,
            &[],
        ),
        _ => (|_| (), &[], &[]),
    }
}

/// Makes all exception classes and puts them in the builtins. The core types exist already.
pub fn boot(vm: &Vm) {
    for &(e, name, base) in EXCEPTIONS {
        let name = if e == Exc::IncompleteInputError {
            "_IncompleteInputError"
        } else {
            name
        };
        let (slots, getset, methods) = parts(e);
        let is_root = e == base;
        let ty = vm.make_native_type(Parts {
            name,
            module: None,
            base: if is_root {
                vm.kind_type(Kind::Object).clone()
            } else {
                vm.exc_type(base).clone()
            },
            kind: Kind::Exception,
            flags: tflag::BASETYPE | tflag::DICT | tflag::WEAKREF,
            slots,
            methods,
            class_methods: if e == Exc::BaseExceptionGroup {
                super::exception_groups::CLASS_METHODS
            } else {
                &[]
            },
            static_methods: &[],
            getset,
            doc: "",
        });
        if is_root {
            vm.set_kind_type(Kind::Exception, ty.clone());
        }
        if e == Exc::ExceptionGroup {
            // Its second base: an ExceptionGroup is an Exception too.
            super::exception_groups::add_exception_base(vm, &ty);
        }
        vm.set_exc_type(e, ty.clone());
        if matches!(
            e,
            Exc::UnicodeDecodeError | Exc::UnicodeEncodeError | Exc::UnicodeTranslateError
        ) {
            for def in UNICODE_OBJECT {
                let d = ty.get::<TypeObj>().and_then(|t| t.dict.get::<Dict>());
                if let Some(d) = d {
                    vm.dict_set_str(
                        d,
                        &vm.names.object_,
                        vm.alloc(crate::object::types::GetSet {
                            def,
                            owner: ty.clone(),
                        }),
                    );
                }
            }
        }
        if let Some(b) = vm.builtins.get::<Dict>()
            && e != Exc::IncompleteInputError
        {
            vm.dict_set_str(b, &vm.intern(name), ty);
        }
    }
    if let Some(b) = vm.builtins.get::<Dict>() {
        for alias in ["EnvironmentError", "IOError"] {
            vm.dict_set_str(b, &vm.intern(alias), vm.exc_type(Exc::OSError).clone());
        }
    }
}
