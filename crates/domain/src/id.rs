//! Identifiers: a prefix that says what it is, and 26 characters that sort by creation.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use ulid::Ulid;

use crate::ambient::Entropy;
use crate::time::Timestamp;

/// What an id names; only its prefix differs.
pub trait Kind: Copy + Ord + std::hash::Hash + fmt::Debug + Send + Sync + 'static {
    /// With the underscore: `ctkn_`.
    const PREFIX: &'static str;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $prefix:literal, $alias:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $kind {}
        impl Kind for $kind {
            const PREFIX: &'static str = $prefix;
        }
        $(#[$doc])*
        pub type $alias = Id<$kind>;
    )*};
}

kinds! {
    /// A workspace (ours: the contract has no name for a tenant's id).
    WorkspaceKind = "wsp_", WorkspaceId;
    /// A person.
    UserKind = "usr_", UserId;
    /// A person's passkey.
    PasskeyKind = "psk_", PasskeyId;
    /// A client token.
    ClientTokenKind = "ctkn_", ClientTokenId;
    /// An API key.
    ApiKeyKind = "apikey_", ApiKeyId;
    /// An event.
    EventKind = "evt_", EventId;
    /// A notification setting.
    NotificationSettingKind = "ntfset_", NotificationSettingId;
    /// A notification.
    NotificationKind = "ntf_", NotificationId;
    /// One delivery attempt of a notification.
    NotificationLogKind = "ntflog_", NotificationLogId;
    /// A simulation.
    SimulationKind = "ntfsim_", SimulationId;
    /// A run of a simulation.
    SimulationRunKind = "ntfsimrun_", SimulationRunId;
    /// An event of a run of a simulation.
    SimulationEventKind = "ntfsimevt_", SimulationEventId;
    /// What a simulated delivery carries in the place of a notification's id; nothing is stored under it.
    SimulationNotificationKind = "ntfsimntf_", SimulationNotificationId;
}

/// A typed id: `<prefix><26 of a-z and 0-9>`. What we make is a lower-case ULID; what we accept is any such text,
/// so that an unknown id is told from a malformed one as the contract's patterns do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id<K> {
    tail: [u8; 26],
    kind: PhantomData<K>,
}

/// The text isn't an id of the kind that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Does not match pattern '^{0}[a-z\\d]{{26}}$'")]
pub struct MalformedId(pub &'static str);

impl<K: Kind> Id<K> {
    /// From `<prefix><26 of a-z and 0-9>`.
    pub fn parse(text: &str) -> Result<Self, MalformedId> {
        text.strip_prefix(K::PREFIX)
            .and_then(Self::from_tail)
            .ok_or(MalformedId(K::PREFIX))
    }

    /// From the 26 characters after the prefix.
    pub fn from_tail(tail: &str) -> Option<Self> {
        let tail: [u8; 26] = tail.as_bytes().try_into().ok()?;
        let well_formed = tail
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        well_formed.then_some(Self {
            tail,
            kind: PhantomData,
        })
    }

    /// The 128 bits that the tail spells, if it is a ULID; packed, an id takes 16 bytes.
    pub fn to_bits(&self) -> Option<u128> {
        // 26 characters of five bits are two bits more than there are.
        if self.tail[0] > b'7' {
            return None;
        }
        let mut wrong = 0;
        let bits = self.tail.iter().fold(0, |bits: u128, byte| {
            let value = VALUES[usize::from(*byte)];
            wrong |= value;
            bits << 5 | u128::from(value)
        });
        (wrong & NO_VALUE == 0).then_some(bits)
    }

    /// The id whose tail spells these bits.
    pub fn from_bits(bits: u128) -> Self {
        let mut tail = [0; 26];
        for (pair, characters) in tail.as_chunks_mut().0.iter_mut().enumerate() {
            *characters = PAIRS[(bits >> (120 - 10 * pair)) as usize & 1023];
        }
        Self {
            tail,
            kind: PhantomData,
        }
    }

    /// When it was made, in milliseconds since 1970; 0 if it is none of ours.
    pub fn made_at_millis(&self) -> u64 {
        self.to_bits().map_or(0, |bits| Ulid::from(bits).timestamp_ms())
    }

    /// The 26 characters after the prefix.
    pub fn tail(&self) -> &str {
        std::str::from_utf8(&self.tail).expect("only ASCII is let in")
    }
}

/// The characters of a ULID in lower case, each at the place of its value.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const NO_VALUE: u8 = 0x80;
const VALUES: [u8; 256] = {
    let mut values = [NO_VALUE; 256];
    let mut value = 0;
    while value < 32 {
        values[ALPHABET[value as usize] as usize] = value;
        value += 1;
    }
    values
};

/// Two characters for each ten bits.
static PAIRS: [[u8; 2]; 1024] = {
    let mut pairs = [[0; 2]; 1024];
    let mut bits = 0;
    while bits < 1024 {
        pairs[bits] = [ALPHABET[bits >> 5], ALPHABET[bits & 31]];
        bits += 1;
    }
    pairs
};

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(K::PREFIX)?;
        f.write_str(self.tail())
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

impl<K: Kind> JsonSchema for Id<K> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        K::PREFIX.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": format!("^{}[a-z\\d]{{26}}$", K::PREFIX) })
    }
}

/// What the tail of an id made at `time` begins with: ids made before sort before it.
pub fn time_prefix(time: Timestamp) -> String {
    let mut buffer = [0; 26];
    let text = Ulid::from_parts(time.as_millis(), 0).array_to_str(&mut buffer);
    text[..10].to_ascii_lowercase()
}

/// Makes ids that sort in the order they were made, also within a millisecond and when the clock goes back.
#[derive(Debug, Default)]
pub struct IdGenerator {
    last: Mutex<Ulid>,
}

impl IdGenerator {
    /// A new id: the time in milliseconds, then 80 random bits; the last id plus one when time stood still.
    pub fn next<K: Kind>(&self, now: Timestamp, entropy: &dyn Entropy) -> Id<K> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let ulid = if now.as_millis() > last.timestamp_ms() {
            let mut bytes = [0; 16];
            entropy.fill(&mut bytes[6..]);
            // The top bit stays free, so that counting up within this millisecond cannot overflow.
            bytes[6] &= 0x7f;
            Ulid::from_parts(now.as_millis(), u128::from_be_bytes(bytes))
        } else {
            last.increment()
                .expect("2^79 ids within a millisecond are out of reach")
        };
        *last = ulid;
        drop(last);
        let mut buffer = [0; 26];
        let text = ulid.array_to_str(&mut buffer);
        text.make_ascii_lowercase();
        Id::from_tail(text).expect("a ULID is 26 letters and digits")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    struct Fixed(u8);

    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    #[test]
    fn ids_are_told_from_other_text() {
        let id = "ctkn_01kjpx8smtt7yvcqtc63b3kq74";
        assert_eq!(ClientTokenId::parse(id).unwrap().to_string(), id);
        assert!(
            ClientTokenId::parse("ctkn_zzzzzzzzzzzzzzzzzzzzzzzzzz").is_ok(),
            "well-formed, if no ULID"
        );
        for bad in [
            "",
            "ctkn_",
            "01kjpx8smtt7yvcqtc63b3kq74",
            "evt_01kjpx8smtt7yvcqtc63b3kq74",
            "ctkn_01kjpx8smtt7yvcqtc63b3kq7",
            "ctkn_01kjpx8smtt7yvcqtc63b3kq744",
            "ctkn_01KJPX8SMTT7YVCQTC63B3KQ74",
            "ctkn_01kjpx8smtt7yvcqtc63b3kq7é",
            "CTKN_01kjpx8smtt7yvcqtc63b3kq74",
        ] {
            assert_eq!(ClientTokenId::parse(bad), Err(MalformedId("ctkn_")), "{bad:?}");
        }
        assert_eq!(
            MalformedId("ctkn_").to_string(),
            r"Does not match pattern '^ctkn_[a-z\d]{26}$'"
        );
    }

    #[test]
    fn only_ulids_have_bits() {
        let bits = |tail: &str| ClientTokenId::from_tail(tail).unwrap().to_bits();
        assert_eq!(bits("00000000000000000000000000"), Some(0));
        assert_eq!(bits("0000000000000000000000000z"), Some(31));
        assert_eq!(bits("7zzzzzzzzzzzzzzzzzzzzzzzzz"), Some(u128::MAX));
        for none in [
            "80000000000000000000000000",
            "zzzzzzzzzzzzzzzzzzzzzzzzzz",
            "0000000000000000000000000u",
            "000000000000i0000000000000",
        ] {
            assert_eq!(bits(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn bits_spell_the_id_they_came_from(bits in any::<u128>()) {
            let id = ClientTokenId::from_bits(bits);
            prop_assert_eq!(id.to_bits(), Some(bits));
            prop_assert_eq!(ClientTokenId::parse(&id.to_string()), Ok(id));
            let text = Ulid::from_string(id.tail()).unwrap();
            prop_assert_eq!(u128::from(text), bits);
        }

        #[test]
        fn ids_sort_in_the_order_they_were_made(
            times in prop::collection::vec(0_i64..5_000, 1..200), byte in any::<u8>(),
        ) {
            let generator = IdGenerator::default();
            let ids: Vec<ClientTokenId> = times
                .iter()
                .map(|micros| generator.next(Timestamp::from_micros(*micros).unwrap(), &Fixed(byte)))
                .collect();
            prop_assert!(ids.is_sorted());
            prop_assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
        }
    }
}
