//! Texts split over several RSA-OAEP messages, bound together by a secret at the start of each.
//!
//! Anyone with the public key can make messages and insert them among those of somebody else, but
//! does not know the secret in those: a text is intact if all of its messages carry the same
//! secret.

use super::Unwrapped;
use subtle::{Choice, ConstantTimeEq, ConstantTimeGreater};
use zeroize::Zeroizing;

/// Length in bytes of the secret at the start of every message.
pub const SECRET: usize = 16;

/// The pieces of a text, and whether they belong together; only reading it reveals which.
pub struct Joined {
    /// All messages, secrets included, each with room for the longest one.
    messages: Zeroizing<Vec<u8>>,
    room: usize,
    last: u32,
    whole: Choice,
}

/// Joins the messages of a text; `room` is the length of the longest message under their key.
///
/// They belong together if all are valid and carry the same secret, all but the last are full, and
/// the last contains text, unless it is the only one. The time depends only on `room` and the
/// number of messages.
///
/// # Panics
/// If there are no messages.
pub fn join(messages: &[Unwrapped], room: usize) -> Joined {
    assert!(!messages.is_empty(), "a text has at least one message");
    let mut all = Zeroizing::new(vec![0; messages.len() * room]);
    let (mut whole, mut last) = (Choice::from(1), 0);
    let least = SECRET as u32 + u32::from(messages.len() > 1);
    for (number, (message, out)) in (1..).zip(messages.iter().zip(all.chunks_exact_mut(room))) {
        let (len, valid) = message.write(out);
        whole &= valid;
        // Which message is last is public.
        if number < messages.len() {
            whole &= len.ct_eq(&(room as u32));
        } else {
            whole &= !least.ct_gt(&len);
            last = len;
        }
    }
    let (first, others) = all.split_at(room);
    for message in others.chunks_exact(room) {
        whole &= message[..SECRET].ct_eq(&first[..SECRET]);
    }
    Joined { messages: all, room, last, whole }
}

impl Joined {
    /// Writes the text to the start of `out` and returns its length, or `None` if the messages do
    /// not belong together. Calling this reveals whether they do.
    ///
    /// # Panics
    /// If `out` is too short for the text; the ciphertexts of its messages are longer.
    pub fn write(&self, out: &mut [u8]) -> Option<usize> {
        if !bool::from(self.whole) {
            return None;
        }
        let (full, last) = self.messages.split_at(self.messages.len() - self.room);
        let pieces = full.chunks_exact(self.room).chain([&last[..self.last as usize]]);
        let mut written = 0;
        for piece in pieces.map(|message| &message[SECRET..]) {
            out[written..written + piece.len()].copy_from_slice(piece);
            written += piece.len();
        }
        Some(written)
    }
}

impl std::fmt::Debug for Joined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Joined(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::super::OaepHash;
    use super::*;

    /// Length in bytes of a modulus, and of the longest message under it.
    const SIZE: usize = 256;
    const ROOM: usize = SIZE - 66;

    /// Returns a message as unwrapped from its ciphertext; an invalid one for `None`.
    fn unwrapped(message: Option<&[u8]>) -> Unwrapped {
        let mut block = Zeroizing::new(vec![0; SIZE]);
        OaepHash::Sha256.encode(b"", message.unwrap_or(b"x"), &[5; 32], &mut block);
        let sound = Choice::from(u8::from(message.is_some()));
        OaepHash::Sha256.decode(b"", block, sound)
    }

    fn message(secret: u8, text: &[u8]) -> Vec<u8> {
        [&[secret; SECRET], text].concat()
    }

    fn text(messages: &[Option<&[u8]>]) -> Option<Vec<u8>> {
        let messages: Vec<_> = messages.iter().map(|message| unwrapped(*message)).collect();
        let mut out = vec![0; messages.len() * SIZE];
        let len = join(&messages, ROOM).write(&mut out)?;
        out.truncate(len);
        Some(out)
    }

    #[test]
    fn messages_of_any_length_are_written_to_the_front() {
        for len in 0..=ROOM {
            let message: Vec<u8> = (1..=len as u8).collect();
            let mut out = [0xee; ROOM];
            let (found, valid) = unwrapped(Some(&message)).write(&mut out);
            assert_eq!((found as usize, bool::from(valid)), (len, true));
            assert_eq!(out[..len], message[..]);
            assert_eq!(out[len..], [0; ROOM][len..]);
        }
        let mut out = [0xee; ROOM];
        let (len, valid) = unwrapped(None).write(&mut out);
        assert_eq!((len, bool::from(valid), out), (0, false, [0; ROOM]));
    }

    #[test]
    fn a_text_of_one_message_may_be_empty() {
        assert_eq!(text(&[Some(&message(1, b""))]), Some(Vec::new()));
        assert_eq!(text(&[Some(&message(1, b"tea"))]), Some(b"tea".to_vec()));
        assert_eq!(text(&[Some(&[1; SECRET - 1])]), None);
        assert_eq!(text(&[Some(b"")]), None);
        assert_eq!(text(&[None]), None);
    }

    #[test]
    fn pieces_are_joined_only_if_all_belong_together() {
        let full = message(1, &[b'a'; ROOM - SECRET]);
        let last = message(1, b"end");
        let whole = [&[b'a'; 2 * (ROOM - SECRET)][..], b"end"].concat();
        assert_eq!(text(&[Some(&full), Some(&full), Some(&last)]), Some(whole));
        assert_eq!(text(&[Some(&full), Some(&full)]).map(|text| text.len()), Some(348));

        // Replaces each message in turn with one that is wrong in a single way.
        let all = [&full[..], &full, &last];
        let short = &full[..ROOM - 1];
        for place in 0..3 {
            let mut other_secret = all[place].to_vec();
            for byte in 0..SECRET {
                other_secret[byte] ^= 0x80;
                let mut changed = all.map(Some);
                changed[place] = Some(&other_secret);
                assert_eq!(text(&changed), None, "message {place}, byte {byte}");
                other_secret[byte] ^= 0x80;
            }
            let mut changed = all.map(Some);
            changed[place] = None;
            assert_eq!(text(&changed), None, "message {place} is invalid");
            changed[place] = Some(&last[..SECRET]);
            assert_eq!(text(&changed), None, "message {place} has no text");
            changed[place] = Some(short);
            assert_eq!(text(&changed).is_some(), place == 2, "message {place} is not full");
        }
    }
}
