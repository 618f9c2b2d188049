//! File systems of a scenario's own.

use std::process::Command;

use anyhow::Result;

use crate::process::run;

/// A file system that is unmounted when it is dropped.
#[derive(Debug)]
pub(crate) struct Mount {
    folder: String,
}

impl Mount {
    /// Makes the folder if it is not there, and mounts `what` on it, which may be options and a device.
    pub(crate) fn new(what: &[&str], folder: &str) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        run("mount", &[what, &[folder]].concat())?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// The same with other options.
    pub(crate) fn remount(&self, options: &str) -> Result<()> {
        run("mount", &["-o", &format!("remount,{options}"), &self.folder])
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.folder).status(); // nobody is left to be told
    }
}
