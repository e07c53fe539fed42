//! Our rows and those of other people's libraries, alternating in the same run.
//!
//! `cargo bench --manifest-path benches/peers/Cargo.toml -- gcm` measures the questions that have
//! a row whose id contains `gcm`; `-- --test` runs each row once. Before anything is timed, peers
//! and kernels are checked to make the same bytes.
//!
//! The rows of ours, the way they are timed and the table are those of `orderseal bench`. A peer's
//! row has the size and the number of messages of ours.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use orderseal::bench::choose::{Choice, Filter};
use orderseal::bench::machine::Machine;
use orderseal::bench::measure::{self, Share};
use orderseal::bench::report::{Id, Measured, Report};
use orderseal::bench::rows::Row;
use orderseal::bench::table::Table;
use orderseal::protocol::pipeline::Workers;

use self::openssl::{Openssl, Test};
use self::ratios::Ratios;

mod agree;
mod curves;
mod gcm;
mod modes;
mod openssl;
mod ratios;
mod wrapping;

/// The backend of its rows.
const AWS_LC: &str = "aws-lc-rs";

/// Runs of `openssl speed` for a figure, evenly among the samples of the others.
const PASSES: u32 = 3;

/// Measure our rows and those of aws-lc-rs, ring and openssl in one run
#[derive(Parser)]
struct Arguments {
    /// Measure the questions that have a row whose id contains one of these; all otherwise
    filter: Vec<String>,
    /// Seconds for each row, besides setting up; openssl takes 3 for each of its own
    #[arg(long, default_value_t = 0.3)]
    seconds: f64,
    /// Check that the peers make the same bytes, and run each row once
    #[arg(long)]
    test: bool,
    /// Passed by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peers: error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    agree::check();
    eprintln!("aws-lc-rs and ring make the same bytes as our kernels");
    let openssl = Openssl::find();
    match &openssl {
        Ok(openssl) if openssl.has_des() => (),
        Ok(openssl) => eprintln!("{}: no legacy provider, so DES is left out", openssl.version),
        Err(error) => eprintln!("openssl is left out: {error}"),
    }
    let mut run = Run::new(&arguments.filter, openssl.ok());
    if run.rows.is_empty() {
        return Err(format!("no peer has a row called {}", arguments.filter.join(" or ")));
    }
    if arguments.test {
        run.test()
    } else {
        let machine = Machine::this(1);
        let rows = run.measure(Duration::from_secs_f64(arguments.seconds))?;
        println!("{machine}{}", run.peers());
        let report = Report { machine, rows };
        let table = Table { report: &report, base: None };
        println!("{}\n{}{}", table.grid(), table.legend(), Ratios(&report.rows));
        Ok(())
    }
}

/// What is measured, those of a question together.
struct Run {
    groups: Vec<&'static str>,
    rows: Vec<Row>,
    openssl: Option<Openssl>,
    tests: Vec<Test>,
}

impl Run {
    /// The questions that a peer answers.
    fn new(filter: &[String], openssl: Option<Openssl>) -> Self {
        let mut run = Self { groups: Vec::new(), rows: Vec::new(), openssl, tests: Vec::new() };
        let every = ["/".to_owned()];
        let all = Filter { parts: &every, spellings: &[] };
        let everything = Choice { filter: all, ..Choice::default() }.rows();
        let mut everything = everything.into_iter().peekable();
        while let Some((group, first)) = everything.next() {
            let question = first.question();
            let mut rows = vec![first];
            while let Some((_, row)) = everything.next_if(|(_, row)| row.question() == question) {
                rows.push(row);
            }
            run.add(group, rows, filter);
        }
        run
    }

    /// Adds our rows that answer one question, and the peers'. For whole orders, the crates are the
    /// peer.
    fn add(&mut self, group: &'static str, mut rows: Vec<Row>, filter: &[String]) {
        let peers = peers(&rows[0]);
        let test = self.openssl.as_ref().and_then(|openssl| openssl.answer(&rows[0]));
        let crates = group == "orders" && rows.iter().any(|row| row.backend == "rustcrypto");
        if peers.is_empty() && test.is_none() && !crates {
            return;
        }
        rows.extend(peers);
        let mut ids = rows.iter().chain(test.iter().map(|test| &test.row)).map(Row::id);
        let wanted = |id: String| filter.iter().any(|part| id.contains(part));
        if filter.is_empty() || ids.any(wanted) {
            self.groups.extend(rows.iter().map(|_| group));
            self.rows.extend(rows);
            self.tests.extend(test);
        }
    }

    /// Runs everything once.
    fn test(&mut self) -> Result<(), String> {
        for row in &self.rows {
            row.set_up()();
            println!("{}: ran", row.id());
        }
        self.sample()?;
        for test in &self.tests {
            println!("{}: ran", test.row.id());
        }
        Ok(())
    }

    /// A row takes that long, openssl some more.
    fn measure(&mut self, time: Duration) -> Result<Vec<Measured>, String> {
        let (rows, groups) = (std::mem::take(&mut self.rows), std::mem::take(&mut self.groups));
        let share = Share::of(time * rows.len() as u32, rows.len());
        let seconds = time.as_secs_f64() * rows.len() as f64
            + f64::from(PASSES * openssl::SECONDS) * self.tests.len() as f64;
        let (ours, theirs) = (rows.len(), self.tests.len());
        eprintln!("{ours} rows, and {theirs} by openssl: about {seconds:.0} s, besides setting up");
        let workers = Workers::new(Some(1)).map_err(|error| error.to_string())?;
        let (mut round, mut passes, mut outcome) = (0, 0, Ok(()));
        let samples = measure::measure(&rows, &workers, share, || {
            round += 1;
            while outcome.is_ok() && passes < round * PASSES / share.rounds {
                passes += 1;
                outcome = self.sample();
            }
        });
        outcome?;
        let measured = groups.iter().zip(&rows).zip(&samples);
        let mut measured: Vec<_> =
            measured.map(|((group, row), samples)| Measured::of(group, row, 1, samples)).collect();
        self.add_openssl(&mut measured);
        Ok(measured)
    }

    fn sample(&mut self) -> Result<(), String> {
        self.openssl.as_ref().map_or(Ok(()), |openssl| openssl.sample(&mut self.tests))
    }

    /// Puts openssl's rows behind the others of the same question.
    fn add_openssl(&mut self, measured: &mut Vec<Measured>) {
        for test in self.tests.drain(..) {
            let ours = Id::of(&test.row);
            let same = |one: &Measured| one.id.question() == ours.question();
            let last = measured.iter().rposition(same).expect("it was asked because of one");
            let row = test.measured(&measured[last].group);
            measured.insert(last + 1, row);
        }
    }

    /// Which versions the peers have.
    fn peers(&self) -> String {
        let [aws, ring] = [AWS_LC, "ring"].map(locked_version);
        let openssl = self.openssl.as_ref().map(|openssl| format!(", {}", openssl.version));
        format!("peers      aws-lc-rs {aws}, ring {ring}{}", openssl.unwrap_or_default())
    }
}

/// The libraries' answers to the question of one of our rows.
fn peers(ours: &Row) -> Vec<Row> {
    let answers = [
        gcm::answer::<aws_lc_rs::aead::LessSafeKey>(ours),
        gcm::answer::<::ring::aead::LessSafeKey>(ours),
        modes::answer(ours),
        wrapping::answer(ours),
        curves::answer(ours),
    ];
    answers.into_iter().flatten().collect()
}

/// A row that answers the question of one of ours, for as many messages or keys.
fn like<F: FnMut() + Send + 'static>(
    ours: &Row,
    backend: &'static str,
    set_up: impl Fn() -> F + Send + Sync + 'static,
) -> Row {
    Row::new(ours.operation, ours.cipher.clone(), backend, ours.size, set_up)
        .batch(ours.operations as usize)
        .weak(ours.weak)
}

/// The version that this program was built with.
fn locked_version(name: &str) -> &'static str {
    let name = format!("name = \"{name}\"");
    let mut lines = include_str!("Cargo.lock").lines().skip_while(|line| *line != name);
    let version = lines.nth(1).and_then(|line| line.strip_prefix("version = \""));
    version.and_then(|version| version.strip_suffix('"')).unwrap_or("of unknown version")
}
