//! Networks: which client addresses a token allows, as people write them.

use std::net::{IpAddr, Ipv6Addr};

pub use ipnet::IpNet;

/// Why a text is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Neither an address nor an address with a prefix length.
    #[error("Not a network: write an address, as in 203.0.113.7, or one with a prefix length, as in 10.0.0.0/8")]
    NotANetwork,
    /// Is it the address or the network that was meant?
    #[error("Has bits set behind its prefix length: write {0} for the whole network, or leave the prefix length out")]
    HostBits(IpNet),
    /// Such an address is looked up as the IPv4 one that it stands for.
    #[error("Stands for IPv4 addresses: write it as these")]
    Mapped,
}

/// Reads an address (its network is the address alone) or an address and its prefix length.
pub fn parse(text: &str) -> Result<IpNet, NetworkError> {
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse::<IpNet>().map_err(|_| NetworkError::NotANetwork)?,
    };
    if network != network.trunc() {
        return Err(NetworkError::HostBits(network.trunc()));
    }
    match network {
        IpNet::V6(within) if MAPPED == within.addr().segments()[..6] && within.prefix_len() >= 96 => {
            Err(NetworkError::Mapped)
        }
        network => Ok(network),
    }
}

/// How the IPv6 addresses that stand for IPv4 ones begin.
const MAPPED: [u16; 6] = {
    let [a, b, c, d, e, f, _, _] = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0).segments();
    [a, b, c, d, e, f]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks_are_read() {
        for (text, read) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("203.0.113.7", "203.0.113.7/32"),
            ("203.0.113.7/32", "203.0.113.7/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:DB8::/32", "2001:db8::/32"),
            ("2001:db8::1", "2001:db8::1/128"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(
                parse(text).map(|network| network.to_string()).as_deref(),
                Ok(read),
                "{text}"
            );
        }
    }

    #[test]
    fn whatever_is_in_doubt_is_refused_with_a_hint() {
        let whole = "10.0.0.0/8".parse().unwrap();
        assert_eq!(parse("10.0.0.1/8"), Err(NetworkError::HostBits(whole)));
        assert!(
            parse("10.0.0.1/8")
                .unwrap_err()
                .to_string()
                .contains("write 10.0.0.0/8")
        );
        for text in ["::ffff:10.0.0.0/104", "::ffff:10.0.0.1"] {
            assert_eq!(parse(text), Err(NetworkError::Mapped), "{text}");
        }
        for text in [
            "",
            "10",
            "10.0.0",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/8 ",
            " 10.0.0.0",
            "010.0.0.1",
            "10.0.0.0/255.0.0.0",
            "example.com",
            "2001:db8::/129",
            "[::1]",
            "fe80::1%eth0",
            "0x7f000001",
        ] {
            assert_eq!(parse(text), Err(NetworkError::NotANetwork), "{text:?}");
        }
    }
}
