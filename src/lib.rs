//! wip
pub mod carry;
pub mod escape;
pub mod model;
pub mod proto;
pub mod tcp;
