//! From source text to a code object, and from a source problem to a SyntaxError.

use super::raise::Exc;
use super::{Raised, Res, Vm};
use crate::bytecode::SourceFile;
use crate::compile;
use crate::object::value::Value;
use corun_grammar::Mode;
use corun_grammar::diagnostic::{Diagnostic, Kind};
use std::rc::Rc;

/// How a text is compiled.
#[derive(Clone, Copy, Debug)]
pub struct Flags {
    pub mode: Mode,
    /// Names live in a mapping (`exec`, `eval`).
    pub name_mode: bool,
    pub top_level_await: bool,
    pub future_annotations: bool,
}

impl Flags {
    /// A module or script.
    pub const MODULE: Flags = Flags {
        mode: Mode::Module,
        name_mode: false,
        top_level_await: false,
        future_annotations: false,
    };
}

/// Parses and compiles, with the warnings of both. No VM is needed.
pub fn build(source: &Rc<SourceFile>, flags: Flags) -> Result<compile::Compiled, Diagnostic> {
    let parsed = corun_grammar::parse(&source.text, flags.mode)?;
    let opts = compile::Options {
        name_mode: flags.name_mode,
        top_level_await: flags.top_level_await,
        future_annotations: flags.future_annotations,
        ..Default::default()
    };
    let mut out = compile::compile(&parsed.root, source.clone(), &opts)?;
    let mut warnings = parsed.warnings;
    warnings.append(&mut out.warnings);
    out.warnings = warnings;
    Ok(out)
}

impl Vm {
    /// Compiles text to a code object; warnings go through `warnings.warn_explicit` if that module is loaded, else to stderr.
    pub fn compile_text(&self, text: &str, filename: &str, flags: Flags) -> Res {
        let source = Rc::new(SourceFile::new(filename, text));
        match build(&source, flags) {
            Ok(c) => {
                for w in &c.warnings {
                    self.syntax_warning(&source, w)?;
                }
                Ok(self.code(&c.code))
            }
            Err(d) => Err(self.syntax_error(&source, &d)),
        }
    }

    /// `compile()`: `mode` is exec, eval or single; `flags` as CPython's (annotations from the future, top-level await).
    pub fn compile_source(&self, text: &str, filename: &str, mode: &str, flags: u32) -> Res {
        const TOP_LEVEL_AWAIT: u32 = 0x2000;
        const FUTURE_ANNOTATIONS: u32 = crate::bytecode::flags::FUTURE_ANNOTATIONS;
        let mode = match mode {
            "exec" => Mode::Module,
            "eval" => Mode::Expression,
            "single" => Mode::Interactive,
            _ => return Err(self.value_error("compile() mode must be 'exec', 'eval' or 'single'")),
        };
        let flags = Flags {
            mode,
            name_mode: true,
            top_level_await: flags & TOP_LEVEL_AWAIT != 0,
            future_annotations: flags & FUTURE_ANNOTATIONS != 0,
        };
        self.compile_text(text, filename, flags)
    }

    /// Decodes a file's bytes and compiles them.
    pub fn compile_bytes(&self, bytes: &[u8], filename: &str, flags: Flags) -> Res {
        match corun_grammar::decode(bytes) {
            Ok(text) => self.compile_text(&text, filename, flags),
            Err(d) => {
                let source = SourceFile::new(filename, &String::from_utf8_lossy(bytes));
                Err(self.syntax_error(&source, &d))
            }
        }
    }

    fn syntax_warning(&self, source: &SourceFile, w: &Diagnostic) -> Res<()> {
        let (line, _) = source.line_col(w.span.start);
        let shown = source
            .text
            .lines()
            .nth(line as usize - 1)
            .unwrap_or("")
            .trim();
        self.write_stderr(&format!(
            "{}:{line}: SyntaxWarning: {}\n  {shown}\n",
            source.name, w.message
        ));
        Ok(())
    }

    /// The SyntaxError (or IndentationError, TabError) of a source problem.
    pub fn syntax_error(&self, source: &SourceFile, d: &Diagnostic) -> Raised {
        let e = match d.kind {
            Kind::Syntax => Exc::SyntaxError,
            Kind::Indentation => Exc::IndentationError,
            Kind::Tab => Exc::TabError,
        };
        let column = |offset: u32| {
            let (line, col) = source.line_col(offset);
            let start = (offset - col) as usize;
            let chars = source
                .text
                .get(start..offset as usize)
                .map_or(col as usize, |s| s.chars().count());
            (line, chars as i64 + 1)
        };
        let len = source.text.len() as u32;
        let (line, offset) = column(d.span.start.min(len));
        let (end_line, end_offset) = column(
            d.span
                .end
                .clamp(d.span.start, len.max(d.span.start))
                .min(len),
        );
        let text = source
            .text
            .split_inclusive('\n')
            .nth(line as usize - 1)
            .unwrap_or("");
        let place = self.tuple(vec![
            self.str(&source.name),
            Value::small_unchecked(line as i64),
            Value::small_unchecked(offset),
            self.str(text),
            Value::small_unchecked(end_line as i64),
            Value::small_unchecked(end_offset),
        ]);
        let msg = self.str(&d.message);
        match self.call(self.exc_type(e), &[msg, place]) {
            Ok(v) => Raised(v),
            Err(e) => e,
        }
    }
}
