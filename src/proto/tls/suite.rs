//! The cipher suites: what each number is called, and how its records are sealed.

/// A hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Md5,
    Sha1,
    Sha256,
    Sha384,
}

/// How authenticated encryption is done (RFC 5116), by key length and tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aead {
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20Poly1305,
    Aes128Ccm,
    Aes256Ccm,
    Aes128Ccm8,
    Aes256Ccm8,
    Camellia128Gcm,
    Camellia256Gcm,
    Aria128Gcm,
    Aria256Gcm,
}

/// A block cipher in CBC mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    TripleDes,
    Aes128,
    Aes256,
    Camellia128,
    Camellia256,
    Aria128,
    Aria256,
}

/// How records are sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sealing {
    Aead(Aead),
    /// RFC 5246 §6.2.3.2, with the hash of the MAC.
    Cbc(Block, Hash),
    /// RFC 5246 §6.2.3.1 with RC4, and the hash of the MAC.
    Rc4(Hash),
    /// Not encrypted, with a MAC only.
    Null(Hash),
    /// In a way that is not known here.
    Other,
}

/// A cipher suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Suite {
    /// Its name in IANA's registry.
    pub(super) name: String,
    pub(super) sealing: Sealing,
    /// Of HKDF in TLS 1.3, of the PRF in TLS 1.2.
    pub(super) prf: Hash,
}

/// The suites that differ in the key exchange only: `TLS_<key exchange>_WITH_<cipher>`. Up to TLS 1.2.
struct Family {
    cipher: &'static str,
    sealing: Sealing,
    prf: Hash,
    suites: &'static [(u16, &'static str)],
}

impl Suite {
    /// The suite of a number, if it is known by name.
    pub(super) fn find(number: u16) -> Option<Self> {
        if let Some(&(_, name, aead, prf)) = TLS_1_3.iter().find(|row| row.0 == number) {
            return Some(Self { name: name.to_owned(), sealing: Sealing::Aead(aead), prf });
        }
        FAMILIES.iter().find_map(|family| {
            let (_, exchange) = family.suites.iter().find(|suite| suite.0 == number)?;
            let name = format!("TLS_{exchange}_WITH_{}", family.cipher);
            Some(Self { name, sealing: family.sealing, prf: family.prf })
        })
    }

    /// Whether the client encrypts the premaster secret with the server's RSA key (RFC 5246 §7.4.7.1).
    pub(super) fn is_by_rsa(&self) -> bool {
        self.name.starts_with("TLS_RSA_WITH_")
    }
}

/// RFC 8446 §B.4.
const TLS_1_3: &[(u16, &str, Aead, Hash)] = &[
    (0x1301, "TLS_AES_128_GCM_SHA256", Aead::Aes128Gcm, Hash::Sha256),
    (0x1302, "TLS_AES_256_GCM_SHA384", Aead::Aes256Gcm, Hash::Sha384),
    (0x1303, "TLS_CHACHA20_POLY1305_SHA256", Aead::ChaCha20Poly1305, Hash::Sha256),
    (0x1304, "TLS_AES_128_CCM_SHA256", Aead::Aes128Ccm, Hash::Sha256),
    (0x1305, "TLS_AES_128_CCM_8_SHA256", Aead::Aes128Ccm8, Hash::Sha256),
];

#[rustfmt::skip]
const FAMILIES: &[Family] = &[
    Family { cipher: "NULL_MD5", sealing: Sealing::Null(Hash::Md5), prf: Hash::Sha256, suites: &[
        (0x0001, "RSA"),
    ] },
    Family { cipher: "NULL_SHA", sealing: Sealing::Null(Hash::Sha1), prf: Hash::Sha256, suites: &[
        (0x0002, "RSA"), (0x002c, "PSK"), (0x002d, "DHE_PSK"), (0x002e, "RSA_PSK"),
        (0xc001, "ECDH_ECDSA"), (0xc006, "ECDHE_ECDSA"), (0xc00b, "ECDH_RSA"), (0xc010, "ECDHE_RSA"),
        (0xc015, "ECDH_anon"), (0xc039, "ECDHE_PSK"),
    ] },
    Family { cipher: "RC4_128_MD5", sealing: Sealing::Rc4(Hash::Md5), prf: Hash::Sha256, suites: &[
        (0x0004, "RSA"), (0x0018, "DH_anon"),
    ] },
    Family { cipher: "RC4_128_SHA", sealing: Sealing::Rc4(Hash::Sha1), prf: Hash::Sha256, suites: &[
        (0x0005, "RSA"), (0x0066, "DHE_DSS"), (0x008a, "PSK"), (0x008e, "DHE_PSK"),
        (0x0092, "RSA_PSK"), (0xc002, "ECDH_ECDSA"), (0xc007, "ECDHE_ECDSA"), (0xc00c, "ECDH_RSA"),
        (0xc011, "ECDHE_RSA"), (0xc016, "ECDH_anon"), (0xc033, "ECDHE_PSK"),
    ] },
    Family { cipher: "IDEA_CBC_SHA", sealing: Sealing::Other, prf: Hash::Sha256, suites: &[
        (0x0007, "RSA"),
    ] },
    Family { cipher: "DES_CBC_SHA", sealing: Sealing::Other, prf: Hash::Sha256, suites: &[
        (0x0009, "RSA"), (0x000c, "DH_DSS"), (0x000f, "DH_RSA"), (0x0012, "DHE_DSS"),
        (0x0015, "DHE_RSA"), (0x001a, "DH_anon"),
    ] },
    Family { cipher: "3DES_EDE_CBC_SHA", sealing: Sealing::Cbc(Block::TripleDes, Hash::Sha1), prf: Hash::Sha256, suites: &[
        (0x000a, "RSA"), (0x000d, "DH_DSS"), (0x0010, "DH_RSA"), (0x0013, "DHE_DSS"),
        (0x0016, "DHE_RSA"), (0x001b, "DH_anon"), (0x008b, "PSK"), (0x008f, "DHE_PSK"),
        (0x0093, "RSA_PSK"), (0xc003, "ECDH_ECDSA"), (0xc008, "ECDHE_ECDSA"), (0xc00d, "ECDH_RSA"),
        (0xc012, "ECDHE_RSA"), (0xc017, "ECDH_anon"), (0xc01a, "SRP_SHA"), (0xc01b, "SRP_SHA_RSA"),
        (0xc01c, "SRP_SHA_DSS"), (0xc034, "ECDHE_PSK"),
    ] },
    Family { cipher: "AES_128_CBC_SHA", sealing: Sealing::Cbc(Block::Aes128, Hash::Sha1), prf: Hash::Sha256, suites: &[
        (0x002f, "RSA"), (0x0030, "DH_DSS"), (0x0031, "DH_RSA"), (0x0032, "DHE_DSS"),
        (0x0033, "DHE_RSA"), (0x0034, "DH_anon"), (0x008c, "PSK"), (0x0090, "DHE_PSK"),
        (0x0094, "RSA_PSK"), (0xc004, "ECDH_ECDSA"), (0xc009, "ECDHE_ECDSA"), (0xc00e, "ECDH_RSA"),
        (0xc013, "ECDHE_RSA"), (0xc018, "ECDH_anon"), (0xc01d, "SRP_SHA"), (0xc01e, "SRP_SHA_RSA"),
        (0xc01f, "SRP_SHA_DSS"), (0xc035, "ECDHE_PSK"),
    ] },
    Family { cipher: "AES_256_CBC_SHA", sealing: Sealing::Cbc(Block::Aes256, Hash::Sha1), prf: Hash::Sha256, suites: &[
        (0x0035, "RSA"), (0x0036, "DH_DSS"), (0x0037, "DH_RSA"), (0x0038, "DHE_DSS"),
        (0x0039, "DHE_RSA"), (0x003a, "DH_anon"), (0x008d, "PSK"), (0x0091, "DHE_PSK"),
        (0x0095, "RSA_PSK"), (0xc005, "ECDH_ECDSA"), (0xc00a, "ECDHE_ECDSA"), (0xc00f, "ECDH_RSA"),
        (0xc014, "ECDHE_RSA"), (0xc019, "ECDH_anon"), (0xc020, "SRP_SHA"), (0xc021, "SRP_SHA_RSA"),
        (0xc022, "SRP_SHA_DSS"), (0xc036, "ECDHE_PSK"),
    ] },
    Family { cipher: "NULL_SHA256", sealing: Sealing::Null(Hash::Sha256), prf: Hash::Sha256, suites: &[
        (0x003b, "RSA"), (0x00b0, "PSK"), (0x00b4, "DHE_PSK"), (0x00b8, "RSA_PSK"),
        (0xc03a, "ECDHE_PSK"),
    ] },
    Family { cipher: "AES_128_CBC_SHA256", sealing: Sealing::Cbc(Block::Aes128, Hash::Sha256), prf: Hash::Sha256, suites: &[
        (0x003c, "RSA"), (0x003e, "DH_DSS"), (0x003f, "DH_RSA"), (0x0040, "DHE_DSS"),
        (0x0067, "DHE_RSA"), (0x006c, "DH_anon"), (0x00ae, "PSK"), (0x00b2, "DHE_PSK"),
        (0x00b6, "RSA_PSK"), (0xc023, "ECDHE_ECDSA"), (0xc025, "ECDH_ECDSA"), (0xc027, "ECDHE_RSA"),
        (0xc029, "ECDH_RSA"), (0xc037, "ECDHE_PSK"),
    ] },
    Family { cipher: "AES_256_CBC_SHA256", sealing: Sealing::Cbc(Block::Aes256, Hash::Sha256), prf: Hash::Sha256, suites: &[
        (0x003d, "RSA"), (0x0068, "DH_DSS"), (0x0069, "DH_RSA"), (0x006a, "DHE_DSS"),
        (0x006b, "DHE_RSA"), (0x006d, "DH_anon"),
    ] },
    Family { cipher: "CAMELLIA_128_CBC_SHA", sealing: Sealing::Cbc(Block::Camellia128, Hash::Sha1), prf: Hash::Sha256, suites: &[
        (0x0041, "RSA"), (0x0042, "DH_DSS"), (0x0043, "DH_RSA"), (0x0044, "DHE_DSS"),
        (0x0045, "DHE_RSA"), (0x0046, "DH_anon"),
    ] },
    Family { cipher: "CAMELLIA_256_CBC_SHA", sealing: Sealing::Cbc(Block::Camellia256, Hash::Sha1), prf: Hash::Sha256, suites: &[
        (0x0084, "RSA"), (0x0085, "DH_DSS"), (0x0086, "DH_RSA"), (0x0087, "DHE_DSS"),
        (0x0088, "DHE_RSA"), (0x0089, "DH_anon"),
    ] },
    Family { cipher: "SEED_CBC_SHA", sealing: Sealing::Other, prf: Hash::Sha256, suites: &[
        (0x0096, "RSA"), (0x0097, "DH_DSS"), (0x0098, "DH_RSA"), (0x0099, "DHE_DSS"),
        (0x009a, "DHE_RSA"), (0x009b, "DH_anon"),
    ] },
    Family { cipher: "AES_128_GCM_SHA256", sealing: Sealing::Aead(Aead::Aes128Gcm), prf: Hash::Sha256, suites: &[
        (0x009c, "RSA"), (0x009e, "DHE_RSA"), (0x00a0, "DH_RSA"), (0x00a2, "DHE_DSS"),
        (0x00a4, "DH_DSS"), (0x00a6, "DH_anon"), (0x00a8, "PSK"), (0x00aa, "DHE_PSK"),
        (0x00ac, "RSA_PSK"), (0xc02b, "ECDHE_ECDSA"), (0xc02d, "ECDH_ECDSA"), (0xc02f, "ECDHE_RSA"),
        (0xc031, "ECDH_RSA"), (0xc0b0, "ECCPWD"), (0xd001, "ECDHE_PSK"),
    ] },
    Family { cipher: "AES_256_GCM_SHA384", sealing: Sealing::Aead(Aead::Aes256Gcm), prf: Hash::Sha384, suites: &[
        (0x009d, "RSA"), (0x009f, "DHE_RSA"), (0x00a1, "DH_RSA"), (0x00a3, "DHE_DSS"),
        (0x00a5, "DH_DSS"), (0x00a7, "DH_anon"), (0x00a9, "PSK"), (0x00ab, "DHE_PSK"),
        (0x00ad, "RSA_PSK"), (0xc02c, "ECDHE_ECDSA"), (0xc02e, "ECDH_ECDSA"), (0xc030, "ECDHE_RSA"),
        (0xc032, "ECDH_RSA"), (0xc0b1, "ECCPWD"), (0xd002, "ECDHE_PSK"),
    ] },
    Family { cipher: "AES_256_CBC_SHA384", sealing: Sealing::Cbc(Block::Aes256, Hash::Sha384), prf: Hash::Sha384, suites: &[
        (0x00af, "PSK"), (0x00b3, "DHE_PSK"), (0x00b7, "RSA_PSK"), (0xc024, "ECDHE_ECDSA"),
        (0xc026, "ECDH_ECDSA"), (0xc028, "ECDHE_RSA"), (0xc02a, "ECDH_RSA"), (0xc038, "ECDHE_PSK"),
    ] },
    Family { cipher: "NULL_SHA384", sealing: Sealing::Null(Hash::Sha384), prf: Hash::Sha384, suites: &[
        (0x00b1, "PSK"), (0x00b5, "DHE_PSK"), (0x00b9, "RSA_PSK"), (0xc03b, "ECDHE_PSK"),
    ] },
    Family { cipher: "CAMELLIA_128_CBC_SHA256", sealing: Sealing::Cbc(Block::Camellia128, Hash::Sha256), prf: Hash::Sha256, suites: &[
        (0x00ba, "RSA"), (0x00bb, "DH_DSS"), (0x00bc, "DH_RSA"), (0x00bd, "DHE_DSS"),
        (0x00be, "DHE_RSA"), (0x00bf, "DH_anon"), (0xc072, "ECDHE_ECDSA"), (0xc074, "ECDH_ECDSA"),
        (0xc076, "ECDHE_RSA"), (0xc078, "ECDH_RSA"), (0xc094, "PSK"), (0xc096, "DHE_PSK"),
        (0xc098, "RSA_PSK"), (0xc09a, "ECDHE_PSK"),
    ] },
    Family { cipher: "CAMELLIA_256_CBC_SHA256", sealing: Sealing::Cbc(Block::Camellia256, Hash::Sha256), prf: Hash::Sha256, suites: &[
        (0x00c0, "RSA"), (0x00c1, "DH_DSS"), (0x00c2, "DH_RSA"), (0x00c3, "DHE_DSS"),
        (0x00c4, "DHE_RSA"), (0x00c5, "DH_anon"),
    ] },
    Family { cipher: "ARIA_128_CBC_SHA256", sealing: Sealing::Cbc(Block::Aria128, Hash::Sha256), prf: Hash::Sha256, suites: &[
        (0xc03c, "RSA"), (0xc03e, "DH_DSS"), (0xc040, "DH_RSA"), (0xc042, "DHE_DSS"),
        (0xc044, "DHE_RSA"), (0xc046, "DH_anon"), (0xc048, "ECDHE_ECDSA"), (0xc04a, "ECDH_ECDSA"),
        (0xc04c, "ECDHE_RSA"), (0xc04e, "ECDH_RSA"), (0xc064, "PSK"), (0xc066, "DHE_PSK"),
        (0xc068, "RSA_PSK"), (0xc070, "ECDHE_PSK"),
    ] },
    Family { cipher: "ARIA_256_CBC_SHA384", sealing: Sealing::Cbc(Block::Aria256, Hash::Sha384), prf: Hash::Sha384, suites: &[
        (0xc03d, "RSA"), (0xc03f, "DH_DSS"), (0xc041, "DH_RSA"), (0xc043, "DHE_DSS"),
        (0xc045, "DHE_RSA"), (0xc047, "DH_anon"), (0xc049, "ECDHE_ECDSA"), (0xc04b, "ECDH_ECDSA"),
        (0xc04d, "ECDHE_RSA"), (0xc04f, "ECDH_RSA"), (0xc065, "PSK"), (0xc067, "DHE_PSK"),
        (0xc069, "RSA_PSK"), (0xc071, "ECDHE_PSK"),
    ] },
    Family { cipher: "ARIA_128_GCM_SHA256", sealing: Sealing::Aead(Aead::Aria128Gcm), prf: Hash::Sha256, suites: &[
        (0xc050, "RSA"), (0xc052, "DHE_RSA"), (0xc054, "DH_RSA"), (0xc056, "DHE_DSS"),
        (0xc058, "DH_DSS"), (0xc05a, "DH_anon"), (0xc05c, "ECDHE_ECDSA"), (0xc05e, "ECDH_ECDSA"),
        (0xc060, "ECDHE_RSA"), (0xc062, "ECDH_RSA"), (0xc06a, "PSK"), (0xc06c, "DHE_PSK"),
        (0xc06e, "RSA_PSK"),
    ] },
    Family { cipher: "ARIA_256_GCM_SHA384", sealing: Sealing::Aead(Aead::Aria256Gcm), prf: Hash::Sha384, suites: &[
        (0xc051, "RSA"), (0xc053, "DHE_RSA"), (0xc055, "DH_RSA"), (0xc057, "DHE_DSS"),
        (0xc059, "DH_DSS"), (0xc05b, "DH_anon"), (0xc05d, "ECDHE_ECDSA"), (0xc05f, "ECDH_ECDSA"),
        (0xc061, "ECDHE_RSA"), (0xc063, "ECDH_RSA"), (0xc06b, "PSK"), (0xc06d, "DHE_PSK"),
        (0xc06f, "RSA_PSK"),
    ] },
    Family { cipher: "CAMELLIA_256_CBC_SHA384", sealing: Sealing::Cbc(Block::Camellia256, Hash::Sha384), prf: Hash::Sha384, suites: &[
        (0xc073, "ECDHE_ECDSA"), (0xc075, "ECDH_ECDSA"), (0xc077, "ECDHE_RSA"), (0xc079, "ECDH_RSA"),
        (0xc095, "PSK"), (0xc097, "DHE_PSK"), (0xc099, "RSA_PSK"), (0xc09b, "ECDHE_PSK"),
    ] },
    Family { cipher: "CAMELLIA_128_GCM_SHA256", sealing: Sealing::Aead(Aead::Camellia128Gcm), prf: Hash::Sha256, suites: &[
        (0xc07a, "RSA"), (0xc07c, "DHE_RSA"), (0xc07e, "DH_RSA"), (0xc080, "DHE_DSS"),
        (0xc082, "DH_DSS"), (0xc084, "DH_anon"), (0xc086, "ECDHE_ECDSA"), (0xc088, "ECDH_ECDSA"),
        (0xc08a, "ECDHE_RSA"), (0xc08c, "ECDH_RSA"), (0xc08e, "PSK"), (0xc090, "DHE_PSK"),
        (0xc092, "RSA_PSK"),
    ] },
    Family { cipher: "CAMELLIA_256_GCM_SHA384", sealing: Sealing::Aead(Aead::Camellia256Gcm), prf: Hash::Sha384, suites: &[
        (0xc07b, "RSA"), (0xc07d, "DHE_RSA"), (0xc07f, "DH_RSA"), (0xc081, "DHE_DSS"),
        (0xc083, "DH_DSS"), (0xc085, "DH_anon"), (0xc087, "ECDHE_ECDSA"), (0xc089, "ECDH_ECDSA"),
        (0xc08b, "ECDHE_RSA"), (0xc08d, "ECDH_RSA"), (0xc08f, "PSK"), (0xc091, "DHE_PSK"),
        (0xc093, "RSA_PSK"),
    ] },
    Family { cipher: "AES_128_CCM", sealing: Sealing::Aead(Aead::Aes128Ccm), prf: Hash::Sha256, suites: &[
        (0xc09c, "RSA"), (0xc09e, "DHE_RSA"), (0xc0a4, "PSK"), (0xc0a6, "DHE_PSK"),
        (0xc0ac, "ECDHE_ECDSA"),
    ] },
    Family { cipher: "AES_256_CCM", sealing: Sealing::Aead(Aead::Aes256Ccm), prf: Hash::Sha256, suites: &[
        (0xc09d, "RSA"), (0xc09f, "DHE_RSA"), (0xc0a5, "PSK"), (0xc0a7, "DHE_PSK"),
        (0xc0ad, "ECDHE_ECDSA"),
    ] },
    Family { cipher: "AES_128_CCM_8", sealing: Sealing::Aead(Aead::Aes128Ccm8), prf: Hash::Sha256, suites: &[
        (0xc0a0, "RSA"), (0xc0a2, "DHE_RSA"), (0xc0a8, "PSK"), (0xc0aa, "PSK_DHE"),
        (0xc0ae, "ECDHE_ECDSA"), (0xc0ff, "ECJPAKE"),
    ] },
    Family { cipher: "AES_256_CCM_8", sealing: Sealing::Aead(Aead::Aes256Ccm8), prf: Hash::Sha256, suites: &[
        (0xc0a1, "RSA"), (0xc0a3, "DHE_RSA"), (0xc0a9, "PSK"), (0xc0ab, "PSK_DHE"),
        (0xc0af, "ECDHE_ECDSA"),
    ] },
    Family { cipher: "AES_128_CCM_SHA256", sealing: Sealing::Aead(Aead::Aes128Ccm), prf: Hash::Sha256, suites: &[
        (0xc0b2, "ECCPWD"), (0xd005, "ECDHE_PSK"),
    ] },
    Family { cipher: "AES_256_CCM_SHA384", sealing: Sealing::Aead(Aead::Aes256Ccm), prf: Hash::Sha384, suites: &[
        (0xc0b3, "ECCPWD"),
    ] },
    Family { cipher: "CHACHA20_POLY1305_SHA256", sealing: Sealing::Aead(Aead::ChaCha20Poly1305), prf: Hash::Sha256, suites: &[
        (0xcca8, "ECDHE_RSA"), (0xcca9, "ECDHE_ECDSA"), (0xccaa, "DHE_RSA"), (0xccab, "PSK"),
        (0xccac, "ECDHE_PSK"), (0xccad, "DHE_PSK"), (0xccae, "RSA_PSK"),
    ] },
    Family { cipher: "AES_128_CCM_8_SHA256", sealing: Sealing::Aead(Aead::Aes128Ccm8), prf: Hash::Sha256, suites: &[
        (0xd003, "ECDHE_PSK"),
    ] },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_suites_by_number() {
        let named = |number| Suite::find(number).map(|suite| suite.name).unwrap_or_default();
        assert_eq!(named(0x1301), "TLS_AES_128_GCM_SHA256");
        assert_eq!(named(0xc02f), "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
        assert_eq!(named(0x000a), "TLS_RSA_WITH_3DES_EDE_CBC_SHA");
        assert_eq!(named(0x0a0a), "", "GREASE is no suite");
        let cbc = Suite::find(0xc028).expect("ECDHE_RSA_WITH_AES_256_CBC_SHA384");
        assert_eq!((cbc.sealing, cbc.prf), (Sealing::Cbc(Block::Aes256, Hash::Sha384), Hash::Sha384));
        let sha1 = Suite::find(0xc013).expect("ECDHE_RSA_WITH_AES_128_CBC_SHA");
        assert_eq!((sha1.sealing, sha1.prf), (Sealing::Cbc(Block::Aes128, Hash::Sha1), Hash::Sha256));
    }

    #[test]
    fn every_number_stands_once_and_fits_its_name() {
        let mut numbers: Vec<u16> =
            FAMILIES.iter().flat_map(|family| family.suites.iter().map(|suite| suite.0)).collect();
        let all = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), all);
        for family in FAMILIES {
            assert_eq!(family.cipher.ends_with("SHA384"), family.prf == Hash::Sha384, "{}", family.cipher);
            assert_eq!(
                family.cipher.contains("_CBC_"),
                matches!(family.sealing, Sealing::Cbc(..))
                    || family.sealing == Sealing::Other && family.cipher.contains("CBC"),
                "{}",
                family.cipher
            );
        }
    }
}
