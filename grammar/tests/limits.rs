//! However deep the text nests, the answer is a tree or a message: never a stack overflow, neither while
//! parsing nor when the tree is dropped. Test threads have 2 MB of stack, a quarter of a main thread's.

use corun_grammar::{Mode, decode, parse};

fn nested(open: &str, middle: &str, close: &str, depth: usize) -> String {
    format!("{}{middle}{}\n", open.repeat(depth), close.repeat(depth))
}

fn message(source: &str) -> String {
    match parse(source, Mode::Module) {
        Ok(_) => "fine".into(),
        Err(problem) => problem.message,
    }
}

#[test]
fn brackets() {
    assert_eq!(message(&nested("(", "x", ")", 190)), "fine");
    for depth in [201, 10_000, 100_000] {
        assert_eq!(
            message(&nested("(", "x", ")", depth)),
            "too many nested parentheses"
        );
        assert_eq!(
            message(&nested("[", "x", "]", depth)),
            "too many nested parentheses"
        );
        assert_eq!(
            message(&nested("{1: ", "x", "}", depth)),
            "too many nested parentheses"
        );
        assert_eq!(
            message(&nested("f(", "x", ")", depth)),
            "too many nested parentheses"
        );
    }
}

#[test]
fn blocks() {
    let deep = |depth: usize| {
        let mut text = String::new();
        for i in 0..depth {
            text.push_str(&" ".repeat(i));
            text.push_str("if x:\n");
        }
        text.push_str(&" ".repeat(depth));
        text.push_str("pass\n");
        text
    };
    assert_eq!(message(&deep(99)), "fine");
    assert_eq!(message(&deep(100)), "too many levels of indentation");
    assert_eq!(message(&deep(3000)), "too many levels of indentation");
}

#[test]
fn operators() {
    let too_deep = "too many nested expressions or blocks";
    let chains: [(&str, &str, &str); 12] = [
        ("not ", "x", ""),
        ("-", "x", ""),
        ("~", "x", ""),
        ("lambda: ", "x", ""),
        ("lambda a=", "x", ": 1"),
        ("x ** ", "x", ""),
        ("a if b else ", "x", ""),
        ("x + ", "x", ""),
        ("", "x", ".a"),
        ("", "x", "()"),
        ("", "x", "[0]"),
        ("", "x", " @ y"),
    ];
    for (open, middle, close) in chains {
        assert_eq!(
            message(&nested(open, middle, close, 900)),
            "fine",
            "{open}{close}"
        );
        assert_eq!(
            message(&nested(open, middle, close, 5_000)),
            too_deep,
            "{open}{close}"
        );
        assert_eq!(
            message(&nested(open, middle, close, 100_000)),
            too_deep,
            "{open}{close}"
        );
    }
    assert_eq!(message(&nested("x + ", "x", "", 3_900)), "fine");
    assert_eq!(message(&nested("", "x", ".a()", 1_900)), "fine");
    // What lies flat in the tree is not counted.
    assert_eq!(
        message(&format!("x = [{}]\n", "-1 + 2, ".repeat(50_000))),
        "fine"
    );
    assert_eq!(
        message(&format!("x = {}0\n", "a and ".repeat(3_000))),
        "fine"
    );
    assert_eq!(
        message(&format!("if a:\n  b\n{}", "elif c:\n  d\n".repeat(900))),
        "fine"
    );
    assert_eq!(
        message(&format!("if a:\n  b\n{}", "elif c:\n  d\n".repeat(5_000))),
        too_deep
    );
    assert_eq!(message(&format!("x = {}\n", "'a' ".repeat(50_000))), "fine");
    assert_eq!(message(&"x = 1\n".repeat(50_000)), "fine");
}

#[test]
fn nested_strings() {
    let deep = |depth: usize| nested("f'{", "x", "}'", depth);
    assert_eq!(message(&deep(100)), "fine");
    assert_eq!(
        message(&deep(10_000)),
        "too many nested f-strings or t-strings"
    );
}

#[test]
fn deep_trees_can_be_walked() {
    // The dump is as recursive as a compiler would be.
    let worker = std::thread::Builder::new().stack_size(8 << 20).spawn(|| {
        for (open, close) in [("x + ", ""), ("not ", ""), ("", ".a"), ("lambda: ", "")] {
            let source = nested(open, "x", close, 950);
            let parsed = parse(&source, Mode::Module).expect("within the limits");
            assert!(corun_grammar::dump::ast(&parsed.root).lines().count() > 900);
        }
    });
    worker.expect("a thread").join().expect("no panic");
}

#[test]
fn sources() {
    assert_eq!(
        decode(b"\xEF\xBB\xBFx = 1\n").expect("a BOM is fine"),
        "x = 1\n"
    );
    assert_eq!(
        decode(b"# coding: latin-1\nx = '\xE9'\n").expect("Latin-1"),
        "# coding: latin-1\nx = '\u{e9}'\n"
    );
    assert_eq!(
        decode(b"#!/x\n# vim: set fileencoding=utf8 :\n")
            .expect("UTF-8")
            .len(),
        36
    );
    let words = |bytes: &[u8]| decode(bytes).expect_err("an error").message;
    assert!(words(b"x = '\xFF'\n").starts_with("Non-UTF-8 code starting with '\\xff' on line 1"));
    assert!(words(b"x\n\ny = '\xFF'\n").contains("on line 3"));
    assert_eq!(words(b"x\0"), "source code cannot contain null bytes");
    assert_eq!(words(b"# coding: klingon\n"), "unknown encoding: klingon");
    assert!(words(b"\xEF\xBB\xBF# coding: latin-1\n").starts_with("encoding problem"));
}

#[test]
fn incomplete_entries() {
    let incomplete = |source: &str| match parse(source, Mode::Interactive) {
        Ok(_) => false,
        Err(problem) => problem.incomplete,
    };
    for source in [
        "(",
        "f(1,",
        "x = [",
        "'''a",
        "f'''{",
        "if x:",
        "if x:\n",
        "if x:\n    y",
        "def f():\n    pass",
        "try:\n    x\n",
        "x = 1 + \\",
        "x = \\\n",
        "@a",
        "@a\n",
        "class A:",
        "while x:\n  if y:",
        "for x in y: z",
        "match x:",
        "f(a,\n  b",
    ] {
        assert!(incomplete(source), "{source:?} can go on");
    }
    for source in [
        "x = ",
        "x y",
        "f(a b",
        ")",
        "if x",
        "x = 'a",
        "if x:\ny",
        "x",
        "x\n",
        "",
        "\n",
        "# c",
        "if x:\n    y\n",
        "for x in y: z\n",
        "x; y",
        "def f(:",
        "1 +",
        "lambda",
        "else:",
    ] {
        assert!(!incomplete(source), "{source:?} cannot go on");
    }
    let several = parse("x\ny\n", Mode::Interactive).expect_err("two lines");
    assert_eq!(
        several.message,
        "multiple statements found while compiling a single statement"
    );
}

#[test]
fn warnings() {
    let words = |source: &str| -> Vec<String> {
        parse(source, Mode::Module)
            .expect("valid")
            .warnings
            .into_iter()
            .map(|w| w.message)
            .collect()
    };
    let escape = "\"\\d\" is an invalid escape sequence. Such sequences will not work in the future. \
                  Did you mean \"\\\\d\"? A raw string is also an option.";
    assert_eq!(words("'\\d'"), [escape]);
    assert_eq!(words("b'\\d'"), [escape]);
    assert_eq!(words("f'\\d{x}'"), [escape]);
    assert_eq!(words("r'\\d'"), [""; 0]);
    assert_eq!(words("'\\400'").len(), 1);
    assert_eq!(words("x = 1if y else 2"), ["invalid decimal literal"]);
}

#[test]
fn expressions() {
    assert!(parse("a + b", Mode::Expression).is_ok());
    assert!(parse("a, *b\n\n", Mode::Expression).is_ok());
    assert_eq!(
        parse("x = 1", Mode::Expression)
            .expect_err("a statement")
            .message,
        "invalid syntax"
    );
    assert_eq!(
        parse("", Mode::Expression).expect_err("nothing").message,
        "invalid syntax"
    );
}
