#!/usr/bin/env node
/**
 * An HTTP backend that keeps its data in a Blink Store.
 *
 *     GET /KEY     200 with the value, or 404
 *     POST /KEY    204; the body is the value, up to 8 MiB
 *
 * It listens on 127.0.0.1, at PORT (default 8080); the store is BLINK_STORE=HOST:PORT.
 */
import { createServer } from "node:http";
import {
  addressFromEnvironment,
  Blink,
  safeKey,
  StoreError,
  StoreLost,
  UsageError,
} from "./blink.mjs";

const bodyBytesMax = 8 * 1024 * 1024;
const store = new Blink(addressFromEnvironment());

/** The first segment of the path, its %XX decoded to bytes. */
function segmentOf(url) {
  const segment = url.split("?")[0].replace(/^\/+/, "").split("/")[0];
  const decoded = segment.replace(
    /%([0-9a-f]{2})/gi,
    (_, hex) => String.fromCharCode(parseInt(hex, 16)),
  );
  return Buffer.from(decoded, "latin1");
}

/** The whole body, or undefined if it is longer than the limit. */
async function bodyOf(request) {
  if (Number(request.headers["content-length"] ?? 0) > bodyBytesMax) return undefined;
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Calls again if a kept connection is lost; GET and a plain PUT may run twice. */
async function twice(call) {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof StoreLost)) throw error;
    return await call();
  }
}

/** The status and the body that answer a request. */
async function answer(request) {
  const body = await bodyOf(request);
  if (body === undefined) return [413, "Body too large"];
  const key = safeKey(segmentOf(request.url));
  if (key === "") return [400, "Missing key"];
  if (request.method === "POST") {
    await twice(() => store.put(key, body));
    return [204];
  }
  if (request.method !== "GET") return [405, "Method not allowed"];
  const value = await twice(() => store.get(key));
  return value === undefined ? [404, "Not found"] : [200, value];
}

const server = createServer(async (request, response) => {
  const [status, body] = await answer(request).catch((error) => {
    if (error instanceof StoreError || error instanceof UsageError) return [502, "Store error"];
    return [400, "Bad request"]; // the request's body broke off
  });
  if (status === 413) response.setHeader("Connection", "close");
  if (body !== undefined) {
    response.setHeader("Content-Type", "text/plain; charset=utf-8");
    response.setHeader("X-Content-Type-Options", "nosniff");
    response.setHeader("Content-Length", Buffer.byteLength(body));
  }
  response.writeHead(status);
  response.end(body);
});

server.listen(Number(process.env.PORT || 8080), "127.0.0.1", () => {
  const { host, port } = store.address;
  console.log(
    `HTTP backend on http://127.0.0.1:${server.address().port} -> store ${host}:${port}`,
  );
});
