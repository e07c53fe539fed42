//! Reports of measurements: what a run found, as lines of JSON that a later run can read.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::protocol::model::Malformed;
use crate::protocol::{Error, Place, Result};

use super::machine::Machine;
use super::rounded;
use super::rows::Row;
use super::stats::Summary;

/// Spread from which a row or a ratio counts as noisy.
pub const NOISY: f64 = 0.1;

/// One run: the machine, and its rows.
pub struct Report {
    /// The machine, the header of a file.
    pub machine: Machine,
    /// The rows, sorted by group and question.
    pub rows: Vec<Measured>,
}

/// What was measured of a row.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Measured {
    /// The name of the row.
    pub id: Id,
    /// The group of the row, see [`GROUPS`](super::rows::GROUPS).
    pub group: String,
    /// Number of threads, each with a copy of the row.
    pub threads: usize,
    /// Bytes per second, all threads together.
    pub bytes_per_second: f64,
    /// Operations per second, all threads together.
    pub operations_per_second: f64,
    /// Median of the samples, in operations per second.
    pub median: f64,
    /// Quartiles of the samples, in operations per second.
    pub quartiles: [f64; 2],
    /// Distance of the quartiles as a fraction of the median.
    pub spread: f64,
    /// Clock cycles per byte, where the clock rate is known.
    pub cycles_per_byte: Option<f64>,
    /// Whether the spread is so large that the row is doubtful.
    pub noisy: bool,
    /// Whether the algorithm is only for teaching and old data.
    pub weak: bool,
    /// The samples in the order of the rounds, in operations per second.
    pub samples_per_second: Vec<f64>,
}

/// The name of a row, `operation/cipher/backend/size`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Id {
    /// The operation: `seal`, `wrap`, `ecb` …
    pub operation: String,
    /// The algorithm: `aes-256`, `rsa-2048-oaep-256` …
    pub cipher: String,
    /// The implementation.
    pub backend: String,
    /// Size in bytes of a message, an order, or a key.
    pub size: usize,
}

impl Report {
    /// Writes the header and the rows, a line each.
    pub fn to_lines(&self) -> String {
        let rows = self.rows.iter().map(json_line);
        std::iter::once(json_line(&self.machine)).chain(rows).collect()
    }

    /// Reads one or more runs, one after the other.
    ///
    /// # Errors
    /// [`Error::Malformed`] if a line is neither a header nor a row, or a row comes before the first
    /// header.
    pub fn read(text: &str, place: &Place) -> Result<Vec<Self>> {
        let mut reports: Vec<Self> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let malformed = |error: &dyn fmt::Display| {
                let found = Malformed::Measurements(error.to_string());
                Error::malformed(&place.at(number), found)
            };
            if line.starts_with("{\"schema\":") {
                let machine: Machine =
                    serde_json::from_str(line).map_err(|error| malformed(&error))?;
                machine.check_schema().map_err(|error| malformed(&error))?;
                reports.push(Self { machine, rows: Vec::new() });
                continue;
            }
            let row = serde_json::from_str::<Measured>(line)
                .map_err(|error| error.to_string())
                .and_then(Measured::checked)
                .map_err(|error| malformed(&error))?;
            let last = reports.last_mut().ok_or_else(|| malformed(&"no header before it"))?;
            last.rows.push(row);
        }
        match reports.iter().all(|report| report.rows.is_empty()) {
            true => Err(Error::malformed(place, Malformed::Empty("measurements"))),
            false => Ok(reports),
        }
    }
}

impl Measured {
    /// Describes a row by its samples, in seconds per iteration of each thread.
    pub fn of(group: &str, row: &Row, threads: usize, seconds: &[f64]) -> Self {
        let operations = threads as f64 * row.operations as f64;
        let rates = seconds.iter().map(|seconds| rounded(operations / seconds)).collect();
        Self::of_rates(group, row, threads, rates)
    }

    /// Describes a row by its rates, in operations per second.
    pub fn of_rates(group: &str, row: &Row, threads: usize, rates: Vec<f64>) -> Self {
        let summary = Summary::of(rates.iter().copied());
        Self {
            id: Id::of(row),
            group: group.to_owned(),
            threads,
            bytes_per_second: rounded(summary.median * row.size as f64),
            operations_per_second: rounded(summary.median),
            median: rounded(summary.median),
            quartiles: summary.quartiles.map(rounded),
            spread: rounded(summary.spread()),
            cycles_per_byte: None,
            noisy: summary.spread() > NOISY,
            weak: row.weak,
            samples_per_second: rates,
        }
    }

    /// Adds the cycles per byte at a clock rate in hertz.
    pub fn at(self, hertz: Option<f64>) -> Self {
        let cycles_per_byte = hertz.map(|hertz| rounded(hertz / self.bytes_per_second));
        Self { cycles_per_byte, ..self }
    }

    /// Refuses rates that cannot be compared.
    fn checked(self) -> std::result::Result<Self, String> {
        let rates = [self.bytes_per_second, self.median].into_iter().chain(self.quartiles);
        let positive = |rate: f64| rate.is_finite() && rate > 0.0;
        let mut rates = rates.chain(self.samples_per_second.iter().copied());
        match rates.all(positive) && !self.samples_per_second.is_empty() {
            true => Ok(self),
            false => Err("expected rates above 0".to_owned()),
        }
    }

    /// Returns the ratio of the rate to another row's, round by round.
    pub fn ratio(&self, base: &Self) -> Summary {
        Summary::of_ratios(&self.samples_per_second, &base.samples_per_second)
    }
}

impl Id {
    /// Returns the name of a row.
    pub fn of(row: &Row) -> Self {
        Self {
            operation: row.operation.to_owned(),
            cipher: row.cipher.clone().into_owned(),
            backend: row.backend.to_owned(),
            size: row.size,
        }
    }

    /// Returns the question by which backends are compared.
    pub fn question(&self) -> (&str, &str, usize) {
        (&self.operation, &self.cipher, self.size)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, cipher, backend, size } = self;
        write!(f, "{operation}/{cipher}/{backend}/{size}")
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for Id {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        let wrong = || format!("the id {text:?} is not operation/cipher/backend/size");
        let parts: Vec<&str> = text.split('/').collect();
        let [operation, cipher, backend, size] = parts[..] else { return Err(wrong()) };
        let size = size.parse().map_err(|_| wrong())?;
        let [operation, cipher, backend] = [operation, cipher, backend].map(str::to_owned);
        Ok(Self { operation, cipher, backend, size })
    }
}

/// Writes an object on a line of its own.
pub fn json_line(object: &impl Serialize) -> String {
    serde_json::to_string(object).expect("writing to memory does not fail") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let row = Row::new("seal", "none", "portable", 100, || || ()).batch(5).weak(true);
        let measured = Measured::of("ciphers", &row, 2, &[0.3, 0.1, 0.2]).at(Some(2e9));
        Report { machine: Machine::this(2).at(Some(2e9)), rows: vec![measured] }
    }

    #[test]
    fn speed_is_work_by_time_on_every_thread() {
        let row = &report().rows[0];
        assert_eq!(row.median, 2.0 * 5.0 / 0.2);
        assert_eq!(row.bytes_per_second, 100.0 * row.median);
        assert_eq!(row.cycles_per_byte, Some(2e9 / row.bytes_per_second));
        assert_eq!(row.samples_per_second, [33.3333, 100.0, 50.0]);
        assert!(row.noisy && row.weak);
    }

    #[test]
    fn what_was_written_is_read_as_it_was() {
        let lines = report().to_lines();
        let twice = format!("{lines}{lines}");
        let read = Report::read(&twice, &Place::file("runs")).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(read.iter().map(Report::to_lines).collect::<String>(), twice);
    }

    #[test]
    fn what_is_no_report_is_refused_with_its_line() {
        let lines = report().to_lines();
        let (header, row) = lines.split_once('\n').unwrap();
        let newer = header.replacen("\"schema\":1", "\"schema\":2", 1);
        for (text, fault) in [
            ("".to_owned(), "runs: the file is empty, expected measurements"),
            (header.to_owned(), "runs: the file is empty, expected measurements"),
            (row.to_owned(), "runs: line 1: not measurements: no header before it"),
            (newer, "runs: line 1: not measurements: found schema 2, expected 1"),
            (
                format!("{header}\n{}", row.replacen("portable", "port/able", 1)),
                "runs: line 2: not measurements: the id \"seal/none/port/able/100\" is not",
            ),
            (
                format!("{header}\n{}", row.replacen("\"median\":50.0", "\"median\":-50.0", 1)),
                "runs: line 2: not measurements: expected rates above 0",
            ),
            (format!("{lines}{{}}"), "runs: line 3: not measurements: missing field `id`"),
        ] {
            let error = Report::read(&text, &Place::file("runs")).err().expect(fault).to_string();
            assert!(error.starts_with(fault), "{error}");
        }
    }
}
