//! Files that a server gives to everybody.

use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path};

/// Whether the path of a request, below a folder, is that of a file for everybody: a regular file that all
/// users may read, without hidden parts and without links. Key files are never that.
pub fn is_public(folder: &Path, path: &str) -> bool {
    /// The bit of the mode by which others may read.
    const READABLE: u32 = 0o004;
    let plain = |part: Component<'_>| match part {
        Component::Normal(name) => !name.as_encoded_bytes().starts_with(b"."),
        Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => {
            false
        }
    };
    // No file has a name that has to be escaped.
    if path.contains('%') || !Path::new(path).components().all(plain) {
        return false;
    }
    let (Ok(root), Ok(found)) = (folder.canonicalize(), folder.join(path).canonicalize()) else {
        return false;
    };
    let metadata = found.metadata();
    found == root.join(path)
        && metadata.is_ok_and(|found| found.is_file() && found.mode() & READABLE != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn only_plain_files_that_everybody_may_read_are_public() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        std::fs::create_dir_all(root.join("deep")).unwrap();
        let write = |name: &str, mode: u32| {
            let path = root.join(name);
            std::fs::write(&path, "x").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        write("logo.svg", 0o644);
        write("deep/style.css", 0o644);
        write("keys.jwks", 0o600);
        write(".htpasswd", 0o644);
        write("../outside", 0o644);
        symlink("../outside", root.join("link")).unwrap();
        for own in ["logo.svg", "deep/style.css"] {
            assert!(is_public(&root, own), "{own}");
        }
        for other in [
            "keys.jwks",
            ".htpasswd",
            "link",
            "../outside",
            "deep/../logo.svg",
            "deep",
            "",
            "/etc/hostname",
            "logo%2esvg",
            "none",
            "./logo.svg",
        ] {
            assert!(!is_public(&root, other), "{other}");
        }
    }
}
