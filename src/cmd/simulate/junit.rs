//! The report of a simulation as JUnit XML, which CI systems show.

use std::fmt::Write as _;
use std::time::Duration;

use orderseal::protocol::simulate::{CaseReport, FaultReport, ShopReport};

use super::report::Played;

/// Returns the reports with a suite for each embodiment of a play and a test for each check.
pub fn to_junit(played: &[Played]) -> String {
    let suites = played.iter().flat_map(|played| {
        played.report.cases.iter().map(|case| Suite::of(played, case)).collect::<Vec<_>>()
    });
    let suites: Vec<Suite<'_>> = suites.collect();
    let tests = suites.iter().map(|suite| suite.checks.len()).sum();
    let failures = suites.iter().map(Suite::failures).sum();
    let took = suites.iter().map(|suite| suite.case.took).sum();
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let _ =
        writeln!(xml, "<testsuites name=\"orderseal simulate\" {}>", counts(tests, failures, took));
    suites.iter().for_each(|suite| suite.write(&mut xml));
    xml + "</testsuites>\n"
}

/// An embodiment and its checks.
struct Suite<'r> {
    name: String,
    seed: u64,
    case: &'r CaseReport,
    checks: Vec<Check>,
}

/// What was checked.
struct Check {
    name: String,
    took: Option<Duration>,
    failure: Option<Failure>,
}

struct Failure {
    expected: String,
    found: String,
}

impl<'r> Suite<'r> {
    fn of(Played { name, setup, .. }: &Played, case: &'r CaseReport) -> Self {
        let embodiment = format!("embodiment {}", case.label);
        let name = match name {
            Some(name) => format!("{name}: {embodiment}"),
            None => embodiment,
        };
        let shops = case.shops.iter().map(Check::of_shop);
        let faults = case.faults.iter().map(Check::of_fault);
        let checks = [Check::of_flow(case)].into_iter().chain(shops).chain(faults).collect();
        Self { name, seed: setup.seed, case, checks }
    }

    fn failures(&self) -> usize {
        self.checks.iter().filter(|check| check.failure.is_some()).count()
    }

    fn write(&self, xml: &mut String) {
        let case = self.case;
        let name = escaped(&self.name);
        let counts = counts(self.checks.len(), self.failures(), case.took);
        let _ = writeln!(xml, "  <testsuite name=\"{name}\" {counts}>\n    <properties>");
        for (property, value) in [
            ("seed", self.seed.to_string()),
            ("scheme", case.scheme.to_string()),
            ("alg", case.suite.alg().name().to_owned()),
            ("enc", case.suite.enc().name().to_owned()),
            ("pool", case.pool.name().to_owned()),
            ("messages", case.messages.to_string()),
            ("transcript_sha256", hex::encode(case.transcript)),
        ] {
            let value = escaped(&value);
            let _ = writeln!(xml, "      <property name=\"{property}\" value=\"{value}\"/>");
        }
        xml.push_str("    </properties>\n");
        for check in &self.checks {
            check.write(&name, xml);
        }
        xml.push_str("  </testsuite>\n");
    }
}

impl Check {
    fn of_flow(case: &CaseReport) -> Self {
        let failure = (!case.violations.is_empty()).then(|| Failure {
            expected: "every message as it was sent, and erased keys gone".to_owned(),
            found: case.violations.join("; "),
        });
        Self { name: "messages and erasing".to_owned(), took: None, failure }
    }

    fn of_shop(shop: &ShopReport) -> Self {
        let failure = (!shop.held()).then(|| Failure {
            expected: format!("{} orders as they were sent", shop.sent),
            found: format!("{}: {}", shop.received, shop.violations.join("; ")),
        });
        Self { name: format!("orders of {}", shop.name), took: Some(shop.took), failure }
    }

    fn of_fault(fault: &FaultReport) -> Self {
        let failure = (!fault.held()).then(|| Failure {
            expected: fault.expected.name().to_owned(),
            found: fault.observed.name().to_owned(),
        });
        Self { name: fault.fault.name().to_owned(), took: Some(fault.took), failure }
    }

    fn write(&self, suite: &str, xml: &mut String) {
        let name = escaped(&self.name);
        let _ = write!(xml, "    <testcase classname=\"{suite}\" name=\"{name}\"");
        if let Some(took) = self.took {
            let _ = write!(xml, " time=\"{}\"", seconds(took));
        }
        let Some(Failure { expected, found }) = &self.failure else {
            xml.push_str("/>\n");
            return;
        };
        let (expected, found) = (escaped(expected), escaped(found));
        let _ = writeln!(
            xml,
            ">\n      <failure type=\"outcome\" message=\"expected {expected}, found {found}\">\
             expected: {expected}\nfound: {found}</failure>\n    </testcase>"
        );
    }
}

fn counts(tests: usize, failures: usize, took: Duration) -> String {
    let time = seconds(took);
    format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" time=\"{time}\"")
}

fn seconds(time: Duration) -> String {
    format!("{:.6}", time.as_secs_f64())
}

/// Escapes text for an attribute or an element. XML has no form for most control characters, so they
/// become `\u{…}`.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(safe, "&#{};", u32::from(character));
            }
            '\u{fffe}' | '\u{ffff}' => safe.extend(character.escape_unicode()),
            _ if character.is_control() => safe.extend(character.escape_unicode()),
            _ => safe.push(character),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use orderseal::protocol::roles::service::Pool;
    use orderseal::protocol::simulate::{Fault, Outcome, Report};
    use orderseal::protocol::{Scheme, Suite as Algorithms};

    use super::*;
    use crate::cmd::simulate::play::Play;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        play: Play,
    }

    /// A report in which every kind of check failed, with words that XML cannot hold as they are.
    fn failed() -> Played {
        let scheme = Scheme::embodiment(4).expect("it exists");
        let words = "a <b> & \"c\" 'd'\n\t\r\0\u{1b}\u{85}\u{fffe} é 注".to_owned();
        let took = Duration::from_micros(1_500);
        let setup = Command::parse_from(["simulate"]).play.setup(42).expect("the defaults");
        let report = Report {
            cases: vec![CaseReport {
                label: words.clone(),
                scheme,
                suite: Algorithms::default_for(scheme),
                pool: Pool::Listed,
                sent: 2,
                received: 1,
                messages: 3,
                transcript: [0; 32],
                violations: vec![words.clone()],
                shops: vec![ShopReport {
                    name: words.clone(),
                    sent: 2,
                    received: 1,
                    violations: vec![words],
                    took,
                }],
                faults: vec![FaultReport {
                    fault: Fault::Dropped,
                    expected: Outcome::Refused,
                    observed: Outcome::Undetectable,
                    took,
                }],
                took,
            }],
        };
        Played { name: None, setup, report }
    }

    #[test]
    fn what_xml_cannot_hold_is_escaped() {
        let xml = to_junit(&[failed()]);
        let document =
            roxmltree::Document::parse(&xml).unwrap_or_else(|error| panic!("{error}:\n{xml}"));
        let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
        let shown = "a <b> & \"c\" 'd'\n\t\r\\u{0}\\u{1b}\\u{85}\\u{fffe} é 注";
        assert_eq!(suite.attribute("name"), Some(format!("embodiment {shown}").as_str()));
        let failures: Vec<_> =
            document.descendants().filter(|node| node.has_tag_name("failure")).collect();
        assert_eq!(failures.len(), 3);
        assert!(failures[0].text().unwrap().ends_with(&format!("found: {shown}")));
        assert_eq!(
            failures[2].attribute("message"),
            Some("expected refused, found not detectable")
        );
    }

    #[test]
    fn every_check_that_failed_is_counted() {
        let mut played = failed();
        let failures = |played: &Played| {
            let failed = Suite::of(played, &played.report.cases[0]).failures();
            assert_eq!(failed == 0, played.report.held());
            failed
        };
        assert_eq!(failures(&played), 3);
        let case = &mut played.report.cases[0];
        case.violations.clear();
        case.faults[0].expected = Outcome::Undetectable;
        assert_eq!(failures(&played), 1);
        let shop = &mut played.report.cases[0].shops[0];
        shop.received = 2;
        shop.violations.clear();
        assert_eq!(failures(&played), 0);
    }

    #[test]
    fn suites_of_a_scenario_have_the_name_of_their_play() {
        let named = Played { name: Some("the <flow>".to_owned()), ..failed() };
        let xml = to_junit(&[failed(), named]);
        let document = roxmltree::Document::parse(&xml).unwrap();
        let suites = document.descendants().filter(|node| node.has_tag_name("testsuite"));
        let names: Vec<_> = suites.map(|suite| suite.attribute("name").unwrap()).collect();
        assert_eq!(names.len(), 2);
        assert_eq!(names[1], format!("the <flow>: {}", names[0]));
        assert_eq!(document.root_element().attribute("failures"), Some("6"));
    }
}
