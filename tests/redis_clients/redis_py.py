"""redis-py through everything that a cache is used for.

usage: python3 redis_py.py HOST PORT [PASSWORD]

It empties the store, runs the same checks over RESP2 and over RESP3, and prints
`ok N checks`. The first difference ends it with a message and exit status 1.
"""

import sys
import time
import warnings

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

HOST, PORT = sys.argv[1], int(sys.argv[2])
PASSWORD = sys.argv[3] if len(sys.argv) > 3 else None
# Longer than any check takes, so that no key expires under one.
LONG_SECONDS = 1000
# SETEX and others are still spoken, though redis-py advises against them.
warnings.simplefilter("ignore", DeprecationWarning)
checks = 0


def check(what, got, wanted):
    global checks
    if got != wanted:
        sys.exit(f"{what}: got {got!r:.300}, wanted {wanted!r:.300}")
    checks += 1


def check_true(what, got):
    check(f"{what} ({got!r:.300})", bool(got), True)


def check_raises(what, error, pattern, run):
    try:
        got = run()
    except error as e:
        check_true(f"{what}: {type(e).__name__} {e} has {pattern!r}", pattern in str(e))
    else:
        sys.exit(f"{what}: got {got!r:.300}, wanted a {error.__name__}")


def text(value):
    """Text of what redis-py gives as bytes over one protocol and as text over the other."""
    return value.decode() if isinstance(value, bytes) else value


def client(protocol, **options):
    options = {"password": PASSWORD, "socket_timeout": 20, **options}
    return redis.Redis(host=HOST, port=PORT, protocol=protocol, **options)


def connecting(protocol):
    with client(protocol, client_name="checks") as r:
        check("PING", r.ping(), True)
        check("ECHO", r.echo(b"a\r\nb"), b"a\r\nb")
        check("the name that was given", text(r.client_getname()), "checks")
    with redis.Redis.from_url(f"redis://{HOST}:{PORT}/0", password=PASSWORD, decode_responses=True) as r:
        check("from_url with its own protocol", [r.set("k", "é"), r.get("k")], [True, "é"])
    if PASSWORD is None:
        return
    once = Retry(NoBackoff(), 0)
    for wrong in ({"password": "wrong"}, {"username": "nobody", "password": PASSWORD}):
        with client(protocol, retry=once, **wrong) as r:
            check_raises(f"AUTH {wrong}", redis.AuthenticationError, "", r.ping)
    with client(protocol, username="default") as r:
        check("AUTH with a user's name", r.ping(), True)
    if protocol == 2:
        with client(protocol, password=None, retry=once) as r:
            check_raises("no AUTH", redis.AuthenticationError, "Authentication required", r.ping)


def values(r):
    every_byte = bytes(range(256))
    for name, value in {
        "all bytes": every_byte,
        "empty": b"",
        "1 MiB": every_byte * 4096,
        "like a request": b"*1\r\n$8\r\nFLUSHALL\r\n",
    }.items():
        check(f"SET {name}", r.set("value", value), True)
        check(f"GET {name}", r.get("value"), value)
        check(f"STRLEN {name}", r.strlen("value"), len(value))
    keys = [b"two words", b"a\r\nb", b'"quoted"', b"", b" ", every_byte, "ключ 値".encode()]
    for key in keys:
        check(f"SET {key!r}", r.set(key, key), True)
    check("MGET of odd keys", r.mget(keys), keys)
    check("DEL of odd keys", r.delete(*keys), len(keys))
    check("GET of none", r.get("none"), None)


def setting(r):
    r.flushdb()
    check("SET EX", [r.set("k", "1", ex=LONG_SECONDS), r.ttl("k")], [True, LONG_SECONDS])
    check_true("SET PX", r.set("k", "2", px=LONG_SECONDS * 1000) and 0 < r.pttl("k") <= LONG_SECONDS * 1000)
    at = int(time.time()) + LONG_SECONDS
    check("SET EXAT", [r.set("k", "3", exat=at), r.expiretime("k")], [True, at])
    check("SET PXAT", [r.set("k", "4", pxat=at * 1000), r.pexpiretime("k")], [True, at * 1000])
    check("SET KEEPTTL", [r.set("k", "5", keepttl=True), r.expiretime("k")], [True, at])
    check("SET without expiry", [r.set("k", "6"), r.ttl("k")], [True, -1])
    check("SET NX", [r.set("k", "7", nx=True), r.set("new", "7", nx=True)], [None, True])
    check("SET XX", [r.set("k", "8", xx=True), r.set("none", "8", xx=True)], [True, None])
    check("SET GET", [r.set("k", "9", get=True), r.set("other", "9", get=True)], [b"8", None])
    check("SET NX GET", [r.set("k", "10", nx=True, get=True), r.get("k")], [b"9", b"9"])
    check("SETEX", [r.setex("k", LONG_SECONDS, "a"), r.ttl("k")], [True, LONG_SECONDS])
    check("PSETEX", [r.psetex("k", LONG_SECONDS * 1000, "b"), r.ttl("k")], [True, LONG_SECONDS])
    check("SETNX", [r.setnx("k", "c"), r.setnx("k2", "c")], [False, True])
    check("GETSET", [r.getset("k", "d"), r.ttl("k")], [b"b", -1])
    check("GETDEL", [r.getdel("k"), r.getdel("k")], [b"d", None])
    check("GETEX EX", [r.getex("k2", ex=LONG_SECONDS), r.ttl("k2")], [b"c", LONG_SECONDS])
    check("GETEX PERSIST", [r.getex("k2", persist=True), r.ttl("k2")], [b"c", -1])
    check("GETEX EXAT", [r.getex("k2", exat=at), r.expiretime("k2")], [b"c", at])
    check("GETEX in the past", [r.getex("k2", exat=1), r.exists("k2")], [b"c", 0])
    check("MSET", r.mset({"m1": "1", "m2": b"\0", "m3": ""}), True)
    check("MGET", r.mget("m1", "none", "m2", "m3"), [b"1", None, b"\0", b""])
    check("MSETNX", [r.msetnx({"m1": "x", "m4": "x"}), r.msetnx({"m4": "x", "m5": "x"})], [False, True])
    # Redis has these since 8.4.
    if "delex" not in r.command():
        return
    check("SET IFEQ", [r.set("m1", "2", ifeq="0"), r.set("m1", "2", ifeq="1")], [None, True])
    check("DELEX IFEQ", [r.delex("m1", ifeq="1"), r.delex("m1", ifeq="2")], [0, 1])


def editing(r):
    r.flushdb()
    check("APPEND", [r.append("a", "ab"), r.append("a", b"\0c")], [2, 4])
    check("GETRANGE", [r.getrange("a", 1, -1), r.getrange("a", -2, 99), r.getrange("a", 3, 1)], [b"b\0c", b"\0c", b""])
    check("SUBSTR", r.substr("a", 0, 1), b"ab")
    check("SETRANGE", [r.setrange("a", 6, "z"), r.get("a")], [7, b"ab\0c\0\0z"])
    check("SETRANGE of none", [r.setrange("s", 2, "x"), r.get("s")], [3, b"\0\0x"])
    check("STRLEN", [r.strlen("a"), r.strlen("none")], [7, 0])


def counters(r):
    r.flushdb()
    check("INCR", [r.incr("n"), r.incr("n", 41)], [1, 42])
    check("INCRBY", r.incrby("n", -50), -8)
    check("DECR", [r.decr("n"), r.decrby("n", 11)], [-9, -20])
    check("a counter is text", r.get("n"), b"-20")
    check("INCRBYFLOAT", [r.incrbyfloat("f", "10.50"), r.incrbyfloat("f", 0.25)], [10.5, 10.75])
    check("a float is text", [r.get("f"), r.incrbyfloat("f", "5.0e3"), r.get("f")], [b"10.75", 5010.75, b"5010.75"])
    r.set("max", 2**63 - 1)
    check_raises("INCR past 64 bits", redis.ResponseError, "increment or decrement would overflow", lambda: r.incr("max"))
    for text in ("x", "", " 1", "1.5", str(2**63)):
        r.set("text", text)
        check_raises(f"INCR of {text!r}", redis.ResponseError, "not an integer or out of range", lambda: r.incr("text"))
    r.set("text", "x")
    check_raises("INCRBYFLOAT of x", redis.ResponseError, "not a valid float", lambda: r.incrbyfloat("text", 1))
    r.setex("timed", LONG_SECONDS, 1)
    check("INCR keeps the expiry", [r.incr("timed"), r.ttl("timed")], [2, LONG_SECONDS])


def expiry(r):
    r.flushdb()
    r.set("k", "v")
    check("TTL", [r.ttl("k"), r.pttl("k"), r.ttl("none"), r.pttl("none")], [-1, -1, -2, -2])
    check("EXPIRETIME", [r.expiretime("k"), r.pexpiretime("none")], [-1, -2])
    check("EXPIRE", [r.expire("k", LONG_SECONDS), r.ttl("k"), r.expire("none", 1)], [True, LONG_SECONDS, False])
    check("EXPIRE NX", [r.expire("k", 5, nx=True), r.ttl("k")], [False, LONG_SECONDS])
    check("EXPIRE XX", [r.expire("k", 500, xx=True), r.ttl("k")], [True, 500])
    check("EXPIRE GT", [r.expire("k", 400, gt=True), r.expire("k", 600, gt=True), r.ttl("k")], [False, True, 600])
    check("EXPIRE LT", [r.expire("k", 700, lt=True), r.expire("k", 300, lt=True), r.ttl("k")], [False, True, 300])
    check("PERSIST", [r.persist("k"), r.persist("k"), r.ttl("k")], [True, False, -1])
    check("GT and LT of no expiry", [r.expire("k", 300, gt=True), r.expire("k", 300, lt=True)], [False, True])
    check("PEXPIRE", [r.pexpire("k", LONG_SECONDS * 1000), r.ttl("k")], [True, LONG_SECONDS])
    at = int(time.time()) + LONG_SECONDS
    check("EXPIREAT", [r.expireat("k", at), r.expiretime("k")], [True, at])
    check("PEXPIREAT", [r.pexpireat("k", at * 1000 + 5), r.pexpiretime("k")], [True, at * 1000 + 5])
    check("EXPIRE in the past", [r.expire("k", -1), r.exists("k")], [True, 0])
    check("SET EX 0", _error(lambda: r.set("k", "v", ex=0)), "invalid expire time in 'set' command")
    r.set("soon", "v", px=20)
    until = time.monotonic() + 10
    while r.exists("soon") and time.monotonic() < until:
        time.sleep(0.005)
    check("a key expires", [r.get("soon"), r.ttl("soon")], [None, -2])


def _error(run):
    try:
        return run()
    except redis.ResponseError as e:
        return str(e)


def keyspace(r):
    r.flushdb()
    r.mset({"a": "1", "b": "text", "user:1": "x", "user:2": "y", "h[x]llo": "z"})
    check("DBSIZE", r.dbsize(), 5)
    check("EXISTS", r.exists("a", "a", "none", "b"), 3)
    check("TYPE", [r.type("a"), r.type("none")], [b"string", b"none"])
    check("TOUCH", r.touch("a", "b", "none"), 2)
    check("UNLINK", [r.unlink("b", "none"), r.delete("b")], [1, 0])
    check("OBJECT ENCODING of a number", r.object("ENCODING", "a"), b"int")
    check_true("OBJECT ENCODING of text", r.object("ENCODING", "user:1") in (b"embstr", b"raw"))
    check("OBJECT ENCODING of none", r.object("ENCODING", "none"), None)
    check_true("MEMORY USAGE", r.memory_usage("a") > 0 and r.memory_usage("none") is None)
    check("KEYS", sorted(r.keys("user:*")), [b"user:1", b"user:2"])
    check("KEYS with a class and an escape", [r.keys("[a-b]"), r.keys("h\\[?\\]l*")], [[b"a"], [b"h[x]llo"]])
    check_true("RANDOMKEY", r.randomkey() in r.keys())
    check("RENAME", [r.rename("a", "c"), r.get("c"), r.exists("a")], [True, b"1", 0])
    check_raises("RENAME of none", redis.ResponseError, "no such key", lambda: r.rename("none", "x"))
    check("RENAMENX", [r.renamenx("c", "user:1"), r.renamenx("c", "d")], [False, True])
    r.expire("d", LONG_SECONDS)
    check("COPY", [r.copy("d", "e"), r.copy("d", "user:1"), r.copy("none", "x")], [True, False, False])
    check("COPY keeps the expiry", r.ttl("e"), LONG_SECONDS)
    check("COPY REPLACE", [r.copy("d", "user:1", replace=True), r.get("user:1")], [True, b"1"])
    check("FLUSHDB", [r.flushdb(), r.dbsize(), r.randomkey()], [True, 0, None])
    check("FLUSHALL", [r.set("a", 1), r.flushall(asynchronous=True), r.dbsize()], [True, True, 0])


def scanning(r):
    r.flushdb()
    r.mset({f"key:{n}": n for n in range(1000)} | {f"other {n}\n": n for n in range(100)})
    check("SCAN", len(set(r.scan_iter())), 1100)
    check("SCAN COUNT", len(set(r.scan_iter(count=7))), 1100)
    check("SCAN MATCH", len(set(r.scan_iter(match="key:*5"))), 100)
    check("SCAN MATCH of odd keys", len(set(r.scan_iter(match="other *\n", count=500))), 100)
    check("SCAN TYPE", len(set(r.scan_iter(_type="string"))), 1100)
    check("SCAN of another type", list(r.scan_iter(_type="hash")), [])
    seen = set()
    for key in r.scan_iter(count=20):
        r.delete(key)
        seen.add(key)
    check("SCAN that deletes", [len(seen), r.dbsize()], [1100, 0])


def server(r, protocol):
    info = r.info()
    check_true("INFO redis_version", info["redis_version"].count(".") == 2)
    for field in ("connected_clients", "used_memory", "maxmemory", "uptime_in_seconds", "total_commands_processed"):
        check_true(f"INFO {field} is a number", isinstance(info[field], int) and info[field] >= 0)
    r.set("k", "v")
    check("INFO keyspace", r.info("keyspace")["db0"]["keys"], r.dbsize())
    check_true("INFO stats", "keyspace_hits" in r.info("stats"))
    check_true("CONFIG GET", int(r.config_get("maxmemory")["maxmemory"]) >= 0)
    seconds, microseconds = r.time()
    check_true("TIME", abs(seconds - time.time()) < 5 and 0 <= microseconds < 1_000_000)
    check_true("COMMAND COUNT", r.command_count() > 50)
    check_true("COMMAND", r.command()["get"]["arity"] == 2)
    with client(protocol, single_connection_client=True) as one:
        check_true("CLIENT ID", one.client_id() > 0)
        check("CLIENT SETNAME", [one.client_setname("me"), text(one.client_getname())], [True, "me"])
        listed = {entry["id"]: entry for entry in r.client_list()}
        mine = listed[str(one.client_id())]
        check("CLIENT LIST", [mine["name"], mine["db"]], ["me", "0"])
        check_true("CLIENT LIST has addresses", mine["addr"].count(":") >= 1)
        check("CLIENT INFO", str(one.client_info()["id"]), str(one.client_id()))
        check_true("CLIENT NO-EVICT", one.client_no_evict("ON") in (b"OK", "OK", True))
        check_true("SELECT 0", one.select(0))
        check_raises("SELECT 99", redis.ResponseError, "DB index is out of range", lambda: one.select(99))


def pipelines(r):
    r.flushdb()
    with r.pipeline(transaction=False) as p:
        for n in range(500):
            p.set(f"p{n}", n)
            p.incr(f"p{n}")
        replies = p.execute()
    check("a pipeline of 1,000", replies, [reply for n in range(500) for reply in (True, n + 1)])
    with r.pipeline(transaction=False) as p:
        p.set("x", "text").incr("x").get("x")
        replies = p.execute(raise_on_error=False)
    check("an error within a pipeline", [replies[0], type(replies[1]).__name__, replies[2]], [True, "ResponseError", b"text"])


def transactions(r, protocol):
    r.flushdb()
    with r.pipeline() as p:
        p.set("n", 1).incr("n").get("n")
        check("MULTI and EXEC", p.execute(), [True, 2, b"2"])
        p.watch("n")
        read = int(p.get("n"))
        p.multi()
        p.set("n", read + 1)
        check("WATCH", p.execute(), [True])
        p.watch("n")
        with client(protocol) as other:
            other.set("n", "changed")
        p.multi()
        p.set("n", "lost")
        check_raises("WATCH of a changed key", redis.WatchError, "", p.execute)
        p.watch("n")
        p.unwatch()
        p.set("text", "x").incr("text").set("after", 1)
        replies = p.execute(raise_on_error=False)
        check("an error within EXEC", [type(replies[1]).__name__, replies[2]], ["ResponseError", True])
        p.set("n", "aborted").execute_command("NOSUCHCOMMAND", "x")
        check_raises("EXEC after an unknown command", redis.ResponseError, "unknown command", p.execute)
    check("what transactions left", r.mget("n", "after"), [b"changed", b"1"])
    check("transaction()", r.transaction(lambda p: (p.multi(), p.incr("t")), "t"), [1])


def errors(r):
    r.set("k", "v")
    check_raises("an unknown command", redis.ResponseError, "unknown command", lambda: r.execute_command("NOSUCHCOMMAND", "x"))
    check_raises("LPUSH on text", redis.ResponseError, "", lambda: r.lpush("k", "x"))
    check_raises("too few arguments", redis.ResponseError, "wrong number of arguments for 'get' command", lambda: r.execute_command("GET"))
    check_raises("a wrong option", redis.ResponseError, "syntax error", lambda: r.execute_command("SET", "k", "v", "WHAT"))
    check_raises("no number", redis.ResponseError, "not an integer or out of range", lambda: r.execute_command("EXPIRE", "k", "x"))
    check("after the errors", r.get("k"), b"v")


def reconnection(r, protocol):
    with client(protocol, single_connection_client=True) as one:
        before = one.client_id()
        check("CLIENT KILL", r.client_kill_filter(_id=before), 1)
        check("the command after CLIENT KILL", one.ping(), True)
        check_true("it is another connection", one.client_id() != before)
        check("CLIENT KILL of none", r.client_kill_filter(_id=before), 0)


for protocol in (2, 3):
    connecting(protocol)
    with client(protocol) as r:
        r.flushdb()
        for part in (values, setting, editing, counters, expiry, keyspace, scanning, pipelines, errors):
            part(r)
        for part in (server, transactions, reconnection):
            part(r, protocol)
        r.flushdb()
print(f"ok {checks} checks")
