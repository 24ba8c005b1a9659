//! `template % values` of str and bytes.

use crate::builtins::format::push_display;
use crate::builtins::num::IntRef;
use crate::builtins::support::has_index;
use crate::builtins::text_support::{buffer, build_str};
use crate::object::header::Kind;
use crate::object::native::tuple_items;
use crate::object::seq::Tuple;
use crate::object::str::Str;
use crate::object::value::Value;
use crate::text::TextError;
use crate::text::percent::{
    Field, Layout, Piece, Size, Template, push_big, push_char, push_float, push_i64, push_text,
    unsupported,
};
use crate::vm::{Res, Vm};

/// The values, in the order in which fields take them.
struct Values<'a> {
    all: &'a Value,
    items: &'a [Value],
    next: usize,
    mapping: bool,
}

impl<'a> Values<'a> {
    fn new(vm: &Vm, all: &'a Value) -> Values<'a> {
        let tuple = all.is_kind::<Tuple>();
        let items = if tuple {
            tuple_items(all)
        } else {
            std::slice::from_ref(all)
        };
        let mapping = !tuple && !all.is_kind::<Str>() && vm.type_obj(all).slots().getitem.is_some();
        Values {
            all,
            items,
            next: 0,
            mapping,
        }
    }

    fn take(&mut self, vm: &Vm) -> Res {
        let v = self.items.get(self.next).cloned();
        self.next += 1;
        v.ok_or_else(|| vm.type_error("not enough arguments for format string"))
    }

    fn finish(&self, vm: &Vm) -> Res<()> {
        if self.next < self.items.len() && !self.mapping {
            return Err(vm.type_error("not all arguments converted during string formatting"));
        }
        Ok(())
    }

    /// A width or precision given as `*`.
    fn star(&mut self, vm: &Vm, size: Size, what: &str, c_type: &str) -> Res<Option<i64>> {
        if size != Size::Star {
            return Ok(None);
        }
        let v = self.take(vm)?;
        match IntRef::of(&v) {
            Some(IntRef::Small(i)) if what == "width" || i32::try_from(i).is_ok() => Ok(Some(i)),
            Some(_) => {
                Err(vm.overflow_error(format!("Python int too large to convert to C {c_type}")))
            }
            None => Err(vm.type_error("* wants int")),
        }
    }
}

/// What a field formats.
fn field_value(vm: &Vm, values: &mut Values, keyed: Option<Value>) -> Res {
    match keyed {
        Some(v) => Ok(v),
        None => values.take(vm),
    }
}

/// The int that `%d` and its kin print.
fn whole(vm: &Vm, v: &Value, kind: char) -> Res {
    if IntRef::of(v).is_some() {
        return Ok(v.clone());
    }
    let slots = vm.type_obj(v).slots();
    if matches!(kind, 'x' | 'X' | 'o') {
        if has_index(vm, v) {
            return vm.index(v);
        }
        return Err(vm.type_error(format!(
            "%{kind} format: an integer is required, not {}",
            vm.type_name(v)
        )));
    }
    if slots.int.is_some() || slots.index.is_some() {
        return crate::builtins::int::from_value(vm, v);
    }
    Err(vm.type_error(format!(
        "%{kind} format: a real number is required, not {}",
        vm.type_name(v)
    )))
}

fn push_whole(vm: &Vm, out: &mut String, v: &Value, kind: char, layout: &Layout) -> Res<()> {
    let i = whole(vm, v, kind)?;
    let done = match IntRef::of(&i) {
        Some(IntRef::Small(i)) => push_i64(out, i, kind, layout),
        Some(IntRef::Big(b)) => push_big(out, b, kind, layout, vm.max_digits()),
        None => Ok(()),
    };
    done.map_err(|e| vm.text_error(e))
}

/// True if the field asks for nothing but the text.
fn is_bare(layout: &Layout) -> bool {
    layout.width == 0 && layout.precision.is_none()
}

fn push_field(vm: &Vm, out: &mut String, v: &Value, field: &Field, layout: &Layout) -> Res<()> {
    let text = |e: TextError| vm.text_error(e);
    match field.kind {
        's' if is_bare(layout) => push_display(vm, out, v),
        's' | 'r' | 'a' => {
            let s = match field.kind {
                's' => vm.str_of(v)?,
                'r' => vm.repr(v)?,
                _ => vm.ascii(v)?,
            };
            push_text(out, s.as_str().unwrap_or(""), layout).map_err(text)
        }
        'd' | 'i' | 'u' => push_whole(vm, out, v, 'd', layout),
        'x' | 'X' | 'o' => push_whole(vm, out, v, field.kind, layout),
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
            push_float(out, vm.to_f64(v)?, field.kind, layout).map_err(text)
        }
        'c' => {
            if let Some(s) = v.get::<Str>() {
                if s.char_len() != 1 {
                    return Err(vm.type_error(format!(
                        "%c requires an int or a unicode character, not a string of length {}",
                        s.char_len()
                    )));
                }
                return push_text(
                    out,
                    s.as_str(),
                    &Layout {
                        precision: None,
                        ..*layout
                    },
                )
                .map_err(text);
            }
            if !has_index(vm, v) {
                return Err(vm.type_error(format!(
                    "%c requires an int or a unicode character, not {}",
                    vm.type_name(v)
                )));
            }
            let i = vm.index(v)?;
            let code = match IntRef::of(&i) {
                Some(IntRef::Small(i)) => u32::try_from(i).ok(),
                _ => None,
            };
            push_char(out, code, layout).map_err(text)
        }
        _ => Err(text(unsupported(field))),
    }
}

fn layout_of(vm: &Vm, values: &mut Values, field: &Field) -> Res<Layout> {
    let width = values.star(vm, field.width, "width", "ssize_t")?;
    let precision = values.star(vm, field.precision, "precision", "int")?;
    Ok(Layout::new(field, width, precision))
}

/// `text % all`.
pub fn percent_str(vm: &Vm, text: &str, all: &Value) -> Res {
    build_str(vm, |out| {
        let mut values = Values::new(vm, all);
        for piece in Template::of_str(text) {
            let field = match piece.map_err(|e| vm.text_error(e))? {
                Piece::Literal(range) => {
                    out.push_str(&text[range]);
                    continue;
                }
                Piece::Field(f) => f,
            };
            let mut keyed = None;
            if let Some(key) = &field.key {
                if !values.mapping {
                    return Err(vm.type_error("format requires a mapping"));
                }
                keyed = Some(vm.getitem(values.all, &vm.str(&text[key.clone()]))?);
                values.next = values.items.len();
            }
            let layout = layout_of(vm, &mut values, &field)?;
            let v = field_value(vm, &mut values, keyed)?;
            push_field(vm, out, &v, &field, &layout)?;
        }
        values.finish(vm)
    })
}

/// The bytes that `%b` and `%s` of a bytes template put in.
fn bytes_of(vm: &Vm, v: &Value) -> Res<Vec<u8>> {
    if let Some(b) = buffer(v) {
        return Ok(b.to_vec());
    }
    if let Some(r) = vm.call_special(v, &vm.names.__bytes__, &[])? {
        return match buffer(&r).filter(|_| r.kind() == Kind::Bytes) {
            Some(b) => Ok(b.to_vec()),
            None => Err(vm.type_error(format!(
                "__bytes__ returned non-bytes (type {})",
                vm.type_name(&r)
            ))),
        };
    }
    Err(vm.type_error(format!(
        "%b requires a bytes-like object, or an object that implements __bytes__, not '{}'",
        vm.type_name(v)
    )))
}

fn push_padded(vm: &Vm, out: &mut Vec<u8>, data: &[u8], layout: &Layout, cut: bool) -> Res<()> {
    let data = match layout.precision {
        Some(n) if cut => &data[..n.min(data.len())],
        _ => data,
    };
    let blanks = layout.width.saturating_sub(data.len());
    vm.check_text_room(blanks)?;
    if !layout.flags.left {
        out.resize(out.len() + blanks, b' ');
    }
    out.extend_from_slice(data);
    if layout.flags.left {
        out.resize(out.len() + blanks, b' ');
    }
    Ok(())
}

fn push_bytes_field(
    vm: &Vm,
    out: &mut Vec<u8>,
    v: &Value,
    field: &Field,
    layout: &Layout,
) -> Res<()> {
    match field.kind {
        's' | 'b' => push_padded(vm, out, &bytes_of(vm, v)?, layout, true),
        'r' | 'a' => {
            let s = vm.ascii(v)?;
            push_padded(vm, out, s.as_str().unwrap_or("").as_bytes(), layout, true)
        }
        'c' => {
            if let Some(b) = buffer(v).filter(|_| v.kind() != Kind::MemoryView) {
                return match *b {
                    [one] => push_padded(vm, out, &[one], layout, false),
                    _ => Err(vm.type_error(format!(
                        "%c requires an integer in range(256) or a single byte, not a {} object of length {}",
                        vm.type_name(v),
                        b.len()
                    ))),
                };
            }
            if !has_index(vm, v) {
                return Err(vm.type_error(format!(
                    "%c requires an integer in range(256) or a single byte, not {}",
                    vm.type_name(v)
                )));
            }
            let i = vm.index(v)?;
            match i.as_small().and_then(|i| u8::try_from(i).ok()) {
                Some(b) => push_padded(vm, out, &[b], layout, false),
                None => Err(vm.overflow_error("%c arg not in range(256)")),
            }
        }
        'd' | 'i' | 'u' | 'x' | 'X' | 'o' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
            if matches!(field.kind, 'e' | 'E' | 'f' | 'F' | 'g' | 'G')
                && v.as_float().is_none()
                && vm.type_obj(v).slots().float.is_none()
                && !has_index(vm, v)
            {
                return Err(
                    vm.type_error(format!("float argument required, not {}", vm.type_name(v)))
                );
            }
            let mut text = String::new();
            push_field(vm, &mut text, v, field, layout)?;
            out.extend_from_slice(text.as_bytes());
            Ok(())
        }
        _ => Err(vm.text_error(unsupported(field))),
    }
}

/// `data % all` of a bytes template.
pub fn percent_bytes(vm: &Vm, data: &[u8], all: &Value) -> Res<Vec<u8>> {
    let mut out = Vec::with_capacity(data.len() + 16);
    let mut values = Values::new(vm, all);
    if matches!(all.kind(), Kind::Bytes | Kind::ByteArray) {
        values.mapping = false;
    }
    for piece in Template::of_bytes(data) {
        let field = match piece.map_err(|e| vm.text_error(e))? {
            Piece::Literal(range) => {
                out.extend_from_slice(&data[range]);
                continue;
            }
            Piece::Field(f) => f,
        };
        let mut keyed = None;
        if let Some(key) = &field.key {
            if !values.mapping {
                return Err(vm.type_error("format requires a mapping"));
            }
            keyed = Some(vm.getitem(values.all, &vm.bytes(&data[key.clone()]))?);
            values.next = values.items.len();
        }
        let layout = layout_of(vm, &mut values, &field)?;
        let v = field_value(vm, &mut values, keyed)?;
        push_bytes_field(vm, &mut out, &v, &field, &layout)?;
    }
    if values.next < values.items.len() && !values.mapping {
        return Err(vm.type_error("not all arguments converted during bytes formatting"));
    }
    Ok(out)
}
