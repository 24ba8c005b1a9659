//! The timer heap: entries (when, number, target), the earliest on top; equal times in the order in which they were set.
//!
//! A target is a Handle or a sleeping native coroutine. Cancelling leaves the entry where it is: it goes when it comes to the top, or in a sweep when most entries
//! are cancelled ones.

use super::coro::is_waiting;
use super::handle::Handle;
use crate::object::value::Value;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

struct Entry {
    when: f64,
    seq: u64,
    target: Value,
}

impl PartialEq for Entry {
    fn eq(&self, o: &Entry) -> bool {
        self.cmp(o) == Ordering::Equal
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, o: &Entry) -> Option<Ordering> {
        Some(self.cmp(o))
    }
}
impl Ord for Entry {
    /// Reversed: the std heap has its greatest on top.
    fn cmp(&self, o: &Entry) -> Ordering {
        o.when.total_cmp(&self.when).then(o.seq.cmp(&self.seq))
    }
}

/// See the module's head.
#[derive(Default)]
pub struct Timers {
    heap: BinaryHeap<Entry>,
    seq: u64,
    cancelled: usize,
}

fn is_dead(target: &Value) -> bool {
    match target.get::<Handle>() {
        Some(h) => h.cancelled.get(),
        None => !is_waiting(target),
    }
}

impl Timers {
    pub fn push(&mut self, when: f64, target: Value) {
        self.seq += 1;
        self.heap.push(Entry {
            when,
            seq: self.seq,
            target,
        });
    }
    pub fn note_cancelled(&mut self) {
        self.cancelled += 1;
    }
    pub fn len(&self) -> usize {
        self.heap.len()
    }
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// Drops cancelled entries: all when they are the greater part of many, else those on top. Gives the dropped ones, to be released outside the borrow.
    pub fn sweep(&mut self) -> Vec<Value> {
        let mut gone = Vec::new();
        if self.heap.len() > 100 && self.cancelled * 2 > self.heap.len() {
            let (dead, live): (Vec<Entry>, Vec<Entry>) = std::mem::take(&mut self.heap)
                .into_vec()
                .into_iter()
                .partition(|e| is_dead(&e.target));
            self.heap = live.into();
            self.cancelled = 0;
            gone.extend(dead.into_iter().map(|e| e.target));
        } else {
            while self.heap.peek().is_some_and(|e| is_dead(&e.target)) {
                self.cancelled = self.cancelled.saturating_sub(1);
                gone.extend(self.heap.pop().map(|e| e.target));
            }
        }
        gone
    }

    /// The time of the first entry.
    pub fn next(&self) -> Option<f64> {
        self.heap.peek().map(|e| e.when)
    }

    /// Takes the first entry if it is due before `end`.
    pub fn pop_due(&mut self, end: f64) -> Option<Value> {
        if self.heap.peek()?.when >= end {
            return None;
        }
        self.heap.pop().map(|e| e.target)
    }

    pub fn trace(&self, visit: &mut dyn FnMut(&Value)) {
        self.heap.iter().for_each(|e| visit(&e.target))
    }
    /// Empties the heap.
    pub fn take(&mut self) -> Vec<Value> {
        self.cancelled = 0;
        std::mem::take(&mut self.heap)
            .into_vec()
            .into_iter()
            .map(|e| e.target)
            .collect()
    }
}
