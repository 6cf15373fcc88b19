//! RC4, which old captures have: no library is worth its place for it.

/// A key stream (RFC 6229 has vectors).
#[derive(Clone)]
pub(super) struct Rc4 {
    state: [u8; 256],
    i: u8,
    j: u8,
}

#[expect(clippy::indexing_slicing, reason = "a byte is always within 256 of them")]
impl Rc4 {
    pub(super) fn new(key: &[u8]) -> Self {
        let mut state = [0; 256];
        for (at, byte) in (0..=u8::MAX).zip(&mut state) {
            *byte = at;
        }
        let mut j: u8 = 0;
        for (i, key) in (0..256).zip(key.iter().cycle()) {
            j = j.wrapping_add(state[i]).wrapping_add(*key);
            state.swap(i, usize::from(j));
        }
        Self { state, i: 0, j: 0 }
    }

    /// Encrypts or decrypts in place.
    pub(super) fn apply(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte ^= self.next();
        }
    }

    fn next(&mut self) -> u8 {
        self.i = self.i.wrapping_add(1);
        let a = self.state[usize::from(self.i)];
        self.j = self.j.wrapping_add(a);
        let b = self.state[usize::from(self.j)];
        self.state[usize::from(self.i)] = b;
        self.state[usize::from(self.j)] = a;
        self.state[usize::from(a.wrapping_add(b))]
    }
}

#[cfg(test)]
mod tests {
    use super::Rc4;

    /// RFC 6229 §2: the key 0x0102030405.
    #[test]
    fn makes_the_key_stream_of_rfc_6229() {
        let mut rc4 = Rc4::new(&[1, 2, 3, 4, 5]);
        let mut bytes = [0; 16];
        rc4.apply(&mut bytes);
        assert_eq!(bytes, 0xb239_6305_f03d_c027_ccc3_524a_0a11_18a8_u128.to_be_bytes());
        rc4.apply(&mut [0; 224]);
        let mut bytes = [0; 16];
        rc4.apply(&mut bytes);
        assert_eq!(bytes, 0x28cb_1132_c96c_e286_421d_caad_b8b6_9eae_u128.to_be_bytes());
    }
}
