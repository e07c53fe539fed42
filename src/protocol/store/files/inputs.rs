//! Sequences of inputs that are read line by line.

use std::path::PathBuf;

use super::input::Input;
use super::paths::FileId;
use crate::protocol::model::{Misuse, Place, Result};
use crate::protocol::pipeline::{Batch, InputSize, Part};

/// Inputs in reading order; at least one. A line ends at the end of its file: unlike with `cat`,
/// the last line of a file without a line feed does not run into the next file.
pub struct Inputs {
    first: Input,
    others: Vec<Input>,
}

impl Inputs {
    /// Opens all paths before anything is read; `-` is stdin, and so is an empty list.
    ///
    /// # Errors
    /// [`Error::Io`] for the first path that cannot be opened or is a folder.
    pub fn open(paths: &[PathBuf]) -> Result<Self> {
        let mut paths = paths.iter().map(PathBuf::as_path);
        let first = Input::open(paths.next())?;
        let others = paths.map(|path| Input::open(Some(path))).collect::<Result<_>>()?;
        Ok(Self { first, others })
    }

    /// Measures the orders in files without consuming any; `None` if one of them is a pipe.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn measure(paths: &[PathBuf]) -> Result<Option<InputSize>> {
        let mut all: Option<InputSize> = None;
        let stdin = [PathBuf::from("-")];
        for path in if paths.is_empty() { &stdin } else { paths } {
            let Some(part) = Input::measure(Some(path))? else { return Ok(None) };
            all = Some(match all {
                Some(all) => all.and(part),
                None => part,
            });
        }
        Ok(all)
    }

    /// Number of inputs.
    pub fn count(&self) -> usize {
        1 + self.others.len()
    }

    /// Total size in bytes, if known in advance.
    pub fn size(&self) -> Option<u64> {
        self.iter().map(|input| input.size).sum()
    }

    /// Identities of the files, to keep outputs away from them.
    pub fn ids(&self) -> Vec<Option<FileId>> {
        self.iter().map(|input| input.id).collect()
    }

    /// Place of all inputs together, for messages.
    pub fn place(&self) -> Place {
        match self.others.len() {
            0 => self.first.place(),
            1 => Place::file(format!("{} and 1 more", self.first.name)),
            more => Place::file(format!("{} and {more} more", self.first.name)),
        }
    }

    /// The input that is read first.
    pub fn first(&mut self) -> &mut Input {
        &mut self.first
    }

    /// Looks at the first bytes of each input, as [`Input::look`] does.
    ///
    /// # Errors
    /// [`Error::Io`](crate::protocol::Error::Io), and those of `look`.
    pub fn look(&mut self, mut look: impl FnMut(&[u8], &Place) -> Result<()>) -> Result<()> {
        self.first.look(&mut look)?;
        self.others.iter_mut().try_for_each(|input| input.look(&mut look))
    }

    /// The only input, for data that is not made of lines.
    ///
    /// # Errors
    /// [`Misuse::SeveralInputs`] if there are more; `what` names the data.
    pub fn only(self, what: &'static str) -> Result<Input> {
        match self.count() {
            1 => Ok(self.first),
            found => Err(Misuse::SeveralInputs { what, found }.into()),
        }
    }

    /// Replaces each input by another one of the same name, in their order.
    ///
    /// # Errors
    /// Those of `replace`.
    pub fn replaced(self, mut replace: impl FnMut(Part) -> Result<Part>) -> Result<Self> {
        let mut replaced = |input: Input| {
            let reader = replace(Part { place: input.place(), reader: input.reader })?.reader;
            Ok(Input { reader, ..input })
        };
        let first = replaced(self.first)?;
        let others = self.others.into_iter().map(replaced).collect::<Result<_>>()?;
        Ok(Self { first, others })
    }

    fn iter(&self) -> impl Iterator<Item = &Input> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl From<Input> for Inputs {
    fn from(first: Input) -> Self {
        Self { first, others: Vec::new() }
    }
}

impl From<Inputs> for Batch {
    fn from(inputs: Inputs) -> Self {
        let place = inputs.place();
        let parts = std::iter::once(inputs.first).chain(inputs.others).map(Part::from).collect();
        Self { place, parts }
    }
}
