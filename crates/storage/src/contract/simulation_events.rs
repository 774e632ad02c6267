//! Events of simulation runs: each claimed once and recorded once, and the run that ends with them.

use std::sync::Arc;

use tollgate_domain::simulation::{SimulationEvent, SimulationEventStatus, SimulationRunStatus};

use super::seed::{self, at, micros_after};
use super::simulation_runs::{assert_run, claim, ended, event, ready, record, recording, run, running};
use super::simulations::{create, simulation};
use super::steps::{self, all_at_once_each, applied};
use super::{Fresh, Verdict};
use crate::{Change, Outcome, SimulationRecord, StorageError, Write};

/// The event as its record leaves it.
fn recorded(event: &SimulationEvent, record: &SimulationRecord) -> SimulationEvent {
    SimulationEvent {
        status: record.status,
        request: record.request.clone(),
        response: record.response.clone(),
        problem: record.problem.clone(),
        updated_at: record.at,
        ..event.clone()
    }
}

pub async fn an_event_is_claimed_once(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let workspace = steps::workspace(store, 1).await?;
    let handles = [Arc::clone(&fresh.store), fresh.another().await?];
    for number in 1..=5 {
        let simulation = create(store, simulation(&workspace, number)).await?;
        let (run, event) = run(&simulation, number);
        applied(store, running(&(run.clone(), event.clone()))).await?;
        let changes = handles.iter().cycle().take(8);
        let changes = changes.map(|handle| (Arc::clone(handle), claim(&event, 50)));
        let mut claimed = 0;
        for outcome in all_at_once_each(changes.collect()).await {
            claimed += u32::from(matches!(outcome?, Outcome::Applied { .. }));
        }
        assert_eq!(claimed, 1);
        let event = SimulationEvent {
            claimed_at: Some(at(50)),
            ..event
        };
        assert_run(store, &run, std::slice::from_ref(&event)).await?;
        applied(store, recording(&record(&event, SimulationEventStatus::Failed, 51))).await?;
        assert_eq!(store.commit(claim(&event, 52)).await?, Outcome::Stale);
    }
    Ok(())
}

pub async fn events_are_due_until_they_are_claimed_and_again_long_after(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    let mut events = Vec::new();
    for number in (1..=6).rev() {
        let workspace = if number % 2 == 0 { &ours } else { &theirs };
        let simulation = create(store, simulation(workspace, number)).await?;
        // Runs and events sort differently.
        let (mut run, mut event) = run(&simulation, number);
        run.id = seed::id(100 - number);
        event.run = run.id;
        applied(store, running(&(run, event.clone()))).await?;
        events.insert(0, event);
    }
    assert_eq!(store.simulation_events_due(at(0), 100).await?, events);
    assert_eq!(store.simulation_events_due(at(0), 2).await?, events[..2]);
    applied(store, claim(&events[0], 40)).await?;
    applied(
        store,
        recording(&record(&events[1], SimulationEventStatus::Aborted, 41)),
    )
    .await?;
    assert_eq!(store.simulation_events_due(at(40), 100).await?, events[2..]);
    let due = store.simulation_events_due(micros_after(40, 1), 100).await?;
    assert_eq!(due[0].claimed_at, Some(at(40)));
    assert_eq!((due[0].id, &due[1..]), (events[0].id, &events[2..]));
    Ok(())
}

pub async fn a_recorded_event_ends_its_run(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let another = fresh.another().await?;
    let (_, simulation) = ready(store).await?;
    for (number, status, of_run) in [
        (10, SimulationEventStatus::Success, SimulationRunStatus::Completed),
        (20, SimulationEventStatus::Failed, SimulationRunStatus::Completed),
        (30, SimulationEventStatus::Aborted, SimulationRunStatus::Canceled),
    ] {
        let (run, event) = run(&simulation, number);
        applied(store, running(&(run.clone(), event.clone()))).await?;
        let end = record(&event, status, number + 5);
        applied(store, recording(&end)).await?;
        for store in [store, &*another] {
            assert_run(store, &ended(&run, of_run, number + 5), &[recorded(&event, &end)]).await?;
        }
    }
    // No answer at all.
    let (run, event) = run(&simulation, 40);
    applied(store, running(&(run.clone(), event.clone()))).await?;
    let silent = SimulationRecord {
        response: None,
        problem: Some("no answer: 'ü'".to_owned()),
        ..record(&event, SimulationEventStatus::Failed, 45)
    };
    applied(store, recording(&silent)).await?;
    let completed = ended(&run, SimulationRunStatus::Completed, 45);
    assert_run(store, &completed, &[recorded(&event, &silent)]).await
}

pub async fn an_event_is_recorded_once(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (_, simulation) = ready(store).await?;
    let (run, event) = run(&simulation, 10);
    applied(store, running(&(run.clone(), event.clone()))).await?;
    let end = record(&event, SimulationEventStatus::Success, 15);
    applied(store, recording(&end)).await?;
    let late = record(&event, SimulationEventStatus::Aborted, 16);
    assert_eq!(store.commit(recording(&late)).await?, Outcome::Stale);
    let completed = ended(&run, SimulationRunStatus::Completed, 15);
    assert_run(store, &completed, &[recorded(&event, &end)]).await
}

pub async fn a_replay_is_an_event_of_its_own_and_leaves_the_run(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (_, simulation) = ready(store).await?;
    let (run, original) = run(&simulation, 10);
    applied(store, running(&(run.clone(), original.clone()))).await?;
    let end = record(&original, SimulationEventStatus::Failed, 15);
    applied(store, recording(&end)).await?;
    let (run, original) = (
        ended(&run, SimulationRunStatus::Completed, 15),
        recorded(&original, &end),
    );
    let replay = event(&run, &simulation, 20);
    applied(store, Change::silent(Write::ReplaySimulationEvent(replay.clone()))).await?;
    assert_run(store, &run, &[original.clone(), replay.clone()]).await?;
    assert_eq!(
        store.simulation_events_due(at(0), 10).await?,
        std::slice::from_ref(&replay)
    );
    let end = record(&replay, SimulationEventStatus::Aborted, 25);
    applied(store, recording(&end)).await?;
    assert_run(store, &run, &[original, recorded(&replay, &end)]).await
}

pub async fn a_run_goes_on_until_none_of_its_events_is_pending(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (_, simulation) = ready(store).await?;
    let (run, original) = run(&simulation, 10);
    applied(store, running(&(run.clone(), original.clone()))).await?;
    let replay = event(&run, &simulation, 11);
    applied(store, Change::silent(Write::ReplaySimulationEvent(replay.clone()))).await?;
    let first = record(&replay, SimulationEventStatus::Success, 12);
    applied(store, recording(&first)).await?;
    assert_run(store, &run, &[original.clone(), recorded(&replay, &first)]).await?;
    let last = record(&original, SimulationEventStatus::Aborted, 13);
    applied(store, recording(&last)).await?;
    let canceled = ended(&run, SimulationRunStatus::Canceled, 13);
    assert_run(
        store,
        &canceled,
        &[recorded(&original, &last), recorded(&replay, &first)],
    )
    .await
}

pub async fn the_newest_events_of_each_run_come_newest_first(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (workspace, simulation) = ready(store).await?;
    let mut runs = Vec::new();
    for number in 1..=3 {
        let (run, first) = run(&simulation, number);
        applied(store, running(&(run.clone(), first.clone()))).await?;
        applied(
            store,
            recording(&record(&first, SimulationEventStatus::Success, number)),
        )
        .await?;
        for replay in 1..number {
            let replay = event(&run, &simulation, number * 10 + replay);
            applied(store, Change::silent(Write::ReplaySimulationEvent(replay))).await?;
        }
        runs.push(run.id);
    }
    let asked = [runs[2], runs[0], seed::id(99)];
    let of = async |limit| {
        let events = store.simulation_events_of(workspace.id, &asked, limit).await?;
        Ok::<_, StorageError>(events.iter().map(|event| seed::number(event.id)).collect::<Vec<_>>())
    };
    assert_eq!(of(2).await?, [32, 31, 1]);
    assert_eq!(of(9).await?, [32, 31, 3, 1]);
    assert_eq!(store.simulation_events_of(workspace.id, &[], 9).await?, []);
    Ok(())
}
