//! TCP reassembly: segments in, ordered bytes with named holes out (RFC 9293).

mod checksum;
mod conn;
mod half;
mod option;
mod queue;
mod recent;
mod sack;
mod seq;

pub use checksum::has_right_checksum;
pub use conn::{Conn, Recalled, Start};
pub use half::{Budget, Compared, Out};
pub use option::{LONGEST, option};
pub use seq::{NEAR, Seq, WIDEST};
