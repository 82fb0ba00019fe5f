//! Output files that appear whole or not at all.

use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file to be written. Its content gathers in a temporary file beside it, which takes its name in
/// [`OutFile::publish`] and vanishes if that is never called.
pub struct OutFile {
    path: PathBuf,
    /// `None` for devices and pipes, which are written in place: they cannot be replaced.
    temporary: Option<NamedTempFile>,
}

impl OutFile {
    /// Prepares the file at `path`, so that a place that cannot be written shows before a long run.
    ///
    /// # Errors
    ///
    /// One sentence that names the file when it cannot be written.
    pub fn create(path: &Path) -> Result<OutFile, String> {
        let fail = |why: String| Err(format!("{}: cannot be written: {why}", path.display()));
        if path.is_dir() {
            return fail("it is a directory; give a file name".to_string());
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        if path.exists() && !path.is_file() {
            return Ok(OutFile {
                path: path.to_path_buf(),
                temporary: None,
            });
        }
        if !folder.is_dir() {
            let why = format!("there is no folder {}; make it first", folder.display());
            return fail(why);
        }
        match builder().tempfile_in(folder) {
            Ok(file) => Ok(OutFile {
                path: path.to_path_buf(),
                temporary: Some(file),
            }),
            Err(e) => fail(e.to_string()),
        }
    }

    /// The name that the file will have.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where to write meanwhile, for writers that want a path.
    pub fn working_path(&self) -> &Path {
        self.temporary
            .as_ref()
            .map_or(&self.path, |file| file.path())
    }

    /// Writes the content and gives the file its name.
    ///
    /// # Errors
    ///
    /// One sentence that names the file when the disk refuses it.
    pub fn write(self, content: &[u8]) -> Result<(), String> {
        let written = std::fs::OpenOptions::new()
            .write(true)
            .truncate(self.temporary.is_some())
            .open(self.working_path())
            .and_then(|mut file| file.write_all(content));
        match written {
            Ok(()) => self.publish(),
            Err(e) => Err(format!("{}: cannot be written: {e}", self.path.display())),
        }
    }

    /// Gives the file its name; the content must be complete.
    ///
    /// # Errors
    ///
    /// One sentence that names the file when it cannot take its name.
    pub fn publish(self) -> Result<(), String> {
        let Some(temporary) = self.temporary else {
            return Ok(());
        };
        match temporary.persist(&self.path) {
            Ok(_) => Ok(()),
            Err(e) => Err(format!(
                "{}: cannot be written: {}",
                self.path.display(),
                e.error
            )),
        }
    }
}

/// Temporary files with the rights that a plain new file would get.
fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".supernode-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_with_its_name() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("out.json");
        OutFile::create(&path)
            .expect("writable")
            .write(b"whole")
            .expect("written");
        assert_eq!(std::fs::read(&path).expect("there"), b"whole");
        assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 1);
    }

    #[test]
    fn a_file_never_published_leaves_the_old_one_and_nothing_else() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("out.json");
        std::fs::write(&path, "old").expect("writable");
        let out = OutFile::create(&path).expect("writable");
        std::fs::write(out.working_path(), "half").expect("writable");
        drop(out);
        assert_eq!(std::fs::read(&path).expect("there"), b"old");
        assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 1);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_refused_at_once() {
        let folder = tempfile::tempdir().expect("folder");
        let refusal = |path: &Path| OutFile::create(path).err().expect("not writable");
        assert!(refusal(folder.path()).contains("is a directory"));
        assert!(refusal(&folder.path().join("no/out.json")).contains("there is no folder"));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_written_in_place() {
        OutFile::create(Path::new("/dev/null"))
            .expect("writable")
            .write(b"x")
            .expect("written");
        assert!(!Path::new("/dev/null").is_file());
    }
}
