//! Tests of `format_num`, values from CPython 3.14.

use super::format_complex::*;
use super::format_num::*;
use num_bigint::BigInt;

fn int(value: i64, text: &str) -> Result<String, String> {
    format_i64(value, text, "int").map_err(|e| e.message)
}

fn float(value: f64, text: &str) -> Result<String, String> {
    format_f64(value, text, "float").map_err(|e| e.message)
}

fn complex(re: f64, im: f64, text: &str) -> Result<String, String> {
    format_complex(re, im, text, "complex").map_err(|e| e.message)
}

#[test]
fn ints() {
    for (value, text, want) in [
        (42, "5d", "   42"),
        (-42, "06", "-00042"),
        (1234567, ",", "1,234,567"),
        (1234, "08,", "0,001,234"),
        (1234, "06,", "01,234"),
        (255, "#x", "0xff"),
        (255, "#010X", "0X000000FF"),
        (0xdeadbeef, "_x", "dead_beef"),
        (5, "^+7", "  +5   "),
        (65, "c", "A"),
        (233, "*>3c", "**é"),
        (1, ".2f", "1.00"),
        (1, "%", "100.000000%"),
    ] {
        assert_eq!(int(value, text), Ok(want.to_owned()), "{text}");
    }
    assert_eq!(
        int(1, "s"),
        Err("Unknown format code 's' for object of type 'int'".into())
    );
    assert_eq!(
        int(1, ".2d"),
        Err("Precision not allowed in integer format specifier".into())
    );
    assert_eq!(int(-1, "c"), Err("%c arg not in range(0x110000)".into()));
    let big = num_traits::pow(BigInt::from(10), 20);
    assert_eq!(
        format_big(&big, ",", "int", 4300),
        Ok("100,000,000,000,000,000,000".to_owned())
    );
    assert_eq!(
        format_big(&-big, "#x", "int", 4300),
        Ok("-0x56bc75e2d63100000".to_owned())
    );
}

#[test]
fn floats() {
    for (value, text, want) in [
        (3.14259, ".2f", "3.14"),
        (3.14259, "08.2f", "00003.14"),
        (1234567.891, ",.2f", "1,234,567.89"),
        (1234.5, "_", "1_234.5"),
        (0.5, "%", "50.000000%"),
        (-0.001, "z.1f", "0.0"),
        (-0.001, ".1f", "-0.0"),
        (1.0, ".1", "1e+00"),
        (12.0, ".3", "12.0"),
        (1e20, "#", "1.e+20"),
        (f64::INFINITY, "05", "00inf"),
        (f64::NAN, "F", "NAN"),
        (1.5, "+g", "+1.5"),
        (1.5, "#g", "1.50000"),
        (0.1234567, ".7_f", "0.123_456_7"),
        (1e100, "n", "1e+100"),
    ] {
        assert_eq!(float(value, text), Ok(want.to_owned()), "{text}");
    }
    assert_eq!(
        float(1.0, "d"),
        Err("Unknown format code 'd' for object of type 'float'".into())
    );
    assert_eq!(float(1.0, ",n"), Err("Cannot specify ',' with 'n'.".into()));
}

#[test]
fn complexes() {
    assert_eq!(complex_repr(1.0, -2.5), "(1-2.5j)");
    assert_eq!(complex_repr(0.0, 1.0), "1j");
    assert_eq!(complex_repr(-0.0, f64::NAN), "(-0+nanj)");
    assert_eq!(complex(1.0, 2.0, ".2f"), Ok("1.00+2.00j".into()));
    assert_eq!(complex(1.0, -2.0, ">12"), Ok("      (1-2j)".into()));
    assert_eq!(
        complex(1.0, 2.0, "05"),
        Err("Zero padding is not allowed in complex format specifier".into())
    );
}
