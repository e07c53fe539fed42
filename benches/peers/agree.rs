//! That a peer does the same work: the same bytes as our kernels, on every backend of this
//! processor. Checked before anything is timed.

use aws_lc_rs::aead as aws;
use aws_lc_rs::agreement::{ECDH_P256, X25519};
use orderseal::bench::rows::fixtures::{bytes, pairs, rng};
use orderseal::ciphers::aes::AesKey;
use orderseal::ciphers::aes::ctr::Ctr;
use orderseal::ciphers::aes::gcm::Gcm as OurGcm;
use orderseal::ciphers::aes::kw::{self, Keks, OVERHEAD};
use orderseal::ciphers::cpu::Backend;
use orderseal::ciphers::ecdh::{Curve, PrivateKey, agree};
use orderseal::ciphers::des::{self, DesKey, Message, TripleDesKey};
use orderseal::ciphers::rsa::{self, OaepHash, UnwrapJob, WrapJob};
use orderseal::ciphers::x25519::{self, PublicKey, SecretKey, SharedSecret};
use ring::aead as ring;

use super::curves;
use super::gcm::{self, Gcm};
use super::modes::{self, Cipher};
use super::wrapping::{self, Pair};

/// Bytes of a text: of one block, of what is not whole blocks of a kernel, and the longest.
const SIZES: [usize; 4] = [16, 208, 16 << 10, 1 << 20];

/// Panics where a peer differs from us, saying where.
pub fn check() {
    for backend in Backend::available() {
        for size in SIZES {
            ctr(backend, size);
            gcm::<aws::LessSafeKey>(backend, size);
            gcm::<ring::LessSafeKey>(backend, size);
            des::<DesKey, 8>("des", backend, size);
            des::<TripleDesKey, 24>("des-ede3", backend, size);
        }
        key_wrap(backend);
        oaep(backend);
        x25519(backend);
        p256(backend);
    }
}

fn ctr(backend: Backend, size: usize) {
    for name in ["aes-128", "aes-256"] {
        let cipher = Cipher::from_name(name).expect("a peer's cipher");
        let (key, mut ours, mut theirs) = (bytes(cipher.key), bytes(size), bytes(size));
        Ctr::new(backend, AesKey::new(&key).expect("its length")).apply128(&[modes::IV; 16], &mut ours);
        cipher.encryptor("ctr", &key).expect("a mode of it").encrypt(&mut theirs);
        assert!(ours == theirs, "ctr/{name}/{backend}/{size} is not what aws-lc-rs makes");
    }
}

fn gcm<G: Gcm>(backend: Backend, size: usize) {
    for len in [16, 32] {
        let (key, mut ours, mut theirs) = (bytes(len), bytes(size), bytes(size));
        let tag = OurGcm::new(backend, AesKey::new(&key).expect("its length")).seal(&gcm::IV, b"", &mut ours);
        let peer = G::ready(&key);
        let peers_tag = peer.seal(&mut theirs);
        let same = ours == theirs && tag == *peers_tag.as_ref();
        assert!(same, "AES-GCM, key of {len}, {backend}, {size}: not what {} makes", G::NAME);
        peer.open(&mut ours, &peers_tag);
        assert!(ours == bytes(size), "{} opens what was sealed", G::NAME);
    }
}

fn des<K: des::Key + From<[u8; N]>, const N: usize>(name: &str, backend: Backend, size: usize) {
    let cipher = Cipher::from_name(name).expect("a peer's cipher");
    let bytes_of_key = bytes(N);
    let key = K::from(bytes_of_key[..].try_into().expect("its length"));
    let (mut ours, mut theirs) = (bytes(size), bytes(size));
    let same = |what: &str, ours: &[u8], theirs: &[u8]| {
        assert!(ours == theirs, "{what}/{name}/{backend}/{size} is not what aws-lc-rs makes");
    };
    des::ecb_encrypt(backend, &key, ours.as_chunks_mut().0);
    cipher.encryptor("ecb", &bytes_of_key).expect("a mode of it").encrypt(&mut theirs);
    same("ecb", &ours, &theirs);
    des::cbc_decrypt(backend, &key, [modes::IV; 8], ours.as_chunks_mut().0);
    cipher.decryptor(&bytes_of_key).decrypt(&mut theirs);
    same("cbc-decrypt", &ours, &theirs);
    let message = Message { key: &key, iv: [modes::IV; 8], data: ours.as_chunks_mut().0 };
    des::cbc_encrypt_many(backend, &mut [message]);
    cipher.encryptor("cbc-encrypt", &bytes_of_key).expect("a mode of it").encrypt(&mut theirs);
    same("cbc-encrypt", &ours, &theirs);
}

fn key_wrap(backend: Backend) {
    const CEK: usize = 32;
    for len in [16, 32] {
        let (kek, ceks) = (bytes(len), bytes(3 * CEK));
        let mut ours = vec![0; 3 * (CEK + OVERHEAD)];
        let mut theirs = ours.clone();
        kw::wrap_many(backend, Keks::one(AesKey::new(&kek).expect("its length")), CEK, &ceks, &mut ours);
        let each = ceks.chunks_exact(CEK).zip(theirs.chunks_exact_mut(CEK + OVERHEAD));
        each.for_each(|(cek, wrapped)| wrapping::wrap(&kek, cek, wrapped));
        assert!(ours == theirs, "key wrap, key of {len}, {backend}: not what aws-lc-rs makes");
        let mut unwrapped = [0; CEK];
        wrapping::unwrap(&kek, &ours[..CEK + OVERHEAD], &mut unwrapped);
        assert!(unwrapped == ceks[..CEK], "aws-lc-rs unwraps what was wrapped");
    }
}

/// OAEP is random, so each side opens what the other made.
fn oaep(backend: Backend) {
    let (pair, cek) = (&pairs(2048)[0], bytes(32));
    let peer = Pair::of(pair);
    let mut wrapped = vec![0; 2048 / 8];
    let job = WrapJob { key: pair.public(), hash: OaepHash::Sha256, label: b"", message: &cek };
    rsa::oaep_wrap_many(backend, &[job], &mut rng(), &mut wrapped).expect("a short message");
    let unwrapped = peer.unwrap(&wrapped, &mut [0; 2048 / 8]) == cek;
    assert!(unwrapped, "RSA-OAEP-256, {backend}: aws-lc-rs unwraps another key");
    peer.wrap(&cek, &mut wrapped);
    let job = UnwrapJob { key: pair, hash: OaepHash::Sha256, label: b"", ciphertext: &wrapped };
    let unwrapped = rsa::oaep_unwrap_many(backend, &[job], &mut rng());
    let unwrapped = unwrapped[0].message() == Some(&cek[..]);
    assert!(unwrapped, "RSA-OAEP-256, {backend}: not what aws-lc-rs wrapped");
}

fn x25519(backend: Backend) {
    let secrets = [1, 2].map(|fill| SecretKey::from([fill; 32]));
    let mut publics = [PublicKey::default(); 2];
    x25519::public_keys(backend, &secrets, &mut publics);
    let mut shared = [SharedSecret::default()];
    x25519::agree(backend, &[(&secrets[0], &publics[1])], &mut shared);
    let peers = secrets.each_ref().map(|secret| curves::secret(&X25519, secret.as_bytes()));
    let same = publics[1].as_bytes()[..] == curves::public(&peers[1])
        && shared[0].bytes().map(|bytes| &bytes[..])
            == Some(&curves::shared(&peers[0], publics[1].as_bytes())[..]);
    assert!(same, "X25519, {backend}: not what aws-lc-rs makes");
}

fn p256(backend: Backend) {
    let keys = [1, 2].map(|fill| {
        PrivateKey::from_secret(backend, Curve::P256, &[fill; 32]).expect("a number of the curve")
    });
    let shared = agree(backend, &[(&keys[0], keys[1].public())]).remove(0).expect("one curve");
    let peers = keys.each_ref().map(|key| curves::secret(&ECDH_P256, key.secret()));
    let public = keys[1].public();
    let uncompressed = [&[4], public.x(), public.y().expect("a second coordinate")].concat();
    let same = uncompressed == curves::public(&peers[1])
        && shared.as_bytes() == curves::shared(&peers[0], &uncompressed);
    assert!(same, "P-256, {backend}: not what aws-lc-rs makes");
}
