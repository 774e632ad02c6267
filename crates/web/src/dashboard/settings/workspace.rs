//! Naming the workspace.

use axum::extract::State;
use axum::response::Response;
use tollgate_domain::role::Action;
use tollgate_domain::text::NAME;

use super::show::SettingsPage;
use crate::App;
use crate::dashboard::failure::Failure;
use crate::dashboard::fields::Form;
use crate::dashboard::page::{self, see_other};
use crate::dashboard::problems;
use crate::dashboard::row::{Right, Row};
use crate::dashboard::session::Visit;

pub(super) fn rows() -> Vec<Row> {
    let rename = Right::Action(Action::ManageWorkspace);
    vec![Row::post("/dashboard/settings/workspace", rename, self::rename)]
}

async fn rename(visit: Visit, State(app): State<App>, Form(form): Form) -> Result<Response, Failure> {
    let name = form.text("name").to_owned();
    if let Some(problem) = problems::of_text(NAME, "name", &name) {
        let page = SettingsPage::new(&app, &visit, Some(name), vec![problem]).await?;
        return Ok(page::refused(&page));
    }
    app.service.rename_workspace(&visit.caller, name).await?;
    Ok(see_other("/dashboard/settings?done=renamed"))
}
