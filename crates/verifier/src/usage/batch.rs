//! Records of requests, as they came: 16 bytes each, and the texts of their sites once each.
//!
//! A full batch takes 64 KiB of records and at most 32 KiB of texts with 4 KiB of what finds them.

use hashbrown::HashTable;
use siphasher::sip::SipHasher13;
use tollgate_domain::time::Timestamp;

use super::Happened;

/// Requests of a batch.
pub(super) const IN_BATCH: usize = 4096;
/// Sites of a batch, and bytes of their texts.
const MOST_ORIGINS: usize = 512;
const MOST_TEXT: usize = 32 * 1024;

/// One request.
#[derive(Clone, Copy)]
pub(super) struct Record {
    pub(super) at: Timestamp,
    pub(super) token: u32,
    /// Its number in the batch's texts; 0 = none.
    pub(super) origin: u16,
    pub(super) happened: Happened,
}

const _: () = assert!(size_of::<Record>() == 16);

#[derive(Default)]
pub(super) struct Batch {
    pub(super) records: Vec<Record>,
    pub(super) origins: Texts,
}

impl Batch {
    pub(super) fn push(&mut self, record: Record) {
        if self.records.capacity() == 0 {
            self.records.reserve_exact(IN_BATCH);
        }
        self.records.push(record);
    }
}

/// Texts, numbered from 1 in the order they came.
#[derive(Default)]
pub(super) struct Texts {
    text: String,
    ends: Vec<u16>,
    numbers: HashTable<u16>,
}

impl Texts {
    /// The text's number; 0 when there is no room for it.
    pub(super) fn number_of(&mut self, text: &str, hasher: &SipHasher13) -> u16 {
        let hash = |text: &str| hasher.hash(text.as_bytes());
        let known = self
            .numbers
            .find(hash(text), |number| get(&self.text, &self.ends, *number) == text);
        if let Some(number) = known {
            return *number;
        }
        let end = self.text.len() + text.len();
        if self.ends.len() == MOST_ORIGINS || end > MOST_TEXT {
            return 0;
        }
        let (Ok(end), Ok(number)) = (u16::try_from(end), u16::try_from(self.ends.len() + 1)) else {
            return 0;
        };
        self.text.push_str(text);
        self.ends.push(end);
        self.numbers
            .insert_unique(hash(text), number, |number| hash(get(&self.text, &self.ends, *number)));
        number
    }

    /// Each, in the order of their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (1..)
            .take(self.ends.len())
            .map(|number| get(&self.text, &self.ends, number))
    }
}

fn get<'a>(text: &'a str, ends: &[u16], number: u16) -> &'a str {
    let end = |number: usize| number.checked_sub(1).map_or(0, |place| usize::from(ends[place]));
    let number = usize::from(number);
    &text[end(number - 1)..end(number)]
}
