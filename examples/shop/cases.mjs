// The webhooks that `send.mjs` sends: each is what a gateway would send, or one well-known mistake away from it.
// The event id of a case is its name, so that whoever receives it can say which case it was.
import assert from "node:assert";
import { createCipheriv, createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import Stripe from "stripe";

const { validateWebhookSignature } = createRequire(import.meta.url)("razorpay/dist/utils/razorpay-utils");

/** The example of Razorpay's own documentation (razorpay-node, documents/paymentVerfication.md): valid for the secret `123456`. */
const PUBLISHED = {
  body: JSON.stringify(JSON.parse(readFileSync(new URL("events/payment.captured.json", import.meta.url)))),
  secret: "123456",
  signature: "55d3c166391ec51285b388f1bb9f0ba9b13dde1bece4484aaac6edd34a01459a",
};

/** Older than the 300 s that Stripe's library accepts. */
const TOO_OLD_SECONDS = 3600;

/** Up to this many bytes in a random body. */
const MAX_RANDOM_BYTES = 1024 * 1024;

/** Every signed case, for the secrets of the receiving app. */
export function signedCases({ razorpay, stripe, github }) {
  return [...razorpayCases(razorpay), ...stripeCases(stripe), ...githubCases(github)];
}

/** `count` requests to /echo whose bodies follow from `seed` alone. */
export function randomCases(count, seed) {
  const key = createHash("sha256").update(String(seed)).digest().subarray(0, 16);
  const stream = createCipheriv("aes-128-ctr", key, Buffer.alloc(16));
  const random = (length) => stream.update(Buffer.alloc(length));
  return Array.from({ length: count }, (_, index) => {
    // Sizes spread over the magnitudes: as many below 1 KiB as above it. The first body is empty, the second the largest.
    const exponent = (random(2).readUInt16LE() / 65536) * Math.log2(MAX_RANDOM_BYTES);
    const length = [0, MAX_RANDOM_BYTES][index] ?? Math.floor(2 ** exponent);
    return {
      name: `echo-${index}`,
      method: ["POST", "PUT", "PATCH"][index % 3],
      path: `/echo/${index}?n=${index}`,
      headers: { "content-type": "application/octet-stream" },
      body: random(length),
      chunked: index % 2 === 1,
    };
  });
}

function razorpayCases(secret) {
  const sign = (body, key = secret) => {
    const signature = createHmac("sha256", key).update(body).digest("hex");
    assert(validateWebhookSignature(body, signature, key), "the official package must agree with our signature");
    return signature;
  };
  const send = (name, valid, body, signature) => ({
    name,
    method: "POST",
    path: "/verification",
    headers: { "content-type": "application/json", "x-razorpay-event-id": name, "x-razorpay-signature": signature },
    body: Buffer.from(body),
    valid,
  });
  const captured = '{"entity":"event","event":"payment.captured","payload":{"payment":{"entity":{"amount":100.0}}}}';
  const spaced = '{"event": "payment.captured", "amount": 100}';
  const slashes = '{"event":"payment.captured","callback":"https:\\/\\/shop.example\\/done"}';
  const utf8 = '{"event":"payment.captured","notes":{"name":"Zoë · 支付 · ₹ 🙏"}}';
  return [
    send("razorpay-published", secret === PUBLISHED.secret, PUBLISHED.body, PUBLISHED.signature),
    send("razorpay-good", true, captured, sign(captured)),
    send("razorpay-wrong-secret", false, captured, sign(captured, `not ${secret}`)),
    send("razorpay-reserialised", false, JSON.stringify(JSON.parse(spaced)), sign(spaced)),
    send("razorpay-escaped-slashes", true, slashes, sign(slashes)),
    send("razorpay-slashes-lost", false, JSON.stringify(JSON.parse(slashes)), sign(slashes)),
    send("razorpay-utf8", true, utf8, sign(utf8)),
  ];
}

function stripeCases(secret) {
  const now = Math.floor(Date.now() / 1000);
  const sign = (payload, options = {}) => Stripe.webhooks.generateTestHeaderString({ payload, secret, ...options });
  const event = (id, indent) => JSON.stringify({ id, object: "event", type: "payment_intent.succeeded" }, null, indent);
  const send = (name, valid, signature, body = event(name)) => ({
    name,
    method: "POST",
    path: "/stripe",
    headers: { "content-type": "application/json", "stripe-signature": signature },
    body: Buffer.from(body),
    valid,
  });
  const wrong = { secret: `not ${secret}` };
  const v1 = (header) => header.split(",").find((part) => part.startsWith("v1="));
  const several = event("stripe-several-v1");
  return [
    send("stripe-good", true, sign(event("stripe-good"))),
    send("stripe-too-old", false, sign(event("stripe-too-old"), { timestamp: now - TOO_OLD_SECONDS })),
    send("stripe-wrong-secret", false, sign(event("stripe-wrong-secret"), wrong)),
    // While a secret is rotated, Stripe signs with the old and the new one.
    send("stripe-several-v1", true, `t=${now},${v1(sign(several, { timestamp: now, ...wrong }))},${v1(sign(several, { timestamp: now }))}`),
    send("stripe-reserialised", false, sign(event("stripe-reserialised", 2))),
  ];
}

function githubCases(secret) {
  const body = Buffer.from('{"action":"opened","number":1}');
  const send = (name, valid, key) => ({
    name,
    method: "POST",
    path: "/github",
    headers: {
      "content-type": "application/json",
      "x-github-delivery": name,
      "x-github-event": "pull_request",
      "x-hub-signature-256": `sha256=${createHmac("sha256", key).update(body).digest("hex")}`,
    },
    body,
    valid,
  });
  return [send("github-good", true, secret), send("github-wrong-secret", false, `not ${secret}`)];
}
