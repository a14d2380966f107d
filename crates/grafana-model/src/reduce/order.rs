//! The order in which JavaScript's `sort` leaves what a comparison does not order.

/// How many JavaScript's engine (V8) sorts by insertion alone.
const FEW: usize = 32;

/// Sorts numbers in ascending order, as `(a, b) => a - b` does.
pub fn sort_as_javascript(numbers: &mut [f64]) {
    sort_by_difference(numbers, |a, b| a - b, |number| number.is_nan());
}

/// Sorts by what `difference` says: below 0 if the first comes first. To JavaScript a difference that is NaN is none, so that where
/// what `is_odd` stands depends on the algorithm: a run at the beginning, then binary insertion, as V8 does it with few. With more of
/// them the odd ones come last.
pub fn sort_by_difference<T: Copy>(items: &mut [T], difference: impl Fn(T, T) -> f64, is_odd: impl Fn(T) -> bool) {
    let is_plain = !items.iter().any(|item| is_odd(*item));
    if is_plain || items.len() > FEW {
        return items.sort_by(|a, b| {
            let odd = is_odd(*a).cmp(&is_odd(*b));
            odd.then_with(|| {
                if is_odd(*a) {
                    std::cmp::Ordering::Equal
                } else {
                    difference(*a, *b).total_cmp(&0.0)
                }
            })
        });
    }
    for at in run(items, &difference)..items.len() {
        let (sorted, rest) = items.split_at(at);
        let Some(item) = rest.first().copied() else { return };
        let (mut left, mut right) = (0, sorted.len());
        while left < right {
            let middle = usize::midpoint(left, right);
            match sorted.get(middle) {
                Some(other) if difference(item, *other) < 0.0 => right = middle,
                _ => left = middle + 1,
            }
        }
        if let Some(moved) = items.get_mut(left..=at) {
            moved.rotate_right(1);
        }
    }
}

/// The length of the run at the beginning, which then ascends.
fn run<T: Copy>(items: &mut [T], difference: impl Fn(T, T) -> f64) -> usize {
    let descends = |pair: &[T]| matches!(pair, [before, after] if difference(*after, *before) < 0.0);
    let starts_down = items.get(..2).is_some_and(descends);
    let same = items
        .windows(2)
        .take_while(|pair| descends(pair) == starts_down)
        .count();
    let length = (same + 1).min(items.len());
    if starts_down && let Some(run) = items.get_mut(..length) {
        run.reverse();
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_none_stay_where_insertion_leaves_them() {
        const NO: f64 = f64::NAN;
        for (mut before, after) in [
            (vec![3.0, 1.0, 2.0], "[1.0, 2.0, 3.0]"),
            (
                vec![-1.0, 1.0, -1.0, NO, 1.0, NO, 0.0, 0.0],
                "[-1.0, -1.0, 1.0, NaN, 1.0, NaN, 0.0, 0.0]",
            ),
            (vec![NO, 1.0], "[NaN, 1.0]"),
            (Vec::new(), "[]"),
        ] {
            sort_as_javascript(&mut before);
            assert_eq!(format!("{before:?}"), after);
        }
    }

    #[test]
    fn many_numbers_are_sorted_too() {
        let mut many: Vec<f64> = (0..100)
            .map(|index| f64::from((index * 37) % 100))
            .chain([f64::NAN])
            .collect();
        sort_as_javascript(&mut many);
        assert!(many[..100].is_sorted() && many[100].is_nan());
    }
}
