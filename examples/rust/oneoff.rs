//! Runs one command; USAGE lists them.

mod blink;

use blink::StoreError;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

const USAGE: &str = "oneoff SET KEY VALUE     store a value
oneoff SET KEY < FILE    store what is read from standard input
oneoff GET KEY           print a value and a line feed
oneoff DELETE KEY        remove a key
oneoff USAGE             print how many bytes the store holds

Exit status: 0 success, 1 not found or the store failed, 2 invalid arguments.";

/// Runs the command; returns what it prints, or None if the key was not there.
fn run(store: &mut blink::Store, arguments: &[Vec<u8>]) -> Result<Option<Vec<u8>>, StoreError> {
    let (verb, rest) = arguments.split_first().map_or((&[][..], &[][..]), |(v, r)| (&v[..], r));
    let ok = || Some(b"OK".to_vec());
    match (verb.to_ascii_uppercase().as_slice(), rest) {
        (b"SET", [key, value]) => store.put(key, value).map(|()| ok()),
        (b"SET", [key]) => {
            let mut value = Vec::new();
            io::stdin().read_to_end(&mut value).map_err(StoreError::Lost)?;
            store.put(key, &value).map(|()| ok())
        }
        (b"GET", [key]) => store.get(key),
        (b"DELETE", [key]) => store.delete(key).map(|found| if found { ok() } else { None }),
        (b"USAGE", []) => {
            let reply = store.ask(b"USAGE")?;
            if reply.starts_with(b"ERROR ") {
                return Err(StoreError::Reply(String::from_utf8_lossy(&reply).into_owned()));
            }
            Ok(Some(reply))
        }
        _ => Err(StoreError::Usage(USAGE.into())),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<Vec<u8>> = std::env::args_os().skip(1).map(|a| a.into_vec()).collect();
    let mut store = blink::Store::new(blink::address_from_environment());
    match run(&mut store, &arguments) {
        Ok(Some(mut answer)) => {
            answer.push(b'\n');
            match io::stdout().write_all(&answer) {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            }
        }
        Ok(None) => {
            eprintln!("NOT_FOUND");
            ExitCode::FAILURE
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(if matches!(why, StoreError::Usage(_)) { 2 } else { 1 })
        }
    }
}
