//! Interned strs that Rust code refers to, as fields: `vm.names.__init__`.
//!
//! Rule: one row per name, kept sorted within its group.

use super::Vm;
use crate::object::value::Value;

macro_rules! names {
    ($($field:ident)*) => {
        /// See the module's head.
        pub struct Names { $(pub $field: Value),* }

        impl Names {
            /// All fields unbound, for the moment before strs can be made.
            pub fn unset() -> Names {
                Names { $($field: Value::UNBOUND),* }
            }
            /// Interns every name.
            pub fn new(vm: &Vm) -> Names {
                Names { $($field: vm.intern(strip(stringify!($field)))),* }
            }
        }
    };
}

/// Raw identifiers and the trailing underscore of reserved words go.
fn strip(s: &str) -> &str {
    let s = s.strip_prefix("r#").unwrap_or(s);
    if s.ends_with('_') && !s.ends_with("__") && s.len() > 1 {
        &s[..s.len() - 1]
    } else {
        s
    }
}

names! {
    __abs__ __abstractmethods__ __add__ __aenter__ __aexit__ __aiter__ __all__ __and__ __anext__ __annotate__ __annotate_func__ __annotations__ __annotations_cache__
    __await__ __bases__ __bool__ __build_class__ __builtins__ __bytes__ __cached__ __call__ __cause__ __ceil__ __class__ __class_getitem__ __classcell__
    __classdictcell__ __closure__ __code__ __complex__ __contains__ __context__ __debug__ __defaults__ __del__ __delattr__ __delete__ __delitem__
    __dict__ __dir__ __divmod__ __doc__ __enter__ __eq__ __exit__ __file__ __firstlineno__ __float__ __floor__ __floordiv__ __format__ __fspath__ __func__
    __future__ __ge__ __get__ __getattr__ __getattribute__ __getitem__ __getstate__ __globals__ __gt__ __hash__ __iadd__ __iand__ __ifloordiv__
    __ilshift__ __imatmul__ __imod__ __import__ __imul__ __index__ __init__ __init_subclass__ __instancecheck__ __int__ __invert__ __ior__
    __ipow__ __irshift__ __isub__ __iter__ __itruediv__ __ixor__ __kwdefaults__ __le__ __len__ __length_hint__ __loader__ __lshift__ __lt__
    __main__ __match_args__ __matmul__ __missing__ __mod__ __module__ __mro__ __mro_entries__ __mul__ __name__ __ne__ __neg__ __new__ __next__
    __notes__ __or__ __orig_bases__ __orig_class__ __package__ __path__ __pos__ __pow__ __prepare__ __qualname__ __radd__ __rand__ __rdivmod__ __reduce__ __reduce_ex__
    __repr__ __reversed__ __rfloordiv__ __rlshift__ __rmatmul__ __rmod__ __rmul__ __ror__ __round__ __rpow__ __rrshift__ __rshift__ __rsub__
    __rtruediv__ __rxor__ __self__ __set__ __set_name__ __setattr__ __setitem__ __sizeof__ __slots__ __spec__ __static_attributes__ __str__ __sub__
    __subclasscheck__ __subclasses__ __subclasshook__ __suppress_context__ __traceback__ __truediv__ __trunc__ __type_params__ __weakref__ __wrapped__ __xor__
    _asyncio_future_blocking
    add_done_callback append args asyncio athrow asend
    builtins cancel cancelled close copy
    done encoding end errors exception extend
    fdel fget file filename flush format fset
    get get_loop items join key keys kwargs
    maxsplit metaclass mode msg name obj object_ offset
    path name_from pop print_file_and_line read readline result reason return_ reverse
    send sep set_exception set_result setdefault signature start stderr stdin stdout step stop strict sys
    throw text lineno end_lineno end_offset errno strerror filename2 code value exceptions message
    update values write
}
