//! Mail to people: an invitation, a new password. Plain text, which no program takes for anything else.
//!
//! What somebody chose (the names of people and workspaces) is in the text only, never in a header, on a line of its own,
//! and without characters that nobody sees or that turn the reading around.

use tollgate_domain::time::Timestamp;

/// A letter without its receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    pub(crate) subject: &'static str,
    pub(crate) text: String,
}

impl Letter {
    /// An invitation to a workspace, as somebody with this role; `by` is who invites, if it is a person.
    pub fn invitation(workspace: &str, role: &str, by: Option<&str>, link: &str, until: Timestamp) -> Self {
        let by = by.map_or(String::new(), |by| {
            format!("\nInvited by:\n\n    {}\n", on_one_line(by))
        });
        Self {
            subject: "You are invited to a workspace on Tollgate",
            text: format!(
                "You are invited to join a workspace on Tollgate, as {role}:\n\n    {}\n{by}\n{}",
                on_one_line(workspace),
                about(link, "To take the invitation, open", until)
            ),
        }
    }

    /// A link that lets its receiver choose a new password.
    pub fn reset(link: &str, until: Timestamp) -> Self {
        Self {
            subject: "Choose a new password for Tollgate",
            text: format!(
                "Somebody who manages your workspace on Tollgate made you a link to choose a new password. Using it ends all \
                 of your sessions and removes your passkeys.\n\n{}",
                about(link, "To choose it, open", until)
            ),
        }
    }
}

fn about(link: &str, what_for: &str, until: Timestamp) -> String {
    let until = until.to_string();
    format!(
        "{what_for}:\n\n{link}\n\nThe link is good once, until {} {} UTC. Whoever has it can use it: don't pass it on. If you \
         didn't expect this mail, do nothing.\n",
        &until[..10],
        &until[11..16]
    )
}

/// A name as it may stand in a letter: whatever isn't seen is gone, so that it can't begin a line or reorder one.
fn on_one_line(name: &str) -> String {
    let kept = name
        .chars()
        .map(|letter| if letter.is_whitespace() { ' ' } else { letter });
    kept.filter(|letter| !letter.is_control() && !is_format(*letter))
        .collect()
}

/// Characters that only tell how others are to be shown: marks, embeddings, overrides and isolates of direction, and what
/// ends a line or has no width. U+200D joins emoji and stays.
const fn is_format(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn until() -> Timestamp {
        Timestamp::parse("2026-03-02T09:15:04Z").unwrap()
    }

    #[test]
    fn an_invitation_says_to_what_by_whom_and_where() {
        let by = Some("Ada <ada@example.com>");
        let letter = Letter::invitation(
            "Shop",
            "developer",
            by,
            "https://t.example/dashboard/invitation/abc",
            until(),
        );
        assert_eq!(
            letter.text,
            "You are invited to join a workspace on Tollgate, as developer:\n\n    Shop\n\nInvited by:\n\n    Ada \
             <ada@example.com>\n\nTo take the invitation, open:\n\nhttps://t.example/dashboard/invitation/abc\n\nThe link is \
             good once, until 2026-03-02 09:15 UTC. Whoever has it can use it: don't pass it on. If you didn't expect this \
             mail, do nothing.\n"
        );
        let letter = Letter::reset("https://t.example/dashboard/reset/abc", until());
        assert!(
            letter.text.contains("\n\nhttps://t.example/dashboard/reset/abc\n\n"),
            "{}",
            letter.text
        );
    }

    #[test]
    fn a_name_stays_on_its_line_and_turns_nothing_around() {
        for (name, shown) in [
            ("<script>alert(1)</script>", "<script>alert(1)</script>"),
            ("\"><img src=x onerror=alert(1)>", "\"><img src=x onerror=alert(1)>"),
            ("\u{202e}moc.live//:sptth\u{2066}", "moc.live//:sptth"),
            (&"🔑".repeat(150), &"🔑".repeat(150)),
            ("👩\u{200d}💻", "👩\u{200d}💻"),
            ("a\r\nBcc: eve@example.com\r\n\r\nb", "a  Bcc: eve@example.com    b"),
            ("a\u{2028}b\u{85}c\u{0}d", "a b cd"),
        ] {
            let letter = Letter::invitation(name, "viewer", Some(name), "https://t.example/l", until());
            let named: Vec<&str> = letter
                .text
                .lines()
                .filter_map(|line| line.strip_prefix("    "))
                .collect();
            assert_eq!(named, [shown; 2], "{name:?}");
            assert!(!letter.text.contains(['\r', '\u{202e}', '\u{2066}']));
            assert_eq!(letter.subject, "You are invited to a workspace on Tollgate");
        }
    }
}
