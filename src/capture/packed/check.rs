//! Checksums of xz (.xz file format §3.4).

use flate2::Crc;
use sha2::{Digest as _, Sha256};

/// A checksum under way.
pub(super) enum Check {
    Crc32(Crc),
    Crc64(u64),
    Sha256(Box<Sha256>),
    /// None, or one that is not known.
    Other,
}

impl Check {
    /// The one with this number (§2.1.1.2).
    pub(super) fn of(id: u8) -> Self {
        match id {
            0x01 => Self::Crc32(Crc::new()),
            0x04 => Self::Crc64(!0),
            0x0a => Self::Sha256(Box::default()),
            _ => Self::Other,
        }
    }

    /// Bytes of the one with this number, whether it is known or not.
    pub(super) fn length(id: u8) -> usize {
        id.checked_sub(1).map_or(0, |id| 4 << (id / 3))
    }

    pub(super) fn update(&mut self, data: &[u8]) {
        match self {
            Self::Crc32(crc) => crc.update(data),
            Self::Crc64(crc) => *crc = crc64(*crc, data),
            Self::Sha256(hash) => hash.update(data),
            Self::Other => {}
        }
    }

    /// Whether it is as the stream tells.
    pub(super) fn is(self, told: &[u8]) -> bool {
        match self {
            Self::Crc32(crc) => crc.sum().to_le_bytes() == told,
            Self::Crc64(crc) => (!crc).to_le_bytes() == told,
            Self::Sha256(hash) => hash.finalize().as_slice() == told,
            Self::Other => true,
        }
    }
}

/// As it is written.
pub(super) fn crc32(data: &[u8]) -> [u8; 4] {
    let mut crc = Crc::new();
    crc.update(data);
    crc.sum().to_le_bytes()
}

/// ECMA-182, its bits reversed.
const POLYNOMIAL: u64 = 0xc96c_5795_d787_0f42;

/// For each byte the remainder of it, followed by as many zeros as the number of the table.
static TABLES: [[u64; 256]; 8] = tables();

#[expect(clippy::indexing_slicing, reason = "a constant evaluation that goes out of bounds does not compile")]
const fn tables() -> [[u64; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u64;
        let mut table = 0;
        while table < 8 {
            let mut bit = 0;
            while bit < 8 {
                crc = crc >> 1 ^ (crc & 1).wrapping_neg() & POLYNOMIAL;
                bit += 1;
            }
            tables[table][byte] = crc;
            table += 1;
        }
        byte += 1;
    }
    tables
}

/// Goes on with a CRC64 over `data`, eight bytes at a time.
fn crc64(crc: u64, data: &[u8]) -> u64 {
    let (eights, rest) = data.as_chunks::<8>();
    let look = |table: &[u64; 256], byte: u8| table.get(usize::from(byte)).copied().unwrap_or_default();
    let crc = eights.iter().fold(crc, |crc, eight| {
        let mixed = (crc ^ u64::from_le_bytes(*eight)).to_be_bytes();
        TABLES.iter().zip(mixed).fold(0, |crc, (table, byte)| crc ^ look(table, byte))
    });
    let [first, ..] = &TABLES;
    rest.iter().fold(crc, |crc, &byte| crc >> 8 ^ look(first, crc as u8 ^ byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The catalogue's check values, of the digits 1 to 9.
    #[test]
    fn digits() {
        for (id, told) in [(1, &0xcbf4_3926_u32.to_le_bytes()[..]), (4, &0x995d_c9bb_df19_39fa_u64.to_le_bytes())] {
            for at in 0..=9 {
                let (first, second) = b"123456789".split_at(at);
                let mut check = Check::of(id);
                check.update(first);
                check.update(second);
                assert!(check.is(told), "{id}, cut at {at}");
                assert_eq!(told.len(), Check::length(id));
            }
        }
        assert_eq!([0, 2, 10, 15].map(Check::length), [0, 4, 32, 64]);
    }
}
