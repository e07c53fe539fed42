//! The time that a thread itself had a processor.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Processor time of this thread since it began. What other programs do meanwhile does not count,
/// and a thread that never waits, with a core to itself, spends all of its time so.
pub fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.cast_unsigned(), time.tv_nsec as u32)
}
