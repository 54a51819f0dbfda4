// An independent client, ews-javascript-api, at one mailbox: what it finds, syncs and gets, as one JSON object.
//
// Usage: node client.cjs URL TOKEN MODULES     (NODE_EXTRA_CA_CERTS names the certificate authority)
"use strict";
const path = require("path");
const [url, token, modules] = process.argv.slice(2);
const ews = require(path.join(modules, "ews-javascript-api"));

const service = new ews.ExchangeService(ews.ExchangeVersion.Exchange2016);
service.Credentials = new ews.OAuthCredentials(token);
service.Url = new ews.Uri(url);

const inbox = new ews.FolderId(ews.WellKnownFolderName.Inbox);
const idOnly = new ews.PropertySet(ews.BasePropertySet.IdOnly);
const withMime = new ews.PropertySet(ews.BasePropertySet.IdOnly, [
  ews.ItemSchema.MimeContent,
  ews.ItemSchema.Subject,
]);

async function findFolders() {
  const view = new ews.FolderView(500);
  view.Traversal = ews.FolderTraversal.Deep;
  const found = await service.FindFolders(ews.WellKnownFolderName.MsgFolderRoot, view);
  return found.Folders.map((folder) => ({ id: folder.Id.UniqueId, name: folder.DisplayName }));
}

function told(change) {
  return {
    kind: ews.ChangeType[change.ChangeType],
    id: (change.ItemId || change.Item.Id).UniqueId,
    isRead: change.IsRead,
  };
}

async function syncAll(state) {
  const found = [];
  for (let page = 0; page < 100; page += 1) {
    const changes = await service.SyncFolderItems(
      inbox, idOnly, null, 50, ews.SyncFolderItemsScope.NormalItems, state,
    );
    state = changes.SyncState;
    for (let n = 0; n < changes.Count; n += 1) found.push(told(changes._getItem(n)));
    if (!changes.MoreChangesAvailable) return { state, changes: found };
  }
  throw new Error("The sync does not end.");
}

async function flipReadFlag(id) {
  const read = new ews.PropertySet(ews.BasePropertySet.IdOnly, [ews.EmailMessageSchema.IsRead]);
  const message = await ews.EmailMessage.Bind(service, new ews.ItemId(id), read);
  message.IsRead = !message.IsRead;
  await message.Update(ews.ConflictResolutionMode.AutoResolve);
  return { id, isRead: message.IsRead };
}

async function getAll(ids) {
  const answers = await service.BindToItems(ids.map((id) => new ews.ItemId(id)), withMime);
  return answers.Responses.map(({ Item: item }) => ({
    id: item.Id.UniqueId,
    subject: item.Subject,
    mime: item.MimeContent.Content,
  }));
}

async function findItems() {
  const found = await service.FindItems(inbox, new ews.ItemView(20));
  return { total: found.TotalCount, ids: found.Items.map((item) => item.Id.UniqueId) };
}

async function send(raw) {
  const message = new ews.EmailMessage(service);
  message.MimeContent = new ews.MimeContent("UTF-8", raw);
  await message.Save(inbox);
  return message.Id.UniqueId;
}

async function main() {
  const folders = await findFolders();
  const first = await syncAll(null);
  const fetched = await getAll(first.changes.map((change) => change.id));
  const raw = Buffer.from("From: js@example.com\r\nSubject: From JavaScript\r\n\r\nb\u00f6dy\r\n").toString("base64");
  const sent = await send(raw);
  const message = await ews.EmailMessage.Bind(service, new ews.ItemId(sent), withMime);
  const moved = await message.Move(new ews.FolderId(ews.WellKnownFolderName.Drafts));
  const flipped = await flipReadFlag(first.changes[0].id);
  const second = await syncAll(first.state);
  const [again] = await getAll([moved.Id.UniqueId]);
  await moved.Delete(ews.DeleteMode.HardDelete);
  const names = await service.ResolveName("Alex");
  process.stdout.write(JSON.stringify({
    folders,
    synced: first.changes,
    flipped,
    later: second.changes,
    fetched,
    found: await findItems(),
    sent: { raw, mime: message.MimeContent.Content, id: sent, movedTo: moved.Id.UniqueId, afterMove: again.mime },
    resolved: names._getItem(0).Mailbox.Address,
  }));
}

main().catch((error) => {
  process.stderr.write(`${(error && error.message) || error}\n${(error && error.stack) || ""}\n`);
  process.exit(1);
});
