//! The keys with which `decrypt` opens: a password, bundles, and keys of other files.

use std::path::PathBuf;

use orderseal::protocol::store::files::{self, FileId, LedgerUser, Loaded};
use orderseal::protocol::store::{OpeningFile, OpeningKeys};
use orderseal::protocol::{Error, Place, Result};

use super::Decrypt;
use crate::cmd::dates::{OnExpired, now};
use crate::cmd::ledger::UseOptions;
use crate::cmd::passwords::load_password;
use crate::cmd::{Global, algorithms, ui};

impl Decrypt {
    /// The keys, the identities of their files, and the bundles among these that may have a ledger.
    pub(super) fn keys(
        &self,
        uses: &UseOptions,
        global: &Global,
    ) -> Result<(OpeningKeys, Vec<Option<FileId>>, Vec<LedgerUser>)> {
        if let Some(path) = &self.password_file {
            let Loaded { file: password, id, .. } = load_password(path, global)?;
            let password = password.open_with(self.password_rounds);
            return Ok((
                OpeningKeys::of_password(password, global.allow_weak),
                vec![id],
                Vec::new(),
            ));
        }
        let keys = OpeningKeys::new(global.allow_weak);
        let mut keys = match self.expired {
            OnExpired::Warn => keys,
            OnExpired::Refuse => keys.in_date(now()),
        };
        let (mut ids, mut bundles) = (Vec::new(), Vec::new());
        for path in &self.bundle {
            let loaded = files::load(path, global.access()?)?;
            let loaded = loaded.of(OpeningFile::of_shop)?;
            ids.push(loaded.id);
            bundles.extend(uses.user(path, &loaded, global)?);
            self.add(&mut keys, loaded, global)?;
        }
        let reader = self.key_password.reader(global)?;
        ids.push(self.key_password.id());
        let load = |path: &PathBuf| reader.load(path);
        let mut plain = self.key.iter().map(load).collect::<Result<Vec<_>>>()?;
        algorithms::assume(self.alg, &mut plain)?;
        for (loaded, path) in plain.into_iter().zip(&self.key) {
            let loaded = loaded.of(OpeningFile::of)?;
            ids.push(loaded.id);
            bundles.extend(uses.user(path, &loaded, global)?);
            self.add(&mut keys, loaded, global)?;
        }
        if let Some(kid) = &self.kid {
            let chosen = keys.choose_for_unnamed(kid);
            chosen.map_err(|error| Error::key(&Place::file("--kid"), error))?;
        }
        Ok((keys, ids, bundles))
    }

    fn add(
        &self,
        keys: &mut OpeningKeys,
        loaded: Loaded<OpeningFile>,
        global: &Global,
    ) -> Result<()> {
        let file = loaded.file.holder();
        file.refuse_marked(global.allow_weak, &loaded.place)?;
        if let Some(name) = file.weak_algorithm().filter(|_| !global.allow_weak) {
            let place = &loaded.place;
            ui::warn(global, &format!("{place}: {name} is weak, for teaching and old data only"));
        }
        if let (OpeningFile::Plain(file), OnExpired::Warn) = (&loaded.file, self.expired)
            && let Err(why) = file.check_expiry(now())
        {
            ui::warn(global, &format!("{}: {why}", loaded.place));
        }
        keys.add(loaded.file, &loaded.place)
    }
}
