//! Making exceptions: the table of builtin exception classes and the shorthand that natives use: `Err(vm.type_error("..."))`.

use super::{Raised, Res, Vm};
use crate::object::exception::Exception;
use crate::object::value::Value;

macro_rules! exceptions {
    ($($name:ident $base:ident;)*) => {
        /// The builtin exception classes, bases before the classes derived from them.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Exc { $($name),* }

        /// (class, name, base); BaseException is its own base here.
        pub static EXCEPTIONS: &[(Exc, &str, Exc)] = &[$((Exc::$name, stringify!($name), Exc::$base)),*];
    };
}

exceptions! {
    BaseException BaseException;
    Exception BaseException;
    GeneratorExit BaseException;
    KeyboardInterrupt BaseException;
    SystemExit BaseException;
    BaseExceptionGroup BaseException;
    ExceptionGroup BaseExceptionGroup;
    ArithmeticError Exception;
    FloatingPointError ArithmeticError;
    OverflowError ArithmeticError;
    ZeroDivisionError ArithmeticError;
    AssertionError Exception;
    AttributeError Exception;
    BufferError Exception;
    EOFError Exception;
    ImportError Exception;
    ModuleNotFoundError ImportError;
    LookupError Exception;
    IndexError LookupError;
    KeyError LookupError;
    MemoryError Exception;
    NameError Exception;
    UnboundLocalError NameError;
    OSError Exception;
    BlockingIOError OSError;
    ChildProcessError OSError;
    ConnectionError OSError;
    BrokenPipeError ConnectionError;
    ConnectionAbortedError ConnectionError;
    ConnectionRefusedError ConnectionError;
    ConnectionResetError ConnectionError;
    FileExistsError OSError;
    FileNotFoundError OSError;
    InterruptedError OSError;
    IsADirectoryError OSError;
    NotADirectoryError OSError;
    PermissionError OSError;
    ProcessLookupError OSError;
    TimeoutError OSError;
    ReferenceError Exception;
    RuntimeError Exception;
    NotImplementedError RuntimeError;
    PythonFinalizationError RuntimeError;
    RecursionError RuntimeError;
    StopAsyncIteration Exception;
    StopIteration Exception;
    SyntaxError Exception;
    IndentationError SyntaxError;
    IncompleteInputError SyntaxError;
    TabError IndentationError;
    SystemError Exception;
    TypeError Exception;
    ValueError Exception;
    UnicodeError ValueError;
    UnicodeDecodeError UnicodeError;
    UnicodeEncodeError UnicodeError;
    UnicodeTranslateError UnicodeError;
    Warning Exception;
    BytesWarning Warning;
    DeprecationWarning Warning;
    EncodingWarning Warning;
    FutureWarning Warning;
    ImportWarning Warning;
    PendingDeprecationWarning Warning;
    ResourceWarning Warning;
    RuntimeWarning Warning;
    SyntaxWarning Warning;
    UnicodeWarning Warning;
    UserWarning Warning;
}

/// Number of builtin exception classes.
pub const EXC_COUNT: usize = Exc::UserWarning as usize + 1;

impl Vm {
    /// An exception of a builtin class with one str argument.
    pub fn error(&self, e: Exc, message: impl AsRef<str>) -> Raised {
        let m = self.str(message.as_ref());
        self.error_args(e, vec![m])
    }
    /// An exception of a builtin class with these arguments (its `__init__` is not called).
    pub fn error_args(&self, e: Exc, args: Vec<Value>) -> Raised {
        Raised(self.new_exception(self.exc_type(e), args))
    }
    /// An exception object of a builtin class, without calling script code.
    pub fn new_exception(&self, class: &Value, args: Vec<Value>) -> Value {
        let shape = class
            .get::<crate::object::types::TypeObj>()
            .map_or(std::ptr::null(), |t| t.root_shape.get());
        let args = self.tuple(args);
        self.alloc_exception(shape, Exception::new(args))
    }

    pub fn type_error(&self, m: impl AsRef<str>) -> Raised {
        self.error(Exc::TypeError, m)
    }
    pub fn value_error(&self, m: impl AsRef<str>) -> Raised {
        self.error(Exc::ValueError, m)
    }
    pub fn index_error(&self, m: impl AsRef<str>) -> Raised {
        self.error(Exc::IndexError, m)
    }
    /// KeyError with the key itself as argument.
    pub fn key_error(&self, key: &Value) -> Raised {
        self.error_args(Exc::KeyError, vec![key.clone()])
    }
    pub fn runtime_error(&self, m: impl AsRef<str>) -> Raised {
        self.error(Exc::RuntimeError, m)
    }
    pub fn overflow_error(&self, m: impl AsRef<str>) -> Raised {
        self.error(Exc::OverflowError, m)
    }
    pub fn zero_division(&self, m: impl AsRef<str>) -> Raised {
        self.error(Exc::ZeroDivisionError, m)
    }
    pub fn stop_iteration(&self, value: Value) -> Raised {
        self.error_args(
            Exc::StopIteration,
            if value.is_none() { vec![] } else { vec![value] },
        )
    }

    /// True if the exception is an instance of the builtin class (by the MRO; `__instancecheck__` has no say).
    pub fn is_exc(&self, r: &Raised, e: Exc) -> bool {
        self.type_of(&r.0)
            .get::<crate::object::types::TypeObj>()
            .is_some_and(|t| t.is_subtype(self.exc_type(e)))
    }

    /// Turns an `Err` with an exception of class `e` into `Ok(None)`.
    pub fn catch<T>(&self, r: Res<T>, e: Exc) -> Res<Option<T>> {
        match r {
            Ok(v) => Ok(Some(v)),
            Err(x) if self.is_exc(&x, e) => Ok(None),
            Err(x) => Err(x),
        }
    }
}
