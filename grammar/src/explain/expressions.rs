//! Expressions: what stands wrongly beside what.

use super::fields;
use super::scene::Scene;
use crate::ast::*;
use crate::build::target::{self, describe};
use crate::diagnostic::Diagnostic;
use crate::token::Tok;

pub fn explain(scene: &Scene<'_>) -> Option<Diagnostic> {
    not_equal(scene)
        .or_else(|| conditional(scene))
        .or_else(|| not_after_operator(scene))
        .or_else(|| in_string(scene))
        .or_else(|| comprehension(scene))
        .or_else(|| dictionary(scene))
        .or_else(|| missing_comma(scene))
        .or_else(|| arguments(scene))
        .or_else(|| star(scene))
        .or_else(|| fields::after_expression(scene))
        .or_else(|| equals(scene))
        .or_else(|| assignment(scene))
}

/// `a <> b`
fn not_equal(scene: &Scene<'_>) -> Option<Diagnostic> {
    let at = scene.at;
    let apart = at == 0 || scene.kind(at) != Tok::Greater || scene.kind(at - 1) != Tok::Less;
    if apart || scene.token(at - 1).end != scene.token(at).start {
        return None;
    }
    scene.fail(
        "invalid syntax.  Maybe you meant '!=' instead of '<>'?",
        scene.span(at - 1, at),
    )
}

/// Where the expression that holds token `at` begins: behind the last thing that an expression can follow.
fn element_start(scene: &Scene<'_>, at: usize) -> usize {
    let mut depth = 0usize;
    let mut colons = 0usize;
    for j in (scene.start..at).rev() {
        let kind = scene.kind(j);
        if kind.closes() {
            depth += 1;
        } else if kind.opens() {
            if depth == 0 {
                return j + 1;
            }
            depth -= 1;
        } else if depth == 0 {
            match kind {
                // A lambda's colon is part of the expression.
                Tok::Colon => {
                    colons += 1;
                    let lambda = (scene.start..j).rev().any(|i| scene.kind(i) == Tok::Lambda);
                    if !lambda || colons > 1 {
                        return j + 1;
                    }
                    return j + 1;
                }
                Tok::Comma
                | Tok::Assign
                | Tok::Walrus
                | Tok::Else
                | Tok::Semicolon
                | Tok::Return
                | Tok::Yield
                | Tok::Assert
                | Tok::Raise
                | Tok::Del
                | Tok::Elif
                | Tok::While
                | Tok::With
                | Tok::Import
                | Tok::From => return j + 1,
                Tok::If if j == scene.start => return j + 1,
                Tok::In
                    if scene.kind(scene.start) == Tok::For
                        && depth == 0
                        && scene.depth_after(j) == 0 =>
                {
                    return j + 1;
                }
                kind if kind.is_augmented_assign() => return j + 1,
                _ => {}
            }
        }
    }
    scene.start
}

/// `a if b` without `else`, and statements in its place.
fn conditional(scene: &Scene<'_>) -> Option<Diagnostic> {
    // `pass if x else y`, at the word or at the `if` behind it.
    let word = if scene.kind(scene.at) == Tok::If {
        scene.at.saturating_sub(1)
    } else {
        scene.at
    };
    if matches!(scene.kind(word), Tok::Pass | Tok::Break | Tok::Continue)
        && scene.kind(word + 1) == Tok::If
    {
        let (_, end) = scene.disjunction(word + 2)?;
        if scene.kind(end) == Tok::Else {
            return scene.fail(
                "expected expression before 'if', but statement is given",
                scene.token(word).span(),
            );
        }
        return None;
    }
    let from = element_start(scene, scene.at);
    if scene.before(scene.at) == Some(Tok::Else) && scene.at >= 2 {
        let before = element_start(scene, scene.at - 1);
        let (_, end) = scene.disjunction(before)?;
        if scene.kind(end) == Tok::If {
            let (_, end) = scene.disjunction(end + 1)?;
            if end == scene.at - 1 {
                return scene.fail(
                    "expected expression after 'else', but statement is given",
                    scene.token(scene.at).span(),
                );
            }
        }
        return None;
    }
    let (body, end) = scene.disjunction(from)?;
    if scene.kind(end) != Tok::If || end >= scene.at {
        return None;
    }
    let (test, end) = scene.disjunction(end + 1)?;
    if end == scene.at && !matches!(scene.kind(end), Tok::Else | Tok::Colon) {
        return scene.fail(
            "expected 'else' after 'if' expression",
            body.span.to(test.span),
        );
    }
    None
}

/// `1 + not x`
fn not_after_operator(scene: &Scene<'_>) -> Option<Diagnostic> {
    if scene.kind(scene.at) != Tok::Not {
        return None;
    }
    let operator = scene.before(scene.at)?;
    if !matches!(
        operator,
        Tok::Plus
            | Tok::Minus
            | Tok::Star
            | Tok::Slash
            | Tok::Percent
            | Tok::DoubleSlash
            | Tok::At
            | Tok::Tilde
    ) {
        return None;
    }
    let (e, _) = scene.disjunction(scene.at)?;
    let end = match &e.kind {
        // `not` binds more loosely than the operator, but no further than the next `and`.
        ExprKind::BoolOp { values, .. } => values.first().map_or(e.span, |v| v.span),
        _ => e.span,
    };
    scene.fail(
        "'not' after an operator must be parenthesized",
        scene.token(scene.at).span().to(end),
    )
}

/// `"a "b" c"`
fn in_string(scene: &Scene<'_>) -> Option<Diagnostic> {
    let at = scene.at;
    if scene.before(at)? != Tok::Str || scene.kind(at) == Tok::Str {
        return None;
    }
    let mut next = at;
    let mut last = None;
    while scene.kind(next) != Tok::Str {
        let (e, end) = scene.expression(next)?;
        last = Some(e.span);
        if end <= next {
            return None;
        }
        next = end;
    }
    let last = last?;
    scene.fail(
        "invalid syntax. Is this intended to be part of the string?",
        scene.token(at).span().to(last),
    )
}

/// `[a b]`
fn missing_comma(scene: &Scene<'_>) -> Option<Diagnostic> {
    let at = scene.at;
    let open = scene.opener(at)?;
    let from = element_start(scene, at);
    if from >= at || !holds_expressions(scene, open) {
        return None;
    }
    let soft = |i: usize| {
        scene.kind(i) == Tok::Name && matches!(scene.text(i), "match" | "case" | "type" | "_")
    };
    let from = if matches!(scene.kind(from), Tok::Star | Tok::DoubleStar) {
        from + 1
    } else {
        from
    };
    if soft(from) || (scene.kind(from) == Tok::Name && scene.kind(from + 1) == Tok::Str) {
        return None;
    }
    let (a, end) = scene.disjunction(from)?;
    if end != at {
        return None;
    }
    if let ExprKind::Name(name) = &a.kind
        && matches!(name.as_ref(), "print" | "exec")
    {
        return None;
    }
    let (b, end) = scene.expression(at)?;
    if scene.depth_after(end - 1) == 0 {
        return None;
    }
    scene.fail(
        "invalid syntax. Perhaps you forgot a comma?",
        a.span.to(b.span),
    )
}

/// False for the brackets of parameters, imports and patterns.
fn holds_expressions(scene: &Scene<'_>, open: usize) -> bool {
    if scene.depth_after(open) != 1 {
        return true;
    }
    let start = scene.start;
    match scene.kind(start) {
        Tok::Def | Tok::Async => scene.find(start, |k| k == Tok::LParen) != Some(open),
        Tok::From | Tok::Import => false,
        Tok::Case => scene
            .find(start, |k| k == Tok::If)
            .is_some_and(|i| i < open),
        _ => true,
    }
}

/// `[x, y for x, y in z]`, and `for` without `in`.
fn comprehension(scene: &Scene<'_>) -> Option<Diagnostic> {
    let at = scene.at;
    let open = scene.opener(at)?;
    // A clause that fails before its `in`.
    let clause = (open + 1..at)
        .rev()
        .find(|i| scene.kind(*i) == Tok::For && scene.opener(*i) == Some(open));
    if let Some(clause) = clause
        && scene.expects(Tok::In)
        && scene.find(clause, |k| k == Tok::In).is_none_or(|i| i >= at)
    {
        return scene.fail(
            "'in' expected after for-loop variables",
            scene.token(at).span(),
        );
    }
    if scene.kind(at) != Tok::For
        && !(scene.kind(at) == Tok::Async && scene.kind(at + 1) == Tok::For)
    {
        return None;
    }
    if !matches!(scene.kind(open), Tok::LBracket | Tok::LBrace) {
        return None;
    }
    let elements = scene.parse(open + 1, at)?;
    if !matches!(elements.kind, ExprKind::Tuple(_)) {
        return None;
    }
    scene.find(at, |k| k == Tok::In)?;
    scene.fail(
        "did you forget parentheses around the comprehension target?",
        scene.span(open + 1, at - 1),
    )
}

/// Call arguments.
fn arguments(scene: &Scene<'_>) -> Option<Diagnostic> {
    let at = scene.at;
    let open = scene.opener(at)?;
    if scene.kind(open) != Tok::LParen || !is_call(scene, open) {
        return None;
    }
    // `f(a=)`
    if scene.before(at) == Some(Tok::Assign)
        && matches!(scene.kind(at), Tok::Comma | Tok::RParen)
        && at >= 2
        && scene.kind(at - 2) == Tok::Name
    {
        return scene.fail(
            "expected argument value expression",
            scene.span(at - 2, at - 1),
        );
    }
    if let Some(problem) = unpacking(scene, open) {
        return Some(problem);
    }
    // `f(a=x for x in y)`
    if matches!(scene.kind(at), Tok::For | Tok::Async) {
        let from = (open + 1..at)
            .rev()
            .find(|i| scene.kind(*i) == Tok::Comma && scene.opener(*i) == Some(open));
        let from = from.map_or(open + 1, |c| c + 1);
        if scene.kind(from) == Tok::Name && scene.kind(from + 1) == Tok::Assign {
            return scene.fail(
                "invalid syntax. Maybe you meant '==' or ':=' instead of '='?",
                scene.span(from, from + 1),
            );
        }
    }
    None
}

/// `f(*a = b)`
fn unpacking(scene: &Scene<'_>, open: usize) -> Option<Diagnostic> {
    let at = scene.at;
    if scene.kind(at) != Tok::Assign {
        return None;
    }
    let from = (open + 1..at)
        .rev()
        .find(|i| scene.kind(*i) == Tok::Comma && scene.opener(*i) == Some(open));
    let from = from.map_or(open + 1, |c| c + 1);
    let what = match scene.kind(from) {
        Tok::Star => "iterable",
        Tok::DoubleStar => "keyword",
        _ => return None,
    };
    let (value, _) = scene.expression(at + 1)?;
    scene.fail(
        format!("cannot assign to {what} argument unpacking"),
        scene.token(from).span().to(value.span),
    )
}

/// True if the bracket at `open` holds call arguments.
fn is_call(scene: &Scene<'_>, open: usize) -> bool {
    matches!(
        scene.before(open),
        Some(Tok::Name | Tok::RParen | Tok::RBracket | Tok::RBrace | Tok::Str | Tok::FEnd)
    )
}

/// Dictionary displays.
fn dictionary(scene: &Scene<'_>) -> Option<Diagnostic> {
    let at = scene.at;
    let open = scene.opener(at)?;
    if scene.kind(open) != Tok::LBrace {
        return None;
    }
    let before = scene.before(at)?;
    let span = scene.token(at).span();
    if before == Tok::Colon {
        match scene.kind(at) {
            Tok::RBrace | Tok::Comma => {
                return scene.fail(
                    "expression expected after dictionary key and ':'",
                    scene.token(at - 1).span(),
                );
            }
            Tok::Star => {
                let (e, _) = scene.operand(at + 1)?;
                return scene.fail(
                    "cannot use a starred expression in a dictionary value",
                    span.to(e.span),
                );
            }
            _ => return None,
        }
    }
    // A key without its colon, once the display is known to be a dictionary.
    let element = element_start(scene, at);
    let known = scene
        .find(open + 1, |k| k == Tok::Colon)
        .is_some_and(|c| c < element);
    if known && scene.before(element) == Some(Tok::Comma) && scene.expects(Tok::Colon) {
        let (key, end) = scene.expression(element)?;
        if scene.kind(end) != Tok::Colon {
            return scene.fail(
                "':' expected after dictionary key",
                Span {
                    start: key.span.end.saturating_sub(1),
                    end: key.span.end,
                },
            );
        }
    }
    None
}

/// A `*` with nothing to unpack.
fn star(scene: &Scene<'_>) -> Option<Diagnostic> {
    let at = scene.at;
    let open = scene.opener(at)?;
    if scene.kind(at) == Tok::DoubleStar
        && at == open + 1
        && scene.kind(open) == Tok::LParen
        && !is_call(scene, open)
    {
        let (_, end) = scene.expression(at + 1)?;
        if scene.kind(end) == Tok::RParen {
            return scene.fail(
                "cannot use double starred expression here",
                scene.token(at).span(),
            );
        }
    }
    if scene.before(at)? == Tok::Star
        && matches!(
            scene.kind(at),
            Tok::RParen | Tok::RBracket | Tok::RBrace | Tok::Comma | Tok::Assign | Tok::Colon
        )
    {
        let ahead = scene.before(at - 1)?;
        if matches!(
            ahead,
            Tok::LParen | Tok::LBracket | Tok::LBrace | Tok::Comma
        ) {
            return scene.fail("Invalid star expression", scene.token(at).span());
        }
    }
    None
}

/// `if x = 3:` and `[x = 3]`.
fn equals(scene: &Scene<'_>) -> Option<Diagnostic> {
    let at = scene.at;
    if scene.kind(at) != Tok::Assign {
        return None;
    }
    let condition = matches!(
        scene.kind(scene.start),
        Tok::If | Tok::Elif | Tok::While | Tok::Match | Tok::Case | Tok::At
    );
    if scene.depth_after(at) == 0 && !condition {
        return None;
    }
    let mut from = element_start(scene, at);
    // `if a and b = c:`
    if matches!(scene.kind(from), Tok::Not) {
        from += 1;
    }
    let (value, end) = scene.operand(at + 1)?;
    if matches!(scene.kind(end), Tok::Assign | Tok::Walrus) {
        return None;
    }
    if scene.kind(from) == Tok::Name && from + 1 == at {
        return scene.fail(
            "invalid syntax. Maybe you meant '==' or ':=' instead of '='?",
            scene.token(from).span().to(value.span),
        );
    }
    let (target, end) = scene.operand(from)?;
    if end != at {
        return None;
    }
    match &target.kind {
        ExprKind::List(_) | ExprKind::Tuple(_) | ExprKind::GeneratorExp { .. } => None,
        ExprKind::Constant(Constant::None | Constant::True | Constant::False) => None,
        _ => scene.fail(
            format!(
                "cannot assign to {} here. Maybe you meant '==' instead of '='?",
                describe(&target)
            ),
            target.span,
        ),
    }
}

/// A statement with a bad target whose right side is bad as well.
fn assignment(scene: &Scene<'_>) -> Option<Diagnostic> {
    if let Some(problem) = annotation(scene) {
        return Some(problem);
    }
    let mut from = scene.start;
    let mut targets = Vec::new();
    while let Some(equals) = scene
        .find(from, |k| k == Tok::Assign)
        .filter(|e| *e <= scene.at)
    {
        targets.push(scene.parse(from, equals)?);
        from = equals + 1;
    }
    // Behind the first `=`.
    let first = scene.find(scene.start, |k| k == Tok::Assign)?;
    let operand = scene
        .operand(first + 1)
        .filter(|(_, end)| !matches!(scene.kind(*end), Tok::Assign | Tok::Walrus));
    let (message, at) = target::complain(scene.source, &targets, operand.map(|(e, _)| e.span))?;
    scene.fail(message, at)
}

/// `x + 1: int`
fn annotation(scene: &Scene<'_>) -> Option<Diagnostic> {
    let first = scene.kind(scene.start);
    if first.is_keyword()
        && !matches!(
            first,
            Tok::None | Tok::True | Tok::False | Tok::Not | Tok::Await
        )
    {
        return None;
    }
    let colon = scene
        .find(scene.start, |k| k == Tok::Colon)
        .filter(|c| *c < scene.at)?;
    let target = scene.parse(scene.start, colon)?;
    match &target.kind {
        ExprKind::Name(_) | ExprKind::Attribute { .. } | ExprKind::Subscript { .. } => None,
        _ if scene.expression(colon + 1).is_none() => {
            scene.fail("invalid syntax", scene.token(colon).span())
        }
        ExprKind::List(_) => scene.fail(
            "only single target (not list) can be annotated",
            target.span,
        ),
        ExprKind::Tuple(_) => scene.fail(
            "only single target (not tuple) can be annotated",
            target.span,
        ),
        _ => scene.fail("illegal target for annotation", target.span),
    }
}
