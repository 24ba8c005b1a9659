//! The dispatch table: the handler of every opcode, in op-table order.

#![allow(unsafe_code)]

use super::Vm;
use super::dispatch::{Handler, bad_op, via};
use super::frame::Flow;
use super::{
    ops_arith as ar, ops_basic as ba, ops_build as bu, ops_call as ca, ops_names as na,
    resume as re, unwind as un,
};
use crate::bytecode::ops::Op;

/// A handler made of a slow op.
macro_rules! slow {
    ($f:path) => {{
        unsafe fn handler(vm: *const Vm, pc: *const u32, base: *mut u64, w: u64) -> Flow {
            // SAFETY: a handler's contract.
            unsafe { via(vm, pc, base, w, $f) }
        }
        handler as Handler
    }};
}

const fn build() -> [Handler; 256] {
    let mut t: [Handler; 256] = [bad_op; 256];
    macro_rules! set {
        ($($op:ident $h:expr;)*) => { $(t[Op::$op as usize] = $h;)* };
    }
    set! {
        NOP ba::op_nop; MOVE ba::op_move; MOVET ba::op_movet; LOADK ba::op_loadk; LOADI ba::op_loadi; LOADNONE ba::op_loadnone;
        CLEAR ba::op_clear; CLEARN slow!(ba::slow_clearn); CHECKLOCAL ba::op_checklocal; DELLOCAL ba::op_dellocal;
        SPILLNEW slow!(ba::slow_spillnew); SPILLLOAD slow!(ba::slow_spillload); SPILLSTORE slow!(ba::slow_spillstore);
        LOADGLOBAL slow!(na::slow_loadglobal); STOREGLOBAL slow!(na::slow_storeglobal); DELGLOBAL slow!(na::slow_delglobal);
        LOADNAME slow!(na::slow_loadname); STORENAME slow!(na::slow_storename); DELNAME slow!(na::slow_delname);
        LOADNAMEFREE slow!(na::slow_loadnamefree); LOADNAMEGLOBAL slow!(na::slow_loadnameglobal); LOADNAMEDICTFREE slow!(na::slow_loadnamedictfree);
        MAKECELL slow!(ba::slow_makecell); LOADCELL ba::op_loadcell; STORECELL ba::op_storecell; DELCELL ba::op_delcell;
        LOADFREE ba::op_loadfree; STOREFREE ba::op_storefree; DELFREE ba::op_delfree; LOADCLOSURE ba::op_loadclosure;
        LOADATTR slow!(na::slow_loadattr); STOREATTR slow!(na::slow_storeattr); STOREATTRT slow!(na::slow_storeattr); DELATTR slow!(na::slow_delattr);
        LOADMETHOD slow!(na::slow_loadmethod); LOADSUPERMETHOD slow!(na::slow_loadsupermethod); LOADSUPERATTR slow!(na::slow_loadsuperattr);
        LOADITEM ba::op_loaditem; STOREITEM ba::op_storeitem; STOREITEMT ba::op_storeitemt; DELITEM slow!(ba::slow_delitem);
        LOADSLICE slow!(ba::slow_loadslice); BUILDSLICE slow!(ba::slow_buildslice);
        ADD ar::op_add; SUB ar::op_sub; MUL ar::op_mul; MATMUL ar::op_matmul; DIV ar::op_div; MOD ar::op_mod; POW ar::op_pow;
        LSHIFT ar::op_lshift; RSHIFT ar::op_rshift; BITOR ar::op_bitor; BITXOR ar::op_bitxor; BITAND ar::op_bitand; FLOORDIV ar::op_floordiv;
        IADD ar::op_iadd; ISUB ar::op_isub; IMUL ar::op_imul; IMATMUL ar::op_imatmul; IDIV ar::op_idiv; IMOD ar::op_imod; IPOW ar::op_ipow;
        ILSHIFT ar::op_ilshift; IRSHIFT ar::op_irshift; IBITOR ar::op_ibitor; IBITXOR ar::op_ibitxor; IBITAND ar::op_ibitand; IFLOORDIV ar::op_ifloordiv;
        ADDI ar::op_addi; SUBI ar::op_subi; IADDI ar::op_iaddi; ISUBI ar::op_isubi; MULI ar::op_muli; MODI ar::op_modi;
        FLOORDIVI ar::op_floordivi; BITANDI ar::op_bitandi; NEG ar::op_neg; POS ar::op_unary; INVERT ar::op_unary; NOT ar::op_not;
        LT ar::op_lt; LE ar::op_le; EQ ar::op_eq; NE ar::op_ne; GT ar::op_gt; GE ar::op_ge;
        IS ar::op_is; ISNOT ar::op_is; IN ar::op_in; NOTIN ar::op_in;
        JMP ar::op_jmp; JMPX ar::op_jmpx; LOOP ar::op_loop; LOOPX ar::op_loopx; JT ar::op_jt; JF ar::op_jf; JTK ar::op_jtk; JFK ar::op_jfk; JNONE ar::op_jnone; JNOTNONE ar::op_jnotnone;
        JLT ar::op_jlt; JLE ar::op_jle; JEQ ar::op_jeq; JNE ar::op_jne; JGT ar::op_jgt; JGE ar::op_jge;
        JLTI ar::op_jlti; JLEI ar::op_jlei; JEQI ar::op_jeqi; JNEI ar::op_jnei; JGTI ar::op_jgti; JGEI ar::op_jgei; JIS ar::op_jis; JIN ar::op_jin;
        GETITER slow!(ba::slow_getiter); FORITER ba::op_foriter; UNPACK slow!(ba::slow_unpack); UNPACKEX slow!(ba::slow_unpackex);
        LIST slow!(bu::slow_list); TUPLE slow!(bu::slow_tuple); SET slow!(bu::slow_set); DICT slow!(bu::slow_dict);
        LISTAPPEND slow!(bu::slow_listappend); LISTAPPENDT slow!(bu::slow_listappendt); SETADD slow!(bu::slow_setadd); DICTSET slow!(bu::slow_dictset);
        LISTEXTEND slow!(bu::slow_listextend); SETUPDATE slow!(bu::slow_setupdate); DICTUPDATE slow!(bu::slow_dictupdate); DICTMERGE slow!(bu::slow_dictmerge);
        LISTTOTUPLE slow!(bu::slow_listtotuple); FSTR slow!(bu::slow_fstr); FORMAT slow!(bu::slow_format); FORMATS slow!(bu::slow_formats);
        CONVERT slow!(bu::slow_convert); INTERPOLATION slow!(bu::slow_interpolation); TEMPLATE slow!(bu::slow_template);
        MKFUNC slow!(bu::slow_mkfunc); BUILDCLASS slow!(bu::slow_buildclass);
        CALL ca::op_call; CALLM ca::op_callm; CALLKW slow!(ca::slow_callkw); CALLMKW slow!(ca::slow_callmkw); CALLEX slow!(ca::slow_callex);
        RETURN ca::op_return; RETURNGEN re::op_returngen;
        YIELD re::op_yield; AYIELD slow!(re::slow_ayield); YIELDITER slow!(bu::slow_yielditer); AWAITABLE slow!(bu::slow_awaitable);
        SEND slow!(re::slow_send); GETAITER slow!(bu::slow_getaiter); ANEXT slow!(re::slow_anext);
        RAISE slow!(un::slow_raise); RERAISE slow!(un::slow_reraise); PUSHEXC slow!(un::slow_pushexc); POPEXC slow!(un::slow_popexc);
        JNOMATCH slow!(un::slow_jnomatch); EGMATCH slow!(bu::slow_egmatch); EGRERAISE slow!(bu::slow_egreraise);
        WITHSPECIAL slow!(bu::slow_withspecial); WITHEXCEPT slow!(bu::slow_withexcept); ASSERTERROR slow!(bu::slow_asserterror);
        IMPORT slow!(bu::slow_import); IMPORTFROM slow!(bu::slow_importfrom); IMPORTSTAR slow!(bu::slow_importstar);
        MATCHSEQ slow!(bu::slow_matchseq); MATCHMAP slow!(bu::slow_matchmap); MATCHKEYS slow!(bu::slow_matchkeys); MATCHREST slow!(bu::slow_matchrest);
        MATCHCLASS slow!(bu::slow_matchclass); LEN slow!(bu::slow_len); INTRINSIC slow!(bu::slow_intrinsic);
        LOADATTR_SLOT na::op_loadattr_slot; LOADATTR_CLASS na::op_loadattr_class; LOADATTR_PROP na::op_loadattr_prop;
        STOREATTR_SLOT na::op_storeattr_slot; STOREATTRT_SLOT na::op_storeattrt_slot; STOREATTR_ADD na::op_storeattr_add; STOREATTRT_ADD na::op_storeattrt_add;
        LOADMETHOD_FN na::op_loadmethod_fn; LOADGLOBAL_MOD na::op_loadglobal_mod; LOADGLOBAL_BUILTIN na::op_loadglobal_builtin; STOREGLOBAL_MOD na::op_storeglobal_mod;
    }
    t
}

/// Indexed by opcode byte.
pub static TABLE: [Handler; 256] = build();
