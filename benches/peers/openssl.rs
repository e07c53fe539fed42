//! OpenSSL, as far as the system has it, by its own `openssl speed`: a process of its own, which
//! counts the processor time that it had, like ours.

use std::collections::BTreeMap;
use std::process::Command;

use orderseal::bench::report::Measured;
use orderseal::bench::rows::Row;

use super::like;

/// Seconds that `openssl speed` takes for one figure: the shortest time that can be asked for.
pub const SECONDS: u32 = 1;

/// The program.
pub struct Openssl {
    program: String,
    /// As it tells it: `OpenSSL 3.0.19 27 Jan 2026 …`.
    pub version: String,
    /// What makes DES available, if anything does.
    des: Option<&'static [&'static str]>,
}

impl Openssl {
    /// The program that the variable `OPENSSL` names, or the system's. LibreSSL and BoringSSL have
    /// programs of that name too, without the options that are needed here.
    pub fn find() -> Result<Self, String> {
        let program = std::env::var("OPENSSL").unwrap_or("openssl".to_owned());
        let version = run(&program, &["version".to_owned()])?;
        if !version.starts_with("OpenSSL ") {
            return Err(format!("{program} is {}", version.trim_end()));
        }
        let loads = |options: &[&str]| {
            let words = ["list", "-providers"].iter().chain(options);
            run(&program, &words.map(|word| (*word).to_owned()).collect::<Vec<_>>()).is_ok()
        };
        let des = match &LEGACY {
            _ if version.starts_with("OpenSSL 1.") => Some(&[][..]),
            legacy => loads(legacy).then_some(&legacy[..]),
        };
        let version = version.split(" (").next().unwrap_or(&version).trim_end().to_owned();
        Ok(Self { program, version, des })
    }

    /// Whether DES can be measured.
    pub fn has_des(&self) -> bool {
        self.des.is_some()
    }

    /// The answer to the question of one of our rows, if `openssl speed` has one.
    pub fn answer(&self, ours: &Row) -> Option<Test> {
        let cipher = &*ours.cipher;
        let (options, backend) = match (ours.operation, cipher) {
            ("ctr", "aes-128" | "aes-256") => (format!("-evp {cipher}-ctr"), "openssl"),
            // Only so does it make and write a tag for every message; 13 bytes are authenticated
            // as well.
            ("seal-one-key", "aes-128-gcm" | "aes-256-gcm") => {
                (format!("-aead -evp {cipher}"), "openssl")
            }
            ("ecb", "des") => ("-evp des-ecb".to_owned(), "openssl"),
            ("ecb", "des-ede3") => ("-evp des-ede3".to_owned(), "openssl"),
            // One key, that is ready.
            ("cbc-encrypt", "des" | "des-ede3") => (format!("-evp {cipher}-cbc"), "openssl"),
            ("cbc-decrypt", "des" | "des-ede3") => {
                (format!("-decrypt -evp {cipher}-cbc"), "openssl")
            }
            // It signs and verifies: the private and the public operation, without OAEP.
            ("unwrap", _) => (rsa(cipher)?, "openssl-sign"),
            ("wrap", _) => (rsa(cipher)?, "openssl-verify"),
            _ => return None,
        };
        let mut arguments = format!("speed -mr -seconds {SECONDS}");
        if !options.starts_with("rsa") {
            arguments.push_str(&format!(" -bytes {}", ours.size));
        }
        let providers = if cipher.starts_with("des") { self.des? } else { &[] };
        let arguments =
            arguments.split(' ').chain(providers.iter().copied()).chain(options.split(' '));
        let arguments = arguments.map(str::to_owned).collect();
        let row = like(ours, backend, || || unreachable!("openssl times itself"));
        Some(Test { arguments, row, rates: Vec::new() })
    }

    /// Runs every test once; those that differ in the column only share a run.
    pub fn sample(&self, tests: &mut [Test]) -> Result<(), String> {
        let mut told: BTreeMap<Vec<String>, String> = BTreeMap::new();
        for test in tests {
            if !told.contains_key(&test.arguments) {
                told.insert(test.arguments.clone(), run(&self.program, &test.arguments)?);
            }
            let answer = &told[&test.arguments];
            let rate = rate(answer, &test.row).ok_or_else(|| {
                let command = test.arguments.join(" ");
                format!("{} {command}: no figure in {answer:?}", self.program)
            })?;
            test.rates.push(rate);
        }
        Ok(())
    }
}

/// DES is not in OpenSSL's default provider since 3.0.
const LEGACY: [&str; 4] = ["-provider", "legacy", "-provider", "default"];

/// Of `rsa-2048-oaep-256`, `rsa2048`.
fn rsa(cipher: &str) -> Option<String> {
    Some(format!("rsa{}", cipher.strip_prefix("rsa-")?.strip_suffix("-oaep-256")?))
}

/// A figure of `openssl speed`, and how often it was taken.
pub struct Test {
    arguments: Vec<String>,
    /// What is answered; it is not run by us.
    pub row: Row,
    /// Operations a second.
    rates: Vec<f64>,
}

impl Test {
    /// Its samples as those of a row.
    pub fn measured(&self, group: &str) -> Measured {
        Measured::of_rates(group, &self.row, 1, self.rates.clone())
    }
}

/// Operations a second: of `+F:25:AES-256-CTR:9455032102.13` the bytes a second by their number,
/// of `+F2:2:2048:4832.0:81303.0` signatures or verifications.
fn rate(answer: &str, row: &Row) -> Option<f64> {
    let fields = |kind: &str| answer.lines().find_map(|line| line.strip_prefix(kind));
    let number = |text: &str| text.parse().ok().filter(|rate: &f64| *rate > 0.0);
    match row.backend {
        "openssl" => {
            let bytes: f64 = number(fields("+F:")?.split(':').nth(2)?)?;
            Some(bytes / row.size as f64)
        }
        "openssl-sign" => number(fields("+F2:")?.split(':').nth(2)?),
        _ => number(fields("+F2:")?.split(':').nth(3)?),
    }
}

/// What a command prints.
fn run(program: &str, arguments: &[String]) -> Result<String, String> {
    let command = format!("{program} {}", arguments.join(" "));
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|error| format!("{command}: {error}"))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command}: {}", words.trim_end()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
