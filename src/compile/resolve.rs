//! Decides where each name of each scope lives, and which registers the locals get.
//!
//! Second half of scope analysis: it works on the tables that `symbols.rs` filled.
//!
//! Rules:
//! 1. Three passes, each linear in the number of symbols (times the nesting): bind (who owns a name; what becomes a
//!    cell; which closures pass it on), place registers, then fill in every `Symbol::place`.
//! 2. Parameters and cells always get registers: only plain locals are spilled.

use super::hash::Map;
use super::scope::{ClassCell, Place, Scope, ScopeId, ScopeKind, Scopes, flag};
use super::{Res, fail};
use corun_grammar::ast::{Name, Span};

/// Registers for locals; the rest of the 256 is for temporaries.
const MAX_LOCALS: usize = 180;
/// Parameters and cells may take more, since they cannot be spilled.
const MAX_FIXED: usize = 230;

/// Who owns a name that a scope does not bind itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Scope(ScopeId),
    /// A cell of a class body.
    Class(ScopeId, ClassCell),
    Global,
}

pub fn resolve(scopes: &mut Scopes, name_mode: bool) -> Res {
    let count = scopes.list.len() as ScopeId;
    let mut owners: Vec<Vec<Owner>> = Vec::with_capacity(count as usize);
    for id in 0..count {
        owners.push(bind_scope(scopes, id)?);
    }
    for scope in &mut scopes.list {
        scope.free.sort();
        scope.free.dedup();
    }
    for id in 0..count {
        let kind = scopes.get(id).kind;
        if scopes.get(id).is_unit(id) {
            place_registers(scopes, id, name_mode && kind == ScopeKind::Module)?;
        }
    }
    for id in 0..count {
        for (i, &owner) in owners[id as usize].iter().enumerate() {
            if let Some(place) = final_place(scopes, id, i, owner, name_mode) {
                scopes.get_mut(id).table.entries[i].1.place = place;
            }
        }
    }
    Ok(())
}

/// The scope itself binds the name as a local variable of a frame.
fn owns(scope: &Scope, flags: u16) -> bool {
    flags & flag::BOUND != 0
        && flags & (flag::GLOBAL | flag::NONLOCAL) == 0
        && !matches!(scope.kind, ScopeKind::Module | ScopeKind::Class)
}

fn bind_scope(scopes: &mut Scopes, id: ScopeId) -> Res<Vec<Owner>> {
    let mut owners = Vec::with_capacity(scopes.get(id).table.entries.len());
    for i in 0..scopes.get(id).table.entries.len() {
        let scope = scopes.get(id);
        let (name, symbol) = &scope.table.entries[i];
        let (name, flags, directive) = (name.clone(), symbol.flags, symbol.directive);
        if flags & flag::GLOBAL != 0 && flags & flag::NONLOCAL != 0 {
            return fail(format!("name '{name}' is nonlocal and global"), directive);
        }
        if flags & flag::NONLOCAL != 0 && scope.kind == ScopeKind::Module {
            return fail(
                "nonlocal declaration not allowed at module level",
                directive,
            );
        }
        let class_local = scope.kind == ScopeKind::Class
            && flags & flag::BOUND != 0
            && flags & flag::NONLOCAL == 0;
        let owner = if owns(scope, flags) {
            Owner::Scope(id)
        } else if flags & flag::GLOBAL != 0 || scope.kind == ScopeKind::Module || class_local {
            Owner::Global
        } else {
            bind_outer(scopes, id, &name, flags, directive)?
        };
        owners.push(owner);
    }
    Ok(owners)
}

/// Looks for the owner of a name in the scopes around, and tells the closures on the way.
fn bind_outer(
    scopes: &mut Scopes,
    id: ScopeId,
    name: &Name,
    flags: u16,
    directive: Span,
) -> Res<Owner> {
    if scopes.get(id).sees_class
        && let Some(class) = class_of(scopes, id)
    {
        let in_class = scopes.get(class).table.flags(name);
        let local = in_class & flag::BOUND != 0 && in_class & flag::NONLOCAL == 0;
        if in_class & flag::GLOBAL != 0 {
            return Ok(Owner::Global);
        }
        // Whatever else it is, the class namespace is asked first.
        if ClassCell::of(name) != Some(ClassCell::Conditional) {
            pass_on(scopes, id, class, &ClassCell::Dict.name().into());
            need_cell(scopes, class, ClassCell::Dict);
        }
        if local {
            return Ok(Owner::Global);
        }
    }
    let owner = find_owner(scopes, id, name);
    match owner {
        Owner::Scope(at) => {
            let (unit, home) = (scopes.get(id).unit, scopes.get(at).unit);
            if flags & flag::NONLOCAL != 0
                && scopes.get(at).table.flags(name) & flag::TYPE_PARAM != 0
            {
                return fail(
                    format!("nonlocal binding not allowed for type parameter '{name}'"),
                    directive,
                );
            }
            let symbol = scopes.get_mut(at).table.entry(name);
            if flags & flag::NONLOCAL != 0 {
                symbol.flags |= flag::STORED | (flags & flag::DELETED);
            }
            if unit != home {
                symbol.flags |= flag::CELL;
                pass_on(scopes, id, at, name);
            }
        }
        Owner::Class(at, cell) => {
            need_cell(scopes, at, cell);
            if scopes.get(id).unit != at {
                pass_on(scopes, id, at, name);
            }
        }
        Owner::Global if flags & flag::NONLOCAL != 0 => {
            return fail(format!("no binding for nonlocal '{name}' found"), directive);
        }
        Owner::Global => {}
    }
    Ok(owner)
}

/// The class whose namespace an annotation scope sees.
fn class_of(scopes: &Scopes, id: ScopeId) -> Option<ScopeId> {
    let mut at = id;
    while let Some(parent) = scopes.get(at).parent {
        let scope = scopes.get(parent);
        if scope.kind == ScopeKind::Class {
            return Some(parent);
        }
        if !scope.sees_class {
            return None;
        }
        at = parent;
    }
    None
}

fn find_owner(scopes: &Scopes, id: ScopeId, name: &Name) -> Owner {
    let mut at = id;
    while let Some(parent) = scopes.get(at).parent {
        let scope = scopes.get(parent);
        at = parent;
        match scope.kind {
            ScopeKind::Module => break,
            ScopeKind::Class => {
                if let Some(cell) = ClassCell::of(name) {
                    return Owner::Class(parent, cell);
                }
            }
            _ => {
                let flags = scope.table.flags(name);
                if owns(scope, flags) {
                    return Owner::Scope(parent);
                }
                if flags & flag::GLOBAL != 0 {
                    return Owner::Global;
                }
            }
        }
    }
    Owner::Global
}

/// Every unit from that of `from` up to (not including) that of `owner` closes over the name.
fn pass_on(scopes: &mut Scopes, from: ScopeId, owner: ScopeId, name: &Name) {
    let home = scopes.get(owner).unit;
    let mut unit = scopes.get(from).unit;
    while unit != home {
        let scope = scopes.get_mut(unit);
        if !scope.free.iter().rev().take(8).any(|n| n == name) {
            scope.free.push(name.clone());
        }
        match scope.parent {
            Some(parent) => unit = scopes.get(parent).unit,
            None => break,
        }
    }
}

fn need_cell(scopes: &mut Scopes, class: ScopeId, cell: ClassCell) {
    // The register is decided by `place_registers`.
    scopes.get_mut(class).class_cells[cell as usize] = Some(0);
}

/// A local on its way to a register.
struct Local {
    name: Name,
    cell: bool,
    deleted: bool,
    fixed: bool,
    /// The (scope, entry) pairs that share it.
    users: Vec<(ScopeId, u32)>,
}

fn place_registers(scopes: &mut Scopes, unit: ScopeId, name_mode: bool) -> Res {
    let scope = scopes.get(unit);
    let mut locals: Vec<Local> = Vec::new();
    let plain = |name: Name, cell, fixed| Local {
        name,
        cell,
        deleted: false,
        fixed,
        users: Vec::new(),
    };
    if name_mode || scope.kind == ScopeKind::Class {
        locals.push(plain(".namespace".into(), false, true));
    }
    if scope.kind == ScopeKind::Class {
        let (cells, conditional) = (scope.class_cells, scope.conditional_annotations);
        for cell in ClassCell::ALL {
            if cells[cell as usize].is_some() || (cell == ClassCell::Conditional && conditional) {
                let register = locals.len() as u8;
                locals.push(plain(cell.name().into(), true, true));
                scopes.get_mut(unit).class_cells[cell as usize] = Some(register);
            }
        }
    }
    let scope = scopes.get(unit);
    let mut by_name: Map<(Name, u32), usize> = Map::default();
    for name in &scope.params {
        by_name.insert((name.clone(), 0), locals.len());
        locals.push(plain(name.clone(), false, true));
    }
    collect(scopes, unit, unit, &mut by_name, &mut locals);
    for &comp in &scopes.get(unit).comps {
        collect(scopes, unit, comp, &mut by_name, &mut locals);
    }
    // A name is a cell in all its registers or in none: `Code::cellvars` goes by name.
    let cells: Vec<Name> = locals
        .iter()
        .filter(|l| l.cell)
        .map(|l| l.name.clone())
        .collect();
    if !cells.is_empty() {
        for local in &mut locals {
            local.cell = local.cell || cells.contains(&local.name);
        }
    }
    assign(scopes, unit, locals)
}

/// Adds the locals that one scope of the unit owns.
fn collect(
    scopes: &Scopes,
    unit: ScopeId,
    id: ScopeId,
    by_name: &mut Map<(Name, u32), usize>,
    locals: &mut Vec<Local>,
) {
    let scope = scopes.get(id);
    for (i, (name, symbol)) in scope.table.entries.iter().enumerate() {
        if !owns(scope, symbol.flags) {
            continue;
        }
        let level = level(scopes, unit, id, name);
        let at = *by_name.entry((name.clone(), level)).or_insert_with(|| {
            locals.push(Local {
                name: name.clone(),
                cell: false,
                deleted: false,
                fixed: id != unit,
                users: Vec::new(),
            });
            locals.len() - 1
        });
        let local = &mut locals[at];
        local.cell |= symbol.flags & flag::CELL != 0;
        local.deleted |= symbol.flags & flag::DELETED != 0;
        local.users.push((id, i as u32));
    }
}

/// How many scopes of the same frame around `id` own the name, too: each needs a register of its own.
fn level(scopes: &Scopes, unit: ScopeId, id: ScopeId, name: &Name) -> u32 {
    let mut level = 0;
    let mut at = id;
    while at != unit {
        let Some(parent) = scopes.get(at).parent else {
            break;
        };
        let scope = scopes.get(parent);
        level += owns(scope, scope.table.flags(name)) as u32;
        at = parent;
    }
    level
}

fn assign(scopes: &mut Scopes, unit: ScopeId, mut locals: Vec<Local>) -> Res {
    let mut spilled = Vec::new();
    let mut spill = None;
    if locals.len() > MAX_LOCALS {
        let fixed = locals.iter().filter(|l| l.fixed || l.cell).count();
        if fixed > MAX_FIXED {
            return fail(
                "too many parameters or captured variables in one function",
                Span::default(),
            );
        }
        let mut room = MAX_LOCALS.saturating_sub(fixed + 1);
        let mut kept = Vec::with_capacity(MAX_LOCALS);
        for local in locals {
            if local.fixed || local.cell {
                kept.push(local);
            } else if room > 0 {
                room -= 1;
                kept.push(local);
            } else {
                spilled.push(local);
            }
        }
        if spilled.len() > u16::MAX as usize {
            return fail("too many local variables in one function", Span::default());
        }
        spill = Some((kept.len() as u8, spilled.len() as u16));
        kept.push(Local {
            name: ".spill".into(),
            cell: false,
            deleted: false,
            fixed: true,
            users: Vec::new(),
        });
        locals = kept;
    }
    let mut unbinds = [0u64; 4];
    let mut cells = Vec::new();
    let mut comp_cells = Vec::new();
    for (register, local) in locals.iter().enumerate() {
        let place = if local.cell {
            Place::Cell(register as u8)
        } else {
            Place::Local(register as u8)
        };
        if local.cell {
            cells.push(register as u8);
            if !local.users.is_empty() && local.users.iter().all(|u| u.0 != unit) {
                comp_cells.push(register as u8);
            }
        }
        if local.deleted {
            unbinds[register / 64] |= 1 << (register % 64);
        }
        for &(scope, entry) in &local.users {
            scopes.get_mut(scope).table.entries[entry as usize].1.place = place;
        }
    }
    for (i, local) in spilled.iter().enumerate() {
        for &(scope, entry) in &local.users {
            scopes.get_mut(scope).table.entries[entry as usize].1.place = Place::Spill(i as u16);
        }
    }
    let scope = scopes.get_mut(unit);
    scope.nlocals = locals.len() as u32;
    scope.varnames = locals.into_iter().chain(spilled).map(|l| l.name).collect();
    scope.cells = cells;
    scope.comp_cells = comp_cells;
    scope.spill = spill;
    scope.unbinds = unbinds;
    Ok(())
}

/// None: `place_registers` has set it.
fn final_place(
    scopes: &Scopes,
    id: ScopeId,
    entry: usize,
    owner: Owner,
    name_mode: bool,
) -> Option<Place> {
    let scope = scopes.get(id);
    let (name, symbol) = &scope.table.entries[entry];
    let free = |name: &str| scopes.free_index(id, name);
    let unit = scopes.get(scope.unit);
    Some(match owner {
        Owner::Scope(at) if at == id => return None,
        Owner::Scope(at) if scopes.get(at).unit == scope.unit => scopes.place(at, name),
        Owner::Scope(_) => {
            let cell = free(name)?;
            if scope.kind == ScopeKind::Class {
                Place::NameFree(cell)
            } else if scope.sees_class
                && let Some(dict) = free(ClassCell::Dict.name())
            {
                Place::ClassFree(dict, cell)
            } else {
                Place::Free(cell)
            }
        }
        Owner::Class(at, cell) if at == scope.unit => Place::Cell(unit.class_cells[cell as usize]?),
        Owner::Class(..) => Place::Free(free(name)?),
        Owner::Global if symbol.flags & flag::GLOBAL != 0 => Place::Global,
        Owner::Global => match scope.kind {
            ScopeKind::Class => Place::Name,
            ScopeKind::Module if name_mode => Place::Name,
            ScopeKind::Comp if name_mode && unit.kind == ScopeKind::Module => Place::Name,
            _ if scope.sees_class => match free(ClassCell::Dict.name()) {
                Some(dict) => Place::ClassGlobal(dict),
                None => Place::Global,
            },
            _ => Place::Global,
        },
    })
}
