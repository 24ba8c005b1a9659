"""Writes tables.rs beside this file from the running Python's Unicode data.

Run with the Python release whose answers corun follows:
    python3.14 generate.py > tables.rs
Every property is asked of the str methods themselves, so the tables hold what
those methods answer and nothing else.
"""
import sys
import unicodedata

ALPHA, DECIMAL, DIGIT, NUMERIC, LOWER, UPPER, TITLE, SPACE = (1 << i for i in range(8))
PRINTABLE, XID_START, XID_CONTINUE, CASED, IGNORABLE, MAPS = (1 << i for i in range(8, 14))
SHIFT = 7


def flags(cp):
    if 0xD800 <= cp < 0xE000:
        return 0
    c = chr(cp)
    f = 0
    f |= ALPHA * c.isalpha() | DECIMAL * c.isdecimal() | DIGIT * c.isdigit()
    f |= NUMERIC * c.isnumeric() | LOWER * c.islower() | UPPER * c.isupper()
    f |= TITLE * (c.istitle() and not c.isupper()) | SPACE * c.isspace()
    f |= PRINTABLE * c.isprintable() | XID_START * c.isidentifier()
    f |= XID_CONTINUE * ("a" + c).isidentifier()
    f |= CASED * ((c + "A").title()[-1] == "a")
    final_after_a = ("A" + c + "\u03a3").lower()[-1] == "\u03c2"
    final_alone = (c + "\u03a3").lower()[-1] == "\u03c2"
    f |= IGNORABLE * (final_after_a and not final_alone)
    f |= MAPS * (c.lower() != c or c.upper() != c)
    return f


def rows(values, width=110):
    line = "   "
    for v in values:
        item = f" {v},"
        if len(line) + len(item) > width * 4:
            yield line
            line = "   "
        line += item
    yield line


def array(name, typ, values, doc):
    print(f"/// {doc}")
    print("#[rustfmt::skip]")
    print(f"pub static {name}: [{typ}; {len(values)}] = [")
    for r in rows(values):
        print(r)
    print("];\n")


def main():
    size = 1 << SHIFT
    records, index = [], {}
    blocks, block_index, stage1 = [], {}, []
    for base in range(0, 0x110000, size):
        block = []
        for cp in range(base, base + size):
            f = flags(cp)
            if f not in index:
                index[f] = len(records)
                records.append(f)
            block.append(index[f])
        key = bytes(block)
        if key not in block_index:
            block_index[key] = len(blocks)
            blocks.append(key)
        stage1.append(block_index[key])
    assert len(records) < 256
    print("//! Character property tables, written by generate.py beside this file.")
    print("//!")
    print(f"//! Unicode {unicodedata.unidata_version}. Do not edit by hand: run the generator again.")
    print("//! Looked up through `unidata`, which gives the bits their names.\n")
    print(f"/// How many low bits of a code point index inside a block.\npub const SHIFT: u32 = {SHIFT};\n")
    array("RECORDS", "u16", records, "The distinct sets of property bits.")
    typ = "u16" if len(blocks) > 255 else "u8"
    array("STAGE1", typ, stage1, "Block number by `code point >> SHIFT`.")
    array("STAGE2", "u8", b"".join(blocks), "Record number by block and low bits.")
    starts = [cp for cp in range(0x110000) if unicodedata.decimal(chr(cp), -1) == 0]
    for s in starts:
        assert [unicodedata.decimal(chr(s + i)) for i in range(10)] == list(range(10))
    array("ZEROS", "u32", starts, "The zero of every run of ten decimal digits.")

    def esc(s):
        return '"' + "".join(f"\\u{{{ord(c):x}}}" for c in s) + '"'

    def pairs(name, doc, items):
        print(f"/// {doc}")
        print("#[rustfmt::skip]")
        print(f"pub static {name}: [(u32, &str); {len(items)}] = [")
        for r in rows([f"(0x{cp:x}, {esc(s)})" for cp, s in items]):
            print(r)
        print("];")

    chars = [chr(cp) for cp in range(0x110000) if not 0xD800 <= cp < 0xE000]
    pairs("TITLES", "Title-case mappings that differ from the upper-case one.",
          [(ord(c), c.title()) for c in chars if c.title() != c.upper()])
    print()
    pairs("FOLDS", "Case foldings that differ from the lower-case mapping.",
          [(ord(c), c.casefold()) for c in chars if c.casefold() != c.lower()])


sys.stdout.reconfigure(newline="\n")
main()
