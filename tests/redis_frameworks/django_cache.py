"""Django's cache and its cached sign-ins over redis-py.

usage: python3 django_cache.py HOST PORT [PASSWORD]

It empties the store. The first difference ends it with a message and exit status 1.
"""

import sys
import time
import warnings

import django
from django.conf import settings

host, port, *rest = sys.argv[1:]
password = f":{rest[0]}@" if rest else ""
BACKEND = "django.core.cache.backends.redis.RedisCache"
LOCATION = f"redis://{password}{host}:{port}"
settings.configure(
    CACHES={
        "default": {"BACKEND": BACKEND, "LOCATION": LOCATION},
        "prefixed": {"BACKEND": BACKEND, "LOCATION": LOCATION, "KEY_PREFIX": "shop", "VERSION": 2, "TIMEOUT": None},
        "wrong": {"BACKEND": BACKEND, "LOCATION": f"redis://:wrong@{host}:{port}"},
    },
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
)
django.setup()

import redis  # noqa: E402  (Django's settings come first)
from django.contrib.sessions.backends.cache import SessionStore  # noqa: E402
from django.core.cache import CacheKeyWarning, caches  # noqa: E402

# Redis takes keys that memcached would not, which Django warns of.
warnings.simplefilter("ignore", CacheKeyWarning)
cache = caches["default"]
checks = 0


def check(what, got, wanted):
    global checks
    if got != wanted:
        sys.exit(f"{what}: got {got!r:.300}, wanted {wanted!r:.300}")
    checks += 1


def check_raises(what, error, run):
    try:
        got = run()
    except error:
        return check(what, True, True)
    sys.exit(f"{what}: got {got!r:.300}, wanted a {error.__name__}")


def values():
    kinds = [0, -7, 1.5, True, None, "", "é 値", b"\0\xff\r\n", {"a": [1, (2, 3)]}, {1, 2}, "x" * 1_000_000]
    for value in kinds:
        cache.set("value", value)
        check("set and get", cache.get("value", "none"), value)
    for key in ("two words", "a\r\nb", "ключ", ""):
        cache.set(key, key)
        check(f"the key {key!r}", [cache.get(key), key in cache], [key, True])
    check("a key that is not there", [cache.get("none"), cache.get("none", 5)], [None, 5])


def changing():
    check("add", [cache.add("added", 1), cache.add("added", 2), cache.get("added")], [True, False, 1])
    check("incr", [cache.incr("added"), cache.incr("added", 10), cache.decr("added", 4)], [2, 12, 8])
    check_raises("incr of none", ValueError, lambda: cache.incr("none"))
    check("get_or_set", [cache.get_or_set("made", lambda: 3), cache.get_or_set("made", 4)], [3, 3])
    check("set_many", cache.set_many({"a": 1, "b": [2], "c": None}), [])
    check("get_many", cache.get_many(["a", "b", "c", "d"]), {"a": 1, "b": [2], "c": None})
    check("delete", [cache.delete("a"), cache.delete("a")], [True, False])
    cache.delete_many(["b", "c", "d"])
    check("delete_many", cache.get_many(["b", "c"]), {})
    many = {f"many {n}": n for n in range(1000)}
    cache.set_many(many, timeout=600)
    check("get_many of 1,000", cache.get_many(many), many)


def expiring():
    cache.set("timed", 1, timeout=600)
    check("touch", [cache.touch("timed", 700), cache.touch("timed", None), cache.touch("none")], [True, True, False])
    cache.set("at once", 1, timeout=0)
    check("a timeout of 0", "at once" in cache, False)
    cache.set("soon", 1, timeout=1)
    check("before it expires", cache.get("soon"), 1)
    until = time.monotonic() + 10
    while "soon" in cache and time.monotonic() < until:
        time.sleep(0.02)
    check("after it expires", cache.get("soon"), None)


def apart():
    other = caches["prefixed"]
    cache.set("k", "mine")
    other.set("k", "theirs")
    check("prefixes keep keys apart", [cache.get("k"), other.get("k")], ["mine", "theirs"])
    check("versions", [other.get("k", version=1), other.incr_version("k"), other.get("k", version=3)], [None, 3, "theirs"])
    session = SessionStore()
    session["user"] = 42
    session.create()
    check("a cached sign-in", SessionStore(session.session_key)["user"], 42)
    session.flush()
    check("after it is flushed", SessionStore(session.session_key).get("user"), None)
    if password:
        check_raises("a wrong password", redis.AuthenticationError, lambda: caches["wrong"].get("k"))
    cache.clear()
    check("clear", [cache.get("k"), other.get("k", version=3)], [None, None])


for part in (values, changing, expiring, apart):
    part()
print(f"ok {checks} checks")
