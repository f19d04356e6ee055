//! From which network somebody asks. A cookie costs nothing, so readers' thumbs are counted by network.

use std::net::IpAddr;

use axum::http::HeaderMap;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The network of whoever asks from `peer`: the first 24 bits of an IPv4 address, 48 of IPv6, which is about what one
/// site has.
pub(super) fn network(peer: IpAddr, headers: &HeaderMap) -> Vec<u8> {
    match asker(peer.to_canonical(), headers).to_canonical() {
        IpAddr::V4(address) => address.octets()[..3].to_vec(),
        IpAddr::V6(address) => address.octets()[..6].to_vec(),
    }
}

/// Behind a proxy on this machine, whom that names. It puts last whom it heard itself; what stands before that, and
/// what anybody else says, may be made up.
fn asker(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let named = || headers.get_all(FORWARDED_FOR).into_iter().next_back()?.to_str().ok();
    let last = || named()?.rsplit(',').next()?.trim().parse().ok();
    if peer.is_loopback() { last().unwrap_or(peer) } else { peer }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is(peer: &str, forwarded: &[&'static str], expected: &[u8]) {
        let headers = forwarded.iter().map(|value| (FORWARDED_FOR.parse().unwrap(), value.parse().unwrap()));
        let found = network(peer.parse().unwrap(), &headers.collect());
        assert_eq!(found, expected, "{peer} {forwarded:?}");
    }

    #[test]
    fn an_address_belongs_to_its_network() {
        is("192.0.2.7", &[], &[192, 0, 2]);
        is("::ffff:192.0.2.7", &[], &[192, 0, 2]);
        is("2001:db8:1:2:3:4:5:6", &[], &[0x20, 0x01, 0x0d, 0xb8, 0, 1]);
    }

    #[test]
    fn a_proxy_on_this_machine_names_who_asks() {
        is("127.0.0.1", &["192.0.2.7"], &[192, 0, 2]);
        is("::1", &["::ffff:192.0.2.7"], &[192, 0, 2]);
        is("::ffff:127.0.0.1", &["2001:db8:1::6"], &[0x20, 0x01, 0x0d, 0xb8, 0, 1]);
        is("127.0.0.1", &["198.51.100.1, 192.0.2.7"], &[192, 0, 2]);
        is("127.0.0.1", &["198.51.100.1", "203.0.113.1,192.0.2.7"], &[192, 0, 2]);
    }

    #[test]
    fn what_anybody_else_names_counts_for_nothing() {
        is("192.0.2.7", &["198.51.100.1"], &[192, 0, 2]);
        for nobody in ["", "unknown", "192.0.2.7, ", "192.0.2", "192.0.2.7:80", "\u{e9}"] {
            is("127.0.0.1", &[nobody], &[127, 0, 0]);
        }
    }
}
