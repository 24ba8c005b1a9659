//! Objects: the Value word, the heap, shapes, and the payload of every core type.
//!
//! It stands under `vm`: data layouts and memory, no behaviour that could call script code. (Signatures mention `vm::Vm`, opaquely.)

pub mod cycles;
pub mod dict;
pub mod exception;
pub mod func;
pub mod generator;
pub mod header;
pub mod heap;
pub mod instance;
pub mod iter;
pub mod native;
pub mod num;
pub mod seq;
pub mod set;
pub mod shape;
pub mod str;
pub mod text;
pub mod types;
pub mod value;
pub mod weak;

pub use header::{Kind, Payload};
pub use native::{Args, NativeDef};
pub use value::Value;
