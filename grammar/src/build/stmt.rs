//! Statements.

use super::args::{self, Arg as CallArg};
use super::params::{self, Param};
use super::{Built, Cx, fail, ident_expr, span, target};
use crate::ast::*;

/// What follows `except`.
pub struct ExceptTypes {
    pub typ: Expr,
    pub name: Option<Expr>,
    /// From the first type to the last.
    pub span: Span,
}

/// A compound statement ends where the last statement of its last block ends: the tokens of its layout
/// do not count.
fn body_end(body: &[Stmt]) -> u32 {
    body.last().map_or(0, |s| s.span.end)
}

fn statement(l: u32, kind: StmtKind, r: u32) -> Stmt {
    Stmt {
        kind,
        span: span(l, r),
    }
}

fn last_end(blocks: &[&[Stmt]]) -> u32 {
    blocks
        .iter()
        .rev()
        .find(|b| !b.is_empty())
        .map_or(0, |b| body_end(b))
}

/// Gives a compound statement its span.
pub fn finish(l: u32, kind: StmtKind) -> Stmt {
    let end = match &kind {
        StmtKind::FunctionDef(f) => body_end(&f.body),
        StmtKind::ClassDef(c) => body_end(&c.body),
        StmtKind::For(f) => last_end(&[&f.body, &f.orelse]),
        StmtKind::With { body, .. } => body_end(body),
        _ => l,
    };
    statement(l, kind, end)
}

pub fn finish_async(l: u32, mut kind: StmtKind) -> Stmt {
    match &mut kind {
        StmtKind::FunctionDef(f) => f.is_async = true,
        StmtKind::For(f) => f.is_async = true,
        StmtKind::With { is_async, .. } => *is_async = true,
        _ => {}
    }
    finish(l, kind)
}

pub fn decorate(mut kind: StmtKind, list: Vec<Expr>) -> StmtKind {
    match &mut kind {
        StmtKind::FunctionDef(f) => f.decorators = list,
        StmtKind::ClassDef(c) => c.decorators = list,
        _ => {}
    }
    kind
}

pub fn while_(l: u32, test: Expr, body: Vec<Stmt>, orelse: Vec<Stmt>) -> Stmt {
    let end = last_end(&[&body, &orelse]);
    statement(
        l,
        StmtKind::While {
            test: Box::new(test),
            body,
            orelse,
        },
        end,
    )
}

/// `elif` chains nest in `orelse`: built from the last to the first.
pub fn if_(
    l: u32,
    test: Expr,
    body: Vec<Stmt>,
    elifs: Vec<(u32, Expr, Vec<Stmt>)>,
    orelse: Vec<Stmt>,
) -> Stmt {
    let mut rest = orelse;
    for (at, test, body) in elifs.into_iter().rev() {
        let end = last_end(&[&body, &rest]);
        rest = vec![statement(
            at,
            StmtKind::If {
                test: Box::new(test),
                body,
                orelse: rest,
            },
            end,
        )];
    }
    let end = last_end(&[&body, &rest]);
    statement(
        l,
        StmtKind::If {
            test: Box::new(test),
            body,
            orelse: rest,
        },
        end,
    )
}

pub fn for_(target: Expr, iter: Expr, body: Vec<Stmt>, orelse: Vec<Stmt>) -> Built<StmtKind> {
    target::check_for_target(&target)?;
    Ok(StmtKind::For(Box::new(For {
        target,
        iter,
        body,
        orelse,
        is_async: false,
    })))
}

/// `with a as b, c:`. `with (a, b):` arrives as one tuple and is two items (but `with ((a, b)):` is not).
pub fn with(cx: &mut Cx<'_>, mut items: Vec<(u32, WithItem)>, body: Vec<Stmt>) -> Built<StmtKind> {
    let splits = match items.as_slice() {
        [
            (
                at,
                WithItem {
                    context:
                        Expr {
                            kind: ExprKind::Tuple(parts),
                            span,
                        },
                    vars: None,
                },
            ),
        ] => {
            span.start == *at
                && !parts.is_empty()
                && parts.iter().all(|p| {
                    !matches!(p.kind, ExprKind::Starred(_))
                        && (!matches!(p.kind, ExprKind::NamedExpr { .. })
                            || target::parenthesised(cx.source, p.span))
                })
        }
        _ => false,
    };
    if splits
        && let Some((
            _,
            WithItem {
                context:
                    Expr {
                        kind: ExprKind::Tuple(parts),
                        ..
                    },
                ..
            },
        )) = items.pop()
    {
        items = parts
            .into_iter()
            .map(|context| {
                (
                    0,
                    WithItem {
                        context,
                        vars: None,
                    },
                )
            })
            .collect();
    }
    with_paren(items, body)
}

pub fn with_paren(items: Vec<(u32, WithItem)>, body: Vec<Stmt>) -> Built<StmtKind> {
    let items: Vec<WithItem> = items.into_iter().map(|(_, item)| item).collect();
    for vars in items.iter().filter_map(|item| item.vars.as_ref()) {
        target::check_with_target(vars)?;
    }
    Ok(StmtKind::With {
        items,
        body,
        is_async: false,
    })
}

pub fn assert(test: Expr, msg: Option<Expr>) -> StmtKind {
    StmtKind::Assert {
        test: Box::new(test),
        msg: msg.map(Box::new),
    }
}

pub fn try_(
    l: u32,
    body: Vec<Stmt>,
    handlers: Vec<(Option<u32>, ExceptHandler)>,
    orelse: Vec<Stmt>,
    finalbody: Option<Vec<Stmt>>,
) -> Built<Stmt> {
    let is_star = handlers.first().is_some_and(|h| h.0.is_some());
    if let Some((star, handler)) = handlers.iter().find(|h| h.0.is_some() != is_star) {
        let at = handler.span.start;
        let message = "cannot have both 'except' and 'except*' on the same 'try'";
        return fail(message, span(at, star.unwrap_or(at + 6)));
    }
    let last = handlers.len().saturating_sub(1);
    let mut plain = Vec::with_capacity(handlers.len());
    for (i, (_, handler)) in handlers.into_iter().enumerate() {
        if handler.typ.is_none() && i != last {
            return fail(
                "default 'except:' must be last",
                span(handler.span.start, handler.span.start + 6),
            );
        }
        plain.push(handler);
    }
    let finalbody = finalbody.unwrap_or_default();
    let handlers_end = plain.last().map_or(0, |h| h.span.end);
    let end = [
        body_end(&finalbody),
        body_end(&orelse),
        handlers_end,
        body_end(&body),
    ]
    .into_iter()
    .find(|e| *e != 0);
    let end = end.unwrap_or(l);
    let kind = StmtKind::Try(Box::new(Try {
        body,
        handlers: plain,
        orelse,
        finalbody,
        is_star,
    }));
    Ok(statement(l, kind, end))
}

/// `star` is the offset behind the star.
pub fn except(
    cx: &mut Cx<'_>,
    l: u32,
    star: Option<u32>,
    types: Option<ExceptTypes>,
    body: Vec<Stmt>,
) -> Built<(Option<u32>, ExceptHandler)> {
    let at = span(l, body_end(&body));
    let Some(types) = types else {
        return Ok((
            star,
            ExceptHandler {
                typ: None,
                name: None,
                body,
                span: at,
            },
        ));
    };
    let name = match types.name {
        None => None,
        Some(name) => {
            if let ExprKind::Tuple(items) = &types.typ.kind
                && target::unparenthesised(cx.source, items, types.typ.span)
            {
                return fail(
                    "multiple exception types must be parenthesized when using 'as'",
                    types.span.to(name.span),
                );
            }
            match &name.kind {
                ExprKind::Name(text) => Some(Ident {
                    name: text.clone(),
                    span: name.span,
                }),
                _ => {
                    let what = target::describe(&name);
                    let head = if star.is_some() { "except*" } else { "except" };
                    return fail(
                        format!("cannot use {head} statement with {what}"),
                        name.span,
                    );
                }
            }
        }
    };
    Ok((
        star,
        ExceptHandler {
            typ: Some(types.typ),
            name,
            body,
            span: at,
        },
    ))
}

pub fn function(
    name: Ident,
    type_params: Option<Vec<TypeParam>>,
    parameters: Vec<Param>,
    returns: Option<Expr>,
    body: Vec<Stmt>,
) -> Built<StmtKind> {
    let args = params::arguments(parameters, false)?;
    Ok(StmtKind::FunctionDef(Box::new(FunctionDef {
        name,
        type_params: type_params.unwrap_or_default(),
        args,
        returns,
        body,
        decorators: Vec::new(),
        is_async: false,
    })))
}

pub fn class(
    cx: &mut Cx<'_>,
    name: Ident,
    type_params: Option<Vec<TypeParam>>,
    list: Option<Vec<CallArg>>,
    body: Vec<Stmt>,
) -> Built<StmtKind> {
    // A bare generator would need a call's parentheses.
    if let Some(CallArg::Generator(_, _, clause, _)) = list.as_ref().and_then(|l| l.first()) {
        let word = if cx.text(*clause, *clause + 5) == "async" {
            5
        } else {
            3
        };
        return fail("invalid syntax", span(*clause, *clause + word));
    }
    let args::Arguments {
        args: bases,
        keywords,
    } = args::sort(cx, list.unwrap_or_default(), name.span.end, name.span.end)?;
    Ok(StmtKind::ClassDef(Box::new(ClassDef {
        name,
        type_params: type_params.unwrap_or_default(),
        bases,
        keywords,
        body,
        decorators: Vec::new(),
    })))
}

pub fn type_param(
    kind: TypeParamKind,
    name: Ident,
    bound: Option<Expr>,
    default: Option<Expr>,
    l: u32,
    r: u32,
) -> TypeParam {
    TypeParam {
        kind,
        name,
        bound,
        default,
        span: span(l, r),
    }
}

pub fn type_param_starred(
    kind: TypeParamKind,
    name: Ident,
    bound: Option<(u32, Expr)>,
    default: Option<Expr>,
    l: u32,
    r: u32,
) -> Built<TypeParam> {
    if let Some((colon, bound)) = bound {
        let what = if kind == TypeParamKind::ParamSpec {
            "ParamSpec"
        } else {
            "TypeVarTuple"
        };
        let with = if let ExprKind::Tuple(_) = bound.kind {
            "constraints"
        } else {
            "bound"
        };
        return fail(
            format!("cannot use {with} with {what}"),
            span(colon, bound.span.end),
        );
    }
    Ok(TypeParam {
        kind,
        name,
        bound: None,
        default,
        span: span(l, r),
    })
}

pub fn type_alias(name: Ident, type_params: Option<Vec<TypeParam>>, value: Expr) -> StmtKind {
    StmtKind::TypeAlias {
        name: Box::new(ident_expr(name)),
        type_params: type_params.unwrap_or_default(),
        value: Box::new(value),
    }
}

pub fn match_(l: u32, subject: Expr, cases: Vec<MatchCase>) -> Stmt {
    let end = cases.last().map_or(l, |c| body_end(&c.body));
    statement(
        l,
        StmtKind::Match {
            subject: Box::new(subject),
            cases,
        },
        end,
    )
}

/// `a . b` is the module `a.b`.
pub fn dotted(a: Ident, b: Ident) -> Ident {
    Ident {
        name: format!("{}.{}", a.name, b.name).into(),
        span: a.span.to(b.span),
    }
}

pub fn alias(name: Name, asname: Option<Expr>, l: u32, r: u32) -> Built<Alias> {
    let asname = match asname {
        None => None,
        Some(Expr {
            kind: ExprKind::Name(name),
            span,
        }) => Some(Ident { name, span }),
        Some(other) => {
            return fail(
                format!("cannot use {} as import target", target::describe(&other)),
                other.span,
            );
        }
    };
    Ok(Alias {
        name,
        asname,
        span: span(l, r),
    })
}

pub fn star_alias(l: u32, r: u32) -> Alias {
    Alias {
        name: "*".into(),
        asname: None,
        span: span(l, r),
    }
}

pub fn import(names: Vec<Alias>) -> Built<StmtKind> {
    Ok(StmtKind::Import(names))
}

pub fn import_from(level: u32, module: Option<Ident>, names: Vec<Alias>) -> Built<StmtKind> {
    Ok(StmtKind::ImportFrom {
        module,
        names,
        level,
    })
}
