//! The last lines of the log, for a process whose terminal is taken.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Lines kept: what somebody reads who looks for the reason of what they just saw.
const LINES: usize = 1_000;

/// Bytes kept of a line.
const LINE: usize = 4 * 1024;

/// Keeps the last lines written to it; cheap to clone. `:log` shows them.
#[derive(Clone, Debug, Default)]
pub struct LogRing {
    lines: Arc<Mutex<VecDeque<Vec<u8>>>>,
}

impl LogRing {
    /// The lines, oldest first, as they were written.
    pub fn lines(&self) -> Vec<Vec<u8>> {
        self.lock().iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Vec<u8>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl io::Write for LogRing {
    /// One write holds whole lines, as `tracing-subscriber` writes them.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut lines = self.lock();
        for line in bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            if lines.len() == LINES {
                lines.pop_front();
            }
            lines.push_back(line[..line.len().min(LINE)].to_vec());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn the_last_lines_stay() {
        let mut ring = LogRing::default();
        for number in 0..=LINES {
            ring.write_all(format!("line {number}\n").as_bytes()).unwrap();
        }
        let lines = ring.lines();
        assert_eq!(lines.len(), LINES);
        assert_eq!(lines[0], b"line 1");
    }
}
