//! Long texts on a page: JSON laid out for reading, and as much of a text as a page has room for.

use std::fmt::Write as _;

use serde::de::IgnoredAny;

use super::moment::grouped;

/// As much of a text as a page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    pub(super) text: String,
    /// `the first 24 KiB of 310 KiB`, unless it is all.
    pub(super) cut: Option<String>,
}

/// JSON with a line for each value and two blanks for each level. The order of properties, the spelling of numbers and of
/// texts stay; characters that aren't seen or that turn others around are written as escapes. `None`: it is no JSON.
pub(super) fn pretty(json: &str) -> Option<String> {
    serde_json::from_str::<IgnoredAny>(json).ok()?;
    let mut laid_out = String::with_capacity(json.len() * 3 / 2);
    let mut depth = 0;
    let (mut in_text, mut escaped) = (false, false);
    let mut letters = json.chars().peekable();
    while let Some(letter) = letters.next() {
        if in_text {
            in_text = escaped || letter != '"';
            escaped = !escaped && letter == '\\';
            push_visible(&mut laid_out, letter);
            continue;
        }
        match letter {
            '{' | '[' => {
                laid_out.push(letter);
                while letters.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(end) = letters.next_if(|next| matches!(next, '}' | ']')) {
                    laid_out.push(end);
                } else {
                    depth += 1;
                    new_line(&mut laid_out, depth);
                }
            }
            '}' | ']' => {
                depth -= 1;
                new_line(&mut laid_out, depth);
                laid_out.push(letter);
            }
            ',' => {
                laid_out.push(letter);
                new_line(&mut laid_out, depth);
            }
            ':' => laid_out.push_str(": "),
            letter if letter.is_ascii_whitespace() => {}
            letter => {
                in_text = letter == '"';
                laid_out.push(letter);
            }
        }
    }
    Some(laid_out)
}

fn new_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth));
}

/// The text with characters that aren't seen, or that turn others around, as escapes.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    text.chars().for_each(|letter| push_visible(&mut shown, letter));
    shown
}

fn push_visible(text: &mut String, letter: char) {
    let hides = matches!(letter, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
        || (letter.is_control() && !matches!(letter, '\n' | '\r' | '\t'));
    if hides {
        let _ = write!(text, "\\u{:04x}", u32::from(letter)); // a String takes everything
    } else {
        text.push(letter);
    }
}

/// As much of the text as fits in `room` bytes of a page, escaped as pages do. It ends between two characters, and after a
/// line if one ends in the last quarter.
pub(super) fn excerpt(text: &str, room: usize) -> Excerpt {
    let mut used = 0;
    let fits = |(_, letter): &(usize, char)| {
        used += match letter {
            '<' | '>' | '&' | '"' | '\'' => 5, // &#34;
            letter => letter.len_utf8(),
        };
        used > room
    };
    let Some((end, _)) = text.char_indices().find(fits) else {
        return Excerpt {
            text: text.to_owned(),
            cut: None,
        };
    };
    let fitting = &text[..end];
    let whole_lines = fitting.rfind('\n').filter(|at| at * 4 >= end * 3);
    let shown = &fitting[..whole_lines.unwrap_or(end)];
    Excerpt {
        cut: Some(format!("the first {} of {}", size(shown.len()), size(text.len()))),
        text: shown.to_owned(),
    }
}

/// `310 KiB`, `812 bytes`.
pub(super) fn size(bytes: usize) -> String {
    let bytes = bytes as u64;
    if bytes < 10 * 1024 {
        format!("{} bytes", grouped(bytes))
    } else {
        format!("{} KiB", grouped(bytes / 1024))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn json_is_laid_out_and_says_the_same() {
        let json = r#"{"z":1.0,"a":[1e2,{"b":[ ],"c":{}}, "x,:{}[]\"\\"],"n":null,"u":"é\u0000"}"#;
        let laid_out = pretty(json).unwrap();
        let expected = [
            "{",
            "  \"z\": 1.0,",
            "  \"a\": [",
            "    1e2,",
            "    {",
            "      \"b\": [],",
            "      \"c\": {}",
            "    },",
            "    \"x,:{}[]\\\"\\\\\"",
            "  ],",
            "  \"n\": null,",
            "  \"u\": \"é\\u0000\"",
            "}",
        ];
        assert_eq!(laid_out, expected.join("\n"));
        let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(parsed(&laid_out), parsed(json));
        assert_eq!(pretty("\"alone\"").unwrap(), "\"alone\"");
    }

    #[test]
    fn what_is_no_json_is_not_laid_out() {
        for text in ["", "{", "<html>", "{} {}", "{\"a\":}"] {
            assert_eq!(pretty(text), None, "{text}");
        }
    }

    #[test]
    fn what_turns_text_around_is_shown_as_an_escape_that_means_the_same() {
        let json = "{\"name\":\"a\u{202e}b\u{200b}\"}";
        let laid_out = pretty(json).unwrap();
        assert!(laid_out.contains(r"a\u202eb\u200b"), "{laid_out}");
        assert_eq!(
            serde_json::from_str::<Value>(&laid_out).unwrap(),
            serde_json::from_str::<Value>(json).unwrap()
        );
        assert_eq!(visible("a\u{2066}b\n\u{1b}[0m"), "a\\u2066b\n\\u001b[0m");
    }

    #[test]
    fn a_text_is_cut_where_the_room_ends_and_never_within_a_character() {
        let whole = |text: &str| Excerpt {
            text: text.to_owned(),
            cut: None,
        };
        assert_eq!(excerpt("", 0), whole(""));
        assert_eq!(excerpt("abcd", 4), whole("abcd"));
        assert_eq!(excerpt("abcde", 4).text, "abcd");
        assert_eq!(excerpt("aé", 3), whole("aé"));
        assert_eq!(excerpt("aé", 2).text, "a");
        assert_eq!(excerpt("🔑", 3).text, "");
        // A quote takes five bytes on the page.
        assert_eq!(excerpt("\"\"", 10), whole("\"\""));
        assert_eq!(excerpt("\"\"", 9).text, "\"");
    }

    #[test]
    fn a_cut_text_ends_with_a_line_when_one_is_near() {
        assert_eq!(excerpt("line\nline\nli", 11).text, "line\nline");
        assert_eq!(excerpt("l\nlonger than that", 10).text, "l\nlonger t");
        let cut = excerpt(&"x".repeat(40_000), 20_000).cut;
        assert_eq!(cut.unwrap(), "the first 19 KiB of 39 KiB");
        assert_eq!(size(9_999), "9,999 bytes");
    }
}
