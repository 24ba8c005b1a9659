//! Code objects as text, for `--dump=bytecode` and golden tests.
//!
//! One line for each instruction: offset, op, operands with their names; then the handler table; then the nested codes.
//! The text is stable: no addresses, no hash order.

use crate::bytecode::ops::{Extra, Format, Op};
use crate::bytecode::{Code, Const};
use std::fmt::Write;

/// The code and all codes inside it.
pub fn disassemble(code: &Code) -> String {
    let mut out = String::new();
    write_code(code, &mut out);
    out
}

fn write_code(code: &Code, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "code {} (args {}/{}/{}, locals {}, registers {}, flags {:#x})",
        code.qualname,
        code.posonlyargcount,
        code.argcount,
        code.kwonlyargcount,
        code.nlocals,
        code.nregs,
        code.flags
    );
    for (label, names) in [
        ("vars", &code.varnames),
        ("cells", &code.cellvars),
        ("free", &code.freevars),
    ] {
        if !names.is_empty() {
            let _ = writeln!(out, "  {label}: {}", names.join(" "));
        }
    }
    let mut line = 0;
    let mut at = 0;
    while at < code.instrs.len() {
        let span = position(code, at);
        let now = code.source.line_col(span).0;
        if now != line {
            line = now;
            let _ = writeln!(out, "  line {line}");
        }
        at = write_instr(code, at, out);
    }
    for h in &code.handlers {
        let _ = writeln!(
            out,
            "  handler {}..{} -> {} in r{}, keep r{}",
            h.start, h.end, h.target, h.reg, h.keep
        );
    }
    for inner in &code.codes {
        out.push('\n');
        write_code(inner, out);
    }
}

fn position(code: &Code, at: usize) -> u32 {
    let row = code.positions.partition_point(|p| p.at as usize <= at);
    row.checked_sub(1)
        .map_or(0, |i| code.positions[i].span.start)
}

/// Writes one instruction; gives the offset of the next.
fn write_instr(code: &Code, at: usize, out: &mut String) -> usize {
    let word = code.instrs[at];
    let [a, byte, b, c] = word.to_le_bytes();
    let Some(op) = Op::from_u8(byte) else {
        let _ = writeln!(out, "  {at:5} ??? {word:#010x}");
        return at + 1;
    };
    let next = at + op.words();
    let wide = u16::from_le_bytes([b, c]);
    let r = |reg: u8| register(code, reg);
    let target = |offset: i64| format!("-> {}", next as i64 + offset);
    let mut parts: Vec<String> = match op.info().format {
        Format::None => vec![],
        Format::A => vec![r(a)],
        Format::AB => vec![r(a), r(b)],
        Format::ABC => vec![r(a), r(b), r(c)],
        Format::ABn => vec![r(a), r(b), c.to_string()],
        Format::Ann => vec![r(a), b.to_string(), c.to_string()],
        Format::ABi => vec![r(a), r(b), (c as i8).to_string()],
        Format::Aif => vec![r(a), (b as i8).to_string(), c.to_string()],
        Format::AK => vec![r(a), constant(code, wide as usize)],
        Format::AN => vec![r(a), name(code, wide as usize)],
        Format::AI => vec![r(a), (wide as i16).to_string()],
        Format::AU => vec![r(a), wide_number(code, op, wide)],
        Format::J => vec![target(wide as i16 as i64)],
        Format::AJ => vec![r(a), target(wide as i16 as i64)],
    };
    let extra = code.instrs.get(at + 1).copied().unwrap_or(0);
    match op.info().extra {
        Extra::None => {}
        Extra::Name => parts.push(name(code, extra as usize)),
        Extra::Const => parts.push(constant(code, extra as usize)),
        Extra::Jump => parts.push(target(extra as i32 as i64)),
        Extra::Code => parts.push(
            code.codes
                .get(extra as usize)
                .map_or("?".into(), |c| format!("<{}>", c.name)),
        ),
        Extra::Num => parts.push(extra.to_string()),
    }
    let line = format!("  {at:5} {:<15} {}", op.info().name, parts.join(", "));
    let _ = writeln!(out, "{}", line.trim_end());
    next
}

/// The number of an op of format AU, with the variable that it means.
fn wide_number(code: &Code, op: Op, n: u16) -> String {
    let names = match op {
        Op::LOADFREE | Op::STOREFREE | Op::DELFREE | Op::LOADCLOSURE | Op::LOADNAMEFREE => {
            &code.freevars
        }
        Op::CHECKLOCAL | Op::DELLOCAL => &code.varnames,
        _ => return n.to_string(),
    };
    names
        .get(n as usize)
        .map_or("?".into(), |name| format!("{n}:{name}"))
}

fn register(code: &Code, reg: u8) -> String {
    if (reg as u32) < code.nlocals
        && let Some(name) = code.varnames.get(reg as usize)
    {
        return format!("{name}.{reg}");
    }
    format!("r{reg}")
}

fn name(code: &Code, index: usize) -> String {
    code.names.get(index).map_or("?".into(), |n| n.to_string())
}

fn constant(code: &Code, index: usize) -> String {
    code.consts.get(index).map_or("?".into(), const_text)
}

/// A constant as a literal.
pub fn const_text(value: &Const) -> String {
    match value {
        Const::None => "None".into(),
        Const::True => "True".into(),
        Const::False => "False".into(),
        Const::Ellipsis => "...".into(),
        Const::Int(n) => n.to_string(),
        Const::Float(x) => format!("{x:?}"),
        Const::Complex(re, im) => format!("({re:?}, {im:?}j)"),
        Const::Str(s) => format!("{s:?}"),
        Const::Bytes(b) => format!("b\"{}\"", b.escape_ascii()),
        Const::Tuple(items) => format!(
            "({})",
            items.iter().map(const_text).collect::<Vec<_>>().join(", ")
        ),
        Const::FrozenSet(items) => format!(
            "{{{}}}",
            items.iter().map(const_text).collect::<Vec<_>>().join(", ")
        ),
    }
}
