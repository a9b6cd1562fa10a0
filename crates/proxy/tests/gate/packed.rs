//! Packed answers that have to be filtered: unpacked as they come and sent on plain, over HTTP/1.1 and
//! HTTP/2. Refusals first.

use http_body_util::BodyExt;
use testkit::Upstream;
use testkit::upstream::OK;
use traffic::{Outcome, Reason};
use zlib_rs::{Deflate, DeflateConfig, DeflateFlush};

use crate::http2::request;
use crate::kit::soon;
use crate::screen::{ask, showing, tied};
use crate::secure::plain;

const TWO: &str = r#"{"id": 42, "customer": {"name": "Ann", "card": "4111"}, "secret": 1}"#;
/// The same, by `brotli` and by `zstd` (with a checksum).
const TWO_BR: &[u8] = b"\x1b\x43\x00\x00\x04\x64\x6e\xa9\xb2\x67\x0a\x8e\x44\x33\x45\x36\x0d\x06\
    \x09\x56\x26\x4c\xe4\x80\x39\xd0\x00\xb9\x1d\x0e\x1e\xb2\xf0\xf4\x75\x02\xb3\x39\x8b\x10\x1f\
    \x2a\x0c\x86\xd3\x54\xde\x4d\x08\xb3\x8a\xdc\x7c\xdd\xc0\xcd\x8c\xaf\xc2\x05\xd4\x3e";
const TWO_ZSTD: &[u8] = b"\x28\xb5\x2f\xfd\x04\x58\xed\x01\x00\x42\x44\x0e\x15\x90\x25\xea\x82\xa2\
    \x8c\x81\x91\xd2\x12\x66\xba\xb8\x87\xe4\x31\x79\xc2\xcc\x2c\x04\xed\x8a\xaf\x4c\x25\xd5\x15\
    \xed\xbb\x1b\x17\x37\x89\x94\x2b\x46\x48\xb8\x78\x1e\x82\x66\xc5\x53\x1e\xc0\x52\x81\x72\x45\
    \x30\x8a\x9b\x61\x16\x00\xd8\x39\x20\x7d";
/// 2,500 orders of 153 bytes or so.
const LIST_BR: &[u8] = include_bytes!("../../../filter/tests/packed/list.json.br");
const LIST_ZSTD: &[u8] = include_bytes!("../../../filter/tests/packed/list.json.zst");
/// A hundred mebibytes of `{"id":1,"secret":"4111"}`.
const BOMB_BR: &[u8] = include_bytes!("../../../filter/tests/packed/bomb.json.br");

pub fn gzip(text: &[u8]) -> Vec<u8> {
    let config = DeflateConfig { window_bits: 16 + 15, ..DeflateConfig::default() };
    let mut deflate = Deflate::new_with_config(config);
    let mut packed = vec![0; text.len() + 1_024];
    deflate.compress(text, &mut packed, DeflateFlush::Finish).unwrap();
    packed.truncate(deflate.total_out() as usize);
    packed
}

/// An upstream that answers with JSON, packed as these lines say.
pub async fn answering(lines: &str, body: Vec<u8>) -> Upstream {
    let lines = lines.to_owned();
    Upstream::scripted(move |mut conversation| {
        let (lines, body) = (lines.clone(), body.clone());
        async move {
            while conversation.request().await?.is_some() {
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\netag: \"x\"\r\n\
                     vary: accept-encoding\r\ncontent-md5: eA==\r\n{lines}content-length: {}\r\n\r\n",
                    body.len()
                );
                conversation.send(head).await?;
                conversation.send(&body).await?;
            }
            Ok(())
        }
    })
    .await
}

pub fn coding(name: &str) -> String {
    format!("content-encoding: {name}\r\n")
}

#[tokio::test]
async fn what_cannot_be_unpacked_is_refused_or_cut() {
    let (gz, two) = (gzip(TWO.as_bytes()), TWO.as_bytes());
    let list = testkit_list();
    let mut damaged = gz.clone();
    let at = damaged.len() - 5;
    damaged[at] ^= 1;
    let mut wrong = TWO_ZSTD.to_vec();
    *wrong.last_mut().unwrap() ^= 1;
    let large_window = [0x28, 0xb5, 0x2f, 0xfd, 0, 14 << 3, 1, 0, 0];
    let cases: Vec<(String, Vec<u8>)> = vec![
        (coding("compress"), gz.clone()),
        (coding("exi"), two.to_vec()),
        (coding("gzip, br"), gz.clone()),
        (coding("gzip, gzip"), gzip(&gz)),
        (coding("gzip") + &coding("br"), gz.clone()),
        (coding("gzip"), two.to_vec()),
        (coding("br"), gz.clone()),
        (coding("gzip"), gz[..gz.len() - 1].to_vec()),
        (coding("gzip"), [&gz, b"\0".as_slice()].concat()),
        (coding("gzip"), damaged),
        (coding("br"), TWO_BR[..TWO_BR.len() - 1].to_vec()),
        (coding("br"), [TWO_BR, b"x"].concat()),
        (coding("zstd"), TWO_ZSTD[..TWO_ZSTD.len() - 1].to_vec()),
        (coding("zstd"), [TWO_ZSTD, b"xxxx"].concat()),
        (coding("zstd"), wrong),
        (coding("zstd"), large_window.to_vec()),
        // Enough for the answer to have begun.
        (coding("gzip"), gzip(&list)[..20_000].to_vec()),
        (coding("br"), LIST_BR[..20_000].to_vec()),
        (coding("zstd"), LIST_ZSTD[..LIST_ZSTD.len() - 2].to_vec()),
        (coding("gzip"), gzip(b"{\"id\": 42} {\"customer\": \"Ann\"}")),
    ];
    for (number, (lines, body)) in cases.into_iter().enumerate() {
        let case = format!("{number}: {lines}");
        let upstream = answering(&lines, body).await;
        let kit = showing(&upstream, &["id", "customer.name"]).await;
        let mut client = kit.connect().await;
        client.send(kit.get("")).await;
        let head = client.head().await.unwrap();
        let expected = (Outcome::Withheld, Some(Reason::ResponseUnreadable));
        let record = kit.record().await;
        assert_eq!((record.outcome, record.reason), expected, "{case}");
        if head.starts_with("HTTP/1.1 200") {
            assert!(!client.rest().await.ends_with(b"0\r\n\r\n"), "{case}: a false end");
        } else {
            assert!(head.starts_with("HTTP/1.1 502"), "{case}: {head}");
        }

        let mut sender = plain(&kit).await;
        // A stream that is reset at once may not even show its head.
        if let Ok(response) = soon(sender.send_request(request(&kit, http::Method::GET))).await {
            let status = response.status().as_u16();
            let whole = soon(response.into_body().collect()).await.is_ok();
            assert_eq!(whole, status == 502, "{case}: {status}");
        }
        let record = kit.record().await;
        assert_eq!((record.outcome, record.reason), expected, "{case}");
    }
}

#[tokio::test]
async fn a_packed_answer_is_filtered_and_leaves_plain() {
    let deflated = {
        let mut deflate = Deflate::new(6, true, 15);
        let mut packed = vec![0; 1_000];
        deflate.compress(TWO.as_bytes(), &mut packed, DeflateFlush::Finish).unwrap();
        packed.truncate(deflate.total_out() as usize);
        packed
    };
    let (first, second) = TWO.as_bytes().split_at(20);
    let cases = [
        (coding("gzip"), gzip(TWO.as_bytes())),
        (coding("X-GZIP"), gzip(TWO.as_bytes())),
        (coding("identity, gzip"), gzip(TWO.as_bytes())),
        (coding("gzip"), [gzip(first), gzip(b""), gzip(second)].concat()),
        (coding("deflate"), deflated),
        (coding("br"), TWO_BR.to_vec()),
        (coding("zstd"), TWO_ZSTD.to_vec()),
    ];
    for (lines, body) in cases {
        let upstream = answering(&lines, body).await;
        let kit = showing(&upstream, &["id", "customer.name"]).await;
        let response = ask(&kit, "accept-encoding: gzip, br, zstd\r\n").await;
        assert_eq!(response.status, 200, "{lines}");
        assert_eq!(response.body, br#"{"id": 42, "customer": {"name": "Ann"}}"#, "{lines}");
        for gone in ["content-encoding", "content-length", "content-md5", "etag"] {
            assert_eq!(response.field(gone), None, "{gone}");
        }
        assert_eq!(response.field("vary"), Some("accept-encoding"));
        let record = kit.record().await;
        assert_eq!(record.outcome, Outcome::Allowed);
        assert_eq!(record.fields_removed, ["customer.card", "secret"]);
        assert_eq!(record.bytes_out, response.body.len() as u64);
        assert_eq!(upstream.seen()[0].fields("accept-encoding"), ["identity"]);

        let (status, body) = crate::http2::get(&kit, "/orders/42").await;
        assert_eq!((status, body), (200, response.body), "{lines}");
        assert_eq!(kit.record().await.fields_removed, ["customer.card", "secret"]);
    }
}

#[tokio::test]
async fn a_packed_answer_about_another_tenant_is_withheld_whole() {
    let body = gzip(br#"{"name": "Ann", "tenant": "evil"}"#);
    let upstream = answering(&coding("gzip"), body).await;
    let kit = tied(&upstream, "response.tenant = identity.tenant").await;
    let response = ask(&kit, "").await;
    assert_eq!((response.status, response.reason().as_str()), (403, "object_not_allowed"));
    assert!(!String::from_utf8_lossy(&response.body).contains("Ann"));
}

#[tokio::test]
async fn a_long_packed_answer_comes_whole() {
    let shown: String = (0..2_500).map(|id| format!(r#",{{"id":{id}}}"#)).collect();
    let shown = format!("[{}]", &shown[1..]);
    let packed =
        [("gzip", gzip(&testkit_list())), ("br", LIST_BR.to_vec()), ("zstd", LIST_ZSTD.to_vec())];
    for (name, body) in packed {
        let upstream = answering(&coding(name), body).await;
        let kit = showing(&upstream, &["id"]).await;
        assert_eq!(ask(&kit, "").await.body, shown.as_bytes(), "{name}");
        let (_, body) = crate::http2::get(&kit, "/orders/42").await;
        assert_eq!(body, shown.as_bytes(), "{name}");
    }
}

/// The document of the fixtures, as the upstream that packs it has it.
fn testkit_list() -> Vec<u8> {
    let mut unpacker = filter::Unpacker::new(filter::Packing::Brotli);
    unpacker.feed(LIST_BR);
    let mut list = Vec::new();
    while !unpacker.is_hungry() {
        list.extend_from_slice(unpacker.pull().unwrap());
    }
    list
}

#[tokio::test]
async fn packed_events_are_not_held_back() {
    let upstream = Upstream::scripted(|mut conversation| async move {
        conversation.request().await?;
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                    content-encoding: zstd\r\n\r\n";
        conversation.send(head).await?;
        // A block in a frame with a window of 8 MiB, and then nothing more.
        let event = b"data: {\"id\": 1, \"name\": \"Ann\"}\n\n";
        conversation.send([0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3]).await?;
        conversation.send(&(event.len() << 3).to_le_bytes()[..3]).await?;
        conversation.send(event).await?;
        conversation.rest().await.map(drop)
    })
    .await;
    let kit = showing(&upstream, &["id"]).await;
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    assert!(client.head().await.unwrap().starts_with("HTTP/1.1 200"));
    let chunk = String::from_utf8(client.chunk().await.unwrap()).unwrap();
    assert!(chunk.contains("\"id\": 1") && !chunk.contains("Ann"), "{chunk}");
}

/// The pace of whoever reads the answer is the pace of unpacking.
#[tokio::test]
async fn a_caller_that_does_not_read_keeps_the_rest_packed() {
    let upstream = answering(&coding("br"), BOMB_BR.to_vec()).await;
    let kit = showing(&upstream, &["id"]).await;
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    assert!(client.head().await.unwrap().starts_with("HTTP/1.1 200"));
    let first = client.chunk().await.unwrap();
    assert!(first.starts_with(b"[{\"id\":1},"));
    drop(client);
    let record = kit.record().await;
    assert_eq!((record.outcome, record.reason), (Outcome::Cancelled, Some(Reason::Cancelled)));
    // Some 34 MiB would have been shown; what the sockets hold was.
    assert!(record.bytes_out < 20 << 20, "{} bytes", record.bytes_out);
}

/// Answers the first request with a text that never ends, packed 32,768 to 1, of which nothing may
/// be seen.
async fn endless() -> Upstream {
    Upstream::scripted(|mut conversation| async move {
        if conversation.number > 1 {
            conversation.request().await?;
            return conversation.send(OK).await;
        }
        conversation.request().await?;
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                    content-encoding: zstd\r\n\r\n";
        conversation.send(head).await?;
        conversation.send([0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3]).await?;
        let begin = b"{\"id\": 1, \"secret\": \"";
        conversation.send([(begin.len() as u8) << 3, 0, 0]).await?;
        conversation.send(begin).await?;
        let runs = [0x02, 0x00, 0x10, b'x'].repeat(10_000);
        while conversation.send(&runs).await.is_ok() {}
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_unpacked_and_left_out_leaves_others_their_turn() {
    let upstream = endless().await;
    let kit = showing(&upstream, &["id"]).await;
    let mut client = kit.connect().await;
    client.send(kit.get("")).await;
    assert!(client.head().await.unwrap().starts_with("HTTP/1.1 200"));
    // All of it is in one thread: this test, the upstream and the gate.
    assert_eq!(ask(&kit, "").await.body, br#"{"id":42}"#);
    assert_eq!(kit.record().await.outcome, Outcome::Allowed);
    drop(client);
    assert_eq!(kit.record().await.outcome, Outcome::Cancelled);

    let upstream = endless().await;
    let kit = showing(&upstream, &["id"]).await;
    let mut sender = plain(&kit).await;
    let response = soon(sender.send_request(request(&kit, http::Method::GET))).await.unwrap();
    assert_eq!(response.status(), 200);
    let (_, body) = crate::http2::get(&kit, "/orders/42").await;
    assert_eq!(body, br#"{"id":42}"#);
    assert_eq!(kit.record().await.outcome, Outcome::Allowed);
    drop(response);
    assert_eq!(kit.record().await.outcome, Outcome::Cancelled);
}
