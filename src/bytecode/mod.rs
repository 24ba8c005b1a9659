//! Bytecode as plain data: the op table, the code object that the compiler makes, its disassembler and verifier.
//!
//! It stands between `compile`, which fills a `Code`, and `vm`, which loads it. Nothing here knows a `Value`, so all of it
//! can be built, printed and tested without a heap.

pub mod asm;
pub mod disasm;
pub mod ops;
pub mod verify;

use corun_grammar::ast::Span;
use num_bigint::BigInt;
use std::rc::Rc;

/// A constant as the compiler sees it. The VM makes values of them once, when the code is loaded.
#[derive(Clone, Debug)]
pub enum Const {
    None,
    True,
    False,
    Ellipsis,
    Int(BigInt),
    Float(f64),
    Complex(f64, f64),
    Str(Rc<str>),
    Bytes(Rc<[u8]>),
    Tuple(Vec<Const>),
    FrozenSet(Vec<Const>),
}

/// Bits of `Code::flags`. Values are CPython's `inspect.CO_*`, where it has them.
pub mod flags {
    pub const OPTIMIZED: u32 = 0x1;
    pub const NEWLOCALS: u32 = 0x2;
    pub const VARARGS: u32 = 0x4;
    pub const VARKEYWORDS: u32 = 0x8;
    pub const NESTED: u32 = 0x10;
    pub const GENERATOR: u32 = 0x20;
    pub const COROUTINE: u32 = 0x80;
    pub const ITERABLE_COROUTINE: u32 = 0x100;
    pub const ASYNC_GENERATOR: u32 = 0x200;
    pub const FUTURE_ANNOTATIONS: u32 = 0x100_0000;
    pub const HAS_DOCSTRING: u32 = 0x400_0000;
    pub const METHOD: u32 = 0x800_0000;
    /// corun's own: names live in the mapping in R[0] (class bodies, `exec`, `eval`).
    pub const NAME_MODE: u32 = 0x1000_0000;
    /// corun's own: the body of a class.
    pub const CLASS_BODY: u32 = 0x2000_0000;
}

/// One row of an exception table. Rows are searched in order; the first whose range holds the pc wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handler {
    /// First covered word and the first word after, as offsets into `Code::instrs`. An instruction is covered if its first word is.
    pub start: u32,
    pub end: u32,
    /// Where the handler begins.
    pub target: u32,
    /// The register that receives the exception.
    pub reg: u8,
    /// Registers from this one on (except `reg`) hold temporaries of the abandoned expression; the unwinder releases them.
    pub keep: u8,
}

/// The source span of the instruction that begins at `at`, valid until the next row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub at: u32,
    pub span: Span,
}

/// What all code objects of one source text share.
#[derive(Debug)]
pub struct SourceFile {
    /// As tracebacks name it.
    pub name: Rc<str>,
    pub text: Rc<str>,
    /// Byte offset of the start of each line.
    pub line_starts: Vec<u32>,
}

impl SourceFile {
    pub fn new(name: &str, text: &str) -> SourceFile {
        let mut line_starts = vec![0];
        line_starts.extend(
            text.bytes()
                .enumerate()
                .filter(|&(_, b)| b == b'\n')
                .map(|(i, _)| i as u32 + 1),
        );
        SourceFile {
            name: name.into(),
            text: text.into(),
            line_starts,
        }
    }
    /// The line (from 1) and the column (bytes, from 0) of a byte offset.
    pub fn line_col(&self, offset: u32) -> (u32, u32) {
        let line = self.line_starts.partition_point(|&s| s <= offset).max(1);
        (line as u32, offset - self.line_starts[line - 1])
    }
}

/// A compiled function, class body or module: plain data.
#[derive(Debug)]
pub struct Code {
    pub name: Rc<str>,
    pub qualname: Rc<str>,
    pub source: Rc<SourceFile>,
    /// Span of the whole definition (its first line is `co_firstlineno`; decorators count, as in CPython).
    pub span: Span,
    pub flags: u32,
    /// Positional parameters, positional-only included.
    pub argcount: u32,
    pub posonlyargcount: u32,
    pub kwonlyargcount: u32,
    /// Names of the register locals, in register order: positional parameters, keyword-only ones, `*args`, `**kwargs`, then
    /// the others (cell variables too: their register holds the cell); after them spilled locals.
    pub varnames: Vec<Rc<str>>,
    /// Registers 0 .. nlocals-1 are locals; the rest up to nregs are temporaries.
    pub nlocals: u32,
    pub nregs: u32,
    /// Names among `varnames` that are cells.
    pub cellvars: Vec<Rc<str>>,
    /// Names of the closure's cells, in order.
    pub freevars: Vec<Rc<str>>,
    pub instrs: Vec<u32>,
    pub consts: Vec<Const>,
    pub names: Vec<Rc<str>>,
    pub codes: Vec<Rc<Code>>,
    pub handlers: Vec<Handler>,
    pub positions: Vec<Position>,
    pub doc: Option<Rc<str>>,
}
