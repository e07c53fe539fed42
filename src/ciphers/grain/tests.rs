//! Known answers, every backend against the bit-level model, and the properties of an AEAD.

use proptest::prelude::*;

use super::*;

const KEY: [u8; 16] = counting();
const NONCE: [u8; 12] = counting();

const fn counting<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let mut i = 0;
    while i < N {
        bytes[i] = i as u8;
        i += 1;
    }
    bytes
}

/// From the 1,089 known answers of the submission to NIST (`LWC_AEAD_KAT_128_96.txt`), in which key,
/// nonce, plaintext and associated data all count up from zero: bytes of plaintext, bytes of
/// associated data, ciphertext with tag.
#[rustfmt::skip]
const PUBLISHED: [(usize, usize, &str); 23] = [
    (0, 0, "d51fd5d16177b434"),
    (0, 1, "99b7cdbf488f8dc0"),
    (0, 8, "3f15dde35998d17b"),
    (0, 32, "41f7a9669ae4779f"),
    (1, 0, "21aaa5a068ea941db3"),
    (1, 8, "9683919151797bce6e"),
    (1, 16, "8012f586a844833c5e"),
    (3, 0, "216787636f3dd309245226"),
    (4, 4, "ff8eb232fdaa2e0c79901c7d"),
    (6, 1, "668407fc8bb535fa6b91d8b82158"),
    (8, 0, "21678706fb8ab63679b730b92d9ba335"),
    (9, 2, "8504fd8cb43490d7b7e131128bab1f1303"),
    (10, 2, "8504fd8cb43490d7b7ad1ff95d27b1cbc032"),
    (12, 18, "39e0889589ac78b84ecf55b8a909e79a9a172656"),
    (15, 4, "ff8eb23292d5b9a3a21dfcb68cb9372f3ebd22cdf93a50"),
    (16, 0, "21678706fb8ab6369ed9b5afa619f8b27dea6b6b907be8ff"),
    (18, 17, "b438e3899288af79b74fcc54bf4ee4d81ce7c317e566e544dc69"),
    (23, 17, "b438e3899288af79b74fcc54bf4ee4d81ce74f5f28dce8d1cde3f2c9b0bb5e"),
    (25, 24, "7ebe44c55bb645eddf05fc564031c7f1bad921df019844e4a2d39448991d83f0e0"),
    (28, 0, "21678706fb8ab6369ed9b5afa619f8b290a52bf29e839bbe66a65cdd3c2500c10e1c78d4"),
    (30, 9, "d0bea6a910f3bb87bc30eb819a80a771af57d44ca756fcc014ef475720d4f871e1e609bc0551"),
    (31, 32, "d70df45e4839cff9a2c139c719805cfcaab5ab651b99a751fbf4b8d75abd6d9a7f06b412763833"),
    (32, 32, "d70df45e4839cff9a2c139c719805cfcaab5ab651b99a751fbf4b8d75abd6d97f543fe1cfbe56f72"),
];

#[test]
fn known_answers() {
    for (text, associated, expected) in PUBLISHED {
        check(&counting::<32>()[..text], &counting::<32>()[..associated], expected);
    }
}

fn check(text: &[u8], associated: &[u8], expected: &str) {
    let expected = hex::decode(expected).unwrap();
    assert_eq!(model::seal(&KEY, &NONCE, associated, text), expected, "model");
    for backend in Backend::available() {
        let mut sealed = text.to_vec();
        let tag = Grain::new(&KEY).seal(backend, &NONCE, associated, &mut sealed);
        sealed.extend(tag);
        assert_eq!(sealed, expected, "{backend}");
    }
}

/// Runs all known answers of a file in NIST's format, named in `ORDERSEAL_GRAIN_KAT`, with `cargo
/// test --lib grain -- --ignored`.
#[test]
#[ignore = "needs the file of published answers"]
fn all_known_answers() {
    let path = std::env::var_os("ORDERSEAL_GRAIN_KAT").expect("ORDERSEAL_GRAIN_KAT names a file");
    let file = std::fs::read_to_string(path).unwrap();
    let field = |record: &str, name: &str| -> String {
        let line = record.lines().find(|line| line.split(' ').next() == Some(name));
        line.unwrap().split_once('=').unwrap().1.trim().to_owned()
    };
    let mut records = 0;
    for record in file.trim().split("\n\n") {
        assert_eq!(hex::decode(field(record, "Key")).unwrap(), KEY);
        assert_eq!(hex::decode(field(record, "Nonce")).unwrap(), NONCE);
        let text = hex::decode(field(record, "PT")).unwrap();
        let associated = hex::decode(field(record, "AD")).unwrap();
        check(&text, &associated, &field(record, "CT"));
        records += 1;
    }
    assert_eq!(records, 1089);
}

/// Lengths around every word boundary of text and associated data, and every form of the DER
/// length.
#[test]
fn every_backend_agrees_with_the_model() {
    let bytes: Vec<u8> = (0..70_000_u32).map(|i| ((i * 151) >> 3) as u8).collect();
    let lengths = [0, 1, 6, 7, 8, 9, 15, 16, 17, 23, 64, 100];
    let mut cases: Vec<_> = lengths.iter().flat_map(|a| lengths.map(|t| (*a, t))).collect();
    cases.extend([(126, 9), (127, 9), (128, 9), (255, 3), (256, 3), (65_536, 1)]);
    for (associated, text) in cases {
        let (associated, text) = (&bytes[..associated], &bytes[5..5 + text]);
        let expected = model::seal(&KEY, &NONCE, associated, text);
        for backend in Backend::available() {
            let mut sealed = [text, &[0xa5; 16]].concat();
            let (body, guard) = sealed.split_at_mut(text.len());
            let tag = Grain::new(&KEY).seal(backend, &NONCE, associated, body);
            assert_eq!([&*body, &tag].concat(), expected, "{backend}");
            Grain::new(&KEY).open(backend, &NONCE, associated, body, &tag).unwrap();
            assert_eq!(body, text, "{backend}");
            assert_eq!(guard, [0xa5; 16], "{backend}");
        }
    }
}

#[test]
fn debug_shows_no_key() {
    assert_eq!(format!("{:?}", Grain::new(&[0xd7; 16])), "Grain([redacted])");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, rng_seed: proptest::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn the_operations_on_bits_do_what_they_say(word: u64, low: u64, high: u64, message: u64) {
        use engine::Bits;

        let pick = |first: u32| (0..32).fold(0, |bits, i| bits | (word >> (2 * i + first) & 1) << i) as u32;
        let window = u128::from(low) | u128::from(high) << 64;
        let sum = (0..64)
            .filter(|i| message >> i & 1 == 1)
            .fold(0, |sum, i| sum ^ (window >> i) as u64);
        prop_assert_eq!(Words.unzip(word), (pick(0), pick(1)));
        prop_assert_eq!(Words.accumulate(low, high, message), sum);
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = Avx2::detect() {
            prop_assert_eq!(avx2.unzip(word), (pick(0), pick(1)));
            prop_assert_eq!(avx2.accumulate(low, high, message), sum);
        }
    }

    #[test]
    fn only_what_was_sealed_opens(
        mut key: [u8; 16],
        mut nonce: [u8; 12],
        mut associated: Vec<u8>,
        plain: Vec<u8>,
        at: prop::sample::Index,
        bit in 0u32..8,
    ) {
        for backend in Backend::available() {
            let mut sealed = plain.clone();
            let mut tag = Grain::new(&key).seal(backend, &nonce, &associated, &mut sealed);

            // Flips a single bit of key, nonce, associated data, text or tag.
            let all = [&mut key[..], &mut nonce, &mut associated, &mut sealed, &mut tag];
            let mut changed: Vec<&mut u8> = all.into_iter().flatten().collect();
            let at = at.index(changed.len());
            *changed[at] ^= 1 << bit;
            let mut text = sealed.clone();
            let opened = Grain::new(&key).open(backend, &nonce, &associated, &mut text, &tag);
            prop_assert_eq!(opened, Err(AuthenticationFailed));
            prop_assert!(text.iter().all(|byte| *byte == 0));

            let all = [&mut key[..], &mut nonce, &mut associated, &mut sealed, &mut tag];
            *all.into_iter().flatten().nth(at).unwrap() ^= 1 << bit;
            Grain::new(&key).open(backend, &nonce, &associated, &mut sealed, &tag).unwrap();
            prop_assert_eq!(&sealed, &plain);
        }
    }
}
