//! `str.format` and `str.format_map`, and the two generators behind `string.Formatter`.

use crate::builtins::support::this;
use crate::builtins::text_support::build_str;
use crate::object::dict::Dict;
use crate::object::native::tuple_items;
use crate::object::str::Str;
use crate::object::value::Value;
use crate::text::fields::{
    Access, Accesses, AutoNumber, FieldMarkup, First, MAX_DEPTH, Markup, split_name, too_deep,
    unknown_conversion,
};
use crate::vm::{Res, Vm};

/// Where the fields' values come from.
struct Source<'a> {
    /// None for `format_map`.
    args: Option<&'a [Value]>,
    /// A dict of keywords, or any mapping.
    names: &'a Value,
}

fn field_value(vm: &Vm, source: &Source, field: &FieldMarkup, auto: &mut AutoNumber) -> Res {
    let (first, accesses) = split_name(field.name, Some(auto)).map_err(|e| vm.text_error(e))?;
    let value = match first {
        First::Index(i) => match source.args {
            None => return Err(vm.value_error("Format string contains positional fields")),
            Some(args) => match args.get(i) {
                Some(v) => v.clone(),
                None => {
                    return Err(vm.index_error(format!(
                        "Replacement index {i} out of range for positional args tuple"
                    )));
                }
            },
        },
        First::Name(name) => {
            let key = vm.str(name);
            match source.names.get::<Dict>().filter(|_| source.args.is_some()) {
                Some(d) => vm.dict_get(d, &key)?.ok_or_else(|| vm.key_error(&key))?,
                None => vm.getitem(source.names, &key)?,
            }
        }
    };
    follow(vm, value, accesses)
}

/// Attributes and items after the first name.
pub fn follow(vm: &Vm, mut value: Value, accesses: Accesses) -> Res {
    for access in accesses {
        value = match access.map_err(|e| vm.text_error(e))? {
            Access::Attribute(name) => vm.getattr(&value, &vm.intern(name))?,
            Access::Index(i) => vm.getitem(&value, &vm.usize(i))?,
            Access::Item(key) => vm.getitem(&value, &vm.str(key))?,
        };
    }
    Ok(value)
}

fn render(
    vm: &Vm,
    out: &mut String,
    text: &str,
    source: &Source,
    auto: &mut AutoNumber,
    depth: usize,
) -> Res<()> {
    if depth == 0 {
        return Err(vm.text_error(too_deep()));
    }
    for step in Markup::new(text) {
        let step = step.map_err(|e| vm.text_error(e))?;
        out.push_str(step.literal);
        let Some(field) = step.field else { continue };
        let mut value = field_value(vm, source, &field, auto)?;
        value = match field.conversion {
            None => value,
            Some('s') => vm.str_of(&value)?,
            Some('r') => vm.repr(&value)?,
            Some('a') => vm.ascii(&value)?,
            Some(c) => return Err(vm.text_error(unknown_conversion(c))),
        };
        if field.nested {
            let mut spec = String::new();
            render(vm, &mut spec, field.spec, source, auto, depth - 1)?;
            vm.push_formatted(out, &value, &spec)?;
        } else {
            vm.push_formatted(out, &value, field.spec)?;
        }
    }
    Ok(())
}

pub fn format(vm: &Vm, a: &[Value]) -> Res {
    let s = this::<Str>(vm, &a[0])?;
    let source = Source {
        args: Some(tuple_items(&a[1])),
        names: &a[2],
    };
    build_str(vm, |out| {
        render(
            vm,
            out,
            s.as_str(),
            &source,
            &mut AutoNumber::default(),
            MAX_DEPTH,
        )
    })
}

pub fn format_map(vm: &Vm, a: &[Value]) -> Res {
    let s = this::<Str>(vm, &a[0])?;
    let source = Source {
        args: None,
        names: &a[1],
    };
    build_str(vm, |out| {
        render(
            vm,
            out,
            s.as_str(),
            &source,
            &mut AutoNumber::default(),
            MAX_DEPTH,
        )
    })
}

pub fn format_method(vm: &Vm, a: &[Value]) -> Res {
    crate::builtins::format::format_method(vm, &a[0], &a[1])
}

/// `_string.formatter_parser(text)`: (literal, field name, spec, conversion) of each step, as a list.
pub fn parser(vm: &Vm, a: &[Value]) -> Res {
    let Some(s) = a[0].as_str() else {
        return Err(vm.type_error(format!("expected str, got {}", vm.type_name(&a[0]))));
    };
    let mut rows = Vec::new();
    for step in Markup::new(s) {
        let step = step.map_err(|e| vm.text_error(e))?;
        let literal = vm.str(step.literal);
        rows.push(vm.tuple(match step.field {
            None => vec![literal, Value::NONE, Value::NONE, Value::NONE],
            Some(f) => vec![
                literal,
                vm.str(f.name),
                vm.str(f.spec),
                f.conversion.map_or(Value::NONE, |c| vm.char(c)),
            ],
        }));
    }
    let rows = vm.list(rows);
    vm.iter(&rows)
}

/// `_string.formatter_field_name_split(name)`: the first name and the (is attribute, key) pairs after it.
pub fn name_split(vm: &Vm, a: &[Value]) -> Res {
    let Some(s) = a[0].as_str() else {
        return Err(vm.type_error(format!("expected str, got {}", vm.type_name(&a[0]))));
    };
    let (first, accesses) = split_name(s, None).map_err(|e| vm.text_error(e))?;
    let first = match first {
        First::Index(i) => vm.usize(i),
        First::Name(n) => vm.str(n),
    };
    let mut rest = Vec::new();
    for access in accesses {
        rest.push(match access.map_err(|e| vm.text_error(e))? {
            Access::Attribute(n) => vm.pair(Value::TRUE, vm.str(n)),
            Access::Index(i) => vm.pair(Value::FALSE, vm.usize(i)),
            Access::Item(k) => vm.pair(Value::FALSE, vm.str(k)),
        });
    }
    let rest = vm.list(rest);
    let rest = vm.iter(&rest)?;
    Ok(vm.pair(first, rest))
}
