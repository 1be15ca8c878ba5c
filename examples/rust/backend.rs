//! An HTTP backend that keeps its data in a Blink Store.
//!
//!     GET /KEY     200 with the value, or 404
//!     POST /KEY    204; the body is the value, up to 8 MiB
//!
//! It listens on 127.0.0.1, at PORT (default 8080); the store is BLINK_STORE=HOST:PORT.
//! The standard library has no HTTP: this program reads one request per connection itself, enough
//! of HTTP/1.1 for such an example and no more.

mod blink;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
const HEAD_BYTES_MAX: u64 = 512 * 1024;
const CLIENT_TIMEOUT: Duration = Duration::from_secs(30);

struct Request {
    method: String,
    key: Vec<u8>,
    body: Vec<u8>,
}

type Answer = (&'static str, Vec<u8>);

fn answer_of(status: &'static str, body: &str) -> Answer {
    (status, body.into())
}

/// Reads a request; Err is the answer that refuses it.
fn read_request(stream: &TcpStream) -> Result<Request, Answer> {
    let bad = |_| answer_of("400 Bad Request", "Bad request");
    let mut reader = BufReader::new(stream);
    let mut head = (&mut reader).take(HEAD_BYTES_MAX);
    let mut line = String::new();
    head.read_line(&mut line).map_err(bad)?;
    let mut words = line.split(' ');
    let method = words.next().unwrap_or_default().to_string();
    let key = blink::safe_key(&first_segment(words.next().unwrap_or_default()));
    let mut length = Some(0);
    loop {
        let mut header = String::new();
        if head.read_line(&mut header).map_err(bad)? == 0 {
            return Err(answer_of("400 Bad Request", "Bad request"));
        }
        let header = header.trim_end();
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(':').unwrap_or((header, ""));
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse::<usize>().ok(),
            "transfer-encoding" => length = None,
            _ => {}
        }
    }
    let length = length.ok_or_else(|| answer_of("411 Length Required", "Length required"))?;
    if length > BODY_BYTES_MAX {
        return Err(answer_of("413 Content Too Large", "Body too large"));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).map_err(bad)?; // half a value must not be stored
    Ok(Request { method, key, body })
}

/// The first segment of a URL's path, its %XX decoded to bytes.
fn first_segment(target: &str) -> Vec<u8> {
    let path = target.split('?').next().unwrap_or_default().trim_start_matches('/');
    let segment = path.split('/').next().unwrap_or_default().as_bytes();
    let mut raw = Vec::new();
    let mut rest = segment;
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = match (byte, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            raw.push(high << 4 | low);
            rest = &after[2..];
        } else {
            raw.push(byte);
            rest = after;
        }
    }
    raw
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// Calls again if a kept connection is lost; GET and a plain PUT may run twice.
fn twice<T>(
    store: &mut blink::Store,
    call: impl Fn(&mut blink::Store) -> Result<T, blink::StoreError>,
) -> Result<T, blink::StoreError> {
    match call(store) {
        Err(blink::StoreError::Lost(_)) => call(store),
        result => result,
    }
}

fn answer(request: &Request, store: &mut blink::Store) -> Answer {
    if request.key.is_empty() {
        return answer_of("400 Bad Request", "Missing key");
    }
    let result = match request.method.as_str() {
        "GET" => twice(store, |store| store.get(&request.key)).map(|value| match value {
            Some(value) => ("200 OK", value),
            None => answer_of("404 Not Found", "Not found"),
        }),
        "POST" => twice(store, |store| store.put(&request.key, &request.body))
            .map(|()| answer_of("204 No Content", "")),
        _ => Ok(answer_of("405 Method Not Allowed", "Method not allowed")),
    };
    result.unwrap_or_else(|_| answer_of("502 Bad Gateway", "Store error"))
}

fn serve(mut stream: TcpStream, store: &Mutex<blink::Store>) -> io::Result<()> {
    stream.set_read_timeout(Some(CLIENT_TIMEOUT))?;
    stream.set_write_timeout(Some(CLIENT_TIMEOUT))?;
    let (status, body) = match read_request(&stream) {
        Ok(request) => answer(&request, &mut store.lock().expect("no thread panics with the lock")),
        Err(refusal) => refusal,
    };
    let mut head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
    if !status.starts_with("204") {
        head += "Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n";
        head += &format!("Content-Length: {}\r\n", body.len());
    }
    stream.write_all(&[head.as_bytes(), b"\r\n", &body].concat())
}

fn main() -> io::Result<()> {
    let port = std::env::var("PORT").unwrap_or_else(|_| "8080".into());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    let store = blink::Store::new(blink::address_from_environment());
    println!("HTTP backend on http://{} -> store {}", listener.local_addr()?, store.address);
    let store = Arc::new(Mutex::new(store));
    for stream in listener.incoming().flatten() {
        let store = Arc::clone(&store);
        thread::spawn(move || serve(stream, &store).ok());
    }
    Ok(())
}
