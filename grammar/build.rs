//! Turns `src/corun.lalrpop` into the parser's tables.

fn main() {
    if let Err(problem) = lalrpop::Configuration::new()
        .use_cargo_dir_conventions()
        .emit_rerun_directives(true)
        .process()
    {
        eprintln!("{problem}");
        std::process::exit(1);
    }
}
