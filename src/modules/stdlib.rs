//! The script modules that are part of the binary: `stdlib/` at build time.

/// A module of the embedded library.
pub struct Embedded {
    /// Dotted name.
    pub name: &'static str,
    pub is_package: bool,
    pub source: &'static str,
}

// Made by the build script: `MODULES`, sorted by name.
include!(concat!(env!("OUT_DIR"), "/stdlib.rs"));

/// The embedded module of that name.
pub fn find(name: &str) -> Option<&'static Embedded> {
    MODULES
        .binary_search_by(|m| m.name.cmp(name))
        .ok()
        .map(|i| &MODULES[i])
}
