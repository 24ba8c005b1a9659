//! Tests of `percent`, values from CPython 3.14.

use super::percent::*;

fn fields(text: &str) -> Result<Vec<Field>, String> {
    let mut found = Vec::new();
    for piece in Template::of_str(text) {
        if let Piece::Field(field) = piece.map_err(|e| e.message)? {
            found.push(field);
        }
    }
    Ok(found)
}

fn layout(text: &str) -> (char, Layout) {
    let field = fields(text).expect("valid").remove(0);
    (field.kind, Layout::new(&field, None, None))
}

#[test]
fn templates() {
    let found = fields("é %(a(b))-+ #05.3ld %% %*.*f").expect("valid");
    assert_eq!(found[0].key, Some(5..9));
    assert_eq!(
        (found[0].width, found[0].precision),
        (Size::Given(5), Size::Given(3))
    );
    assert_eq!((found[0].kind, found[0].index), ('d', 18));
    assert_eq!(
        (found[1].width, found[1].precision),
        (Size::Star, Size::Star)
    );
    for text in ["%", "%l", "%.", "%10", "a%-"] {
        assert_eq!(fields(text), Err("incomplete format".into()));
    }
    assert_eq!(fields("a%(x"), Err("incomplete format key".into()));
    assert_eq!(
        fields("%99999999999999999999d"),
        Err("width too big".into())
    );
    assert_eq!(fields("%.9999999999d"), Err("precision too big".into()));
    let odd = fields("é%y").expect("read").remove(0);
    assert_eq!(
        unsupported(&odd).message,
        "unsupported format character 'y' (0x79) at index 2"
    );
}

#[test]
fn numbers() {
    for (text, value, want) in [
        ("%5d", -42, "  -42"),
        ("%-5d|", 42, "42   "),
        ("%05d", -42, "-0042"),
        ("%+.4d", 42, "+0042"),
        ("%#08x", 255, "0x0000ff"),
        ("%#x", -255, "-0xff"),
        ("%05.3d", 3, "00003"),
    ] {
        let (kind, layout) = layout(text);
        let mut out = String::new();
        assert_eq!(push_i64(&mut out, value, kind, &layout), Ok(()));
        assert_eq!(out, want);
    }
    for (text, value, want) in [
        ("%.2f", 2.675, "2.67"),
        ("%08.2f", -3.14259, "-0003.14"),
        ("%05f", f64::INFINITY, "00inf"),
        ("%G", 1e-10, "1E-10"),
        ("%-10.1e|", 12345.0, "1.2e+04   "),
    ] {
        let (kind, layout) = layout(text);
        let mut out = String::new();
        assert_eq!(push_float(&mut out, value, kind, &layout), Ok(()));
        assert_eq!(out, want);
    }
}

#[test]
fn texts() {
    let (_, l) = layout("%6.2s");
    let mut out = String::new();
    assert_eq!(push_text(&mut out, "héllo", &l), Ok(()));
    assert_eq!(push_char(&mut out, Some(233), &l), Ok(()));
    assert_eq!(out, "    hé     é");
    assert!(push_char(&mut out, None, &l).is_err());
}
