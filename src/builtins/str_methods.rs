//! The table of str's methods.

use crate::builtins::{
    str_codec as codec, str_find as find, str_format as format, str_shape as shape,
    str_split as split,
};
use crate::object::native::NativeDef;

pub static METHODS: [NativeDef; 49] = [
    NativeDef {
        sig: "encode(self, /, encoding='utf-8', errors='strict')",
        f: codec::encode,
        doc: "Encode the string using the codec registered for encoding.\n\n  encoding\n    The encoding in which to encode the string.\n  errors\n    The error handling scheme to use for encoding errors.\n    The default is 'strict' meaning that encoding errors raise a\n    UnicodeEncodeError.  Other possible values are 'ignore', 'replace' and\n    'xmlcharrefreplace' as well as any other name registered with\n    codecs.register_error that can handle UnicodeEncodeErrors.",
    },
    NativeDef {
        sig: "replace(self, old, new, /, count=-1)",
        f: find::replace,
        doc: "Return a copy with all occurrences of substring old replaced by new.\n\n  count\n    Maximum number of occurrences to replace.\n    -1 (the default value) means replace all occurrences.\n\nIf the optional argument count is given, only the first count occurrences are\nreplaced.",
    },
    NativeDef {
        sig: "split(self, /, sep=None, maxsplit=-1)",
        f: split::split,
        doc: "Return a list of the substrings in the string, using sep as the separator string.\n\n  sep\n    The separator used to split the string.\n\n    When set to None (the default value), will split on any whitespace\n    character (including \\n \\r \\t \\f and spaces) and will discard\n    empty strings from the result.\n  maxsplit\n    Maximum number of splits.\n    -1 (the default value) means no limit.\n\nSplitting starts at the front of the string and works to the end.",
    },
    NativeDef {
        sig: "rsplit(self, /, sep=None, maxsplit=-1)",
        f: split::rsplit,
        doc: "Return a list of the substrings in the string, using sep as the separator string.\n\nSplitting starts at the end of the string and works to the front.",
    },
    NativeDef {
        sig: "join(self, iterable, /)",
        f: split::join,
        doc: "Concatenate any number of strings.\n\nThe string whose method is called is inserted in between each given string.\nThe result is returned as a new string.\n\nExample: '.'.join(['ab', 'pq', 'rs']) -> 'ab.pq.rs'",
    },
    NativeDef {
        sig: "capitalize(self, /)",
        f: shape::capitalize,
        doc: "Return a capitalized version of the string.\n\nMore specifically, make the first character have upper case and the rest lower\ncase.",
    },
    NativeDef {
        sig: "casefold(self, /)",
        f: shape::casefold,
        doc: "Return a version of the string suitable for caseless comparisons.",
    },
    NativeDef {
        sig: "title(self, /)",
        f: shape::title,
        doc: "Return a version of the string where each word is titlecased.\n\nMore specifically, words start with uppercased characters and all remaining\ncased characters have lower case.",
    },
    NativeDef {
        sig: "center(self, width, fillchar=' ', /)",
        f: shape::center,
        doc: "Return a centered string of length width.\n\nPadding is done using the specified fill character (default is a space).",
    },
    NativeDef {
        sig: "count(self, sub, start=None, end=None, /)",
        f: find::count,
        doc: "Return the number of non-overlapping occurrences of substring sub in string S[start:end].\n\nOptional arguments start and end are interpreted as in slice notation.",
    },
    NativeDef {
        sig: "expandtabs(self, /, tabsize=8)",
        f: shape::expandtabs,
        doc: "Return a copy where all tab characters are expanded using spaces.\n\nIf tabsize is not given, a tab size of 8 characters is assumed.",
    },
    NativeDef {
        sig: "find(self, sub, start=None, end=None, /)",
        f: find::find,
        doc: "Return the lowest index in S where substring sub is found, such that sub is contained within S[start:end].\n\nOptional arguments start and end are interpreted as in slice notation.\nReturn -1 on failure.",
    },
    NativeDef {
        sig: "partition(self, sep, /)",
        f: split::partition,
        doc: "Partition the string into three parts using the given separator.\n\nThis will search for the separator in the string.  If the separator is found,\nreturns a 3-tuple containing the part before the separator, the separator\nitself, and the part after it.\n\nIf the separator is not found, returns a 3-tuple containing the original string\nand two empty strings.",
    },
    NativeDef {
        sig: "index(self, sub, start=None, end=None, /)",
        f: find::index,
        doc: "Return the lowest index in S where substring sub is found, such that sub is contained within S[start:end].\n\nOptional arguments start and end are interpreted as in slice notation.\nRaises ValueError when the substring is not found.",
    },
    NativeDef {
        sig: "ljust(self, width, fillchar=' ', /)",
        f: shape::ljust,
        doc: "Return a left-justified string of length width.\n\nPadding is done using the specified fill character (default is a space).",
    },
    NativeDef {
        sig: "lower(self, /)",
        f: shape::lower,
        doc: "Return a copy of the string converted to lowercase.",
    },
    NativeDef {
        sig: "lstrip(self, chars=None, /)",
        f: split::lstrip,
        doc: "Return a copy of the string with leading whitespace removed.\n\nIf chars is given and not None, remove characters in chars instead.",
    },
    NativeDef {
        sig: "rfind(self, sub, start=None, end=None, /)",
        f: find::rfind,
        doc: "Return the highest index in S where substring sub is found, such that sub is contained within S[start:end].\n\nOptional arguments start and end are interpreted as in slice notation.\nReturn -1 on failure.",
    },
    NativeDef {
        sig: "rindex(self, sub, start=None, end=None, /)",
        f: find::rindex,
        doc: "Return the highest index in S where substring sub is found, such that sub is contained within S[start:end].\n\nOptional arguments start and end are interpreted as in slice notation.\nRaises ValueError when the substring is not found.",
    },
    NativeDef {
        sig: "rjust(self, width, fillchar=' ', /)",
        f: shape::rjust,
        doc: "Return a right-justified string of length width.\n\nPadding is done using the specified fill character (default is a space).",
    },
    NativeDef {
        sig: "rstrip(self, chars=None, /)",
        f: split::rstrip,
        doc: "Return a copy of the string with trailing whitespace removed.\n\nIf chars is given and not None, remove characters in chars instead.",
    },
    NativeDef {
        sig: "rpartition(self, sep, /)",
        f: split::rpartition,
        doc: "Partition the string into three parts using the given separator.\n\nThis will search for the separator in the string, starting at the end. If\nthe separator is found, returns a 3-tuple containing the part before the\nseparator, the separator itself, and the part after it.\n\nIf the separator is not found, returns a 3-tuple containing two empty strings\nand the original string.",
    },
    NativeDef {
        sig: "splitlines(self, /, keepends=False)",
        f: split::splitlines,
        doc: "Return a list of the lines in the string, breaking at line boundaries.\n\nLine breaks are not included in the resulting list unless keepends is given and\ntrue.",
    },
    NativeDef {
        sig: "strip(self, chars=None, /)",
        f: split::strip,
        doc: "Return a copy of the string with leading and trailing whitespace removed.\n\nIf chars is given and not None, remove characters in chars instead.",
    },
    NativeDef {
        sig: "swapcase(self, /)",
        f: shape::swapcase,
        doc: "Convert uppercase characters to lowercase and lowercase characters to uppercase.",
    },
    NativeDef {
        sig: "translate(self, table, /)",
        f: shape::translate,
        doc: "Replace each character in the string using the given translation table.\n\n  table\n    Translation table, which must be a mapping of Unicode ordinals to\n    Unicode ordinals, strings, or None.\n\nThe table must implement lookup/indexing via __getitem__, for instance a\ndictionary or list.  If this operation raises LookupError, the character is\nleft untouched.  Characters mapped to None are deleted.",
    },
    NativeDef {
        sig: "upper(self, /)",
        f: shape::upper,
        doc: "Return a copy of the string converted to uppercase.",
    },
    NativeDef {
        sig: "startswith(self, prefix, start=None, end=None, /)",
        f: find::startswith,
        doc: "Return True if the string starts with the specified prefix, False otherwise.\n\n  prefix\n    A string or a tuple of strings to try.\n  start\n    Optional start position. Default: start of the string.\n  end\n    Optional stop position. Default: end of the string.",
    },
    NativeDef {
        sig: "endswith(self, suffix, start=None, end=None, /)",
        f: find::endswith,
        doc: "Return True if the string ends with the specified suffix, False otherwise.\n\n  suffix\n    A string or a tuple of strings to try.\n  start\n    Optional start position. Default: start of the string.\n  end\n    Optional stop position. Default: end of the string.",
    },
    NativeDef {
        sig: "removeprefix(self, prefix, /)",
        f: find::removeprefix,
        doc: "Return a str with the given prefix string removed if present.\n\nIf the string starts with the prefix string, return string[len(prefix):].\nOtherwise, return a copy of the original string.",
    },
    NativeDef {
        sig: "removesuffix(self, suffix, /)",
        f: find::removesuffix,
        doc: "Return a str with the given suffix string removed if present.\n\nIf the string ends with the suffix string and that suffix is not empty,\nreturn string[:-len(suffix)]. Otherwise, return a copy of the original\nstring.",
    },
    NativeDef {
        sig: "isascii(self, /)",
        f: find::isascii,
        doc: "Return True if all characters in the string are ASCII, False otherwise.\n\nASCII characters have code points in the range U+0000-U+007F.\nEmpty string is ASCII too.",
    },
    NativeDef {
        sig: "islower(self, /)",
        f: find::islower,
        doc: "Return True if the string is a lowercase string, False otherwise.",
    },
    NativeDef {
        sig: "isupper(self, /)",
        f: find::isupper,
        doc: "Return True if the string is an uppercase string, False otherwise.",
    },
    NativeDef {
        sig: "istitle(self, /)",
        f: find::istitle,
        doc: "Return True if the string is a title-cased string, False otherwise.",
    },
    NativeDef {
        sig: "isspace(self, /)",
        f: find::isspace,
        doc: "Return True if the string is a whitespace string, False otherwise.",
    },
    NativeDef {
        sig: "isdecimal(self, /)",
        f: find::isdecimal,
        doc: "Return True if the string is a decimal string, False otherwise.",
    },
    NativeDef {
        sig: "isdigit(self, /)",
        f: find::isdigit,
        doc: "Return True if the string is a digit string, False otherwise.",
    },
    NativeDef {
        sig: "isnumeric(self, /)",
        f: find::isnumeric,
        doc: "Return True if the string is a numeric string, False otherwise.",
    },
    NativeDef {
        sig: "isalpha(self, /)",
        f: find::isalpha,
        doc: "Return True if the string is an alphabetic string, False otherwise.",
    },
    NativeDef {
        sig: "isalnum(self, /)",
        f: find::isalnum,
        doc: "Return True if the string is an alpha-numeric string, False otherwise.",
    },
    NativeDef {
        sig: "isidentifier(self, /)",
        f: find::isidentifier,
        doc: "Return True if the string is a valid Python identifier, False otherwise.",
    },
    NativeDef {
        sig: "isprintable(self, /)",
        f: find::isprintable,
        doc: "Return True if all characters in the string are printable, False otherwise.",
    },
    NativeDef {
        sig: "zfill(self, width, /)",
        f: shape::zfill,
        doc: "Pad a numeric string with zeros on the left, to fill a field of the given width.\n\nThe string is never truncated.",
    },
    NativeDef {
        sig: "format(self, /, *args, **kwargs)",
        f: format::format,
        doc: "Return a formatted version of the string, using substitutions from args and kwargs.\n\nThe substitutions are identified by braces ('{' and '}').",
    },
    NativeDef {
        sig: "format_map(self, mapping, /)",
        f: format::format_map,
        doc: "Return a formatted version of the string, using substitutions from mapping.\n\nThe substitutions are identified by braces ('{' and '}').",
    },
    NativeDef {
        sig: "__format__(self, format_spec, /)",
        f: format::format_method,
        doc: "Return a formatted version of the string as described by format_spec.",
    },
    NativeDef {
        sig: "__getnewargs__(self, /)",
        f: find::getnewargs,
        doc: "",
    },
    NativeDef {
        sig: "__sizeof__(self, /)",
        f: find::sizeof,
        doc: "Return the size of the string in memory, in bytes.",
    },
];
