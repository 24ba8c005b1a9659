//! draft index
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
pub mod repr;
pub mod search;
pub mod slice;
pub mod spec;
pub mod split;
pub mod strhash;
pub mod unidata;
