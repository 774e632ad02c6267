//! Runs of simulations and their events: one run at a time, each event claimed once and recorded once.

use std::sync::Arc;

use tollgate_domain::event::EventType;
use tollgate_domain::id::{SimulationEventId, SimulationEventKind, SimulationRunId, SimulationRunKind, time_prefix};
use tollgate_domain::simulation::{
    Simulation, SimulationEvent, SimulationEventStatus, SimulationResponse, SimulationRun, SimulationRunStatus,
};
use tollgate_domain::workspace::Workspace;

use super::seed::{self, at, micros_after};
use super::simulations::{assert_simulations, create, simulation};
use super::steps::{self, all_at_once_each, applied, assert_walks, everything, whole};
use super::{Fresh, Verdict};
use crate::{Change, IdPage, Order, Outcome, Page, SimulationEventKey, SimulationRecord, Storage, StorageError, Write};

/// Run `number` of a simulation with its event, both pending, asked for at `at(number)`.
pub(super) fn run(simulation: &Simulation, number: u64) -> (SimulationRun, SimulationEvent) {
    let run = SimulationRun {
        workspace: simulation.workspace,
        simulation: simulation.id,
        id: seed::id(number),
        status: SimulationRunStatus::Pending,
        event_type: simulation.event_type,
        created_at: at(number),
        updated_at: at(number),
    };
    let event = event(&run, simulation, number);
    (run, event)
}

/// Event `number` of a run.
pub(super) fn event(run: &SimulationRun, simulation: &Simulation, number: u64) -> SimulationEvent {
    SimulationEvent {
        workspace: run.workspace,
        simulation: run.simulation,
        run: run.id,
        id: seed::id(number),
        setting: simulation.setting,
        status: SimulationEventStatus::Pending,
        event_type: run.event_type,
        payload: format!(r#"{{"number":{number},"said":"\u0000 and \"ünïcode\" 🔑"}}"#),
        request: None,
        response: None,
        problem: None,
        claimed_at: None,
        created_at: at(number),
        updated_at: at(number),
    }
}

pub(super) fn running((run, event): &(SimulationRun, SimulationEvent)) -> Change {
    Change::silent(Write::RunSimulation {
        run: run.clone(),
        event: event.clone(),
    })
}

pub(super) fn claim(event: &SimulationEvent, seconds: u64) -> Change {
    Change::silent(Write::ClaimSimulationEvent {
        event: SimulationEventKey::of(event),
        at: at(seconds),
    })
}

/// The end of an event at `at(seconds)`; an answer comes with whatever was sent.
pub(super) fn record(event: &SimulationEvent, status: SimulationEventStatus, seconds: u64) -> SimulationRecord {
    let sent = status != SimulationEventStatus::Aborted;
    SimulationRecord {
        event: SimulationEventKey::of(event),
        status,
        request: sent.then(|| event.body()),
        response: sent.then(|| SimulationResponse {
            status_code: if status == SimulationEventStatus::Success {
                204
            } else {
                599
            },
            body: "ünï\ncode 🔑 \u{fffd}".to_owned(),
        }),
        problem: (!sent).then(|| "not sent".to_owned()),
        at: at(seconds),
    }
}

pub(super) fn recording(record: &SimulationRecord) -> Change {
    Change::silent(Write::RecordSimulationEvent(record.clone()))
}

/// The run as it ends at `at(seconds)`.
pub(super) fn ended(run: &SimulationRun, status: SimulationRunStatus, seconds: u64) -> SimulationRun {
    SimulationRun {
        status,
        updated_at: at(seconds),
        ..run.clone()
    }
}

pub(super) const fn ids<K: tollgate_domain::id::Kind>(page: Page<K>) -> IdPage<K> {
    IdPage { page, ids: Vec::new() }
}

/// Every way to read the run and its events gives these, oldest first.
pub(super) async fn assert_run(store: &dyn Storage, run: &SimulationRun, events: &[SimulationEvent]) -> Verdict {
    let (workspace, simulation) = (run.workspace, run.simulation);
    let found = store.simulation_run(workspace, simulation, run.id).await?;
    assert_eq!(found.as_ref(), Some(run));
    let page = ids::<SimulationRunKind>(whole(Order::Ascending));
    let runs = store.simulation_runs(workspace, simulation, &page).await?;
    assert!(runs.items.contains(run), "{:?}", runs.items);
    let page = ids::<SimulationEventKind>(whole(Order::Ascending));
    let shown = store.simulation_events(workspace, run.id, &page).await?;
    assert_eq!(shown.items, events);
    assert_eq!(shown.total, Some(steps::total(events.len())));
    let mut newest = store.simulation_events_of(workspace, &[run.id], 1_000).await?;
    newest.reverse();
    assert_eq!(newest, events);
    for event in events {
        let found = store.simulation_event(workspace, run.id, event.id).await?;
        assert_eq!(found.as_ref(), Some(event));
    }
    Ok(())
}

/// A workspace with a simulation.
pub(super) async fn ready(store: &dyn Storage) -> Result<(Workspace, Simulation), StorageError> {
    let workspace = steps::workspace(store, 1).await?;
    let simulation = create(store, simulation(&workspace, 1)).await?;
    Ok((workspace, simulation))
}

pub async fn a_run_is_there_at_once_with_its_event_in_every_detail(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let another = fresh.another().await?;
    let workspace = steps::workspace(store, 1).await?;
    let before = everything(store, &workspace).await?;
    let mut simulations = Vec::new();
    for (number, event_type) in (1..).zip(EventType::ALL) {
        let of_type = Simulation {
            event_type,
            ..simulation(&workspace, number)
        };
        let simulation = create(store, of_type).await?;
        let (mut run, mut event) = run(&simulation, number);
        run.created_at = micros_after(number, 1);
        event.claimed_at = Some(micros_after(number, 2));
        applied(store, running(&(run.clone(), event.clone()))).await?;
        simulations.push(Simulation {
            last_run_at: Some(run.created_at),
            ..simulation
        });
        for store in [store, &*another] {
            assert_run(store, &run, &[event.clone()]).await?;
            assert_simulations(store, &workspace, &simulations).await?;
        }
    }
    assert_eq!(everything(store, &workspace).await?, before, "events and notifications");
    Ok(())
}

pub async fn a_second_run_waits_for_the_first(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (workspace, simulation) = ready(store).await?;
    let other = create(store, super::simulations::simulation(&workspace, 2)).await?;
    let (first, second, elsewhere) = (run(&simulation, 20), run(&simulation, 10), run(&other, 12));
    applied(store, running(&first)).await?;
    assert_eq!(store.commit(running(&second)).await?, Outcome::Stale);
    assert_eq!(
        store.simulation_run(workspace.id, simulation.id, second.0.id).await?,
        None
    );
    applied(store, running(&elsewhere)).await?;
    let end = record(&first.1, SimulationEventStatus::Success, 30);
    applied(store, recording(&end)).await?;
    applied(store, running(&second)).await?;
    assert_run(store, &second.0, &[second.1]).await?;
    // The later run was asked for by an earlier clock: the last run doesn't go back.
    let stored = store.simulation(workspace.id, simulation.id).await?;
    assert_eq!(stored.and_then(|stored| stored.last_run_at), Some(at(20)));
    Ok(())
}

pub async fn of_two_handles_racing_to_run_one_does(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let handles = [Arc::clone(&fresh.store), fresh.another().await?];
    for number in 1..=5 {
        let simulation = create(store, simulation(&workspace, number)).await?;
        let runs: Vec<_> = (0..8)
            .map(|run_number| run(&simulation, number * 10 + run_number))
            .collect();
        let changes = runs.iter().zip(handles.iter().cycle());
        let changes = changes.map(|(run, handle)| (Arc::clone(handle), running(run)));
        let mut applied = 0;
        for outcome in all_at_once_each(changes.collect()).await {
            applied += u32::from(matches!(outcome?, Outcome::Applied { .. }));
        }
        let page = ids(whole(Order::Ascending));
        let stored = store.simulation_runs(workspace.id, simulation.id, &page).await?;
        assert_eq!((applied, stored.items.len()), (1, 1));
    }
    Ok(())
}

pub async fn what_there_is_no_simulation_for_is_not_run(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (workspace, simulation) = ready(store).await?;
    let theirs = steps::workspace(store, 2).await?;
    let unknown = run(&super::simulations::simulation(&workspace, 9), 10);
    let foreign = Simulation {
        workspace: theirs.id,
        ..simulation.clone()
    };
    for run in [unknown, run(&foreign, 11)] {
        assert_eq!(store.commit(running(&run)).await?, Outcome::Stale);
        assert_eq!(
            store
                .commit(Change::silent(Write::ReplaySimulationEvent(run.1)))
                .await?,
            Outcome::Stale
        );
    }
    assert_eq!(store.simulation_events_due(at(0), 10).await?, []);
    assert_simulations(store, &workspace, &[simulation]).await
}

pub async fn the_newest_run_of_each_simulation_comes_in_the_order_asked_for(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (workspace, often) = ready(store).await?;
    let once = create(store, simulation(&workspace, 2)).await?;
    let never = create(store, simulation(&workspace, 3)).await?;
    let mut newest = Vec::new();
    for (simulation, number) in [(&often, 10), (&once, 11), (&often, 12)] {
        let (run, event) = run(simulation, number);
        applied(store, running(&(run.clone(), event.clone()))).await?;
        let end = record(&event, SimulationEventStatus::Success, number);
        applied(store, recording(&end)).await?;
        newest.push(run.id);
    }
    let of = async |workspace, asked: &[_]| {
        let runs = store.newest_simulation_runs(workspace, asked).await?;
        Ok::<_, StorageError>(runs.iter().map(|run| run.id).collect::<Vec<_>>())
    };
    let all = [once.id, never.id, often.id, seed::id(99)];
    assert_eq!(of(workspace.id, &all).await?, [newest[1], newest[2]]);
    assert_eq!(of(workspace.id, &[]).await?, []);
    let theirs = steps::workspace(store, 2).await?;
    assert_eq!(of(theirs.id, &all).await?, []);
    Ok(())
}

pub async fn runs_and_events_of_another_workspace_are_not_found(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (ours, simulation) = ready(store).await?;
    let theirs = steps::workspace(store, 2).await?;
    let (run, event) = run(&simulation, 10);
    applied(store, running(&(run.clone(), event.clone()))).await?;
    assert_eq!(store.simulation_run(theirs.id, simulation.id, run.id).await?, None);
    assert_eq!(store.simulation_run(ours.id, seed::id(2), run.id).await?, None);
    let page = ids(whole(Order::Ascending));
    assert_eq!(store.simulation_runs(theirs.id, simulation.id, &page).await?.items, []);
    assert_eq!(store.simulation_event(theirs.id, run.id, event.id).await?, None);
    let page = ids(whole(Order::Ascending));
    assert_eq!(store.simulation_events(theirs.id, run.id, &page).await?.items, []);
    assert_eq!(store.simulation_events_of(theirs.id, &[run.id], 10).await?, []);
    let foreign = SimulationEvent {
        workspace: theirs.id,
        ..event.clone()
    };
    let end = record(&foreign, SimulationEventStatus::Success, 15);
    for change in [claim(&foreign, 12), recording(&end)] {
        assert_eq!(store.commit(change).await?, Outcome::Stale);
    }
    assert_run(store, &run, &[event]).await
}

pub async fn pages_of_runs_and_of_events_hold_those_asked_for(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (workspace, simulation) = ready(store).await?;
    let mut runs: Vec<SimulationRunId> = Vec::new();
    for number in 1..=7 {
        let (run, event) = run(&simulation, number);
        applied(store, running(&(run.clone(), event.clone()))).await?;
        applied(
            store,
            recording(&record(&event, SimulationEventStatus::Success, number)),
        )
        .await?;
        runs.push(run.id);
    }
    let (last, _) = run(&simulation, 7);
    let mut events: Vec<SimulationEventId> = vec![seed::id(7)];
    for number in 8..=12 {
        let replay = event(&last, &simulation, number);
        events.push(replay.id);
        applied(store, Change::silent(Write::ReplaySimulationEvent(replay))).await?;
    }
    for wanted in [
        vec![],
        vec![runs[5], runs[1], seed::id(99), runs[1]],
        vec![seed::id(99)],
    ] {
        let let_through = |id: &&SimulationRunId| wanted.is_empty() || wanted.contains(*id);
        let expected: Vec<_> = runs.iter().filter(let_through).copied().collect();
        let fetch = async |page| {
            let ids = wanted.clone();
            store
                .simulation_runs(workspace.id, simulation.id, &IdPage { page, ids })
                .await
        };
        assert_walks(&expected, &[1, 3, 200], |run: &SimulationRun| run.id, fetch).await?;
    }
    for wanted in [vec![], vec![events[4], events[0], seed::id(99)]] {
        let let_through = |id: &&SimulationEventId| wanted.is_empty() || wanted.contains(*id);
        let expected: Vec<_> = events.iter().filter(let_through).copied().collect();
        let fetch = async |page| {
            let ids = wanted.clone();
            store
                .simulation_events(workspace.id, last.id, &IdPage { page, ids })
                .await
        };
        assert_walks(&expected, &[1, 4, 200], |event: &SimulationEvent| event.id, fetch).await?;
    }
    Ok(())
}

pub async fn pruning_removes_old_runs_with_their_events_and_keeps_the_young(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (workspace, simulation) = ready(store).await?;
    let old = at(1_000);
    let id =
        |tail: &str, number: u64| SimulationRunId::from_tail(&format!("{tail}{number:016}")).expect("26 characters");
    let (before, after) = (time_prefix(at(0)), time_prefix(at(2_000)));
    let mut runs = Vec::new();
    for (number, prefix) in [(1, &before), (2, &before), (3, &before), (4, &after)] {
        let (mut run, mut event) = run(&simulation, number);
        run.id = id(prefix, number);
        event.run = run.id;
        applied(store, running(&(run.clone(), event.clone()))).await?;
        applied(
            store,
            recording(&record(&event, SimulationEventStatus::Success, number)),
        )
        .await?;
        runs.push((run.id, event.id));
    }
    for left in [&runs[2..], &runs[3..], &runs[3..]] {
        let prune = Write::PruneSimulationRuns { before: old, limit: 2 };
        applied(store, Change::silent(prune)).await?;
        let page = ids(whole(Order::Ascending));
        let shown = store.simulation_runs(workspace.id, simulation.id, &page).await?;
        let shown: Vec<_> = shown.items.iter().map(|run| run.id).collect();
        assert_eq!(shown, left.iter().map(|(run, _)| *run).collect::<Vec<_>>());
        for (run, event) in &runs {
            let kept = left.contains(&(*run, *event));
            let found = store.simulation_event(workspace.id, *run, *event).await?;
            assert_eq!(found.is_some(), kept);
        }
    }
    Ok(())
}
