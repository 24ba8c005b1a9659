//! The module `_operator`: the operators as functions, and itemgetter, attrgetter, methodcaller.

#![allow(unsafe_code)]

use crate::builtins::support::{has_index, push_repr, same, this};
use crate::modules::math::rows;
use crate::object::dict::Dict;
use crate::object::header::{Kind, Payload};
use crate::object::native::{Args, NativeDef};
use crate::object::types::{BinOp, CmpOp, Slots, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::{Res, Vm};

/// The payload of the three getters. The names of a path are interned.
pub enum Getter {
    Items(Vec<Value>),
    /// Dotted paths, split, and as written.
    Attrs(Vec<Vec<Value>>, Vec<Value>),
    /// Name, arguments, keywords (a dict).
    Method(Value, Vec<Value>, Value),
}
// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for Getter {
    const KIND: Kind = Kind::Getter;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        match self {
            Getter::Items(v) => v.iter().for_each(visit),
            Getter::Attrs(paths, names) => paths.iter().flatten().chain(names).for_each(visit),
            Getter::Method(name, args, kw) => {
                visit(name);
                visit(kw);
                args.iter().for_each(visit);
            }
        }
    }
}

// ---- the getters

fn new_itemgetter(vm: &Vm, class: &Value, args: Args) -> Res {
    let a = crate::builtins::support::positional(vm, "itemgetter", args, 1, usize::MAX)?;
    Ok(vm.alloc_as(class, Getter::Items(a.to_vec())))
}

fn new_attrgetter(vm: &Vm, class: &Value, args: Args) -> Res {
    let a = crate::builtins::support::positional(vm, "attrgetter", args, 1, usize::MAX)?;
    let mut paths = Vec::with_capacity(a.len());
    for v in a {
        let Some(s) = v.as_str() else {
            return Err(vm.type_error("attribute name must be a string"));
        };
        paths.push(s.split('.').map(|part| vm.intern(part)).collect());
    }
    Ok(vm.alloc_as(class, Getter::Attrs(paths, a.to_vec())))
}

fn new_methodcaller(vm: &Vm, class: &Value, args: Args) -> Res {
    let Some((name, rest)) = args.pos().split_first() else {
        return Err(vm.type_error("methodcaller needs at least one argument, the method name"));
    };
    if name.as_str().is_none() {
        return Err(vm.type_error("method name must be a string"));
    }
    let kw = Dict::default();
    for (k, v) in args.keywords() {
        vm.dict_set(&kw, k.clone(), v.clone())?;
    }
    let kw = vm.alloc(kw);
    Ok(vm.alloc_as(
        class,
        Getter::Method(vm.intern_value(name), rest.to_vec(), kw),
    ))
}

/// One result, or a tuple of several.
fn each(vm: &Vm, n: usize, mut f: impl FnMut(usize) -> Res) -> Res {
    if n == 1 {
        f(0)
    } else {
        Ok(vm.tuple((0..n).map(f).collect::<Res<Vec<Value>>>()?))
    }
}

fn call(vm: &Vm, v: &Value, args: Args) -> Res {
    let name = vm.type_name(v);
    let a = crate::builtins::support::positional(vm, &name, args, 1, 1)?;
    match this::<Getter>(vm, v)? {
        Getter::Items(keys) => each(vm, keys.len(), |i| vm.getitem(&a[0], &keys[i])),
        Getter::Attrs(paths, _) => each(vm, paths.len(), |i| {
            paths[i]
                .iter()
                .try_fold(a[0].clone(), |obj, name| vm.getattr(&obj, name))
        }),
        Getter::Method(name, args, kw) => {
            let (f, me) = vm.load_method(&a[0], name)?;
            let mut all: Vec<Value> = me.into_iter().chain(args.iter().cloned()).collect();
            let (names, values): (Vec<Value>, Vec<Value>) = kw
                .get::<Dict>()
                .map(Dict::items)
                .unwrap_or_default()
                .into_iter()
                .unzip();
            all.extend(values);
            vm.call_args(
                &f,
                Args {
                    all: &all,
                    names: &names,
                },
            )
        }
    }
}

fn repr(vm: &Vm, v: &Value) -> Res {
    let mut out = format!("operator.{}(", vm.type_name(v));
    let mut list = |items: &[Value]| -> Res<()> {
        for (i, x) in items.iter().enumerate() {
            if i > 0 {
                out.push_str(", ");
            }
            push_repr(vm, &mut out, x)?;
        }
        Ok(())
    };
    match this::<Getter>(vm, v)? {
        Getter::Items(keys) => list(keys)?,
        Getter::Attrs(_, names) => list(names)?,
        Getter::Method(name, args, kw) => {
            list(&[std::slice::from_ref(name), args].concat())?;
            for (k, x) in kw.get::<Dict>().map(Dict::items).unwrap_or_default() {
                out.push_str(", ");
                out.push_str(k.as_str().unwrap_or("?"));
                out.push('=');
                push_repr(vm, &mut out, &x)?;
            }
        }
    }
    out.push(')');
    Ok(vm.str(&out))
}

fn reduce(vm: &Vm, a: &[Value]) -> Res {
    let class = vm.type_of(&a[0]);
    match this::<Getter>(vm, &a[0])? {
        Getter::Items(v) | Getter::Attrs(_, v) => Ok(vm.pair(class, vm.tuple(v.clone()))),
        Getter::Method(name, args, kw) => {
            let items = kw.get::<Dict>().map(Dict::items).unwrap_or_default();
            if items.is_empty() {
                let all = [std::slice::from_ref(name), args].concat();
                return Ok(vm.pair(class, vm.tuple(all)));
            }
            let functools = vm.import_module("functools")?;
            let partial = vm.getattr_str(&functools, "partial")?;
            let maker = vm.call_kw(&partial, &[class, name.clone()], &items)?;
            Ok(vm.pair(maker, vm.tuple(args.clone())))
        }
    }
}

static METHODS: &[NativeDef] = &[NativeDef {
    sig: "__reduce__(self, /)",
    f: reduce,
    doc: "Return state information for pickling",
}];

fn shared(s: &mut Slots) {
    s.call = Some(call);
    s.repr = Some(repr);
}

static ITEMGETTER: TypeSpec = TypeSpec {
    name: "operator.itemgetter",
    kind: Kind::Getter,
    flags: tflag::WEAKREF,
    slots: |s| {
        shared(s);
        s.new = Some(new_itemgetter);
    },
    methods: METHODS,
    doc: "Return a callable object that fetches the given item(s) from its operand.",
    ..TypeSpec::EMPTY
};
static ATTRGETTER: TypeSpec = TypeSpec {
    name: "operator.attrgetter",
    kind: Kind::Getter,
    flags: tflag::WEAKREF,
    slots: |s| {
        shared(s);
        s.new = Some(new_attrgetter);
    },
    methods: METHODS,
    doc: "Return a callable object that fetches the given attribute(s) from its operand.",
    ..TypeSpec::EMPTY
};
static METHODCALLER: TypeSpec = TypeSpec {
    name: "operator.methodcaller",
    kind: Kind::Getter,
    flags: tflag::WEAKREF,
    slots: |s| {
        shared(s);
        s.new = Some(new_methodcaller);
    },
    methods: METHODS,
    doc: "Return a callable object that calls the given method on its operand.",
    ..TypeSpec::EMPTY
};

// ---- the operators

macro_rules! binaries {
    ($($name:ident $op:ident;)*) => {
        $(fn $name(vm: &Vm, a: &[Value]) -> Res {
            vm.binary(BinOp::$op, &a[0], &a[1])
        })*
    };
}
binaries! {
    add Add; sub Sub; mul Mul; matmul MatMul; truediv Div; floordiv FloorDiv; modulo Mod; pow Pow; lshift LShift; rshift RShift; and_ And; or_ Or; xor Xor;
}
macro_rules! inplaces {
    ($($name:ident $op:ident;)*) => {
        $(fn $name(vm: &Vm, a: &[Value]) -> Res {
            vm.inplace(BinOp::$op, &a[0], &a[1])
        })*
    };
}
inplaces! {
    iadd Add; isub Sub; imul Mul; imatmul MatMul; itruediv Div; ifloordiv FloorDiv; imod Mod; ipow Pow; ilshift LShift; irshift RShift; iand And;
    ior Or; ixor Xor;
}

fn abs(vm: &Vm, a: &[Value]) -> Res {
    let f = vm.builtin("abs")?;
    vm.call(&f, a)
}
fn not_(vm: &Vm, a: &[Value]) -> Res {
    Ok(Value::bool(!vm.truth(&a[0])?))
}
fn truth(vm: &Vm, a: &[Value]) -> Res {
    Ok(Value::bool(vm.truth(&a[0])?))
}
fn contains(vm: &Vm, a: &[Value]) -> Res {
    Ok(Value::bool(vm.contains(&a[0], &a[1])?))
}
fn setitem(vm: &Vm, a: &[Value]) -> Res {
    vm.setitem(&a[0], &a[1], &a[2])?;
    Ok(Value::NONE)
}
fn delitem(vm: &Vm, a: &[Value]) -> Res {
    vm.delitem(&a[0], &a[1])?;
    Ok(Value::NONE)
}

fn concat(vm: &Vm, a: &[Value]) -> Res {
    if vm.type_obj(&a[0]).slots().getitem.is_none() || vm.type_obj(&a[0]).has(tflag::MAPPING) {
        return Err(vm.type_error(format!(
            "'{}' object can't be concatenated",
            vm.type_name(&a[0])
        )));
    }
    vm.binary(BinOp::Add, &a[0], &a[1])
}

fn iconcat(vm: &Vm, a: &[Value]) -> Res {
    if vm.type_obj(&a[0]).slots().getitem.is_none() || vm.type_obj(&a[0]).has(tflag::MAPPING) {
        return Err(vm.type_error(format!(
            "'{}' object can't be concatenated",
            vm.type_name(&a[0])
        )));
    }
    vm.inplace(BinOp::Add, &a[0], &a[1])
}

fn count_of(vm: &Vm, a: &[Value]) -> Res {
    let mut n = 0;
    vm.iterate(&a[0], &mut |x| {
        n += same(vm, &x, &a[1])? as i64;
        Ok(())
    })?;
    Ok(vm.int(n))
}

fn index_of(vm: &Vm, a: &[Value]) -> Res {
    let it = vm.iter(&a[0])?;
    let mut i = 0;
    while let Some(x) = vm.next(&it)? {
        if same(vm, &x, &a[1])? {
            return Ok(vm.int(i));
        }
        i += 1;
    }
    Err(vm.value_error("sequence.index(x): x not in sequence"))
}

fn length_hint(vm: &Vm, a: &[Value]) -> Res {
    if !has_index(vm, &a[1]) {
        return Err(vm.type_error(format!(
            "'{}' object cannot be interpreted as an integer",
            vm.type_name(&a[1])
        )));
    }
    if vm.type_obj(&a[0]).slots().len.is_some() {
        return Ok(vm.usize(vm.len(&a[0])?));
    }
    match vm.call_special(&a[0], &vm.names.__length_hint__, &[])? {
        None => Ok(a[1].clone()),
        Some(r) if r.is_not_implemented() => Ok(a[1].clone()),
        Some(r) => {
            if !has_index(vm, &r) {
                return Err(vm.type_error(format!(
                    "__length_hint__ must be an integer, not {}",
                    vm.type_name(&r)
                )));
            }
            if crate::builtins::support::small_int(&r).is_some_and(|n| n < 0) {
                return Err(vm.value_error("__length_hint__() should return >= 0"));
            }
            Ok(r)
        }
    }
}

fn call_fn(vm: &Vm, a: &[Value]) -> Res {
    let args = crate::object::native::tuple_items(&a[1]);
    let kw = a[2].get::<Dict>().map(Dict::items).unwrap_or_default();
    vm.call_kw(&a[0], args, &kw)
}

/// Bytes of a str (ASCII) or a bytes-like object, for `_compare_digest`.
fn compare_digest(vm: &Vm, a: &[Value]) -> Res {
    let bytes = |v: &Value| -> Res<(Vec<u8>, bool)> {
        if let Some(s) = v.as_str() {
            if !s.is_ascii() {
                return Err(
                    vm.type_error("comparing strings with non-ASCII characters is not supported")
                );
            }
            return Ok((s.as_bytes().to_vec(), true));
        }
        let b = vm.call(vm.kind_type(Kind::Bytes), std::slice::from_ref(v))?;
        Ok((
            b.get::<crate::object::seq::Bytes>()
                .map(|b| b.data.to_vec())
                .unwrap_or_default(),
            false,
        ))
    };
    let ((x, s), (y, t)) = (bytes(&a[0])?, bytes(&a[1])?);
    if s != t {
        return Err(vm.type_error("unsupported operand types(s) or combination of types"));
    }
    // The time depends on the second length only.
    let mut diff = (x.len() ^ y.len()) as u8 | ((x.len() != y.len()) as u8);
    for (i, b) in y.iter().enumerate() {
        diff |= b ^ x.get(i).copied().unwrap_or(0);
    }
    Ok(Value::bool(diff == 0))
}

static FUNCTIONS: &[NativeDef] = rows! {
    "lt(a, b, /)" |vm, a| vm.compare(CmpOp::Lt, &a[0], &a[1]), "Same as a < b.";
    "le(a, b, /)" |vm, a| vm.compare(CmpOp::Le, &a[0], &a[1]), "Same as a <= b.";
    "eq(a, b, /)" |vm, a| vm.compare(CmpOp::Eq, &a[0], &a[1]), "Same as a == b.";
    "ne(a, b, /)" |vm, a| vm.compare(CmpOp::Ne, &a[0], &a[1]), "Same as a != b.";
    "ge(a, b, /)" |vm, a| vm.compare(CmpOp::Ge, &a[0], &a[1]), "Same as a >= b.";
    "gt(a, b, /)" |vm, a| vm.compare(CmpOp::Gt, &a[0], &a[1]), "Same as a > b.";
    "not_(a, /)" not_, "Same as not a.";
    "truth(a, /)" truth, "Return True if a is true, False otherwise.";
    "is_(a, b, /)" |_, a| Ok(Value::bool(a[0].is(&a[1]))), "Same as a is b.";
    "is_not(a, b, /)" |_, a| Ok(Value::bool(!a[0].is(&a[1]))), "Same as a is not b.";
    "is_none(a, /)" |_, a| Ok(Value::bool(a[0].is_none())), "Same as a is None.";
    "is_not_none(a, /)" |_, a| Ok(Value::bool(!a[0].is_none())), "Same as a is not None.";
    "abs(a, /)" abs, "Same as abs(a).";
    "add(a, b, /)" add, "Same as a + b.";
    "and_(a, b, /)" and_, "Same as a & b.";
    "floordiv(a, b, /)" floordiv, "Same as a // b.";
    "index(a, /)" |vm, a| vm.index(&a[0]), "Same as a.__index__()";
    "inv(a, /)" |vm, a| vm.invert(&a[0]), "Same as ~a.";
    "invert(a, /)" |vm, a| vm.invert(&a[0]), "Same as ~a.";
    "lshift(a, b, /)" lshift, "Same as a << b.";
    "mod(a, b, /)" modulo, "Same as a % b.";
    "mul(a, b, /)" mul, "Same as a * b.";
    "matmul(a, b, /)" matmul, "Same as a @ b.";
    "neg(a, /)" |vm, a| vm.neg(&a[0]), "Same as -a.";
    "or_(a, b, /)" or_, "Same as a | b.";
    "pos(a, /)" |vm, a| vm.pos(&a[0]), "Same as +a.";
    "pow(a, b, /)" pow, "Same as a ** b.";
    "rshift(a, b, /)" rshift, "Same as a >> b.";
    "sub(a, b, /)" sub, "Same as a - b.";
    "truediv(a, b, /)" truediv, "Same as a / b.";
    "xor(a, b, /)" xor, "Same as a ^ b.";
    "concat(a, b, /)" concat, "Same as a + b, for a and b sequences.";
    "contains(a, b, /)" contains, "Same as b in a (note reversed operands).";
    "countOf(a, b, /)" count_of, "Return the number of items in a which are, or which equal, b.";
    "indexOf(a, b, /)" index_of, "Return the first index of b in a.";
    "getitem(a, b, /)" |vm, a| vm.getitem(&a[0], &a[1]), "Same as a[b].";
    "setitem(a, b, c, /)" setitem, "Same as a[b] = c.";
    "delitem(a, b, /)" delitem, "Same as del a[b].";
    "length_hint(obj, default=0, /)" length_hint, "Return an estimate of the number of items in obj.";
    "call(obj, /, *args, **kwargs)" call_fn, "Same as obj(*args, **kwargs).";
    "iadd(a, b, /)" iadd, "Same as a += b.";
    "iand(a, b, /)" iand, "Same as a &= b.";
    "iconcat(a, b, /)" iconcat, "Same as a += b, for a and b sequences.";
    "ifloordiv(a, b, /)" ifloordiv, "Same as a //= b.";
    "ilshift(a, b, /)" ilshift, "Same as a <<= b.";
    "imod(a, b, /)" imod, "Same as a %= b.";
    "imul(a, b, /)" imul, "Same as a *= b.";
    "imatmul(a, b, /)" imatmul, "Same as a @= b.";
    "ior(a, b, /)" ior, "Same as a |= b.";
    "ipow(a, b, /)" ipow, "Same as a **= b.";
    "irshift(a, b, /)" irshift, "Same as a >>= b.";
    "isub(a, b, /)" isub, "Same as a -= b.";
    "itruediv(a, b, /)" itruediv, "Same as a /= b.";
    "ixor(a, b, /)" ixor, "Same as a ^= b.";
    "_compare_digest(a, b, /)" compare_digest, "Return 'a == b', in a time that does not depend on the contents.";
};

pub fn init(vm: &Vm) -> Res {
    let m = vm.native_module("_operator", "Operator interface.", &[FUNCTIONS]);
    vm.module_types(&m, &[&ITEMGETTER, &ATTRGETTER, &METHODCALLER]);
    Ok(m)
}
