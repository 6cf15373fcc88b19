//! Alerts: what ends a session.

use crate::model::TlsAlert;

/// Alerts that are no errors: close_notify and user_canceled, and no_renegotiation up to TLS 1.2.
const HARMLESS: [u8; 3] = [0, 90, 100];
const WARNING: u8 = 1;

/// Reads an alert, `level 1 | description 1` (RFC 8446 §6); `None` when it is none that ends the session. In TLS 1.3 the level
/// says nothing.
pub(super) fn fatal(bytes: &[u8], is_1_3: bool) -> Option<TlsAlert> {
    let &[level, description] = bytes.first_chunk::<2>()?;
    let harmless = HARMLESS.contains(&description) || level == WARNING && !is_1_3;
    (!harmless).then_some(TlsAlert(description))
}
