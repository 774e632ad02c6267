//! Turns: subject and rivals in short rounds, each turn in drawn order, and what they amount to.

use crate::Settings;

/// A small generator of numbers (splitmix64): the same seed draws the same order.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of `0..count`.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % count).unwrap_or(0)
    }
}

/// One side's turn.
#[derive(Debug, Default)]
pub(crate) struct Round {
    /// Things done.
    pub(crate) done: u64,
    /// How long that took.
    pub(crate) seconds: f64,
    /// Processor time of the side's server; `None` where it can't be told.
    pub(crate) processor: Option<f64>,
    /// What each took, or a sample of them, in microseconds.
    pub(crate) micros: Vec<u32>,
}

impl Round {
    pub(crate) fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a round does fewer than 2^52 things")]
        let done = self.done as f64;
        done / self.seconds
    }
}

impl Round {
    /// Seconds of processor time for each thing done.
    fn processor_each(&self) -> Option<f64> {
        Some(self.processor? / (self.rate() * self.seconds))
    }
}

/// All turns of one side.
#[derive(Debug, Default)]
pub(crate) struct Side {
    pub(crate) name: String,
    pub(crate) rates: Vec<f64>,
    done: f64,
    processor: Option<f64>,
    micros: Vec<u32>,
}

impl Side {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            processor: Some(0.0),
            ..Self::default()
        }
    }

    fn add(&mut self, round: Round) {
        self.rates.push(round.rate());
        self.done += round.rate() * round.seconds;
        self.processor = self.processor.zip(round.processor).map(|(sum, more)| sum + more);
        self.micros.extend(round.micros);
    }

    /// Microseconds of processor time for each thing done.
    pub(crate) fn processor_micros(&self) -> Option<f64> {
        self.processor.map(|seconds| seconds * 1e6 / self.done)
    }

    /// Milliseconds within which this part of the things were done.
    pub(crate) fn percentile(&mut self, percent: usize) -> Option<f64> {
        self.micros.sort_unstable();
        let last = self.micros.len().checked_sub(1)?;
        self.micros
            .get(last * percent / 100)
            .map(|micros| f64::from(*micros) / 1e3)
    }
}

/// What a comparison gave.
#[derive(Debug)]
pub(crate) struct Comparison {
    pub(crate) subject: Side,
    pub(crate) rivals: Vec<Rival>,
}

/// Another side, and the subject's rate over its own, turn by turn.
#[derive(Debug)]
pub(crate) struct Rival {
    pub(crate) side: Side,
    pub(crate) ratios: Vec<f64>,
    /// Subject's processor time for each thing done over the rival's, pair by pair; empty where it can't be told.
    pub(crate) processor_ratios: Vec<f64>,
}

impl Comparison {
    /// Against the first rival.
    pub(crate) fn ratios(&self) -> &[f64] {
        self.rivals.first().map_or(&[], |rival| &rival.ratios)
    }

    /// In processor time, against the first rival.
    pub(crate) fn processor_ratios(&self) -> &[f64] {
        self.rivals.first().map_or(&[], |rival| &rival.processor_ratios)
    }
}

/// What takes a turn.
pub(crate) type Turn<'a> = &'a mut dyn FnMut() -> anyhow::Result<Round>;

/// Lets both take turns, after one round each that doesn't count.
pub(crate) fn compare(
    settings: &Settings,
    subject: (&str, Turn<'_>),
    rival: (&str, Turn<'_>),
) -> anyhow::Result<Comparison> {
    compare_with_each(settings, subject, &mut [rival])
}

/// The same with several rivals, all of which have a round in each turn.
pub(crate) fn compare_with_each(
    settings: &Settings,
    (subject_name, subject): (&str, Turn<'_>),
    rivals: &mut [(&str, Turn<'_>)],
) -> anyhow::Result<Comparison> {
    let mut dice = settings.dice();
    let mut comparison = Comparison {
        subject: Side::new(subject_name),
        rivals: rivals
            .iter()
            .map(|(name, _)| Rival {
                side: Side::new(name),
                ratios: Vec::new(),
                processor_ratios: Vec::new(),
            })
            .collect(),
    };
    for turn in 0..=settings.rounds {
        let (mut ours, mut theirs) = (None, Vec::new());
        theirs.resize_with(rivals.len(), || None);
        let mut waiting: Vec<usize> = (0..=rivals.len()).collect();
        while !waiting.is_empty() {
            match waiting.swap_remove(dice.below(waiting.len())) {
                0 => ours = Some(subject()?),
                one => theirs[one - 1] = Some(rivals[one - 1].1()?),
            }
        }
        let Some(ours) = ours.filter(|_| turn > 0) else {
            continue;
        };
        for (rival, round) in comparison.rivals.iter_mut().zip(theirs.into_iter().flatten()) {
            rival.ratios.push(ours.rate() / round.rate());
            let each = ours.processor_each().zip(round.processor_each());
            rival.processor_ratios.extend(each.map(|(ours, theirs)| ours / theirs));
            rival.side.add(round);
        }
        comparison.subject.add(ours);
    }
    Ok(comparison)
}

/// The middle of some numbers, and their ends.
pub(crate) fn median(numbers: &[f64]) -> (f64, f64, f64) {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |place: usize| sorted.get(place).copied().unwrap_or(f64::NAN);
    let last = sorted.len().saturating_sub(1);
    (f64::midpoint(at(last / 2), at(last.div_ceil(2))), at(0), at(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_between_the_middle_ones() {
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), (2.5, 1.0, 4.0));
        assert_eq!(median(&[3.0, 1.0, 2.0]), (2.0, 1.0, 3.0));
    }
}
