//! The constant tables of `sys`: version, platform, number formats, flags.

use crate::modules::support::StructSpec;
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use std::cell::RefCell;

/// The version of the language that is spoken.
pub const VERSION: (i64, i64, i64) = (3, 14, 0);

macro_rules! specs {
    ($($id:ident $name:literal $fields:expr;)*) => {
        $(static $id: StructSpec = StructSpec { name: $name, fields: &$fields, items: $fields.len(), doc: "" };)*
    };
}
specs! {
    VERSION_INFO "sys.version_info" ["major", "minor", "micro", "releaselevel", "serial"];
    FLOAT_INFO "sys.float_info" ["max", "max_exp", "max_10_exp", "min", "min_exp", "min_10_exp", "dig", "mant_dig", "epsilon", "radix", "rounds"];
    INT_INFO "sys.int_info" ["bits_per_digit", "sizeof_digit", "default_max_str_digits", "str_digits_check_threshold"];
    HASH_INFO "sys.hash_info" ["width", "modulus", "inf", "nan", "imag", "algorithm", "hash_bits", "seed_bits", "cutoff"];
    THREAD_INFO "sys.thread_info" ["name", "lock", "version"];
    ASYNCGEN_HOOKS "sys.asyncgen_hooks" ["firstiter", "finalizer"];
    FLAGS "sys.flags" [
        "debug", "inspect", "interactive", "optimize", "dont_write_bytecode", "no_user_site", "no_site", "ignore_environment", "verbose",
        "bytes_warning", "quiet", "hash_randomization", "isolated", "dev_mode", "utf8_mode", "warn_default_encoding", "safe_path",
        "int_max_str_digits"
    ];
}

/// The type of what `get_asyncgen_hooks` gives, once made.
struct HooksType(RefCell<Value>);
impl Default for HooksType {
    fn default() -> HooksType {
        HooksType(RefCell::new(Value::UNBOUND))
    }
}

pub fn asyncgen_hooks_type(vm: &Vm) -> Value {
    let slot = vm.extension::<HooksType>();
    if slot.0.borrow().is_unbound() {
        let t = vm.struct_type(&ASYNCGEN_HOOKS, false);
        slot.0.replace(t);
    }

    slot.0.borrow().clone()
}

/// The name of the platform, as `sys.platform` has it.
pub const PLATFORM: &str = if cfg!(target_os = "macos") {
    "darwin"
} else {
    "linux"
};

pub fn fill(vm: &Vm, m: &Value) -> Res<()> {
    let int = |i: i64| vm.int(i);
    let put = |spec: &'static StructSpec, values: Vec<Value>| -> Res {
        let t = vm.struct_type(spec, false);
        vm.struct_value(&t, values)
    };
    let (major, minor, micro) = VERSION;
    let info = put(
        &VERSION_INFO,
        vec![
            int(major),
            int(minor),
            int(micro),
            vm.intern("final"),
            int(0),
        ],
    )?;
    let hex = (major << 24) | (minor << 16) | (micro << 8) | 0xf0;
    vm.module_set(m, "version_info", info.clone());
    vm.module_set(m, "hexversion", int(hex));
    vm.module_set(m, "api_version", int(1013));
    vm.module_set(
        m,
        "version",
        vm.str(&format!(
            "{major}.{minor}.{micro} (corun {})",
            env!("CARGO_PKG_VERSION")
        )),
    );
    vm.module_set(m, "copyright", vm.str("MIT OR Apache-2.0"));
    vm.module_set(
        m,
        "float_info",
        put(
            &FLOAT_INFO,
            vec![
                vm.float(f64::MAX),
                int(1024),
                int(308),
                vm.float(f64::MIN_POSITIVE),
                int(-1021),
                int(-307),
                int(15),
                int(53),
                vm.float(f64::EPSILON),
                int(2),
                int(1),
            ],
        )?,
    );
    vm.module_set(
        m,
        "int_info",
        put(&INT_INFO, vec![int(30), int(4), int(4300), int(640)])?,
    );
    vm.module_set(
        m,
        "hash_info",
        put(
            &HASH_INFO,
            vec![
                int(64),
                int((1 << 61) - 1),
                int(314159),
                int(0),
                int(1000003),
                vm.str("foldhash"),
                int(64),
                int(64),
                int(0),
            ],
        )?,
    );
    vm.module_set(
        m,
        "thread_info",
        put(
            &THREAD_INFO,
            vec![vm.str("pthread"), vm.str("semaphore"), Value::NONE],
        )?,
    );
    let mut flags = vec![int(0); FLAGS.fields.len()];
    flags[11] = int(1);
    flags[13] = Value::FALSE;
    flags[16] = Value::FALSE;
    flags[17] = int(4300);
    vm.module_set(m, "flags", put(&FLAGS, flags)?);

    vm.module_set(m, "maxsize", int(i64::MAX));
    vm.module_set(m, "maxunicode", int(0x10ffff));
    vm.module_set(
        m,
        "byteorder",
        vm.intern(if cfg!(target_endian = "big") {
            "big"
        } else {
            "little"
        }),
    );
    vm.module_set(m, "platform", vm.intern(PLATFORM));
    vm.module_set(m, "platlibdir", vm.str("lib"));
    vm.module_set(m, "float_repr_style", vm.str("short"));
    vm.module_set(m, "abiflags", vm.str(""));
    vm.module_set(m, "dont_write_bytecode", Value::TRUE);
    vm.module_set(m, "pycache_prefix", Value::NONE);
    let executable = std::env::current_exe()
        .ok()
        .and_then(|p| p.to_str().map(str::to_string))
        .unwrap_or_default();
    let prefix = std::path::Path::new(&executable)
        .parent()
        .and_then(|p| p.parent())
        .and_then(|p| p.to_str())
        .unwrap_or("/")
        .to_string();
    vm.module_set(m, "executable", vm.str(&executable));
    vm.module_set(m, "_base_executable", vm.str(&executable));
    for name in ["prefix", "exec_prefix", "base_prefix", "base_exec_prefix"] {
        vm.module_set(m, name, vm.str(&prefix));
    }
    vm.module_set(
        m,
        "stdlib_module_names",
        vm.frozenset_of_constants(Vec::new()),
    );

    let namespace = vm.native_module("sys.implementation", "", &[]);
    for (name, value) in [
        ("name", vm.intern("corun")),
        ("cache_tag", vm.intern("corun-314")),
        ("version", info),
        ("hexversion", int(hex)),
    ] {
        vm.module_set(&namespace, name, value);
    }
    vm.module_set(m, "implementation", namespace);
    Ok(())
}
