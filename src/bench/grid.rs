//! Tables of text, for a terminal and in Markdown.

use std::fmt;

/// A table in sections that share their columns.
pub struct Grid {
    /// The columns after the first, whose title is the section's.
    pub columns: Vec<Column>,
    /// The sections.
    pub sections: Vec<Section>,
}

/// A column.
pub struct Column {
    title: String,
    /// Whether it is aligned to the right.
    right: bool,
}

/// Rows under a title.
pub struct Section {
    /// Title of the first column.
    pub title: String,
    /// The rows, a cell for each column.
    pub rows: Vec<Vec<String>>,
}

impl Column {
    /// A column of numbers, aligned to the right.
    pub fn numbers(title: impl Into<String>) -> Self {
        Self { title: title.into(), right: true }
    }

    /// A column of words, aligned to the left.
    pub fn words(title: impl Into<String>) -> Self {
        Self { title: title.into(), right: false }
    }
}

impl Grid {
    /// Returns the titles of a section's columns.
    fn titles<'a>(&'a self, section: &'a Section) -> impl Iterator<Item = &'a str> {
        std::iter::once(&*section.title).chain(self.columns.iter().map(|column| &*column.title))
    }

    /// Returns which columns are aligned to the right.
    fn right(&self) -> impl Iterator<Item = bool> {
        std::iter::once(false).chain(self.columns.iter().map(|column| column.right))
    }

    /// Returns the widths of the columns in characters.
    fn widths(&self) -> Vec<usize> {
        let mut widths = vec![0; self.columns.len() + 1];
        let mut widen = |cells: &mut dyn Iterator<Item = &str>| {
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = cell.chars().count().max(*width);
            }
        };
        for section in &self.sections {
            widen(&mut self.titles(section));
            section.rows.iter().for_each(|row| widen(&mut row.iter().map(String::as_str)));
        }
        widths
    }

    /// Returns the grid in Markdown, a table for each section.
    pub fn to_markdown(&self) -> String {
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let cells: Vec<String> = cells.map(|cell| cell.replace('|', "\\|")).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let mut out = String::new();
        for section in &self.sections {
            out.push('\n');
            out.push_str(&line(&mut self.titles(section)));
            out.push_str(&line(&mut self.right().map(|right| if right { "--:" } else { "---" })));
            for row in &section.rows {
                out.push_str(&line(&mut row.iter().map(String::as_str)));
            }
        }
        out
    }
}

impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let cells =
                cells.zip(&widths).zip(self.right()).map(|((cell, width), right)| match right {
                    true => format!("{cell:>width$}"),
                    false => format!("{cell:width$}"),
                });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        for section in &self.sections {
            writeln!(f, "\n{}", line(&mut self.titles(section)))?;
            for row in &section.rows {
                writeln!(f, "{}", line(&mut row.iter().map(String::as_str)))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Grid {
        let section = |title: &str, cells: [&str; 3]| Section {
            title: title.to_owned(),
            rows: vec![cells.map(str::to_owned).to_vec()],
        };
        Grid {
            columns: vec![Column::numbers("rate"), Column::words("note")],
            sections: vec![
                section("first", ["a|b", "1.5 ×", "weak"]),
                section("2", ["c", "1", ""]),
            ],
        }
    }

    #[test]
    fn sections_share_their_columns() {
        let expected =
            "\nfirst   rate  note\na|b    1.5 ×  weak\n\n2       rate  note\nc          1\n";
        assert_eq!(grid().to_string(), expected);
    }

    #[test]
    fn markdown_has_a_table_for_each_section() {
        let expected = "\n| first | rate | note |\n| --- | --: | --- |\n| a\\|b | 1.5 × | weak |\n\
                        \n| 2 | rate | note |\n| --- | --: | --- |\n| c | 1 |  |\n";
        assert_eq!(grid().to_markdown(), expected);
    }
}
