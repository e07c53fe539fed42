//! When keys were made, and from when and until when they seal.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A second of Coordinated Universal Time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(Timestamp);

impl Time {
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Self = Self(Timestamp::UNIX_EPOCH);

    /// The time this many seconds after 1970-01-01T00:00:00Z; `None` outside the years -9999 to 9999.
    pub fn from_unix(seconds: i64) -> Option<Self> {
        Timestamp::from_second(seconds).ok().map(Self)
    }

    /// Number of seconds since 1970-01-01T00:00:00Z.
    pub fn seconds(self) -> i64 {
        self.0.as_second()
    }

    /// The time this many seconds later, or the last one possible.
    pub fn after(self, seconds: i64) -> Self {
        Self::from_unix(self.seconds().saturating_add(seconds)).unwrap_or(Self(Timestamp::MAX))
    }
}

/// In the form of RFC 3339, as in `2027-01-31T12:00:00Z`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// From the form of RFC 3339 with any offset, or from a date, which means its first second in UTC.
impl FromStr for Time {
    type Err = NotTime;

    fn from_str(text: &str) -> Result<Self, NotTime> {
        let found = match text.len() {
            10 => {
                text.parse().and_then(|date: Date| TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)))
            }
            _ => text.parse::<Timestamp>(),
        };
        let found = found.map_err(|_| NotTime)?;
        let seconds = found.as_nanosecond().div_euclid(1_000_000_000);
        i64::try_from(seconds).ok().and_then(Self::from_unix).ok_or(NotTime)
    }
}

/// A text that is no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a time as in 2027-01-31T12:00:00Z, or a date as in 2027-01-31")]
pub struct NotTime;

/// From when and until when keys seal. They open at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dates {
    /// When they were made.
    pub made: Option<Time>,
    /// The first second.
    pub not_before: Option<Time>,
    /// The second after the last.
    pub expires: Option<Time>,
}

impl Dates {
    /// Whether there is a second at which the keys seal.
    pub fn is_possible(&self) -> bool {
        match (self.not_before, self.expires) {
            (Some(from), Some(to)) => from < to,
            (None, _) | (_, None) => true,
        }
    }

    /// Whether the keys seal at any time.
    pub fn is_always(&self) -> bool {
        self.not_before.is_none() && self.expires.is_none()
    }

    /// The times that are in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let earlier = [self.expires, other.expires].into_iter().flatten().min();
        Self { not_before: self.not_before.max(other.not_before), expires: earlier, ..self }
    }

    /// Checks that keys have not expired at a time.
    ///
    /// # Errors
    /// [`OutOfDate::Since`].
    pub fn check_expiry(&self, now: Time) -> Result<(), OutOfDate> {
        match self.expires.filter(|expires| now >= *expires) {
            Some(expires) => Err(OutOfDate::Since(expires)),
            None => Ok(()),
        }
    }

    /// Checks that keys seal at a time.
    ///
    /// # Errors
    /// The reason why they do not.
    pub fn check(&self, now: Time) -> Result<(), OutOfDate> {
        match (self.not_before, self.expires) {
            (_, Some(expires)) if now >= expires => Err(OutOfDate::Since(expires)),
            (Some(from), _) if now < from => Err(OutOfDate::Until(from)),
            _ => Ok(()),
        }
    }
}

/// Why keys do not seal at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutOfDate {
    /// They have expired.
    #[error("expired on {0}")]
    Since(Time),
    /// They are for later.
    #[error("may not seal before {0}")]
    Until(Time),
    /// They have dates, and nobody said what time it is.
    #[error("may have expired: the time was not given")]
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Time {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_read_and_written_as_rfc_3339_has_them() {
        // The examples of RFC 3339 section 5.8; a second may be 60.
        for (text, written) in [
            ("1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50Z"),
            ("1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57Z"),
            ("1990-12-31T23:59:60Z", "1990-12-31T23:59:59Z"),
            ("1937-01-01T12:00:27.87+00:20", "1937-01-01T11:40:27Z"),
            ("2027-01-31", "2027-01-31T00:00:00Z"),
        ] {
            assert_eq!(time(text).to_string(), written, "{text}");
        }
        for text in [
            "",
            "tomorrow",
            "2027-02-29",
            "2027-01-31T12:00:00",
            "2027-01-31T25:00:00Z",
            "20270131xx",
        ] {
            assert_eq!(text.parse::<Time>(), Err(NotTime), "{text}");
        }
    }

    #[test]
    fn keys_seal_from_the_first_second_to_before_the_last() {
        let of = |from: Option<&str>, to: Option<&str>| Dates {
            not_before: from.map(time),
            expires: to.map(time),
            made: None,
        };
        let (from, to) = ("2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z");
        let both = of(Some(from), Some(to));
        assert_eq!(both.check(time("2026-12-31T23:59:59Z")), Err(OutOfDate::Until(time(from))));
        assert_eq!(both.check(time(from)), Ok(()));
        assert_eq!(both.check(time("2027-01-31T23:59:59Z")), Ok(()));
        assert_eq!(both.check(time(to)), Err(OutOfDate::Since(time(to))));
        assert_eq!(of(None, None).check(time(to)), Ok(()));
        assert_eq!(of(Some(from), None).and(of(None, Some(to))), both);
        assert_eq!(both.and(of(None, Some(from))), of(Some(from), Some(from)));
        assert!(both.is_possible() && !of(Some(from), Some(from)).is_possible());
    }
}
