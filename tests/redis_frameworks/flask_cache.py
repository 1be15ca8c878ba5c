"""Flask-Caching over redis-py: the cache itself, cached views and memoized functions.

usage: python3 flask_cache.py HOST PORT [PASSWORD]

It empties the store. The first difference ends it with a message and exit status 1.
"""

import sys

from flask import Flask
from flask_caching import Cache

host, port, *rest = sys.argv[1:]
app = Flask(__name__)
cache = Cache(
    app,
    config={
        "CACHE_TYPE": "RedisCache",
        "CACHE_REDIS_HOST": host,
        "CACHE_REDIS_PORT": int(port),
        "CACHE_REDIS_PASSWORD": rest[0] if rest else None,
        "CACHE_KEY_PREFIX": "flask ",
    },
)
checks = 0
calls = 0


def check(what, got, wanted):
    global checks
    if got != wanted:
        sys.exit(f"{what}: got {got!r:.300}, wanted {wanted!r:.300}")
    checks += 1


@app.route("/page")
@cache.cached(timeout=600, query_string=True)
def page():
    global calls
    calls += 1
    return f"page {calls}"


@cache.memoize(600)
def square(number):
    global calls
    calls += 1
    return [number * number, calls]


def values():
    for value in (0, 7, 1.5, "é 値", b"\0\xff\r\n", {"a": [1, (2, 3)]}, "x" * 1_000_000):
        check("set", cache.set("value", value, timeout=600), True)
        check("get", cache.get("value"), value)
    check("add", [bool(cache.add("value", 1)), bool(cache.add("new", 1))], [False, True])
    check("has", [cache.has("new"), cache.has("none")], [True, False])
    check("delete", [cache.delete("new"), cache.delete("new")], [True, False])
    check("set_many", sorted(cache.set_many({"a": 1, "b": 2})), ["a", "b"])
    check("get_many", cache.get_many("a", "none", "b"), [1, None, 2])
    check("get_dict", cache.get_dict("a", "b"), {"a": 1, "b": 2})
    cache.delete_many("a", "b")
    check("delete_many", cache.get_many("a", "b"), [None, None])


def functions():
    client = app.test_client()
    first = client.get("/page?b=2&a=1").text
    check("a cached view", client.get("/page?a=1&b=2").text, first)
    check("another query", client.get("/page?a=2").text != first, True)
    four = square(2)
    check("a memoized function", [square(2), square(3)[0]], [four, 9])
    cache.delete_memoized(square, 2)
    check("after it is forgotten", square(2) != four, True)


with app.app_context():
    cache.clear()
    values()
    functions()
    check("clear", [bool(cache.clear()), cache.get("value")], [True, None])
print(f"ok {checks} checks")
