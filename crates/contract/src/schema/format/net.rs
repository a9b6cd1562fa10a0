//! Names and addresses.

pub(super) fn is_hostname(text: &str) -> bool {
    let label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let edges = !label.starts_with('-') && !label.ends_with('-');
        (1..=63).contains(&label.len()) && edges && label.bytes().all(inner)
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// RFC 5321 §4.1.2, without a limit on the domain's kind.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let atom = |atom: &str| {
        let allowed = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
        !atom.is_empty() && atom.chars().all(allowed)
    };
    let quoted = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let quoted = quoted.is_some_and(|inner| !inner.contains('"') && !inner.contains('\\'));
    local.len() <= 64 && (quoted || local.split('.').all(atom)) && is_mail_domain(domain)
}

/// A host name, or an address in brackets.
fn is_mail_domain(text: &str) -> bool {
    match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(literal) => match literal.strip_prefix("IPv6:") {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => literal.parse::<std::net::Ipv4Addr>().is_ok(),
        },
        None => is_hostname(text),
    }
}

pub(super) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    is_scheme && scheme.bytes().all(inner) && is_spelled(rest)
}

pub(super) fn is_uri_reference(text: &str) -> bool {
    // Without a scheme, a colon cannot stand before the first slash (RFC 3986 §4.2).
    let first = text.split(['/', '?', '#']).next().unwrap_or_default();
    is_uri(text) || (!first.contains(':') && is_spelled(text))
}

/// Only characters of addresses, `%` with two digits, one `#` at most, and brackets where an
/// address of the sixth version stands.
fn is_spelled(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c);
    let digits = |rest: &str| {
        let mut bytes = rest.bytes();
        (0..2).all(|_| bytes.next().is_some_and(|byte| byte.is_ascii_hexdigit()))
    };
    let authority = text.strip_prefix("//").and_then(|rest| rest.split(['/', '?', '#']).next());
    let beyond = authority.map_or(text, |authority| {
        text.strip_prefix("//").and_then(|rest| rest.strip_prefix(authority)).unwrap_or_default()
    });
    text.chars().all(allowed)
        && text.split('%').skip(1).all(digits)
        && text.matches('#').count() <= 1
        && !beyond.contains(['[', ']'])
        && authority.is_none_or(is_authority)
}

fn is_authority(authority: &str) -> bool {
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    let (host, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => {
            let address = address.parse::<std::net::Ipv6Addr>().is_ok();
            if !address {
                return false;
            }
            ("", rest.strip_prefix(':').unwrap_or(rest))
        }
        None => host.split_once(':').unwrap_or((host, "")),
    };
    !user.contains(['[', ']', '@'])
        && !host.contains(['[', ']'])
        && port.bytes().all(|b| b.is_ascii_digit())
}
