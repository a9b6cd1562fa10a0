//! Entropy drawn in blocks: a system call for each request id would cost more than the decision.

use std::sync::{Arc, Mutex, PoisonError};

use base::Entropy;

const BLOCK_BYTES: usize = 1_024;

/// Draws from a shared source, a block at a time.
pub(super) struct Buffered {
    source: Arc<Mutex<Box<dyn Entropy>>>,
    block: Box<[u8; BLOCK_BYTES]>,
    used: usize,
}

impl Buffered {
    pub(super) fn new(source: Arc<Mutex<Box<dyn Entropy>>>) -> Self {
        Self { source, block: Box::new([0; BLOCK_BYTES]), used: BLOCK_BYTES }
    }

    fn draw(&self, bytes: &mut [u8]) {
        self.source.lock().unwrap_or_else(PoisonError::into_inner).fill(bytes);
    }
}

impl Entropy for Buffered {
    fn fill(&mut self, bytes: &mut [u8]) {
        if bytes.len() > BLOCK_BYTES {
            return self.draw(bytes);
        }
        if self.used + bytes.len() > BLOCK_BYTES {
            let mut block = std::mem::replace(&mut self.block, Box::new([0; BLOCK_BYTES]));
            self.draw(block.as_mut_slice());
            self.block = block;
            self.used = 0;
        }
        let fresh = self.block.iter_mut().skip(self.used);
        for (to, from) in bytes.iter_mut().zip(fresh) {
            // Given out once and wiped.
            *to = std::mem::take(from);
        }
        self.used += bytes.len();
    }
}
