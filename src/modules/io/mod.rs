//! The module `_io`: files and streams in memory.
//!
//! - `file` the payload and the byte layers (FileIO and the buffered types), `text` the text layer, `open` the function `open`;
//! - `memory` StringIO and BytesIO; `base` the methods that all streams share and the abstract bases.
//!
//! A file is up to three objects over one `host::stream::Stream`: text, buffered and raw. The lower ones are made when somebody asks for them.

pub mod base;
pub mod bytes_io;
pub mod file;
pub mod open;
pub mod string_io;
pub mod text;

use crate::builtins::print::Std;
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::{Raised, Res, Vm};
use std::cell::RefCell;

/// The class UnsupportedOperation of this VM, once made.
struct Unsupported(RefCell<Value>);
impl Default for Unsupported {
    fn default() -> Unsupported {
        Unsupported(RefCell::new(Value::UNBOUND))
    }
}

fn unsupported_class(vm: &Vm) -> Res {
    let slot = vm.extension::<Unsupported>();
    if slot.0.borrow().is_unbound() {
        let ns = vm.dict();
        if let Some(d) = ns.get::<crate::object::dict::Dict>() {
            vm.dict_set_str(d, &vm.names.__module__, vm.intern("io"));
        }
        let bases = vm.tuple(vec![
            vm.exc_type(Exc::OSError).clone(),
            vm.exc_type(Exc::ValueError).clone(),
        ]);
        let class = vm.call(
            vm.kind_type(crate::object::Kind::Type),
            &[vm.intern("UnsupportedOperation"), bases, ns],
        )?;
        slot.0.replace(class);
    }
    let class = slot.0.borrow().clone();
    Ok(class)
}

/// `io.UnsupportedOperation` with this text.
#[cold]
pub fn unsupported(vm: &Vm, message: &str) -> Raised {
    let made = unsupported_class(vm).and_then(|class| vm.call(&class, &[vm.str(message)]));
    match made {
        Ok(e) => Raised(e),
        Err(e) => e,
    }
}

/// Makes `sys.stdin`, `sys.stdout` and `sys.stderr`.
pub fn standard_streams(vm: &Vm) -> [Value; 3] {
    let std = vm.extension::<Std>();
    let stdin = text::standard(vm, std.stdin.clone(), "<stdin>", "r", "strict");
    let stdout = text::standard(vm, std.stdout.clone(), "<stdout>", "w", "strict");
    let stderr = text::standard(vm, std.stderr.clone(), "<stderr>", "w", "backslashreplace");
    std.stdout_object.replace(stdout.clone());
    [stdin, stdout, stderr]
}

pub fn init(vm: &Vm) -> Res {
    let m = vm.native_module(
        "_io",
        "The io module provides the Python interfaces to stream handling.",
        &[open::FUNCTIONS],
    );
    vm.module_types(
        &m,
        &[
            &base::IO_BASE,
            &base::RAW_IO_BASE,
            &base::BUFFERED_IO_BASE,
            &base::TEXT_IO_BASE,
            &file::FILE_IO,
            &file::READER,
            &file::WRITER,
            &file::RANDOM,
            &text::TEXT,
            &text::NEWLINE_DECODER,
            &string_io::TYPE,
            &bytes_io::TYPE,
        ],
    );
    vm.module_set(&m, "UnsupportedOperation", unsupported_class(vm)?);
    vm.module_set(
        &m,
        "BlockingIOError",
        vm.exc_type(Exc::BlockingIOError).clone(),
    );
    vm.module_set(&m, "DEFAULT_BUFFER_SIZE", vm.usize(open::DEFAULT_BUFFER));
    Ok(m)
}
