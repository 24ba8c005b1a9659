//! The failing token and its surroundings.
//!
//! All rules ask their questions here: what stands where, and is this range of tokens an expression?

use crate::ast::*;
use crate::build::Cx;
use crate::corun;
use crate::diagnostic::Diagnostic;
use crate::token::{Tok, Token};
use lalrpop_util::ParseError;

/// A rule does not try more than this many ends for one expression.
const MAX_TRIES: usize = 40;
/// Nor does it read further than this many tokens.
const MAX_TOKENS: usize = 2000;

pub struct Scene<'a> {
    pub source: &'a str,
    /// As the parser saw them, and an empty NEWLINE for the end of the text.
    pub tokens: Vec<Token>,
    /// The index of the token at which the parser gave up.
    pub at: usize,
    /// The first token of the line (of a statement; `;` does not count) that holds it.
    pub line: usize,
    /// The first token of the statement that holds it.
    pub start: usize,
    /// What the parser would have accepted, in its own notation.
    expected: Vec<String>,
}

/// True if the parser's list of expected tokens has this kind.
pub fn names(expected: &[String], kind: Tok) -> bool {
    let text = kind.text();
    expected.iter().any(|e| e.trim_matches('"') == text)
}

impl<'a> Scene<'a> {
    pub fn new(source: &'a str, tokens: &[Token], at: usize, expected: Vec<String>) -> Scene<'a> {
        let mut tokens = tokens.to_vec();
        let end = source.len() as u32;
        tokens.push(Token {
            kind: Tok::Newline,
            start: end,
            end,
        });
        let at = at.min(tokens.len() - 1);
        let layout = |t: &Token| matches!(t.kind, Tok::Newline | Tok::Indent | Tok::Dedent);
        let mut line = at;
        // The NEWLINE that ends a line belongs to it.
        if line > 0 && tokens[line].kind == Tok::Newline && !layout(&tokens[line - 1]) {
            line -= 1;
        }
        while line > 0 && !layout(&tokens[line - 1]) {
            line -= 1;
        }
        let mut scene = Scene {
            source,
            tokens,
            at,
            line,
            start: line,
            expected,
        };
        let mut depth = 0usize;
        for i in line..at {
            match scene.tokens[i].kind {
                k if k.opens() => depth += 1,
                k if k.closes() => depth = depth.saturating_sub(1),
                Tok::Semicolon if depth == 0 => scene.start = i + 1,
                _ => {}
            }
        }
        scene
    }

    pub fn token(&self, i: usize) -> Token {
        self.tokens[i.min(self.tokens.len() - 1)]
    }

    pub fn kind(&self, i: usize) -> Tok {
        self.token(i).kind
    }

    /// The kind of the token before `i`.
    pub fn before(&self, i: usize) -> Option<Tok> {
        i.checked_sub(1).map(|p| self.kind(p))
    }

    pub fn text(&self, i: usize) -> &'a str {
        let t = self.token(i);
        self.source
            .get(t.start as usize..t.end as usize)
            .unwrap_or("")
    }

    pub fn span(&self, from: usize, to: usize) -> Span {
        self.token(from).span().to(self.token(to).span())
    }

    pub fn expects(&self, kind: Tok) -> bool {
        names(&self.expected, kind)
    }

    /// True if the failing token is the end of the text.
    pub fn at_end(&self) -> bool {
        let last = self.tokens.len() - 1;
        (self.at..last).all(|i| self.kind(i) == Tok::Dedent)
    }

    /// Where the last line of the text ends.
    pub fn end_span(&self) -> Span {
        let text = self.source.strip_suffix('\n').unwrap_or(self.source);
        let end = text.strip_suffix('\r').unwrap_or(text).len();
        Span::new(end, end)
    }

    /// True if an expression has ended and another begins, and that one goes on to the end of the text.
    pub fn runs_into_end(&self) -> bool {
        let last = self.tokens.len() - 1;
        let head = matches!(
            self.kind(self.start),
            Tok::Import | Tok::From | Tok::Global | Tok::Nonlocal | Tok::Def | Tok::Class
        );
        let after_operand = self.before(self.at).is_some_and(|k| {
            k.closes()
                || matches!(
                    k,
                    Tok::Name
                        | Tok::Number
                        | Tok::Str
                        | Tok::FEnd
                        | Tok::True
                        | Tok::False
                        | Tok::None
                )
        });
        !head && after_operand && matches!(self.run(self.at, last), Err(None))
    }

    /// The bracket depth behind token `i`, from the start of its line.
    pub fn depth_after(&self, i: usize) -> usize {
        let mut depth = 0usize;
        for t in &self.tokens[self.line..=i.min(self.tokens.len() - 1)] {
            if t.kind.opens() {
                depth += 1;
            } else if t.kind.closes() {
                depth = depth.saturating_sub(1);
            }
        }
        depth
    }

    /// The bracket that is open at token `i`, if one of this line is.
    pub fn opener(&self, i: usize) -> Option<usize> {
        let mut depth = 0usize;
        for j in (self.line..i).rev() {
            let kind = self.kind(j);
            if kind.closes() {
                depth += 1;
            } else if kind.opens() {
                if depth == 0 {
                    return Some(j);
                }
                depth -= 1;
            }
        }
        None
    }

    /// The bracket that closes the one at `open`.
    pub fn closer(&self, open: usize) -> Option<usize> {
        let mut depth = 0usize;
        for j in open..self.tokens.len() {
            let kind = self.kind(j);
            if kind.opens() {
                depth += 1;
            } else if kind.closes() {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(j);
                }
            }
        }
        None
    }

    /// The first of these kinds at or behind `from`, outside brackets that open on the way, up to the end
    /// of the line or of the enclosing bracket.
    pub fn find(&self, from: usize, wanted: impl Fn(Tok) -> bool) -> Option<usize> {
        let mut depth = 0usize;
        for j in from..self.tokens.len() {
            let kind = self.kind(j);
            if depth == 0 && wanted(kind) {
                return Some(j);
            }
            if kind.opens() {
                depth += 1;
            } else if kind.closes() {
                if depth == 0 {
                    return None;
                }
                depth -= 1;
            } else if kind == Tok::Newline {
                return None;
            }
        }
        None
    }

    fn run(&self, from: usize, to: usize) -> Result<Expr, Option<u32>> {
        let mut cx = Cx::new(self.source);
        let slice = &self.tokens[from..to.max(from)];
        let tokens = slice
            .iter()
            .map(|t| Ok::<_, Diagnostic>((t.start, t.kind, t.end)));
        match corun::ExpressionParser::new().parse(&mut cx, tokens) {
            Ok(e) => Ok(e),
            Err(ParseError::UnrecognizedToken { token, .. }) => Err(Some(token.0)),
            Err(_) => Err(None),
        }
    }

    /// The tokens `from..to` as one expression (or tuple, or starred expression).
    pub fn parse(&self, from: usize, to: usize) -> Option<Expr> {
        if from >= to || to > self.tokens.len() || to - from > MAX_TOKENS {
            return None;
        }
        self.run(from, to).ok()
    }

    /// The longest expression from `from` on that passes the test, and the index behind it.
    fn longest(
        &self,
        from: usize,
        limit: usize,
        fits: impl Fn(&Expr) -> bool,
    ) -> Option<(Expr, usize)> {
        let limit = limit.min(self.tokens.len()).min(from + MAX_TOKENS);
        if from >= limit {
            return None;
        }
        let mut end = match self.run(from, limit) {
            Ok(e) if fits(&e) => return Some((e, limit)),
            Err(Some(at)) => (from..limit)
                .find(|i| self.tokens[*i].start >= at)
                .unwrap_or(limit),
            _ => limit,
        };
        for _ in 0..MAX_TRIES {
            if end <= from {
                return None;
            }
            if let Some(e) = self.parse(from, end)
                && fits(&e)
            {
                return Some((e, end));
            }
            end -= 1;
        }
        None
    }

    /// True if the expression is not in brackets of its own in `from..`.
    fn bare(&self, e: &Expr, from: usize) -> bool {
        e.span.start == self.token(from).start
    }

    /// CPython's `expression`: no bare tuple, star or walrus.
    pub fn expression(&self, from: usize) -> Option<(Expr, usize)> {
        let stop = |k: Tok| {
            matches!(
                k,
                Tok::Comma
                    | Tok::Assign
                    | Tok::Walrus
                    | Tok::Newline
                    | Tok::Semicolon
                    | Tok::Bang
                    | Tok::SpecColon
            )
        };
        let limit = self.find(from, stop).unwrap_or_else(|| self.limit(from));
        self.longest(from, limit, |e| {
            !self.bare(e, from)
                || !matches!(
                    e.kind,
                    ExprKind::Starred(_) | ExprKind::Yield(_) | ExprKind::YieldFrom(_)
                )
        })
    }

    /// CPython's `disjunction`: no conditional or lambda either.
    pub fn disjunction(&self, from: usize) -> Option<(Expr, usize)> {
        let stop = |k: Tok| {
            matches!(
                k,
                Tok::Comma
                    | Tok::Assign
                    | Tok::Walrus
                    | Tok::Newline
                    | Tok::Semicolon
                    | Tok::If
                    | Tok::Else
                    | Tok::Lambda
                    | Tok::Colon
                    | Tok::For
                    | Tok::Async
                    | Tok::Bang
                    | Tok::SpecColon
            )
        };
        let limit = self.find(from, stop).unwrap_or_else(|| self.limit(from));
        self.longest(from, limit, |e| {
            !self.bare(e, from) || !matches!(e.kind, ExprKind::Starred(_))
        })
    }

    /// CPython's `bitwise_or`: no comparison, `not`, `and`, `or`.
    pub fn operand(&self, from: usize) -> Option<(Expr, usize)> {
        let (e, end) = self.disjunction(from)?;
        let loose = |e: &Expr| {
            self.bare(e, from)
                && matches!(
                    e.kind,
                    ExprKind::Compare { .. }
                        | ExprKind::BoolOp { .. }
                        | ExprKind::UnaryOp {
                            op: UnaryOp::Not,
                            ..
                        }
                )
        };
        if !loose(&e) {
            return Some((e, end));
        }
        self.longest(from, end, |e| !loose(e))
    }

    /// CPython's `star_expressions`: with commas and stars.
    pub fn expressions(&self, from: usize) -> Option<(Expr, usize)> {
        let stop = |k: Tok| matches!(k, Tok::Assign | Tok::Walrus | Tok::Newline | Tok::Semicolon);
        let limit = self.find(from, stop).unwrap_or_else(|| self.limit(from));
        self.longest(from, limit, |_| true)
    }

    /// Where the bracket or line that holds `from` ends.
    fn limit(&self, from: usize) -> usize {
        let mut depth = 0usize;
        for j in from..self.tokens.len() {
            let kind = self.kind(j);
            if kind.opens() {
                depth += 1;
            } else if kind.closes() {
                if depth == 0 {
                    return j;
                }
                depth -= 1;
            } else if kind == Tok::Newline {
                return j;
            }
        }
        self.tokens.len()
    }

    pub fn fail(&self, message: impl Into<String>, span: Span) -> Option<Diagnostic> {
        Some(Diagnostic::syntax(message, span))
    }
}
