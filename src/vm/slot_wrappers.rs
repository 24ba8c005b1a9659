//! The table of special methods, and the objects that show a native slot to scripts as a method: `int.__add__`, `list.__len__`.
//!
//! `class` puts a wrapper into a native type's dict for each slot that the type fills; `slots` reads the same table when a class made by a script
//! is given its slots.
//!
//! Rule: one row per special method; a slot served by two methods (`__setattr__`, `__delattr__`) has two rows.

#![allow(unsafe_code)]

use super::type_state::Extra;
use super::{Res, Vm};
use crate::object::header::{Kind, Payload};
use crate::object::native::Args;
use crate::object::types::{BIN_NAMES, BINOPS, BinOp, CMP_NAMES, CmpOp, Slots, TypeObj};
use crate::object::value::Value;
use std::sync::LazyLock;

/// A special method that a slot stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Special {
    Repr,
    Str,
    Hash,
    Call,
    GetAttribute,
    GetAttr,
    SetAttr,
    DelAttr,
    Cmp(CmpOp),
    Iter,
    Next,
    Bool,
    Len,
    GetItem,
    SetItem,
    DelItem,
    Contains,
    Binary(BinOp),
    Reflected(BinOp),
    InPlace(BinOp),
    Neg,
    Pos,
    Abs,
    Invert,
    Int,
    Float,
    Index,
    Get,
    Set,
    Delete,
    New,
    Init,
    Await,
    AIter,
    ANext,
    Del,
}

/// The binary operations in the order of their numbers.
pub const ALL_BINOPS: [BinOp; BINOPS] = [
    BinOp::Add,
    BinOp::Sub,
    BinOp::Mul,
    BinOp::MatMul,
    BinOp::Div,
    BinOp::Mod,
    BinOp::Pow,
    BinOp::LShift,
    BinOp::RShift,
    BinOp::Or,
    BinOp::Xor,
    BinOp::And,
    BinOp::FloorDiv,
    BinOp::DivMod,
];
/// The comparisons in the order of their numbers.
pub const ALL_CMPOPS: [CmpOp; 6] = [
    CmpOp::Lt,
    CmpOp::Le,
    CmpOp::Eq,
    CmpOp::Ne,
    CmpOp::Gt,
    CmpOp::Ge,
];

/// One row of the table.
pub struct Row {
    pub name: &'static str,
    pub special: Special,
    pub doc: &'static str,
}

/// All special methods that have slots.
pub static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    use Special::*;
    let mut rows = vec![
        Row {
            name: "__repr__",
            special: Repr,
            doc: "Return repr(self).",
        },
        Row {
            name: "__hash__",
            special: Hash,
            doc: "Return hash(self).",
        },
        Row {
            name: "__call__",
            special: Call,
            doc: "Call self as a function.",
        },
        Row {
            name: "__str__",
            special: Str,
            doc: "Return str(self).",
        },
        Row {
            name: "__getattribute__",
            special: GetAttribute,
            doc: "Return getattr(self, name).",
        },
        Row {
            name: "__getattr__",
            special: GetAttr,
            doc: "",
        },
        Row {
            name: "__setattr__",
            special: SetAttr,
            doc: "Implement setattr(self, name, value).",
        },
        Row {
            name: "__delattr__",
            special: DelAttr,
            doc: "Implement delattr(self, name).",
        },
        Row {
            name: "__iter__",
            special: Iter,
            doc: "Implement iter(self).",
        },
        Row {
            name: "__next__",
            special: Next,
            doc: "Implement next(self).",
        },
        Row {
            name: "__bool__",
            special: Bool,
            doc: "True if self else False",
        },
        Row {
            name: "__len__",
            special: Len,
            doc: "Return len(self).",
        },
        Row {
            name: "__getitem__",
            special: GetItem,
            doc: "Return self[key].",
        },
        Row {
            name: "__setitem__",
            special: SetItem,
            doc: "Set self[key] to value.",
        },
        Row {
            name: "__delitem__",
            special: DelItem,
            doc: "Delete self[key].",
        },
        Row {
            name: "__contains__",
            special: Contains,
            doc: "Return bool(key in self).",
        },
        Row {
            name: "__neg__",
            special: Neg,
            doc: "-self",
        },
        Row {
            name: "__pos__",
            special: Pos,
            doc: "+self",
        },
        Row {
            name: "__abs__",
            special: Abs,
            doc: "abs(self)",
        },
        Row {
            name: "__invert__",
            special: Invert,
            doc: "~self",
        },
        Row {
            name: "__int__",
            special: Int,
            doc: "int(self)",
        },
        Row {
            name: "__float__",
            special: Float,
            doc: "float(self)",
        },
        Row {
            name: "__index__",
            special: Index,
            doc: "Return self converted to an integer, if self is suitable for use as an index into a list.",
        },
        Row {
            name: "__get__",
            special: Get,
            doc: "Return an attribute of instance, which is of type owner.",
        },
        Row {
            name: "__set__",
            special: Set,
            doc: "Set an attribute of instance to value.",
        },
        Row {
            name: "__delete__",
            special: Delete,
            doc: "Delete an attribute of instance.",
        },
        Row {
            name: "__new__",
            special: New,
            doc: "Create and return a new object.  See help(type) for accurate signature.",
        },
        Row {
            name: "__init__",
            special: Init,
            doc: "Initialize self.  See help(type(self)) for accurate signature.",
        },
        Row {
            name: "__await__",
            special: Await,
            doc: "Return an iterator to be used in await expression.",
        },
        Row {
            name: "__aiter__",
            special: AIter,
            doc: "Return an awaitable, that resolves in asynchronous iterator.",
        },
        Row {
            name: "__anext__",
            special: ANext,
            doc: "Return a value or raise StopAsyncIteration.",
        },
        Row {
            name: "__del__",
            special: Del,
            doc: "Called when the instance is about to be destroyed.",
        },
    ];
    for (op, name) in ALL_CMPOPS.iter().zip(CMP_NAMES) {
        rows.push(Row {
            name,
            special: Cmp(*op),
            doc: "Compare self with value.",
        });
    }
    for (op, (name, reflected, inplace, _)) in ALL_BINOPS.iter().zip(BIN_NAMES) {
        rows.push(Row {
            name,
            special: Binary(*op),
            doc: "Return self op value.",
        });
        rows.push(Row {
            name: reflected,
            special: Reflected(*op),
            doc: "Return value op self.",
        });
        if !inplace.is_empty() {
            rows.push(Row {
                name: inplace,
                special: InPlace(*op),
                doc: "Return self op= value.",
            });
        }
    }
    rows
});

/// The payload of slot wrappers: a row of the table, the native type whose slot it is, and the bound object, if any.
pub struct SlotWrapper {
    pub row: &'static Row,
    pub owner: Value,
    /// Unbound for the descriptor in the class.
    pub self_: Value,
}
// SAFETY: one type per kind; each value is visited once.
unsafe impl Payload for SlotWrapper {
    const KIND: Kind = Kind::SlotWrapper;
    fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        visit(&self.owner);
        visit(&self.self_);
    }
}

impl SlotWrapper {
    /// The slots of the type that it belongs to.
    pub fn owner_slots(&self) -> Slots {
        self.owner
            .get::<TypeObj>()
            .map_or_else(Slots::default, |t| *t.slots())
    }
}

/// True if the slot for a special method is filled. (`GetAttr` has no slot of its own, `New` no wrapper.)
pub fn is_filled(s: &Slots, special: Special) -> bool {
    use Special::*;
    match special {
        Repr => s.repr.is_some(),
        Str => s.str.is_some(),
        Hash => s.hash.is_some(),
        Call => s.call.is_some(),
        GetAttribute => s.getattr.is_some(),
        GetAttr => false,
        SetAttr | DelAttr => s.setattr.is_some(),
        Cmp(_) => s.cmp.is_some(),
        Iter => s.iter.is_some(),
        Next => s.next.is_some(),
        Bool => s.bool.is_some(),
        Len => s.len.is_some(),
        GetItem => s.getitem.is_some(),
        SetItem | DelItem => s.setitem.is_some(),
        Contains => s.contains.is_some(),
        Binary(op) | Reflected(op) => s.binary[op as usize].is_some(),
        InPlace(op) => s.inplace[op as usize].is_some(),
        Neg => s.neg.is_some(),
        Pos => s.pos.is_some(),
        Abs => s.abs.is_some(),
        Invert => s.invert.is_some(),
        Int => s.int.is_some(),
        Float => s.float.is_some(),
        Index => s.index.is_some(),
        Get => s.descr_get.is_some(),
        Set | Delete => s.descr_set.is_some(),
        New => s.new.is_some(),
        Init => s.init.is_some(),
        Await => s.await_.is_some(),
        AIter => s.aiter.is_some(),
        ANext => s.anext.is_some(),
        Del => s.del.is_some(),
    }
}

/// Fewest and most arguments after `self`; None: any.
fn arity(special: Special) -> Option<(usize, usize)> {
    use Special::*;
    match special {
        Call | New | Init => None,
        Repr | Str | Hash | Iter | Next | Bool | Len | Neg | Pos | Abs | Invert | Int | Float
        | Index | Await | AIter | ANext | Del => Some((0, 0)),
        GetAttribute | GetAttr | DelAttr | Cmp(_) | GetItem | DelItem | Contains | InPlace(_)
        | Delete => Some((1, 1)),
        Binary(BinOp::Pow) | Reflected(BinOp::Pow) => Some((1, 2)),
        Binary(_) | Reflected(_) => Some((1, 1)),
        SetAttr | SetItem | Set => Some((2, 2)),
        Get => Some((1, 2)),
    }
}

impl Vm {
    /// Makes a slot wrapper for a type's dict.
    pub fn new_slot_wrapper(&self, row: &'static Row, owner: &Value) -> Value {
        self.alloc(SlotWrapper {
            row,
            owner: owner.clone(),
            self_: Value::UNBOUND,
        })
    }

    /// A slot wrapper bound to an object: a `method-wrapper`.
    pub fn bind_slot_wrapper(&self, w: &SlotWrapper, obj: &Value) -> Value {
        let data = SlotWrapper {
            row: w.row,
            owner: w.owner.clone(),
            self_: obj.clone(),
        };
        match self.type_state.extra(Extra::MethodWrapper).get::<TypeObj>() {
            Some(t) => self.heap.alloc(t.root_shape.get(), data, 0),
            None => self.alloc(data),
        }
    }

    /// Calls a slot wrapper; `self` is bound or the first argument.
    pub fn call_slot_wrapper(&self, w: &SlotWrapper, args: Args) -> Res {
        let name = w.row.name;
        if !w.self_.is_unbound() {
            return self.call_wrapped(w, &w.self_, args);
        }
        let owner = || {
            w.owner
                .get::<TypeObj>()
                .map(TypeObj::name_str)
                .unwrap_or_default()
        };
        let Some(this) = args.pos().first() else {
            return Err(self.type_error(format!(
                "descriptor '{name}' of '{}' object needs an argument",
                owner()
            )));
        };
        if !self.type_obj(this).is_subtype(&w.owner) {
            return Err(self.type_error(format!(
                "descriptor '{name}' requires a '{}' object but received a '{}'",
                owner(),
                self.type_name(this)
            )));
        }
        self.call_wrapped(
            w,
            this,
            Args {
                all: &args.all[1..],
                names: args.names,
            },
        )
    }

    fn call_wrapped(&self, w: &SlotWrapper, this: &Value, args: Args) -> Res {
        if let Some((min, max)) = arity(w.row.special) {
            if args.has_keywords() {
                return Err(self.type_error(format!(
                    "wrapper {}() takes no keyword arguments",
                    w.row.name
                )));
            }
            let n = args.all.len();
            if n < min || n > max {
                let s = if min == 1 { "" } else { "s" };
                return Err(self.type_error(if min == max {
                    format!("expected {min} argument{s}, got {n}")
                } else if n < min {
                    format!("expected at least {min} argument{s}, got {n}")
                } else {
                    format!("expected at most {max} arguments, got {n}")
                }));
            }
        }
        self.call_slot(&w.owner_slots(), w, this, args)
    }

    fn call_slot(&self, s: &Slots, w: &SlotWrapper, this: &Value, args: Args) -> Res {
        use Special::*;
        let a = args.all;
        let none = |r: Res<()>| r.map(|()| Value::NONE);
        let missing = || self.type_error(format!("'{}' is not supported", w.row.name));
        let interned = |v: &Value| match v.as_str() {
            Some(_) => Ok(self.intern_value(v)),
            None => Err(self.type_error(format!(
                "attribute name must be string, not '{}'",
                self.type_name(v)
            ))),
        };
        match w.row.special {
            Repr => s.repr.ok_or_else(missing)?(self, this),
            Str => s.str.ok_or_else(missing)?(self, this),
            Hash => Ok(self.int(s.hash.ok_or_else(missing)?(self, this)?)),
            Call => s.call.ok_or_else(missing)?(self, this, args),
            GetAttribute => s.getattr.ok_or_else(missing)?(self, this, &interned(&a[0])?),
            GetAttr | New => Err(missing()),
            SetAttr => none(s.setattr.ok_or_else(missing)?(
                self,
                this,
                &interned(&a[0])?,
                Some(&a[1]),
            )),
            DelAttr => none(s.setattr.ok_or_else(missing)?(
                self,
                this,
                &interned(&a[0])?,
                None,
            )),
            Cmp(op) => s.cmp.ok_or_else(missing)?(self, this, &a[0], op),
            Iter => s.iter.ok_or_else(missing)?(self, this),
            Next => match s.next.ok_or_else(missing)?(self, this)? {
                Some(v) => Ok(v),
                None => Err(self.stop_iteration(self.take_iter_result())),
            },
            Bool => Ok(Value::bool(s.bool.ok_or_else(missing)?(self, this)?)),
            Len => Ok(self.usize(s.len.ok_or_else(missing)?(self, this)?)),
            GetItem => s.getitem.ok_or_else(missing)?(self, this, &a[0]),
            SetItem => none(s.setitem.ok_or_else(missing)?(
                self,
                this,
                &a[0],
                Some(&a[1]),
            )),
            DelItem => none(s.setitem.ok_or_else(missing)?(self, this, &a[0], None)),
            Contains => Ok(Value::bool(s.contains.ok_or_else(missing)?(
                self, this, &a[0],
            )?)),
            Binary(BinOp::Pow) if a.len() == 2 && !a[1].is_none() => {
                s.pow3.ok_or_else(missing)?(self, this, &a[0], &a[1])
            }
            Reflected(BinOp::Pow) if a.len() == 2 && !a[1].is_none() => {
                s.pow3.ok_or_else(missing)?(self, &a[0], this, &a[1])
            }
            Binary(op) => {
                let r = s.binary[op as usize].ok_or_else(missing)?(self, this, &a[0])?;
                if r.is_not_implemented() && op == BinOp::Add && self.concatenates(this) {
                    return Err(self.concat_error(this, &a[0]));
                }
                Ok(r)
            }
            Reflected(op) => s.binary[op as usize].ok_or_else(missing)?(self, &a[0], this),
            InPlace(op) => s.inplace[op as usize].ok_or_else(missing)?(self, this, &a[0]),
            Neg => s.neg.ok_or_else(missing)?(self, this),
            Pos => s.pos.ok_or_else(missing)?(self, this),
            Abs => s.abs.ok_or_else(missing)?(self, this),
            Invert => s.invert.ok_or_else(missing)?(self, this),
            Int => s.int.ok_or_else(missing)?(self, this),
            Float => s.float.ok_or_else(missing)?(self, this),
            Index => s.index.ok_or_else(missing)?(self, this),
            Get => {
                let owner = a.get(1).cloned().unwrap_or(Value::NONE);
                if a[0].is_none() && owner.is_none() {
                    return Err(self.type_error("__get__(None, None) is invalid"));
                }
                let obj = if a[0].is_none() { None } else { Some(&a[0]) };
                let owner = if owner.is_none() {
                    self.type_of(&a[0])
                } else {
                    owner
                };
                s.descr_get.ok_or_else(missing)?(self, this, obj, &owner)
            }
            Set => none(s.descr_set.ok_or_else(missing)?(
                self,
                this,
                &a[0],
                Some(&a[1]),
            )),
            Delete => none(s.descr_set.ok_or_else(missing)?(self, this, &a[0], None)),
            Init => none(s.init.ok_or_else(missing)?(self, this, args)),
            Await => s.await_.ok_or_else(missing)?(self, this),
            AIter => s.aiter.ok_or_else(missing)?(self, this),
            ANext => s.anext.ok_or_else(missing)?(self, this),
            Del => none(s.del.ok_or_else(missing)?(self, this)),
        }
    }
}
