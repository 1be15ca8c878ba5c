//! Checks that count, and that end the program at the first difference.

use redis::{RedisError, RedisResult};
use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many checks have passed.
pub static CHECKS: AtomicUsize = AtomicUsize::new(0);

/// Longer than any check takes, so that no key expires under one.
pub const LONG_SECONDS: i64 = 1000;

/// Ends the program.
pub fn fail(message: String) -> ! {
    let short: String = message.chars().take(600).collect();
    eprintln!("{short}");
    std::process::exit(1)
}

/// Ends the program unless a request was answered with this value.
pub fn check<T: PartialEq + Debug>(what: &str, got: RedisResult<T>, wanted: T) {
    match got {
        Ok(value) if value == wanted => CHECKS.fetch_add(1, Ordering::Relaxed),
        other => fail(format!("{what}: got {other:?}, wanted {wanted:?}")),
    };
}

/// Ends the program unless something holds.
pub fn check_true(what: &str, holds: bool) {
    check(what, Ok(holds), true);
}

/// Ends the program unless a request failed with an error whose text has a part.
pub fn check_error<T: Debug>(what: &str, got: RedisResult<T>, part: &str) -> RedisError {
    match got {
        Err(error) if error.to_string().contains(part) => {
            CHECKS.fetch_add(1, Ordering::Relaxed);
            error
        }
        other => fail(format!("{what}: got {other:?}, wanted an error with {part:?}")),
    }
}
