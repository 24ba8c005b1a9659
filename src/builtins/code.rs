//! Code objects, frames and tracebacks as scripts see them.

use crate::object::exception::{FrameObj, Traceback};
use crate::object::func::CodeObj;
use crate::object::header::Kind;
use crate::object::native::NativeDef;
use crate::object::types::{CmpOp, GetSetDef, TypeSpec};
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

fn code<'a>(vm: &Vm, v: &'a Value) -> Res<&'a CodeObj> {
    v.get::<CodeObj>()
        .ok_or_else(|| vm.type_error("a code object was expected"))
}

fn names(vm: &Vm, list: &[Rc<str>]) -> Value {
    vm.tuple(list.iter().map(|n| vm.intern(n)).collect())
}

/// The bits of `co_flags` that CPython knows.
const PUBLIC_FLAGS: u32 = 0x0fff_ffff;

/// Names of local variables: parameters first, cells that are no parameters left out.
fn varnames(vm: &Vm, v: &Value) -> Res {
    let c = &code(vm, v)?.code;
    let params = param_count(c);
    let plain = c
        .varnames
        .iter()
        .enumerate()
        .filter(|(i, n)| *i < params || !c.cellvars.contains(n))
        .map(|(_, n)| vm.intern(n))
        .collect();
    Ok(vm.tuple(plain))
}

fn param_count(c: &crate::bytecode::Code) -> usize {
    use crate::bytecode::flags;
    let stars =
        (c.flags & flags::VARARGS != 0) as usize + (c.flags & flags::VARKEYWORDS != 0) as usize;
    (c.argcount + c.kwonlyargcount) as usize + stars
}

fn first_line(c: &crate::bytecode::Code) -> u32 {
    c.source.line_col(c.span.start).0
}

/// The line of the instruction at word `at`.
pub fn line_at(c: &crate::bytecode::Code, at: u32) -> u32 {
    let i = c.positions.partition_point(|p| p.at <= at);
    match i.checked_sub(1).and_then(|i| c.positions.get(i)) {
        Some(p) => c.source.line_col(p.span.start).0,
        None => first_line(c),
    }
}

fn code_repr(vm: &Vm, v: &Value) -> Res {
    let c = code(vm, v)?;
    Ok(vm.str(&format!(
        "<code object {} at {:#x}, file \"{}\", line {}>",
        c.code.name,
        v.id(),
        c.code.source.name,
        first_line(&c.code)
    )))
}

/// Byte offsets as CPython counts them: two per code unit.
fn offset(at: u32) -> i64 {
    at as i64 * 2
}

/// `co_lines()`: (start, end, line) for runs of one line.
fn co_lines(vm: &Vm, a: &[Value]) -> Res {
    let c = &code(vm, &a[0])?.code;
    let mut out: Vec<(u32, u32, u32)> = Vec::new();
    for (i, p) in c.positions.iter().enumerate() {
        let end = c
            .positions
            .get(i + 1)
            .map_or(c.instrs.len() as u32, |n| n.at);
        let line = c.source.line_col(p.span.start).0;
        match out.last_mut() {
            Some(last) if last.2 == line => last.1 = end,
            _ => out.push((p.at, end, line)),
        }
    }
    let rows = out
        .into_iter()
        .map(|(s, e, l)| vm.tuple(vec![vm.int(offset(s)), vm.int(offset(e)), vm.int(l as i64)]))
        .collect();
    vm.iter(&vm.list(rows))
}

/// `co_positions()`: (line, end line, column, end column) per instruction word.
fn co_positions(vm: &Vm, a: &[Value]) -> Res {
    let c = &code(vm, &a[0])?.code;
    let mut rows = Vec::new();
    for at in 0..c.instrs.len() as u32 {
        let i = c.positions.partition_point(|p| p.at <= at);
        rows.push(match i.checked_sub(1).and_then(|i| c.positions.get(i)) {
            Some(p) => {
                let ((l, col), (el, ecol)) = (
                    c.source.line_col(p.span.start),
                    c.source.line_col(p.span.end),
                );
                vm.tuple(
                    [l, el, col, ecol]
                        .iter()
                        .map(|&n| vm.int(n as i64))
                        .collect(),
                )
            }
            None => vm.tuple(vec![Value::NONE, Value::NONE, Value::NONE, Value::NONE]),
        });
    }
    vm.iter(&vm.list(rows))
}

fn consts(vm: &Vm, v: &Value) -> Res {
    let c = code(vm, v)?;
    let mut items = Vec::new();
    if let Some(d) = &c.code.doc {
        items.push(vm.str(d));
    }
    items.extend(c.consts.iter().cloned());
    items.extend(c.codes.iter().cloned());
    Ok(vm.tuple(items))
}

fn code_bytes(vm: &Vm, v: &Value) -> Res {
    let bytes: Vec<u8> = code(vm, v)?
        .code
        .instrs
        .iter()
        .flat_map(|w| w.to_le_bytes())
        .collect();
    Ok(vm.bytes_vec(bytes))
}

fn count(vm: &Vm, v: &Value, f: fn(&CodeObj) -> u32) -> Res {
    Ok(vm.int(f(code(vm, v)?) as i64))
}

/// `code.replace(**fields)` for the names and line that wrappers change.
fn replace(vm: &Vm, a: &[Value]) -> Res {
    let c = code(vm, &a[0])?;
    let old = &c.code;
    let text =
        |v: &Value, old: &Rc<str>| -> Rc<str> { v.as_str().map_or_else(|| old.clone(), Rc::from) };
    let mut source = old.source.clone();
    if let Some(name) = a[3].as_str() {
        source = Rc::new(crate::bytecode::SourceFile::new(name, &old.source.text));
    }
    let flags = match a[4].as_small() {
        Some(f) => f as u32 & PUBLIC_FLAGS | old.flags & !PUBLIC_FLAGS,
        None => old.flags,
    };
    let new = crate::bytecode::Code {
        name: text(&a[1], &old.name),
        qualname: text(&a[2], &old.qualname),
        source,
        span: old.span,
        flags,
        argcount: old.argcount,
        posonlyargcount: old.posonlyargcount,
        kwonlyargcount: old.kwonlyargcount,
        varnames: old.varnames.clone(),
        nlocals: old.nlocals,
        nregs: old.nregs,
        cellvars: old.cellvars.clone(),
        freevars: old.freevars.clone(),
        instrs: old.instrs.clone(),
        consts: old.consts.clone(),
        names: old.names.clone(),
        codes: old.codes.clone(),
        handlers: old.handlers.clone(),
        positions: old.positions.clone(),
        doc: old.doc.clone(),
    };
    Ok(vm.code(&Rc::new(new)))
}

pub static CODE: TypeSpec = TypeSpec {
    name: "code",
    kind: Kind::Code,
    slots: |s| {
        s.repr = Some(code_repr);
        s.cmp = Some(
            |_, a, b, op| match (a.get::<CodeObj>(), b.get::<CodeObj>(), op) {
                (Some(x), Some(y), CmpOp::Eq | CmpOp::Ne) => {
                    let same = Rc::ptr_eq(&x.code, &y.code);
                    Ok(Value::bool(same == (op == CmpOp::Eq)))
                }
                _ => Ok(Value::NOT_IMPLEMENTED),
            },
        );
        s.hash = Some(|vm, v| Ok((Rc::as_ptr(&code(vm, v)?.code) as usize >> 4) as i64));
    },
    methods: &[
        NativeDef {
            sig: "co_lines(self, /)",
            f: co_lines,
            doc: "",
        },
        NativeDef {
            sig: "co_positions(self, /)",
            f: co_positions,
            doc: "",
        },
        NativeDef {
            sig: "replace(self, /, *, co_name=None, co_qualname=None, co_filename=None, co_flags=None)",
            f: replace,
            doc: "Return a copy of the code object with new values for the specified fields.",
        },
    ],
    getset: &[
        GetSetDef {
            name: "co_name",
            get: |vm, v| Ok(code(vm, v)?.name.clone()),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "co_qualname",
            get: |vm, v| Ok(code(vm, v)?.qualname.clone()),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "co_filename",
            get: |vm, v| Ok(code(vm, v)?.filename.clone()),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "co_firstlineno",
            get: |vm, v| count(vm, v, |c| first_line(&c.code)),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "co_argcount",
            get: |vm, v| count(vm, v, |c| c.code.argcount),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "co_posonlyargcount",
            get: |vm, v| count(vm, v, |c| c.code.posonlyargcount),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "co_kwonlyargcount",
            get: |vm, v| count(vm, v, |c| c.code.kwonlyargcount),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "co_nlocals",
            get: |vm, v| vm.len(&varnames(vm, v)?).map(|n| vm.usize(n)),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "co_stacksize",
            get: |vm, v| count(vm, v, |c| c.nregs - c.nlocals.min(c.nregs)),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "co_flags",
            get: |vm, v| count(vm, v, |c| c.flags & PUBLIC_FLAGS),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "co_varnames",
            get: varnames,
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "co_names",
            get: |vm, v| Ok(vm.tuple(code(vm, v)?.names.clone())),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "co_cellvars",
            get: |vm, v| Ok(names(vm, &code(vm, v)?.code.cellvars)),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "co_freevars",
            get: |vm, v| Ok(names(vm, &code(vm, v)?.code.freevars)),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "co_consts",
            get: consts,
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "co_code",
            get: code_bytes,
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "co_linetable",
            get: |vm, _| Ok(vm.bytes(b"")),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "co_exceptiontable",
            get: |vm, _| Ok(vm.bytes(b"")),
            set: None,
            doc: "",
        },
    ],
    ..TypeSpec::EMPTY
};

// ---- frames

fn frame<'a>(vm: &Vm, v: &'a Value) -> Res<&'a FrameObj> {
    v.get::<FrameObj>()
        .ok_or_else(|| vm.type_error("a frame was expected"))
}

fn frame_line(vm: &Vm, v: &Value) -> Res {
    let f = frame(vm, v)?;
    Ok(f.code
        .get::<CodeObj>()
        .map_or(Value::NONE, |c| vm.int(line_at(&c.code, f.at.get()) as i64)))
}

fn frame_repr(vm: &Vm, v: &Value) -> Res {
    let f = frame(vm, v)?;
    let (file, name) = f
        .code
        .get::<CodeObj>()
        .map_or((String::new(), String::new()), |c| {
            (c.code.source.name.to_string(), c.code.name.to_string())
        });
    Ok(vm.str(&format!(
        "<frame at {:#x}, file {}, line {}, code {name}>",
        v.id(),
        crate::text::repr::str_repr(&file),
        vm.str_string(&frame_line(vm, v)?)?
    )))
}

fn frame_locals(vm: &Vm, v: &Value) -> Res {
    let f = frame(vm, v)?;
    if f.locals.borrow().is_unbound() {
        f.locals.replace(vm.dict());
    }
    Ok(f.locals.borrow().clone())
}

fn frame_back(vm: &Vm, v: &Value) -> Res {
    let b = frame(vm, v)?.back.borrow().clone();
    Ok(if b.is_unbound() { Value::NONE } else { b })
}

fn frame_clear(vm: &Vm, a: &[Value]) -> Res {
    drop(frame(vm, &a[0])?.locals.replace(Value::UNBOUND));
    Ok(Value::NONE)
}

pub static FRAME: TypeSpec = TypeSpec {
    name: "frame",
    kind: Kind::Frame,
    slots: |s| s.repr = Some(frame_repr),
    methods: &[NativeDef {
        sig: "clear(self, /)",
        f: frame_clear,
        doc: "Clear all references held by the frame.",
    }],
    getset: &[
        GetSetDef {
            name: "f_code",
            get: |vm, v| Ok(frame(vm, v)?.code.clone()),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "f_globals",
            get: |vm, v| Ok(frame(vm, v)?.globals.clone()),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "f_builtins",
            get: |vm, _| Ok(vm.builtins.clone()),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "f_locals",
            get: frame_locals,
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "f_lineno",
            get: frame_line,
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "f_lasti",
            get: |vm, v| Ok(vm.int(offset(frame(vm, v)?.at.get()))),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "f_back",
            get: frame_back,
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "f_trace",
            get: |_, _| Ok(Value::NONE),
            set: Some(|_, _, _| Ok(())),
            doc: "",
        },
        GetSetDef {
            name: "f_generator",
            get: |_, _| Ok(Value::NONE),
            set: None,
            doc: "",
        },
    ],
    ..TypeSpec::EMPTY
};

// ---- tracebacks

fn tb<'a>(vm: &Vm, v: &'a Value) -> Res<&'a Traceback> {
    v.get::<Traceback>()
        .ok_or_else(|| vm.type_error("a traceback was expected"))
}

fn tb_line(vm: &Vm, v: &Value) -> Res {
    let t = tb(vm, v)?;
    if t.lineno.get() != 0 {
        return Ok(vm.int(t.lineno.get() as i64));
    }
    let f = vm.traceback_frame(v);
    let c = f.get::<FrameObj>().map(|f| f.code.clone());
    Ok(c.as_ref()
        .and_then(|c| c.get::<CodeObj>())
        .map_or(Value::NONE, |c| vm.int(line_at(&c.code, t.at) as i64)))
}

fn set_next(vm: &Vm, v: &Value, new: Option<&Value>) -> Res<()> {
    let Some(n) = new else {
        return Err(vm.type_error("can't delete tb_next attribute"));
    };
    if !n.is_none() && !n.is_kind::<Traceback>() {
        return Err(vm.type_error(format!(
            "expected traceback object or None, got '{}'",
            vm.type_name(n)
        )));
    }
    let mut at = n.clone();
    while let Some(t) = at.get::<Traceback>() {
        if at.is(v) {
            return Err(vm.value_error("traceback loop detected"));
        }
        let next = t.next.borrow().clone();
        at = next;
    }
    drop(tb(vm, v)?.next.replace(n.clone()));
    Ok(())
}

pub static TRACEBACK: TypeSpec = TypeSpec {
    name: "traceback",
    kind: Kind::Traceback,
    slots: |s| {
        s.new = Some(|vm, _, args| {
            let a = vm.bind_args(
                "TracebackType(tb_next, tb_frame, tb_lasti, tb_lineno)",
                args,
            )?;
            if !a[0].is_none() && !a[0].is_kind::<Traceback>() {
                return Err(vm.type_error(format!(
                    "expected traceback object or None, got '{}'",
                    vm.type_name(&a[0])
                )));
            }
            if !a[1].is_kind::<FrameObj>() {
                return Err(vm.wrong_type("TracebackType() argument 'tb_frame'", "frame", &a[1]));
            }
            let (lasti, line) = (vm.as_i64(&a[2], "int")?, vm.as_i64(&a[3], "int")?);
            Ok(vm.alloc(Traceback {
                frame: RefCell::new(a[1].clone()),
                at: (lasti.max(0) / 2) as u32,
                lineno: Cell::new(line.clamp(0, u32::MAX as i64) as u32),
                next: RefCell::new(a[0].clone()),
            }))
        })
    },
    getset: &[
        GetSetDef {
            name: "tb_frame",
            get: |vm, v| Ok(vm.traceback_frame(v)),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "tb_lineno",
            get: tb_line,
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "tb_lasti",
            get: |vm, v| Ok(vm.int(offset(tb(vm, v)?.at))),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "tb_next",
            get: |vm, v| Ok(tb(vm, v)?.next.borrow().clone()),
            set: Some(set_next),
            doc: "",
        },
    ],
    doc: "Create a new traceback object.",
    ..TypeSpec::EMPTY
};
