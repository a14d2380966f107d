//! Legends on a page.

use maud::{Markup, html};

use crate::legend::{Entry, Legend};

/// A legend; nothing if it has no entries.
pub fn legend(legend: &Legend) -> Markup {
    html! {
        @if legend.entries.is_empty() {}
        @else if legend.is_table {
            div.legend tabindex="0" role="group" aria-label="Legend" {
                table {
                    @if !legend.heads.is_empty() {
                        thead { tr { th scope="col" { span.sr { "Name" } } @for head in &legend.heads { th scope="col" { (head) } } } }
                    }
                    tbody { @for entry in &legend.entries { tr { td { (entry_of(entry)) } @for value in &entry.values { td.number { (value) } } } } }
                }
            }
        } @else {
            div.legend role="group" aria-label="Legend" {
                @for entry in &legend.entries {
                    @if legend.heads.is_empty() { (entry_of(entry)) } @else {
                        span.entry {
                            (entry_of(entry))
                            @for (head, value) in legend.heads.iter().zip(&entry.values) { span.calc { (head) ": " (value) } }
                        }
                    }
                }
            }
        }
    }
}

fn entry_of(entry: &Entry) -> Markup {
    html! {
        button type="button" data-series=[entry.series] title=(entry.name) {
            svg.key width="14" height="4" aria-hidden="true" { rect width="14" height="4" rx="2" fill=(entry.color) fill-opacity=[&entry.opacity] {} }
            span dir="auto" { (entry.name) }
        }
    }
}
