use proptest::prelude::*;

use super::*;

/// Decodes the pieces one after the other, as they would come off a socket; gives the body, how much
/// input was left over, and whether the body has ended.
fn decode(framing: Framing, pieces: &[&[u8]]) -> Result<(Vec<u8>, usize, bool), BadChunk> {
    let mut decoder = Decoder::new(framing);
    let (mut body, mut left) = (Vec::new(), 0);
    for piece in pieces {
        let mut input = *piece;
        while !decoder.has_ended() {
            let decoded = decoder.decode(input)?;
            body.extend_from_slice(decoded.data);
            input = &input[decoded.consumed..];
            if decoded.consumed == 0 {
                break;
            }
        }
        left += input.len();
    }
    Ok((body, left, decoder.has_ended()))
}

fn chunked(text: &str) -> Result<(Vec<u8>, usize, bool), BadChunk> {
    decode(Framing::Chunked, &[text.as_bytes()])
}

#[test]
fn what_is_no_chunk_is_refused() {
    let wrong = [
        "\r\n",
        ";\r\n",
        " 1\r\n",
        "1 \r\n",
        "+1\r\n",
        "-1\r\n",
        "0x1\r\n",
        "g\r\n",
        "1\n",
        "1\r\r",
        "1\ra",
        "1\r\nab",
        "1\r\na\n",
        "1\r\na\r\r",
        "10000000000000000\r\n",
        "1;\0\r\n",
        "1;a\n",
        "0\r\n\n",
        "0\r\na\n",
        "0\r\na\rb",
        "0\r\n\r\r",
    ];
    for text in wrong {
        assert_eq!(chunked(text), Err(BadChunk), "{text:?}");
    }
    assert_eq!(chunked(&format!("1;{}", "x".repeat(IGNORED_BYTES_MAX + 1))), Err(BadChunk));
    assert_eq!(chunked(&format!("0\r\n{}", "x\r\n".repeat(IGNORED_BYTES_MAX + 1))), Err(BadChunk));
}

#[test]
fn the_end_is_where_the_framing_says_and_not_later() {
    assert_eq!(
        chunked("3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nx: y\r\n\r\nnext"),
        Ok((b"abc0123456789".to_vec(), 4, true))
    );
    assert_eq!(chunked("0000\r\n\r\n"), Ok((Vec::new(), 0, true)));
    assert_eq!(chunked("3\r\nab"), Ok((b"ab".to_vec(), 0, false)));
    assert_eq!(decode(Framing::Length(3), &[b"abcde"]), Ok((b"abc".to_vec(), 2, true)));
    assert_eq!(decode(Framing::Length(0), &[b"a"]), Ok((Vec::new(), 1, true)));
    assert_eq!(decode(Framing::UntilClose, &[b"ab", b"c"]), Ok((b"abc".to_vec(), 0, false)));
}

#[test]
fn trailers_are_kept_as_they_came_and_only_when_they_are_whole() {
    let whole = b"1\r\na\r\n0\r\nx: y\r\nz: \r\n\r\nnext".as_slice();
    for size in 1..=whole.len() {
        let mut decoder = Decoder::new(Framing::Chunked);
        for piece in whole.chunks(size) {
            let mut input = piece;
            while !decoder.has_ended() && !input.is_empty() {
                assert_eq!(decoder.trailers(), b"");
                input = &input[decoder.decode(input).unwrap().consumed..];
            }
        }
        assert_eq!(decoder.trailers(), b"x: y\r\nz: \r\n", "in pieces of {size}");
    }
}

#[test]
fn trailers_are_written_where_the_framing_has_room_for_them() {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "7".parse().unwrap());
    let finished = |encoder: Encoder| {
        let mut out = Vec::new();
        encoder.finish(Some(&trailers), &mut out);
        out
    };
    assert_eq!(finished(Encoder::Plain), b"");
    assert_eq!(finished(Encoder::Chunked), b"0\r\nx-sum: 7\r\n\r\n");
}

#[test]
fn an_empty_piece_is_never_written_as_the_last_chunk() {
    let mut out = Vec::new();
    Encoder::Chunked.write(b"", &mut out);
    assert_eq!(out, b"");
}

#[test]
fn numbers_are_written_as_they_are() {
    for number in [0, 9, 10, 4_096, u64::MAX] {
        let mut out = Vec::new();
        write_decimal(number, &mut out);
        assert_eq!(out, number.to_string().as_bytes());
    }
    for number in [1, 15, 16, 255, 65_536, usize::MAX] {
        let mut out = Vec::new();
        write_hex(number, &mut out);
        assert_eq!(out, format!("{number:x}").as_bytes());
    }
}

/// Chunks that are mostly right, sometimes not.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let chunk = prop_oneof![
        8 => "[a-z]{1,20}".prop_map(|data| format!("{:x}\r\n{data}\r\n", data.len())),
        2 => "[a-z]{1,9}".prop_map(|data| format!("{:X};x=\"y\"\r\n{data}\r\n", data.len())),
        1 => "[0-9a-f\r\n; ]{1,6}",
    ];
    let end = prop::sample::select(vec!["0\r\n\r\n", "0\r\na: b\r\n\r\nGET /", "", "0\r\n"]);
    (prop::collection::vec(chunk, 0..5), end)
        .prop_map(|(chunks, end)| format!("{}{end}", chunks.concat()).into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    #[test]
    fn where_the_bytes_are_split_makes_no_difference(
        stream in streams(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        let whole = decode(Framing::Chunked, &[&stream]);
        prop_assert_eq!(&decode(Framing::Chunked, &pieces), &whole);
        prop_assert_eq!(&decode(Framing::Chunked, &bytes), &whole);
    }

    #[test]
    fn what_is_encoded_is_decoded_again(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..6),
    ) {
        let mut out = Vec::new();
        for piece in &pieces {
            Encoder::Chunked.write(piece, &mut out);
        }
        Encoder::Chunked.finish(None, &mut out);
        prop_assert_eq!(decode(Framing::Chunked, &[&out]), Ok((pieces.concat(), 0, true)));
    }

    #[test]
    fn the_decoder_never_claims_more_than_it_was_given(
        stream in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        if let Ok((body, left, _)) = decode(Framing::Chunked, &[&stream]) {
            prop_assert!(body.len() + left <= stream.len());
        }
    }
}
