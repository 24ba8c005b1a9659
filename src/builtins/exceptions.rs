//! BaseException and its subclasses. (Being written by the lead author; `exception_groups.rs` and `oserror.rs` too. Call `exceptions::boot(vm)` from `boot`.)
