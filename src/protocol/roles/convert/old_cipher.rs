//! The ciphers of old data, with their names in OpenSSL.

/// Mode of operation of a block cipher (NIST SP 800-38A).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Ecb,
    Cbc,
    Ctr,
    /// Segments of a block.
    Cfb,
    /// Segments of a byte.
    Cfb8,
    Ofb,
}

/// A cipher of old data, with its mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldCipher {
    name: &'static str,
    pub(super) kind: Kind,
    pub(super) mode: Mode,
}

/// A block cipher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Single,
    /// Triple DES whose third key is the first one.
    TwoKey,
    /// Triple DES with three keys, or with two.
    Triple,
    Toy,
}

const fn cipher(name: &'static str, kind: Kind, mode: Mode) -> OldCipher {
    OldCipher { name, kind, mode }
}

impl OldCipher {
    /// The toy DES, whose blocks are single bytes.
    pub const TOY: Self = cipher("toydes-ecb", Kind::Toy, Mode::Ecb);

    /// All ciphers.
    pub const ALL: [Self; 17] = [
        cipher("des-ede3-cbc", Kind::Triple, Mode::Cbc),
        cipher("des-ede3-ecb", Kind::Triple, Mode::Ecb),
        cipher("des-ede3-ctr", Kind::Triple, Mode::Ctr),
        cipher("des-ede3-cfb", Kind::Triple, Mode::Cfb),
        cipher("des-ede3-cfb8", Kind::Triple, Mode::Cfb8),
        cipher("des-ede3-ofb", Kind::Triple, Mode::Ofb),
        cipher("des-ede-cbc", Kind::TwoKey, Mode::Cbc),
        cipher("des-ede-ecb", Kind::TwoKey, Mode::Ecb),
        cipher("des-ede-cfb", Kind::TwoKey, Mode::Cfb),
        cipher("des-ede-ofb", Kind::TwoKey, Mode::Ofb),
        cipher("des-cbc", Kind::Single, Mode::Cbc),
        cipher("des-ecb", Kind::Single, Mode::Ecb),
        cipher("des-ctr", Kind::Single, Mode::Ctr),
        cipher("des-cfb", Kind::Single, Mode::Cfb),
        cipher("des-cfb8", Kind::Single, Mode::Cfb8),
        cipher("des-ofb", Kind::Single, Mode::Ofb),
        Self::TOY,
    ];

    /// Other names of ciphers in OpenSSL, and the names here.
    pub const ALIASES: &[(&str, &str)] = &[
        ("des3", "des-ede3-cbc"),
        ("des-ede3", "des-ede3-ecb"),
        ("des-ede", "des-ede-ecb"),
        ("des", "des-cbc"),
        ("des-ede3-cfb64", "des-ede3-cfb"),
        ("des-ede-cfb64", "des-ede-cfb"),
        ("des-cfb64", "des-cfb"),
    ];

    /// Finds a cipher by name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cipher| cipher.name == name)
    }

    /// The cipher's name in OpenSSL.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Whether it needs an initialization vector.
    pub fn has_iv(self) -> bool {
        self.mode != Mode::Ecb
    }

    /// Whether it is the toy DES, whose keys are not whole bytes.
    pub fn is_toy(self) -> bool {
        self.kind == Kind::Toy
    }

    /// Whether the data consists of whole blocks of 8 bytes, the last of which may be padded.
    pub fn is_padded(self) -> bool {
        match (self.kind, self.mode) {
            (Kind::Single | Kind::TwoKey | Kind::Triple, Mode::Ecb | Mode::Cbc) => true,
            (
                Kind::Single | Kind::TwoKey | Kind::Triple,
                Mode::Ctr | Mode::Cfb | Mode::Cfb8 | Mode::Ofb,
            ) => false,
            (Kind::Toy, Mode::Ecb | Mode::Cbc | Mode::Ctr | Mode::Cfb | Mode::Cfb8 | Mode::Ofb) => {
                false
            }
        }
    }

    /// Lengths in bytes of its keys, the usual one first; none for the toy DES.
    pub(super) fn key_lengths(self) -> &'static [usize] {
        match self.kind {
            Kind::Single => &[8],
            Kind::TwoKey => &[16],
            Kind::Triple => &[24, 16],
            Kind::Toy => &[],
        }
    }
}
