use super::*;
use crate::protocol::model::{Misuse, Scheme, ShopName, Suite};
use crate::protocol::store::keyfile::Shop;
use crate::protocol::store::spend::Durable;

/// The steps taken, in order; the one named fails.
#[derive(Default)]
struct Log(RefCell<Vec<String>>, &'static str);

impl Log {
    fn step(&self, name: &str) -> Result<()> {
        self.0.borrow_mut().push(name.to_owned());
        match name == self.1 {
            true => Err(Misuse::Layers(0).into()),
            false => Ok(()),
        }
    }
}

struct File<'l>(&'l Log, RefCell<ClientBundle>);
struct Post<'l>(&'l Log, bool);

impl Durable<ClientBundle> for File<'_> {
    fn update<T>(&self, change: impl FnOnce(&mut ClientBundle) -> Result<T>) -> Result<T> {
        self.1.update(change)
    }
}

impl KeyStore for File<'_> {
    type File = ClientBundle;

    fn is_shared(&self) -> Result<bool> {
        Ok(false)
    }
}

impl ClientFile for File<'_> {
    type Erased = bool;

    fn record(&self, change: impl FnOnce(&mut ClientBundle)) -> Result<()> {
        let before = self.1.borrow().sent.len();
        self.1.record(change)?;
        self.0.step(if self.1.borrow().sent.len() > before { "record" } else { "keep" })
    }

    fn erase(&mut self, sent: Option<&Sent>, used: &[Kid]) -> Result<bool> {
        self.0.step("erase")?;
        assert_eq!(used.len(), 1);
        Ok(sent.is_some_and(|sent| self.1.borrow().sent.contains(sent)))
    }
}

impl Sink for Post<'_> {
    fn write(&mut self, _: &[u8]) -> Result<()> {
        self.0.step("write")
    }

    fn send(&mut self) -> Result<()> {
        self.0.step("send")
    }

    fn make_ready(&mut self) -> Result<Option<Sent>> {
        self.0.step("make ready")?;
        Ok(self.1.then(|| Sent { output: vec![1], token: 2, replace: false }))
    }

    fn withdraw(&mut self, ready: &Sent) {
        self.0.step("withdraw").unwrap();
        assert_eq!(ready.token, 2);
    }

    fn discard(&mut self) {}

    fn may_have_left(&self) -> bool {
        false
    }
}

impl Attendant for Log {
    fn before_sending(&self) -> Result<()> {
        self.step("send?")
    }

    fn sent(&self, totals: &Totals) {
        self.step(&format!("sent {}", totals.orders)).unwrap();
    }

    fn before_erasing(&self) -> Result<()> {
        self.step("erase?")
    }
}

fn bundle() -> ClientBundle {
    let name = "tokyo".parse::<ShopName>().unwrap();
    let suite = Suite::from_header("A256KW", "A256GCM").unwrap();
    ClientBundle::new(name, Shop::new(Scheme::HYBRID_SHOP_SECRET, suite))
}

/// Runs a client whose step `fails`. Returns the steps taken, and what was erased if all went
/// well: whether a recorded output was.
fn run((erases, recordable): (bool, bool), fails: &'static str) -> (String, Result<Option<bool>>) {
    let (log, place) = (Log(RefCell::default(), fails), Place::file("client"));
    let mut file = File(&log, RefCell::new(bundle()));
    let sender = Sender { file: &mut file, place: &place, erases, attendant: &log };
    let done = sender.run(&mut Post(&log, recordable), |_, sink| {
        sink.write(b"sealed")?;
        sink.send()?;
        let totals = Totals { orders: 3, ..Totals::default() };
        Ok(Sealed { totals, used: vec![Kid::new("tokyo/1").unwrap()] })
    });
    (log.0.take().join(", "), done.map(|(_, erased)| erased))
}

#[test]
fn a_program_that_erases_records_before_it_sends_and_erases_after() {
    let before = "write, send?, make ready";
    let (steps, erased) = run((true, true), "");
    assert_eq!(steps, format!("{before}, record, send, sent 3, erase?, erase"),);
    assert_eq!(erased.unwrap(), Some(true));
    // A pipe cannot be sent by another process, so nothing is recorded.
    let (steps, erased) = run((true, false), "");
    assert_eq!(steps, format!("{before}, send, sent 3, erase?, erase"));
    assert_eq!(erased.unwrap(), Some(false));
    let (steps, erased) = run((false, true), "");
    assert_eq!(steps, "write, send?, send, sent 3");
    assert_eq!(erased.unwrap(), None);
}

#[test]
fn a_run_that_stops_erases_nothing_and_leaves_no_record() {
    let before = "write, send?, make ready, record, send";
    for (fails, steps) in [
        ("write", "write".to_owned()),
        ("send?", "write, send?".to_owned()),
        ("make ready", "write, send?, make ready".to_owned()),
        ("send", format!("{before}, keep, withdraw")),
        ("erase?", format!("{before}, sent 3, erase?, keep")),
    ] {
        let (taken, result) = run((true, true), fails);
        assert_eq!(taken, steps);
        assert!(matches!(result, Err(Error::Usage(_))), "{fails}: {result:?}");
    }
    let (_, result) = run((true, true), "erase");
    assert!(matches!(result, Err(Error::NotErased { .. })), "{result:?}");
}
