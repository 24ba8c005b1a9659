//! AbstractEventLoop: what every loop has, for scripts that write their own. Every method raises NotImplementedError.

use crate::object::header::Kind;
use crate::object::native::NativeDef;
use crate::object::types::{TypeSpec, tflag};
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::{Res, Vm};

fn nothing(vm: &Vm, _: &[Value]) -> Res {
    Err(vm.error_args(Exc::NotImplementedError, vec![]))
}

macro_rules! methods {
    ($($name:ident)*) => {
        &[$(NativeDef { sig: concat!(stringify!($name), "(self, /, *args, **kwargs)"), f: nothing, doc: "Not implemented by the abstract loop." }),*]
    };
}

pub static ABSTRACT_LOOP: TypeSpec = TypeSpec {
    name: "asyncio.events.AbstractEventLoop",
    kind: Kind::Object,
    flags: tflag::BASETYPE | tflag::DICT | tflag::WEAKREF,
    methods: methods! {
        run_forever run_until_complete stop is_running is_closed close shutdown_asyncgens shutdown_default_executor
        _timer_handle_cancelled call_soon call_later call_at time create_future create_task call_soon_threadsafe run_in_executor
        set_default_executor getaddrinfo getnameinfo create_connection create_server start_tls sendfile create_unix_connection create_unix_server
        connect_accepted_socket create_datagram_endpoint connect_read_pipe connect_write_pipe subprocess_shell subprocess_exec
        add_reader remove_reader add_writer remove_writer sock_recv sock_recv_into sock_recvfrom sock_recvfrom_into sock_sendall sock_sendto
        sock_connect sock_accept sock_sendfile add_signal_handler remove_signal_handler set_task_factory get_task_factory
        get_exception_handler set_exception_handler default_exception_handler call_exception_handler get_debug set_debug
    },
    doc: "What every event loop has.",
    ..TypeSpec::EMPTY
};
