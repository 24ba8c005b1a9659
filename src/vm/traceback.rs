//! Printing tracebacks, in CPython 3.14's format, with the `~~~^^^` ranges.
//!
//! Works without running script code where it can: a failing `__str__` shows as `<exception str() failed>`.

use super::{Res, Vm};
use crate::bytecode::Code;
use crate::object::exception::{Exception, FrameObj, Traceback};
use crate::object::func::{CodeObj, Function};
use crate::object::native::tuple_items;
use crate::object::value::Value;
use crate::vm::raise::Exc;
use std::fmt::Write;
use std::rc::Rc;

/// One line of a traceback, decoded.
pub struct Entry {
    pub file: String,
    pub line: u32,
    /// Columns in bytes, end line; None if unknown.
    pub range: Option<(u32, u32, u32)>,
    pub name: String,
    pub code: Option<Rc<Code>>,
}

/// How many equal lines are shown before they are counted.
const REPEAT: usize = 3;
/// Limit of groups shown (width and depth), as CPython's.
const GROUP_WIDTH: usize = 15;
const GROUP_DEPTH: usize = 10;

/// The source text behind an instruction's range.
pub fn position(code: &Code, at: u32) -> Option<(u32, u32, u32, u32)> {
    let i = code
        .positions
        .partition_point(|p| p.at <= at)
        .checked_sub(1)?;
    let span = code.positions[i].span;
    let (l1, c1) = code.source.line_col(span.start);
    let (l2, c2) = code.source.line_col(span.end);
    Some((l1, c1, l2, c2))
}

impl Vm {
    /// The entries of a traceback object, outermost first.
    pub fn traceback_entries(&self, tb: &Value) -> Vec<Entry> {
        let mut out = Vec::new();
        let mut at = tb.clone();
        while let Some(t) = at.get::<Traceback>() {
            let frame = t.frame.borrow().clone();
            let code_value = match (frame.get::<FrameObj>(), frame.get::<Function>()) {
                (Some(f), _) => f.code.clone(),
                (_, Some(f)) => f.code.borrow().clone(),
                _ => Value::NONE,
            };
            if let Some(c) = code_value.get::<CodeObj>() {
                let pos = position(&c.code, t.at);
                let line = if t.lineno.get() != 0 {
                    t.lineno.get()
                } else {
                    pos.map_or(0, |p| p.0)
                };
                out.push(Entry {
                    file: c.filename.as_str().unwrap_or("?").to_string(),
                    line,
                    range: pos.map(|p| (p.1, p.2, p.3)),
                    name: c.qualname_or_name(),
                    code: Some(c.code.clone()),
                });
            }
            let next = t.next.borrow().clone();
            at = next;
        }
        out
    }

    /// The whole report of an uncaught exception.
    pub fn format_exception(&self, exc: &Value) -> String {
        let mut out = String::new();
        let mut seen = Vec::new();
        self.write_chain(exc, &mut out, "", 0, &mut seen);
        out
    }

    fn write_chain(
        &self,
        exc: &Value,
        out: &mut String,
        indent: &str,
        depth: usize,
        seen: &mut Vec<u64>,
    ) {
        // Causes and contexts come first; the chain is walked by a loop, since it may be long.
        let mut chain = vec![(exc.clone(), "")];
        seen.push(exc.id());
        let mut at = exc.clone();
        while let Some(x) = at.get::<Exception>() {
            let cause = x.cause.borrow().clone();
            let context = x.context.borrow().clone();
            let (next, text) = if !cause.is_none() && !seen.contains(&cause.id()) {
                (
                    cause,
                    "The above exception was the direct cause of the following exception:",
                )
            } else if cause.is_none()
                && !context.is_none()
                && !x.suppress_context.get()
                && !seen.contains(&context.id())
            {
                (
                    context,
                    "During handling of the above exception, another exception occurred:",
                )
            } else {
                break;
            };
            seen.push(next.id());
            if let Some(last) = chain.last_mut() {
                last.1 = text;
            }
            chain.push((next.clone(), ""));
            at = next;
        }
        for (i, (e, text)) in chain.iter().enumerate().rev() {
            if i + 1 < chain.len() {
                let _ = writeln!(out, "{indent}\n{indent}{text}\n{indent}");
            }
            self.write_one(e, out, indent, depth, seen);
        }
    }

    fn write_one(
        &self,
        exc: &Value,
        out: &mut String,
        indent: &str,
        depth: usize,
        seen: &mut Vec<u64>,
    ) {
        let group = self.is_exc_value(exc, Exc::BaseExceptionGroup);
        let tb = self.traceback_of(exc);
        // Groups are drawn with a margin.
        let (lead, margin) = if group && depth == 0 {
            (format!("{indent}  + "), format!("{indent}  | "))
        } else {
            (indent.to_string(), indent.to_string())
        };
        let head = if group {
            "Exception Group Traceback (most recent call last):"
        } else {
            "Traceback (most recent call last):"
        };
        if !tb.is_none() {
            let _ = writeln!(out, "{lead}{head}");
            let mut body = String::new();
            self.write_entries(&self.traceback_entries(&tb), &mut body);
            for l in body.lines() {
                let _ = writeln!(out, "{margin}{l}");
            }
        }
        for l in self.exception_lines(exc).lines() {
            let _ = writeln!(out, "{margin}{l}");
        }
        if !group {
            return;
        }
        let Ok(members) = self.getattr_str(exc, "exceptions") else {
            return;
        };
        let items = tuple_items(&members);
        let inner = if depth == 0 {
            format!("{indent}  ")
        } else {
            indent.strip_suffix("| ").unwrap_or(indent).to_string()
        };
        if depth >= GROUP_DEPTH {
            let _ = writeln!(out, "{margin}... (max_group_depth is {GROUP_DEPTH})");
            return;
        }
        let shown = items.len().min(GROUP_WIDTH);
        for (i, e) in items[..shown].iter().enumerate() {
            let corner = if i == 0 { "+-+" } else { "  +" };
            let _ = writeln!(
                out,
                "{inner}{corner}---------------- {} ----------------",
                i + 1
            );
            let child_indent = format!("{inner}  | ");
            self.write_chain_in_group(e, out, &child_indent, depth + 1, seen);
        }
        if items.len() > shown {
            let _ = writeln!(out, "{inner}  +---------------- ... ----------------");
            let more = items.len() - shown;
            let _ = writeln!(
                out,
                "{inner}  | and {more} more exception{}",
                if more == 1 { "" } else { "s" }
            );
        }
        if !items.is_empty()
            && !items[..shown].last().is_some_and(|e| {
                self.is_exc_value(e, Exc::BaseExceptionGroup) && shown == items.len()
            })
        {
            let _ = writeln!(out, "{inner}  +------------------------------------");
        }
    }

    fn write_chain_in_group(
        &self,
        e: &Value,
        out: &mut String,
        indent: &str,
        depth: usize,
        seen: &mut Vec<u64>,
    ) {
        self.write_chain(e, out, indent, depth, seen);
    }

    /// The `File "...", line N, in f` entries with their source lines.
    pub fn write_entries(&self, entries: &[Entry], out: &mut String) {
        let mut i = 0;
        while i < entries.len() {
            let e = &entries[i];
            let mut same = 1;
            while i + same < entries.len() && {
                let f = &entries[i + same];
                f.line == e.line && f.file == e.file && f.name == e.name
            } {
                same += 1;
            }
            for e in entries[i..i + same].iter().take(REPEAT) {
                let _ = writeln!(out, "  File \"{}\", line {}, in {}", e.file, e.line, e.name);
                self.write_source(e, out);
            }
            if same > REPEAT {
                let more = same - REPEAT;
                let _ = writeln!(
                    out,
                    "  [Previous line repeated {more} more time{}]",
                    if more == 1 { "" } else { "s" }
                );
            }
            i += same;
        }
    }

    fn write_source(&self, e: &Entry, out: &mut String) {
        let Some(code) = &e.code else { return };
        let lines: Vec<&str> = code.source.text.lines().collect();
        let Some(text) = lines.get((e.line as usize).wrapping_sub(1)) else {
            return;
        };
        if text.trim().is_empty() {
            return;
        }
        let Some((c1, l2, c2)) = e.range else {
            let _ = writeln!(out, "    {}", text.trim());
            return;
        };
        out.push_str(&super::carets::render(&lines, e.line, c1, l2, c2));
    }

    /// `Type: message` and notes.
    pub fn exception_lines(&self, exc: &Value) -> String {
        let mut out = String::new();
        if self.is_exc_value(exc, Exc::SyntaxError) {
            self.write_syntax_place(exc, &mut out);
        }
        let name = self.exception_name(exc);
        let text = if self.is_exc_value(exc, Exc::SyntaxError) {
            self.getattr_opt(exc, &self.names.msg)
                .ok()
                .flatten()
                .map_or(Ok("<no detail available>".into()), |m| self.str_string(&m))
        } else {
            self.str_string(exc)
        };
        let text = text.unwrap_or_else(|_| "<exception str() failed>".into());
        let hint = self.suggestion(exc).unwrap_or_default();
        if text.is_empty() && hint.is_empty() {
            let _ = writeln!(out, "{name}");
        } else {
            let _ = writeln!(out, "{name}: {text}{hint}");
        }
        self.write_notes(exc, &mut out);
        out
    }

    fn write_notes(&self, exc: &Value, out: &mut String) {
        let Ok(Some(notes)) = self.getattr_opt(exc, &self.names.__notes__) else {
            return;
        };
        match self.collect(&notes) {
            Ok(items) if !notes.as_str().is_some_and(|_| true) => {
                for n in items {
                    let s = self
                        .str_string(&n)
                        .unwrap_or_else(|_| "<note str() failed>".into());
                    for l in s.split('\n') {
                        let _ = writeln!(out, "{l}");
                    }
                }
            }
            _ => {
                let s = self
                    .repr_string(&notes)
                    .unwrap_or_else(|_| "<__notes__ repr() failed>".into());
                let _ = writeln!(out, "{s}");
            }
        }
    }

    fn exception_name(&self, exc: &Value) -> String {
        let ty = self.type_of(exc);
        let q = self
            .getattr_opt(&ty, &self.names.__qualname__)
            .ok()
            .flatten();
        let q = q
            .as_ref()
            .and_then(Value::as_str)
            .unwrap_or("?")
            .to_string();
        let m = self.getattr_opt(&ty, &self.names.__module__).ok().flatten();
        match m.as_ref().and_then(Value::as_str) {
            Some("builtins") | Some("__main__") | None => q,
            Some(m) => format!("{m}.{q}"),
        }
    }

    fn write_syntax_place(&self, exc: &Value, out: &mut String) {
        let get = |n: &Value| self.getattr_opt(exc, n).ok().flatten();
        let int = |v: Option<Value>| v.and_then(|v| v.as_small());
        let Some(line) = int(get(&self.names.lineno)) else {
            return;
        };
        let file = get(&self.names.filename).filter(|f| !f.is_none());
        let file = file
            .as_ref()
            .and_then(Value::as_str)
            .unwrap_or("<string>")
            .to_string();
        let _ = writeln!(out, "  File \"{file}\", line {line}");
        let text = get(&self.names.text);
        let Some(text) = text.as_ref().and_then(Value::as_str) else {
            return;
        };
        let raw = text.trim_end_matches('\n');
        let shown = raw.trim_start_matches([' ', '\t', '\x0c']);
        let cut = raw.chars().count() - shown.chars().count();
        let _ = writeln!(out, "    {}", shown.trim_end());
        let Some(offset) = int(get(&self.names.offset)) else {
            return;
        };
        if offset < 1 {
            return;
        }
        let end_line = int(get(&self.names.end_lineno)).unwrap_or(line);
        let end = int(get(&self.names.end_offset)).unwrap_or(offset);
        let len = shown.chars().count() as i64;
        let start = (offset - 1 - cut as i64).max(0);
        let stop = if end_line != line {
            len
        } else if end <= 0 || end == offset {
            start + 1
        } else {
            end - 1 - cut as i64
        };
        let width = (stop - start).max(1);
        let pad: String = shown
            .chars()
            .take(start as usize)
            .map(|c| if c == '\t' { '\t' } else { ' ' })
            .collect();
        let fill = (start as usize).saturating_sub(pad.chars().count());
        let _ = writeln!(
            out,
            "    {pad}{}{}",
            " ".repeat(fill),
            "^".repeat(width as usize)
        );
    }

    /// Writes the report of an uncaught exception to stderr.
    pub fn print_exception(&self, exc: &Value) {
        let text = self.format_exception(exc);
        self.write_stderr(&text);
    }

    /// Writes to the script's `sys.stderr` if there is one, else to the process's.
    pub fn write_stderr(&self, text: &str) {
        let r = (|| -> Res<bool> {
            let Some(sys) = self
                .modules
                .get::<crate::object::dict::Dict>()
                .and_then(|d| self.dict_get_str(d, &self.names.sys))
            else {
                return Ok(false);
            };
            let Some(err) = self.getattr_opt(&sys, &self.names.stderr)? else {
                return Ok(false);
            };
            if err.is_none() {
                return Ok(true);
            }
            let t = self.str(text);
            self.call_method(&err, &self.names.write, &[t])?;
            let _ = self.call_method(&err, &self.names.flush, &[]);
            Ok(true)
        })();
        if !matches!(r, Ok(true)) {
            use std::io::Write;
            // Nothing is left to report a failing stderr to.
            let _ = std::io::stderr().write_all(text.as_bytes());
        }
    }
}

/// The default of `Hooks::unraisable`.
pub fn write_unraisable(vm: &Vm, exc: &Value, message: &str, object: &Value) {
    let what = if object.is_none() || object.is_unbound() {
        String::new()
    } else {
        format!(
            " {}",
            vm.repr_string(object)
                .unwrap_or_else(|_| "<object repr() failed>".into())
        )
    };
    vm.write_stderr(&format!("{message}{what}:\n{}", vm.format_exception(exc)));
}

impl CodeObj {
    /// The name that tracebacks show.
    fn qualname_or_name(&self) -> String {
        self.name.as_str().unwrap_or("?").to_string()
    }
}
