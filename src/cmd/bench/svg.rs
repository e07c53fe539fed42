//! The results as a chart: one line per question, with one mark per backend.

mod marks;

use std::fmt;

use orderseal::bench::report::{Measured, Report};
use orderseal::bench::table::{digits, scaled};

use self::marks::{Mark, OTHER, STYLE};

/// Sizes in pixels.
const ROW: f64 = 19.0;
const HEAD: f64 = 92.0;
const TITLE: f64 = 46.0;
const MARGIN: f64 = 28.0;
const LABEL: f64 = 262.0;
const PLOT: f64 = 400.0;
const VALUE: f64 = 84.0;
const COLUMN: f64 = LABEL + PLOT + VALUE + MARGIN;

/// Runs with their results; several stand side by side, on the same axes.
pub struct Chart<'a>(pub &'a [Report]);

/// A group on its own logarithmic axis.
struct Panel<'a> {
    name: &'a str,
    /// The questions of the group in all runs.
    questions: Vec<(&'a str, &'a str, usize)>,
    unit: &'static str,
    rate: fn(&Measured) -> f64,
    /// Exponents of the powers of ten at the ends of the axis.
    from: i32,
    to: i32,
}

/// Panels of one run below each other.
struct Column<'a> {
    run: &'a Report,
    title: Option<String>,
    panels: Vec<&'a Panel<'a>>,
}

impl fmt::Display for Chart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let panels = self.panels();
        let columns = self.columns(&panels);
        let width = MARGIN + COLUMN * columns.len() as f64;
        let height = columns.iter().map(Column::height).fold(0.0, f64::max) + HEAD + MARGIN;
        writeln!(
            f,
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="Helvetica, Arial, sans-serif" font-size="12">"##
        )?;
        writeln!(
            f,
            "<style>\n{STYLE}</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>"
        )?;
        let title = match self.0 {
            [run] => escaped(&run.machine.title()),
            _ => "orderseal bench".to_owned(),
        };
        writeln!(
            f,
            r#"<text x="{MARGIN}" y="38" font-size="21" font-weight="bold">{title}</text>"#
        )?;
        self.legend(f)?;
        for (number, column) in columns.iter().enumerate() {
            column.draw(f, MARGIN + COLUMN * number as f64 + LABEL)?;
        }
        writeln!(f, "</svg>")
    }
}

impl Chart<'_> {
    fn rows(&self) -> impl Iterator<Item = &Measured> {
        self.0.iter().flat_map(|run| &run.rows)
    }

    fn panels(&self) -> Vec<Panel<'_>> {
        let mut names: Vec<&str> = Vec::new();
        for row in self.rows() {
            if !names.contains(&&*row.group) {
                names.push(&row.group);
            }
        }
        let of = |name| {
            Panel::of(name, &self.rows().filter(|row| row.group == name).collect::<Vec<_>>())
        };
        names.into_iter().map(of).collect()
    }

    /// Puts the ciphers of a single run on the left, and the operations built from them on the right;
    /// several runs have a column each.
    fn columns<'a>(&'a self, panels: &'a [Panel<'a>]) -> Vec<Column<'a>> {
        let [run] = self.0 else {
            let column = |run: &'a Report| Column {
                run,
                title: Some(run.machine.title()),
                panels: panels.iter().collect(),
            };
            return self.0.iter().map(column).collect();
        };
        let (left, right): (Vec<_>, Vec<_>) =
            panels.iter().partition(|panel| panel.name == "ciphers");
        let columns = [left, right].into_iter().filter(|panels| !panels.is_empty());
        columns.map(|panels| Column { run, title: None, panels }).collect()
    }

    fn legend(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut x = MARGIN;
        let there = |name: &str| self.rows().any(|row| row.id.backend == name);
        for mark in Mark::all().filter(|mark| there(mark.backend)) {
            mark.draw(f, x + 5.0, 60.0)?;
            let name = mark.backend;
            writeln!(f, r#"<text x="{}" y="64">{name}</text>"#, x + 15.0)?;
            x += 34.0 + 7.0 * name.len() as f64;
        }
        if self.rows().any(|row| Mark::of(&row.id.backend).backend == OTHER) {
            Mark::of(OTHER).draw(f, x + 5.0, 60.0)?;
            writeln!(f, r#"<text x="{}" y="64">{OTHER}</text>"#, x + 15.0)?;
            x += 34.0 + 7.0 * OTHER.len() as f64;
        }
        let words = "logarithmic scale, further right is faster";
        writeln!(f, r#"<text class="quiet" x="{x}" y="64">{words}</text>"#)?;
        if self.rows().any(|row| row.weak) {
            let words = "† weak: for teaching and old data only";
            writeln!(f, r#"<text class="weak" x="{MARGIN}" y="82">{words}</text>"#)?;
        }
        Ok(())
    }
}

impl Column<'_> {
    fn height(&self) -> f64 {
        let title = if self.title.is_some() { MARGIN } else { 0.0 };
        title + self.panels.iter().map(|panel| panel.height()).sum::<f64>()
    }

    fn draw(&self, f: &mut fmt::Formatter<'_>, x: f64) -> fmt::Result {
        let mut y = HEAD;
        if let Some(title) = &self.title {
            let title = escaped(title);
            let left = x - LABEL;
            writeln!(f, r#"<text x="{left}" y="{}" font-size="15">{title}</text>"#, y + 16.0)?;
            y += MARGIN;
        }
        for panel in &self.panels {
            panel.draw(f, self.run, x, y)?;
            y += panel.height();
        }
        Ok(())
    }
}

impl<'a> Panel<'a> {
    /// Creates a panel for the rows of one group in all runs.
    fn of(name: &'a str, rows: &[&'a Measured]) -> Self {
        let (unit, rate): (_, fn(&Measured) -> f64) = match name {
            "ciphers" => ("B", |row| row.bytes_per_second),
            _ => ("", |row| row.operations_per_second),
        };
        let powers = || rows.iter().map(|row| rate(row).log10());
        let from = powers().fold(f64::MAX, f64::min).floor() as i32;
        let to = powers().fold(f64::MIN, f64::max).ceil() as i32;
        let mut questions = Vec::new();
        for question in rows.iter().map(|row| row.id.question()) {
            if !questions.contains(&question) {
                questions.push(question);
            }
        }
        Self { name, questions, unit, rate, from, to: to.max(from + 1) }
    }

    fn height(&self) -> f64 {
        TITLE + ROW * self.questions.len() as f64 + MARGIN
    }

    fn draw(&self, f: &mut fmt::Formatter<'_>, run: &Report, x: f64, y: f64) -> fmt::Result {
        let per = if self.unit.is_empty() { "operations" } else { "bytes" };
        let name = self.name;
        writeln!(
            f,
            r#"<text x="{x}" y="{}" font-size="15" font-weight="bold">{name}: {per} a second</text>"#,
            y + 16.0
        )?;
        let (top, bottom) = (y + TITLE - 6.0, y + TITLE + ROW * self.questions.len() as f64);
        for power in self.from..=self.to {
            let at = x + self.place(10_f64.powi(power));
            writeln!(f, r#"<path class="axis" d="M{at:.1} {top}V{bottom}"/>"#)?;
            let label = axis_label(power, self.unit);
            writeln!(
                f,
                r#"<text class="quiet" x="{at:.1}" y="{}" font-size="10" text-anchor="middle">{label}</text>"#,
                top - 5.0
            )?;
        }
        for (number, question) in self.questions.iter().enumerate() {
            let rows: Vec<_> =
                run.rows.iter().filter(|row| row.id.question() == *question).collect();
            if !rows.is_empty() {
                self.draw_question(f, &rows, x, y + TITLE + ROW * (number as f64 + 0.5))?;
            }
        }
        Ok(())
    }

    fn draw_question(
        &self,
        f: &mut fmt::Formatter<'_>,
        rows: &[&Measured],
        x: f64,
        y: f64,
    ) -> fmt::Result {
        let Measured { id, weak, .. } = rows[0];
        let cipher = if id.cipher == "none" { "" } else { &id.cipher };
        let mut label = escaped(&format!("{} {cipher} {}", id.operation, size(id.size)));
        if *weak {
            label.push_str(" †");
        }
        let class = if *weak { r#" class="weak""# } else { "" };
        let baseline = y + 4.0;
        writeln!(
            f,
            r#"<text{class} x="{}" y="{baseline}" text-anchor="end">{label}</text>"#,
            x - 12.0
        )?;
        let rates: Vec<f64> = rows.iter().map(|row| (self.rate)(row)).collect();
        let (slowest, fastest) = rates
            .iter()
            .fold((f64::MAX, 0.0_f64), |(low, high), &rate| (low.min(rate), high.max(rate)));
        let (from, to) = (x + self.place(slowest), x + self.place(fastest));
        writeln!(f, r#"<path class="range" d="M{from:.1} {y}H{to:.1}"/>"#)?;
        for (row, rate) in rows.iter().zip(rates) {
            Mark::of(&row.id.backend).draw(f, x + self.place(rate), y)?;
        }
        let value = scaled(fastest, self.unit);
        writeln!(f, r#"<text x="{:.1}" y="{baseline}" font-weight="bold">{value}</text>"#, to + 9.0)
    }

    /// Returns the distance from the left end of the axis in pixels.
    fn place(&self, rate: f64) -> f64 {
        (rate.log10() - f64::from(self.from)) / f64::from(self.to - self.from) * PLOT
    }
}

/// Formats a power of ten with a decimal prefix and no more digits than needed: `10 MB`, `1 k`.
fn axis_label(power: i32, unit: &str) -> String {
    let text = scaled(10_f64.powi(power) * 1.000_001, unit);
    let (number, prefix) = text.split_once(' ').unwrap_or((&text, ""));
    let number: f64 = number.parse().unwrap_or(1.0);
    let number = if number < 1.0 { digits(number) } else { format!("{number:.0}") };
    format!("{number} {prefix}").trim_end().to_owned()
}

/// Formats a size in bytes with a binary prefix.
fn size(bytes: usize) -> String {
    match bytes {
        bytes if bytes >= 1 << 20 => format!("{} MiB", bytes >> 20),
        bytes if bytes >= 1 << 10 => format!("{} KiB", bytes >> 10),
        bytes => format!("{bytes} B"),
    }
}

/// Escapes text for XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_and_sizes_have_round_labels() {
        let labels = [(0, "B", "1 B"), (4, "B", "10 kB"), (9, "B", "1 GB"), (5, "", "100 k")];
        for (power, unit, label) in labels {
            assert_eq!(axis_label(power, unit), label);
        }
        assert_eq!(
            [64, 1 << 10, 16 << 10, 1 << 20].map(size),
            ["64 B", "1 KiB", "16 KiB", "1 MiB"]
        );
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(escaped("a<b & c>d"), "a&lt;b &amp; c&gt;d");
    }
}
