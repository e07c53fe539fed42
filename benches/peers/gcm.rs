//! AES-GCM by aws-lc-rs and by ring, called as their users call them, one record at a time.

use std::hint::black_box;

use aws_lc_rs::aead as aws;
use orderseal::bench::rows::Row;
use orderseal::bench::rows::fixtures::bytes;
use ring::aead as ring;

use super::like;

/// The IV of our rows.
pub const IV: [u8; 12] = [7; 12];

/// A library's key for AES-GCM.
pub trait Gcm: Sized + Send + 'static {
    /// The backend of its rows.
    const NAME: &'static str;
    /// Its tag.
    type Tag: AsRef<[u8]> + Send;

    /// Makes a key of 16 or 32 bytes ready.
    fn ready(key: &[u8]) -> Self;
    /// Encrypts in place.
    fn seal(&self, text: &mut [u8]) -> Self::Tag;
    /// Decrypts in place what [`Gcm::seal`] made.
    fn open(&self, text: &mut [u8], tag: &Self::Tag);
}

impl Gcm for aws::LessSafeKey {
    const NAME: &'static str = "aws-lc-rs";
    type Tag = aws::Tag;

    fn ready(key: &[u8]) -> Self {
        let algorithm = if key.len() == 16 { &aws::AES_128_GCM } else { &aws::AES_256_GCM };
        Self::new(aws::UnboundKey::new(algorithm, key).expect("a key of its length"))
    }

    fn seal(&self, text: &mut [u8]) -> Self::Tag {
        let nonce = aws::Nonce::assume_unique_for_key(IV);
        self.seal_in_place_separate_tag(nonce, aws::Aad::empty(), text).expect("a short text")
    }

    fn open(&self, text: &mut [u8], tag: &Self::Tag) {
        let nonce = aws::Nonce::assume_unique_for_key(IV);
        self.open_in_place_separate_tag(nonce, aws::Aad::empty(), tag.as_ref(), text)
            .expect("what was sealed before");
    }
}

impl Gcm for ring::LessSafeKey {
    const NAME: &'static str = "ring";
    type Tag = ring::Tag;

    fn ready(key: &[u8]) -> Self {
        let algorithm = if key.len() == 16 { &ring::AES_128_GCM } else { &ring::AES_256_GCM };
        Self::new(ring::UnboundKey::new(algorithm, key).expect("a key of its length"))
    }

    fn seal(&self, text: &mut [u8]) -> Self::Tag {
        let nonce = ring::Nonce::assume_unique_for_key(IV);
        self.seal_in_place_separate_tag(nonce, ring::Aad::empty(), text).expect("a short text")
    }

    fn open(&self, text: &mut [u8], tag: &Self::Tag) {
        let nonce = ring::Nonce::assume_unique_for_key(IV);
        self.open_in_place_separate_tag(nonce, ring::Aad::empty(), *tag, text, 0..)
            .expect("what was sealed before");
    }
}

/// A library's answer to the question of one of our rows, if it is about AES-GCM.
pub fn answer<G: Gcm>(ours: &Row) -> Option<Row> {
    let key = match &*ours.cipher {
        "aes-128-gcm" => 16,
        "aes-256-gcm" => 32,
        _ => return None,
    };
    match ours.operation {
        "seal-one-key" => Some(seal_one_key::<G>(ours, key)),
        "seal" => Some(seal::<G>(ours, key)),
        "open" => Some(open::<G>(ours, key)),
        _ => None,
    }
}

/// Texts under one key that is ready.
fn seal_one_key<G: Gcm>(ours: &Row, key: usize) -> Row {
    let (size, count) = (ours.size, ours.operations as usize);
    like(ours, G::NAME, move || {
        let key = G::ready(&bytes(key));
        let mut texts = bytes(count * size);
        move || {
            for text in texts.chunks_exact_mut(size) {
                black_box(key.seal(text));
            }
        }
    })
}

/// Orders under a key each.
fn seal<G: Gcm>(ours: &Row, key: usize) -> Row {
    let (size, count) = (ours.size, ours.operations as usize);
    like(ours, G::NAME, move || {
        let keys = bytes(count * key);
        let mut texts = bytes(count * size);
        move || {
            for (key, text) in keys.chunks_exact(key).zip(texts.chunks_exact_mut(size)) {
                black_box(G::ready(key).seal(text));
            }
        }
    })
}

/// Orders under a key each; they are opened in place, and so copied first, as in our rows.
fn open<G: Gcm>(ours: &Row, key: usize) -> Row {
    let (size, count) = (ours.size, ours.operations as usize);
    like(ours, G::NAME, move || {
        let keys = bytes(count * key);
        let mut sealed = bytes(count * size);
        let each = keys.chunks_exact(key).zip(sealed.chunks_exact_mut(size));
        let tags: Vec<G::Tag> = each.map(|(key, text)| G::ready(key).seal(text)).collect();
        let mut texts = sealed.clone();
        move || {
            texts.copy_from_slice(&sealed);
            let each = keys.chunks_exact(key).zip(texts.chunks_exact_mut(size));
            for ((key, text), tag) in each.zip(&tags) {
                G::ready(key).open(text, tag);
            }
        }
    })
}
