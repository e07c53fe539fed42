//! Passphrases typed at the terminal.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::time::Duration;

use orderseal::protocol::jose::password::Password;
use orderseal::protocol::store::files;
use orderseal::protocol::{Error, Place, Result};
use rustix::process::getpgrp;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr,
};
use zeroize::Zeroizing;

use super::hints::usage;
use super::signals;

const TERMINAL: &str = "/dev/tty";

/// The code of a key that does nothing (`_POSIX_VDISABLE`).
const DISABLED: u8 = if cfg!(any(target_os = "linux", target_os = "android")) { 0 } else { 0xff };

/// Longest line that a terminal passes on.
const MAX_LINE: usize = 4096;

/// Asks for the passphrase of a file; `None` if there is no terminal, or nothing was typed.
pub fn passphrase_of(place: &Place) -> Result<Option<Password>> {
    match terminal() {
        Some(terminal) => ask(&terminal, &format!("Passphrase of {place}: ")),
        None => Ok(None),
    }
}

/// Asks twice for a new passphrase; `None` if there is no terminal, or nothing was typed.
pub fn new_passphrase() -> Result<Option<Password>> {
    let Some(terminal) = terminal() else { return Ok(None) };
    let Some(first) = ask(&terminal, "New passphrase: ")? else { return Ok(None) };
    match ask(&terminal, "The same again: ")?.as_ref() == Some(&first) {
        true => Ok(Some(first)),
        false => Err(usage("the two passphrases differ")),
    }
}

/// The terminal, if there is one, and this process is in its foreground: another would be stopped.
fn terminal() -> Option<File> {
    let terminal = OpenOptions::new().read(true).write(true).open(TERMINAL).ok()?;
    (tcgetpgrp(&terminal).ok()? == getpgrp()).then_some(terminal)
}

/// Asks for a passphrase; `None` if nothing was typed.
fn ask(mut terminal: &File, question: &str) -> Result<Option<Password>> {
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
    match line[..read].trim_ascii_end().is_empty() {
        true => Ok(None),
        false => {
            Password::read(&line[..read]).map(Some).map_err(|found| Error::malformed(&place, found))
        }
    }
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
        // The keys that would end or stop the process with the terminal like this.
        for key in [SpecialCodeIndex::VQUIT, SpecialCodeIndex::VSUSP] {
            hidden.special_codes[key] = DISABLED;
        }
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
