//! Which addresses deliveries may reach: public ones, and what the operator opened.
//!
//! Receivers are named by strangers, and this machine may stand where strangers can't reach: so nothing private, local,
//! shared or reserved is contacted. The check is on the address that is then connected to, after the name was resolved
//! once, so that a name can't be one thing when it is checked and another when it is used.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::{Host, Url};

use crate::names::Names;

/// Why a destination may not be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a URL, or one of another kind.
    #[error("A URL Notification Setting destination must be a URL.")]
    NotAUrl,
    /// It would be sent in clear text.
    #[error("must begin with https://")]
    NotHttps,
    /// Credentials in a URL end up in logs.
    #[error("must not hold a user name or password")]
    UserInfo,
    /// An address that is not public, or a name for this machine.
    #[error("must be a public address; {0} is not. `--allow-network` opens a range")]
    NotPublic(String),
    /// Nothing to connect to.
    #[error("could not resolve {0}")]
    Unresolved(String),
}

/// Networks that no delivery reaches unless they are opened. Sources: the special-purpose address registries of RFC
/// 6890 and its successors; the metadata services of the large clouds are within the link-local range, or named.
const CLOSED_V4: [(Ipv4Addr, u8); 16] = [
    (Ipv4Addr::UNSPECIFIED, 8),            // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),    // shared by carriers (CGNAT)
    (Ipv4Addr::new(127, 0, 0, 0), 8),      // loopback
    (Ipv4Addr::new(168, 63, 129, 16), 32), // a cloud's own services
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // link-local, metadata services
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // 6to4 relays
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // benchmarking
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),      // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),      // reserved, broadcast
];

/// The same for IPv6: only global unicast (`2000::/3`) is open, and within it not these.
const CLOSED_V6: [(Ipv6Addr, u8); 5] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, Teredo
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4, which holds an IPv4 address
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48), // direct delegation of AS112
];

/// IPv6 forms that hold an IPv4 address in their last 32 bits: judged by that address.
const HOLDS_V4: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96),    // IPv4-mapped
    (Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96),    // IPv4-translated
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96), // NAT64
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48), // NAT64 of a network of one's own
];

/// What may be reached.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    opened: Vec<IpNet>,
    names: Names,
}

impl Guard {
    /// Public addresses, and these networks.
    pub fn new(opened: Vec<IpNet>) -> Self {
        Self {
            opened,
            names: Names::default(),
        }
    }

    /// The same, with addresses from elsewhere than the machine's resolver.
    #[must_use]
    pub fn with_names(self, names: Names) -> Self {
        Self { names, ..self }
    }

    /// Whether this address may be connected to.
    pub fn allows(&self, address: IpAddr) -> bool {
        if self
            .opened
            .iter()
            .any(|network| network.contains(&address) || network.contains(&address.to_canonical()))
        {
            return true;
        }
        match address {
            IpAddr::V4(v4) => is_public_v4(v4),
            IpAddr::V6(v6) => match v4_inside(v6) {
                Some(v4) => self.allows(IpAddr::V4(v4)),
                None => is_public_v6(v6),
            },
        }
    }

    /// Reads a destination's URL and judges what can be judged without resolving its name.
    pub fn check_url(&self, text: &str, https_only: bool) -> Result<Url, Refusal> {
        let url = Url::parse(text).map_err(|_| Refusal::NotAUrl)?;
        match url.scheme() {
            "http" if https_only => return Err(Refusal::NotHttps),
            "https" | "http" => {}
            _ => return Err(Refusal::NotAUrl),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::UserInfo);
        }
        let literal = match url.host().ok_or(Refusal::NotAUrl)? {
            Host::Ipv4(v4) => Some(IpAddr::V4(v4)),
            Host::Ipv6(v6) => Some(IpAddr::V6(v6)),
            Host::Domain(name) if is_local_name(name) => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            Host::Domain(_) => None,
        };
        if literal.is_some_and(|address| !self.allows(address)) {
            return Err(Refusal::NotPublic(url.host_str().unwrap_or_default().to_owned()));
        }
        Ok(url)
    }

    /// The addresses behind a host that may be connected to: the name is resolved here, once.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Refusal> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let all = match bare.parse() {
            Ok(address) => vec![address],
            Err(_) => self.names.find(bare).await.unwrap_or_default(),
        };
        if all.is_empty() {
            return Err(Refusal::Unresolved(host.to_owned()));
        }
        let allowed = all.into_iter().filter(|address| self.allows(*address));
        let allowed: Vec<SocketAddr> = allowed.map(|address| SocketAddr::new(address, port)).collect();
        if allowed.is_empty() {
            Err(Refusal::NotPublic(host.to_owned()))
        } else {
            Ok(allowed)
        }
    }

    /// All that can be known of a destination before the first attempt. A name that doesn't resolve yet may do so
    /// later.
    pub async fn check(&self, text: &str, https_only: bool) -> Result<Url, Refusal> {
        let url = self.check_url(text, https_only)?;
        let port = url.port_or_known_default().ok_or(Refusal::NotAUrl)?;
        match self.resolve(url.host_str().unwrap_or_default(), port).await {
            Err(refusal @ Refusal::NotPublic(_)) => Err(refusal),
            _ => Ok(url),
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !CLOSED_V4.iter().any(|(network, length)| {
        Ipv4Net::new(*network, *length)
            .expect("the table's lengths are right")
            .contains(&address)
    })
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let within = |(network, length): &(Ipv6Addr, u8)| {
        Ipv6Net::new(*network, *length)
            .expect("the table's lengths are right")
            .contains(&address)
    };
    let is_global_unicast = address.segments()[0] & 0xe000 == 0x2000;
    is_global_unicast && !CLOSED_V6.iter().any(within)
}

/// The IPv4 address that an IPv6 address stands for.
fn v4_inside(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let holds = HOLDS_V4.iter().any(|(network, length)| {
        Ipv6Net::new(*network, *length)
            .expect("the table's lengths are right")
            .contains(&address)
    });
    let [.., a, b, c, d] = address.octets();
    holds.then(|| Ipv4Addr::new(a, b, c, d))
}

/// Names that mean this machine whatever a resolver says. RFC 6761, 6.3.
fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let last = name.rsplit('.').next().unwrap_or_default();
    last == "localhost" || last == "localdomain" || matches!(name.as_str(), "ip6-localhost" | "ip6-loopback")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// None of these may be a destination, however it is spelled.
    const BAD: [&str; 74] = [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://127.0.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://017700000001/",
        "http://127.255.255.254/",
        "http://0.0.0.0/",
        "http://0/",
        "http://00000000/",
        "http://[::1]/",
        "http://[::]/",
        "http://[0:0:0:0:0:0:0:1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://[::ffff:0:127.0.0.1]/",
        "http://[64:ff9b::127.0.0.1]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[64:ff9b:1::10.0.0.1]/",
        "http://[::127.0.0.1]/",
        "http://localhost/",
        "http://LOCALHOST/",
        "http://localhost./",
        "http://localhost:8787/",
        "http://foo.localhost/",
        "http://foo.bar.localhost./",
        "http://localhost.localdomain/",
        "http://ip6-localhost/",
        "http://ip6-loopback/",
        "http://10.0.0.1/",
        "http://10.255.255.255/",
        "http://0xa000001/",
        "http://012.0.0.1/",
        "http://167772161/",
        "http://172.16.0.1/",
        "http://172.31.255.255/",
        "http://192.168.0.1/",
        "http://192.168.1/",
        "http://3232235777/",
        "http://169.254.169.254/",
        "http://169.254.170.2/",
        "http://0xa9fea9fe/",
        "http://2852039166/",
        "http://100.64.0.1/",
        "http://100.100.100.200/",
        "http://100.127.255.255/",
        "http://168.63.129.16/",
        "http://192.0.0.192/",
        "http://192.0.2.1/",
        "http://192.88.99.1/",
        "http://198.18.0.1/",
        "http://198.51.100.1/",
        "http://203.0.113.1/",
        "http://224.0.0.1/",
        "http://239.255.255.250/",
        "http://240.0.0.1/",
        "http://255.255.255.255/",
        "http://[fe80::1]/",
        "http://[febf::1]/",
        "http://[fc00::1]/",
        "http://[fd00:ec2::254]/",
        "http://[ff02::1]/",
        "http://[fec0::1]/",
        "http://[2001:db8::1]/",
        "http://[2002:7f00:1::]/",
        "http://[2001::1]/",
        "http://[100::1]/",
        "http://１２７.0.0.1/",
        "http://①②⑦.0.0.1/",
        "http://127。0。0。1/",
    ];

    #[test]
    fn no_spelling_of_an_inner_address_passes() {
        let guard = Guard::default();
        for bad in BAD {
            let refusal = guard.check_url(bad, false);
            assert!(matches!(refusal, Err(Refusal::NotPublic(_))), "{bad}: {refusal:?}");
        }
    }

    #[test]
    fn what_is_no_destination_is_told() {
        let guard = Guard::default();
        for (text, refusal) in [
            ("", Refusal::NotAUrl),
            ("hooks", Refusal::NotAUrl),
            ("ftp://example.com/", Refusal::NotAUrl),
            ("file:///etc/passwd", Refusal::NotAUrl),
            ("gopher://example.com/", Refusal::NotAUrl),
            ("javascript:alert(1)", Refusal::NotAUrl),
            ("http://", Refusal::NotAUrl),
            ("https://user@example.com/", Refusal::UserInfo),
            ("https://u:p@example.com/", Refusal::UserInfo),
        ] {
            assert_eq!(guard.check_url(text, false).unwrap_err(), refusal, "{text:?}");
        }
        assert_eq!(
            guard.check_url("http://example.com/", true).unwrap_err(),
            Refusal::NotHttps
        );
    }

    #[test]
    fn public_addresses_pass() {
        let guard = Guard::default();
        for good in [
            "https://example.com/hooks",
            "http://8.8.8.8/",
            "https://172.32.0.1/",
            "https://100.128.0.1/",
            "https://[2606:4700::1111]/",
            "https://[::ffff:8.8.8.8]/",
            "https://[64:ff9b::8.8.8.8]/",
            "https://localhost.example.com/",
            "https://notlocalhost/",
            "https://example.com:8443/a?b=c",
        ] {
            assert!(guard.check_url(good, false).is_ok(), "{good}");
        }
    }

    #[test]
    fn an_opened_network_is_open_and_nothing_beside_it() {
        let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
        for good in [
            "http://127.0.0.1:3000/",
            "http://localhost:3000/",
            "http://[::ffff:127.0.0.1]/",
        ] {
            assert!(guard.check_url(good, false).is_ok(), "{good}");
        }
        for bad in ["http://10.0.0.1/", "http://[::1]/", "http://169.254.169.254/"] {
            assert!(guard.check_url(bad, false).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_name_is_judged_by_what_it_resolves_to() {
        // The machine's own resolver knows at least this one, and not from the name itself.
        let guard = Guard::default();
        assert_eq!(
            guard.resolve("localhost", 80).await.unwrap_err(),
            Refusal::NotPublic("localhost".to_owned())
        );
        assert_eq!(
            guard.resolve("[::1]", 80).await.unwrap_err(),
            Refusal::NotPublic("[::1]".to_owned())
        );
        let opened = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let addresses = opened.resolve("localhost", 80).await.unwrap();
        assert!(
            addresses
                .iter()
                .all(|address| address.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST))
        );
    }
}
