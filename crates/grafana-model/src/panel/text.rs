//! `text`: words.

use super::read::{choice, options};

options! {
    /// Options of the panel.
    pub struct Text {
        /// With variables.
        content: String = "content",
        /// What it is written in.
        mode: Format = "mode",
    }
    silent { "code" }
}

choice! {
    /// `mode`.
    pub enum Format {
        /// Markdown.
        #[default]
        Markdown = "markdown",
        /// HTML.
        Html = "html",
        /// Shown as it is.
        Code = "code",
    }
}
