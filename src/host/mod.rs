//! The host itself: one source for each subject, below the roots that the settings name.
