//! Symbol tables: which scope each name belongs to, before any code is written.
//!
//! First stage of the compiler. `symbols.rs` walks the tree and records in each scope what is bound and used;
//! `resolve.rs` then decides where every name lives. The code generator asks `Scopes::place`.
//!
//! Terms and rules:
//! 1. A *unit* is a scope with a frame of its own. Comprehensions other than generator expressions are inlined
//!    (PEP 709): their scope's unit is the enclosing one, and their variables are registers of that unit, apart from
//!    its own locals of the same name, so nothing has to be saved and restored.
//! 2. Scopes are numbered in order of creation: a parent stands before its children.
//! 3. A scope is found again by the address of its tree node: the tree is borrowed and does not move.

use super::hash::Map;
use corun_grammar::ast::{Name, Span};

pub type ScopeId = u32;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScopeKind {
    Module,
    Class,
    Function,
    Lambda,
    GenExpr,
    /// An inlined comprehension.
    Comp,
    /// The function that makes the type parameters of a generic function, class or alias.
    TypeParams,
    /// A lazily called `__annotate__`.
    Annotations,
    /// The value of a `type` statement.
    TypeAlias,
    /// A bound, constraint or default of a type parameter.
    TypeVarBound,
}

impl ScopeKind {
    /// Scopes that PEP 695 and PEP 649 let look into the class body around them.
    pub fn is_annotation(self) -> bool {
        matches!(
            self,
            ScopeKind::TypeParams
                | ScopeKind::Annotations
                | ScopeKind::TypeAlias
                | ScopeKind::TypeVarBound
        )
    }
    /// `yield` and `return` may stand here (as far as the scope is concerned).
    pub fn is_function(self) -> bool {
        matches!(self, ScopeKind::Function | ScopeKind::Lambda)
    }
}

/// Facts about a name in a scope.
pub mod flag {
    pub const GLOBAL: u16 = 1;
    /// Bound by an assignment of any kind.
    pub const LOCAL: u16 = 2;
    pub const PARAM: u16 = 4;
    pub const NONLOCAL: u16 = 8;
    pub const USE: u16 = 16;
    pub const ANNOT: u16 = 32;
    /// Target of a comprehension.
    pub const ITER: u16 = 64;
    pub const TYPE_PARAM: u16 = 128;
    /// Bound by `:=`: reading it in place is not safe while an operand to the right can rebind it.
    pub const WALRUS: u16 = 256;
    /// May become unbound again (`del`, `except ... as`).
    pub const DELETED: u16 = 512;
    /// An inner function refers to it.
    pub const CELL: u16 = 1024;
    /// Bound in some way other than as a parameter.
    pub const STORED: u16 = 2048;
    /// Bound by an import: a `global` that follows is no error then.
    pub const IMPORT: u16 = 4096;
    pub const BOUND: u16 = LOCAL | PARAM | TYPE_PARAM | IMPORT;
}

/// Where a name lives, as seen from a scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A register of the unit.
    Local(u8),
    /// A register of the unit that holds a cell.
    Cell(u8),
    /// An entry of the unit's spill list.
    Spill(u16),
    /// A cell of the closure.
    Free(u16),
    Global,
    /// The namespace in R[0], then globals and builtins.
    Name,
    /// In a class body: the namespace, then a cell of the closure.
    NameFree(u16),
    /// In an annotation scope of a class: the class namespace (closure cell), then globals and builtins.
    ClassGlobal(u16),
    /// The same, then a closure cell: (cell of the class namespace, cell of the name).
    ClassFree(u16, u16),
}

#[derive(Clone, Debug)]
pub struct Symbol {
    pub flags: u16,
    pub place: Place,
    /// Where `global` or `nonlocal` named it, for errors.
    pub directive: Span,
}

/// The names of one scope, in order of first appearance.
#[derive(Default, Debug)]
pub struct Table {
    index: Map<Name, u32>,
    pub entries: Vec<(Name, Symbol)>,
}

impl Table {
    pub fn get(&self, name: &str) -> Option<&Symbol> {
        self.index.get(name).map(|&i| &self.entries[i as usize].1)
    }
    pub fn flags(&self, name: &str) -> u16 {
        self.get(name).map_or(0, |s| s.flags)
    }
    pub fn entry(&mut self, name: &Name) -> &mut Symbol {
        let i = match self.index.get(name) {
            Some(&i) => i,
            None => {
                let i = self.entries.len() as u32;
                self.index.insert(name.clone(), i);
                let symbol = Symbol {
                    flags: 0,
                    place: Place::Global,
                    directive: Span::default(),
                };
                self.entries.push((name.clone(), symbol));
                i
            }
        };
        &mut self.entries[i as usize].1
    }
}

/// Cells that a class body owns beside its namespace. ORDER: `ClassCell` indexes `Scope::class_cells`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClassCell {
    Class,
    Dict,
    Conditional,
}

impl ClassCell {
    pub const ALL: [ClassCell; 3] = [ClassCell::Class, ClassCell::Dict, ClassCell::Conditional];
    pub fn name(self) -> &'static str {
        match self {
            ClassCell::Class => "__class__",
            ClassCell::Dict => "__classdict__",
            ClassCell::Conditional => "__conditional_annotations__",
        }
    }
    pub fn of(name: &str) -> Option<ClassCell> {
        ClassCell::ALL.into_iter().find(|c| c.name() == name)
    }
}

#[derive(Debug)]
pub struct Scope {
    pub kind: ScopeKind,
    pub parent: Option<ScopeId>,
    /// The scope whose frame this one runs in.
    pub unit: ScopeId,
    pub table: Table,
    /// Parameters in register order: positional, keyword-only, `*args`, `**kwargs`.
    pub params: Vec<Name>,
    /// The `*args` parameter.
    pub vararg: Option<Name>,
    /// The first parameter is positional: `super()` takes it for self.
    pub has_positional: bool,
    /// An annotation scope directly inside a class (or inside another such scope).
    pub sees_class: bool,
    pub generator: bool,
    /// It awaits, or it is an `async def`.
    pub coroutine: bool,
    /// Modules and classes: some variable is annotated.
    pub annotated: bool,
    /// Some annotation stands in a block that may not run, so that what ran is recorded.
    pub conditional_annotations: bool,
    /// The `__annotate__` scope of a module's or a class's variables.
    pub annotations: Option<ScopeId>,
    /// For classes, by `ClassCell`: the register of the cell, once one is needed.
    pub class_cells: [Option<u8>; 3],
    /// For units: the comprehensions inlined in it, outer before inner.
    pub comps: Vec<ScopeId>,
    /// For units: names of the closure's cells, sorted.
    pub free: Vec<Name>,
    /// For units: names of the registers, then of the spilled locals.
    pub varnames: Vec<Name>,
    /// For units: registers that hold locals.
    pub nlocals: u32,
    /// For units: registers that hold cells, in order.
    pub cells: Vec<u8>,
    /// Those of them that belong to comprehensions only, which make the cell themselves.
    pub comp_cells: Vec<u8>,
    /// For units: the register of the spill list and its length.
    pub spill: Option<(u8, u16)>,
    /// For units: registers that may become unbound again.
    pub unbinds: [u64; 4],
}

impl Scope {
    pub fn is_unit(&self, id: ScopeId) -> bool {
        self.unit == id
    }
}

/// Several scopes may belong to one node.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    /// A lambda or comprehension (a node of its own kind: an `Expr` may be the first field of a definition).
    Expr,
    /// The function or class itself.
    Body,
    TypeParams,
    Annotations,
    Value,
    Bound,
    Default,
}

#[derive(Default, Debug)]
pub struct Scopes {
    pub list: Vec<Scope>,
    by_node: Map<(usize, Role), ScopeId>,
}

impl Scopes {
    pub fn get(&self, id: ScopeId) -> &Scope {
        &self.list[id as usize]
    }
    pub fn get_mut(&mut self, id: ScopeId) -> &mut Scope {
        &mut self.list[id as usize]
    }

    pub fn add(&mut self, kind: ScopeKind, parent: Option<ScopeId>) -> ScopeId {
        let id = self.list.len() as ScopeId;
        let above = parent.map(|p| self.get(p));
        let unit = match above {
            Some(p) if kind == ScopeKind::Comp => p.unit,
            _ => id,
        };
        let sees_class = match above {
            Some(p) if kind.is_annotation() => p.kind == ScopeKind::Class || p.sees_class,
            Some(p) => kind == ScopeKind::Comp && p.sees_class,
            None => false,
        };
        self.list.push(Scope {
            kind,
            parent,
            unit,
            table: Table::default(),
            params: Vec::new(),
            vararg: None,
            has_positional: false,
            sees_class,
            generator: false,
            coroutine: false,
            annotated: false,
            conditional_annotations: false,
            annotations: None,
            class_cells: [None; 3],
            comps: Vec::new(),
            free: Vec::new(),
            varnames: Vec::new(),
            nlocals: 0,
            cells: Vec::new(),
            comp_cells: Vec::new(),
            spill: None,
            unbinds: [0; 4],
        });
        if unit != id {
            self.get_mut(unit).comps.push(id);
        }
        id
    }

    pub fn bind_node<T>(&mut self, node: &T, role: Role, id: ScopeId) {
        self.by_node
            .insert((std::ptr::from_ref(node) as usize, role), id);
    }

    /// The scope that `symbols.rs` made for a node.
    pub fn of_node<T>(&self, node: &T, role: Role) -> Option<ScopeId> {
        self.by_node
            .get(&(std::ptr::from_ref(node) as usize, role))
            .copied()
    }

    /// Where `name` (already mangled) lives, seen from `scope`.
    pub fn place(&self, scope: ScopeId, name: &str) -> Place {
        match self.get(scope).table.get(name) {
            Some(symbol) => symbol.place,
            None => Place::Global,
        }
    }

    /// The index of a closure cell of the unit of `scope`.
    pub fn free_index(&self, scope: ScopeId, name: &str) -> Option<u16> {
        let unit = self.get(self.get(scope).unit);
        unit.free
            .binary_search_by(|n| n.as_ref().cmp(name))
            .ok()
            .map(|i| i as u16)
    }
}

/// Private names of a class are prefixed with its name: `__x` in `class _C` becomes `_C__x`.
pub fn mangle(class: Option<&Name>, name: &Name) -> Name {
    let Some(class) = class else {
        return name.clone();
    };
    if !name.starts_with("__") || name.ends_with("__") || name.contains('.') {
        return name.clone();
    }
    let class = class.trim_start_matches('_');
    if class.is_empty() {
        return name.clone();
    }
    format!("_{class}{name}").into()
}
