//! The parameters of permessage-deflate: what may be offered, and what may be answered (RFC 7692 §7.1).

use crate::model::Extension;

/// The name under which it is negotiated.
const NAME: &str = "permessage-deflate";

/// What a parameter has behind its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    /// Nothing.
    None,
    /// A window size.
    Bits,
    /// A window size, or nothing.
    MaybeBits,
}

/// Each parameter, and its value in an offer and in an answer.
const PARAMETERS: [(&str, Value, Value); 4] = [
    ("server_no_context_takeover", Value::None, Value::None),
    ("client_no_context_takeover", Value::None, Value::None),
    ("server_max_window_bits", Value::Bits, Value::Bits),
    ("client_max_window_bits", Value::MaybeBits, Value::Bits),
];

/// What is wrong with the offers of permessage-deflate among `offered`, each in words.
pub(super) fn offer_faults(offered: &[String]) -> Vec<String> {
    deflates(offered).flat_map(|offer| own_faults(&offer, |(_, offer, _)| *offer)).collect()
}

/// What is wrong with the permessage-deflate among `accepted`; `None` when there is none. Without `offered`, only what is wrong in itself.
pub(super) fn answer_faults(accepted: &[String], offered: Option<&[String]>) -> Option<Vec<String>> {
    let mut answers = deflates(accepted);
    let answer = answers.next()?;
    let mut faults = own_faults(&answer, |(_, _, answer)| *answer);
    if answers.next().is_some() {
        faults.push("accepted more than once".to_owned());
    }
    // It answers one of the offers: the one that it misses least.
    let missed = deflates(offered.unwrap_or_default()).map(|offer| misses(&answer, &offer)).min_by_key(Vec::len);
    faults.extend(missed.unwrap_or_default());
    Some(faults)
}

fn deflates(list: &[String]) -> impl Iterator<Item = Extension<'_>> {
    list.iter().map(|text| Extension::parse(text)).filter(|extension| extension.is(NAME))
}

/// Parameters that are unknown, repeated or without the value that they must have.
fn own_faults(extension: &Extension<'_>, value: impl Fn(&(&str, Value, Value)) -> Value) -> Vec<String> {
    let mut faults = Vec::new();
    for (at, (name, given)) in extension.parameters.iter().enumerate() {
        let Some(row) = PARAMETERS.iter().find(|row| row.0.eq_ignore_ascii_case(name)) else {
            faults.push(format!("unknown parameter {name}"));
            continue;
        };
        if extension.parameters.iter().take(at).any(|(earlier, _)| earlier.eq_ignore_ascii_case(name)) {
            faults.push(format!("{name} twice"));
        }
        match (value(row), given) {
            (Value::None, Some(given)) => faults.push(format!("{name}={given}, which takes no value")),
            (Value::Bits, None) => faults.push(format!("{name} without a value")),
            (Value::Bits | Value::MaybeBits, Some(given)) if bits(given).is_none() => {
                faults.push(format!("{name}={given}, which is not 8 to 15"));
            }
            _ => {}
        }
    }
    faults
}

/// What in an answer goes beyond an offer, or falls short of it.
fn misses(answer: &Extension<'_>, offer: &Extension<'_>) -> Vec<String> {
    let mut misses = Vec::new();
    if offer.has("server_no_context_takeover") && !answer.has("server_no_context_takeover") {
        misses.push("server_no_context_takeover was offered and is not answered".to_owned());
    }
    let (wanted, given) = (window(offer, "server_max_window_bits"), window(answer, "server_max_window_bits"));
    match (wanted, given) {
        (Some(wanted), None) => misses.push(format!("server_max_window_bits={wanted} was offered and is not answered")),
        (Some(wanted), Some(given)) if given > wanted => {
            misses.push(format!("server_max_window_bits={given}, more than the {wanted} offered"));
        }
        _ => {}
    }
    let (wanted, given) = (window(offer, "client_max_window_bits"), window(answer, "client_max_window_bits"));
    if answer.has("client_max_window_bits") && !offer.has("client_max_window_bits") {
        misses.push("client_max_window_bits, which was not offered".to_owned());
    } else if let (Some(wanted), Some(given)) = (wanted, given)
        && given > wanted
    {
        misses.push(format!("client_max_window_bits={given}, more than the {wanted} offered"));
    }
    misses
}

fn window(extension: &Extension<'_>, parameter: &str) -> Option<u8> {
    let (_, value) = extension.parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case(parameter))?;
    bits(value.as_deref()?)
}

/// RFC 7692 §7.1.2: a decimal number from 8 to 15 without leading zeros.
fn bits(value: &str) -> Option<u8> {
    if value.starts_with(['0', '+']) { None } else { value.parse().ok().filter(|bits| (8..=15).contains(bits)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<String> {
        text.split(',').filter(|one| !one.trim().is_empty()).map(str::to_owned).collect()
    }

    #[test]
    fn offers() {
        let faults = |offer| offer_faults(&list(offer)).join(" + ");
        for fine in [
            "",
            "permessage-deflate",
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; client_max_window_bits=\"10\"; server_max_window_bits = 8",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover, permessage-deflate",
            "x-else; server_max_window_bits=99",
        ] {
            assert_eq!(faults(fine), "", "{fine}");
        }
        for (offer, fault) in [
            ("permessage-deflate; window=15", "unknown parameter window"),
            ("permessage-deflate; client_max_window_bits; CLIENT_max_window_bits=9", "CLIENT_max_window_bits twice"),
            ("permessage-deflate; server_max_window_bits", "server_max_window_bits without a value"),
            ("permessage-deflate; server_max_window_bits=7", "server_max_window_bits=7, which is not 8 to 15"),
            ("permessage-deflate; server_max_window_bits=16", "server_max_window_bits=16, which is not 8 to 15"),
            ("permessage-deflate; client_max_window_bits=08", "client_max_window_bits=08, which is not 8 to 15"),
            (
                "permessage-deflate; server_no_context_takeover=true",
                "server_no_context_takeover=true, which takes no value",
            ),
        ] {
            assert_eq!(faults(offer), fault, "{offer}");
        }
    }

    #[test]
    fn answers() {
        let faults = |offer, answer| answer_faults(&list(answer), Some(&list(offer))).map(|all| all.join(" + "));
        assert_eq!(faults("permessage-deflate", ""), None);
        let plain = "permessage-deflate";
        let full = "permessage-deflate; server_max_window_bits=12; client_max_window_bits";
        for (offer, answer) in [
            (plain, plain),
            (plain, "permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
            (plain, "permessage-deflate; server_max_window_bits=9"),
            (full, "permessage-deflate; server_max_window_bits=12"),
            (full, "permessage-deflate; server_max_window_bits=10; client_max_window_bits=15"),
            ("permessage-deflate; server_max_window_bits=10, permessage-deflate", plain),
        ] {
            assert_eq!(faults(offer, answer).as_deref(), Some(""), "{offer} / {answer}");
        }
        for (offer, answer, fault) in [
            (plain, "permessage-deflate; client_max_window_bits=12", "client_max_window_bits, which was not offered"),
            (full, plain, "server_max_window_bits=12 was offered and is not answered"),
            (
                full,
                "permessage-deflate; server_max_window_bits=13",
                "server_max_window_bits=13, more than the 12 offered",
            ),
            (
                full,
                "permessage-deflate; server_max_window_bits=12; client_max_window_bits",
                "client_max_window_bits without a value",
            ),
            (
                "permessage-deflate; client_max_window_bits=10",
                "permessage-deflate; client_max_window_bits=11",
                "client_max_window_bits=11, more than the 10 offered",
            ),
            (
                "permessage-deflate; server_no_context_takeover",
                plain,
                "server_no_context_takeover was offered and is not answered",
            ),
            (plain, "permessage-deflate, permessage-deflate", "accepted more than once"),
            (plain, "permessage-deflate; x", "unknown parameter x"),
        ] {
            assert_eq!(faults(offer, answer).as_deref(), Some(fault), "{offer} / {answer}");
        }
        let unasked = answer_faults(&list("permessage-deflate; client_max_window_bits=12"), None);
        assert_eq!(unasked.map(|all| all.len()), Some(0), "without the request nothing can be compared");
    }
}
