//! Checks a code object before it runs, so that dispatch needs no bounds checks.
//!
//! Debug builds verify whatever the compiler makes; the VM may verify codes from elsewhere.
//!
//! Rules:
//! 1. A failure is a bug of the compiler, never the script's fault.
//! 2. Everything the VM trusts is checked: opcodes, register windows, indices, jump targets, handler rows, the end.

use crate::bytecode::ops::{Extra, Format, Op};
use crate::bytecode::{Code, Handler};

/// Nested codes are verified when they are made, each on its own.
pub fn verify(code: &Code) -> Result<(), String> {
    if code.nregs > 256 || code.nlocals > code.nregs {
        return Err(format!(
            "{} registers, {} of them locals",
            code.nregs, code.nlocals
        ));
    }
    if code.varnames.len() < code.nlocals as usize {
        return Err("a local without a name".into());
    }
    let starts = starts(code)?;
    let mut at = 0;
    let mut last = None;
    while at < code.instrs.len() {
        let next = instruction(code, at, &starts).map_err(|e| format!("at {at}: {e}"))?;
        last = Some(at);
        at = next;
    }
    let end = last.and_then(|at| Op::from_u8(code.instrs[at].to_le_bytes()[1]));
    if !end.is_some_and(is_terminator) {
        return Err(format!("the last instruction is {end:?}"));
    }
    for handler in &code.handlers {
        row(code, handler, &starts)?;
    }
    if code.positions.windows(2).any(|w| w[0].at >= w[1].at) {
        return Err("positions are out of order".into());
    }
    Ok(())
}

/// Which words begin an instruction.
fn starts(code: &Code) -> Result<Vec<bool>, String> {
    let mut starts = vec![false; code.instrs.len()];
    let mut at = 0;
    while at < code.instrs.len() {
        starts[at] = true;
        let byte = code.instrs[at].to_le_bytes()[1];
        let Some(op) = Op::from_u8(byte) else {
            return Err(format!("at {at}: opcode {byte}"));
        };
        if op as u8 >= Op::LOADATTR_SLOT as u8 {
            return Err(format!("at {at}: {op:?} is for the VM to write"));
        }
        at += op.words();
    }
    if at != code.instrs.len() {
        return Err("the last instruction is cut off".into());
    }
    Ok(starts)
}

fn is_terminator(op: Op) -> bool {
    matches!(
        op,
        Op::RETURN
            | Op::RETURNGEN
            | Op::RAISE
            | Op::RERAISE
            | Op::JMP
            | Op::JMPX
            | Op::LOOP
            | Op::LOOPX
    )
}

fn row(code: &Code, h: &Handler, starts: &[bool]) -> Result<(), String> {
    let begins = |at: u32| starts.get(at as usize).copied().unwrap_or(false);
    let ends = |at: u32| at as usize == code.instrs.len() || begins(at);
    if h.start >= h.end || !begins(h.start) || !ends(h.end) || !begins(h.target) {
        return Err(format!("handler row {h:?}"));
    }
    if h.reg as u32 >= code.nregs || (h.keep as u32) < code.nlocals {
        return Err(format!("handler registers {h:?}"));
    }
    Ok(())
}

/// Registers that an op touches beyond those its format shows: (first, count).
fn windows(op: Op, a: u8, b: u8, c: u8, extra: u32) -> Vec<(u8, u32)> {
    let n = c as u32;
    match op {
        Op::CLEARN => vec![(a, b as u32)],
        Op::LOADMETHOD | Op::LOADSUPERMETHOD | Op::WITHSPECIAL | Op::EGMATCH => vec![(a, 2)],
        Op::LOADSLICE => vec![(c, 2)],
        Op::BUILDSLICE => vec![(b, 3)],
        Op::UNPACK => vec![(a, n)],
        Op::UNPACKEX => vec![(a, n + 1 + extra)],
        Op::LIST | Op::TUPLE | Op::SET | Op::FSTR | Op::TEMPLATE => vec![(b, n)],
        Op::DICT => vec![(b, n * 2)],
        Op::INTERPOLATION => vec![(b, 2)],
        Op::MKFUNC => vec![(b, n.count_ones())],
        Op::CALL | Op::CALLKW => vec![(b, n + 1)],
        Op::CALLM | Op::CALLMKW => vec![(b, n + 2)],
        Op::CALLEX => vec![(b, 2 + n)],
        Op::ANEXT => vec![(b, 2)],
        Op::WITHEXCEPT => vec![(b, 2)],
        _ => vec![],
    }
}

/// Checks one instruction; gives the offset of the next.
fn instruction(code: &Code, at: usize, starts: &[bool]) -> Result<usize, String> {
    let [a, byte, b, c] = code.instrs[at].to_le_bytes();
    let op = Op::from_u8(byte).ok_or("opcode")?;
    let next = at + op.words();
    let wide = u16::from_le_bytes([b, c]);
    let extra = code.instrs.get(at + 1).copied().unwrap_or(0);
    let info = op.info();
    let registers: &[u8] = match info.format {
        Format::None | Format::J => &[],
        Format::A
        | Format::AK
        | Format::AN
        | Format::AI
        | Format::AU
        | Format::AJ
        | Format::Ann
        | Format::Aif => &[a],
        Format::AB | Format::ABn | Format::ABi => &[a, b],
        Format::ABC => &[a, b, c],
    };
    if let Some(reg) = registers.iter().find(|&&r| r as u32 >= code.nregs) {
        return Err(format!("{op:?} uses register {reg} of {}", code.nregs));
    }
    for (first, count) in windows(op, a, b, c, extra) {
        if first as u32 + count > code.nregs {
            return Err(format!(
                "{op:?} uses registers {first} .. +{count} of {}",
                code.nregs
            ));
        }
    }
    let jump = |offset: i64| {
        let target = next as i64 + offset;
        let ok = usize::try_from(target)
            .ok()
            .and_then(|t| starts.get(t))
            .copied()
            .unwrap_or(false);
        if !ok {
            return Err(format!("{op:?} jumps to {target}"));
        }
        let looks = matches!(op, Op::LOOP | Op::LOOPX);
        if target < next as i64 && !looks {
            return Err(format!(
                "{op:?} jumps backward without a look at the eval breaker"
            ));
        }
        Ok(())
    };
    let index = |what: &str, i: usize, len: usize| {
        if i < len {
            Ok(())
        } else {
            Err(format!("{op:?}: {what} {i} of {len}"))
        }
    };
    match info.format {
        Format::AK => index("constant", wide as usize, code.consts.len())?,
        Format::AN => index("name", wide as usize, code.names.len())?,
        Format::J | Format::AJ => jump(wide as i16 as i64)?,
        _ => {}
    }
    match info.extra {
        Extra::Name => index("name", extra as usize, code.names.len())?,
        Extra::Const => index("constant", extra as usize, code.consts.len())?,
        Extra::Code => index("code", extra as usize, code.codes.len())?,
        Extra::Jump => jump(extra as i32 as i64)?,
        Extra::None | Extra::Num => {}
    }
    match op {
        Op::LOADFREE | Op::STOREFREE | Op::DELFREE | Op::LOADCLOSURE | Op::LOADNAMEFREE => {
            index("closure cell", wide as usize, code.freevars.len())?;
        }
        Op::LOADNAMEGLOBAL | Op::LOADNAMEDICTFREE => {
            index("closure cell", extra as usize, code.freevars.len())?
        }
        Op::CHECKLOCAL | Op::DELLOCAL => index("variable", wide as usize, code.varnames.len())?,
        Op::SPILLLOAD | Op::SPILLSTORE => {
            index(
                "spilled variable",
                code.nlocals as usize + extra as usize,
                code.varnames.len(),
            )?;
        }
        _ => {}
    }
    Ok(next)
}
