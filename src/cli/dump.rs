//! `--dump=tokens|ast|bytecode FILE`: stages of the compilation as stable text.

use crate::bytecode::SourceFile;
use crate::vm::source::{Flags, build};
use corun_grammar::Mode;
use corun_grammar::diagnostic::Diagnostic;
use std::rc::Rc;

/// Prints a stage; gives the exit status.
pub fn dump(what: &str, file: Option<&str>) -> i32 {
    let Some(file) = file else {
        super::error_line("corun: --dump needs a file");
        return 2;
    };
    let bytes = match std::fs::read(file) {
        Ok(b) => b,
        Err(e) => {
            super::error_line(&format!("corun: can't open file '{file}': {e}"));
            return 2;
        }
    };
    match text(what, file, &bytes) {
        Ok(Some(out)) => super::print_or_fail(&out),
        Ok(None) => {
            super::error_line(&format!(
                "corun: --dump={what} is not one of tokens, ast, bytecode"
            ));
            2
        }
        Err(d) => {
            super::error_line(&format!("{file}: {}", d.message));
            1
        }
    }
}

/// The stage as text; None if there is no such stage.
pub fn text(what: &str, file: &str, bytes: &[u8]) -> Result<Option<String>, Diagnostic> {
    let source = corun_grammar::decode(bytes)?;
    Ok(Some(match what {
        "tokens" => corun_grammar::dump::tokens(&source)?,
        "ast" => corun_grammar::dump::ast(&corun_grammar::parse(&source, Mode::Module)?.root),
        "bytecode" => {
            let source = Rc::new(SourceFile::new(file, &source));
            crate::bytecode::disasm::disassemble(&build(&source, Flags::MODULE)?.code)
        }
        _ => return Ok(None),
    }))
}
