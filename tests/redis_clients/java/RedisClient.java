import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.BooleanSupplier;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.JedisPooled;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.RedisProtocol;
import redis.clients.jedis.Response;
import redis.clients.jedis.args.ExpiryOption;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.params.ClientKillParams;
import redis.clients.jedis.params.GetExParams;
import redis.clients.jedis.params.ScanParams;
import redis.clients.jedis.params.SetParams;

/**
 * Jedis through everything that a cache is used for.
 *
 * <p>usage: java -cp FOLDER/* RedisClient.java HOST PORT [PASSWORD]
 *
 * <p>It empties the store and runs the same checks over RESP2 and over RESP3.
 */
class RedisClient {
  /** Longer than any check takes, so that no key expires under one. */
  static final long LONG_SECONDS = 1000;

  static final ScanParams SCAN = new ScanParams();
  static int checks = 0;
  static HostAndPort address;
  static String password;

  static void fail(String message) {
    System.err.println(message.substring(0, Math.min(message.length(), 600)));
    System.exit(1);
  }

  static void check(String what, Object got, Object wanted) {
    if (!Objects.deepEquals(got, wanted)) fail(what + ": got " + got + ", wanted " + wanted);
    checks++;
  }

  static void checkError(String what, Class<? extends Exception> kind, String part, Runnable run) {
    try {
      run.run();
    } catch (Exception error) {
      boolean isIt = kind.isInstance(error) && String.valueOf(error.getMessage()).contains(part);
      check(what + ": " + error, isIt, true);
      return;
    }
    fail(what + ": wanted a " + kind.getSimpleName());
  }

  static List<Object> list(Object... values) {
    return Arrays.asList(values);
  }

  static DefaultJedisClientConfig.Builder config(RedisProtocol protocol) {
    return DefaultJedisClientConfig.builder().protocol(protocol).password(password);
  }

  static Jedis connect(RedisProtocol protocol) {
    return new Jedis(address, config(protocol).build());
  }

  static void connecting(RedisProtocol protocol) {
    try (Jedis r = new Jedis(address, config(protocol).clientName("checks").build())) {
      check("PING", list(r.ping(), r.ping("hello")), list("PONG", "hello"));
      check("ECHO", r.echo("a\r\nb"), "a\r\nb");
      check("CLIENT GETNAME", r.clientGetname(), "checks");
    }
    if (password == null) return;
    checkError("a wrong password", JedisDataException.class, "WRONGPASS",
        () -> new Jedis(address, config(protocol).password("wrong").build()).ping());
    checkError("no password", JedisDataException.class, "NOAUTH",
        () -> new Jedis(address, config(protocol).password(null).build()).ping());
    try (Jedis r = new Jedis(address, config(protocol).user("default").build())) {
      check("AUTH with a user's name", r.ping(), "PONG");
    }
  }

  static void values(Jedis r) {
    byte[] everyByte = new byte[256];
    for (int n = 0; n < 256; n++) everyByte[n] = (byte) n;
    byte[] large = new byte[1 << 20];
    for (int n = 0; n < large.length; n++) large[n] = (byte) n;
    byte[] key = "value".getBytes(StandardCharsets.UTF_8);
    byte[] request = "*1\r\n$8\r\nFLUSHALL\r\n".getBytes(StandardCharsets.UTF_8);
    for (byte[] value : List.of(everyByte, new byte[0], large, request)) {
      check("SET of bytes", r.set(key, value), "OK");
      check("GET of bytes", Arrays.equals(r.get(key), value), true);
      check("STRLEN of bytes", r.strlen(key), (long) value.length);
    }
    String[] keys = {"two words", "a\r\nb", "\"quoted\"", "", " ", "ключ 値"};
    for (String odd : keys) check("SET " + odd, r.set(odd, odd), "OK");
    check("MGET of odd keys", r.mget(keys), list((Object[]) keys));
    check("DEL of odd keys", r.del(keys), (long) keys.length);
    check("a key of every byte", list(r.set(everyByte, key), new String(r.get(everyByte))), list("OK", "value"));
    check("GET of none", r.get("none"), null);
  }

  static void setting(Jedis r) {
    r.flushDB();
    long at = Instant.now().getEpochSecond() + LONG_SECONDS;
    SetParams plain = new SetParams();
    check("SET EXAT", list(r.set("k", "v", new SetParams().exAt(at)), r.expireTime("k")), list("OK", at));
    check("SET KEEPTTL", list(r.set("k", "v", new SetParams().keepTtl()), r.expireTime("k")), list("OK", at));
    check("SET PXAT", list(r.set("k", "v", new SetParams().pxAt(at * 1000 + 7)), r.pexpireTime("k")), list("OK", at * 1000 + 7));
    check("SET EX", list(r.set("k", "v", new SetParams().ex(500)), r.ttl("k")), list("OK", 500L));
    check("SET PX", list(r.set("k", "v", new SetParams().px(600_000)), r.ttl("k")), list("OK", 600L));
    check("SET without expiry", list(r.set("k", "v", plain), r.ttl("k")), list("OK", -1L));
    check("SET NX", list(r.set("k", "w", new SetParams().nx()), r.set("new", "w", new SetParams().nx())), list(null, "OK"));
    check("SET XX", list(r.set("k", "w", new SetParams().xx()), r.set("none", "w", new SetParams().xx())), list("OK", null));
    check("SET GET", list(r.setGet("k", "x"), r.setGet("k", "y", new SetParams().ex(500))), list("w", "x"));
    check("SETEX", list(r.setex("k", 500, "a"), r.ttl("k")), list("OK", 500L));
    check("PSETEX", list(r.psetex("k", 600_000, "b"), r.ttl("k")), list("OK", 600L));
    check("SETNX", list(r.setnx("k", "c"), r.setnx("k2", "c")), list(0L, 1L));
    check("GETSET", list(r.getSet("k", "d"), r.ttl("k")), list("b", -1L));
    check("GETEX EX", list(r.getEx("k", new GetExParams().ex(500)), r.ttl("k")), list("d", 500L));
    check("GETEX PERSIST", list(r.getEx("k", new GetExParams().persist()), r.ttl("k")), list("d", -1L));
    check("GETDEL", list(r.getDel("k"), r.getDel("k")), list("d", null));
    check("MSET", r.mset("m1", "1", "m2", "\0", "m3", ""), "OK");
    check("MGET", r.mget("m1", "none", "m2", "m3"), list("1", null, "\0", ""));
    check("MSETNX", list(r.msetnx("m1", "x", "m4", "x"), r.msetnx("m4", "x")), list(0L, 1L));
  }

  static void editing(Jedis r) {
    r.flushDB();
    check("APPEND", list(r.append("a", "ab"), r.append("a", "\0c")), list(2L, 4L));
    check("GETRANGE", list(r.getrange("a", 1, -1), r.getrange("a", 3, 1), r.substr("a", 0, 1)), list("b\0c", "", "ab"));
    check("SETRANGE", list(r.setrange("a", 6, "z"), r.get("a")), list(7L, "ab\0c\0\0z"));
    check("INCR", list(r.incr("n"), r.incrBy("n", 41)), list(1L, 42L));
    check("DECR", list(r.decr("n"), r.decrBy("n", 50)), list(41L, -9L));
    check("INCRBYFLOAT", list(r.incrByFloat("f", 10.5), r.incrByFloat("f", 0.25)), list(10.5, 10.75));
    r.set("n", String.valueOf(Long.MAX_VALUE));
    checkError("INCR past 64 bits", JedisDataException.class, "increment or decrement would overflow", () -> r.incr("n"));
  }

  static void expiry(Jedis r) {
    r.set("k", "v");
    check("TTL", list(r.ttl("k"), r.pttl("none"), r.expireTime("k")), list(-1L, -2L, -1L));
    check("EXPIRE XX of no expiry", r.expire("k", 5, ExpiryOption.XX), 0L);
    check("EXPIRE", list(r.expire("k", 500), r.ttl("k")), list(1L, 500L));
    check("EXPIRE NX", list(r.expire("k", 400, ExpiryOption.NX), r.ttl("k")), list(0L, 500L));
    check("EXPIRE GT", list(r.expire("k", 400, ExpiryOption.GT), r.expire("k", 600, ExpiryOption.GT), r.ttl("k")), list(0L, 1L, 600L));
    check("EXPIRE LT", list(r.expire("k", 700, ExpiryOption.LT), r.expire("k", 300, ExpiryOption.LT), r.ttl("k")), list(0L, 1L, 300L));
    check("PEXPIRE", list(r.pexpire("k", 700_000), r.ttl("k")), list(1L, 700L));
    long at = Instant.now().getEpochSecond() + LONG_SECONDS;
    check("EXPIREAT", list(r.expireAt("k", at), r.expireTime("k")), list(1L, at));
    check("PEXPIREAT", list(r.pexpireAt("k", at * 1000 + 5), r.pexpireTime("k")), list(1L, at * 1000 + 5));
    check("PERSIST", list(r.persist("k"), r.persist("k")), list(1L, 0L));
    check("EXPIRE in the past", list(r.expire("k", -1), r.exists("k")), list(1L, false));
    r.psetex("soon", 20, "v");
    until("a key expires", () -> r.get("soon") == null);
  }

  static void until(String what, BooleanSupplier holds) {
    for (long end = System.nanoTime() + 10_000_000_000L; !holds.getAsBoolean(); Thread.onSpinWait()) {
      if (System.nanoTime() > end) fail(what + ": not within 10 s");
    }
    checks++;
  }

  static void keyspace(Jedis r) {
    r.flushDB();
    r.mset("a", "1", "b", "text", "user:1", "x", "h[x]llo", "z");
    check("DBSIZE", r.dbSize(), 4L);
    check("EXISTS", r.exists("a", "a", "none", "b"), 3L);
    check("TYPE", list(r.type("a"), r.type("none")), list("string", "none"));
    check("TOUCH", r.touch("a", "none"), 1L);
    check("UNLINK", list(r.unlink("b", "none"), r.del("b")), list(1L, 0L));
    check("OBJECT ENCODING", r.objectEncoding("a"), "int");
    check("MEMORY USAGE", r.memoryUsage("a") > 0, true);
    check("KEYS", list(r.keys("user:*"), r.keys("h\\[?\\]l*")), list(Set.of("user:1"), Set.of("h[x]llo")));
    check("RANDOMKEY", r.exists(r.randomKey()), true);
    check("RENAME", list(r.rename("a", "c"), r.get("c")), list("OK", "1"));
    checkError("RENAME of none", JedisDataException.class, "no such key", () -> r.rename("none", "x"));
    check("RENAMENX", list(r.renamenx("c", "user:1"), r.renamenx("c", "d")), list(0L, 1L));
    check("COPY", list(r.copy("d", "e", false), r.copy("d", "e", false), r.copy("d", "e", true)), list(true, false, true));
    check("FLUSHDB", list(r.flushDB(), r.dbSize(), r.randomKey()), list("OK", 0L, null));
    for (int n = 0; n < 1000; n++) r.set("key:" + n, "v");
    check("SCAN", list(scanned(r, SCAN), scanned(r, new ScanParams().count(7))), list(1000, 1000));
    check("SCAN MATCH", scanned(r, new ScanParams().match("key:*5").count(100)), 100);
  }

  static int scanned(Jedis r, ScanParams params) {
    Set<String> seen = new HashSet<>();
    String cursor = ScanParams.SCAN_POINTER_START;
    do {
      var page = r.scan(cursor, params);
      seen.addAll(page.getResult());
      cursor = page.getCursor();
    } while (!cursor.equals(ScanParams.SCAN_POINTER_START));
    return seen.size();
  }

  static void server(Jedis r, RedisProtocol protocol) {
    check("INFO", r.info().contains("\r\nredis_version:"), true);
    check("INFO keyspace", r.info("keyspace").contains("db0:keys=" + r.dbSize() + ","), true);
    check("CONFIG GET", Long.parseLong(r.configGet("maxmemory").get("maxmemory")) >= 0, true);
    check("TIME", Math.abs(Long.parseLong(r.time().get(0)) - Instant.now().getEpochSecond()) < 5, true);
    check("SELECT", r.select(0), "OK");
    checkError("SELECT 99", JedisDataException.class, "DB index is out of range", () -> r.select(99));
    ConnectionPoolConfig pool = new ConnectionPoolConfig();
    pool.setMaxTotal(1);
    try (Jedis one = connect(protocol); JedisPooled pooled = new JedisPooled(pool, address, config(protocol).build())) {
      check("CLIENT SETNAME", list(one.clientSetname("me"), one.clientGetname()), list("OK", "me"));
      check("CLIENT LIST", r.clientList().contains("id=" + one.clientId() + " addr="), true);
      check("CLIENT INFO", one.clientInfo().contains(" name=me "), true);
      check("CLIENT KILL", r.clientKill(new ClientKillParams().id(String.valueOf(one.clientId()))), 1L);
      checkError("after CLIENT KILL", JedisConnectionException.class, "", one::ping);
      check("a pool", pooled.ping(), "PONG");
      r.clientKill(new ClientKillParams().type(redis.clients.jedis.args.ClientType.NORMAL).skipMe(ClientKillParams.SkipMe.YES));
      until("a pool after CLIENT KILL", () -> pings(pooled));
    }
  }

  static boolean pings(JedisPooled pooled) {
    try {
      return pooled.ping().equals("PONG");
    } catch (JedisConnectionException error) {
      return false;
    }
  }

  static void pipelines(Jedis r) {
    var pipeline = r.pipelined();
    for (int n = 0; n < 500; n++) {
      pipeline.set("p" + n, String.valueOf(n));
      pipeline.incr("p" + n);
    }
    List<Object> replies = pipeline.syncAndReturnAll();
    check("a pipeline of 1,000", list(replies.size(), replies.get(998), replies.get(999)), list(1000, "OK", 500L));
    r.set("x", "text");
    Response<Long> failed = pipeline.incr("x");
    Response<String> after = pipeline.get("x");
    pipeline.sync();
    checkError("an error within a pipeline", JedisDataException.class, "not an integer", failed::get);
    check("after it", after.get(), "text");
  }

  static void transactions(Jedis r, RedisProtocol protocol) {
    r.set("n", "1");
    r.watch("n");
    var first = r.multi();
    first.incr("n");
    first.get("n");
    check("WATCH", first.exec(), list(2L, "2"));
    r.watch("n");
    try (Jedis other = connect(protocol)) {
      other.set("n", "changed");
    }
    var second = r.multi();
    second.set("n", "lost");
    check("WATCH of a changed key", second.exec(), null);
    var third = r.multi();
    third.set("n", "lost");
    check("DISCARD", list(third.discard(), r.get("n")), list("OK", "changed"));
    var fourth = r.multi();
    fourth.incr("n");
    fourth.set("after", "1");
    List<Object> replies = fourth.exec();
    check("an error within EXEC", list(replies.get(0) instanceof JedisDataException, replies.get(1)), list(true, "OK"));
  }

  static void failures(Jedis r) {
    r.set("k", "v");
    checkError("an unknown command", JedisDataException.class, "ERR unknown command",
        () -> r.sendCommand(() -> "NOSUCHCOMMAND".getBytes(StandardCharsets.UTF_8), "x"));
    checkError("LPUSH on text", JedisDataException.class, "", () -> r.lpush("k", "x"));
    checkError("INCR of text", JedisDataException.class, "not an integer or out of range", () -> r.incr("k"));
    checkError("too few arguments", JedisDataException.class, "wrong number of arguments for 'get' command",
        () -> r.sendCommand(Protocol.Command.GET));
    checkError("SET EX 0", JedisDataException.class, "invalid expire time in 'set' command",
        () -> r.set("k", "v", new SetParams().ex(0)));
    check("after the errors", r.get("k"), "v");
  }

  public static void main(String[] words) {
    address = new HostAndPort(words[0], Integer.parseInt(words[1]));
    password = words.length > 2 ? words[2] : null;
    for (RedisProtocol protocol : RedisProtocol.values()) {
      connecting(protocol);
      try (Jedis r = connect(protocol)) {
        values(r);
        setting(r);
        editing(r);
        expiry(r);
        keyspace(r);
        pipelines(r);
        failures(r);
        server(r, protocol);
        transactions(r, protocol);
        r.flushDB();
      }
    }
    System.out.println("ok " + checks + " checks");
  }
}
