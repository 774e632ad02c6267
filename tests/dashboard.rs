//! The dashboard in Chromium: the real server, its pages, a receiver of webhooks, and a page of another origin that uses
//! the browser library. What needs no browser is in the tests of `web`.

mod clock;
mod entry;
mod hostile;
mod people;
mod sample;
mod stage;

use serde_json::json;

use crate::support::{On, Server, tollgate};
use stage::{Stage, Things, script};

/// Each of these is a script in `dashboard/`, walked on both stores.
macro_rules! walked {
    ($($test:ident: $script:literal, $things:expr;)*) => {$(
        mod $test {
            use super::*;

            #[test]
            fn on_sqlite() {
                Stage::set(On::Sqlite, $things).walk($script);
            }

            #[test]
            fn on_postgres() {
                Stage::set(On::Postgres, $things).walk($script);
            }
        }
    )*};
}

walked! {
    a_token_lives_and_dies_as_it_should: "journey", Things::None;
    everything_works_by_keyboard_alone: "keyboard", Things::None;
    tokens_are_made_and_revoked_without_scripts: "without-scripts", Things::None;
    each_role_and_workspace_keeps_its_limits: "limits", Things::PaperAndInk;
    what_should_not_be_let_in_is_not: "refusals", Things::None;
    whatever_people_write_is_shown_as_text: "escaping", Things::Hostile;
    every_page_is_accessible_light_and_fits: "every-page", Things::PaperAndInk;
}

#[test]
fn the_link_that_dev_prints_signs_in_once() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().to_str().unwrap();
    let server = Server::start(tollgate(&[
        "dev",
        "--json",
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        data,
    ]));
    let link = server.ready["dashboard"].as_str().unwrap();
    let (url, path) = link.split_at(link.find("/dashboard/").unwrap());
    // By name: browsers have no passkeys at an IP address.
    assert_eq!(url, server.url.replace("127.0.0.1", "localhost"));
    script(
        "dev",
        &json!({ "url": url, "workspaces": {}, "links": { "sign_in": path } }),
    );
}
