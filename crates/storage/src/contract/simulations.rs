//! Simulations: what comes back, what a change of one must have seen, and pages.

use std::sync::Arc;

use tollgate_domain::event::EventType;
use tollgate_domain::id::{NotificationSettingId, SimulationId, SimulationKind};
use tollgate_domain::simulation::{Simulation, SimulationStatus};
use tollgate_domain::workspace::Workspace;

use super::seed::{self, at, micros_after};
use super::steps::{self, all_at_once_each, applied, assert_walks, whole};
use super::{Fresh, Verdict};
use crate::{Change, Order, Outcome, Page, SimulationPage, Slice, Storage, StorageError, Write};

/// Simulation `number` of a revoked client token, to setting `number`, made at `at(number)`.
pub(super) fn simulation(workspace: &Workspace, number: u64) -> Simulation {
    Simulation {
        workspace: workspace.id,
        id: seed::id(number),
        setting: seed::id(number),
        name: format!("Simulation {number}"),
        event_type: EventType::ClientTokenRevoked,
        status: SimulationStatus::Active,
        payload: None,
        last_run_at: None,
        created_at: at(number),
        updated_at: at(number),
        version: 1,
    }
}

/// Stores it.
pub(super) async fn create(store: &dyn Storage, simulation: Simulation) -> Result<Simulation, StorageError> {
    applied(store, Change::silent(Write::CreateSimulation(simulation.clone()))).await?;
    Ok(simulation)
}

fn update(from: &Simulation, to: &Simulation) -> Change {
    Change::silent(Write::UpdateSimulation {
        from: from.clone(),
        to: to.clone(),
    })
}

/// The simulation's next version.
fn renamed(simulation: &Simulation, name: &str) -> Simulation {
    Simulation {
        name: name.to_owned(),
        updated_at: at(100),
        version: simulation.version + 1,
        ..simulation.clone()
    }
}

/// What a page may be asked for: ids, settings, statuses.
type Filters<'a> = (&'a [SimulationId], &'a [NotificationSettingId], &'a [SimulationStatus]);

async fn page(
    store: &dyn Storage,
    workspace: &Workspace,
    (ids, settings, statuses): Filters<'_>,
    page: Page<SimulationKind>,
) -> Result<Slice<Simulation>, StorageError> {
    let asked = SimulationPage {
        page,
        settings: settings.to_vec(),
        ids: ids.to_vec(),
        statuses: statuses.to_vec(),
    };
    store.simulations(workspace.id, &asked).await
}

/// Every way to read simulations gives these.
pub(super) async fn assert_simulations(store: &dyn Storage, workspace: &Workspace, expected: &[Simulation]) -> Verdict {
    let all = page(store, workspace, (&[], &[], &[]), whole(Order::Ascending)).await?;
    assert_eq!(all.items, expected);
    assert_eq!((all.has_more, all.total), (false, Some(steps::total(expected.len()))));
    for simulation in expected {
        let found = store.simulation(workspace.id, simulation.id).await?;
        assert_eq!(found.as_ref(), Some(simulation));
    }
    Ok(())
}

/// One of each kind, with texts at their limits.
fn all_sorts(workspace: &Workspace) -> Vec<Simulation> {
    let mut all = vec![
        simulation(workspace, 1),
        Simulation {
            name: "ein 🔑, 'a' \"b\" % _ \\ $1 ?1 é e\u{301}".to_owned(),
            status: SimulationStatus::Archived,
            payload: Some(
                r#"{"description":null,"name":"\u0000 and \"ünïcode\" 🔑","id":"ctkn_01kjpx8smtt7yvcqtc63b3kq74"}"#
                    .to_owned(),
            ),
            created_at: micros_after(2, 1),
            updated_at: micros_after(3, -1),
            version: 9,
            ..simulation(workspace, 2)
        },
        Simulation {
            name: "ü".repeat(150),
            payload: Some("{}".to_owned()),
            last_run_at: Some(micros_after(9, 3)),
            ..simulation(workspace, 3)
        },
    ];
    for (number, event_type) in (4..).zip(EventType::ALL) {
        all.push(Simulation {
            event_type,
            ..simulation(workspace, number)
        });
    }
    all
}

pub async fn a_new_simulation_is_there_at_once_in_every_detail(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let another = fresh.another().await?;
    let mut expected = Vec::new();
    for simulation in all_sorts(&workspace) {
        expected.push(create(store, simulation).await?);
        assert_simulations(store, &workspace, &expected).await?;
        assert_simulations(&*another, &workspace, &expected).await?;
    }
    Ok(())
}

pub async fn a_simulation_of_another_workspace_is_not_found(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    let simulation = create(store, simulation(&ours, 1)).await?;
    assert_eq!(store.simulation(theirs.id, simulation.id).await?, None);
    assert_simulations(store, &theirs, &[]).await?;
    let foreign = Simulation {
        workspace: theirs.id,
        ..simulation.clone()
    };
    let outcome = store.commit(update(&foreign, &renamed(&foreign, "Theirs"))).await?;
    assert_eq!(outcome, Outcome::Stale);
    assert_simulations(store, &ours, &[simulation]).await
}

pub async fn a_simulation_id_that_is_taken_is_refused_and_the_first_stays(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let first = create(store, simulation(&workspace, 1)).await?;
    let second = renamed(&first, "Second");
    let outcome = store.commit(Change::silent(Write::CreateSimulation(second))).await;
    assert!(outcome.is_err(), "{outcome:?}");
    assert_simulations(store, &workspace, &[first]).await
}

pub async fn an_update_of_a_simulation_is_there_at_once_and_leaves_what_never_changes(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let another = fresh.another().await?;
    let mut stored = create(
        store,
        Simulation {
            last_run_at: Some(at(50)),
            ..simulation(&workspace, 1)
        },
    )
    .await?;
    let bystander = create(store, simulation(&workspace, 90)).await?;
    for to in all_sorts(&workspace).into_iter().skip(1) {
        let to = Simulation {
            id: stored.id,
            last_run_at: Some(at(7)),
            created_at: at(7),
            version: stored.version + 1,
            ..to
        };
        applied(store, update(&stored, &to)).await?;
        stored = Simulation {
            last_run_at: stored.last_run_at,
            created_at: stored.created_at,
            ..to
        };
        for store in [store, &*another] {
            assert_simulations(store, &workspace, &[stored.clone(), bystander.clone()]).await?;
        }
    }
    Ok(())
}

pub async fn a_stale_update_of_a_simulation_writes_nothing_and_is_told(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let first = create(store, simulation(&workspace, 1)).await?;
    let second = renamed(&first, "Second");
    applied(store, update(&first, &second)).await?;
    let outcome = store.commit(update(&first, &renamed(&first, "Too late"))).await?;
    assert_eq!(outcome, Outcome::Stale);
    let unknown = simulation(&workspace, 2);
    let outcome = store.commit(update(&unknown, &renamed(&unknown, "Nothing"))).await?;
    assert_eq!(outcome, Outcome::Stale);
    assert_simulations(store, &workspace, &[second]).await
}

pub async fn of_two_handles_racing_to_update_a_simulation_one_wins(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let handles = [Arc::clone(&fresh.store), fresh.another().await?];
    for number in 1..=10 {
        let first = create(store, simulation(&workspace, number)).await?;
        let names = ["by one", "by the other"];
        let changes = handles.iter().zip(names);
        let changes = changes.map(|(handle, name)| (Arc::clone(handle), update(&first, &renamed(&first, name))));
        let mut winners = Vec::new();
        for (name, outcome) in names.into_iter().zip(all_at_once_each(changes.collect()).await) {
            match outcome? {
                Outcome::Applied { .. } => winners.push(name),
                other => assert_eq!(other, Outcome::Stale),
            }
        }
        assert_eq!(winners.len(), 1);
        let stored = store.simulation(workspace.id, first.id).await?;
        assert_eq!(stored.map(|stored| stored.name), Some(winners[0].to_owned()));
    }
    Ok(())
}

pub async fn pages_hold_the_simulations_asked_for(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    create(store, simulation(&theirs, 5)).await?;
    let mut all = Vec::new();
    for number in 1..=12 {
        let archived = number % 3 == 0;
        let simulation = Simulation {
            setting: seed::id(number % 2),
            status: if archived {
                SimulationStatus::Archived
            } else {
                SimulationStatus::Active
            },
            ..simulation(&ours, number)
        };
        all.push(create(store, simulation).await?);
    }
    let (even, unknown) = (seed::id(0), seed::id(99));
    let some = [all[2].id, all[3].id, seed::id(98), all[2].id];
    let filters: [Filters<'_>; 7] = [
        (&[], &[], &[]),
        (&[], &[], &[SimulationStatus::Active]),
        (&[], &[], &[SimulationStatus::Archived, SimulationStatus::Active]),
        (&[], &[even], &[SimulationStatus::Archived]),
        (&[], &[even, unknown], &[]),
        (&some, &[], &[]),
        (&some, &[even], &[SimulationStatus::Active]),
    ];
    for filter in filters {
        let (ids, settings, statuses) = filter;
        let expected: Vec<SimulationId> = all
            .iter()
            .filter(|row| ids.is_empty() || ids.contains(&row.id))
            .filter(|row| settings.is_empty() || settings.contains(&row.setting))
            .filter(|row| statuses.is_empty() || statuses.contains(&row.status))
            .map(|row| row.id)
            .collect();
        let fetch = async |asked| page(store, &ours, filter, asked).await;
        assert_walks(&expected, &[1, 3, 200], |row: &Simulation| row.id, fetch).await?;
    }
    let uncounted = Page {
        count: false,
        after: Some(seed::id(500)),
        ..whole(Order::Descending)
    };
    let slice = page(store, &ours, (&[], &[], &[]), uncounted).await?;
    assert_eq!((slice.items.len(), slice.total), (all.len(), None));
    Ok(())
}
