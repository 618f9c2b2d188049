//! Tests of the guard, from one head to hyper behind it.

mod heads;
mod served;
mod streams;
