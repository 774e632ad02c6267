//! What is printed: a table for each comparison, and a line for each goal at the end.

use crate::rounds::{Comparison, Side, median};

/// Which way a goal points.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

/// The goals, in the order they were measured.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<String>);

impl Report {
    /// Notes whether a goal was met by the median of these ratios.
    pub(crate) fn goal(&mut self, name: &str, goal: Goal, ratios: &[f64]) {
        let (middle, least, most) = median(ratios);
        let (wanted, met) = match goal {
            Goal::AtLeast(least) => (format!("at least {least}x"), middle >= least),
            Goal::AtMost(most) => (format!("at most {most}x"), middle <= most),
        };
        let met = if met { "met" } else { "NOT MET" };
        self.0.push(format!(
            "{name}: {middle:.2}x, spread {}; goal {wanted}: {met}",
            spread(least, most, 2)
        ));
    }

    /// Notes ratios that nobody has a goal for.
    pub(crate) fn ratio(&mut self, name: &str, ratios: &[f64]) {
        let (middle, least, most) = median(ratios);
        self.0
            .push(format!("{name}: {middle:.2}x, spread {}", spread(least, most, 2)));
    }

    /// Notes what a goal lacks to be measured.
    pub(crate) fn not_run(&mut self, name: &str, why: &str) {
        println!("\n{name}: not run: {why}");
        self.0.push(format!("{name}: NOT RUN: {why}"));
    }

    /// Notes a figure that has no rival.
    pub(crate) fn figure(&mut self, line: String) {
        self.0.push(line);
    }

    pub(crate) fn print_goals(&self) {
        println!("\nGoals");
        for line in &self.0 {
            println!("  {line}");
        }
    }
}

/// Prints all sides of a comparison under a heading; `what` is what was counted.
pub(crate) fn table(heading: &str, what: &str, comparison: &mut Comparison) {
    println!("\n{heading} (load {})", crate::machine::load_average());
    println!(
        "  {:<44} {:>10} {:>17} {:>9} {:>8} {:>8}",
        "",
        format!("{what}/s"),
        "spread",
        "cpu us",
        "p50 ms",
        "p99 ms"
    );
    row(&mut comparison.subject);
    for rival in &mut comparison.rivals {
        row(&mut rival.side);
        let (middle, least, most) = median(&rival.ratios);
        println!(
            "  {:<44} {:>10} {:>17}",
            "  ratio to it, turn by turn",
            format!("{middle:.2}x"),
            spread(least, most, 2)
        );
    }
}

fn row(side: &mut Side) {
    let (middle, least, most) = median(&side.rates);
    let (half, most_of_all) = (side.percentile(50), side.percentile(99));
    let shown =
        |value: Option<f64>, digits: usize| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"));
    println!(
        "  {:<44} {middle:>10.0} {:>17} {:>9} {:>8} {:>8}",
        side.name,
        spread(least, most, 0),
        shown(side.processor_micros(), 1),
        shown(half, 2),
        shown(most_of_all, 2),
    );
}

/// `least..most`
pub(crate) fn spread(least: f64, most: f64, digits: usize) -> String {
    format!("{least:.digits$}..{most:.digits$}")
}
