//! The test of Mann and Whitney: whether two series of samples differ, by how they rank among each
//! other. An outlier counts no more than any other sample.

/// Returns how likely it is that two series of the same kind rank as differently as these: the
/// exact two-sided value, with ties counted as half.
pub fn chance(one: &[f64], other: &[f64]) -> f64 {
    let pairs = one.iter().flat_map(|a| other.iter().map(move |b| (a, b)));
    let above: f64 = pairs
        .map(|(a, b)| match a.total_cmp(b) {
            std::cmp::Ordering::Less => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Greater => 0.0,
        })
        .sum();
    let few = above.min((one.len() * other.len()) as f64 - above);
    at_most(few.round() as usize, one.len(), other.len())
}

/// Returns the smallest value that [`chance`] can have for series of these lengths.
pub fn least(one: usize, other: usize) -> f64 {
    at_most(0, one, other)
}

/// Returns twice the share of the orders of `m + n` samples with at most `few` pairs in which one of
/// the `m` follows one of the `n`. The orders with `u` such pairs are the coefficient of `q` to the
/// power `u` in the Gaussian binomial.
fn at_most(few: usize, m: usize, n: usize) -> f64 {
    let mut orders = vec![0.0; few + 1];
    orders[0] = 1.0;
    let mut all = 1.0;
    for i in 1..=n {
        all *= (m + i) as f64 / i as f64;
        for u in (m + i..=few).rev() {
            orders[u] -= orders[u - m - i];
        }
        for u in i..=few {
            orders[u] += orders[u - i];
        }
    }
    (2.0 * orders.iter().sum::<f64>() / all).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts the orders one by one.
    fn counted(few: usize, m: usize, n: usize) -> f64 {
        let all = (0..1_u32 << (m + n)).filter(|order| order.count_ones() as usize == m);
        let pairs = |order: &u32| -> usize {
            let below = |place: usize| (0..place).filter(|at| order >> at & 1 == 0).count();
            (0..m + n).filter(|place| order >> place & 1 == 1).map(below).sum()
        };
        let (total, within) = all.fold((0, 0), |(total, within), order| {
            (total + 1, within + u32::from(pairs(&order) <= few))
        });
        (2.0 * f64::from(within) / f64::from(total)).min(1.0)
    }

    #[test]
    fn orders_are_counted_as_one_by_one() {
        for (m, n) in [(1, 1), (3, 3), (2, 5), (5, 2), (6, 6), (7, 5)] {
            for few in 0..=m * n / 2 {
                let (found, expected) = (at_most(few, m, n), counted(few, m, n));
                assert!((found - expected).abs() < 1e-12, "{few} of {m} and {n}: {found}");
            }
        }
    }

    /// The table of Mann and Whitney (1947), for n = m = 8: P(U <= 13) is 0.025 one-sided.
    #[test]
    fn known_values() {
        assert!((at_most(13, 8, 8) / 2.0 - 0.025).abs() < 5e-4);
        assert_eq!(least(5, 5), 2.0 / 252.0);
    }

    #[test]
    fn ranks_count_and_sizes_do_not() {
        let low = [1.0, 2.0, 3.0, 4.0, 5.0];
        assert_eq!(chance(&low, &low.map(|it| it + 10.0)), least(5, 5));
        assert_eq!(chance(&low.map(|it| it + 1e9), &low), least(5, 5));
        assert_eq!(chance(&low, &low), 1.0);
        assert!(chance(&low, &[1.5, 2.5, 3.5, 4.5, 1e9]) > 0.4);
    }
}
