//! Random choices from a seed (SplitMix64).

pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0 to `below - 1`.
    pub(crate) fn roll(&mut self, below: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(below.max(1)).unwrap()).unwrap()
    }

    /// True in so many of a hundred.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.roll(100) < percent
    }

    pub(crate) fn pick<'p, T>(&mut self, pool: &'p [T]) -> &'p T {
        &pool[self.roll(pool.len())]
    }

    /// Each of a pool with the same chance.
    pub(crate) fn some<T: Clone>(&mut self, pool: &[T], percent: usize) -> Vec<T> {
        pool.iter().filter(|_| self.chance(percent)).cloned().collect()
    }

    /// At least one of a pool.
    pub(crate) fn few<T: Clone>(&mut self, pool: &[T], percent: usize) -> Vec<T> {
        let mut found = self.some(pool, percent);
        if found.is_empty() {
            found.push(self.pick(pool).clone());
        }
        found
    }
}
