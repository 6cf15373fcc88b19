//! What the handshake agreed on about RSV1: compression, of messages or of frames.

use super::deflate::Terms;
use crate::model::{Both, Extension, Handshake};

/// How a direction's data is compressed: what RSV1 of a data frame means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Compression {
    pub(super) unit: Unit,
    /// For each direction, what its sender keeps to.
    pub(super) terms: Both<Terms>,
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
    pub(super) const UNSEEN: Self =
        Self { unit: Unit::Message, terms: Both { to_server: Terms::FREE, to_client: Terms::FREE } };

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
                terms: Both {
                    to_server: Terms {
                        takeover: !has(extension, "client_no_context_takeover"),
                        window_bits: window_bits(extension, "client_max_window_bits"),
                    },
                    to_client: Terms {
                        takeover: !has(extension, "server_no_context_takeover"),
                        window_bits: window_bits(extension, "server_max_window_bits"),
                    },
                },
            }),
            // A parameter binds the receiver of the head that it stands in, when it compresses.
            Unit::Frame => {
                let mut offers = offered.iter().filter(|offer| unit(offer) == Some(Unit::Frame));
                Some(Self {
                    unit: Unit::Frame,
                    terms: Both {
                        to_server: Terms { takeover: !has(extension, "no_context_takeover"), ..Terms::FREE },
                        to_client: Terms {
                            takeover: !offers.any(|offer| has(offer, "no_context_takeover")),
                            ..Terms::FREE
                        },
                    },
                })
            }
        }
    }

    /// Of several, the first; what one of them allows is possible.
    fn or(self, other: Self) -> Self {
        let terms = Both::from_fn(|dir| Terms {
            takeover: self.terms[dir].takeover || other.terms[dir].takeover,
            window_bits: self.terms[dir].window_bits.max(other.terms[dir].window_bits),
        });
        if self.unit == other.unit { Self { terms, ..self } } else { self }
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

/// The value of a parameter that limits a window; the largest where there is none (RFC 7692 §7.1.2).
fn window_bits(extension: &str, parameter: &str) -> u8 {
    let extension = Extension::parse(extension);
    let found = extension.parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case(parameter));
    found
        .and_then(|(_, value)| value.as_deref())
        .and_then(|value| value.parse().ok())
        .filter(|bits| (8..=15).contains(bits))
        .unwrap_or(15)
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
        Compression::agreed(&handshake).map(|it| (it.unit, it.terms.to_server.takeover, it.terms.to_client.takeover))
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
