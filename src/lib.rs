//! wip
pub mod escape;
pub mod export;
pub mod model;
