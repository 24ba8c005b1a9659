//! Runs every example and every `tests/lang/<area>/*.co` with the built program and compares what it prints with the file beside it.
//!
//! `<name>.out` is the expected standard output, `<name>.err` (if there is one) the expected standard error, `<name>.exit` the expected exit
//! status (else 0). The folder of the script is cut out of paths before comparing. Expected outputs come from CPython 3.14 (see
//! tests/lang/README.md).
//!
//! `tests/wishlist.txt` names scripts that do not pass yet. They run too, and those that pass are printed, to be taken off the list.
//! A script that differs is run again, since timers slip on a busy machine; what is wrong stays wrong.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// No script may take longer than this (debug builds on a busy machine included).
const LIMIT: Duration = Duration::from_secs(20);

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn scripts(dir: &Path) -> Vec<PathBuf> {
    let mut out: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap_or_else(|e| panic!("{}: {e}", dir.display()))
        .map(|e| e.expect("a readable folder").path())
        .filter(|p| p.extension().is_some_and(|x| x == "co") && p.with_extension("out").exists())
        .collect();
    out.sort();
    out
}

/// What a run printed, and how it ended.
struct Ran {
    out: String,
    err: String,
    status: Option<i32>,
}

fn run(script: &Path) -> Ran {
    let dir = script.parent().expect("scripts are in folders");
    let mut child = Command::new(env!("CARGO_BIN_EXE_corun"))
        .arg(script.file_name().expect("scripts have names"))
        .current_dir(dir)
        .env("COLUMNS", "80")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    fn drain(mut from: impl std::io::Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
        std::thread::spawn(move || {
            let mut b = Vec::new();
            // A broken pipe here means that the program is gone; what it wrote before is there.
            let _ = from.read_to_end(&mut b);
            b
        })
    }
    let out = drain(child.stdout.take().expect("piped"));
    let err = drain(child.stderr.take().expect("piped"));
    let start = Instant::now();
    let status = loop {
        match child.try_wait().expect("the child is ours") {
            Some(s) => break s.code(),
            None if start.elapsed() > LIMIT => {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    // Frames of the embedded library are left out of tracebacks, as those of CPython's are in the expected files.
    let without_library = |s: String| {
        let mut keep = true;
        s.split_inclusive('\n')
            .filter(|l| {
                if l.trim_start_matches([' ', '|']).starts_with("File \"") {
                    keep = !l.contains("File \"<stdlib>/");
                } else if !l.trim_start_matches('|').starts_with("    ") {
                    keep = true;
                }
                keep
            })
            .collect::<String>()
    };
    let cut = |b: Vec<u8>| String::from_utf8_lossy(&b).replace(&format!("{}/", dir.display()), "");
    Ran {
        out: cut(out.join().expect("the reader ends")),
        err: without_library(cut(err.join().expect("the reader ends"))),
        status,
    }
}

/// None if the script does as its files say, else what is different.
fn difference(script: &Path) -> Option<String> {
    let read = |ext: &str| std::fs::read_to_string(script.with_extension(ext)).ok();
    let ran = run(script);
    let want_out = read("out").unwrap_or_default();
    if ran.out != want_out {
        let line = want_out
            .lines()
            .zip(ran.out.lines())
            .position(|(a, b)| a != b)
            .unwrap_or(want_out.lines().count().min(ran.out.lines().count()));
        let show = |s: &str| s.lines().nth(line).unwrap_or("(end)").to_string();
        let last_err = ran.err.lines().last().unwrap_or("").to_string();
        return Some(format!(
            "line {} of the output\n    expected: {}\n    printed:  {}\n    stderr:   {last_err}",
            line + 1,
            show(&want_out),
            show(&ran.out)
        ));
    }
    if let Some(want) = read("err")
        && want != ran.err
    {
        return Some(format!(
            "stderr\n--- expected\n{want}--- printed\n{}",
            ran.err
        ));
    }
    let want = read("exit")
        .and_then(|s| s.trim().parse().ok())
        .unwrap_or(0);
    if ran.status != Some(want) {
        return Some(format!(
            "exit status {:?}, expected {want}\n{}",
            ran.status, ran.err
        ));
    }
    None
}

/// Runs the scripts of some folders on a few threads; fails with all differences.
fn check(folders: &[PathBuf]) {
    let wishes: BTreeSet<String> = std::fs::read_to_string(root().join("tests/wishlist.txt"))
        .unwrap_or_default()
        .lines()
        .map(|l| l.trim().to_string())
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
        .collect();
    let only = std::env::var("CORUN_ONLY").unwrap_or_default();
    let mut all: Vec<PathBuf> = folders
        .iter()
        .flat_map(|d| scripts(d))
        .filter(|p| p.display().to_string().contains(&only))
        .collect();
    all.reverse();
    let total = all.len();
    assert!(total > 0 || !only.is_empty(), "no scripts in {folders:?}");
    let queue = Mutex::new(all);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|s| {
        for _ in 0..2 {
            s.spawn(|| {
                loop {
                    let Some(script) = queue.lock().expect("no thread panics with the lock").pop()
                    else {
                        break;
                    };
                    let name = script
                        .strip_prefix(root())
                        .expect("scripts are below the root")
                        .display()
                        .to_string();
                    if wishes.contains(&format!("skip {name}")) {
                        continue;
                    }
                    let wish = wishes.contains(&name);
                    let mut found = difference(&script);
                    for _ in 0..if wish { 0 } else { 2 } {
                        if found.is_some() {
                            found = difference(&script);
                        }
                    }
                    match found {
                        Some(d) if !wish => failures
                            .lock()
                            .expect("as above")
                            .push(format!("{name}: {d}")),
                        None if wish => {
                            println!("passes now, take it off tests/wishlist.txt: {name}")
                        }
                        _ => (),
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().expect("all threads ended");
    failures.sort();
    let count = failures.len();
    assert!(
        failures.is_empty(),
        "{count} of {total} scripts fail:\n\n{}\n",
        failures.join("\n\n")
    );
}

#[test]
fn examples() {
    check(&[root().join("examples")]);
}

#[test]
fn language() {
    let areas = std::fs::read_dir(root().join("tests/lang")).expect("the folder is there");
    let folders: Vec<PathBuf> = areas
        .map(|e| e.expect("readable").path())
        .filter(|p| p.is_dir())
        .collect();
    check(&folders);
}
