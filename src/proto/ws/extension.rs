//! What the handshake agreed on about RSV1: compression, of messages or of frames.

use crate::model::{Both, Handshake};

/// How a direction's data is compressed: what RSV1 of a data frame means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Compression {
    pub(super) unit: Unit,
    /// For each direction, whether what is compressed may refer to what came before.
    pub(super) takeover: Both<bool>,
}

/// What is compressed as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// A message; its first frame has RSV1 (RFC 7692 §6).
    Message,
    /// Each frame that has RSV1 (draft-tyoshino-hybi-websocket-perframe-deflate).
    Frame,
}

/// How sure it is what RSV1 means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The handshake tells.
    Agreed,
    /// It was not captured: the first data frame with RSV1 will be taken for compressed.
    Open,
    /// Such a frame came, and no message was inflated to its end so far.
    Guessed,
}

impl Compression {
    /// What is taken for agreed where RSV1 was seen and no handshake.
    pub(super) const UNSEEN: Self = Self { unit: Unit::Message, takeover: Both { to_server: true, to_client: true } };

    /// What a handshake agreed on; without the answer, what was offered may be in use.
    pub(super) fn agreed(handshake: &Handshake) -> Option<Self> {
        let offered = handshake.extensions_offered.as_deref();
        let used = handshake.extensions.as_deref().or(offered).unwrap_or_default();
        used.iter().filter_map(|extension| Self::of(extension, offered.unwrap_or_default())).reduce(Self::or)
    }

    /// How sure [`Self::agreed`] can be.
    pub(super) const fn source(handshake: &Handshake) -> Source {
        if handshake.extensions.is_none() && handshake.extensions_offered.is_none() {
            Source::Open
        } else {
            Source::Agreed
        }
    }

    /// What an extension in use means, by its parameters.
    fn of(extension: &str, offered: &[String]) -> Option<Self> {
        match unit(extension)? {
            Unit::Message => Some(Self {
                unit: Unit::Message,
                takeover: Both {
                    to_server: !has(extension, "client_no_context_takeover"),
                    to_client: !has(extension, "server_no_context_takeover"),
                },
            }),
            // A parameter binds the receiver of the head that it stands in, when it compresses.
            Unit::Frame => {
                let mut offers = offered.iter().filter(|offer| unit(offer) == Some(Unit::Frame));
                Some(Self {
                    unit: Unit::Frame,
                    takeover: Both {
                        to_server: !has(extension, "no_context_takeover"),
                        to_client: !offers.any(|offer| has(offer, "no_context_takeover")),
                    },
                })
            }
        }
    }

    /// Of several, the first; what one of them allows is possible.
    fn or(self, other: Self) -> Self {
        let takeover = Both {
            to_server: self.takeover.to_server || other.takeover.to_server,
            to_client: self.takeover.to_client || other.takeover.to_client,
        };
        if self.unit == other.unit { Self { takeover, ..self } } else { self }
    }
}

/// What an extension compresses, by its name (RFC 7692 §7; the draft's two names).
fn unit(extension: &str) -> Option<Unit> {
    let name = extension.split(';').next().unwrap_or_default().trim();
    let named = |other| name.eq_ignore_ascii_case(other);
    if named("permessage-deflate") {
        Some(Unit::Message)
    } else if named("deflate-frame") || named("x-webkit-deflate-frame") {
        Some(Unit::Frame)
    } else {
        None
    }
}

/// Whether an extension has a parameter.
fn has(extension: &str, parameter: &str) -> bool {
    let names = extension.split(';').skip(1).filter_map(|part| part.split('=').next());
    names.map(str::trim).any(|name| name.eq_ignore_ascii_case(parameter))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreed(offered: &[&str], used: Option<&[&str]>) -> Option<(Unit, bool, bool)> {
        let list = |all: &[&str]| all.iter().map(|&text| text.to_owned()).collect();
        let handshake =
            Handshake { extensions_offered: Some(list(offered)), extensions: used.map(list), ..Handshake::default() };
        Compression::agreed(&handshake).map(|it| (it.unit, it.takeover.to_server, it.takeover.to_client))
    }

    #[test]
    fn reads_what_was_agreed() {
        use Unit::{Frame, Message};
        let deflate = "permessage-deflate";
        assert_eq!(agreed(&[deflate], Some(&[])), None);
        assert_eq!(agreed(&[deflate], Some(&["x-other", deflate])), Some((Message, true, true)));
        let no_client = "Permessage-Deflate; client_max_window_bits=12 ;client_no_context_takeover";
        assert_eq!(agreed(&[deflate], Some(&[no_client])), Some((Message, false, true)));
        assert_eq!(agreed(&[no_client, deflate], None), Some((Message, true, true)), "either may be in use");
        let frame = "x-webkit-deflate-frame";
        assert_eq!(agreed(&[frame], Some(&[frame])), Some((Frame, true, true)));
        assert_eq!(agreed(&[frame], Some(&["deflate-frame; no_context_takeover"])), Some((Frame, false, true)));
        assert_eq!(agreed(&["deflate-frame; no_context_takeover"], Some(&[frame])), Some((Frame, true, false)));
        assert_eq!(agreed(&[deflate, frame], Some(&[frame])), Some((Frame, true, true)));
    }
}
