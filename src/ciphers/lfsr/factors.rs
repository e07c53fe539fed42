//! The prime factors of 2^P − 1 for P up to 127.
//!
//! A prime divides 2^P − 1 exactly if the order of 2 modulo that prime divides P. So the table
//! lists every prime once, in the row of its order, and the factors for P are in the rows of P's
//! divisors. The numbers are classic (J. Brillhart et al., *Factorizations of bⁿ ± 1*); the tests
//! verify that they are prime and that none is missing.

/// The largest degree in the table.
pub(super) const MAX_DEGREE: u32 = 127;

/// Lists the distinct prime factors of 2^`degree` − 1, for degrees from 1 to 127.
pub(super) fn of_order(degree: u32) -> impl Iterator<Item = u128> {
    (1..=degree)
        .filter(move |order| degree.is_multiple_of(*order))
        .flat_map(|order| PRIMES_OF_ORDER[order as usize - 1])
        .copied()
}

/// Row i lists the primes modulo which 2 has the order i + 1.
#[rustfmt::skip]
const PRIMES_OF_ORDER: [&[u128]; MAX_DEGREE as usize] = [
    &[],
    &[3],
    &[7],
    &[5],
    &[31],
    &[],
    &[127],
    &[17],
    &[73],
    &[11],
    &[23, 89],
    &[13],
    &[8191],
    &[43],
    &[151],
    &[257],
    &[131_071],
    &[19],
    &[524_287],
    &[41],
    &[337],
    &[683],
    &[47, 178_481],
    &[241],
    &[601, 1801],
    &[2731],
    &[262_657],
    &[29, 113],
    &[233, 1103, 2089],
    &[331],
    &[2_147_483_647],
    &[65_537],
    &[599_479],
    &[43_691],
    &[71, 122_921],
    &[37, 109],
    &[223, 616_318_177],
    &[174_763],
    &[79, 121_369],
    &[61_681],
    &[13_367, 164_511_353],
    &[5419],
    &[431, 9719, 2_099_863],
    &[397, 2113],
    &[631, 23_311],
    &[2_796_203],
    &[2351, 4513, 13_264_529],
    &[97, 673],
    &[4_432_676_798_593],
    &[251, 4051],
    &[103, 2143, 11_119],
    &[53, 157, 1613],
    &[6361, 69_431, 20_394_401],
    &[87_211],
    &[881, 3191, 201_961],
    &[15_790_321],
    &[32_377, 1_212_847],
    &[59, 3_033_169],
    &[179_951, 3_203_431_780_337],
    &[61, 1321],
    &[2_305_843_009_213_693_951],
    &[715_827_883],
    &[92_737, 649_657],
    &[641, 6_700_417],
    &[145_295_143_558_111],
    &[67, 20_857],
    &[193_707_721, 761_838_257_287],
    &[137, 953, 26_317],
    &[10_052_678_938_039],
    &[281, 86_171],
    &[228_479, 48_544_121, 212_885_833],
    &[433, 38_737],
    &[439, 2_298_041, 9_361_973_132_609],
    &[1777, 25_781_083],
    &[100_801, 10_567_201],
    &[229, 457, 525_313],
    &[581_283_643_249_112_959],
    &[22_366_891],
    &[2687, 202_029_703, 1_113_491_139_767],
    &[4_278_255_361],
    &[2593, 71_119, 97_685_839],
    &[83, 8_831_418_697],
    &[167, 57_912_614_113_275_649_087_721],
    &[1429, 14_449],
    &[9_520_972_806_333_758_431],
    &[2_932_031_007_403],
    &[4177, 9_857_737_155_463],
    &[353, 2_931_542_417],
    &[618_970_019_642_690_137_449_562_111],
    &[18_837_001],
    &[911, 112_901_153, 23_140_471_537],
    &[277, 1013, 1657, 30_269],
    &[658_812_288_653_553_079],
    &[283, 165_768_537_521],
    &[191, 420_778_751, 30_327_152_671],
    &[193, 22_253_377],
    &[11_447, 13_842_607_235_828_485_645_766_393],
    &[4_363_953_127_297],
    &[199, 153_649, 33_057_806_959],
    &[101, 8101, 268_501],
    &[7_432_339_208_719, 341_117_531_003_194_129],
    &[307, 2857, 6529],
    &[2_550_183_799, 3_976_656_429_941_438_590_393],
    &[858_001, 308_761_441],
    &[29_191, 106_681, 152_041],
    &[107, 28_059_810_762_433],
    &[162_259_276_829_213_363_391_578_010_288_127],
    &[246_241, 279_073],
    &[745_988_807, 870_035_986_098_720_987_332_873],
    &[2971, 48_912_491],
    &[321_679, 26_295_457, 319_020_217],
    &[5153, 54_410_972_897],
    &[3391, 23_279, 65_993, 1_868_569, 1_066_818_132_868_207],
    &[571, 160_465_489],
    &[14_951, 4_036_961, 2_646_507_710_984_041],
    &[107_367_629, 536_903_681],
    &[937, 6553, 86_113, 7_830_118_297],
    &[2833, 37_171, 1_824_726_041],
    &[239, 20_231, 62_983_048_367, 131_105_292_137],
    &[4_562_284_561],
    &[727, 1_786_393_878_363_164_227_858_270_210_279],
    &[768_614_336_404_564_651],
    &[3_887_047, 177_722_253_954_175_633],
    &[5581, 8681, 49_477, 384_773],
    &[269_089_806_001, 4_710_883_168_879_506_001],
    &[77_158_673_929],
    &[170_141_183_460_469_231_731_687_303_715_884_105_727],
];

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;

    use super::*;

    /// Miller–Rabin with the first 40 primes as bases: a proof below 2^81 (Sorenson and Webster
    /// 2017); above that, a composite passes with probability under 4⁻⁴⁰.
    fn is_prime(n: u128) -> bool {
        const BASES: [u32; 40] = [
            2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83,
            89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167, 173,
        ];
        if let Ok(small @ 0..=173) = u32::try_from(n) {
            return BASES.contains(&small);
        }
        let one = BigUint::from(1_u32);
        let modulus = BigUint::from(n);
        let minus_one = &modulus - &one;
        let twos = (n - 1).trailing_zeros();
        BASES.into_iter().all(|base| {
            let mut power = BigUint::from(base).modpow(&(&minus_one >> twos), &modulus);
            if power == one {
                return true;
            }
            for _ in 1..twos {
                if power == minus_one {
                    return true;
                }
                power = &power * &power % &modulus;
            }
            power == minus_one
        })
    }

    #[test]
    fn the_factors_are_prime_and_complete() {
        for prime in PRIMES_OF_ORDER.iter().copied().flatten() {
            assert!(is_prime(*prime), "{prime}");
        }
        for degree in 1..=MAX_DEGREE {
            let mut rest = u128::MAX >> (128 - degree);
            for prime in of_order(degree) {
                assert_eq!(rest % prime, 0, "{prime} and degree {degree}");
                while rest.is_multiple_of(prime) {
                    rest /= prime;
                }
            }
            assert_eq!(rest, 1, "degree {degree}");
        }
    }

    #[test]
    fn the_test_of_primes_knows_primes() {
        assert!(is_prime(173) && is_prime(179) && is_prime((1 << 61) - 1));
        // A strong pseudoprime to the bases 2 to 37.
        assert!(!is_prime(318_665_857_834_031_151_167_461));
        assert!(!is_prime(0) && !is_prime(1) && !is_prime(561) && !is_prime((1 << 67) - 1));
    }
}
