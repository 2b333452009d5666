//! One way to make an HTTPS client, so that every outside call has its time limits and nobody has
//! to install a TLS provider for the whole process.

use crate::Error;
use std::{sync::Arc, time::Duration};

/// What a client may cost before it gives up.
pub(crate) struct Limits {
    /// Longest wait for a connection, ms.
    pub(crate) connect_ms: u64,
    /// Longest silence while an answer is being read, ms.
    pub(crate) silence_ms: u64,
    /// Longest time for a whole call, ms; `None` for downloads, whose length nobody knows.
    pub(crate) total_ms: Option<u64>,
    /// Redirects followed. 0 wherever a key is sent: reqwest takes `authorization` off a request
    /// that leaves for another host, but not `api-key`.
    pub(crate) redirects: usize,
}

/// Makes a client on rustls with the ring provider and the Mozilla roots.
///
/// # Errors
/// [`Error::Model`] when TLS cannot be set up; no input of ours leads there.
pub(crate) fn client(limits: &Limits) -> Result<reqwest::Client, Error> {
    let broken = |reason: String| Error::Model(format!("cannot set up https: {reason}"));
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .map_err(|error| broken(error.to_string()))?
    .with_root_certificates(roots)
    .with_no_client_auth();
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("frontdesk/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_millis(limits.connect_ms))
        .read_timeout(Duration::from_millis(limits.silence_ms))
        .redirect(reqwest::redirect::Policy::limited(limits.redirects));
    if limits.redirects == 0 {
        builder = builder.redirect(reqwest::redirect::Policy::none());
    }
    if let Some(total_ms) = limits.total_ms {
        builder = builder.timeout(Duration::from_millis(total_ms));
    }
    builder.build().map_err(|error| broken(error.without_url().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_needs_no_process_wide_tls_provider() {
        let limits = Limits { connect_ms: 100, silence_ms: 100, total_ms: Some(100), redirects: 0 };
        assert!(client(&limits).is_ok());
    }
}
