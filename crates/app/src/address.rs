//! Host names, path prefixes and upstream addresses of APIs, in the one form that is stored.

use base::Problem;

/// A host name without port, lower case.
pub(crate) fn host(text: &str) -> Result<String, Problem> {
    let host = text.trim().to_ascii_lowercase();
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if host.len() > 253 || !host.split('.').all(label) {
        let detail = format!("`{text}` is not a host name");
        return Err(Problem::invalid("bad_host", detail)
            .at("hosts")
            .hint("write it without scheme and port, e.g. api.example.com"));
    }
    Ok(host)
}

/// A path prefix: leading slash, no trailing one, `/` for everything.
pub(crate) fn path_prefix(text: &str) -> Result<String, Problem> {
    let bad = |detail: &str| {
        let detail = format!("`{text}`: {detail}");
        Err(Problem::invalid("bad_path", detail).at("path").hint("write it like /orders"))
    };
    if text == "/" {
        return Ok("/".to_owned());
    }
    let Some(rest) = text.strip_prefix('/') else { return bad("a path starts with a slash") };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:@!$'()*+,;=".contains(&byte);
    if !rest.bytes().all(plain) {
        return bad("only unencoded path characters are taken");
    }
    if rest.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return bad("empty and dot segments have two readings");
    }
    Ok(format!("/{rest}"))
}

/// An upstream address, as written but for a trailing slash.
pub(crate) fn upstream(text: &str) -> Result<String, Problem> {
    let bad = |detail: String| {
        Err(Problem::invalid("bad_upstream", detail)
            .at("upstream")
            .hint("write it like http://10.0.0.7:9000"))
    };
    match traffic::UpstreamUrl::parse(text) {
        Ok(_) => Ok(text.trim_end_matches('/').to_owned()),
        Err(why) => bad(format!("`{text}`: {why}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_with_two_readings_are_refused() {
        for path in
            ["", "orders", "//", "/a//b", "/a/../b", "/./a", "/a?x", "/a%2fb", "/{id}", "/é"]
        {
            let problem = path_prefix(path).unwrap_err();
            assert_eq!(
                (problem.reason.as_str(), problem.place.as_deref()),
                ("bad_path", Some("path"))
            );
        }
        assert_eq!(path_prefix("/orders/").unwrap(), "/orders");
        assert_eq!(path_prefix("/").unwrap(), "/");
    }

    #[test]
    fn an_upstream_is_a_plain_http_address() {
        for url in [
            "",
            "10.0.0.7:9000",
            "ftp://x",
            "http://u:p@x",
            "http://x/?a",
            "http://x/#a",
            "http://",
        ] {
            assert_eq!(upstream(url).unwrap_err().place.as_deref(), Some("upstream"), "{url}");
        }
        assert_eq!(upstream("http://10.0.0.7:9000/").unwrap(), "http://10.0.0.7:9000");
        assert_eq!(upstream("https://x.test/base").unwrap(), "https://x.test/base");
    }

    #[test]
    fn a_host_has_no_scheme_port_or_wildcard() {
        for name in ["", "http://x", "x:80", "*.x", "-x", "a..b", "x/y", &"a".repeat(64)] {
            assert_eq!(host(name).unwrap_err().place.as_deref(), Some("hosts"), "{name}");
        }
        assert_eq!(host("API.Example.com").unwrap(), "api.example.com");
    }
}
