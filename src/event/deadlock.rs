//! The deadlock report: a loop that would wait with nothing that could ever wake it says which task waits for what, where, and who holds that.
//!
//! The data is there all the time: a task knows what it waits for, a native coroutine its primitive, a lock its owner.

use super::coro::{NativeCoro, Op};
use super::gather::Gather;
use super::lp::Loop;
use super::semaphore::Semaphore;
use super::sync::Lock;
use super::task::Task;
use super::task_type::name_of;
use crate::object::func::Function;
use crate::object::value::Value;
use crate::vm::{Res, Vm};

/// The exit status of a program that ends so.
pub const EXIT_CODE: i32 = 70;

/// Prints the report and ends the program.
#[cold]
pub fn report(vm: &Vm, _lv: &Value, lp: &Loop) -> Res<()> {
    let tasks = lp.tasks();
    let mut out = String::new();
    if tasks.is_empty() {
        out.push_str("deadlock: the loop waits for nothing: no task, no timer, no connection, and nobody could call stop()\n");
    } else {
        let s = if tasks.len() == 1 { " waits" } else { "s wait" };
        out.push_str(&format!(
            "deadlock: {} task{s}, and nothing can ever wake them\n",
            tasks.len()
        ));
        let cycles = find_cycle(&tasks);
        for t in tasks.iter().take(50) {
            describe(vm, t, &cycles, &mut out)?;
        }
        if tasks.len() > 50 {
            out.push_str(&format!("  ... and {} more\n", tasks.len() - 50));
        }
        if !cycles.is_empty() {
            let names: Vec<String> = cycles.iter().map(|t| name(vm, t)).collect();
            out.push_str(&format!(
                "  cycle: {} -> {}\n",
                names.join(" -> "),
                names[0]
            ));
        }
    }
    vm.end_program(&out, EXIT_CODE)
}

fn name(vm: &Vm, t: &Value) -> String {
    t.get::<Task>().map_or_else(
        || "?".to_string(),
        |t| name_of(vm, t).as_str().unwrap_or("?").to_string(),
    )
}

fn describe(vm: &Vm, tv: &Value, cycle: &[Value], out: &mut String) -> Res<()> {
    let Some(t) = tv.get::<Task>() else {
        return Ok(());
    };
    let coro = t.coro.get();
    let qualname = match vm.getattr_opt(&coro, &vm.names.__qualname__)? {
        Some(q) => vm.str_string(&q)?,
        None => vm.type_name(&coro),
    };
    let mark = if cycle.iter().any(|c| c.is(tv)) {
        " (in a cycle)"
    } else {
        ""
    };
    out.push_str(&format!(
        "  task {:?} running {qualname}(){mark}\n",
        name(vm, tv)
    ));
    out.push_str(&format!("    waits for {}\n", waits_for(vm, t)?));
    if let Some((file, line, text)) = place(vm, &coro) {
        out.push_str(&format!("    at {file}:{line}\n"));
        if !text.is_empty() {
            out.push_str(&format!("      {text}\n"));
        }
    }
    let holders: Vec<String> = holders(&t.waits_on.get())
        .iter()
        .map(|h| format!("{:?}", name(vm, h)))
        .collect();
    if !holders.is_empty() {
        out.push_str(&format!("    held by task {}\n", holders.join(", ")));
    }
    Ok(())
}

fn waits_for(vm: &Vm, t: &Task) -> Res<String> {
    let w = t.waits_on.get();
    if let Some(c) = w.get::<NativeCoro>() {
        let target = c.target.get();
        let what = match c.op {
            Op::QueueGet => "an item from ",
            Op::QueuePut => "a place in ",
            Op::QueueJoin => "all items done of ",
            Op::GroupExit => "the tasks of ",
            _ => "",
        };
        return Ok(format!("{what}{}", vm.repr_string(&target)?));
    }
    if w.is_unbound() {
        return Ok("nothing that is known".to_string());
    }
    if let Some(o) = w.get::<Task>() {
        return Ok(format!("task {:?}", name_of(vm, o).as_str().unwrap_or("?")));
    }
    if let Some(g) = w.get::<Gather>() {
        return Ok(format!(
            "gather() of {} awaitables",
            g.children.borrow().len()
        ));
    }
    vm.repr_string(&w)
}

/// The tasks that could end a wait.
fn holders(w: &Value) -> Vec<Value> {
    if let Some(c) = w.get::<NativeCoro>() {
        let target = c.target.get();
        let one = |v: Value| if v.is_kind::<Task>() { vec![v] } else { vec![] };
        return match target.get::<Lock>() {
            Some(l) => one(l.owner.0.get()),
            None => match target.get::<Semaphore>() {
                Some(s) => one(s.holder.0.get()),
                None => super::group::waits_for(&target),
            },
        };
    }
    if w.is_kind::<Task>() {
        return vec![w.clone()];
    }
    match w.get::<Gather>() {
        Some(g) => g
            .children
            .borrow()
            .iter()
            .filter(|c| c.get::<Task>().is_some_and(|t| !t.fut.done()))
            .cloned()
            .collect(),
        None => Vec::new(),
    }
}

/// Tasks that wait for each other in a ring, in order; empty if there is none.
fn find_cycle(tasks: &[Value]) -> Vec<Value> {
    for start in tasks {
        let mut path = vec![start.clone()];
        if walk(&mut path, start, 0) {
            return path;
        }
    }
    Vec::new()
}
fn walk(path: &mut Vec<Value>, start: &Value, depth: usize) -> bool {
    if depth > 200 {
        return false;
    }
    let Some(last) = path.last().cloned() else {
        return false;
    };
    let Some(t) = last.get::<Task>() else {
        return false;
    };
    for h in holders(&t.waits_on.get()) {
        if h.is(start) {
            return true;
        }
        if path.iter().any(|p| p.is(&h)) {
            continue;
        }
        path.push(h);
        if walk(path, start, depth + 1) {
            return true;
        }
        path.pop();
    }
    false
}

/// File, line and text of the innermost frame of a suspended coroutine.
fn place(vm: &Vm, coro: &Value) -> Option<(String, u32, String)> {
    let mut at = coro.clone();
    for _ in 0..10_000 {
        let next = vm.generator_delegate(&at);
        if next.as_gen().is_none() {
            break;
        }
        at = next;
    }
    let g = at.as_gen()?;
    let f = g.func().get::<Function>()?;
    let frame = vm.generator_frame(&at);
    let line = vm.getattr_str(&frame, "f_lineno").ok()?.as_small()? as u32;
    let file = f.code_obj().filename.as_str()?.to_string();
    let text = std::fs::read_to_string(&file)
        .ok()
        .and_then(|s| {
            s.lines()
                .nth(line as usize - 1)
                .map(|l| l.trim().to_string())
        })
        .unwrap_or_default();
    Some((file, line, text))
}

impl Vm {
    /// Ends the program with a message on stderr, once what it has printed is written out. It is raised as SystemExit, after the message.
    fn end_program(&self, text: &str, code: i32) -> Res<()> {
        let _ = (|| -> Res<()> {
            let sys = super::import(self, "sys")?;
            for name in ["stdout", "stderr"] {
                let f = self.getattr_str(&sys, name)?;
                let flush = self.getattr_str(&f, "flush")?;
                self.call(&flush, &[])?;
            }
            Ok(())
        })();
        use std::io::Write;
        let _ = std::io::stderr().write_all(text.as_bytes());
        std::process::exit(code)
    }
}
