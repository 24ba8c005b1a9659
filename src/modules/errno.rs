//! The module `errno`: names of system error numbers.

use crate::object::dict::Dict;
use crate::vm::{Res, Vm};

macro_rules! codes {
    ($($name:ident)*) => { &[$((stringify!($name), libc::$name)),*] };
}

/// Names and numbers. Of several names for one number the last stands in `errorcode`.
pub static CODES: &[(&str, i32)] = codes! {
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL
    ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EWOULDBLOCK EAGAIN EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY
    ELOOP ENOMSG EIDRM EPROTO EBADMSG EOVERFLOW EILSEQ EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT
    EPROTONOSUPPORT ESOCKTNOSUPPORT EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED
    ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE EDQUOT
    ECANCELED EOWNERDEAD ENOTRECOVERABLE ENOTSUP EOPNOTSUPP
};

pub fn init(vm: &Vm) -> Res {
    let m = vm.native_module(
        "errno",
        "This module makes available standard errno system symbols.",
        &[],
    );
    let table = vm.dict();
    for (name, code) in CODES {
        vm.module_set(&m, name, vm.int(*code as i64));
        if let Some(d) = table.get::<Dict>() {
            vm.dict_set(d, vm.int(*code as i64), vm.intern(name))?;
        }
    }
    vm.module_set(&m, "errorcode", table);
    Ok(m)
}
