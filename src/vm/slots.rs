//! Slots of classes made by scripts: for each operation a trampoline that looks the special method up on the type and calls it; and the rule by which a
//! class gets a trampoline, the native function of a base, or nothing.
//!
//! `slot_wrappers` is the other direction. CPython's `typeobject.c` describes the design (`update_one_slot`, `slot_*`).
//!
//! Rules:
//! 1. A trampoline is told apart from native slots by its address: addresses of binary trampolines are always taken from `BINARY` and `INPLACE`.
//! 2. A class whose special methods all come from one native base gets that base's function, so `class A(int): pass` adds as fast as int.

use super::slot_wrappers::{ALL_BINOPS, ALL_CMPOPS, ROWS, SlotWrapper, Special};
use super::{Res, Vm};
use crate::object::func::{Function, StaticMethod};
use crate::object::header::Kind;
use crate::object::native::{Args, Native};
use crate::object::num::Int;
use crate::object::types::{
    BIN_NAMES, BINOPS, BinOp, Binary, CMP_NAMES, CmpOp, Slots, TypeObj, tflag,
};
use crate::object::value::Value;
use crate::vm::raise::Exc;

/// Calls a special method that the type is known to have had when its slots were made.
fn special(vm: &Vm, v: &Value, name: &Value, args: &[Value]) -> Res {
    match vm.call_special(v, name, args)? {
        Some(r) => Ok(r),
        None => Err(vm.attribute_error(name.as_str().unwrap_or("?"), v, name)),
    }
}

/// Calls a special method; NotImplemented if there is none.
fn maybe(vm: &Vm, v: &Value, name: &Value, args: &[Value]) -> Res {
    Ok(vm
        .call_special(v, name, args)?
        .unwrap_or(Value::NOT_IMPLEMENTED))
}

macro_rules! unary_trampolines {
    ($($fn:ident $name:ident)*) => {$(
        fn $fn(vm: &Vm, v: &Value) -> Res {
            special(vm, v, &vm.names.$name, &[])
        }
    )*};
}
unary_trampolines! {
    t_repr __repr__
    t_str __str__
    t_neg __neg__
    t_pos __pos__
    t_abs __abs__
    t_invert __invert__
    t_int __int__
    t_float __float__
    t_index __index__
    t_await __await__
    t_aiter __aiter__
    t_anext __anext__
}

fn t_hash(vm: &Vm, v: &Value) -> Res<i64> {
    let r = special(vm, v, &vm.names.__hash__, &[])?;
    match r.as_small() {
        Some(-1) => Ok(-2),
        Some(i) => Ok(i),
        None if r.is_kind::<Int>() => {
            use num_traits::ToPrimitive;
            match r.get::<Int>().and_then(|i| i.0.to_i64()) {
                Some(-1) => Ok(-2),
                Some(i) => Ok(i),
                None => vm.hash(&r),
            }
        }
        None => match r.as_bool() {
            Some(b) => Ok(b as i64),
            None => Err(vm.type_error("__hash__ method should return an integer")),
        },
    }
}

/// The hash slot of unhashable types.
#[inline(never)]
pub fn unhashable(vm: &Vm, v: &Value) -> Res<i64> {
    Err(vm.type_error(format!("unhashable type: '{}'", vm.type_name(v))))
}

fn t_call(vm: &Vm, v: &Value, args: Args) -> Res {
    match vm.lookup_special(v, &vm.names.__call__) {
        Some(f) => vm.call_found(&f, v, args),
        None => Err(vm.not_callable(v)),
    }
}

/// `__getattribute__`, then `__getattr__` if that raised AttributeError.
fn t_getattr(vm: &Vm, v: &Value, name: &Value) -> Res {
    let t = vm.type_obj(v);
    let hook = vm.find(t, &vm.names.__getattr__).map(|f| Value::clone(&f));
    let access = vm
        .find(t, &vm.names.__getattribute__)
        .map(|f| Value::clone(&f));
    let native = access.as_ref().and_then(|f| f.get::<SlotWrapper>());
    let Some(hook) = hook else {
        return match (native, &access) {
            (Some(w), _) => (w.owner_slots().getattr.unwrap_or(Vm::generic_getattr))(vm, v, name),
            (None, Some(f)) => vm.call_found(f, v, Args::positional(std::slice::from_ref(name))),
            (None, None) => vm.generic_getattr(v, name),
        };
    };
    let first = match (native, &access) {
        (Some(w), _) if w.owner.is(vm.kind_type(Kind::Object)) => vm.generic_lookup(v, name),
        (Some(w), _) => {
            (w.owner_slots().getattr.unwrap_or(Vm::generic_getattr))(vm, v, name).map(Some)
        }
        (None, Some(f)) => vm
            .call_found(f, v, Args::positional(std::slice::from_ref(name)))
            .map(Some),
        (None, None) => vm.generic_lookup(v, name),
    };
    match vm.catch(first, Exc::AttributeError)?.flatten() {
        Some(r) => Ok(r),
        None => vm.call_found(&hook, v, Args::positional(std::slice::from_ref(name))),
    }
}

fn t_setattr(vm: &Vm, v: &Value, name: &Value, value: Option<&Value>) -> Res<()> {
    match value {
        Some(x) => special(vm, v, &vm.names.__setattr__, &[name.clone(), x.clone()]),
        None => special(vm, v, &vm.names.__delattr__, std::slice::from_ref(name)),
    }
    .map(drop)
}

/// The name of a comparison's method.
pub fn cmp_name(vm: &Vm, op: CmpOp) -> &Value {
    let n = &vm.names;
    match op {
        CmpOp::Lt => &n.__lt__,
        CmpOp::Le => &n.__le__,
        CmpOp::Eq => &n.__eq__,
        CmpOp::Ne => &n.__ne__,
        CmpOp::Gt => &n.__gt__,
        CmpOp::Ge => &n.__ge__,
    }
}

fn t_cmp(vm: &Vm, a: &Value, b: &Value, op: CmpOp) -> Res {
    maybe(vm, a, cmp_name(vm, op), std::slice::from_ref(b))
}

fn t_iter(vm: &Vm, v: &Value) -> Res {
    match vm.lookup_special(v, &vm.names.__iter__) {
        Some(f) if !f.is_none() => vm.call_found(&f, v, Args::EMPTY),
        _ => Err(vm.type_error(format!("'{}' object is not iterable", vm.type_name(v)))),
    }
}

fn t_next(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    special(vm, v, &vm.names.__next__, &[]).map(Some)
}

fn t_bool(vm: &Vm, v: &Value) -> Res<bool> {
    match vm.lookup_special(v, &vm.names.__bool__) {
        Some(f) => {
            let r = vm.call_found(&f, v, Args::EMPTY)?;
            r.as_bool().ok_or_else(|| {
                vm.type_error(format!(
                    "__bool__ should return bool, returned {}",
                    vm.type_name(&r)
                ))
            })
        }
        None => Ok(true),
    }
}

fn t_len(vm: &Vm, v: &Value) -> Res<usize> {
    let r = special(vm, v, &vm.names.__len__, &[])?;
    if let Some(n) = r.as_small()
        && n >= 0
    {
        return Ok(n as usize);
    }
    let i = vm.index(&r)?;
    match i.as_small() {
        Some(n) if n >= 0 => Ok(n as usize),
        Some(_) => Err(vm.value_error("__len__() should return >= 0")),
        None if i
            .get::<Int>()
            .is_some_and(|i| i.0.sign() == num_bigint::Sign::Minus) =>
        {
            Err(vm.value_error("__len__() should return >= 0"))
        }
        None => Err(vm.overflow_error("cannot fit 'int' into an index-sized integer")),
    }
}

fn t_getitem(vm: &Vm, v: &Value, key: &Value) -> Res {
    special(vm, v, &vm.names.__getitem__, std::slice::from_ref(key))
}

fn t_setitem(vm: &Vm, v: &Value, key: &Value, value: Option<&Value>) -> Res<()> {
    match value {
        Some(x) => special(vm, v, &vm.names.__setitem__, &[key.clone(), x.clone()]),
        None => special(vm, v, &vm.names.__delitem__, std::slice::from_ref(key)),
    }
    .map(drop)
}

fn t_contains(vm: &Vm, v: &Value, item: &Value) -> Res<bool> {
    match vm.lookup_special(v, &vm.names.__contains__) {
        Some(f) if f.is_none() => {
            Err(vm.type_error(format!("'{}' object is not a container", vm.type_name(v))))
        }
        Some(f) => {
            let r = vm.call_found(&f, v, Args::positional(std::slice::from_ref(item)))?;
            vm.truth(&r)
        }
        None => vm.contains_by_iteration(v, item),
    }
}

/// The interned names of a binary operation: plain, reflected, in place (`divmod()` has no in-place form and repeats its plain one).
pub fn bin_names(vm: &Vm, op: BinOp) -> (&Value, &Value, &Value) {
    let n = &vm.names;
    match op {
        BinOp::Add => (&n.__add__, &n.__radd__, &n.__iadd__),
        BinOp::Sub => (&n.__sub__, &n.__rsub__, &n.__isub__),
        BinOp::Mul => (&n.__mul__, &n.__rmul__, &n.__imul__),
        BinOp::MatMul => (&n.__matmul__, &n.__rmatmul__, &n.__imatmul__),
        BinOp::Div => (&n.__truediv__, &n.__rtruediv__, &n.__itruediv__),
        BinOp::Mod => (&n.__mod__, &n.__rmod__, &n.__imod__),
        BinOp::Pow => (&n.__pow__, &n.__rpow__, &n.__ipow__),
        BinOp::LShift => (&n.__lshift__, &n.__rlshift__, &n.__ilshift__),
        BinOp::RShift => (&n.__rshift__, &n.__rrshift__, &n.__irshift__),
        BinOp::Or => (&n.__or__, &n.__ror__, &n.__ior__),
        BinOp::Xor => (&n.__xor__, &n.__rxor__, &n.__ixor__),
        BinOp::And => (&n.__and__, &n.__rand__, &n.__iand__),
        BinOp::FloorDiv => (&n.__floordiv__, &n.__rfloordiv__, &n.__ifloordiv__),
        BinOp::DivMod => (&n.__divmod__, &n.__rdivmod__, &n.__divmod__),
    }
}

/// The binary trampolines (rule 1).
pub static BINARY: [Binary; BINOPS] = [
    t_binary::<0>,
    t_binary::<1>,
    t_binary::<2>,
    t_binary::<3>,
    t_binary::<4>,
    t_binary::<5>,
    t_binary::<6>,
    t_binary::<7>,
    t_binary::<8>,
    t_binary::<9>,
    t_binary::<10>,
    t_binary::<11>,
    t_binary::<12>,
    t_binary::<13>,
];
static INPLACE: [Binary; BINOPS] = [
    t_inplace::<0>,
    t_inplace::<1>,
    t_inplace::<2>,
    t_inplace::<3>,
    t_inplace::<4>,
    t_inplace::<5>,
    t_inplace::<6>,
    t_inplace::<7>,
    t_inplace::<8>,
    t_inplace::<9>,
    t_inplace::<10>,
    t_inplace::<11>,
    t_inplace::<12>,
    t_inplace::<13>,
];

fn is_trampoline(t: &TypeObj, op: usize) -> bool {
    t.slots().binary[op].is_some_and(|f| f as usize == BINARY[op] as usize)
}

/// `a op b` where at least one operand's class is a script's: the reflected method of a subclass first, then the left operand's, then the right's.
fn t_binary<const OP: usize>(vm: &Vm, a: &Value, b: &Value) -> Res {
    let (name, reflected, _) = bin_names(vm, ALL_BINOPS[OP]);
    let (ta, tb) = (vm.type_of(a), vm.type_of(b));
    let (Some(oa), Some(ob)) = (ta.get::<TypeObj>(), tb.get::<TypeObj>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let same = ta.is(&tb);
    let mut ask_b = !same && is_trampoline(ob, OP);
    if is_trampoline(oa, OP) {
        if ask_b && ob.is_subtype(&ta) {
            let (x, y) = (
                vm.lookup_type_attr(&tb, reflected),
                vm.lookup_type_attr(&ta, reflected),
            );
            let overloaded = match (&x, &y) {
                (Some(x), Some(y)) => !x.is(y),
                (Some(_), None) => true,
                _ => false,
            };
            if overloaded {
                let r = maybe(vm, b, reflected, std::slice::from_ref(a))?;
                if !r.is_not_implemented() {
                    return Ok(r);
                }
                ask_b = false;
            }
        }
        let r = maybe(vm, a, name, std::slice::from_ref(b))?;
        if !r.is_not_implemented() || same {
            return Ok(r);
        }
    }
    if ask_b {
        maybe(vm, b, reflected, std::slice::from_ref(a))
    } else {
        Ok(Value::NOT_IMPLEMENTED)
    }
}

fn t_inplace<const OP: usize>(vm: &Vm, a: &Value, b: &Value) -> Res {
    let (_, _, name) = bin_names(vm, ALL_BINOPS[OP]);
    maybe(vm, a, name, std::slice::from_ref(b))
}

fn t_pow3(vm: &Vm, a: &Value, b: &Value, c: &Value) -> Res {
    maybe(vm, a, &vm.names.__pow__, &[b.clone(), c.clone()])
}

fn t_descr_get(vm: &Vm, d: &Value, obj: Option<&Value>, owner: &Value) -> Res {
    match vm.lookup_special(d, &vm.names.__get__) {
        Some(f) => vm.call_found(
            &f,
            d,
            Args::positional(&[obj.cloned().unwrap_or(Value::NONE), owner.clone()]),
        ),
        None => Ok(d.clone()),
    }
}

fn t_descr_set(vm: &Vm, d: &Value, obj: &Value, value: Option<&Value>) -> Res<()> {
    match value {
        Some(x) => special(vm, d, &vm.names.__set__, &[obj.clone(), x.clone()]),
        None => special(vm, d, &vm.names.__delete__, std::slice::from_ref(obj)),
    }
    .map(drop)
}

fn t_new(vm: &Vm, class: &Value, args: Args) -> Res {
    let f = vm.getattr(class, &vm.names.__new__)?;
    super::call::with_first(class, args, |args| vm.call_args(&f, args))
}

fn t_init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    let Some(f) = vm.lookup_special(v, &vm.names.__init__) else {
        return Ok(());
    };
    let r = vm.call_found(&f, v, args)?;
    if r.is_none() {
        Ok(())
    } else {
        Err(vm.type_error(format!(
            "__init__() should return None, not '{}'",
            vm.type_name(&r)
        )))
    }
}

fn t_del(vm: &Vm, v: &Value) -> Res<()> {
    special(vm, v, &vm.names.__del__, &[]).map(drop)
}

/// What a class has under the names that feed one slot.
enum Source {
    Nothing,
    /// All of them are wrappers of this native type's slot.
    Native(Slots),
    Script,
}

impl Vm {
    /// Where a slot fed by these special methods comes from.
    fn source(&self, t: &TypeObj, rows: &[(&str, Special)]) -> Source {
        let mut native: Option<Value> = None;
        let mut any = false;
        for (name, special) in rows {
            let Some(f) = self.find(t, &self.intern(name)) else {
                continue;
            };
            match f.get::<SlotWrapper>() {
                Some(w)
                    if w.self_.is_unbound()
                        && same_slot(w.row.special, *special)
                        && t.kind_fits(w) =>
                {
                    if any
                        && native.as_ref().is_none_or(|n| !n.is(&w.owner))
                        && !self.same_native(&native, w, *special)
                    {
                        return Source::Script;
                    }
                    native = Some(w.owner.clone());
                }
                _ => return Source::Script,
            }
            any = true;
        }
        match native.as_ref().and_then(|n| n.get::<TypeObj>()) {
            Some(n) => Source::Native(*n.slots()),
            None => Source::Nothing,
        }
    }

    /// True if two native types share the function of a slot (one inherits it from the other).
    fn same_native(&self, owner: &Option<Value>, w: &SlotWrapper, special: Special) -> bool {
        let (Some(a), b) = (
            owner
                .as_ref()
                .and_then(|o| o.get::<TypeObj>())
                .map(|t| *t.slots()),
            w.owner_slots(),
        ) else {
            return false;
        };
        match special {
            Special::Cmp(_) => a.cmp.map(|f| f as usize) == b.cmp.map(|f| f as usize),
            Special::SetAttr | Special::DelAttr => {
                a.setattr.map(|f| f as usize) == b.setattr.map(|f| f as usize)
            }
            _ => false,
        }
    }

    /// Fills all slots of a class made by a script from what its MRO holds, and the flags that depend on them.
    pub fn fill_slots(&self, t: &TypeObj) {
        let mut s = Slots::default();
        macro_rules! one {
            ($field:ident, $trampoline:expr, $($name:literal $special:expr),*) => {
                s.$field = match self.source(t, &[$(($name, $special)),*]) {
                    Source::Nothing => None,
                    Source::Native(n) => n.$field,
                    Source::Script => Some($trampoline),
                };
            };
        }
        use Special::*;
        one!(repr, t_repr, "__repr__" Repr);
        one!(str, t_str, "__str__" Str);
        one!(hash, t_hash, "__hash__" Hash);
        if self
            .find(t, &self.names.__hash__)
            .is_some_and(|f| f.is_none())
        {
            s.hash = Some(unhashable);
        }
        one!(call, t_call, "__call__" Call);
        one!(getattr, t_getattr, "__getattribute__" GetAttribute);
        if self.find(t, &self.names.__getattr__).is_some() {
            s.getattr = Some(t_getattr);
        }
        one!(setattr, t_setattr, "__setattr__" SetAttr, "__delattr__" DelAttr);
        let cmp: Vec<(&str, Special)> = CMP_NAMES
            .iter()
            .zip(ALL_CMPOPS)
            .map(|(n, op)| (*n, Cmp(op)))
            .collect();
        s.cmp = match self.source(t, &cmp) {
            Source::Nothing => None,
            Source::Native(n) => n.cmp,
            Source::Script => Some(t_cmp),
        };
        one!(iter, t_iter, "__iter__" Iter);
        one!(next, t_next, "__next__" Next);
        one!(bool, t_bool, "__bool__" Bool);
        one!(len, t_len, "__len__" Len);
        one!(getitem, t_getitem, "__getitem__" GetItem);
        one!(setitem, t_setitem, "__setitem__" SetItem, "__delitem__" DelItem);
        one!(contains, t_contains, "__contains__" Contains);
        for op in ALL_BINOPS {
            let i = op as usize;
            let (name, reflected, inplace, _) = BIN_NAMES[i];
            s.binary[i] = match self.source(t, &[(name, Binary(op)), (reflected, Reflected(op))]) {
                Source::Nothing => None,
                Source::Native(n) => n.binary[i],
                Source::Script => Some(BINARY[i]),
            };
            if !inplace.is_empty() {
                s.inplace[i] = match self.source(t, &[(inplace, InPlace(op))]) {
                    Source::Nothing => None,
                    Source::Native(n) => n.inplace[i],
                    Source::Script => Some(INPLACE[i]),
                };
            }
        }
        one!(pow3, t_pow3, "__pow__" Binary(BinOp::Pow));
        one!(neg, t_neg, "__neg__" Neg);
        one!(pos, t_pos, "__pos__" Pos);
        one!(abs, t_abs, "__abs__" Abs);
        one!(invert, t_invert, "__invert__" Invert);
        one!(int, t_int, "__int__" Int);
        one!(float, t_float, "__float__" Float);
        one!(index, t_index, "__index__" Index);
        one!(descr_get, t_descr_get, "__get__" Get);
        one!(descr_set, t_descr_set, "__set__" Set, "__delete__" Delete);
        one!(init, t_init, "__init__" Init);
        one!(await_, t_await, "__await__" Await);
        one!(aiter, t_aiter, "__aiter__" AIter);
        one!(anext, t_anext, "__anext__" ANext);
        one!(del, t_del, "__del__" Del);
        s.new = self.new_slot(t);
        *t.slots.borrow_mut() = s;
        self.fill_flags(t, &s);
    }

    /// The `new` slot: that of the native type whose `__new__` the class has, or the trampoline.
    fn new_slot(&self, t: &TypeObj) -> Option<fn(&Vm, &Value, Args) -> Res> {
        let found = self.find(t, &self.names.__new__)?;
        let inner = found.get::<StaticMethod>().map_or(&*found, |s| &s.0);
        match inner.get::<Native>() {
            Some(n) if super::class::is_native_new(n) => {
                n.self_.get::<TypeObj>().and_then(|o| o.slots().new)
            }
            _ => Some(t_new),
        }
    }

    /// The flags that say which operations are the plain ones.
    pub fn fill_flags(&self, t: &TypeObj, s: &Slots) {
        let Some(object) = self.kind_type(Kind::Object).get::<TypeObj>() else {
            return;
        };
        let o = object.slots();
        t.set_flag(
            tflag::PLAIN_GETATTR,
            s.getattr.map(|f| f as usize) == o.getattr.map(|f| f as usize),
        );
        t.set_flag(
            tflag::PLAIN_SETATTR,
            s.setattr.map(|f| f as usize) == o.setattr.map(|f| f as usize),
        );
        let init = self
            .find(t, &self.names.__init__)
            .filter(|f| f.is_kind::<Function>())
            .map(|f| Value::clone(&f));
        let plain_new =
            s.new.map(|f| f as usize) == o.new.map(|f| f as usize) && t.kind == Kind::Object;
        // A metaclass with a `__call__` of its own decides for itself.
        let me = self.type_value(t);
        let type_call = self
            .kind_type(Kind::Type)
            .get::<TypeObj>()
            .and_then(|t| t.slots().call);
        let plain_call =
            self.type_obj(&me).slots().call.map(|f| f as usize) == type_call.map(|f| f as usize);
        let simple = plain_new && plain_call && init.is_some() && !t.has(tflag::ABSTRACT);
        t.set_flag(tflag::SIMPLE_NEW, simple);
        let old = t
            .init_fn
            .replace(init.filter(|_| simple).unwrap_or(Value::UNBOUND));
        drop(old);
    }

    /// True if changing this attribute of a class may change its slots.
    pub fn feeds_slot(&self, name: &str) -> bool {
        name.starts_with("__") && name.ends_with("__") && ROWS.iter().any(|r| r.name == name)
    }
}

/// True if a wrapper of row `a` may stand for special method `b`: the two names of one slot count as different methods.
fn same_slot(a: Special, b: Special) -> bool {
    a == b
}

impl TypeObj {
    /// True if a native slot of the wrapper's type works on instances of this one.
    fn kind_fits(&self, w: &SlotWrapper) -> bool {
        self.is_subtype(&w.owner)
    }
}
