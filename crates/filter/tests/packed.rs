//! Packed bodies: what is damaged, breaks off or goes on behind its end is refused, the pieces in
//! which a body comes make no difference, and what is large when it is unpacked takes no more memory.
#![allow(unsafe_code, reason = "the memory is counted where it is allocated")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt::Write as _;

use filter::{Packing, Trouble, Unpacker};
use proptest::prelude::*;
use zlib_rs::{Deflate, DeflateConfig, DeflateFlush};

/// Written by the reference implementations: `brotli` 9 of the Rust port, window 22 and 24, and
/// `zstd` 1.5.4, levels 3.
const LIST_BR: &[u8] = include_bytes!("packed/list.json.br");
const LIST_ZSTD: &[u8] = include_bytes!("packed/list.json.zst");
const BOMB_BR: &[u8] = include_bytes!("packed/bomb.json.br");
const BOMB_ZSTD: &[u8] = include_bytes!("packed/bomb.json.zst");
const BOMB_BYTES: usize = 4_194_304 * 25 + 4;

struct Counting;

thread_local! {
    static NOW: Cell<usize> = const { Cell::new(0) };
    static MOST: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: the system's allocator does the work; the counters are no allocation.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.get().wrapping_add(layout.size());
        NOW.set(now);
        MOST.set(MOST.get().max(now));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        NOW.set(NOW.get().saturating_sub(layout.size()));
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The document of the fixtures.
fn list() -> String {
    let mut text = String::from("[");
    let mut seed: u32 = 1;
    for item in 0..2_500 {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let comma = if item == 0 { "" } else { "," };
        let (name, sku) = (seed % 97, seed % 13);
        write!(
            text,
            r#"{comma}{{"id":{item},"name":"Ann {name}","card":"4111 {seed}","lines":[{{"sku":"A-{sku}"}}]}}"#
        )
        .unwrap();
    }
    text.push(']');
    text
}

fn deflated(text: &[u8], window_bits: i32) -> Vec<u8> {
    let config = DeflateConfig { window_bits, ..DeflateConfig::default() };
    let mut deflate = Deflate::new_with_config(config);
    let mut packed = vec![0; text.len() + 1_024];
    deflate.compress(text, &mut packed, DeflateFlush::Finish).unwrap();
    packed.truncate(deflate.total_out() as usize);
    packed
}

fn gzip(text: &[u8]) -> Vec<u8> {
    deflated(text, 16 + 15)
}

fn every_kind() -> [(Packing, Vec<u8>); 4] {
    let list = list();
    [
        (Packing::Gzip, gzip(list.as_bytes())),
        (Packing::Deflate, deflated(list.as_bytes(), 15)),
        (Packing::Brotli, LIST_BR.to_vec()),
        (Packing::Zstd, LIST_ZSTD.to_vec()),
    ]
}

/// Unpacks in pieces of a size, each as soon as the one before was read.
fn unpacked(packing: Packing, packed: &[u8], piece: usize) -> Result<Vec<u8>, Trouble> {
    let mut unpacker = Unpacker::new(packing);
    let mut out = Vec::new();
    for piece in packed.chunks(piece) {
        unpacker.feed(piece);
        while !unpacker.is_hungry() {
            out.extend_from_slice(unpacker.pull()?);
        }
    }
    unpacker.finish()?;
    Ok(out)
}

#[test]
fn what_is_not_read_here_is_no_packing() {
    for coding in ["", "identity", "compress", "gzip, br", "dcb", "dcz", "exi", "aes128gcm", "*"] {
        assert_eq!(Packing::for_coding(coding), None, "{coding}");
    }
    assert_eq!(Packing::for_coding("X-GZip"), Some(Packing::Gzip));
    assert_eq!(Packing::for_coding("br"), Some(Packing::Brotli));
    assert_eq!(Packing::for_coding("deflate"), Some(Packing::Deflate));
    assert_eq!(Packing::for_coding("zstd"), Some(Packing::Zstd));
}

#[test]
fn a_body_that_breaks_off_is_not_taken_for_a_whole_one() {
    for (packing, packed) in every_kind() {
        let cuts = (0..40).chain((40..packed.len()).step_by(997)).chain([packed.len() - 1]);
        for cut in cuts {
            let trouble = unpacked(packing, &packed[..cut], 4_096).unwrap_err();
            assert_eq!(trouble.code(), "packed", "{packing:?} {cut}");
        }
    }
}

#[test]
fn what_stands_behind_the_end_is_refused() {
    for (packing, packed) in every_kind() {
        for more in [b"\0".as_slice(), b"x", b"{\"id\":1}", &[0; 64], &packed[..1]] {
            let long = [&packed, more].concat();
            assert!(unpacked(packing, &long, long.len()).is_err(), "{packing:?} {more:?}");
            assert!(unpacked(packing, &long, 1_000).is_err(), "{packing:?} {more:?}");
        }
    }
    for packing in [Packing::Deflate, Packing::Brotli] {
        let (_, packed) = every_kind().into_iter().find(|(kind, _)| *kind == packing).unwrap();
        assert!(unpacked(packing, &packed.repeat(2), 1_000).is_err(), "{packing:?} twice");
    }
}

#[test]
fn a_body_under_another_name_is_refused() {
    for (packing, _) in every_kind() {
        for (other, packed) in every_kind() {
            let read = unpacked(packing, &packed, 1_000);
            assert_eq!(read.is_ok(), packing == other, "{other:?} as {packing:?}");
        }
        assert!(unpacked(packing, list().as_bytes(), 1_000).is_err(), "{packing:?}: plain");
        assert!(unpacked(packing, b"", 1).is_err(), "{packing:?}: nothing");
    }
    // Deflate without the format around it, which some call deflate.
    assert!(unpacked(Packing::Deflate, &deflated(b"{}", -15), 100).is_err());
}

#[test]
fn a_window_that_is_too_large_is_refused_before_it_is_made() {
    // A frame that asks for 8 MiB and one step more, with an empty block.
    let frame = |window: u8| [0x28, 0xb5, 0x2f, 0xfd, 0, window, 1, 0, 0];
    assert_eq!(unpacked(Packing::Zstd, &frame(13 << 3), 100), Ok(Vec::new()));
    for window in [(13 << 3) | 1, 14 << 3, 31 << 3, 255] {
        NOW.set(0);
        MOST.set(0);
        let trouble = unpacked(Packing::Zstd, &frame(window), 100).unwrap_err();
        assert!(MOST.get() < 1 << 20, "{} bytes", MOST.get());
        assert_eq!(trouble, Trouble::Packed { what: "its window is larger than 8 MiB" });
    }
    // The window is the whole content, which is said to be 1 TiB.
    let single = [0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0];
    assert!(unpacked(Packing::Zstd, &single, 100).is_err());
    // "Large window" brotli, which is not RFC 7932, with a window of 1 GiB.
    assert!(unpacked(Packing::Brotli, &[0x11, 0x1e, 0x03], 100).is_err());
}

#[test]
fn a_dictionary_that_is_not_here_is_refused() {
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x01, 0x20, 0x07, 1, 0, 0];
    assert!(unpacked(Packing::Zstd, &frame, 100).is_err());
    assert!(unpacked(Packing::Deflate, &[0x78, 0xbb, 0, 0, 0, 1, 3, 0], 100).is_err());
}

#[test]
fn members_and_frames_behind_each_other_are_one_body() {
    let twice = list().repeat(2).into_bytes();
    for piece in [1, 1_000, 1 << 20] {
        let packed = gzip(list().as_bytes()).repeat(2);
        assert_eq!(unpacked(Packing::Gzip, &packed, piece).as_ref(), Ok(&twice));
        // Between them a frame that is skipped.
        let skipped = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3].as_slice();
        let packed = [skipped, LIST_ZSTD, skipped, LIST_ZSTD, skipped].concat();
        assert_eq!(unpacked(Packing::Zstd, &packed, piece).as_ref(), Ok(&twice));
    }
}

#[test]
fn the_pieces_in_which_a_body_comes_make_no_difference() {
    for (packing, packed) in every_kind() {
        for piece in [1, 2, 7, 1_000, 65_536, packed.len()] {
            let text = unpacked(packing, &packed, piece).unwrap();
            assert_eq!(text, list().as_bytes(), "{packing:?} by {piece}");
        }
    }
}

/// What was flushed can be read before the rest comes.
#[test]
fn what_has_come_is_not_held_back() {
    let mut deflate = Deflate::new_with_config(DeflateConfig {
        window_bits: 16 + 15,
        ..DeflateConfig::default()
    });
    let mut packed = vec![0; 100];
    deflate.compress(b"data: 1\n\n", &mut packed, DeflateFlush::SyncFlush).unwrap();
    packed.truncate(deflate.total_out() as usize);
    let mut unpacker = Unpacker::new(Packing::Gzip);
    unpacker.feed(&packed);
    assert_eq!(unpacker.pull(), Ok(b"data: 1\n\n".as_slice()));

    // A block of a frame whose window is 8 MiB.
    let mut unpacker = Unpacker::new(Packing::Zstd);
    unpacker.feed(&[0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3, 9 << 3, 0, 0]);
    unpacker.feed(b"data: 1\n\n");
    assert_eq!(unpacker.pull(), Ok(b"data: 1\n\n".as_slice()));
}

#[test]
fn what_is_large_when_it_is_unpacked_takes_no_more_memory() {
    const MIB: usize = 1 << 20;
    let zeros = vec![b' '; BOMB_BYTES];
    let spaces = [(Packing::Gzip, gzip(&zeros)), (Packing::Deflate, deflated(&zeros, 15))];
    drop(zeros);
    // Blocks of 128 KiB in four bytes each.
    let mut runs = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3];
    let blocks = BOMB_BYTES / (128 * 1_024);
    (0..blocks).for_each(|_| runs.extend([0x02, 0x00, 0x10, b' ']));
    runs.extend([1, 0, 0]);
    let cases = [
        (&spaces[0].1[..], spaces[0].0, MIB / 4, BOMB_BYTES),
        (&spaces[1].1[..], spaces[1].0, MIB / 4, BOMB_BYTES),
        (BOMB_BR, Packing::Brotli, 17 * MIB, BOMB_BYTES),
        (BOMB_ZSTD, Packing::Zstd, 10 * MIB, BOMB_BYTES),
        (&runs, Packing::Zstd, 36 * MIB, blocks * 128 * 1_024),
    ];
    for (packed, packing, most, bytes) in cases {
        NOW.set(0);
        MOST.set(0);
        let mut unpacker = Unpacker::new(packing);
        let mut seen = 0;
        for piece in packed.chunks(64 * 1_024) {
            unpacker.feed(piece);
            while !unpacker.is_hungry() {
                let piece = unpacker.pull().unwrap();
                assert!(piece.len() <= 128 * 1_024);
                seen += piece.len();
            }
        }
        assert_eq!((seen, unpacker.finish()), (bytes, Ok(())), "{packing:?}");
        assert!(MOST.get() <= most, "{packing:?}: {} bytes", MOST.get());
    }
}

/// RFC 1950 §8.2.
fn adler32(text: &[u8]) -> u32 {
    let (low, high) = text.iter().fold((1u32, 0u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    high << 16 | low
}

/// A change that its checksum cannot see, as it came up once.
#[test]
fn what_adler_32_cannot_tell_apart_passes_as_it_does_everywhere() {
    let mut packed = deflated(list().as_bytes(), 15);
    packed[18_137] ^= 1 << 6;
    let text = unpacked(Packing::Deflate, &packed, 4_096).unwrap();
    assert_ne!(text, list().into_bytes());
    assert_eq!(adler32(&text), adler32(list().as_bytes()));
}

proptest! {
    #[test]
    fn bytes_of_any_kind_never_harm(
        packed in proptest::collection::vec(any::<u8>(), 0..400),
        head in 0usize..4,
    ) {
        let heads: [&[u8]; 4] = [b"", &[0x1f, 0x8b, 8, 0], &[0x78, 0x9c], &[0x28, 0xb5, 0x2f, 0xfd]];
        let packed = [heads[head], &packed].concat();
        for packing in [Packing::Gzip, Packing::Deflate, Packing::Brotli, Packing::Zstd] {
            drop(unpacked(packing, &packed, 50));
        }
    }

    #[test]
    fn a_damaged_body_is_refused_or_says_the_same(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        for (packing, mut packed) in every_kind() {
            let at = at.index(packed.len());
            packed[at] ^= 1 << bit;
            let read = unpacked(packing, &packed, 4_096);
            let Ok(text) = read else { continue };
            match packing {
                // It has no checksum: what is inside is read by the filter, or not.
                Packing::Brotli => {}
                // Adler-32 is weak: three neighbours that change by 1, -2 and 1 have the same.
                Packing::Deflate => {
                    prop_assert_eq!(adler32(&text), adler32(list().as_bytes()), "at {}", at);
                }
                Packing::Gzip | Packing::Zstd => {
                    prop_assert_eq!(text, list().into_bytes(), "{:?} at {}", packing, at);
                }
            }
        }
    }
}
