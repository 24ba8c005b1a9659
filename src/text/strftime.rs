//! `strftime` over a broken-down time, in the C locale.

use super::int_text::push_i64;

/// A moment as `time.struct_time` and `datetime` hold it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BrokenDown {
    pub year: i64,
    /// 1 to 12.
    pub month: u32,
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    /// 0 to 61.
    pub second: u32,
    pub microsecond: u32,
    /// 0 is Monday.
    pub weekday: u32,
    /// 1 to 366.
    pub yearday: u32,
    /// Seconds east of UTC; `None` for a naive time.
    pub offset: Option<i64>,
    pub zone: String,
    /// What `%s` gives, where known.
    pub epoch: Option<i64>,
}

const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const MONTHS: [&str; 12] = [
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

/// The full English name of a weekday (0 is Monday).
pub fn day_name(weekday: u32) -> &'static str {
    DAYS.get(weekday as usize).copied().unwrap_or("?")
}

/// The full English name of a month (1 to 12).
pub fn month_name(month: u32) -> &'static str {
    (month as usize)
        .checked_sub(1)
        .and_then(|at| MONTHS.get(at))
        .copied()
        .unwrap_or("?")
}

fn leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The ISO 8601 year and week of a date.
pub fn iso_week(time: &BrokenDown) -> (i64, i64) {
    let week = (i64::from(time.yearday) - 1 - i64::from(time.weekday) + 10) / 7;
    // A year has 53 weeks when it begins on a Thursday, or on a Wednesday
    // and is a leap year.
    let weeks_in = |year: i64| {
        let shift =
            |y: i64| (y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400)).rem_euclid(7);
        if shift(year) == 4 || shift(year - 1) == 3 {
            53
        } else {
            52
        }
    };
    if week < 1 {
        (time.year - 1, weeks_in(time.year - 1))
    } else if week > weeks_in(time.year) {
        (time.year + 1, 1)
    } else {
        (time.year, week)
    }
}

/// The day of the year (1 to 366) of a date.
pub fn day_of_year(year: i64, month: u32, day: u32) -> u32 {
    const BEFORE: [u32; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let before = (month as usize)
        .checked_sub(1)
        .and_then(|at| BEFORE.get(at))
        .copied();
    before.unwrap_or(0) + day + u32::from(month > 2 && leap(year))
}

fn push_padded(out: &mut String, value: i64, width: usize, fill: char) {
    let mut digits = String::new();
    push_i64(&mut digits, value.saturating_abs());
    if value < 0 {
        out.push('-');
    }
    out.extend(std::iter::repeat_n(
        fill,
        width.saturating_sub(digits.len()),
    ));
    out.push_str(&digits);
}

fn push_offset(out: &mut String, offset: i64, colon: bool) {
    out.push(if offset < 0 { '-' } else { '+' });
    let size = offset.saturating_abs();
    push_padded(out, size / 3600, 2, '0');
    if colon {
        out.push(':');
    }
    push_padded(out, size / 60 % 60, 2, '0');
    if size % 60 != 0 {
        if colon {
            out.push(':');
        }
        push_padded(out, size % 60, 2, '0');
    }
}

/// Formats a time; an unknown directive stands for itself, as in glibc.
pub fn strftime(time: &BrokenDown, format: &str) -> String {
    let mut out = String::with_capacity(format.len() * 2);
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let rest = chars.as_str();
        let Some(mut directive) = chars.next() else {
            out.push('%');
            break;
        };
        // glibc's "-" drops the padding, Python's ":" colours %z.
        let bare = directive == '-';
        let colon = directive == ':';
        if bare || colon {
            match chars.next() {
                Some(next) => directive = next,
                None => {
                    out.push('%');
                    out.push_str(rest);
                    break;
                }
            }
        }
        if !push_directive(&mut out, time, directive, bare, colon) {
            out.push('%');
            out.push_str(&rest[..rest.len() - chars.as_str().len()]);
        }
    }
    out
}

fn push_directive(
    out: &mut String,
    time: &BrokenDown,
    directive: char,
    bare: bool,
    colon: bool,
) -> bool {
    let number = |out: &mut String, value: i64, width: usize, fill: char| {
        push_padded(out, value, if bare { 0 } else { width }, fill);
    };
    let two = |out: &mut String, value: u32| number(out, i64::from(value), 2, '0');
    let half = match time.hour % 12 {
        0 => 12,
        hour => hour,
    };
    let (yearday, weekday) = (i64::from(time.yearday), i64::from(time.weekday));
    let nested = match directive {
        'c' => Some("%a %b %e %H:%M:%S %Y"),
        'D' | 'x' => Some("%m/%d/%y"),
        'F' => Some("%Y-%m-%d"),
        'r' => Some("%I:%M:%S %p"),
        'R' => Some("%H:%M"),
        'T' | 'X' => Some("%H:%M:%S"),
        _ => None,
    };
    if let Some(format) = nested {
        out.push_str(&strftime(time, format));
        return true;
    }
    match directive {
        '%' => out.push('%'),
        'n' => out.push('\n'),
        't' => out.push('\t'),
        'a' => out.push_str(day_name(time.weekday).get(..3).unwrap_or("?")),
        'A' => out.push_str(day_name(time.weekday)),
        'b' | 'h' => out.push_str(month_name(time.month).get(..3).unwrap_or("?")),
        'B' => out.push_str(month_name(time.month)),
        'C' => number(out, time.year.div_euclid(100), 2, '0'),
        'd' => two(out, time.day),
        'e' => number(out, i64::from(time.day), 2, ' '),
        'f' => push_padded(out, i64::from(time.microsecond), 6, '0'),
        'g' => number(out, iso_week(time).0.rem_euclid(100), 2, '0'),
        'G' => number(out, iso_week(time).0, 4, '0'),
        'H' => two(out, time.hour),
        'I' => two(out, half),
        'j' => number(out, yearday, 3, '0'),
        'k' => number(out, i64::from(time.hour), 2, ' '),
        'l' => number(out, i64::from(half), 2, ' '),
        'm' => two(out, time.month),
        'M' => two(out, time.minute),
        'p' => out.push_str(if time.hour < 12 { "AM" } else { "PM" }),
        'P' => out.push_str(if time.hour < 12 { "am" } else { "pm" }),
        's' => match time.epoch {
            Some(epoch) => push_i64(out, epoch),
            None => return false,
        },
        'S' => two(out, time.second),
        'u' => push_i64(out, weekday + 1),
        'U' => number(out, (yearday + 6 - (weekday + 1) % 7) / 7, 2, '0'),
        'V' => number(out, iso_week(time).1, 2, '0'),
        'w' => push_i64(out, (weekday + 1) % 7),
        'W' => number(out, (yearday + 6 - weekday) / 7, 2, '0'),
        'y' => number(out, time.year.rem_euclid(100), 2, '0'),
        'Y' => number(out, time.year, 4, '0'),
        'z' => {
            if let Some(offset) = time.offset {
                push_offset(out, offset, colon);
            }
        }
        'Z' => out.push_str(&time.zone),
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time() -> BrokenDown {
        BrokenDown {
            year: 2024,
            month: 12,
            day: 30,
            hour: 13,
            minute: 5,
            second: 9,
            microsecond: 42,
            weekday: 0,
            yearday: 365,
            offset: Some(-12_600),
            zone: "XYZ".into(),
            epoch: None,
        }
    }

    #[test]
    fn directives() {
        for (format, want) in [
            ("%Y-%m-%d %H:%M:%S.%f", "2024-12-30 13:05:09.000042"),
            ("%a %A %b %B", "Mon Monday Dec December"),
            ("%I %p %j %y", "01 PM 365 24"),
            ("%G-W%V-%u", "2025-W01-1"),
            ("%U %W %w", "52 53 1"),
            ("%z %:z %Z", "-0330 -03:30 XYZ"),
            ("%c|%x|%X", "Mon Dec 30 13:05:09 2024|12/30/24|13:05:09"),
            ("%-I %-M %e %% %Q %", "1 5 30 % %Q %"),
        ] {
            assert_eq!(strftime(&time(), format), want, "{format}");
        }
        assert_eq!(day_of_year(2024, 12, 30), 365);
        assert_eq!(day_of_year(2023, 3, 1), 60);
    }

    #[test]
    fn year_ends() {
        let date = |year, yearday, weekday| BrokenDown {
            year,
            yearday,
            weekday,
            ..time()
        };
        assert_eq!(iso_week(&date(2021, 1, 4)), (2020, 53));
        assert_eq!(iso_week(&date(2023, 1, 6)), (2022, 52));
        assert_eq!(iso_week(&date(2026, 365, 3)), (2026, 53));
    }
}
