//! The dashboard's cookies: names, attributes, and how they are read.
//!
//! Off loopback they are `Secure` and have the `__Host-` prefix, so that no other host of the domain can set them.

use axum::http::{HeaderMap, HeaderValue, header};

/// A cookie of ours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cookie {
    name: &'static str,
    /// Seconds that it is kept; until the browser is closed when absent.
    max_age: Option<u32>,
}

const DAY: u32 = 24 * 60 * 60;

/// The session's secret. The session's end is the server's matter.
pub(super) const SESSION: Cookie = Cookie {
    name: "tollgate-session",
    max_age: Some(14 * DAY),
};
/// What proves the forms of somebody who isn't signed in.
pub(super) const VISITOR: Cookie = Cookie {
    name: "tollgate-visitor",
    max_age: None,
};
/// The workspace that was looked at last.
pub(super) const WORKSPACE: Cookie = Cookie {
    name: "tollgate-workspace",
    max_age: Some(365 * DAY),
};
/// What is remembered of somebody who is at the OpenID Connect provider. As long as the service takes it.
pub(super) const OPENID: Cookie = Cookie {
    name: "tollgate-openid",
    max_age: Some(10 * 60),
};
/// What a browser was asked for a passkey with. As long as the service takes it.
pub(super) const PASSKEY: Cookie = Cookie {
    name: "tollgate-passkey",
    max_age: Some(5 * 60),
};

impl Cookie {
    fn full_name(self, secure: bool) -> String {
        let prefix = if secure { "__Host-" } else { "" };
        format!("{prefix}{}", self.name)
    }

    /// The value in a request, if there is exactly one of the name.
    pub(super) fn of(self, headers: &HeaderMap, secure: bool) -> Option<&str> {
        let name = self.full_name(secure);
        let values = headers.get_all(header::COOKIE).into_iter();
        let pairs = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'));
        let mut found = pairs.filter_map(|pair| {
            let (given, value) = pair.trim().split_once('=')?;
            (given == name).then_some(value)
        });
        found.next().filter(|_| found.next().is_none())
    }

    /// Has the browser keep a value: letters, digits, `_`, `-` and `.` only.
    pub(super) fn set(self, value: &str, secure: bool) -> HeaderValue {
        self.header(value, self.max_age, secure)
    }

    /// Has the browser forget it.
    pub(super) fn clear(self, secure: bool) -> HeaderValue {
        self.header("", Some(0), secure)
    }

    fn header(self, value: &str, max_age: Option<u32>, secure: bool) -> HeaderValue {
        let name = self.full_name(secure);
        let age = max_age.map_or(String::new(), |seconds| format!("; Max-Age={seconds}"));
        let secure = if secure { "; Secure" } else { "" };
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{age}{secure}");
        let mut header = HeaderValue::try_from(text).expect("ids and secrets are plain ASCII");
        header.set_sensitive(true);
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_loopback_cookies_are_secure_and_bound_to_the_host() {
        assert_eq!(
            SESSION.set("abc", true),
            "__Host-tollgate-session=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=1209600; Secure"
        );
        assert_eq!(
            VISITOR.set("abc", false),
            "tollgate-visitor=abc; Path=/; HttpOnly; SameSite=Lax"
        );
        assert_eq!(
            WORKSPACE.clear(false),
            "tollgate-workspace=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
        );
    }

    #[test]
    fn a_cookie_that_comes_twice_is_nobodys() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; tollgate-session=x"));
        assert_eq!(SESSION.of(&headers, false), Some("x"));
        assert_eq!(SESSION.of(&headers, true), None);
        headers.append(header::COOKIE, HeaderValue::from_static("tollgate-session=y"));
        assert_eq!(SESSION.of(&headers, false), None);
    }
}
