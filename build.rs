//! Chooses how handlers are chained, and gathers the script modules that the binary embeds.

use std::fmt::Write;
use std::path::Path;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(tail_dispatch)");
    println!("cargo::rerun-if-env-changed=CARGO_FEATURE_LOOP_DISPATCH");
    // At optimisation levels 0 and 1 nothing is a sibling call, so a loop calls the handlers (see src/vm/dispatch.rs).
    let level = std::env::var("OPT_LEVEL").unwrap_or_default();
    if matches!(level.as_str(), "2" | "3")
        && std::env::var_os("CARGO_FEATURE_LOOP_DISPATCH").is_none()
    {
        println!("cargo::rustc-cfg=tail_dispatch");
    }
    println!("cargo::rerun-if-changed=stdlib");
    let root =
        Path::new(&std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("stdlib");
    let mut rows = Vec::new();
    walk(&root, "", &mut rows);
    rows.sort();
    let mut out = String::from("/// Sorted by name.\npub static MODULES: &[Embedded] = &[\n");
    for (name, is_package, path) in rows {
        let _ = writeln!(
            out,
            "Embedded {{ name: {name:?}, is_package: {is_package}, source: include_str!({path:?}) }},"
        );
    }
    out.push_str("];\n");
    let to = Path::new(&std::env::var("OUT_DIR").expect("cargo sets it")).join("stdlib.rs");
    std::fs::write(to, out).expect("the build directory can be written");
}

/// Collects (dotted name, is package, path) of every script below a folder.
fn walk(dir: &Path, prefix: &str, rows: &mut Vec<(String, bool, String)>) {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return;
    };
    for e in entries.flatten() {
        let path = e.path();
        let file = e.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            println!("cargo::rerun-if-changed={}", path.display());
            walk(&path, &format!("{prefix}{file}."), rows);
        } else if let Some(stem) = file.strip_suffix(".co") {
            let package = stem == "__init__";
            let name = if package {
                prefix.trim_end_matches('.').to_string()
            } else {
                format!("{prefix}{stem}")
            };
            rows.push((name, package, path.display().to_string()));
        }
    }
}
