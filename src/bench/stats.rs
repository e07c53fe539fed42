//! Medians, quartiles, and ratios of samples.

/// Median and quartiles of samples.
#[derive(Debug, Clone, Copy)]
pub struct Summary {
    /// Half of the samples are smaller.
    pub median: f64,
    /// A quarter of the samples are smaller than the first, and a quarter larger than the second.
    pub quartiles: [f64; 2],
}

impl Summary {
    /// Summarizes samples, of which there must be at least one.
    pub fn of(samples: impl IntoIterator<Item = f64>) -> Self {
        let mut samples: Vec<f64> = samples.into_iter().collect();
        samples.sort_by(f64::total_cmp);
        Self {
            median: quantile(&samples, 0.5),
            quartiles: [0.25, 0.75].map(|share| quantile(&samples, share)),
        }
    }

    /// Returns the distance of the quartiles as a fraction of the median.
    pub fn spread(&self) -> f64 {
        (self.quartiles[1] - self.quartiles[0]) / self.median
    }

    /// Summarizes ratios of rates, each to the one that was measured in the same round: what slows
    /// both down does not change it.
    pub fn of_ratios(rates: &[f64], base: &[f64]) -> Self {
        Self::of(rates.iter().zip(base).map(|(rate, base)| rate / base))
    }
}

/// Returns a quantile of sorted samples, interpolated between the two nearest.
fn quantile(samples: &[f64], share: f64) -> f64 {
    let place = share * (samples.len() - 1) as f64;
    let (low, high) = (samples[place.floor() as usize], samples[place.ceil() as usize]);
    low + (high - low) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_samples() {
        let samples = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(quantile(&samples, 0.5), 3.0);
        assert_eq!(quantile(&samples, 0.25), 1.75);
        assert_eq!(quantile(&samples[..1], 0.75), 1.0);
    }

    #[test]
    fn the_spread_is_a_fraction_of_the_median() {
        let summary = Summary::of([0.3, 0.1, 0.2]);
        assert_eq!((summary.median, summary.quartiles), (0.2, [0.15000000000000002, 0.25]));
        assert!((summary.spread() - 0.5).abs() < 1e-9, "{summary:?}");
    }

    #[test]
    fn a_clock_that_drifts_changes_no_ratio() {
        let drift = [1.0, 0.5, 0.7, 1.3, 0.9];
        let [one, base] = [30.0, 10.0].map(|rate| drift.map(|drift| drift * rate));
        let ratio = Summary::of_ratios(&one, &base);
        assert!((ratio.median - 3.0).abs() < 1e-9 && ratio.spread() < 1e-9, "{ratio:?}");
        assert!(Summary::of(one).spread() > 0.3);
    }
}
