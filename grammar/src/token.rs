//! The tokens of the language, as logos finds them in the text.
//!
//! First step of the front end: `layout` drives the generated lexer, adds what depends on context
//! (indentation, brackets, the inside of strings) and hands the result to the parser.
//!
//! Rules:
//! 1. A token is a kind and a span, nothing more: names and literals are read from the source when a
//!    tree node is built, so that the token list stays small and cheap to look through.
//! 2. Strings and numbers: logos finds only where one begins; `literal` and `number` find the end, since
//!    their error messages need to know how far the text made sense.

use crate::ast::Span;
use logos::Logos;

/// One token with its place in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: Tok,
    pub start: u32,
    pub end: u32,
}

impl Token {
    pub fn span(&self) -> Span {
        Span {
            start: self.start,
            end: self.end,
        }
    }
}

macro_rules! tokens {
    ($( $(#[$attr:meta])* $name:ident = $text:literal ),* $(,)?) => {
        /// The kind of a token.
        #[derive(Logos, Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[logos(skip r"[ \t\x0C]+")]
        pub enum Tok {
            $( $(#[$attr])* $name ),*
        }

        impl Tok {
            /// How the kind is called in dumps: its text where that is fixed, else a word in capitals.
            pub fn text(self) -> &'static str {
                match self { $( Tok::$name => $text ),* }
            }
        }
    };
}

tokens! {
    // Made by the layout pass.
    Newline = "NEWLINE",
    Indent = "INDENT",
    Dedent = "DEDENT",
    /// The `(` of `with (a as b, c as d):`.
    WithParen = "with(",
    FStart = "FSTRING_START",
    TStart = "TSTRING_START",
    /// Literal text between replacement fields, and in format specifications.
    FText = "FSTRING_MIDDLE",
    FEnd = "FSTRING_END",
    /// `{` and `}` of a replacement field.
    FieldOpen = "f{",
    FieldClose = "f}",
    /// The `:` that starts a format specification.
    SpecColon = "f:",
    /// The whole of a string or bytes literal, prefix and quotes included.
    Str = "STRING",
    Bytes = "BYTES",
    Number = "NUMBER",

    /// A character that no token starts with.
    Unknown = "UNKNOWN",

    // Only between logos and the layout pass.
    #[regex(r"\r\n|\r|\n")]
    LineEnd = "LINE_END",
    #[regex(r"#[^\r\n]*", allow_greedy = true)]
    Comment = "COMMENT",
    #[token("\\")]
    Backslash = "BACKSLASH",
    #[regex(r"[0-9]|\.[0-9]")]
    NumberStart = "NUMBER_START",
    #[regex(r#"(?i:b|br|rb)?['"]"#)]
    #[regex(r#"(?i:[ru])['"]"#)]
    Quote = "QUOTE",
    #[regex(r#"(?i:f|fr|rf|t|tr|rt)['"]"#)]
    FQuote = "FQUOTE",

    /// Any character beyond ASCII may be part of a name here; `layout` checks which really are.
    #[regex(r"[A-Za-z_\u{80}-\u{10FFFF}][A-Za-z0-9_\u{80}-\u{10FFFF}]*")]
    Name = "NAME",

    #[token("False")]
    False = "False",
    #[token("None")]
    None = "None",
    #[token("True")]
    True = "True",
    #[token("and")]
    And = "and",
    #[token("as")]
    As = "as",
    #[token("assert")]
    Assert = "assert",
    #[token("async")]
    Async = "async",
    #[token("await")]
    Await = "await",
    #[token("break")]
    Break = "break",
    #[token("class")]
    Class = "class",
    #[token("continue")]
    Continue = "continue",
    #[token("def")]
    Def = "def",
    #[token("del")]
    Del = "del",
    #[token("elif")]
    Elif = "elif",
    #[token("else")]
    Else = "else",
    #[token("except")]
    Except = "except",
    #[token("finally")]
    Finally = "finally",
    #[token("for")]
    For = "for",
    #[token("from")]
    From = "from",
    #[token("global")]
    Global = "global",
    #[token("if")]
    If = "if",
    #[token("import")]
    Import = "import",
    #[token("in")]
    In = "in",
    #[token("is")]
    Is = "is",
    #[token("lambda")]
    Lambda = "lambda",
    #[token("nonlocal")]
    Nonlocal = "nonlocal",
    #[token("not")]
    Not = "not",
    #[token("or")]
    Or = "or",
    #[token("pass")]
    Pass = "pass",
    #[token("raise")]
    Raise = "raise",
    #[token("return")]
    Return = "return",
    #[token("try")]
    Try = "try",
    #[token("while")]
    While = "while",
    #[token("with")]
    With = "with",
    #[token("yield")]
    Yield = "yield",
    // Soft keywords: `soft` turns them back into names where they are not keywords.
    #[token("match")]
    Match = "match",
    #[token("case")]
    Case = "case",
    #[token("type")]
    Type = "type",

    #[token("(")]
    LParen = "(",
    #[token(")")]
    RParen = ")",
    #[token("[")]
    LBracket = "[",
    #[token("]")]
    RBracket = "]",
    #[token("{")]
    LBrace = "{",
    #[token("}")]
    RBrace = "}",
    #[token(":")]
    Colon = ":",
    #[token(",")]
    Comma = ",",
    #[token(";")]
    Semicolon = ";",
    #[token(".")]
    Dot = ".",
    #[token("...")]
    Ellipsis = "...",
    #[token("->")]
    Arrow = "->",
    #[token(":=")]
    Walrus = ":=",
    #[token("=")]
    Assign = "=",
    #[token("@")]
    At = "@",
    #[token("!")]
    Bang = "!",
    #[token("+")]
    Plus = "+",
    #[token("-")]
    Minus = "-",
    #[token("*")]
    Star = "*",
    #[token("**")]
    DoubleStar = "**",
    #[token("/")]
    Slash = "/",
    #[token("//")]
    DoubleSlash = "//",
    #[token("%")]
    Percent = "%",
    #[token("<<")]
    ShiftLeft = "<<",
    #[token(">>")]
    ShiftRight = ">>",
    #[token("&")]
    Amper = "&",
    #[token("|")]
    Bar = "|",
    #[token("^")]
    Caret = "^",
    #[token("~")]
    Tilde = "~",
    #[token("<")]
    Less = "<",
    #[token(">")]
    Greater = ">",
    #[token("<=")]
    LessEqual = "<=",
    #[token(">=")]
    GreaterEqual = ">=",
    #[token("==")]
    EqualEqual = "==",
    #[token("!=")]
    NotEqual = "!=",
    #[token("+=")]
    PlusAssign = "+=",
    #[token("-=")]
    MinusAssign = "-=",
    #[token("*=")]
    StarAssign = "*=",
    #[token("/=")]
    SlashAssign = "/=",
    #[token("//=")]
    DoubleSlashAssign = "//=",
    #[token("%=")]
    PercentAssign = "%=",
    #[token("@=")]
    AtAssign = "@=",
    #[token("&=")]
    AmperAssign = "&=",
    #[token("|=")]
    BarAssign = "|=",
    #[token("^=")]
    CaretAssign = "^=",
    #[token("<<=")]
    ShiftLeftAssign = "<<=",
    #[token(">>=")]
    ShiftRightAssign = ">>=",
    #[token("**=")]
    DoubleStarAssign = "**=",
}

impl Tok {
    /// True for words that can never be a name.
    pub fn is_keyword(self) -> bool {
        (self as u8) >= (Tok::False as u8) && (self as u8) <= (Tok::Yield as u8)
    }

    pub fn is_soft_keyword(self) -> bool {
        matches!(self, Tok::Match | Tok::Case | Tok::Type)
    }

    /// True for `+=` and its kin.
    pub fn is_augmented_assign(self) -> bool {
        (self as u8) >= (Tok::PlusAssign as u8)
    }

    /// True if the token opens a bracket.
    pub fn opens(self) -> bool {
        matches!(
            self,
            Tok::LParen | Tok::LBracket | Tok::LBrace | Tok::FieldOpen | Tok::WithParen
        )
    }

    /// True if the token closes a bracket.
    pub fn closes(self) -> bool {
        matches!(
            self,
            Tok::RParen | Tok::RBracket | Tok::RBrace | Tok::FieldClose
        )
    }
}
