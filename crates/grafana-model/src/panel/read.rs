//! How options of panels are read: each is stated once, as a field of a struct or as a text of an enum, and from there come its
//! default, its reading, and what a file says of it that is not drawn. As in Grafana, a value of the wrong type counts as left out.
//!
//! The names are matched, not kept in tables: a table of texts would be relocated when the service starts, memory that nobody uses.

use std::fmt;

use serde_json::Value;

use crate::limits::note;

/// What of the options of a panel, or of its fields, is not drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    /// Values that are not drawn, for people.
    pub not_drawn: Vec<String>,
    /// Options that nobody here has heard of, for people.
    pub unknown: Vec<String>,
}

/// Where an option lies: `stacking/mode`.
#[derive(Clone, Copy)]
pub struct Path<'p> {
    pub before: Option<&'p Path<'p>>,
    pub name: &'p str,
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.before {
            Some(before) => write!(f, "{before}/{}", self.name),
            None => f.write_str(self.name),
        }
    }
}

impl Problems {
    /// Notes that the option at `path` has a value which is not drawn. No value is none that is missed.
    pub(super) fn value(&mut self, value: &Value, path: Path<'_>) {
        let text = text(value);
        if !value.is_null() && !text.is_empty() {
            note(&mut self.not_drawn, format!("{path} cannot be {text:?}"));
        }
    }

    /// Notes that the option at `path` has another value than the only one that is drawn.
    pub(super) fn only(&mut self, drawn: &str, value: &Value, path: Path<'_>) {
        if text(value) != drawn {
            self.value(value, path);
        }
    }

    /// Notes an option that no field stands for. Grafana writes some for every kind, also where they mean nothing; and the members
    /// of an option that is known may be left out in silence.
    pub(super) fn unknown(&mut self, path: Path<'_>) {
        let is_everywhere = matches!(
            path.name,
            "tooltip" | "annotations" | "legend" | "reduceOptions" | "text" | "orientation" | "neutral"
        );
        if path.before.is_none() && !is_everywhere {
            note(&mut self.unknown, format!("the option {path} is not known"));
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What can be the value of an option.
pub trait Read: Sized {
    /// `None`: it counts as left out.
    fn read(value: &Value, path: Path<'_>, problems: &mut Problems) -> Option<Self>;
}

impl Read for bool {
    fn read(value: &Value, _: Path<'_>, _: &mut Problems) -> Option<Self> {
        value.as_bool()
    }
}

impl Read for f64 {
    fn read(value: &Value, _: Path<'_>, _: &mut Problems) -> Option<Self> {
        value.as_f64().filter(|number| number.is_finite())
    }
}

impl Read for String {
    fn read(value: &Value, _: Path<'_>, _: &mut Problems) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }
}

impl<T: Read> Read for Option<T> {
    fn read(value: &Value, path: Path<'_>, problems: &mut Problems) -> Option<Self> {
        T::read(value, path, problems).map(Some)
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(value: &Value, path: Path<'_>, problems: &mut Problems) -> Option<Self> {
        let items = value.as_array()?.iter();
        Some(items.filter_map(|item| T::read(item, path, problems)).collect())
    }
}

/// A struct of options: `field: Type = "name"`, with its default behind `or` where that is not the type's. Of those below `only`,
/// which have no field, one value alone is drawn; those below `silent` change nothing of what is seen.
macro_rules! options {
    (
        $(#[$doc:meta])*
        pub struct $Name:ident {
            $($(#[$field_doc:meta])* $field:ident: $Type:ty = $name:literal $(or $default:expr)?,)*
        }
        $(only { $($fixed:literal: $drawn:literal,)* })?
        $(silent { $($silent:literal)|* })?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $Name {
            $($(#[$field_doc])* pub $field: $Type,)*
        }

        impl Default for $Name {
            fn default() -> Self {
                Self { $($field: options!(@default $($default)?),)* }
            }
        }

        impl $Name {
            /// Those that `written` says, and what of it is not drawn.
            pub fn of(written: &serde_json::Map<String, serde_json::Value>) -> (Self, $crate::panel::Problems) {
                let (mut options, mut problems) = (Self::default(), $crate::panel::Problems::default());
                options.fill(written, None, &mut problems);
                (options, problems)
            }

            fn fill(
                &mut self,
                written: &serde_json::Map<String, serde_json::Value>,
                before: Option<&$crate::panel::read::Path<'_>>,
                problems: &mut $crate::panel::Problems,
            ) {
                for (name, value) in written {
                    let path = $crate::panel::read::Path { before, name };
                    match name.as_str() {
                        $($name => {
                            if let Some(value) = $crate::panel::read::Read::read(value, path, problems) {
                                self.$field = value;
                            }
                        })*
                        $($($fixed => problems.only($drawn, value, path),)*)?
                        $($($silent)|* => {})?
                        _ => problems.unknown(path),
                    }
                }
            }
        }

        impl $crate::panel::read::Read for $Name {
            fn read(
                value: &serde_json::Value,
                path: $crate::panel::read::Path<'_>,
                problems: &mut $crate::panel::Problems,
            ) -> Option<Self> {
                let mut options = Self::default();
                options.fill(value.as_object()?, Some(&path), problems);
                Some(options)
            }
        }
    };
    (@default) => { Default::default() };
    (@default $default:expr) => { $default };
}

/// An enum of the texts that an option can be. Another one is noted as not drawn, unless `others quietly` are the default.
macro_rules! choice {
    (
        $(#[$doc:meta])*
        pub enum $Name:ident { $($(#[$variant_doc:meta])* $Variant:ident = $text:literal,)* }
        $(others $quietly:ident)?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum $Name { $($(#[$variant_doc])* $Variant,)* }

        impl $crate::panel::read::Read for $Name {
            fn read(
                value: &serde_json::Value,
                path: $crate::panel::read::Path<'_>,
                problems: &mut $crate::panel::Problems,
            ) -> Option<Self> {
                match value.as_str() {
                    $(Some($text) => Some(Self::$Variant),)*
                    Some(_) | None => {
                        choice!(@other $($quietly)?, value, path, problems);
                        None
                    }
                }
            }
        }
    };
    (@other, $value:ident, $path:ident, $problems:ident) => { $problems.value($value, $path) };
    (@other quietly, $value:ident, $path:ident, $problems:ident) => { { let _ = ($path, $problems); } };
}

pub(super) use {choice, options};
