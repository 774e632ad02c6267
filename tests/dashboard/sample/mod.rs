//! The past of a shop that sells paper and ink: what pages look like where Tollgate has been at work for weeks. Only times
//! differ between two runs.

mod deliveries;
mod shop;
mod simulations;
mod usage;

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use tollgate_domain::environment::Environment;
use tollgate_domain::event::EventType;
use tollgate_domain::notification_setting::{DestinationType, TrafficSource};
use tollgate_domain::role::Role;
use tollgate_domain::simulation::SimulationEventStatus;
use tollgate_domain::workspace::Workspace;
use tollgate_service::Service;
use tollgate_storage::Storage;

use super::clock::{Dice, PastClock};
use super::people;
use shop::{Access, Shop};
use usage::Traffic;

/// Who works there: address, role in the sandbox workspace, name. The first one owns both.
pub(super) const PEOPLE: [(&str, Role, &str); 4] = [
    ("owner@example.com", Role::Owner, "Shop owner"),
    ("admin@example.com", Role::Admin, "Administration"),
    ("developer@example.com", Role::Developer, "Web development"),
    ("viewer@example.com", Role::Viewer, "Customer service"),
];

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

const ORDERS: &str = "https://orders.paper-and-ink.example/webhooks/tollgate";
const WAREHOUSE: &str = "https://warehouse.paper-and-ink.example/hooks";
const SITE: &str = "https://paper-and-ink.example";
const CARDS: &str = "https://cards.paper-and-ink.example";

/// Something that happened.
enum Deed {
    Destination(&'static str, DestinationType, &'static str, TrafficSource),
    Key(&'static str, &'static str, Access, Option<u32>),
    RevokeKey(&'static str),
    /// Name, description, the sites that it is for.
    Token(&'static str, &'static str, &'static [&'static str]),
    RenameToken(&'static str, &'static str),
    RevokeToken(&'static str),
    RotateToken(&'static str),
    Simulation(&'static str, EventType, SimulationEventStatus),
}

/// So many days and hours ago; in any order.
fn past() -> Vec<(u32, u32, Deed)> {
    use DestinationType::{Email, Url};
    use SimulationEventStatus::{Failed, Success};
    vec![
        (
            28,
            0,
            Deed::Destination("Order service", Url, ORDERS, TrafficSource::All),
        ),
        (
            27,
            0,
            Deed::Destination("Warehouse", Url, WAREHOUSE, TrafficSource::Platform),
        ),
        (
            26,
            0,
            Deed::Destination(
                "Mail to operations",
                Email,
                "operations@example.com",
                TrafficSource::Platform,
            ),
        ),
        (
            25,
            0,
            Deed::Key(
                "Order service",
                "Makes a token for each new storefront",
                Access::All,
                None,
            ),
        ),
        (
            20,
            0,
            Deed::Key("Newsletter tool", "Client-side tokens only", Access::Tokens, Some(60)),
        ),
        (
            18,
            0,
            Deed::Key("Reports", "Read-only, for the weekly figures", Access::Read, Some(5)),
        ),
        (
            15,
            0,
            Deed::Key("Trial of a chat tool", "Ended after the trial", Access::Tokens, None),
        ),
        (9, 0, Deed::RevokeKey("Trial of a chat tool")),
        (24, 3, Deed::Token("Old landing page", "The spring campaign", &[SITE])),
        (
            16,
            3,
            Deed::Token("Newsletter sign-up", "The form at the foot of each page", &[SITE]),
        ),
        (14, 3, Deed::Token("Greeting cards", "The card designer", &[CARDS])),
        (12, 3, Deed::Token("Storefront", "Checkout and basket", &[SITE, CARDS])),
        (10, 3, Deed::Token("In-store kiosk", "The tablet beside the till", &[])),
        (6, 3, Deed::Token("Gift finder", "", &[SITE])),
        (4, 3, Deed::Token("Loyalty card app", "Phones of customers", &[])),
        (1, 3, Deed::Token("Autumn catalogue", "Not yet online", &[SITE])),
        (2, 2, Deed::RenameToken("Storefront", "Storefront 2026")),
        (3, 0, Deed::RevokeToken("Old landing page")),
        (0, 20, Deed::RotateToken("Newsletter sign-up")),
        (
            5,
            1,
            Deed::Simulation("A token is made", EventType::ClientTokenCreated, Success),
        ),
        (
            2,
            1,
            Deed::Simulation("A token is revoked", EventType::ClientTokenRevoked, Failed),
        ),
        (
            1,
            1,
            Deed::Simulation("A key is about to expire", EventType::ApiKeyExpiring, Success),
        ),
    ]
}

/// What used tokens by now, the last time so many hours ago. The names are those of today.
const TRAFFIC: [Traffic; 7] = [
    Traffic::new("Storefront 2026", &[SITE, CARDS], 900, 0),
    Traffic::new("Loyalty card app", &[], 210, 0),
    Traffic::new("Greeting cards", &[CARDS], 120, 1),
    Traffic::new("Gift finder", &[SITE], 60, 5),
    Traffic::new("In-store kiosk", &[], 35, 2),
    Traffic::new("Newsletter sign-up", &[SITE], 14, 1),
    Traffic::new("Old landing page", &[SITE], 9, 12 * 24),
];

/// The two workspaces; the sandbox one has it all.
pub(super) async fn paper_and_ink(storage: &Arc<dyn Storage>) -> (Workspace, Workspace) {
    let clock = Arc::new(PastClock::before_now(30 * DAY));
    let dice = Arc::new(Dice::new(1));
    let service = Service::new(Arc::clone(storage), clock.clone(), dice.clone());
    let name = || "Paper and Ink".to_owned();
    let sandbox = service.create_workspace(name(), Environment::Sandbox).await.unwrap();
    let live = service.create_workspace(name(), Environment::Live).await.unwrap();
    let mut callers = Vec::new();
    for (email, role, name) in PEOPLE {
        let both = [(&sandbox, role), (&live, role)];
        let places = if role == Role::Owner { &both[..] } else { &both[..1] };
        let member = people::join(&service, places, email, name).await;
        let cookie = people::session(&service, &sandbox, member.user).await;
        let signed_in = service.signed_in(&cookie).await.unwrap().unwrap();
        let address = Some("203.0.113.7".parse().unwrap());
        callers.push(signed_in.caller_in(&sandbox, address).unwrap());
        clock.set_before_now(29 * DAY);
    }
    let shop = Shop {
        storage: Arc::clone(storage),
        service,
        clock,
        dice,
        owner: callers[0].clone(),
        developer: callers[2].clone(),
    };
    let mut past = past();
    past.sort_by_key(|(days, hours, _)| Reverse((*days, *hours)));
    for (days, hours, deed) in past {
        let minutes = u32::try_from(shop.dice.below(40)).unwrap();
        shop.clock.set_before_now(days * DAY + hours * HOUR + minutes * MINUTE);
        shop.does(deed).await;
        shop.deliver().await;
    }
    for traffic in TRAFFIC {
        shop.is_visited(&traffic).await;
    }
    (sandbox, live)
}
