//! Every page and every form as nobody, with a wrong proof, as each role, and with the ids of another workspace. A new row
//! of the table is looked at without being named here; what its address names has to be known to [`Scene::place`].

use tollgate_domain::environment::Environment;
use tollgate_domain::role::Role;
use tollgate_web::dashboard::{Right, Row, table};

use crate::support::{Person, Request, Scene, Store, Tenant, get, post};

/// Rows whose answers don't end by themselves.
fn is_stream(row: &Row) -> bool {
    row.path == "/dashboard/live"
}

/// A request to this row that is right in who sends it.
fn ask(scene: &Scene, row: &Row, person: &Person) -> Request {
    let place = scene.place(row.path);
    if row.method == "POST" {
        person.form(place, "")
    } else {
        person.page(place)
    }
}

fn is_allowed(right: Right, role: Role) -> bool {
    match right {
        Right::Anyone | Right::SignedIn | Right::Member => true,
        Right::Permission(permission) => role.permissions().allows(permission),
        Right::Action(action) => role.may(action),
    }
}

pub(crate) async fn whoever_is_not_signed_in_is_led_to_the_entrance_and_changes_nothing(store: Store) {
    let scene = Scene::set(store).await;
    let before = scene.state().await;
    for row in table() {
        let place = scene.place(row.path);
        if row.method == "POST" {
            let answer = scene.app.visit(post(place).form("")).await;
            assert_eq!(answer.status, 403, "{}", row.path);
        } else if row.right != Right::Anyone {
            let answer = scene.app.visit(get(place)).await;
            assert_eq!(answer.status, 303, "{}", row.path);
            let to = answer.header("location").expect("somewhere");
            assert!(to.starts_with("/dashboard/sign-in?next=%2Fdashboard"), "{to}");
        }
    }
    assert_eq!(scene.state().await, before, "nothing changed");
}

pub(crate) async fn a_form_without_the_sessions_proof_changes_nothing(store: Store) {
    let scene = Scene::set(store).await;
    let owner = scene.app.person(Role::Owner).await;
    let other = Person::new(&scene.app, &scene.app.home, "other@example.com", Role::Owner).await;
    let before = scene.state().await;
    for row in table().iter().filter(|row| row.method == "POST") {
        let place = scene.place(row.path);
        for body in ["", "proof=guess", &other.proof()] {
            let body = format!("{body}&workspace={}&name=Stolen", owner.workspace.id);
            let request = post(&*place).header("Cookie", owner.cookie()).form(body);
            let answer = scene.app.visit(request).await;
            assert_eq!(answer.status, 403, "{}", row.path);
        }
        let elsewhere = owner.form(&*place, "").header("Origin", "https://evil.example");
        assert_eq!(scene.app.visit(elsewhere).await.status, 403, "{}", row.path);
        let cross_site = owner.form(&*place, "").header("Sec-Fetch-Site", "cross-site");
        assert_eq!(scene.app.visit(cross_site).await.status, 403, "{}", row.path);
    }
    assert_eq!(scene.state().await, before, "nothing changed");
}

pub(crate) async fn each_role_gets_exactly_what_it_comes_with(store: Store) {
    let scene = Scene::set(store).await;
    for role in Role::ALL {
        for row in table()
            .iter()
            .filter(|row| !is_stream(row) && row.right != Right::Anyone)
        {
            // Each row anew: signing out is one of them.
            let person = scene.app.person_again(role).await;
            let answer = scene.app.visit(ask(&scene, row, &person)).await;
            let what = format!("{} {} as {role}: {}", row.method, row.path, answer.status);
            if is_allowed(row.right, role) {
                assert_ne!(answer.status, 403, "{what}");
                assert!(answer.status < 500, "{what}");
            } else {
                assert_eq!(answer.status, 403, "{what}");
            }
        }
    }
}

pub(crate) async fn a_viewer_changes_nothing_whatever_is_sent(store: Store) {
    let scene = Scene::set(store).await;
    let viewer = scene.app.person(Role::Viewer).await;
    let before = scene.state().await;
    let own = [
        "/dashboard/sign-out",
        "/dashboard/sign-out-everywhere",
        "/dashboard/workspace",
    ];
    for row in table()
        .iter()
        .filter(|row| row.method == "POST" && row.right != Right::Anyone)
    {
        if own.contains(&row.path) || row.path.starts_with("/dashboard/account") {
            continue;
        }
        assert!(
            !is_allowed(row.right, Role::Viewer),
            "{} changes something, so a viewer may not",
            row.path
        );
        let answer = scene.app.visit(ask(&scene, row, &viewer)).await;
        assert_eq!(answer.status, 403, "{}", row.path);
    }
    assert_eq!(scene.state().await, before, "nothing changed");
}

pub(crate) async fn what_is_in_another_workspace_does_not_exist(store: Store) {
    let scene = Scene::set(store).await;
    let before = scene.state().await;
    let tenant: Tenant = scene.app.workspace("Another shop", Environment::Live).await;
    let stranger = Person::new(&scene.app, &tenant, "stranger@example.com", Role::Owner).await;
    for row in table()
        .iter()
        .filter(|row| row.right != Right::Anyone && !is_stream(row))
    {
        let person = scene.app.signed_in_again(&tenant, &stranger).await;
        let answer = scene.app.visit(ask(&scene, row, &person)).await;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        if row.path.contains('{') {
            // A form may be refused for what it lacks before anything is looked for.
            let refusals: &[u16] = if row.method == "POST" { &[404, 400, 422] } else { &[404] };
            assert!(
                refusals.contains(&answer.status),
                "{} {}: {}",
                row.method,
                row.path,
                answer.status
            );
        }
        for name in scene.names() {
            // What was asked for may be repeated, as in a field of a filter.
            assert!(
                !text.contains(&name) || scene.place(row.path).contains(&name),
                "{name} in {}",
                row.path
            );
        }
        // The first workspace itself, though they ask by its name.
        if row.method == "POST" && row.right != Right::SignedIn {
            let there = Person {
                workspace: scene.app.home.workspace.clone(),
                ..scene.app.signed_in_again(&tenant, &stranger).await
            };
            let answer = scene.app.visit(ask(&scene, row, &there)).await;
            assert_eq!(answer.status, 404, "{}", row.path);
        }
    }
    assert_eq!(scene.state().await, before, "nothing changed");
}
