//! Where WebSocket frames begin and end (RFC 6455 §5.2), so that the gate can put one of its own
//! between two of the upstream's. Payloads are not looked at, and nothing is held back for this.

/// A close frame of the gate's own: 1008, policy violation (RFC 6455 §7.4.1).
pub(in crate::h1) const CLOSE: &[u8] = b"\x88\x12\x03\xf0permission ended";

/// The longest head of a frame: two bytes, a length of eight, a mask of four.
const HEAD_BYTES_MAX: usize = 14;

/// Follows the frames of one direction.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// The head of the present frame, as far as it came.
    head: [u8; HEAD_BYTES_MAX],
    head_bytes: usize,
    /// Bytes of its payload that are still to come.
    payload_bytes: u64,
    /// What passes are no frames, or a close frame has passed already.
    is_over: bool,
}

impl Frames {
    /// These bytes pass.
    pub(super) fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.is_over {
            let skipped = usize::try_from(self.payload_bytes).unwrap_or(usize::MAX);
            let skipped = skipped.min(bytes.len());
            self.payload_bytes -= skipped as u64;
            bytes = bytes.get(skipped..).unwrap_or_default();
            let Some((byte, rest)) = bytes.split_first() else { return };
            bytes = rest;
            if let Some(slot) = self.head.get_mut(self.head_bytes) {
                *slot = *byte;
            }
            self.head_bytes += 1;
            self.read_head();
        }
    }

    /// The last frame is complete, and another one may follow it.
    pub(super) fn is_between(&self) -> bool {
        self.head_bytes == 0 && self.payload_bytes == 0 && !self.is_over
    }

    fn read_head(&mut self) {
        let [first, second, rest @ ..] = self.head;
        if self.head_bytes < 2 {
            return;
        }
        let (opcode, masked, short) = (first & 0x0f, second & 0x80 != 0, second & 0x7f);
        let length_bytes = match short {
            127 => 8,
            126 => 2,
            _ => 0,
        };
        if self.head_bytes < 2 + length_bytes + if masked { 4 } else { 0 } {
            return;
        }
        let extended = rest.iter().take(length_bytes);
        let extended = extended.fold(0, |sum, byte| (sum << 8) | u64::from(*byte));
        self.payload_bytes = if length_bytes == 0 { u64::from(short) } else { extended };
        self.head_bytes = 0;
        // After a close frame nothing follows (§5.5.1); 3 to 7 and 11 to 15 are no opcodes.
        self.is_over = !matches!(opcode, 0..=2 | 9 | 10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Between frames after these bytes, however they are cut up.
    fn is_between(bytes: &[u8]) -> bool {
        let mut whole = Frames::default();
        whole.pass(bytes);
        for size in 1..=bytes.len() {
            let mut pieces = Frames::default();
            bytes.chunks(size).for_each(|piece| pieces.pass(piece));
            assert_eq!(pieces.is_between(), whole.is_between(), "in pieces of {size}");
        }
        whole.is_between()
    }

    #[test]
    fn within_a_frame_no_other_can_begin() {
        let long = [b"\x82\x7e\x01\x00".as_slice(), &[0; 255]].concat();
        let heads: [&[u8]; 6] = [
            b"\x81",
            b"\x81\x05hell",
            b"\x81\x7e\x00",
            b"\x81\x7f\0\0\0\0\0\0\0",
            &long,
            b"\x81\x81xyz",
        ];
        for bytes in heads {
            assert!(!is_between(bytes), "{bytes:?}");
        }
    }

    #[test]
    fn after_a_close_frame_or_what_is_no_frame_nothing_follows() {
        for bytes in [b"\x88\x02\x03\xe8".as_slice(), CLOSE, b"\x83\x00", b"hello, world\r\n"] {
            assert!(!is_between(bytes), "{bytes:?}");
        }
    }

    #[test]
    fn between_whole_frames_another_one_fits() {
        let long = [b"\x82\x7e\x01\x00".as_slice(), &[0; 256]].concat();
        let longest = [b"\x82\x7f\0\0\0\0\0\x01\0\0".as_slice(), &[0; 65_536]].concat();
        let masked = b"\x81\x82xyz!ab";
        let fragment = b"\x01\x01a\x89\x00";
        for bytes in [b"".as_slice(), b"\x81\x05hello", b"\x8a\x00", &long, masked, fragment] {
            assert!(is_between(bytes), "{bytes:?}");
        }
        let mut frames = Frames::default();
        longest.chunks(4_096).for_each(|piece| frames.pass(piece));
        assert!(frames.is_between());
    }
}
