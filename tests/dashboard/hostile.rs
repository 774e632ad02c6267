//! Names as nobody should give them, for everything that has one.

use tollgate_domain::environment::Environment;
use tollgate_domain::event::EventType;
use tollgate_domain::notification_setting::{DestinationType, TrafficSource};
use tollgate_domain::permission::Permission;
use tollgate_domain::role::Role;
use tollgate_domain::user::EmailAddress;
use tollgate_domain::workspace::Workspace;
use tollgate_service::{Caller, NewApiKey, NewClientToken, NewNotificationSetting, NewPerson, NewSimulation, Service};

/// Each is a name of something of every kind.
pub(super) fn texts() -> Vec<String> {
    let long = "\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}".repeat(30);
    assert_eq!(long.chars().count(), 150);
    [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "</title><script>alert(1)</script>",
        "' onmouseover='alert(1)' x='",
        "{{ 7 * 7 }} &lt;b&gt; &#60;",
        "invoice\u{202e}gnp.exe",
        "\u{202e}\u{2066}\u{2067}turned around",
        "=HYPERLINK(\"https://attacker.example\",\"A bill\")",
        "+1+1|cmd",
        "-2+3",
        "@SUM(1)",
        "Unbrokenandverylongwithoutanyspaceinitsothatnothingcanbewrappedinsideofitatallexceptbyforceandthatiswhatapagehastodohereforitisonlyahundredandfiftycha",
        " ",
    ]
    .into_iter()
    .map(str::to_owned)
    .chain(["\u{1f511}".repeat(150), long])
    .collect()
}

/// Fills the workspace; its owner joins a workspace of each name, too.
pub(super) async fn fill(service: &Service, workspace: &Workspace, owner: &str) {
    let operator = Caller::command_line(workspace.clone());
    // A page of the list is full, and of the heaviest names.
    for _ in 0..40 {
        token(service, &operator, &"\u{1f511}".repeat(150)).await;
    }
    for (at, text) in texts().into_iter().enumerate() {
        let other = service.create_workspace(text.clone(), Environment::Live).await.unwrap();
        let there = Caller::command_line(other);
        invited(service, &there, owner, None).await;
        // A formula as an address, in the language of spreadsheets.
        let member = format!("=1+{at}@example.com");
        let person = NewPerson {
            name: text.clone(),
            password: None,
        };
        invited(service, &operator, &member, Some(person)).await;
        token(service, &operator, &text).await;
        let key = NewApiKey {
            name: text.clone(),
            description: Some(text.clone()),
            permissions: Permission::all().collect(),
            expires_at: None,
        };
        service.create_api_key(&operator, key).await.unwrap();
        things_of_webhooks(service, &operator, at, &text).await;
    }
}

async fn invited(service: &Service, operator: &Caller, email: &str, person: Option<NewPerson>) {
    let email = EmailAddress::parse(email).unwrap();
    let invitation = service.invite(operator, email, Role::Owner).await.unwrap();
    let joined = service.accept_invitation(&invitation.secret, person, None).await;
    joined.unwrap();
}

async fn token(service: &Service, operator: &Caller, text: &str) {
    let new = NewClientToken {
        name: text.to_owned(),
        description: Some(text.to_owned()),
        ..NewClientToken::default()
    };
    service.create_client_token(operator, new, None).await.unwrap();
}

/// Ten destinations may be active; nothing listens at any.
async fn things_of_webhooks(service: &Service, operator: &Caller, at: usize, text: &str) {
    if at >= 10 {
        return;
    }
    let new = NewNotificationSetting {
        description: text.to_owned(),
        destination_type: DestinationType::Url,
        destination: format!("https://127.0.0.1:9/{at}?<script>alert({at})</script>"),
        api_version: 1,
        include_sensitive_fields: false,
        traffic_source: TrafficSource::All,
        subscribed_events: vec![EventType::ClientTokenCreated.name().to_owned()],
    };
    let setting = service.create_notification_setting(operator, &new).await.unwrap();
    let new = NewSimulation {
        setting: setting.id,
        event_type: EventType::ClientTokenCreated,
        name: text.to_owned(),
        payload: None,
    };
    let simulation = service.create_simulation(operator, new).await.unwrap();
    service.run_simulation(operator, simulation.id).await.unwrap();
}
