// Fills a table with ready-made rows at the moment it is created: through its API, Azurite takes 200 rows a second.
// FILL_AZURITE names a folder with a file for each table, NAME.ndjson, each line one row as Azurite keeps it.
const fs = require("fs");
const path = require("path");
const Loki = require("../../sandbox/node_modules/lokijs");
const { addCollection } = Loki.prototype;

function* linesOf(file) {
  const opened = fs.openSync(file);
  const chunk = Buffer.alloc(1 << 20);
  let rest = Buffer.alloc(0);
  for (let read = fs.readSync(opened, chunk); read > 0; read = fs.readSync(opened, chunk)) {
    const bytes = Buffer.concat([rest, chunk.subarray(0, read)]);
    let start = 0;
    for (let end = bytes.indexOf("\n"); end >= 0; end = bytes.indexOf("\n", start)) {
      yield bytes.toString("utf8", start, end);
      start = end + 1;
    }
    rest = bytes.subarray(start);
  }
  fs.closeSync(opened);
}

Loki.prototype.addCollection = function (name, ...others) {
  const collection = addCollection.call(this, name, ...others);
  const file = path.join(process.env.FILL_AZURITE ?? "", `${String(name).split("$").pop()}.ndjson`);
  if (process.env.FILL_AZURITE && fs.existsSync(file)) {
    // An index that is kept up to date at each insertion takes minutes.
    collection.adaptiveBinaryIndices = false;
    for (const line of linesOf(file)) collection.insert(JSON.parse(line));
    collection.ensureAllIndexes(true);
    collection.adaptiveBinaryIndices = true;
  }
  return collection;
};
