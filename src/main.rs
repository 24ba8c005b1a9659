//! The `corun` program.

fn main() {
    std::process::exit(corun::cli::main());
}
