//! wip
pub mod capture;
pub mod escape;
pub mod model;
pub mod net;
