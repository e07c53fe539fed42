//! One message through GCM (SP 800-38D, section 7): counter mode and GHASH in one pass.

use super::counter::Counter;
use super::ghash::Hash;
use super::powers::Powers;
use crate::ciphers::aes::Block;
use crate::ciphers::aes::lanes::AesLanes;
use crate::ciphers::aes::rounds::{KeySource, LaneKeys, encrypt_whitened};

/// Vectors in a stride of a long text: enough in flight to hide the latency of an AES round.
const LONG: usize = 8;
/// Vectors in a stride of a text of a few hundred bytes, and at the end of a long one.
pub(super) const SHORT: usize = 4;

/// Everything that one message needs, apart from its text.
pub(super) struct Message<'a, L: AesLanes, P: Powers> {
    pub(super) proof: L::Proof,
    /// Round keys.
    pub(super) keys: &'a LaneKeys<L>,
    /// The hash, with the AAD already hashed.
    pub(super) hash: Hash<L, P>,
    /// Length of the AAD in bytes.
    pub(super) aad: usize,
    /// The first counter block: the IV, and 1.
    pub(super) first: &'a Block,
    /// The encrypted first counter block, which masks the tag.
    pub(super) mask: &'a Block,
}

impl<L: AesLanes, P: Powers> Message<'_, L, P> {
    /// Encrypts (`SEAL`) or decrypts `text` in place and returns the tag.
    ///
    /// The hash is reduced once per long stride, or once per `GROUP` vectors, which divide a short
    /// one.
    #[inline(always)]
    pub(super) fn pass<const ROUNDS: usize, const GROUP: usize, const SEAL: bool>(
        mut self,
        text: &mut [u8],
    ) -> Block {
        let mut counter = Counter::new(self.proof, self.first);
        let length = text.len();
        let mut rest = text;
        if rest.len() > SHORT * L::BYTES {
            if P::HIGHEST >= LONG * L::BLOCKS {
                rest = self.strides::<ROUNDS, LONG, LONG, SEAL>(&mut counter, rest, 0);
            }
            // The tail handles a last short stride together with the lengths.
            rest = self.strides::<ROUNDS, SHORT, GROUP, SEAL>(&mut counter, rest, 1);
        }
        let hash = match rest.len().div_ceil(L::BYTES) {
            0 => self.hash.finish(&[], 0, self.aad, length),
            1 => self.tail::<ROUNDS, GROUP, SEAL, 1>(&mut counter, rest, length),
            2 => self.tail::<ROUNDS, GROUP, SEAL, 2>(&mut counter, rest, length),
            3 => self.tail::<ROUNDS, GROUP, SEAL, 3>(&mut counter, rest, length),
            _ => self.tail::<ROUNDS, GROUP, SEAL, 4>(&mut counter, rest, length),
        };
        hash.xor(L::single(self.proof, self.mask)).first()
    }

    /// Processes whole strides of `VECTORS` vectors while `left` bytes are left, and returns the
    /// rest.
    ///
    /// Opening hashes the ciphertext of a stride during its own rounds; sealing hashes that of the
    /// previous stride, so that neither waits for the other.
    #[inline(always)]
    fn strides<
        't,
        const ROUNDS: usize,
        const VECTORS: usize,
        const GROUP: usize,
        const SEAL: bool,
    >(
        &mut self,
        counter: &mut Counter<L>,
        mut text: &'t mut [u8],
        left: usize,
    ) -> &'t mut [u8] {
        let mut sealed = None;
        while text.len() >= VECTORS * L::BYTES + left {
            let (bytes, rest) = text.split_at_mut(VECTORS * L::BYTES);
            text = rest;
            let mut stream = counter.next::<VECTORS>(self.keys[0]);
            let pending = if SEAL {
                sealed.as_ref().map(Pending::Vectors)
            } else {
                Some(Pending::Bytes(bytes))
            };
            match pending {
                Some(pending) => self.rounds::<ROUNDS, VECTORS, GROUP>(&mut stream, &pending),
                None => encrypt_whitened::<L, ROUNDS, VECTORS>(self.keys, &mut stream),
            }
            for (vector, bytes) in stream.iter_mut().zip(bytes.chunks_exact_mut(L::BYTES)) {
                *vector = vector.xor(L::load(self.proof, bytes));
                vector.store(bytes);
            }
            if SEAL {
                sealed = Some(stream);
            }
        }
        if let Some(vectors) = &sealed {
            for number in 0..VECTORS {
                self.hash::<VECTORS, GROUP>(&Pending::Vectors(vectors), number);
            }
        }
        text
    }

    /// Encrypts a stride of whitened counter blocks while hashing the `pending` ciphertext.
    ///
    /// Processors have separate units for the two, but look ahead by less than a stride, so the
    /// hashing is spread over the rounds and pinned there. Otherwise, the compiler would encrypt
    /// one vector after the other and do all the hashing in one place.
    #[inline(always)]
    fn rounds<const ROUNDS: usize, const VECTORS: usize, const GROUP: usize>(
        &mut self,
        stream: &mut [L; VECTORS],
        pending: &Pending<'_, L, VECTORS>,
    ) {
        // Vectors hashed together share additions, but need more registers.
        let together = if L::REGISTERS < 32 { 1 } else { 2 };
        let steps = VECTORS / together;
        let first_round = |step| 1 + step * (ROUNDS - 1) / steps;
        // A macro, because the compiler would not unroll a loop.
        macro_rules! steps {
            ($($step:literal)*) => {$(
                if $step < steps {
                    for round in first_round($step)..first_round($step + 1) {
                        for block in stream.iter_mut() {
                            *block = block.enc_pinned(self.keys.key(0, round));
                        }
                    }
                    for number in $step * together..($step + 1) * together {
                        self.hash::<VECTORS, GROUP>(pending, number);
                    }
                    self.hash.pin();
                }
            )*};
        }
        steps!(0 1 2 3 4 5 6 7);
        for block in stream.iter_mut() {
            *block = block.enc_last(self.keys.key(0, ROUNDS));
        }
    }

    /// Hashes the vector of a stride with the given number in hashing order.
    #[inline(always)]
    fn hash<const VECTORS: usize, const GROUP: usize>(
        &mut self,
        pending: &Pending<'_, L, VECTORS>,
        number: usize,
    ) {
        let (group, number) = (number / GROUP, (number + 1) % GROUP);
        let vector = pending.vector(self.proof, group * GROUP + number);
        self.hash.whole::<GROUP>(number, vector);
    }

    /// Processes the last `COUNT` vectors of a text of `length` bytes; the last may be partial.
    #[inline(always)]
    fn tail<const ROUNDS: usize, const GROUP: usize, const SEAL: bool, const COUNT: usize>(
        &mut self,
        counter: &mut Counter<L>,
        text: &mut [u8],
        length: usize,
    ) -> L {
        let mut stream = counter.next::<COUNT>(self.keys[0]);
        encrypt_whitened::<L, ROUNDS, COUNT>(self.keys, &mut stream);
        let mut vectors = [L::zero(self.proof); COUNT];
        let whole = (COUNT - 1) * L::BYTES;
        let (body, end) = text.split_at_mut(whole);
        for (index, bytes) in body.chunks_exact_mut(L::BYTES).enumerate() {
            let input = L::load(self.proof, bytes);
            let output = input.xor(stream[index]);
            output.store(bytes);
            vectors[index] = if SEAL { output } else { input };
        }
        let input = L::load_partial(self.proof, end);
        let output = input.xor(stream[COUNT - 1]);
        output.store_partial(end);
        vectors[COUNT - 1] = if SEAL { output.keep(end.len()) } else { input };

        let mut blocks = text.len().div_ceil(16);
        let mut last = &vectors[..];
        if COUNT > GROUP {
            for (number, vector) in vectors[..GROUP].iter().enumerate().rev() {
                self.hash.whole::<GROUP>(number, *vector);
            }
            last = &vectors[GROUP..];
            blocks -= GROUP * L::BLOCKS;
        }
        self.hash.finish(last, blocks, self.aad, length)
    }
}

/// A stride of ciphertext to hash.
enum Pending<'a, L, const VECTORS: usize> {
    /// Just computed, and still in registers.
    Vectors(&'a [L; VECTORS]),
    /// Loaded one by one, which takes fewer registers.
    Bytes(&'a [u8]),
}

impl<L: AesLanes, const VECTORS: usize> Pending<'_, L, VECTORS> {
    #[inline(always)]
    fn vector(&self, proof: L::Proof, index: usize) -> L {
        match self {
            Self::Vectors(vectors) => vectors[index],
            Self::Bytes(bytes) => L::load(proof, &bytes[index * L::BYTES..]),
        }
    }
}
