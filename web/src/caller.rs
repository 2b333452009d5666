use crate::Front;
use axum::{
    extract::{ConnectInfo, FromRef, FromRequestParts},
    http::{HeaderMap, StatusCode, request::Parts},
};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The address that a request came from, as far as it can be believed; read from a request by
/// handlers that take one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Caller(pub(crate) IpAddr);

impl Caller {
    /// Returns what stands for the caller where requests are counted: an IPv4 address, or the
    /// first 64 bits of an IPv6 address, of which one household has as many as it likes.
    pub(crate) fn network(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::from([a, b, c, d, 0, 0, 0, 0])
            }
        }
    }
}

impl<S> FromRequestParts<S> for Caller
where
    Front: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, StatusCode> {
        let front = Front::from_ref(state);
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        // Where nothing listens, as in a router called directly, the caller is this machine.
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |info| info.0.ip());
        Ok(Self(caller(&parts.headers, peer, &front.settings.trusted_proxies)))
    }
}

/// Returns who called: the peer, or, where the peer is a trusted proxy, the last address in
/// `X-Forwarded-For` that is not one. What stands before that address anybody may have written.
pub(crate) fn caller(headers: &HeaderMap, peer: IpAddr, trusted: &[IpAddr]) -> IpAddr {
    let mut caller = peer.to_canonical();
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    let hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    for hop in hops {
        if !trusted.iter().any(|proxy| proxy.to_canonical() == caller) {
            break;
        }
        // A proxy that writes what is no address is named itself.
        let Some(next) = address(hop.trim()) else { break };
        caller = next;
    }
    caller
}

/// Reads an address with or without a port: `192.0.2.7`, `192.0.2.7:1234`, `[2001:db8::7]:1234`.
fn address(hop: &str) -> Option<IpAddr> {
    let with_port = || hop.parse::<SocketAddr>().ok().map(|address| address.ip());
    let bare = hop.trim_start_matches('[').trim_end_matches(']');
    bare.parse().ok().or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(peer: &str, forwarded: &[&str], expected: &str) {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let trusted = ["127.0.0.1".parse().unwrap(), "10.0.0.9".parse().unwrap()];
        let found = caller(&headers, peer.parse().unwrap(), &trusted);
        assert_eq!(found, expected.parse::<IpAddr>().unwrap(), "{peer} {forwarded:?}");
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        check("203.0.113.5", &[], "203.0.113.5");
        check("203.0.113.5", &["198.51.100.1"], "203.0.113.5");
        check("127.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check("::ffff:127.0.0.1", &["198.51.100.1"], "198.51.100.1");
    }

    #[test]
    fn what_a_caller_wrote_before_the_proxy_counts_for_nothing() {
        check("127.0.0.1", &["1.1.1.1, 198.51.100.1"], "198.51.100.1");
        check("127.0.0.1", &["1.1.1.1", "198.51.100.1"], "198.51.100.1");
        check("127.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.9"], "198.51.100.1");
        check("127.0.0.1", &["198.51.100.1, nonsense"], "127.0.0.1");
        check("127.0.0.1", &[""], "127.0.0.1");
    }

    #[test]
    fn ports_and_brackets_are_read() {
        check("127.0.0.1", &["198.51.100.1:4711"], "198.51.100.1");
        check("127.0.0.1", &["[2001:db8::7]:4711"], "2001:db8::7");
        check("127.0.0.1", &["2001:db8::7"], "2001:db8::7");
    }

    #[test]
    fn a_household_of_ipv6_counts_as_one() {
        let network = |text: &str| Caller(text.parse().unwrap()).network();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2:ffff::"));
        assert_ne!(network("2001:db8:1:2::"), network("2001:db8:1:3::"));
        assert_eq!(network("192.0.2.7"), "192.0.2.7".parse::<IpAddr>().unwrap());
    }
}
