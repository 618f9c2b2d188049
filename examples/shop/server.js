// A small shop that receives webhooks. Start it with
//
//     RAZORPAY_WEBHOOK_SECRET=… STRIPE_WEBHOOK_SECRET=… node server.js
//
// and give it a public address with `hookwire listen 3000`.
"use strict";

const crypto = require("node:crypto");
const express = require("express");
const Stripe = require("stripe");
const { validateWebhookSignature } = require("razorpay/dist/utils/razorpay-utils");

const app = express();

// A signature covers the bytes that were sent. `express.json()` would parse them, and turning the result back into text gives
// other bytes (spaces, `\/`, `1.0`), so each webhook route takes the body raw and parses it only after the check.
const rawBody = express.raw({ type: () => true, limit: "2mb" });

// Razorpay: the header is the hex HMAC-SHA256 of the body. https://razorpay.com/docs/webhooks/validate-test/
app.post("/verification", rawBody, (request, response) => {
  const signature = request.get("x-razorpay-signature") ?? "";
  const valid = validateWebhookSignature(bodyOf(request), signature, secret("RAZORPAY_WEBHOOK_SECRET"));
  if (!valid) {
    return response.status(400).json({ status: "invalid signature" });
  }
  // Razorpay may send an event more than once: a real shop remembers `x-razorpay-event-id` and skips what it has done.
  return response.json({ status: "ok" });
});

// Stripe: the header has a timestamp and HMACs of `<timestamp>.<body>`; more than 300 s old is refused.
// https://docs.stripe.com/webhooks/signature
app.post("/stripe", rawBody, (request, response) => {
  const signature = request.get("stripe-signature") ?? "";
  const key = secret("STRIPE_WEBHOOK_SECRET");
  try {
    const event = Stripe.webhooks.constructEvent(bodyOf(request), signature, key);
    return response.json({ status: "ok", type: event.type });
  } catch (error) {
    return response.status(400).json({ status: error.message.split("\n")[0] });
  }
});

// GitHub: `sha256=` and the hex HMAC-SHA256 of the body.
// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
app.post("/github", rawBody, (request, response) => {
  const signature = Buffer.from(request.get("x-hub-signature-256") ?? "");
  const mac = crypto.createHmac("sha256", secret("GITHUB_WEBHOOK_SECRET")).update(bodyOf(request)).digest("hex");
  const expected = Buffer.from(`sha256=${mac}`);
  // Comparing in constant time keeps the right signature from being guessed byte by byte.
  const valid = signature.length === expected.length && crypto.timingSafeEqual(signature, expected);
  return valid ? response.json({ status: "ok" }) : response.status(400).json({ status: "invalid signature" });
});

// Says exactly what arrived, for anything sent below /echo. The body is hashed as it streams by, never held.
app.use("/echo", (request, response) => {
  const hash = crypto.createHash("sha256");
  let length = 0;
  request.on("data", (chunk) => {
    hash.update(chunk);
    length += chunk.length;
  });
  request.on("end", () => {
    const { method, originalUrl: url, rawHeaders } = request;
    response.json({ method, url, rawHeaders, sha256: hash.digest("hex"), length });
  });
});

app.get("/", (request, response) => {
  response.type("text/plain").send("POST /verification (Razorpay), /stripe, /github; anything below /echo is described back\n");
});

// The raw body. Express leaves it undefined when the request has none: to a signature that is the empty text.
function bodyOf(request) {
  return request.body ?? Buffer.alloc(0);
}

// A signing secret from the environment. Without one nothing can be checked, and saying "invalid" would mislead.
function secret(name) {
  const value = process.env[name];
  if (!value) {
    throw new Error(`set ${name} to the webhook secret of your dashboard`);
  }
  return value;
}

const server = app.listen(Number(process.env.PORT ?? 3000), (error) => {
  if (error) {
    throw error;
  }
  console.log(`listening on ${server.address().port}`);
});
