//! What is remembered for each directory: its exchanges, and the endpoint's name when none is given: random, and the same over restarts, so that
//! the URL stays.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process,
};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::folders;

/// Where the names are kept, below the user's data folder.
const FOLDER: &str = "projects";

/// The file with the name, in a folder for each directory.
const FILE: &str = "endpoint";

/// The file with the exchanges, beside it.
const STORE: &str = "exchanges.db";

/// Digits behind the words of a name. Their 64 bits can't be guessed over a network: the name is all that keeps strangers from the app.
const DIGITS: usize = 16;

/// Words to tell two projects apart at a glance; the number behind them is what makes a name unique.
const QUALITIES: [&str; 16] = [
    "brave", "calm", "clear", "early", "fresh", "gentle", "happy", "keen", "light", "lucky", "merry", "quick", "quiet",
    "sunny", "swift", "warm",
];
const ANIMALS: [&str; 16] = [
    "badger", "beaver", "crane", "falcon", "finch", "fox", "heron", "ibex", "lark", "lynx", "marten", "otter", "raven",
    "robin", "seal", "wren",
];

/// This directory's endpoint. If it can't be remembered, it is a new one each time, and a warning says so.
pub(crate) fn endpoint() -> String {
    folder().and_then(|folder| remembered(&folder)).unwrap_or_else(|error| {
        tracing::warn!("the endpoint's name can't be remembered, so the URL will be another one next time: {error}");
        random()
    })
}

/// Where this directory's exchanges are kept.
pub(crate) fn store() -> io::Result<PathBuf> {
    Ok(folder()?.join(STORE))
}

/// What is remembered for this directory.
fn folder() -> io::Result<PathBuf> {
    let data = folders::data().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "this user has no home"))?;
    Ok(data.join(FOLDER).join(hash(&env::current_dir()?)))
}

fn remembered(folder: &Path) -> io::Result<String> {
    let path = folder.join(FILE);
    match fs::read_to_string(&path) {
        Ok(name) if is_name(name.trim_end()) => return Ok(name.trim_end().to_owned()),
        // Damaged, perhaps by a full disk: a new one takes its place.
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    fs::create_dir_all(folder)?;
    let name = random();
    // By way of a second file: nobody ever reads half a name.
    let half = PathBuf::from(format!("{}.{}", path.display(), process::id()));
    fs::write(&half, format!("{name}\n"))?;
    fs::rename(&half, &path)?;
    Ok(name)
}

/// `quiet-otter-4f2a91c8d03e55b7`.
fn random() -> String {
    // A UUIDv7 begins with the time; hashed, all of its 74 random bits count for every byte of the name.
    let bytes = Sha256::digest(Uuid::now_v7().as_bytes());
    let word = |list: &[&'static str; 16], byte: u8| list[usize::from(byte % 16)];
    format!("{}-{}-{}", word(&QUALITIES, bytes[30]), word(&ANIMALS, bytes[31]), hexadecimal(&bytes))
}

fn hash(project: &Path) -> String {
    hexadecimal(&Sha256::digest(project.as_os_str().as_encoded_bytes()))
}

/// The first 64 bits of a hash, as 16 digits.
fn hexadecimal(hash: &[u8]) -> String {
    let number = hash.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("{number:016x}")
}

/// Whether it could be a name that we made.
fn is_name(text: &str) -> bool {
    text.len() > DIGITS && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_keeps_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let (shop, blog) = (folder.path().join(hash(Path::new("/shop"))), folder.path().join(hash(Path::new("/blog"))));
        let first = remembered(&shop).unwrap();
        assert_eq!(remembered(&shop).unwrap(), first);
        assert_ne!(remembered(&blog).unwrap(), first);
        assert!(is_name(&first), "{first}");
        fs::write(shop.join(FILE), "\0\0").unwrap();
        assert_ne!(remembered(&shop).unwrap(), first);
    }

    #[test]
    fn a_store_that_is_no_folder_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(remembered(&file.path().join("shop")).is_err());
    }
}
