//! wip
pub mod escape;
pub mod model;
