//! Making classes for scripts: `__build_class__` (the class statement) and `type.__new__`.
//!
//! The steps and their order are CPython's `builtin___build_class__` and `type_new`: bases through `__mro_entries__`, the metaclass, `__prepare__`, the body, the
//! metaclass's call; then, in `type_new`: layout, `__slots__`, MRO, slots, `__set_name__`, `__init_subclass__`.
//!
//! Rule: script code may run at nearly every step, so nothing of the class is borrowed across a call.

use super::{Raised, Res, Vm};
use crate::object::dict::Dict;
use crate::object::func::{Cell_, ClassMethod, Function, StaticMethod};
use crate::object::header::Kind;
use crate::object::native::{Args, tuple_items};
use crate::object::str::Str;
use crate::object::types::{GetSet, SlotDescr, Slots, TypeObj, tflag};
use crate::object::value::Value;
use crate::vm::class::INHERITED;
use crate::vm::raise::Exc;
use std::cell::{Cell, RefCell};

/// Inline slots that instances of a class start with, beyond those of `__slots__`.
const FIRST_HINT: u16 = 4;

/// What `__slots__` asks for.
struct SlotNames {
    /// Sorted, mangled, without `__dict__` and `__weakref__`.
    names: Vec<Value>,
    dict: bool,
    weakref: bool,
}

impl Vm {
    /// `__build_class__(func, name, *bases, **kwargs)`; `metaclass` is among the keywords.
    pub fn build_class(
        &self,
        func: &Value,
        name: &Value,
        bases: &Value,
        kwargs: &[(Value, Value)],
    ) -> Res {
        if !func.is_kind::<Function>() {
            return Err(self.type_error("__build_class__: func must be a function"));
        }
        if name.as_str().is_none() {
            return Err(self.type_error("__build_class__: name is not a string"));
        }
        let resolved = self.resolve_bases(bases)?;
        let mut meta = None;
        let mut kw: Vec<(Value, Value)> = Vec::new();
        for (k, v) in kwargs {
            if k.as_str() == Some("metaclass") {
                meta = Some(v.clone())
            } else {
                kw.push((k.clone(), v.clone()))
            }
        }
        let items = tuple_items(&resolved);
        let mut meta = meta.unwrap_or_else(|| match items.first() {
            Some(b) => self.type_of(b),
            None => self.kind_type(Kind::Type).clone(),
        });
        if meta.is_kind::<TypeObj>() {
            meta = self.calculate_metaclass(&meta, items)?;
        }
        let ns = match self.getattr_opt(&meta, &self.names.__prepare__)? {
            Some(prepare) => self.call_kw(&prepare, &[name.clone(), resolved.clone()], &kw)?,
            None => self.dict(),
        };
        if !ns.is_kind::<Dict>() && self.type_obj(&ns).slots().getitem.is_none() {
            let who = meta
                .get::<TypeObj>()
                .map_or("<metaclass>".to_string(), TypeObj::name_str);
            return Err(self.type_error(format!(
                "{who}.__prepare__() must return a mapping, not {}",
                self.type_name(&ns)
            )));
        }
        let cell = self.run_name_mode(func, ns.clone())?;
        if !resolved.is(bases) {
            self.setitem(&ns, &self.names.__orig_bases__, bases)?;
        }
        let class = self.call_kw(&meta, &[name.clone(), resolved, ns], &kw)?;
        if class.is_kind::<TypeObj>()
            && let Some(c) = cell.get::<Cell_>()
        {
            let content = c.0.borrow().clone();
            if content.is_unbound() {
                let text = format!(
                    "__class__ not set defining {} as {}. Was __classcell__ propagated to type.__new__?",
                    self.repr_string(name)?,
                    self.repr_string(&class)?
                );
                return Err(self.runtime_error(text));
            }
            if !content.is(&class) {
                let text = format!(
                    "__class__ set to {} defining {} as {}",
                    self.repr_string(&content)?,
                    self.repr_string(name)?,
                    self.repr_string(&class)?
                );
                return Err(self.type_error(text));
            }
        }
        Ok(class)
    }

    /// Replaces bases that are no classes by what their `__mro_entries__` give; the same tuple if there are none.
    pub fn resolve_bases(&self, bases: &Value) -> Res {
        let items = tuple_items(bases);
        let mut out: Option<Vec<Value>> = None;
        for (i, b) in items.iter().enumerate() {
            let entries = if b.is_kind::<TypeObj>() {
                None
            } else {
                self.getattr_opt(b, &self.names.__mro_entries__)?
            };
            match entries {
                Some(f) => {
                    let more = self.call(&f, std::slice::from_ref(bases))?;
                    if !more.is_kind::<crate::object::seq::Tuple>() {
                        return Err(self.type_error("__mro_entries__ must return a tuple"));
                    }
                    out.get_or_insert_with(|| items[..i].to_vec())
                        .extend_from_slice(tuple_items(&more));
                }
                None => {
                    if let Some(o) = &mut out {
                        o.push(b.clone())
                    }
                }
            }
        }
        Ok(out.map_or_else(|| bases.clone(), |o| self.tuple(o)))
    }

    /// The most derived of a metaclass and those of the bases.
    pub fn calculate_metaclass(&self, meta: &Value, bases: &[Value]) -> Res {
        let mut winner = meta.clone();
        for b in bases {
            let t = self.type_ref(b);
            let (Some(w), Some(o)) = (winner.get::<TypeObj>(), t.get::<TypeObj>()) else {
                continue;
            };
            if w.is_subtype(t) {
                continue;
            }
            if o.is_subtype(&winner) {
                winner = t.clone();
                continue;
            }
            return Err(self.type_error(
                "metaclass conflict: the metaclass of a derived class must be a (non-strict) subclass of the metaclasses of all its bases",
            ));
        }
        Ok(winner)
    }

    /// `type.__new__(meta, name, bases, namespace, **kwargs)`.
    pub fn type_new(
        &self,
        meta: &Value,
        name: &Value,
        bases: &Value,
        ns: &Value,
        kwargs: &[(Value, Value)],
    ) -> Res {
        let mut bases = bases.clone();
        for b in tuple_items(&bases) {
            if !b.is_kind::<TypeObj>()
                && self.getattr_opt(b, &self.names.__mro_entries__)?.is_some()
            {
                return Err(self.type_error(
                    "type() doesn't support MRO entry resolution; use types.new_class()",
                ));
            }
        }
        if tuple_items(&bases).is_empty() {
            bases = self.tuple(vec![self.kind_type(Kind::Object).clone()]);
        }
        let winner = self.calculate_metaclass(meta, tuple_items(&bases))?;
        if !winner.is(meta) {
            let new = winner.get::<TypeObj>().and_then(|t| t.slots().new);
            let own = self
                .kind_type(Kind::Type)
                .get::<TypeObj>()
                .and_then(|t| t.slots().new);
            if let Some(new) = new
                && Some(new as usize) != own.map(|f| f as usize)
            {
                let mut all = vec![name.clone(), bases, ns.clone()];
                all.extend(kwargs.iter().map(|(_, v)| v.clone()));
                let names: Vec<Value> = kwargs.iter().map(|(k, _)| k.clone()).collect();
                return new(
                    self,
                    &winner,
                    Args {
                        all: &all,
                        names: &names,
                    },
                );
            }
        }
        if name.as_str().is_some_and(|s| s.contains('\0')) {
            return Err(self.value_error("type name must not contain null characters"));
        }
        let base = self.best_base(tuple_items(&bases))?;
        let dict = match ns.get::<Dict>() {
            Some(d) => self.intern_keys(d)?,
            None => {
                return Err(self.type_error(format!(
                    "type.__new__() argument 3 must be dict, not {}",
                    self.type_name(ns)
                )));
            }
        };
        let ty = self.make_class(&winner, name, &bases, &base, &dict)?;
        self.finish_class(&ty, &dict, kwargs)?;
        Ok(ty)
    }

    /// A copy of a namespace with interned keys: class dicts are searched by identity of names.
    fn intern_keys(&self, ns: &Dict) -> Res {
        let out = self.dict();
        if let Some(o) = out.get::<Dict>() {
            for (k, v) in ns.items() {
                if k.is_kind::<Str>() {
                    self.dict_set_str(o, &self.intern_value(&k), v);
                } else {
                    self.dict_set(o, k, v)?;
                }
            }
        }
        Ok(out)
    }

    /// The class whose instances' layout this one's extends: the nearest one that adds a payload or `__slots__`.
    fn solid_base(&self, class: &Value) -> Value {
        let mut at = class.clone();
        loop {
            let Some(t) = at.get::<TypeObj>() else {
                return at;
            };
            let Some(base) = t.base.borrow().clone() else {
                return at.clone();
            };
            let Some(b) = base.get::<TypeObj>() else {
                return at.clone();
            };
            if t.kind != b.kind || t.nslots.get() != b.nslots.get() {
                return at.clone();
            }
            at = base;
        }
    }

    fn best_base(&self, bases: &[Value]) -> Res {
        let mut best: Option<(Value, Value)> = None;
        for b in bases {
            let Some(t) = b.get::<TypeObj>() else {
                return Err(self.type_error("bases must be types"));
            };
            if !t.has(tflag::BASETYPE | tflag::HEAP) {
                return Err(self.type_error(format!(
                    "type '{}' is not an acceptable base type",
                    t.name_str()
                )));
            }
            let solid = self.solid_base(b);
            best = match best {
                None => Some((b.clone(), solid)),
                Some((old, old_solid)) => {
                    if old_solid
                        .get::<TypeObj>()
                        .is_some_and(|o| o.is_subtype(&solid))
                    {
                        Some((old, old_solid))
                    } else if solid
                        .get::<TypeObj>()
                        .is_some_and(|s| s.is_subtype(&old_solid))
                    {
                        Some((b.clone(), solid))
                    } else {
                        return Err(
                            self.type_error("multiple bases have instance lay-out conflict")
                        );
                    }
                }
            };
        }
        Ok(best.map_or_else(|| self.kind_type(Kind::Object).clone(), |(b, _)| b))
    }

    /// Makes the type object, with its dict, MRO and slots.
    fn make_class(
        &self,
        meta: &Value,
        name: &Value,
        bases: &Value,
        base: &Value,
        dict: &Value,
    ) -> Res {
        let (Some(b), Some(d)) = (base.get::<TypeObj>(), dict.get::<Dict>()) else {
            return Err(self.type_error("bases must be types"));
        };
        let mro = self.c3_merge(tuple_items(bases))?;
        let wanted = self.slot_names(name, b, bases, d)?;
        let qualname = match self.dict_get_str(d, &self.names.__qualname__) {
            Some(q) if q.as_str().is_none() => {
                return Err(self.type_error(format!(
                    "type __qualname__ must be a str, not {}",
                    self.type_name(&q)
                )));
            }
            Some(q) => {
                self.dict_del_str(d, &self.names.__qualname__);
                q
            }
            None => name.clone(),
        };
        if self.dict_get_str(d, &self.names.__module__).is_none()
            && let Some(m) = self.running_module_name()
        {
            self.dict_set_str(d, &self.names.__module__, m);
        }
        self.wrap_special_functions(d);
        if self.dict_get_str(d, &self.names.__eq__).is_some()
            && self.dict_get_str(d, &self.names.__hash__).is_none()
        {
            self.dict_set_str(d, &self.names.__hash__, Value::NONE);
        }
        let mut flags = tflag::HEAP | tflag::BASETYPE | b.flags.get() & INHERITED;
        for c in tuple_items(bases) {
            flags |= c.get::<TypeObj>().map_or(0, |t| t.flags.get())
                & (tflag::SEQUENCE | tflag::MAPPING | tflag::DICT | tflag::WEAKREF);
        }
        let (add_dict, add_weakref) = (
            wanted.dict && !b.has(tflag::DICT),
            wanted.weakref && !b.has(tflag::WEAKREF),
        );
        flags |= if wanted.dict { tflag::DICT } else { 0 }
            | if wanted.weakref { tflag::WEAKREF } else { 0 };
        let nslots = b.nslots.get() + wanted.names.len() as u32;
        let own_dict = matches!(b.kind, Kind::Type | Kind::Module);
        let first = if flags & tflag::DICT != 0 && !own_dict {
            FIRST_HINT
        } else {
            0
        };
        let ty = self.alloc_as(
            meta,
            TypeObj {
                name: RefCell::new(self.intern_value(name)),
                qualname: RefCell::new(self.intern_value(&qualname)),
                dict: dict.clone(),
                bases: RefCell::new(bases.clone()),
                mro: RefCell::new(Value::UNBOUND),
                base: RefCell::new(Some(base.clone())),
                kind: b.kind,
                flags: Cell::new(flags),
                slots: RefCell::new(Slots::default()),
                root_shape: Cell::new(std::ptr::null()),
                dict_shape: Cell::new(std::ptr::null()),
                shapes: RefCell::new(Vec::new()),
                nslots: Cell::new(nslots),
                slot_hint: Cell::new(
                    (nslots as u16 + first).max(b.slot_hint.get() + wanted.names.len() as u16),
                ),
                version: Cell::new(self.type_state.fresh_version()),
                subclasses: RefCell::new(Vec::new()),
                init_fn: RefCell::new(Value::UNBOUND),
            },
        );
        let Some(t) = ty.get::<TypeObj>() else {
            return Err(self.type_error("a metaclass must derive from type"));
        };
        let mut full = vec![ty.clone()];
        full.extend(mro);
        t.mro.replace(self.tuple(full));
        self.link_type(&ty, t);
        for (i, n) in wanted.names.iter().enumerate() {
            let descr = self.alloc(SlotDescr {
                name: n.clone(),
                slot: b.nslots.get() + i as u32,
                owner: ty.clone(),
            });
            self.dict_set_str(d, n, descr);
        }
        if add_dict && !own_dict {
            self.add_getset(d, &ty, &crate::builtins::object::DICT_GETSET);
        }
        if add_weakref {
            self.add_getset(d, &ty, &crate::builtins::object::WEAKREF_GETSET);
        }
        if self.dict_get_str(d, &self.names.__doc__).is_none() {
            self.dict_set_str(d, &self.names.__doc__, Value::NONE);
        }
        // A metaclass may have an `mro()` of its own.
        if !self.type_ref(&ty).is(self.kind_type(Kind::Type)) {
            self.custom_mro(&ty)?;
        }
        self.set_cells(&ty, d)?;
        self.fill_slots(t);
        Ok(ty)
    }

    fn add_getset(&self, d: &Dict, ty: &Value, def: &'static crate::object::types::GetSetDef) {
        let name = self.intern(def.name);
        if self.dict_get_str(d, &name).is_none() {
            let v = self.alloc(GetSet {
                def,
                owner: ty.clone(),
            });
            self.dict_set_str(d, &name, v);
        }
    }

    /// Asks a metaclass's own `mro()`, if it has one.
    pub fn custom_mro(&self, ty: &Value) -> Res<()> {
        let name = self.intern("mro");
        let plain = self.lookup_type_attr(self.kind_type(Kind::Type), &name);
        let found = self.lookup_special(ty, &name);
        if let (Some(p), Some(f)) = (plain, found)
            && !p.is(&f)
        {
            let r = self.call_found(&f, ty, Args::EMPTY)?;
            let items = self.collect(&r)?;
            for c in &items {
                if !c.is_kind::<TypeObj>() {
                    return Err(self.type_error(format!(
                        "{}.mro() returned a non-class ('{}')",
                        self.class_name(self.type_ref(ty)),
                        self.type_name(c)
                    )));
                }
            }
            if let Some(t) = ty.get::<TypeObj>() {
                let old = t.mro.replace(self.tuple(items));
                self.type_modified(t);
                drop(old);
            }
        }
        Ok(())
    }

    /// `__new__` is a static method, `__init_subclass__` and `__class_getitem__` are class methods, without saying so.
    fn wrap_special_functions(&self, d: &Dict) {
        if let Some(f) = self
            .dict_get_str(d, &self.names.__new__)
            .filter(|f| f.is_kind::<Function>())
        {
            self.dict_set_str(d, &self.names.__new__, self.alloc(StaticMethod(f)));
        }
        for name in [&self.names.__init_subclass__, &self.names.__class_getitem__] {
            if let Some(f) = self
                .dict_get_str(d, name)
                .filter(|f| f.is_kind::<Function>())
            {
                self.dict_set_str(d, name, self.alloc(ClassMethod(f)));
            }
        }
    }

    /// Fills the cells that the class body left for `__class__` and `__classdict__`.
    fn set_cells(&self, ty: &Value, d: &Dict) -> Res<()> {
        if let Some(c) = self.dict_del_str(d, &self.names.__classcell__) {
            match c.get::<Cell_>() {
                Some(cell) => drop(cell.0.replace(ty.clone())),
                None => {
                    return Err(self.type_error(format!(
                        "__classcell__ must be a nonlocal cell, not {}",
                        self.repr_string(self.type_ref(&c))?
                    )));
                }
            }
        }
        if let Some(c) = self.dict_del_str(d, &self.names.__classdictcell__) {
            match c.get::<Cell_>() {
                Some(cell) => {
                    let dict = ty.get::<TypeObj>().map_or(Value::NONE, |t| t.dict.clone());
                    drop(cell.0.replace(dict))
                }
                None => {
                    return Err(self.type_error(format!(
                        "__classdictcell__ must be a nonlocal cell, not {}",
                        self.repr_string(self.type_ref(&c))?
                    )));
                }
            }
        }
        Ok(())
    }

    /// What `__slots__` says, or would say if it were there.
    fn slot_names(&self, class: &Value, base: &TypeObj, bases: &Value, d: &Dict) -> Res<SlotNames> {
        let (may_dict, may_weak) = (!base.has(tflag::DICT), !base.has(tflag::WEAKREF));
        let Some(slots) = self.dict_get_str(d, &self.names.__slots__) else {
            return Ok(SlotNames {
                names: vec![],
                dict: may_dict,
                weakref: may_weak
                    && base.kind != Kind::Int
                    && base.kind != Kind::Tuple
                    && base.kind != Kind::Bytes,
            });
        };
        let listed = if slots.as_str().is_some() {
            vec![slots.clone()]
        } else {
            self.collect(&slots)?
        };
        let mut out = SlotNames {
            names: vec![],
            dict: false,
            weakref: false,
        };
        let variable = matches!(
            base.kind,
            Kind::Int | Kind::Tuple | Kind::Bytes | Kind::Type
        );
        if !listed.is_empty() && variable {
            return Err(self.type_error(format!(
                "nonempty __slots__ not supported for subtype of '{}'",
                base.name_str()
            )));
        }
        for s in &listed {
            let Some(text) = s.as_str() else {
                return Err(self.type_error(format!(
                    "__slots__ items must be strings, not '{}'",
                    self.type_name(s)
                )));
            };
            match text {
                "__dict__" if !may_dict || out.dict => {
                    return Err(self.type_error("__dict__ slot disallowed: we already got one"));
                }
                "__weakref__" if !may_weak || out.weakref => {
                    return Err(self.type_error("__weakref__ slot disallowed: we already got one"));
                }
                "__dict__" => out.dict = true,
                "__weakref__" => out.weakref = true,
                _ => {
                    if !is_identifier(text) {
                        return Err(self.type_error("__slots__ must be identifiers"));
                    }
                    let name = self.intern(&mangle(class.as_str().unwrap_or(""), text));
                    if self.dict_get_str(d, &name).is_some()
                        && !matches!(text, "__qualname__" | "__classcell__" | "__classdictcell__")
                    {
                        return Err(self.value_error(format!(
                            "'{text}' in __slots__ conflicts with class variable"
                        )));
                    }
                    out.names.push(name);
                }
            }
        }
        out.names.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        // A dict that a secondary base brings is there whatever `__slots__` says.
        for b in tuple_items(bases) {
            if let Some(t) = b.get::<TypeObj>() {
                out.dict |= may_dict && t.has(tflag::DICT);
                out.weakref |= may_weak && t.has(tflag::WEAKREF);
            }
        }
        Ok(out)
    }

    /// `__set_name__` of the attributes, then `__init_subclass__` of the bases.
    fn finish_class(&self, ty: &Value, dict: &Value, kwargs: &[(Value, Value)]) -> Res<()> {
        let items = dict.get::<Dict>().map_or(vec![], Dict::items);
        for (k, v) in items {
            let Some(f) = self.lookup_special(&v, &self.names.__set_name__) else {
                continue;
            };
            if let Err(e) = self.call_found(&f, &v, Args::positional(&[ty.clone(), k.clone()])) {
                let note = format!(
                    "Error calling __set_name__ on '{}' instance {} in '{}'",
                    self.type_name(&v),
                    self.repr_string(&k)?,
                    self.class_name(ty)
                );
                self.call_method(&e.0, &self.intern("add_note"), &[self.str(&note)])?;
                return Err(e);
            }
        }
        self.init_subclass(ty, kwargs)
    }

    /// `super(cls, cls).__init_subclass__(**kwargs)`.
    fn init_subclass(&self, ty: &Value, kwargs: &[(Value, Value)]) -> Res<()> {
        let Some(t) = ty.get::<TypeObj>() else {
            return Ok(());
        };
        let rest: Vec<Value> = tuple_items(&t.mro.borrow())
            .iter()
            .skip(1)
            .cloned()
            .collect();
        for c in rest {
            let Some(f) = c
                .get::<TypeObj>()
                .and_then(|c| c.dict.get::<Dict>())
                .and_then(|d| self.dict_get_str(d, &self.names.__init_subclass__))
            else {
                continue;
            };
            if c.is(self.kind_type(Kind::Object)) && kwargs.is_empty() {
                return Ok(());
            }
            let bound = self.bind_descriptor(&f, None, ty)?;
            return self.call_kw(&bound, &[], kwargs).map(drop);
        }
        Ok(())
    }

    /// `__name__` of the module whose code runs.
    fn running_module_name(&self) -> Option<Value> {
        let globals = self.globals_dict()?;
        self.dict_get_str(globals.get::<Dict>()?, &self.names.__name__)
    }

    /// The error for making an instance of a class with abstract methods.
    pub fn abstract_error(&self, class: &Value) -> Raised {
        let names = class
            .get::<TypeObj>()
            .and_then(|t| t.dict.get::<Dict>())
            .and_then(|d| self.dict_get_str(d, &self.names.__abstractmethods__));
        let mut list = match names.map(|n| self.collect(&n)) {
            Some(Ok(items)) => items
                .iter()
                .map(|v| v.as_str().unwrap_or("?").to_string())
                .collect::<Vec<_>>(),
            Some(Err(e)) => return e,
            None => vec![],
        };
        list.sort();
        let s = if list.len() == 1 { "" } else { "s" };
        let names: Vec<String> = list.iter().map(|n| format!("'{n}'")).collect();
        self.type_error(format!(
            "Can't instantiate abstract class {} without an implementation for abstract method{s} {}",
            self.class_name(class),
            names.join(", ")
        ))
    }

    /// AttributeError for an attribute of a class that is not set.
    pub fn missing_class_attr(&self, class: &Value, name: &str) -> Raised {
        self.error(
            Exc::AttributeError,
            format!(
                "type object '{}' has no attribute '{name}'",
                self.class_name(class)
            ),
        )
    }
}

/// True for a name that could stand in a program.
pub fn is_identifier(s: &str) -> bool {
    let mut chars = s.chars();
    chars.next().is_some_and(|c| c == '_' || c.is_alphabetic())
        && chars.all(|c| c == '_' || c.is_alphanumeric())
}

/// `__x` in class `C` is `_C__x`.
pub fn mangle(class: &str, name: &str) -> String {
    let class = class.trim_start_matches('_');
    if class.is_empty() || !name.starts_with("__") || name.ends_with("__") || name.contains('.') {
        return name.to_string();
    }
    format!("_{class}{name}")
}
