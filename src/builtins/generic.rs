//! `types.GenericAlias` (`list[int]`) and unions (`int | None`).

#![allow(unsafe_code)]

use crate::builtins::object::full_name;
use crate::object::dict::Dict;
use crate::object::header::{Kind, Payload};
use crate::object::native::{Args, NativeDef, tuple_items};
use crate::object::seq::{List, Tuple};
use crate::object::types::{BinOp, CmpOp, GetSetDef, TypeObj, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use std::cell::RefCell;

/// The payload of `list[int]`.
pub struct GenericAlias {
    pub origin: Value,
    /// A tuple.
    pub args: Value,
    /// The type variables among the arguments, once asked for.
    pub parameters: RefCell<Value>,
    /// `*tuple[int]`.
    pub starred: bool,
}
// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for GenericAlias {
    const KIND: Kind = Kind::Generic;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.origin);
        visit(&self.args);
        // SAFETY: safe points only, no borrow is held.
        visit(unsafe { &*self.parameters.as_ptr() })
    }
}

/// The payload of `int | str`: a tuple of the members.
pub struct Union {
    pub args: Value,
}
// SAFETY: one type per kind; the tuple is visited once.
unsafe impl Payload for Union {
    const KIND: Kind = Kind::Union;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.args)
    }
}

/// Tells the heap about the payloads of this file.
pub fn register(vm: &Vm) {
    vm.heap.register::<GenericAlias>();
    vm.heap.register::<Union>();
}

fn ga<'a>(vm: &Vm, v: &'a Value) -> Res<&'a GenericAlias> {
    v.get::<GenericAlias>()
        .ok_or_else(|| vm.type_error("a generic alias was expected"))
}

impl Vm {
    /// `origin[args]`.
    pub fn generic_alias(&self, origin: &Value, args: &Value) -> Res {
        let args = if self.is_exact(args, Kind::Tuple) {
            args.clone()
        } else {
            self.tuple(vec![args.clone()])
        };
        Ok(self.alloc(GenericAlias {
            origin: origin.clone(),
            args,
            parameters: RefCell::new(Value::UNBOUND),
            starred: false,
        }))
    }

    /// `a | b` for classes and the like; NotImplemented if one of them is no type.
    pub fn union_of(&self, a: &Value, b: &Value) -> Res {
        let mut out: Vec<Value> = Vec::new();
        for v in [a, b] {
            if !self.is_type_like(v) {
                return Ok(Value::NOT_IMPLEMENTED);
            }
            match v.get::<Union>() {
                Some(u) => {
                    for x in tuple_items(&u.args) {
                        self.add_member(&mut out, x)?;
                    }
                }
                None => {
                    let v = if v.is_none() {
                        self.kind_type(Kind::None)
                    } else {
                        v
                    };
                    self.add_member(&mut out, v)?;
                }
            }
        }
        if out.len() == 1 {
            return Ok(out.remove(0));
        }
        Ok(self.alloc(Union {
            args: self.tuple(out),
        }))
    }

    fn add_member(&self, out: &mut Vec<Value>, v: &Value) -> Res<()> {
        for x in out.iter() {
            if x.is(v) || x.kind() == v.kind() && !x.is_kind::<TypeObj>() && self.eq(x, v)? {
                return Ok(());
            }
        }
        out.push(v.clone());
        Ok(())
    }

    /// What may stand in a union by `|`.
    fn is_type_like(&self, v: &Value) -> bool {
        v.is_none()
            || matches!(
                v.kind(),
                Kind::Type | Kind::Generic | Kind::Union | Kind::TypeVar | Kind::TypeAlias
            )
    }

    /// How a type is written inside `[...]` and unions.
    pub fn type_text(&self, v: &Value) -> Res<String> {
        if v.is(&Value::ELLIPSIS) {
            return Ok("...".into());
        }
        if v.is(self.kind_type(Kind::None)) {
            return Ok("None".into());
        }
        if v.is_kind::<GenericAlias>() {
            return self.repr_string(v);
        }
        if v.is_kind::<TypeObj>() {
            return Ok(full_name(self, v));
        }
        if let Some(l) = v.get::<List>() {
            let mut parts = Vec::new();
            for x in l.to_vec() {
                parts.push(self.type_text(&x)?);
            }
            return Ok(format!("[{}]", parts.join(", ")));
        }
        // Anything with an origin knows best itself; other things with a name are written by it.
        if self.getattr_opt(v, &self.intern("__origin__"))?.is_some()
            && self.getattr_opt(v, &self.intern("__args__"))?.is_some()
        {
            return self.repr_string(v);
        }
        let (name, module) = (
            self.getattr_opt(v, &self.names.__qualname__)?,
            self.getattr_opt(v, &self.names.__module__)?,
        );
        match (name, module) {
            (Some(n), Some(m)) if n.as_str().is_some() && !m.is_none() => {
                let (n, m) = (self.str_string(&n)?, self.str_string(&m)?);
                Ok(if m == "builtins" {
                    n
                } else {
                    format!("{m}.{n}")
                })
            }
            _ => self.repr_string(v),
        }
    }

    /// The type variables among type arguments, each once, in order.
    pub fn type_parameters(&self, args: &[Value]) -> Res<Vec<Value>> {
        let mut out: Vec<Value> = Vec::new();
        for a in args {
            if a.is_kind::<TypeObj>() {
                continue;
            }
            let found: Vec<Value> = if a.kind() == Kind::TypeVar {
                vec![a.clone()]
            } else if let Some(t) = a.get::<Tuple>() {
                self.type_parameters(t)?
            } else if let Some(l) = a.get::<List>() {
                self.type_parameters(&l.to_vec())?
            } else {
                match self.getattr_opt(a, &self.intern("__parameters__"))? {
                    Some(p) => tuple_items(&p).to_vec(),
                    None if self
                        .getattr_opt(a, &self.intern("__typing_subst__"))?
                        .is_some() =>
                    {
                        vec![a.clone()]
                    }
                    None => vec![],
                }
            };
            for p in found {
                if !out.iter().any(|x| x.is(&p)) {
                    out.push(p);
                }
            }
        }
        Ok(out)
    }
}

// ---- generic aliases

fn alias_new(vm: &Vm, _: &Value, args: Args) -> Res {
    let a = vm.bind_args("GenericAlias(origin, args, /)", args)?;
    vm.generic_alias(&a[0], &a[1])
}

fn alias_repr(vm: &Vm, v: &Value) -> Res {
    let g = ga(vm, v)?;
    vm.check_native_stack()?;
    let mut parts = Vec::new();
    for a in tuple_items(&g.args) {
        parts.push(vm.type_text(a)?);
    }
    if parts.is_empty() {
        parts.push("()".into());
    }
    let star = if g.starred { "*" } else { "" };
    Ok(vm.str(&format!(
        "{star}{}[{}]",
        vm.type_text(&g.origin)?,
        parts.join(", ")
    )))
}

/// Names that the alias answers itself; all others go to the origin.
const OWN: [&str; 12] = [
    "__class__",
    "__origin__",
    "__args__",
    "__parameters__",
    "__mro_entries__",
    "__reduce_ex__",
    "__reduce__",
    "__copy__",
    "__deepcopy__",
    "__unpacked__",
    "__typing_unpacked_tuple_args__",
    "__getitem__",
];

fn alias_getattr(vm: &Vm, v: &Value, name: &Value) -> Res {
    let own = name.as_str().is_some_and(|n| {
        OWN.contains(&n)
            || matches!(
                n,
                "__eq__"
                    | "__hash__"
                    | "__repr__"
                    | "__or__"
                    | "__ror__"
                    | "__instancecheck__"
                    | "__subclasscheck__"
                    | "__call__"
                    | "__iter__"
                    | "__dir__"
            )
    });
    if own {
        return vm.generic_getattr(v, name);
    }
    vm.getattr(&ga(vm, v)?.origin, name)
}

fn alias_call(vm: &Vm, v: &Value, args: Args) -> Res {
    let g = ga(vm, v)?;
    let obj = vm.call_args(&g.origin, args)?;
    // Objects without room for it do without.
    let set = vm.setattr(&obj, &vm.names.__orig_class__, v);
    match set {
        Err(e)
            if !vm.is_exc(&e, crate::vm::raise::Exc::AttributeError)
                && !vm.is_exc(&e, crate::vm::raise::Exc::TypeError) =>
        {
            Err(e)
        }
        _ => Ok(obj),
    }
}

fn alias_cmp(vm: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res {
    let (Some(x), Some(y)) = (a.get::<GenericAlias>(), b.get::<GenericAlias>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let same = x.starred == y.starred && vm.eq(&x.origin, &y.origin)? && vm.eq(&x.args, &y.args)?;
    Ok(Value::bool(same == (op == CmpOp::Eq)))
}

fn alias_hash(vm: &Vm, v: &Value) -> Res<i64> {
    let g = ga(vm, v)?;
    let h = vm.hash(&g.origin)? ^ vm.hash(&g.args)?;
    Ok(if h == -1 { -2 } else { h })
}

fn parameters(vm: &Vm, v: &Value) -> Res {
    let g = ga(vm, v)?;
    let known = g.parameters.borrow().clone();
    if !known.is_unbound() {
        return Ok(known);
    }
    let p = vm.tuple(vm.type_parameters(tuple_items(&g.args))?);
    drop(g.parameters.replace(p.clone()));
    Ok(p)
}

/// Puts values in the place of type variables.
fn substitute(vm: &Vm, args: &[Value], params: &[Value], values: &[Value]) -> Res<Vec<Value>> {
    let mut out = Vec::new();
    for a in args {
        if let Some(i) = params.iter().position(|p| p.is(a)) {
            out.push(values[i].clone());
        } else if let Some(t) = a.get::<Tuple>() {
            out.push(vm.tuple(substitute(vm, t, params, values)?));
        } else if let Some(l) = a.get::<List>() {
            out.push(vm.list(substitute(vm, &l.to_vec(), params, values)?));
        } else if !a.is_kind::<TypeObj>()
            && let Some(sub) = vm.getattr_opt(a, &vm.intern("__parameters__"))?
            && !tuple_items(&sub).is_empty()
        {
            let mut inner = Vec::new();
            for p in tuple_items(&sub) {
                inner.push(
                    params
                        .iter()
                        .position(|x| x.is(p))
                        .map_or_else(|| p.clone(), |i| values[i].clone()),
                );
            }
            let key = if inner.len() == 1 {
                inner.remove(0)
            } else {
                vm.tuple(inner)
            };
            out.push(vm.getitem(a, &key)?);
        } else {
            out.push(a.clone());
        }
    }
    Ok(out)
}

fn alias_getitem(vm: &Vm, v: &Value, key: &Value) -> Res {
    let g = ga(vm, v)?;
    let params = parameters(vm, v)?;
    let params = tuple_items(&params);
    if params.is_empty() {
        return Err(vm.type_error(format!("{} is not a generic class", vm.repr_string(v)?)));
    }
    let values = if vm.is_exact(key, Kind::Tuple) {
        tuple_items(key).to_vec()
    } else {
        vec![key.clone()]
    };
    if values.len() != params.len() {
        let word = if values.len() > params.len() {
            "many"
        } else {
            "few"
        };
        return Err(vm.type_error(format!(
            "Too {word} arguments for {}; actual {}, expected {}",
            vm.repr_string(v)?,
            values.len(),
            params.len()
        )));
    }
    let args = substitute(vm, tuple_items(&g.args), params, &values)?;
    vm.generic_alias(&g.origin, &vm.tuple(args))
}

fn alias_iter(vm: &Vm, v: &Value) -> Res {
    let g = ga(vm, v)?;
    let starred = vm.alloc(GenericAlias {
        origin: g.origin.clone(),
        args: g.args.clone(),
        parameters: RefCell::new(Value::UNBOUND),
        starred: true,
    });
    vm.iter(&vm.tuple(vec![starred]))
}

fn mro_entries(vm: &Vm, a: &[Value]) -> Res {
    Ok(vm.tuple(vec![ga(vm, &a[0])?.origin.clone()]))
}

fn no_isinstance(vm: &Vm, _: &[Value]) -> Res {
    Err(vm.type_error("isinstance() argument 2 cannot be a parameterized generic"))
}
fn no_issubclass(vm: &Vm, _: &[Value]) -> Res {
    Err(vm.type_error("issubclass() argument 2 cannot be a parameterized generic"))
}

fn alias_reduce(vm: &Vm, a: &[Value]) -> Res {
    let g = ga(vm, &a[0])?;
    Ok(vm.pair(vm.type_of(&a[0]), vm.pair(g.origin.clone(), g.args.clone())))
}

pub static ALIAS: TypeSpec = TypeSpec {
    name: "types.GenericAlias",
    kind: Kind::Generic,
    flags: tflag::BASETYPE | tflag::WEAKREF,
    slots: |s| {
        s.new = Some(alias_new);
        s.repr = Some(alias_repr);
        s.getattr = Some(alias_getattr);
        s.call = Some(alias_call);
        s.cmp = Some(alias_cmp);
        s.hash = Some(alias_hash);
        s.getitem = Some(alias_getitem);
        s.iter = Some(alias_iter);
        s.binary[BinOp::Or as usize] = Some(|vm, a, b| vm.union_of(a, b));
    },
    methods: &[
        NativeDef {
            sig: "__mro_entries__(self, bases, /)",
            f: mro_entries,
            doc: "",
        },
        NativeDef {
            sig: "__instancecheck__(self, instance, /)",
            f: no_isinstance,
            doc: "",
        },
        NativeDef {
            sig: "__subclasscheck__(self, cls, /)",
            f: no_issubclass,
            doc: "",
        },
        NativeDef {
            sig: "__reduce__(self, /)",
            f: alias_reduce,
            doc: "",
        },
    ],
    getset: &[
        GetSetDef {
            name: "__origin__",
            get: |vm, v| Ok(ga(vm, v)?.origin.clone()),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__args__",
            get: |vm, v| Ok(ga(vm, v)?.args.clone()),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__parameters__",
            get: parameters,
            set: None,
            doc: "Type variables in the GenericAlias.",
        },
        GetSetDef {
            name: "__unpacked__",
            get: |vm, v| Ok(Value::bool(ga(vm, v)?.starred)),
            set: None,
            doc: "",
        },
    ],
    doc: "Represent a PEP 585 generic type\n\nE.g. for t = list[int], t.__origin__ is list and t.__args__ is (int,).",
    ..TypeSpec::EMPTY
};

// ---- unions

fn members(v: &Value) -> Vec<Value> {
    v.get::<Union>()
        .map_or(vec![], |u| tuple_items(&u.args).to_vec())
}

fn union_repr(vm: &Vm, v: &Value) -> Res {
    let mut parts = Vec::new();
    for m in members(v) {
        parts.push(vm.type_text(&m)?);
    }
    Ok(vm.str(&parts.join(" | ")))
}

fn union_cmp(vm: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res {
    if !matches!(op, CmpOp::Eq | CmpOp::Ne) || !a.is_kind::<Union>() || !b.is_kind::<Union>() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let (x, y) = (members(a), members(b));
    let mut same = x.len() == y.len();
    for m in &x {
        if !same {
            break;
        }
        let mut found = false;
        for n in &y {
            found = found || m.is(n) || vm.eq(m, n)?;
        }
        same = found;
    }
    Ok(Value::bool(same == (op == CmpOp::Eq)))
}

fn union_hash(vm: &Vm, v: &Value) -> Res<i64> {
    let mut h = 0i64;
    for m in members(v) {
        h = h.wrapping_add(vm.hash(&m)?.wrapping_mul(0x9E37_79B9));
    }
    Ok(if h == -1 { -2 } else { h })
}

fn union_instancecheck(vm: &Vm, a: &[Value]) -> Res {
    for m in members(&a[0]) {
        if vm.isinstance(&a[1], &m)? {
            return Ok(Value::TRUE);
        }
    }
    Ok(Value::FALSE)
}

fn union_subclasscheck(vm: &Vm, a: &[Value]) -> Res {
    if !a[1].is_kind::<TypeObj>() {
        return Err(vm.type_error("issubclass() arg 1 must be a class"));
    }
    for m in members(&a[0]) {
        if vm.issubclass(&a[1], &m)? {
            return Ok(Value::TRUE);
        }
    }
    Ok(Value::FALSE)
}

fn union_parameters(vm: &Vm, v: &Value) -> Res {
    Ok(vm.tuple(vm.type_parameters(&members(v))?))
}

fn union_getitem(vm: &Vm, v: &Value, key: &Value) -> Res {
    let params = vm.type_parameters(&members(v))?;
    if params.is_empty() {
        return Err(vm.type_error(format!("{} is not a generic class", vm.repr_string(v)?)));
    }
    let values = if vm.is_exact(key, Kind::Tuple) {
        tuple_items(key).to_vec()
    } else {
        vec![key.clone()]
    };
    if values.len() != params.len() {
        let word = if values.len() > params.len() {
            "many"
        } else {
            "few"
        };
        return Err(vm.type_error(format!(
            "Too {word} arguments for {}; actual {}, expected {}",
            vm.repr_string(v)?,
            values.len(),
            params.len()
        )));
    }
    let mut out: Option<Value> = None;
    for m in substitute(vm, &members(v), &params, &values)? {
        out = Some(match out {
            Some(u) => vm.binary(BinOp::Or, &u, &m)?,
            None => m,
        });
    }
    Ok(out.unwrap_or(Value::NONE))
}

pub static UNION: TypeSpec = TypeSpec {
    name: "typing.Union",
    kind: Kind::Union,
    flags: tflag::WEAKREF,
    slots: |s| {
        s.repr = Some(union_repr);
        s.cmp = Some(union_cmp);
        s.hash = Some(union_hash);
        s.getitem = Some(union_getitem);
        s.binary[BinOp::Or as usize] = Some(|vm, a, b| vm.union_of(a, b));
    },
    methods: &[
        NativeDef {
            sig: "__instancecheck__(self, instance, /)",
            f: union_instancecheck,
            doc: "",
        },
        NativeDef {
            sig: "__subclasscheck__(self, cls, /)",
            f: union_subclasscheck,
            doc: "",
        },
    ],
    class_methods: &[NativeDef {
        sig: "__class_getitem__(cls, object, /)",
        f: |vm, a| {
            let items = if vm.is_exact(&a[1], Kind::Tuple) {
                tuple_items(&a[1]).to_vec()
            } else {
                vec![a[1].clone()]
            };
            let mut out: Option<Value> = None;
            for m in items {
                out = Some(match out {
                    Some(u) => vm.union_of(&u, &m)?,
                    None => m,
                });
            }
            Ok(out.unwrap_or(Value::NONE))
        },
        doc: "",
    }],
    getset: &[
        GetSetDef {
            name: "__args__",
            get: |_, v| Ok(v.get::<Union>().map_or(Value::NONE, |u| u.args.clone())),
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__parameters__",
            get: union_parameters,
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__origin__",
            get: |vm, _| Ok(vm.kind_type(Kind::Union).clone()),
            set: None,
            doc: "",
        },
    ],
    doc: "Represent a union type\n\nE.g. for int | str",
    ..TypeSpec::EMPTY
};

/// A dict's copy as a mapping for `__annotations__`-like uses (kept here for the types module).
pub fn is_mapping(v: &Value) -> bool {
    v.is_kind::<Dict>()
}
