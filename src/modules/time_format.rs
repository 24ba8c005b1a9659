//! `time.strftime` and `asctime`: the C locale's texts, formed here rather than by the C library, so that every platform agrees.

use crate::modules::time::tm_or_now;
use crate::object::value::Value;
use crate::vm::{Res, Vm};
use std::fmt::Write;

pub const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn day(tm: &libc::tm) -> &'static str {
    DAYS[tm.tm_wday.rem_euclid(7) as usize]
}
fn month(tm: &libc::tm) -> &'static str {
    MONTHS[tm.tm_mon.rem_euclid(12) as usize]
}

/// As `ctime` shows a moment: `Sat Jun  6 16:26:11 1998`.
pub fn asctime_text(tm: &libc::tm) -> String {
    let year = tm.tm_year as i64 + 1900;
    format!(
        "{} {} {:>2} {:02}:{:02}:{:02} {year}",
        &day(tm)[..3],
        &month(tm)[..3],
        tm.tm_mday,
        tm.tm_hour,
        tm.tm_min,
        tm.tm_sec
    )
}

/// Fields out of range are errors; zero month, day and day of the year mean the first.
pub fn check(vm: &Vm, tm: &libc::tm) -> Res<libc::tm> {
    let mut tm = *tm;
    let fail = |what: &str| Err(vm.value_error(format!("{what} out of range")));
    if tm.tm_mon == -1 {
        tm.tm_mon = 0;
    } else if !(0..12).contains(&tm.tm_mon) {
        return fail("month");
    }
    if tm.tm_mday == 0 {
        tm.tm_mday = 1;
    } else if !(0..=31).contains(&tm.tm_mday) {
        return fail("day of month");
    }
    if !(0..24).contains(&tm.tm_hour) {
        return fail("hour");
    }
    if !(0..60).contains(&tm.tm_min) {
        return fail("minute");
    }
    if !(0..=61).contains(&tm.tm_sec) {
        return fail("seconds");
    }
    if tm.tm_wday < 0 {
        return fail("day of week");
    }
    if tm.tm_yday == -1 {
        tm.tm_yday = 0;
    } else if !(0..366).contains(&tm.tm_yday) {
        return fail("day of year");
    }
    Ok(tm)
}

/// Year and week of ISO 8601.
fn iso_week(tm: &libc::tm) -> (i64, i64) {
    let year = tm.tm_year as i64 + 1900;
    let weekday = (tm.tm_wday as i64 + 6).rem_euclid(7);
    let week = (tm.tm_yday as i64 - weekday + 10) / 7;
    // A year has 53 weeks if it begins on a Thursday, or on a Wednesday and is a leap year.
    let weeks = |y: i64| {
        let p =
            |y: i64| (y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400)).rem_euclid(7);
        if p(y) == 4 || p(y - 1) == 3 { 53 } else { 52 }
    };
    if week < 1 {
        (year - 1, weeks(year - 1))
    } else if week > weeks(year) {
        (year + 1, 1)
    } else {
        (year, week)
    }
}

/// Appends one directive; false if it is unknown.
fn directive(out: &mut String, c: char, tm: &libc::tm) -> bool {
    let year = tm.tm_year as i64 + 1900;
    let hour12 = if tm.tm_hour % 12 == 0 {
        12
    } else {
        tm.tm_hour % 12
    };
    // Writing to a String cannot fail.
    let _ = match c {
        'a' => write!(out, "{}", &day(tm)[..3]),
        'A' => write!(out, "{}", day(tm)),
        'b' | 'h' => write!(out, "{}", &month(tm)[..3]),
        'B' => write!(out, "{}", month(tm)),
        'c' => write!(out, "{}", asctime_text(tm)),
        'C' => write!(out, "{:02}", year.div_euclid(100)),
        'd' => write!(out, "{:02}", tm.tm_mday),
        'D' | 'x' => write!(
            out,
            "{:02}/{:02}/{:02}",
            tm.tm_mon + 1,
            tm.tm_mday,
            year.rem_euclid(100)
        ),
        'e' => write!(out, "{:>2}", tm.tm_mday),
        'F' => write!(out, "{year}-{:02}-{:02}", tm.tm_mon + 1, tm.tm_mday),
        'g' => write!(out, "{:02}", iso_week(tm).0.rem_euclid(100)),
        'G' => write!(out, "{}", iso_week(tm).0),
        'H' => write!(out, "{:02}", tm.tm_hour),
        'I' => write!(out, "{hour12:02}"),
        'j' => write!(out, "{:03}", tm.tm_yday + 1),
        'k' => write!(out, "{:>2}", tm.tm_hour),
        'l' => write!(out, "{hour12:>2}"),
        'm' => write!(out, "{:02}", tm.tm_mon + 1),
        'M' => write!(out, "{:02}", tm.tm_min),
        'n' => writeln!(out),
        'p' => write!(out, "{}", if tm.tm_hour < 12 { "AM" } else { "PM" }),
        'P' => write!(out, "{}", if tm.tm_hour < 12 { "am" } else { "pm" }),
        'r' => write!(
            out,
            "{hour12:02}:{:02}:{:02} {}",
            tm.tm_min,
            tm.tm_sec,
            if tm.tm_hour < 12 { "AM" } else { "PM" }
        ),
        'R' => write!(out, "{:02}:{:02}", tm.tm_hour, tm.tm_min),
        's' => {
            let mut copy = *tm;
            // SAFETY: `copy` is a valid `tm`.
            #[allow(unsafe_code)]
            let t = unsafe { libc::mktime(&mut copy) };
            write!(out, "{t}")
        }
        'S' => write!(out, "{:02}", tm.tm_sec),
        't' => write!(out, "\t"),
        'T' | 'X' => write!(out, "{:02}:{:02}:{:02}", tm.tm_hour, tm.tm_min, tm.tm_sec),
        'u' => write!(out, "{}", if tm.tm_wday == 0 { 7 } else { tm.tm_wday }),
        'U' => write!(out, "{:02}", (tm.tm_yday + 7 - tm.tm_wday) / 7),
        'V' => write!(out, "{:02}", iso_week(tm).1),
        'w' => write!(out, "{}", tm.tm_wday),
        'W' => write!(out, "{:02}", (tm.tm_yday + 7 - (tm.tm_wday + 6) % 7) / 7),
        'y' => write!(out, "{:02}", year.rem_euclid(100)),
        'Y' => write!(out, "{year}"),
        'z' => {
            let off = tm.tm_gmtoff;
            let sign = if off < 0 { '-' } else { '+' };
            write!(
                out,
                "{sign}{:02}{:02}",
                off.abs() / 3600,
                off.abs() % 3600 / 60
            )
        }
        'Z' => {
            // SAFETY: the zone is null or a C string that the C library keeps.
            #[allow(unsafe_code)]
            let zone = if tm.tm_zone.is_null() {
                None
            } else {
                Some(unsafe { std::ffi::CStr::from_ptr(tm.tm_zone) }.to_string_lossy())
            };
            write!(out, "{}", zone.as_deref().unwrap_or(""))
        }
        '%' => write!(out, "%"),
        _ => return false,
    };
    true
}

pub fn strftime(vm: &Vm, a: &[Value]) -> Res {
    let Some(format) = a[0].as_str() else {
        return Err(vm.type_error(format!(
            "strftime() argument 1 must be str, not {}",
            vm.type_name(&a[0])
        )));
    };
    let mut tm = check(vm, &tm_or_now(vm, &a[1], "strftime")?)?;
    if a[1].given().is_some() && tm.tm_zone.is_null() {
        // The zone of a bare tuple is the local one.
        let mut copy = tm;
        // SAFETY: `copy` is a valid `tm`.
        #[allow(unsafe_code)]
        unsafe {
            libc::mktime(&mut copy);
        }
        tm.tm_zone = copy.tm_zone;
        tm.tm_gmtoff = copy.tm_gmtoff;
    }
    let mut out = String::new();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        // Flags of the GNU and BSD libraries: no padding, or the alternative forms, which the C locale lacks.
        let flag = chars.next_if(|c| matches!(c, '-' | '_' | '0' | 'E' | 'O' | '#' | ':'));
        match chars.next() {
            None => {
                out.push('%');
                out.extend(flag);
            }
            Some(d) => {
                let mut text = String::new();
                if !directive(&mut text, d, &tm) {
                    out.push('%');
                    out.extend(flag);
                    out.push(d);
                    continue;
                }
                match flag {
                    Some('-') => out.push_str(match text.trim_start_matches(['0', ' ']) {
                        "" => "0",
                        t if t.starts_with(|c: char| c.is_ascii_digit()) => t,
                        _ => &text,
                    }),
                    Some('_') => {
                        let digits = text.trim_start_matches('0');
                        let digits = if digits.is_empty() { "0" } else { digits };
                        let _ = write!(out, "{digits:>width$}", width = text.len());
                    }
                    _ => out.push_str(&text),
                }
            }
        }
    }
    Ok(vm.str(&out))
}
