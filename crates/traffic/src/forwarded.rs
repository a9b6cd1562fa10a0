//! Who is really calling, when the peer is another proxy.

use std::net::IpAddr;

use ipnet::IpNet;

/// The address of the caller. The `X-Forwarded-For` fields, in their order of arrival, are one list
/// (RFC 9110 §5.3), and believed as far as trusted peers wrote it: from the right, each address
/// that is itself trusted vouches for the one to its left. The first that is not trusted is the
/// caller; text that is no address ends the walk at the last one known.
pub fn source<'h>(
    peer: IpAddr,
    forwarded_for: impl DoubleEndedIterator<Item = &'h [u8]>,
    trusted: &[IpNet],
) -> IpAddr {
    let peer = peer.to_canonical();
    let is_trusted = |address: IpAddr| trusted.iter().any(|net| net.contains(&address));
    let mut known = peer;
    let hops = forwarded_for.rev().flat_map(|value| value.rsplit(|byte| *byte == b','));
    for hop in hops.map(<[u8]>::trim_ascii) {
        if !is_trusted(known) {
            break;
        }
        let address = str::from_utf8(hop).ok().and_then(|text| text.parse::<IpAddr>().ok());
        match address {
            Some(address) => known = address.to_canonical(),
            None => break,
        }
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(peer: IpAddr, values: &[&str], trusted: &[IpNet]) -> IpAddr {
        super::source(peer, values.iter().map(|value| value.as_bytes()), trusted)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_untrusted_peer_speaks_only_for_itself() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        assert_eq!(source(ip("192.0.2.1"), &["10.0.0.1"], &trusted), ip("192.0.2.1"));
        assert_eq!(source(ip("192.0.2.1"), &["10.0.0.1"], &[]), ip("192.0.2.1"));
    }

    #[test]
    fn the_walk_ends_at_the_first_address_that_nobody_trusted_wrote() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let claimed = &["203.0.113.9, 198.51.100.7, 10.0.0.2"];
        assert_eq!(source(ip("10.0.0.1"), claimed, &trusted), ip("198.51.100.7"));
        assert_eq!(source(ip("::ffff:10.0.0.1"), claimed, &trusted), ip("198.51.100.7"));
    }

    #[test]
    fn fields_of_several_proxies_are_one_list() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let claimed = ["203.0.113.9", "198.51.100.7", "10.0.0.2, 10.0.0.3"];
        assert_eq!(source(ip("10.0.0.1"), &claimed, &trusted), ip("198.51.100.7"));
        assert_eq!(source(ip("10.0.0.1"), &claimed[..1], &trusted), ip("203.0.113.9"));
        assert_eq!(source(ip("10.0.0.1"), &[], &trusted), ip("10.0.0.1"));
    }

    #[test]
    fn text_that_is_no_address_ends_the_walk() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        for claimed in ["unknown", "203.0.113.9, _hidden", "203.0.113.9:80", ""] {
            let source = source(ip("10.0.0.1"), &[claimed], &trusted);
            assert_eq!(source, ip("10.0.0.1"), "{claimed}");
        }
    }
}
