//! Alerts: what ends a session.

/// An alert that ends the session (RFC 8446 §6): `level 1 | description 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fatal(u8);

/// Descriptions of alerts that are no errors: close_notify and user_canceled, and no_renegotiation up to TLS 1.2.
const HARMLESS: [u8; 3] = [0, 90, 100];
const WARNING: u8 = 1;

impl Fatal {
    /// Reads an alert; `None` when it is none that ends the session. In TLS 1.3 the level says nothing.
    pub(super) fn read(bytes: &[u8], is_1_3: bool) -> Option<Self> {
        let &[level, description] = bytes.first_chunk::<2>()?;
        let harmless = HARMLESS.contains(&description) || level == WARNING && !is_1_3;
        (!harmless).then_some(Self(description))
    }

    /// Its name, or `alert` for an unknown one, and its number.
    pub(super) fn name(self) -> String {
        let name = NAMES.iter().find(|row| row.0 == self.0).map_or("alert", |row| row.1);
        format!("{name} ({})", self.0)
    }
}

/// RFC 8446 §B.2, and those of former versions.
const NAMES: &[(u8, &str)] = &[
    (10, "unexpected_message"),
    (20, "bad_record_mac"),
    (21, "decryption_failed"),
    (22, "record_overflow"),
    (30, "decompression_failure"),
    (40, "handshake_failure"),
    (41, "no_certificate"),
    (42, "bad_certificate"),
    (43, "unsupported_certificate"),
    (44, "certificate_revoked"),
    (45, "certificate_expired"),
    (46, "certificate_unknown"),
    (47, "illegal_parameter"),
    (48, "unknown_ca"),
    (49, "access_denied"),
    (50, "decode_error"),
    (51, "decrypt_error"),
    (60, "export_restriction"),
    (70, "protocol_version"),
    (71, "insufficient_security"),
    (80, "internal_error"),
    (86, "inappropriate_fallback"),
    (109, "missing_extension"),
    (110, "unsupported_extension"),
    (111, "certificate_unobtainable"),
    (112, "unrecognized_name"),
    (113, "bad_certificate_status_response"),
    (114, "bad_certificate_hash_value"),
    (115, "unknown_psk_identity"),
    (116, "certificate_required"),
    (120, "no_application_protocol"),
];
