//! The module `sys`: what scripts may ask and set of the running VM. (Constant tables are in `sys_info`.)

#![allow(unsafe_code)]

use crate::builtins::num::MaxDigits;
use crate::builtins::support::{c_int, small_int};
use crate::modules::math::rows;
use crate::modules::{registry, sys_info};
use crate::object::dict::Dict;
use crate::object::exception::FrameObj;
use crate::object::header::Kind;
use crate::object::native::{NativeDef, tuple_items};
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::{Raised, Res, Vm};
use std::cell::{Cell, RefCell};

/// Settings that only `sys` looks at.
struct Settings {
    switch_interval: Cell<f64>,
    trace: RefCell<Value>,
    profile: RefCell<Value>,
    asyncgen_hooks: RefCell<(Value, Value)>,
    finalizing: Cell<bool>,
}
impl Default for Settings {
    fn default() -> Settings {
        Settings {
            switch_interval: Cell::new(0.005),
            trace: RefCell::new(Value::NONE),
            profile: RefCell::new(Value::NONE),
            asyncgen_hooks: RefCell::new((Value::NONE, Value::NONE)),
            finalizing: Cell::new(false),
        }
    }
}

fn exit(vm: &Vm, a: &[Value]) -> Res {
    // As `raise SystemExit(status)`: a tuple stands for several arguments.
    let class = vm.exc_type(Exc::SystemExit);
    let e = match a[0].non_none() {
        None => vm.call(class, &[])?,
        Some(v) if v.kind() == Kind::Tuple => vm.call(class, tuple_items(v))?,
        Some(v) => vm.call(class, std::slice::from_ref(v))?,
    };
    Err(Raised(e))
}

/// The exception being handled, or None.
fn handled(vm: &Vm) -> Value {
    // SAFETY: the value is copied at once; nothing runs meanwhile.
    let v = unsafe { (*vm.handled.get()).clone() };
    if v.is_unbound() { Value::NONE } else { v }
}

fn exception(vm: &Vm, _: &[Value]) -> Res {
    Ok(handled(vm))
}

fn exc_info(vm: &Vm, _: &[Value]) -> Res {
    let e = handled(vm);
    if e.is_none() {
        return Ok(vm.tuple(vec![Value::NONE; 3]));
    }
    let tb = vm.getattr(&e, &vm.names.__traceback__)?;
    Ok(vm.tuple(vec![vm.type_of(&e), e, tb]))
}

/// Shows a value at the prompt.
fn displayhook(vm: &Vm, a: &[Value]) -> Res {
    if a[0].is_none() {
        return Ok(Value::NONE);
    }
    let builtins = vm.builtins.get::<Dict>();
    let underscore = vm.intern("_");
    if let Some(d) = builtins {
        vm.dict_set_str(d, &underscore, Value::NONE);
    }
    let text = vm.repr(&a[0])?;
    let print = vm.builtin("print")?;
    vm.call(&print, &[text])?;
    if let Some(d) = builtins {
        vm.dict_set_str(d, &underscore, a[0].clone());
    }
    Ok(Value::NONE)
}

fn excepthook(vm: &Vm, a: &[Value]) -> Res {
    if a[1].is_kind::<crate::object::exception::Exception>() {
        let _ = vm.flush_std();
        let text = vm.format_exception(&a[1]);
        vm.write_stderr(&text);
    } else {
        vm.write_stderr(&format!(
            "TypeError: print_exception(): Exception expected for value, {} found\n",
            vm.type_name(&a[1])
        ));
    }
    Ok(Value::NONE)
}

fn unraisablehook(vm: &Vm, a: &[Value]) -> Res {
    let get = |name: &str| vm.getattr_str(&a[0], name);
    let exc = get("exc_value")?;
    let message = get("err_msg")?;
    let object = get("object")?;
    let message = if message.is_none() {
        "Exception ignored in".to_string()
    } else {
        vm.str_string(&message)?
    };
    crate::vm::traceback::write_unraisable(vm, &exc, &message, &object);
    Ok(Value::NONE)
}

fn breakpointhook(vm: &Vm, _: &[Value]) -> Res {
    Err(vm.runtime_error("breakpoint(): there is no debugger yet"))
}

fn getframe(vm: &Vm, a: &[Value]) -> Res {
    let depth = c_int(vm, &a[0])?;
    vm.frame_object(depth.max(0) as usize)
        .ok_or_else(|| vm.value_error("call stack is not deep enough"))
}

fn getframemodulename(vm: &Vm, a: &[Value]) -> Res {
    let depth = c_int(vm, &a[0])?;
    let frame = vm.frame_object(depth.max(0) as usize);
    let globals = frame
        .as_ref()
        .and_then(|f| f.get::<FrameObj>())
        .map(|f| f.globals.clone());
    Ok(globals
        .as_ref()
        .and_then(|g| g.get::<Dict>())
        .and_then(|d| vm.dict_get_str(d, &vm.names.__name__))
        .unwrap_or(Value::NONE))
}

fn getrecursionlimit(vm: &Vm, _: &[Value]) -> Res {
    Ok(vm.int(vm.recursion_limit.get() as i64))
}

fn setrecursionlimit(vm: &Vm, a: &[Value]) -> Res {
    let n = c_int(vm, &a[0])?;
    if n < 1 {
        return Err(vm.value_error("recursion limit must be greater or equal than 1"));
    }
    vm.recursion_limit.set(n as u32);
    Ok(Value::NONE)
}

fn getrefcount(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.int(a[0].refcount() as i64))
}

fn getsizeof(vm: &Vm, a: &[Value]) -> Res {
    if let Some(r) = vm.call_special(&a[0], &vm.names.__sizeof__, &[])? {
        return match small_int(&r) {
            Some(n) if n >= 0 => Ok(r),
            Some(_) => Err(vm.value_error("__sizeof__() should return >= 0")),
            None => a[1]
                .given()
                .cloned()
                .ok_or_else(|| vm.type_error("an integer is required")),
        };
    }
    match a[1].given() {
        Some(d) => Ok(d.clone()),
        None => Err(vm.type_error(format!(
            "Type {} doesn't define __sizeof__",
            vm.type_name(&a[0])
        ))),
    }
}

fn intern(vm: &Vm, a: &[Value]) -> Res {
    if !vm.is_exact(&a[0], Kind::Str) {
        return Err(vm.type_error(format!(
            "intern() argument must be str, not {}",
            vm.type_name(&a[0])
        )));
    }
    Ok(vm.intern_value(&a[0]))
}

fn get_int_max_str_digits(vm: &Vm, _: &[Value]) -> Res {
    Ok(vm.usize(vm.max_digits()))
}

fn set_int_max_str_digits(vm: &Vm, a: &[Value]) -> Res {
    let n = c_int(vm, &a[0])?;
    if n != 0 && n < 640 {
        return Err(vm.value_error("maxdigits must be 0 or larger than 640"));
    }
    vm.extension::<MaxDigits>().0.set(n as usize);
    Ok(Value::NONE)
}

fn getswitchinterval(vm: &Vm, _: &[Value]) -> Res {
    Ok(vm.float(vm.extension::<Settings>().switch_interval.get()))
}

fn setswitchinterval(vm: &Vm, a: &[Value]) -> Res {
    let t = vm.to_f64(&a[0])?;
    if t <= 0.0 {
        return Err(vm.value_error("switch interval must be strictly positive"));
    }
    vm.extension::<Settings>().switch_interval.set(t);
    Ok(Value::NONE)
}

fn gettrace(vm: &Vm, _: &[Value]) -> Res {
    Ok(vm.extension::<Settings>().trace.borrow().clone())
}
fn settrace(vm: &Vm, a: &[Value]) -> Res {
    let old = vm.extension::<Settings>().trace.replace(a[0].clone());
    drop(old);
    Ok(Value::NONE)
}
fn getprofile(vm: &Vm, _: &[Value]) -> Res {
    Ok(vm.extension::<Settings>().profile.borrow().clone())
}
fn setprofile(vm: &Vm, a: &[Value]) -> Res {
    let old = vm.extension::<Settings>().profile.replace(a[0].clone());
    drop(old);
    Ok(Value::NONE)
}

fn get_asyncgen_hooks(vm: &Vm, _: &[Value]) -> Res {
    let s = vm.extension::<Settings>();
    let (first, last) = s.asyncgen_hooks.borrow().clone();
    vm.struct_value(&sys_info::asyncgen_hooks_type(vm), vec![first, last])
}

fn set_asyncgen_hooks(vm: &Vm, a: &[Value]) -> Res {
    for (v, name) in a.iter().zip(["firstiter", "finalizer"]) {
        if v.non_none().is_some_and(|v| !vm.is_callable(v)) {
            return Err(vm.type_error(format!("callable {name} expected, got {}", vm.type_name(v))));
        }
    }
    let s = vm.extension::<Settings>();
    let mut hooks = s.asyncgen_hooks.borrow().clone();
    if let Some(v) = a[0].given() {
        hooks.0 = v.clone();
    }
    if let Some(v) = a[1].given() {
        hooks.1 = v.clone();
    }
    let old = s.asyncgen_hooks.replace(hooks);
    drop(old);
    Ok(Value::NONE)
}

impl Vm {
    /// What `sys.set_asyncgen_hooks` was given: (firstiter, finalizer).
    pub fn asyncgen_hooks(&self) -> (Value, Value) {
        self.extension::<Settings>().asyncgen_hooks.borrow().clone()
    }
    /// From now on `sys.is_finalizing()` is true.
    pub fn set_finalizing(&self) {
        self.extension::<Settings>().finalizing.set(true);
    }
}

fn get_origin_depth(vm: &Vm, _: &[Value]) -> Res {
    Ok(vm.int(vm.hooks.coroutine_origin_depth.get() as i64))
}

fn set_origin_depth(vm: &Vm, a: &[Value]) -> Res {
    let n = c_int(vm, &a[0])?;
    if n < 0 {
        return Err(vm.value_error("depth must be >= 0"));
    }
    vm.hooks.coroutine_origin_depth.set(n as u32);
    Ok(Value::NONE)
}

fn is_finalizing(vm: &Vm, _: &[Value]) -> Res {
    Ok(Value::bool(vm.extension::<Settings>().finalizing.get()))
}

fn allocated_blocks(vm: &Vm, _: &[Value]) -> Res {
    Ok(vm.usize(vm.heap.live.get()))
}

fn current_frames(vm: &Vm, _: &[Value]) -> Res {
    let out = vm.dict();
    if let (Some(f), Some(d)) = (vm.frame_object(0), out.get::<Dict>()) {
        vm.dict_set(d, vm.int(1), f)?;
    }
    Ok(out)
}

fn call_tracing(vm: &Vm, a: &[Value]) -> Res {
    vm.call(&a[0], tuple_items(&a[1]))
}

fn is_interned(vm: &Vm, a: &[Value]) -> Res {
    match a[0].get::<crate::object::str::Str>() {
        Some(s) => Ok(Value::bool(s.is_interned())),
        None => Err(vm.type_error(format!(
            "_is_interned() argument must be str, not {}",
            vm.type_name(&a[0])
        ))),
    }
}

fn nothing(_: &Vm, _: &[Value]) -> Res {
    Ok(Value::NONE)
}
fn utf8(vm: &Vm, _: &[Value]) -> Res {
    Ok(vm.intern("utf-8"))
}
fn surrogateescape(vm: &Vm, _: &[Value]) -> Res {
    Ok(vm.intern("surrogateescape"))
}
fn yes(_: &Vm, _: &[Value]) -> Res {
    Ok(Value::TRUE)
}

static FUNCTIONS: &[NativeDef] = rows! {
    "exit(status=None, /)" exit, "Exit the interpreter by raising SystemExit(status).";
    "exception()" exception, "Return the current exception.";
    "exc_info()" exc_info, "Return current exception information: (type, value, traceback).";
    "displayhook(object, /)" displayhook, "Print an object to sys.stdout and also save it in builtins._";
    "excepthook(exctype, value, traceback, /)" excepthook, "Handle an exception by displaying it with a traceback on sys.stderr.";
    "unraisablehook(unraisable, /)" unraisablehook, "Handle an unraisable exception.";
    "breakpointhook(*args, **kws)" breakpointhook, "This hook function is called by built-in breakpoint().";
    "_getframe(depth=0, /)" getframe, "Return a frame object from the call stack.";
    "_getframemodulename(depth=0)" getframemodulename, "Return the name of the module for a calling frame.";
    "_current_frames()" current_frames, "Return a dict mapping each thread's thread id to its current stack frame.";
    "_is_gil_enabled()" yes, "Return True if the GIL is currently enabled, and False otherwise.";
    "_is_interned(string, /)" is_interned, "Return True if the given string is \"interned\".";
    "_clear_type_cache()" nothing, "Clear the internal type lookup cache.";
    "_clear_internal_caches()" nothing, "Clear all internal performance-related caches.";
    "getrecursionlimit()" getrecursionlimit, "Return the current value of the recursion limit.";
    "setrecursionlimit(limit, /)" setrecursionlimit, "Set the maximum depth of the interpreter stack to n.";
    "getrefcount(object, /)" getrefcount, "Return the reference count of object.";
    "getsizeof(object, default=...)" getsizeof, "Return the size of object in bytes.";
    "intern(string, /)" intern, "``Intern'' the given string.";
    "get_int_max_str_digits()" get_int_max_str_digits, "Return the maximum string digits limit for non-binary int<->str conversions.";
    "set_int_max_str_digits(maxdigits)" set_int_max_str_digits, "Set the maximum string digits limit for non-binary int<->str conversions.";
    "getswitchinterval()" getswitchinterval, "Return the current thread switch interval; see sys.setswitchinterval().";
    "setswitchinterval(interval, /)" setswitchinterval, "Set the ideal thread switching delay inside the interpreter.";
    "gettrace()" gettrace, "Return the global debug tracing function set with sys.settrace.";
    "settrace(function, /)" settrace, "Set the global debug tracing function. (It is kept, not called.)";
    "getprofile()" getprofile, "Return the profiling function set with sys.setprofile.";
    "setprofile(function, /)" setprofile, "Set the profiling function. (It is kept, not called.)";
    "get_asyncgen_hooks()" get_asyncgen_hooks, "Return the installed asynchronous generators hooks.";
    "set_asyncgen_hooks(firstiter=..., finalizer=...)" set_asyncgen_hooks, "Set a finalizer for async generators objects.";
    "get_coroutine_origin_tracking_depth()" get_origin_depth, "Check status of origin tracking for coroutine objects in this thread.";
    "set_coroutine_origin_tracking_depth(depth)" set_origin_depth, "Enable or disable origin tracking for coroutine objects in this thread.";
    "is_finalizing()" is_finalizing, "Return True if the interpreter is exiting.";
    "getallocatedblocks()" allocated_blocks, "Return the number of objects alive.";
    "getunicodeinternedsize()" |vm, _| Ok(vm.int(0)), "Return the number of elements of the unicode interned dictionary.";
    "getdefaultencoding()" utf8, "Return the current default encoding used by the Unicode implementation.";
    "getfilesystemencoding()" utf8, "Return the encoding used to convert Unicode filenames to OS filenames.";
    "getfilesystemencodeerrors()" surrogateescape, "Return the error mode used for Unicode to OS filename conversion.";
    "call_tracing(func, args, /)" call_tracing, "Call func(*args), while tracing is enabled.";
    "audit(event, /, *args)" nothing, "Passes the event to any hooks that are attached. (There are none.)";
    "addaudithook(hook)" nothing, "Adds a new audit hook callback. (It is not called.)";
};

pub fn init(vm: &Vm) -> Res {
    let m = vm.native_module("sys", "This module provides access to some objects used or maintained by the\ninterpreter and to functions that interact strongly with the interpreter.", &[FUNCTIONS]);
    for name in [
        "excepthook",
        "displayhook",
        "unraisablehook",
        "breakpointhook",
    ] {
        let f = vm.getattr_str(&m, name)?;
        vm.module_set(&m, &format!("__{name}__"), f);
    }
    vm.module_set(&m, "modules", vm.modules.clone());
    let mut names: Vec<&str> = registry::names().collect();
    names.push("builtins");
    names.sort_unstable();
    vm.module_set(
        &m,
        "builtin_module_names",
        vm.tuple(names.iter().map(|n| vm.intern(n)).collect()),
    );
    for name in [
        "argv",
        "orig_argv",
        "path",
        "warnoptions",
        "meta_path",
        "path_hooks",
    ] {
        vm.module_set(&m, name, vm.list(vec![]));
    }
    vm.module_set(&m, "path_importer_cache", vm.dict());
    vm.module_set(&m, "_xoptions", vm.dict());
    sys_info::fill(vm, &m)?;
    for (name, stream) in ["stdin", "stdout", "stderr"]
        .iter()
        .zip(crate::modules::io::standard_streams(vm))
    {
        vm.module_set(&m, name, stream.clone());
        vm.module_set(&m, &format!("__{name}__"), stream);
    }
    Ok(m)
}
