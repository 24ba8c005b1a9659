//! BaseExceptionGroup and ExceptionGroup (PEP 654): construction, `split`, `subgroup`, `derive`.

use super::exceptions::{data, field, set_field};
use crate::object::exception::Exception;
use crate::object::header::Kind;
use crate::object::native::{Args, NativeDef, tuple_items};
use crate::object::seq::{List, Tuple};
use crate::object::types::{GetSetDef, Slots, TypeObj};
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::{Res, Vm};

/// ExceptionGroup derives from BaseExceptionGroup and Exception; native types are made with one base, so the second is added here.
pub fn add_exception_base(vm: &Vm, ty: &Value) {
    let Some(t) = ty.get::<TypeObj>() else { return };
    let (group, exception, base) = (
        vm.exc_type(Exc::BaseExceptionGroup).clone(),
        vm.exc_type(Exc::Exception).clone(),
        vm.exc_type(Exc::BaseException).clone(),
    );
    t.bases
        .replace(vm.tuple(vec![group.clone(), exception.clone()]));
    t.mro.replace(vm.tuple(vec![
        ty.clone(),
        group,
        exception.clone(),
        base,
        vm.kind_type(Kind::Object).clone(),
    ]));
    if let Some(x) = exception.get::<TypeObj>() {
        x.subclasses.borrow_mut().push(ty.bits() as *const _);
    }
}

fn members(vm: &Vm, v: &Value) -> Value {
    field(vm, v, &vm.names.exceptions)
}

fn group_new(vm: &Vm, class: &Value, args: Args) -> Res {
    let [message, excs] = args.pos() else {
        return Err(vm.type_error(format!(
            "BaseExceptionGroup.__new__() takes exactly 2 arguments ({} given)",
            args.pos().len()
        )));
    };
    if message.as_str().is_none() {
        return Err(vm.type_error(format!(
            "BaseExceptionGroup.__new__() argument 1 must be str, not {}",
            vm.type_name(message)
        )));
    }
    let items: Vec<Value> = if excs.is_kind::<List>()
        || excs.is_kind::<Tuple>()
        || vm.type_obj(excs).has(crate::object::types::tflag::SEQUENCE)
    {
        vm.collect(excs)?
    } else {
        return Err(vm.type_error("second argument (exceptions) must be a sequence"));
    };
    if items.is_empty() {
        return Err(vm.value_error("second argument (exceptions) must be a non-empty sequence"));
    }
    let mut all_plain = true;
    for (i, e) in items.iter().enumerate() {
        if !e.is_kind::<Exception>() {
            return Err(vm.value_error(format!(
                "Item {i} of second argument (exceptions) is not an exception"
            )));
        }
        all_plain &= vm.is_exc_value(e, Exc::Exception);
    }
    let mut class = class.clone();
    let base_group = vm.exc_type(Exc::BaseExceptionGroup);
    if class.is(base_group) {
        if all_plain {
            class = vm.exc_type(Exc::ExceptionGroup).clone();
        }
    } else if !all_plain
        && class
            .get::<TypeObj>()
            .is_some_and(|t| t.is_subtype(vm.exc_type(Exc::Exception)))
    {
        let what = if class.is(vm.exc_type(Exc::ExceptionGroup)) {
            "ExceptionGroup".to_string()
        } else {
            class
                .get::<TypeObj>()
                .map_or(String::new(), TypeObj::name_str)
        };
        return Err(vm.type_error(if what == "ExceptionGroup" {
            "Cannot nest BaseExceptions in an ExceptionGroup".to_string()
        } else {
            format!("Cannot nest BaseExceptions in '{what}'")
        }));
    }
    let shape = class
        .get::<TypeObj>()
        .map_or(std::ptr::null(), |t| t.root_shape.get());
    let v = vm.alloc_exception(shape, Exception::new(vm.tuple(args.pos().to_vec())));
    set_field(vm, &v, &vm.names.message, message.clone());
    set_field(vm, &v, &vm.names.exceptions, vm.tuple(items));
    Ok(v)
}

fn group_init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    if args.has_keywords() {
        return Err(vm.type_error(format!("{}() takes no keyword arguments", vm.type_name(v))));
    }
    Ok(())
}

fn group_str(vm: &Vm, v: &Value) -> Res {
    let n = tuple_items(&members(vm, v)).len();
    let m = vm.str_string(&field(vm, v, &vm.names.message))?;
    Ok(vm.str(&format!(
        "{m} ({n} sub-exception{})",
        if n == 1 { "" } else { "s" }
    )))
}

fn group_repr(vm: &Vm, v: &Value) -> Res {
    let m = vm.repr_string(&field(vm, v, &vm.names.message))?;
    let list = members(vm, v);
    // Shown as the kind of sequence that was given.
    let args = data(vm, v)?.args.borrow().clone();
    let shown = match tuple_items(&args) {
        [_, given] if given.is_kind::<Tuple>() => list,
        _ => vm.list(tuple_items(&list).to_vec()),
    };
    Ok(vm.str(&format!(
        "{}({m}, {})",
        vm.type_name(v),
        vm.repr_string(&shown)?
    )))
}

pub fn slots(s: &mut Slots) {
    s.new = Some(group_new);
    s.init = Some(group_init);
    s.str = Some(group_str);
    s.repr = Some(group_repr);
}

/// The wording of attributes that C structures share with scripts.
fn read_only(vm: &Vm, _: &Value, _: Option<&Value>) -> Res<()> {
    Err(vm.error(Exc::AttributeError, "readonly attribute"))
}

pub static GETSET: &[GetSetDef] = &[
    GetSetDef {
        name: "message",
        get: |vm, v| Ok(field(vm, v, &vm.names.message)),
        set: Some(read_only),
        doc: "exception message",
    },
    GetSetDef {
        name: "exceptions",
        get: |vm, v| Ok(members(vm, v)),
        set: Some(read_only),
        doc: "nested exceptions",
    },
];

/// How `split` and `subgroup` choose.
enum Matcher {
    Types(Value),
    Predicate(Value),
}

fn matcher(vm: &Vm, v: &Value) -> Res<Matcher> {
    let base = vm.exc_type(Exc::BaseException);
    let is_exc_class = |t: &Value| t.get::<TypeObj>().is_some_and(|t| t.is_subtype(base));
    if is_exc_class(v) || v.get::<Tuple>().is_some_and(|t| t.iter().all(is_exc_class)) {
        return Ok(Matcher::Types(v.clone()));
    }
    if !v.is_kind::<TypeObj>() && vm.type_obj(v).slots().call.is_some() {
        return Ok(Matcher::Predicate(v.clone()));
    }
    Err(vm.type_error("expected an exception type, a tuple of exception types, or a callable (other than a class)"))
}

fn matches(vm: &Vm, m: &Matcher, e: &Value) -> Res<bool> {
    match m {
        Matcher::Types(t) => vm.exception_matches(e, t),
        Matcher::Predicate(f) => {
            let r = vm.call(f, std::slice::from_ref(e))?;
            vm.truth(&r)
        }
    }
}

/// The parts of `e` that match and that do not; either may be None.
fn split_one(vm: &Vm, e: &Value, m: &Matcher) -> Res<(Option<Value>, Option<Value>)> {
    if matches(vm, m, e)? {
        return Ok((Some(e.clone()), None));
    }
    if !vm.is_exc_value(e, Exc::BaseExceptionGroup) {
        return Ok((None, Some(e.clone())));
    }
    vm.check_native_stack()?;
    let (mut yes, mut no) = (Vec::new(), Vec::new());
    for x in tuple_items(&members(vm, e)) {
        let (a, b) = split_one(vm, x, m)?;
        yes.extend(a);
        no.extend(b);
    }
    Ok((derived(vm, e, yes)?, derived(vm, e, no)?))
}

/// A group like `e` with other members: made by `derive`, with traceback, cause, context and notes of `e`.
fn derived(vm: &Vm, e: &Value, items: Vec<Value>) -> Res<Option<Value>> {
    if items.is_empty() {
        return Ok(None);
    }
    let derive = vm.getattr_str(e, "derive")?;
    let g = vm.call(&derive, &[vm.list(items)])?;
    if !vm.is_exc_value(&g, Exc::BaseExceptionGroup) {
        return Err(vm.type_error("derive must return an instance of BaseExceptionGroup"));
    }
    let (x, o) = (data(vm, &g)?, data(vm, e)?);
    *x.traceback.borrow_mut() = o.traceback.borrow().clone();
    *x.cause.borrow_mut() = o.cause.borrow().clone();
    *x.context.borrow_mut() = o.context.borrow().clone();
    x.suppress_context.set(o.suppress_context.get());
    if let Some(notes) = vm.getattr_opt(e, &vm.names.__notes__)? {
        let copy = vm.collect(&notes)?;
        vm.setattr(&g, &vm.names.__notes__, &vm.list(copy))?;
    }
    Ok(Some(g))
}

fn split(vm: &Vm, a: &[Value]) -> Res {
    let m = matcher(vm, &a[1])?;
    let (x, y) = split_one(vm, &a[0], &m)?;
    Ok(vm.pair(x.unwrap_or(Value::NONE), y.unwrap_or(Value::NONE)))
}
fn subgroup(vm: &Vm, a: &[Value]) -> Res {
    let m = matcher(vm, &a[1])?;
    Ok(split_one(vm, &a[0], &m)?.0.unwrap_or(Value::NONE))
}
fn derive(vm: &Vm, a: &[Value]) -> Res {
    vm.call(
        vm.exc_type(Exc::BaseExceptionGroup),
        &[field(vm, &a[0], &vm.names.message), a[1].clone()],
    )
}
fn class_getitem(vm: &Vm, a: &[Value]) -> Res {
    vm.generic_alias(&a[0], &a[1])
}

pub static METHODS: &[NativeDef] = &[
    NativeDef {
        sig: "split(self, matcher_value, /)",
        f: split,
        doc: "The matching part and the rest, as groups or None.",
    },
    NativeDef {
        sig: "subgroup(self, matcher_value, /)",
        f: subgroup,
        doc: "The matching part, or None.",
    },
    NativeDef {
        sig: "derive(self, excs, /)",
        f: derive,
        doc: "A group with the same message and other exceptions.",
    },
];
pub static CLASS_METHODS: &[NativeDef] = &[NativeDef {
    sig: "__class_getitem__(cls, item, /)",
    f: class_getitem,
    doc: "See PEP 585",
}];
