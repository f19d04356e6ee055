//! Which addresses are not simply a host's on the open network, and which of them a router dials.
//!
//! The ranges are those of the IANA registries of special-purpose addresses for IPv4 and IPv6, which
//! RFC 6890 describes; an address that carries another one inside is judged by that one. Refuses to
//! resolve or dial anything: it takes addresses and returns values.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is, where it is not simply a host's on the open network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Special {
    /// The router's own host.
    #[error("a loopback address, which is the router's own host")]
    Loopback,
    /// A host in a network of somebody's own.
    #[error("a private address")]
    Private,
    /// A neighbour on the wire; clouds keep their machines' credentials at such an address.
    #[error("a link-local address, where clouds keep their machines' metadata")]
    LinkLocal,
    /// Set aside for documents, benchmarks, protocols or the future.
    #[error("an address of a reserved range")]
    Reserved,
    /// Every host, any host or many hosts.
    #[error("an address that is no single host's")]
    Nowhere,
}

impl Special {
    /// What whoever registers the specialist does next.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Nowhere => "name the address at which the specialist is reached",
            Self::Loopback | Self::Private | Self::LinkLocal | Self::Reserved => {
                "name an address of the open network, or start the router with --allow-private"
            }
        }
    }
}

/// Which special addresses a router dials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    loopback: bool,
    private: bool,
}

impl Policy {
    /// The policy of a router that listens on `listening`. One that only its own host reaches dials its
    /// own host; with `allow_private` every address that can be a host's is dialled.
    pub fn new(allow_private: bool, listening: IpAddr) -> Self {
        let loopback = allow_private || listening.to_canonical().is_loopback();
        Self { loopback, private: allow_private }
    }

    /// Why `ip` is not dialled; `None` where it is.
    pub fn refuses(self, ip: IpAddr) -> Option<Special> {
        let special = special(ip)?;
        let allowed = match special {
            Special::Loopback => self.loopback,
            Special::Private | Special::LinkLocal | Special::Reserved => self.private,
            Special::Nowhere => false,
        };
        (!allowed).then_some(special)
    }
}

/// What is special about `ip`.
pub(super) fn special(ip: IpAddr) -> Option<Special> {
    // `::ffff:127.0.0.1` is dialled over IPv4, as 127.0.0.1 is.
    match ip.to_canonical() {
        IpAddr::V4(ip) => special_v4(ip),
        IpAddr::V6(ip) => special_v6(ip),
    }
}

/// Bits, how many of them count, and what they mean.
type Row<Bits> = (Bits, u32, Special);

/// The more exact range first.
#[rustfmt::skip]
const V4: [Row<[u8; 4]>; 17] = [
    ([0, 0, 0, 0],          8, Special::Nowhere),    // this network; Linux takes 0.0.0.0 for loopback
    ([10, 0, 0, 0],         8, Special::Private),
    ([100, 64, 0, 0],      10, Special::Private),    // shared by a provider's customers
    ([127, 0, 0, 0],        8, Special::Loopback),
    ([168, 63, 129, 16],   32, Special::LinkLocal),  // Azure's own, in no registry
    ([169, 254, 0, 0],     16, Special::LinkLocal),
    ([172, 16, 0, 0],      12, Special::Private),
    ([192, 0, 0, 0],       24, Special::Reserved),   // protocols; Oracle's metadata
    ([192, 0, 2, 0],       24, Special::Reserved),   // documents
    ([192, 88, 99, 0],     24, Special::Reserved),   // relays of 6to4, given up
    ([192, 168, 0, 0],     16, Special::Private),
    ([198, 18, 0, 0],      15, Special::Reserved),   // benchmarks
    ([198, 51, 100, 0],    24, Special::Reserved),   // documents
    ([203, 0, 113, 0],     24, Special::Reserved),   // documents
    ([224, 0, 0, 0],        4, Special::Nowhere),    // multicast
    ([255, 255, 255, 255], 32, Special::Nowhere),    // broadcast
    ([240, 0, 0, 0],        4, Special::Reserved),
];

/// The more exact range first. What lies outside of `2000::/3` and is not named is reserved too.
#[rustfmt::skip]
const V6: [Row<[u16; 8]>; 10] = [
    ([0; 8],                              128, Special::Nowhere),
    ([0, 0, 0, 0, 0, 0, 0, 1],            128, Special::Loopback),
    ([0x64, 0xff9b, 1, 0, 0, 0, 0, 0],     48, Special::Private),  // a network's own NAT64, RFC 8215
    ([0x2001, 0, 0, 0, 0, 0, 0, 0],        23, Special::Reserved), // protocols; Teredo, whatever it carries
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0],    32, Special::Reserved), // documents
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0],        20, Special::Reserved), // documents
    ([0xfc00, 0, 0, 0, 0, 0, 0, 0],         7, Special::Private),
    ([0xfe80, 0, 0, 0, 0, 0, 0, 0],        10, Special::LinkLocal),
    ([0xfec0, 0, 0, 0, 0, 0, 0, 0],        10, Special::Private),  // site-local, given up
    ([0xff00, 0, 0, 0, 0, 0, 0, 0],         8, Special::Nowhere),  // multicast
];

fn special_v4(ip: Ipv4Addr) -> Option<Special> {
    let within = |(range, length, _): &&Row<[u8; 4]>| {
        let differs = ip.to_bits() ^ Ipv4Addr::from(*range).to_bits();
        differs.leading_zeros() >= *length
    };
    V4.iter().find(within).map(|(_, _, special)| *special)
}

fn special_v6(ip: Ipv6Addr) -> Option<Special> {
    let within = |(range, length, _): &&Row<[u16; 8]>| {
        let differs = ip.to_bits() ^ Ipv6Addr::from(*range).to_bits();
        differs.leading_zeros() >= *length
    };
    if let Some((_, _, special)) = V6.iter().find(within) {
        return Some(*special);
    }
    match carried(ip).and_then(special_v4) {
        // The loopback at the far end of a tunnel is not the router's own.
        Some(Special::Loopback) => return Some(Special::Private),
        Some(special) => return Some(special),
        None => {}
    }
    let open = matches!(ip.segments(), [0x2000..0x4000, ..] | [0x64, 0xff9b, 0, 0, 0, 0, _, _]);
    (!open).then_some(Special::Reserved)
}

/// The IPv4 address that a translator or a tunnel takes out of `ip`.
fn carried(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    // IPv4-compatible, RFC 4291; NAT64, RFC 6052; 6to4, RFC 3056.
    let ([0, 0, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..]) =
        ip.segments()
    else {
        return None;
    };
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Some(Ipv4Addr::new(a, b, c, d))
}
