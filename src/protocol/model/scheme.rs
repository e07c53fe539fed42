//! The choices that make an embodiment.

use std::fmt;

/// Whether an order is encrypted with the distributed key itself or with a key of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// With the distributed key itself.
    Direct,
    /// With a fresh content-encryption key, which travels wrapped under the distributed key.
    Hybrid,
}

/// What a distributed key is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All orders to a shop.
    Shop,
    /// One transaction, or one user.
    Transaction,
}

/// The kind of distributed key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The same key at both ends.
    Secret,
    /// A public key at the client, the private one at the shop.
    Public,
}

/// One of the system's embodiments, or a variant of them: three independent choices.
///
/// | embodiment | content | scope | kind |
/// |---|---|---|---|
/// | 1 | direct | shop | secret |
/// | 2 | hybrid | shop | secret |
/// | 3 | direct | transaction | secret |
/// | 4 | hybrid | transaction | secret |
/// | 5 | direct | transaction | public |
/// | 6 | hybrid | transaction | public |
///
/// Embodiment 7 is any of these whose program ends with erasing, which is the client program's
/// affair ([`Program`](super::Program)). The two combinations not in the table, public at shop scope, are variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scheme {
    /// Direct or hybrid.
    pub content: Content,
    /// Shop or transaction.
    pub scope: Scope,
    /// Secret or public.
    pub kind: Kind,
}

impl Scheme {
    /// Every combination: embodiments 1 to 6 in order, then the public ones at shop scope.
    pub const ALL: [Self; 8] = [
        Self::new(Content::Direct, Scope::Shop, Kind::Secret),
        Self::new(Content::Hybrid, Scope::Shop, Kind::Secret),
        Self::new(Content::Direct, Scope::Transaction, Kind::Secret),
        Self::new(Content::Hybrid, Scope::Transaction, Kind::Secret),
        Self::new(Content::Direct, Scope::Transaction, Kind::Public),
        Self::new(Content::Hybrid, Scope::Transaction, Kind::Public),
        Self::new(Content::Direct, Scope::Shop, Kind::Public),
        Self::new(Content::Hybrid, Scope::Shop, Kind::Public),
    ];

    /// A scheme of three choices.
    pub const fn new(content: Content, scope: Scope, kind: Kind) -> Self {
        Self { content, scope, kind }
    }

    /// The embodiment of that number, 1 to 6.
    pub fn embodiment(number: u8) -> Option<Self> {
        (1..=6).contains(&number).then(|| Self::ALL[usize::from(number) - 1])
    }

    /// Whether all clients of a shop hold the one secret key that opens the orders of each of them.
    pub fn shares_secret(self) -> bool {
        match (self.scope, self.kind) {
            (Scope::Shop, Kind::Secret) => true,
            (Scope::Transaction, Kind::Secret) => false,
            (Scope::Shop | Scope::Transaction, Kind::Public) => false,
        }
    }

    /// The number of the embodiment, 1 to 6, if the scheme is one of them.
    pub fn number(self) -> Option<u8> {
        let index = Self::ALL.iter().position(|scheme| *scheme == self)?;
        (index < 6).then_some(index as u8 + 1)
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.content.name(), self.scope.name(), self.kind.name())
    }
}

impl Content {
    /// `direct` or `hybrid`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Hybrid => "hybrid",
        }
    }

    /// The choice of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Direct, Self::Hybrid].into_iter().find(|choice| choice.name() == name)
    }
}

impl Scope {
    /// `shop` or `transaction`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shop => "shop",
            Self::Transaction => "transaction",
        }
    }

    /// The choice of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Shop, Self::Transaction].into_iter().find(|choice| choice.name() == name)
    }
}

impl Kind {
    /// `secret` or `public`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Public => "public",
        }
    }

    /// The choice of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Secret, Self::Public].into_iter().find(|choice| choice.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_shared_in_embodiments_1_and_2_alone() {
        let shared: Vec<_> = Scheme::ALL.into_iter().filter(|it| it.shares_secret()).collect();
        assert_eq!(shared, [Scheme::embodiment(1).unwrap(), Scheme::embodiment(2).unwrap()]);
    }

    #[test]
    fn numbers_and_schemes_agree() {
        for number in 1..=6 {
            assert_eq!(Scheme::embodiment(number).unwrap().number(), Some(number));
        }
        assert_eq!(Scheme::embodiment(0), None);
        assert_eq!(Scheme::embodiment(7), None);
        assert_eq!(Scheme::ALL[7].number(), None);
    }
}
