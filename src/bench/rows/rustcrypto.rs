//! The RustCrypto crates in the modes that their users call, generic over the cipher.

use ::aes::cipher::{
    Block, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, BlockSizeUser, KeyInit,
    KeyIvInit, KeySizeUser, StreamCipher, array::Array,
};
use aes_gcm::aead::{AeadInOut, Nonce, Tag};

use super::fixtures::{bytes, crate_array, crate_keys, pieces};
use super::{LARGE, MESSAGES, ORDER_SIZES, Row, SIZES, USUAL, USUAL_ORDER, orders_at_once};

const NAME: &str = "rustcrypto";

/// Encrypts each block of a message separately.
pub fn ecb<C>(cipher: &'static str) -> impl Iterator<Item = Row>
where
    C: BlockCipherEncrypt + KeyInit + Send + 'static,
{
    SIZES.into_iter().map(move |size| {
        let set_up = move || {
            let key = C::new(&crate_array());
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
        let (keys, iv) = (crate_keys::<M>(count), crate_array());
        let mut texts = pieces(count, size);
        move || {
            for (key, text) in keys.iter().zip(&mut texts) {
                M::new(key, &iv).encrypt_blocks(blocks::<M>(text));
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
        let (key, nonce) = (A::new(&crate_array()), crate_array());
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
        let (keys, nonce) = (crate_keys::<A>(count), crate_array());
        let mut texts = bytes(count * size);
        move || {
            for (key, text) in keys.iter().zip(texts.chunks_exact_mut(size)) {
                encrypt(&A::new(key), &nonce, text);
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
        let (keys, nonce) = (crate_keys::<A>(count), crate_array());
        let mut sealed = bytes(count * size);
        let tags: Vec<Tag<A>> = keys
            .iter()
            .zip(sealed.chunks_exact_mut(size))
            .map(|(key, text)| encrypt(&A::new(key), &nonce, text))
            .collect();
        let mut texts = sealed.clone();
        move || {
            texts.copy_from_slice(&sealed);
            for ((key, text), tag) in keys.iter().zip(texts.chunks_exact_mut(size)).zip(&tags) {
                A::new(key)
                    .decrypt_inout_detached(&nonce, b"", text.into(), tag)
                    .expect("what was sealed above");
            }
        }
    };
    Row::new("open", cipher, NAME, size, set_up).batch(count)
}

fn encrypt<A: AeadInOut>(key: &A, nonce: &Nonce<A>, text: &mut [u8]) -> Tag<A> {
    key.encrypt_inout_detached(nonce, b"", text.into()).expect("far shorter than 64 GiB")
}

fn keyed<M: KeyIvInit>() -> M {
    M::new(&crate_array(), &crate_array())
}

fn blocks<B: BlockSizeUser>(text: &mut [u8]) -> &mut [Block<B>] {
    let (blocks, rest) = Array::slice_as_chunks_mut(text);
    assert!(rest.is_empty(), "sizes are whole blocks");
    blocks
}
