/**
 * CLIENT, without sockets: what a client says of itself, which replies it gets, the list of clients,
 * and how connections are ended.
 *
 * @module
 */

import { clientNameCharactersMax } from "../commands/redis/client.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "./assert.ts";
import { array, joined, words } from "./redis_array.ts";
import { type ManualConnection, ManualServer } from "./server_manual.ts";

function ask(client: ManualConnection, ...requests: readonly string[]): string {
  return client.ask(joined(...requests.map(words)));
}

/** The text of a bulk reply. */
function bulk(reply: string): string {
  const start = reply.indexOf("\r\n") + 2;
  assertEquals(reply.slice(0, start - 2), `$${reply.length - start - 2}`);
  return reply.slice(start, -2);
}

/** The fields of each line of CLIENT LIST. */
function fieldsOf(reply: string): Record<string, string>[] {
  return bulk(reply).trimEnd().split("\n").map((line) =>
    Object.fromEntries(
      line.split(" ").map((field) => {
        const at = field.indexOf("=");
        return [field.slice(0, at), field.slice(at + 1)];
      }),
    )
  );
}

Deno.test("CLIENT: names and versions are kept, checked and forgotten", () => {
  const client = new ManualServer().connect();
  assertEquals(ask(client, "CLIENT GETNAME"), "$-1\r\n");
  assertEquals(
    ask(client, "CLIENT SETNAME worker-1", "CLIENT GETNAME"),
    "+OK\r\n$8\r\nworker-1\r\n",
  );
  assertEquals(
    client.ask(array("CLIENT", "SETNAME", "two words")),
    "-ERR Client names cannot contain spaces, newlines or special characters.\r\n",
  );
  assertEquals(
    ask(client, "CLIENT SETINFO LIB-NAME abc", "CLIENT SETINFO lib-ver 1.2"),
    "+OK\r\n+OK\r\n",
  );
  assertEquals(
    client.ask(array("CLIENT", "SETINFO", "lib-ver", "1 2")),
    "-ERR lib-ver cannot contain spaces, newlines or special characters.\r\n",
  );
  assertEquals(ask(client, "CLIENT SETINFO x y"), "-ERR Unrecognized option 'x'\r\n");
  const [info] = fieldsOf(ask(client, "CLIENT INFO"));
  assertEquals([info.name, info["lib-name"], info["lib-ver"]], ["worker-1", "abc", "1.2"]);
  assertEquals(ask(client, "RESET", "CLIENT GETNAME"), "+RESET\r\n$-1\r\n");
  assertEquals(client.ask(array("CLIENT", "SETNAME", "")), "+OK\r\n");
  assertEquals(ask(client, "CLIENT GETNAME"), "$-1\r\n");
});

Deno.test("CLIENT: a name has a longest length", () => {
  const client = new ManualServer().connect();
  const longest = "n".repeat(clientNameCharactersMax);
  assertEquals(ask(client, `CLIENT SETNAME ${longest}`), "+OK\r\n");
  for (const request of ["CLIENT SETNAME", "HELLO 3 SETNAME", "CLIENT SETINFO lib-name"]) {
    assertStringIncludes(
      ask(client, `${request} ${longest}n`),
      `longer than ${longest.length} characters`,
    );
  }
  assertEquals(ask(client, "CLIENT GETNAME"), `$${longest.length}\r\n${longest}\r\n`);
});

Deno.test("CLIENT LIST: every connection of both wires, with what it does", () => {
  const server = new ManualServer();
  const [first, second, lines] = [server.connect(), server.connect(), server.connect()];
  ask(first, "HELLO 3", "MULTI", "SET a 1", "SET b 2");
  ask(second, "WATCH a b", "CLIENT NO-EVICT ON", "CLIENT NO-TOUCH ON");
  lines.ask("GET a\nGET");
  server.clock.advance(2500);
  const list = fieldsOf(ask(second, "CLIENT LIST"));
  const shown = list.map((client) => [
    client.id,
    client.resp,
    client.flags,
    client.multi,
    client.watch,
    client.cmd,
    client.qbuf,
    client.age,
    client.user,
  ]);
  assertEquals(shown, [
    ["1", "3", "x", "2", "0", "set", "0", "2", "default"],
    ["2", "2", "eT", "-1", "2", "client|list", "0", "2", "default"],
    ["3", "0", "N", "-1", "0", "get", "3", "2", "default"],
  ]);
  assertEquals(list.map(({ idle }) => idle).slice(0, 1), ["2"]);
  assertEquals(fieldsOf(ask(second, "CLIENT LIST ID 1 3 77")).map(({ id }) => id), ["1", "3"]);
  assertEquals(fieldsOf(ask(second, "CLIENT LIST TYPE normal")).length, 3);
  assertEquals(ask(second, "CLIENT LIST TYPE replica"), "$0\r\n\r\n");
  assertEquals(ask(second, "CLIENT LIST TYPE x"), "-ERR Unknown client type 'x'\r\n");
  assertEquals(ask(second, "CLIENT LIST ID x"), "-ERR Invalid client ID\r\n");
  assertEquals(ask(second, "CLIENT LIST wrong"), "-ERR syntax error\r\n");
  assertEquals(ask(second, "CLIENT ID"), ":2\r\n");
});

Deno.test("CLIENT LIST: in a transaction of a server with one thread", () => {
  const client = new ManualServer().connect();
  const replies = ask(client, "MULTI", "CLIENT LIST", "CLIENT KILL ID 1", "EXEC");
  assertMatch(replies, /\*2\r\n\$\d+\r\nid=1 .*\r\n-ERR CLIENT KILL is not allowed in a/s);
});

Deno.test("CLIENT KILL: by number, type, age and user, never by accident", () => {
  const server = new ManualServer();
  const [asker, one, two, three] = [1, 2, 3, 4].map(() => server.connect());
  for (const client of [one, two, three]) ask(client, "PING");
  assertEquals(ask(asker, "CLIENT KILL ID 2"), ":1\r\n");
  assertEquals([one, two, three].map((client) => client.run()), ["close", "read", "read"]);
  assertEquals(
    ask(asker, "CLIENT KILL ID 2", "CLIENT KILL 1.2.3.4:5"),
    ":0\r\n-ERR No such client\r\n",
  );
  assertEquals(ask(asker, "CLIENT KILL ID 3 ID 4"), ":0\r\n");
  assertEquals(ask(asker, "CLIENT KILL TYPE pubsub"), ":0\r\n");
  assertEquals(ask(asker, "CLIENT KILL MAXAGE 10"), ":0\r\n");
  server.clock.advance(11_000);
  server.context.tick(server.clock.nowMs);
  const young = server.connect();
  ask(young, "PING");
  assertEquals(ask(asker, "CLIENT KILL MAXAGE 10"), ":2\r\n");
  assertEquals([two, three, young].map((client) => client.run()), ["close", "close", "read"]);
  assertEquals(ask(asker, "CLIENT KILL USER nobody"), "-ERR No such user 'nobody'\r\n");
  assertEquals(ask(asker, "CLIENT KILL USER default SKIPME yes"), ":1\r\n");
  for (
    const wrong of ["ID 0", "ID x", "MAXAGE 0", "SKIPME perhaps", "ID", "NONSENSE 1", "ID 1 TYPE"]
  ) {
    assertMatch(ask(asker, `CLIENT KILL ${wrong}`), /^-ERR /, wrong);
  }
  assertEquals(ask(asker, "CLIENT KILL TYPE normal SKIPME no"), ":1\r\n");
  assertEquals(asker.run(), "close");
});

Deno.test("CLIENT REPLY: off, skipped and on again", () => {
  const client = new ManualServer().connect();
  assertEquals(ask(client, "CLIENT REPLY OFF", "SET a 1", "GET", "NONSENSE", "GET a"), "");
  assertEquals(ask(client, "CLIENT REPLY ON", "GET a"), "+OK\r\n$1\r\n1\r\n");
  assertEquals(ask(client, "CLIENT REPLY SKIP", "SET a 2", "GET a"), "$1\r\n2\r\n");
  assertEquals(
    ask(client, "CLIENT REPLY SKIP", "CLIENT REPLY SKIP", "GET a", "GET a"),
    "$1\r\n2\r\n",
  );
  assertEquals(ask(client, "CLIENT REPLY nonsense"), "-ERR syntax error\r\n");
  assertEquals(ask(client, "CLIENT REPLY OFF", "RESET", "PING"), "+RESET\r\n+PONG\r\n");
  const refused = "-ERR CLIENT REPLY is not allowed in a transaction\r\n";
  assertStringIncludes(ask(client, "MULTI", "CLIENT REPLY OFF", "EXEC"), `*1\r\n${refused}`);
});

Deno.test("CLIENT REPLY: a value that is sent in parts is left out, too", () => {
  const server = new ManualServer({ limitBytes: 16 << 20 });
  const client = server.connect();
  const value = "v".repeat(2 << 20);
  assertEquals(client.ask(array("SET", "large", value)), "+OK\r\n");
  const requests = ["CLIENT REPLY SKIP", "GET large", "PING"];
  assertEquals(ask(client, ...requests), "+PONG\r\n");
  const replies = ask(client, "GET large", "CLIENT REPLY SKIP", "GET large", "ECHO end");
  assertEquals(replies.length, `$${value.length}\r\n${value}\r\n$3\r\nend\r\n`.length);
  assert(replies.endsWith(`v\r\n$3\r\nend\r\n`));
  assertEquals(ask(client, "CLIENT REPLY OFF", "GET large", "GET large"), "");
  assertEquals(server.context.replies.bytes, 0);
});

Deno.test("CLIENT REPLY: a broken request is not answered, either", () => {
  const client = new ManualServer().connect();
  assertEquals(ask(client, "CLIENT REPLY OFF"), "");
  assertEquals(client.ask("*1\r\n!\r\n"), "");
  assertEquals(client.run(), "close");
});

Deno.test("CLIENT NO-TOUCH: reads do not keep a key", () => {
  for (const noTouch of ["OFF", "ON"]) {
    const server = new ManualServer({ limitBytes: 1 << 20 });
    const [reader, writer] = [server.connect(), server.connect()];
    ask(reader, `CLIENT NO-TOUCH ${noTouch}`);
    ask(writer, "SET kept 1", "SET touched 1");
    const value = "v".repeat(10_000);
    for (let n = 0; n < 150; n++) {
      ask(reader, "GET kept", "TOUCH touched");
      writer.ask(array("SET", `key:${n}`, value));
    }
    const isKept = ask(writer, "GET kept").startsWith("$1");
    assertEquals([noTouch, isKept], [noTouch, noTouch === "OFF"]);
    // TOUCH is for that, and counts for everybody, as in Redis.
    assert(ask(writer, "GET touched").startsWith("$1"));
    assertEquals(ask(reader, "CLIENT NO-TOUCH x"), "-ERR syntax error\r\n");
  }
});

Deno.test("CLIENT: what does not exist here answers as where it is not used, or says so", () => {
  const client = new ManualServer().connect();
  assertMatch(ask(client, "CLIENT TRACKING ON"), /^-ERR this store does not track keys/);
  assertEquals(ask(client, "CLIENT TRACKING OFF", "CLIENT GETREDIR"), "+OK\r\n:-1\r\n");
  assertMatch(ask(client, "CLIENT TRACKINGINFO"), /^\*6\r\n\$5\r\nflags\r\n\*1\r\n\$3\r\noff\r\n/);
  assertMatch(ask(client, "CLIENT CACHING YES"), /^-ERR CLIENT CACHING can be called only when/);
  assertMatch(ask(client, "CLIENT PAUSE 100"), /^-ERR this store does not pause/);
  assertEquals(ask(client, "CLIENT UNPAUSE", "CLIENT UNBLOCK 5"), "+OK\r\n:0\r\n");
  assertEquals(
    ask(client, "CLIENT NONSENSE"),
    "-ERR unknown subcommand 'NONSENSE'. Try CLIENT HELP.\r\n",
  );
  assertMatch(ask(client, "CLIENT HELP"), /^\*\d+\r\n\+CLIENT <subcommand>/);
});
