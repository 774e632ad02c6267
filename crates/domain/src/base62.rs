//! Random text and checksums in the 62 letters and digits that credentials are written with.

use crate::ambient::Entropy;

/// Digits, then upper case, then lower case; the place of a character is its value.
pub const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `LENGTH` characters, each equally likely: 5.95 bits of randomness each.
pub fn random<const LENGTH: usize>(entropy: &dyn Entropy) -> [u8; LENGTH] {
    // 248 is the largest multiple of 62 in a byte; what lies above would favour the first characters.
    const UNBIASED: u8 = 248;
    let mut text = [0; LENGTH];
    let mut filled = 0;
    let mut bytes = [0; 32];
    while filled < LENGTH {
        entropy.fill(&mut bytes);
        for byte in bytes {
            if byte < UNBIASED && filled < LENGTH {
                text[filled] = ALPHABET[usize::from(byte % 62)];
                filled += 1;
            }
        }
    }
    text
}

/// A checksum of `text` in `LENGTH` characters: CRC-32 (ISO-HDLC, as in zip), modulo 62 to the power of `LENGTH`,
/// written big-endian. It finds slips and inventions, not forgeries: anybody can compute it.
pub fn checksum<const LENGTH: usize>(text: &[u8]) -> [u8; LENGTH] {
    let mut rest = u64::from(crc32fast::hash(text));
    let mut characters = [0; LENGTH];
    for character in characters.iter_mut().rev() {
        *character = ALPHABET[usize::try_from(rest % 62).expect("below 62")];
        rest /= 62;
    }
    characters
}

/// Whether these are the [`checksum`] of `text`: quicker than to write that one down, as it needs no division by 62.
pub fn is_checksum<const LENGTH: usize>(characters: &[u8; LENGTH], text: &[u8]) -> bool {
    let mut wrong = 0;
    let value = characters.iter().fold(0, |value: u64, character| {
        let digit = VALUES[usize::from(*character)];
        wrong |= digit;
        value.wrapping_mul(62).wrapping_add(u64::from(digit))
    });
    wrong & NO_VALUE == 0 && value == u64::from(crc32fast::hash(text)) % const { 62_u64.pow(length(LENGTH)) }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "more than ten characters overflow, which doesn't compile"
)]
const fn length(length: usize) -> u32 {
    length as u32
}

const NO_VALUE: u8 = 0x80;
/// The value of each character.
const VALUES: [u8; 256] = {
    let mut values = [NO_VALUE; 256];
    let mut value = 0;
    while value < 62 {
        values[ALPHABET[value as usize] as usize] = value;
        value += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts up, so that every byte value occurs.
    struct Counting(std::sync::Mutex<u8>);

    impl Entropy for Counting {
        fn fill(&self, buffer: &mut [u8]) {
            let mut next = self.0.lock().unwrap();
            for byte in buffer {
                *byte = *next;
                *next = next.wrapping_add(1);
            }
        }
    }

    #[test]
    fn every_character_is_equally_likely() {
        let text = random::<2480>(&Counting(std::sync::Mutex::new(0)));
        let mut counts = [0; 256];
        for character in text {
            counts[usize::from(character)] += 1;
        }
        assert!(
            ALPHABET.iter().all(|character| counts[usize::from(*character)] == 40),
            "{counts:?}"
        );
    }

    #[test]
    fn checksum_is_the_documented_one() {
        // CRC-32 of "123456789" is 0xCBF43926 = 3421780262 by the standard's own check value.
        assert_eq!(checksum::<5>(b"123456789"), expected(3_421_780_262 % 62_u64.pow(5)));
        assert_eq!(checksum::<3>(b"123456789"), expected(3_421_780_262 % 62_u64.pow(3)));
    }

    #[test]
    fn only_the_checksum_is_taken_for_it() {
        let text = b"123456789";
        let checksum = checksum::<5>(text);
        assert!(is_checksum(&checksum, text));
        for place in 0..5 {
            for other in u8::MIN..=u8::MAX {
                let mut characters = checksum;
                characters[place] = other;
                assert_eq!(
                    is_checksum(&characters, text),
                    characters == checksum,
                    "{place}, {other}"
                );
            }
        }
    }

    fn expected<const LENGTH: usize>(value: u64) -> [u8; LENGTH] {
        std::array::from_fn(|place| {
            let power = u32::try_from(LENGTH - 1 - place).unwrap();
            ALPHABET[usize::try_from(value / 62_u64.pow(power) % 62).unwrap()]
        })
    }
}
