use ipnet::{IpNet, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Networks that no customer's system on the internet is in, by the IANA registries of special
/// purpose addresses (RFC 6890), and the addresses at which clouds tell machines their secrets.
const OWN: [&str; 25] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    // Link-local, with the metadata address of most clouds.
    "169.254.0.0/16",
    "172.16.0.0/12",
    // Protocol assignments, with the metadata address of Oracle.
    "192.0.0.0/24",
    "192.0.2.0/24",
    // Relays from IPv6 to IPv4, given up by RFC 7526.
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    // Azure answers here, to its machines only.
    "168.63.129.16/32",
    // Protocol assignments, with Teredo, which hides an IPv4 address.
    "2001::/23",
    "2001:db8::/32",
    // 6to4, which hides an IPv4 address.
    "2002::/16",
    "3fff::/20",
    // The rest of IPv6 has not been given out as global unicast (RFC 4291): 2000::/3 has.
    "::/3",
    "4000::/2",
    "8000::/1",
    // Said again for the reader: unique local with the metadata address of AWS, and link-local.
    "fc00::/7",
    "fe80::/10",
];

/// Where an IPv6 address holds an IPv4 address that it leads to through a translator (RFC 6052).
const TRANSLATED: &str = "64:ff9b::/96";

/// Tells addresses of the public internet from those of this machine, its network and its cloud.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    own: Vec<IpNet>,
    translated: Option<Ipv6Net>,
    allow_private: bool,
}

/// Nothing is sent to this address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the address is private; set webhooks.allow_private to send to it all the same")]
pub(super) struct Refused;

impl Gate {
    /// Makes a gate; with `allow_private` it lets everything pass.
    pub(super) fn new(allow_private: bool) -> Self {
        let own = OWN.iter().filter_map(|network| network.parse().ok()).collect();
        Self { own, translated: TRANSLATED.parse().ok(), allow_private }
    }

    /// Lets an address of the public internet pass. An IPv6 address that stands for an IPv4
    /// address is judged as that one.
    ///
    /// # Errors
    /// [`Refused`].
    pub(super) fn check(&self, address: IpAddr) -> Result<(), Refused> {
        let address = match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(v6) => self.meant(v6).map_or(address, IpAddr::V4),
        };
        let own = self.own.iter().any(|network| network.contains(&address));
        if self.allow_private || !own { Ok(()) } else { Err(Refused) }
    }

    fn meant(&self, address: Ipv6Addr) -> Option<Ipv4Addr> {
        let [.., a, b, c, d] = address.octets();
        let translated = self.translated.is_some_and(|network| network.contains(&address));
        address.to_ipv4_mapped().or(translated.then(|| Ipv4Addr::new(a, b, c, d)))
    }

    /// Checks all addresses of a name; one that is refused spoils them all.
    fn check_all(&self, found: &[SocketAddr]) -> Result<(), Refused> {
        found.iter().try_for_each(|address| self.check(address.ip()))
    }
}

/// Looks a name up once and hands on what was checked, so that the connection goes to exactly the
/// addresses that passed the gate, whatever the name means a moment later.
impl Resolve for Gate {
    fn resolve(&self, name: Name) -> Resolving {
        let gate = self.clone();
        Box::pin(async move {
            // The port of the address that is called takes the place of 0.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.collect();
            gate.check_all(&found)?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(address: &str, public: bool) {
        let passes = Gate::new(false).check(address.parse().unwrap()).is_ok();
        assert_eq!(passes, public, "{address}");
    }

    #[test]
    fn every_network_of_the_list_can_be_read() {
        let gate = Gate::new(false);
        assert_eq!((gate.own.len(), gate.translated.is_some()), (OWN.len(), true));
    }

    #[test]
    fn addresses_of_this_machine_its_network_and_its_cloud_are_refused() {
        for address in [
            "127.0.0.1",
            "127.8.9.1",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
            "224.0.0.1",
            "239.255.255.255",
            "255.255.255.255",
            "240.0.0.1",
            "198.18.0.1",
            "203.0.113.5",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:0a00:1::1",
            "2001::1",
            "2001:db8::1",
            "fec0::1",
            "100::1",
        ] {
            check(address, false);
        }
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "93.184.216.34",
            "172.32.0.1",
            "100.128.0.1",
            "169.253.1.1",
            "2606:4700::1111",
            "2a00:1450:4001:82a::200e",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            check(address, true);
        }
        assert!(Gate::new(true).check("127.0.0.1".parse().unwrap()).is_ok());
    }

    #[test]
    fn one_private_address_spoils_a_name() {
        let at = |address: &str| SocketAddr::new(address.parse().unwrap(), 0);
        let gate = Gate::new(false);
        assert_eq!(gate.check_all(&[at("1.1.1.1"), at("8.8.8.8")]), Ok(()));
        assert_eq!(gate.check_all(&[at("1.1.1.1"), at("10.0.0.1")]), Err(Refused));
    }

    proptest! {
        /// What the standard library knows to be no public address, is refused in every form in
        /// which IPv6 can hold it.
        #[test]
        fn no_form_of_a_private_address_passes(bits: u32) {
            let v4 = Ipv4Addr::from(bits);
            let own = v4.is_private() || v4.is_loopback() || v4.is_link_local()
                || v4.is_multicast() || v4.is_unspecified() || v4.is_broadcast()
                || v4.is_documentation();
            let gate = Gate::new(false);
            let [a, b, c, d] = v4.octets();
            let low = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, (bits >> 16) as u16, bits as u16);
            let plain = gate.check(v4.into());
            prop_assert!(!own || plain.is_err());
            prop_assert_eq!(gate.check(v4.to_ipv6_mapped().into()), plain);
            prop_assert_eq!(gate.check(low.into()), plain);
            let six = u128::from(0x2002_u16) << 112 | u128::from(bits) << 80;
            prop_assert_eq!(gate.check(Ipv6Addr::from(six).into()), Err(Refused));
            let compatible = Ipv6Addr::from(u128::from(u32::from_be_bytes([a, b, c, d])));
            prop_assert_eq!(gate.check(compatible.into()), Err(Refused));
        }

        #[test]
        fn no_private_address_of_version_6_passes(bits: u128, prefix in 0_usize..4) {
            let heads = [0xfc00_u128 << 112, 0xfe80 << 112, 0xff00 << 112, 0x2001_0db8 << 96];
            let lengths = [7, 10, 8, 32];
            let mask = u128::MAX >> lengths[prefix];
            let address = Ipv6Addr::from(heads[prefix] | (bits & mask));
            prop_assert_eq!(Gate::new(false).check(address.into()), Err(Refused));
        }
    }
}
