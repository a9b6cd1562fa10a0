//! Median and quartiles: what is quoted, and how honest it is.

/// Of a set of figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) q1: f64,
    pub(super) q3: f64,
    pub(super) n: usize,
}

impl Spread {
    /// `None` when there are no figures.
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |q| quantile(&sorted, q);
        Some(Self { median: at(0.5)?, q1: at(0.25)?, q3: at(0.75)?, n: values.len() })
    }
}

/// Interpolated between neighbours; `sorted` in ascending order.
pub(super) fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let place = q * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    let (below, above) = (sorted.get(low)?, sorted.get(high)?);
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_neighbours() {
        let spread = Spread::of(&[4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!(spread, Spread { median: 2.5, q1: 1.75, q3: 3.25, n: 4 });
        assert_eq!(Spread::of(&[7.0]).unwrap().q3, 7.0);
        assert_eq!(Spread::of(&[]), None);
    }
}
