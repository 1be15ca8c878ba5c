//! An interactive client: client [HOST [PORT]]

mod blink;

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

/// Text for a terminal: what is not UTF-8, and control characters, escaped.
fn shown(data: &[u8]) -> String {
    let mut out = String::new();
    for chunk in data.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if letter.is_control() {
                out.push_str(&format!("\\x{:02x}", letter as u32));
            } else {
                out.push(letter);
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out
}

/// BLINK_STORE, or its parts replaced by the arguments HOST and PORT.
fn address() -> String {
    let fallback = blink::address_from_environment();
    let (host, port) = fallback.rsplit_once(':').unwrap_or((&fallback, "8765"));
    let mut arguments = std::env::args().skip(1);
    let host = arguments.next().unwrap_or_else(|| host.into());
    let port = arguments.next().unwrap_or_else(|| port.into());
    format!("{host}:{port}")
}

fn converse(store: &mut blink::Store) -> Result<(), blink::StoreError> {
    store.ask(b"PING")?;
    println!("Connected to {}", store.address);
    println!("Commands: SET <key> <value> | GET <key> | DELETE <key> | USAGE | QUIT\n");
    let mut input = io::stdin().lock();
    loop {
        print!("> ");
        io::stdout().flush().ok();
        let mut line = Vec::new();
        if input.read_until(b'\n', &mut line).unwrap_or(0) == 0 {
            println!();
            return Ok(());
        }
        while matches!(line.last(), Some(b'\n' | b'\r')) {
            line.pop();
        }
        match line.trim_ascii() {
            b"" => continue,
            word if word.eq_ignore_ascii_case(b"QUIT") => return Ok(()),
            _ => {}
        }
        let reply = store.ask(&line)?;
        println!("{}", shown(&blink::value_of(&reply).unwrap_or(reply)));
    }
}

fn main() -> ExitCode {
    match converse(&mut blink::Store::new(address())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
