//! The machine: clock, disk, files.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base::{Clock, Span, Timestamp};

use super::Finding;
use crate::config::{Settings, TlsFiles};
use crate::system::SystemClock;

/// No working clock is before the day this was written.
const EARLIEST: Timestamp = Timestamp::from_secs(1_750_000_000);
/// Less free space than this stops the decision log within hours on a busy gate.
const FREE_BYTES_LOW: u64 = 1 << 30;
const FREE_BYTES_MIN: u64 = 64 << 20;
/// A certificate that ends this soon should have a successor.
const EXPIRES_SOON: Span = Span::from_days(14);

pub(super) fn clock() -> Finding {
    let now = SystemClock.now();
    match now < EARLIEST {
        false => Finding::ok("clock", now.to_string()),
        true => Finding::failed(
            "clock",
            format!("it says {now}: tokens and grants would be judged by a wrong time"),
            "set the clock, and run a time service (systemd-timesyncd, chrony)",
        ),
    }
}

pub(super) fn data(folder: &Path) -> Vec<Finding> {
    let place = folder.display().to_string();
    let probe = folder.join(".doctor");
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&probe, b"?"));
    let _ = std::fs::remove_file(&probe);
    if let Err(error) = written {
        let fix = format!("let the user that runs portreeve write to {place}");
        return vec![Finding::failed("data", format!("{place}: {error}"), fix)];
    }
    vec![Finding::ok("data", place), space(folder)]
}

fn space(folder: &Path) -> Finding {
    let fix = "free space on the file system of `data`; the gate refuses requests that it \
               cannot record";
    match rustix::fs::statvfs(folder) {
        Err(error) => Finding::warning("disk", error.to_string(), "look at `df` yourself"),
        Ok(system) => {
            let free = system.f_bavail.saturating_mul(system.f_frsize);
            let detail = format!("{} MiB free", free >> 20);
            match free {
                free if free < FREE_BYTES_MIN => Finding::failed("disk", detail, fix),
                free if free < FREE_BYTES_LOW => Finding::warning("disk", detail, fix),
                _ => Finding::ok("disk", detail),
            }
        }
    }
}

pub(super) fn secrets(settings: &Settings) -> Vec<Finding> {
    let mut found = match crate::serve::keys::load(settings) {
        Ok(_) => vec![Finding::ok("keys", "pepper and signing key are readable")],
        Err(problem) => vec![Finding::problem("keys", &problem)],
    };
    for path in [settings.pepper.path(), settings.signing.path()].into_iter().flatten() {
        let Ok(metadata) = std::fs::metadata(&path) else { continue };
        let mode = metadata.permissions().mode();
        if mode & 0o077 != 0 {
            let place = path.display();
            found.push(Finding::failed(
                "keys",
                format!("{place} can be read by others (mode {:o})", mode & 0o777),
                format!("chmod 600 {place}"),
            ));
        }
    }
    found
}

pub(super) fn tls(files: Option<&TlsFiles>) -> Vec<Finding> {
    let Some(files) = files else {
        return vec![Finding::skipped("tls", "there is no [tls]")];
    };
    let (chain, key) = match (std::fs::read(&files.cert), std::fs::read(&files.key)) {
        (Ok(chain), Ok(key)) => (chain, key),
        (Err(error), _) => return vec![unreadable(&files.cert, &error)],
        (_, Err(error)) => return vec![unreadable(&files.key, &error)],
    };
    if let Err(problem) = proxy::tls::server_config(&chain, &key, None) {
        return vec![Finding::problem("tls", &problem)];
    }
    vec![expiry(&chain)]
}

fn unreadable(path: &Path, error: &std::io::Error) -> Finding {
    let fix = "name readable PEM files in [tls]";
    Finding::failed("tls", format!("{}: {error}", path.display()), fix)
}

/// The first certificate of the chain is the server's own.
fn expiry(chain: &[u8]) -> Finding {
    let parsed = x509_parser::pem::parse_x509_pem(chain).ok().and_then(|(_, pem)| {
        let certificate = pem.parse_x509().ok()?;
        Some(Timestamp::from_secs(certificate.validity().not_after.timestamp()))
    });
    let Some(end) = parsed else {
        return Finding::warning("tls", "the certificate's end cannot be read", "look at it");
    };
    let left = end.since(SystemClock.now());
    let fix = "get the next certificate, put it in place and restart";
    let detail = format!("the certificate is good until {end}");
    if left.as_micros() <= 0 {
        return Finding::failed("tls", format!("the certificate ended at {end}"), fix);
    }
    if left < EXPIRES_SOON {
        Finding::warning("tls", detail, fix)
    } else {
        Finding::ok("tls", detail)
    }
}
