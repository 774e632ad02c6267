//! Limits on the texts that people give: names and descriptions.
//!
//! Lengths count Unicode code points; nothing is trimmed, and blank text is allowed (both as JSON Schema has it).

/// What a text may be.
#[derive(Clone, Copy, Debug)]
pub struct TextRule {
    /// Fewest code points.
    pub min: usize,
    /// Most code points.
    pub max: usize,
    /// Whether tab, line feed and carriage return may occur. No other control character ever may.
    pub multi_line: bool,
}

/// The name of a client token, an API key or a workspace.
pub const NAME: TextRule = TextRule {
    min: 1,
    max: 150,
    multi_line: false,
};
/// The description of a client token.
pub const CLIENT_TOKEN_DESCRIPTION: TextRule = TextRule {
    min: 1,
    max: 500,
    multi_line: true,
};
/// The description of an API key.
pub const API_KEY_DESCRIPTION: TextRule = TextRule {
    min: 1,
    max: 250,
    multi_line: true,
};

/// Why a text was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Fewer code points than allowed.
    #[error("String length must be greater than or equal to {0}")]
    TooShort(usize),
    /// More code points than allowed.
    #[error("String length must be less than or equal to {0}")]
    TooLong(usize),
    /// A control character, which logs and screens would obey instead of showing.
    #[error("Control characters are not allowed (found U+{0:04X})")]
    Control(u32),
}

impl TextRule {
    /// Whether `text` keeps to this rule.
    pub fn check(self, text: &str) -> Result<(), TextError> {
        let mut length = 0;
        for character in text.chars() {
            let line_break = matches!(character, '\t' | '\n' | '\r');
            if character.is_control() && !(self.multi_line && line_break) {
                return Err(TextError::Control(u32::from(character)));
            }
            length += 1;
        }
        if length < self.min {
            return Err(TextError::TooShort(self.min));
        }
        if length > self.max {
            return Err(TextError::TooLong(self.max));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_count_code_points() {
        assert_eq!(NAME.check(&"🔑".repeat(150)), Ok(()));
        assert_eq!(NAME.check(&"🔑".repeat(151)), Err(TextError::TooLong(150)));
        assert_eq!(NAME.check(""), Err(TextError::TooShort(1)));
        assert_eq!(NAME.check(" "), Ok(()));
    }

    #[test]
    fn control_characters_are_refused() {
        for bad in ["\0", "a\u{1b}[31m", "a\u{7f}", "a\u{85}", "a\nb"] {
            assert!(matches!(NAME.check(bad), Err(TextError::Control(_))), "{bad:?}");
        }
        assert_eq!(CLIENT_TOKEN_DESCRIPTION.check("one\r\n\ttwo"), Ok(()));
        assert_eq!(CLIENT_TOKEN_DESCRIPTION.check("\0"), Err(TextError::Control(0)));
    }
}
