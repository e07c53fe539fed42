//! Known answers, on every backend, and chains against the crate `des`.

use super::super::*;
use super::each_backend;

/// Key, plaintext, ciphertext.
type Answer = (u64, u64, u64);

/// NIST SP 800-17, appendix A, table 1: variable plaintext (the first 16 of 64).
const VARIABLE_PLAINTEXT: [u64; 16] = [
    0x95F8A5E5DD31D900,
    0xDD7F121CA5015619,
    0x2E8653104F3834EA,
    0x4BD388FF6CD81D4F,
    0x20B9E767B2FB1456,
    0x55579380D77138EF,
    0x6CC5DEFAAF04512F,
    0x0D9F279BA5D87260,
    0xD9031B0271BD5A0A,
    0x424250B37C3DD951,
    0xB8061B7ECD9A21E5,
    0xF15D0F286B65BD28,
    0xADD0CC8D6E5DEBA1,
    0xE6D5F82752AD63D1,
    0xECBFE3BD3F591A5E,
    0xF356834379D165CD,
];

/// NIST SP 800-17, appendix A, table 2: variable key, plaintext 0 (the first 14 of 56).
const VARIABLE_KEY: [(u64, u64); 14] = [
    (0x8001010101010101, 0x95A8D72813DAA94D),
    (0x4001010101010101, 0x0EEC1487DD8C26D5),
    (0x2001010101010101, 0x7AD16FFB79C45926),
    (0x1001010101010101, 0xD3746294CA6A6CF3),
    (0x0801010101010101, 0x809F5F873C1FD761),
    (0x0401010101010101, 0xC02FAFFEC989D1FC),
    (0x0201010101010101, 0x4615AA1D33E72F10),
    (0x0180010101010101, 0x2055123350C00858),
    (0x0140010101010101, 0xDF3B99D6577397C8),
    (0x0120010101010101, 0x31FE17369B5288C9),
    (0x0110010101010101, 0xDFDD3CC64DAE1642),
    (0x0108010101010101, 0x178C83CE2B399D94),
    (0x0104010101010101, 0x50F636324A9B7F80),
    (0x0102010101010101, 0xA8468EE3BC18F06D),
];

/// NIST SP 800-17, appendix A, table 3: permutation operation, plaintext 0 (6 of 32).
const PERMUTATION: [(u64, u64); 6] = [
    (0x1046913489980131, 0x88D55E54F54C97B4),
    (0x1007103489988020, 0x0C0CC00C83EA48FD),
    (0x10071034C8980120, 0x83BC8EF3A6570183),
    (0x1046103489988020, 0xDF725DCAD94EA2E9),
    (0x1086911519190101, 0xE652B53B550BE8B0),
    (0x1086911519580101, 0xAF527120C485CBB0),
];

/// NIST SP 800-17, appendix A, table 4: substitution table, all 19.
const SUBSTITUTION: [Answer; 19] = [
    (0x7CA110454A1A6E57, 0x01A1D6D039776742, 0x690F5B0D9A26939B),
    (0x0131D9619DC1376E, 0x5CD54CA83DEF57DA, 0x7A389D10354BD271),
    (0x07A1133E4A0B2686, 0x0248D43806F67172, 0x868EBB51CAB4599A),
    (0x3849674C2602319E, 0x51454B582DDF440A, 0x7178876E01F19B2A),
    (0x04B915BA43FEB5B6, 0x42FD443059577FA2, 0xAF37FB421F8C4095),
    (0x0113B970FD34F2CE, 0x059B5E0851CF143A, 0x86A560F10EC6D85B),
    (0x0170F175468FB5E6, 0x0756D8E0774761D2, 0x0CD3DA020021DC09),
    (0x43297FAD38E373FE, 0x762514B829BF486A, 0xEA676B2CB7DB2B7A),
    (0x07A7137045DA2A16, 0x3BDD119049372802, 0xDFD64A815CAF1A0F),
    (0x04689104C2FD3B2F, 0x26955F6835AF609A, 0x5C513C9C4886C088),
    (0x37D06BB516CB7546, 0x164D5E404F275232, 0x0A2AEEAE3FF4AB77),
    (0x1F08260D1AC2465E, 0x6B056E18759F5CCA, 0xEF1BF03E5DFA575A),
    (0x584023641ABA6176, 0x004BD6EF09176062, 0x88BF0DB6D70DEE56),
    (0x025816164629B007, 0x480D39006EE762F2, 0xA1F9915541020B56),
    (0x49793EBC79B3258F, 0x437540C8698F3CFA, 0x6FBF1CAFCFFD0556),
    (0x4FB05E1515AB73A7, 0x072D43A077075292, 0x2F22E49BAB7CA1AC),
    (0x49E95D6D4CA229BF, 0x02FE55778117F12A, 0x5A6B612CC26CCE4A),
    (0x018310DC409B26D6, 0x1D9D5C5018F728C2, 0x5F4C038ED12B2E41),
    (0x1C587F1C13924FEF, 0x305532286D6F295A, 0x63FAC0D034D9F793),
];

fn answers() -> Vec<Answer> {
    let mut all = SUBSTITUTION.to_vec();
    for (i, ciphertext) in VARIABLE_PLAINTEXT.into_iter().enumerate() {
        let plaintext = 1 << (63 - i);
        all.push((0x0101010101010101, plaintext, ciphertext));
        // Table 1 again with the roles exchanged: the inverse permutation.
        all.push((0x0101010101010101, ciphertext, plaintext));
    }
    for (key, ciphertext) in VARIABLE_KEY.into_iter().chain(PERMUTATION) {
        all.push((key, 0, ciphertext));
    }
    all
}

/// Enough copies of a block for lanes to be used.
fn copies(block: u64) -> Vec<u8> {
    block.to_be_bytes().repeat(CROSSOVER)
}

/// The key of DES, and of the triple DES that is the same.
fn both(key: u64) -> (DesKey, TripleDesKey) {
    let key = key.to_be_bytes();
    let thrice = *key.repeat(3).first_chunk().unwrap();
    (DesKey::from(key), TripleDesKey::from(thrice))
}

#[test]
fn sp_800_17_one_key_at_a_time() {
    each_backend(|backend| {
        for (key, plaintext, ciphertext) in answers() {
            let (single, triple) = both(key);
            let mut data = copies(plaintext);
            ecb_encrypt(backend, &single, &mut data).unwrap();
            assert_eq!(data, copies(ciphertext), "key {key:016X}");
            ecb_decrypt(backend, &single, &mut data).unwrap();
            assert_eq!(data, copies(plaintext), "key {key:016X}");
            // NIST SP 800-20 gives the same tables for three equal keys.
            ecb_encrypt(backend, &triple, &mut data).unwrap();
            assert_eq!(data, copies(ciphertext), "three keys {key:016X}");
            ecb_decrypt(backend, &triple, &mut data).unwrap();
            assert_eq!(data, copies(plaintext), "three keys {key:016X}");
        }
    });
}

#[test]
fn sp_800_17_all_keys_side_by_side() {
    let answers = answers();
    let keys: Vec<_> = answers.iter().map(|(key, ..)| both(*key)).collect();
    each_backend(|backend| {
        let mut data: Vec<_> = answers.iter().map(|(_, p, _)| p.to_be_bytes()).collect();
        let blocks = data.iter_mut().zip(&keys);
        let mut messages: Vec<_> =
            blocks.map(|(data, (key, _))| Message { key, iv: [0; 8], data }).collect();
        cbc_encrypt_many(backend, &mut messages).unwrap();
        for (data, (key, _, ciphertext)) in data.iter().zip(&answers) {
            assert_eq!(*data, ciphertext.to_be_bytes(), "key {key:016X}");
        }
    });
}

/// NIST SP 800-67 (revision 1), appendix B.1.
#[test]
fn sp_800_67_with_three_different_keys() {
    let parts: [u64; 3] = [0x0123456789ABCDEF, 0x23456789ABCDEF01, 0x456789ABCDEF0123];
    let bytes = parts.map(u64::to_be_bytes);
    let key = TripleDesKey::from(*bytes.as_flattened().first_chunk().unwrap());
    let ciphertext: [u64; 3] = [0xA826FD8CE53B855F, 0xCCE21C8112256FE6, 0x68D5C05DD9B6B900];
    let ciphertext = ciphertext.map(u64::to_be_bytes);
    each_backend(|backend| {
        let mut data = b"The qufck brown fox jump".repeat(CROSSOVER);
        ecb_encrypt(backend, &key, &mut data).unwrap();
        assert_eq!(data, ciphertext.as_flattened().repeat(CROSSOVER));
    });
}

/// R. Rivest, "Testing implementations of DES" (1985).
#[test]
fn rivests_chain() {
    each_backend(|backend| {
        let mut x = 0x9474B8E8C73BCA7D_u64;
        for i in 0..16 {
            let mut data = copies(x);
            let (key, _) = both(x);
            match i % 2 {
                0 => ecb_encrypt(backend, &key, &mut data).unwrap(),
                _ => ecb_decrypt(backend, &key, &mut data).unwrap(),
            }
            x = u64::from_be_bytes(*data.first_chunk().unwrap());
        }
        assert_eq!(x, 0x1B1A2DDB4C642438);
    });
}

/// After the Monte Carlo test of NIST SP 800-17 and 800-20: each block is the encryption of the
/// one before, and the key changes with the blocks.
fn monte_carlo<K: Key + for<'a> From<&'a [u8; 24]>>(backend: Backend) -> Vec<u8> {
    let mut key: [u8; 24] = std::array::from_fn(|i| (i * 89) as u8);
    let mut data: Vec<u8> = (0..=255).cycle().take(BLOCK * 70).collect();
    for _ in 0..20 {
        for _ in 0..25 {
            ecb_encrypt(backend, &K::from(&key), &mut data).unwrap();
        }
        for (byte, new) in key.iter_mut().zip(&data) {
            *byte ^= new;
        }
    }
    data
}

impl From<&[u8; 24]> for DesKey {
    fn from(bytes: &[u8; 24]) -> Self {
        Self::from(*bytes.first_chunk::<8>().unwrap())
    }
}

impl From<&[u8; 24]> for TripleDesKey {
    fn from(bytes: &[u8; 24]) -> Self {
        Self::from(*bytes)
    }
}

#[test]
fn monte_carlo_chains_agree_with_the_crate() {
    let crate_des = Backend::named("rustcrypto").unwrap();
    let single = monte_carlo::<DesKey>(crate_des);
    let triple = monte_carlo::<TripleDesKey>(crate_des);
    each_backend(|backend| {
        assert_eq!(monte_carlo::<DesKey>(backend), single);
        assert_eq!(monte_carlo::<TripleDesKey>(backend), triple);
    });
}
