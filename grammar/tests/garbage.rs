//! Random text made of the language's own pieces: the answer may be anything but a panic, and a message
//! must point into the text.

use corun_grammar::{Mode, decode, dump, parse};

const PIECES: [&str; 96] = [
    "(", ")", "[", "]", "{", "}", ":", ",", "=", "+", "-", "*", "/", "%", "@", "&", "|", "^", "~",
    "<", ">", "!", ".", ";", "'", "\"", "\\", "\n", "\t", " ", "#", "a", "b", "1", "_", "x", "é",
    "€", "\u{a0}", "“", "0", "f'", "rb'", "t\"", "u", "''", "\"\"\"", "{{", "}}", "\n  ", "\n\t",
    "if ", "else ", "for ", "in ", "lambda", "def ", "class ", "print ", "import ", "from ",
    "match ", "case ", "with ", "as ", "not ", "async ", "await ", "yield ", "try:", "except",
    "finally:", "elif ", "0x", "1e", "\\N{", "\\x", "{x", "!r", ":=", "**", "\r\n", "\r", "\x0c",
    "\u{feff}", "->", "and ", "is ", "None", "del ", "raise ", "type ", "global ", "pass", "ub'",
    "==",
];

/// A small generator, so that every run sees the same texts.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

fn check(source: &str) {
    for mode in [Mode::Module, Mode::Interactive, Mode::Expression] {
        match parse(source, mode) {
            Ok(parsed) => assert!(!dump::ast(&parsed.root).is_empty()),
            Err(problem) => {
                let at = problem.span.start as usize..problem.span.end as usize;
                assert!(source.get(at).is_some(), "{source:?}: {}", problem.message);
            }
        }
    }
    // Whether it has an error does not matter.
    let _ = dump::tokens(source);
}

#[test]
fn pieces() {
    let mut random = Random(0x5EED);
    for _ in 0..2_500 {
        let count = 1 + random.below(40);
        let source: String = (0..count)
            .map(|_| PIECES[random.below(PIECES.len())])
            .collect();
        check(&source);
    }
}

#[test]
fn bytes() {
    let mut random = Random(0xB17E5);
    for _ in 0..2_500 {
        let count = random.below(60);
        let text: Vec<u8> = (0..count).map(|_| random.below(256) as u8).collect();
        if let Ok(source) = decode(&text) {
            check(&source);
        }
        let text: Vec<u8> = text.iter().map(|b| b & 0x7F).filter(|b| *b != 0).collect();
        if let Ok(source) = decode(&text) {
            check(&source);
        }
    }
}

/// Valid programs with one piece removed or replaced.
#[test]
fn mutations() {
    let mut random = Random(0xC0DE);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ast");
    for entry in std::fs::read_dir(folder).expect("the folder is in the repository") {
        let path = entry.expect("readable folder").path();
        let text = std::fs::read_to_string(path).expect("readable case");
        let chars: Vec<char> = text.chars().collect();
        for _ in 0..300 {
            let at = random.below(chars.len());
            let cut = random.below(4);
            let mut source: String = chars[..at].iter().collect();
            if random.below(2) == 0 {
                source.push_str(PIECES[random.below(PIECES.len())]);
            }
            source.extend(chars[(at + cut).min(chars.len())..].iter());
            check(&source);
        }
    }
}
