//! Faults in the files of an inbox.

/// A fault in a file of an inbox, in spite of which reading goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InboxFault {
    /// A file that is not there any more, and was not known to be complete.
    #[error(
        "the file went away before it was known that all of it was read; going on with the next one"
    )]
    Gone,
    /// A file that is shorter, or other than when it was read.
    #[error("the file is not what it was when it was read; reading it again from its beginning")]
    Changed,
    /// A last line without line feed, in a file that is followed by another.
    #[error(
        "the last line of the file has no line feed, and a newer file is there; it is left out"
    )]
    Unfinished,
    /// A line that no order can have.
    #[error("the line is longer than {most} bytes; it is left out")]
    TooLong {
        /// Most bytes of a line.
        most: u64,
    },
}
