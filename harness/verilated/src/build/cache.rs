//! Compiled objects, kept by what they were made of.

use super::error::Error;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How many versions of one object are kept: enough to go back and forth between a few states of
/// the sources in more than one profile.
const VERSIONS: usize = 8;

/// Path of the object of a source called `stem` whose inputs have this stamp.
pub fn object(dir: &Path, stem: &str, stamp: &str) -> PathBuf {
    dir.join(format!("{stem}-{stamp}.o"))
}

/// Mark the objects as used now, and remove those versions of each that were not for the longest
/// time.
pub fn used(dir: &Path, objects: &[PathBuf]) -> Result<(), Error> {
    let now = SystemTime::now();
    for object in objects {
        let file = fs::File::options().append(true).open(object);
        file.and_then(|file| file.set_modified(now))
            .map_err(Error::io(object))?;
    }
    let mut versions: BTreeMap<String, Vec<(SystemTime, PathBuf)>> = BTreeMap::new();
    for entry in fs::read_dir(dir).map_err(Error::io(dir))? {
        let path = entry.map_err(Error::io(dir))?.path();
        // Another build may remove a file while this one looks at it.
        let time = fs::metadata(&path).and_then(|meta| meta.modified());
        if let (Some(stem), Ok(time)) = (stem(&path), time) {
            versions.entry(stem).or_default().push((time, path));
        }
    }
    for mut objects in versions.into_values() {
        objects.sort();
        let surplus = objects.len().saturating_sub(VERSIONS);
        for (_, path) in objects.drain(..surplus) {
            let _ = fs::remove_file(path);
        }
    }
    Ok(())
}

/// What the object was called without its stamp.
fn stem(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?.strip_suffix(".o")?;
    Some(name.rsplit_once('-')?.0.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn versions_unused_for_long_are_removed() -> Result<(), Error> {
        let dir = std::env::temp_dir().join(format!("verilated-{}-cache", std::process::id()));
        fs::create_dir_all(&dir).map_err(Error::io(&dir))?;
        let make = |stem: &str, version: u64| {
            let path = object(&dir, stem, &version.to_string());
            let age = SystemTime::UNIX_EPOCH + Duration::from_secs(version);
            let file = fs::File::create(&path).and_then(|file| file.set_modified(age));
            file.map_err(Error::io(&path)).map(|()| path)
        };
        let many = (0..20)
            .map(|n| make("many", n))
            .collect::<Result<Vec<_>, _>>()?;
        let few = (0..3)
            .map(|n| make("few", n))
            .collect::<Result<Vec<_>, _>>()?;
        used(&dir, &many[2..3])?;
        let left: Vec<_> = (0..20).filter(|&n| many[n].exists()).collect();
        assert_eq!(left, [2, 13, 14, 15, 16, 17, 18, 19]);
        assert!(few.iter().all(|path| path.exists()));
        fs::remove_dir_all(&dir).map_err(Error::io(&dir))
    }
}
