//! Chooses how handlers are chained: at optimisation level 0 and 1 nothing is a sibling call, so a loop calls them (see src/vm/dispatch.rs).

fn main() {
    println!("cargo::rustc-check-cfg=cfg(tail_dispatch)");
    println!("cargo::rerun-if-env-changed=CARGO_FEATURE_LOOP_DISPATCH");
    let level = std::env::var("OPT_LEVEL").unwrap_or_default();
    if matches!(level.as_str(), "2" | "3") && std::env::var_os("CARGO_FEATURE_LOOP_DISPATCH").is_none() {
        println!("cargo::rustc-cfg=tail_dispatch");
    }
}
