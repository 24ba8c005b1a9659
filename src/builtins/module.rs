//! Modules as objects: attribute access with a module's own `__getattr__`, repr, annotations.

use crate::object::dict::Dict;
use crate::object::func::Module;
use crate::object::header::Kind;
use crate::object::native::{Args, NativeDef};
use crate::object::types::{GetSetDef, TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::{Raised, Res, Vm};

fn dict_of<'a>(vm: &Vm, v: &'a Value) -> Res<&'a Dict> {
    v.get::<Module>()
        .and_then(|m| m.dict.get::<Dict>())
        .ok_or_else(|| vm.type_error("a module was expected"))
}

fn module_new(vm: &Vm, class: &Value, _: Args) -> Res {
    let dict = vm.dict();
    if let Some(d) = dict.get::<Dict>() {
        for name in [
            &vm.names.__name__,
            &vm.names.__doc__,
            &vm.names.__package__,
            &vm.names.__loader__,
            &vm.names.__spec__,
        ] {
            vm.dict_set_str(d, name, Value::NONE);
        }
    }
    Ok(vm.alloc_as(class, Module { dict }))
}

fn module_init(vm: &Vm, v: &Value, args: Args) -> Res<()> {
    let a = vm.bind_args("module(name, doc=None)", args)?;
    if a[0].as_str().is_none() {
        return Err(vm.wrong_type("module() argument 'name'", "str", &a[0]));
    }
    let d = dict_of(vm, v)?;
    vm.dict_set_str(d, &vm.names.__name__, a[0].clone());
    vm.dict_set_str(d, &vm.names.__doc__, a[1].clone());
    Ok(())
}

/// A str in the module's namespace.
fn text(vm: &Vm, d: &Dict, name: &Value) -> Option<String> {
    vm.dict_get_str(d, name)?.as_str().map(str::to_string)
}

fn module_repr(vm: &Vm, v: &Value) -> Res {
    let d = dict_of(vm, v)?;
    let name = match vm.dict_get_str(d, &vm.names.__name__) {
        Some(n) => vm.repr_string(&n)?,
        None => "'?'".into(),
    };
    Ok(vm.str(&match text(vm, d, &vm.names.__file__) {
        Some(f) => format!("<module {name} from {}>", crate::text::repr::str_repr(&f)),
        None if vm
            .dict_get_str(d, &vm.names.__spec__)
            .is_some_and(|s| !s.is_none())
            || v_is_builtin(vm, v) =>
        {
            format!("<module {name} (built-in)>")
        }
        None => format!("<module {name}>"),
    }))
}

/// True for a module without a file that `sys.modules` knows.
fn v_is_builtin(vm: &Vm, v: &Value) -> bool {
    let name = v
        .get::<Module>()
        .and_then(|m| m.dict.get::<Dict>())
        .and_then(|d| vm.dict_get_str(d, &vm.names.__name__));
    let Some(name) = name.filter(|n| n.as_str().is_some_and(|n| n != "__main__")) else {
        return false;
    };
    vm.modules
        .get::<Dict>()
        .and_then(|d| vm.dict_get_str(d, &name))
        .is_some_and(|m| m.is(v))
}

fn module_getattr(vm: &Vm, v: &Value, name: &Value) -> Res {
    if let Some(r) = vm.generic_lookup(v, name)? {
        return Ok(r);
    }
    let d = dict_of(vm, v)?;
    if let Some(hook) = vm.dict_get_str(d, &vm.names.__getattr__) {
        return vm.call(&hook, std::slice::from_ref(name));
    }
    Err(missing(vm, v, d, name))
}

#[cold]
fn missing(vm: &Vm, v: &Value, d: &Dict, name: &Value) -> Raised {
    let attr = name.as_str().unwrap_or("?");
    let Some(module) = text(vm, d, &vm.names.__name__) else {
        return vm.attribute_error(&format!("module has no attribute '{attr}'"), v, name);
    };
    let initializing = match vm.dict_get_str(d, &vm.names.__spec__) {
        Some(s) if !s.is_none() => vm
            .getattr_opt(&s, &vm.intern("_initializing"))
            .ok()
            .flatten()
            .is_some_and(|i| i.is_true()),
        _ => false,
    };
    let message = if initializing {
        format!(
            "partially initialized module '{module}' has no attribute '{attr}' (most likely due to a circular import)"
        )
    } else {
        format!("module '{module}' has no attribute '{attr}'")
    };
    vm.attribute_error(&message, v, name)
}

fn module_dir(vm: &Vm, a: &[Value]) -> Res {
    let d = dict_of(vm, &a[0])?;
    match vm.dict_get_str(d, &vm.names.__dir__) {
        Some(f) => vm.call(&f, &[]),
        None => Ok(vm.list(d.keys())),
    }
}

fn get_annotations(vm: &Vm, v: &Value) -> Res {
    let d = dict_of(vm, v)?;
    if let Some(a) = vm.dict_get_str(d, &vm.names.__annotations__) {
        return Ok(a);
    }
    let annotate = get_annotate(vm, v)?;
    let a = vm.compute_annotations(&annotate)?;
    vm.dict_set_str(d, &vm.names.__annotations__, a.clone());
    Ok(a)
}

fn set_annotations(vm: &Vm, v: &Value, new: Option<&Value>) -> Res<()> {
    let d = dict_of(vm, v)?;
    match new {
        Some(n) => vm.dict_set_str(d, &vm.names.__annotations__, n.clone()),
        None => {
            if vm.dict_del_str(d, &vm.names.__annotations__).is_none() {
                return Err(vm.attribute_error("__annotations__", v, &vm.names.__annotations__));
            }
        }
    }
    vm.dict_del_str(d, &vm.names.__annotate__);
    Ok(())
}

fn get_annotate(vm: &Vm, v: &Value) -> Res {
    Ok(vm
        .dict_get_str(dict_of(vm, v)?, &vm.names.__annotate__)
        .unwrap_or(Value::NONE))
}

fn set_annotate(vm: &Vm, v: &Value, new: Option<&Value>) -> Res<()> {
    let Some(n) = new else {
        return Err(vm.type_error("cannot delete __annotate__ attribute"));
    };
    if !n.is_none() && !vm.is_callable(n) {
        return Err(vm.type_error("__annotate__ must be callable or None"));
    }
    let d = dict_of(vm, v)?;
    vm.dict_set_str(d, &vm.names.__annotate__, n.clone());
    if !n.is_none() {
        vm.dict_del_str(d, &vm.names.__annotations__);
    }
    Ok(())
}

impl Vm {
    /// A new module with its name and doc set.
    pub fn new_module(&self, name: &str, doc: Value) -> Value {
        let dict = self.dict();
        if let Some(d) = dict.get::<Dict>() {
            self.dict_set_str(d, &self.names.__name__, self.intern(name));
            self.dict_set_str(d, &self.names.__doc__, doc);
            let package = name.rsplit_once('.').map_or("", |(p, _)| p);
            self.dict_set_str(d, &self.names.__package__, self.intern(package));
            self.dict_set_str(d, &self.names.__loader__, Value::NONE);
            self.dict_set_str(d, &self.names.__spec__, Value::NONE);
        }
        self.alloc(Module { dict })
    }

    /// Puts natives into a namespace, as functions of the module `module`.
    pub fn add_functions(&self, dict: &Value, module: &str, defs: &'static [NativeDef]) {
        let Some(d) = dict.get::<Dict>() else { return };
        let m = self.intern(module);
        for def in defs {
            self.dict_set_str(
                d,
                &self.intern(def.name()),
                self.new_native(def, Value::UNBOUND, Value::UNBOUND, m.clone()),
            );
        }
    }
}

pub static TYPE: TypeSpec = TypeSpec {
    name: "module",
    kind: Kind::Module,
    flags: tflag::BASETYPE | tflag::WEAKREF,
    slots: |s| {
        s.new = Some(module_new);
        s.init = Some(module_init);
        s.repr = Some(module_repr);
        s.getattr = Some(module_getattr);
    },
    methods: &[NativeDef {
        sig: "__dir__(self, /)",
        f: module_dir,
        doc: "__dir__() -> list\nspecialized dir() implementation",
    }],
    getset: &[
        GetSetDef {
            name: "__dict__",
            get: |vm, v| {
                Ok(v.get::<Module>().map_or(Value::NONE, |m| m.dict.clone())).inspect(|_| {
                    let _ = vm;
                })
            },
            set: None,
            doc: "",
        },
        GetSetDef {
            name: "__annotations__",
            get: get_annotations,
            set: Some(set_annotations),
            doc: "",
        },
        GetSetDef {
            name: "__annotate__",
            get: get_annotate,
            set: Some(set_annotate),
            doc: "",
        },
    ],
    doc: "Create a module object.\n\nThe name must be a string; the optional docstring can have any type.",
    ..TypeSpec::EMPTY
};
