//! Requests of the other transports of a session, and what comes of them.

use super::{Http1, Side};
use crate::model::{Direction, Head};
use crate::proto::handshake::polled::Polled;
use crate::proto::http1::asked::Asked;
use crate::proto::layer::Cx;
use std::collections::VecDeque;

impl Http1 {
    /// The head of the answer to such a request.
    pub(super) fn polled_answer(&mut self, mut polled: Box<Polled>, head: &Head, cx: &mut Cx<'_>) {
        polled.answered(head);
        match self.sides.to_client {
            Side::Body(_) => self.polled = Some(polled),
            _ => polled.tell(cx),
        }
    }

    /// Nothing more comes of the answer at hand.
    pub(super) fn polled_whole(&mut self, cx: &mut Cx<'_>) {
        if let Some(polled) = self.polled.take() {
            polled.tell(cx);
        }
    }

    /// Answers do not come any more: tells of the requests without them.
    pub(super) fn polled_over(&mut self, cx: &mut Cx<'_>) {
        self.polled_whole(cx);
        for asked in &mut self.asked {
            if let Some(polled) = asked.polled.take() {
                polled.tell(cx);
            }
        }
    }
}

/// The request whose body is read, or that whose answer's is.
pub(super) fn at_hand<'a>(
    dir: Direction,
    answered: &'a mut Option<Box<Polled>>,
    asked: &'a mut VecDeque<Asked>,
) -> Option<&'a mut Polled> {
    match asked.back_mut() {
        Some(last) if dir == Direction::ToServer => last.polled.as_deref_mut(),
        // It was answered before all of it was sent.
        _ => answered.as_deref_mut(),
    }
}
