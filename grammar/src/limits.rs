//! Bounds the depth of the syntax tree before it is built.
//!
//! Runs over the tokens between `soft` and the parser. The compiler and the tree's own destructor walk
//! the tree recursively; a bound on its depth is what keeps them inside the native stack.
//!
//! How: along one path of the tree, the nodes that come from one bracket level and one list element are
//! at most as many as the operator tokens of that element. So an upper bound for the depth of an element
//! is the number of its operators plus the deepest bracket inside it. Two bounds are kept, since a long
//! sum leans left and can be walked by a loop, while other nesting cannot:
//!
//! * `MAX_NESTING` for what nests to the right (unary operators, `**`, lambdas, conditionals, ...);
//! * `MAX_CHAIN` for everything together, sums and attribute chains included.

use crate::ast::Span;
use crate::diagnostic::Diagnostic;
use crate::token::{Tok, Token};

/// The deepest tree of operators that nest to the right. `elif` chains count, too.
pub const MAX_NESTING: u32 = 1000;
/// The deepest tree in all: the length of a sum or of a chain of calls and attributes.
pub const MAX_CHAIN: u32 = 4000;

#[derive(Clone, Copy, Default)]
struct Depth {
    nesting: u32,
    chain: u32,
}

impl Depth {
    fn max(self, other: Depth) -> Depth {
        Depth {
            nesting: self.nesting.max(other.nesting),
            chain: self.chain.max(other.chain),
        }
    }
}

/// One bracket level.
#[derive(Default)]
struct Level {
    /// Operators of the element being read.
    own: Depth,
    /// The deepest bracket inside the element being read.
    inner: Depth,
    /// The deepest element read so far.
    deepest: Depth,
    /// Lambdas whose colon is still to come: their commas do not end the element.
    lambdas: u32,
}

impl Level {
    fn end_element(&mut self) {
        let here = Depth {
            nesting: self.own.nesting + self.inner.nesting,
            chain: self.own.chain + self.inner.chain,
        };
        self.deepest = self.deepest.max(here);
        self.own = Depth::default();
        self.inner = Depth::default();
    }
}

pub fn check(tokens: &[Token]) -> Result<(), Diagnostic> {
    let mut levels = vec![Level::default()];
    // The length of the elif chain at each block depth.
    let mut elifs: Vec<u32> = vec![0];
    let mut line_start = true;
    let mut after_operand = false;
    for token in tokens {
        let at_line_start = line_start;
        line_start = matches!(token.kind, Tok::Newline | Tok::Indent | Tok::Dedent);
        // The bottom level is never popped.
        let Some(level) = levels.last_mut() else {
            return Ok(());
        };
        match token.kind {
            Tok::Indent => elifs.push(0),
            Tok::Dedent => {
                elifs.pop();
            }
            Tok::Newline | Tok::Semicolon => *level = Level::default(),
            Tok::If if at_line_start => {
                if let Some(n) = elifs.last_mut() {
                    *n = 0;
                }
            }
            Tok::Elif => {
                if let Some(n) = elifs.last_mut() {
                    *n += 1;
                    if *n > MAX_NESTING {
                        return Err(too_deep(token.span()));
                    }
                }
            }
            Tok::Comma if level.lambdas == 0 => level.end_element(),
            Tok::Colon if level.lambdas > 0 => level.lambdas -= 1,
            Tok::Lambda => {
                level.lambdas += 1;
                level.own.nesting += 1;
            }
            Tok::Not | Tok::Tilde | Tok::DoubleStar | Tok::If | Tok::Await | Tok::Walrus => {
                level.own.nesting += 1
            }
            Tok::Plus | Tok::Minus if !after_operand => level.own.nesting += 1,
            Tok::Plus
            | Tok::Minus
            | Tok::Star
            | Tok::Slash
            | Tok::DoubleSlash
            | Tok::Percent
            | Tok::At
            | Tok::ShiftLeft
            | Tok::ShiftRight
            | Tok::Amper
            | Tok::Bar
            | Tok::Caret
            | Tok::Dot
            | Tok::And
            | Tok::Or
            | Tok::For
            | Tok::SpecColon => level.own.chain += 1,
            kind if kind.opens() || matches!(kind, Tok::FStart | Tok::TStart) => {
                level.own.chain += 1;
                levels.push(Level::default());
            }
            kind if (kind.closes() || kind == Tok::FEnd) && levels.len() > 1 => {
                let Some(mut done) = levels.pop() else {
                    return Ok(());
                };
                done.end_element();
                if let Some(outer) = levels.last_mut() {
                    outer.inner = outer.inner.max(done.deepest);
                }
            }
            _ => {}
        }
        after_operand = token.kind.closes()
            || matches!(
                token.kind,
                Tok::Name
                    | Tok::Number
                    | Tok::Str
                    | Tok::Bytes
                    | Tok::FEnd
                    | Tok::Ellipsis
                    | Tok::True
                    | Tok::False
                    | Tok::None
            );
        if let Some(level) = levels.last() {
            let nesting = level.own.nesting + level.inner.nesting;
            if nesting > MAX_NESTING || nesting + level.own.chain + level.inner.chain > MAX_CHAIN {
                return Err(too_deep(token.span()));
            }
        }
    }
    Ok(())
}

fn too_deep(span: Span) -> Diagnostic {
    let mut problem = Diagnostic::syntax("too many nested expressions or blocks", span);
    problem.hint = Some("Split the statement into several shorter ones.".into());
    problem
}
