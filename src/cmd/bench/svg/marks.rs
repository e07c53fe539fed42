//! Marks of backends in the chart: a colour and a shape each, so that they differ in print too, and
//! for people who see colours otherwise.

use std::fmt;

/// Name of all backends that have no mark of their own.
pub const OTHER: &str = "other";

/// Styles on white and on black. The colours are Okabe and Ito's, on black somewhat brighter.
pub const STYLE: &str = "\
.paper { fill: #fff } text { fill: #222 } .quiet { fill: #666 } .weak { fill: #b03a00 }
.axis { stroke: #ddd } .range { stroke: #bbb; stroke-width: 2 } .mark { stroke: #fff }
.rustcrypto { fill: #7f7f7f } .base64-simd { fill: #cc79a7 } .x25519-dalek { fill: #d55e00 }
.graviola { fill: #c9a800 } .portable { fill: #e69f00 } .avx2, .neon { fill: #56b4e9 }
.vaes { fill: #009e73 } .avx512 { fill: #0b4f8a } .other { fill: #000 }
@media screen and (prefers-color-scheme: dark) {
.paper { fill: #0d1117 } text { fill: #e6edf3 } .quiet { fill: #9aa4af } .weak { fill: #ff9d6b }
.axis { stroke: #2d333b } .range { stroke: #57606a } .mark { stroke: #0d1117 }
.rustcrypto { fill: #a0a0a0 } .vaes { fill: #20c997 } .avx512 { fill: #7aa7ff } .other { fill: #fff }
}
";

/// A backend's shape, around the origin; its colour is the class of its name.
pub struct Mark {
    /// The backend.
    pub backend: &'static str,
    shape: &'static str,
}

const CIRCLE: &str = "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0";
const SQUARE: &str = "M-4.5 -4.5h9v9h-9z";
const DIAMOND: &str = "M0 -6.5L6.5 0L0 6.5L-6.5 0z";
const UP: &str = "M0 -6L5.8 4.5H-5.8z";
const DOWN: &str = "M0 6L5.8 -4.5H-5.8z";
const PLUS: &str = "M-2 -6h4v4h4v4h-4v4h-4v-4h-4v-4h4z";
const FLAT: &str = "M-7 -2.5h14v5h-14z";
const TALL: &str = "M-2.5 -7h5v14h-5z";

/// From the slowest to the fastest.
const MARKS: [Mark; 9] = [
    Mark { backend: "rustcrypto", shape: SQUARE },
    Mark { backend: "base64-simd", shape: FLAT },
    Mark { backend: "x25519-dalek", shape: PLUS },
    Mark { backend: "graviola", shape: TALL },
    Mark { backend: "portable", shape: DIAMOND },
    Mark { backend: "neon", shape: UP },
    Mark { backend: "avx2", shape: UP },
    Mark { backend: "vaes", shape: DOWN },
    Mark { backend: "avx512", shape: CIRCLE },
];

impl Mark {
    /// Returns the marks of all known backends.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        MARKS.iter()
    }

    /// Returns the mark of a backend.
    pub fn of(backend: &str) -> &'static Self {
        static UNKNOWN: Mark = Mark { backend: OTHER, shape: CIRCLE };
        Self::all().find(|mark| mark.backend == backend).unwrap_or(&UNKNOWN)
    }

    /// Draws the mark at a place.
    pub fn draw(&self, f: &mut fmt::Formatter<'_>, x: f64, y: f64) -> fmt::Result {
        let Self { backend, shape } = self;
        writeln!(
            f,
            r#"<path class="mark {backend}" transform="translate({x:.1} {y})" d="{shape}"/>"#
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_backend_has_a_colour_and_backends_of_one_machine_differ_in_shape() {
        for mark in Mark::all() {
            assert!(STYLE.contains(&format!(".{}", mark.backend)), "{}", mark.backend);
        }
        let x86: Vec<_> = Mark::all().filter(|mark| mark.backend != "neon").collect();
        let shapes: BTreeSet<_> = x86.iter().map(|mark| mark.shape).collect();
        assert_eq!(shapes.len(), x86.len());
    }
}
