//! The outside world: clocks and byte streams. Everything that reads a clock or touches a descriptor goes through here, so that a
//! simulation can stand in for it.
//!
//! Rule: nothing here knows a `Value`; errors are `std::io::Error`.

pub mod clock;
pub mod dns;
pub mod net;
pub mod poller;
pub mod stream;
