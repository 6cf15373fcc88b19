//! Sequence numbers, which wrap.

/// A TCP sequence number: arithmetic and order are modulo 2³² (RFC 9293 §3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seq(pub u32);

impl Seq {
    /// The number `n` bytes later.
    #[must_use]
    pub const fn plus(self, n: u32) -> Self {
        Self(self.0.wrapping_add(n))
    }

    /// How far `self` stands behind `earlier`: −2³¹ … 2³¹−1, negative when it stands before.
    #[expect(clippy::cast_possible_wrap, reason = "the wrap is the meaning")]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.wrapping_sub(earlier.0) as i32 as i64
    }
}

/// log₂ of the window that is taken for possible where the handshake does not tell: the largest usual one, in bytes.
pub const WIDEST: u8 = 20;

/// How far apart two numbers of one stream may stand: that window.
pub const NEAR: i64 = 1 << WIDEST;

#[cfg(test)]
mod tests {
    use super::Seq;

    #[test]
    fn wraps() {
        assert_eq!(Seq(5).since(Seq(0xffff_fffb)), 10);
        assert_eq!(Seq(0xffff_fffb).since(Seq(5)), -10);
        assert_eq!(Seq(0xffff_ffff).plus(2), Seq(1));
    }
}
