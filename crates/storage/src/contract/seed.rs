//! What the cases write: fixed, distinct ids and times and repeatable chance, so that a failure reads the same twice.

use std::sync::{Mutex, PoisonError};

use tollgate_domain::ambient::Entropy;
use tollgate_domain::api_key::{ApiKey, ApiKeySecret, ApiKeyStatus};
use tollgate_domain::client_token::{ClientToken, ClientTokenStatus, TokenText};
use tollgate_domain::environment::Environment;
use tollgate_domain::event::{Actor, Event, EventType};
use tollgate_domain::id::{ApiKeyId, Id, Kind, WorkspaceId};
use tollgate_domain::permission::{Permission, PermissionSet};
use tollgate_domain::restriction::Restrictions;
use tollgate_domain::time::Timestamp;
use tollgate_domain::workspace::Workspace;

use crate::{Change, IdempotencyKey, IdempotentAnswer, Write};

/// 2026-01-01T00:00:00.123457Z; the odd microsecond shows when a store loses precision.
const BEGINNING: i64 = 1_767_225_600_123_457;

/// `seconds` after the beginning.
pub fn at(seconds: u64) -> Timestamp {
    micros_after(seconds, 0)
}

/// `seconds` after the beginning, and `micros` more (or less).
pub fn micros_after(seconds: u64, micros: i64) -> Timestamp {
    let seconds = i64::try_from(seconds).expect("cases count small");
    Timestamp::from_micros(BEGINNING + seconds * 1_000_000 + micros).expect("cases stay within a few years")
}

/// The id with this number; ids sort as their numbers do.
pub fn id<K: Kind>(number: u64) -> Id<K> {
    Id::from_tail(&format!("01kjpx8smt{number:016}")).expect("26 letters and digits")
}

/// The number that [`id`] was given.
pub fn number<K: Kind>(id: Id<K>) -> u64 {
    id.tail()[10..].parse().expect("made by `id`")
}

/// Chance that repeats: splitmix64.
#[derive(Debug)]
pub struct Dice(Mutex<u64>);

impl Dice {
    /// The same seed gives the same numbers.
    pub const fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    /// A number from 0 to `below`, exclusive.
    pub fn roll(&self, below: u64) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        drop(state);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }

    /// The same items in another order.
    pub fn shuffled<T>(&self, mut items: Vec<T>) -> Vec<T> {
        for last in (1..items.len()).rev() {
            let other = self.roll(u64::try_from(last).expect("fits") + 1);
            items.swap(last, usize::try_from(other).expect("an index"));
        }
        items
    }
}

impl Entropy for Dice {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill_with(|| u8::try_from(self.roll(256)).expect("below 256"));
    }
}

/// Workspace `number`: sandbox when odd, live when even.
pub fn workspace(number: u64) -> Workspace {
    Workspace {
        id: id(number),
        name: format!("Workspace {number}"),
        environment: if number % 2 == 1 {
            Environment::Sandbox
        } else {
            Environment::Live
        },
        created_at: at(number),
    }
}

/// An active client token, made at `at(number)`; every other one has a description.
pub fn client_token(workspace: &Workspace, number: u64) -> ClientToken {
    ClientToken {
        workspace: workspace.id,
        id: id(number),
        token: TokenText::generate(workspace.environment, &Dice::new(number)),
        name: format!("Token {number}"),
        description: number.is_multiple_of(2).then(|| format!("What token {number} is for")),
        status: ClientTokenStatus::Active,
        created_at: at(number),
        updated_at: at(number),
        revoked_at: None,
        restrictions: None,
        revoke_at: None,
        version: 1,
    }
}

/// The token as revoking it at `at(seconds)` leaves it.
pub fn revoked(token: &ClientToken, seconds: u64) -> ClientToken {
    ClientToken {
        status: ClientTokenStatus::Revoked,
        updated_at: at(seconds),
        revoked_at: Some(at(seconds)),
        version: token.version + 1,
        ..token.clone()
    }
}

/// Restrictions of every kind, number `number`; two of them are only reported.
pub fn restrictions(number: u64) -> Restrictions {
    let text = format!(
        r#"{{"allowed_origins":["https://shop{number}.example","https://*.é{number}.example:8443"],
        "allowed_networks":["10.0.{}.0/24","2001:db8::/32"],"scopes":["read:{number}","a_b.c-d"],
        "expires_at":"{}","rate_limit":{{"requests":{},"period_seconds":60}},
        "report_only":["scopes","rate_limit"]}}"#,
        number % 256,
        at(number + 1_000),
        number + 1
    );
    Restrictions::from_json(&text).expect("well-formed")
}

/// The token's next version with these restrictions, to be revoked at this time.
pub fn restricted(
    token: &ClientToken,
    restrictions: Option<Restrictions>,
    revoke_at: Option<Timestamp>,
) -> ClientToken {
    ClientToken {
        restrictions: restrictions.map(Box::new),
        revoke_at,
        version: token.version + 1,
        ..token.clone()
    }
}

/// The token's next version, told by event `number`.
pub fn update(from: &ClientToken, to: &ClientToken, number: u64) -> Change {
    Change {
        write: Write::UpdateClientToken {
            from: from.clone(),
            to: to.clone(),
        },
        events: vec![about(from, number, EventType::ClientTokenUpdated)],
        idempotency: None,
    }
}

/// Event `number` about this token.
pub fn about(token: &ClientToken, number: u64, event_type: EventType) -> Event {
    Event {
        subject: token.id.to_string(),
        ..event(token.workspace, number, event_type)
    }
}

/// An active API key that never expires, with two permissions, made at `at(number)`.
pub fn api_key(workspace: &Workspace, number: u64) -> ApiKey {
    ApiKey {
        workspace: workspace.id,
        environment: workspace.environment,
        id: id(number),
        name: format!("Key {number}"),
        description: None,
        digest: ApiKeySecret::generate(workspace.environment, id(number), &Dice::new(number)).digest(),
        status: ApiKeyStatus::Active,
        permissions: PermissionSet::from_iter([Permission::CLIENT_TOKEN_READ, Permission::API_KEY_READ]),
        expires_at: None,
        expiring_announced_at: None,
        last_used_at: None,
        created_at: at(number),
        updated_at: at(number),
        version: 1,
    }
}

/// Event `number` about nothing in particular.
pub fn event(workspace: WorkspaceId, number: u64, event_type: EventType) -> Event {
    Event {
        workspace,
        id: id(number),
        event_type,
        occurred_at: at(number),
        subject: format!("ctkn_{}", id::<tollgate_domain::id::ClientTokenKind>(number).tail()),
        data: format!(r#"{{"number":{number}}}"#),
        actor: Actor::ApiKey(id(1)),
        address: None,
    }
}

/// A change that writes no row of interest, to carry events.
pub fn telling(events: Vec<Event>) -> Change {
    Change {
        events,
        ..Change::silent(Write::TouchApiKey {
            id: id(9_999),
            used_at: at(0),
        })
    }
}

/// The token's creation, told by the event with the token's number.
pub fn creation(token: &ClientToken) -> Change {
    Change {
        write: Write::CreateClientToken(token.clone()),
        events: vec![event(token.workspace, number(token.id), EventType::ClientTokenCreated)],
        idempotency: None,
    }
}

/// The token's revocation at `at(number)`, told by event `number`.
pub fn revocation(token: &ClientToken, number: u64) -> Change {
    Change {
        write: Write::UpdateClientToken {
            from: token.clone(),
            to: revoked(token, number),
        },
        events: vec![event(token.workspace, number, EventType::ClientTokenRevoked)],
        idempotency: None,
    }
}

/// The key's creation, told by the event with the key's number.
pub fn key_creation(key: &ApiKey) -> Change {
    Change {
        write: Write::CreateApiKey(key.clone()),
        events: vec![event(key.workspace, number(key.id), EventType::ApiKeyCreated)],
        idempotency: None,
    }
}

/// The key's next version, told by event `number`.
pub fn key_update(from: &ApiKey, to: &ApiKey, number: u64) -> Change {
    Change {
        write: Write::UpdateApiKey {
            from: from.clone(),
            to: to.clone(),
        },
        events: vec![event(from.workspace, number, EventType::ApiKeyUpdated)],
        idempotency: None,
    }
}

/// The name `key` as API key `api_key` uses it.
pub fn idempotency_key(api_key: ApiKeyId, key: &str) -> IdempotencyKey {
    IdempotencyKey {
        api_key,
        key: key.to_owned(),
    }
}

/// Answer `number`, kept until `expires_at`.
pub fn answer(number: u8, expires_at: Timestamp) -> IdempotentAnswer {
    IdempotentAnswer {
        request_digest: [number; 32],
        answer: format!(r#"{{"answer":{number},"said":"\u0000 and ünïcode 🔑"}}"#),
        expires_at,
    }
}
