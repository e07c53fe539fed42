//! How many times as fast as each peer we are, a line for each question.

use std::fmt;

use orderseal::bench::report::{Measured, NOISY};
use orderseal::bench::table::{digits, scaled, spread};

/// The columns: a peer and the backends that it answers as.
const PEERS: [(&str, &[&str]); 6] = [
    ("aws-lc-rs", &["aws-lc-rs"]),
    ("ring", &["ring"]),
    ("openssl", &["openssl", "openssl-sign", "openssl-verify"]),
    ("rustcrypto", &["rustcrypto"]),
    ("x25519-dalek", &["x25519-dalek"]),
    ("graviola", &["graviola"]),
];

/// Rows with what came of them, those of a question together.
pub struct Ratios<'a>(pub &'a [Measured]);

impl fmt::Display for Ratios<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let questions: Vec<_> =
            self.0.chunk_by(|a, b| a.id.question() == b.id.question()).collect();
        let names: Vec<String> = questions.iter().map(|rows| ours(rows).id.to_string()).collect();
        let width = names.iter().map(String::len).max().unwrap_or(0);
        write!(f, "\n{:width$}  {:>12}  {:>6}", "ours to peer", "ours", "spread")?;
        for (name, _) in PEERS {
            write!(f, "  {:>14}", format!("× {name}"))?;
        }
        for (rows, name) in questions.iter().zip(names) {
            let ours = ours(rows);
            let rate = match &*ours.group {
                "ciphers" if ours.id.size >= 1 << 10 => scaled(ours.bytes_per_second, "B/s"),
                _ => scaled(ours.operations_per_second, "/s"),
            };
            write!(f, "\n{name:width$}  {rate:>12}  {:>6}", spread(ours.spread))?;
            for (_, backends) in PEERS {
                write!(f, "  {:>14}", ratio(ours, rows, backends))?;
            }
        }
        self.legend(f)
    }
}

impl Ratios<'_> {
    /// What is not plain.
    fn legend(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let any = |is: fn(&Measured) -> bool| self.0.iter().any(is);
        write!(
            f,
            "\n\n× peer: how many times as fast as the peer we are, round by round, ± half of the ratio's \
             spread"
        )?;
        if any(|one| one.id.backend == "openssl-sign") {
            write!(f, "\nRSA by openssl: its signatures and verifications, which have no OAEP")?;
        }
        if any(|one| one.id.operation == "cbc-encrypt" && one.id.backend == "openssl") {
            write!(f, "\ncbc-encrypt by openssl: under one key that is ready, not a key each")?;
        }
        if any(|one| one.spread > NOISY) {
            write!(f, "\n~: noisy, with a spread over {:.0} %", 100.0 * NOISY)?;
        }
        Ok(())
    }
}

/// The last of our own backends, which is the widest, and the one that `encrypt` runs on; the
/// crates where they are what we call.
fn ours(rows: &[Measured]) -> &Measured {
    let peer = |one: &&Measured| PEERS.iter().any(|(_, names)| names.contains(&&*one.id.backend));
    rows.iter().rfind(|one| !peer(one)).unwrap_or(&rows[0])
}

/// The ratio and half of its spread. OpenSSL times itself, apart from our rounds.
fn ratio(ours: &Measured, rows: &[Measured], backends: &[&str]) -> String {
    let peer = |one: &&Measured| backends.contains(&&*one.id.backend);
    let Some(peer) = rows.iter().find(peer).filter(|peer| peer.id.backend != ours.id.backend)
    else {
        return "–".to_owned();
    };
    let (ratio, spread) = match peer.id.backend.starts_with("openssl") {
        true => (ours.median / peer.median, ours.spread.max(peer.spread)),
        false => {
            let ratio = ours.ratio(peer);
            (ratio.median, ratio.spread())
        }
    };
    let mark = if spread > NOISY { "~" } else { "" };
    format!("{mark}{} ± {:.0} %", digits(ratio), 50.0 * spread)
}
