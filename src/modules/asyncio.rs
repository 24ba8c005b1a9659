//! `_asyncio` and `_socket`: the native half of asyncio as modules. All of it lives in `event`; here are the tables.

use crate::event::{
    self, future_type, gather, handle, interrupt, loop_type, net, queue_type, reader_type,
    semaphore, sleep, socket, state, sync, task_type,
};
use crate::object::header::Kind;
use crate::object::types::TypeObj;
use crate::object::value::Value;
use crate::vm::raise::Exc;
use crate::vm::{Res, Vm};

/// Makes `_asyncio`.
pub fn asyncio(vm: &Vm) -> Res {
    let st = state::state(vm);
    event::register(vm);
    // Tasks and callbacks make contexts, whether a script imports contextvars or not.
    vm.import_module("contextvars")?;
    st.cancelled_error.set(vm.new_exception_class(
        "asyncio.exceptions",
        "CancelledError",
        Exc::BaseException,
    )?);
    st.invalid_state.set(vm.new_exception_class(
        "asyncio.exceptions",
        "InvalidStateError",
        Exc::Exception,
    )?);
    let m = vm.native_module(
        "_asyncio",
        "The event loop, futures and tasks.",
        &[
            task_type::FUNCTIONS,
            gather::FUNCTIONS,
            sleep::FUNCTIONS,
            net::FUNCTIONS,
            interrupt::FUNCTIONS,
            event::context::FUNCTIONS,
            event::transport_type::FUNCTIONS,
        ],
    );
    vm.module_set(&m, "CancelledError", st.cancelled_error.get());
    vm.module_set(&m, "InvalidStateError", st.invalid_state.get());
    // Bases first: a type finds its base by the kind.
    vm.module_types(
        &m,
        &[
            &event::abstract_loop::ABSTRACT_LOOP,
            &future_type::FUTURE,
            &task_type::TASK,
            &future_type::GATHERING,
            &future_type::FUTURE_ITER,
            &handle::HANDLE,
            &handle::TIMER_HANDLE,
            &loop_type::LOOP,
            &sync::EVENT,
            &sync::LOCK,
            &semaphore::SEMAPHORE,
            &semaphore::BOUNDED,
            &queue_type::QUEUE,
            &event::group::GROUP,
            &event::transport_type::TRANSPORT,
            &reader_type::READER,
            &event::writer::WRITER,
        ],
    );
    vm.native_type(&socket::SOCKET);
    let timer = vm.native_type(&handle::TIMER_HANDLE);
    if let Some(t) = timer.get::<TypeObj>() {
        st.timer_handle_shape.set(t.root_shape.get());
    }
    st.timer_handle.set(timer);
    vm.module_set(&m, "EventLoop", vm.kind_type(Kind::Loop).clone());
    vm.module_set(&m, "SocketTransport", vm.kind_type(Kind::Transport).clone());
    Ok(m)
}

/// Makes `_socket`.
pub fn socket(vm: &Vm) -> Res {
    vm.heap.register::<socket::Socket>();
    let m = vm.native_module("_socket", "Sockets.", &[]);
    vm.module_types(&m, &[&socket::SOCKET]);
    vm.module_set(&m, "SocketType", vm.native_type(&socket::SOCKET));
    vm.module_set(&m, "error", vm.exc_type(Exc::OSError).clone());
    vm.module_set(&m, "timeout", vm.exc_type(Exc::TimeoutError).clone());
    for name in ["gaierror", "herror"] {
        vm.module_set(
            &m,
            name,
            vm.new_exception_class("socket", name, Exc::OSError)?,
        );
    }
    for (name, n) in socket::CONSTANTS {
        vm.module_set(&m, name, vm.int(*n));
    }
    vm.module_set(&m, "has_ipv6", Value::TRUE);
    Ok(m)
}
