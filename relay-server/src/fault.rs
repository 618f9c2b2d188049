//! Places at which a test makes the relay die: `HOOKWIRE_FAILPOINT=<name>[:<nth>]` aborts the process when it comes to a point for the
//! nth time (the first, if no number is given).
//!
//! They are in every build, because the fault tests run the very binary that users run; a point that is not armed costs the load of one
//! word. Who can set the environment of a relay can also kill it, so nothing is opened by this.

use std::{
    env, process,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// Names the point to die at.
const VARIABLE: &str = "HOOKWIRE_FAILPOINT";

/// The environment's wish, read once. A static, because points lie deep inside of what has no business with faults.
static ARMED: LazyLock<Option<Armed>> = LazyLock::new(|| env::var(VARIABLE).ok().and_then(|wish| Armed::parse(&wish)));

/// Dies here if a test has asked for it.
pub(crate) fn point(name: &str) {
    if let Some(armed) = &*ARMED
        && armed.reached(name)
    {
        tracing::error!(name, "dies at a fault point, as `{VARIABLE}` asked for");
        process::abort();
    }
}

struct Armed {
    name: String,
    left: AtomicU32,
}

impl Armed {
    fn parse(wish: &str) -> Option<Self> {
        let (name, nth) = wish.split_once(':').unwrap_or((wish, "1"));
        match nth.parse() {
            Ok(nth) if nth > 0 => Some(Self { name: name.to_owned(), left: AtomicU32::new(nth) }),
            _ => {
                tracing::error!(wish, "`{VARIABLE}` is not of the form `name` or `name:nth`: no fault will happen");
                None
            }
        }
    }

    /// Whether this is the time to die.
    fn reached(&self, name: &str) -> bool {
        self.name == name && self.left.fetch_sub(1, Ordering::Relaxed) == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_armed_by_name_and_dies_once_at_the_nth_time() {
        let armed = Armed::parse("before-commit:2").unwrap();
        assert!(!armed.reached("before-insert") && !armed.reached("before-commit"));
        assert!(armed.reached("before-commit") && !armed.reached("before-commit"));
        assert!(Armed::parse("before-commit").unwrap().reached("before-commit"));
        assert!(Armed::parse("before-commit:soon").is_none() && Armed::parse("before-commit:0").is_none());
    }
}
