//! The certificate of a server.

use std::fmt;

/// What the server's own certificate says of itself (RFC 5280 §4.1). Nothing of it is verified.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Certificate {
    /// Whose it is: the common name, or the organization.
    pub subject: Option<String>,
    /// Who signed it: the same of the issuer.
    pub issuer: Option<String>,
    /// The first names and addresses that it is for (§4.2.1.6).
    pub names: Vec<String>,
    /// How many there are in all.
    pub count: u32,
    /// From when to when it is valid, in UTC as in RFC 3339.
    pub not_before: Option<String>,
    /// See there.
    pub not_after: Option<String>,
}

impl fmt::Display for Certificate {
    /// `chat.example (3 names), by Example CA, 2026-01-01 to 2026-04-01`; as it was sent, not escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = |time: &Option<String>| time.as_deref().and_then(|time| time.get(..10)).unwrap_or("?").to_owned();
        f.write_str(self.subject.as_ref().or(self.names.first()).map_or("?", String::as_str))?;
        if self.count > 1 {
            write!(f, " ({} names)", self.count)?;
        }
        let issuer = self.issuer.as_deref().unwrap_or("?");
        write!(f, ", by {issuer}, {} to {}", day(&self.not_before), day(&self.not_after))
    }
}
