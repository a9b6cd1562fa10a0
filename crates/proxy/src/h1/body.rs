//! Bodies: taken out of the framing they came in, put into the framing they leave with. No framing
//! byte of one side ever reaches the other. Trailers are taken out too, for [`super::trailers`].

use http::HeaderMap;
use traffic::headers::Framing;

/// The bytes of chunk extensions that are read past, and of trailers that are kept.
const IGNORED_BYTES_MAX: usize = 8 * 1024;

/// A chunked body that breaks RFC 9112 §7.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadChunk;

/// One step through the input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decoded<'i> {
    /// Bytes of input that are done with, `data` included.
    pub(crate) consumed: usize,
    /// Bytes of the body.
    pub(crate) data: &'i [u8],
}

/// Takes a body out of its framing.
#[derive(Debug)]
pub(crate) struct Decoder {
    coding: Coding,
    trailers: Vec<u8>,
}

#[derive(Debug)]
enum Coding {
    Length(u64),
    Chunked(Chunked),
    UntilClose,
    Ended,
}

impl Decoder {
    pub(crate) fn new(framing: Framing) -> Self {
        let coding = match framing {
            Framing::None | Framing::Length(0) => Coding::Ended,
            Framing::Length(length) => Coding::Length(length),
            Framing::Chunked => Coding::Chunked(Chunked::default()),
            Framing::UntilClose => Coding::UntilClose,
        };
        Self { coding, trailers: Vec::new() }
    }

    /// The whole body has been seen.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.coding, Coding::Ended)
    }

    /// Whether the end of the connection is the end of the body.
    pub(crate) fn ends_at_close(&self) -> bool {
        matches!(self.coding, Coding::UntilClose)
    }

    /// The connection has ended, and with it the body.
    pub(crate) fn end(&mut self) {
        self.coding = Coding::Ended;
    }

    /// The lines after the last chunk as they came, each with its CR LF; nothing before the end.
    pub(crate) fn trailers(&self) -> &[u8] {
        &self.trailers
    }

    /// Reads on. Without progress (`consumed` 0) more input is needed.
    pub(crate) fn decode<'i>(&mut self, input: &'i [u8]) -> Result<Decoded<'i>, BadChunk> {
        match &mut self.coding {
            Coding::Ended => Ok(Decoded { consumed: 0, data: &[] }),
            Coding::UntilClose => Ok(Decoded { consumed: input.len(), data: input }),
            Coding::Length(left) => {
                let data = up_to(input, *left);
                *left -= data.len() as u64;
                if *left == 0 {
                    self.coding = Coding::Ended;
                }
                Ok(Decoded { consumed: data.len(), data })
            }
            Coding::Chunked(chunked) => {
                let decoded = chunked.decode(input)?;
                if chunked.state == State::End {
                    self.trailers = std::mem::take(&mut chunked.trailers);
                    self.coding = Coding::Ended;
                }
                Ok(decoded)
            }
        }
    }
}

fn up_to(input: &[u8], limit: u64) -> &[u8] {
    let count = usize::try_from(limit).unwrap_or(usize::MAX).min(input.len());
    input.get(..count).unwrap_or(input)
}

/// Reads chunks strictly: every line ends in CR LF.
#[derive(Debug, Default)]
struct Chunked {
    state: State,
    ignored: usize,
    trailers: Vec<u8>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    SizeStart,
    Size(u64),
    Extension(u64),
    SizeLf(u64),
    Data(u64),
    DataCr,
    DataLf,
    TrailerStart,
    Trailer,
    TrailerLf,
    LastLf,
    End,
}

impl Chunked {
    fn decode<'i>(&mut self, input: &'i [u8]) -> Result<Decoded<'i>, BadChunk> {
        for (index, byte) in input.iter().enumerate() {
            match self.state {
                State::End => return Ok(Decoded { consumed: index, data: &[] }),
                State::Data(left) => {
                    let data = up_to(input.get(index..).unwrap_or_default(), left);
                    let left = left - data.len() as u64;
                    self.state = if left == 0 { State::DataCr } else { State::Data(left) };
                    return Ok(Decoded { consumed: index + data.len(), data });
                }
                state => {
                    self.state = self.step(state, *byte)?;
                    if matches!(state, State::TrailerStart | State::Trailer | State::TrailerLf)
                        && self.state != State::LastLf
                    {
                        self.trailers.push(*byte);
                    }
                }
            }
        }
        Ok(Decoded { consumed: input.len(), data: &[] })
    }

    fn step(&mut self, state: State, byte: u8) -> Result<State, BadChunk> {
        match (state, byte) {
            (State::SizeStart, byte) => Ok(State::Size(digit(byte)?)),
            (State::Size(size), b'\r') => Ok(State::SizeLf(size)),
            (State::Size(size), b';') => Ok(State::Extension(size)),
            (State::Size(size), byte) => {
                // Sixteen digits fill a u64; a seventeenth would be cut off by who wraps.
                let shifted = size.checked_mul(16).ok_or(BadChunk)?;
                Ok(State::Size(shifted | digit(byte)?))
            }
            (State::Extension(size), b'\r') => Ok(State::SizeLf(size)),
            (State::Extension(_), byte) => self.ignore(byte, state),
            (State::SizeLf(0), b'\n') => Ok(State::TrailerStart),
            (State::SizeLf(size), b'\n') => Ok(State::Data(size)),
            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataLf, b'\n') => Ok(State::SizeStart),
            (State::TrailerStart, b'\r') => Ok(State::LastLf),
            (State::TrailerStart, byte) => self.ignore(byte, State::Trailer),
            (State::Trailer, b'\r') => Ok(State::TrailerLf),
            (State::Trailer, byte) => self.ignore(byte, State::Trailer),
            (State::TrailerLf, b'\n') => Ok(State::TrailerStart),
            (State::LastLf, b'\n') => Ok(State::End),
            _ => Err(BadChunk),
        }
    }

    fn ignore(&mut self, byte: u8, next: State) -> Result<State, BadChunk> {
        self.ignored += 1;
        let is_text = byte == b'\t' || (byte >= 32 && byte != 127);
        if is_text && self.ignored <= IGNORED_BYTES_MAX { Ok(next) } else { Err(BadChunk) }
    }
}

fn digit(byte: u8) -> Result<u64, BadChunk> {
    char::from(byte).to_digit(16).map(u64::from).ok_or(BadChunk)
}

/// Puts a body into a framing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoder {
    /// As it is: the length is announced, or the connection closes at the end.
    Plain,
    Chunked,
}

impl Encoder {
    /// Appends a piece of the body.
    pub(crate) fn write(self, data: &[u8], out: &mut Vec<u8>) {
        match self {
            // An empty chunk would end the body.
            _ if data.is_empty() => {}
            Self::Plain => out.extend_from_slice(data),
            Self::Chunked => {
                write_hex(data.len(), out);
                out.extend_from_slice(b"\r\n");
                out.extend_from_slice(data);
                out.extend_from_slice(b"\r\n");
            }
        }
    }

    /// Appends the end of the body, with these trailers where the framing has room for them.
    pub(crate) fn finish(self, trailers: Option<&HeaderMap>, out: &mut Vec<u8>) {
        if self == Self::Chunked {
            out.extend_from_slice(b"0\r\n");
            for (name, value) in trailers.into_iter().flatten() {
                for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                    out.extend_from_slice(part);
                }
            }
            out.extend_from_slice(b"\r\n");
        }
    }
}

fn write_hex(number: usize, out: &mut Vec<u8>) {
    let digits = (usize::BITS - number.leading_zeros()).div_ceil(4).max(1);
    for place in (0..digits).rev() {
        let nibble = (number >> (place * 4)) & 15;
        let digit = u32::try_from(nibble).ok().and_then(|nibble| char::from_digit(nibble, 16));
        out.extend(digit.map(|digit| digit as u8));
    }
}

/// Appends a number in decimal digits.
pub(crate) fn write_decimal(mut number: u64, out: &mut Vec<u8>) {
    let mut digits = [0u8; 20];
    let mut used = 0;
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + (number % 10) as u8;
        number /= 10;
        used += 1;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(20 - used..).unwrap_or_default());
}

#[cfg(test)]
mod tests;
