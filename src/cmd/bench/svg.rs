//! The results as a chart: one line per question, with one dot per backend.

use std::fmt;

use orderseal::bench::Measured;
use orderseal::bench::machine::Machine;
use orderseal::bench::table::{digits, scaled};

/// Sizes in pixels.
const ROW: f64 = 19.0;
const HEAD: f64 = 92.0;
const TITLE: f64 = 46.0;
const MARGIN: f64 = 28.0;
const LABEL: f64 = 262.0;
const PLOT: f64 = 400.0;
const VALUE: f64 = 84.0;
const COLUMN: f64 = LABEL + PLOT + VALUE + MARGIN;

/// Backends from the slowest to the fastest, in colours that are distinct for most people,
/// including those with colour blindness (Okabe and Ito's).
const COLOURS: [(&str, &str); 8] = [
    ("rustcrypto", "#7f7f7f"),
    ("base64-simd", "#cc79a7"),
    ("x25519-dalek", "#d55e00"),
    ("graviola", "#f0e442"),
    ("portable", "#e69f00"),
    ("avx2", "#56b4e9"),
    ("vaes", "#009e73"),
    ("avx512", "#0b4f8a"),
];

const WEAK: &str = "#b03a00";

/// Rows with their results.
pub struct Chart<'a> {
    /// The rows, sorted by group and question.
    pub measured: &'a [Measured],
    /// The machine that they were measured on.
    pub machine: &'a Machine,
}

/// The rates of a group on their own logarithmic axis.
struct Panel<'a> {
    name: &'static str,
    /// The rows of the group, by question.
    questions: Vec<&'a [Measured]>,
    unit: &'static str,
    rate: fn(&Measured) -> f64,
    /// Exponents of the powers of ten at the ends of the axis.
    from: i32,
    to: i32,
}

impl fmt::Display for Chart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.columns();
        let width = MARGIN + COLUMN * columns.len() as f64;
        let tallest = columns.iter().map(|column| column.iter().map(Panel::height).sum());
        let height = HEAD + tallest.fold(0.0, f64::max) + MARGIN;
        writeln!(
            f,
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="Helvetica, Arial, sans-serif" font-size="12" fill="#222">"##
        )?;
        writeln!(f, r##"<rect width="100%" height="100%" fill="#fff"/>"##)?;
        let title = escaped(&self.machine.title());
        writeln!(
            f,
            r#"<text x="{MARGIN}" y="38" font-size="21" font-weight="bold">{title}</text>"#
        )?;
        self.legend(f)?;
        for (column, panels) in columns.iter().enumerate() {
            let x = MARGIN + COLUMN * column as f64 + LABEL;
            let mut y = HEAD;
            for panel in panels {
                panel.draw(f, x, y)?;
                y += panel.height();
            }
        }
        writeln!(f, "</svg>")
    }
}

impl<'a> Chart<'a> {
    /// Puts ciphers on the left, and the operations built from them on the right.
    fn columns(&self) -> Vec<Vec<Panel<'a>>> {
        let groups = self.measured.chunk_by(|a, b| a.group == b.group);
        let (left, right): (Vec<_>, Vec<_>) =
            groups.map(Panel::of).partition(|panel| panel.name == "ciphers");
        [left, right].into_iter().filter(|column| !column.is_empty()).collect()
    }

    fn legend(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut x = MARGIN;
        let there = |name: &str| self.measured.iter().any(|one| one.row.backend == name);
        for (name, colour) in COLOURS.iter().filter(|(name, _)| there(name)) {
            dot(f, x + 5.0, 60.0, colour)?;
            writeln!(f, r#"<text x="{}" y="64">{name}</text>"#, x + 15.0)?;
            x += 34.0 + 7.0 * name.len() as f64;
        }
        let words = "logarithmic scale, further right is faster";
        writeln!(f, r##"<text x="{x}" y="64" fill="#555">{words}</text>"##)?;
        if self.measured.iter().any(|one| one.row.weak) {
            let words = "† weak: for teaching and old data only";
            writeln!(f, r#"<text x="{MARGIN}" y="82" fill="{WEAK}">{words}</text>"#)?;
        }
        Ok(())
    }
}

impl<'a> Panel<'a> {
    /// Creates a panel for the rows of one group.
    fn of(rows: &'a [Measured]) -> Self {
        let name = rows[0].group;
        let (unit, rate): (_, fn(&Measured) -> f64) = match name {
            "ciphers" => ("B", |one| one.speed.bytes),
            _ => ("", |one| one.speed.operations),
        };
        let powers = || rows.iter().map(|one| rate(one).log10());
        let from = powers().fold(f64::MAX, f64::min).floor() as i32;
        let to = powers().fold(f64::MIN, f64::max).ceil() as i32;
        let questions = rows.chunk_by(|a, b| a.row.question() == b.row.question()).collect();
        Self { name, questions, unit, rate, from, to: to.max(from + 1) }
    }

    fn height(&self) -> f64 {
        TITLE + ROW * self.questions.len() as f64 + MARGIN
    }

    fn draw(&self, f: &mut fmt::Formatter<'_>, x: f64, y: f64) -> fmt::Result {
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
            writeln!(f, r##"<path d="M{at:.1} {top}V{bottom}" stroke="#ddd"/>"##)?;
            let label = axis_label(power, self.unit);
            writeln!(
                f,
                r##"<text x="{at:.1}" y="{}" fill="#777" font-size="10" text-anchor="middle">{label}</text>"##,
                top - 5.0
            )?;
        }
        for (number, question) in self.questions.iter().enumerate() {
            self.draw_question(f, question, x, y + TITLE + ROW * (number as f64 + 0.5))?;
        }
        Ok(())
    }

    fn draw_question(
        &self,
        f: &mut fmt::Formatter<'_>,
        rows: &[Measured],
        x: f64,
        y: f64,
    ) -> fmt::Result {
        let row = &rows[0].row;
        let cipher = if row.cipher == "none" { "" } else { &row.cipher };
        let mut label = escaped(&format!("{} {cipher} {}", row.operation, size(row.size)));
        if row.weak {
            label.push_str(" †");
        }
        let fill = if row.weak { format!(r#" fill="{WEAK}""#) } else { String::new() };
        let baseline = y + 4.0;
        writeln!(
            f,
            r#"<text x="{}" y="{baseline}" text-anchor="end"{fill}>{label}</text>"#,
            x - 12.0
        )?;
        let rates: Vec<f64> = rows.iter().map(self.rate).collect();
        let (slowest, fastest) = rates
            .iter()
            .fold((f64::MAX, 0.0_f64), |(low, high), &rate| (low.min(rate), high.max(rate)));
        let (from, to) = (x + self.place(slowest), x + self.place(fastest));
        writeln!(f, r##"<path d="M{from:.1} {y}H{to:.1}" stroke="#bbb" stroke-width="2"/>"##)?;
        for (one, rate) in rows.iter().zip(rates) {
            dot(f, x + self.place(rate), y, colour(one.row.backend))?;
        }
        let value = scaled(fastest, self.unit);
        writeln!(f, r#"<text x="{:.1}" y="{baseline}" font-weight="bold">{value}</text>"#, to + 9.0)
    }

    /// Returns the distance from the left end of the axis in pixels.
    fn place(&self, rate: f64) -> f64 {
        (rate.log10() - f64::from(self.from)) / f64::from(self.to - self.from) * PLOT
    }
}

fn dot(f: &mut fmt::Formatter<'_>, x: f64, y: f64, colour: &str) -> fmt::Result {
    writeln!(f, r##"<circle cx="{x:.1}" cy="{y}" r="5" fill="{colour}" stroke="#fff"/>"##)
}

fn colour(backend: &str) -> &'static str {
    let known = COLOURS.iter().find(|(name, _)| *name == backend);
    known.map_or("#000", |(_, colour)| colour)
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
