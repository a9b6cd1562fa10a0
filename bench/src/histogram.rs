//! Durations in steps of 1.6 %: 64 steps per power of two.

const STEPS: u32 = 64;
const STEP_BITS: u32 = 6;

/// Counts of durations, in nanoseconds.
#[derive(Debug)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; (STEPS * STEPS) as usize], total: 0 }
    }
}

impl Histogram {
    /// Counts one duration. What is shorter than 64 ns counts as 64 ns.
    pub fn add(&mut self, nanoseconds: u64) {
        let value = nanoseconds.max(u64::from(STEPS));
        let exponent = value.ilog2();
        let step = (value >> (exponent - STEP_BITS)) & u64::from(STEPS - 1);
        let slot = u64::from((exponent - STEP_BITS) * STEPS) + step;
        if let Some(count) = usize::try_from(slot).ok().and_then(|slot| self.counts.get_mut(slot)) {
            *count += 1;
            self.total += 1;
        }
    }

    /// The duration that a share `q` of all does not exceed, in microseconds; 0 when there is none.
    pub fn quantile_us(&self, q: f64) -> f64 {
        let wanted = (self.total as f64 * q).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (slot, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                let (exponent, step) =
                    (slot as u32 / STEPS + STEP_BITS, slot as u64 % u64::from(STEPS));
                let value = (1_u64 << exponent) + (step << (exponent - STEP_BITS));
                return value as f64 / 1000.0;
            }
        }
        0.0
    }
}

#[cfg(test)]
mod tests;
