//! Cutting bytes into parts whose lengths are known.

/// Returns `LEN` bytes of an array, from byte `AT` on. A part beyond the end does not compile.
pub(crate) const fn part<const AT: usize, const LEN: usize, const ALL: usize>(
    bytes: &[u8; ALL],
) -> &[u8; LEN] {
    const { assert!(AT + LEN <= ALL) };
    let Some(part) = bytes.split_at(AT).1.first_chunk() else { unreachable!() };
    part
}

/// Cuts bytes into consecutive parts of these lengths.
///
/// # Panics
/// If the lengths together exceed the number of bytes.
pub(crate) fn parts_mut(
    mut bytes: &mut [u8],
    lengths: impl IntoIterator<Item = usize>,
) -> impl Iterator<Item = &mut [u8]> {
    lengths.into_iter().map(move |length| {
        let (part, rest) = std::mem::take(&mut bytes).split_at_mut(length);
        bytes = rest;
        part
    })
}

/// The blocks of a text that is a whole number of them.
///
/// # Panics
/// If it is not.
pub(crate) fn whole_blocks<const N: usize>(text: &mut [u8]) -> &mut [[u8; N]] {
    let (blocks, rest) = text.as_chunks_mut();
    assert!(rest.is_empty(), "texts are whole blocks");
    blocks
}
