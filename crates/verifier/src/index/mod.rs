//! The index: what is known of each token, in memory, for readers that never lock and never wait for a writer.
//!
//! Rows of 32 bytes ([`row`]) lie in segments that never move ([`segments`]), under a table of 32-bit row numbers
//! ([`slots`]). Rarely needed facts stand beside, in a cell that is replaced as a whole. Nothing is ever removed: a revoked
//! token keeps its row.
//!
//! **What a reader sees.** All of a token's facts hang on one word, its row's state, and that word either holds them or
//! names one cell. So a reader sees the facts before a change or after it, never some of both. A writer stores what a
//! word names before it stores the word, with `Release`, and a reader loads the word with `Acquire`. What was applied before a
//! look-up began, in the sense that one happens before the other, is seen by it: no load can then give a value older than the
//! one stored. No order among different tokens is promised, so nothing here needs `SeqCst`.

mod row;
mod segments;
mod slots;

use std::sync::{Arc, OnceLock};

use arc_swap::{ArcSwap, ArcSwapOption, Guard};
use hashbrown::HashTable;
use siphasher::sip128::SipHasher13;
use tollgate_domain::client_token::TokenText;
use tollgate_domain::id::{ClientTokenId, WorkspaceId};
use tollgate_domain::restriction::Restrictions;
use tollgate_domain::time::Timestamp;
use tollgate_domain::verdict::TokenFacts;

use self::row::{Digest, Facts, Row, State};
use self::segments::Segments;
use self::slots::{Growth, Slots};
use super::error::ApplyError;
use super::sync::{self, AtomicU32, MOST_NUMBERS, MOST_ROWS, Mutex, Ordering};

/// What is known of each token.
pub(crate) struct Index {
    hasher: SipHasher13,
    slots: ArcSwap<Slots>,
    rows: Segments<Row>,
    workspaces: Segments<OnceLock<WorkspaceId>>,
    further: Segments<ArcSwapOption<Further>>,
    /// Rows that have been published.
    len: AtomicU32,
    writer: Mutex<Writer>,
}

/// What only writers need.
#[derive(Default)]
struct Writer {
    growth: Growth,
    /// Numbers of workspaces, by their ids' hashes.
    workspaces: HashTable<u32>,
    /// Many tokens of one workspace often come after one another.
    last_workspace: Option<(WorkspaceId, u32)>,
    /// Cells that have been used.
    further: u32,
    /// Bytes of what they hold.
    further_bytes: usize,
}

/// The facts of a token that has more than a workspace and a small version.
#[derive(Debug)]
pub(crate) struct Further {
    workspace: u32,
    version: i64,
    revoke_at: Option<Timestamp>,
    restrictions: Option<Box<Restrictions>>,
}

/// A token that is known.
pub(crate) struct Found<'a> {
    pub(crate) number: u32,
    pub(crate) workspace: WorkspaceId,
    pub(crate) is_revoked: bool,
    further: Option<Guard<Option<Arc<Further>>>>,
    row: &'a Row,
}

impl Found<'_> {
    pub(crate) fn restrictions(&self) -> Option<&Restrictions> {
        self.further.as_ref()?.as_ref()?.restrictions.as_deref()
    }

    pub(crate) fn revoke_at(&self) -> Option<Timestamp> {
        self.further.as_ref()?.as_ref()?.revoke_at
    }

    pub(crate) fn id(&self) -> ClientTokenId {
        self.row.id()
    }
}

/// Bytes that the index holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IndexMemory {
    /// Of the rows, 32 each, in segments of 128 KiB.
    pub rows: usize,
    /// Of the table over them, and of a larger one that is being filled.
    pub table: usize,
    /// Of the workspaces' ids.
    pub workspaces: usize,
    /// Of restrictions and other facts that only some tokens have, about.
    pub further: usize,
}

impl Index {
    pub(crate) fn new(key: &[u8; 16]) -> Self {
        Self {
            hasher: SipHasher13::new_with_key(key),
            slots: ArcSwap::from_pointee(Slots::first()),
            rows: Segments::new(MOST_ROWS),
            workspaces: Segments::new(MOST_NUMBERS),
            further: Segments::new(MOST_NUMBERS),
            len: AtomicU32::new(0),
            writer: Mutex::new(Writer::default()),
        }
    }

    #[inline]
    pub(crate) fn find(&self, token: &TokenText) -> Option<Found<'_>> {
        let digest = self.digest(token);
        let (number, row, state) = self.row_of(&self.slots.load(), digest)?;
        let (workspace, further) = match state.facts() {
            Facts::Here { workspace, .. } => (workspace, None),
            Facts::Further(number) => {
                let facts = self.further.get(number)?.load();
                (facts.as_ref()?.workspace, Some(facts))
            }
        };
        Some(Found {
            number,
            workspace: *self.workspaces.get(workspace)?.get()?,
            is_revoked: state.is_revoked(),
            further,
            row,
        })
    }

    /// Whose and which the token of a row is.
    pub(crate) fn identity(&self, number: u32) -> Option<(WorkspaceId, ClientTokenId)> {
        let row = self.rows.get(number)?;
        let workspace = match row.state().facts() {
            Facts::Here { workspace, .. } => workspace,
            Facts::Further(number) => self.further.get(number)?.load().as_ref()?.workspace,
        };
        Some((*self.workspaces.get(workspace)?.get()?, row.id()))
    }

    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed) as usize
    }

    pub(crate) fn memory(&self) -> IndexMemory {
        let writer = self.writer.lock();
        IndexMemory {
            rows: self.rows.bytes(),
            table: self.slots.load().bytes() + writer.growth.bytes(),
            workspaces: self.workspaces.bytes() + writer.workspaces.allocation_size(),
            further: self.further.bytes() + writer.further_bytes,
        }
    }

    /// Makes room for so many more tokens at once.
    pub(crate) fn reserve(&self, more: usize) {
        let mut writer = self.writer.lock();
        let present = self.len.load(Ordering::Relaxed);
        let rows = u32::try_from(more).map_or(MOST_ROWS, |more| present.saturating_add(more).min(MOST_ROWS));
        let larger = writer
            .growth
            .reserve(&self.slots.load(), rows, present, |row| self.digest_of(row));
        if let Some(larger) = larger {
            self.slots.store(Arc::new(larger));
        }
    }

    pub(crate) fn apply(&self, facts: &TokenFacts) -> Result<(), ApplyError> {
        self.apply_to(&mut self.writer.lock(), facts)
    }

    /// Holds the lock for all of them.
    pub(crate) fn apply_all<'a>(&self, all: impl IntoIterator<Item = &'a TokenFacts>) -> Result<(), ApplyError> {
        let mut writer = self.writer.lock();
        all.into_iter().try_for_each(|facts| self.apply_to(&mut writer, facts))
    }

    fn apply_to(&self, writer: &mut Writer, facts: &TokenFacts) -> Result<(), ApplyError> {
        let id = facts.id.to_bits().ok_or(ApplyError::ForeignId(facts.id))?;
        let digest = self.digest(&facts.token);
        let known = self.row_of(&self.slots.load(), digest);
        match known {
            Some((_, row, _)) if row.id_bits() != id => Err(ApplyError::TokenTwice(facts.id, row.id())),
            Some((_, row, state)) => self.update(writer, row, state, facts),
            None => self.insert(writer, digest, id, facts),
        }
    }

    fn insert(&self, writer: &mut Writer, digest: Digest, id: u128, facts: &TokenFacts) -> Result<(), ApplyError> {
        let number = self.len.load(Ordering::Relaxed);
        let row = (number < MOST_ROWS)
            .then(|| self.rows.get_or_allocate(number))
            .flatten()
            .ok_or(ApplyError::TooManyTokens)?;
        let workspace = self.workspace_number(writer, facts.workspace)?;
        let state = self.state(writer, None, workspace, facts)?;
        row.fill(digest, id, state);
        let rows = number + 1;
        let larger = writer
            .growth
            .insert(&self.slots.load(), digest, rows, |row| self.digest_of(row));
        self.len.store(rows, Ordering::Relaxed);
        if let Some(larger) = larger {
            self.slots.store(Arc::new(larger));
        }
        Ok(())
    }

    fn update(&self, writer: &mut Writer, row: &Row, state: State, facts: &TokenFacts) -> Result<(), ApplyError> {
        if state.is_revoked() {
            return Ok(()); // for ever, whatever else is told of it
        }
        if facts.revoked {
            row.set_state(state.revoked());
            return Ok(());
        }
        let (workspace, version, cell) = match state.facts() {
            Facts::Here { workspace, version } => (workspace, i64::from(version), None),
            Facts::Further(number) => {
                let further = self.further.get(number).map(ArcSwapOption::load);
                let further = further.as_ref().and_then(|cell| cell.as_ref());
                let further = further.expect("a cell is filled before a state names it");
                (further.workspace, further.version, Some(number))
            }
        };
        if facts.version > version {
            row.set_state(self.state(writer, cell, workspace, facts)?);
        }
        Ok(())
    }

    /// The state that says these facts, after writing what it names: into the cell that the token has, if it has one.
    /// A token keeps its cell, so that no reader finds another's facts in it.
    fn state(
        &self,
        writer: &mut Writer,
        cell: Option<u32>,
        workspace: u32,
        facts: &TokenFacts,
    ) -> Result<State, ApplyError> {
        if facts.revoked {
            // Nothing else of it will be asked for.
            return Ok(State::here(workspace, 0).revoked());
        }
        let is_plain = facts.revoke_at.is_none() && facts.restrictions.is_none();
        if cell.is_none()
            && is_plain
            && let Some(version) = State::small_version(facts.version)
        {
            return Ok(State::here(workspace, version));
        }
        let further = Arc::new(Further {
            workspace,
            version: facts.version,
            revoke_at: facts.revoke_at,
            restrictions: facts.restrictions.clone(),
        });
        let number = cell.unwrap_or(writer.further);
        let place = (number < MOST_NUMBERS)
            .then(|| self.further.get_or_allocate(number))
            .flatten()
            .ok_or(ApplyError::TooManyFurther)?;
        writer.further_bytes += further.bytes();
        if let Some(before) = place.swap(Some(further)) {
            writer.further_bytes -= before.bytes();
        }
        if cell.is_none() {
            writer.further += 1;
        }
        Ok(State::further(number))
    }

    fn workspace_number(&self, writer: &mut Writer, id: WorkspaceId) -> Result<u32, ApplyError> {
        if let Some((last, number)) = writer.last_workspace
            && last == id
        {
            return Ok(number);
        }
        let at = |number: u32| self.workspaces.get(number).and_then(OnceLock::get);
        let hash = |id: &WorkspaceId| self.hasher.hash(id.tail().as_bytes()).h1;
        let known = writer.workspaces.find(hash(&id), |number| at(*number) == Some(&id));
        let number = if let Some(number) = known {
            *number
        } else {
            let number = u32::try_from(writer.workspaces.len()).map_err(|_| ApplyError::TooManyWorkspaces)?;
            let cell = (number < MOST_NUMBERS)
                .then(|| self.workspaces.get_or_allocate(number))
                .flatten()
                .ok_or(ApplyError::TooManyWorkspaces)?;
            cell.get_or_init(|| id);
            writer
                .workspaces
                .insert_unique(hash(&id), number, |number| at(*number).map_or(0, hash));
            number
        };
        writer.last_workspace = Some((id, number));
        Ok(number)
    }

    #[inline]
    fn row_of(&self, slots: &Slots, digest: Digest) -> Option<(u32, &Row, State)> {
        slots.find(digest, |number| {
            let row = self.rows.get(number)?;
            Some((number, row, row.state_of(digest)?))
        })
    }

    #[expect(clippy::cast_possible_truncation, reason = "96 bits are kept")]
    #[inline]
    fn digest(&self, token: &TokenText) -> Digest {
        let hash = self.hasher.hash(token.as_bytes());
        Digest {
            place: hash.h1,
            rest: hash.h2 as u32,
        }
    }

    fn digest_of(&self, row: u32) -> Digest {
        self.rows
            .get(row)
            .map(Row::digest)
            .expect("only rows that are filled move")
    }
}

impl Further {
    /// About: what the lists hold, and what a list costs.
    fn bytes(&self) -> usize {
        let lists = self.restrictions.as_ref().map_or(0, |restrictions| {
            let origins = restrictions.allowed_origins.as_ref().map_or(0, Vec::len);
            let networks = restrictions.allowed_networks.as_ref().map_or(0, Vec::len);
            let scopes = restrictions.scopes.as_ref().map_or(0, Vec::len);
            size_of::<Restrictions>() + origins * 128 + networks * 18 + scopes * 48
        });
        size_of::<Self>() + 16 + lists
    }
}
