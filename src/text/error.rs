//! The one error type of `text`.
//!
//! The runtime turns a `TextError` into a Python exception: `kind` names the
//! class and carries the extra fields of the two Unicode errors, `message` is
//! the text `str(exc)` gives.

/// The Python exception class an error stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrKind {
    ValueError,
    OverflowError,
    TypeError,
    ZeroDivisionError,
    LookupError,
    KeyError,
    IndexError,
    MemoryError,
    UnicodeEncodeError(Box<UnicodeSpan>),
    UnicodeDecodeError(Box<UnicodeSpan>),
}

/// The fields `UnicodeEncodeError` and `UnicodeDecodeError` share. Positions
/// count code points when encoding and bytes when decoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnicodeSpan {
    pub encoding: String,
    pub start: usize,
    pub end: usize,
    pub reason: String,
}

/// A failure with the class and the message CPython gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextError {
    pub kind: ErrKind,
    pub message: String,
}

impl TextError {
    pub fn new(kind: ErrKind, message: impl Into<String>) -> TextError {
        TextError {
            kind,
            message: message.into(),
        }
    }

    pub fn value(message: impl Into<String>) -> TextError {
        TextError::new(ErrKind::ValueError, message)
    }

    pub fn overflow(message: impl Into<String>) -> TextError {
        TextError::new(ErrKind::OverflowError, message)
    }

    pub fn type_error(message: impl Into<String>) -> TextError {
        TextError::new(ErrKind::TypeError, message)
    }

    pub fn lookup(message: impl Into<String>) -> TextError {
        TextError::new(ErrKind::LookupError, message)
    }

    /// What an allocation that cannot be met becomes; CPython's has no text.
    pub fn memory() -> TextError {
        TextError::new(ErrKind::MemoryError, "")
    }
}

impl std::fmt::Display for TextError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TextError {}

/// Makes room for `extra` more bytes, or answers with a `MemoryError` where
/// plain growth would end the process.
pub fn reserve(out: &mut String, extra: usize) -> Result<(), TextError> {
    out.try_reserve(extra).map_err(|_| TextError::memory())
}
