//! A number with its unit, as text.

use std::fmt;

/// A number with its unit. Panels show the parts at different sizes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Formatted {
    /// Such as `$`.
    pub prefix: String,
    /// The number.
    pub text: String,
    /// Such as ` MiB`, with the space that belongs before it.
    pub suffix: String,
}

impl fmt::Display for Formatted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.prefix, self.text, self.suffix)
    }
}

impl Formatted {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    pub(super) fn suffixed(text: String, suffix: impl Into<String>) -> Self {
        Self {
            text,
            suffix: suffix.into(),
            ..Self::default()
        }
    }
}

/// On which side of a number a sign stands.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// On the left.
    Before,
    /// On the right.
    Behind,
}
