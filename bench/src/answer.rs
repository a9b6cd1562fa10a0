//! The upstream's answer: 1 KiB of JSON that carries a fingerprint of the request target, so that
//! an answer that was altered, cut or delivered to the wrong caller is noticed.

/// Bytes of every body.
pub const BODY_LEN: usize = 1024;

const BODY_START: &str = "{\"target\":\"";
const FINGERPRINT_LEN: usize = 16;

/// The body that belongs to a request target.
pub fn body(target: &[u8]) -> Vec<u8> {
    let mut text = format!("{BODY_START}{:016x}\",\"items\":[", fingerprint(target));
    for index in 0.. {
        let comma = if index == 0 { "" } else { "," };
        let item = format!(
            "{comma}{{\"id\":{index},\"name\":\"widget-{index}\",\"price\":{},\"team\":\"blue\"}}",
            index * 3
        );
        if text.len() + item.len() + "],\"pad\":\"\"}".len() > BODY_LEN {
            break;
        }
        text.push_str(&item);
    }
    text.push_str("],\"pad\":\"");
    let padding = BODY_LEN - text.len() - "\"}".len();
    text.push_str(&"x".repeat(padding));
    text.push_str("\"}");
    text.into_bytes()
}

/// Where in a body the fingerprint stands.
pub fn fingerprint_range() -> std::ops::Range<usize> {
    BODY_START.len()..BODY_START.len() + FINGERPRINT_LEN
}

/// 64-bit FNV-1a.
pub fn fingerprint(target: &[u8]) -> u64 {
    target.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The second word of a request line.
pub fn target(request: &[u8]) -> &[u8] {
    request.split(|byte| *byte == b' ' || *byte == b'\r').nth(1).unwrap_or_default()
}

#[cfg(test)]
mod tests;
