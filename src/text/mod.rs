//! The algorithms under the builtin types, knowing nothing of the runtime:
//! text, bytes and numbers in, plain data or a `TextError` with CPython's
//! message out. Positions in str count code points; an `ascii` argument is the
//! caller's promise that the text is all ASCII. Functions named `push_*`
//! append to a `String`.
//!
//! - `error`: `TextError`, `ErrKind`, `UnicodeSpan`, `reserve`
//! - `float_repr`: `float_repr`, `push_float_repr`, `float_hex`,
//!   `shortest_digits`; `float_fmt`: `push_body` (any style and precision)
//! - `float_parse`: `parse_float`, `parse_float_bytes`, `float_fromhex`
//! - `float_round`: `round_float`, `round_to_int`, `round_int`
//! - `int_text`: `Int`, `parse_int`, `parse_int_bytes`, `int_to_str`,
//!   `push_i64`, `push_u64`, `big_to_str`, `to_radix`, `prefixed_i64`,
//!   `prefixed_big` (bin, oct, hex), `DEFAULT_MAX_DIGITS`
//! - `numconv`: `big_to_f64`, `f64_to_int`, `true_div_i64`, `true_div_big`,
//!   `as_integer_ratio`, `cmp_i64_f64`, `cmp_big_f64`, `compose`
//! - `numhash`: `hash_i64`, `hash_big`, `hash_f64`, `hash_complex`,
//!   `hash_tuple`; `strhash`: `hash_str`, `hash_bytes` (seeded)
//! - `spec`: `Spec` (`for_str`, `for_int`, `for_float`; reusable), `Align`,
//!   `Grouping`
//! - `format_num`: `format_i64`, `format_big`, `format_f64` from spec text;
//!   `push_int`, `push_big`, `push_float` with a parsed `Spec`
//! - `format_complex`: `format_complex`, `push_complex`, `complex_repr`;
//!   `format_str`: `format_str`, `push_str`
//! - `percent`: `Template` (iterates `Piece`s), `Layout`, `push_text`,
//!   `push_i64`, `push_big`, `push_float`, `push_char`, `unsupported`
//! - `fields` (str.format): `Markup`, `split_name`, `AutoNumber`, `Accesses`,
//!   `unknown_conversion`, `too_deep`, `MAX_DEPTH`
//! - `repr`: `str_repr`, `push_str_repr`, `ascii_repr`, `bytes_repr`,
//!   `bytearray_repr`, `push_char_escape`
//! - `search`: `find`, `rfind`, `count`, `starts_with`, `ends_with`, `replace`
//!   and each with `_bytes`
//! - `split`: `split`, `split_each`, `rsplit`, `split_space`,
//!   `split_space_each`, `rsplit_space`, `split_lines`, `strip` (`Ends`),
//!   `partition`, `rpartition`; `split_bytes`, `rsplit_bytes` and so on
//! - `case`: `lower`, `upper`, `casefold`, `capitalize`, `title`, `swapcase`,
//!   `is_alpha`, `is_alnum`, `is_decimal`, `is_digit`, `is_numeric`,
//!   `is_whitespace`, `is_printable_text`, `is_identifier`, `is_upper`,
//!   `is_lower`, `is_title`
//! - `pad`: `justify` (`Place`), `zfill`, `expandtabs`, `join`, `repeat`,
//!   `translate` (`Mapped`)
//! - `byte_ops`: `justify_bytes`, `zfill_bytes`, `expandtabs_bytes`,
//!   `repeat_bytes`, `translate_bytes`, case and class functions of bytes,
//!   `hex`, `hex_grouped`, `fromhex`, `fromhex_bytes`
//! - `chars`: `char_len`, `byte_offset`, `char_position`, `char_at`,
//!   `char_range`, `slice_chars`, `CharIndex`
//! - `slice`: `slice_indices` (`Slice`), `bounds`, `position`
//! - `codecs`: `Encoding` (`lookup`, `name`), `encode`, `encode_with_names`,
//!   `decode`, `IncrementalDecoder`, `NewlineDecoder`, `decode_error`,
//!   `encode_error`, `normalize_name`, `known_handler`
//! - `unidata`: `props`, `has` and the property bits, `is_space`,
//!   `is_printable`, `is_id_start`, `is_id_continue`, `decimal_value`
//! - `mersenne`: `Mersenne` (`from_i64`, `from_big`, `from_key`, `random`,
//!   `bits`, `bits64`, `below`, `state`, `from_state`)
//! - `strftime`: `strftime`, `BrokenDown`, `iso_week`, `day_of_year`,
//!   `day_name`, `month_name`

pub mod byte_ops;
pub mod case;
pub mod chars;
pub mod codecs;
pub mod error;
pub mod fields;
pub mod float_fmt;
pub mod float_parse;
pub mod float_repr;
pub mod float_round;
pub mod format_complex;
pub mod format_num;
#[cfg(test)]
mod format_num_tests;
pub mod format_str;
pub mod int_text;
pub mod mersenne;
pub mod numconv;
pub mod numhash;
pub mod pad;
pub mod percent;
#[cfg(test)]
mod percent_tests;
pub mod repr;
pub mod search;
pub mod slice;
pub mod spec;
pub mod split;
pub mod strftime;
pub mod strhash;
pub mod unidata;

pub use error::{ErrKind, TextError, UnicodeSpan};
