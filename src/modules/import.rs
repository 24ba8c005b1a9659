//! The importer: `sys.modules`, then native modules, then files along `sys.path`, then the embedded library.

use super::{registry, stdlib};
use crate::object::dict::Dict;
use crate::object::func::Module;
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::source::Flags;
use crate::vm::{Res, Vm};
use std::path::{Path, PathBuf};

/// Suffixes of script files, the first found wins.
const SUFFIXES: [&str; 2] = [".co", ".py"];

/// The `import` hook of the VM: see `vm::hooks::ImportFn`.
pub fn import(vm: &Vm, name: &Value, globals: &Value, fromlist: &Value, level: u32) -> Res {
    let Some(text) = name.as_str() else {
        return Err(vm.type_error("module name must be a string"));
    };
    let full = if level > 0 {
        absolute(vm, text, globals, level)?
    } else {
        text.to_string()
    };
    if full.is_empty() {
        return Err(vm.value_error("Empty module name"));
    }
    let leaf = import_dotted(vm, &full)?;
    let from: Vec<Value> = if fromlist.is_none() {
        Vec::new()
    } else {
        vm.collect(fromlist)?
    };
    if from.is_empty() {
        if level > 0 {
            // `from . import x` always has a fromlist; a bare relative import gives the leaf's head.
            let cut = full.len() - text.len();
            let head = text.split('.').next().unwrap_or(text);
            return loaded(vm, &full[..cut + head.len()]).map_or(Ok(leaf), Ok);
        }
        let top = full.split('.').next().unwrap_or(&full);
        return loaded(vm, top).map_or(Ok(leaf), Ok);
    }
    import_submodules(vm, &leaf, &full, &from)?;
    Ok(leaf)
}

/// `from package import name`: names that are not attributes may be submodules.
fn import_submodules(vm: &Vm, module: &Value, full: &str, from: &[Value]) -> Res<()> {
    if vm.getattr_opt(module, &vm.names.__path__)?.is_none() {
        return Ok(());
    }
    for n in from {
        let Some(s) = n.as_str() else { continue };
        if s == "*" {
            if let Some(all) = vm.getattr_opt(module, &vm.names.__all__)? {
                let names = vm.collect(&all)?;
                let names: Vec<Value> = names
                    .into_iter()
                    .filter(|n| n.as_str() != Some("*"))
                    .collect();
                import_submodules(vm, module, full, &names)?;
            }
            continue;
        }
        if vm.getattr_opt(module, n)?.is_some() {
            continue;
        }
        let sub = format!("{full}.{s}");
        match import_dotted(vm, &sub) {
            Ok(_) => (),
            // Not a submodule: the caller says that the name is missing.
            Err(e)
                if vm.is_exc(&e, Exc::ModuleNotFoundError)
                    && missing_name(vm, &e.0).as_deref() == Some(&sub) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

fn missing_name(vm: &Vm, exc: &Value) -> Option<String> {
    vm.getattr_opt(exc, &vm.names.name)
        .ok()??
        .as_str()
        .map(str::to_string)
}

/// The absolute name of a relative import.
fn absolute(vm: &Vm, name: &str, globals: &Value, level: u32) -> Res<String> {
    let get = |k: &Value| {
        globals
            .get::<Dict>()
            .and_then(|d| vm.dict_get_str(d, k))
            .filter(|v| !v.is_none())
    };
    let package = match get(&vm.names.__package__) {
        Some(p) => p.as_str().unwrap_or("").to_string(),
        None => {
            let n = get(&vm.names.__name__)
                .and_then(|n| n.as_str().map(str::to_string))
                .unwrap_or_default();
            if get(&vm.names.__path__).is_some() {
                n
            } else {
                n.rsplit_once('.')
                    .map_or(String::new(), |p| p.0.to_string())
            }
        }
    };
    if package.is_empty() {
        return Err(vm.error(
            Exc::ImportError,
            "attempted relative import with no known parent package",
        ));
    }
    let mut base: &str = &package;
    for _ in 1..level {
        base = match base.rsplit_once('.') {
            Some((head, _)) => head,
            None => {
                return Err(vm.error(
                    Exc::ImportError,
                    "attempted relative import beyond top-level package",
                ));
            }
        };
    }
    Ok(if name.is_empty() {
        base.to_string()
    } else {
        format!("{base}.{name}")
    })
}

/// A module from `sys.modules`; one set to None there counts as missing.
fn loaded(vm: &Vm, full: &str) -> Option<Value> {
    vm.modules
        .get::<Dict>()
        .and_then(|d| vm.dict_get_str(d, &vm.intern(full)))
        .filter(|m| !m.is_none())
}

fn import_dotted(vm: &Vm, full: &str) -> Res {
    if let Some(m) = loaded(vm, full) {
        return Ok(m);
    }
    let mut parent: Option<Value> = None;
    let mut end = 0;
    loop {
        end = full[end..].find('.').map_or(full.len(), |i| end + i);
        let prefix = &full[..end];
        let module = match loaded(vm, prefix) {
            Some(m) => m,
            None => {
                let m = load(vm, prefix, full, parent.as_ref())?;
                if let Some(p) = &parent {
                    let tail = prefix.rsplit('.').next().unwrap_or(prefix);
                    vm.setattr(p, &vm.intern(tail), &m)?;
                }
                m
            }
        };
        if end == full.len() {
            return Ok(module);
        }
        parent = Some(module);
        end += 1;
    }
}

fn not_found(vm: &Vm, name: &str, parent: Option<&Value>) -> crate::vm::Raised {
    let mut text = format!("No module named '{name}'");
    if let (Some(p), Some((head, _))) = (parent, name.rsplit_once('.'))
        && vm
            .getattr_opt(p, &vm.names.__path__)
            .ok()
            .flatten()
            .is_none()
    {
        text.push_str(&format!("; '{head}' is not a package"));
    }
    let e = vm.error(Exc::ModuleNotFoundError, text);
    // The attribute is for programs that look at it; without it the message still says all.
    let _ = vm.setattr(&e.0, &vm.names.name, &vm.str(name));
    e
}

/// Finds and runs one module, `name` (a prefix of `wanted`).
fn load(vm: &Vm, name: &str, _wanted: &str, parent: Option<&Value>) -> Res {
    if let Some(init) = registry::find(name) {
        let m = init(vm)?;
        remember(vm, name, &m);
        return Ok(m);
    }
    let tail = name.rsplit('.').next().unwrap_or(name);
    let dirs = search_path(vm, parent)?;
    if let Some(dirs) = &dirs {
        for dir in dirs {
            if let Some(r) = load_from(vm, name, tail, dir) {
                return r;
            }
        }
    }
    if let Some(e) = stdlib::find(name) {
        let file = format!(
            "<stdlib>/{}{}.co",
            name.replace('.', "/"),
            if e.is_package { "/__init__" } else { "" }
        );
        let path = e
            .is_package
            .then(|| format!("<stdlib>/{}", name.replace('.', "/")));
        return run_module(vm, name, e.source.as_bytes(), &file, path);
    }
    Err(not_found(vm, name, parent))
}

/// The folders to look in: the parent's `__path__`, or `sys.path`.
fn search_path(vm: &Vm, parent: Option<&Value>) -> Res<Option<Vec<PathBuf>>> {
    let list = match parent {
        Some(p) => vm.getattr_opt(p, &vm.names.__path__)?,
        None => match loaded(vm, "sys") {
            Some(sys) => vm.getattr_opt(&sys, &vm.names.path)?,
            None => None,
        },
    };
    let Some(list) = list else { return Ok(None) };
    Ok(Some(
        vm.collect(&list)?
            .iter()
            .filter_map(|v| v.as_str())
            .map(PathBuf::from)
            .collect(),
    ))
}

fn load_from(vm: &Vm, name: &str, tail: &str, dir: &Path) -> Option<Res> {
    if dir.starts_with("<stdlib>") {
        return None;
    }
    let dir = if dir.as_os_str().is_empty() {
        Path::new(".")
    } else {
        dir
    };
    let package = dir.join(tail);
    if package.is_dir() {
        for s in SUFFIXES {
            let init = package.join(format!("__init__{s}"));
            if init.is_file() {
                return Some(run_file(
                    vm,
                    name,
                    &init,
                    Some(package.display().to_string()),
                ));
            }
        }
    }
    for s in SUFFIXES {
        let file = dir.join(format!("{tail}{s}"));
        if file.is_file() {
            return Some(run_file(vm, name, &file, None));
        }
    }
    if package.is_dir() && stdlib::find(name).is_none() {
        // A folder without `__init__` is a namespace package.
        let m = match new_module(vm, name, None, Some(package.display().to_string())) {
            Ok(m) => m,
            Err(e) => return Some(Err(e)),
        };
        remember(vm, name, &m);
        return Some(Ok(m));
    }
    None
}

fn run_file(vm: &Vm, name: &str, file: &Path, path: Option<String>) -> Res {
    match std::fs::read(file) {
        Ok(bytes) => run_module(vm, name, &bytes, &file.display().to_string(), path),
        Err(e) => Err(vm.error(
            Exc::ImportError,
            format!("cannot read {}: {e}", file.display()),
        )),
    }
}

fn remember(vm: &Vm, name: &str, module: &Value) {
    if let Some(d) = vm.modules.get::<Dict>() {
        vm.dict_set_str(d, &vm.intern(name), module.clone());
    }
}

/// A new module object with its standard names.
pub fn new_module(vm: &Vm, name: &str, file: Option<&str>, path: Option<String>) -> Res {
    let dict = vm.dict();
    let n = &vm.names;
    if let Some(d) = dict.get::<Dict>() {
        let package = if path.is_some() {
            name
        } else {
            name.rsplit_once('.').map_or("", |p| p.0)
        };
        vm.dict_set_str(d, &n.__name__, vm.intern(name));
        vm.dict_set_str(d, &n.__doc__, Value::NONE);
        vm.dict_set_str(d, &n.__package__, vm.str(package));
        vm.dict_set_str(d, &n.__loader__, Value::NONE);
        vm.dict_set_str(d, &n.__spec__, Value::NONE);
        if let Some(p) = path {
            vm.dict_set_str(d, &n.__path__, vm.list(vec![vm.str(&p)]));
        }
        if let Some(f) = file {
            vm.dict_set_str(d, &n.__file__, vm.str(f));
        }
    }
    Ok(vm.alloc(Module { dict }))
}

/// Compiles and runs a module. It is in `sys.modules` while it runs, and leaves it if it fails.
fn run_module(vm: &Vm, name: &str, source: &[u8], file: &str, path: Option<String>) -> Res {
    vm.check_native_stack()?;
    let code = vm.compile_bytes(source, file, Flags::MODULE)?;
    let m = new_module(vm, name, Some(file), path)?;
    remember(vm, name, &m);
    let dict = m.get::<Module>().map_or(Value::NONE, |m| m.dict.clone());
    if let Err(e) = vm.exec_code(&code, &dict, None) {
        if let Some(d) = vm.modules.get::<Dict>() {
            vm.dict_del_str(d, &vm.intern(name));
        }
        return Err(e);
    }
    // A module may replace itself in sys.modules while it runs.
    Ok(loaded(vm, name).unwrap_or(m))
}

/// File name and source of a module, for `-m`: as an import would find it, without running it. A package gives its `__main__`.
pub fn source_of(vm: &Vm, name: &str) -> Res<Option<(String, Vec<u8>)>> {
    let parent = match name.rsplit_once('.') {
        Some((head, _)) => Some(import_dotted(vm, head)?),
        None => None,
    };
    let tail = name.rsplit('.').next().unwrap_or(name);
    for dir in search_path(vm, parent.as_ref())?.unwrap_or_default() {
        let dir = if dir.as_os_str().is_empty() {
            PathBuf::from(".")
        } else {
            dir
        };
        for s in SUFFIXES {
            for file in [
                dir.join(format!("{tail}{s}")),
                dir.join(tail).join(format!("__main__{s}")),
            ] {
                if let Ok(bytes) = std::fs::read(&file) {
                    return Ok(Some((file.display().to_string(), bytes)));
                }
            }
        }
    }
    let found = stdlib::find(&format!("{name}.__main__")).or_else(|| stdlib::find(name));
    Ok(found.map(|e| {
        (
            format!("<stdlib>/{}.co", e.name.replace('.', "/")),
            e.source.as_bytes().to_vec(),
        )
    }))
}
