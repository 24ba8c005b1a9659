//! Parses files and prints their trees, or what is wrong with them.
//!
//! `cargo run --example parse -- [--tokens|--ast|--time] FILE...`; without an option only errors show.

use corun_grammar::{LineIndex, Mode, decode, dump, parse};
use std::time::Instant;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (options, files): (Vec<&String>, Vec<&String>) =
        args.iter().partition(|a| a.starts_with("--"));
    let has = |name: &str| options.iter().any(|o| *o == name);
    let start = Instant::now();
    let mut bytes_read = 0;
    let mut failed = 0;
    for file in &files {
        let bytes = match std::fs::read(file) {
            Ok(bytes) => bytes,
            Err(e) => {
                println!("{file}: {e}");
                continue;
            }
        };
        bytes_read += bytes.len();
        let text = match decode(&bytes) {
            Ok(text) => text,
            Err(problem) => {
                println!("{file}: {}", problem.message);
                failed += 1;
                continue;
            }
        };
        if has("--tokens") {
            match dump::tokens(&text) {
                Ok(out) => print!("{out}"),
                Err(problem) => println!("{}", problem.message),
            }
        }
        match parse(&text, Mode::Module) {
            Ok(parsed) => {
                if has("--ast") {
                    print!("{}", dump::ast(&parsed.root));
                }
                if has("--warnings") {
                    for w in parsed.warnings {
                        println!("{}..{}: {}", w.span.start, w.span.end, w.message);
                    }
                }
            }
            Err(problem) => {
                failed += 1;
                let lines = LineIndex::new(&text);
                let from = lines.place(&text, problem.span.start);
                let to = lines.place(&text, problem.span.end);
                println!(
                    "{file}:{}:{}-{}:{}: {:?} {}",
                    from.line, from.column, to.line, to.column, problem.kind, problem.message
                );
            }
        }
    }
    if has("--time") {
        let seconds = start.elapsed().as_secs_f64();
        let megabytes = bytes_read as f64 / 1e6;
        println!(
            "{} files, {failed} failed, {megabytes:.1} MB in {seconds:.2} s: {:.1} MB/s",
            files.len(),
            megabytes / seconds
        );
    }
}
