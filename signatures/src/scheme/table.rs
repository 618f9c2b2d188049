//! The table itself. Facts only; each row names the page that it can be checked against.
//!
//! What providers say about rotation and redelivery was read there too; some of it could not be tried.

mod billing;
mod code;
mod identities;
mod india;
mod messages;
mod payments;
mod standard;
mod work;

use super::Scheme;

/// How many rows there are.
const COUNT: usize = 101;

/// Every family of rows. Where two schemes could fit the same request, the one to prefer comes first.
const FAMILIES: &[&[Scheme]] = &[
    india::ROWS,
    payments::ROWS,
    code::ROWS,
    standard::ROWS,
    messages::ROWS,
    billing::ROWS,
    work::ROWS,
    identities::ROWS,
];

pub(super) static SCHEMES: [Scheme; COUNT] = joined();

#[expect(clippy::large_stack_arrays, reason = "it is joined by the compiler and never on a stack")]
const fn joined() -> [Scheme; COUNT] {
    let mut rows = [FAMILIES[0][0]; COUNT];
    let (mut family, mut row, mut at) = (0, 0, 0);
    while family < FAMILIES.len() {
        if row == FAMILIES[family].len() {
            (family, row) = (family + 1, 0);
        } else {
            rows[at] = FAMILIES[family][row];
            (row, at) = (row + 1, at + 1);
        }
    }
    assert!(at == COUNT, "the number of rows is another one");
    rows
}
