//! "Did you mean": the most similar of the known names, as CPython chooses it.
//!
//! The distance between two names is an edit distance in which a change of case costs half; a name is suggested if fewer than about a third
//! of its letters would have to move.

use super::Vm;
use super::raise::Exc;
use crate::object::dict::Dict;
use crate::object::exception::{Exception, FrameObj, Traceback};
use crate::object::func::CodeObj;
use crate::object::value::Value;

/// The cost of inserting, deleting or replacing a letter, and of changing only its case.
const MOVE: usize = 2;
const CASE: usize = 1;
/// Longer names, and longer lists of names, are not looked at.
const MAX_NAME: usize = 40;
const MAX_NAMES: usize = 750;

fn substitution(a: u8, b: u8) -> usize {
    if a == b {
        0
    } else if a.eq_ignore_ascii_case(&b) {
        CASE
    } else {
        MOVE
    }
}

/// The edit distance, or something above `limit` as soon as it is known to exceed that.
fn distance(a: &[u8], b: &[u8], limit: usize) -> usize {
    let same = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[same..], &b[same..]);
    let same = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(x, y)| x == y)
        .count();
    let (a, b) = (&a[..a.len() - same], &b[..b.len() - same]);
    if a.is_empty() || b.is_empty() {
        return (a.len() + b.len()) * MOVE;
    }
    if a.len() > MAX_NAME || b.len() > MAX_NAME {
        return limit + 1;
    }
    let (a, b) = if b.len() < a.len() { (b, a) } else { (a, b) };
    if (b.len() - a.len()) * MOVE > limit {
        return limit + 1;
    }
    let mut row: Vec<usize> = (1..=a.len()).map(|i| i * MOVE).collect();
    let mut result = 0;
    for (i, &y) in b.iter().enumerate() {
        let mut diagonal = i * MOVE;
        result = i * MOVE;
        let mut least = usize::MAX;
        for (j, &x) in a.iter().enumerate() {
            let replaced = diagonal + substitution(y, x);
            diagonal = row[j];
            result = replaced.min(result.min(diagonal) + MOVE);
            row[j] = result;
            least = least.min(result);
        }
        if least > limit {
            return limit + 1;
        }
    }
    result
}

/// The known name most similar to `wrong`, if one is similar enough.
pub fn closest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut best: Option<(&str, usize)> = None;
    for (i, name) in known.enumerate() {
        if i >= MAX_NAMES {
            return None;
        }
        if name == wrong {
            continue;
        }
        let mut limit = (name.len() + wrong.len() + 3) * MOVE / 6;
        if let Some((_, d)) = best {
            limit = limit.min(d.saturating_sub(1));
        }
        let d = distance(wrong.as_bytes(), name.as_bytes(), limit);
        if d <= limit && best.is_none_or(|(_, b)| d < b) {
            best = Some((name, d));
        }
    }
    best.map(|(n, _)| n)
}

impl Vm {
    /// What CPython adds to the message of an uncaught AttributeError, NameError or ImportError: ". Did you mean: 'x'?".
    pub fn suggestion(&self, exc: &Value) -> Option<String> {
        let names = &self.names;
        let field = |name: &Value| self.exception_extra(exc, name).filter(|v| !v.is_none());
        let t = self.type_obj(exc);
        let known: Vec<Value> = if t.is_subtype(self.exc_type(Exc::AttributeError)) {
            self.names_of(&field(&names.obj)?)
        } else if t.is_subtype(self.exc_type(Exc::ImportError)) {
            let module = self.dict_get_str(self.modules.get::<Dict>()?, &field(&names.name)?)?;
            let wrong = field(&self.intern("name_from"))?;
            return self
                .best(&wrong, &self.names_of(&module))
                .map(|s| format!(". Did you mean: '{s}'?"));
        } else if t.is_subtype(self.exc_type(Exc::NameError)) {
            return self.suggest_name(exc, &field(&names.name)?);
        } else {
            return None;
        };
        let wrong = field(&names.name)?;
        self.best(&wrong, &known)
            .map(|s| format!(". Did you mean: '{s}'?"))
    }

    /// `dir(v)`, or nothing if that fails.
    fn names_of(&self, v: &Value) -> Vec<Value> {
        match self.call_special(v, &self.names.__dir__, &[]) {
            Ok(Some(list)) => self.collect(&list).unwrap_or_default(),
            _ => vec![],
        }
    }

    fn best(&self, wrong: &Value, known: &[Value]) -> Option<String> {
        let wrong = wrong.as_str()?;
        // Private names are only suggested for private names.
        let hidden = wrong.starts_with('_');
        let mut names: Vec<&str> = known
            .iter()
            .filter_map(Value::as_str)
            .filter(|n| hidden || !n.starts_with('_'))
            .collect();
        names.sort();
        closest(wrong, names.into_iter()).map(str::to_string)
    }

    /// Locals, globals and builtins of the frame where the name was looked up; also `self.name`, and modules that were not imported.
    fn suggest_name(&self, exc: &Value, wrong: &Value) -> Option<String> {
        let mut tb = exc.get::<Exception>()?.traceback.borrow().clone();
        while let Some(t) = tb.get::<Traceback>() {
            let next = t.next.borrow().clone();
            if next.is_none() {
                break;
            }
            tb = next;
        }
        let frame = self.traceback_frame(&tb);
        let f = frame.get::<FrameObj>()?;
        let mut known: Vec<Value> = Vec::new();
        if let Some(c) = f.code.get::<CodeObj>() {
            known.extend(c.varnames.iter().cloned());
        }
        for d in [&f.globals, &self.builtins] {
            if let Some(d) = d.get::<Dict>() {
                known.extend(d.keys());
            }
        }
        let text = wrong.as_str()?;
        let best = self.best(wrong, &known);
        let is_module = STDLIB_NAMES.contains(&text);
        Some(match (best, is_module) {
            (Some(b), true) => {
                format!(". Did you mean: '{b}'? Or did you forget to import '{text}'?")
            }
            (Some(b), false) => format!(". Did you mean: '{b}'?"),
            (None, true) => format!(". Did you forget to import '{text}'?"),
            (None, false) => return None,
        })
    }
}

/// Modules of the standard library that people forget to import.
const STDLIB_NAMES: &[&str] = &[
    "abc",
    "argparse",
    "array",
    "ast",
    "asyncio",
    "base64",
    "bisect",
    "calendar",
    "cmath",
    "codecs",
    "collections",
    "contextlib",
    "contextvars",
    "copy",
    "csv",
    "ctypes",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "dis",
    "email",
    "enum",
    "fnmatch",
    "fractions",
    "functools",
    "gc",
    "glob",
    "hashlib",
    "heapq",
    "html",
    "http",
    "importlib",
    "inspect",
    "io",
    "itertools",
    "json",
    "keyword",
    "logging",
    "math",
    "multiprocessing",
    "numbers",
    "operator",
    "os",
    "pathlib",
    "pickle",
    "platform",
    "pprint",
    "queue",
    "random",
    "re",
    "secrets",
    "select",
    "shutil",
    "signal",
    "socket",
    "sqlite3",
    "ssl",
    "statistics",
    "string",
    "struct",
    "subprocess",
    "sys",
    "tempfile",
    "textwrap",
    "threading",
    "time",
    "timeit",
    "traceback",
    "types",
    "typing",
    "unittest",
    "urllib",
    "uuid",
    "warnings",
    "weakref",
    "zlib",
];

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn near_names_are_found() {
        assert_eq!(
            closest("color", ["colour", "size"].into_iter()),
            Some("colour")
        );
        assert_eq!(closest("siz", ["colour", "size"].into_iter()), Some("size"));
        assert_eq!(closest("zzz", ["colour", "size"].into_iter()), None);
        assert_eq!(closest("Size", ["size", "sizes"].into_iter()), Some("size"));
    }
}
