// Azurite examines every row of a table for each page of a query and sorts all that match: seconds in a large table.
// A query within one partition of the directory of mailboxes is answered here in the order of Azurite's own index, and
// ends with the page. No other table: the index sorts keys that look like numbers by value, as Table Storage does not.
const Store = require("azurite/dist/src/table/persistence/LokiTableMetadataStore").default;
const generator = require("azurite/dist/src/table/persistence/LokiTableStoreQueryGenerator").default;
const { queryTableEntities } = Store.prototype;
const ONE_PARTITION = /^\(?PartitionKey eq '((?:[^']|'')+)'\)?(?: and |$)/;

Store.prototype.queryTableEntities = async function (context, account, table, options, nextPartition, nextRow) {
  const asked = table === "directory" && ONE_PARTITION.exec(options.filter ?? "");
  if (!asked) return queryTableEntities.call(this, context, account, table, options, nextPartition, nextRow);
  const most = this.getMaxResultsOption(options);
  const rows = this.getEntityCollection(account, table, context);
  const matches = generator.generateQueryForPersistenceLayer(options, context);
  const partition = asked[1].replaceAll("''", "'");
  const found = [];
  const past = bound("lt", options.filter);
  for (const row of rowsFrom(rows, this.decodeContinuationHeader(nextRow) ?? bound("ge", options.filter))) {
    if (past && row.RowKey >= past) break;
    if (row.PartitionKey === partition && matches(row) && found.push(row) > most) break;
  }
  const { nextPartitionKeyResponse, nextRowKeyResponse } = this.adjustQueryResultforTop(found, most);
  return [found, nextPartitionKeyResponse, nextRowKeyResponse];
};

function bound(operator, filter) {
  return (new RegExp(`RowKey ${operator} '((?:[^']|'')*)'`).exec(filter)?.[1] ?? "").replaceAll("''", "'");
}

// The rows of all partitions in the order of their row keys, from this key on.
function* rowsFrom(rows, key) {
  rows.ensureIndex("RowKey");
  const order = rows.binaryIndices.RowKey.values;
  let low = 0;
  for (let high = order.length; low < high; ) {
    const middle = (low + high) >> 1;
    if (rows.data[order[middle]].RowKey < key) low = middle + 1;
    else high = middle;
  }
  for (; low < order.length; low++) yield rows.data[order[low]];
}
