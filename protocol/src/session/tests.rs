//! Two sessions joined in memory: a fake clock, and a link that delivers when it is told to.

mod bounds;
mod exchange;
mod flow;
mod interleaving;
mod life;
mod pair;
mod wakes;
