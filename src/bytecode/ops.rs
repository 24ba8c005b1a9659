//! The op table: the one list of every opcode. Names, operand formats, lengths and the documentation of
//! each op come from here; the compiler, disassembler, verifier and the VM's dispatch table all read it.
//!
//! An instruction is one 32-bit word, little end first: byte 0 = `A`, byte 1 = opcode, byte 2 = `B`,
//! byte 3 = `C`. `BC` reads bytes 2 and 3 as one unsigned 16-bit number, `sBC` as a signed one, `sB`/`sC`
//! read a byte as signed. Extra words (`X`) follow the instruction; some are operands, the last `cache` of them are
//! inline-cache words that the compiler writes as 0 and only the VM changes. Jump offsets count words from the
//! end of the whole instruction (extra words included).
//!
//! Notation: `R[A]` register A of the frame, `K[i]` constant i, `N[i]` name i. "takes R" means that the op moves the
//! value out (the register is then unbound). Rules of ownership:
//! 1. Every register owns what it holds. A frame's end releases all of its registers, so a stale temporary is
//!    never a leak, merely a late release.
//! 2. Arithmetic, comparison, unary and jump ops release operands that are temporaries (index >= `Code::nlocals`)
//!    when those hold heap objects, unless the temporary is also the destination. For every other op the compiler emits `CLEAR` for a temporary
//!    that dies holding a possible heap object.
//! 3. A destination may be a local. Its old value is released after the new one is written.

/// How an instruction's operand bytes are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// No operands.
    None,
    /// One register in A.
    A,
    /// Registers A, B.
    AB,
    /// Registers A, B, C.
    ABC,
    /// Registers A, B; C is a small number (count, flag, kind).
    ABn,
    /// Register A; B and C are small numbers.
    Ann,
    /// Registers A, B; C a signed immediate.
    ABi,
    /// Register A; B a signed immediate; C a flag.
    Aif,
    /// Register A, constant BC.
    AK,
    /// Register A, name BC.
    AN,
    /// Register A, signed number sBC.
    AI,
    /// Register A, unsigned number BC.
    AU,
    /// Jump by sBC.
    J,
    /// Register A, jump by sBC.
    AJ,
}

/// What the first extra word holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extra {
    None,
    /// A name index.
    Name,
    /// A constant index.
    Const,
    /// A signed jump offset.
    Jump,
    /// A nested code index.
    Code,
    /// Some other number, see the op.
    Num,
}

/// One row of the op table.
pub struct OpInfo {
    pub name: &'static str,
    pub format: Format,
    pub extra: Extra,
    /// Extra words that are inline cache, after the operand word if `extra` is not `None`.
    pub cache: u8,
    pub doc: &'static str,
}

impl OpInfo {
    /// Words that follow the instruction word.
    pub const fn extra_words(&self) -> usize {
        (!matches!(self.extra, Extra::None)) as usize + self.cache as usize
    }
}

macro_rules! ops {
    ($($name:ident $format:ident $extra:ident $cache:literal $doc:literal;)*) => {
        /// The opcodes, in table order.
        #[allow(clippy::upper_case_acronyms, non_camel_case_types)]
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Op { $($name),* }

        /// The table itself, indexed by opcode.
        pub static OPS: &[OpInfo] = &[$(OpInfo {
            name: stringify!($name), format: Format::$format, extra: Extra::$extra, cache: $cache, doc: $doc,
        }),*];

        /// All opcodes, in order, for tables built elsewhere.
        pub const ALL: &[Op] = &[$(Op::$name),*];

        /// Calls `$m!` with the list of op names (used by the VM to build its dispatch table).
        #[macro_export]
        macro_rules! for_each_op {
            ($m:ident) => { $m! { $($name)* } };
        }
    };
}

ops! {
    // ---- moves and constants
    NOP None None 0 "nothing";
    MOVE AB None 0 "R[A] := R[B]";
    MOVET AB None 0 "R[A] := R[B], takes R[B]";
    LOADK AK None 0 "R[A] := K[BC]";
    LOADI AI None 0 "R[A] := int sBC";
    LOADNONE A None 0 "R[A] := None";
    CLEAR A None 0 "release R[A]; R[A] := unbound";
    CLEARN Ann None 0 "release R[A] .. R[A+B-1]";
    CHECKLOCAL AU None 0 "raise UnboundLocalError for varnames[BC] if R[A] is unbound (NameError wording for a cell)";
    DELLOCAL AU None 0 "release R[A]; UnboundLocalError for varnames[BC] if it was unbound";
    SPILLNEW AU None 0 "R[A] := a spill list of BC unbound slots, for locals beyond the register file";
    SPILLLOAD AB Num 0 "R[A] := spill list R[B] [X]; UnboundLocalError if unbound (name varnames[X + number of register locals])";
    SPILLSTORE AB Num 0 "spill list R[A] [X] := R[B]; R[B] unbound means delete";

    // ---- names
    LOADGLOBAL AN None 2 "R[A] := globals or builtins [N[BC]]; NameError";
    STOREGLOBAL AN None 2 "globals[N[BC]] := R[A]";
    DELGLOBAL AN None 0 "del globals[N[BC]] (A unused)";
    LOADNAME AN None 0 "R[A] := namespace R[0] [N[BC]], else globals, else builtins (class bodies, exec)";
    STORENAME AN None 0 "R[0] [N[BC]] := R[A]";
    DELNAME AN None 0 "del R[0] [N[BC]] (A unused)";
    LOADNAMEFREE AU None 0 "R[A] := R[0] [freevars[BC]], else the closure cell BC (class bodies)";
    LOADNAMEGLOBAL AN Num 0 "annotation scopes in classes: R[A] := closure cell X (a mapping, `__classdict__`) [N[BC]], else globals, else builtins";
    LOADNAMEDICTFREE AB Num 0 "annotation scopes in classes: R[A] := R[B] (a mapping) [freevars[X]], else the closure cell X";
    MAKECELL A None 0 "R[A] := new cell holding R[A] (which may be unbound)";
    LOADCELL ABn None 0 "R[A] := contents of the cell R[B]; NameError if empty (C unused; the name is varnames[B])";
    STORECELL AB None 0 "contents of the cell R[A] := R[B]";
    DELCELL A None 0 "empty the cell R[A]; NameError if it was empty";
    LOADFREE AU None 0 "R[A] := contents of closure cell BC; NameError if empty";
    STOREFREE AU None 0 "contents of closure cell BC := R[A]";
    DELFREE AU None 0 "empty closure cell BC (A unused); NameError if it was empty";
    LOADCLOSURE AU None 0 "R[A] := the closure cell BC itself";

    // ---- attributes and items
    LOADATTR AB Name 3 "R[A] := R[B].N[X]";
    STOREATTR AB Name 3 "R[A].N[X] := R[B]";
    STOREATTRT AB Name 3 "R[A].N[X] := R[B], takes R[B]";
    DELATTR A Name 0 "del R[A].N[X]";
    LOADMETHOD AB Name 4 "R[A], R[A+1] := the method N[X] of R[B] and its self; or the attribute and unbound";
    LOADSUPERMETHOD ABC Name 0 "like LOADMETHOD for super(R[B], R[C]).N[X], where R[A] holds what the name `super` gave";
    LOADSUPERATTR ABC Name 0 "R[A] := super(R[B], R[C]).N[X], where R[A] holds what the name `super` gave";
    LOADITEM ABC None 1 "R[A] := R[B][R[C]] (releases C if a temporary)";
    STOREITEM ABC None 1 "R[A][R[B]] := R[C]";
    STOREITEMT ABC None 1 "R[A][R[B]] := R[C], takes R[C]";
    DELITEM AB None 0 "del R[A][R[B]]";
    LOADSLICE ABC None 0 "R[A] := R[B][R[C] : R[C+1]] (None for a missing bound)";
    BUILDSLICE AB None 0 "R[A] := slice(R[B], R[B+1], R[B+2])";

    // ---- arithmetic: binary, in place, with small immediates, unary
    ADD ABC None 0 "R[A] := R[B] + R[C]";
    SUB ABC None 0 "R[A] := R[B] - R[C]";
    MUL ABC None 0 "R[A] := R[B] * R[C]";
    MATMUL ABC None 0 "R[A] := R[B] @ R[C]";
    DIV ABC None 0 "R[A] := R[B] / R[C]";
    MOD ABC None 0 "R[A] := R[B] % R[C]";
    POW ABC None 0 "R[A] := R[B] ** R[C]";
    LSHIFT ABC None 0 "R[A] := R[B] << R[C]";
    RSHIFT ABC None 0 "R[A] := R[B] >> R[C]";
    BITOR ABC None 0 "R[A] := R[B] | R[C]";
    BITXOR ABC None 0 "R[A] := R[B] ^ R[C]";
    BITAND ABC None 0 "R[A] := R[B] & R[C]";
    FLOORDIV ABC None 0 "R[A] := R[B] // R[C]";
    IADD ABC None 0 "R[A] := R[B] += R[C] (in-place protocol first; a str held only here grows in place when A = B)";
    ISUB ABC None 0 "R[A] := R[B] -= R[C]";
    IMUL ABC None 0 "R[A] := R[B] *= R[C]";
    IMATMUL ABC None 0 "R[A] := R[B] @= R[C]";
    IDIV ABC None 0 "R[A] := R[B] /= R[C]";
    IMOD ABC None 0 "R[A] := R[B] %= R[C]";
    IPOW ABC None 0 "R[A] := R[B] **= R[C]";
    ILSHIFT ABC None 0 "R[A] := R[B] <<= R[C]";
    IRSHIFT ABC None 0 "R[A] := R[B] >>= R[C]";
    IBITOR ABC None 0 "R[A] := R[B] |= R[C]";
    IBITXOR ABC None 0 "R[A] := R[B] ^= R[C]";
    IBITAND ABC None 0 "R[A] := R[B] &= R[C]";
    IFLOORDIV ABC None 0 "R[A] := R[B] //= R[C]";
    ADDI ABi None 0 "R[A] := R[B] + sC (also for `- n`, as + (-n), when the compiler knows nothing else: only for + )";
    SUBI ABi None 0 "R[A] := R[B] - sC";
    IADDI ABi None 0 "R[A] := R[B] += sC";
    ISUBI ABi None 0 "R[A] := R[B] -= sC";
    MULI ABi None 0 "R[A] := R[B] * sC";
    MODI ABi None 0 "R[A] := R[B] % sC";
    FLOORDIVI ABi None 0 "R[A] := R[B] // sC";
    BITANDI ABi None 0 "R[A] := R[B] & sC";
    NEG AB None 0 "R[A] := -R[B]";
    POS AB None 0 "R[A] := +R[B]";
    INVERT AB None 0 "R[A] := ~R[B]";
    NOT AB None 0 "R[A] := not R[B]";

    // ---- comparison
    LT ABC None 0 "R[A] := R[B] < R[C]";
    LE ABC None 0 "R[A] := R[B] <= R[C]";
    EQ ABC None 0 "R[A] := R[B] == R[C]";
    NE ABC None 0 "R[A] := R[B] != R[C]";
    GT ABC None 0 "R[A] := R[B] > R[C]";
    GE ABC None 0 "R[A] := R[B] >= R[C]";
    IS ABC None 0 "R[A] := R[B] is R[C]";
    ISNOT ABC None 0 "R[A] := R[B] is not R[C]";
    IN ABC None 0 "R[A] := R[B] in R[C]";
    NOTIN ABC None 0 "R[A] := R[B] not in R[C]";

    // ---- jumps
    JMP J None 0 "jump";
    JMPX None Jump 0 "jump by the extra word (long functions)";
    LOOP J None 0 "jump backward, looking at the eval breaker";
    LOOPX None Jump 0 "LOOP by the extra word";
    JT AJ None 0 "jump if R[A] is true";
    JF AJ None 0 "jump if R[A] is false";
    JNONE AJ None 0 "jump if R[A] is None";
    JNOTNONE AJ None 0 "jump if R[A] is not None";
    JLT ABn Jump 0 "jump by X if truth of R[A] < R[B] equals C";
    JLE ABn Jump 0 "jump by X if truth of R[A] <= R[B] equals C";
    JEQ ABn Jump 0 "jump by X if truth of R[A] == R[B] equals C";
    JNE ABn Jump 0 "jump by X if truth of R[A] != R[B] equals C";
    JGT ABn Jump 0 "jump by X if truth of R[A] > R[B] equals C";
    JGE ABn Jump 0 "jump by X if truth of R[A] >= R[B] equals C";
    JLTI Aif Jump 0 "jump by X if truth of R[A] < sB equals C";
    JLEI Aif Jump 0 "jump by X if truth of R[A] <= sB equals C";
    JEQI Aif Jump 0 "jump by X if truth of R[A] == sB equals C";
    JNEI Aif Jump 0 "jump by X if truth of R[A] != sB equals C";
    JGTI Aif Jump 0 "jump by X if truth of R[A] > sB equals C";
    JGEI Aif Jump 0 "jump by X if truth of R[A] >= sB equals C";
    JIS ABn Jump 0 "jump by X if (R[A] is R[B]) equals C";
    JIN ABn Jump 0 "jump by X if (R[A] in R[B]) equals C";

    // ---- iteration
    GETITER AB None 0 "R[A] := iter(R[B])";
    FORITER AB Jump 1 "R[A] := next(R[B]); at its end: clear R[B], jump by X";
    UNPACK ABn None 0 "R[A] .. R[A+C-1] := the C items of R[B]; ValueError on another count. They may be locals: none is written before the count is known to be right; R[B] is not among them";
    UNPACKEX ABn Num 0 "R[A].. := C items, a list of the middle, X items, of R[B]; as UNPACK otherwise";

    // ---- building values (all take their operands)
    LIST ABn None 0 "R[A] := [R[B] .. R[B+C-1]], takes them";
    TUPLE ABn None 0 "R[A] := (R[B] .. R[B+C-1]), takes them";
    SET ABn None 0 "R[A] := {R[B] .. R[B+C-1]}, takes them";
    DICT ABn None 0 "R[A] := {R[B]: R[B+1], ...} of C pairs, takes them";
    LISTAPPEND AB None 0 "R[A].append(R[B]) on a real list";
    LISTAPPENDT AB None 0 "R[A].append(R[B]) on a real list, takes R[B]";
    SETADD AB None 0 "R[A].add(R[B]) on a real set";
    DICTSET ABC None 0 "R[A][R[B]] := R[C] on a real dict";
    LISTEXTEND AB None 0 "extend the list R[A] by the iterable R[B] (star in a display; TypeError wording of `*`)";
    SETUPDATE AB None 0 "add the items of the iterable R[B] to the set R[A]";
    DICTUPDATE AB None 0 "`**R[B]` in a dict display";
    DICTMERGE ABC None 0 "`**R[B]` in a call of R[C], into the dict R[A]; TypeError on a repeated keyword";
    LISTTOTUPLE AB None 0 "R[A] := tuple(list R[B])";
    FSTR ABn None 0 "R[A] := the C strings from R[B] on, joined; takes them";
    FORMAT ABC None 0 "R[A] := format(R[B], R[C])";
    FORMATS ABn None 0 "R[A] := format(convert(R[B]), ''); C: 0 no conversion, 1 str, 2 repr, 3 ascii";
    CONVERT ABn None 0 "R[A] := str/repr/ascii of R[B], by C = 1, 2, 3";
    INTERPOLATION ABn Const 0 "R[A] := Interpolation(value R[B], text K[X], conversion C as in FORMATS, format spec R[B+1] or unbound)";
    TEMPLATE ABn None 0 "R[A] := Template of the C parts (strings and interpolations) from R[B] on; takes them";

    // ---- functions, classes, calls
    MKFUNC ABn Code 0 "R[A] := function of code X; C bits: 1 defaults tuple, 2 keyword defaults dict, 4 annotate function, 8 closure tuple; those present stand from R[B] on in this order and are taken";
    BUILDCLASS A None 0 "R[A] := the function __build_class__";
    CALL ABn None 1 "R[A] := R[B](R[B+1] .. R[B+C]); takes the window";
    CALLM ABn None 1 "method form: callee R[B], self or unbound in R[B+1], C further arguments from R[B+2]; takes the window";
    CALLKW ABn Const 0 "like CALL; the last len(K[X]) of the C arguments are keywords named by the tuple K[X]";
    CALLMKW ABn Const 0 "like CALLM; the last len(K[X]) of the C arguments are keywords";
    CALLEX ABn None 0 "R[A] := R[B](*R[B+1], **R[B+2]); R[B+1] is a tuple or list, R[B+2] a dict if C = 1; takes the window";
    RETURN A None 0 "return R[A], taking it";
    RETURNGEN A None 0 "return R[A] from a generator, coroutine or async generator";

    // ---- generators and coroutines
    YIELD AB None 0 "yield R[B]; on resume R[A] := what was sent";
    AYIELD AB None 0 "yield R[B] from an async generator; on resume R[A] := what was sent";
    YIELDITER AB None 0 "R[A] := the iterator that `yield from R[B]` delegates to";
    AWAITABLE ABn None 0 "R[A] := the awaitable iterator of R[B]; C says whose result it is, for the error: 0 await, 1 __aenter__, 2 __aexit__";
    SEND AB None 0 "delegate to R[B] with R[A] as the value to send; when the delegate ends, R[A] := its result and R[B] is cleared; while it yields, this frame yields the same and the op is run again on resume";
    GETAITER AB None 0 "R[A] := aiter(R[B])";
    ANEXT AB Jump 0 "R[A] := await anext(R[B]); R[B+1] is the op's own (unbound between uses); at StopAsyncIteration: clear R[B], jump by X";

    // ---- exceptions
    RAISE ABn None 0 "C = 0: re-raise the handled exception; 1: raise R[A]; 2: raise R[A] from R[B]";
    RERAISE A None 0 "go on raising the exception R[A], taking it (no new context, no new traceback entry for this line)";
    PUSHEXC AB None 0 "R[A] := the exception being handled so far (unbound if none); the handled exception := R[B]";
    POPEXC A None 0 "the handled exception := R[A], taking it";
    JNOMATCH AB Jump 0 "jump by X unless the exception R[A] matches the class or tuple R[B]; TypeError if R[B] is neither";
    EGMATCH ABC None 0 "except*: R[A], R[A+1] := the part of R[B] that matches R[C] (or None), the rest (or None)";
    EGRERAISE ABC None 0 "end of except*: R[A] := what must still be raised (or None), from the original R[B] and the list R[C] of exceptions raised or left over";
    WITHSPECIAL ABn None 0 "R[A], R[A+1] := special method of R[B]'s type and self; C: 0 __enter__, 1 __exit__, 2 __aenter__, 3 __aexit__; TypeError as for `with`";
    WITHEXCEPT ABC None 0 "R[A] := R[B] called (self in R[B+1] or unbound) with the three details of the exception R[C]";
    ASSERTERROR A None 0 "R[A] := the class AssertionError";

    // ---- imports
    IMPORT ABn Name 0 "R[A] := __import__(N[X], fromlist R[B], level C)";
    IMPORTFROM AB Name 0 "R[A] := attribute or submodule N[X] of the module R[B]; ImportError";
    IMPORTSTAR A None 0 "every public name of the module R[A] into the namespace (globals, or R[0] in name mode)";

    // ---- match
    MATCHSEQ AB None 0 "R[A] := R[B] is a sequence for `match`";
    MATCHMAP AB None 0 "R[A] := R[B] is a mapping for `match`";
    MATCHKEYS ABC None 0 "R[A] := tuple of values of the mapping R[B] for the key tuple R[C], or None";
    MATCHREST ABC None 0 "R[A] := dict of the mapping R[B] without the keys of the tuple R[C]";
    MATCHCLASS ABC Const 0 "R[A] := tuple of attributes of R[B] if it is an instance of R[C], else None; K[X] is the tuple (number of positionals, keyword names...)";
    LEN AB None 0 "R[A] := len(R[B])";

    // ---- the rest
    INTRINSIC ABn None 0 "R[A] := intrinsic C applied to R[B] (see `Intrinsic`)";
    JTK AJ None 0 "`or` as a value: if R[A] is true, jump and keep it; else release it (even a temporary survives the jump)";
    JFK AJ None 0 "`and` as a value: if R[A] is false, jump and keep it; else release it";

    // ---- forms that only the VM writes (quickened ops; the compiler never emits them)
    LOADATTR_SLOT AB Name 3 "LOADATTR of an instance slot: cache = shape id, byte offset";
    LOADATTR_CLASS AB Name 3 "LOADATTR of a plain class attribute: cache = shape id, value pointer";
    STOREATTR_SLOT AB Name 3 "STOREATTR of an existing instance slot: cache = shape id, byte offset";
    STOREATTRT_SLOT AB Name 3 "STOREATTRT of an existing instance slot";
    STOREATTR_ADD AB Name 3 "STOREATTR that adds a slot: cache = shape id, new shape pointer";
    STOREATTRT_ADD AB Name 3 "STOREATTRT that adds a slot";
    LOADMETHOD_FN AB Name 4 "LOADMETHOD of a function in the class: cache = shape id, function pointer";
    LOADATTR_PROP AB Name 3 "LOADATTR of a property with a script getter: cache = shape id, getter pointer";
    LOADGLOBAL_MOD AN None 2 "LOADGLOBAL from the module dict: cache = keys version, entry index";
    LOADGLOBAL_BUILTIN AN None 2 "LOADGLOBAL from builtins: cache = both versions folded, entry index";
    STOREGLOBAL_MOD AN None 2 "STOREGLOBAL of an existing entry";
    FORITER_RANGE AB Jump 1 "FORITER over a range of small ints";
    FORITER_LIST AB Jump 1 "FORITER over a list";
    FORITER_GEN AB Jump 1 "FORITER over a generator";
    FORITER_TUPLE AB Jump 1 "FORITER over a tuple";
    LOADITEM_LIST ABC None 1 "LOADITEM of a list by small int";
    LOADITEM_DICT ABC None 1 "LOADITEM of a dict";
    CALL_FN ABn None 1 "CALL of a script function with exactly its positional parameters";
    CALL_NATIVE ABn None 1 "CALL of a native function";
    CALL_CLASS ABn None 1 "CALL of a class with a script __init__";
    CALLM_FN ABn None 1 "CALLM of a script function with exactly its positional parameters";
    CALLM_NATIVE ABn None 1 "CALLM of a native method";
}

/// Operations of `INTRINSIC`, by number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Intrinsic {
    /// The REPL shows the value of an expression statement (`sys.displayhook`).
    PrintExpr,
    /// `TypeVar(R[B])`; with bound function R[B+1] and default function R[B+2], each None if absent (lazily called).
    TypeVar,
    /// `ParamSpec(R[B])`, default function in R[B+2].
    ParamSpec,
    /// `TypeVarTuple(R[B])`, default function in R[B+2].
    TypeVarTuple,
    /// `TypeAliasType`: name R[B], type params tuple R[B+1], value function R[B+2].
    TypeAlias,
    /// `Generic[*R[B]]` for a class with type parameters (R[B] is a tuple).
    SubscriptGeneric,
    /// function R[B]`.__type_params__ := R[B+1]`; gives the function.
    SetTypeParams,
    /// `locals()` mapping of a class body, for `__classdict__` (gives R[0] itself).
    ClassDict,
    /// Raise the NotImplementedError of annotate functions for any format but 1 and 2 (R[B] is the format).
    CheckFormat,
}

impl Op {
    /// The opcode for a byte, or None beyond the table.
    pub fn from_u8(byte: u8) -> Option<Op> {
        ALL.get(byte as usize).copied()
    }
    pub fn info(self) -> &'static OpInfo {
        &OPS[self as usize]
    }
    /// Words of the whole instruction.
    pub fn words(self) -> usize {
        1 + self.info().extra_words()
    }
}

/// Packs an instruction word.
pub const fn encode(op: Op, a: u8, b: u8, c: u8) -> u32 {
    a as u32 | (op as u32) << 8 | (b as u32) << 16 | (c as u32) << 24
}
