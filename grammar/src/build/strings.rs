//! String literals: adjacent ones are joined, f-strings and t-strings become their nodes.
//!
//! `escape` decodes the text; here the pieces are put together.

use super::{Built, Cx, expr, fail, span};
use crate::ast::*;
use crate::escape::{self, Problem};

/// One of several adjacent literals.
pub enum StrPart {
    Plain(Span),
    Bytes(Span),
    /// `prefix` includes the opening quote.
    Formatted {
        prefix: Span,
        pieces: Vec<Piece>,
        template: bool,
    },
}

/// A piece of an f-string or of a format specification.
pub enum Piece {
    Text(Span),
    Field(Box<Field>),
}

/// `{value = !r:spec}`
pub struct Field {
    /// With both braces.
    pub span: Span,
    /// Behind the opening brace.
    pub open: u32,
    pub value: Expr,
    /// The offset of a `=` behind the expression.
    pub equals: Option<u32>,
    /// Where the `!`, `:` or `}` stands.
    pub close: u32,
    pub conversion: Option<Span>,
    /// With the span from its colon on.
    pub spec: Option<(Vec<Piece>, Span)>,
}

fn prefix_len(text: &str) -> usize {
    text.bytes()
        .take_while(|c| !matches!(c, b'\'' | b'"'))
        .count()
}

fn quote_len(text: &str) -> usize {
    let b = text.as_bytes();
    if b.len() >= 3 && b[0] == b[1] && b[1] == b[2] {
        3
    } else {
        1
    }
}

/// The text between the quotes of a whole literal, its offset, and whether it is raw.
fn body(text: &str) -> (&str, usize, bool) {
    let prefix = prefix_len(text);
    let raw = text[..prefix].contains(['r', 'R']);
    let quote = quote_len(&text[prefix..]);
    // The shortest literal is two quotes, which `quote_len` takes for one each.
    let end = text.len().saturating_sub(quote).max(prefix + quote);
    (
        text.get(prefix + quote..end).unwrap_or(""),
        prefix + quote,
        raw,
    )
}

/// Joins adjacent literals.
pub fn join(cx: &mut Cx<'_>, l: u32, parts: Vec<StrPart>, r: u32) -> Built<Expr> {
    let whole = span(l, r);
    let templates = parts
        .iter()
        .filter(|p| matches!(p, StrPart::Formatted { template: true, .. }))
        .count();
    if templates > 0 && templates < parts.len() {
        return fail(
            "cannot mix t-string literals with string or bytes literals",
            whole,
        );
    }
    let bytes = parts
        .iter()
        .filter(|p| matches!(p, StrPart::Bytes(_)))
        .count();
    if bytes > 0 {
        if bytes < parts.len() {
            // CPython has read one token further.
            let rest = cx.source.get(r as usize..).unwrap_or("");
            let next = r + (rest.len() - rest.trim_start_matches([' ', '\t']).len()) as u32;
            return fail(
                "cannot mix bytes and nonbytes literals",
                span(next, next + 1),
            );
        }
        return join_bytes(cx, l, &parts, r);
    }
    if let [StrPart::Plain(at)] = parts.as_slice() {
        let text = plain(cx, *at)?;
        return Ok(expr(l, ExprKind::Constant(Constant::Str(text.into())), r));
    }
    let formatted = parts.iter().any(|p| matches!(p, StrPart::Formatted { .. }));
    let mut out = Parts::default();
    for part in parts {
        match part {
            StrPart::Plain(at) => {
                let text = plain(cx, at)?;
                out.text(&text, at);
            }
            StrPart::Formatted {
                prefix,
                pieces,
                template,
            } => {
                let raw = cx.text(prefix.start, prefix.end).contains(['r', 'R']);
                add_pieces(cx, &mut out, pieces, raw, template, false)?;
            }
            StrPart::Bytes(_) => {}
        }
    }
    if !formatted {
        return Ok(expr(
            l,
            ExprKind::Constant(Constant::Str(out.text.into())),
            r,
        ));
    }
    let items = out.finish();
    let kind = if templates > 0 {
        ExprKind::TemplateStr(items)
    } else {
        ExprKind::JoinedStr(items)
    };
    Ok(expr(l, kind, r))
}

fn plain(cx: &mut Cx<'_>, at: Span) -> Built<String> {
    let source = cx.text(at.start, at.end);
    let (text, offset, raw) = body(source);
    decode(cx, text, at.start + offset as u32, raw, at)
}

/// Decodes text at `offset`; `literal` is the token to blame.
fn decode(cx: &mut Cx<'_>, text: &str, offset: u32, raw: bool, literal: Span) -> Built<String> {
    if !text.contains(['\\', '\r']) {
        return Ok(text.to_string());
    }
    let mut warnings = Vec::new();
    let decoded = escape::decode_str(text, raw, &mut warnings);
    warn(cx, warnings, offset);
    decoded.or_else(|message| fail(message, literal))
}

fn warn(cx: &mut Cx<'_>, warnings: Vec<Problem>, offset: u32) {
    for w in warnings {
        let at = span(offset + w.at as u32, offset + (w.at + w.len) as u32);
        cx.warnings
            .push(crate::diagnostic::Diagnostic::syntax(w.message, at));
    }
}

fn join_bytes(cx: &mut Cx<'_>, l: u32, parts: &[StrPart], r: u32) -> Built<Expr> {
    let mut value = Vec::new();
    for part in parts {
        let StrPart::Bytes(at) = part else { continue };
        let source = cx.text(at.start, at.end);
        let (text, offset, raw) = body(source);
        if !text.is_ascii() {
            return fail("bytes can only contain ASCII literal characters", *at);
        }
        let mut warnings = Vec::new();
        let decoded = escape::decode_bytes(text, raw, &mut warnings);
        warn(cx, warnings, at.start + offset as u32);
        match decoded {
            Ok(bytes) => value.extend(bytes),
            Err(message) => return fail(message, *at),
        }
    }
    Ok(expr(
        l,
        ExprKind::Constant(Constant::Bytes(value.into())),
        r,
    ))
}

/// The parts of an f-string, with neighbouring text joined.
#[derive(Default)]
struct Parts {
    items: Vec<Expr>,
    text: String,
    /// From where to where `text` was written.
    at: Option<Span>,
}

impl Parts {
    fn text(&mut self, text: &str, at: Span) {
        self.text.push_str(text);
        self.at = Some(self.at.map_or(at, |old| old.to(at)));
    }

    fn flush(&mut self) {
        let at = self.at.take().unwrap_or_default();
        if !self.text.is_empty() {
            let text = std::mem::take(&mut self.text);
            self.items.push(Expr {
                kind: ExprKind::Constant(Constant::Str(text.into())),
                span: at,
            });
        }
    }

    fn node(&mut self, e: Expr) {
        self.flush();
        self.items.push(e);
    }

    fn finish(mut self) -> Vec<Expr> {
        self.flush();
        self.items
    }
}

fn add_pieces(
    cx: &mut Cx<'_>,
    out: &mut Parts,
    pieces: Vec<Piece>,
    raw: bool,
    template: bool,
    spec: bool,
) -> Built<()> {
    for piece in pieces {
        match piece {
            Piece::Text(at) => {
                let source = cx.text(at.start, at.end);
                let text = decode(cx, source, at.start, raw, at)?;
                // Escapes first: `\N{...}` holds braces, but what it stands for is never one to halve.
                if !spec && source.contains(['{', '}']) {
                    let halved = halve_braces(cx, source, at, raw)?;
                    out.text(&halved, at);
                } else {
                    out.text(&text, at);
                }
            }
            Piece::Field(field) => add_field(cx, out, *field, raw, template)?,
        }
    }
    Ok(())
}

/// Decodes text with doubled braces, piece by piece.
fn halve_braces(cx: &mut Cx<'_>, source: &str, at: Span, raw: bool) -> Built<String> {
    let bytes = source.as_bytes();
    let mut out = String::with_capacity(source.len());
    let mut start = 0;
    let mut i = 0;
    while i < bytes.len() {
        match bytes[i] {
            b'\\' if !raw && bytes.get(i + 1) == Some(&b'N') && bytes.get(i + 2) == Some(&b'{') => {
                while i < bytes.len() && bytes[i] != b'}' {
                    i += 1;
                }
                i += 1;
            }
            b'\\' if !matches!(bytes.get(i + 1), Some(b'{' | b'}')) => i += 2,
            b'{' | b'}' => {
                // Up to and with the first brace; the second is dropped.
                out.push_str(&decode_quietly(cx, &source[start..=i], at, raw)?);
                i += 2;
                start = i.min(bytes.len());
            }
            _ => i += 1,
        }
    }
    out.push_str(&decode_quietly(
        cx,
        source.get(start..).unwrap_or(""),
        at,
        raw,
    )?);
    Ok(out)
}

/// Decodes a part of text that has been decoded, and warned about, as a whole.
fn decode_quietly(_cx: &mut Cx<'_>, text: &str, at: Span, raw: bool) -> Built<String> {
    escape::decode_str(text, raw, &mut Vec::new()).or_else(|message| fail(message, at))
}

fn add_field(
    cx: &mut Cx<'_>,
    out: &mut Parts,
    field: Field,
    raw: bool,
    template: bool,
) -> Built<()> {
    let letter = if template { 't' } else { 'f' };
    let mut conversion = None;
    if let Some(at) = field.conversion {
        let name = cx.text(at.start, at.end);
        // The `!` stands right before.
        if cx.text(at.start.saturating_sub(1), at.start) != "!" {
            return fail(
                format!(
                    "{letter}-string: conversion type must come right after the exclamation mark"
                ),
                span(field.close, at.end),
            );
        }
        conversion = match name {
            "r" => Some('r'),
            "s" => Some('s'),
            "a" => Some('a'),
            _ => {
                return fail(
                    format!(
                        "{letter}-string: invalid conversion character '{name}': expected 's', 'r', or 'a'"
                    ),
                    at,
                );
            }
        };
    }
    if field.equals.is_some() {
        let text = strip_comments(cx.text(field.open, field.close));
        out.text(&text, span(field.open, field.close));
        if conversion.is_none() && field.spec.is_none() {
            conversion = Some('r');
        }
    }
    let format_spec = match field.spec {
        None => None,
        Some((pieces, at)) => {
            let mut parts = Parts::default();
            // The specification of a t-string is an f-string.
            add_pieces(cx, &mut parts, pieces, raw, false, true)?;
            Some(Box::new(Expr {
                kind: ExprKind::JoinedStr(parts.finish()),
                span: at,
            }))
        }
    };
    let value = Box::new(field.value);
    let kind = if template {
        let end = field.equals.unwrap_or(field.close);
        let text = cx.text(field.open, end).into();
        ExprKind::Interpolation {
            value,
            text,
            conversion,
            format_spec,
        }
    } else {
        ExprKind::FormattedValue {
            value,
            conversion,
            format_spec,
        }
    };
    out.node(Expr {
        kind,
        span: field.span,
    });
    Ok(())
}

/// `{x = }` shows its own text, but not the comments in it.
fn strip_comments(text: &str) -> String {
    if !text.contains('#') {
        return text.to_string();
    }
    let mut out = String::new();
    let mut quote: Option<char> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('#', None) => {
                while chars.next_if(|c| *c != '\n').is_some() {}
                continue;
            }
            ('"' | '\'', None) => quote = Some(c),
            ('\\', Some(_)) => {
                out.push(c);
                out.extend(chars.next());
                continue;
            }
            (_, Some(q)) if c == q => quote = None,
            _ => {}
        }
        out.push(c);
    }
    out
}
