//! The interactive session: rustyline for the line, the real parser to know when an entry is complete.

use super::end;
use crate::object::Value;
use crate::object::dict::Dict;
use crate::vm::Vm;
use crate::vm::raise::Exc;
use crate::vm::source::{Flags, build};
use corun_grammar::Mode;
use rustyline::error::ReadlineError;
use std::rc::Rc;

/// Runs the session until Ctrl-D or `exit()`; gives the exit status.
pub fn session(vm: &Vm) -> i32 {
    println!(
        "corun {} (Python 3.14 language). Top-level await works; Ctrl-D leaves.",
        env!("CARGO_PKG_VERSION")
    );
    let mut editor = match rustyline::DefaultEditor::new() {
        Ok(e) => e,
        Err(e) => {
            super::error_line(&format!("corun: no terminal: {e}"));
            return 1;
        }
    };
    let globals = super::main_dict(vm);
    let mut entry = String::new();
    loop {
        let prompt = if entry.is_empty() { ">>> " } else { "... " };
        match editor.readline(prompt) {
            Ok(line) => {
                let blank = line.trim().is_empty();
                if entry.is_empty() && blank {
                    continue;
                }
                entry.push_str(&line);
                entry.push('\n');
                if !blank && incomplete(&entry) {
                    continue;
                }
                let text = std::mem::take(&mut entry);
                // History is a comfort: failing to keep it must not stop the session.
                let _ = editor.add_history_entry(text.trim_end());
                if let Some(status) = run(vm, &text, &globals) {
                    return status;
                }
            }
            Err(ReadlineError::Interrupted) => {
                entry.clear();
                println!("KeyboardInterrupt");
            }
            Err(ReadlineError::Eof) => return 0,
            Err(e) => {
                super::error_line(&format!("corun: {e}"));
                return 1;
            }
        }
    }
}

/// True if more lines could complete the entry.
fn incomplete(text: &str) -> bool {
    let source = text.strip_suffix('\n').unwrap_or(text);
    matches!(corun_grammar::parse(source, Mode::Interactive), Err(d) if d.incomplete)
}

/// Runs one entry; Some(status) if the session ends.
fn run(vm: &Vm, text: &str, globals: &Value) -> Option<i32> {
    let flags = Flags {
        mode: Mode::Interactive,
        name_mode: false,
        top_level_await: true,
        future_annotations: false,
    };
    let source = Rc::new(crate::bytecode::SourceFile::new("<stdin>", text));
    let code = match build(&source, flags) {
        Ok(c) => vm.code(&c.code),
        Err(d) => {
            let e = vm.syntax_error(&source, &d);
            vm.print_exception(&e.0);
            return None;
        }
    };
    let r = vm.exec_code(&code, globals, None).and_then(|v| {
        if v.as_gen().is_some() {
            await_top(vm, &v)
        } else {
            Ok(v)
        }
    });
    let saved = vm.save_handled();
    drop(saved);
    if let Err(e) = r {
        if vm.is_exc(&e, Exc::SystemExit) {
            return Some(end::uncaught(vm, e));
        }
        if let Some(sys) = vm
            .import_module("sys")
            .ok()
            .filter(|_| globals.is_kind::<Dict>())
        {
            // For post-mortem looks; a failure to set it changes nothing.
            let _ = vm.setattr(&sys, &vm.intern("last_exc"), &e.0);
        }
        end::flush(vm);
        vm.print_exception(&e.0);
    }
    end::flush(vm);
    None
}

/// Runs a coroutine of the top level on the session's event loop.
fn await_top(vm: &Vm, coro: &Value) -> crate::vm::Res {
    let asyncio = vm.import_module("asyncio")?;
    let get = vm.getattr_str(&asyncio, "get_event_loop")?;
    let event_loop = vm.call(&get, &[])?;
    let run = vm.getattr_str(&event_loop, "run_until_complete")?;
    vm.call(&run, std::slice::from_ref(coro))
}
