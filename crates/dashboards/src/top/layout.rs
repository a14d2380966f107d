//! Where panels lie in a terminal: in the order of the page, beside each other as far as there is room.

use super::card::{Card, Kind};

/// Cells between two panels.
const GAP: usize = 2;

/// Panels beside each other.
#[derive(Debug, PartialEq, Eq)]
pub struct Band {
    /// The number of each card, its first column and its width.
    pub slots: Vec<Slot>,
}

/// The place of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Which one.
    pub card: usize,
    /// First column.
    pub x: usize,
    /// Columns.
    pub width: usize,
}

/// Lays `cards` out in `width` columns, in their order: that of the page.
pub fn bands(cards: &[Card], width: usize) -> Vec<Band> {
    let groups = groups(cards);
    let alike = |one: &Vec<usize>, other: &Vec<usize>| {
        let mut kinds = one.iter().chain(other).map(|index| cards[*index].kind);
        let first = kinds.next();
        first == Some(Kind::Large) && kinds.all(|kind| Some(kind) == first)
    };
    let runs = groups.chunk_by(alike);
    runs.flat_map(|run| match run.iter().all(|group| fits(cards, group, width)) {
        true => run.to_vec(),
        // Where lines of the page have to be broken, what follows fills them up.
        false => vec![run.concat()],
    })
    .flat_map(|group| split(cards, &group, width))
    .collect()
}

/// Cards that lie beside each other on the page: the next group begins below the highest of them.
fn groups(cards: &[Card]) -> Vec<Vec<usize>> {
    let mut groups = Vec::<Vec<usize>>::new();
    let mut lines = 0..0;
    for (index, card) in cards.iter().enumerate() {
        let (top, bottom) = (card.place.y, card.place.y + card.place.h.max(1));
        match groups.last_mut() {
            Some(group) if lines.contains(&top) && card.kind != Kind::Heading => {
                group.push(index);
                lines.end = lines.end.min(bottom);
            }
            _ => {
                groups.push(vec![index]);
                lines = if card.kind == Kind::Heading { 0..0 } else { top..bottom };
            }
        }
    }
    groups
}

/// A group in as few bands as have room for it, each with about as many cards.
fn split(cards: &[Card], group: &[usize], width: usize) -> Vec<Band> {
    let size = (1..=group.len())
        .map(|count| group.len().div_ceil(count))
        .find(|size| group.chunks(*size).all(|chunk| fits(cards, chunk, width)))
        .unwrap_or(1);
    group.chunks(size).map(|chunk| band(cards, chunk, width)).collect()
}

fn fits(cards: &[Card], chunk: &[usize], width: usize) -> bool {
    let least: usize = chunk.iter().map(|index| least_width(&cards[*index], width)).sum();
    chunk.len() == 1 || least + GAP * (chunk.len() - 1) <= width
}

/// Shares `width` among cards by their width on the page, none below its least.
fn band(cards: &[Card], chunk: &[usize], width: usize) -> Band {
    let room = width.saturating_sub(GAP * (chunk.len() - 1));
    let least: usize = chunk.iter().map(|index| least_width(&cards[*index], width)).sum();
    let spare = room.saturating_sub(least);
    let weights: usize = chunk.iter().map(|index| weight(&cards[*index])).sum();
    let (mut x, mut given, mut passed) = (0, 0, 0);
    let slots = chunk
        .iter()
        .map(|index| {
            // What is left over by rounding goes to the later ones.
            passed += weight(&cards[*index]);
            let extra = spare * passed / weights - given;
            given += extra;
            let own = (least_width(&cards[*index], width) + extra).min(width.saturating_sub(x));
            let slot = Slot {
                card: *index,
                x,
                width: own,
            };
            x += own + GAP;
            slot
        })
        .collect();
    Band { slots }
}

const fn least_width(card: &Card, width: usize) -> usize {
    match card.kind {
        Kind::Heading => width,
        Kind::Small => 18,
        Kind::Large => 36,
    }
}

fn weight(card: &Card) -> usize {
    usize::try_from(card.place.w.max(1)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgewatch_grafana_model::grid::GridPos;

    fn card(kind: Kind, x: u32, y: u32, w: u32, h: u32) -> Card {
        Card {
            kind,
            place: GridPos { x, y, w, h },
            ..Card::default()
        }
    }

    fn widths(cards: &[Card], width: usize) -> Vec<Vec<usize>> {
        let bands = bands(cards, width);
        for band in &bands {
            let end = band.slots.last().map_or(0, |slot| slot.x + slot.width);
            assert!(end <= width, "{band:?}");
        }
        bands
            .iter()
            .map(|band| band.slots.iter().map(|slot| slot.width).collect())
            .collect()
    }

    #[test]
    fn panels_lie_as_on_the_page_where_there_is_room() {
        let cards = [
            card(Kind::Large, 0, 0, 8, 8),
            card(Kind::Large, 8, 0, 8, 8),
            card(Kind::Large, 16, 0, 8, 8),
            card(Kind::Heading, 0, 8, 24, 1),
            card(Kind::Large, 0, 9, 24, 8),
        ];
        assert_eq!(widths(&cards, 160), [vec![52, 52, 52], vec![160], vec![160]]);
    }

    #[test]
    fn a_small_terminal_gets_even_bands() {
        let stats: Vec<_> = (0..6).map(|x| card(Kind::Small, x * 4, 0, 4, 4)).collect();
        assert_eq!(widths(&stats, 80), [[25, 25, 26], [25, 25, 26]]);
        assert_eq!(widths(&stats, 20).len(), 6);
        let graphs: Vec<_> = (0..3).map(|x| card(Kind::Large, x * 8, 0, 8, 8)).collect();
        assert_eq!(widths(&graphs, 80), [vec![39, 39], vec![80]]);
        let more: Vec<_> = (0..6).map(|x| card(Kind::Large, x % 3 * 8, x / 3 * 8, 8, 8)).collect();
        assert_eq!(widths(&more, 80), [[39, 39], [39, 39], [39, 39]]);
        assert_eq!(widths(&more, 160), [[52, 52, 52], [52, 52, 52]]);
        assert_eq!(widths(&graphs, 10), [[10], [10], [10]]);
        assert_eq!(widths(&graphs, 0), [[0], [0], [0]]);
    }
}
