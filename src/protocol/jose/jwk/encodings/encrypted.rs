//! Private keys that a password encrypts: PKCS #8 (RFC 5958 section 3) by PBES2 (RFC 8018 section 6.2).

use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::{self, Decode, Reader, SliceReader};
use pkcs8::pkcs5::Error;
use pkcs8::pkcs5::pbes2::{Kdf, PBES2_OID, Parameters};
use pkcs8::spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

use crate::protocol::jose::jwk::Refusal;
use crate::protocol::jose::password::{Password, Rounds};
use crate::protocol::model::{Encrypted, KeyError, KeyFault};

/// Most bytes that scrypt writes for a key, 128 · N · r · p: whoever wrote the file chose them. OpenSSL
/// writes 16 MiB.
const MOST_SCRYPT: u64 = 256 << 20;

/// Decrypts a key in DER to PKCS #8 in DER.
///
/// # Errors
/// [`KeyFault::Encoding`] if it is not an encrypted key, and [`KeyError::Encrypted`].
pub(super) fn decrypt(
    der: &[u8],
    password: Option<&Password>,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let (algorithm, sealed) = parts(der).map_err(|_| KeyFault::Encoding("encrypted PKCS #8"))?;
    let refused = |why| Refusal::from(KeyError::from(why));
    let scheme = scheme(&algorithm).map_err(refused)?;
    let password = password.ok_or(refused(Encrypted::NoPassword))?;
    let mut text = Zeroizing::new(sealed.to_vec());
    let opened = scheme.decrypt_in_place(password.bytes(), &mut text);
    let len = opened.map(<[u8]>::len).map_err(|error| match error == Error::DecryptFailed {
        true => refused(Encrypted::WrongPassword),
        false => refused(Encrypted::Scheme("parameters of PBES2")),
    })?;
    text.truncate(len);
    // Of 256 wrong passwords, one leaves what looks like padding.
    match PrivateKeyInfoRef::from_der(&text) {
        Ok(_) => Ok(text),
        Err(_) => Err(refused(Encrypted::WrongPassword)),
    }
}

/// The algorithm and the ciphertext. The algorithm is not interpreted yet, so that an unknown one can
/// be told from what is not an encrypted key.
fn parts(der: &[u8]) -> der::Result<(AlgorithmIdentifierRef<'_>, &[u8])> {
    let mut reader = SliceReader::new(der)?;
    let parts = reader.sequence(|reader| {
        Ok::<_, der::Error>((reader.decode()?, <&OctetStringRef>::decode(reader)?.as_bytes()))
    })?;
    reader.finish()?;
    Ok(parts)
}

/// The parameters of PBES2, if this program reads them and deriving the key takes a reasonable time.
fn scheme(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<Parameters, Encrypted> {
    if algorithm.oid != PBES2_OID {
        return Err(Encrypted::Scheme("not PBES2"));
    }
    let unknown = Encrypted::Scheme("another key derivation or cipher of PBES2");
    let parameters = algorithm.parameters.ok_or(unknown)?;
    let scheme = Parameters::try_from(parameters).map_err(|_| unknown)?;
    check_cost(&scheme.kdf).map(|()| scheme)
}

fn check_cost(kdf: &Kdf) -> Result<(), Encrypted> {
    if let Some(pbkdf2) = kdf.pbkdf2()
        && pbkdf2.iteration_count > Rounds::MOST
    {
        return Err(Encrypted::Rounds { found: pbkdf2.iteration_count, most: Rounds::MOST });
    }
    if let Some(scrypt) = kdf.scrypt() {
        let sizes = [scrypt.block_size, scrypt.parallelization].map(u64::from);
        let of_n = sizes.into_iter().fold(128, u64::wrapping_mul);
        let found = scrypt.cost_parameter.saturating_mul(of_n);
        // The crate panics if N is 0.
        if found == 0 || scrypt.cost_parameter < 2 {
            return Err(Encrypted::Scheme("parameters of scrypt"));
        }
        if found > MOST_SCRYPT {
            return Err(Encrypted::Scrypt { found, most: MOST_SCRYPT });
        }
    }
    Ok(())
}
