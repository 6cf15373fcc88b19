//! The two directions of a connection, indexed instead of doubled.

use std::ops::{Index, IndexMut};

use super::rng::Rng;

/// Which way bytes go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    ToServer,
    ToClient,
}

impl Direction {
    pub(crate) const BOTH: [Self; 2] = [Self::ToServer, Self::ToClient];

    /// To the server in `rate` of 10 000 cases.
    pub(crate) fn by_lot(rng: &mut Rng, rate: u32) -> Self {
        if rng.chance(rate) { Self::ToServer } else { Self::ToClient }
    }

    /// The way back.
    pub(crate) fn back(self) -> Self {
        match self {
            Self::ToServer => Self::ToClient,
            Self::ToClient => Self::ToServer,
        }
    }
}

/// One value for each direction.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Both<T> {
    pub(crate) to_server: T,
    pub(crate) to_client: T,
}

impl<T> Index<Direction> for Both<T> {
    type Output = T;

    fn index(&self, dir: Direction) -> &T {
        match dir {
            Direction::ToServer => &self.to_server,
            Direction::ToClient => &self.to_client,
        }
    }
}

impl<T> IndexMut<Direction> for Both<T> {
    fn index_mut(&mut self, dir: Direction) -> &mut T {
        match dir {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }
}
