//! Key derivation in counter mode (NIST SP 800-108r1, section 4.1) with CMAC-AES-256 as the
//! pseudorandom function, from many keys at once.
//!
//! The counter has 32 bits and stands before the fixed input data:
//! K(i) = CMAC(K_IN, \[i\]₃₂ ‖ fixed input), and the derived key is the beginning of K(1) ‖ K(2) ‖ …

use super::Secret;
use super::aes::cmac::cmac_many;
use super::cpu::Backend;

/// Number of derived keys that are computed together.
const AT_ONCE: usize = 512;

/// Derives `per_key` keys of `length` bytes from each of `keys`, into `derived` in the order of
/// `keys`. `input` returns the fixed input data for the index of a key and the number of the key
/// that is derived from it, below `per_key`. It holds what SP 800-108 puts after the counter,
/// usually label, zero byte, context and length in bits, and is not secret.
///
/// # Panics
/// If `derived` does not have the length of all derived keys.
pub fn derive_many<const N: usize>(
    backend: Backend,
    keys: &[[u8; 32]],
    per_key: usize,
    input: impl Fn(usize, usize) -> [u8; N],
    length: usize,
    derived: &mut [u8],
) {
    assert_eq!(derived.len(), keys.len() * per_key * length, "all derived keys");
    if derived.is_empty() {
        return;
    }
    let blocks = length.div_ceil(16);
    let message_len = 4 + N;
    let step = (AT_ONCE / per_key).clamp(1, keys.len());
    let mut messages = vec![0; step * per_key * blocks * message_len];
    let mut tags = Secret::zeroed(step * per_key * blocks * 16);
    let chunks = keys.chunks(step).zip(derived.chunks_mut(step * per_key * length));
    for (chunk, (keys, derived)) in chunks.enumerate() {
        let messages = &mut messages[..keys.len() * per_key * blocks * message_len];
        for (at, same_input) in messages.chunks_exact_mut(blocks * message_len).enumerate() {
            let input = input(chunk * step + at / per_key, at % per_key);
            for (i, message) in (1_u32..).zip(same_input.chunks_exact_mut(message_len)) {
                message[..4].copy_from_slice(&i.to_be_bytes());
                message[4..].copy_from_slice(&input);
            }
        }
        let tags = &mut tags.as_chunks_mut().0[..keys.len() * per_key * blocks];
        cmac_many(backend, keys, message_len, messages, tags);
        for (key, tags) in derived.chunks_exact_mut(length).zip(tags.chunks_exact(blocks)) {
            key.copy_from_slice(&tags.as_flattened()[..length]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ciphers::aes::testing::noise;

    /// NIST CAVP, SP 800-108 key derivation, counter mode (`KDFCTR_gen.rsp`, CAVS 14.4):
    /// CMAC_AES256, counter of 32 bits before the fixed input data, counts 0, 10, 20 and 30.
    const CAVP: [[&str; 3]; 4] = [
        [
            "d0b1b3b70b2393c48ca05159e7e28cbeadea93f28a7cdae964e5136070c45d5c",
            "dd2f151a3f173492a6fbbb602189d51ddf8ef79fc8e96b8fcbe6dabe73a35b48\
             104f9dff2d63d48786d2b3af177091d646a9efae005bdfacb61a1214",
            "8c449fb474d1c1d4d2a33827103b656a",
        ],
        [
            "d54b6fd94f7cf98fd955517f937e9927f9536caebe148fba1818c1ba46bba3a4",
            "94c4a0c69526196c1377cebf0a2ae0fb4b57797c61bea8eeb0518ca08652d14a\
             5e1bd1b116b1794ac8a476acbdbbcd4f6142d7b8515bad09ec72f7af",
            "2e1efed4aef3fdd324e098c0a07c0d97f8fd2c748a996ce29861ca042474daea",
        ],
        [
            "99f212241a343c1c8c2104ca6d28062413d985c21e6bba27fde0c622e2e4e6b7",
            "af8dc1cb7d1f82ca834628c20f0fc81920eb3ff3f75d3f4e3000593e9c158724\
             79711d99d1b7be794f58d80a31bb112219dc16e6354111ab1161e21d",
            "7f778c625bf0d083169a51584f6683f24af7c35e",
        ],
        [
            "dabde95d751ff1c132bd49f80f4ee347bf39218cf8bfec61bc3ad865d9aa1182",
            "55da554307ed756764d4e97febb77ce85391b53225ee09417ad57def48ead090\
             e3d1e7c2ed04f02462a6324ea0163b18f86201c69db27fd50b4c42c5",
            "5cc29221cfa6f3a4ded7afeef5a59c05bac787fc5e98a35ee0c96ba582b05c42f758966566084f69",
        ],
    ];

    #[test]
    fn vectors_of_nist_hold_on_every_backend() {
        for backend in Backend::available() {
            for [key, input, expected] in CAVP {
                let [key, input] = [key, input].map(|text| hex::decode(text).unwrap());
                let key: [u8; 32] = key.try_into().unwrap();
                let input: [u8; 60] = input.try_into().unwrap();
                let mut derived = vec![0; expected.len() / 2];
                let length = derived.len();
                derive_many(backend, &[key], 1, |_, _| input, length, &mut derived);
                assert_eq!(hex::encode(&derived), expected, "{backend}");
            }
        }
    }

    #[test]
    fn a_batch_gives_what_its_keys_give_alone() {
        let input = |key: usize, number: usize| [key as u8, (key >> 8) as u8, number as u8];
        for backend in Backend::available() {
            for count in [0, 1, 127, 128, 129, 300] {
                let bytes = noise(3, 32 * count);
                let keys = bytes.as_chunks::<32>().0;
                for (per_key, length) in [(1, 16), (2, 32), (3, 40), (2, 1)] {
                    let mut derived = vec![0; count * per_key * length];
                    derive_many(backend, keys, per_key, input, length, &mut derived);
                    for (index, found) in derived.chunks_exact(length).enumerate() {
                        let (key, number) = (index / per_key, index % per_key);
                        let mut alone = vec![0; length];
                        let own = |_: usize, _: usize| input(key, number);
                        derive_many(backend, &keys[key..=key], 1, own, length, &mut alone);
                        assert_eq!(found, alone);
                    }
                }
            }
        }
    }
}
