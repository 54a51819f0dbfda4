// Receives webhooks and prints the verified events: node receive_webhooks.mjs PORT CERTIFICATE KEY
//
// Needs the endpoint's signing secret as WEBHOOK_SECRET in the environment, and Node.js alone.

import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";

const TOLERANCE = 5 * 60; // how many seconds the time of a delivery may differ from this clock
const seen = new Set(); // a real receiver keeps these ids, and the events, in its database

/** The event of a delivery; null if its signature or its time is wrong. `body` holds the bytes as they came. */
function verified(headers, body) {
  const { "webhook-id": id, "webhook-timestamp": time, "webhook-signature": signatures = "" } = headers;
  if (!(Math.abs(Date.now() / 1000 - Number(time)) <= TOLERANCE)) return null;
  const key = Buffer.from(process.env.WEBHOOK_SECRET.replace("whsec_", ""), "base64");
  const expected = createHmac("sha256", key).update(`${id}.${time}.`).update(body).digest();
  const given = signatures.split(" ").map((each) => Buffer.from(each.replace("v1,", ""), "base64"));
  const isSigned = given.some((each) => each.length === expected.length && timingSafeEqual(each, expected));
  return isSigned ? JSON.parse(body) : null;
}

/** The status and the body of the answer. Answer within 15 seconds; do the work afterward. */
function answered(headers, body) {
  const event = verified(headers, body);
  if (event === null) return [401, ""];
  if (event.type === "webhook.verification") return [200, JSON.stringify({ challenge: event.data.challenge })];
  if (!seen.has(headers["webhook-id"])) {
    seen.add(headers["webhook-id"]); // an event may come twice
    console.log(JSON.stringify(event));
  }
  return [204, ""];
}

const [port, certificate, key] = process.argv.slice(2);
const tls = { cert: readFileSync(certificate), key: readFileSync(key) };
const server = createServer(tls, async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const [status, body] = answered(request.headers, Buffer.concat(chunks));
  response.writeHead(status).end(body);
});
server.listen(Number(port), "127.0.0.1", () => console.log(`listening on ${server.address().port}`));
