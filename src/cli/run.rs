//! Running a script, a text, a module, or standard input as `__main__`.

use crate::modules::import::new_module;
use crate::object::Value;
use crate::object::dict::Dict;
use crate::object::seq::List;
use crate::vm::source::Flags;
use crate::vm::{Res, Vm};
use std::path::Path;

/// The module `__main__`, made on first use.
pub fn main_module(vm: &Vm) -> Value {
    if let Some(d) = vm.modules.get::<Dict>() {
        if let Some(m) = vm.dict_get_str(d, &vm.names.__main__) {
            return m;
        }
        if let Ok(m) = new_module(vm, "__main__", None, None) {
            vm.dict_set_str(d, &vm.names.__main__, m.clone());
            if let Some(md) = m
                .get::<crate::object::func::Module>()
                .and_then(|m| m.dict.get::<Dict>())
            {
                vm.dict_set_str(md, &vm.names.__package__, Value::NONE);
            }
            return m;
        }
    }
    Value::NONE
}

/// `sys.argv`.
pub fn set_arguments(vm: &Vm, first: &str, rest: &[String]) {
    let mut argv = vec![vm.str(first)];
    argv.extend(rest.iter().map(|a| vm.str(a)));
    if let Ok(sys) = vm.import_module("sys") {
        // `sys` is a plain module: setting an attribute cannot fail.
        let _ = vm.setattr(&sys, &vm.intern("argv"), &vm.list(argv));
    }
}

/// Puts a folder in front of `sys.path`.
fn add_path(vm: &Vm, dir: &str) -> Res<()> {
    let sys = vm.import_module("sys")?;
    let path = vm.getattr(&sys, &vm.names.path)?;
    if let Some(l) = path.get::<List>() {
        l.0.borrow_mut().insert(0, vm.str(dir));
    }
    Ok(())
}

fn set_file(vm: &Vm, name: &str) {
    if let Some(d) = super::main_dict(vm).get::<Dict>() {
        vm.dict_set_str(d, &vm.names.__file__, vm.str(name));
    }
}

/// Runs a script file. `Err` is an uncaught exception.
pub fn script(vm: &Vm, path: &str) -> Res<i32> {
    let mut file = Path::new(path).to_path_buf();
    if file.is_dir() {
        let inside = ["__main__.co", "__main__.py"]
            .iter()
            .map(|n| file.join(n))
            .find(|p| p.is_file());
        match inside {
            Some(p) => file = p,
            None => {
                super::error_line(&format!("corun: can't find '__main__' module in '{path}'"));
                return Ok(1);
            }
        }
    }
    let bytes = match std::fs::read(&file) {
        Ok(b) => b,
        Err(e) => {
            let why = e.to_string();
            let why = why.split(" (os error").next().unwrap_or(&why);
            super::error_line(&format!("corun: can't open file '{path}': {why}"));
            return Ok(2);
        }
    };
    let dir = file
        .parent()
        .map_or(String::new(), |p| p.display().to_string());
    let absolute = std::path::absolute(if dir.is_empty() { "." } else { &dir })
        .map_or(dir.clone(), |p| p.display().to_string());
    add_path(vm, &absolute)?;
    let name = if Path::new(path).is_dir() {
        file.display().to_string()
    } else {
        path.to_string()
    };
    set_file(vm, &name);
    let code = vm.compile_bytes(&bytes, &name, Flags::MODULE)?;
    vm.exec_code(&code, &super::main_dict(vm), None).map(|_| 0)
}

/// Runs program text.
pub fn text(vm: &Vm, text: &str, name: &str) -> Res<i32> {
    add_path(vm, "")?;
    let code = vm.compile_text(text, name, Flags::MODULE)?;
    vm.exec_code(&code, &super::main_dict(vm), None).map(|_| 0)
}

/// Runs the program on standard input.
pub fn stdin(vm: &Vm) -> Res<i32> {
    use std::io::Read;
    let mut bytes = Vec::new();
    if let Err(e) = std::io::stdin().read_to_end(&mut bytes) {
        super::error_line(&format!("corun: cannot read standard input: {e}"));
        return Ok(1);
    }
    add_path(vm, "")?;
    let code = vm.compile_bytes(&bytes, "<stdin>", Flags::MODULE)?;
    vm.exec_code(&code, &super::main_dict(vm), None).map(|_| 0)
}

/// Runs a module as a script: its source is found as an import would, then run under the name `__main__`.
pub fn module(vm: &Vm, name: &str) -> Res<i32> {
    add_path(
        vm,
        &std::env::current_dir().map_or(String::new(), |d| d.display().to_string()),
    )?;
    match crate::modules::import::source_of(vm, name)? {
        Some((file, bytes)) => {
            set_file(vm, &file);
            if let Some(d) = super::main_dict(vm).get::<Dict>() {
                let package = name.rsplit_once('.').map_or("", |p| p.0);
                vm.dict_set_str(d, &vm.names.__package__, vm.str(package));
            }
            let code = vm.compile_bytes(&bytes, &file, Flags::MODULE)?;
            vm.exec_code(&code, &super::main_dict(vm), None).map(|_| 0)
        }
        None => {
            super::error_line(&format!("corun: No module named {name}"));
            Ok(1)
        }
    }
}
