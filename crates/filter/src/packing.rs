//! Packed bodies (`Content-Encoding`): unpacked as they come, in bounded memory and a piece at a
//! time, however small the packed form of a large body is.
//!
//! The formats are read by libraries. What is ours is what must hold whatever they do: how much is
//! unpacked at once, how large a window may be, that nothing stands behind the end, and that a body
//! which breaks off is not taken for a whole one.

mod brotli;
mod flate;
mod zstd;

use std::panic::{AssertUnwindSafe, catch_unwind};

use self::brotli::Brotli;
use self::flate::Flate;
use self::zstd::Zstd;
use crate::trouble::Trouble;

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// RFC 1952, one member or several.
    Gzip,
    /// Deflate as HTTP means it: in the zlib format (RFC 1950).
    Deflate,
    /// RFC 7932, in windows of at most 16 MiB.
    Brotli,
    /// RFC 8878, one frame or several, in windows of at most 8 MiB (RFC 9659).
    Zstd,
}

impl Packing {
    /// The packing that a content coding names (RFC 9110 §8.4.1). `None`: it is not read here.
    pub fn for_coding(coding: &str) -> Option<Self> {
        match coding.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            "br" => Some(Self::Brotli),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// What a step of a decoder did. Neither read nor written: it needs more input.
#[derive(Debug, Clone, Copy, Default)]
struct Step {
    read: usize,
    written: usize,
}

/// What is wrong, in a few words.
type Broken = &'static str;

const BEHIND_END: Broken = "something stands behind its end";

enum Decoder {
    Flate(Flate),
    Brotli(Box<Brotli>),
    Zstd(Box<Zstd>),
    /// There was trouble; nothing can be said of its state.
    Broken(Broken),
}

/// Unpacks one body.
///
/// It holds the packed bytes that it was given and did not need yet, one unpacked piece (16 KiB; of
/// zstd a block, 128 KiB), and its decoder's window: for gzip and deflate 32 KiB, for brotli up to
/// 16 MiB, for zstd two of up to 8 MiB, and while those grow the old ones too. What does not come is
/// not held: a body that is small when it is unpacked takes little.
pub struct Unpacker {
    decoder: Decoder,
    /// Packed bytes, from `at` on not read yet.
    waiting: Vec<u8>,
    at: usize,
    /// Everything that waits was looked at, and more is needed.
    hungry: bool,
    piece: Vec<u8>,
}

/// The most that is unpacked at once where the format does not say it.
const PIECE_BYTES: usize = 16 * 1_024;

impl Unpacker {
    /// For a body that is packed like this.
    pub fn new(packing: Packing) -> Self {
        let (decoder, bytes) = match packing {
            Packing::Gzip => (Decoder::Flate(Flate::gzip()), PIECE_BYTES),
            Packing::Deflate => (Decoder::Flate(Flate::zlib()), PIECE_BYTES),
            Packing::Brotli => (Decoder::Brotli(Box::default()), PIECE_BYTES),
            Packing::Zstd => (Decoder::Zstd(Box::default()), zstd::BLOCK_BYTES_MAX),
        };
        Self { decoder, waiting: Vec::new(), at: 0, hungry: true, piece: vec![0; bytes] }
    }

    /// Takes packed bytes. They are kept until [`Self::pull`] has read them: whoever does not pull
    /// until [`Self::is_hungry`] before giving more decides how much that is.
    pub fn feed(&mut self, packed: &[u8]) {
        if packed.is_empty() {
            return;
        }
        self.waiting.drain(..self.at.min(self.waiting.len()));
        self.at = 0;
        self.waiting.extend_from_slice(packed);
        self.hungry = false;
    }

    /// Whether it can do nothing before it is given more.
    pub fn is_hungry(&self) -> bool {
        self.hungry
    }

    /// The next unpacked piece; empty when more input is needed. After [`Trouble`], there is nothing
    /// else.
    pub fn pull(&mut self) -> Result<&[u8], Trouble> {
        while !self.hungry {
            let step = self.step()?;
            self.at += step.read;
            if step.written > 0 {
                return Ok(self.piece.get(..step.written).unwrap_or_default());
            }
            self.hungry = step.read == 0;
        }
        Ok(&[])
    }

    fn step(&mut self) -> Result<Step, Trouble> {
        let Self { decoder, waiting, at, piece, .. } = self;
        let input = waiting.get(*at..).unwrap_or_default();
        // A decoder that gives up by a panic must not take the gate's connection along.
        let stepped = catch_unwind(AssertUnwindSafe(|| match decoder {
            Decoder::Flate(flate) => flate.step(input, piece),
            Decoder::Brotli(brotli) => brotli.step(input, piece),
            Decoder::Zstd(zstd) => zstd.step(input, piece),
            Decoder::Broken(what) => Err(*what),
        }));
        let stepped = stepped.unwrap_or(Err("it cannot be unpacked"));
        stepped.map_err(|what| self.give_up(what))
    }

    fn give_up(&mut self, what: Broken) -> Trouble {
        self.decoder = Decoder::Broken(what);
        Trouble::Packed { what }
    }

    /// The body has ended: it must be whole, and all of it pulled.
    pub fn finish(&mut self) -> Result<(), Trouble> {
        let whole = self.hungry && self.at >= self.waiting.len();
        let whole = whole
            && match &self.decoder {
                Decoder::Flate(flate) => flate.is_whole(),
                Decoder::Brotli(brotli) => brotli.is_whole(),
                Decoder::Zstd(zstd) => zstd.is_whole(),
                Decoder::Broken(_) => false,
            };
        if whole { Ok(()) } else { Err(self.give_up("it breaks off")) }
    }
}

impl std::fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let waiting = self.waiting.len().saturating_sub(self.at);
        f.debug_struct("Unpacker").field("waiting", &waiting).finish_non_exhaustive()
    }
}
