//! Passphrases typed at the terminal.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::time::Duration;

use orderseal::protocol::jose::password::Password;
use orderseal::protocol::store::files;
use orderseal::protocol::{Error, Place, Result};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::hints::usage;
use super::signals;

const TERMINAL: &str = "/dev/tty";

/// Longest line that a terminal passes on.
const MAX_LINE: usize = 4096;

/// Asks for the passphrase of a file; `None` if there is no terminal.
pub fn passphrase_of(place: &Place) -> Result<Option<Password>> {
    let terminal = OpenOptions::new().read(true).write(true).open(TERMINAL).ok();
    terminal.map(|terminal| ask(&terminal, &format!("Passphrase of {place}: "))).transpose()
}

/// Asks twice for a new passphrase; `None` if there is no terminal.
pub fn new_passphrase() -> Result<Option<Password>> {
    let Ok(terminal) = OpenOptions::new().read(true).write(true).open(TERMINAL) else {
        return Ok(None);
    };
    let first = ask(&terminal, "New passphrase: ")?;
    match ask(&terminal, "The same again: ")? == first {
        true => Ok(Some(first)),
        false => Err(usage("the two passphrases differ")),
    }
}

fn ask(mut terminal: &File, question: &str) -> Result<Password> {
    let place = Place::file(TERMINAL);
    let failed = |error| Error::io(&place, "cannot ask for a passphrase", error);
    // A signal must not leave the terminal without echo.
    let _unfinished = signals::begin();
    let hidden = Hidden::begin(terminal).map_err(failed)?;
    terminal.write_all(super::ui::escaped(question).as_bytes()).map_err(failed)?;
    const LOOK: Duration = Duration::from_millis(50);
    while !files::is_readable(terminal, LOOK) {
        if signals::stop().is_requested() {
            return Err(Error::Stopped);
        }
    }
    let mut line = Zeroizing::new([0; MAX_LINE]);
    let read = terminal.read(&mut line[..]).map_err(failed)?;
    drop(hidden);
    terminal.write_all(b"\n").map_err(failed)?;
    Password::read(&line[..read]).map_err(|found| Error::malformed(&place, found))
}

/// A terminal that does not show what is typed.
struct Hidden<'t> {
    terminal: &'t File,
    before: Termios,
}

impl<'t> Hidden<'t> {
    fn begin(terminal: &'t File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(terminal, OptionalActions::Flush, &hidden)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        // There is nobody to tell.
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}
