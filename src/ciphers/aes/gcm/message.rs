//! One message through GCM (SP 800-38D, section 7): counter mode and GHASH in one pass.

use super::ghash::Hash;
use crate::ciphers::aes::Block;
use crate::ciphers::aes::ctr::Counter;
use crate::ciphers::aes::lanes::Lanes;
use crate::ciphers::aes::rounds::{KeySource, LaneKeys, encrypt};

/// Vectors of counter blocks in flight.
const VECTORS: usize = 4;

/// What one message needs, beside its text.
pub(super) struct Message<'a, L: Lanes, const PLACES: usize> {
    pub(super) proof: L::Proof,
    /// Round keys.
    pub(super) keys: &'a LaneKeys<L>,
    /// The hash, which has taken the AAD.
    pub(super) hash: Hash<'a, L, PLACES>,
    /// Length of the AAD in bytes.
    pub(super) aad: usize,
    /// The first counter block: the IV, and 1.
    pub(super) first: &'a Block,
    /// The same encrypted, which masks the tag.
    pub(super) mask: &'a Block,
}

impl<L: Lanes, const PLACES: usize> Message<'_, L, PLACES> {
    /// Encrypts (`SEAL`) or decrypts `text` in place and returns the tag.
    ///
    /// Hashing reduces once in `GROUP` vectors; `GROUP` divides a stride.
    #[inline(always)]
    pub(super) fn pass<const ROUNDS: usize, const GROUP: usize, const SEAL: bool>(
        mut self,
        text: &mut [u8],
    ) -> Block {
        let mut counter = Counter::new(self.proof, self.first, 1);
        let length = text.len();
        let rest = self.strides::<ROUNDS, GROUP, SEAL>(&mut counter, text);
        let hash = match rest.len().div_ceil(L::BYTES) {
            0 => self.hash.finish(&[], 0, self.aad, length),
            1 => self.tail::<ROUNDS, GROUP, SEAL, 1>(&mut counter, rest, length),
            2 => self.tail::<ROUNDS, GROUP, SEAL, 2>(&mut counter, rest, length),
            3 => self.tail::<ROUNDS, GROUP, SEAL, 3>(&mut counter, rest, length),
            _ => self.tail::<ROUNDS, GROUP, SEAL, 4>(&mut counter, rest, length),
        };
        hash.xor(L::single(self.proof, self.mask)).first()
    }

    /// All but the last stride, which is returned: it is empty only where the text is.
    ///
    /// Opening hashes the ciphertext of a stride during its own rounds, sealing that of the stride
    /// before, so that neither waits for the other.
    #[inline(always)]
    fn strides<'t, const ROUNDS: usize, const GROUP: usize, const SEAL: bool>(
        &mut self,
        counter: &mut Counter<L>,
        mut text: &'t mut [u8],
    ) -> &'t mut [u8] {
        let stride = VECTORS * L::BYTES;
        let mut pending = None;
        while text.len() > stride {
            let (bytes, rest) = text.split_at_mut(stride);
            text = rest;
            let mut vectors = self.load::<VECTORS>(bytes);
            let mut stream = counter.next::<VECTORS>();
            if !SEAL {
                pending = Some(vectors);
            }
            match &pending {
                Some(pending) => self.rounds::<ROUNDS, GROUP>(&mut stream, pending),
                None => encrypt::<L, ROUNDS, VECTORS>(self.keys, &mut stream),
            }
            for (vector, key) in vectors.iter_mut().zip(stream) {
                *vector = vector.xor(key);
            }
            for (vector, bytes) in vectors.iter().zip(bytes.chunks_exact_mut(L::BYTES)) {
                vector.store(bytes);
            }
            if SEAL {
                pending = Some(vectors);
            }
        }
        if let (true, Some(pending)) = (SEAL, pending) {
            for (index, vector) in pending.iter().enumerate() {
                self.hash.whole(GROUP - index % GROUP, *vector);
            }
        }
        text
    }

    /// Encrypts a stride of counter blocks while `pending` ciphertext is hashed.
    #[inline(always)]
    fn rounds<const ROUNDS: usize, const GROUP: usize>(
        &mut self,
        stream: &mut [L; VECTORS],
        pending: &[L; VECTORS],
    ) {
        for block in stream.iter_mut() {
            *block = block.xor(self.keys.key(0, 0));
        }
        for round in 1..ROUNDS {
            for block in stream.iter_mut() {
                *block = block.enc(self.keys.key(0, round));
            }
            let index = round - 1;
            if index < VECTORS {
                self.hash.whole(GROUP - index % GROUP, pending[index]);
            }
        }
        for block in stream.iter_mut() {
            *block = block.enc_last(self.keys.key(0, ROUNDS));
        }
    }

    /// The last `COUNT` vectors of a text of `length` bytes, the last of them perhaps not full.
    #[inline(always)]
    fn tail<const ROUNDS: usize, const GROUP: usize, const SEAL: bool, const COUNT: usize>(
        &mut self,
        counter: &mut Counter<L>,
        text: &mut [u8],
        length: usize,
    ) -> L {
        let mut stream = counter.next::<COUNT>();
        encrypt::<L, ROUNDS, COUNT>(self.keys, &mut stream);
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
            for (index, vector) in vectors[..GROUP].iter().enumerate() {
                self.hash.whole(GROUP - index, *vector);
            }
            last = &vectors[GROUP..];
            blocks -= GROUP * L::BLOCKS;
        }
        self.hash.finish(last, blocks, self.aad, length)
    }

    #[inline(always)]
    fn load<const COUNT: usize>(&self, bytes: &[u8]) -> [L; COUNT] {
        let mut vectors = [L::zero(self.proof); COUNT];
        for (vector, bytes) in vectors.iter_mut().zip(bytes.chunks_exact(L::BYTES)) {
            *vector = L::load(self.proof, bytes);
        }
        vectors
    }
}
