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
        /// Sums below columns, which are not drawn.
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
    pub struct Footer {}
    only { "show": "false", }
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
        /// Values below a column, which are not drawn.
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
    }
}

options! {
    /// `custom.footer`.
    pub struct FieldFooter {}
    only { "reducers": "[]", }
}
