//! Which setting holds, what an error says, and that the default file tells the truth.

use std::path::Path;
use std::time::Duration;

use super::setting::ALL;
use super::*;

const DEFAULT_FILE: &str = include_str!("../../../../tollgate.default.toml");

fn flag(setting: &'static Setting, text: &str) -> Given {
    Given::by_flag(setting, &[text.to_owned()]).unwrap()
}

/// Resolves with `--data-dir data` beside what is given.
fn resolve(flags: &[(&'static Setting, &str)], variables: &[(&str, &str)], file: &str) -> Result<Config, Invalid> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tollgate.toml");
    std::fs::write(&path, file).unwrap();
    let mut given = vec![flag(&setting::DATA_DIR, "data")];
    given.extend(flags.iter().map(|(setting, text)| flag(setting, text)));
    let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
    Config::resolve(given, variables, Some(&path))
}

fn refused(flags: &[(&'static Setting, &str)], variables: &[(&str, &str)], file: &str) -> String {
    resolve(flags, variables, file).unwrap_err().to_string()
}

#[test]
fn a_flag_is_stronger_than_a_variable_and_a_variable_than_the_file() {
    let file = "requests_per_minute = 1\nlisten = '127.0.0.1:1'\ntrusted_proxies = ['10.0.0.1']";
    let variables = [
        ("TOLLGATE_REQUESTS_PER_MINUTE", "2"),
        ("TOLLGATE_LISTEN", "127.0.0.1:2"),
    ];
    let config = resolve(&[(&setting::REQUESTS_PER_MINUTE, "3")], &variables, file).unwrap();
    assert_eq!(config.requests_per_minute, 3);
    assert_eq!(config.listen.port(), 2);
    assert_eq!(config.trusted_proxies, ["10.0.0.1/32".parse().unwrap()]);
    assert_eq!(config.log, "info");
}

#[test]
fn what_is_not_given_has_the_default_of_the_surfaces() {
    let config = resolve(&[], &[], "").unwrap();
    let web = tollgate_web::Settings::default();
    assert_eq!(config.public_url, web.public_url);
    assert_eq!(config.requests_per_minute, web.requests_per_minute);
    assert_eq!(config.trusted_proxies, web.trusted_proxies);
    assert_eq!(config.documentation_url, web.documentation_url);
    let delivery = tollgate_delivery::Settings::default();
    assert_eq!(config.sandbox_retries, delivery.sandbox_schedule);
    assert_eq!(config.live_retries, delivery.live_schedule);
    let housekeeping = Housekeeping::default();
    assert_eq!(config.housekeeping.retention, housekeeping.retention);
    assert_eq!(config.housekeeping.deactivate_after, housekeeping.deactivate_after);
    assert!(config.mailer.is_none());
    assert_eq!(config.verifier, tollgate_verifier::Settings::default());
}

#[test]
fn an_index_is_trusted_for_so_many_seconds_or_for_ever() {
    let age = |file: &str| resolve(&[], &[], file).unwrap().verifier.max_age;
    assert_eq!(age("index_max_age_seconds = 5"), Some(Duration::from_secs(5)));
    assert_eq!(age("stale_index = 'trust'"), None);
    let error = refused(&[(&setting::INDEX_MAX_AGE_SECONDS, "0")], &[], "");
    assert!(
        error.contains("--index-max-age-seconds must be") && error.contains("at least 1"),
        "{error}"
    );
    let error = refused(&[], &[("TOLLGATE_STALE_INDEX", "allow")], "");
    assert!(
        error.contains("TOLLGATE_STALE_INDEX must be refuse or trust"),
        "{error}"
    );
}

#[test]
fn retries_are_seconds_from_anywhere() {
    let schedule = |seconds: &[u64]| RetrySchedule::new(seconds.iter().copied().map(Duration::from_secs).collect());
    let config = resolve(&[], &[], "sandbox_retries = [1, 2]\nlive_retries = []").unwrap();
    assert_eq!(config.sandbox_retries, schedule(&[1, 2]));
    assert_eq!(config.live_retries, schedule(&[]));
    let variables = [("TOLLGATE_SANDBOX_RETRIES", "none"), ("TOLLGATE_LIVE_RETRIES", "5, 10")];
    let config = resolve(&[(&setting::LIVE_RETRIES, "0,2592000")], &variables, "").unwrap();
    assert_eq!(config.sandbox_retries, schedule(&[]));
    assert_eq!(config.live_retries, schedule(&[0, 2_592_000]));
    for bad in ["1s", "-1", "1.5", "2592001"] {
        let error = refused(&[(&setting::LIVE_RETRIES, bad)], &[], "");
        assert!(
            error.contains("--live-retries must be the seconds") && error.contains(bad),
            "{error}"
        );
    }
    for bad in ["60", "'60'", "['60']", "[1.5]"] {
        let error = refused(&[], &[], &format!("sandbox_retries = {bad}"));
        assert!(error.contains("must be written as a list of numbers"), "{error}");
    }
}

#[test]
fn days_are_counted_and_zero_means_never_only_where_it_says_so() {
    let file = "retention_days = 1\ndeactivate_after_days = 0";
    let housekeeping = resolve(&[], &[], file).unwrap().housekeeping;
    assert_eq!(housekeeping.retention, Duration::from_hours(24));
    assert_eq!(housekeeping.deactivate_after, None);
    let error = refused(&[], &[("TOLLGATE_RETENTION_DAYS", "0")], "");
    assert!(
        error.contains("TOLLGATE_RETENTION_DAYS must be") && error.contains("at least 1"),
        "{error}"
    );
    let error = refused(&[(&setting::DEACTIVATE_AFTER_DAYS, "5d")], &[], "");
    assert!(error.contains("--deactivate-after-days must be"), "{error}");
}

#[test]
fn mail_has_a_server_and_a_sender_or_neither() {
    let (url, from) = ("smtps://u:hunter2@mail.example", "Tollgate <tollgate@shop.example>");
    let variables = [("TOLLGATE_SMTP_URL", url), ("TOLLGATE_SMTP_FROM", from)];
    let config = resolve(&[], &variables, "").unwrap();
    assert!(config.mailer.is_some() && !format!("{config:?}").contains("hunter2"));
    let error = refused(&[(&setting::SMTP_URL, url)], &[], "");
    assert!(
        error.contains("--smtp-url is given without smtp_from") && !error.contains("hunter2"),
        "{error}"
    );
    let error = refused(&[], &[], "smtp_from = 'a@b.example'");
    assert!(error.contains("line 1 is given without smtp_url"), "{error}");
    for (url, from, told) in [
        (
            "https://u:hunter2@mail.example",
            from,
            "--smtp-url must be the URL of a mail",
        ),
        ("u:hunter2@mail.example", from, "--smtp-url must be the URL of a mail"),
        (url, "tollgate", "--smtp-from must be the address"),
    ] {
        let error = refused(&[(&setting::SMTP_URL, url), (&setting::SMTP_FROM, from)], &[], "");
        assert!(error.contains(told) && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn people_sign_in_with_passwords_and_passkeys_unless_told_otherwise() {
    let sign_in = resolve(&[], &[], "").unwrap().sign_in;
    assert_eq!(sign_in.methods, tollgate_service::SignInMethods::default());
    assert!(sign_in.openid.is_none());
    let file = "sign_in_passwords = false";
    assert!(!resolve(&[], &[], file).unwrap().sign_in.methods.passwords);
    let flags = [(&setting::SIGN_IN_PASSWORDS, "true")];
    assert!(resolve(&flags, &[], file).unwrap().sign_in.methods.passwords);
    let error = refused(&[], &[], "sign_in_passkeys = 'no'");
    assert!(error.contains("must be written as true or false"), "{error}");
    let error = refused(&[(&setting::SIGN_IN_PASSKEYS, "no")], &[], "");
    assert!(error.contains("--sign-in-passkeys must be true or false"), "{error}");
}

#[test]
fn one_way_to_sign_in_stays_open() {
    let off = [
        ("TOLLGATE_SIGN_IN_PASSWORDS", "false"),
        ("TOLLGATE_SIGN_IN_PASSKEYS", "false"),
    ];
    let error = refused(&[], &off, "");
    assert!(
        error.contains("nobody could sign in") && error.contains("TOLLGATE_SIGN_IN_PASSWORDS"),
        "{error}"
    );
    let provider = "openid_issuer = 'https://id.example'\nopenid_client_id = 'tollgate'";
    assert!(resolve(&[], &off, provider).is_ok());
}

#[test]
fn a_provider_is_named_whole_and_its_secret_is_not_shown() {
    let whole = [
        ("TOLLGATE_OPENID_ISSUER", "https://id.example/realm"),
        ("TOLLGATE_OPENID_CLIENT_ID", "tollgate"),
        ("TOLLGATE_OPENID_CLIENT_SECRET", "hunter2"),
    ];
    let config = resolve(&[], &whole, "").unwrap();
    assert_eq!(config.sign_in.methods.openid.as_deref(), Some("single sign-on"));
    assert!(!format!("{config:?}").contains("hunter2"));
    let openid = config.sign_in.openid.unwrap();
    assert_eq!(
        (&*openid.issuer, &*openid.client_id),
        ("https://id.example/realm", "tollgate")
    );
    let named = resolve(&[(&setting::OPENID_NAME, "Example ID")], &whole, "").unwrap();
    assert_eq!(named.sign_in.methods.openid.as_deref(), Some("Example ID"));
    for (given, told) in [
        (&whole[..1], "without openid_client_id"),
        (&whole[1..2], "without openid_issuer"),
        (&whole[2..], "without openid_issuer"),
        (&[("TOLLGATE_OPENID_NAME", "x")][..], "without openid_issuer"),
    ] {
        let error = refused(&[], given, "");
        assert!(error.contains(told) && !error.contains("hunter2"), "{error}");
    }
    for issuer in [
        "id.example",
        "http://id.example",
        "https://id.example/?x",
        "https://a@id.example",
    ] {
        let flags = [
            (&setting::OPENID_ISSUER, issuer),
            (&setting::OPENID_CLIENT_ID, "tollgate"),
        ];
        let error = refused(&flags, &[], "");
        assert!(error.contains("--openid-issuer must be the https URL"), "{error}");
    }
    let local = [
        (&setting::OPENID_ISSUER, "http://127.0.0.1:9000"),
        (&setting::OPENID_CLIENT_ID, "tollgate"),
    ];
    assert!(resolve(&local, &[], "").is_ok());
}

#[test]
fn a_list_is_replaced_whole_and_may_be_none() {
    let file = "allow_network = ['10.0.0.0/8', 'fd00::/8']";
    assert_eq!(resolve(&[], &[], file).unwrap().allow_network.len(), 2);
    let variable = [("TOLLGATE_ALLOW_NETWORK", "192.168.0.0/16, 172.16.0.0/12,10.1.2.3")];
    assert_eq!(resolve(&[], &variable, file).unwrap().allow_network.len(), 3);
    assert!(
        resolve(&[(&setting::ALLOW_NETWORK, "none")], &variable, file)
            .unwrap()
            .allow_network
            .is_empty()
    );
}

#[test]
fn an_unknown_setting_is_named_with_its_place() {
    let error = refused(&[], &[], "# a comment\n\nlissten = '127.0.0.1:1'");
    assert!(
        error.contains("\"lissten\"") && error.contains("tollgate.toml, line 3") && error.contains("listen,"),
        "{error}"
    );
    let error = refused(&[], &[], "[listen_on]\nport = 1");
    assert!(error.contains("\"listen_on\"") && error.contains("line 1"), "{error}");
    let error = refused(&[], &[("TOLLGATE_LISSTEN", "127.0.0.1:1")], "");
    assert!(
        error.contains("TOLLGATE_LISSTEN in the environment") && error.contains("TOLLGATE_LISTEN,"),
        "{error}"
    );
}

#[test]
fn what_is_no_setting_of_ours_is_left_alone() {
    let variables = [
        ("TOLLGATE_API_KEY", "pdl_x"),
        ("TOLLGATE_API_URL", "http://x"),
        ("TOLLGATE_CONFIG", "x.toml"),
        ("TOLLGATE_TEST_POSTGRES", "x"),
        ("TOLLGATES", "x"),
        ("PATH", "x"),
        // What Kubernetes tells of a service with the name tollgate.
        ("TOLLGATE_SERVICE_HOST", "10.0.0.1"),
        ("TOLLGATE_SERVICE_PORT_HTTP", "80"),
        ("TOLLGATE_PORT", "tcp://10.0.0.1:80"),
        ("TOLLGATE_PORT_80_TCP_ADDR", "10.0.0.1"),
        // Empty is absent.
        ("TOLLGATE_PUBLIC_URL", ""),
    ];
    assert_eq!(resolve(&[], &variables, "").unwrap().public_url, None);
    assert!(refused(&[], &[("TOLLGATE_PORT", "8787")], "").contains("TOLLGATE_PORT in"));
}

#[test]
fn a_bad_value_is_named_with_its_place_and_what_would_be_good() {
    for (flags, variables, file, place, value) in [
        (
            &[(&setting::LISTEN, "localhost")][..],
            &[][..],
            "",
            "--listen",
            "\"localhost\"",
        ),
        (
            &[],
            &[("TOLLGATE_REQUESTS_PER_MINUTE", "-1")],
            "",
            "TOLLGATE_REQUESTS_PER_MINUTE",
            "\"-1\"",
        ),
        (
            &[],
            &[],
            "\npublic_url = 'tollgate.example'",
            "public_url in ",
            "\"tollgate.example\"",
        ),
        (
            &[],
            &[],
            "\npublic_url = 'https://tollgate.example/?x'",
            "line 2",
            "\"https://tollgate.example/?x\"",
        ),
        (
            &[],
            &[],
            "trusted_proxies = ['10.0.0.0/33']",
            "trusted_proxies in ",
            "\"10.0.0.0/33\"",
        ),
        (
            &[(&setting::ALLOW_NETWORK, "10.0.0.0/8,x")],
            &[],
            "",
            "--allow-network",
            "\"x\"",
        ),
        (&[(&setting::LOG, "loud")], &[], "", "--log", "\"loud\""),
        (
            &[],
            &[("TOLLGATE_DOCUMENTATION_URL", "/docs")],
            "",
            "TOLLGATE_DOCUMENTATION_URL",
            "\"/docs\"",
        ),
    ] {
        let error = refused(flags, variables, file);
        assert!(
            error.contains(place) && error.contains(value) && error.contains(" must be "),
            "{error}"
        );
    }
    let error = refused(&[], &[], "requests_per_minute = '240'");
    assert!(
        error.contains("line 1 must be written as a number without quotes"),
        "{error}"
    );
    let error = refused(&[], &[], "trusted_proxies = '10.0.0.0/8'");
    assert!(error.contains("must be written as a list"), "{error}");
    let error = refused(&[], &[], "listen = '127.0.0.1:1'\nlisten = '127.0.0.1:2'");
    assert!(error.contains("tollgate.toml, line 2"), "{error}");
}

#[test]
fn exactly_one_store_is_named() {
    let none = Config::resolve(vec![], std::iter::empty(), None)
        .unwrap_err()
        .to_string();
    assert!(none.contains("--data-dir") && none.contains("--database-url"), "{none}");
    let both = refused(&[], &[("TOLLGATE_DATABASE_URL", "postgres://u:hunter2@h/d")], "");
    assert!(both.contains("--data-dir and TOLLGATE_DATABASE_URL"), "{both}");
}

#[test]
fn no_error_shows_a_password() {
    let url = "mysql://u:hunter2@h/d";
    let errors = [
        Config::resolve(vec![flag(&setting::DATABASE_URL, url)], std::iter::empty(), None)
            .unwrap_err()
            .to_string(),
        refused(&[], &[], "database_url = 'postgres://u:hunter2@h/d'"),
        refused(&[], &[], "database_url = postgres://u:hunter2@h/d"),
        refused(&[], &[], "database_url = 'postgres://u:hunter2@h/d"),
        refused(&[], &[], "database_url = ['postgres://u:hunter2@h/d']"),
        refused(&[], &[], "databaseurl = 'postgres://u:hunter2@h/d'"),
        refused(&[], &[("TOLLGATE_DB_URL", "postgres://u:hunter2@h/d")], ""),
        refused(&[(&setting::PUBLIC_URL, "https://u:hunter2@h")], &[], ""),
    ];
    for error in errors {
        assert!(!error.contains("hunter2"), "{error}");
    }
    let store = StoreAt::exactly_one(None, Some(flag(&setting::DATABASE_URL, "postgres://u:hunter2@h/d"))).unwrap();
    assert!(!format!("{store:?}").contains("hunter2"));
}

#[test]
fn the_default_file_names_every_setting_with_the_codes_default() {
    let commented: String = DEFAULT_FILE
        .lines()
        .map(|line| {
            let assignment = line.strip_prefix("# Example: ").or_else(|| line.strip_prefix('#'));
            let is_assignment =
                assignment.is_some_and(|text| text.starts_with(|first: char| first.is_ascii_lowercase()));
            assignment
                .filter(|_| is_assignment)
                .map_or("\n".to_owned(), |text| format!("{text}\n"))
        })
        .collect();
    let given = file::parse(Path::new("tollgate.default.toml"), &commented).unwrap();
    for setting in ALL {
        let found = given.iter().find(|given| given.setting == setting);
        let Some(found) = found else {
            panic!("tollgate.default.toml doesn't name {}", setting.name)
        };
        let is_default = DEFAULT_FILE
            .lines()
            .any(|line| line.starts_with(&format!("#{} = ", setting.name)));
        assert_eq!(
            is_default,
            setting.default.is_some(),
            "{} is told as a default",
            setting.name
        );
        if let Some(default) = setting.default {
            assert_eq!(found.values, default, "{}", setting.name);
        }
        if let Some(default) = setting.default {
            assert_eq!(setting.kind.is_several(), default.len() != 1, "{}", setting.name);
        }
    }
    assert!(
        file::parse(Path::new("tollgate.default.toml"), DEFAULT_FILE)
            .unwrap()
            .is_empty(),
        "all is commented"
    );
}
