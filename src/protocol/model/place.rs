//! Where something stands in the input.

use std::fmt;

/// A file, or a line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's name as the user gave it, or `stdin`.
    pub file: String,
    /// The line, counted from 1.
    pub line: Option<u64>,
}

impl Place {
    /// A file as a whole.
    pub fn file(name: impl Into<String>) -> Self {
        Self { file: name.into(), line: None }
    }

    /// The same file at a line.
    pub fn at(&self, line: u64) -> Self {
        Self { file: self.file.clone(), line: Some(line) }
    }

    /// The place that is `lines` further on, in the same file. A file as a whole counts from line 1.
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
