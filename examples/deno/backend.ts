/**
 * An HTTP backend that keeps its data in a Blink Store.
 *
 *     GET /KEY     200 with the value, or 404
 *     POST /KEY    204; the body is the value, up to 8 MiB
 *
 * It listens on 127.0.0.1, at PORT (default 8080); the store is BLINK_STORE=HOST:PORT.
 *
 * @module
 */

import { BlinkError, BlinkStore } from "@blink/store/client";
import { safeKey, storeFromEnvironment } from "./keys.ts";

const bodyBytesMax = 8 * 1024 * 1024;

/** The first segment of the path, its %XX decoded to bytes. */
function segmentOf(url: string): Uint8Array {
  const path = url.replace(/^[a-z]+:\/\/[^/]*/, "").split("?")[0];
  const segment = path.replace(/^\/+/, "").split("/")[0];
  const decoded = segment.replace(
    /%([0-9a-f]{2})/gi,
    (_, hex) => String.fromCharCode(parseInt(hex, 16)),
  );
  return Uint8Array.from(decoded, (character) => character.charCodeAt(0));
}

/** The whole body, or undefined if it is longer than the limit. */
async function bodyOf(request: Request): Promise<Uint8Array | undefined> {
  if (Number(request.headers.get("content-length") ?? 0) > bodyBytesMax) return undefined;
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) return undefined;
    chunks.push(chunk);
  }
  return await new Blob(chunks).bytes();
}

/** Calls again if a kept connection is lost; GET and a plain PUT may run twice. */
async function twice<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof BlinkError && error.mayHaveRun)) throw error;
    return await call();
  }
}

function text(status: number, body: BodyInit): Response {
  const headers = {
    "Content-Type": "text/plain; charset=utf-8",
    "X-Content-Type-Options": "nosniff",
  };
  return new Response(body, { status, headers });
}

const options = storeFromEnvironment();
const store = new BlinkStore({ ...options, connectTimeoutMs: 500 });

async function answer(request: Request): Promise<Response> {
  const body = await bodyOf(request);
  if (body === undefined) return text(413, "Body too large");
  const key = safeKey(segmentOf(request.url));
  if (key === "") return text(400, "Missing key");
  if (request.method === "POST") {
    await twice(() => store.put(key, body));
    return new Response(null, { status: 204 });
  }
  if (request.method !== "GET") return text(405, "Method not allowed");
  const value = await twice(() => store.getBytes(key));
  return value === undefined ? text(404, "Not found") : text(200, value as BodyInit);
}

Deno.serve({
  hostname: "127.0.0.1",
  port: Number(Deno.env.get("PORT") || 8080),
  onListen: ({ port }) =>
    console.log(
      `HTTP backend on http://127.0.0.1:${port} -> store ${options.hostname}:${options.port}`,
    ),
  onError: (error) => {
    if (error instanceof BlinkError) return text(502, "Store error");
    return text(400, "Bad request"); // the request's body broke off
  },
}, answer);
