//! The builtin types and functions: their script-visible half, and the making of a VM.
//!
//! Each file holds one type or one family: natives over the layouts in `object`, ended by its tables. `boot` makes the core types in the order in which they need
//! each other, then those of `TYPES` (bases before what derives from them), then the exceptions, then fills the module `builtins`.
//!
//! Rule: to add a type or function, write it in its own file and add one row here (or to a family's table, such as `containers`).

#![allow(unsafe_code)]

pub mod bool;
pub mod bytearray;
pub mod bytes;
pub mod bytes_methods;
pub mod bytes_new;
pub mod code;
pub mod complex;
pub mod complex_parse;
pub mod containers;
pub mod descriptors;
pub mod dict;
pub mod dict_views;
pub mod exception_groups;
pub mod exceptions;
pub mod float;
pub mod float_arith;
pub mod format;
pub mod function;
pub mod functions;
pub mod functions_num;
pub mod generic;
pub mod int;
pub mod int_arith;
pub mod iterators;
pub mod list;
pub mod mapping_proxy;
pub mod memoryview;
pub mod module;
pub mod num;
pub mod object;
pub mod percent;
pub mod print;
pub mod range;
pub mod set;
pub mod singletons;
pub mod slice;
pub mod sort;
pub mod str;
pub mod str_codec;
pub mod str_find;
pub mod str_format;
pub mod str_methods;
pub mod str_shape;
pub mod str_split;
pub mod super_;
pub mod support;
pub mod text_support;
pub mod tuple;
pub mod type_;
pub mod weakref;

use crate::object::dict::Dict;
use crate::object::header::{Kind, Obj};
use crate::object::native::{Native, NativeDef};
use crate::object::types::{TypeObj, TypeSpec};
use crate::object::value::Value;
use crate::vm::Vm;
use crate::vm::type_state::Extra;

/// The types that all others are made with: first `object` and `type`, then what their dicts hold.
static CORE: &[&TypeSpec] = &[
    &object::TYPE,
    &type_::TYPE,
    &function::NATIVE,
    &function::SLOT_WRAPPER,
    &function::GETSET,
    &function::MEMBER,
    &descriptors::STATICMETHOD,
    &descriptors::CLASSMETHOD,
];

/// All other native types that every VM has, bases first.
pub static TYPES: &[&TypeSpec] = &[
    &int::TYPE,
    &str::TYPE,
    &str::ITER,
    &bool::TYPE,
    &bytes::TYPE,
    &bytes::ITER,
    &bytearray::TYPE,
    &memoryview::TYPE,
    &float::TYPE,
    &complex::TYPE,
    &singletons::NONE,
    &singletons::ELLIPSIS,
    &singletons::NOT_IMPLEMENTED,
    &function::FUNCTION,
    &function::METHOD,
    &function::CELL,
    &descriptors::PROPERTY,
    &super_::TYPE,
    &module::TYPE,
    &mapping_proxy::TYPE,
    &generic::ALIAS,
    &generic::UNION,
    &code::CODE,
    &code::FRAME,
    &code::TRACEBACK,
];

static GENERATOR_TYPES: &[&TypeSpec] = &[
    &crate::vm::gen_methods::GENERATOR,
    &crate::vm::gen_methods::COROUTINE,
    &crate::vm::gen_methods::COROUTINE_WRAPPER,
    &crate::vm::gen_methods::ASYNC_GENERATOR,
    &crate::vm::gen_methods::ASYNC_GEN_STEP,
];

/// Tables of types of one family each.
pub static TYPE_TABLES: &[&[&TypeSpec]] = &[TYPES, containers::TYPES, GENERATOR_TYPES];

/// The tables of builtin functions.
pub static FUNCTION_TABLES: &[&[&[NativeDef]]] = &[containers::FUNCTIONS, &[FUNCTIONS]];

/// Types that are names of the module `builtins`, beside the exceptions.
const PUBLIC: &[&str] = &[
    "object",
    "type",
    "int",
    "bool",
    "float",
    "complex",
    "str",
    "bytes",
    "bytearray",
    "memoryview",
    "list",
    "tuple",
    "dict",
    "set",
    "frozenset",
    "range",
    "slice",
    "enumerate",
    "zip",
    "map",
    "filter",
    "reversed",
    "property",
    "staticmethod",
    "classmethod",
    "super",
];

/// Functions that belong to the making of classes.
pub static FUNCTIONS: &[NativeDef] = &[NativeDef {
    sig: "__build_class__(func, name, /, *bases, metaclass=..., **kwds)",
    f: build_class,
    doc: "__build_class__(func, name, /, *bases, [metaclass], **kwds) -> class\n\nInternal helper function used by the class statement.",
}];

fn build_class(vm: &Vm, a: &[Value]) -> crate::vm::Res {
    let mut kwargs = a[4].get::<Dict>().map_or(vec![], Dict::items);
    if let Some(m) = a[3].given() {
        kwargs.push((vm.names.metaclass.clone(), m.clone()));
    }
    vm.build_class(&a[0], &a[1], &a[2], &kwargs)
}

/// A VM with all builtin types and functions.
pub fn boot(hash_seed: u64) -> Box<Vm> {
    let vm = Vm::bare(hash_seed);
    vm.heap.register::<crate::vm::slot_wrappers::SlotWrapper>();
    vm.heap.register::<mapping_proxy::MappingProxy>();
    generic::register(&vm);
    let mut made: Vec<Value> = CORE.iter().map(|spec| vm.new_type(spec, None)).collect();
    function::make_extra_types(&vm);
    made.extend(
        TYPE_TABLES
            .iter()
            .flat_map(|t| t.iter())
            .map(|spec| vm.new_type(spec, None)),
    );
    exceptions::boot(&vm);
    vm.adopt_early();
    adopt_methods(&vm);
    fill_builtins(&vm, &made);
    vm
}

/// Methods that were made before `method_descriptor` existed get their type.
fn adopt_methods(vm: &Vm) {
    let Some(shape) = vm
        .type_state
        .extra(Extra::MethodDescriptor)
        .get::<TypeObj>()
        .map(|t| t.root_shape.get())
    else {
        return;
    };
    vm.heap.each_object(&mut |h| {
        // SAFETY: the heap gives live objects, and the kind says which payload they have.
        unsafe {
            if (*h).kind == Kind::Native {
                let n = &(*(h as *const Obj<Native>)).data;
                if n.self_.is_unbound() && !n.owner.is_unbound() {
                    (*h).shape.set(shape);
                }
            }
        }
    });
}

fn fill_builtins(vm: &Vm, types: &[Value]) {
    let Some(d) = vm.builtins.get::<Dict>() else {
        return;
    };
    let set = |name: &str, v: Value| vm.dict_set_str(d, &vm.intern(name), v);
    set("__name__", vm.intern("builtins"));
    set(
        "__doc__",
        vm.str("Built-in functions, types, exceptions, and other objects."),
    );
    set("__package__", vm.names_empty());
    set("__loader__", Value::NONE);
    set("__spec__", Value::NONE);
    for ty in types {
        if let Some(t) = ty.get::<TypeObj>()
            && PUBLIC.contains(&t.name_str().as_str())
        {
            set(&t.name_str(), ty.clone());
        }
    }
    set("None", Value::NONE);
    set("True", Value::TRUE);
    set("False", Value::FALSE);
    set("Ellipsis", Value::ELLIPSIS);
    set("NotImplemented", Value::NOT_IMPLEMENTED);
    set("__debug__", Value::TRUE);
    for table in FUNCTION_TABLES.iter().flat_map(|t| t.iter()) {
        vm.add_functions(&vm.builtins, "builtins", table);
    }
}
