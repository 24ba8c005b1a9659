//! The module `_collections`: deque, defaultdict, and what namedtuple and Counter take for speed.

use crate::builtins::support::alloc_as;
use crate::modules::{deque, support};
use crate::object::dict::Dict;
use crate::object::header::Kind;
use crate::object::native::{Args, NativeDef};
use crate::object::types::{BinOp, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::{Res, Vm};

// ---- defaultdict: a dict whose factory is an ordinary attribute

fn factory(vm: &Vm, v: &Value) -> Res {
    Ok(vm
        .getattr_opt(v, &vm.intern("default_factory"))?
        .unwrap_or(Value::NONE))
}

fn new(vm: &Vm, class: &Value, _: Args) -> Res {
    let v = alloc_as(vm, class, Dict::default());
    vm.generic_setattr(&v, &vm.intern("default_factory"), Some(&Value::NONE))?;
    Ok(v)
}

fn init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    let first = args.pos().first().cloned().unwrap_or(Value::NONE);
    if !first.is_none() && !vm.is_callable(&first) {
        return Err(vm.type_error("first argument must be callable or None"));
    }
    vm.generic_setattr(v, &vm.intern("default_factory"), Some(&first))?;
    let rest = Args {
        all: args.all.get(args.pos().len().min(1)..).unwrap_or(&[]),
        names: args.names,
    };
    let Some(dict_init) = vm.type_obj_of_kind(Kind::Dict).and_then(|t| t.slots().init) else {
        return Ok(());
    };
    dict_init(vm, v, rest)
}

fn missing(vm: &Vm, a: &[Value]) -> Res {
    let make = factory(vm, &a[0])?;
    if make.is_none() {
        return Err(vm.key_error(&a[1]));
    }
    let value = vm.call(&make, &[])?;
    vm.setitem(&a[0], &a[1], &value)?;
    Ok(value)
}

fn repr(vm: &Vm, v: &Value) -> Res {
    let make = factory(vm, v)?;
    let inner = match vm.type_obj_of_kind(Kind::Dict).and_then(|t| t.slots().repr) {
        Some(f) => f(vm, v)?,
        None => vm.str("{}"),
    };
    // A factory that shows the dict itself must not recurse.
    let shown = if make.is_none() {
        "None".to_string()
    } else if vm.repr_enter(&make) {
        let r = vm.repr_string(&make);
        vm.repr_leave(&make);
        r?
    } else {
        "...".to_string()
    };
    Ok(vm.str(&format!(
        "{}({shown}, {})",
        vm.type_name(v),
        inner.as_str().unwrap_or("{}")
    )))
}

fn copy(vm: &Vm, a: &[Value]) -> Res {
    let make = factory(vm, &a[0])?;
    vm.call(&vm.type_of(&a[0]), &[make, a[0].clone()])
}

fn or(vm: &Vm, a: &Value, b: &Value) -> Res {
    if !a.is_kind::<Dict>() || !b.is_kind::<Dict>() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    // The result is of the class of whichever operand is a defaultdict, the left one first.
    let like = if vm.isinstance(a, &vm.native_type(&DEFAULTDICT))? {
        a
    } else {
        b
    };
    let make = factory(vm, like)?;
    let out = vm.call(&vm.type_of(like), &[make, a.clone()])?;
    crate::builtins::dict::update(vm, &out, b)?;
    Ok(out)
}

fn reduce(vm: &Vm, a: &[Value]) -> Res {
    let make = factory(vm, &a[0])?;
    let args = if make.is_none() {
        vm.tuple(vec![])
    } else {
        vm.tuple(vec![make])
    };
    let items = vm.call_method(&a[0], &vm.names.items, &[])?;
    let items = vm.iter(&items)?;
    Ok(vm.tuple(vec![
        vm.type_of(&a[0]),
        args,
        Value::NONE,
        Value::NONE,
        items,
    ]))
}

pub static DEFAULTDICT: TypeSpec = TypeSpec {
    name: "collections.defaultdict",
    base: Some(Kind::Dict),
    kind: Kind::Dict,
    flags: tflag::BASETYPE | tflag::DICT,
    slots: |s| {
        s.new = Some(new);
        s.init = Some(init);
        s.repr = Some(repr);
        s.binary[BinOp::Or as usize] = Some(or);
    },
    methods: &[
        NativeDef {
            sig: "__missing__(self, key, /)",
            f: missing,
            doc: "Called by __getitem__ for a missing key.",
        },
        NativeDef {
            sig: "copy(self, /)",
            f: copy,
            doc: "A shallow copy of D.",
        },
        NativeDef {
            sig: "__copy__(self, /)",
            f: copy,
            doc: "A shallow copy of D.",
        },
        NativeDef {
            sig: "__reduce__(self, /)",
            f: reduce,
            doc: "Return state information for pickling.",
        },
    ],
    class_methods: &[NativeDef {
        sig: "__class_getitem__(cls, object, /)",
        f: crate::builtins::list::class_getitem,
        doc: "See PEP 585",
    }],
    doc: "defaultdict(default_factory=None, /, [...]) --> dict with default factory\n\nThe default factory is called without arguments to produce\na new value when a key is not present, in __getitem__ only.\nA defaultdict compares equal to a dict with the same items.\nAll remaining arguments are treated the same as if they were\npassed to the dict constructor, including keyword arguments.",
    ..TypeSpec::EMPTY
};

impl Vm {
    /// The payload of the native type of a kind.
    pub fn type_obj_of_kind(&self, kind: Kind) -> Option<&crate::object::types::TypeObj> {
        self.kind_type(kind).get::<crate::object::types::TypeObj>()
    }
}

/// Counts the items of an iterable into a mapping.
fn count_elements(vm: &Vm, a: &[Value]) -> Res {
    let (mapping, iterable) = (&a[0], &a[1]);
    let plain = mapping.is_kind::<Dict>() && {
        let dict_type = vm.kind_type(Kind::Dict);
        let same = |name: &Value| match (
            vm.lookup_type_attr(&vm.type_of(mapping), name),
            vm.lookup_type_attr(dict_type, name),
        ) {
            (Some(x), Some(y)) => x.is(&y),
            _ => false,
        };
        same(&vm.names.get) && same(&vm.names.__setitem__)
    };
    let one = Value::small_unchecked(1);
    if plain && let Some(d) = mapping.get::<Dict>() {
        vm.iterate(iterable, &mut |item| {
            let hash = vm.hash_dict_key(&item)?;
            match vm.dict_find(d, &item, hash)? {
                Some(i) => {
                    let old = d.value_at(i);
                    let new = match old.as_small() {
                        Some(n) => vm.int(n + 1),
                        None => vm.binary(BinOp::Add, &old, &one)?,
                    };
                    // An addition in script code may have moved the entry.
                    if old.is_small() {
                        drop(d.replace_at(i, new))
                    } else {
                        vm.dict_set_hashed(d, item, hash, new)?
                    }
                }
                None => d.insert_new(item, hash, one.clone()),
            }
            Ok(())
        })?;
        return Ok(Value::NONE);
    }
    let get = vm.getattr(mapping, &vm.names.get)?;
    vm.iterate(iterable, &mut |item| {
        let old = vm.call(&get, &[item.clone(), Value::small_unchecked(0)])?;
        let new = vm.binary(BinOp::Add, &old, &one)?;
        vm.setitem(mapping, &item, &new)
    })?;
    Ok(Value::NONE)
}

static FUNCTIONS: &[NativeDef] = &[NativeDef {
    sig: "_count_elements(mapping, iterable, /)",
    f: count_elements,
    doc: "Count elements in the iterable, updating the mapping",
}];

pub fn init_module(vm: &Vm) -> Res {
    let m = vm.native_module(
        "_collections",
        "High performance data structures.",
        &[FUNCTIONS],
    );
    vm.module_types(
        &m,
        &[
            &deque::TYPE,
            &deque::ITER,
            &deque::REV_ITER,
            &DEFAULTDICT,
            &support::TUPLE_GETTER,
        ],
    );
    Ok(m)
}
