// The shop alone, without a tunnel: its own checks and the sender's expectations must agree.
import assert from "node:assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";

const SECRETS = { RAZORPAY_WEBHOOK_SECRET: "123456", STRIPE_WEBHOOK_SECRET: "whsec_shop", GITHUB_WEBHOOK_SECRET: "shop" };

test("the shop accepts exactly the webhooks that are valid", async (context) => {
  const shop = start("server.js");
  context.after(() => shop.kill());
  const [listening] = await once(createInterface(shop.stdout), "line");
  const port = listening.replace("listening on ", "");

  const sender = start("send.mjs", `http://127.0.0.1:${port}`, "--random", "5", "--seed", "1");
  const lines = [];
  for await (const line of createInterface(sender.stdout)) {
    lines.push(JSON.parse(line));
  }
  const signed = lines.filter((line) => typeof line.expected?.valid === "boolean");
  const random = lines.filter((line) => line.expected?.valid === null);
  assert.equal(signed.length, 14);
  assert.equal(random.length, 5);
  for (const line of signed) {
    assert.equal(line.status, line.expected.valid ? 200 : 400, line.case);
  }
  for (const line of random) {
    assert.equal(line.answer.sha256, line.sent_sha256, line.case);
  }
});

function start(script, ...args) {
  const options = { cwd: import.meta.dirname, env: { ...process.env, ...SECRETS, PORT: "0" }, stdio: ["ignore", "pipe", "inherit"] };
  return spawn(process.execPath, [script, ...args], options);
}
