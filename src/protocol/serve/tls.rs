//! TLS of the servers and of what sends to them: rustls, with cryptography that needs no C compiler.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsFault {
    /// The processor lacks the instructions that the library needs.
    #[error("this processor lacks instructions that TLS needs here: put a proxy with TLS in front")]
    Processor,
    /// A file holds no certificates.
    #[error("{0}")]
    Certificates(String),
    /// A file holds no private key.
    #[error("{0}")]
    Key(String),
    /// They do not go together.
    #[error("{0}")]
    Refused(rustls::Error),
}

/// What TLS computes with; `None` if this processor cannot run it.
pub(super) fn provider() -> Option<Arc<CryptoProvider>> {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    return is_supported().then(|| Arc::new(rustls_graviola::default_provider()));
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return None;
}

#[cfg(target_arch = "x86_64")]
fn is_supported() -> bool {
    graviola::util::is_cpu_supported()
}

/// As the crate `graviola` asserts.
#[cfg(target_arch = "aarch64")]
fn is_supported() -> bool {
    use std::arch::is_aarch64_feature_detected as has;
    has!("neon") && has!("aes") && has!("pmull") && has!("sha2")
}

/// What a server needs for TLS, from a chain of certificates and a private key, both in PEM.
///
/// # Errors
/// [`TlsFault`].
pub fn server(certificates: &[u8], key: &[u8]) -> Result<Arc<rustls::ServerConfig>, TlsFault> {
    let chain = CertificateDer::pem_slice_iter(certificates).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|error| TlsFault::Certificates(error.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(key);
    let key = key.map_err(|error| TlsFault::Key(error.to_string()))?;
    let config =
        rustls::ServerConfig::builder_with_provider(provider().ok_or(TlsFault::Processor)?);
    let config = config.with_safe_default_protocol_versions().map_err(TlsFault::Refused)?;
    let config = config.with_no_client_auth().with_single_cert(chain, key);
    let mut config = config.map_err(TlsFault::Refused)?;
    // HTTP/2 has no time limit for connections on which nothing is asked.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
