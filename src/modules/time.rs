//! The module `time`: clocks, sleeping, and the conversion of moments (text is in `time_format`).
//!
//! Rule: every clock is read through `host::clock`, so that a simulation can bring its own.

#![allow(unsafe_code)]

use crate::builtins::support::{has_index, small_int};
use crate::host::clock::{Clock, ClockSlot};
use crate::modules::support::StructSpec;
use crate::modules::time_format;
use crate::object::native::{NativeDef, tuple_items};
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// The type `struct_time` of this VM.
struct TimeTypes(RefCell<Value>);
impl Default for TimeTypes {
    fn default() -> TimeTypes {
        TimeTypes(RefCell::new(Value::UNBOUND))
    }
}

static STRUCT_TIME: StructSpec = StructSpec {
    name: "time.struct_time",
    fields: &[
        "tm_year",
        "tm_mon",
        "tm_mday",
        "tm_hour",
        "tm_min",
        "tm_sec",
        "tm_wday",
        "tm_yday",
        "tm_isdst",
        "tm_zone",
        "tm_gmtoff",
    ],
    items: 9,
    doc: "The time value as returned by gmtime(), localtime(), and strptime(), and\n accepted by asctime(), mktime() and strftime().",
};

pub fn struct_time_type(vm: &Vm) -> Value {
    let types = vm.extension::<TimeTypes>();
    if types.0.borrow().is_unbound() {
        let t = vm.struct_type(&STRUCT_TIME, true);
        types.0.replace(t);
    }

    types.0.borrow().clone()
}

impl Vm {
    /// The clock in use.
    pub fn clock(&self) -> Rc<dyn Clock> {
        self.extension::<ClockSlot>().get()
    }
}

fn seconds(vm: &Vm, ns: i64) -> Value {
    vm.float(ns as f64 / 1e9)
}

fn time(vm: &Vm, _: &[Value]) -> Res {
    Ok(seconds(vm, vm.clock().wall_ns()))
}
fn time_ns(vm: &Vm, _: &[Value]) -> Res {
    Ok(vm.int(vm.clock().wall_ns()))
}
fn monotonic(vm: &Vm, _: &[Value]) -> Res {
    Ok(seconds(vm, vm.clock().monotonic_ns()))
}
fn monotonic_ns(vm: &Vm, _: &[Value]) -> Res {
    Ok(vm.int(vm.clock().monotonic_ns()))
}
fn process_time(vm: &Vm, _: &[Value]) -> Res {
    Ok(seconds(vm, vm.clock().process_ns()))
}
fn process_time_ns(vm: &Vm, _: &[Value]) -> Res {
    Ok(vm.int(vm.clock().process_ns()))
}
fn thread_time(vm: &Vm, _: &[Value]) -> Res {
    Ok(seconds(vm, vm.clock().thread_ns()))
}
fn thread_time_ns(vm: &Vm, _: &[Value]) -> Res {
    Ok(vm.int(vm.clock().thread_ns()))
}

/// Nanoseconds of a number of seconds, rounded up in magnitude as CPython's timeouts are.
fn nanos(vm: &Vm, v: &Value) -> Res<i64> {
    let too_big = || vm.overflow_error("timestamp out of range for C PyTime_t");
    if let Some(f) = v.as_float() {
        if f.is_nan() {
            return Err(vm.value_error("Invalid value NaN (not a number)"));
        }
        let ns = f * 1e9;
        let ns = if ns >= 0.0 { ns.ceil() } else { ns.floor() };
        return if ns.abs() < 9.2e18 {
            Ok(ns as i64)
        } else {
            Err(too_big())
        };
    }
    if !has_index(vm, v) {
        return Err(vm.type_error(format!(
            "'{}' object cannot be interpreted as an integer or float",
            vm.type_name(v)
        )));
    }
    small_int(&vm.index(v)?)
        .and_then(|s| s.checked_mul(1_000_000_000))
        .ok_or_else(too_big)
}

fn sleep(vm: &Vm, a: &[Value]) -> Res {
    let ns = nanos(vm, &a[0])?;
    if ns < 0 {
        return Err(vm.value_error("sleep length must be non-negative"));
    }
    let clock = vm.clock();
    let end = clock.monotonic_ns().saturating_add(ns);
    loop {
        let left = end - clock.monotonic_ns();
        if left <= 0 {
            // A signal that came in the last moment is for this call too.
            vm.check_signals()?;
            return Ok(Value::NONE);
        }
        clock.sleep(Duration::from_nanos(left as u64));
        vm.check_signals()?;
    }
}

/// The seconds of a moment given as int, float or None (now), rounded down.
fn moment(vm: &Vm, v: &Value) -> Res<libc::time_t> {
    let Some(v) = v.non_none() else {
        return Ok((vm.clock().wall_ns().div_euclid(1_000_000_000)) as libc::time_t);
    };
    let too_big = || vm.overflow_error("timestamp out of range for platform time_t");
    if let Some(f) = v.as_float() {
        if f.is_nan() {
            return Err(vm.value_error("Invalid value NaN (not a number)"));
        }
        return if f.abs() < 9.2e18 {
            Ok(f.floor() as libc::time_t)
        } else {
            Err(too_big())
        };
    }
    let i = vm.index(v)?;
    small_int(&i).ok_or_else(too_big)
}

fn from_tm(vm: &Vm, tm: &libc::tm) -> Res {
    // SAFETY: the zone is null or a C string that the C library keeps.
    let zone = if tm.tm_zone.is_null() {
        String::new()
    } else {
        unsafe { std::ffi::CStr::from_ptr(tm.tm_zone) }
            .to_string_lossy()
            .into_owned()
    };
    let int = |i: i32| vm.int(i as i64);
    vm.struct_value(
        &struct_time_type(vm),
        vec![
            vm.int(tm.tm_year as i64 + 1900),
            int(tm.tm_mon + 1),
            int(tm.tm_mday),
            int(tm.tm_hour),
            int(tm.tm_min),
            int(tm.tm_sec),
            int((tm.tm_wday + 6) % 7),
            int(tm.tm_yday + 1),
            int(tm.tm_isdst),
            vm.str(&zone),
            vm.int(tm.tm_gmtoff),
        ],
    )
}

fn broken_down(vm: &Vm, t: libc::time_t, local: bool) -> Res<libc::tm> {
    let mut tm = std::mem::MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are valid; the result is used only if the call succeeded.
    unsafe {
        let r = if local {
            libc::localtime_r(&t, tm.as_mut_ptr())
        } else {
            libc::gmtime_r(&t, tm.as_mut_ptr())
        };
        if r.is_null() {
            Err(vm.os_error(&std::io::Error::last_os_error(), None))
        } else {
            Ok(tm.assume_init())
        }
    }
}

fn gmtime(vm: &Vm, a: &[Value]) -> Res {
    let t = moment(vm, &a[0])?;
    let tm = broken_down(vm, t, false)?;
    from_tm(vm, &tm)
}

fn localtime(vm: &Vm, a: &[Value]) -> Res {
    let t = moment(vm, &a[0])?;
    let tm = broken_down(vm, t, true)?;
    from_tm(vm, &tm)
}

/// A time tuple as the C library's structure.
pub fn to_tm(vm: &Vm, v: &Value, who: &str) -> Res<libc::tm> {
    if v.kind() != crate::object::Kind::Tuple {
        return Err(vm.type_error("Tuple or struct_time argument required"));
    }
    let items = tuple_items(v);
    if items.len() != 9 {
        return Err(vm.type_error(format!("{who}(): illegal time tuple argument")));
    }
    let mut f = [0i32; 9];
    for (slot, item) in f.iter_mut().zip(items) {
        *slot = crate::builtins::support::c_int(vm, item)?;
    }
    // SAFETY: all-zero is a valid `tm`.
    let mut tm: libc::tm = unsafe { std::mem::zeroed() };
    tm.tm_year = f[0]
        .checked_sub(1900)
        .ok_or_else(|| vm.overflow_error("year out of range"))?;
    tm.tm_mon = f[1].wrapping_sub(1);
    tm.tm_mday = f[2];
    tm.tm_hour = f[3];
    tm.tm_min = f[4];
    tm.tm_sec = f[5];
    tm.tm_wday = (f[6] as i64 + 1).rem_euclid(7) as i32;
    tm.tm_yday = f[7].wrapping_sub(1);
    tm.tm_isdst = f[8];
    Ok(tm)
}

/// The same with the current local time for a missing argument.
pub fn tm_or_now(vm: &Vm, v: &Value, who: &str) -> Res<libc::tm> {
    match v.given() {
        Some(v) => to_tm(vm, v, who),
        None => broken_down(vm, moment(vm, &Value::NONE)?, true),
    }
}

fn mktime(vm: &Vm, a: &[Value]) -> Res {
    let mut tm = to_tm(vm, &a[0], "mktime")?;
    tm.tm_wday = -1;
    // SAFETY: `tm` is valid.
    let t = unsafe { libc::mktime(&mut tm) };
    // -1 is a moment too: the weekday tells whether it was computed.
    if t == -1 && tm.tm_wday == -1 {
        return Err(vm.overflow_error("mktime argument out of range"));
    }
    Ok(vm.float(t as f64))
}

fn ctime(vm: &Vm, a: &[Value]) -> Res {
    let t = moment(vm, &a[0])?;
    let tm = broken_down(vm, t, true)?;
    Ok(vm.str(&time_format::asctime_text(&tm)))
}

fn asctime(vm: &Vm, a: &[Value]) -> Res {
    let tm = tm_or_now(vm, &a[0], "asctime")?;
    time_format::check(vm, &tm)?;
    Ok(vm.str(&time_format::asctime_text(&tm)))
}

fn strptime(vm: &Vm, a: &[Value]) -> Res {
    vm.import_call("_strptime", "_strptime_time", a)
}

fn clock_of(vm: &Vm, id: i64) -> Res<i64> {
    let clock = vm.clock();
    match id as libc::clockid_t {
        libc::CLOCK_REALTIME => Ok(clock.wall_ns()),
        libc::CLOCK_PROCESS_CPUTIME_ID => Ok(clock.process_ns()),
        libc::CLOCK_THREAD_CPUTIME_ID => Ok(clock.thread_ns()),
        id if CLOCKS.iter().any(|c| c.1 == id) => Ok(clock.monotonic_ns()),
        _ => Err(vm.os_error_code(libc::EINVAL, None)),
    }
}

fn clock_gettime(vm: &Vm, a: &[Value]) -> Res {
    let id = vm.as_i64(&a[0], "clk_id")?;
    Ok(seconds(vm, clock_of(vm, id)?))
}
fn clock_gettime_ns(vm: &Vm, a: &[Value]) -> Res {
    let id = vm.as_i64(&a[0], "clk_id")?;
    Ok(vm.int(clock_of(vm, id)?))
}
fn clock_getres(vm: &Vm, a: &[Value]) -> Res {
    let id = vm.as_i64(&a[0], "clk_id")?;
    clock_of(vm, id)?;
    Ok(vm.float(1e-9))
}

fn get_clock_info(vm: &Vm, a: &[Value]) -> Res {
    let (call, monotonic, adjustable) = match a[0].as_str() {
        Some("time") => ("CLOCK_REALTIME", false, true),
        Some("monotonic" | "perf_counter") => ("CLOCK_MONOTONIC", true, false),
        Some("process_time") => ("CLOCK_PROCESS_CPUTIME_ID", true, false),
        Some("thread_time") => ("CLOCK_THREAD_CPUTIME_ID", true, false),
        _ => return Err(vm.value_error("unknown clock")),
    };
    let types = vm.import_module("types")?;
    let namespace = vm.getattr_str(&types, "SimpleNamespace")?;
    let kw = [
        (
            vm.intern("implementation"),
            vm.str(&format!("clock_gettime({call})")),
        ),
        (vm.intern("monotonic"), Value::bool(monotonic)),
        (vm.intern("adjustable"), Value::bool(adjustable)),
        (vm.intern("resolution"), vm.float(1e-9)),
    ];
    vm.call_kw(&namespace, &[], &kw)
}

/// Sets `timezone`, `altzone`, `daylight` and `tzname` from the zone of this year's January and July.
fn set_zone(vm: &Vm, module: &Value) -> Res<()> {
    let year = 365 * 24 * 3600 + 6 * 3600;
    let now = moment(vm, &Value::NONE)? / year * year;
    let january = broken_down(vm, now, true)?;
    let july = broken_down(vm, now + year / 2, true)?;
    let (winter, summer) = if january.tm_gmtoff < july.tm_gmtoff {
        (january, july)
    } else {
        (july, january)
    };
    let name = |tm: &libc::tm| {
        // SAFETY: as in `from_tm`.
        if tm.tm_zone.is_null() {
            String::new()
        } else {
            unsafe { std::ffi::CStr::from_ptr(tm.tm_zone) }
                .to_string_lossy()
                .into_owned()
        }
    };
    vm.module_set(module, "timezone", vm.int(-winter.tm_gmtoff));
    vm.module_set(module, "altzone", vm.int(-summer.tm_gmtoff));
    vm.module_set(
        module,
        "daylight",
        vm.int((winter.tm_gmtoff != summer.tm_gmtoff) as i64),
    );
    vm.module_set(
        module,
        "tzname",
        vm.pair(vm.str(&name(&winter)), vm.str(&name(&summer))),
    );
    Ok(())
}

fn tzset(vm: &Vm, _: &[Value]) -> Res {
    unsafe extern "C" {
        fn tzset();
    }
    // SAFETY: one thread at a time runs scripts; nothing else here reads the zone meanwhile.
    unsafe { tzset() };
    let module = vm.import_module("time")?;
    set_zone(vm, &module)?;
    Ok(Value::NONE)
}

static CLOCKS: &[(&str, libc::clockid_t)] = &[
    ("CLOCK_REALTIME", libc::CLOCK_REALTIME),
    ("CLOCK_MONOTONIC", libc::CLOCK_MONOTONIC),
    ("CLOCK_PROCESS_CPUTIME_ID", libc::CLOCK_PROCESS_CPUTIME_ID),
    ("CLOCK_THREAD_CPUTIME_ID", libc::CLOCK_THREAD_CPUTIME_ID),
    #[cfg(target_os = "linux")]
    ("CLOCK_MONOTONIC_RAW", libc::CLOCK_MONOTONIC_RAW),
    #[cfg(target_os = "linux")]
    ("CLOCK_BOOTTIME", libc::CLOCK_BOOTTIME),
];

static FUNCTIONS: &[NativeDef] = &[
    NativeDef {
        sig: "time()",
        f: time,
        doc: "Return the current time in seconds since the Epoch.\n\nFractions of a second may be present if the system clock provides them.",
    },
    NativeDef {
        sig: "time_ns()",
        f: time_ns,
        doc: "Return the current time in nanoseconds since the Epoch.",
    },
    NativeDef {
        sig: "monotonic()",
        f: monotonic,
        doc: "Monotonic clock, cannot go backward.",
    },
    NativeDef {
        sig: "monotonic_ns()",
        f: monotonic_ns,
        doc: "Monotonic clock, cannot go backward, as nanoseconds.",
    },
    NativeDef {
        sig: "perf_counter()",
        f: monotonic,
        doc: "Performance counter for benchmarking.",
    },
    NativeDef {
        sig: "perf_counter_ns()",
        f: monotonic_ns,
        doc: "Performance counter for benchmarking as nanoseconds.",
    },
    NativeDef {
        sig: "process_time()",
        f: process_time,
        doc: "Process time for profiling: sum of the kernel and user-space CPU time.",
    },
    NativeDef {
        sig: "process_time_ns()",
        f: process_time_ns,
        doc: "Process time for profiling as nanoseconds.",
    },
    NativeDef {
        sig: "thread_time()",
        f: thread_time,
        doc: "Thread time for profiling: sum of the kernel and user-space CPU time.",
    },
    NativeDef {
        sig: "thread_time_ns()",
        f: thread_time_ns,
        doc: "Thread time for profiling as nanoseconds.",
    },
    NativeDef {
        sig: "clock()",
        f: process_time,
        doc: "CPU time of the process in seconds, as before 3.8.",
    },
    NativeDef {
        sig: "sleep(seconds, /)",
        f: sleep,
        doc: "Delay execution for a given number of seconds.\n\nThe argument may be a floating-point number for subsecond precision.",
    },
    NativeDef {
        sig: "gmtime(seconds=None, /)",
        f: gmtime,
        doc: "Convert seconds since the Epoch to a time tuple expressing UTC (a.k.a.\nGMT).  When 'seconds' is not passed in, convert the current time instead.",
    },
    NativeDef {
        sig: "localtime(seconds=None, /)",
        f: localtime,
        doc: "Convert seconds since the Epoch to a time tuple expressing local time.\nWhen 'seconds' is not passed in, convert the current time instead.",
    },
    NativeDef {
        sig: "mktime(tuple, /)",
        f: mktime,
        doc: "Convert a time tuple in local time to seconds since the Epoch.",
    },
    NativeDef {
        sig: "ctime(seconds=None, /)",
        f: ctime,
        doc: "Convert a time in seconds since the Epoch to a string in local time.",
    },
    NativeDef {
        sig: "asctime(tuple=..., /)",
        f: asctime,
        doc: "Convert a time tuple to a string, e.g. 'Sat Jun 06 16:26:11 1998'.",
    },
    NativeDef {
        sig: "strftime(format, tuple=..., /)",
        f: time_format::strftime,
        doc: "Convert a time tuple to a string according to a format specification.",
    },
    NativeDef {
        sig: "strptime(string, format='%a %b %d %H:%M:%S %Y', /)",
        f: strptime,
        doc: "Parse a string to a time tuple according to a format specification.",
    },
    NativeDef {
        sig: "clock_gettime(clk_id, /)",
        f: clock_gettime,
        doc: "Return the time of the specified clock clk_id as a float.",
    },
    NativeDef {
        sig: "clock_gettime_ns(clk_id, /)",
        f: clock_gettime_ns,
        doc: "Return the time of the specified clock clk_id as nanoseconds (int).",
    },
    NativeDef {
        sig: "clock_getres(clk_id, /)",
        f: clock_getres,
        doc: "Return the resolution (precision) of the specified clock clk_id.",
    },
    NativeDef {
        sig: "get_clock_info(name, /)",
        f: get_clock_info,
        doc: "Get information of the specified clock.",
    },
    NativeDef {
        sig: "tzset()",
        f: tzset,
        doc: "Initialize, or reinitialize, the local timezone to the value stored in\nos.environ['TZ'].",
    },
];

pub fn init(vm: &Vm) -> Res {
    let m = vm.native_module(
        "time",
        "This module provides various functions to manipulate time values.",
        &[FUNCTIONS],
    );
    for (name, id) in CLOCKS {
        vm.module_set(&m, name, vm.int(*id as i64));
    }
    vm.module_set(&m, "struct_time", struct_time_type(vm));
    vm.module_set(&m, "_STRUCT_TM_ITEMS", vm.int(11));
    set_zone(vm, &m)?;
    Ok(m)
}
