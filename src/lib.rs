//! wip
pub mod carry;
pub mod escape;
pub mod export;
pub mod model;
pub mod proto;
pub mod tcp;
