//! How one record is opened.

use super::primitive::{Chained, Sealed};
use super::rc4::Rc4;
use super::record::{ContentType, Header, Record};
use super::schedule::{Digest, MacKey, expand_label};
use super::stream;
use super::suite::{Aead, Hash, Sealing};
use crate::model::TlsVersion;

/// Opens the records of one direction, as long as its keys hold.
pub(super) struct Opener {
    version: TlsVersion,
    key: Key,
}

/// A record that was opened: what it carries, and where in its fragment that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) kind: ContentType,
    pub(super) from: usize,
    pub(super) to: usize,
    /// Bytes of padding that was chosen freely.
    pub(super) padded: bool,
}

/// A record of which bytes are missing, decrypted as far as it goes. Nothing of it is authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Torn {
    pub(super) kind: ContentType,
    pub(super) from: usize,
    pub(super) to: usize,
    /// Whether it is certain where it ends; if not, a few bytes more may follow.
    pub(super) exact: bool,
}

enum Key {
    Aead {
        cipher: Box<dyn Sealed>,
        aead: Aead,
        key: Digest,
        iv: [u8; 12],
        /// Eight bytes of the nonce stand in the record (RFC 5288 §3).
        explicit: bool,
    },
    Cbc {
        cipher: Box<dyn Chained>,
        mac: MacKey,
        encrypt_then_mac: bool,
        /// The last block of the record before, where that is the initialisation vector (RFC 2246 §6.2.3.2).
        chained: Option<[u8; 16]>,
        /// That block was lost.
        unchained: bool,
    },
    Rc4 {
        /// Goes on over all records.
        stream: Box<Rc4>,
        mac: MacKey,
    },
    Null(MacKey),
}

impl Opener {
    /// TLS 1.3: the keys of a traffic secret (RFC 8446 §7.3).
    pub(super) fn of_secret(aead: Aead, hash: Hash, secret: &Digest) -> Option<Self> {
        let (mut key, mut iv) = ([0; 32], [0; 12]);
        let key = key.get_mut(..aead.key_len())?;
        expand_label(hash, secret.bytes(), "key", key);
        expand_label(hash, secret.bytes(), "iv", &mut iv);
        let key = Key::Aead { cipher: aead.cipher(key)?, aead, key: Digest::new(key), iv, explicit: false };
        Some(Self { version: TlsVersion::TLS_1_3, key })
    }

    /// Up to TLS 1.2: the parts of the key block.
    pub(super) fn of_key_block(
        version: TlsVersion,
        sealing: Sealing,
        encrypt_then_mac: bool,
        (mac, key, fixed): (&[u8], &[u8], &[u8]),
    ) -> Option<Self> {
        let key = match sealing {
            Sealing::Aead(aead) => {
                let mut iv = [0; 12];
                iv.get_mut(..fixed.len())?.copy_from_slice(fixed);
                Key::Aead { cipher: aead.cipher(key)?, aead, key: Digest::new(key), iv, explicit: fixed.len() == 4 }
            }
            Sealing::Cbc(block, hash) => {
                let mut chained = [0; 16];
                chained.get_mut(..fixed.len())?.copy_from_slice(fixed);
                Key::Cbc {
                    cipher: block.cipher(key)?,
                    mac: MacKey::new(hash, mac)?,
                    encrypt_then_mac,
                    chained: (!fixed.is_empty()).then_some(chained),
                    unchained: false,
                }
            }
            Sealing::Rc4(hash) => Key::Rc4 { stream: Box::new(Rc4::new(key)), mac: MacKey::new(hash, mac)? },
            Sealing::Null(hash) => Key::Null(MacKey::new(hash, mac)?),
            Sealing::Other => return None,
        };
        Some(Self { version, key })
    }

    /// Bytes that a record is longer than what it carries, where that is always the same; in TLS 1.3 without padding.
    pub(super) fn overhead(&self) -> Option<u64> {
        match &self.key {
            Key::Aead { aead, .. } => Some(aead.overhead(self.version) as u64),
            Key::Cbc { .. } => None,
            Key::Rc4 { mac, .. } | Key::Null(mac) => Some(mac.len() as u64),
        }
    }

    /// What it costs to open a fragment of that length, in bytes that the fastest cipher opens.
    pub(super) fn cost(&self, len: usize) -> u64 {
        const SLOW: u64 = 16;
        let is_fast = matches!(&self.key, Key::Aead { cipher, .. } if cipher.is_fast());
        (len as u64 + 64).saturating_mul(if is_fast { 1 } else { SLOW })
    }

    /// The sequence number that a record of TLS 1.2 most likely tells in its nonce.
    pub(super) fn told_sequence(&self, body: &[u8]) -> Option<u64> {
        match self.key {
            Key::Aead { explicit: true, .. } => body.first_chunk().map(|nonce| u64::from_be_bytes(*nonce)),
            _ => None,
        }
    }

    /// Tells of a record, in its turn, before it is opened or given up; returns what opens it, where records hang together. What a
    /// stream cipher did is undone here: its place in the stream is the record's.
    pub(super) fn chain(&mut self, body: &mut [u8]) -> Option<[u8; 16]> {
        match &mut self.key {
            Key::Rc4 { stream, .. } => {
                stream.apply(body);
                None
            }
            Key::Cbc { cipher, mac, encrypt_then_mac, chained: Some(chained), unchained } => {
                let before = *chained;
                *unchained = false;
                // RFC 7366 §3: the MAC stands behind the last block.
                let end = body.len().saturating_sub(if *encrypt_then_mac { mac.len() } else { 0 });
                if let Some(last) = end.checked_sub(cipher.block()).and_then(|at| body.get(at..end)) {
                    for (to, from) in chained.iter_mut().zip(last) {
                        *to = *from;
                    }
                }
                Some(before)
            }
            _ => None,
        }
    }

    /// The end of a record that was told of is missing, or whole records were lost.
    pub(super) const fn unchain(&mut self) {
        if let Key::Cbc { unchained, .. } = &mut self.key {
            *unchained = true;
        }
    }

    /// A record that was told of did not open. A MAC over the ciphertext says nothing of the block before it, with which the next
    /// record's first is decrypted (RFC 7366 §3); one over the content does.
    pub(super) const fn doubt(&mut self) {
        if let Key::Cbc { encrypt_then_mac: true, .. } = &self.key {
            self.unchain();
        }
    }

    /// The beginning of the next record cannot be decrypted: the end of the record before, on which it hangs, is missing.
    pub(super) const fn is_unchained(&self) -> bool {
        matches!(self.key, Key::Cbc { chained: Some(_), unchained: true, .. })
    }

    /// Opens the fragment of a record in place, as the record with this sequence number. `chained` is from [`Self::chain`].
    ///
    /// `None` when it is not what was sent: nothing of it is to be believed.
    pub(super) fn open(
        &self,
        sequence: u64,
        chained: Option<[u8; 16]>,
        header: Header,
        body: &mut [u8],
    ) -> Option<Opened> {
        match &self.key {
            Key::Aead { cipher, aead, iv, explicit, .. } => {
                let skip = if *explicit { 8 } else { 0 };
                let nonce = nonce(*iv, *explicit, sequence, body)?;
                let plain = body.len().checked_sub(skip + aead.tag_len())?;
                let sealed = body.get_mut(skip..)?;
                let is_open = if self.version == TlsVersion::TLS_1_3 {
                    cipher.open(nonce, &header.bytes(), sealed)
                } else {
                    cipher.open(nonce, &pseudo_header(sequence, header, plain), sealed)
                };
                if !is_open {
                    return None;
                }
                if self.version != TlsVersion::TLS_1_3 {
                    return Some(Opened { kind: header.kind, from: skip, to: skip + plain, padded: false });
                }
                // RFC 8446 §5.2: the content, its type, zeros.
                let to = body.get(..plain)?.iter().rposition(|&byte| byte != 0)?;
                Some(Opened { kind: ContentType(*body.get(to)?), from: 0, to, padded: to + 1 < plain })
            }
            Key::Cbc { cipher, mac, encrypt_then_mac, .. } => {
                let block = cipher.block();
                let from = if chained.is_some() { 0 } else { block };
                let end = body.len().checked_sub(if *encrypt_then_mac { mac.len() } else { 0 })?;
                let (sealed, tag) = body.split_at_mut_checked(end)?;
                if *encrypt_then_mac {
                    let authentic = mac.sign(&[&pseudo_header(sequence, header, sealed.len()), sealed]);
                    if authentic.bytes() != tag {
                        return None;
                    }
                }
                if sealed.len() <= from || (sealed.len() - from) % block != 0 {
                    return None;
                }
                let (vector, blocks) = sealed.split_at_mut_checked(from)?;
                cipher.decrypt(
                    chained.as_ref().map_or(&*vector, |chained| chained.get(..block).unwrap_or_default()),
                    blocks,
                );
                // RFC 5246 §6.2.3.2: the padding's length stands in each of its bytes and once more.
                let padding = usize::from(*sealed.last()?);
                let unpadded = sealed.len().checked_sub(padding + 1)?;
                let is_padding = sealed.get(unpadded..)?.iter().all(|&byte| usize::from(byte) == padding);
                if !is_padding {
                    return None;
                }
                let to = unpadded.checked_sub(if *encrypt_then_mac { 0 } else { mac.len() })?;
                let content = sealed.get(from..to)?;
                if !*encrypt_then_mac {
                    let authentic = mac.sign(&[&pseudo_header(sequence, header, content.len()), content]);
                    if authentic.bytes() != sealed.get(to..unpadded)? {
                        return None;
                    }
                }
                Some(Opened { kind: header.kind, from, to, padded: false })
            }
            // What RC4 did is undone already.
            Key::Rc4 { mac, .. } | Key::Null(mac) => {
                let to = body.len().checked_sub(mac.len())?;
                let (content, tag) = body.split_at_checked(to)?;
                let authentic = mac.sign(&[&pseudo_header(sequence, header, to), content]);
                (authentic.bytes() == tag).then_some(Opened { kind: header.kind, from: 0, to, padded: false })
            }
        }
    }

    /// Decrypts what there is of a record that is torn, in place. `chained` is from [`Self::chain`]; with `padded` the length of a
    /// record does not tell that of its content.
    ///
    /// `None` when it is not clear what its bytes are.
    pub(super) fn open_torn(
        &self,
        sequence: u64,
        chained: Option<[u8; 16]>,
        padded: bool,
        header: Header,
        record: &mut Record,
    ) -> Option<Torn> {
        let len = usize::from(header.len);
        let (kind, exact) = (header.kind, true);
        match &self.key {
            Key::Aead { aead, key, iv, explicit, .. } => {
                let skip = if *explicit { 8 } else { 0 };
                if !record.knows(0, skip) {
                    return None;
                }
                let nonce = nonce(*iv, *explicit, sequence, record.fragment())?;
                let to = len.checked_sub(aead.tag_len()).filter(|&to| to > skip)?;
                stream::apply(*aead, key.bytes(), nonce, record.fragment().get_mut(skip..to)?);
                if self.version != TlsVersion::TLS_1_3 {
                    return Some(Torn { kind, from: skip, to, exact });
                }
                // RFC 8446 §5.2: the content, its type, zeros.
                let end = record.end();
                let last = record.fragment().get(end.min(to)..to)?.iter().rposition(|&byte| byte != 0);
                if let Some(at) = last.map(|at| end + at) {
                    return Some(Torn { kind: ContentType(*record.fragment().get(at)?), from: 0, to: at, exact });
                }
                let handshake = is_late_handshake(record.beginning());
                let kind = if handshake { ContentType::HANDSHAKE } else { ContentType::DATA };
                (!padded && end >= to).then_some(Torn { kind, from: 0, to: to - 1, exact })
            }
            Key::Cbc { cipher, mac, encrypt_then_mac, .. } => {
                let (block, from) = (cipher.block(), if chained.is_some() { 0 } else { cipher.block() });
                let (behind, within) = if *encrypt_then_mac { (mac.len(), 0) } else { (0, mac.len()) };
                let end = len.checked_sub(behind).filter(|&end| end > from && (end - from) % block == 0)?;
                let (vector, blocks) = record.fragment().get_mut(..end)?.split_at_mut_checked(from)?;
                let vector = chained.as_ref().map_or(&*vector, |chained| chained.get(..block).unwrap_or_default());
                cipher.decrypt(vector, blocks);
                record.widen_holes(block);
                let padding = if record.knows(end - 1, end) { record.fragment().get(end - 1).copied() } else { None };
                // Where its length is missing, padding is taken for as short as can be.
                let padding = padding.map_or(block, |padding| usize::from(padding) + 1);
                let to = end.checked_sub(padding + within).filter(|&to| to >= from)?;
                Some(Torn { kind, from, to, exact: record.knows(end - 1, end) })
            }
            // What RC4 did is undone already.
            Key::Rc4 { mac, .. } | Key::Null(mac) => {
                Some(Torn { kind, from: 0, to: len.checked_sub(mac.len())?, exact })
            }
        }
    }
}

/// The nonce of a record (RFC 8446 §5.3, RFC 7905 §2), of which a part may stand before its ciphertext (RFC 5288 §3).
fn nonce(iv: [u8; 12], explicit: bool, sequence: u64, body: &[u8]) -> Option<[u8; 12]> {
    let mut nonce = iv;
    let varying = if explicit { body.first_chunk().copied()? } else { sequence.to_be_bytes() };
    for (to, from) in nonce.iter_mut().skip(4).zip(varying) {
        *to ^= from;
    }
    Some(nonce)
}

/// Whether content whose type is missing is a message after the handshake: a NewSessionTicket, CertificateRequest or KeyUpdate
/// (RFC 8446 §4.6). Neither HTTP nor a frame begins so.
const fn is_late_handshake(content: &[u8]) -> bool {
    matches!(content, [4 | 13 | 24, 0, _, _, ..])
}

/// What is authenticated beside the fragment up to TLS 1.2 (RFC 5246 §6.2.3.3): `sequence 8 | type 1 | version 2 | length 2`.
fn pseudo_header(sequence: u64, header: Header, len: usize) -> [u8; 13] {
    let mut bytes = [0; 13];
    let [kind, major, minor, ..] = header.bytes();
    let [high, low] = u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes();
    for (to, from) in bytes.iter_mut().zip(sequence.to_be_bytes().into_iter().chain([kind, major, minor, high, low])) {
        *to = from;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::super::suite::Block;
    use super::*;
    use crate::proto::tls::record::{HEADER, header};

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
        digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
    }

    /// Opens a record of RFC 8448 with a secret of TLS_AES_128_GCM_SHA256.
    fn opened(secret: &str, sequence: u64, record: &[u8]) -> Option<(ContentType, Vec<u8>)> {
        let opener = Opener::of_secret(Aead::Aes128Gcm, Hash::Sha256, &Digest::new(&hex(secret)))?;
        let (rest, header) = header(record).ok()?;
        let mut fragment = rest.to_vec();
        let opened = opener.open(sequence, None, header, &mut fragment)?;
        Some((opened.kind, fragment[opened.from..opened.to].to_vec()))
    }

    const CLIENT: &str = "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5";
    const SERVER: &str = "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643";
    const CLIENT_DATA: &str = "17030300 43a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4";
    const SERVER_DATA: &str = "17030300 432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb501a59a8fcc49c4bf2e5f0a21c0047c2abf332540dd032e167c2955d";

    /// RFC 8448 §3: what client and server say after the handshake.
    #[test]
    fn opens_the_records_of_rfc_8448() {
        let data: Vec<u8> = (0..0x32).collect();
        assert_eq!(opened(CLIENT, 0, &hex(CLIENT_DATA)), Some((ContentType::DATA, data.clone())));
        // The server's first record is a ticket.
        assert_eq!(opened(SERVER, 1, &hex(SERVER_DATA)), Some((ContentType::DATA, data)));
        let alert = hex("1703030013 c9872760655666b74d7ff1153efd6db6d0b0e3");
        assert_eq!(opened(CLIENT, 1, &alert), Some((ContentType::ALERT, vec![1, 0])));
        // §4: 0-RTT data.
        let early = "3fbbe6a60deb66c30a32795aba0eff7eaa10105586e7be5c09678d63b6caab62";
        let record = hex("1703030017 ab1df420e75c457a7cc5d2844f76d5aee4b4edbf049be0");
        assert_eq!(opened(early, 0, &record), Some((ContentType::DATA, b"ABCDEF".to_vec())));
    }

    /// RFC 6367 §3, RFC 6209 §2.2: records as RFC 5288 makes them, sealed by another hand: OpenSSL's ciphers on single blocks, in GCM
    /// as SP 800-38D has it. Key and salt count up; each is number 7, and has 9 in its nonce.
    #[test]
    fn opens_camellia_and_aria_in_gcm() {
        let sealed = [
            (Aead::Camellia128Gcm, "04fad8b39fd808c3e398f1b16efeba97df154f7d0a0aa9903bf384681471c243497d01be"),
            (Aead::Camellia256Gcm, "dd3639b97fb2bb540a5e09f26c6431dc8637156fe160f61b5bcf17af5d530a22f7f2a574"),
            (Aead::Aria128Gcm, "450253ba3d461e865051867c2e337e5b65cd67625bd8644e701eff9f1b8c0c73df4992cf"),
            (Aead::Aria256Gcm, "55ec4cf05f85c2b477406e52e0924c27006bec388b33c216c1721463f041d31e5130efe1"),
        ];
        let key: Vec<u8> = (0..32).collect();
        for (aead, digits) in sealed {
            let sealing = Sealing::Aead(aead);
            let sizes = sealing.sizes(TlsVersion::TLS_1_2).expect("known");
            let parts = (&[][..], &key[..sizes.key], &[0xa0, 0xa1, 0xa2, 0xa3][..]);
            let opener = Opener::of_key_block(TlsVersion::TLS_1_2, sealing, false, parts).expect("sized");
            let mut fragment = [&9_u64.to_be_bytes()[..], &hex(digits)].concat();
            let header = Header { kind: ContentType::DATA, version: 0x0303, len: fragment.len() as u16 };
            assert_eq!(opener.open(8, None, header, &mut fragment.clone()), None, "{aead:?}: another number");
            let opened = opener.open(7, None, header, &mut fragment).expect("opens");
            assert_eq!(&fragment[opened.from..opened.to], b"\x81\x12sealed with GCM 12", "{aead:?}");
        }
    }

    /// A record opens as what it is, or not at all.
    #[test]
    fn no_bit_of_a_record_may_be_another() {
        let record = hex(CLIENT_DATA);
        for bit in 0..8 * record.len() {
            let mut flipped = record.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(opened(CLIENT, 0, &flipped), None, "bit {bit}");
        }
        assert_eq!(opened(CLIENT, 1, &record), None);
        for len in 0..record.len() - HEADER {
            let mut cut = record[..HEADER + len].to_vec();
            cut[4] = len as u8;
            assert_eq!(opened(CLIENT, 0, &cut), None, "{len} bytes");
        }
    }

    /// Of every sealing no fragment is too short, and none opens by chance.
    #[test]
    fn hostile_fragments_do_not_open() {
        let key = [7; 48];
        for sealing in [
            Sealing::Aead(Aead::Aes256Gcm),
            Sealing::Aead(Aead::Aes128Ccm8),
            Sealing::Aead(Aead::ChaCha20Poly1305),
            Sealing::Aead(Aead::Aria256Gcm),
            Sealing::Cbc(Block::TripleDes, Hash::Sha1),
            Sealing::Cbc(Block::Camellia256, Hash::Sha384),
            Sealing::Rc4(Hash::Md5),
            Sealing::Null(Hash::Sha256),
        ] {
            for (version, encrypt_then_mac) in [(TlsVersion::TLS_1_0, false), (TlsVersion::TLS_1_2, true)] {
                let sizes = sealing.sizes(version).expect("known");
                let parts = (&key[..sizes.mac], &key[..sizes.key], &key[..sizes.iv]);
                let mut opener = Opener::of_key_block(version, sealing, encrypt_then_mac, parts).expect("sized");
                for len in 0..200_u16 {
                    let header = Header { kind: ContentType::DATA, version: version.0, len };
                    let mut fragment = vec![0x0f; usize::from(len)];
                    let chained = opener.chain(&mut fragment);
                    assert_eq!(opener.open(0, chained, header, &mut fragment), None, "{sealing:?} {len}");
                }
            }
        }
    }
}
