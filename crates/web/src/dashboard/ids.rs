//! Ids in the addresses of pages: what is none is nothing that is here.

use tollgate_domain::id::{Id, Kind};

use super::failure::Failure;
use crate::extract::path::{PathId, PathIds};

/// The id in the address; `what` it is the id of.
pub(super) fn id<K: Kind>(path: &PathId, what: &str) -> Result<Id<K>, Failure> {
    Id::parse(path.as_str()).map_err(|_| Failure::not_found(what))
}

/// The same where there are several: the one in the place of `parameter`.
pub(super) fn id_of<K: Kind>(path: &PathIds, parameter: &str) -> Result<Id<K>, Failure> {
    Id::parse(path.text(parameter)).map_err(|_| Failure::not_found(parameter))
}
