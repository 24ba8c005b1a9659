//! Sorting: `list.sort` and `sorted`.
//!
//! Lists of only ints, only floats or only strs are compared in Rust; everything else by a merge sort of our own, which stops at the first
//! comparison that raises and leaves the items a permutation of what they were. (The standard library's sort may panic when `<` is
//! inconsistent, and a script's `__lt__` may be.) The merge sort works on natural runs and merges them by the powersort rule (Munro and Wild 2018), as
//! CPython does, on indices rather than values: those can be copied about freely when a comparison fails half way.
//!
//! Rules:
//! 1. Stable; `reverse` keeps equal items in their order.
//! 2. A list is empty while it is sorted, so script code that looks at it sees no half-sorted state.

use crate::object::header::Kind;
use crate::object::seq::{List, Tuple};
use crate::object::value::Value;
use crate::vm::{Res, Vm};

/// Runs shorter than this are filled up by insertion.
const MIN_RUN: usize = 24;

/// Sorts a list in place.
pub fn sort_list(vm: &Vm, list: &List, key: Option<&Value>, reverse: bool) -> Res<()> {
    let mut items = std::mem::take(&mut *list.0.borrow_mut());
    let result = sort_items(vm, &mut items, key, reverse);
    let during = list.0.replace(items);
    // Even an emptied list shows that something was put in: an untouched one has never had room.
    let touched = during.capacity() > 0;
    drop(during);
    result?;
    if touched {
        Err(vm.value_error("list modified during sort"))
    } else {
        Ok(())
    }
}

/// Sorts values. If a comparison raises, `items` holds them in some order.
pub fn sort_items(vm: &Vm, items: &mut Vec<Value>, key: Option<&Value>, reverse: bool) -> Res<()> {
    let Some(key) = key else {
        return sort_plain(vm, items, reverse);
    };
    let mut keys = Vec::with_capacity(items.len());
    for i in 0..items.len() {
        keys.push(vm.call(key, std::slice::from_ref(&items[i]))?);
    }
    let mut order: Vec<u32> = (0..items.len() as u32).collect();
    let result = sort_order(vm, &keys, &mut order, reverse);
    permute(items, &order);
    result
}

fn permute(items: &mut Vec<Value>, order: &[u32]) {
    let mut old: Vec<Option<Value>> = std::mem::take(items).into_iter().map(Some).collect();
    items.extend(order.iter().filter_map(|&i| old[i as usize].take()));
}

/// What all keys have in common.
#[derive(Clone, Copy, PartialEq)]
enum Class {
    Ints,
    Floats,
    Strs,
    Tuples,
    Mixed,
}

fn class_of(vm: &Vm, v: &Value) -> Class {
    match v.kind() {
        Kind::Int if v.is_small() => Class::Ints,
        Kind::Float if v.as_float().is_some_and(|f| !f.is_nan()) && vm.is_exact(v, Kind::Float) => {
            Class::Floats
        }
        Kind::Str if vm.is_exact(v, Kind::Str) => Class::Strs,
        Kind::Tuple if vm.is_exact(v, Kind::Tuple) => Class::Tuples,
        _ => Class::Mixed,
    }
}

fn class_of_all(vm: &Vm, keys: &[Value]) -> Class {
    let Some(first) = keys.first() else {
        return Class::Mixed;
    };
    let class = class_of(vm, first);
    if class != Class::Mixed && keys[1..].iter().all(|k| class_of(vm, k) == class) {
        class
    } else {
        Class::Mixed
    }
}

fn float(v: &Value) -> f64 {
    v.as_float().unwrap_or(0.0)
}

fn by_float(a: &Value, b: &Value) -> std::cmp::Ordering {
    float(a)
        .partial_cmp(&float(b))
        .unwrap_or(std::cmp::Ordering::Equal)
}

fn sort_plain(vm: &Vm, items: &mut Vec<Value>, reverse: bool) -> Res<()> {
    match class_of_all(vm, items) {
        Class::Ints if reverse => items.sort_by_key(|v| std::cmp::Reverse(v.as_small())),
        Class::Ints => items.sort_by_key(Value::as_small),
        Class::Floats if reverse => items.sort_by(|a, b| by_float(b, a)),
        Class::Floats => items.sort_by(by_float),
        Class::Strs if reverse => items.sort_by(|a, b| b.as_str().cmp(&a.as_str())),
        Class::Strs => items.sort_by(|a, b| a.as_str().cmp(&b.as_str())),
        _ => {
            let mut order: Vec<u32> = (0..items.len() as u32).collect();
            let result = sort_order(vm, items, &mut order, reverse);
            permute(items, &order);
            return result;
        }
    }
    Ok(())
}

/// Sorts indices by the keys they stand for.
fn sort_order(vm: &Vm, keys: &[Value], order: &mut [u32], reverse: bool) -> Res<()> {
    let key = |i: u32| &keys[i as usize];
    match class_of_all(vm, keys) {
        Class::Ints if reverse => order.sort_by_key(|&i| std::cmp::Reverse(key(i).as_small())),
        Class::Ints => order.sort_by_key(|&i| key(i).as_small()),
        Class::Floats if reverse => order.sort_by(|&a, &b| by_float(key(b), key(a))),
        Class::Floats => order.sort_by(|&a, &b| by_float(key(a), key(b))),
        Class::Strs if reverse => order.sort_by(|&a, &b| key(b).as_str().cmp(&key(a).as_str())),
        Class::Strs => order.sort_by(|&a, &b| key(a).as_str().cmp(&key(b).as_str())),
        class => {
            // Reversing before and after keeps equal items in their order.
            if reverse {
                order.reverse();
            }
            let tuples = class == Class::Tuples;
            let mut less = |a: u32, b: u32| {
                if tuples {
                    tuple_less(vm, key(a), key(b))
                } else {
                    vm.lt(key(a), key(b))
                }
            };
            let result = merge_sort(order, &mut less);
            if reverse {
                order.reverse();
            }
            return result;
        }
    }
    Ok(())
}

/// `a < b` for two exact tuples.
fn tuple_less(vm: &Vm, a: &Value, b: &Value) -> Res<bool> {
    let (Some(a), Some(b)) = (a.get::<Tuple>(), b.get::<Tuple>()) else {
        return vm.lt(a, b);
    };
    for (x, y) in a.iter().zip(b.iter()) {
        if !crate::builtins::support::same(vm, x, y)? {
            return vm.lt(x, y);
        }
    }
    Ok(a.len() < b.len())
}

type Less<'a> = &'a mut dyn FnMut(u32, u32) -> Res<bool>;

/// A sorted stretch of the array, and the power of the boundary before it.
struct Run {
    start: usize,
    len: usize,
    power: u32,
}

fn merge_sort(a: &mut [u32], less: Less) -> Res<()> {
    let n = a.len();
    let mut runs: Vec<Run> = Vec::new();
    let mut spare = Vec::new();
    let mut at = 0;
    while at < n {
        let mut len = count_run(a, at, less)?;
        if len < MIN_RUN {
            let want = MIN_RUN.min(n - at);
            insertion(&mut a[at..at + want], len, less)?;
            len = want;
        }
        let power = runs.last().map_or(0, |r| power(r.start, r.len, len, n));
        while runs.len() > 1 && runs[runs.len() - 1].power > power {
            merge_top(a, &mut runs, &mut spare, less)?;
        }
        runs.push(Run {
            start: at,
            len,
            power,
        });
        at += len;
    }
    while runs.len() > 1 {
        merge_top(a, &mut runs, &mut spare, less)?;
    }
    Ok(())
}

/// The depth of the boundary between two neighbouring runs in the perfect merge tree over n items.
fn power(start: usize, len1: usize, len2: usize, n: usize) -> u32 {
    let (mut a, mut b) = (2 * start + len1, 2 * start + 2 * len1 + len2);
    let n = 2 * n;
    let mut power = 0;
    loop {
        power += 1;
        a *= 2;
        b *= 2;
        if a >= n && b >= n {
            a -= n;
            b -= n;
        } else if b >= n {
            return power;
        }
        if power > 63 {
            return power;
        }
    }
}

/// The length of the run from `at`; a strictly falling one is turned round.
fn count_run(a: &mut [u32], at: usize, less: Less) -> Res<usize> {
    let n = a.len();
    if n - at < 2 {
        return Ok(n - at);
    }
    let mut end = at + 2;
    if less(a[at + 1], a[at])? {
        while end < n && less(a[end], a[end - 1])? {
            end += 1;
        }
        a[at..end].reverse();
    } else {
        while end < n && !less(a[end], a[end - 1])? {
            end += 1;
        }
    }
    Ok(end - at)
}

/// Sorts `a`, whose first `sorted` items are sorted, by binary insertion.
fn insertion(a: &mut [u32], sorted: usize, less: Less) -> Res<()> {
    for i in sorted..a.len() {
        let at = upper_bound(&a[..i], a[i], less)?;
        a[at..=i].rotate_right(1);
    }
    Ok(())
}

/// The first place whose item is greater than `x`.
fn upper_bound(a: &[u32], x: u32, less: Less) -> Res<usize> {
    let (mut low, mut high) = (0, a.len());
    while low < high {
        let mid = low + (high - low) / 2;
        if less(x, a[mid])? {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    Ok(low)
}

/// The first place whose item is not less than `x`.
fn lower_bound(a: &[u32], x: u32, less: Less) -> Res<usize> {
    let (mut low, mut high) = (0, a.len());
    while low < high {
        let mid = low + (high - low) / 2;
        if less(a[mid], x)? {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    Ok(low)
}

/// Merges the two topmost runs.
fn merge_top(a: &mut [u32], runs: &mut Vec<Run>, spare: &mut Vec<u32>, less: Less) -> Res<()> {
    let (Some(right), Some(left)) = (runs.pop(), runs.last_mut()) else {
        return Ok(());
    };
    let (start, split) = (left.start, left.len);
    left.len += right.len;
    let both = &mut a[start..start + split + right.len];
    // What is in its place already stays out of the merge.
    let skip = upper_bound(&both[..split], both[split], less)?;
    if skip == split {
        return Ok(());
    }
    let end = split + lower_bound(&both[split..], both[split - 1], less)?;
    merge(&mut both[skip..end], split - skip, spare, less)
}

/// Merges `a[..split]` and `a[split..]`. If a comparison fails, `a` still holds the same items.
fn merge(a: &mut [u32], split: usize, spare: &mut Vec<u32>, less: Less) -> Res<()> {
    spare.clear();
    if split <= a.len() - split {
        spare.extend_from_slice(&a[..split]);
        let (mut i, mut j, mut out) = (0, split, 0);
        let mut result = Ok(());
        while i < spare.len() && j < a.len() {
            match less(a[j], spare[i]) {
                Ok(true) => {
                    a[out] = a[j];
                    j += 1;
                }
                Ok(false) => {
                    a[out] = spare[i];
                    i += 1;
                }
                Err(e) => {
                    result = Err(e);
                    break;
                }
            }
            out += 1;
        }
        a[out..out + spare.len() - i].copy_from_slice(&spare[i..]);
        result
    } else {
        spare.extend_from_slice(&a[split..]);
        let (mut i, mut j, mut out) = (split, spare.len(), a.len());
        let mut result = Ok(());
        while i > 0 && j > 0 {
            match less(spare[j - 1], a[i - 1]) {
                Ok(true) => {
                    a[out - 1] = a[i - 1];
                    i -= 1;
                }
                Ok(false) => {
                    a[out - 1] = spare[j - 1];
                    j -= 1;
                }
                Err(e) => {
                    result = Err(e);
                    break;
                }
            }
            out -= 1;
        }
        a[out - j..out].copy_from_slice(&spare[..j]);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merge_sort_is_stable_and_complete() {
        let mut seed = 12345u64;
        for n in [0usize, 1, 2, 23, 24, 25, 100, 1000, 5000] {
            let keys: Vec<u32> = (0..n)
                .map(|_| {
                    seed = seed
                        .wrapping_mul(6364136223846793005)
                        .wrapping_add(1442695040888963407);
                    (seed >> 33) as u32 % 50
                })
                .collect();
            let mut order: Vec<u32> = (0..n as u32).collect();
            let mut expected = order.clone();
            expected.sort_by_key(|&i| keys[i as usize]);
            merge_sort(&mut order, &mut |a, b| {
                Ok(keys[a as usize] < keys[b as usize])
            })
            .expect("cannot fail");
            assert_eq!(order, expected, "{n}");
        }
    }

    #[test]
    fn an_inconsistent_order_loses_nothing() {
        let mut flip = false;
        let mut order: Vec<u32> = (0..3000).collect();
        merge_sort(&mut order, &mut |_, _| {
            flip = !flip;
            Ok(flip)
        })
        .expect("cannot fail");
        order.sort();
        assert!(order.iter().copied().eq(0..3000));
    }
}
