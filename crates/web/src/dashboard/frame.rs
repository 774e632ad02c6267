//! What stands around every page of a member: which workspace this is, where one can go, and who one is.

use tollgate_domain::environment::Environment;
use tollgate_domain::role::Action;
use tollgate_domain::workspace::Workspace;

use super::fields::Query;
use super::session::Visit;
use crate::error::Problem;

/// The parts of the dashboard, in the order of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    ClientTokens,
    ApiKeys,
    Notifications,
    Events,
    Simulator,
    Audit,
    Settings,
    /// Isn't in the navigation: the menu of the account leads there.
    Account,
}

impl Section {
    const ALL: [Self; 7] = [
        Self::ClientTokens,
        Self::ApiKeys,
        Self::Notifications,
        Self::Events,
        Self::Simulator,
        Self::Audit,
        Self::Settings,
    ];

    const fn link(self) -> (&'static str, &'static str) {
        match self {
            Self::ClientTokens => ("/dashboard/client-tokens", "Client-side tokens"),
            Self::ApiKeys => ("/dashboard/api-keys", "API keys"),
            Self::Notifications => ("/dashboard/notifications", "Notifications"),
            Self::Events => ("/dashboard/events", "Events"),
            Self::Simulator => ("/dashboard/simulator", "Simulator"),
            Self::Audit => ("/dashboard/audit", "Audit trail"),
            Self::Settings => ("/dashboard/settings", "Settings"),
            Self::Account => ("/dashboard/account", "Your account"),
        }
    }
}

/// A link in the navigation.
#[derive(Clone, Copy, Debug)]
pub(super) struct NavigationLink {
    pub(super) path: &'static str,
    pub(super) text: &'static str,
    pub(super) is_current: bool,
}

/// What the layout needs.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) title: String,
    section: Section,
    pub(super) workspace: Workspace,
    /// All that the person is a member of.
    pub(super) workspaces: Vec<Workspace>,
    pub(super) email: String,
    pub(super) role: &'static str,
    /// What every form carries as `proof`.
    pub(super) proof: String,
    /// What the form before did.
    pub(super) notice: Option<&'static str>,
    /// Seconds after which the page looks for news by itself, beside being told of events; 0 = it doesn't.
    pub(super) beat: u32,
    /// Whether the page looks again when an event happens.
    pub(super) is_live: bool,
    /// Whether the role comes with the audit trail.
    reads_trail: bool,
}

impl Visit {
    /// Around a page of this section.
    pub(super) fn frame(&self, section: Section, title: impl Into<String>) -> Frame {
        Frame {
            title: title.into(),
            section,
            workspace: self.caller.workspace().clone(),
            workspaces: self.session.workspaces.to_vec(),
            email: self.session.signed_in.user.email.to_string(),
            role: self.role().name(),
            proof: self.session.proof(),
            notice: None,
            beat: 0,
            is_live: false,
            reads_trail: self.may_act(Action::ReadAuditTrail),
        }
    }
}

impl Frame {
    /// Tells what the form before did, if the address says so by one of these codes: `?done=CODE`.
    pub(super) fn notice(mut self, query: &Query, told: &[(&str, &'static str)]) -> Self {
        self.notice = Self::told(query, told);
        self
    }

    /// What is to be told, outside the frame.
    pub(super) fn told(query: &Query, told: &[(&str, &'static str)]) -> Option<&'static str> {
        let code = query.0.text("done");
        told.iter().find(|(known, _)| *known == code).map(|(_, text)| *text)
    }

    /// Has the page's parts marked `data-live` renewed when an event happens, and every `beat` seconds (0 = not).
    pub(super) fn live(mut self, beat: u32) -> Self {
        self.is_live = true;
        self.beat = beat;
        self
    }

    pub(super) fn navigation(&self) -> impl Iterator<Item = NavigationLink> + '_ {
        let shown = |section: &Section| self.reads_trail || *section != Section::Audit;
        Section::ALL.into_iter().filter(shown).map(|section| {
            let (path, text) = section.link();
            NavigationLink {
                path,
                text,
                is_current: section == self.section,
            }
        })
    }

    /// For a form that has never been refused.
    #[expect(clippy::unused_self, reason = "templates name nothing else")]
    pub(super) const fn no_problems(&self) -> &'static [Problem] {
        &[]
    }

    pub(super) fn is_sandbox(&self) -> bool {
        self.workspace.environment == Environment::Sandbox
    }

    pub(super) fn is_current(&self, workspace: &Workspace) -> bool {
        workspace.id == self.workspace.id
    }
}

/// `Sandbox` or `Live`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates hand over references")]
pub(super) const fn environment_name(environment: &Environment) -> &'static str {
    match environment {
        Environment::Sandbox => "Sandbox",
        Environment::Live => "Live",
    }
}
