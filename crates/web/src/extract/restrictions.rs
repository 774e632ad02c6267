//! The `restrictions` of a client token in a body: their shape, and the patch that they are.

use serde_json::{Map, Value, json};
use tollgate_domain::network;
use tollgate_domain::origin::{self, OriginPattern};
use tollgate_domain::restriction::{
    LONGEST_PERIOD, MOST_NETWORKS, MOST_ORIGINS, MOST_REQUESTS, MOST_SCOPES, RateLimit, RestrictionKind, Scope,
};
use tollgate_domain::time::Timestamp;
use tollgate_service::RestrictionsPatch;

use crate::extract::body::{Field, FieldKind, ListOf, Shape, not_one_of};

/// The property of a body that holds them.
pub(crate) const RESTRICTIONS: Field = Field {
    name: "restrictions",
    description: "What the token is narrowed to. A restriction that is absent stays as it is, null takes it away; null for \
                  the whole takes all of them away.",
    kind: FieldKind::Object(&[&SHAPE]),
    required: false,
    nullable: true,
};

const SHAPE: Shape = Shape {
    name: "Restrictions",
    fields: &[
        restriction(
            RestrictionKind::AllowedOrigins,
            "Pages of these sites, as in https://shop.example.com, or https://*.example.com for all below a domain; a \
             request that names no site is refused.",
            FieldKind::List(&ORIGINS),
        ),
        restriction(
            RestrictionKind::AllowedNetworks,
            "Client addresses in these networks, as in 203.0.113.7 or 10.0.0.0/8.",
            FieldKind::List(&NETWORKS),
        ),
        restriction(
            RestrictionKind::Scopes,
            "Routes whose proxy asks for one of these, and routes that ask for none.",
            FieldKind::List(&SCOPES),
        ),
        restriction(RestrictionKind::ExpiresAt, "Before this moment.", FieldKind::Time),
        restriction(
            RestrictionKind::RateLimit,
            "So often from one client address.",
            FieldKind::Object(&[&RATE_LIMIT]),
        ),
        Field {
            name: REPORT_ONLY,
            description: "Which of these refuse nothing: what they would have refused is counted. As a whole; empty \
                          enforces all of them.",
            kind: FieldKind::List(&KINDS),
            required: false,
            nullable: false,
        },
    ],
    at_least: 0,
};

const REPORT_ONLY: &str = "report_only";

const fn restriction(of: RestrictionKind, description: &'static str, kind: FieldKind) -> Field {
    Field {
        name: of.name(),
        description,
        kind,
        required: false,
        nullable: true,
    }
}

const ORIGINS: ListOf = ListOf {
    fewest: 1,
    most: MOST_ORIGINS,
    check: |text| told(OriginPattern::parse(text)),
    schema: || json!({ "type": "string", "maxLength": origin::LONGEST }),
};

const NETWORKS: ListOf = ListOf {
    fewest: 1,
    most: MOST_NETWORKS,
    check: |text| told(network::parse(text)),
    schema: || json!({ "type": "string" }),
};

const SCOPES: ListOf = ListOf {
    fewest: 1,
    most: MOST_SCOPES,
    check: |text| told(Scope::parse(text)),
    schema: || json!({ "type": "string", "pattern": "^[a-z0-9_.:-]{1,64}$" }),
};

const KINDS: ListOf = ListOf {
    fewest: 0,
    most: KIND_NAMES.len(),
    check: |text| match RestrictionKind::from_name(text) {
        Some(_) => Ok(()),
        None => Err(not_one_of(&KIND_NAMES)),
    },
    schema: || json!({ "type": "string", "enum": KIND_NAMES }),
};

const KIND_NAMES: [&str; 5] = [
    RestrictionKind::AllowedOrigins.name(),
    RestrictionKind::AllowedNetworks.name(),
    RestrictionKind::Scopes.name(),
    RestrictionKind::ExpiresAt.name(),
    RestrictionKind::RateLimit.name(),
];

const RATE_LIMIT: Shape = Shape {
    name: "RateLimit",
    fields: &[
        whole("requests", "At most so many …", MOST_REQUESTS),
        whole("period_seconds", "… in so many seconds.", LONGEST_PERIOD),
    ],
    at_least: 0,
};

const fn whole(name: &'static str, description: &'static str, max: u32) -> Field {
    Field {
        name,
        description,
        kind: FieldKind::Whole {
            min: 1,
            max: max as i64,
        },
        required: true,
        nullable: false,
    }
}

fn told<T, E: ToString>(read: Result<T, E>) -> Result<(), String> {
    read.map(drop).map_err(|error| error.to_string())
}

/// What a body that kept to the shape asks for: the outer `None` when it doesn't mention restrictions.
pub(crate) fn patch(restrictions: Option<Option<Map<String, Value>>>) -> RestrictionsPatch {
    let Some(mentioned) = restrictions else {
        return RestrictionsPatch::default();
    };
    let Some(object) = mentioned else {
        return RestrictionsPatch::clearing();
    };
    let named = |kind: RestrictionKind| object.get(kind.name());
    RestrictionsPatch {
        allowed_origins: named(RestrictionKind::AllowedOrigins).map(|value| list(value, OriginPattern::parse)),
        allowed_networks: named(RestrictionKind::AllowedNetworks).map(|value| list(value, network::parse)),
        scopes: named(RestrictionKind::Scopes).map(|value| list(value, Scope::parse)),
        expires_at: named(RestrictionKind::ExpiresAt)
            .map(|value| value.as_str().and_then(|text| Timestamp::parse(text).ok())),
        rate_limit: named(RestrictionKind::RateLimit).map(rate_limit),
        report_only: object.get(REPORT_ONLY).map(|value| {
            let kinds = value.as_array().into_iter().flatten().filter_map(Value::as_str);
            kinds.filter_map(RestrictionKind::from_name).collect()
        }),
    }
}

/// Each once, in the order given; `None` for null.
fn list<T: PartialEq, E>(value: &Value, parse: impl Fn(&str) -> Result<T, E>) -> Option<Vec<T>> {
    let mut read = Vec::new();
    for item in value.as_array()? {
        if let Some(item) = item.as_str().and_then(|text| parse(text).ok())
            && !read.contains(&item)
        {
            read.push(item);
        }
    }
    Some(read)
}

fn rate_limit(value: &Value) -> Option<RateLimit> {
    let number = |name| u32::try_from(value.get(name)?.as_u64()?).ok()?.try_into().ok();
    Some(RateLimit {
        requests: number("requests")?,
        period_seconds: number("period_seconds")?,
    })
}
