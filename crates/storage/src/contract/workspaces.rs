//! Workspaces.

use super::seed::{self, at};
use super::{Fresh, Verdict, steps};
use crate::{Change, Outcome, PeopleWrite, Write};

use tollgate_domain::environment::Environment;
use tollgate_domain::id::WorkspaceId;
use tollgate_domain::workspace::Workspace;

pub async fn a_new_workspace_is_there_at_once_in_every_detail(fresh: &Fresh) -> Verdict {
    for (number, environment) in (1..).zip(Environment::ALL) {
        let workspace = Workspace {
            name: " Lünch & Söhne 🔑 'quoted' \"twice\" ".to_owned(),
            environment,
            ..seed::workspace(number)
        };
        let change = Change::silent(Write::CreateWorkspace(workspace.clone()));
        assert_eq!(steps::applied(&*fresh.store, change).await?, 0, "no event yet");
        assert_eq!(fresh.store.workspace(workspace.id).await?, Some(workspace));
    }
    Ok(())
}

pub async fn an_empty_store_has_no_workspaces(fresh: &Fresh) -> Verdict {
    assert_eq!(fresh.store.workspaces().await?, []);
    assert_eq!(fresh.store.workspace(seed::id(1)).await?, None);
    let last_of_all = WorkspaceId::from_tail("zzzzzzzzzzzzzzzzzzzzzzzzzz").expect("well-formed");
    assert_eq!(fresh.store.workspace(last_of_all).await?, None);
    Ok(())
}

pub async fn workspaces_come_oldest_first(fresh: &Fresh) -> Verdict {
    for number in [3, 1, 4, 2, 5] {
        steps::workspace(&*fresh.store, number).await?;
    }
    let oldest_first: Vec<Workspace> = (1..=5).map(seed::workspace).collect();
    assert_eq!(fresh.store.workspaces().await?, oldest_first);
    assert_eq!(fresh.another().await?.workspaces().await?, oldest_first);
    Ok(())
}

fn renaming(workspace: &Workspace, from: &str, to: &str) -> Change {
    Change::silent(Write::People(PeopleWrite::RenameWorkspace {
        workspace: workspace.id,
        from: from.to_owned(),
        to: to.to_owned(),
    }))
}

pub async fn a_workspace_that_has_another_name_by_now_is_not_renamed(fresh: &Fresh) -> Verdict {
    let store = &*fresh.store;
    let (ours, theirs) = (steps::workspace(store, 1).await?, steps::workspace(store, 2).await?);
    let name = "<b>\u{202e}Söhne</b> '🔑'";
    steps::applied(store, renaming(&ours, &ours.name, name)).await?;
    let renamed = Workspace {
        name: name.to_owned(),
        ..ours.clone()
    };
    let late = store.commit(renaming(&ours, &ours.name, "Late")).await?;
    assert_eq!(late, Outcome::Stale);
    assert_eq!(
        store.commit(renaming(&seed::workspace(3), "", "Nobody's")).await?,
        Outcome::Stale
    );
    assert_eq!(store.workspace(ours.id).await?, Some(renamed));
    assert_eq!(store.workspace(theirs.id).await?.as_ref(), Some(&theirs));
    Ok(())
}

pub async fn a_workspace_id_that_is_taken_is_refused_and_the_first_stays(fresh: &Fresh) -> Verdict {
    let first = steps::workspace(&*fresh.store, 1).await?;
    let second = Workspace {
        name: "Second".to_owned(),
        created_at: at(9),
        ..first.clone()
    };
    let refused = fresh.store.commit(Change::silent(Write::CreateWorkspace(second))).await;
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(fresh.store.workspaces().await?, [first]);
    Ok(())
}
