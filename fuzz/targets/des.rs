//! DES and triple DES in ECB, CBC and counter mode on every backend, compared with the crate `des`.

#![no_main]

use des::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use des::{Des, TdesEde3};
use orderseal::ciphers::cpu::Backend;
use orderseal::ciphers::des::{
    BLOCK, DesKey, Key, Message, TripleDesKey, cbc_decrypt, cbc_decrypt_many, cbc_encrypt_many,
    check_value, ctr, ecb_decrypt, ecb_encrypt,
};
use orderseal_fuzz::{Input, begin};

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for kind in 0..8 {
        for length in [30, 90, 600, 2600] {
            let bytes = (0..length).map(|at: usize| (at * 59 + at / 256 + kind as usize) as u8);
            seeds.push(std::iter::once(kind).chain(bytes).collect());
        }
    }
    seeds
}

/// Bytes that depend on all of a seed and are as long as needed.
fn stretched(seed: &[u8], length: usize) -> Vec<u8> {
    let at = |at: usize| seed.get(at % seed.len().max(1)).copied().unwrap_or(0);
    (0..length).map(|index| at(index).wrapping_add((index / seed.len().max(1)) as u8)).collect()
}

/// A key of ours and of the crate.
trait Both: Key + Sized {
    type Crate: KeyInit + BlockCipherEncrypt + BlockCipherDecrypt;

    fn of(bytes: &[u8]) -> (Self, Self::Crate);
}

impl Both for DesKey {
    type Crate = Des;

    fn of(bytes: &[u8]) -> (Self, Des) {
        let key: [u8; 8] = bytes[..8].try_into().expect("8 bytes");
        (key.into(), Des::new_from_slice(&key).expect("8 bytes"))
    }
}

impl Both for TripleDesKey {
    type Crate = TdesEde3;

    fn of(bytes: &[u8]) -> (Self, TdesEde3) {
        let key: [u8; 24] = bytes[..24].try_into().expect("24 bytes");
        (key.into(), TdesEde3::new_from_slice(&key).expect("24 bytes"))
    }
}

fn block<C: BlockCipherEncrypt>(cipher: &C, block: [u8; BLOCK]) -> [u8; BLOCK] {
    let mut all = cipher_block::<C>(&block);
    cipher.encrypt_block(&mut all);
    all[..].try_into().expect("DES has blocks of 8 bytes")
}

fn unblock<C: BlockCipherDecrypt>(cipher: &C, block: [u8; BLOCK]) -> [u8; BLOCK] {
    let mut all = cipher_block::<C>(&block);
    cipher.decrypt_block(&mut all);
    all[..].try_into().expect("DES has blocks of 8 bytes")
}

fn cipher_block<C: des::cipher::BlockSizeUser>(block: &[u8]) -> des::cipher::Block<C> {
    let mut all = des::cipher::Block::<C>::default();
    all.copy_from_slice(block);
    all
}

fn cbc<C: BlockCipherEncrypt>(cipher: &C, mut iv: [u8; BLOCK], text: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::new();
    for text in text.as_chunks::<BLOCK>().0 {
        iv = block(cipher, std::array::from_fn(|at| iv[at] ^ text[at]));
        sealed.extend(iv);
    }
    sealed
}

fn one<K: Both>(input: &mut Input<'_>) {
    let (own, other) = K::of(&stretched(input.take(24), 24));
    let (iv, length) = (input.bytes::<BLOCK>(), input.below(6000));
    let text = stretched(input.rest(), length);
    let whole = &text[..length / BLOCK * BLOCK];
    let blocks = || whole.as_chunks::<BLOCK>().0.iter();
    let encrypted: Vec<u8> = blocks().flat_map(|text| block(&other, *text)).collect();
    let decrypted: Vec<u8> = blocks().flat_map(|text| unblock(&other, *text)).collect();
    let number = u64::from_be_bytes(iv);
    let numbers = (0..).map(|at| number.wrapping_add(at).to_be_bytes());
    let stream = numbers.take(length / BLOCK + 1).flat_map(|number| block(&other, number));
    let counted: Vec<u8> = text.iter().zip(stream).map(|(text, key)| text ^ key).collect();
    let chained = cbc(&other, iv, whole);
    assert_eq!(check_value(&own), block(&other, [0; BLOCK])[..3]);
    for backend in Backend::available() {
        let mut data = whole.to_vec();
        ecb_encrypt(backend, &own, data.as_chunks_mut().0);
        assert!(data == encrypted, "{backend}: ECB, encryption");
        data.copy_from_slice(whole);
        ecb_decrypt(backend, &own, data.as_chunks_mut().0);
        assert!(data == decrypted, "{backend}: ECB, decryption");
        data.copy_from_slice(&chained);
        cbc_decrypt(backend, &own, iv, data.as_chunks_mut().0);
        assert!(data == whole, "{backend}: CBC, decryption");
        let mut data = text.clone();
        ctr(backend, &own, iv, &mut data);
        assert!(data == counted, "{backend}: counter mode");
    }
}

fn many<K: Both>(input: &mut Input<'_>) {
    let count = 1 + input.below(300);
    let keys = input.take(64).to_vec();
    let lengths = input.take(count).to_vec();
    let seed = input.rest();
    let key = |at: usize| stretched(&keys[at % keys.len().max(1)..], 24);
    let pairs: Vec<(K, K::Crate)> = (0..count).map(|at| K::of(&key(at))).collect();
    let length = |at: usize| BLOCK * lengths.get(at).map_or(at % 3, |&n| usize::from(n) % 40);
    let texts: Vec<Vec<u8>> =
        (0..count).map(|at| stretched(&seed[at.min(seed.len())..], length(at))).collect();
    let iv = |at: usize| (at as u64 * 0x0101_0203_0507).to_be_bytes();
    let expected: Vec<Vec<u8>> =
        texts.iter().enumerate().map(|(at, text)| cbc(&pairs[at].1, iv(at), text)).collect();
    for backend in Backend::available() {
        let mut all = texts.clone();
        let run = |all: &mut Vec<Vec<u8>>, encrypts: bool| {
            let messages = all.iter_mut().map(|text| text.as_chunks_mut().0).enumerate();
            let messages =
                messages.map(|(at, data)| Message { key: &pairs[at].0, iv: iv(at), data });
            let mut messages: Vec<Message<'_, K>> = messages.collect();
            match encrypts {
                true => cbc_encrypt_many(backend, &mut messages),
                false => cbc_decrypt_many(backend, &mut messages),
            }
        };
        run(&mut all, true);
        assert!(all == expected, "{backend}: CBC of many, encryption");
        run(&mut all, false);
        assert!(all == texts, "{backend}: CBC of many, decryption");
    }
}

libfuzzer_sys::fuzz_target!(
    init: begin(seeds),
    |data: &[u8]| {
        let mut input = Input::new(data);
        match input.byte() % 4 {
            0 => one::<DesKey>(&mut input),
            1 => one::<TripleDesKey>(&mut input),
            2 => many::<DesKey>(&mut input),
            _ => many::<TripleDesKey>(&mut input),
        }
    }
);
