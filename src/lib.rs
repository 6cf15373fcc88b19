//! wip
pub mod book;
pub mod decode;
pub mod escape;
pub mod model;
pub mod tui;
