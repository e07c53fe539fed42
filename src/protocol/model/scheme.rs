//! Schemes: the three choices that define an embodiment.

use std::fmt;

/// Whether the distributed key encrypts orders itself or wraps a key for each order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// The distributed key encrypts orders itself.
    Direct,
    /// A fresh content-encryption key, which is sent wrapped under the distributed key.
    Hybrid,
}

/// Range of orders that a distributed key serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All orders to a shop.
    Shop,
    /// One transaction, or one user.
    Transaction,
}

/// Kind of the distributed key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Both parties have the same key.
    Secret,
    /// The client has the public key and the shop the private one.
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
/// Embodiment 7 is any of these with a client program that erases after sending; see
/// [`ClientProgram`](super::ClientProgram). The two combinations missing from the table, public at
/// shop scope, are variants.
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
    /// Embodiment 1: one secret key for the shop, used directly.
    pub const DIRECT_SHOP_SECRET: Self = Self::new(Content::Direct, Scope::Shop, Kind::Secret);
    /// Embodiment 2: one secret key for the shop, wrapping a new key for each order.
    pub const HYBRID_SHOP_SECRET: Self = Self::new(Content::Hybrid, Scope::Shop, Kind::Secret);
    /// Embodiment 3: a secret key for each transaction, used directly.
    pub const DIRECT_TRANSACTION_SECRET: Self =
        Self::new(Content::Direct, Scope::Transaction, Kind::Secret);
    /// Embodiment 4: a secret key for each transaction, wrapping a new key for each order.
    pub const HYBRID_TRANSACTION_SECRET: Self =
        Self::new(Content::Hybrid, Scope::Transaction, Kind::Secret);
    /// Embodiment 5: a key pair for each transaction, used directly.
    pub const DIRECT_TRANSACTION_PUBLIC: Self =
        Self::new(Content::Direct, Scope::Transaction, Kind::Public);
    /// Embodiment 6: a key pair for each transaction, wrapping a new key for each order.
    pub const HYBRID_TRANSACTION_PUBLIC: Self =
        Self::new(Content::Hybrid, Scope::Transaction, Kind::Public);
    /// A variant: one key pair for the shop, used directly.
    pub const DIRECT_SHOP_PUBLIC: Self = Self::new(Content::Direct, Scope::Shop, Kind::Public);
    /// A variant: one key pair for the shop, wrapping a new key for each order.
    pub const HYBRID_SHOP_PUBLIC: Self = Self::new(Content::Hybrid, Scope::Shop, Kind::Public);

    /// Every combination: embodiments 1 to 6 in order, then the public ones at shop scope.
    pub const ALL: [Self; 8] = [
        Self::DIRECT_SHOP_SECRET,
        Self::HYBRID_SHOP_SECRET,
        Self::DIRECT_TRANSACTION_SECRET,
        Self::HYBRID_TRANSACTION_SECRET,
        Self::DIRECT_TRANSACTION_PUBLIC,
        Self::HYBRID_TRANSACTION_PUBLIC,
        Self::DIRECT_SHOP_PUBLIC,
        Self::HYBRID_SHOP_PUBLIC,
    ];

    /// Creates a scheme from the three choices.
    pub const fn new(content: Content, scope: Scope, kind: Kind) -> Self {
        Self { content, scope, kind }
    }

    /// Embodiment with this number, 1 to 6.
    pub fn embodiment(number: u8) -> Option<Self> {
        (1..=6).contains(&number).then(|| Self::ALL[usize::from(number) - 1])
    }

    /// Whether all clients of a shop share one secret key, which opens the orders of all of them.
    pub fn shares_secret(self) -> bool {
        match (self.scope, self.kind) {
            (Scope::Shop, Kind::Secret) => true,
            (Scope::Transaction, Kind::Secret) => false,
            (Scope::Shop | Scope::Transaction, Kind::Public) => false,
        }
    }

    /// Number of the embodiment, 1 to 6; `None` for a variant.
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
    /// Name of the choice: `direct` or `hybrid`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Hybrid => "hybrid",
        }
    }

    /// Finds the choice with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Direct, Self::Hybrid].into_iter().find(|choice| choice.name() == name)
    }
}

impl Scope {
    /// Name of the choice: `shop` or `transaction`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shop => "shop",
            Self::Transaction => "transaction",
        }
    }

    /// Finds the choice with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Shop, Self::Transaction].into_iter().find(|choice| choice.name() == name)
    }
}

impl Kind {
    /// Name of the choice: `secret` or `public`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Public => "public",
        }
    }

    /// Finds the choice with this name.
    pub fn from_name(name: &str) -> Option<Self> {
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
