//! The data of the corpus.

use super::{Case, Expect};

const fn refused(
    name: &'static str,
    request: &'static str,
    status: u16,
    reason: &'static str,
) -> Case {
    Case { name, request, expect: Expect::Refused(status, reason) }
}

const fn arrives(name: &'static str, request: &'static str, line: &'static str) -> Case {
    Case { name, request, expect: Expect::Arrives(line) }
}

/// Rows 1 to 3.
pub const TARGETS: &[Case] = &[
    refused(
        "row 1: dot segment",
        "GET /orders/../admin HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 1: dot segment at the end",
        "GET /orders/.. HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 1: single dot",
        "GET /orders/./42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 1: dot segment before the prefix",
        "GET /public/../orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 1: escaped dots",
        "GET /orders/%2e%2e/admin HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 1: half escaped dots",
        "GET /orders/.%2E/admin HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 1: path parameter",
        "GET /orders/42;x=1 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 1: path parameter that hides dots",
        "GET /orders/..;/admin HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 1: escaped path parameter",
        "GET /orders/42%3bx HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    arrives(
        "row 1: trailing slash is another path",
        "GET /orders/42/ HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        "GET /orders/42/ HTTP/1.1",
    ),
    arrives(
        "row 1: dots inside a name stay",
        "GET /orders/a..b HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        "GET /orders/a..b HTTP/1.1",
    ),
    arrives(
        "row 1: escaped letters become letters",
        "GET /orders/%34%32 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        "GET /orders/42 HTTP/1.1",
    ),
    arrives(
        "row 1: hexadecimal digits in one case",
        "GET /orders/%c3%a9 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        "GET /orders/%C3%A9 HTTP/1.1",
    ),
    refused(
        "row 2: escaped slash",
        "GET /orders%2f42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 2: escaped slash, upper case",
        "GET /orders%2F42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 2: escaped backslash",
        "GET /orders/%5c..%5cadmin HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 2: escaped NUL",
        "GET /orders/42%00.json HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 2: escaped line end",
        "GET /orders/42%0d%0ax HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 2: double encoding of a slash",
        "GET /orders/%252fadmin HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 2: double encoding of dots",
        "GET /orders/%252e%252e/admin HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 2: double encoding put together",
        "GET /orders/%25%32%65 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 2: overlong slash",
        "GET /orders/%c0%af HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 2: overlong dots",
        "GET /orders/%c0%ae%c0%ae/x HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 2: bad escape",
        "GET /orders/%zz HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 2: cut escape",
        "GET /orders/%4 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 2: escaped NUL in the query",
        "GET /orders/42?a=%00 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 2: cut escape in the query",
        "GET /orders/42?a=%4 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 3: fragment",
        "GET /orders/42#/admin HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 3: fragment in the query",
        "GET /orders/42?a#b HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 3: missing leading slash",
        "GET orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 3: double slash",
        "GET //orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 3: double slash inside",
        "GET /orders//42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 3: backslash",
        "GET /orders\\42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 3: backslash in the query",
        "GET /orders/42?a\\b HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 3: asterisk for GET",
        "GET * HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 3: empty absolute scheme",
        "GET ://api/orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 3: other scheme",
        "GET ftp://api/orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 3: bytes beyond ASCII",
        "GET /orders/\u{e9} HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
    refused(
        "row 3: two spaces",
        "GET  /orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 3: no target",
        "GET HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 3: tab for space",
        "GET\t/orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 3: CONNECT",
        "CONNECT api:80 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "malformed_request",
    ),
    arrives(
        "row 3: a query is kept as it came",
        "GET /orders/42?b=%2f&a=[1] HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        "GET /orders/42?b=%2f&a=[1] HTTP/1.1",
    ),
];

/// Rows 4 and 5.
pub const FRAMINGS: &[Case] = &[
    refused(
        "row 4: both framings",
        "POST /orders HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: both framings, other order",
        "POST /orders HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\ntransfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: two lengths",
        "POST /orders HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nabcd",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: two equal lengths",
        "POST /orders HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\ncontent-length: 4\r\ncontent-length: 4\r\n\r\nabcd",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: list of lengths",
        "POST /orders HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\ncontent-length: 4, 4\r\n\r\nabcd",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: signed length",
        "POST /orders HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\ncontent-length: +4\r\n\r\nabcd",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: negative length",
        "POST /orders HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\ncontent-length: -1\r\n\r\nabcd",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: hexadecimal length",
        "POST /orders HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\ncontent-length: 0x4\r\n\r\nabcd",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: empty length",
        "POST /orders HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\ncontent-length: \r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: length beyond 64 bits",
        "POST /orders HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\ncontent-length: 18446744073709551616\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: coding list",
        "POST /orders HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: coding twice",
        "POST /orders HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: coding with identity",
        "POST /orders HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\ntransfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: unknown coding",
        "POST /orders HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: quoted coding",
        "POST /orders HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\ntransfer-encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: coding with vertical tab",
        "POST /orders HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\ntransfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: coding with parameter",
        "POST /orders HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\ntransfer-encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: space before the colon",
        "POST /orders HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: alias of the coding",
        "POST /orders HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\ntransfer_encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: alias of the length",
        "POST /orders HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\ncontent_length: 4\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: coding in HTTP/1.0",
        "POST /orders HTTP/1.0\r\nhost: api\r\nauthorization: Bearer @KEY\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: folded coding",
        "POST /orders HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\ntransfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: folded first line",
        "GET /orders/42 HTTP/1.1\r\n x: y\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: bare LF ends a line",
        "POST /orders HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\nx: y\ncontent-length: 4\r\n\r\nabcd",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: bare CR in a value",
        "POST /orders HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\nx: y\rcontent-length: 4\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: NUL in a value",
        "POST /orders HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\nx: y\0z\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: bare LF ends the head",
        "GET /orders/42 HTTP/1.1\r\nhost: api\n\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: version of the future",
        "GET /orders/42 HTTP/1.2\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: HTTP/0.9",
        "GET /orders/42\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: lower-case version",
        "GET /orders/42 http/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 4: two empty lines first",
        "\r\n\r\nGET /orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "malformed_request",
    ),
    arrives(
        "row 4: empty line before the request",
        "\r\nGET /orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        "GET /orders/42 HTTP/1.1",
    ),
    refused(
        "row 5: WebSocket with a body",
        "GET /orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\nconnection: upgrade\r\nupgrade: websocket\r\ncontent-length: 4\r\n\r\nabcd",
        400,
        "malformed_request",
    ),
];

/// Rows 6 and 11.
pub const HEADERS: &[Case] = &[
    refused(
        "row 6: two Authorization",
        "GET /orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\nauthorization: Bearer x\r\n\r\n",
        400,
        "forbidden_header",
    ),
    refused(
        "row 6: two keys",
        "GET /orders/42 HTTP/1.1\r\nhost: api\r\nx-api-key: @KEY\r\nx-api-key: @KEY\r\n\r\n",
        400,
        "forbidden_header",
    ),
    refused(
        "row 6: a token and a key",
        "GET /orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\nx-api-key: @KEY\r\n\r\n",
        400,
        "forbidden_header",
    ),
    refused(
        "row 6: two Host",
        "GET /orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\nhost: api\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 6: two Host that differ",
        "GET /orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\nhost: other\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 6: alias of Host",
        "GET /orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\nHOST_: other\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 6: two expectations",
        "GET /orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\nexpect: 100-continue\r\nexpect: 100-continue\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 6: unknown expectation",
        "GET /orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\nexpect: 200-ok\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 6: control byte in a value",
        "GET /orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\nx: \x01\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 6: name that is no token",
        "GET /orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\nx(y): z\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 6: empty name",
        "GET /orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n: z\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 6: line without colon",
        "GET /orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\nnonsense\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 11: method override",
        "GET /orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\nX-HTTP-Method-Override: DELETE\r\n\r\n",
        400,
        "forbidden_header",
    ),
    refused(
        "row 11: method override, underscores",
        "GET /orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\nx_http_method_override: DELETE\r\n\r\n",
        400,
        "forbidden_header",
    ),
    refused(
        "row 11: method override, short",
        "GET /orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\nX-Method-Override: DELETE\r\n\r\n",
        400,
        "forbidden_header",
    ),
    refused(
        "row 11: method override, Microsoft",
        "GET /orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\nX-HTTP-Method: DELETE\r\n\r\n",
        400,
        "forbidden_header",
    ),
    refused(
        "row 11: method override in the query",
        "GET /orders/42?_method=DELETE HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "forbidden_header",
    ),
    refused(
        "row 11: method override in the query, escaped",
        "GET /orders/42?a=1&%5fmethod=DELETE HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "forbidden_header",
    ),
    refused(
        "row 11: method override in the query, header's name",
        "GET /orders/42?x-http-method-override=PUT HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "forbidden_header",
    ),
    refused(
        "row 11: target override",
        "GET /orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\nX-Original-URL: /admin\r\n\r\n",
        400,
        "forbidden_header",
    ),
    refused(
        "row 11: target override, rewrite",
        "GET /orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\nX-Rewrite-Url: /admin\r\n\r\n",
        400,
        "forbidden_header",
    ),
];

/// Row 10.
pub const AUTHORITIES: &[Case] = &[
    refused(
        "row 10: no Host",
        "GET /orders/42 HTTP/1.1\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 10: no Host in HTTP/1.0",
        "GET /orders/42 HTTP/1.0\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 10: empty Host",
        "GET /orders/42 HTTP/1.1\r\nhost: \r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 10: Host with user",
        "GET /orders/42 HTTP/1.1\r\nhost: a@api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 10: Host with path",
        "GET /orders/42 HTTP/1.1\r\nhost: api/x\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 10: Host with space",
        "GET /orders/42 HTTP/1.1\r\nhost: api other\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 10: Host list",
        "GET /orders/42 HTTP/1.1\r\nhost: api, other\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 10: Host with bad port",
        "GET /orders/42 HTTP/1.1\r\nhost: api:99999\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 10: Host with signed port",
        "GET /orders/42 HTTP/1.1\r\nhost: api:+80\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "malformed_request",
    ),
    refused(
        "row 10: target and Host differ",
        "GET http://other/orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        421,
        "authority_mismatch",
    ),
    refused(
        "row 10: target and Host differ by port",
        "GET http://api:81/orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        421,
        "authority_mismatch",
    ),
    refused(
        "row 10: target with user",
        "GET http://api@other/orders/42 HTTP/1.1\r\nhost: other\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "malformed_request",
    ),
    arrives(
        "row 10: absolute target that agrees",
        "GET http://API:80/orders/42 HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        "GET /orders/42 HTTP/1.1",
    ),
    refused(
        "row 10: absolute target with dots",
        "GET http://api/orders/../x HTTP/1.1\r\nhost: api\r\nauthorization: Bearer @KEY\r\n\r\n",
        400,
        "non_canonical_target",
    ),
];
