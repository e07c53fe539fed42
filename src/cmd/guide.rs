//! The guided run: the user confirms each step.

use std::cell::RefCell;
use std::fs::File;
use std::io::{BufRead, BufReader, stdin};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::Duration;

use orderseal::protocol::model::ClientProgram;
use orderseal::protocol::store::files::{self, is_dash};
use orderseal::protocol::{Content, Erase, Error, Result, Run};

use super::{signals, ui};
use crate::cmd::hints::usage;

/// Prints each step and waits for the user; does nothing in an automatic run.
pub struct Guide {
    guided: Option<Steps>,
}

struct Steps {
    content: Content,
    signs: bool,
    erase: Option<Erase>,
    answers: RefCell<Option<BufReader<File>>>,
}

impl Guide {
    /// Creates a guide for a client's program; `asked` makes an automatic run guided.
    pub fn for_program(program: Option<ClientProgram>, asked: bool, orders: &[PathBuf]) -> Self {
        let guided = match program {
            Some(ClientProgram { content, erase, run, signs, .. })
                if asked || run == Run::Guided =>
            {
                // If orders come from stdin, answers are read from the terminal.
                let from_stdin = orders.is_empty() || orders.iter().any(|path| is_dash(path));
                let answers = match from_stdin {
                    true => File::open("/dev/tty"),
                    false => stdin().as_fd().try_clone_to_owned().map(File::from),
                };
                let answers = RefCell::new(answers.ok().map(BufReader::new));
                Some(Steps { content, signs, erase, answers })
            }
            Some(_) | None => None,
        };
        Self { guided }
    }

    /// Whether the run is guided.
    pub fn is_guided(&self) -> bool {
        self.guided.is_some()
    }

    /// Asks before anything is sealed.
    pub fn before_sealing(&self) -> Result<()> {
        let Some(steps) = &self.guided else { return Ok(()) };
        let what = match steps.content {
            Content::Direct => "seal: encrypt each order with the key of your file",
            Content::Hybrid => {
                "generate, seal, wrap: make a fresh key for each order, encrypt the order with it, \
                 and wrap it under the key of your file"
            }
        };
        match steps.signs {
            true => steps.ask(1, &format!("{what}; sign the batch")),
            false => steps.ask(1, what),
        }
    }

    /// Asks before the sealed orders are sent.
    pub fn before_sending(&self, output: &str) -> Result<()> {
        match &self.guided {
            Some(steps) => steps.ask(2, &format!("send: put the sealed orders into {output}")),
            None => Ok(()),
        }
    }

    /// Asks before keys or the program are erased.
    pub fn before_erasing(&self, file: &str) -> Result<()> {
        match &self.guided {
            Some(steps) => {
                let what = erased_words(steps.erase.unwrap_or(Erase::All));
                steps.ask(3, &format!("erase: destroy {what} {file}"))
            }
            None => Ok(()),
        }
    }
}

impl Steps {
    fn ask(&self, number: u8, what: &str) -> Result<()> {
        let last = if self.erase.is_some() { 3 } else { 2 };
        ui::say(&format!("step {number} of {last}: {what}"));
        ui::say("press Enter to start it, or q and Enter to stop here");
        let mut answer = String::new();
        let mut answers = self.answers.borrow_mut();
        let read = match answers.as_mut() {
            Some(answers) => {
                wait_for(answers)?;
                answers.read_line(&mut answer)
            }
            None => Ok(0),
        };
        match read {
            Ok(1..) if answer.trim().is_empty() => Ok(()),
            Ok(0) => Err(usage("guided run aborted: no terminal to answer".to_owned())),
            _ => Err(usage(format!("the guided run was stopped before step {number}"))),
        }
    }
}

/// Waits for an answer, or for a signal that ends the run.
fn wait_for(answers: &BufReader<File>) -> Result<()> {
    const LOOK: Duration = Duration::from_millis(50);
    while answers.buffer().is_empty() && !files::is_readable(answers.get_ref(), LOOK) {
        if signals::stop().is_requested() {
            return Err(Error::Stopped);
        }
    }
    Ok(())
}

/// Describes in words what a program erases.
pub fn erased_words(what: Erase) -> &'static str {
    match what {
        Erase::Keys => "the keys in",
        Erase::Programs => "the program in",
        Erase::All => "the whole file",
    }
}
