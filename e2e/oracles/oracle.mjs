// Asks the providers' official packages whether a request is signed rightly.
//
// Reads one case a line from standard input and writes one answer a line, in order:
//   {"id","oracle","secret","url","headers":{…},"fields":{…},"body":"<base64>","now":<unix seconds>}
//   {"id","accepted":true|false}
// `now` is what the packages see as the present: they take it from `Date`. An oracle that has no such package ends the run with status 2.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(import.meta.url);

const Stripe = require("stripe");
const Razorpay = require("razorpay");
const { validatePaymentVerification } = require("razorpay/dist/utils/razorpay-utils");
const svix = require("svix");
const standardwebhooks = require("standardwebhooks");
const twilio = require("twilio");
const { WebhooksHelper } = require("square");
const { Paddle } = require("@paddle/paddle-node-sdk");
const { verifySlackRequest } = require("@slack/bolt/dist/receivers/verify-request.js");
await import("@shopify/shopify-api/adapters/node");
const { shopifyApi, ApiVersion, LogSeverity } = await import("@shopify/shopify-api");
const octokit = await import("@octokit/webhooks-methods");

// The present of the case in hand, for packages that look at the clock.
const RealDate = Date;
let now = 0;
globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(now * 1000);
    else super(...given);
  }
  static now() {
    return now * 1000;
  }
};

const stripe = new Stripe("sk_test_unused");
const paddle = new Paddle("unused");

const oracles = {
  "razorpay.webhook": (c) =>
    Razorpay.validateWebhookSignature(c.text, c.headers["x-razorpay-signature"], c.secret),
  "razorpay.payment": (c) => validatePaymentVerification(c.fields, c.fields.signature, c.secret),
  "razorpay.subscription": (c) => validatePaymentVerification(c.fields, c.fields.signature, c.secret),
  "razorpay.payment-link": (c) => validatePaymentVerification(c.fields, c.fields.signature, c.secret),
  "stripe.v1": (c) => Boolean(stripe.webhooks.constructEvent(c.bytes, c.headers["stripe-signature"], c.secret)),
  svix: (c) => {
    new svix.Webhook(c.secret).verify(c.text, c.headers);
    return true;
  },
  standardwebhooks: (c) => {
    new standardwebhooks.Webhook(c.secret).verify(c.text, c.headers);
    return true;
  },
  github: (c) => octokit.verify(c.secret, c.text, c.headers["x-hub-signature-256"]),
  twilio: (c) => twilio.validateRequest(c.secret, c.headers["x-twilio-signature"], c.url, c.fields),
  square: (c) =>
    WebhooksHelper.verifySignature({
      requestBody: c.text,
      signatureHeader: c.headers["x-square-hmacsha256-signature"],
      signatureKey: c.secret,
      notificationUrl: c.url,
    }),
  slack: (c) => {
    verifySlackRequest({ signingSecret: c.secret, body: c.text, headers: c.headers });
    return true;
  },
  shopify: async (c) => {
    const shopify = shopifyApi({
      apiSecretKey: c.secret,
      apiKey: "unused",
      apiVersion: ApiVersion.Unstable ?? "unstable",
      isEmbeddedApp: true,
      hostName: "shop.example.com",
      logger: { level: LogSeverity.Error, log: () => {} },
    });
    const validation = await shopify.webhooks.validate({
      rawBody: c.text,
      rawRequest: { method: "POST", url: c.url, headers: c.headers },
      rawResponse: {},
    });
    return validation.valid;
  },
  paddle: (c) => paddle.webhooks.isSignatureValid(c.text, c.secret, c.headers["paddle-signature"]),
};

for await (const line of createInterface({ input: process.stdin })) {
  const given = JSON.parse(line);
  const oracle = oracles[given.oracle];
  if (!oracle) {
    console.error(`error: no package judges ${JSON.stringify(given.oracle)}`);
    process.exit(2);
  }
  const bytes = Buffer.from(given.body ?? "", "base64");
  now = given.now;
  let accepted;
  let error;
  try {
    accepted = (await oracle({ ...given, bytes, text: bytes.toString("utf8") })) === true;
  } catch (refusal) {
    accepted = false; // packages refuse by throwing, with a type of their own each
    error = String(refusal?.message ?? refusal);
  }
  process.stdout.write(`${JSON.stringify({ id: given.id, accepted, error })}\n`);
}
