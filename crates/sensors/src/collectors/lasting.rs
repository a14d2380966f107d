//! What a collector has gathered, for the one that takes its place at a reload: that opens all of them anew.

use std::sync::{Arc, Mutex, Weak};

use edgewatch_program::lock::lock;

/// Values of `T` by what of the settings they depend on, each for as long as some collector has it. The collectors before and after a reload
/// share theirs while both read.
pub struct Lasting<K, T>(Mutex<Vec<(K, Weak<T>)>>);

impl<K: PartialEq, T> Lasting<K, T> {
    /// None yet.
    pub const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// The value that a collector has for this `key`, or a new one.
    pub fn get(&self, key: K, new: impl FnOnce() -> T) -> Arc<T> {
        let mut values = lock(&self.0);
        values.retain(|(_, value)| value.strong_count() > 0);
        let same = values.iter().find(|(other, _)| *other == key);
        if let Some(value) = same.and_then(|(_, value)| value.upgrade()) {
            return value;
        }
        let value = Arc::new(new());
        values.push((key, Arc::downgrade(&value)));
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_lasts_while_a_collector_has_it_and_is_of_one_key() {
        let lasting = Lasting::new();
        let first = lasting.get("a", || 1);
        assert_eq!((*lasting.get("a", || 2), *lasting.get("b", || 3)), (1, 3));
        let second = lasting.get("a", || 4);
        drop(first);
        assert_eq!(*lasting.get("a", || 5), 1);
        drop(second);
        assert_eq!(*lasting.get("a", || 6), 6);
    }
}
