//! `table`.

use super::common::HideFrom;
use super::read::{choice, options};

options! {
    /// Options of the panel.
    pub struct Table {
        /// The names of columns.
        show_header: bool = "showHeader" or true,
        /// Only the first counts.
        sort_by: Vec<SortBy> = "sortBy",
        /// Calculations below columns.
        footer: Footer = "footer",
    }
    silent {
        "cellHeight" | "frameIndex" | "enablePagination" | "showTypeIcons" | "frozenColumns" | "maxRowHeight"
            | "disableKeyboardEvents" | "fieldNameNormalization"
    }
}

options! {
    /// `sortBy[]`.
    pub struct SortBy {
        /// A column.
        display_name: Option<String> = "displayName",
        /// From the greatest to the least.
        desc: bool = "desc",
    }
}

options! {
    /// `footer`.
    pub struct Footer {
        /// Whether there is one.
        show: bool = "show",
        /// The calculation, of which there is one.
        reducer: Vec<String> = "reducer",
        /// Of which columns; none: of all with numbers.
        fields: Vec<String> = "fields",
        /// The number of rows in place of a calculation.
        count_rows: bool = "countRows",
    }
    silent { "enablePagination" }
}

options! {
    /// `custom` of its fields.
    pub struct TableField {
        /// Where texts lie in a column.
        align: Align = "align",
        /// How a cell shows its value.
        cell_options: CellOptions = "cellOptions",
        /// The same in old dashboards.
        display_mode: Option<Cell> = "displayMode",
        /// Pixels.
        width: Option<f64> = "width",
        /// No column.
        hidden: bool = "hidden",
        /// Grafana 12.2 says it in the same way for every kind of panel.
        hide_from: HideFrom = "hideFrom",
        /// Values below a column, as Grafana 12.2 has them.
        footer: FieldFooter = "footer",
    }
    silent { "minWidth" | "filterable" | "inspect" | "wrapText" | "wrapHeaderText" }
}

impl TableField {
    /// How a cell shows its value.
    pub fn cell(&self) -> Cell {
        self.cell_options.kind.or(self.display_mode).unwrap_or_default()
    }
}

choice! {
    /// `align`.
    pub enum Align {
        /// Numbers at the right.
        #[default]
        Auto = "auto",
        /// At the left.
        Left = "left",
        /// In the middle.
        Center = "center",
        /// At the right.
        Right = "right",
    }
}

options! {
    /// `cellOptions`.
    pub struct CellOptions {
        /// How a cell shows its value.
        kind: Option<Cell> = "type",
    }
    silent { "mode" | "valueDisplayMode" | "applyToRow" | "wrapText" }
}

choice! {
    /// How a cell shows its value.
    pub enum Cell {
        /// As text.
        #[default]
        Auto = "auto",
        /// As text in its colour.
        ColorText = "color-text",
        /// As text on its colour.
        ColorBackground = "color-background",
        /// The same in old dashboards.
        ColorBackgroundSolid = "color-background-solid",
        /// With a bar.
        Gauge = "gauge",
        /// Drawn like `gauge`.
        LcdGauge = "lcd-gauge",
        /// Drawn like `gauge`.
        GradientGauge = "gradient-gauge",
        /// Drawn like `gauge`.
        Basic = "basic",
        /// As text.
        Json = "json-view",
        /// As text: links are Grafana's.
        Links = "data-links",
        /// As text.
        Markdown = "markdown",
        /// As text.
        Pill = "pill",
    }
}

options! {
    /// `custom.footer`.
    pub struct FieldFooter {
        /// Calculations.
        reducers: Vec<String> = "reducers",
    }
}
