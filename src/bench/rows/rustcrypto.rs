//! The RustCrypto crates in the modes that their users call, generic over the cipher.

use ::aes::cipher::{
    Block, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, BlockSizeUser, KeyInit,
    KeyIvInit, KeySizeUser, StreamCipher, array::Array,
};
use aes_gcm::aead::{AeadInOut, Nonce, Tag};

use super::fixtures::{bytes, pieces};
use super::{LARGE, MESSAGES, ORDER_SIZES, Row, SIZES, USUAL, USUAL_ORDER, orders_at_once};

const NAME: &str = "rustcrypto";

/// Encrypts each block of a message separately.
pub fn ecb<C>(cipher: &'static str) -> impl Iterator<Item = Row>
where
    C: BlockCipherEncrypt + KeyInit + Send + 'static,
{
    SIZES.into_iter().map(move |size| {
        let set_up = move || {
            let key = C::new_from_slice(&bytes(C::key_size())).expect("a key of its length");
            let mut text = bytes(size);
            move || key.encrypt_blocks(blocks::<C>(&mut text))
        };
        Row::new("ecb", cipher, NAME, size, set_up).extra(size != USUAL)
    })
}

/// Encrypts a message in counter mode.
pub fn ctr<M>(cipher: &'static str) -> impl Iterator<Item = Row>
where
    M: StreamCipher + KeyIvInit + Send + 'static,
{
    SIZES.into_iter().map(move |size| {
        let set_up = move || {
            let mut mode = keyed::<M>();
            let mut text = bytes(size);
            move || mode.apply_keystream(&mut text)
        };
        Row::new("ctr", cipher, NAME, size, set_up).extra(size != USUAL)
    })
}

/// Decrypts a message in CBC mode.
pub fn cbc_decrypt<M>(cipher: &'static str) -> impl Iterator<Item = Row>
where
    M: BlockModeDecrypt + KeyIvInit + Send + 'static,
{
    SIZES.into_iter().map(move |size| {
        let set_up = move || {
            let mut mode = keyed::<M>();
            let mut text = bytes(size);
            move || mode.decrypt_blocks(blocks::<M>(&mut text))
        };
        Row::new("cbc-decrypt", cipher, NAME, size, set_up).extra(size != USUAL)
    })
}

/// Encrypts messages in CBC mode, each under its own key.
pub fn cbc_encrypt<M>(cipher: &'static str) -> Row
where
    M: BlockModeEncrypt + KeyIvInit + 'static,
{
    let (count, size) = MESSAGES;
    let set_up = move || {
        let keys = pieces(count, M::key_size());
        let iv = bytes(M::iv_size());
        let mut texts = pieces(count, size);
        move || {
            for (key, text) in keys.iter().zip(&mut texts) {
                let mut mode = M::new_from_slices(key, &iv).expect("key and IV of their lengths");
                mode.encrypt_blocks(blocks::<M>(text));
            }
        }
    };
    Row::new("cbc-encrypt", cipher, NAME, size, set_up).batch(count)
}

/// Authenticated encryption of long messages and of orders under one prepared key, and of orders
/// each under its own key.
pub fn aead<A>(cipher: &'static str) -> Vec<Row>
where
    A: AeadInOut + KeyInit + KeySizeUser + Send + 'static,
{
    let long = [USUAL, LARGE].map(|size| seal_one_key::<A>(cipher, size, 1).extra(size != USUAL));
    let orders = ORDER_SIZES.into_iter().flat_map(|size| {
        [
            seal_one_key::<A>(cipher, size, orders_at_once(size)),
            seal::<A>(cipher, size),
            open::<A>(cipher, size),
        ]
        .map(|row| row.extra(size != USUAL_ORDER))
    });
    long.into_iter().chain(orders).collect()
}

/// Seals messages under one prepared key.
fn seal_one_key<A>(cipher: &'static str, size: usize, count: usize) -> Row
where
    A: AeadInOut + KeyInit + KeySizeUser + Send + 'static,
{
    let set_up = move || {
        let key = key::<A>(&bytes(A::key_size()));
        let nonce = bytes(12);
        let mut texts = bytes(count * size);
        move || {
            for text in texts.chunks_exact_mut(size) {
                encrypt(&key, &nonce, text);
            }
        }
    };
    Row::new("seal-one-key", cipher, NAME, size, set_up).batch(count)
}

/// Seals orders, each under its own key.
fn seal<A>(cipher: &'static str, size: usize) -> Row
where
    A: AeadInOut + KeyInit + KeySizeUser + 'static,
{
    let count = orders_at_once(size);
    let set_up = move || {
        let keys = bytes(count * A::key_size());
        let nonce = bytes(12);
        let mut texts = bytes(count * size);
        move || {
            let keys = keys.chunks_exact(A::key_size());
            for (bytes, text) in keys.zip(texts.chunks_exact_mut(size)) {
                encrypt(&key::<A>(bytes), &nonce, text);
            }
        }
    };
    Row::new("seal", cipher, NAME, size, set_up).batch(count)
}

/// Opens orders, each under its own key; opening works in place, so each order is copied first.
fn open<A>(cipher: &'static str, size: usize) -> Row
where
    A: AeadInOut + KeyInit + KeySizeUser + 'static,
{
    let count = orders_at_once(size);
    let set_up = move || {
        let keys = bytes(count * A::key_size());
        let nonce = bytes(12);
        let mut sealed = bytes(count * size);
        let tags: Vec<Tag<A>> = keys
            .chunks_exact(A::key_size())
            .zip(sealed.chunks_exact_mut(size))
            .map(|(bytes, text)| encrypt(&key::<A>(bytes), &nonce, text))
            .collect();
        let mut texts = sealed.clone();
        move || {
            texts.copy_from_slice(&sealed);
            let keys = keys.chunks_exact(A::key_size());
            for ((bytes, text), tag) in keys.zip(texts.chunks_exact_mut(size)).zip(&tags) {
                let nonce = <&Nonce<A>>::try_from(&nonce[..]).expect("12 bytes");
                key::<A>(bytes)
                    .decrypt_inout_detached(nonce, b"", text.into(), tag)
                    .expect("what was sealed above");
            }
        }
    };
    Row::new("open", cipher, NAME, size, set_up).batch(count)
}

fn key<A: KeyInit>(bytes: &[u8]) -> A {
    A::new_from_slice(bytes).expect("a key of its length")
}

fn encrypt<A: AeadInOut>(key: &A, nonce: &[u8], text: &mut [u8]) -> Tag<A> {
    let nonce = <&Nonce<A>>::try_from(nonce).expect("12 bytes");
    key.encrypt_inout_detached(nonce, b"", text.into()).expect("far shorter than 64 GiB")
}

fn keyed<M: KeyIvInit>() -> M {
    M::new_from_slices(&bytes(M::key_size()), &bytes(M::iv_size()))
        .expect("key and IV of their lengths")
}

fn blocks<B: BlockSizeUser>(text: &mut [u8]) -> &mut [Block<B>] {
    let (blocks, rest) = Array::slice_as_chunks_mut(text);
    assert!(rest.is_empty(), "sizes are whole blocks");
    blocks
}
