//! The rows of the container and iterator types, and of the functions that come with them, for the tables in `builtins`.

use crate::builtins::{
    dict, dict_views, functions, functions_num, iterators, list, print, range, set, slice, tuple,
    weakref,
};
use crate::object::native::NativeDef;
use crate::object::types::TypeSpec;

pub static TYPES: &[&TypeSpec] = &[
    &list::TYPE,
    &list::ITER,
    &list::REV_ITER,
    &tuple::TYPE,
    &tuple::ITER,
    &dict::TYPE,
    &dict_views::KEYS,
    &dict_views::VALUES,
    &dict_views::ITEMS,
    &dict_views::KEY_ITER,
    &dict_views::VALUE_ITER,
    &dict_views::ITEM_ITER,
    &dict_views::REV_KEY_ITER,
    &dict_views::REV_VALUE_ITER,
    &dict_views::REV_ITEM_ITER,
    &set::SET,
    &set::FROZENSET,
    &set::ITER,
    &range::TYPE,
    &range::ITER,
    &range::LONG_ITER,
    &slice::TYPE,
    &iterators::ENUMERATE,
    &iterators::ZIP,
    &iterators::MAP,
    &iterators::FILTER,
    &iterators::REVERSED,
    &iterators::SEQ_ITER,
    &iterators::CALL_ITER,
    &weakref::REF,
    &weakref::PROXY,
];

pub static FUNCTIONS: &[&[NativeDef]] = &[
    functions::FUNCTIONS,
    functions_num::FUNCTIONS,
    print::FUNCTIONS,
];
