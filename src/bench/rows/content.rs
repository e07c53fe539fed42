//! Content ciphers authenticated by HMAC, as `encrypt` calls them.

use crate::ciphers::content::{ContentCipher, Keys, MAX_TAG, Record};
use crate::ciphers::cpu::Backend;

use super::fixtures::{bytes, rng};
use super::{ORDER_SIZES, Row, USUAL_ORDER, available, orders_at_once};

/// All rows of this file: orders, each under its own key.
pub fn rows() -> Vec<Row> {
    let ciphers = ContentCipher::ALL.into_iter().filter(|cipher| cipher.name().contains("-HS"));
    let mut rows = Vec::new();
    for cipher in ciphers {
        for backend in available(cipher.backends()) {
            rows.extend(ORDER_SIZES.map(|size| {
                let row = seal(cipher, backend, size);
                row.weak(cipher.is_weak()).extra(size != USUAL_ORDER)
            }));
        }
    }
    rows
}

fn seal(cipher: ContentCipher, backend: Backend, size: usize) -> Row {
    let (count, room) = (orders_at_once(size), cipher.sealed_len(size));
    let set_up = move || {
        let mut keys = vec![0; count * cipher.key_len_for(room)];
        cipher.fill_keys(&mut rng(), &mut keys);
        let iv = bytes(cipher.iv_len());
        let mut texts = bytes(count * room);
        move || {
            let record = |text| Record {
                iv: &iv,
                aad: b"",
                text,
                len: size,
                tag: [0; MAX_TAG],
                authentic: false,
            };
            let mut records: Vec<_> = texts.chunks_exact_mut(room).map(record).collect();
            cipher.seal(backend, Keys::Each(&keys), &mut records);
        }
    };
    let name = cipher
        .name()
        .to_ascii_lowercase()
        .replace("a128cbc", "aes-128-cbc")
        .replace("a192cbc", "aes-192-cbc")
        .replace("a256cbc", "aes-256-cbc");
    Row::new("seal", name, backend.name(), size, set_up).batch(count)
}
