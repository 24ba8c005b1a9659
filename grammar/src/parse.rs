//! The way from text to tree, and what the caller sees of it.

use crate::ast::{Root, Span, StmtKind};
use crate::build::Cx;
use crate::corun;
use crate::diagnostic::Diagnostic;
use crate::explain;
use crate::layout::{self, Lexed, Stop};
use crate::limits;
use crate::soft;
use crate::token::Tok;
use lalrpop_util::ParseError;

/// What kind of text is parsed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// A whole file.
    Module,
    /// One REPL entry: a line of simple statements, or one compound statement. The text of a compound
    /// statement is complete when it ends in a line end (as with CPython's `codeop`): the lines of an
    /// entry are joined with "\n", so that is the empty line that the user enters last.
    Interactive,
    /// The argument of `eval`.
    Expression,
}

/// A tree, and what the user should hear about its text.
#[derive(Debug)]
pub struct Parsed {
    pub root: Root,
    /// SyntaxWarnings, in source order.
    pub warnings: Vec<Diagnostic>,
}

/// Offsets are 32 bits wide.
const MAX_SOURCE: usize = u32::MAX as usize - 16;

/// Parses source text (see `decode` for bytes).
pub fn parse(source: &str, mode: Mode) -> Result<Parsed, Diagnostic> {
    parse_as(source, mode, true).map_err(|problem| fitted(source, problem))
}

/// Rules compute spans from neighbouring tokens: here they are made to fit the text, so that whoever draws
/// them can slice it.
fn fitted(source: &str, mut problem: Diagnostic) -> Diagnostic {
    let mut start = (problem.span.start as usize).min(source.len());
    while !source.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = (problem.span.end as usize).clamp(start, source.len());
    while !source.is_char_boundary(end) {
        end += 1;
    }
    problem.span = Span::new(start, end);
    problem
}

/// `suggest` is false when the text is a suggestion itself.
pub(crate) fn parse_as(source: &str, mode: Mode, suggest: bool) -> Result<Parsed, Diagnostic> {
    if source.len() > MAX_SOURCE {
        return Err(Diagnostic::syntax(
            "source code is too long",
            Default::default(),
        ));
    }
    if let Some(at) = source.bytes().position(|c| c == 0) {
        return Err(Diagnostic::syntax(
            "source code cannot contain null bytes",
            Span::new(at, at + 1),
        ));
    }
    let mut lexed = layout::lex(source);
    soft::decide(&mut lexed.tokens);
    limits::check(&lexed.tokens)?;
    let mut cx = Cx::new(source);
    let root = match run(&mut cx, &lexed, mode) {
        Ok(root) => root,
        Err(error) => return Err(explain::explain(source, &lexed, mode, suggest, error)),
    };
    if mode == Mode::Interactive {
        one_entry(source, &lexed, &root)?;
    }
    let mut warnings = std::mem::take(&mut lexed.warnings);
    warnings.append(&mut cx.warnings);
    warnings.sort_by_key(|w| w.span.start);
    Ok(Parsed { root, warnings })
}

/// Checks that a REPL entry is one line of simple statements, or one compound statement that has ended.
fn one_entry(source: &str, lexed: &Lexed, root: &Root) -> Result<(), Diagnostic> {
    let Root::Interactive(body) = root else {
        return Ok(());
    };
    let Some(first) = body.first() else {
        return Ok(());
    };
    let several = "multiple statements found while compiling a single statement";
    if is_compound(&first.kind) {
        if let Some(second) = body.get(1) {
            return Err(Diagnostic::syntax(several, second.span));
        }
        if !source.ends_with('\n') {
            let end = source.len();
            let mut problem = Diagnostic::syntax("incomplete input", Span::new(end, end));
            problem.incomplete = true;
            return Err(problem);
        }
        return Ok(());
    }
    let line = lexed
        .tokens
        .iter()
        .position(|t| t.kind == Tok::Newline && t.start >= first.span.end);
    let line_end = line.map_or(u32::MAX, |i| lexed.tokens[i].start);
    match body.iter().find(|s| s.span.start > line_end) {
        Some(next) => Err(Diagnostic::syntax(several, next.span)),
        None => Ok(()),
    }
}

/// The parser's own kind of error.
pub type Failure = ParseError<u32, Tok, Diagnostic>;

fn run(cx: &mut Cx<'_>, lexed: &Lexed, mode: Mode) -> Result<Root, Failure> {
    let tokens = lexed.tokens.iter().map(|t| Ok((t.start, t.kind, t.end)));
    // What stopped the layout pass is the last "token".
    let stop = match &lexed.stop {
        Stop::Complete => None,
        Stop::Error(problem) => Some(Err(problem.clone())),
        Stop::Unclosed(bracket) => {
            let mut problem = explain::never_closed(*bracket);
            problem.incomplete = true;
            Some(Err(problem))
        }
    };
    let tokens = tokens.chain(stop);
    match mode {
        Mode::Module => corun::ModuleParser::new()
            .parse(cx, tokens)
            .map(Root::Module),
        Mode::Interactive => corun::ModuleParser::new()
            .parse(cx, tokens)
            .map(Root::Interactive),
        Mode::Expression => corun::ExpressionParser::new()
            .parse(cx, tokens)
            .map(|e| Root::Expression(Box::new(e))),
    }
}

fn is_compound(kind: &StmtKind) -> bool {
    matches!(
        kind,
        StmtKind::FunctionDef(_)
            | StmtKind::ClassDef(_)
            | StmtKind::For(_)
            | StmtKind::While { .. }
            | StmtKind::If { .. }
            | StmtKind::With { .. }
            | StmtKind::Match { .. }
            | StmtKind::Try(_)
    )
}
