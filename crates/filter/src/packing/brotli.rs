//! Brotli.

use brotli_decompressor::{
    Allocator, BrotliDecompressStream, BrotliResult, BrotliState, SliceWrapper, SliceWrapperMut,
};

use super::{BEHIND_END, Broken, Step};

pub(super) struct Brotli {
    state: BrotliState<Heap, Heap, Heap>,
    ended: bool,
}

impl Default for Brotli {
    fn default() -> Self {
        // Not `new`, which also takes windows of up to 1 GiB.
        Self { state: BrotliState::new_strict(Heap, Heap, Heap), ended: false }
    }
}

impl Brotli {
    pub(super) fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, Broken> {
        if self.ended {
            return if input.is_empty() { Ok(Step::default()) } else { Err(BEHIND_END) };
        }
        let mut step = Step::default();
        let (mut left, mut room, mut total) = (input.len(), out.len(), 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut step.read,
            input,
            &mut room,
            &mut step.written,
            out,
            &mut total,
            &mut self.state,
        );
        match result {
            BrotliResult::ResultFailure => return Err("it is not what it says, or damaged"),
            BrotliResult::ResultSuccess => self.ended = true,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
        }
        Ok(step)
    }

    pub(super) fn is_whole(&self) -> bool {
        self.ended
    }
}

/// The memory that the library asks for.
#[derive(Debug, Clone, Copy, Default)]
struct Heap;

#[derive(Debug, Default)]
struct Cells<T>(Vec<T>);

impl<T: Clone + Default> Allocator<T> for Heap {
    type AllocatedMemory = Cells<T>;

    fn alloc_cell(&mut self, len: usize) -> Cells<T> {
        Cells(vec![T::default(); len])
    }

    fn free_cell(&mut self, cells: Cells<T>) {
        drop(cells);
    }
}

impl<T> SliceWrapper<T> for Cells<T> {
    fn slice(&self) -> &[T] {
        &self.0
    }
}

impl<T> SliceWrapperMut<T> for Cells<T> {
    fn slice_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}
