//! A connection to a Blink Store: one request per line, one reply per line, in order.
//!
//! It needs the standard library only. Keys and values that come from outside never become
//! commands: a request that holds a line break is refused, and values are sent in base64.
#![allow(dead_code)] // each of the three programs uses its own part of this file

use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

const KEY_BYTES_MAX: usize = 65_535;
const TIMEOUT: Duration = Duration::from_secs(5);

/// Why a request has no result.
#[derive(Debug)]
pub enum StoreError {
    /// It must not be sent: an invalid key, or a line break in a request.
    Usage(String),
    /// The connection failed or was closed; the next request opens a new one.
    Lost(io::Error),
    /// The store answered with an ERROR, or with something this program does not know.
    Reply(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            StoreError::Usage(why) | StoreError::Reply(why) => out.write_str(why),
            StoreError::Lost(why) => write!(out, "Cannot reach the store: {why}"),
        }
    }
}

/// HOST:PORT of BLINK_STORE, else 127.0.0.1:8765.
pub fn address_from_environment() -> String {
    std::env::var("BLINK_STORE").unwrap_or_else(|_| "127.0.0.1:8765".into())
}

/// Refuses a key that the store could not take as one key.
pub fn check_key(key: &[u8]) -> Result<(), StoreError> {
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        let why = format!("Cannot use this key: it must have 1 to {KEY_BYTES_MAX} bytes");
        return Err(StoreError::Usage(why));
    }
    if key.iter().any(|byte| b" \t\r\n".contains(byte)) {
        let why = "Cannot use this key: it holds a blank or a line break";
        return Err(StoreError::Usage(why.into()));
    }
    Ok(())
}

/// A key for any bytes: visible ASCII but % stays as it is, every other byte becomes %XX.
pub fn safe_key(raw: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(raw.len());
    for &byte in raw {
        if byte.is_ascii_graphic() && byte != b'%' {
            key.push(byte);
        } else {
            key.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    key
}

/// One connection, opened by the first request and kept.
pub struct Store {
    pub address: String,
    token: String,
    connection: Option<BufReader<TcpStream>>,
}

impl Store {
    /// A store at HOST:PORT, with the token of BLINK_TOKEN, if there is one.
    pub fn new(address: String) -> Store {
        let token = std::env::var("BLINK_TOKEN").unwrap_or_default();
        Store { address, token, connection: None }
    }

    /// Sends one request and returns its reply line.
    pub fn ask(&mut self, line: &[u8]) -> Result<Vec<u8>, StoreError> {
        if line.iter().any(|byte| b"\r\n".contains(byte)) {
            return Err(StoreError::Usage("Cannot send a request that holds a line break".into()));
        }
        if self.connection.is_none() {
            self.connection = Some(open(&self.address).map_err(StoreError::Lost)?);
            if !self.token.is_empty() {
                let token = self.token.clone();
                check_key(token.as_bytes())?;
                let reply = self.exchange(format!("AUTH {token}").as_bytes())?;
                if reply != b"OK" {
                    self.connection = None;
                    return Err(unexpected(&reply));
                }
            }
        }
        self.exchange(line)
    }

    /// The value's bytes, or None if there is no such key.
    pub fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        check_key(key)?;
        let reply = self.ask(&[b"GET ", key].concat())?;
        if reply == b"NOT_FOUND" {
            return Ok(None);
        }
        match value_of(&reply) {
            Some(value) => Ok(Some(value)),
            None => Err(unexpected(&reply)),
        }
    }

    /// Stores any bytes: line breaks, NUL and all.
    pub fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        check_key(key)?;
        let reply = self.ask(&[b"PUT ", key, b" b64 ", &encode(value)].concat())?;
        if reply == b"OK" { Ok(()) } else { Err(unexpected(&reply)) }
    }

    /// True if the key was there.
    pub fn delete(&mut self, key: &[u8]) -> Result<bool, StoreError> {
        check_key(key)?;
        match self.ask(&[b"DELETE ", key].concat())?.as_slice() {
            b"OK" => Ok(true),
            b"NOT_FOUND" => Ok(false),
            reply => Err(unexpected(reply)),
        }
    }

    fn exchange(&mut self, line: &[u8]) -> Result<Vec<u8>, StoreError> {
        let connection = self.connection.as_mut().expect("ask opens a connection first");
        exchange_on(connection, line).map_err(|why| {
            self.connection = None;
            StoreError::Lost(why)
        })
    }
}

/// The value in a `VALUE base64` reply; None for any other.
pub fn value_of(reply: &[u8]) -> Option<Vec<u8>> {
    decode(reply.strip_prefix(b"VALUE ")?)
}

fn open(address: &str) -> io::Result<BufReader<TcpStream>> {
    let mut last = io::Error::new(io::ErrorKind::InvalidInput, "no such host");
    for candidate in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&candidate, TIMEOUT) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(TIMEOUT))?;
                stream.set_write_timeout(Some(TIMEOUT))?;
                return Ok(BufReader::new(stream));
            }
            Err(why) => last = why,
        }
    }
    Err(last)
}

fn exchange_on(connection: &mut BufReader<TcpStream>, line: &[u8]) -> io::Result<Vec<u8>> {
    connection.get_mut().write_all(&[line, b"\n"].concat())?;
    let mut reply = Vec::new();
    // A reply is as long as its value: read to its line feed, not to the end of one packet.
    connection.read_until(b'\n', &mut reply)?;
    match reply.pop() {
        Some(b'\n') => Ok(reply),
        _ => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was closed")),
    }
}

fn unexpected(reply: &[u8]) -> StoreError {
    StoreError::Reply(String::from_utf8_lossy(reply).into_owned())
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn encode(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len().div_ceil(3) * 4);
    for chunk in data.chunks(3) {
        let byte = |at: usize| u32::from(*chunk.get(at).unwrap_or(&0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let sextet = (bits >> (18 - 6 * at)) & 63;
            out.push(if at <= chunk.len() { ALPHABET[sextet as usize] } else { b'=' });
        }
    }
    out
}

fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for &letter in text {
        let sextet = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => break,
            _ => return None,
        };
        bits = bits << 6 | u32::from(sextet);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    Some(out)
}
