//! Parameter lists of functions and lambdas.
//!
//! The grammar accepts parameters in any order; `arguments` sorts them and says what is out of place.

use super::{Built, fail, span};
use crate::ast::*;

/// One item of a parameter list.
pub enum Param {
    Plain(Box<Arg>),
    /// A `*` alone.
    Star(Span),
    Slash(Span),
    /// With the offset of the star, and of a `=` where none may stand.
    Var(Box<Arg>, u32, Option<u32>),
    Kwargs(Box<Arg>, u32, Option<u32>),
}

fn arg(name: Ident, annotation: Option<Expr>, default: Option<Expr>, l: u32, r: u32) -> Box<Arg> {
    Box::new(Arg {
        name: name.name,
        annotation,
        default,
        span: span(l, r),
    })
}

/// A default where none may stand: the offset of its `=`.
type Misplaced = Option<(u32, Option<Expr>)>;

impl Param {
    pub fn plain(
        name: Ident,
        annotation: Option<Expr>,
        default: Option<Expr>,
        l: u32,
        r: u32,
    ) -> Param {
        Param::Plain(arg(name, annotation, default, l, r))
    }

    pub fn var(
        star: u32,
        name: Ident,
        annotation: Option<Expr>,
        default: Misplaced,
        r: u32,
    ) -> Param {
        let l = name.span.start;
        Param::Var(
            arg(name, annotation, None, l, r),
            star,
            default.map(|d| d.0),
        )
    }

    pub fn kwargs(
        star: u32,
        name: Ident,
        annotation: Option<Expr>,
        default: Misplaced,
        r: u32,
    ) -> Param {
        let l = name.span.start;
        Param::Kwargs(
            arg(name, annotation, None, l, r),
            star,
            default.map(|d| d.0),
        )
    }

    fn span(&self) -> Span {
        match self {
            Param::Plain(a) => a.span,
            Param::Var(_, star, _) => span(*star, star + 1),
            Param::Kwargs(_, star, _) => span(*star, star + 2),
            Param::Star(s) | Param::Slash(s) => *s,
        }
    }
}

pub fn arguments(params: Vec<Param>, lambda: bool) -> Built<Arguments> {
    let mut out = Arguments::default();
    let mut star: Option<Span> = None;
    let mut slash = false;
    let mut last_default = false;
    let count = params.len();
    for (i, param) in params.into_iter().enumerate() {
        if out.kwarg.is_some() {
            return fail("arguments cannot follow var-keyword argument", param.span());
        }
        match param {
            Param::Plain(a) if star.is_some() => out.kwonly.push(*a),
            Param::Plain(a) => {
                if a.default.is_some() {
                    last_default = true;
                } else if last_default {
                    return fail(
                        "parameter without a default follows parameter with a default",
                        a.span,
                    );
                }
                out.args.push(*a);
            }
            Param::Slash(at) => {
                if slash {
                    return fail("/ may appear only once", at);
                }
                if star.is_some() {
                    return fail("/ must be ahead of *", at);
                }
                if i == 0 {
                    let message = if count == 1 {
                        "invalid syntax"
                    } else {
                        "at least one argument must precede /"
                    };
                    return fail(message, at);
                }
                slash = true;
                out.posonly = std::mem::take(&mut out.args);
            }
            Param::Star(at) => {
                if star.is_some() {
                    return fail("* argument may appear only once", at);
                }
                if i + 1 == count {
                    // For a lambda CPython points at the colon behind it.
                    return fail(
                        BARE_STAR,
                        if lambda { span(at.end, at.end + 1) } else { at },
                    );
                }
                star = Some(at);
            }
            Param::Var(a, at_star, default) => {
                if star.is_some() {
                    return fail(
                        "* argument may appear only once",
                        span(at_star, at_star + 1),
                    );
                }
                if let Some(at) = default {
                    return fail(
                        "var-positional argument cannot have default value",
                        span(at, at + 1),
                    );
                }
                star = Some(a.span);
                out.vararg = Some(a);
            }
            Param::Kwargs(a, _, default) => {
                if let Some(at) = default {
                    return fail(
                        "var-keyword argument cannot have default value",
                        span(at, at + 1),
                    );
                }
                if let Some(at) = star
                    && out.vararg.is_none()
                    && out.kwonly.is_empty()
                {
                    return fail(BARE_STAR, at);
                }
                out.kwarg = Some(a);
            }
        }
    }
    Ok(out)
}

const BARE_STAR: &str = "named arguments must follow bare *";
