//! What was said over WebSocket, from a packet capture.
//!
//! ```text
//! file ─▶ Packet ─▶ Segment ─▶ Input ─▶ [probe ▸ tls ▸ http1 ▸ ws] ─▶ Event ─▶ Sink
//!        capture     net        tcp             proto                 model
//! ```
//!
//! Each module eats one noun and yields the next; [`dissect`] puts them in a row. Events borrow from the read buffer:
//! who keeps something, copies it.
//!
//! ```
//! use std::ops::ControlFlow;
//! use wspect::capture::Reader;
//! use wspect::model::{Event, Limits, Sink, Stamp};
//!
//! struct Texts(Vec<String>);
//!
//! impl Sink for Texts {
//!     fn accept(&mut self, _at: &Stamp, event: Event<'_>) -> ControlFlow<()> {
//!         if let Event::Message(message) = event
//!             && message.is_text()
//!         {
//!             self.0.push(String::from_utf8_lossy(message.body.kept).into_owned());
//!         }
//!         ControlFlow::Continue(())
//!     }
//! }
//!
//! let file = std::fs::File::open("samples/stomp.pcapng")?;
//! let mut reader = Reader::new(Box::new(file))?;
//! let mut texts = Texts(Vec::new());
//! wspect::dissect::run(&mut reader, Limits::DEFAULT, &mut texts, &mut |_| ControlFlow::Continue(()));
//! assert!(texts.0[0].starts_with("CONNECT\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod book;
pub mod capture;
pub mod carry;
pub mod cli;
pub mod decode;
pub mod der;
pub mod dissect;
pub mod escape;
pub mod export;
pub mod filter;
pub mod keys;
pub mod model;
pub mod net;
pub mod proto;
pub mod tcp;
pub mod tui;
