//! Pipes: checks whether a reader has taken all data or has gone.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionread;

/// Longest time between two checks of a pipe.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// Waits until the reader of a pipe has taken all that was written to it. Data in a pipe is first
/// stored in the kernel and is lost if the reader goes away. For a socket, only a closed end is
/// detected; anything else has no reader.
///
/// # Errors
/// [`ErrorKind::BrokenPipe`] if the reader is gone.
pub(super) fn wait_until_drained(file: &File) -> io::Result<()> {
    let kind = file.metadata()?.file_type();
    if kind.is_socket() {
        return if has_reader(file, Duration::ZERO)? { Ok(()) } else { Err(gone()) };
    }
    if !kind.is_fifo() {
        return Ok(());
    }
    let mut pause = Duration::from_micros(100);
    loop {
        // The order matters: a pipe that is empty while it has a reader has been read.
        let drained = ioctl_fionread(file)? == 0;
        let wait = if drained { Duration::ZERO } else { pause };
        if !has_reader(file, wait)? {
            return Err(gone());
        }
        if drained {
            return Ok(());
        }
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

fn gone() -> io::Error {
    ErrorKind::BrokenPipe.into()
}

/// Whether the other end is open; waits up to `wait` for it to close.
fn has_reader(file: &File, wait: Duration) -> io::Result<bool> {
    let mut ends = [PollFd::new(file, PollFlags::empty())];
    let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) };
    match poll(&mut ends, Some(&wait)) {
        Err(rustix::io::Errno::INTR) => Ok(true),
        polled => {
            polled?;
            Ok(!ends[0].revents().intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL))
        }
    }
}

/// Whether data can be read without blocking, after waiting up to `wait`. Files that cannot be
/// polled count as readable.
pub fn is_readable(file: &File, wait: Duration) -> bool {
    let mut ends = [PollFd::new(file, PollFlags::IN)];
    let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) };
    match poll(&mut ends, Some(&wait)) {
        Ok(ready) => ready > 0,
        Err(error) => error != rustix::io::Errno::INTR,
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test may panic where there is no thread")]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    fn pipe() -> (io::PipeReader, File) {
        let (reader, writer) = io::pipe().unwrap();
        (reader, File::from(std::os::fd::OwnedFd::from(writer)))
    }

    #[test]
    fn a_reader_that_leaves_bytes_behind_is_noticed() {
        let (mut reader, mut writer) = pipe();
        writer.write_all(&[7; 3000]).unwrap();
        reader.read_exact(&mut [0; 1000]).unwrap();
        let leaving = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            drop(reader);
        });
        assert_eq!(wait_until_drained(&writer).unwrap_err().kind(), ErrorKind::BrokenPipe);
        leaving.join().unwrap();
    }

    #[test]
    fn a_reader_that_takes_its_time_is_waited_for() {
        let (mut reader, mut writer) = pipe();
        writer.write_all(&[7; 3000]).unwrap();
        let reading = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            reader.read_exact(&mut [0; 3000]).unwrap();
            reader
        });
        wait_until_drained(&writer).unwrap();
        drop(reading.join().unwrap());
        assert!(wait_until_drained(&writer).is_err());
    }

    #[test]
    fn a_file_has_no_reader_to_wait_for() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"x").unwrap();
        wait_until_drained(&file).unwrap();
    }
}
