/**
 * A server in a process of its own, for the test that takes all file descriptors from it. It
 * prints its port and its events on standard output, and ends with its standard input.
 *
 * @module
 */

import { serve } from "./served.ts";

await using server = await serve({
  tcp: [{ hostname: "127.0.0.1", port: 0 }],
  onEvent: (event) => console.log(event),
});
const [address] = server.addresses;
if (address.transport === "tcp") console.log(`port ${address.port}`);
await Deno.stdin.read(new Uint8Array(1));
