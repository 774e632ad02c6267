//! What a command prints: lines and tables for people, one JSON value for programs. Results go to standard output,
//! remarks to standard error.

use std::io::{self, Write};

use serde::Serialize;

/// Prints results as a person or a program wants them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) json: bool,
}

impl Output {
    /// Prints `value` as JSON if that was asked for, else whatever `lines` prints.
    pub(crate) fn result<T: Serialize>(
        self,
        value: &T,
        lines: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.json {
            serde_json::to_writer(&mut out, value)?;
            writeln!(out)?;
        } else {
            lines(&mut out)?;
        }
        out.flush()
    }
}

/// A remark beside the result. Nobody may be listening, which is no reason to fail.
pub(crate) fn remark(text: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Rows under a head, in columns as wide as they need to be; `empty` is the remark when there is no row.
pub(crate) fn table<const N: usize>(
    out: &mut dyn Write,
    head: [&str; N],
    rows: &[[String; N]],
    empty: &str,
) -> io::Result<()> {
    if rows.is_empty() {
        remark(empty);
        return Ok(());
    }
    let rows: Vec<[String; N]> = rows
        .iter()
        .map(|row| row.each_ref().map(|cell| visible(cell)))
        .collect();
    let head = head.map(str::to_owned);
    let width = |column: usize| {
        let cells = rows.iter().chain([&head]).map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    for row in [&head].into_iter().chain(&rows) {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// Names with their values, one a line.
pub(crate) fn facts(out: &mut dyn Write, facts: &[(&str, impl AsRef<str>)]) -> io::Result<()> {
    let width = facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, value) in facts {
        writeln!(out, "{name:width$}  {}", visible(value.as_ref()))?;
    }
    Ok(())
}

/// The text with its control characters spelled out, so that a terminal shows them instead of obeying them.
pub(crate) fn visible(text: &str) -> String {
    let show = |character: char| {
        if character.is_control() {
            character.escape_default().to_string()
        } else {
            character.to_string()
        }
    };
    text.chars().map(show).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut out = Vec::new();
        let rows = [
            ["1".to_owned(), "é".to_owned()],
            ["10".to_owned(), "two\u{1b}[31m".to_owned()],
        ];
        table(&mut out, ["ID", "NAME"], &rows, "none").unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "ID  NAME\n1   é\n10  two\\u{1b}[31m\n");
    }
}
