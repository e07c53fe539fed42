//! Places in the input, for messages.

use std::fmt;

/// A file, or a line in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's name as the user gave it, or `stdin`.
    pub file: String,
    /// Line number, counted from 1.
    pub line: Option<u64>,
}

impl Place {
    /// Place of a whole file.
    pub fn file(name: impl Into<String>) -> Self {
        Self { file: name.into(), line: None }
    }

    /// Place of a line in the same file.
    pub fn at(&self, line: u64) -> Self {
        Self { file: self.file.clone(), line: Some(line) }
    }

    /// Place that is `lines` further on in the same file; a whole file counts as line 1.
    pub fn lines_on(&self, lines: u64) -> Self {
        self.at(self.line.unwrap_or(1) + lines)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        match self.line {
            Some(line) => write!(f, ": line {line}"),
            None => Ok(()),
        }
    }
}
