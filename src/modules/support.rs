//! Making modules, their types and their named tuples.

use crate::object::dict::Dict;
use crate::object::func::Module;
use crate::object::header::{Kind, Payload};
use crate::object::native::NativeDef;
use crate::object::seq::Tuple;
use crate::object::types::{TypeObj, TypeSpec};
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::{Res, Vm};
use std::cell::RefCell;
use std::collections::HashMap;

/// Native types that share a payload kind, by the address of their spec (`vm.extension::<TypeTable>()`).
#[derive(Default)]
pub struct TypeTable(RefCell<HashMap<usize, Value>>);

impl Vm {
    /// The type of a spec, made on first use.
    pub fn native_type(&self, spec: &'static TypeSpec) -> Value {
        let table = self.extension::<TypeTable>();
        let key = spec as *const TypeSpec as usize;
        if let Some(t) = table.0.borrow().get(&key) {
            return t.clone();
        }
        let t = self.new_type(spec, None);
        table.0.borrow_mut().insert(key, t.clone());
        t
    }

    /// An exact object of the type of a spec.
    pub fn alloc_of<T: Payload>(&self, spec: &'static TypeSpec, data: T) -> Value {
        let t = self.native_type(spec);
        self.alloc_as(&t, data)
    }

    /// A new module with these functions.
    pub fn native_module(
        &self,
        name: &str,
        doc: &str,
        functions: &[&'static [NativeDef]],
    ) -> Value {
        let dict = self.dict();
        if let Some(d) = dict.get::<Dict>() {
            let set = |n: &str, v: Value| self.dict_set_str(d, &self.intern(n), v);
            let module = self.intern(name);
            set("__name__", module.clone());
            set(
                "__doc__",
                if doc.is_empty() {
                    Value::NONE
                } else {
                    self.str(doc)
                },
            );
            set("__package__", self.str(""));
            set("__loader__", Value::NONE);
            set("__spec__", Value::NONE);
            for def in functions.iter().flat_map(|t| t.iter()) {
                set(
                    def.name(),
                    self.new_native(def, Value::UNBOUND, Value::UNBOUND, module.clone()),
                );
            }
        }
        self.alloc(Module { dict })
    }

    /// Sets a name in a module.
    pub fn module_set(&self, module: &Value, name: &str, value: Value) {
        if let Some(d) = module.get::<Module>().and_then(|m| m.dict.get::<Dict>()) {
            self.dict_set_str(d, &self.intern(name), value);
        }
    }

    /// Adds native types to a module under their own names.
    pub fn module_types(&self, module: &Value, specs: &[&'static TypeSpec]) {
        for spec in specs {
            let name = spec.name.rsplit('.').next().unwrap_or(spec.name);
            self.module_set(module, name, self.native_type(spec));
        }
    }

    /// A class derived from a builtin exception.
    pub fn new_exception_class(&self, module: &str, name: &str, base: Exc) -> Res {
        let ns = self.dict();
        if let Some(d) = ns.get::<Dict>() {
            self.dict_set_str(d, &self.names.__module__, self.intern(module));
        }
        let bases = self.tuple(vec![self.exc_type(base).clone()]);
        self.call(self.kind_type(Kind::Type), &[self.intern(name), bases, ns])
    }
}

// ---- named tuples of native modules (`sys.version_info`, `time.struct_time`, `os.stat_result`)

/// What such a type is made of.
pub struct StructSpec {
    /// With its module.
    pub name: &'static str,
    /// Fields that are items too, then those that are attributes only. An empty name has no attribute.
    pub fields: &'static [&'static str],
    /// How many of the fields are items.
    pub items: usize,
    pub doc: &'static str,
}

/// The fields of a struct type, by the address of its type object.
#[derive(Default)]
pub struct StructTypes(RefCell<HashMap<u64, &'static StructSpec>>);

/// An attribute of such a type, and of namedtuple classes: item `index` of the tuple.
pub struct TupleGetter {
    pub index: usize,
    pub doc: RefCell<Value>,
}
// SAFETY: one type per kind; the doc is a str or None and closes no cycle.
#[allow(unsafe_code)]
unsafe impl Payload for TupleGetter {
    const KIND: Kind = Kind::TupleGetter;
    const TRACED: bool = false;
}

fn getter_get(vm: &Vm, d: &Value, obj: Option<&Value>, _owner: &Value) -> Res {
    let g = crate::builtins::support::this::<TupleGetter>(vm, d)?;
    match obj {
        None => Ok(d.clone()),
        Some(o) => match o.get::<Tuple>() {
            Some(t) => t
                .get(g.index)
                .cloned()
                .ok_or_else(|| vm.index_error("tuple index out of range")),
            None => Err(vm.type_error(format!(
                "descriptor for index '{}' for tuple subclasses doesn't apply to '{}' object",
                g.index,
                vm.type_name(o)
            ))),
        },
    }
}

fn getter_set(vm: &Vm, _: &Value, _: &Value, value: Option<&Value>) -> Res<()> {
    Err(vm.error(
        Exc::AttributeError,
        if value.is_some() {
            "can't set attribute"
        } else {
            "can't delete attribute"
        },
    ))
}

fn getter_new(vm: &Vm, class: &Value, args: crate::object::native::Args) -> Res {
    let a = crate::builtins::support::positional(vm, "_tuplegetter", args, 2, 2)?;
    let index = crate::builtins::support::ssize(vm, &a[0])?;
    Ok(vm.alloc_as(
        class,
        TupleGetter {
            index: index.max(0) as usize,
            doc: RefCell::new(a[1].clone()),
        },
    ))
}

pub static TUPLE_GETTER: TypeSpec = TypeSpec {
    name: "collections._tuplegetter",
    kind: Kind::TupleGetter,
    slots: |s| {
        s.new = Some(getter_new);
        s.descr_get = Some(getter_get);
        s.descr_set = Some(getter_set);
        s.repr = Some(|vm, v| {
            let g = crate::builtins::support::this::<TupleGetter>(vm, v)?;
            let doc = g.doc.borrow().clone();
            Ok(vm.str(&format!(
                "_tuplegetter({}, {})",
                g.index,
                vm.repr_string(&doc)?
            )))
        });
    },
    getset: &[crate::object::types::GetSetDef {
        name: "__doc__",
        get: |vm, v| {
            Ok(crate::builtins::support::this::<TupleGetter>(vm, v)?
                .doc
                .borrow()
                .clone())
        },
        set: Some(|vm, v, new| {
            let old = crate::builtins::support::this::<TupleGetter>(vm, v)?
                .doc
                .replace(new.cloned().unwrap_or(Value::NONE));
            drop(old);
            Ok(())
        }),
        doc: "",
    }],
    ..TypeSpec::EMPTY
};

fn spec_of(vm: &Vm, ty: &Value) -> Option<&'static StructSpec> {
    let table = vm.extension::<StructTypes>();

    table.0.borrow().get(&ty.bits()).copied()
}

fn struct_repr(vm: &Vm, v: &Value) -> Res {
    let ty = vm.type_of(v);
    let Some(spec) = spec_of(vm, &ty) else {
        return Ok(vm.str("<struct sequence>"));
    };
    let items = crate::object::native::tuple_items(v);
    let mut out = format!("{}(", spec.name);
    for (i, (name, item)) in spec.fields.iter().zip(items).enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        out.push_str(name);
        out.push('=');
        out.push_str(&vm.repr_string(item)?);
    }
    out.push(')');
    Ok(vm.str(&out))
}

fn struct_new(vm: &Vm, class: &Value, args: crate::object::native::Args) -> Res {
    let Some(spec) = spec_of(vm, class) else {
        return Err(vm.type_error("cannot create this type"));
    };
    let name = spec.name.rsplit('.').next().unwrap_or(spec.name);
    let a = vm.bind_args("structseq(sequence, dict=None)", args)?;
    let items = vm.collect(&a[0])?;
    let (min, max) = (spec.items, spec.fields.len());
    if items.len() < min || items.len() > max {
        let how = if min == max {
            format!("a {min}-sequence")
        } else if items.len() < min {
            format!("an at least {min}-sequence")
        } else {
            format!("an at most {max}-sequence")
        };
        return Err(vm.type_error(format!(
            "{}() takes {how} ({}-sequence given)",
            spec.name,
            items.len()
        )));
    }
    let _ = name;
    vm.struct_value(class, items)
}

impl Vm {
    /// Makes the type of a struct sequence.
    pub fn struct_type(&self, spec: &'static StructSpec, constructible: bool) -> Value {
        let (module, name) = spec
            .name
            .rsplit_once('.')
            .unwrap_or(("builtins", spec.name));
        let ty = self.make_native_type(crate::vm::class::Parts {
            name,
            module: Some(module),
            base: self.kind_type(Kind::Tuple).clone(),
            kind: Kind::Tuple,
            flags: if spec.fields.len() > spec.items {
                crate::object::types::tflag::DICT
            } else {
                0
            },
            slots: if constructible {
                |s| {
                    s.repr = Some(struct_repr);
                    s.new = Some(struct_new);
                }
            } else {
                |s| {
                    s.repr = Some(struct_repr);
                    s.new = Some(|vm, class, _| {
                        Err(vm.type_error(format!(
                            "cannot create '{}' instances",
                            vm.class_name(class)
                        )))
                    });
                }
            },
            methods: &[],
            class_methods: &[],
            static_methods: &[],
            getset: &[],
            doc: spec.doc,
        });
        self.extension::<StructTypes>()
            .0
            .borrow_mut()
            .insert(ty.bits(), spec);
        if let Some(t) = ty.get::<TypeObj>()
            && let Some(d) = t.dict.get::<Dict>()
        {
            for (i, f) in spec
                .fields
                .iter()
                .take(spec.items)
                .enumerate()
                .filter(|(_, f)| !f.is_empty())
            {
                let getter = self.alloc_of(
                    &TUPLE_GETTER,
                    TupleGetter {
                        index: i,
                        doc: RefCell::new(Value::NONE),
                    },
                );
                self.dict_set_str(d, &self.intern(f), getter);
            }
            let names: Vec<Value> = spec
                .fields
                .iter()
                .take(spec.items)
                .map(|f| self.intern(f))
                .collect();
            self.dict_set_str(d, &self.names.__match_args__, self.tuple(names));
            self.dict_set_str(d, &self.intern("n_sequence_fields"), self.usize(spec.items));
            self.dict_set_str(d, &self.intern("n_fields"), self.usize(spec.fields.len()));
            self.dict_set_str(
                d,
                &self.intern("n_unnamed_fields"),
                self.usize(spec.fields.iter().filter(|f| f.is_empty()).count()),
            );
            self.type_modified(t);
        }
        ty
    }

    /// A value of a struct type: its items, then the values of the attributes that are no items (missing ones are None).
    pub fn struct_value(&self, ty: &Value, mut values: Vec<Value>) -> Res {
        let Some(spec) = spec_of(self, ty) else {
            return Err(self.type_error("not a struct type"));
        };
        let extra = if values.len() > spec.items {
            values.split_off(spec.items)
        } else {
            Vec::new()
        };
        let Some(t) = ty.get::<TypeObj>() else {
            return Err(self.type_error("not a struct type"));
        };
        if spec.fields.len() == spec.items {
            return Ok(Tuple::alloc(
                &self.heap,
                t.root_shape.get(),
                values.into_iter(),
            ));
        }
        let v = Tuple::alloc_with_slots(
            &self.heap,
            t.root_shape.get(),
            values.into_iter(),
            t.slot_hint.get(),
        );
        let mut extra = extra.into_iter();
        for name in &spec.fields[spec.items..] {
            let value = extra.next().unwrap_or(Value::NONE);
            self.generic_setattr(&v, &self.intern(name), Some(&value))?;
        }
        Ok(v)
    }
}
