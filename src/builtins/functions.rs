//! Builtin functions about objects: their attributes, types, items and truth. (Numbers and text are in `functions_num`, printing in `print`.)

use crate::builtins::sort;
use crate::builtins::support::{count_args, optional, this};
use crate::object::dict::Dict;
use crate::object::func::CodeObj;
use crate::object::header::Kind;
use crate::object::native::{NativeDef, tuple_items};
use crate::object::types::{CmpOp, TypeObj};
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::{Res, Vm};

fn all(vm: &Vm, a: &[Value]) -> Res {
    let it = vm.iter(&a[0])?;
    while let Some(v) = vm.next(&it)? {
        if !vm.truth(&v)? {
            return Ok(Value::FALSE);
        }
    }
    Ok(Value::TRUE)
}

fn any(vm: &Vm, a: &[Value]) -> Res {
    let it = vm.iter(&a[0])?;
    while let Some(v) = vm.next(&it)? {
        if vm.truth(&v)? {
            return Ok(Value::TRUE);
        }
    }
    Ok(Value::FALSE)
}

impl Vm {
    /// True if the value can be called.
    pub fn is_callable(&self, v: &Value) -> bool {
        matches!(
            v.kind(),
            Kind::Function | Kind::Native | Kind::BoundMethod | Kind::Type
        ) || self.type_obj(v).slots().call.is_some()
    }
}

fn callable(vm: &Vm, a: &[Value]) -> Res {
    Ok(Value::bool(vm.is_callable(&a[0])))
}

/// An attribute name given as an argument.
fn name(vm: &Vm, v: &Value) -> Res {
    if v.as_str().is_none() {
        return Err(vm.type_error(format!(
            "attribute name must be string, not '{}'",
            vm.type_name(v)
        )));
    }
    Ok(vm.intern_value(v))
}

fn getattr(vm: &Vm, a: &[Value]) -> Res {
    let n = name(vm, &a[1])?;
    match a[2].given() {
        None => vm.getattr(&a[0], &n),
        Some(default) => Ok(vm
            .getattr_opt(&a[0], &n)?
            .unwrap_or_else(|| default.clone())),
    }
}

fn hasattr(vm: &Vm, a: &[Value]) -> Res {
    Ok(Value::bool(
        vm.getattr_opt(&a[0], &name(vm, &a[1])?)?.is_some(),
    ))
}

fn setattr(vm: &Vm, a: &[Value]) -> Res {
    vm.setattr(&a[0], &name(vm, &a[1])?, &a[2])?;
    Ok(Value::NONE)
}

fn delattr(vm: &Vm, a: &[Value]) -> Res {
    vm.delattr(&a[0], &name(vm, &a[1])?)?;
    Ok(Value::NONE)
}

/// `dir()`'s answer for an object.
pub fn dir_of(vm: &Vm, v: &Value) -> Res {
    let Some(names) = vm.call_special(v, &vm.names.__dir__, &[])? else {
        return Err(vm.type_error("object does not provide __dir__"));
    };
    let mut names = vm.collect(&names)?;
    sort::sort_items(vm, &mut names, None, false)?;
    Ok(vm.list(names))
}

fn dir(vm: &Vm, a: &[Value]) -> Res {
    let args = tuple_items(&a[0]);
    count_args(vm, "dir", args.len(), 0, 1)?;
    if let Some(v) = args.first() {
        return dir_of(vm, v);
    }
    let Some(locals) = vm.locals_dict() else {
        return Err(vm.error(Exc::SystemError, "frame does not exist"));
    };
    let mut names = vm.collect(&locals)?;
    sort::sort_items(vm, &mut names, None, false)?;
    Ok(vm.list(names))
}

fn vars(vm: &Vm, a: &[Value]) -> Res {
    match a[0].given() {
        None => locals(vm, a),
        Some(v) => match vm.getattr_opt(v, &vm.names.__dict__)? {
            Some(d) => Ok(d),
            None => Err(vm.type_error("vars() argument must have __dict__ attribute")),
        },
    }
}

fn locals(vm: &Vm, _: &[Value]) -> Res {
    vm.locals_dict()
        .ok_or_else(|| vm.error(Exc::SystemError, "frame does not exist"))
}

fn globals(vm: &Vm, _: &[Value]) -> Res {
    vm.globals_dict()
        .ok_or_else(|| vm.error(Exc::SystemError, "frame does not exist"))
}

fn hash(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.int(vm.hash_key(&a[0])?))
}

fn id(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.int_u64(a[0].id()))
}

fn isinstance(vm: &Vm, a: &[Value]) -> Res {
    Ok(Value::bool(vm.isinstance(&a[0], &a[1])?))
}

fn issubclass(vm: &Vm, a: &[Value]) -> Res {
    Ok(Value::bool(vm.issubclass(&a[0], &a[1])?))
}

fn len(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.usize(vm.len(&a[0])?))
}

fn iter(vm: &Vm, a: &[Value]) -> Res {
    let Some(sentinel) = a[1].given() else {
        return vm.iter(&a[0]);
    };
    if !vm.is_callable(&a[0]) {
        return Err(vm.type_error("iter(v, w): v must be callable"));
    }
    Ok(vm.callable_iterator(&a[0], sentinel))
}

fn next(vm: &Vm, a: &[Value]) -> Res {
    let Some(f) = vm.type_obj(&a[0]).slots().next else {
        return Err(vm.type_error(format!(
            "'{}' object is not an iterator",
            vm.type_name(&a[0])
        )));
    };
    match (f(vm, &a[0]), a[1].given()) {
        (Ok(Some(v)), _) => Ok(v),
        (Ok(None), Some(default)) => Ok(default.clone()),
        (Ok(None), None) => Err(vm.stop_iteration(vm.take_iter_result())),
        (Err(e), Some(default)) if vm.is_exc(&e, Exc::StopIteration) => Ok(default.clone()),
        (Err(e), _) => Err(e),
    }
}

fn aiter(vm: &Vm, a: &[Value]) -> Res {
    let Some(f) = vm.type_obj(&a[0]).slots().aiter else {
        return Err(vm.type_error(format!(
            "'{}' object is not an async iterable",
            vm.type_name(&a[0])
        )));
    };
    let it = f(vm, &a[0])?;
    if vm.type_obj(&it).slots().anext.is_none() {
        return Err(vm.type_error(format!(
            "aiter() returned not an async iterator of type '{}'",
            vm.type_name(&it)
        )));
    }
    Ok(it)
}

fn anext(vm: &Vm, a: &[Value]) -> Res {
    let Some(f) = vm.type_obj(&a[0]).slots().anext else {
        return Err(vm.type_error(format!(
            "'{}' object is not an async iterator",
            vm.type_name(&a[0])
        )));
    };
    let awaitable = f(vm, &a[0])?;
    match a[1].given() {
        None => Ok(awaitable),
        // The wrapper that swallows StopAsyncIteration is a coroutine, so it is written in the language.
        Some(default) => vm.import_call("_anext", "with_default", &[awaitable, default.clone()]),
    }
}

fn repr(vm: &Vm, a: &[Value]) -> Res {
    vm.repr(&a[0])
}

fn ascii(vm: &Vm, a: &[Value]) -> Res {
    vm.ascii(&a[0])
}

fn format(vm: &Vm, a: &[Value]) -> Res {
    let empty = vm.names_empty();
    let spec = a[1].given().unwrap_or(&empty);
    if spec.as_str().is_none() {
        return Err(vm.type_error(format!(
            "format() argument 2 must be str, not {}",
            vm.type_name(spec)
        )));
    }
    vm.format(&a[0], spec)
}

/// `max` and `min`.
fn extreme(vm: &Vm, a: &[Value], name: &str, op: CmpOp) -> Res {
    let (args, key, default) = (tuple_items(&a[0]), optional(&a[1]), a[2].given());
    count_args(vm, name, args.len(), 1, usize::MAX)?;
    if args.len() > 1 && default.is_some() {
        return Err(vm.type_error(format!(
            "Cannot specify a default for {name}() with multiple positional arguments"
        )));
    }
    let mut best: Option<(Value, Value)> = None;
    let mut consider = |item: Value| -> Res<()> {
        let rank = match key {
            Some(k) => vm.call(k, std::slice::from_ref(&item))?,
            None => item.clone(),
        };
        let better = match &best {
            None => true,
            Some((_, top)) => match (rank.as_small(), top.as_small()) {
                (Some(x), Some(y)) => (op == CmpOp::Gt && x > y) || (op == CmpOp::Lt && x < y),
                _ => vm.compare_truth(op, &rank, top)?,
            },
        };
        if better {
            best = Some((item, rank));
        }
        Ok(())
    };
    match args {
        [one] => vm.iterate(one, &mut consider)?,
        many => {
            for v in many {
                consider(v.clone())?;
            }
        }
    }
    match (best, default) {
        (Some((item, _)), _) => Ok(item),
        (None, Some(d)) => Ok(d.clone()),
        (None, None) => Err(vm.value_error(format!("{name}() iterable argument is empty"))),
    }
}

fn max(vm: &Vm, a: &[Value]) -> Res {
    extreme(vm, a, "max", CmpOp::Gt)
}
fn min(vm: &Vm, a: &[Value]) -> Res {
    extreme(vm, a, "min", CmpOp::Lt)
}

fn sorted(vm: &Vm, a: &[Value]) -> Res {
    let args = tuple_items(&a[0]);
    count_args(vm, "sorted", args.len(), 1, 1)?;
    let mut items = vm.collect(&args[0])?;
    let reverse = vm.truth(&a[2])?;
    sort::sort_items(vm, &mut items, a[1].non_none(), reverse)?;
    Ok(vm.list(items))
}

fn breakpoint(vm: &Vm, a: &[Value]) -> Res {
    // sys.breakpointhook can be replaced; there is no debugger of our own yet.
    if let Some(hook) = vm.sys_attr(&vm.intern("breakpointhook")) {
        let kw: Vec<(Value, Value)> = a[1].get::<Dict>().map(Dict::items).unwrap_or_default();
        return vm.call_kw(&hook, tuple_items(&a[0]), &kw);
    }
    Err(vm.runtime_error("breakpoint(): there is no debugger yet"))
}

fn help(vm: &Vm, a: &[Value]) -> Res {
    let Some(v) = a[0].given() else {
        vm.write_stdout("Type help(object) for help about object.\n")?;
        return Ok(Value::NONE);
    };
    let doc = vm.getattr_opt(v, &vm.names.__doc__)?;
    let title = match vm.getattr_opt(v, &vm.names.__name__)? {
        Some(n) => vm.str_string(&n)?,
        None => vm.type_name(v),
    };
    let text = match doc.as_ref().and_then(Value::as_str) {
        Some(d) => format!("Help on {title}:\n\n{d}\n"),
        None => format!("Help on {title}: there is no documentation.\n"),
    };
    vm.write_stdout(&text)?;
    Ok(Value::NONE)
}

// ---- source text

/// The globals and locals that `eval` and `exec` use.
fn namespaces(vm: &Vm, globals: &Value, locals: &Value, who: &str) -> Res<(Value, Value)> {
    let mapping = |v: &Value| vm.type_obj(v).slots().getitem.is_some();
    let Some(g) = globals.non_none() else {
        let none = || vm.error(Exc::SystemError, "globals and locals cannot be NULL");
        let g = vm.globals_dict().ok_or_else(none)?;
        let l = match locals.non_none() {
            Some(l) => l.clone(),
            None => vm.locals_dict().ok_or_else(none)?,
        };
        return check_locals(vm, &l, mapping(&l), who).map(|()| (g, l));
    };
    let Some(d) = g.get::<Dict>() else {
        return Err(match who {
            "eval" => vm.type_error(if mapping(g) {
                "globals must be a real dict; try eval(code, {}, mapping)"
            } else {
                "globals must be a dict"
            }),
            _ => vm.type_error(format!(
                "exec() globals must be a dict, not {}",
                vm.type_name(g)
            )),
        });
    };
    let l = locals.non_none().unwrap_or(g);
    check_locals(vm, l, mapping(l), who)?;
    if vm.dict_index_str(d, &vm.names.__builtins__).is_none() {
        vm.dict_set_str(d, &vm.names.__builtins__, vm.builtins_module());
    }
    Ok((g.clone(), l.clone()))
}

fn check_locals(vm: &Vm, l: &Value, ok: bool, who: &str) -> Res<()> {
    match (ok, who) {
        (true, _) => Ok(()),
        (false, "eval") => Err(vm.type_error("locals must be a mapping")),
        (false, _) => Err(vm.type_error(format!(
            "locals must be a mapping or None, not {}",
            vm.type_name(l)
        ))),
    }
}

/// The text of source given as str or bytes.
fn source_text(vm: &Vm, v: &Value, who: &str, what: &str) -> Res<String> {
    if let Some(s) = v.as_str() {
        return Ok(s.to_string());
    }
    let bytes = match v.kind() {
        Kind::Bytes => this::<crate::object::seq::Bytes>(vm, v)?.data.to_vec(),
        Kind::ByteArray => this::<crate::object::seq::ByteArray>(vm, v)?
            .data
            .borrow()
            .clone(),
        _ => return Err(vm.type_error(format!("{who}() arg 1 must be {what}"))),
    };
    String::from_utf8(bytes).map_err(|_| vm.error(Exc::SyntaxError, "source is not valid UTF-8"))
}

fn run_source(vm: &Vm, a: &[Value], who: &str) -> Res {
    let (g, l) = namespaces(vm, &a[1], &a[2], who)?;
    if let Some(code) = a[0].get::<CodeObj>() {
        if !code.code.freevars.is_empty() && a.get(3).and_then(Value::non_none).is_none() {
            return Err(vm.type_error(format!(
                "code object passed to {who}() may not contain free variables"
            )));
        }
        return vm.exec_code(&a[0], &g, Some(&l));
    }
    let text = source_text(vm, &a[0], who, "a string, bytes or code object")?;
    let text = if who == "eval" {
        text.trim_start_matches([' ', '\t'])
    } else {
        &text
    };
    let code = vm.compile_source(text, "<string>", who, 0)?;
    vm.exec_code(&code, &g, Some(&l))
}

fn eval(vm: &Vm, a: &[Value]) -> Res {
    run_source(vm, a, "eval")
}

fn exec(vm: &Vm, a: &[Value]) -> Res {
    run_source(vm, a, "exec")?;
    Ok(Value::NONE)
}

fn compile(vm: &Vm, a: &[Value]) -> Res {
    let filename = match a[1].as_str() {
        Some(s) => s.to_string(),
        None => {
            let path = vm.import_call("os", "fsdecode", std::slice::from_ref(&a[1]))?;
            vm.str_string(&path)?
        }
    };
    let Some(mode) = a[2].as_str() else {
        return Err(vm.type_error(format!(
            "compile() argument 'mode' must be str, not {}",
            vm.type_name(&a[2])
        )));
    };
    let flags = vm.as_i64(&a[3], "flags")?;
    // Future features, top-level await, and what only concerns syntax trees.
    const KNOWN: i64 = 0x1fe_0000 | 0x2000 | 0x400 | 0x200 | 0x100 | 0x8400;
    if flags & !KNOWN != 0 {
        return Err(vm.value_error("compile(): unrecognised flags"));
    }
    if !matches!(mode, "exec" | "eval" | "single") {
        return Err(vm.value_error("compile() mode must be 'exec', 'eval' or 'single'"));
    }
    if a[0].is_kind::<CodeObj>() {
        return Ok(a[0].clone());
    }
    let text = source_text(vm, &a[0], "compile", "a string, bytes or AST object")?;
    vm.compile_source(&text, &filename, mode, flags as u32)
}

fn import(vm: &Vm, a: &[Value]) -> Res {
    if a[0].as_str().is_none() {
        return Err(vm.type_error(format!(
            "module name must be a string, not {}",
            vm.type_name(&a[0])
        )));
    }
    let level = vm.as_i64(&a[4], "level")?;
    let Ok(level) = u32::try_from(level) else {
        return Err(vm.value_error("level must be >= 0"));
    };
    let globals = a[1].non_none().cloned().unwrap_or_else(|| vm.dict());
    let from = a[3].given().cloned().unwrap_or(Value::NONE);
    vm.import_name(&a[0], &globals, &from, level)
}

/// True if the class can be asked for its `__dict__` (used by `dir` of modules and classes).
pub fn is_class(v: &Value) -> bool {
    v.is_kind::<TypeObj>()
}

pub static FUNCTIONS: &[NativeDef] = &[
    NativeDef {
        sig: "all(iterable, /)",
        f: all,
        doc: "Return True if bool(x) is True for all values x in the iterable.\n\nIf the iterable is empty, return True.",
    },
    NativeDef {
        sig: "any(iterable, /)",
        f: any,
        doc: "Return True if bool(x) is True for any x in the iterable.\n\nIf the iterable is empty, return False.",
    },
    NativeDef {
        sig: "callable(obj, /)",
        f: callable,
        doc: "Return whether the object is callable (i.e., some kind of function).\n\nNote that classes are callable, as are instances of classes with a\n__call__() method.",
    },
    NativeDef {
        sig: "getattr(object, name, default=..., /)",
        f: getattr,
        doc: "getattr(object, name[, default]) -> value\n\nGet a named attribute from an object; getattr(x, 'y') is equivalent to x.y.\nWhen a default argument is given, it is returned when the attribute doesn't\nexist; without it, an exception is raised in that case.",
    },
    NativeDef {
        sig: "hasattr(obj, name, /)",
        f: hasattr,
        doc: "Return whether the object has an attribute with the given name.\n\nThis is done by calling getattr(obj, name) and catching AttributeError.",
    },
    NativeDef {
        sig: "setattr(obj, name, value, /)",
        f: setattr,
        doc: "Sets the named attribute on the given object to the specified value.\n\nsetattr(x, 'y', v) is equivalent to ``x.y = v``",
    },
    NativeDef {
        sig: "delattr(obj, name, /)",
        f: delattr,
        doc: "Deletes the named attribute from the given object.\n\ndelattr(x, 'y') is equivalent to ``del x.y``",
    },
    NativeDef {
        sig: "dir(*args)",
        f: dir,
        doc: "Show attributes of an object.",
    },
    NativeDef {
        sig: "vars(object=..., /)",
        f: vars,
        doc: "vars([object]) -> dictionary\n\nWithout arguments, equivalent to locals().\nWith an argument, equivalent to object.__dict__.",
    },
    NativeDef {
        sig: "locals()",
        f: locals,
        doc: "Return a dictionary containing the current scope's local variables.",
    },
    NativeDef {
        sig: "globals()",
        f: globals,
        doc: "Return the dictionary containing the current scope's global variables.",
    },
    NativeDef {
        sig: "hash(obj, /)",
        f: hash,
        doc: "Return the hash value for the given object.\n\nTwo objects that compare equal must also have the same hash value, but the\nreverse is not necessarily true.",
    },
    NativeDef {
        sig: "id(obj, /)",
        f: id,
        doc: "Return the identity of an object.\n\nThis is guaranteed to be unique among simultaneously existing objects.",
    },
    NativeDef {
        sig: "isinstance(obj, class_or_tuple, /)",
        f: isinstance,
        doc: "Return whether an object is an instance of a class or of a subclass thereof.\n\nA tuple, as in ``isinstance(x, (A, B, ...))``, may be given as the target to\ncheck against. This is equivalent to ``isinstance(x, A) or isinstance(x, B)\nor ...`` etc.",
    },
    NativeDef {
        sig: "issubclass(cls, class_or_tuple, /)",
        f: issubclass,
        doc: "Return whether 'cls' is derived from another class or is the same class.",
    },
    NativeDef {
        sig: "len(obj, /)",
        f: len,
        doc: "Return the number of items in a container.",
    },
    NativeDef {
        sig: "iter(object, sentinel=..., /)",
        f: iter,
        doc: "Get an iterator from an object.\n\nIn the first form, the argument must supply its own iterator, or be a sequence.\nIn the second form, the callable is called until it returns the sentinel.",
    },
    NativeDef {
        sig: "next(iterator, default=..., /)",
        f: next,
        doc: "Return the next item from the iterator.\n\nIf default is given and the iterator is exhausted,\nit is returned instead of raising StopIteration.",
    },
    NativeDef {
        sig: "aiter(async_iterable, /)",
        f: aiter,
        doc: "Return an AsyncIterator for an AsyncIterable object.",
    },
    NativeDef {
        sig: "anext(aiterator, default=..., /)",
        f: anext,
        doc: "Return the next item from the async iterator.\n\nIf default is given and the async iterator is exhausted,\nit is returned instead of raising StopAsyncIteration.",
    },
    NativeDef {
        sig: "repr(obj, /)",
        f: repr,
        doc: "Return the canonical string representation of the object.\n\nFor many object types, including most builtins, eval(repr(obj)) == obj.",
    },
    NativeDef {
        sig: "ascii(obj, /)",
        f: ascii,
        doc: "Return an ASCII-only representation of an object.",
    },
    NativeDef {
        sig: "format(value, format_spec=..., /)",
        f: format,
        doc: "Return type(value).__format__(value, format_spec).",
    },
    NativeDef {
        sig: "max(*args, key=None, default=...)",
        f: max,
        doc: "max(iterable, *[, default=obj, key=func]) -> value\nmax(arg1, arg2, *args, *[, key=func]) -> value\n\nWith a single iterable argument, return its biggest item. The\ndefault keyword-only argument specifies an object to return if\nthe provided iterable is empty.\nWith two or more positional arguments, return the largest argument.",
    },
    NativeDef {
        sig: "min(*args, key=None, default=...)",
        f: min,
        doc: "min(iterable, *[, default=obj, key=func]) -> value\nmin(arg1, arg2, *args, *[, key=func]) -> value\n\nWith a single iterable argument, return its smallest item. The\ndefault keyword-only argument specifies an object to return if\nthe provided iterable is empty.\nWith two or more positional arguments, return the smallest argument.",
    },
    NativeDef {
        sig: "sorted(*args, key=None, reverse=False)",
        f: sorted,
        doc: "Return a new list containing all items from the iterable in ascending order.\n\nA custom key function can be supplied to customize the sort order, and the\nreverse flag can be set to request the result in descending order.",
    },
    NativeDef {
        sig: "breakpoint(*args, **kws)",
        f: breakpoint,
        doc: "Call sys.breakpointhook(*args, **kws).",
    },
    NativeDef {
        sig: "help(request=...)",
        f: help,
        doc: "Print the documentation of an object.",
    },
    NativeDef {
        sig: "eval(source, /, globals=None, locals=None)",
        f: eval,
        doc: "Evaluate the given source in the context of globals and locals.",
    },
    NativeDef {
        sig: "exec(source, /, globals=None, locals=None, *, closure=None)",
        f: exec,
        doc: "Execute the given source in the context of globals and locals.",
    },
    NativeDef {
        sig: "compile(source, filename, mode, flags=0, dont_inherit=False, optimize=-1, *, _feature_version=-1)",
        f: compile,
        doc: "Compile source into a code object that can be executed by exec() or eval().",
    },
    NativeDef {
        sig: "__import__(name, globals=None, locals=None, fromlist=..., level=0)",
        f: import,
        doc: "Import a module.",
    },
];
