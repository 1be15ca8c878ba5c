//! redis-rs through everything that a cache is used for.
//!
//! usage: redis_client HOST PORT [PASSWORD]
//!
//! It empties the store and runs the same checks over RESP2 and over RESP3.

mod check;

use check::{check, check_error, check_true, fail, CHECKS, LONG_SECONDS};
use redis::{
    cmd, Client, Commands, Connection, ConnectionLike, CopyOptions, ErrorKind, ExistenceCheck,
    Expiry, IntegerReplyOrNoOp, RedisResult, ScanOptions, SetExpiry, SetOptions, ValueType,
};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const NONE: Option<String> = None;

fn some(text: &str) -> Option<String> {
    Some(text.to_string())
}

fn now_seconds() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

/// Where the server is, and how to speak to it.
struct Server {
    host: String,
    port: String,
    password: Option<String>,
    protocol: &'static str,
}

impl Server {
    fn client(&self, user: &str, password: Option<&str>) -> Client {
        let auth = password.map_or(String::new(), |password| format!("{user}:{password}@"));
        let (host, port, protocol) = (&self.host, &self.port, self.protocol);
        Client::open(format!("redis://{auth}{host}:{port}/?protocol={protocol}"))
            .unwrap_or_else(|error| fail(format!("a URL: {error}")))
    }

    fn connect(&self) -> Connection {
        self.client("", self.password.as_deref())
            .get_connection()
            .unwrap_or_else(|error| fail(format!("connecting: {error}")))
    }
}

fn connecting(server: &Server) {
    let mut r = server.connect();
    check("PING", r.ping(), "PONG".to_string());
    check("ECHO", cmd("ECHO").arg("a\r\nb").query(&mut r), "a\r\nb".to_string());
    check("CLIENT SETNAME", r.client_setname("checks"), "OK".to_string());
    check("CLIENT GETNAME", r.client_getname(), some("checks"));
    let Some(password) = server.password.as_deref() else {
        return;
    };
    for (user, wrong) in [("", "wrong"), ("nobody", password)] {
        let refused = server.client(user, Some(wrong)).get_connection().map(|_| ());
        let error = check_error("a wrong password", refused, "");
        // Over RESP2 the crate words it itself, over RESP3 it passes the server's own on.
        let failed = error.kind() == ErrorKind::AuthenticationFailed;
        check_true("its kind", failed || error.code() == Some("WRONGPASS"));
    }
    let refused =
        server.client("", None).get_connection().and_then(|mut r| r.get::<_, String>("k"));
    check_error("no password", refused, "NOAUTH");
    let mut user = server.client("default", Some(password)).get_connection().unwrap();
    check("AUTH with a user's name", user.ping(), "PONG".to_string());
}

fn values(r: &mut Connection) {
    let every_byte: Vec<u8> = (0..=255).collect();
    let request = b"*1\r\n$8\r\nFLUSHALL\r\n".to_vec();
    for value in [every_byte.clone(), vec![], every_byte.repeat(4096), request] {
        check("SET of bytes", r.set("value", &value), ());
        check("STRLEN of bytes", r.strlen("value"), value.len());
        check("GET of bytes", r.get("value"), value);
    }
    let texts = ["two words", "a\r\nb", "\"quoted\"", "", " ", "ключ 値"];
    let mut keys: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    keys.push(every_byte);
    for key in &keys {
        check("SET of an odd key", r.set(key, key), ());
    }
    check("MGET of odd keys", r.mget(&keys), keys.clone());
    check("DEL of odd keys", r.del(&keys), keys.len());
    check("GET of none", r.get("none"), NONE);
}

fn setting(r: &mut Connection) {
    check("FLUSHDB", cmd("FLUSHDB").query(r), "OK".to_string());
    let at = now_seconds() + LONG_SECONDS;
    let options = SetOptions::default;
    let expires = |r: &mut Connection| r.expire_time("k");
    let seconds = |seconds: i64| IntegerReplyOrNoOp::IntegerReply(seconds as usize);
    for (what, expiry, wanted) in [
        ("EXAT", SetExpiry::EXAT(at as u64), at),
        ("KEEPTTL", SetExpiry::KEEPTTL, at),
        ("PXAT", SetExpiry::PXAT(at as u64 * 1000 + 1000), at + 1),
    ] {
        check(what, r.set_options("k", "v", options().with_expiration(expiry)), some("OK"));
        check(what, expires(r), seconds(wanted));
    }
    check(
        "SET EX",
        r.set_options("k", "v", options().with_expiration(SetExpiry::EX(500))),
        some("OK"),
    );
    check("TTL", r.ttl("k"), seconds(500));
    check(
        "SET PX",
        r.set_options("k", "v", options().with_expiration(SetExpiry::PX(600_000))),
        some("OK"),
    );
    check("TTL", r.ttl("k"), seconds(600));
    check("SET NX", r.set_options("k", "w", options().conditional_set(ExistenceCheck::NX)), NONE);
    check(
        "SET XX",
        r.set_options("k", "w", options().conditional_set(ExistenceCheck::XX)),
        some("OK"),
    );
    check("SET GET", r.set_options("k", "x", options().get(true)), some("w"));
    let both = options().conditional_set(ExistenceCheck::NX).get(true);
    check("SET NX GET", r.set_options("k", "y", both), some("x"));
    check("SETEX", r.set_ex("k", "a", 500), ());
    check("PSETEX", r.pset_ex("k", "b", 500_000), ());
    check("SETNX", r.set_nx("k", "c"), false);
    check("GETSET", r.getset("k", "d"), some("b"));
    check("TTL of no expiry", r.ttl("k"), IntegerReplyOrNoOp::ExistsButNotRelevant);
    check("GETEX EX", r.get_ex("k", Expiry::EX(500)), some("d"));
    check("TTL", r.ttl("k"), seconds(500));
    check("GETEX PERSIST", r.get_ex("k", Expiry::PERSIST), some("d"));
    check("TTL of no expiry", r.pttl("k"), IntegerReplyOrNoOp::ExistsButNotRelevant);
    check("GETDEL", r.get_del("k"), some("d"));
    check("GETDEL of none", r.get_del("k"), NONE);
    check("MSET", r.mset(&[("m1", "1"), ("m2", "\0"), ("m3", "")]), ());
    check("MGET", r.mget(&["m1", "none", "m2", "m3"]), vec![some("1"), None, some("\0"), some("")]);
    check("MSETNX", r.mset_nx(&[("m1", "x"), ("m4", "x")]), false);
    check("MSETNX of none", r.mset_nx(&[("m4", "x")]), true);
}

fn editing(r: &mut Connection) {
    check("FLUSHALL", r.flushall(), ());
    check("APPEND", r.append("a", "ab"), 2);
    check("APPEND of bytes", r.append("a", "\0c"), 4);
    check("GETRANGE", r.getrange("a", 1, -1), "b\0c".to_string());
    check("SETRANGE", r.setrange("a", 6, "z"), 7);
    check("what is there", r.get("a"), some("ab\0c\0\0z"));
    check("INCR", r.incr("n", 1), 1);
    check("INCRBY", r.incr("n", 41), 42);
    check("DECR", r.decr("n", 1), 41);
    check("DECRBY", r.decr("n", 50), -9);
    check("INCRBYFLOAT", r.incr("f", 10.5), 10.5);
    check("INCRBYFLOAT again", r.incr("f", 0.25), 10.75);
    check("SET", r.set("n", i64::MAX), ());
    let over: RedisResult<i64> = r.incr("n", 1);
    check_error("INCR past 64 bits", over, "increment or decrement would overflow");
}

fn expiry(r: &mut Connection) {
    check("SET", r.set("k", "v"), ());
    check("TTL of none", r.ttl("none"), IntegerReplyOrNoOp::NotExists);
    let mut expire = |seconds: i64, mode: &str| {
        let done: bool = cmd("EXPIRE").arg("k").arg(seconds).arg(mode).query(r).unwrap();
        (done, r.ttl::<_, i64>("k").unwrap())
    };
    check("EXPIRE XX of no expiry", Ok(expire(5, "XX")), (false, -1));
    check("EXPIRE NX", Ok(expire(500, "NX")), (true, 500));
    check("EXPIRE GT", Ok((expire(400, "GT"), expire(600, "GT"))), ((false, 500), (true, 600)));
    check("EXPIRE LT", Ok((expire(700, "LT"), expire(300, "LT"))), ((false, 600), (true, 300)));
    check("EXPIRE", r.expire("k", LONG_SECONDS), true);
    check("PEXPIRE", r.pexpire("k", LONG_SECONDS * 1000), true);
    let at = now_seconds() + LONG_SECONDS;
    check("EXPIREAT", r.expire_at("k", at), true);
    check("EXPIRETIME", r.expire_time("k"), at);
    check("PEXPIREAT", r.pexpire_at("k", at * 1000 + 5), true);
    check("PEXPIRETIME", r.pexpire_time("k"), at * 1000 + 5);
    check("PERSIST", r.persist("k"), true);
    check("PERSIST again", r.persist("k"), false);
    check("EXPIRE in the past", r.expire("k", -1), true);
    check("it is gone", r.exists("k"), false);
    check("PSETEX", r.pset_ex("soon", "v", 20), ());
    let end = Instant::now() + Duration::from_secs(10);
    while r.exists("soon").unwrap_or(false) && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(5));
    }
    check("a key expires", r.get("soon"), NONE);
}

fn keyspace(r: &mut Connection) {
    check("FLUSHDB", r.flushdb(), ());
    check("MSET", r.mset(&[("a", "1"), ("b", "text"), ("user:1", "x"), ("h[x]llo", "z")]), ());
    check("DBSIZE", cmd("DBSIZE").query(r), 4);
    check("EXISTS", cmd("EXISTS").arg(&["a", "a", "none", "b"]).query(r), 3);
    check("TYPE", r.key_type("a"), ValueType::String);
    check("TOUCH", cmd("TOUCH").arg(&["a", "none"]).query(r), 1);
    check("UNLINK", r.unlink(&["b", "none"]), 1);
    check("OBJECT ENCODING", r.object_encoding("a"), some("int"));
    check("KEYS", r.keys("user:*"), vec!["user:1".to_string()]);
    check("KEYS with an escape", r.keys("h\\[?\\]l*"), vec!["h[x]llo".to_string()]);
    let random: String = cmd("RANDOMKEY").query(r).unwrap();
    check("RANDOMKEY", r.exists(random), true);
    check("RENAME", r.rename("a", "c"), ());
    check_error("RENAME of none", r.rename::<_, _, ()>("none", "x"), "no such key");
    check("RENAMENX", r.rename_nx("c", "user:1"), false);
    check("RENAMENX to none", r.rename_nx("c", "d"), true);
    check("COPY", r.copy("d", "e", CopyOptions::default()), true);
    check("COPY again", r.copy("d", "e", CopyOptions::default()), false);
    check("COPY REPLACE", r.copy("d", "e", CopyOptions::default().replace(true)), true);
    check("FLUSHDB", r.flushdb(), ());
    let many: Vec<(String, usize)> = (0..1000).map(|n| (format!("key:{n}"), n)).collect();
    check("MSET of 1,000", r.mset(&many), ());
    let mut scan = |options: ScanOptions| {
        let keys: RedisResult<HashSet<String>> =
            r.scan_options(options).and_then(|keys| keys.collect());
        keys.map(|keys| keys.len())
    };
    check("SCAN", scan(ScanOptions::default()), 1000);
    check("SCAN COUNT", scan(ScanOptions::default().with_count(7)), 1000);
    check("SCAN MATCH", scan(ScanOptions::default().with_pattern("key:*5").with_count(100)), 100);
    check("SCAN TYPE", scan(ScanOptions::default().with_type("list")), 0);
}

fn server_commands(server: &Server, r: &mut Connection) {
    let info: redis::InfoDict = cmd("INFO").query(r).unwrap();
    let version: String = info.get("redis_version").unwrap_or_default();
    check_true("INFO redis_version", version.matches('.').count() == 2);
    check_true("INFO used_memory", info.get::<u64>("used_memory").unwrap_or(0) > 0);
    let config: HashMap<String, u64> = cmd("CONFIG").arg(&["GET", "maxmemory"]).query(r).unwrap();
    check_true("CONFIG GET", config.contains_key("maxmemory"));
    let (seconds, _): (i64, i64) = cmd("TIME").query(r).unwrap();
    check_true("TIME", (seconds - now_seconds()).abs() < 5);
    let mut one = server.connect();
    let id: i64 = one.client_id().unwrap();
    let list: String = cmd("CLIENT").arg("LIST").query(r).unwrap();
    check_true("CLIENT LIST", list.lines().any(|line| line.starts_with(&format!("id={id} "))));
    check("CLIENT KILL", cmd("CLIENT").arg(&["KILL", "ID"]).arg(id).query(r), 1);
    let dropped = check_error("the command after CLIENT KILL", one.ping::<String>(), "");
    check_true("its kind", dropped.is_connection_dropped() && !one.is_open());
    check("another connection", server.connect().ping(), "PONG".to_string());
}

fn pipelines(r: &mut Connection) {
    let mut pipe = redis::pipe();
    for n in 0..500 {
        pipe.set(format!("p{n}"), n).ignore().incr(format!("p{n}"), 1);
    }
    check("a pipeline of 1,000", pipe.query(r), (1..=500).collect::<Vec<i64>>());
    check("SET", r.set("x", "text"), ());
    let failed: RedisResult<()> = redis::pipe().incr("x", 1).get("x").query(r);
    check_error("an error within a pipeline", failed, "not an integer");
    check("after it", r.get("x"), some("text"));
}

fn transactions(server: &Server, r: &mut Connection) {
    check("SET", r.set("n", 1), ());
    let mut other = server.connect();
    let mut tries = 0;
    let done: RedisResult<(i64,)> = redis::transaction(r, &["n"], |r, pipe| {
        let n: i64 = r.get("n")?;
        tries += 1;
        if tries == 1 {
            other.set::<_, _, ()>("n", 40)?;
        }
        pipe.set("n", n + 1).ignore().get("n").query(r)
    });
    check("WATCH, changed at the first try", done, (41,));
    check_true("it was tried twice", tries == 2);
    let mut aborted = redis::pipe();
    aborted.atomic().set("n", "lost").cmd("NOSUCHCOMMAND").arg("x");
    check_error("EXEC after an unknown command", aborted.query::<()>(r), "");
    check("nothing of it ran", r.get("n"), 41);
}

fn failures(r: &mut Connection) {
    check("SET", r.set("k", "v"), ());
    let unknown: RedisResult<()> = cmd("NOSUCHCOMMAND").arg("x").query(r);
    check_error("an unknown command", unknown, "unknown command");
    check_error("LPUSH on text", r.lpush::<_, _, ()>("k", "x"), "");
    check_error("INCR of text", r.incr::<_, _, i64>("k", 1), "not an integer or out of range");
    let few: RedisResult<()> = cmd("GET").query(r);
    check_error("too few arguments", few, "wrong number of arguments for 'get' command");
    let wrong: RedisResult<()> = cmd("SET").arg(&["k", "v", "WHAT"]).query(r);
    check_error("a wrong option", wrong, "syntax error");
    check("after the errors", r.get("k"), some("v"));
}

fn main() {
    let mut words = std::env::args().skip(1);
    let mut word = || words.next();
    let (host, port, password) = (word().unwrap(), word().unwrap(), word());
    for protocol in ["resp2", "resp3"] {
        let server =
            Server { host: host.clone(), port: port.clone(), password: password.clone(), protocol };
        connecting(&server);
        let r = &mut server.connect();
        for part in [values, setting, editing, expiry, keyspace, pipelines, failures] {
            part(r);
        }
        server_commands(&server, r);
        transactions(&server, r);
        check("FLUSHDB", r.flushdb(), ());
    }
    println!("ok {} checks", CHECKS.load(Ordering::Relaxed));
}
