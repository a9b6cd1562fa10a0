use super::*;

#[test]
fn quantiles_are_right_to_two_per_cent() {
    let mut histogram = Histogram::default();
    for microseconds in 1..=1000_u64 {
        histogram.add(microseconds * 1000);
    }
    for (q, expected) in [(0.5, 500.0), (0.99, 990.0), (1.0, 1000.0)] {
        let measured = histogram.quantile_us(q);
        assert!((measured - expected).abs() < expected * 0.02, "{q}: {measured}");
    }
}

#[test]
fn the_ends_of_the_scale_hold() {
    let mut histogram = Histogram::default();
    assert_eq!(histogram.quantile_us(0.99), 0.0);
    histogram.add(0);
    histogram.add(u64::MAX);
    assert_eq!(histogram.quantile_us(0.5), 0.064);
    assert!(histogram.quantile_us(1.0) > 1e15);
}
