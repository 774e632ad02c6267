//! Which patterns let which sites in, and what is no pattern or no site.

use proptest::prelude::*;

use super::*;

/// A pattern, what a request says in `Origin`, and whether that is let in.
const CASES: &[(&str, &str, bool)] = &[
    // The same, in the spellings that a browser reads as one.
    ("https://shop.example.com", "https://shop.example.com", true),
    ("https://shop.example.com/", "https://shop.example.com", true),
    ("HTTPS://Shop.EXAMPLE.com", "https://shop.example.com", true),
    ("https://shop.example.com", "HTTPS://SHOP.EXAMPLE.COM", true),
    ("http://localhost", "http://localhost", true),
    ("http://localhost", "http://LOCALHOST", true),
    ("https://a-b.example", "https://a-b.example", true),
    ("https://a_b.example", "https://a_b.example", true),
    ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example", true),
    ("https://b\u{fc}cher.example", "https://xn--bcher-kva.example", true),
    ("https://B\u{dc}CHER.example", "https://xn--bcher-kva.example", true),
    (
        "https://*.b\u{fc}cher.example",
        "https://www.xn--bcher-kva.example",
        true,
    ),
    (
        "https://\u{65e5}\u{672c}\u{3002}example",
        "https://xn--wgv71a.example",
        true,
    ),
    ("https://xn--bcher-kva.example", "https://bcher-kva.example", false),
    ("https://b\u{fc}cher.example", "https://bucher.example", false),
    // A header has no letters beyond ASCII.
    ("https://b\u{fc}cher.example", "https://b\u{fc}cher.example", false),
    // Cyrillic а.
    ("https://apple.example", "https://xn--pple-43d.example", false),
    // Scheme.
    ("https://shop.example", "http://shop.example", false),
    ("http://shop.example", "https://shop.example", false),
    ("https://shop.example", "wss://shop.example", false),
    ("https://shop.example", "httpss://shop.example", false),
    ("https://shop.example", "//shop.example", false),
    ("https://shop.example", "shop.example", false),
    ("https://shop.example", "://shop.example", false),
    ("https://shop.example", "https:shop.example", false),
    ("https://shop.example", "https:/shop.example", false),
    ("https://shop.example", "https:///shop.example", false),
    ("https://shop.example", "https:\\\\shop.example", false),
    ("https://shop.example", "blob:https://shop.example", false),
    ("https://shop.example", "view-source:https://shop.example", false),
    ("https://shop.example", "javascript://shop.example", false),
    ("https://shop.example", "https:evil.test/://shop.example", false),
    // Ports.
    ("https://shop.example:443", "https://shop.example", true),
    ("https://shop.example", "https://shop.example:443", true),
    ("http://shop.example:80", "http://shop.example", true),
    ("https://shop.example:8443", "https://shop.example:8443", true),
    ("https://shop.example:8443", "https://shop.example", false),
    ("https://shop.example", "https://shop.example:8443", false),
    ("https://shop.example", "https://shop.example:80", false),
    ("https://shop.example", "https://shop.example:", false),
    ("https://shop.example", "https://shop.example:0", false),
    ("https://shop.example", "https://shop.example:65979", false),
    ("https://shop.example", "https://shop.example:443x", false),
    ("https://shop.example", "https://shop.example:443:443", false),
    ("https://shop.example", "https://shop.example:-443", false),
    ("http://localhost:3000", "http://localhost:3000", true),
    ("http://localhost:3000", "http://localhost:3001", false),
    // More than an origin.
    ("https://shop.example", "https://shop.example/", false),
    ("https://shop.example", "https://shop.example/cart", false),
    ("https://shop.example", "https://shop.example/.", false),
    ("https://shop.example", "https://shop.example/a/..", false),
    ("https://shop.example", "https://shop.example?x", false),
    ("https://shop.example", "https://shop.example?", false),
    ("https://shop.example", "https://shop.example#x", false),
    ("https://shop.example", "https://shop.example#", false),
    ("https://shop.example", "https://shop.example https://evil.test", false),
    ("https://shop.example", "https://shop.example,https://evil.test", false),
    ("https://shop.example", "https://shop.example;", false),
    // User-info.
    ("https://shop.example", "https://user@shop.example", false),
    ("https://shop.example", "https://user:word@shop.example", false),
    ("https://shop.example", "https://@shop.example", false),
    ("https://shop.example", "https://:@shop.example", false),
    ("https://shop.example", "https://shop.example@evil.test", false),
    ("https://shop.example", "https://shop.example:443@evil.test", false),
    ("https://shop.example", "https://shop.example%40evil.test", false),
    ("https://shop.example", "https://evil.test\\@shop.example", false),
    ("https://shop.example", "https://evil.test#@shop.example", false),
    ("https://shop.example", "https://evil.test?@shop.example", false),
    ("https://*.shop.example", "https://a@b.shop.example", false),
    // Before and after the name.
    ("https://example.com", "https://example.com.evil.test", false),
    ("https://example.com", "https://evilexample.com", false),
    ("https://example.com", "https://evil-example.com", false),
    ("https://example.com", "https://example.comevil.test", false),
    ("https://example.com", "https://example.com-evil.test", false),
    ("https://example.com", "https://example.co", false),
    ("https://example.com", "https://xample.com", false),
    ("https://example.com", "https://evil.test/https://example.com", false),
    ("https://example.com", "https://evil.test\\.example.com", false),
    ("https://example.com", "https://evil.test/.example.com", false),
    ("https://example.com", "https://evil.test?.example.com", false),
    ("https://example.com", "https://evil.test#.example.com", false),
    ("https://example.com", "https://www.example.com", false),
    ("https://www.example.com", "https://example.com", false),
    // Dots.
    ("https://example.com", "https://example.com.", false),
    ("https://example.com.", "https://example.com", false),
    ("https://example.com.", "https://example.com.", true),
    ("https://example.com", "https://example.com..", false),
    ("https://example.com", "https://.example.com", false),
    ("https://example.com", "https://example..com", false),
    ("https://example.com", "https://example%2ecom", false),
    ("https://example.com", "https://ex%61mple.com", false),
    // Characters that a parser may skip or mend.
    ("https://example.com", " https://example.com", false),
    ("https://example.com", "https://example.com ", false),
    ("https://example.com", "https://exam\tple.com", false),
    ("https://example.com", "https://exam\nple.com", false),
    ("https://example.com", "https://example.com\r\n", false),
    ("https://example.com", "https://example.com\0", false),
    ("https://example.com", "https://example.com\u{ad}", false),
    ("https://example.com", "https://example.com\u{200b}", false),
    ("https://example.com", "https://example\u{ff0e}com", false),
    ("https://example.com", "https://example.com%00.evil.test", false),
    // Nothing, and nobody.
    ("https://example.com", "", false),
    ("https://example.com", "null", false),
    ("https://example.com", "*", false),
    ("https://example.com", "https://", false),
    ("https://example.com", "https://*", false),
    ("https://*.example.com", "https://*.example.com", false),
    ("https://null", "null", false),
    // Stars.
    ("https://*.example.com", "https://shop.example.com", true),
    ("https://*.example.com", "https://eu.shop.example.com", true),
    ("https://*.example.com", "https://a.b.c.d.example.com", true),
    ("https://*.EXAMPLE.com/", "https://SHOP.example.com", true),
    ("https://*.example.com", "https://example.com", false),
    ("https://*.example.com", "https://.example.com", false),
    ("https://*.example.com", "https://..example.com", false),
    ("https://*.example.com", "https://a..example.com", false),
    ("https://*.example.com", "https://.a.example.com", false),
    ("https://*.example.com", "https://evilexample.com", false),
    ("https://*.example.com", "https://shop.evilexample.com", false),
    ("https://*.example.com", "https://shop.example.com.evil.test", false),
    ("https://*.example.com", "https://shop.example.com.", false),
    ("https://*.example.com", "http://shop.example.com", false),
    ("https://*.example.com", "https://shop.example.com:8443", false),
    ("https://*.example.com", "https://shop.example.com:443", true),
    ("https://*.example.com:8443", "https://shop.example.com:8443", true),
    ("https://*.example.com:8443", "https://shop.example.com", false),
    ("https://*.shop.example.com", "https://example.com", false),
    ("http://*.localhost", "http://shop.localhost", true),
    ("http://*.localhost:3000", "http://shop.localhost:3000", true),
    ("http://*.localhost", "http://localhost", false),
    // Addresses of version 4.
    ("http://127.0.0.1", "http://127.0.0.1", true),
    ("http://127.0.0.1:8080", "http://127.0.0.1:8080", true),
    ("http://127.0.0.1", "http://0x7f.1", true),
    ("http://127.0.0.1", "http://2130706433", true),
    ("http://127.0.0.1", "http://0177.0.0.01", true),
    ("http://2130706433", "http://127.0.0.1", true),
    ("http://127.0.0.1", "http://127.0.0.2", false),
    ("http://127.0.0.1", "http://127.0.0.1.evil.test", false),
    ("http://127.0.0.1", "http://256.0.0.1", false),
    ("http://127.0.0.1", "http://127.0.0.1.5", false),
    ("http://127.0.0.1", "http://localhost", false),
    ("http://127.0.0.1", "http://[::ffff:127.0.0.1]", false),
    // And of version 6.
    ("http://[::1]", "http://[::1]", true),
    ("http://[::1]:8080", "http://[::1]:8080", true),
    ("http://[0:0:0:0:0:0:0:1]", "http://[::1]", true),
    ("http://[2001:DB8::A]", "http://[2001:db8::a]", true),
    ("http://[::1]", "http://[0:0::0:1]", true),
    ("http://[::1]", "http://[::2]", false),
    ("http://[::1]", "http://::1", false),
    ("http://[::1]", "http://[::1", false),
    ("http://[::1]", "http://[::1]evil.test", false),
    ("http://[fe80::1]", "http://[fe80::1%25eth0]", false),
    // Apps.
    ("capacitor://localhost", "capacitor://localhost", true),
    ("Capacitor://LOCALHOST", "capacitor://localhost", true),
    ("capacitor://localhost", "CAPACITOR://LocalHost", true),
    ("capacitor://localhost", "ionic://localhost", false),
    ("capacitor://localhost", "http://localhost", false),
    ("capacitor://localhost", "capacitor://localhost.evil.test", false),
    ("capacitor://localhost", "capacitor://localhost:80", false),
    ("capacitor://localhost:80", "capacitor://localhost:80", true),
    ("tauri://localhost", "tauri://localhost", true),
    (
        "chrome-extension://abcdefghijklmnop",
        "chrome-extension://abcdefghijklmnop",
        true,
    ),
    (
        "chrome-extension://abcdefghijklmnop",
        "moz-extension://abcdefghijklmnop",
        false,
    ),
];

#[test]
fn patterns_let_in_the_sites_they_mean_and_no_others() {
    assert!(CASES.len() >= 100, "{}", CASES.len());
    for (pattern, site, expected) in CASES {
        let pattern = OriginPattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        let allowed = match Presented::from_headers(Some(site), None) {
            Presented::Site(site) => pattern.matches(&site),
            Presented::Nothing | Presented::NoSite => false,
        };
        assert_eq!(allowed, *expected, "{pattern} and {site:?}");
    }
}

#[test]
fn what_is_no_pattern_is_refused_for_the_right_reason() {
    use OriginPatternError::{NotAnOrigin, Null, Star, TooLong, TooWide};

    let long = format!("https://{}.example", "a".repeat(LONGEST));
    let signs: String = (0x4e00..0x4e00 + 250).filter_map(char::from_u32).collect();
    let long_as_ascii = format!("https://{signs}.example");
    for (text, error) in [
        (long.as_str(), TooLong),
        (&long_as_ascii, NotAnOrigin),
        ("null", Null),
        ("NULL", Null),
        ("*", NotAnOrigin),
        ("*.example.com", NotAnOrigin),
        ("https://*", Star),
        ("https://*/", Star),
        ("https://*:443", Star),
        ("*://example.com", Star),
        ("http*://example.com", Star),
        ("https://a.*.example.com", Star),
        ("https://*.*.example.com", Star),
        ("https://**.example.com", Star),
        ("https://*example.com", Star),
        ("https://shop*.example.com", Star),
        ("https://example.*", Star),
        ("https://example.com:*", Star),
        ("https://*.example.com/*", Star),
        ("https://*.com", TooWide),
        ("https://*.com.", TooWide),
        ("https://*.com:8443", TooWide),
        ("https://*.127.0.0.1", TooWide),
        ("https://*.0x7f.1", TooWide),
        ("https://*.[::1]", TooWide),
        ("app://*.localhostess", TooWide),
        ("", NotAnOrigin),
        ("https://", NotAnOrigin),
        ("https:///", NotAnOrigin),
        ("https://*.", NotAnOrigin),
        ("https://.", NotAnOrigin),
        ("https://.example.com", NotAnOrigin),
        ("https://a..example.com", NotAnOrigin),
        ("https://*..example.com", NotAnOrigin),
        ("https://example.com..", NotAnOrigin),
        ("example.com", NotAnOrigin),
        ("//example.com", NotAnOrigin),
        ("https:example.com", NotAnOrigin),
        ("mailto:someone@example.com", NotAnOrigin),
        ("https://example.com/shop", NotAnOrigin),
        ("https://example.com//", NotAnOrigin),
        ("https://b\u{fc}cher.example//", NotAnOrigin),
        ("https://b\u{fc}cher.example\\", NotAnOrigin),
        ("https://b\u{fc}c\ther.example", NotAnOrigin),
        ("https://\u{fc}@example.com", NotAnOrigin),
        ("https://example.com/.", NotAnOrigin),
        ("https://example.com?x=1", NotAnOrigin),
        ("https://example.com#x", NotAnOrigin),
        ("https://user@example.com", NotAnOrigin),
        ("https://*.user@example.com", NotAnOrigin),
        ("https://user:word@example.com", NotAnOrigin),
        ("https://@example.com", NotAnOrigin),
        ("https://example.com:", NotAnOrigin),
        ("https://example.com:99999", NotAnOrigin),
        ("https://example.com:http", NotAnOrigin),
        ("https://exam ple.com", NotAnOrigin),
        ("https://exam\tple.com", NotAnOrigin),
        (" https://example.com", NotAnOrigin),
        ("https://example.com\\", NotAnOrigin),
        ("https://ex%61mple.com", NotAnOrigin),
        ("https://example.com,https://example.org", NotAnOrigin),
        ("https://256.256.256.256", NotAnOrigin),
        ("https://[::1", NotAnOrigin),
        ("https://[::g]", NotAnOrigin),
        ("https://example\u{ff0f}.com", NotAnOrigin),
        ("file:///index.html", NotAnOrigin),
        ("file://server", NotAnOrigin),
        ("data:text/html,x", NotAnOrigin),
        ("blob:https://example.com", NotAnOrigin),
    ] {
        assert_eq!(OriginPattern::parse(text), Err(error), "{text:?}");
    }
}

#[test]
fn the_referrer_stands_in_for_a_missing_origin_only() {
    let site = |text: &str| Presented::Site(Origin::from_header(text).unwrap());
    let shop = "https://shop.example/cart?x=1#top";
    let cases: [(Option<&str>, Option<&str>, Presented); 13] = [
        (None, None, Presented::Nothing),
        (None, Some(shop), site("https://shop.example")),
        (None, Some("https://shop.example"), site("https://shop.example")),
        (
            None,
            Some("https://shop.example:8443/"),
            site("https://shop.example:8443"),
        ),
        (
            None,
            Some("https://shop.example?@evil.test"),
            site("https://shop.example"),
        ),
        (
            None,
            Some("https://shop.example/@evil.test:"),
            site("https://shop.example"),
        ),
        (Some("https://blog.example"), Some(shop), site("https://blog.example")),
        (Some("null"), Some(shop), Presented::NoSite),
        (Some(""), Some(shop), Presented::NoSite),
        (None, Some("about:client"), Presented::NoSite),
        (None, Some(""), Presented::NoSite),
        (None, Some("https://user@shop.example/"), Presented::NoSite),
        (None, Some("https:/shop.example/"), Presented::NoSite),
    ];
    for (origin, referer, expected) in cases {
        assert_eq!(
            Presented::from_headers(origin, referer),
            expected,
            "{origin:?} {referer:?}"
        );
    }
    let long = format!("{shop}{}", "x".repeat(5_000));
    assert_eq!(Presented::from_headers(None, Some(&long)), site("https://shop.example"));
}

#[test]
fn a_header_longer_than_any_site_is_not_read() {
    let site = |labels: usize| format!("https://{}example", "a.".repeat(labels));
    assert!(Origin::from_header(&site(100)).is_some());
    assert!(Origin::from_header(&site(150)).is_none());
    assert!(Origin::from_header(&site(1_000_000)).is_none());
}

#[test]
fn patterns_are_shown_as_a_browser_would_write_them() {
    for (text, shown) in [
        ("HTTPS://Shop.Example.COM:443/", "https://shop.example.com"),
        (
            "https://*.B\u{fc}cher.example:8443",
            "https://*.xn--bcher-kva.example:8443",
        ),
        ("http://0x7f.1", "http://127.0.0.1"),
        ("http://[0:0:0:0:0:0:0:1]:80", "http://[::1]"),
        ("Capacitor://LocalHost", "capacitor://localhost"),
    ] {
        assert_eq!(OriginPattern::parse(text).unwrap().to_string(), shown);
    }
}

#[test]
fn patterns_travel_as_text() {
    let pattern: OriginPattern = serde_json::from_str(r#""https://*.Example.com/""#).unwrap();
    assert_eq!(serde_json::to_string(&pattern).unwrap(), r#""https://*.example.com""#);
    let error = serde_json::from_str::<OriginPattern>(r#""https://*.com""#).unwrap_err();
    assert!(
        error.to_string().starts_with(&OriginPatternError::TooWide.to_string()),
        "{error}"
    );
}

fn patterns() -> impl Strategy<Value = String> {
    let host = prop_oneof![
        4 => r"([a-zA-Z0-9_-]{1,8}\.){0,4}[a-zA-Z]{1,8}\.?",
        1 => r"[0-9]{1,3}(\.[0-9]{1,3}){0,3}",
        1 => r"\[([0-9a-f]{1,4}:){1,7}(:[0-9a-f]{1,4}){1,2}\]",
        1 => r"[a-z\u{e0}-\u{17f}\u{3b1}-\u{3c9}\u{4e00}-\u{4e20}]{1,6}\.example",
    ];
    let scheme = prop_oneof![
        Just("https"),
        Just("http"),
        Just("HTTPS"),
        Just("capacitor"),
        Just("a+b-c.d")
    ];
    let port = prop::option::of(prop_oneof![Just(80_u16), Just(443), any::<u16>()]);
    (scheme, any::<bool>(), host, port, any::<bool>()).prop_map(|(scheme, below, host, port, slash)| {
        let star = if below { "*." } else { "" };
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        let slash = if slash { "/" } else { "" };
        format!("{scheme}://{star}{host}{port}{slash}")
    })
}

proptest! {
    #[test]
    fn what_is_shown_reads_back(text in patterns()) {
        if let Ok(pattern) = OriginPattern::parse(&text) {
            prop_assert_eq!(OriginPattern::parse(&pattern.to_string()), Ok(pattern.clone()), "{}", pattern);
            if !pattern.below {
                let site = Origin::from_header(&pattern.to_string()).unwrap();
                prop_assert!(pattern.matches(&site));
            }
        }
    }

    #[test]
    fn sites_read_back_and_a_star_lets_in_what_is_below(text in patterns(), labels in "([a-z0-9]{1,5}\\.){1,4}") {
        let Ok(pattern) = OriginPattern::parse(&text) else {
            return Ok(());
        };
        let site = pattern.origin.to_string();
        prop_assert_eq!(Origin::from_header(&site), Some(pattern.origin.clone()));
        if pattern.below {
            let below = site.replacen("://", &format!("://{labels}"), 1);
            prop_assert!(pattern.matches(&Origin::from_header(&below).unwrap()), "{}", below);
            prop_assert!(!pattern.matches(&pattern.origin), "never itself");
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,60}", scheme in "(https?|capacitor)://(\\*\\.)?") {
        for text in [text.clone(), format!("{scheme}{text}")] {
            let _ = OriginPattern::parse(&text);
            let _ = Presented::from_headers(Some(&text), None);
            let _ = Presented::from_headers(None, Some(&text));
        }
    }
}
