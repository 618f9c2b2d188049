// Sends every case of `cases.mjs` to a base URL, one after the other, and prints one JSON line for each answer:
//
//     node send.mjs http://127.0.0.1:3000 [--random 20] [--seed 7] [--http2]
//
// The secrets come from the environment, as the shop's do. Exits with 1 when a request got no answer.
import { createHash } from "node:crypto";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { randomCases, signedCases } from "./cases.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    random: { type: "string", default: "20" },
    seed: { type: "string", default: String(Date.now()) },
    http2: { type: "boolean", default: false },
  },
});
const base = positionals[0];
if (!base) {
  console.error("usage: node send.mjs <base URL> [--random N] [--seed S] [--http2]");
  process.exit(2);
}

// A body sent in pieces of this size: smaller than the largest random bodies, so that they really come in several.
const PIECE = 100_000;

// A relay or app that does not answer within this time is taken for dead.
const TIMEOUT_MS = 30_000;

// The base is put before each path as text: joining URLs would normalise what the sender means to send.
const url = new URL(base);
const prefix = url.pathname.replace(/\/$/, "");
const client = url.protocol === "https:" ? https : http;
const agent = new client.Agent({ keepAlive: true });
const session = values.http2 ? http2.connect(url.origin) : null;

// The seed stands on the first line, so that a failure can be sent again.
print({ case: "seed", seed: values.seed });
const secrets = {
  razorpay: process.env.RAZORPAY_WEBHOOK_SECRET ?? "123456",
  stripe: process.env.STRIPE_WEBHOOK_SECRET ?? "whsec_shop",
  github: process.env.GITHUB_WEBHOOK_SECRET ?? "shop",
};
for (const webhook of [...signedCases(secrets), ...randomCases(Number(values.random), values.seed)]) {
  const { status, body } = await (session ? sendHttp2(webhook) : send(webhook));
  const sent = createHash("sha256").update(webhook.body).digest("hex");
  print({ case: webhook.name, status, sent_sha256: sent, expected: { valid: webhook.valid ?? null }, answer: parsed(body) });
}
agent.destroy();
session?.close();

/** Sends one webhook over HTTP/1.1; resolves to its answer, whatever the status. */
function send({ method, path, headers, body, chunked }) {
  return new Promise((resolve, reject) => {
    const framing = chunked ? { "transfer-encoding": "chunked" } : { "content-length": body.length };
    const request = client.request({
      agent,
      method,
      hostname: url.hostname.replace(/^\[|\]$/g, ""),
      port: url.port,
      path: prefix + path,
      headers: { ...headers, ...framing },
      timeout: TIMEOUT_MS,
    });
    request.on("error", reject);
    request.on("timeout", () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    request.on("response", (response) => {
      text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
    });
    write(request, body);
  });
}

/** The same over HTTP/2, where all webhooks share one connection. */
function sendHttp2({ method, path, headers, body }) {
  return new Promise((resolve, reject) => {
    session.once("error", reject);
    const request = session.request({ ":method": method, ":path": prefix + path, ...headers });
    request.setTimeout(TIMEOUT_MS, () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    request.on("error", reject);
    request.on("response", (head) => {
      text(request).then((body) => resolve({ status: head[":status"], body }), reject);
    });
    write(request, body);
  }).finally(() => session.removeAllListeners("error"));
}

function write(request, body) {
  for (let at = 0; at < body.length; at += PIECE) {
    request.write(body.subarray(at, at + PIECE));
  }
  request.end();
}

function parsed(body) {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

function print(line) {
  console.log(JSON.stringify(line));
}
