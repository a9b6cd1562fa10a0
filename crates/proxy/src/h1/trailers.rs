//! Fields after a chunked body, out of HTTP/1.1 and on their way to either protocol.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use traffic::headers::may_trail;

use super::body::BadChunk;

/// More trailers than anybody means.
const TRAILERS_MAX: usize = 64;

/// Reads the lines after the last chunk, each with its CR LF. Fields that may not stand there are
/// left out; `None` = there are no others.
pub(crate) fn read(lines: &[u8]) -> Result<Option<HeaderMap>, BadChunk> {
    if lines.is_empty() {
        return Ok(None);
    }
    let block = [lines, b"\r\n"].concat();
    let mut space = [httparse::EMPTY_HEADER; TRAILERS_MAX];
    let fields = match httparse::parse_headers(&block, &mut space) {
        Ok(httparse::Status::Complete((bytes, fields))) if bytes == block.len() => fields,
        _ => return Err(BadChunk),
    };
    let mut trailers = HeaderMap::new();
    for field in fields {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| BadChunk)?;
        let value = HeaderValue::from_bytes(field.value).map_err(|_| BadChunk)?;
        trailers.append(name, value);
    }
    Ok(judged(trailers))
}

/// Leaves out what may not stand after a body; `None` = nothing is left.
pub(crate) fn judged(trailers: HeaderMap) -> Option<HeaderMap> {
    let mut kept = HeaderMap::with_capacity(trailers.len());
    for (name, value) in &trailers {
        if may_trail(name.as_str().as_bytes(), value.as_bytes()) {
            kept.append(name, value.clone());
        }
    }
    Some(kept).filter(|kept| !kept.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_field_is_refused() {
        for lines in [" x: y\r\n", "x\r\n", ": y\r\n", "x y: z\r\n", "x: y\r\n z\r\n"] {
            assert_eq!(read(lines.as_bytes()), Err(BadChunk), "{lines:?}");
        }
        assert_eq!(read("x: y\r\n".repeat(TRAILERS_MAX + 1).as_bytes()), Err(BadChunk));
    }

    #[test]
    fn what_may_not_trail_is_left_out_and_the_rest_kept() {
        assert_eq!(read(b""), Ok(None));
        assert_eq!(read(b"Content-Length: 9\r\nX-API-Key: k\r\n"), Ok(None));
        let kept = read(b"X-Sum: 1\r\nHost: evil\r\nx-sum: 2\r\n").unwrap().unwrap();
        assert_eq!(kept.len(), 2);
        assert_eq!(kept.get_all("x-sum").iter().collect::<Vec<_>>(), ["1", "2"]);
    }
}
