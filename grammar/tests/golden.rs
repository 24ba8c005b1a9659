//! Golden tests: tokens and trees of `tests/ast/*.co`, messages of `tests/diag/*.co`.
//!
//! To add a case, add a file and run `cargo insta review` (or set INSTA_UPDATE=always and look at the
//! diff). Every message here was compared with CPython 3.14's.

use corun_grammar::{LineIndex, Mode, dump, parse};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

fn cases(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder is in the repository")
        .map(|entry| entry.expect("readable folder").path())
        .filter(|path| path.extension().is_some_and(|e| e == "co"))
        .collect();
    files.sort();
    files
}

fn name(path: &Path) -> String {
    path.file_stem()
        .expect("a file")
        .to_string_lossy()
        .into_owned()
}

#[test]
fn trees() {
    for path in cases("ast") {
        let source = fs::read_to_string(&path).expect("readable case");
        let parsed = parse(&source, Mode::Module)
            .unwrap_or_else(|e| panic!("{}: {}", path.display(), e.message));
        let tokens = dump::tokens(&source).expect("it parses");
        insta::with_settings!({ snapshot_path => "snapshots/ast", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(format!("{}.tokens", name(&path)), tokens);
            insta::assert_snapshot!(format!("{}.tree", name(&path)), dump::ast(&parsed.root));
        });
    }
}

#[test]
fn messages() {
    let cases = cases("diag");
    assert!(cases.len() >= 40);
    for path in cases {
        let source = fs::read_to_string(&path).expect("readable case");
        let problem = match parse(&source, Mode::Module) {
            Err(problem) => problem,
            Ok(_) => panic!("{} is valid", path.display()),
        };
        let lines = LineIndex::new(&source);
        let from = lines.place(&source, problem.span.start);
        let to = lines.place(&source, problem.span.end);
        let mut out = source.clone();
        // Writing to a String cannot fail.
        let _ = writeln!(out, "---");
        let _ = writeln!(
            out,
            "{:?} {}:{} to {}:{}",
            problem.kind, from.line, from.column, to.line, to.column
        );
        let _ = writeln!(out, "{}", problem.message);
        if let Some(hint) = &problem.hint {
            let _ = writeln!(out, "hint: {hint}");
        }
        insta::with_settings!({ snapshot_path => "snapshots/diag", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name(&path), out);
        });
    }
}
