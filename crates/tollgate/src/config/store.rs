//! Which store: a directory for the embedded one, or the URL of a PostgreSQL database. Exactly one, always.

use std::path::PathBuf;

use secrecy::SecretString;

use super::setting::{DATA_DIR, DATABASE_URL, Given};
use super::{Invalid, environment};

/// Where everything durable is.
#[derive(Clone, Debug)]
pub enum StoreAt {
    /// The embedded store in this directory.
    DataDir(PathBuf),
    /// The PostgreSQL database of this URL, which may hold a password.
    DatabaseUrl(SecretString),
}

impl StoreAt {
    /// Refuses none and both, wherever they were given: a stronger place doesn't win over the other setting, as nobody
    /// should have to guess which database was changed.
    pub fn exactly_one(data_dir: Option<Given>, database_url: Option<Given>) -> Result<Self, Invalid> {
        match (data_dir, database_url) {
            (Some(given), None) if given.value().is_empty() => Err(given.refuse("")),
            (Some(given), None) => Ok(Self::DataDir(PathBuf::from(given.value()))),
            (None, Some(given)) => {
                let url = given.value();
                let is_postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
                if is_postgres { Ok(Self::DatabaseUrl(url.into())) } else { Err(given.refuse(url)) }
            }
            (Some(one), Some(other)) => Err(Invalid(format!(
                "both {} and {} are given: give exactly one of the two, as the data is in one place",
                one.place, other.place
            ))),
            (None, None) => Err(Invalid(
                "it isn't said where the data is: give either --data-dir DIR (or TOLLGATE_DATA_DIR), for a directory of \
                 its own, or --database-url URL (better TOLLGATE_DATABASE_URL, as it holds a password), for PostgreSQL"
                    .to_owned(),
            )),
        }
    }

    /// From a command's flags and the environment.
    pub fn from_flags(data_dir: Option<&String>, database_url: Option<&String>) -> Result<Self, Invalid> {
        let data_dir = environment::or_flag(&DATA_DIR, data_dir)?;
        Self::exactly_one(data_dir, environment::or_flag(&DATABASE_URL, database_url)?)
    }
}
