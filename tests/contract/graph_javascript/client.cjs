// An independent client, @microsoft/microsoft-graph-client, at one mailbox: what it reads, as one JSON object.
//
// Usage: node client.cjs URL TOKEN MODULES     (NODE_EXTRA_CA_CERTS names the certificate authority)
"use strict";
const path = require("path");
const [url, token, modules] = process.argv.slice(2);
const graph = require(path.join(modules, "@microsoft/microsoft-graph-client"));

const client = graph.Client.init({
  baseUrl: url,
  customHosts: new Set(["127.0.0.1"]),
  authProvider: (done) => done(null, token),
});

// The Prefer header counts for one request: it has to go along with every nextLink.
async function every(request, prefer) {
  const found = [], headers = prefer ? { Prefer: prefer } : {};
  const first = await request.headers(headers).get();
  const iterator = new graph.PageIterator(client, first, (one) => found.push(one), { headers });
  await iterator.iterate();
  return { found, deltaLink: iterator.getDeltaLink() };
}

async function mime(id) {
  const raw = await client.api(`/me/messages/${id}/$value`).responseType(graph.ResponseType.ARRAYBUFFER).get();
  return Buffer.from(raw).toString("base64");
}

async function refused() {
  try {
    await client.api("/me/messages/AAMkADk=").get();
  } catch (error) {
    return { status: error.statusCode, code: error.code, hasRequestId: Boolean(error.requestId) };
  }
  return null;
}

async function batched(ids) {
  const steps = ids.map((id, number) => ({
    id: String(number),
    // The client takes the host away; what is left must be relative to the version.
    request: new Request(`${url}me/messages/${id}?$select=subject`, { method: "GET" }),
  }));
  const content = await new graph.BatchRequestContent(steps).getContent();
  const answered = new graph.BatchResponseContent(await client.api("/$batch").post(content));
  const subjects = [];
  for (const [, response] of answered.getResponsesIterator()) {
    subjects.push((await response.json()).subject);
  }
  return subjects;
}

async function main() {
  const me = await client.api("/me").get();
  const folders = await every(client.api("/me/mailFolders/delta").select("displayName"));
  const inbox = await every(
    client.api("/me/mailFolders/inbox/messages/delta").select("subject,receivedDateTime")
      .orderby("receivedDateTime desc"),
    "odata.maxpagesize=40",
  );
  const later = await every(client.api(inbox.deltaLink));
  const first = inbox.found.slice(0, 5).map((one) => one.id);
  const events = await every(client.api("/me/calendarView").query({
    startDateTime: "2026-03-01T00:00:00Z", endDateTime: "2026-03-08T00:00:00Z",
  }).top(5), 'outlook.timezone="W. Europe Standard Time"');
  const contacts = await every(client.api("/me/contacts").top(7));
  const lists = await every(client.api("/me/todo/lists"));
  process.stdout.write(JSON.stringify({
    me: me.mail,
    folders: folders.found.map((one) => one.displayName),
    inbox: inbox.found.map((one) => one.id),
    later: later.found.length,
    mimes: await Promise.all(first.slice(0, 3).map(mime)),
    batched: await batched(first),
    subjects: inbox.found.slice(0, 5).map((one) => one.subject),
    events: events.found.map((one) => [one.subject, one.start.timeZone]),
    contacts: contacts.found.map((one) => one.displayName),
    lists: lists.found.map((one) => one.wellknownListName),
    refused: await refused(),
  }));
}

main().catch((error) => {
  process.stderr.write(`${error.stack} ${JSON.stringify(error)}\n`);
  process.exitCode = 1;
});
