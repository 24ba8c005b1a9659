//! The combinatoric iterators of `itertools`: product, combinations, combinations_with_replacement, permutations.

use crate::builtins::support::{check_room, memory_error, ssize};
use crate::modules::itertools::{Tool, fields, tool};
use crate::object::header::Kind;
use crate::object::native::{Args, tuple_items};
use crate::object::types::{TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use std::cell::{Cell, RefCell};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum State {
    Start,
    Running,
    Done,
}

fn pick(vm: &Vm, pool: &[Value], at: &[usize]) -> Value {
    vm.tuple(at.iter().map(|&i| pool[i].clone()).collect())
}

// ---- product

fn new_product(vm: &Vm, class: &Value, args: Args) -> Res {
    let a = vm.bind_args("product(*iterables, repeat=1)", args)?;
    let repeat = ssize(vm, &a[1])?;
    if repeat < 0 {
        return Err(vm.value_error("repeat argument cannot be negative"));
    }
    let sources = tuple_items(&a[0]);
    let once = if repeat == 0 {
        Vec::new()
    } else {
        sources
            .iter()
            .map(|s| vm.collect(s))
            .collect::<Res<Vec<_>>>()?
    };
    let total = once
        .len()
        .checked_mul(repeat as usize)
        .filter(|&n| n < 1 << 40)
        .ok_or_else(|| memory_error(vm))?;
    check_room(vm, total.saturating_mul(3))?;
    let mut pools = Vec::with_capacity(total);
    for _ in 0..repeat {
        pools.extend(once.iter().cloned());
    }
    let state = if pools.iter().any(Vec::is_empty) {
        State::Done
    } else {
        State::Start
    };
    let at = RefCell::new(vec![0; pools.len()]);
    Ok(vm.alloc_as(
        class,
        Tool::Product {
            pools,
            at,
            state: Cell::new(state),
        },
    ))
}

fn next_product(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    fields!(vm, v, Tool::Product { pools, at, state });
    let mut at = at.borrow_mut();
    match state.get() {
        State::Done => return Ok(None),
        State::Start => state.set(State::Running),
        State::Running => {
            let mut i = pools.len();
            loop {
                let Some(j) = i.checked_sub(1) else {
                    state.set(State::Done);
                    return Ok(None);
                };
                i = j;
                at[i] += 1;
                if at[i] < pools[i].len() {
                    break;
                }
                at[i] = 0;
            }
        }
    }
    Ok(Some(
        vm.tuple(
            pools
                .iter()
                .zip(at.iter())
                .map(|(p, &i)| p[i].clone())
                .collect(),
        ),
    ))
}

tool!(PRODUCT "product" new_product, next_product, &[], "Cartesian product of input iterables.  Equivalent to nested for-loops.\n\nFor example, product(A, B) returns the same as:  ((x,y) for x in A for y in B).");

// ---- combinations

fn new_combinations(vm: &Vm, class: &Value, args: Args, repeat: bool) -> Res {
    let a = vm.bind_args(
        if repeat {
            "combinations_with_replacement(iterable, r)"
        } else {
            "combinations(iterable, r)"
        },
        args,
    )?;
    let pool = vm.collect(&a[0])?;
    let r = ssize(vm, &a[1])?;
    if r < 0 {
        return Err(vm.value_error("r must be non-negative"));
    }
    let r = r as usize;
    let none = if repeat {
        pool.is_empty() && r > 0
    } else {
        r > pool.len()
    };
    if !none {
        check_room(vm, r)?;
    }
    let at: Vec<usize> = match (none, repeat) {
        (true, _) => Vec::new(),
        (_, true) => vec![0; r],
        (_, false) => (0..r).collect(),
    };
    let state = Cell::new(if none { State::Done } else { State::Start });
    Ok(vm.alloc_as(
        class,
        Tool::Combinations {
            pool,
            at: RefCell::new(at),
            repeat,
            state,
        },
    ))
}

fn next_combination(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    fields!(
        vm,
        v,
        Tool::Combinations {
            pool,
            at,
            repeat,
            state
        }
    );
    let mut at = at.borrow_mut();
    let (n, r) = (pool.len(), at.len());
    match state.get() {
        State::Done => return Ok(None),
        State::Start => state.set(State::Running),
        State::Running => {
            // The rightmost index that can still grow.
            let last = |i: usize| if *repeat { n - 1 } else { i + n - r };
            let Some(i) = (0..r).rev().find(|&i| at[i] != last(i)) else {
                state.set(State::Done);
                return Ok(None);
            };
            let next = at[i] + 1;
            for (k, slot) in at[i..].iter_mut().enumerate() {
                *slot = if *repeat { next } else { next + k };
            }
        }
    }
    Ok(Some(pick(vm, pool, &at)))
}

tool!(COMBINATIONS "combinations" |vm, class, args| new_combinations(vm, class, args, false), next_combination, &[], "Return successive r-length combinations of elements in the iterable.\n\ncombinations(range(4), 3) --> (0,1,2), (0,1,3), (0,2,3), (1,2,3)");
tool!(WITH_REPLACEMENT "combinations_with_replacement" |vm, class, args| new_combinations(vm, class, args, true), next_combination, &[], "Return successive r-length combinations of elements in the iterable allowing individual elements to have successive repeats.\n\ncombinations_with_replacement('ABC', 2) --> ('A','A'), ('A','B'), ('A','C'), ('B','B'), ('B','C'), ('C','C')");

// ---- permutations

fn new_permutations(vm: &Vm, class: &Value, args: Args) -> Res {
    let a = vm.bind_args("permutations(iterable, r=None)", args)?;
    let pool = vm.collect(&a[0])?;
    let n = pool.len();
    let r = match a[1].non_none() {
        None => n,
        Some(r) => {
            if !crate::builtins::support::has_index(vm, r) {
                return Err(vm.type_error("Expected int as r"));
            }
            let r = ssize(vm, r)?;
            usize::try_from(r).map_err(|_| vm.value_error("r must be non-negative"))?
        }
    };
    let state = Cell::new(if r > n { State::Done } else { State::Start });
    let cycles = if r > n {
        Vec::new()
    } else {
        (0..r).map(|i| n - i).collect()
    };
    Ok(vm.alloc_as(
        class,
        Tool::Permutations {
            pool,
            at: RefCell::new((0..n).collect()),
            cycles: RefCell::new(cycles),
            state,
        },
    ))
}

fn next_permutation(vm: &Vm, v: &Value) -> Res<Option<Value>> {
    fields!(
        vm,
        v,
        Tool::Permutations {
            pool,
            at,
            cycles,
            state
        }
    );
    let (mut at, mut cycles) = (at.borrow_mut(), cycles.borrow_mut());
    let (n, r) = (pool.len(), cycles.len());
    match state.get() {
        State::Done => return Ok(None),
        State::Start => state.set(State::Running),
        State::Running => {
            let mut i = r;
            loop {
                let Some(j) = i.checked_sub(1) else {
                    state.set(State::Done);
                    return Ok(None);
                };
                i = j;
                cycles[i] -= 1;
                if cycles[i] == 0 {
                    at[i..].rotate_left(1);
                    cycles[i] = n - i;
                } else {
                    let other = n - cycles[i];
                    at.swap(i, other);
                    break;
                }
            }
        }
    }
    Ok(Some(pick(vm, pool, &at[..r])))
}

tool!(PERMUTATIONS "permutations" new_permutations, next_permutation, &[], "Return successive r-length permutations of elements in the iterable.\n\npermutations(range(3), 2) --> (0,1), (0,2), (1,0), (1,2), (2,0), (2,1)");
