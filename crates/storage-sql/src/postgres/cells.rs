//! The cells of a row as values. Whatever none of ours would have written is [`StorageError::Corrupt`], naming table,
//! column and reason; never a panic.

use std::fmt::Display;
use std::net::IpAddr;

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use tollgate_domain::id::{Id, Kind};
use tollgate_domain::restriction::Restrictions;
use tollgate_domain::time::Timestamp;
use tollgate_storage::StorageError;

/// A row and the table it is from.
pub(super) struct Columns<'a> {
    pub(super) table: &'static str,
    /// The column that says which row.
    pub(super) key: &'static str,
    pub(super) row: &'a Row,
}

impl<'a> Columns<'a> {
    pub(super) const fn of(table: &'static str, row: &'a Row) -> Self {
        Self { table, key: "id", row }
    }

    pub(super) fn corrupt(&self, column: &str, reason: impl Display) -> StorageError {
        let id = self.row.try_get::<_, &str>(self.key).map(|id| format!(" of {id}"));
        StorageError::Corrupt(format!("{}.{column}{}: {reason}", self.table, id.unwrap_or_default()))
    }

    pub(super) fn get<T: FromSql<'a>>(&self, column: &str) -> Result<T, StorageError> {
        self.row.try_get(column).map_err(|error| {
            let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
            self.corrupt(column, format_args!("{error}{}", source.unwrap_or_default()))
        })
    }

    pub(super) fn read<T, E: Display>(
        &self,
        column: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, StorageError> {
        read(self.get(column)?).map_err(|error| self.corrupt(column, error))
    }

    pub(super) fn named<T>(&self, column: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, StorageError> {
        self.read(column, |text| read(text).ok_or_else(|| format!("{text:?} is unknown")))
    }

    pub(super) fn id<K: Kind>(&self, column: &str) -> Result<Id<K>, StorageError> {
        self.read(column, Id::parse)
    }

    pub(super) fn time(&self, column: &str) -> Result<Timestamp, StorageError> {
        self.timestamp(column, self.get(column)?)
    }

    pub(super) fn optional_time(&self, column: &str) -> Result<Option<Timestamp>, StorageError> {
        let micros: Option<i64> = self.get(column)?;
        micros.map(|micros| self.timestamp(column, micros)).transpose()
    }

    fn timestamp(&self, column: &str, micros: i64) -> Result<Timestamp, StorageError> {
        Timestamp::from_micros(micros)
            .ok_or_else(|| self.corrupt(column, format_args!("{micros} µs is outside the years 1970 to 9998")))
    }

    pub(super) fn place(&self, column: &str) -> Result<u64, StorageError> {
        self.number(column)
    }

    pub(super) fn number<T: TryFrom<i64, Error: Display>>(&self, column: &str) -> Result<T, StorageError> {
        T::try_from(self.get::<i64>(column)?).map_err(|error| self.corrupt(column, error))
    }

    pub(super) fn optional_number<T: TryFrom<i64, Error: Display>>(
        &self,
        column: &str,
    ) -> Result<Option<T>, StorageError> {
        let number: Option<i64> = self.get(column)?;
        let number = number.map(T::try_from).transpose();
        number.map_err(|error| self.corrupt(column, error))
    }

    /// 0 or 1.
    pub(super) fn flag(&self, column: &str) -> Result<bool, StorageError> {
        Ok(self.get::<i64>(column)? != 0)
    }

    pub(super) fn address(&self, column: &str) -> Result<Option<IpAddr>, StorageError> {
        let text: Option<&str> = self.get(column)?;
        let address = text.map(str::parse).transpose();
        address.map_err(|error| self.corrupt(column, error))
    }

    pub(super) fn restrictions(&self) -> Result<Option<Box<Restrictions>>, StorageError> {
        let text: Option<&str> = self.get("restrictions")?;
        let read = text.map(|text| Restrictions::from_json(text).map(Box::new)).transpose();
        read.map_err(|error| self.corrupt("restrictions", error))
    }

    /// The value itself stays out of the error.
    pub(super) fn sha256(&self, column: &str) -> Result<[u8; 32], StorageError> {
        let bytes: &[u8] = self.get(column)?;
        bytes
            .try_into()
            .map_err(|_| self.corrupt(column, format_args!("{} bytes instead of 32", bytes.len())))
    }
}
